//! Telephones whose calls are sent on: the center is told before somebody else answers.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use tandem_center::call::{CallEvent, CallId, CauseKind, PartyId};
use world::*;

const CALL: CallId = CallId(77);
const HISTORY: &str = "History-Info: <sip:+14255550142@198.51.100.7?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%22>;    index=1,<sip:+14255550160@198.51.100.7>;index=1.1\r\n";
const ROUTED: &str =
    "History-Info: <sip:+14255550142@198.51.100.7>;index=1,<sip:ada@10.0.0.7>;index=1.1;rc=1\r\n";

fn forwards(world: &World) -> usize {
    world
        .events
        .iter()
        .filter(|event| matches!(event, CallEvent::Forwarded { party: PartyId::FIRST, .. }))
        .count()
}

#[test]
fn the_network_says_that_it_sends_the_call_on() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    world.receive(&carrier_flow(), &carrier_answer(&invite, 180, ""));
    assert_eq!(forwards(&world), 0);
    world.receive(&carrier_flow(), &carrier_answer(&invite, 181, ""));
    world.receive(&carrier_flow(), &carrier_answer(&invite, 181, ""));
    assert_eq!(forwards(&world), 1, "told once");
    assert_eq!(world.door.calls(), 1, "what becomes of it is the center's to decide");
}

#[test]
fn teams_says_it_too() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let invite = world.ring_adele(call);
    world.receive(&own_teams_flow(), &teams_answer(&invite, 181, "t181", ""));
    world.take_event("the forwarding", |event| {
        matches!(event, CallEvent::Forwarded { party: PartyId(1), .. }).then_some(())
    });
}

#[test]
fn a_history_with_a_reason_says_so_as_well() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    world.receive(&carrier_flow(), &carrier_answer_with(&invite, 180, HISTORY, ""));
    assert_eq!(forwards(&world), 1);
}

#[test]
fn a_diversion_says_so_as_well() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    let diversion = "Diversion: <sip:+14255550142@198.51.100.7>;reason=no-answer\r\n";
    world.receive(&carrier_flow(), &carrier_answer_with(&invite, 183, diversion, ""));
    assert_eq!(forwards(&world), 1);
}

#[test]
fn how_a_number_became_a_telephone_is_no_forwarding() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    world.receive(&carrier_flow(), &carrier_answer_with(&invite, 180, ROUTED, ""));
    assert_eq!(forwards(&world), 0);
}

#[test]
fn who_answers_in_the_place_of_another_is_told_before_it_joins() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    let sdp = carrier_sdp("sendrecv");
    world.receive(&carrier_flow(), &carrier_answer_with(&invite, 200, HISTORY, &sdp));
    let party = PartyId::FIRST;
    assert_eq!(
        world.events,
        [CallEvent::Forwarded { call: CALL, party }, CallEvent::Joined { call: CALL, party }]
    );
}

#[test]
fn a_telephone_that_names_another_one_is_not_followed() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    let contact = "Contact: <sip:+14255550160@198.51.100.7>\r\n";
    world.receive(&carrier_flow(), &carrier_answer_with(&invite, 302, contact, ""));
    assert_eq!(forwards(&world), 1);
    world.take_event("the leaving", |event| match event {
        CallEvent::Left { cause, .. } => {
            (cause.kind == CauseKind::Unavailable && cause.code == 302).then_some(())
        }
        _ => None,
    });
    assert!(!world.sent.iter().any(|sent| sent.is("INVITE")));
}
