//! A call's party is heard only over its own trunk, whoever knows the numbers of its dialog.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use tandem_b2bua::UnknownPeers;
use tandem_center::call::{CallEvent, PartyId};
use world::*;

#[test]
fn a_bye_from_another_trunks_network_ends_nothing() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (invite, _) = world.adele_joins(call);
    world.events.clear();
    // The carrier knows, from wherever, the tags of the dialog with Teams.
    let bye = teams_request(&invite, "t200", "BYE", 1, "", "");
    world.receive(&carrier_flow(), &bye);
    world.take_response(403, "BYE");
    assert_eq!(world.events, []);
    assert_eq!(world.door.counters().foreign_requests, 1);
    world.receive(&own_teams_flow(), &bye);
    world.take_response(200, "BYE");
    world.take_event("the leaving", |event| {
        matches!(event, CallEvent::Left { party: PartyId(1), .. }).then_some(())
    });
}

#[test]
fn a_transfer_from_another_trunks_network_is_no_wish() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.adele_joins(call);
    world.events.clear();
    let to = world.carrier_to.clone();
    let refer = carrier_request("REFER", 2, &to, "");
    let refer =
        refer.replace("Content-Length", "Refer-To: <sip:+19005550100@198.51.100.7>\r\nContent-Length");
    world.receive(&teams_flow(), &refer);
    world.take_response(403, "REFER");
    assert_eq!(world.events, []);
}

#[test]
fn who_may_not_know_of_us_gets_no_answer() {
    let trunks = vec![teams_trunk("teams", FQDN), carrier_trunk()];
    let mut world = World::with_setup(trunks, UnknownPeers::Drop);
    let call = world.caller_is_answered();
    let (invite, _) = world.adele_joins(call);
    world.sent.clear();
    world.events.clear();
    world.receive(&carrier_flow(), &teams_request(&invite, "t200", "BYE", 1, "", ""));
    assert!(world.sent.is_empty());
    assert_eq!(world.events, []);
}

#[test]
fn a_cancel_from_another_trunks_network_cancels_nothing() {
    let mut world = World::new();
    world.caller_arrives("sendrecv");
    let cancel = carrier_invite("sendrecv");
    let cancel = cancel.split("Content-Type").next().unwrap().replace("INVITE sip", "CANCEL sip");
    let cancel = cancel.replace("1 INVITE", "1 CANCEL") + "Content-Length: 0\r\n\r\n";
    world.receive(&teams_flow(), &cancel);
    assert_eq!(world.events, []);
    world.receive(&carrier_flow(), &cancel);
    world.take_event("the cancelling", |event| matches!(event, CallEvent::Left { .. }).then_some(()));
}

#[test]
fn teams_may_go_on_from_any_of_its_addresses() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (invite, _) = world.adele_joins(call);
    let names = &["sip.pstnhub.microsoft.com"];
    let other = flow(0, tandem_sip::flow::Transport::Tls, "52.115.3.4:39000", Some(9), names);
    world.receive(&other, &teams_request(&invite, "t200", "BYE", 1, "", ""));
    world.take_response(200, "BYE");
}
