//! Reports: ours for the whole call, and what we make of the far end's.
#![cfg(test)]

mod common;

use std::time::Duration;

use common::wire::{FAR_A, Speaker, Wire, agreed, encrypted};
use tandem_media::codec::Codec;
use tandem_media::leg::LegEvent;
use tandem_media::negotiate::Negotiated;
use tandem_media::rtcp::{self, Packet, REPORT_OCTETS_MAX, Report, ReportBlock, SenderInfo};
use tandem_media::sdp::Direction;
use tandem_media::srtp::{SrtpKey, SrtpReceiver};

#[test]
fn a_held_leg_reports_every_five_seconds() {
    let mut wire = Wire::new();
    let held = Negotiated { send: false, direction: Direction::Inactive, ..agreed(FAR_A, Codec::pcma()) };
    wire.configure(0, held, false);
    wire.pass(Duration::from_secs(60));
    assert_eq!(wire.rtcp[0].len(), 12);
    let first: Vec<_> = rtcp::packets(&wire.rtcp[0][0]).collect();
    assert!(matches!(first[..], [Packet::ReceiverReport { .. }, Packet::Other]), "{first:?}");
}

#[test]
fn loss_and_jitter_of_the_far_end_are_reported_to_it() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    for n in 0..500 {
        let packet = phone.packet();
        if n % 10 != 9 {
            wire.arrive(0, &packet);
        }
        // Every other packet comes 5 ms late.
        wire.pass(Duration::from_millis(if n % 2 == 0 { 25 } else { 15 }));
    }
    let report = wire.rtcp[0].last().unwrap();
    let Some(Packet::ReceiverReport { mut blocks, .. }) = rtcp::packets(report).next() else {
        panic!("nothing was sent to A, so it gets a receiver report");
    };
    let block = blocks.next().unwrap();
    assert_eq!(block.ssrc, 7);
    assert!((20..=30).contains(&block.fraction_lost), "{block:?}");
    assert!((30..=45).contains(&block.jitter), "{block:?}");
    let quality = wire.legs[0].quality();
    assert!((45..=50).contains(&quality.packets_lost), "{quality:?}");
    assert!((4.0..6.0).contains(&quality.jitter_ms), "{quality:?}");
    assert!(quality.mos.unwrap() < 3.5, "{quality:?}");
    let Some(Packet::SenderReport { sent, .. }) = rtcp::packets(wire.rtcp[1].last().unwrap()).next() else {
        panic!("B was sent to");
    };
    assert!(sent.packets > 200 && sent.octets == sent.packets * 160, "{sent:?}");
}

#[test]
fn a_clean_call_has_a_round_trip_and_a_good_opinion() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut agent = Speaker::new(660.0, &Codec::pcma(), 8);
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    for _ in 0..340 {
        agent.speak(&mut wire, 1, 1);
        wire.arrive(0, &phone.packet());
    }
    let Some(Packet::SenderReport { ssrc, sent, .. }) = rtcp::packets(wire.rtcp[0].last().unwrap()).next()
    else {
        panic!("A was sent to");
    };
    // The far end answers two seconds after our report came to it; 60 ms are spent on the way.
    let sent_at = wire.rtcp[0].len();
    let report = Report {
        ssrc: 7,
        sent: Some(SenderInfo { ntp: 1 << 40, timestamp: 0, packets: 300, octets: 48_000 }),
        heard: Some(ReportBlock {
            ssrc,
            lost: 4,
            last_report: rtcp::middle(sent.ntp),
            delay: rtcp::short(Duration::from_secs(2)),
            ..Default::default()
        }),
        name: "far",
        goodbye: false,
    };
    let mut buffer = [0; REPORT_OCTETS_MAX];
    let octets = report.write(&mut buffer).unwrap();
    let since = wire.now - wire.reported_at[0].unwrap();
    wire.pass(Duration::from_millis(2060) - since);
    assert_eq!(wire.rtcp[0].len(), sent_at);
    wire.arrive_rtcp(0, &buffer[..octets]);
    let quality = wire.legs[0].quality();
    assert!((59.0..61.0).contains(&quality.rtt_ms.unwrap()), "{quality:?}");
    assert_eq!(quality.remote_loss_percent.map(f32::round), Some(1.0));
    assert!(quality.mos.unwrap() > 4.3, "{quality:?}");
    // Our next report tells the far end when its own came.
    wire.pass(Duration::from_secs(5));
    let Some(Packet::SenderReport { mut blocks, .. }) = rtcp::packets(wire.rtcp[0].last().unwrap()).next()
    else {
        panic!("A was sent to");
    };
    let block = blocks.next().unwrap();
    assert_eq!(block.last_report, 1 << 24);
    assert!(block.delay > 0);
}

#[test]
fn reports_of_strangers_are_not_believed() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut packet = wire.rtcp[0].first().cloned().unwrap_or_else(|| vec![0x80, 201, 0, 1, 0, 0, 0, 9]);
    wire.legs[0].handle_rtcp(wire.now, "192.0.2.66:6666".parse().unwrap(), &mut packet);
    assert_eq!(wire.legs[0].quality().foreign_packets, 1);
}

#[test]
fn an_encrypted_leg_reports_encrypted_and_says_goodbye() {
    let mut wire = Wire::new();
    wire.configure(0, encrypted(FAR_A, Codec::pcma(), [1; 30], [2; 30]), false);
    wire.pass(Duration::from_secs(6));
    let mut buffer = [0; 1500];
    let bye = wire.legs[0].close(wire.now, &mut buffer).unwrap();
    wire.rtcp[0].push(buffer[bye.range].to_vec());
    let mut far = SrtpReceiver::new(&SrtpKey::new([1; 30]), 0);
    for packet in &mut wire.rtcp[0] {
        let octets = far.unprotect_rtcp(packet).unwrap();
        packet.truncate(octets);
    }
    let last: Vec<_> = rtcp::packets(wire.rtcp[0].last().unwrap()).collect();
    assert!(matches!(last[2], Packet::Goodbye { .. }), "{last:?}");
}

#[test]
fn figures_come_while_the_call_lasts() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    Speaker::new(440.0, &Codec::pcma(), 7).speak(&mut wire, 0, 1500);
    let count =
        wire.events.iter().filter(|e| matches!(e, LegEvent::Quality { leg, .. } if leg.0 == 1)).count();
    assert!((2..=3).contains(&count), "{count} in thirty seconds");
}
