//! A customer is called back, and somebody of the company is added: both legs go out from us.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use tandem_center::call::{Address, CallCommand, CallEvent, CallId, CauseKind, Endpoint, PartyId};
use tandem_media::leg::LegCommand;
use world::*;

const CALL: CallId = CallId(77);
const AGENT: PartyId = PartyId(1);

fn add(presented: Option<Address>) -> CallCommand {
    CallCommand::AddParty {
        call: CALL,
        party: AGENT,
        to: Endpoint { line: "teams".into(), address: Address::Phone("+14255550101".into()) },
        presented,
        presented_name: None,
        apart: false,
    }
}

#[test]
fn two_who_were_called_by_us_hear_each_other() {
    let mut world = World::new();
    world.ada_is_called_back(CALL);
    world.say(add(Some(Address::Phone("+14255550142".into()))));
    let invite = world.take_request("INVITE");
    assert!(
        invite.header("From").starts_with(&format!("<sip:+14255550142@{FQDN};user=phone>")),
        "the customer"
    );
    assert_eq!(world.bridges(), []);
    world.teams_answers(&invite, "adele");
    world.take_event("the joining", |event| {
        matches!(event, CallEvent::Joined { party: AGENT, .. }).then_some(())
    });
    assert_eq!(world.bridges(), [(0, 1)]);
}

#[test]
fn unless_told_otherwise_the_agent_sees_what_the_customer_saw() {
    let mut world = World::new();
    world.ada_is_called_back(CALL);
    world.say(add(None));
    let invite = world.take_request("INVITE");
    assert!(invite.header("From").starts_with(&format!("\"Contoso\" <sip:+14255550199@{FQDN};user=phone>")));
}

#[test]
fn an_agent_may_see_another_number_than_the_callers() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(CallCommand::AddParty {
        call,
        party: AGENT,
        to: Endpoint { line: "teams".into(), address: Address::Phone("+14255550101".into()) },
        presented: Some(Address::Phone("+14255550190".into())),
        presented_name: Some("Sales: Ada Client".into()),
        apart: false,
    });
    let invite = world.take_request("INVITE");
    let from = format!("\"Sales: Ada Client\" <sip:+14255550190@{FQDN};user=phone>");
    assert!(invite.header("From").starts_with(&from), "{}", invite.text);
}

#[test]
fn whatever_the_agent_was_offered_is_what_the_customer_speaks() {
    let mut world = World::new();
    world.ada_is_called_back(CALL);
    world.say(add(None));
    let invite = world.take_request("INVITE");
    let media = invite.body().lines().find(|line| line.starts_with("m=audio")).unwrap().to_owned();
    assert!(media.ends_with(" RTP/SAVP 8 0 101 13"), "{media}");
}

#[test]
fn when_the_agent_hangs_up_the_customer_is_still_there() {
    let mut world = World::new();
    world.ada_is_called_back(CALL);
    world.say(add(None));
    let invite = world.take_request("INVITE");
    world.teams_answers(&invite, "adele");
    world.receive(&own_teams_flow(), &teams_request(&invite, "adele", "BYE", 1, "", ""));
    world.take_event("the leaving", |event| match event {
        CallEvent::Left { party: AGENT, cause, .. } => (cause.kind == CauseKind::HungUp).then_some(()),
        _ => None,
    });
    assert!(
        !world.media.iter().any(|c| matches!(c, LegCommand::Close { leg } if *leg == world.media_leg(0)))
    );
    world.say(CallCommand::End { call: CALL });
    world.take_request("BYE");
    world.report_closed();
    world.take_event("the end", |event| matches!(event, CallEvent::Ended { .. }).then_some(()));
    assert_eq!(world.door.calls(), 0);
}

#[test]
fn a_carrier_is_not_assured_of_a_caller_whom_another_network_named() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(CallCommand::AddParty {
        call,
        party: AGENT,
        to: Endpoint { line: "carrier".into(), address: Address::Phone("+14255550160".into()) },
        presented: None,
        presented_name: None,
        apart: true,
    });
    let invite = world.take_request("INVITE");
    assert!(invite.header("From").starts_with("\"Ada Client\" <sip:+14255550142@203.0.113.10>"));
    assert!(invite.try_header("P-Asserted-Identity").is_none());
}

#[test]
fn a_caller_who_withheld_the_number_stays_unknown_to_the_next_network() {
    let mut world = World::new();
    let invite = carrier_invite("sendrecv").replace(
        "\"Ada Client\" <sip:+14255550142@198.51.100.7>",
        "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
    );
    world.receive(&carrier_flow(), &invite);
    let call = world.take_event("an arrival", |event| match event {
        CallEvent::Arrived(arrival) => Some(arrival.call),
        _ => None,
    });
    world.say(CallCommand::AddParty {
        call,
        party: AGENT,
        to: Endpoint { line: "carrier".into(), address: Address::Phone("+14255550160".into()) },
        presented: None,
        presented_name: None,
        apart: true,
    });
    let invite = world.take_request("INVITE");
    assert!(invite.header("From").contains("<sip:anonymous@anonymous.invalid>"));
    assert_eq!(invite.header("Privacy"), "id");
}
