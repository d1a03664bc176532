//! An agent does not take the call: the next one is rung, and the caller keeps the place.

use crate::harness::{SUPPORT, Story};
use tandem_center::agent::{AgentState, ChosenState, RestCause};
use tandem_center::call::{CallCommand, CallEvent, CauseKind, PartyId, Removal};
use tandem_center::fact::{FactKind, OfferOutcome};

#[test]
fn a_missed_offer_goes_to_the_next_agent_and_the_caller_keeps_the_place() {
    let mut center = Story::new(SUPPORT);
    center.pass(1);
    center.chooses("bianca", ChosenState::Available);
    let first = center.dial();
    center.phone_rings("adele");
    center.pass(14);
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    center.commands();
    center.pass(1);
    assert_eq!(center.rung_for(first).as_deref(), Some("bianca"));
    let (call, reason) = (first, Removal::NotAnswered);
    let adele = CallCommand::RemoveParty { call, party: PartyId(1), reason };
    assert_eq!(center.commands().first(), Some(&adele));
    assert!(matches!(
        center.last_fact("offer_ended"),
        FactKind::OfferEnded { outcome: OfferOutcome::Missed, rang_us: 15_000_000, .. }
    ));
    center.agent_answers("bianca");
    assert!(matches!(center.last_fact("connected"), FactKind::Connected { waited_us: 15_000_000, .. }));
}

#[test]
fn who_missed_is_left_alone_and_then_rung_again() {
    let mut center = Story::new(SUPPORT);
    let first = center.dial();
    center.pass(15);
    let until = Some(center.now + std::time::Duration::from_secs(60));
    assert_eq!(center.agent("adele"), AgentState::Resting { after: RestCause::Missed, until });
    let second = center.dial();
    center.pass(59);
    assert_eq!(center.waiting("support"), [first, second]);
    assert_eq!(center.rung_for(first), None);
    center.pass(1);
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(second), None);
}

#[test]
fn who_missed_and_says_available_is_rung_at_once() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.pass(15);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn with_no_time_of_rest_who_missed_stays_away_until_saying_available() {
    let mut center = Story::new(&format!("[offers]\nmissed_rest_s = 0\n{SUPPORT}"));
    let call = center.dial();
    center.pass(15);
    assert_eq!(center.agent("adele"), AgentState::Resting { after: RestCause::Missed, until: None });
    center.pass(3000);
    assert_eq!(center.rung_for(call), None);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn each_refusal_of_a_telephone_is_told_apart_and_the_next_agent_is_rung() {
    for (cause, outcome, rest) in [
        (CauseKind::Declined, OfferOutcome::Declined, RestCause::Declined),
        (CauseKind::Busy, OfferOutcome::Busy, RestCause::Busy),
        (CauseKind::NotAnswered, OfferOutcome::Missed, RestCause::Missed),
        (CauseKind::Unavailable, OfferOutcome::Unreachable, RestCause::Unreachable),
        (CauseKind::Unreachable, OfferOutcome::Unreachable, RestCause::Unreachable),
    ] {
        let mut center = Story::new(SUPPORT);
        center.chooses("bianca", ChosenState::Available);
        let call = center.dial();
        center.agent_leaves("adele", cause);
        assert_eq!(center.rung_for(call).as_deref(), Some("bianca"), "{cause:?}");
        assert!(
            matches!(center.agent("adele"), AgentState::Resting { after, .. } if after == rest),
            "{cause:?}"
        );
        let FactKind::OfferEnded { outcome: told, cause: said, .. } = center.last_fact("offer_ended") else {
            panic!("no offer ended");
        };
        assert_eq!((*told, said.as_ref().map(|said| said.kind)), (outcome, Some(cause)));
    }
}

#[test]
fn a_decline_does_not_end_the_callers_call() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_leaves("adele", CauseKind::Declined);
    assert_eq!(center.waiting("support"), [call]);
    center.pass(30);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_answer_that_comes_with_the_end_of_the_ring_time_counts() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.now = center.now + std::time::Duration::from_secs(15);
    center.agent_answers("adele");
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    assert_eq!(center.interaction(call).map(|(_, view)| view.answered), Some(true));
}

#[test]
fn an_answer_after_the_end_of_the_ring_time_is_too_late() {
    let mut center = Story::new(SUPPORT);
    center.chooses("bianca", ChosenState::Available);
    let call = center.dial();
    let party = center.leg_of("adele").1;
    center.door_obeys = false;
    center.pass(15);
    center.event(CallEvent::Joined { call, party });
    assert!(matches!(center.agent("adele"), AgentState::Resting { .. }));
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}
