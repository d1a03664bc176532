//! Sound passes between legs of the same codec unchanged, and between the two laws of G.711 turned over.
#![cfg(test)]

mod common;

use common::wire::{FAR_A, FAR_B, Speaker, Wire, agreed, assert_one_stream, header, sound};
use tandem_media::codec::{Codec, Law};
use tandem_media::negotiate::PayloadTypes;
use tandem_media::tone;

#[test]
fn equal_codecs_pass_octet_for_octet() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    let packet = speaker.packet();
    wire.arrive(0, &packet);
    assert_eq!(wire.rtp[1][0][12..], packet[12..]);
    assert_ne!(header(&wire.rtp[1][0]).ssrc, 7, "the stream is our own");
}

#[test]
fn each_law_is_heard_as_the_other() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcmu());
    Speaker::new(440.0, &Codec::pcma(), 7).speak(&mut wire, 0, 50);
    Speaker::new(880.0, &Codec::pcmu(), 8).speak(&mut wire, 1, 50);
    assert_one_stream(&wire.rtp[0]);
    assert_one_stream(&wire.rtp[1]);
    assert!(wire.rtp[1].iter().all(|p| header(p).payload_type == 0));
    assert!(tone::share(&sound(&wire.rtp[1], Law::Mu), 440.0) > 0.95);
    assert!(tone::share(&sound(&wire.rtp[0], Law::A), 880.0) > 0.95);
}

#[test]
fn an_unknown_codec_passes_under_the_other_sides_number() {
    let mut wire = Wire::new();
    wire.configure(0, agreed(FAR_A, Codec::named("SILK", 16000, 104)), false);
    wire.configure(1, agreed(FAR_B, Codec::named("SILK", 16000, 97)), false);
    wire.bridge();
    let mut packet = vec![0x5a; 60];
    tandem_media::rtp::Header::plain(104, 1, 1, 1).write(&mut packet);
    wire.arrive(0, &packet);
    assert_eq!(header(&wire.rtp[1][0]).payload_type, 97);
    assert_eq!(wire.rtp[1][0][12..], packet[12..]);
}

#[test]
fn what_the_other_side_cannot_take_is_left_out_without_a_gap() {
    let mut wire = Wire::new();
    let mut noisy = agreed(FAR_A, Codec::pcma());
    noisy.comfort_noise = Some(PayloadTypes { send: 13, receive: 13 });
    wire.configure(0, noisy, false);
    wire.configure(1, agreed(FAR_B, Codec::pcma()), false);
    wire.bridge();
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    speaker.speak(&mut wire, 0, 5);
    speaker.header.payload_type = 13;
    speaker.speak(&mut wire, 0, 3);
    speaker.header.payload_type = 8;
    speaker.speak(&mut wire, 0, 5);
    assert_eq!(wire.rtp[1].len(), 10);
    assert_one_stream(&wire.rtp[1]);
}

#[test]
fn comfort_noise_passes_when_both_sides_take_it() {
    let mut wire = Wire::new();
    for (side, far) in [FAR_A, FAR_B].into_iter().enumerate() {
        let mut noisy = agreed(far, Codec::pcma());
        noisy.comfort_noise = Some(PayloadTypes { send: 13, receive: 13 });
        wire.configure(side, noisy, false);
    }
    wire.bridge();
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    speaker.header.payload_type = 13;
    speaker.speak(&mut wire, 0, 1);
    assert_eq!(header(&wire.rtp[1][0]).payload_type, 13);
}

#[test]
fn losses_and_disorder_are_passed_on_as_they_came() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    let packets: Vec<_> = (0..6).map(|_| speaker.packet()).collect();
    for n in [0, 1, 4, 3, 3, 5] {
        wire.arrive(0, &packets[n]);
    }
    let first = header(&wire.rtp[1][0]).sequence;
    let numbers: Vec<_> = wire.rtp[1].iter().map(|p| header(p).sequence.wrapping_sub(first)).collect();
    assert_eq!(numbers, [0, 1, 4, 3, 5], "the loss stays, the repeated packet is sent once");
}

#[test]
fn a_far_end_that_counts_anew_is_followed() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    speaker.speak(&mut wire, 0, 5);
    speaker.header.sequence = 30_000;
    speaker.header.timestamp = 5;
    speaker.speak(&mut wire, 0, 5);
    assert_eq!(wire.rtp[1].len(), 9, "one packet is spent on making sure");
    assert_one_stream(&wire.rtp[1]);
    assert_eq!(wire.legs[0].quality().packets_lost, 0);
}

#[test]
fn nobody_is_heard_by_a_held_party_and_a_muted_party_is_not_heard() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    speaker.speak(&mut wire, 0, 5);
    let held = tandem_media::negotiate::Negotiated { send: false, ..agreed(FAR_B, Codec::pcma()) };
    wire.configure(1, held, false);
    wire.bridge();
    speaker.speak(&mut wire, 0, 50);
    assert_eq!(wire.rtp[1].len(), 5);
    wire.configure(1, agreed(FAR_B, Codec::pcma()), false);
    wire.bridge();
    speaker.speak(&mut wire, 0, 5);
    assert_eq!(wire.rtp[1].len(), 10);
    assert_one_stream(&wire.rtp[1]);
    let muted = tandem_media::negotiate::Negotiated { receive: false, ..agreed(FAR_A, Codec::pcma()) };
    wire.configure(0, muted, false);
    wire.bridge();
    speaker.speak(&mut wire, 0, 5);
    assert_eq!(wire.rtp[1].len(), 10);
}
