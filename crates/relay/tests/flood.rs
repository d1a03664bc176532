//! A flood to a media port disturbs nobody.
#![cfg(test)]

mod common;

use std::net::UdpSocket;

use common::{Bench, FarEnd};
use tandem_media::codec::Codec;
use tandem_media::leg::LegEvent;

/// Far ends speak while strangers send a hundred packets for each of theirs.
fn talk_in_a_flood(bench: &mut Bench, mut a: FarEnd, mut b: FarEnd, strangers: &str) {
    let (to_a, to_b) = (bench.open(1, 0, &a), bench.open(2, 0, &b));
    bench.bridge(1, 2);
    let stranger = UdpSocket::bind((strangers, 0)).unwrap();
    let mut packet = [0x55; 172];
    (packet[0], packet[1]) = (0x80, 8);
    for _ in 0..100 {
        for _ in 0..50 {
            stranger.send_to(&packet, to_a).unwrap();
            stranger.send_to(&packet[..3], to_a).unwrap();
        }
        a.speak(to_a);
        assert_eq!(b.listen().len(), 160);
        b.speak(to_b);
        assert_eq!(a.listen().len(), 160);
    }
    bench.close(1);
    let report = bench.wait_for(|e| match e {
        LegEvent::Closed { report, .. } => Some(report.clone()),
        _ => None,
    });
    assert_eq!((report.packets_received, report.packets_lost), (100, 0), "{report:?}");
    // The rest never came to us: once the far end is heard, the system keeps strangers out.
    let refused = report.foreign_packets + report.srtp_failures;
    assert!((1..=10_000).contains(&refused), "{report:?}");
}

#[test]
fn of_plain_packets() {
    let mut bench = Bench::new("127.0.40.1", 1);
    let a = FarEnd::new("127.0.40.2", Codec::pcma(), 440.0);
    let b = FarEnd::new("127.0.40.3", Codec::pcma(), 660.0);
    talk_in_a_flood(&mut bench, a, b, "127.0.40.4");
}

#[test]
fn of_packets_to_an_encrypted_leg() {
    let mut bench = Bench::new("127.0.41.1", 1);
    let a = FarEnd::new("127.0.41.2", Codec::pcma(), 440.0).encrypted();
    let b = FarEnd::new("127.0.41.3", Codec::pcma(), 660.0);
    talk_in_a_flood(&mut bench, a, b, "127.0.41.4");
}
