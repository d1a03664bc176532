//! An INVITE that takes the place of a dialog (RFC 3891), as its receiver.

use tandem_sip::header::HeaderName;
use tandem_sip::ua::{Event, LegId};

use crate::solo::{OFFER, Solo, request, tag_of};

fn invite(branch: &str, replaces: &str) -> String {
    let replaces = format!("Replaces: {replaces}");
    by_third(&request("INVITE", 1, branch, "", &[OFFER, "Require: replaces", &replaces], "offer"))
}

/// The same from somebody else in a call of its own.
fn by_third(text: &str) -> String {
    text.replace("Call-ID: call-1", "Call-ID: call-2")
        .replace("example.org>;tag=peer", "example.org>;tag=third")
}

fn refused_with(solo: &mut Solo, replaces: &str) -> u16 {
    solo.receive(&invite("replacing", replaces));
    let refusal = solo.next_sent();
    solo.receive(&by_third(&request("ACK", 1, "replacing", &tag_of(&refusal), &[], "")));
    assert!(solo.events.is_empty());
    refusal.status().expect("a response").code()
}

fn told(solo: &mut Solo) -> Option<LegId> {
    match solo.next_event() {
        Event::Invite { replaces, .. } => replaces,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_confirmed_dialog_is_replaced_whoever_began_it() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.receive(&invite("replacing", &format!("call-1;to-tag={tag};from-tag=peer")));
    assert_eq!(told(&mut solo), Some(leg));

    let mut solo = Solo::tls();
    let (leg, first) = solo.called(&[]);
    let call_id = String::from_utf8_lossy(first.call_id()).into_owned();
    let tag = String::from_utf8_lossy(first.from().tag().expect("our tag")).into_owned();
    solo.receive(&invite("replacing", &format!("{call_id};from-tag=peer;to-tag={tag}")));
    assert_eq!(told(&mut solo), Some(leg));
    // The user takes the new leg and ends the old one.
    assert_eq!(solo.names(), ["100 INVITE"]);
}

#[test]
fn an_early_dialog_that_we_began_is_replaced() {
    let mut solo = Solo::tls();
    let (leg, first) = solo.invite(Some("offer"));
    solo.respond(&first, 180, "fork", &["Contact: <sip:peer@198.51.100.9>"], None);
    solo.next_event();
    let call_id = String::from_utf8_lossy(first.call_id()).into_owned();
    let tag = String::from_utf8_lossy(first.from().tag().expect("our tag")).into_owned();
    solo.receive(&invite("replacing", &format!("{call_id};to-tag={tag};from-tag=fork;early-only")));
    assert_eq!(told(&mut solo), Some(leg));
}

#[test]
fn what_matches_nothing_is_refused() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    assert_eq!(refused_with(&mut solo, "call-1;to-tag=0123456789abcdef;from-tag=peer"), 481);
    assert_eq!(refused_with(&mut solo, "call-1;to-tag=strange;from-tag=peer"), 481);
    assert_eq!(refused_with(&mut solo, &format!("call-1;to-tag={tag};from-tag=foe")), 481);
    assert_eq!(refused_with(&mut solo, &format!("call-9;to-tag={tag};from-tag=peer")), 481);
    assert_eq!(refused_with(&mut solo, "call-1"), 400);
    // It is confirmed and only an early one may be replaced.
    assert_eq!(refused_with(&mut solo, &format!("call-1;to-tag={tag};from-tag=peer;early-only")), 486);
}

#[test]
fn an_early_dialog_that_the_peer_began_is_not_replaced() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.progress(solo.now, leg, crate::harness::answer(180));
    let tag = tag_of(&solo.next_sent());
    assert_eq!(refused_with(&mut solo, &format!("call-1;to-tag={tag};from-tag=peer")), 481);
}

#[test]
fn a_dialog_that_ends_is_declined() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.ua.hang_up(solo.now, leg, Vec::new());
    assert_eq!(solo.names(), ["BYE"]);
    assert_eq!(refused_with(&mut solo, &format!("call-1;to-tag={tag};from-tag=peer")), 603);
}

#[test]
fn we_never_ask_to_replace() {
    let mut solo = Solo::tls();
    let (leg, invite) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, crate::harness::sdp("hold"));
    let again = solo.next_sent();
    for ours in [invite, again] {
        assert!(ours.header(HeaderName::Replaces).is_none());
        assert!(ours.header(HeaderName::Require).is_none());
        assert!(ours.header(HeaderName::RecordRoute).is_none());
    }
}
