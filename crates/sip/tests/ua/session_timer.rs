//! Session timers (RFC 4028): a call that nobody refreshes is over.

use tandem_sip::flow::Transport;
use tandem_sip::header::HeaderName;
use tandem_sip::ua::{EndedBy, Event};

use crate::harness::{Pair, answer_with, header, identity, text, with_timer};
use crate::solo::{OFFER, Solo, request, tag_of};

const CONTACT: &str = "Contact: <sip:peer@198.51.100.9>";

fn timed_pair() -> Pair {
    let a = with_timer(identity("192.0.2.1"), 1800, 90);
    let b = with_timer(identity("192.0.2.2"), 1800, 90);
    Pair::new(Transport::Tls, a, b)
}

fn timed() -> Solo {
    Solo::new(Transport::Tls, with_timer(identity("192.0.2.1"), 1800, 300))
}

/// The headers of our 2xx to an INVITE of the peer: Session-Expires and Require.
fn agreed(headers: &[&str]) -> (String, String) {
    let mut solo = timed();
    let headers = [&[OFFER], headers].concat();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &headers, "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let success = solo.next_sent();
    (header(&success, HeaderName::SessionExpires), header(&success, HeaderName::Require))
}

fn pair_of(expires: &str, require: &str) -> (String, String) {
    (expires.to_owned(), require.to_owned())
}

#[test]
fn the_caller_asks_for_a_timer_and_refreshes_at_half_time() {
    let mut pair = timed_pair();
    pair.invite(Some("offer"));
    pair.drive();
    let Some(Event::Invite { request, .. }) = pair.b.events.front() else { panic!("no INVITE") };
    assert_eq!(header(request, HeaderName::SessionExpires), "1800");
    assert_eq!(header(request, HeaderName::MinSe), "90");
    let b = pair.take_invite();
    pair.b.ua.accept(pair.now, b, answer_with(200, "answer"));
    pair.drive();
    let Some(Event::Accepted { response, .. }) = pair.a.events.pop_front() else { panic!("no answer") };
    assert_eq!(header(&response, HeaderName::SessionExpires), "1800;refresher=uac");
    assert_eq!(header(&response, HeaderName::Require), "timer");
    pair.log.clear();
    pair.pass_s(899);
    assert_eq!(pair.log, [""; 0]);
    pair.pass_s(2);
    // B can do UPDATE: nothing needs to be said about media.
    assert_eq!(pair.log, ["A UPDATE", "B 200 UPDATE"]);
    pair.pass_s(1800);
    assert_eq!(pair.log, ["A UPDATE", "B 200 UPDATE"].repeat(3));
    assert!(pair.a.events.is_empty());
}

#[test]
fn a_peer_without_update_is_refreshed_with_what_was_said_last() {
    let mut solo = timed();
    let (leg, invite) = solo.invite(Some("offer"));
    let headers =
        [CONTACT, "Allow: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY", "Session-Expires: 600;refresher=uac"];
    solo.respond(&invite, 200, "peer", &headers, Some("answer"));
    solo.names();
    solo.next_event();
    solo.pass_s(300);
    let refresh = solo.next_sent();
    assert_eq!(refresh.body(), b"offer");
    assert_eq!(header(&refresh, HeaderName::SessionExpires), "600;refresher=uac");
    assert_eq!(header(&refresh, HeaderName::MinSe), "300");
    solo.respond(&refresh, 200, "", &headers, Some("answer"));
    assert_eq!(solo.names(), ["ACK"]);
    // Nobody asked for it, so nobody is told.
    assert!(solo.events.is_empty());
    // After a hold the refresh says hold.
    solo.ua.reoffer(solo.now, leg, crate::harness::sdp("hold"));
    let hold = solo.next_sent();
    solo.respond(&hold, 200, "", &headers, Some("held"));
    solo.next_event();
    solo.names();
    solo.pass_s(300);
    assert_eq!(solo.next_sent().body(), b"hold");
}

#[test]
fn who_waits_for_a_refresh_hangs_up_a_little_before_the_end() {
    let mut solo = timed();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 200, "peer", &[CONTACT, "Session-Expires: 600;refresher=uas"], Some("answer"));
    solo.names();
    solo.next_event();
    solo.pass_s(600 - 33);
    solo.assert_quiet();
    solo.pass_s(1);
    assert_eq!(solo.names(), ["BYE"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::SessionExpired, .. }));
    solo.assert_all_gone();
}

#[test]
fn a_refresh_of_the_peer_puts_off_the_end() {
    let mut solo = timed();
    let timer = ["Supported: timer", "Session-Expires: 600;refresher=uac"];
    let (leg, _) =
        solo.invited(&request("INVITE", 1, "first", "", &[&[OFFER], &timer[..]].concat(), "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let tag = tag_of(&solo.next_sent());
    solo.receive(&request("ACK", 1, "ack", &tag, &[], ""));
    solo.next_event();
    solo.pass_s(500);
    solo.receive(&request("UPDATE", 2, "refresh", &tag, &timer, ""));
    let success = solo.next_sent();
    assert_eq!(header(&success, HeaderName::SessionExpires), "600;refresher=uac");
    solo.pass_s(500);
    solo.assert_quiet();
    // As Teams does it: a re-INVITE with the same SDP.
    solo.receive(&request("INVITE", 3, "again", &tag, &[&[OFFER], &timer[..]].concat(), "offer"));
    assert!(matches!(solo.next_event(), Event::Reoffer { offer, .. } if text(&offer) == Some("offer")));
    solo.ua.reanswer(solo.now, leg, answer_with(200, "answer"));
    solo.receive(&request("ACK", 3, "ack-again", &tag, &[], ""));
    solo.next_event();
    assert_eq!(solo.names(), ["100 INVITE", "200 INVITE"]);
    solo.pass_s(560);
    solo.assert_quiet();
    solo.pass_s(10);
    assert_eq!(solo.names(), ["BYE"]);
}

#[test]
fn a_refresh_without_response_ends_the_call() {
    let mut solo = timed();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 200, "peer", &[CONTACT, "Session-Expires: 600;refresher=uac"], Some("answer"));
    solo.names();
    solo.next_event();
    solo.pass_s(332);
    assert_eq!(solo.names(), ["INVITE", "BYE"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::PeerLost, .. }));
    solo.assert_all_gone();
}

#[test]
fn a_refused_refresh_is_tried_again_until_the_session_is_over() {
    let mut solo = timed();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 200, "peer", &[CONTACT, "Session-Expires: 600;refresher=uac"], Some("answer"));
    solo.names();
    solo.next_event();
    let mut tries = 0;
    while solo.events.is_empty() {
        solo.pass_s(1);
        while let Some(next) = solo.sent.pop_front() {
            let message = tandem_sip::message::Message::parse_datagram(next.bytes).expect("a message");
            if message.method().as_bytes() == b"INVITE" {
                tries += 1;
                solo.respond(&message, 500, "", &[], None);
            }
        }
    }
    assert_eq!(tries, 30);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::SessionExpired, .. }));
}

#[test]
fn a_422_is_answered_with_a_longer_session() {
    let mut solo = timed();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 422, "peer", &["Min-SE: 3600"], None);
    assert_eq!(solo.next_sent().method().as_bytes(), b"ACK");
    let again = solo.next_sent();
    assert_eq!(header(&again, HeaderName::SessionExpires), "3600");
    assert_eq!(header(&again, HeaderName::MinSe), "3600");
    assert_eq!(again.call_id(), invite.call_id());
    assert_eq!(again.from().tag(), invite.from().tag());
    assert_eq!((again.cseq().number, again.to().tag()), (2, None));
    assert!(solo.events.is_empty());
    // The same demand again leads nowhere.
    solo.respond(&again, 422, "peer", &["Min-SE: 3600"], None);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::Refused { status: 422, .. }, .. }));
    solo.assert_all_gone();
}

#[test]
fn a_session_that_is_too_short_for_us_is_answered_422() {
    let mut solo = timed();
    let headers = [OFFER, "Supported: timer", "Session-Expires: 120"];
    let (_, _) = solo.invited(&request("INVITE", 1, "first", "", &headers, "offer"));
    let refusal = solo.next_sent();
    assert_eq!(refusal.status().map(|status| status.code()), Some(422));
    assert_eq!(header(&refusal, HeaderName::MinSe), "300");
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
}

#[test]
fn who_answers_decides_by_what_the_caller_can_do() {
    // Table 2 of RFC 4028.
    let supported = "Supported: timer";
    assert_eq!(agreed(&[supported, "Session-Expires: 900"]), pair_of("900;refresher=uac", "timer"));
    assert_eq!(agreed(&[supported, "Session-Expires: 900;refresher=uas"]), pair_of("900;refresher=uas", ""));
    assert_eq!(
        agreed(&[supported, "Session-Expires: 900;refresher=uac"]),
        pair_of("900;refresher=uac", "timer")
    );
    assert_eq!(agreed(&[supported]), pair_of("1800;refresher=uas", ""));
    assert_eq!(agreed(&[]), pair_of("1800;refresher=uas", ""));
    // We may shorten, not below the caller's Min-SE.
    assert_eq!(agreed(&[supported, "Session-Expires: 7200"]).0, "1800;refresher=uac");
    assert_eq!(agreed(&[supported, "Session-Expires: 7200", "Min-SE: 3600"]).0, "3600;refresher=uac");
}

#[test]
fn an_identity_without_timer_neither_asks_nor_agrees() {
    let mut solo = Solo::tls();
    let (_, invite) = solo.invite(Some("offer"));
    assert_eq!(header(&invite, HeaderName::SessionExpires), "");
    solo.respond(&invite, 200, "peer", &[CONTACT, "Session-Expires: 90;refresher=uac"], Some("answer"));
    solo.names();
    solo.next_event();
    solo.pass_s(1000);
    solo.assert_quiet();

    let mut solo = Solo::tls();
    let headers = [OFFER, "Supported: timer", "Session-Expires: 90"];
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &headers, "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    assert_eq!(header(&solo.next_sent(), HeaderName::SessionExpires), "");
}
