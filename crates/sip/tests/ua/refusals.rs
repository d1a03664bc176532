//! Requests that come to nothing get the right answer.

use tandem_sip::fault::ParseError;
use tandem_sip::flow::{Destination, Flow};
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::ua::{EndedBy, Event, Limits, UserAgent};

use crate::harness::{Pair, answer, header};
use crate::solo::{OFFER, Solo, request, tag_of};

fn flow_of(to: Destination) -> Flow {
    match to {
        Destination::Flow(flow) => flow,
        Destination::Hop(hop) => panic!("a response to {hop:?}"),
    }
}

fn refused(text: &str) -> Message {
    let mut solo = Solo::tls();
    solo.receive(text);
    let response = solo.next_sent();
    solo.receive(&request("ACK", 1, "first", &tag_of(&response), &[], ""));
    solo.assert_quiet();
    solo.assert_all_gone();
    response
}

fn code(response: &Message) -> u16 {
    response.status().expect("a response").code()
}

#[test]
fn unknown_and_unwelcome_methods() {
    let unknown = refused(&request("JUMP", 1, "first", "", &[], ""));
    assert_eq!(code(&unknown), 501);
    let unwelcome = refused(&request("REGISTER", 1, "first", "", &[], ""));
    assert_eq!(code(&unwelcome), 405);
    assert!(header(&unwelcome, HeaderName::Allow).contains("INVITE"));
    let transfer = refused(&request("REFER", 1, "first", "", &["Refer-To: <sip:x@y>"], ""));
    assert_eq!(code(&transfer), 405);
}

#[test]
fn what_belongs_in_a_dialog_and_has_none() {
    for method in ["BYE", "PRACK", "UPDATE", "INFO", "NOTIFY"] {
        assert_eq!(code(&refused(&request(method, 1, "first", "", &[], ""))), 481, "{method}");
    }
    for method in ["INVITE", "OPTIONS", "REFER", "BYE"] {
        assert_eq!(code(&refused(&request(method, 1, "first", "stranger", &[], ""))), 481, "{method}");
    }
}

#[test]
fn demands_that_nobody_here_meets() {
    let extension = refused(&request("INVITE", 1, "first", "", &[OFFER, "Require: timer, bogus"], "offer"));
    assert_eq!((code(&extension), header(&extension, HeaderName::Unsupported).as_str()), (420, "bogus"));
    let scheme =
        request("INVITE", 1, "first", "", &[OFFER], "offer").replacen("sip:us@192.0.2.1:5060", "http://x", 1);
    assert_eq!(code(&refused(&scheme)), 416);
    let body = refused(&request("INVITE", 1, "first", "", &["Content-Type: text/plain"], "hello"));
    assert_eq!(code(&body), 415);
    let hops =
        request("INVITE", 1, "first", "", &[OFFER], "offer").replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(code(&refused(&hops)), 483);
    let contact = request("INVITE", 1, "first", "", &[OFFER, "Contact: *"], "offer");
    assert_eq!(code(&refused(&contact)), 400);
}

#[test]
fn an_identity_may_refuse_what_the_crate_could_do() {
    let mut solo = Solo::udp();
    let (_, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Require: 100rel"], "offer"));
    let refusal = solo.next_sent();
    assert_eq!((code(&refusal), header(&refusal, HeaderName::Unsupported).as_str()), (420, "100rel"));
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));

    let mut solo = Solo::udp();
    let (_, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, "Require: timer"], "offer"));
    assert_eq!(header(&solo.next_sent(), HeaderName::Unsupported), "timer");
}

#[test]
fn what_our_allow_does_not_list_is_not_allowed() {
    let teams = tandem_sip::ua::Identity {
        allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER".into(),
        ..crate::harness::identity("192.0.2.1")
    };
    let mut solo = Solo::new(tandem_sip::flow::Transport::Tls, teams);
    let (_, tag) = solo.answered();
    solo.receive(&request("UPDATE", 2, "update", &tag, &[OFFER], "offer"));
    let refusal = solo.next_sent();
    assert_eq!(code(&refusal), 405);
    assert_eq!(header(&refusal, HeaderName::Allow), "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER");
    solo.receive(&request("REFER", 3, "refer", &tag, &["Refer-To: <sip:x@example.org>"], ""));
    assert!(matches!(solo.next_event(), Event::Refer { .. }));
}

#[test]
fn the_same_request_by_two_ways_is_merged() {
    let mut solo = Solo::udp();
    solo.invited(&request("INVITE", 1, "one-way", "", &[OFFER], "offer"));
    solo.receive(&request("INVITE", 1, "another-way", "", &[OFFER], "offer"));
    assert_eq!(solo.names(), ["482 INVITE"]);
    assert!(solo.events.is_empty());
    // A copy on the first way is no second way.
    solo.receive(&request("INVITE", 1, "one-way", "", &[OFFER], "offer"));
    assert_eq!(solo.names(), ["100 INVITE"]);
}

#[test]
fn a_rejection_is_told_at_once_and_looked_after() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let a = pair.invite(Some("offer"));
        pair.drive();
        let b = pair.take_invite();
        let busy = tandem_sip::ua::Answer {
            headers: vec![("Reason".into(), b"Q.850;cause=17".as_slice().into())],
            reason: "Busy".into(),
            ..answer(486)
        };
        pair.b.ua.reject(pair.now, b, busy);
        pair.drive();
        assert!(matches!(
            pair.b.events.pop_front(),
            Some(Event::Ended { leg, why: EndedBy::OurSide }) if leg == b
        ));
        let Some(Event::Ended { leg, why: EndedBy::Refused { status: 486, response } }) =
            pair.a.events.pop_front()
        else {
            panic!("A was not refused")
        };
        assert_eq!(leg, a);
        assert_eq!(header(&response, HeaderName::Reason), "Q.850;cause=17");
        assert_eq!(pair.log, ["A INVITE", "B 100 INVITE", "B 486 INVITE", "A ACK"]);
        pair.assert_all_gone();
    }
}

#[test]
fn an_incoming_call_that_is_hung_up_unanswered_is_480() {
    let mut solo = Solo::udp();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    assert_eq!(solo.names(), ["480 INVITE"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
}

#[test]
fn every_final_answer_carries_a_to_tag_of_ours_and_100_does_not() {
    let mut solo = Solo::udp();
    let (leg, trying) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    assert_eq!((code(&trying), trying.to().tag()), (100, None));
    solo.ua.progress(solo.now, leg, answer(180));
    let ringing = tag_of(&solo.next_sent());
    solo.ua.reject(solo.now, leg, answer(603));
    assert_eq!(tag_of(&solo.next_sent()), ringing);
    for other in [request("BYE", 1, "x", "", &[], ""), request("JUMP", 1, "y", "", &[], "")] {
        solo.receive(&other);
        assert!(!tag_of(&solo.next_sent()).is_empty());
    }
}

#[test]
fn responses_over_udp_find_their_way_back() {
    // To the source address, at the port of sent-by.
    let mut solo = Solo::udp();
    solo.flow.remote = "203.0.113.5:40000".parse().expect("an address");
    solo.receive(&request("JUMP", 1, "first", "", &[], ""));
    let (response, to) = solo.next_transmit();
    assert_eq!(flow_of(to).remote, "203.0.113.5:5060".parse().expect("an address"));
    assert_eq!(
        header(&response, HeaderName::Via),
        "SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKfirst;received=203.0.113.5"
    );
    // With rport at the source port.
    let with_rport = request("JUMP", 1, "second", "", &[], "").replace("Ksecond", "Ksecond;rport");
    solo.receive(&with_rport);
    let (response, to) = solo.next_transmit();
    assert_eq!(flow_of(to).remote, solo.flow.remote);
    assert!(header(&response, HeaderName::Via).ends_with(";received=203.0.113.5;rport=40000"));
}

#[test]
fn a_faulty_message_is_answered_if_it_can_be_and_told() {
    let mut solo = Solo::udp();
    let text = request("INVITE", 1, "first", "", &[OFFER], "offer").replace("CSeq: 1", "CSeq: one");
    let error = Message::parse_datagram(text.replace('\n', "\r\n").into_bytes()).expect_err("a faulty CSeq");
    assert!(matches!(error, ParseError::Fault(_)));
    let flow = solo.flow.clone();
    solo.ua.handle_faulty(solo.now, &flow, &error);
    solo.drain();
    let transmit = solo.sent.pop_front().expect("an answer");
    let answer = String::from_utf8_lossy(&transmit.bytes).into_owned();
    assert!(answer.starts_with("SIP/2.0 400 Malformed CSeq\r\n"), "{answer}");
    assert!(matches!(solo.next_event(), Event::Faulty { answered: Some(400), .. }));

    let error = Message::parse_datagram(b"GET / HTTP/1.1\r\n\r\n".to_vec()).expect_err("no SIP at all");
    solo.ua.handle_faulty(solo.now, &flow, &error);
    assert!(matches!(solo.next_event(), Event::Faulty { answered: None, .. }));
    solo.assert_quiet();
    solo.assert_all_gone();
}

#[test]
fn above_the_limit_of_legs_an_invite_is_answered_503() {
    let mut solo = Solo::udp();
    solo.ua = UserAgent::with_limits(1, Limits { legs: 1, requests: 100 });
    solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    let second = request("INVITE", 1, "second", "", &[OFFER], "offer").replace("call-1", "call-2");
    solo.receive(&second);
    let refusal = solo.next_sent();
    assert_eq!(code(&refusal), 503);
    assert_eq!(header(&refusal, HeaderName::RetryAfter), "5");
    assert!(solo.events.is_empty());
}

#[test]
fn above_the_limit_of_requests_nothing_is_kept_but_dialogs_go_on() {
    let mut solo = Solo::udp();
    solo.ua = UserAgent::with_limits(1, Limits { legs: 10, requests: 1 });
    let (_, tag) = solo.answered();
    let before = solo.ua.load().taken_requests;
    for number in 0..5 {
        let flood = request("OPTIONS", 1, &format!("flood{number}"), "", &[], "");
        solo.receive(&flood.replace("call-1", &format!("flood-{number}")));
    }
    assert_eq!(solo.names(), ["503 OPTIONS"; 5]);
    for stranger in ["CANCEL", "BYE"] {
        solo.receive(&request(stranger, 1, "stranger", "0123456789abcdef", &[], ""));
    }
    assert_eq!(solo.names(), ["503 CANCEL", "503 BYE"]);
    assert_eq!(solo.ua.load().taken_requests, before);
    solo.receive(&request("BYE", 2, "bye", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 BYE"]);
    solo.assert_all_gone();
}
