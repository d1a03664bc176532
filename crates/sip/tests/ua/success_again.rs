//! Our 2xx is sent until its ACK comes.

use std::time::Duration;

use tandem_sip::header::HeaderName;
use tandem_sip::ua::{EndedBy, Event};

use crate::harness::{answer_with, header};
use crate::solo::{OFFER, Solo, request, tag_of};

#[test]
fn a_2xx_is_sent_again_over_tls_too_and_given_up_after_32_seconds() {
    for mut solo in [Solo::udp(), Solo::tls()] {
        let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
        solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
        assert_eq!(solo.names(), ["200 INVITE"]);
        let began = solo.now;
        let mut at = Vec::new();
        while solo.now < began + Duration::from_millis(31_900) {
            solo.pass(Duration::from_millis(100));
            if !solo.names().is_empty() {
                at.push((solo.now - began).as_millis());
            }
        }
        assert_eq!(at, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        assert!(solo.events.is_empty());
        solo.pass(Duration::from_millis(100));
        assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::NeverAcknowledged, .. }));
        let bye = solo.next_sent();
        assert_eq!(bye.method().as_bytes(), b"BYE");
        solo.respond(&bye, 200, "", &[], None);
        solo.assert_all_gone();
    }
}

#[test]
fn the_ack_stops_the_2xx_and_copies_of_the_invite_are_absorbed() {
    let mut solo = Solo::udp();
    let invite = request("INVITE", 1, "first", "", &[OFFER], "offer");
    let (leg, _) = solo.invited(&invite);
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let success = solo.next_sent();
    solo.receive(&invite);
    solo.assert_quiet();
    let ack = request("ACK", 1, "ack", &tag_of(&success), &[], "");
    solo.receive(&ack);
    assert!(matches!(solo.next_event(), Event::Acknowledged { answer: None, .. }));
    solo.receive(&ack);
    solo.pass_s(40);
    solo.assert_quiet();
}

#[test]
fn an_ack_with_the_branch_of_its_invite_counts_too() {
    let mut solo = Solo::udp();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let tag = tag_of(&solo.next_sent());
    solo.receive(&request("ACK", 1, "first", &tag, &[], ""));
    assert!(matches!(solo.next_event(), Event::Acknowledged { .. }));
}

#[test]
fn an_ack_of_another_cseq_or_another_peer_acknowledges_nothing() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let tag = tag_of(&solo.next_sent());
    solo.receive(&request("ACK", 2, "ack", &tag, &[], ""));
    solo.receive(&request("ACK", 1, "ack", &tag, &[], "").replace("tag=peer", "tag=foe"));
    solo.receive(&request("ACK", 1, "ack", "0123456789abcdef", &[], ""));
    solo.assert_quiet();
}

#[test]
fn bye_waits_for_the_ack() {
    let mut solo = Solo::udp();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let tag = tag_of(&solo.next_sent());
    solo.ua.hang_up(solo.now, leg, vec![("Reason".into(), b"Q.850;cause=16".as_slice().into())]);
    solo.assert_quiet();
    solo.receive(&request("ACK", 1, "ack", &tag, &[], ""));
    let bye = solo.next_sent();
    assert_eq!(bye.method().as_bytes(), b"BYE");
    assert_eq!(header(&bye, HeaderName::Reason), "Q.850;cause=16");
    solo.respond(&bye, 200, "", &[], None);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
    solo.assert_all_gone();
}

#[test]
fn bye_is_sent_in_the_end_without_an_ack() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    solo.pass_s(33);
    let names = solo.names();
    assert_eq!(names.last().map(String::as_str), Some("BYE"));
    assert!(solo.events.is_empty());
    // Nobody answers it.
    solo.pass_s(32);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
    solo.assert_all_gone();
}

#[test]
fn a_bye_that_overtakes_the_ack_ends_the_call() {
    let mut solo = Solo::udp();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let tag = tag_of(&solo.next_sent());
    solo.receive(&request("BYE", 2, "bye", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 BYE"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::Bye { .. }, .. }));
    solo.receive(&request("ACK", 1, "ack", &tag, &[], ""));
    solo.pass_s(40);
    solo.assert_quiet();
    solo.assert_all_gone();
}
