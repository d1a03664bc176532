//! Events that come twice, late, or about nobody change nothing.

use crate::harness::{SUPPORT, Story, arrival};
use tandem_center::call::{
    CallCommand, CallEvent, CallId, CauseKind, CollectEnd, CollectId, Digits, PartyId, PlayId, PlayOutcome,
    TransferId, TransferOutcome,
};

/// Every event that a door could tell about a call and a party.
fn all_events(call: CallId, party: PartyId) -> Vec<CallEvent> {
    let cause = || CauseKind::HungUp.into();
    vec![
        CallEvent::Answered { call },
        CallEvent::Ringing { call, party },
        CallEvent::Joined { call, party },
        CallEvent::Left { call, party, cause: cause() },
        CallEvent::Played { call, party, play: PlayId(1), outcome: PlayOutcome::Failed },
        CallEvent::Collected {
            call,
            party,
            collect: CollectId(1),
            digits: Digits::default(),
            end: CollectEnd::Complete,
        },
        CallEvent::Held { call, party, silent: true },
        CallEvent::Resumed { call, party },
        CallEvent::TransferAsked { call, party, transfer: TransferId(9), target: None },
        CallEvent::TransferEnded { call, transfer: TransferId(9), outcome: TransferOutcome::Done },
        CallEvent::Ended { call, cause: cause() },
    ]
}

#[test]
fn events_about_a_call_that_is_over_or_never_was_change_nothing() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    center.commands();
    let before = center.facts.len();
    for call in [call, CallId(0xdead)] {
        for party in [PartyId::FIRST, PartyId(1), PartyId(77)] {
            all_events(call, party).into_iter().for_each(|event| center.event(event));
        }
    }
    assert_eq!(center.facts.len(), before);
    assert_eq!(center.commands(), []);
}

#[test]
fn events_about_a_party_that_never_was_change_nothing() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.commands();
    let before = center.facts.len();
    for event in all_events(call, PartyId(77)) {
        if !matches!(event, CallEvent::Ended { .. } | CallEvent::TransferAsked { .. }) {
            center.event(event);
        }
    }
    assert_eq!(center.facts.len(), before);
    assert_eq!(center.commands(), []);
}

#[test]
fn every_event_of_a_call_may_come_twice() {
    let mut center = Story::new(SUPPORT);
    let call = CallId(500);
    let party = PartyId(1);
    let cause = || CauseKind::HungUp.into();
    for event in [
        CallEvent::Arrived(arrival(call, "carrier", "+14255550199")),
        CallEvent::Answered { call },
        CallEvent::Ringing { call, party },
        CallEvent::Joined { call, party },
        CallEvent::Left { call, party, cause: cause() },
        CallEvent::Left { call, party: PartyId::FIRST, cause: cause() },
        CallEvent::Ended { call, cause: cause() },
    ] {
        center.event(event.clone());
        let (facts, _) = (center.facts.len(), center.commands());
        center.event(event);
        assert_eq!(center.facts.len(), facts);
        assert_eq!(center.commands(), []);
    }
    center.pass(30);
    assert_eq!(center.count("closed"), 1);
}

#[test]
fn a_late_end_of_an_earlier_play_does_not_end_the_present_one() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.commands();
    for play in [0, 2, 99] {
        let outcome = PlayOutcome::Stopped;
        center.event(CallEvent::Played { call, party: PartyId::FIRST, play: PlayId(play), outcome });
    }
    assert_eq!(center.commands(), []);
    center.agent_answers("adele");
    let admit = CallCommand::Admit { call, party: PartyId(1) };
    assert_eq!(center.commands(), [CallCommand::StopPlay { call, party: PartyId::FIRST }, admit]);
}
