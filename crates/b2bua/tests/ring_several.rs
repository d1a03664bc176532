//! Several telephones ring for one call: the first that may talks, and the others do not hear a word.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use tandem_center::call::{CallCommand, CallEvent, CauseKind, PartyId, Removal};
use tandem_media::leg::LegCommand;
use world::*;

fn joined(world: &mut World) -> PartyId {
    world.take_event("a joining", |event| match event {
        CallEvent::Joined { party, .. } => Some(*party),
        _ => None,
    })
}

#[test]
fn all_of_them_ring_and_the_one_that_is_admitted_talks() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let invites: Vec<Sent> = (1..=3).map(|party| world.ring_apart(call, party)).collect();
    for invite in &invites {
        world.receive(&own_teams_flow(), &teams_answer(invite, 180, "ringing", ""));
    }
    let rings = world.events.iter().filter(|event| matches!(event, CallEvent::Ringing { .. })).count();
    assert_eq!(rings, 3);
    world.teams_answers(&invites[1], "two");
    let winner = joined(&mut world);
    assert_eq!(winner, PartyId(2));
    world.say(CallCommand::Admit { call, party: winner });
    for loser in [1, 3] {
        let reason = Removal::NoLongerNeeded;
        world.say(CallCommand::RemoveParty { call, party: PartyId(loser), reason });
        let cancel = world.take_request("CANCEL");
        assert_eq!(
            cancel.header("Reason"),
            "SIP;cause=200;text=\"Call completed elsewhere\"",
            "no missed call"
        );
    }
    assert_eq!(world.bridges(), [(0, 1)], "once, and not again for each that is removed");
}

#[test]
fn of_two_that_answer_at_the_same_moment_the_second_hears_nothing() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let first = world.ring_apart(call, 1);
    let second = world.ring_apart(call, 2);
    world.teams_answers(&first, "one");
    world.teams_answers(&second, "two");
    assert_eq!((joined(&mut world), joined(&mut world)), (PartyId(1), PartyId(2)));
    world.say(CallCommand::Admit { call, party: PartyId(1) });
    world.say(CallCommand::RemoveParty { call, party: PartyId(2), reason: Removal::NoLongerNeeded });
    let bye = world.take_request("BYE");
    assert_eq!(bye.header("Reason"), "SIP;cause=200;text=\"Call completed elsewhere\"");
    assert_eq!(world.bridges(), [(0, 1)]);
    let heard = |leg| move |c: &&LegCommand| matches!(c, LegCommand::Play { leg: to, .. } if *to == leg);
    assert_eq!(world.media.iter().filter(heard(world.media_leg(2))).count(), 0);
}

#[test]
fn when_all_refuse_the_caller_is_still_there() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    for party in 1..=2 {
        let invite = world.ring_apart(call, party);
        world.receive(&own_teams_flow(), &teams_answer(&invite, 603, "no", ""));
        world.take_request("ACK");
        let cause = world.take_event("the leaving", |event| match event {
            CallEvent::Left { party: who, cause, .. } => (*who == PartyId(party)).then_some(cause.kind),
            _ => None,
        });
        assert_eq!(cause, CauseKind::Declined);
    }
    assert_eq!(world.events, []);
    assert_eq!(world.door.calls(), 1);
}

#[test]
fn no_more_ring_at_once_than_may() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let most = u16::try_from(CallCommand::MAX_RINGING).unwrap();
    let first = world.ring_apart(call, 1);
    for party in 2..=most {
        world.ring_apart(call, party);
    }
    let refused = |world: &mut World, party: u16| {
        world.say(CallCommand::AddParty {
            call,
            party: PartyId(party),
            to: tandem_center::call::Endpoint {
                line: "teams".into(),
                address: tandem_center::call::Address::Phone("+14255550100".into()),
            },
            presented: None,
            presented_name: None,
            apart: true,
        });
        world.events.iter().any(|event| {
            matches!(event, CallEvent::Left { party: who, cause, .. }
                if *who == PartyId(party) && cause.kind == CauseKind::Limit)
        })
    };
    assert!(refused(&mut world, most + 1));
    world.teams_answers(&first, "one");
    assert!(!refused(&mut world, most + 2), "whoever has answered does not ring");
}

#[test]
fn when_the_caller_goes_all_stop_ringing() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    for party in 1..=3 {
        let invite = world.ring_apart(call, party);
        world.receive(&own_teams_flow(), &teams_answer(&invite, 180, "ringing", ""));
    }
    world.say(CallCommand::End { call });
    for _ in 1..=3 {
        world.take_request("CANCEL");
    }
    world.report_closed();
    world.take_event("the end", |event| matches!(event, CallEvent::Ended { .. }).then_some(()));
    assert_eq!(world.door.calls(), 0);
}
