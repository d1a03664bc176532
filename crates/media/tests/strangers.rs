//! Packets from where nobody was expected, and far ends behind NAT.
#![cfg(test)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::wire::{A, FAR_A, FAR_B, Speaker, Wire, agreed};
use tandem_media::codec::Codec;
use tandem_media::leg::LegEvent;

fn elsewhere() -> SocketAddr {
    "192.0.2.66:6666".parse().unwrap()
}

#[test]
fn plain_packets_from_elsewhere_are_thrown_away_and_counted() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    let mut flood = Speaker::new(880.0, &Codec::pcma(), 666);
    for _ in 0..50 {
        phone.speak(&mut wire, 0, 1);
        for _ in 0..100 {
            wire.arrive_from(0, elsewhere(), &flood.packet());
        }
    }
    assert_eq!(wire.rtp[1].len(), 50);
    let quality = wire.legs[0].quality();
    assert_eq!((quality.packets_received, quality.foreign_packets, quality.packets_lost), (50, 5000, 0));
    assert!(wire.told().iter().all(|e| matches!(e, LegEvent::FirstPacket { .. })));
}

#[test]
fn what_is_no_rtp_is_counted_and_harms_nothing() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    for junk in
        [&b""[..], b"x", &[0; 12], &[0xff; 40], &[0x80; 11], b"\x01\x01\x00\x00!\x12\xa4B0123456789ab"]
    {
        wire.arrive(0, junk);
    }
    assert_eq!(wire.legs[0].quality().foreign_packets, 6);
    Speaker::new(440.0, &Codec::pcma(), 7).speak(&mut wire, 0, 1);
    assert_eq!(wire.rtp[1].len(), 1);
}

#[test]
fn a_phone_behind_nat_is_answered_where_it_is_if_the_trunk_allows_it() {
    let mut wire = Wire::new();
    wire.configure(0, agreed("192.168.1.5:4000", Codec::pcma()), true);
    wire.configure(1, agreed(FAR_B, Codec::pcma()), false);
    wire.bridge();
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    let mut agent = Speaker::new(660.0, &Codec::pcma(), 8);
    agent.speak(&mut wire, 1, 1);
    assert_eq!(wire.sent_to[0], Some("192.168.1.5:4000".parse().unwrap()));
    wire.arrive_from(0, elsewhere(), &phone.packet());
    agent.speak(&mut wire, 1, 1);
    assert_eq!(wire.sent_to[0], Some(elsewhere()));
    let stranger: SocketAddr = "192.0.2.77:7777".parse().unwrap();
    wire.arrive_from(0, stranger, &phone.packet());
    agent.speak(&mut wire, 1, 1);
    assert_eq!(wire.sent_to[0], Some(elsewhere()), "only the first one");
    assert_eq!(wire.told().iter().filter(|e| matches!(e, LegEvent::Latched { .. })).count(), 1);
    wire.pass(Duration::from_secs(3));
    wire.arrive_from(0, stranger, &phone.packet());
    agent.speak(&mut wire, 1, 1);
    assert_eq!(wire.sent_to[0], Some(stranger), "its NAT gave it another port");
}

#[test]
fn a_new_description_is_followed_although_the_phone_was_heard_elsewhere() {
    let mut wire = Wire::new();
    wire.configure(0, agreed("192.168.1.5:4000", Codec::pcma()), true);
    wire.configure(1, agreed(FAR_B, Codec::pcma()), false);
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    wire.arrive_from(0, elsewhere(), &phone.packet());
    wire.configure(0, agreed(FAR_A, Codec::pcma()), true);
    wire.bridge();
    wire.arrive_from(0, elsewhere(), &phone.packet());
    wire.arrive(0, &phone.packet());
    Speaker::new(660.0, &Codec::pcma(), 8).speak(&mut wire, 1, 1);
    assert_eq!(wire.sent_to[0], Some(FAR_A.parse().unwrap()), "packets still on the way do not count");
}

#[test]
fn silence_is_told_once_and_so_is_its_end() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    let mut agent = Speaker::new(660.0, &Codec::pcma(), 8);
    phone.speak(&mut wire, 0, 5);
    agent.speak(&mut wire, 1, 1000);
    phone.speak(&mut wire, 0, 5);
    let told: Vec<_> =
        wire.told().into_iter().filter(|e| !matches!(e, LegEvent::FirstPacket { .. })).collect();
    assert!(
        matches!(told[..], [LegEvent::Silent { leg: A, for_ms: 5000..=6000 }, LegEvent::Heard { leg: A }]),
        "{told:?}"
    );
}

#[test]
fn nobody_waits_for_a_far_end_that_may_not_send() {
    let mut wire = Wire::new();
    let mut held = agreed(FAR_A, Codec::pcma());
    held.direction = tandem_media::sdp::Direction::Inactive;
    wire.configure(0, held, false);
    wire.pass(Duration::from_secs(60));
    assert_eq!(wire.told(), []);
}
