//! What agents choose, and when it comes into force.

use crate::harness::{SUPPORT, Story, on_break};
use tandem_center::agent::{AgentAct, AgentState, ChosenState};
use tandem_center::call::{CallCommand, PartyId, Removal};
use tandem_center::fact::{FactKind, OfferOutcome};
use tandem_center::supervise::RefusalReason;

#[test]
fn agents_begin_in_the_state_that_the_configuration_says() {
    let center = Story::new(SUPPORT);
    assert!(center.is_available("adele"));
    assert_eq!(center.agent("bianca"), AgentState::Offline);
}

#[test]
fn going_offline_in_a_conversation_comes_into_force_after_it() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.chooses("adele", ChosenState::Offline);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    assert_eq!(center.commands().last(), Some(&CallCommand::Admit { call, party: PartyId(1) }));
    center.caller_hangs_up(call);
    center.pass(30);
    assert_eq!(center.agent("adele"), AgentState::Offline);
    let next = center.dial();
    assert_eq!(center.rung_for(next), None);
}

#[test]
fn a_break_while_the_telephone_rings_takes_the_offer_back_and_the_caller_goes_to_the_next() {
    let mut center = Story::new(SUPPORT);
    center.chooses("bianca", ChosenState::Available);
    let call = center.dial();
    center.commands();
    center.chooses("adele", on_break());
    let (party, reason) = (PartyId(1), Removal::NoLongerNeeded);
    assert_eq!(center.commands().first(), Some(&CallCommand::RemoveParty { call, party, reason }));
    assert!(matches!(
        center.last_fact("offer_ended"),
        FactKind::OfferEnded { outcome: OfferOutcome::AgentLeft, .. }
    ));
    assert_eq!(center.agent("adele"), AgentState::Break { reason: Some("lunch".into()) });
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn a_choice_that_cannot_be_is_refused_and_changes_nothing() {
    let mut center = Story::new(SUPPORT);
    let before = center.facts.len();
    center.chooses("nobody", ChosenState::Available);
    let reason = Some("x".repeat(ChosenState::REASON_BYTES_MAX + 1).into());
    center.command("adele", AgentAct::Choose(ChosenState::Break { reason }));
    let reasons: Vec<_> = center.refused.iter().map(|refusal| refusal.reason).collect();
    assert_eq!(reasons, [RefusalReason::UnknownAgent, RefusalReason::ReasonTooLong]);
    assert_eq!(center.facts.len(), before);
}
