//! CANCEL, and what may cross it.

use tandem_sip::header::HeaderName;
use tandem_sip::ua::{EndedBy, Event, ExtraHeader, NoResponse};

use crate::harness::{Pair, answer, answer_with, header};
use crate::solo::{OFFER, Solo, request, tag_of};

fn completed_elsewhere() -> Vec<ExtraHeader> {
    vec![("Reason".into(), b"SIP;cause=200;text=\"Call completed elsewhere\"".as_slice().into())]
}

#[test]
fn a_ringing_call_is_withdrawn() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let a = pair.invite(Some("offer"));
        pair.drive();
        let b = pair.take_invite();
        pair.b.ua.progress(pair.now, b, answer(180));
        pair.drive();
        pair.a.events.clear();
        pair.a.ua.hang_up(pair.now, a, completed_elsewhere());
        pair.drive();
        let Some(Event::Ended { leg, why: EndedBy::Cancelled { request } }) = pair.b.events.pop_front()
        else {
            panic!("B was not told");
        };
        assert_eq!(leg, b);
        assert_eq!(header(&request, HeaderName::Reason), "SIP;cause=200;text=\"Call completed elsewhere\"");
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Ended { leg, why: EndedBy::OurSide }) if leg == a
        ));
        assert_eq!(pair.log[3..], ["A CANCEL", "B 200 CANCEL", "B 487 INVITE", "A ACK"]);
        pair.assert_all_gone();
    }
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut solo = Solo::udp();
    let (leg, invite) = solo.invite(Some("offer"));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    solo.assert_quiet();
    solo.respond(&invite, 100, "", &[], None);
    let cancel = solo.next_sent();
    assert_eq!(cancel.method().as_bytes(), b"CANCEL");
    assert_eq!(cancel.request_uri(), invite.request_uri());
    for same in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId] {
        assert_eq!(cancel.header(same), invite.header(same));
    }
    assert_eq!(cancel.cseq().number, invite.cseq().number);
    solo.respond(&cancel, 200, "proxy", &[], None);
    solo.respond(&invite, 487, "peer", &[], None);
    assert_eq!(solo.names(), ["ACK"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
    solo.assert_all_gone();
}

#[test]
fn what_nobody_answers_at_all_ends_without_cancel() {
    let mut solo = Solo::udp();
    let (leg, _) = solo.invite(Some("offer"));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    solo.pass_s(32);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
    assert!(solo.names().iter().all(|name| name == "INVITE"));
    solo.assert_all_gone();
}

#[test]
fn a_2xx_that_crosses_cancel_is_acknowledged_and_ended() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let a = pair.invite(Some("offer"));
        pair.drive();
        let b = pair.take_invite();
        pair.b.ua.progress(pair.now, b, answer(180));
        pair.drive();
        pair.a.events.clear();
        pair.log.clear();
        pair.b.ua.accept(pair.now, b, answer_with(200, "answer"));
        pair.a.ua.hang_up(pair.now, a, completed_elsewhere());
        pair.drive();
        assert_eq!(pair.log, ["A CANCEL", "B 200 INVITE", "A ACK", "A BYE", "B 200 CANCEL", "B 200 BYE"]);
        assert!(matches!(pair.b.events.pop_front(), Some(Event::Acknowledged { .. })));
        let Some(Event::Ended { why: EndedBy::Bye { request }, .. }) = pair.b.events.pop_front() else {
            panic!("B was not told");
        };
        assert_eq!(header(&request, HeaderName::Reason), "SIP;cause=200;text=\"Call completed elsewhere\"");
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Ended { why: EndedBy::OurSide, .. })));
        assert!(pair.a.events.is_empty());
        pair.assert_all_gone();
    }
}

#[test]
fn a_cancel_that_comes_after_the_2xx_changes_nothing() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.answered();
    solo.receive(&request("CANCEL", 1, "first", "", &[], ""));
    assert_eq!(solo.names(), ["200 CANCEL"]);
    assert!(solo.events.is_empty());
    solo.ua.hang_up(solo.now, leg, Vec::new());
    assert_eq!(solo.names(), ["BYE"]);
}

#[test]
fn a_cancel_of_nothing_is_answered_481() {
    let mut solo = Solo::udp();
    solo.receive(&request("CANCEL", 1, "nothing", "", &[], ""));
    assert_eq!(solo.names(), ["481 CANCEL"]);
    solo.assert_all_gone();
}

#[test]
fn both_answers_to_cancel_and_invite_carry_our_tag() {
    let mut solo = Solo::udp();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.progress(solo.now, leg, answer(180));
    let tag = tag_of(&solo.next_sent());
    solo.receive(&request("CANCEL", 1, "first", "", &[], ""));
    assert_eq!(tag_of(&solo.next_sent()), tag);
    let terminated = solo.next_sent();
    assert_eq!(terminated.status().map(|status| status.code()), Some(487));
    assert_eq!(tag_of(&terminated), tag);
    solo.receive(&request("ACK", 1, "first", &tag, &[], ""));
    solo.assert_all_gone();
}

#[test]
fn an_invite_that_no_cancel_can_end_is_given_up() {
    let mut solo = Solo::tls();
    let (leg, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 180, "peer", &[], None);
    solo.next_event();
    solo.ua.hang_up(solo.now, leg, Vec::new());
    let cancel = solo.next_sent();
    solo.respond(&cancel, 200, "peer", &[], None);
    solo.pass_s(31);
    assert!(solo.events.is_empty());
    solo.pass_s(1);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
    solo.assert_all_gone();
}

#[test]
fn a_call_that_rings_for_ever_is_cancelled_in_the_end() {
    let mut solo = Solo::tls();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 180, "peer", &[], None);
    solo.next_event();
    solo.pass_s(15 * 60);
    let cancel = solo.next_sent();
    assert_eq!(cancel.method().as_bytes(), b"CANCEL");
    solo.respond(&invite, 487, "peer", &[], None);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::NoResponse(NoResponse::TimedOut), .. }));
    solo.assert_all_gone();
}
