//! The twelve facts about Direct Routing that decide the design, each a story.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use std::time::Duration;

use tandem_center::call::{CallCommand, CallEvent, PartyId, TransferDecision};
use tandem_sip::flow::Destination;
use world::*;

#[test]
fn fact_1_contact_carries_the_trunk_fqdn_never_an_address() {
    let mut world = World::new();
    world.pass(Duration::from_secs(1));
    let call = world.caller_is_answered();
    let (invite, ack) = world.adele_joins(call);
    let options = world.take_request("OPTIONS");
    for sent in [&invite, &ack, &options] {
        assert!(sent.header("Via").contains(FQDN), "{}", sent.text);
        if let Some(contact) = sent.try_header("Contact") {
            let inside = contact.trim_start_matches('<').split('>').next().unwrap().to_owned();
            assert!(
                inside.contains(&format!("{FQDN}:5061;transport=tls")),
                "transport inside the brackets: {contact}"
            );
        }
        assert!(sent.try_header("Record-Route").is_none(), "we are no proxy");
    }
    assert_eq!(invite.header("Contact"), format!("<sip:+14255550142@{FQDN}:5061;transport=tls>"));
    assert_eq!(options.header("Contact"), format!("<sip:{FQDN}:5061;transport=tls>"));
}

#[test]
fn fact_2_the_fqdn_selects_the_customer_in_both_directions() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(CallCommand::AddParty {
        call,
        party: PartyId(1),
        to: tandem_center::call::Endpoint {
            line: "fabrikam".into(),
            address: tandem_center::call::Address::Phone("+14255550101".into()),
        },
        presented: None,
        presented_name: None,
        apart: false,
    });
    let invite = world.take_request("INVITE");
    assert_eq!(invite.header("Contact"), format!("<sip:+14255550142@{SECOND_FQDN}:5061;transport=tls>"));

    let sdp = teams_sdp("sendrecv");
    let outbound = format!(
        "INVITE sip:+14255550142@{SECOND_FQDN}:5061;user=phone;transport=tls SIP/2.0\r\n\
         FROM: Alice Reyes<sip:+14255550100@sip.pstnhub.microsoft.com:5061;user=phone>;tag=240c\r\n\
         TO: <sip:+14255550142@{SECOND_FQDN}:5061;user=phone>\r\nCSEQ: 1 INVITE\r\nCALL-ID: 64ce\r\n\
         MAX-FORWARDS: 70\r\nVIA: SIP/2.0/TLS 52.114.148.10:5061;branch=z9hG4bK58735f38\r\n\
         RECORD-ROUTE: <sip:sip-du-a-us.pstnhub.microsoft.com:5061;transport=tls;lr>\r\n\
         CONTACT: <{TEAMS_CONTACT}>\r\nMIN-SE: 300\r\nSUPPORTED: timer\r\nSESSION-EXPIRES: 3600\r\n\
         CONTENT-TYPE: application/sdp\r\nCONTENT-LENGTH: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    world.receive(&teams_flow(), &outbound);
    let line = world.take_event("the arrival", |event| match event {
        CallEvent::Arrived(arrival) => Some(arrival.line.clone()),
        _ => None,
    });
    assert_eq!(&*line, "fabrikam");
}

#[test]
fn fact_3_a_peer_without_microsofts_certificate_is_nobody() {
    let mut world = World::new();
    let stranger = flow(0, tandem_sip::flow::Transport::Tls, TEAMS, Some(9), &["sip.attacker.example"]);
    world.receive(&stranger, &carrier_invite("sendrecv"));
    assert!(world.events.is_empty());
    assert!(
        world.take_response(403, "INVITE").try_header("Contact").is_none_or(|c| !c.contains("203.0.113.10"))
    );
}

#[test]
fn fact_4_options_are_started_by_us_once_a_minute_to_all_three_names() {
    let mut world = World::with(vec![teams_trunk("teams", FQDN)]);
    world.pass(Duration::from_secs(1));
    let first: Vec<Sent> = std::mem::take(&mut world.sent);
    let hosts: Vec<String> = first.iter().filter_map(Sent::hop_host).collect();
    assert_eq!(hosts, ["sip", "sip2", "sip3"].map(|n| format!("{n}.pstnhub.microsoft.com")));
    for options in &first {
        assert!(options.is("OPTIONS"));
        assert!(options.try_header("Contact").is_some(), "without Contact the trunk never becomes active");
        let allow = options.header("Allow");
        assert!(allow.contains("REFER") && allow.contains("NOTIFY"), "{allow}");
        assert_eq!(options.header("X-MS-SBC"), "Tandem/Tandem/0.1.0");
        world.receive(&own_teams_flow(), &teams_answer(options, 200, "", ""));
    }
    world.pass(Duration::from_secs(56));
    assert!(world.sent.iter().all(|sent| !sent.is("OPTIONS")), "not more often than once a minute");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.sent.iter().filter(|sent| sent.is("OPTIONS")).count(), 3);
}

#[test]
fn fact_5_requests_go_over_our_own_connections_and_responses_over_the_peers() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (invite, ack) = world.adele_joins(call);
    assert!(matches!(invite.to, Destination::Hop(_)) && matches!(ack.to, Destination::Hop(_)));
    assert_eq!(
        ack.hop_host().as_deref(),
        Some("sip-du-a-us.pstnhub.microsoft.com"),
        "the name in the route set"
    );
    assert!(ack.first_line().contains(TEAMS_CONTACT), "the Contact, port and parameters intact");

    // Teams' re-INVITE comes over a connection of its own, and from another machine than ever before.
    let body = teams_sdp("inactive");
    world.receive(&teams_flow(), &teams_request(&invite, "t200", "INVITE", 2, "", &body));
    let ok = world.take_response(200, "INVITE");
    assert_eq!(ok.to, Destination::Flow(teams_flow()));
    world.receive(&teams_flow(), &teams_request(&invite, "t200", "ACK", 2, "", ""));

    world.say(CallCommand::End { call });
    let bye = world.take("BYE to Teams", |sent| sent.is("BYE") && sent.text.contains("pstnhub"));
    assert_eq!(bye.hop_host().as_deref(), Some("sip-du-a-us.pstnhub.microsoft.com"));
}

#[test]
fn fact_6_every_invite_to_teams_carries_an_offer() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let invite = world.ring_adele(call);
    assert_eq!(invite.header("Content-Type"), "application/sdp");
    assert!(invite.body().contains("m=audio "));
}

#[test]
fn fact_7_the_media_address_of_a_leg_never_moves() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (invite, _) = world.adele_joins(call);
    let first = media_line(&invite);
    for (cseq, direction) in [(2, "inactive"), (4, "sendrecv"), (6, "sendonly"), (8, "sendrecv")] {
        let body = teams_sdp(direction);
        world.receive(&teams_flow(), &teams_request(&invite, "t200", "INVITE", cseq, "", &body));
        let ok = world.take_response(200, "INVITE");
        assert_eq!(media_line(&ok), first);
        world.receive(&teams_flow(), &teams_request(&invite, "t200", "ACK", cseq, "", ""));
    }
    let opened =
        world.media.iter().filter(|c| matches!(c, tandem_media::leg::LegCommand::Open { .. })).count();
    assert_eq!(opened, 2, "one port for each of the two parties, for the whole call");
}

#[test]
fn fact_8_a_hold_towards_teams_is_inactive_with_the_real_address() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.adele_joins(call);
    let to = world.carrier_to.clone();
    // The old form of a hold says nothing about music: it is answered, and Teams never sees it.
    let old = carrier_sdp("sendrecv").replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0");
    world.receive(&carrier_flow(), &carrier_request("INVITE", 2, &to, &old));
    world.take_response(200, "INVITE");
    world.receive(&carrier_flow(), &carrier_request("ACK", 2, &to, ""));
    assert!(world.sent.iter().all(|sent| !sent.text.contains("0.0.0.0") && !sent.is("INVITE")));
    world.receive(&carrier_flow(), &carrier_request("INVITE", 3, &to, &carrier_sdp("sendrecv")));
    world.receive(&carrier_flow(), &carrier_request("ACK", 3, &to, ""));

    // A silent hold is passed on.
    world.receive(&carrier_flow(), &carrier_request("INVITE", 4, &to, &carrier_sdp("inactive")));
    let told = world.take_request("INVITE");
    assert!(told.body().contains("a=inactive\r\n"), "{}", told.text);
    assert!(told.body().contains("c=IN IP4 203.0.113.10\r\n") && !told.text.contains("0.0.0.0"));
    assert!(!told.body().contains("a=sendonly") && !told.body().contains("a=recvonly"));
}

#[test]
fn fact_9_nothing_is_sent_to_teams_that_it_does_not_allow() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (invite, _) = world.adele_joins(call);
    let refer = "REFER-TO: <sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:dfcba638>\r\n\
                 REFERRED-BY: <sip:sip.pstnhub.microsoft.com:5061;x-m=8:orgid:fa27>\r\n";
    world.receive(&teams_flow(), &teams_request(&invite, "t200", "REFER", 2, refer, ""));
    allow_transfer(&mut world);
    world.pass(Duration::from_secs(3000));
    for sent in world.sent.iter().filter(|sent| sent.text.contains("pstnhub")) {
        for method in ["REFER", "UPDATE", "PRACK", "INFO"] {
            assert!(!sent.is(method), "{}", sent.text);
        }
        for header in ["Replaces", "Require"] {
            let value = sent.try_header(header).unwrap_or_default();
            assert!(header == "Require" && !value.contains("100rel") || value.is_empty(), "{}", sent.text);
        }
    }
}

#[test]
fn fact_10_what_is_opaque_in_a_refer_travels_back_byte_for_byte() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (invite, _) = world.adele_joins(call);
    let refer_to = "sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:DFCBA638-4ecd;X-T=%3Da%2Fb";
    let referred_by = "<sip:sip.pstnhub.microsoft.com:5061;x-m=8:orgid:fa273707;x-t=4dcafc31;x-ti=b712;\
        x-tt=aHR0cHM6Ly9hcGktZHUtYS11c2VhLnBzdG5odWIubWljcm9zb2Z0LmNvbS92MS9uZ2MvY2FsbG5vdGlmaWNhdGlvbj9kY2k9NmZh%3D>";
    let headers = format!("REFER-TO: <{refer_to}>\r\nREFERRED-BY: {referred_by}\r\n");
    world.receive(&teams_flow(), &teams_request(&invite, "t200", "REFER", 2, &headers, ""));
    allow_transfer(&mut world);
    world.take_response(202, "REFER");
    let transfer = world.take_request("INVITE");
    assert_eq!(transfer.first_line(), format!("INVITE {refer_to} SIP/2.0"));
    assert_eq!(transfer.header("To"), format!("<{refer_to}>"));
    assert_eq!(transfer.header("Referred-By"), referred_by);
    assert_eq!(transfer.header("Contact"), format!("<sip:+14255550142@{FQDN}:5061;transport=tls>"));
    assert_ne!(transfer.header("Call-ID"), invite.header("Call-ID"));
    assert!(transfer.body().contains("a=sendrecv\r\n"));
    let trying = world.take_request("NOTIFY");
    assert!(trying.body().starts_with("SIP/2.0 100"), "{}", trying.text);
    assert_eq!(trying.header("Event"), "refer");
}

#[test]
fn fact_11_srtp_with_the_80_bit_suite_is_demanded_and_digits_are_telephone_events() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let invite = world.ring_adele(call);
    assert!(invite.body().contains(" RTP/SAVP "));
    assert_eq!(invite.body().matches("a=crypto:").count(), 1);
    assert!(invite.body().contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"));
    assert!(invite.body().contains("|2^31\r\n"));
    assert!(invite.body().contains("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"));

    // An answer in the clear is no answer.
    let clear = carrier_sdp("sendrecv");
    world.receive(&own_teams_flow(), &teams_answer(&invite, 200, "t1", &clear));
    world.take_request("ACK");
    world.take_request("BYE");
    world.take_event("the leaving", |event| match event {
        CallEvent::Left { party: PartyId(1), cause, .. } => {
            (cause.kind == tandem_center::call::CauseKind::NotAcceptable).then_some(())
        }
        _ => None,
    });
}

#[test]
fn fact_12_teams_hears_something_other_than_100_well_within_ten_seconds() {
    let mut world = World::new();
    let sdp = teams_sdp("sendrecv");
    let outbound = format!(
        "INVITE sip:+14255550142@{FQDN}:5061;user=phone;transport=tls SIP/2.0\r\n\
         FROM: Alice<sip:+14255550100@sip.pstnhub.microsoft.com:5061;user=phone>;tag=240c\r\n\
         TO: <sip:+14255550142@{FQDN}:5061;user=phone>\r\nCSEQ: 1 INVITE\r\nCALL-ID: 64cf\r\nMAX-FORWARDS: 70\r\n\
         VIA: SIP/2.0/TLS 52.114.148.10:5061;branch=z9hG4bK58735f3a\r\nCONTACT: <{TEAMS_CONTACT}>\r\n\
         CONTENT-TYPE: application/sdp\r\nCONTENT-LENGTH: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    world.receive(&teams_flow(), &outbound);
    world.take_response(100, "INVITE");
    // The center thinks.
    world.pass(Duration::from_secs(1));
    world.take_response(180, "INVITE");
}

fn media_line(sent: &Sent) -> (String, String) {
    let line = |start: &str| {
        sent.body()
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{}", sent.text))
            .to_owned()
    };
    let port = line("m=audio ").split(' ').nth(1).unwrap().to_owned();
    (line("c="), port)
}

fn allow_transfer(world: &mut World) {
    let (call, transfer) = world.take_event("the wish", |event| match event {
        CallEvent::TransferAsked { call, transfer, .. } => Some((*call, *transfer)),
        _ => None,
    });
    let decision = TransferDecision::Allow { party: PartyId(2) };
    world.say(CallCommand::DecideTransfer { call, transfer, decision });
}
