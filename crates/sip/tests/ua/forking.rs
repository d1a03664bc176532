//! One INVITE, many answers: a Teams user whose clients ring, a proxy that forks.

use tandem_sip::ua::{EndedBy, Event};

use crate::harness::text;
use crate::solo::Solo;

const CONTACT: &str = "Contact: <sip:one@198.51.100.9>";
const OTHER_CONTACT: &str = "Contact: <sip:two@198.51.100.10>";

#[test]
fn each_to_tag_is_an_early_dialog_of_its_own() {
    let mut solo = Solo::tls();
    let (_, invite) = solo.invite(Some("offer"));
    for (tag, status) in [("one", 180), ("two", 180), ("one", 183), ("three", 183)] {
        solo.respond(&invite, status, tag, &[CONTACT], (status == 183).then_some(tag));
    }
    let mut seen = Vec::new();
    while let Some(event) = solo.events.pop_front() {
        let Event::Progress { fork, status, body, .. } = event else { panic!("{event:?}") };
        seen.push((fork, status, text(&body).map(str::to_owned)));
    }
    let early = |fork, text: &str| (fork, 183, Some(text.to_owned()));
    assert_eq!(seen, [(0, 180, None), (1, 180, None), early(0, "one"), early(2, "three")]);
}

#[test]
fn the_2xx_may_carry_a_tag_never_seen_before() {
    let mut solo = Solo::tls();
    let (leg, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 180, "one", &[CONTACT], None);
    solo.respond(&invite, 200, "two", &[OTHER_CONTACT], Some("answer"));
    assert!(matches!(solo.next_event(), Event::Progress { fork: 0, .. }));
    assert!(matches!(solo.next_event(), Event::Accepted { fork: 1, .. }));
    let (ack, to) = solo.next_transmit();
    assert_eq!(ack.request_uri(), Some(&b"sip:two@198.51.100.10"[..]));
    assert_eq!(Solo::hop(&to), "tls 198.51.100.10");
    solo.ua.hang_up(solo.now, leg, Vec::new());
    assert_eq!(solo.next_sent().to().tag(), Some(&b"two"[..]));
}

#[test]
fn every_copy_of_the_2xx_is_acknowledged_even_after_the_call() {
    for mut solo in [Solo::udp(), Solo::tls()] {
        let (leg, invite) = solo.called(&[]);
        solo.respond(&invite, 200, "peer", &["Contact: <sip:peer@198.51.100.9>"], Some("answer"));
        assert_eq!(solo.names(), ["ACK"]);
        solo.ua.hang_up(solo.now, leg, Vec::new());
        let bye = solo.next_sent();
        solo.respond(&bye, 200, "peer", &[], None);
        assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
        solo.respond(&invite, 200, "peer", &["Contact: <sip:peer@198.51.100.9>"], Some("answer"));
        assert_eq!(solo.names(), ["ACK"]);
        solo.assert_all_gone();
        solo.respond(&invite, 200, "peer", &["Contact: <sip:peer@198.51.100.9>"], Some("answer"));
        solo.assert_quiet();
    }
}

#[test]
fn a_late_2xx_of_another_fork_is_acknowledged_and_ended() {
    let mut solo = Solo::tls();
    let (_, invite) = solo.called(&[]);
    solo.respond(&invite, 200, "late", &[OTHER_CONTACT], Some("late answer"));
    let (ack, _) = solo.next_transmit();
    assert_eq!(ack.method().as_bytes(), b"ACK");
    assert_eq!(ack.to().tag(), Some(&b"late"[..]));
    let (bye, to) = solo.next_transmit();
    assert_eq!(bye.method().as_bytes(), b"BYE");
    assert_eq!(bye.cseq().number, invite.cseq().number + 1);
    assert_eq!(Solo::hop(&to), "tls 198.51.100.10");
    solo.respond(&bye, 200, "late", &[], None);
    solo.respond(&invite, 200, "late", &[OTHER_CONTACT], Some("late answer"));
    assert_eq!(solo.names(), ["ACK"]);
    assert!(solo.events.is_empty());
}

#[test]
fn the_answer_may_come_in_any_response_of_the_fork() {
    // In the 2xx it counts; without one there, the preview in a provisional response does.
    let mut solo = Solo::tls();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 183, "one", &[CONTACT], Some("early one"));
    solo.respond(&invite, 183, "two", &[CONTACT], Some("early two"));
    solo.respond(&invite, 200, "one", &[CONTACT], None);
    solo.events.drain(..2);
    let Event::Accepted { fork: 0, answer, .. } = solo.next_event() else { panic!("not accepted") };
    assert_eq!(text(&answer), Some("early one"));
}

#[test]
fn early_dialogs_have_a_bound_and_the_2xx_counts_beyond_it() {
    let mut solo = Solo::tls();
    let (_, invite) = solo.invite(Some("offer"));
    for number in 0..100 {
        solo.respond(&invite, 180, &format!("tag-{number}"), &[CONTACT], None);
    }
    assert_eq!(solo.events.len(), 32);
    solo.events.clear();
    solo.respond(&invite, 200, "tag-99", &[CONTACT], Some("answer"));
    assert!(matches!(solo.next_event(), Event::Accepted { fork: 32, .. }));
}

#[test]
fn a_response_without_contact_and_tag_is_taken_as_it_is() {
    let mut solo = Solo::udp();
    let (leg, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 180, "", &[], None);
    solo.respond(&invite, 200, "", &[], Some("answer"));
    assert!(matches!(solo.next_event(), Event::Progress { fork: 0, .. }));
    assert!(matches!(solo.next_event(), Event::Accepted { fork: 0, .. }));
    assert_eq!(solo.names(), ["ACK"]);
    solo.ua.hang_up(solo.now, leg, Vec::new());
    assert_eq!(solo.next_sent().request_uri(), invite.request_uri());
}
