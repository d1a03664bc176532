//! Callers who require that our provisional answers be acknowledged (RFC 3262).

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use std::time::Duration;

use tandem_center::call::{CallCommand, CallEvent, CallId, CauseKind};
use world::*;

fn arrives(world: &mut World) -> CallId {
    let invite = carrier_invite("sendrecv").replace("Content-Type", "Require: 100rel\r\nContent-Type");
    world.receive(&carrier_flow(), &invite);
    world.take_event("an arrival", |event| match event {
        CallEvent::Arrived(arrival) => Some(arrival.call),
        _ => None,
    })
}

#[test]
fn a_call_that_is_answered_at_once_needs_no_provisional_answer() {
    let mut world = World::new();
    let call = arrives(&mut world);
    world.say(CallCommand::Answer { call });
    world.take_response(200, "INVITE");
}

#[test]
fn the_first_ringing_is_acknowledged_before_the_answer_goes_out() {
    let mut world = World::new();
    let call = arrives(&mut world);
    world.pass(Duration::from_millis(500));
    let ringing = world.take_response(180, "INVITE");
    assert!(ringing.header("Require").contains("100rel"));
    world.say(CallCommand::Answer { call });
    assert!(!world.sent.iter().any(|sent| sent.answers(200)), "RFC 3262 section 3");
    let prack = carrier_request("PRACK", 2, &to_of(&ringing), "");
    let rack = format!("RAck: {} 1 INVITE\r\nContent-Length", ringing.header("RSeq"));
    world.receive(&carrier_flow(), &prack.replace("Content-Length", &rack));
    world.take_response(200, "PRACK");
    let ok = world.take_response(200, "INVITE");
    assert!(ok.body().contains("m=audio"));
    world.receive(&carrier_flow(), &carrier_request("ACK", 1, &to_of(&ok), ""));
    world.take_event("the answer", |event| matches!(event, CallEvent::Answered { .. }).then_some(()));
}

#[test]
fn who_never_acknowledges_is_given_up() {
    let mut world = World::new();
    let call = arrives(&mut world);
    world.pass(Duration::from_millis(500));
    world.say(CallCommand::Answer { call });
    world.pass(Duration::from_secs(40));
    let cause = world.take_event("the leaving", |event| match event {
        CallEvent::Left { cause, .. } => Some(cause.kind),
        _ => None,
    });
    assert_eq!(cause, CauseKind::Lost);
    world.report_closed();
    world.take_event("the end", |event| matches!(event, CallEvent::Ended { .. }).then_some(()));
    assert_eq!(world.door.calls(), 0);
}

#[test]
fn teams_cannot_require_it() {
    let mut world = World::new();
    let sdp = teams_sdp("sendrecv");
    let invite = format!(
        "INVITE sip:+14255550142@{FQDN}:5061;user=phone;transport=tls SIP/2.0\r\n\
         FROM: Alice<sip:+14255550100@sip.pstnhub.microsoft.com:5061;user=phone>;tag=240c\r\n\
         TO: <sip:+14255550142@{FQDN}:5061;user=phone>\r\nCSEQ: 1 INVITE\r\nCALL-ID: 64cf\r\nMAX-FORWARDS: 70\r\n\
         VIA: SIP/2.0/TLS 52.114.148.10:5061;branch=z9hG4bK58735f3a\r\nCONTACT: <{TEAMS_CONTACT}>\r\n\
         REQUIRE: 100rel\r\nCONTENT-TYPE: application/sdp\r\nCONTENT-LENGTH: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    world.receive(&teams_flow(), &invite);
    let refusal = world.take_response(420, "INVITE");
    assert_eq!(refusal.header("Unsupported"), "100rel");
    assert_eq!(world.events, [], "no call has arrived");
    assert_eq!(world.ports.left, 1000);
}
