//! New media in a call that goes on: re-INVITE and UPDATE, offers that meet, offers that are refused.

use std::time::Duration;

use tandem_sip::header::HeaderName;
use tandem_sip::ua::{EndedBy, Event};

use crate::harness::{Pair, answer, answer_with, header, sdp, text};
use crate::solo::{OFFER, Solo, request, tag_of};

#[test]
fn either_side_may_offer_new_media() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let (a, b) = pair.connected();
        pair.a.ua.reoffer(pair.now, a, sdp("hold"));
        pair.drive();
        assert!(matches!(
            pair.b.events.pop_front(),
            Some(Event::Reoffer { leg, offer, .. }) if leg == b && text(&offer) == Some("hold")
        ));
        pair.b.ua.reanswer(pair.now, b, answer_with(200, "held"));
        pair.drive();
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Reanswered { leg, answer }) if leg == a && text(&answer) == Some("held")
        ));
        assert!(
            matches!(pair.b.events.pop_front(), Some(Event::Acknowledged { leg, answer: None }) if leg == b)
        );
        pair.b.ua.reoffer(pair.now, b, sdp("resume"));
        pair.drive();
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Reoffer { leg, .. }) if leg == a));
        pair.a.ua.reanswer(pair.now, a, answer_with(200, "resumed"));
        pair.drive();
        assert!(matches!(pair.b.events.pop_front(), Some(Event::Reanswered { leg, .. }) if leg == b));
        let once = ["A INVITE", "B 100 INVITE", "B 200 INVITE", "A ACK"];
        let back = ["B INVITE", "A 100 INVITE", "A 200 INVITE", "B ACK"];
        assert_eq!(pair.log, [once, back].concat());
    }
}

#[test]
fn offers_that_meet_are_both_refused_and_tried_again_one_after_the_other() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let (a, b) = pair.connected();
        pair.a.ua.reoffer(pair.now, a, sdp("from a"));
        pair.b.ua.reoffer(pair.now, b, sdp("from b"));
        pair.drive();
        let met = ["A INVITE", "B INVITE", "A 491 INVITE", "B 491 INVITE", "A ACK", "B ACK"];
        assert_eq!(pair.log, met);
        assert!(pair.a.events.is_empty() && pair.b.events.is_empty());
        // B waits 0 to 2 s, A 2.1 to 4 s, because the Call-ID is A's.
        pair.pass(Duration::from_millis(2050));
        assert!(
            matches!(pair.a.events.pop_front(), Some(Event::Reoffer { offer, .. }) if text(&offer) == Some("from b"))
        );
        assert!(pair.b.events.is_empty());
        pair.a.ua.reanswer(pair.now, a, answer_with(200, "to b"));
        pair.pass_s(6);
        assert!(matches!(pair.b.events.pop_front(), Some(Event::Reanswered { .. })));
        assert!(
            matches!(pair.b.events.pop_front(), Some(Event::Reoffer { offer, .. }) if text(&offer) == Some("from a"))
        );
        pair.b.ua.reanswer(pair.now, b, answer_with(200, "to a"));
        pair.pass_s(1);
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Acknowledged { .. })));
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Reanswered { .. })));
    }
}

#[test]
fn endless_glare_is_told_in_the_end() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("mine"));
    let mut tries = 0;
    loop {
        solo.pass_s(5);
        let Some(next) = solo.sent.pop_front() else { break };
        let again = tandem_sip::message::Message::parse_datagram(next.bytes).expect("an INVITE");
        tries += 1;
        solo.respond(&again, 491, "", &[], None);
        assert_eq!(solo.names(), ["ACK"]);
    }
    assert_eq!(tries, 6);
    assert!(matches!(solo.next_event(), Event::ReofferRefused { status: Some(491), .. }));
}

#[test]
fn a_second_offer_of_the_peer_waits_its_turn() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.receive(&request("INVITE", 2, "second", &tag, &[OFFER], "offer 2"));
    assert_eq!(solo.names(), ["100 INVITE"]);
    for (cseq, method) in [(3, "INVITE"), (4, "UPDATE")] {
        solo.receive(&request(method, cseq, &format!("{method}-{cseq}"), &tag, &[OFFER], "offer 3"));
        let refusal = solo.next_sent();
        assert_eq!(refusal.status().map(|status| status.code()), Some(500));
        let seconds: u32 = header(&refusal, HeaderName::RetryAfter).parse().expect("seconds");
        assert!(seconds <= 10);
    }
    solo.ua.reanswer(solo.now, leg, answer_with(200, "answer 2"));
    assert_eq!(solo.names(), ["200 INVITE"]);
}

#[test]
fn an_update_that_meets_our_offer_is_491() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.ua.reoffer(solo.now, leg, sdp("mine"));
    solo.names();
    solo.receive(&request("UPDATE", 2, "update", &tag, &[OFFER], "theirs"));
    assert_eq!(solo.names(), ["491 UPDATE"]);
    // One without an offer meets nothing.
    solo.receive(&request("UPDATE", 3, "update-2", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 UPDATE"]);
}

#[test]
fn an_update_with_an_offer_is_answered_without_ack() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.receive(&request("UPDATE", 2, "update", &tag, &[OFFER], "offer 2"));
    assert!(matches!(solo.next_event(), Event::Reoffer { offer, .. } if text(&offer) == Some("offer 2")));
    solo.ua.reanswer(solo.now, leg, answer_with(200, "answer 2"));
    let success = solo.next_sent();
    assert_eq!(success.body(), b"answer 2");
    assert!(!header(&success, HeaderName::Contact).is_empty());
    solo.pass_s(40);
    solo.assert_quiet();
}

#[test]
fn our_offer_waits_for_the_ack_of_what_was_agreed_before() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let tag = tag_of(&solo.next_sent());
    solo.ua.reoffer(solo.now, leg, sdp("older"));
    solo.ua.reoffer(solo.now, leg, sdp("newer"));
    solo.assert_quiet();
    solo.receive(&request("ACK", 1, "ack", &tag, &[], ""));
    assert_eq!(solo.next_sent().body(), b"newer");
    assert!(matches!(solo.next_event(), Event::Acknowledged { .. }));
    solo.assert_quiet();
}

#[test]
fn a_refused_offer_leaves_the_dialog_as_it_was() {
    let mut pair = Pair::udp();
    let (a, b) = pair.connected();
    pair.a.ua.reoffer(pair.now, a, sdp("odd"));
    pair.drive();
    pair.b.events.clear();
    pair.b.ua.refuse_reoffer(pair.now, b, 488);
    pair.drive();
    assert!(matches!(pair.a.events.pop_front(), Some(Event::ReofferRefused { status: Some(488), .. })));
    pair.a.ua.hang_up(pair.now, a, Vec::new());
    pair.drive();
    assert!(matches!(pair.b.events.pop_front(), Some(Event::Ended { why: EndedBy::Bye { .. }, .. })));
    pair.assert_all_gone();
}

#[test]
fn an_offer_to_a_peer_that_lost_the_dialog_ends_the_leg() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    let again = solo.next_sent();
    solo.respond(&again, 481, "", &[], None);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::PeerLost, .. }));
    assert_eq!(solo.names(), ["ACK"]);
    solo.assert_all_gone();

    // After 408, or nothing at all, BYE is sent in case it helps.
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    let again = solo.next_sent();
    solo.respond(&again, 408, "", &[], None);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::PeerLost, .. }));
    assert_eq!(solo.names(), ["ACK", "BYE"]);
    solo.assert_all_gone();

    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    solo.pass_s(32);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::PeerLost, .. }));
    assert_eq!(solo.names(), ["INVITE", "BYE"]);
    solo.assert_all_gone();
}

#[test]
fn the_peer_may_ask_for_our_offer() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.receive(&request("INVITE", 2, "second", &tag, &[], ""));
    assert!(matches!(solo.next_event(), Event::Reoffer { offer: None, .. }));
    solo.ua.reanswer(solo.now, leg, answer_with(200, "our offer"));
    assert_eq!(solo.names(), ["100 INVITE", "200 INVITE"]);
    // Until the answer is there no other offer may come.
    solo.receive(&request("UPDATE", 3, "update", &tag, &[OFFER], "theirs"));
    assert_eq!(solo.names(), ["500 UPDATE"]);
    solo.receive(&request("ACK", 2, "ack-2", &tag, &[OFFER], "their answer"));
    assert!(matches!(
        solo.next_event(),
        Event::Acknowledged { answer, .. } if text(&answer) == Some("their answer")
    ));
}

#[test]
fn a_re_invite_that_overtakes_the_ack_stands_for_it() {
    let mut solo = Solo::udp();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let tag = tag_of(&solo.next_sent());
    solo.receive(&request("INVITE", 2, "second", &tag, &[OFFER], "offer 2"));
    assert!(matches!(solo.next_event(), Event::Acknowledged { .. }));
    assert!(matches!(solo.next_event(), Event::Reoffer { .. }));
    solo.ua.reanswer(solo.now, leg, answer_with(200, "answer 2"));
    solo.receive(&request("ACK", 1, "ack-1", &tag, &[], ""));
    solo.receive(&request("ACK", 2, "ack-2", &tag, &[], ""));
    assert_eq!(solo.names(), ["100 INVITE", "200 INVITE"]);
    assert!(matches!(solo.next_event(), Event::Acknowledged { .. }));
    solo.pass_s(40);
    solo.assert_quiet();
}

#[test]
fn the_peer_may_withdraw_its_offer() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.receive(&request("INVITE", 2, "second", &tag, &[OFFER], "offer 2"));
    solo.receive(&request("CANCEL", 2, "second", &tag, &[], ""));
    assert_eq!(solo.names(), ["100 INVITE", "200 CANCEL", "487 INVITE"]);
    solo.ua.reanswer(solo.now, leg, answer_with(200, "too late"));
    solo.receive(&request("ACK", 2, "second", &tag, &[], ""));
    assert_eq!(solo.names(), [""; 0]);
    solo.receive(&request("BYE", 3, "bye", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 BYE"]);
    solo.assert_all_gone();
}

#[test]
fn an_open_offer_of_the_peer_is_answered_when_the_call_ends() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    solo.receive(&request("INVITE", 2, "second", &tag, &[OFFER], "offer 2"));
    solo.receive(&request("BYE", 3, "bye", &tag, &[], ""));
    assert_eq!(solo.names(), ["100 INVITE", "200 BYE", "487 INVITE"]);
    solo.receive(&request("ACK", 2, "second", &tag, &[], ""));
    solo.assert_all_gone();
}

#[test]
fn an_invite_without_offer_is_answered_in_the_ack() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let a = pair.invite(None);
        pair.drive();
        assert!(matches!(&pair.b.events[0], Event::Invite { offer: None, .. }));
        let b = pair.take_invite();
        pair.b.ua.progress(pair.now, b, answer_with(183, "too early"));
        pair.b.ua.accept(pair.now, b, answer_with(200, "b's offer"));
        pair.drive();
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Progress { body: None, .. })));
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Accepted { answer, .. }) if text(&answer) == Some("b's offer")
        ));
        // The ACK waits for our answer, while the 2xx comes again.
        pair.pass_s(1);
        assert!(!pair.log.contains(&"A ACK".to_owned()));
        pair.a.ua.reanswer(pair.now, a, answer_with(200, "a's answer"));
        pair.drive();
        assert!(matches!(
            pair.b.events.pop_front(),
            Some(Event::Acknowledged { answer, .. }) if text(&answer) == Some("a's answer")
        ));
        pair.b.ua.hang_up(pair.now, b, Vec::new());
        pair.drive();
        pair.assert_all_gone();
    }
}

#[test]
fn an_offer_in_the_2xx_that_nobody_answers_ends_the_call() {
    let mut pair = Pair::tls();
    pair.invite(None);
    pair.drive();
    let b = pair.take_invite();
    pair.b.ua.accept(pair.now, b, answer_with(200, "b's offer"));
    pair.pass_s(70);
    assert!(matches!(pair.a.events.pop_front(), Some(Event::Accepted { .. })));
    assert!(matches!(pair.a.events.pop_front(), Some(Event::Ended { .. })));
    assert!(pair.b.events.iter().any(|event| matches!(event, Event::Ended { .. })));
    pair.assert_all_gone();
}

#[test]
fn the_progress_of_an_offer_is_not_told() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    let again = solo.next_sent();
    solo.respond(&again, 180, "", &[], None);
    solo.assert_quiet();
    solo.respond(&again, 200, "", &[], Some("held"));
    assert_eq!(solo.names(), ["ACK"]);
    assert!(matches!(solo.next_event(), Event::Reanswered { .. }));
    solo.respond(&again, 200, "", &[], Some("held"));
    assert_eq!(solo.names(), ["ACK"]);
    solo.assert_quiet();
}

#[test]
fn a_command_that_does_not_fit_does_nothing() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.progress(solo.now, leg, answer(180));
    solo.ua.accept(solo.now, leg, answer(200));
    solo.ua.reject(solo.now, leg, answer(486));
    solo.ua.reanswer(solo.now, leg, answer(200));
    solo.ua.refuse_reoffer(solo.now, leg, 488);
    solo.assert_quiet();
}

#[test]
fn an_offer_that_comes_while_the_peer_has_one_open_is_tried_again_when_the_peer_says() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    let first = solo.next_sent();
    solo.respond(&first, 500, "", &["Retry-After: 3"], None);
    assert_eq!(solo.names(), ["ACK"]);
    solo.pass(Duration::from_millis(2900));
    solo.assert_quiet();
    solo.pass(Duration::from_millis(200));
    let second = solo.next_sent();
    assert_eq!(second.body(), b"hold");
    solo.respond(&second, 500, "", &[], None);
    assert!(matches!(solo.next_event(), Event::ReofferRefused { status: Some(500), .. }));
}

#[test]
fn an_open_offer_of_ours_outlives_the_call_only_for_a_while() {
    for rings_first in [true, false] {
        let mut solo = Solo::tls();
        let (leg, _) = solo.called(&[]);
        solo.ua.reoffer(solo.now, leg, sdp("hold"));
        let again = solo.next_sent();
        if rings_first {
            solo.respond(&again, 100, "", &[], None);
        }
        solo.ua.hang_up(solo.now, leg, Vec::new());
        let bye = solo.next_sent();
        solo.respond(&bye, 200, "", &[], None);
        if !rings_first {
            solo.respond(&again, 100, "", &[], None);
        }
        solo.assert_all_gone();
    }
}

#[test]
fn a_peer_that_never_decides_on_our_offer_counts_as_lost() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    let again = solo.next_sent();
    solo.respond(&again, 100, "", &[], None);
    solo.pass_s(180);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::PeerLost, .. }));
    assert_eq!(solo.names(), ["BYE"]);
    solo.assert_all_gone();
}
