//! Two parties hear each other over real sockets.
#![cfg(test)]

mod common;

use std::time::Duration;

use common::{Bench, FarEnd, PATIENCE};
use tandem_media::codec::Codec;
use tandem_media::leg::{LegCommand, LegEvent, LegId, LegRefusal};
use tandem_media::tone;

/// Each speaks and hears the other, packet by packet.
fn converse(a: &mut FarEnd, to_a: std::net::SocketAddr, b: &mut FarEnd, to_b: std::net::SocketAddr) {
    let (mut heard_by_a, mut heard_by_b) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        a.speak(to_a);
        heard_by_b.extend(b.listen());
        b.speak(to_b);
        heard_by_a.extend(a.listen());
    }
    assert!(tone::share(&heard_by_b, 440.0) > 0.95, "the tone of one end is found at the other");
    assert!(tone::share(&heard_by_a, 660.0) > 0.95, "and the other way");
}

#[test]
fn a_tone_is_heard_at_the_other_end_both_ways() {
    let mut bench = Bench::new("127.0.10.1", 1);
    let mut a = FarEnd::new("127.0.10.2", Codec::pcma(), 440.0);
    let mut b = FarEnd::new("127.0.10.3", Codec::pcmu(), 660.0);
    let (to_a, to_b) = (bench.open(1, 0, &a), bench.open(2, 0, &b));
    bench.bridge(1, 2);
    converse(&mut a, to_a, &mut b, to_b);
}

#[test]
fn one_side_may_be_encrypted() {
    let mut bench = Bench::new("127.0.11.1", 1);
    let mut a = FarEnd::new("127.0.11.2", Codec::pcma(), 440.0).encrypted();
    let mut b = FarEnd::new("127.0.11.3", Codec::pcma(), 660.0);
    let (to_a, to_b) = (bench.open(1, 0, &a), bench.open(2, 0, &b));
    bench.bridge(1, 2);
    converse(&mut a, to_a, &mut b, to_b);
}

#[test]
fn legs_of_two_threads_come_together() {
    let mut bench = Bench::new("127.0.12.1", 2);
    let mut a = FarEnd::new("127.0.12.2", Codec::pcma(), 440.0);
    let mut b = FarEnd::new("127.0.12.3", Codec::pcma(), 660.0);
    let mut c = FarEnd::new("127.0.12.4", Codec::pcma(), 660.0);
    let (to_a, to_b, to_c) = (bench.open(1, 0, &a), bench.open(2, 1, &b), bench.open(3, 1, &c));
    bench.bridge(1, 2);
    converse(&mut a, to_a, &mut b, to_b);
    // Over to the third, with the first now on the other side of the command.
    bench.bridge(3, 1);
    converse(&mut a, to_a, &mut c, to_c);
    for leg in 1..=3 {
        bench.close(leg);
        bench.wait_for(|e| matches!(e, LegEvent::Closed { leg: l, .. } if l.0 == leg).then_some(()));
    }
}

#[test]
fn an_encrypted_far_end_that_moved_is_heard_again() {
    let mut bench = Bench::new("127.0.15.1", 1);
    let mut a = FarEnd::new("127.0.15.2", Codec::pcma(), 440.0).encrypted();
    let mut b = FarEnd::new("127.0.15.3", Codec::pcma(), 660.0);
    let (to_a, to_b) = (bench.open(1, 0, &a), bench.open(2, 0, &b));
    bench.bridge(1, 2);
    converse(&mut a, to_a, &mut b, to_b);
    // As fast as people speak, and long enough for the socket to be closed to others.
    for _ in 0..30 {
        a.speak(to_a);
        assert!(b.hears_within(PATIENCE));
        assert!(!b.hears_within(Duration::from_millis(15)), "one packet for one");
    }
    a.move_away();
    let mut spoken = 0;
    loop {
        a.speak(to_a);
        spoken += 1;
        if b.hears_within(Duration::from_millis(20)) {
            break;
        }
        assert!(spoken < 1000, "never heard again");
    }
}

#[test]
fn a_far_end_whose_port_is_closed_does_not_deafen_the_leg() {
    let mut bench = Bench::new("127.0.16.1", 1);
    let mut a = FarEnd::new("127.0.16.2", Codec::pcma(), 440.0);
    let mut b = FarEnd::new("127.0.16.3", Codec::pcma(), 660.0);
    let (to_a, to_b) = (bench.open(1, 0, &a), bench.open(2, 0, &b));
    bench.bridge(1, 2);
    converse(&mut a, to_a, &mut b, to_b);
    let address = b.address();
    b.move_away();
    for _ in 0..20 {
        a.speak(to_a);
    }
    b.move_to(address);
    converse(&mut a, to_a, &mut b, to_b);
}

#[test]
fn the_first_packet_and_every_key_are_told() {
    let mut bench = Bench::new("127.0.13.1", 1);
    let mut a = FarEnd::new("127.0.13.2", Codec::pcma(), 440.0);
    let to_a = bench.open(1, 0, &a);
    a.press(to_a, 5);
    let source = bench.wait_for(|e| match e {
        LegEvent::FirstPacket { source, .. } => Some(*source),
        _ => None,
    });
    assert_eq!(source, a.address());
    let told = bench.wait_for(|e| match e {
        LegEvent::Digit { leg, digit, duration_ms } => Some((*leg, digit.as_char(), *duration_ms)),
        _ => None,
    });
    assert_eq!(told, (LegId(1), '5', 60));
}

#[test]
fn commands_that_make_no_sense_are_refused() {
    let mut bench = Bench::new("127.0.14.1", 1);
    let a = FarEnd::new("127.0.14.2", Codec::pcma(), 440.0);
    bench.open(1, 0, &a);
    let port = bench.reserve();
    bench.relay.command(LegCommand::Open { leg: LegId(1), port, affinity: 0, seed: 0 });
    bench.relay.command(LegCommand::Bridge { a: LegId(1), b: LegId(1) });
    bench.relay.command(LegCommand::Bridge { a: LegId(1), b: LegId(9) });
    bench.close(9);
    bench.close(1);
    bench.relay.command(LegCommand::StopPlay { leg: LegId(1) });
    let unopened = tandem_media::leg::MediaPort { rtp: 2, ..port };
    bench.relay.command(LegCommand::Open { leg: LegId(2), port: unopened, affinity: 0, seed: 0 });
    let mut refusals: Vec<_> = (0..6)
        .map(|_| {
            bench.wait_for(|e| match e {
                LegEvent::Refused { leg, reason } => Some((leg.0, *reason)),
                _ => None,
            })
        })
        .collect();
    refusals.sort_by_key(|(leg, _)| *leg);
    assert_eq!(
        refusals,
        [
            (1, LegRefusal::AlreadyOpen),
            (1, LegRefusal::BridgeToSelf),
            (1, LegRefusal::UnknownLeg),
            (2, LegRefusal::PortNotReserved),
            (9, LegRefusal::UnknownLeg),
            (9, LegRefusal::UnknownLeg)
        ]
    );
}
