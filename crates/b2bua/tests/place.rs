//! Calls that the center begins: who is rung, what their telephone shows, and how it ends when nobody answers.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use std::time::Duration;

use tandem_center::call::{Address, CallCommand, CallEvent, CallId, CauseKind, Endpoint, PartyId, Removal};
use world::*;

const CALL: CallId = CallId(77);

fn left(world: &mut World) -> (PartyId, CauseKind, u16) {
    world.take_event("a leaving", |event| match event {
        CallEvent::Left { party, cause, .. } => Some((*party, cause.kind, cause.code)),
        _ => None,
    })
}

fn ended(world: &mut World) -> CauseKind {
    world.take_event("the end", |event| match event {
        CallEvent::Ended { call: CALL, cause } => Some(cause.kind),
        _ => None,
    })
}

fn place(line: &str, presented: Option<Address>) -> CallCommand {
    CallCommand::Place {
        call: CALL,
        to: Endpoint { line: line.into(), address: Address::Phone("+14255550142".into()) },
        presented,
        presented_name: None,
    }
}

#[test]
fn who_is_called_rings_and_joins_and_that_is_no_answer_of_ours() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    assert_eq!(invite.first_line(), "INVITE sip:+14255550142@198.51.100.7:5060 SIP/2.0");
    world.receive(&carrier_flow(), &carrier_answer(&invite, 180, ""));
    world.receive(&carrier_flow(), &carrier_answer(&invite, 200, &carrier_sdp("sendrecv")));
    world.take_request("ACK");
    let first = PartyId::FIRST;
    assert_eq!(
        world.events,
        [CallEvent::Ringing { call: CALL, party: first }, CallEvent::Joined { call: CALL, party: first }]
    );
    assert_eq!(world.door.calls(), 1);
    assert_eq!(world.door.counters().calls_placed, 1);
}

#[test]
fn a_carrier_is_shown_the_number_and_vouched_for_it() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    assert!(invite.header("From").starts_with("\"Contoso\" <sip:+14255550199@203.0.113.10>;tag="));
    assert_eq!(invite.header("P-Asserted-Identity"), "<sip:+14255550199@203.0.113.10>");
    assert_eq!(invite.header("Contact"), "<sip:+14255550199@203.0.113.10:5060;transport=udp>");
    assert!(invite.try_header("Privacy").is_none());
}

#[test]
fn a_carrier_is_told_to_show_no_number_where_there_is_none() {
    let mut world = World::new();
    world.say(place("carrier", None));
    let invite = world.take_request("INVITE");
    assert!(invite.header("From").starts_with("<sip:anonymous@anonymous.invalid>;tag="));
    assert_eq!(invite.header("Privacy"), "id");
    assert!(invite.try_header("P-Asserted-Identity").is_none());
}

#[test]
fn teams_takes_the_number_from_the_from_header_alone() {
    let mut world = World::new();
    world.say(place("teams", Some(Address::Phone("+14255550199".into()))));
    let invite = world.take_request("INVITE");
    assert!(invite.header("From").starts_with(&format!("<sip:+14255550199@{FQDN};user=phone>;tag=")));
    assert_eq!(invite.header("Contact"), format!("<sip:+14255550199@{FQDN}:5061;transport=tls>"));
    assert!(invite.try_header("P-Asserted-Identity").is_none());
}

#[test]
fn a_busy_telephone_ends_the_call() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    world.receive(&carrier_flow(), &carrier_answer(&invite, 486, ""));
    assert_eq!(left(&mut world), (PartyId::FIRST, CauseKind::Busy, 486));
    assert_eq!(ended(&mut world), CauseKind::Busy);
    assert_eq!((world.door.calls(), world.ports.left), (0, 1000), "its port is free again");
}

#[test]
fn a_telephone_that_nobody_answers_is_given_up() {
    let mut world = World::new();
    let invite = world.call_ada(CALL);
    world.receive(&carrier_flow(), &carrier_answer(&invite, 180, ""));
    world.say(CallCommand::RemoveParty { call: CALL, party: PartyId::FIRST, reason: Removal::NotAnswered });
    world.take_request("CANCEL");
    assert_eq!(left(&mut world), (PartyId::FIRST, CauseKind::Removed, 0));
    assert_eq!(ended(&mut world), CauseKind::Removed);
    // An answer that crossed the CANCEL finds nobody any more.
    world.receive(&carrier_flow(), &carrier_answer(&invite, 200, &carrier_sdp("sendrecv")));
    world.take_request("ACK");
    world.take_request("BYE");
    world.pass(Duration::from_secs(60));
    assert!(!world.events.iter().any(|event| matches!(event, CallEvent::Joined { .. })));
}

#[test]
fn a_line_that_does_not_exist_ends_the_call_at_once() {
    let mut world = World::new();
    world.say(place("nowhere", None));
    assert_eq!(left(&mut world), (PartyId::FIRST, CauseKind::Unreachable, 0));
    assert_eq!(ended(&mut world), CauseKind::Unreachable);
    assert_eq!(world.door.calls(), 0);
}

#[test]
fn without_a_free_port_the_call_ends_at_once() {
    let mut world = World::new();
    world.ports.left = 0;
    world.say(place("carrier", None));
    assert_eq!(left(&mut world), (PartyId::FIRST, CauseKind::Limit, 0));
    assert_eq!(ended(&mut world), CauseKind::Limit);
}

#[test]
fn no_more_calls_are_placed_than_may_be() {
    let mut world = World::new();
    for number in 100..110 {
        world.call_ada(CallId(number));
    }
    world.say(place("carrier", None));
    assert_eq!(left(&mut world), (PartyId::FIRST, CauseKind::Limit, 0));
    assert_eq!(ended(&mut world), CauseKind::Limit);
    assert_eq!(world.door.counters().calls_over_limit, 1);
}

#[test]
fn a_door_that_is_closed_places_no_calls() {
    let mut world = World::new();
    world.door.set_open(false);
    world.say(place("carrier", None));
    assert_eq!(left(&mut world), (PartyId::FIRST, CauseKind::Limit, 0));
    assert_eq!(ended(&mut world), CauseKind::Limit);
}

#[test]
fn placing_a_call_that_is_there_changes_nothing() {
    let mut world = World::new();
    world.ada_is_called_back(CALL);
    world.say(place("carrier", None));
    assert!(
        world.events.iter().all(|event| matches!(event, CallEvent::Ringing { .. })),
        "{:?}",
        world.events
    );
    assert!(!world.sent.iter().any(|sent| sent.is("INVITE")));
}

#[test]
fn ending_a_call_that_is_over_is_harmless() {
    let mut world = World::new();
    world.ada_is_called_back(CALL);
    world.say(CallCommand::End { call: CALL });
    world.take_request("BYE");
    world.say(CallCommand::End { call: CALL });
    world.report_closed();
    assert_eq!(ended(&mut world), CauseKind::Removed);
    world.events.clear();
    world.say(CallCommand::End { call: CALL });
    assert_eq!(world.events, []);
}
