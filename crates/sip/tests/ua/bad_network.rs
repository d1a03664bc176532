//! Messages get lost and late; calls do not.

use std::time::Duration;

use tandem_sip::ua::{EndedBy, Event};

use crate::harness::{Pair, answer, answer_with, sdp};

/// A call with everything in it, over UDP; the network is what the test makes of it.
fn call(pair: &mut Pair) {
    let a = pair.invite(Some("offer"));
    let patience = 12;
    pair.pass_s(patience);
    let b = pair.take_invite();
    pair.b.ua.progress(pair.now, b, answer(180));
    pair.pass_s(patience);
    pair.b.ua.accept(pair.now, b, answer_with(200, "answer"));
    pair.pass_s(patience);
    pair.a.ua.reoffer(pair.now, a, sdp("hold"));
    pair.pass_s(patience);
    pair.b.ua.reanswer(pair.now, b, answer_with(200, "held"));
    pair.pass_s(patience);
    pair.b.ua.hang_up(pair.now, b, Vec::new());
    pair.pass_s(40);
    let told: Vec<_> = pair.a.events.iter().filter(|e| !matches!(e, Event::Progress { .. })).collect();
    assert!(
        matches!(
            told[..],
            [Event::Accepted { .. }, Event::Reanswered { .. }, Event::Ended { why: EndedBy::Bye { .. }, .. }]
        ),
        "{told:?}\n{:?}",
        pair.log
    );
    let told: Vec<_> = pair.b.events.iter().collect();
    assert!(
        matches!(
            told[..],
            [
                Event::Acknowledged { .. },
                Event::Reoffer { .. },
                Event::Acknowledged { .. },
                Event::Ended { why: EndedBy::OurSide, .. }
            ]
        ),
        "{told:?}\n{:?}",
        pair.log
    );
    pair.assert_all_gone();
}

#[test]
fn any_one_message_may_be_lost() {
    for lost in 0..20 {
        let mut pair = Pair::udp();
        pair.lost = Box::new(move |number, _| number == lost);
        call(&mut pair);
    }
}

#[test]
fn any_two_messages_in_a_row_may_be_lost() {
    for lost in 0..20 {
        let mut pair = Pair::udp();
        pair.lost = Box::new(move |number, _| number == lost || number == lost + 1);
        call(&mut pair);
    }
}

#[test]
fn with_a_third_of_all_messages_lost_every_call_ends_in_order() {
    let mut answered = 0;
    for seed in 0..200_u64 {
        let mut pair = Pair::udp();
        let mut state = seed;
        pair.lost = Box::new(move |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33 < (1 << 31) / 3
        });
        let a = pair.invite(Some("offer"));
        pair.pass_s(12);
        if !pair.b.events.is_empty() {
            let b = pair.take_invite();
            pair.b.ua.accept(pair.now, b, answer_with(200, "answer"));
        }
        pair.pass_s(40);
        pair.a.ua.hang_up(pair.now, a, Vec::new());
        pair.pass_s(200);
        answered += usize::from(matches!(pair.a.events.front(), Some(Event::Accepted { .. })));
        assert!(matches!(pair.a.events.back(), Some(Event::Ended { .. })), "seed {seed}: {:?}", pair.log);
        pair.assert_all_gone();
    }
    assert!(answered > 190, "{answered}");
}

#[test]
fn a_slow_network_makes_copies_that_change_nothing() {
    let mut pair = Pair::udp();
    pair.delay = Duration::from_millis(1900);
    call(&mut pair);
}

#[test]
fn messages_may_overtake_each_other() {
    for seed in 0..200 {
        let mut pair = Pair::udp();
        pair.jitter(seed, Duration::from_millis(700));
        call(&mut pair);
    }
}

#[test]
fn a_dead_line_ends_every_call() {
    for dead_from in 0..12 {
        let mut pair = Pair::udp();
        pair.lost = Box::new(move |number, _| number >= dead_from);
        let a = pair.invite(Some("offer"));
        pair.pass_s(1);
        if !pair.b.events.is_empty() {
            let b = pair.take_invite();
            pair.b.ua.accept(pair.now, b, answer_with(200, "answer"));
            pair.pass_s(1);
            pair.b.ua.reoffer(pair.now, b, sdp("hold"));
        }
        pair.pass_s(200);
        pair.a.ua.hang_up(pair.now, a, Vec::new());
        pair.pass_s(200);
        pair.assert_all_gone();
    }
}
