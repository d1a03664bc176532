//! Provisional responses that must arrive (RFC 3262), both roles.

use std::time::Duration;

use tandem_sip::flow::Transport;
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::ua::{EndedBy, Event, Identity, LegId};

use crate::harness::{Pair, answer, answer_with, header, identity, text};
use crate::solo::{OFFER, Solo, request, tag_of};

fn reliable(host: &str) -> Identity {
    Identity { reliable_provisional: true, ..identity(host) }
}

fn reliable_pair(transport: Transport) -> Pair {
    Pair::new(transport, reliable("192.0.2.1"), reliable("192.0.2.2"))
}

fn rseq(response: &Message) -> u32 {
    response.rseq().expect("an RSeq").expect("an RSeq")
}

fn prack(cseq: u32, tag: &str, rseq: u32, body: &str) -> String {
    let rack = format!("RAck: {rseq} 1 INVITE");
    let headers = if body.is_empty() { vec![rack.as_str()] } else { vec![rack.as_str(), OFFER] };
    request("PRACK", cseq, &format!("prack-{cseq}"), tag, &headers, body)
}

#[test]
fn early_media_is_acknowledged_and_its_answer_not_repeated() {
    for transport in [Transport::Udp, Transport::Tls] {
        let mut pair = reliable_pair(transport);
        let a = pair.invite(Some("offer"));
        pair.drive();
        let Some(Event::Invite { request, .. }) = pair.b.events.front() else { panic!("no INVITE") };
        assert!(request.supports("100rel"));
        let b = pair.take_invite();
        pair.b.ua.progress(pair.now, b, answer(180));
        pair.b.ua.progress(pair.now, b, answer_with(183, "early"));
        // The 2xx waits for the PRACK.
        pair.b.ua.accept(pair.now, b, answer_with(200, "early"));
        pair.drive();
        assert_eq!(
            pair.log,
            [
                "A INVITE",
                "B 100 INVITE",
                "B 180 INVITE",
                "B 183 INVITE",
                "A PRACK",
                "B 200 PRACK",
                "B 200 INVITE",
                "A ACK"
            ]
        );
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Progress { status: 180, .. })));
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Progress { status: 183, body, .. }) if text(&body) == Some("early")
        ));
        let Some(Event::Accepted { answer, response, .. }) = pair.a.events.pop_front() else {
            panic!("not accepted")
        };
        assert_eq!((text(&answer), response.body()), (Some("early"), &b""[..]));
        pair.a.ua.hang_up(pair.now, a, Vec::new());
        pair.drive();
        pair.assert_all_gone();
    }
}

#[test]
fn a_reliable_response_is_sent_again_until_its_prack_comes() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Supported: 100rel"], "offer"));
    solo.ua.progress(solo.now, leg, answer_with(183, "early"));
    let early = solo.next_sent();
    assert_eq!(header(&early, HeaderName::Require), "100rel");
    let tag = tag_of(&early);
    solo.pass(Duration::from_millis(3600));
    assert_eq!(solo.names(), ["183 INVITE"; 3]);
    solo.receive(&prack(2, &tag, rseq(&early), ""));
    assert_eq!(solo.names(), ["200 PRACK"]);
    solo.pass_s(50);
    assert_eq!(solo.names(), [""; 0]);
    // A PRACK for what is not outstanding.
    solo.receive(&prack(3, &tag, rseq(&early), ""));
    assert_eq!(solo.names(), ["481 PRACK"]);
}

#[test]
fn a_reliable_response_that_nobody_acknowledges_ends_the_invite() {
    let mut solo = Solo::new(Transport::Udp, reliable("192.0.2.1"));
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Require: 100rel"], "offer"));
    solo.ua.progress(solo.now, leg, answer(180));
    solo.pass_s(32);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::NeverAcknowledged, .. }));
    let names = solo.names();
    assert!(names.iter().any(|name| name == "504 INVITE"), "{names:?}");
    solo.assert_all_gone();
}

#[test]
fn the_next_reliable_response_waits_for_the_prack_of_the_one_before() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Require: 100rel"], "offer"));
    solo.ua.progress(solo.now, leg, answer(180));
    solo.ua.progress(solo.now, leg, answer_with(183, "early"));
    let ringing = solo.next_sent();
    solo.assert_quiet();
    solo.receive(&prack(2, &tag_of(&ringing), rseq(&ringing), ""));
    assert_eq!(solo.next_sent().method().as_bytes(), b"PRACK");
    let early = solo.next_sent();
    assert_eq!(rseq(&early), rseq(&ringing) + 1);
    assert_eq!(early.body(), b"early");
}

#[test]
fn without_offer_the_reliable_response_makes_one_and_prack_answers_it() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &["Require: 100rel"], ""));
    // The first reliable response must carry the offer: this one cannot be sent.
    solo.ua.progress(solo.now, leg, answer(180));
    solo.assert_quiet();
    solo.ua.progress(solo.now, leg, answer_with(183, "our offer"));
    let early = solo.next_sent();
    let tag = tag_of(&early);
    solo.receive(&prack(2, &tag, rseq(&early), "their answer"));
    assert_eq!(solo.names(), ["200 PRACK"]);
    assert!(matches!(
        solo.next_event(),
        Event::Reanswered { answer, .. } if text(&answer) == Some("their answer")
    ));
    solo.ua.accept(solo.now, leg, answer_with(200, "our offer"));
    assert_eq!(solo.next_sent().body(), b"");
    solo.receive(&request("ACK", 1, "ack", &tag, &[], ""));
    assert!(matches!(solo.next_event(), Event::Acknowledged { answer: None, .. }));
}

#[test]
fn copies_and_strays_get_no_prack() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (_, invite) = solo.invite(Some("offer"));
    let contact = "Contact: <sip:peer@198.51.100.9>";
    let early = |solo: &mut Solo, number: u32| {
        let rseq = format!("RSeq: {number}");
        solo.respond(&invite, 183, "peer", &[contact, "Require: 100rel", &rseq], Some("early"));
    };
    early(&mut solo, 7);
    let prack = solo.next_sent();
    assert_eq!(header(&prack, HeaderName::RAck), "7 1 INVITE");
    assert_eq!(prack.cseq().number, 2);
    assert_eq!(prack.to().tag(), Some(&b"peer"[..]));
    early(&mut solo, 7);
    early(&mut solo, 9);
    assert!(matches!(solo.next_event(), Event::Progress { .. }));
    solo.assert_quiet();
    early(&mut solo, 8);
    let second = solo.next_sent();
    assert_eq!(header(&second, HeaderName::RAck), "8 1 INVITE");
    assert_eq!(second.cseq().number, 3);
    solo.respond(&invite, 200, "peer", &[contact], None);
    // The ACK has the number of the INVITE, whatever came between.
    assert_eq!(solo.next_sent().cseq().number, 1);
}

#[test]
fn an_identity_without_it_neither_offers_nor_sends_it() {
    let mut solo = Solo::tls();
    let (_, invite) = solo.invite(Some("offer"));
    assert!(!invite.supports("100rel"));
    let mut solo = Solo::tls();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Supported: 100rel"], "offer"));
    solo.ua.progress(solo.now, leg, answer_with(183, "early"));
    let early = solo.next_sent();
    assert!(!early.requires("100rel"));
    assert_eq!(early.body(), b"early");
    solo.pass_s(40);
    assert_eq!(solo.names(), [""; 0]);
}

#[test]
fn an_invite_without_offer_does_not_invite_reliable_responses() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (_, invite) = solo.invite(None);
    assert!(!invite.supports("100rel"));
}

#[test]
fn prack_may_be_lost() {
    for lost in ["A PRACK", "B 200 PRACK", "B 183 INVITE"] {
        let mut pair = reliable_pair(Transport::Udp);
        let mut times = 0;
        pair.lost = Box::new(move |_, entry| {
            times += usize::from(entry == lost);
            entry == lost && times == 1
        });
        pair.invite(Some("offer"));
        pair.drive();
        let b = pair.take_invite();
        pair.b.ua.progress(pair.now, b, answer_with(183, "early"));
        pair.b.ua.accept(pair.now, b, answer(200));
        pair.pass_s(5);
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Progress { status: 183, .. })), "{lost}");
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Accepted { .. })), "{lost}");
        assert!(pair.a.events.is_empty(), "{lost}");
    }
}

#[test]
fn a_caller_may_leave_an_early_dialog_with_bye() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Require: 100rel"], "offer"));
    solo.ua.progress(solo.now, leg, answer(180));
    let tag = tag_of(&solo.next_sent());
    solo.receive(&request("BYE", 2, "bye", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 BYE", "487 INVITE"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::Bye { .. }, .. }));
    solo.receive(&request("ACK", 1, "first", &tag, &[], ""));
    solo.assert_all_gone();
}

#[test]
fn a_caller_is_reminded_once_a_minute_that_it_still_rings() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.pass_s(61);
    solo.assert_quiet();
    solo.ua.progress(solo.now, leg, answer(180));
    solo.pass_s(125);
    assert_eq!(solo.names(), ["180 INVITE"; 3]);
}

/// Our call to a peer that has answered our offer in a reliable 183.
fn early(solo: &mut Solo) -> (LegId, Message, String) {
    let (leg, invite) = solo.invite(Some("offer"));
    let headers = ["Contact: <sip:peer@198.51.100.9>", "Require: 100rel", "RSeq: 1"];
    solo.respond(&invite, 183, "peer", &headers, Some("early"));
    assert_eq!(solo.names(), ["PRACK"]);
    assert!(matches!(solo.next_event(), Event::Progress { status: 183, .. }));
    let tag = String::from_utf8_lossy(invite.from().tag().expect("our tag")).into_owned();
    (leg, invite, tag)
}

fn update(invite: &Message, tag: &str) -> String {
    let call_id = String::from_utf8_lossy(invite.call_id()).into_owned();
    request("UPDATE", 1, "update", tag, &[OFFER], "new offer").replace("call-1", &call_id)
}

#[test]
fn once_settled_an_early_dialog_takes_new_offers() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (leg, invite, tag) = early(&mut solo);
    solo.receive(&update(&invite, &tag));
    assert!(matches!(solo.next_event(), Event::Reoffer { offer, .. } if text(&offer) == Some("new offer")));
    solo.ua.reanswer(solo.now, leg, answer_with(200, "new answer"));
    let success = solo.next_sent();
    assert_eq!((success.method().as_bytes(), success.body()), (&b"UPDATE"[..], &b"new answer"[..]));
    // What holds when the call is answered is what was agreed last.
    solo.respond(&invite, 200, "peer", &["Contact: <sip:peer@198.51.100.9>"], None);
    assert!(
        matches!(solo.next_event(), Event::Accepted { answer, .. } if text(&answer) == Some("new offer"))
    );

    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Supported: 100rel"], "offer"));
    solo.ua.progress(solo.now, leg, answer_with(183, "early"));
    let response = solo.next_sent();
    let tag = tag_of(&response);
    // Before the PRACK it is too early.
    solo.receive(&request("UPDATE", 2, "too-early", &tag, &[OFFER], "new offer"));
    assert_eq!(solo.names(), ["500 UPDATE"]);
    solo.receive(&prack(3, &tag, rseq(&response), ""));
    solo.receive(&request("UPDATE", 4, "update", &tag, &[OFFER], "new offer"));
    assert!(matches!(solo.next_event(), Event::Reoffer { offer, .. } if text(&offer) == Some("new offer")));
    solo.ua.refuse_reoffer(solo.now, leg, 488);
    assert_eq!(solo.names(), ["200 PRACK", "488 UPDATE"]);
}

#[test]
fn a_new_offer_of_an_early_dialog_outlives_it() {
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (leg, invite, tag) = early(&mut solo);
    solo.receive(&update(&invite, &tag));
    solo.next_event();
    solo.respond(&invite, 200, "peer", &["Contact: <sip:peer@198.51.100.9>"], None);
    assert!(matches!(solo.next_event(), Event::Accepted { .. }));
    solo.ua.reanswer(solo.now, leg, answer_with(200, "new answer"));
    assert_eq!(solo.names(), ["ACK", "200 UPDATE"]);

    // With the call it ends.
    let mut solo = Solo::new(Transport::Tls, reliable("192.0.2.1"));
    let (_, invite, tag) = early(&mut solo);
    solo.receive(&update(&invite, &tag));
    solo.next_event();
    solo.respond(&invite, 486, "peer", &[], None);
    assert_eq!(solo.names(), ["ACK", "487 UPDATE"]);
    assert!(matches!(solo.next_event(), Event::Ended { .. }));
    solo.assert_all_gone();
}

#[test]
fn an_unsettled_early_dialog_takes_no_new_offer() {
    let mut solo = Solo::tls();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 183, "peer", &["Contact: <sip:peer@198.51.100.9>"], Some("early"));
    let tag = String::from_utf8_lossy(invite.from().tag().expect("our tag")).into_owned();
    solo.receive(&update(&invite, &tag));
    assert_eq!(solo.names(), ["500 UPDATE"]);
}
