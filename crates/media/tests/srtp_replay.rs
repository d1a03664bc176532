//! What is believed of encrypted packets, and what a change of key does.
#![cfg(test)]

mod common;

use common::wire::{FAR_A, FAR_B, Speaker, Wire, agreed, encrypted};
use tandem_media::codec::Codec;
use tandem_media::leg::LegEvent;
use tandem_media::rtp::Header;
use tandem_media::srtp::{SrtpError, SrtpKey, SrtpReceiver, SrtpSender, TAG_OCTETS};

const OURS: [u8; 30] = [1; 30];
const THEIRS: [u8; 30] = [2; 30];

fn protect(sender: &mut SrtpSender, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + TAG_OCTETS, 0);
    let octets = sender.protect_rtp(&mut buffer, packet.len()).unwrap();
    buffer.truncate(octets);
    buffer
}

fn plain(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0xd5; 172];
    Header::plain(8, sequence, u32::from(sequence) * 160, ssrc).write(&mut packet);
    packet
}

fn sender() -> SrtpSender {
    SrtpSender::new(&SrtpKey::new(THEIRS))
}

fn receiver() -> SrtpReceiver {
    SrtpReceiver::new(&SrtpKey::new(THEIRS), 0)
}

#[test]
fn a_packet_is_taken_once() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let packet = protect(&mut sender, &plain(7, 1));
    assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), Ok(172));
    assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), Err(SrtpError::Replayed));
}

#[test]
fn late_packets_are_taken_within_the_window_and_not_behind_it() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let packets: Vec<_> = (0..300).map(|n| protect(&mut sender, &plain(7, n))).collect();
    assert!(receiver.unprotect_rtp(&mut packets[250].clone()).is_ok());
    assert!(receiver.unprotect_rtp(&mut packets[130].clone()).is_ok());
    assert_eq!(receiver.unprotect_rtp(&mut packets[122].clone()), Err(SrtpError::Replayed));
    assert!(receiver.unprotect_rtp(&mut packets[251].clone()).is_ok());
}

#[test]
fn the_rollover_is_found_over_losses_and_disorder() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let packets: Vec<_> = (65_000_u32..66_500).map(|n| protect(&mut sender, &plain(7, n as u16))).collect();
    for n in [0, 1, 535, 534, 537, 536, 900, 1499] {
        assert_eq!(receiver.unprotect_rtp(&mut packets[n].clone()), Ok(172), "packet {n}");
    }
}

#[test]
fn a_stream_is_joined_after_its_first_rollover() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let packets: Vec<_> = (65_530_u32..65_600).map(|n| protect(&mut sender, &plain(7, n as u16))).collect();
    for packet in &packets[20..] {
        assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), Ok(172));
    }
}

#[test]
fn each_stream_number_has_its_own_count_and_a_former_one_comes_back() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let old = protect(&mut sender, &plain(7, 100));
    assert!(receiver.unprotect_rtp(&mut old.clone()).is_ok());
    let mut other = SrtpSender::new(&SrtpKey::new(THEIRS));
    for ssrc in [8, 9] {
        let mut packet = protect(&mut other, &plain(ssrc, 3));
        assert!(receiver.unprotect_rtp(&mut packet).is_ok());
    }
    assert_eq!(receiver.unprotect_rtp(&mut old.clone()), Err(SrtpError::Replayed));
    assert!(receiver.unprotect_rtp(&mut protect(&mut sender, &plain(7, 101))).is_ok());
}

#[test]
fn a_changed_octet_anywhere_is_noticed_and_the_packet_left_alone() {
    let packet = protect(&mut sender(), &plain(7, 1));
    for place in 0..packet.len() {
        let mut changed = packet.clone();
        changed[place] ^= 4;
        let before = changed.clone();
        assert!(receiver().unprotect_rtp(&mut changed).is_err(), "octet {place}");
        assert_eq!(changed, before);
    }
}

#[test]
fn a_key_identifier_in_the_packet_is_stepped_over() {
    let mut packet = protect(&mut sender(), &plain(7, 1));
    let tag_at = packet.len() - TAG_OCTETS;
    packet.insert(tag_at, 1);
    let mut announced = SrtpReceiver::new(&SrtpKey::new(THEIRS), 1);
    assert_eq!(announced.unprotect_rtp(&mut packet.clone()), Ok(172));
    let mut without = protect(&mut sender(), &plain(7, 2));
    assert_eq!(announced.unprotect_rtp(&mut without), Ok(172), "announced, but not there");
    assert_eq!(receiver().unprotect_rtp(&mut packet), Err(SrtpError::NotAuthentic));
}

#[test]
fn reports_are_encrypted_counted_and_taken_once() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let mut report = [0; 64];
    report[..28].copy_from_slice(&[0x80; 28]);
    (report[1], report[2], report[3]) = (200, 0, 6);
    let plain = report;
    for _ in 0..3 {
        let mut packet = plain;
        let octets = sender.protect_rtcp(&mut packet, 28).unwrap();
        assert_eq!(octets, 28 + 14);
        assert_ne!(packet[8..28], plain[8..28]);
        let mut again = packet;
        assert_eq!(receiver.unprotect_rtcp(&mut packet[..octets]), Ok(28));
        assert_eq!(packet[..28], plain[..28]);
        assert_eq!(receiver.unprotect_rtcp(&mut again[..octets]), Err(SrtpError::Replayed));
        again[9] ^= 1;
        assert_eq!(receiver.unprotect_rtcp(&mut again[..octets]), Err(SrtpError::NotAuthentic));
    }
}

#[test]
fn after_a_change_the_old_key_serves_until_the_new_one_is_heard() {
    let (mut old, mut receiver) = (sender(), receiver());
    let mut new = SrtpSender::new(&SrtpKey::new([9; 30]));
    let earlier = protect(&mut old, &plain(7, 1));
    assert!(receiver.unprotect_rtp(&mut earlier.clone()).is_ok());
    receiver.rekey(&SrtpKey::new([9; 30]), 0);
    assert!(receiver.unprotect_rtp(&mut protect(&mut old, &plain(7, 2))).is_ok(), "still on the way");
    assert_eq!(receiver.unprotect_rtp(&mut earlier.clone()), Err(SrtpError::Replayed));
    assert!(receiver.unprotect_rtp(&mut protect(&mut new, &plain(7, 3))).is_ok());
    assert_eq!(
        receiver.unprotect_rtp(&mut protect(&mut old, &plain(7, 4))),
        Err(SrtpError::NotAuthentic),
        "the old key is gone"
    );
}

#[test]
fn the_same_key_again_keeps_its_count() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let packet = protect(&mut sender, &plain(7, 1));
    assert!(receiver.unprotect_rtp(&mut packet.clone()).is_ok());
    receiver.rekey(&SrtpKey::new(THEIRS), 0);
    assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), Err(SrtpError::Replayed));
}

#[test]
fn a_key_that_is_taken_back_before_it_was_used_loses_nothing() {
    let (mut sender, mut receiver) = (sender(), receiver());
    let packet = protect(&mut sender, &plain(7, 1));
    assert!(receiver.unprotect_rtp(&mut packet.clone()).is_ok());
    receiver.rekey(&SrtpKey::new([9; 30]), 0);
    receiver.rekey(&SrtpKey::new(THEIRS), 0);
    assert_eq!(receiver.unprotect_rtp(&mut packet.clone()), Err(SrtpError::Replayed));
    assert!(receiver.unprotect_rtp(&mut protect(&mut sender, &plain(7, 2))).is_ok());
}

#[test]
fn teams_is_believed_from_another_address_once_it_authenticates() {
    let mut wire = Wire::new();
    wire.configure(0, encrypted(FAR_A, Codec::pcma(), OURS, THEIRS), true);
    wire.configure(1, agreed(FAR_B, Codec::pcma()), false);
    wire.bridge();
    let mut teams = sender();
    let mut voice = Speaker::new(440.0, &Codec::pcma(), 7);
    let moved = "203.0.113.99:50388".parse().unwrap();
    wire.arrive(0, &protect(&mut teams, &voice.packet()));
    wire.arrive_from(0, moved, &voice.packet());
    assert_eq!(wire.rtp[1].len(), 1, "no key, no belief");
    wire.arrive_from(0, moved, &protect(&mut teams, &voice.packet()));
    assert_eq!(wire.rtp[1].len(), 2);
    let mut agent = Speaker::new(440.0, &Codec::pcma(), 8);
    agent.speak(&mut wire, 1, 1);
    assert_eq!(wire.sent_to[0], Some(moved));
    let told = wire.told();
    assert!(told.contains(&LegEvent::Latched { leg: common::wire::A, source: moved }), "{told:?}");
    assert_eq!(wire.legs[0].quality().srtp_failures, 1);
}
