//! The caller leaves while an agent's telephone rings: no missed call, and the agent keeps the idle time.

use crate::harness::{SUPPORT, Story};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::call::{CallCommand, CallEvent, CauseKind, PartyId, Removal};
use tandem_center::fact::{FactKind, OfferOutcome, Outcome};

#[test]
fn the_telephone_stops_without_a_missed_call_and_the_agent_keeps_the_idle_time() {
    let mut center = Story::new(SUPPORT);
    let idle_since = center.agent("adele");
    center.pass(10);
    center.chooses("bianca", ChosenState::Available);
    let call = center.dial();
    center.phone_rings("adele");
    center.commands();
    center.pass(3);
    center.caller_hangs_up(call);
    let (party, reason) = (PartyId(1), Removal::NoLongerNeeded);
    assert_eq!(
        center.commands(),
        [CallCommand::RemoveParty { call, party, reason }, CallCommand::End { call }]
    );
    assert_eq!(center.agent("adele"), idle_since);
    assert_eq!(center.outcome(call), Outcome::AbandonedInQueue);
    assert!(matches!(
        center.last_fact("offer_ended"),
        FactKind::OfferEnded { outcome: OfferOutcome::CallerGone, .. }
    ));
    let next = center.dial();
    assert_eq!(center.rung_for(next).as_deref(), Some("adele"));
}

#[test]
fn the_agent_is_not_rung_again_before_the_telephone_is_quiet() {
    let mut center = Story::new(SUPPORT);
    let gone = center.dial();
    let waiting = center.dial();
    let party = center.leg_of("adele").1;
    center.door_obeys = false;
    center.caller_hangs_up(gone);
    assert_eq!(center.rung_for(waiting), None);
    assert!(matches!(center.agent("adele"), AgentState::Offered { .. }));
    center.leave(gone, party, CauseKind::Removed);
    assert_eq!(center.rung_for(waiting).as_deref(), Some("adele"));
}

#[test]
fn an_agent_who_answers_at_that_moment_has_no_conversation() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    let party = center.leg_of("adele").1;
    center.door_obeys = false;
    center.caller_hangs_up(call);
    center.event(CallEvent::Joined { call, party });
    assert_eq!(center.count("connected"), 0);
    center.door_ends(call);
    assert!(center.is_available("adele"));
    assert_eq!(center.outcome(call), Outcome::AbandonedInQueue);
}

#[test]
fn an_agent_who_goes_on_a_break_at_that_moment_is_on_a_break_afterwards() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.door_obeys = false;
    center.caller_hangs_up(call);
    center.chooses("adele", ChosenState::Offline);
    center.door_ends(call);
    assert_eq!(center.agent("adele"), AgentState::Offline);
}
