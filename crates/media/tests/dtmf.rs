//! Keys pressed: told once, passed on, and sent.
#![cfg(test)]

mod common;

use std::time::Duration;

use common::wire::{A, B, FAR_A, FAR_B, Speaker, Wire, agreed, assert_one_stream, header};
use tandem_media::codec::Codec;
use tandem_media::dtmf::Digit;
use tandem_media::leg::LegEvent;
use tandem_media::negotiate::{Negotiated, PayloadTypes};

fn digit(sign: char) -> Digit {
    Digit::from_char(sign).unwrap()
}

/// A press as phones send it: a packet each 20 ms, the end three times.
fn press(wire: &mut Wire, speaker: &mut Speaker, side: usize, sign: char, ms: u16, ends: usize) {
    let timestamp = speaker.header.timestamp;
    let mut send = |wire: &mut Wire, duration: u16, end: bool, marker: bool| {
        let mut head = speaker.header;
        (head.payload_type, head.marker, head.timestamp) = (101, marker, timestamp);
        let mut packet = vec![0; 12];
        head.write(&mut packet);
        packet.extend([digit(sign).event(), if end { 0x8a } else { 0x0a }]);
        packet.extend(duration.to_be_bytes());
        speaker.header.sequence = speaker.header.sequence.wrapping_add(1);
        wire.arrive(side, &packet);
    };
    for step in 1..=ms / 20 {
        send(wire, step * 160, false, step == 1);
        wire.pass(Duration::from_millis(20));
    }
    for _ in 0..ends {
        send(wire, ms * 8, true, false);
    }
    speaker.header.timestamp = timestamp.wrapping_add(u32::from(ms) * 8);
}

fn digits(told: &[LegEvent]) -> Vec<(char, u32)> {
    told.iter()
        .filter_map(|event| match event {
            LegEvent::Digit { digit, duration_ms, .. } => Some((digit.as_char(), *duration_ms)),
            _ => None,
        })
        .collect()
}

#[test]
fn three_ends_of_a_press_are_one_digit() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    phone.speak(&mut wire, 0, 3);
    for sign in ['1', '1', '*', '#', 'D'] {
        press(&mut wire, &mut phone, 0, sign, 100, 3);
        phone.speak(&mut wire, 0, 3);
    }
    assert_eq!(digits(&wire.told()), [('1', 100), ('1', 100), ('*', 100), ('#', 100), ('D', 100)]);
}

#[test]
fn a_press_whose_ends_are_lost_is_told_by_what_comes_after_it() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    press(&mut wire, &mut phone, 0, '5', 80, 0);
    press(&mut wire, &mut phone, 0, '6', 80, 0);
    assert_eq!(digits(&wire.told()), [('5', 80)]);
    phone.speak(&mut wire, 0, 10);
    assert_eq!(digits(&wire.told()), [('6', 80)]);
    press(&mut wire, &mut phone, 0, '7', 80, 0);
    wire.pass(Duration::from_secs(2));
    assert_eq!(digits(&wire.told()), [('7', 80)], "and by silence");
}

#[test]
fn a_press_passes_to_the_other_side_under_its_number() {
    let mut wire = Wire::new();
    let event = |n| Some(PayloadTypes { send: n, receive: n });
    wire.configure(0, agreed(FAR_A, Codec::pcma()), false);
    wire.configure(1, Negotiated { telephone_event: event(96), ..agreed(FAR_B, Codec::pcmu()) }, false);
    wire.bridge();
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    phone.speak(&mut wire, 0, 2);
    press(&mut wire, &mut phone, 0, '9', 100, 3);
    let events: Vec<_> = wire.rtp[1].iter().filter(|p| header(p).payload_type == 96).collect();
    assert_eq!(events.len(), 8);
    assert!(events.windows(2).all(|p| header(p[0]).timestamp == header(p[1]).timestamp));
    assert!(header(events[0]).marker);
    assert_eq!(events[7][12..], [9, 0x8a, 3, 32]);
    let numbers: Vec<_> = wire.rtp[1].iter().map(|p| header(p).sequence).collect();
    assert!(numbers.windows(2).all(|n| n[1] == n[0].wrapping_add(1)));
}

#[test]
fn a_press_is_told_and_left_out_when_the_other_side_takes_none() {
    let mut wire = Wire::new();
    wire.configure(0, agreed(FAR_A, Codec::pcma()), false);
    wire.configure(1, Negotiated { telephone_event: None, ..agreed(FAR_B, Codec::pcma()) }, false);
    wire.bridge();
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    phone.speak(&mut wire, 0, 2);
    press(&mut wire, &mut phone, 0, '9', 100, 3);
    phone.speak(&mut wire, 0, 2);
    assert_eq!(wire.rtp[1].len(), 4);
    assert_one_stream(&wire.rtp[1]);
    assert_eq!(digits(&wire.told()), [('9', 100)]);
}

#[test]
fn digits_we_send_are_heard_by_another_of_our_legs() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut agent = Speaker::new(440.0, &Codec::pcma(), 8);
    agent.speak(&mut wire, 1, 3);
    let sent: Vec<_> = "12*#".chars().map(digit).collect();
    wire.legs[0].send_digits(wire.now, &sent);
    agent.speak(&mut wire, 1, 60);
    // What left leg A comes to a leg like B.
    let packets = std::mem::take(&mut wire.rtp[0]);
    let mut far = Wire::bridged(Codec::pcma(), Codec::pcma());
    for packet in &packets {
        far.arrive(1, packet);
    }
    let told: Vec<_> = far.told();
    assert_eq!(digits(&told), [('1', 100), ('2', 100), ('*', 100), ('#', 100)]);
    assert!(told.iter().all(|e| !matches!(e, LegEvent::Digit { leg, .. } if *leg == A)));
    let numbers: Vec<_> = packets.iter().map(|p| header(p).sequence).collect();
    assert!(numbers.windows(2).all(|n| n[1] == n[0].wrapping_add(1)), "one stream with the voice");
    let (first, last) = (header(&packets[0]), header(packets.last().unwrap()));
    let span = last.timestamp.wrapping_sub(first.timestamp);
    assert!((9_600..10_400).contains(&span), "63 packets of 20 ms are {span} on the clock");
}

#[test]
fn a_press_is_told_of_the_leg_that_pressed() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut phone = Speaker::new(440.0, &Codec::pcma(), 7);
    press(&mut wire, &mut phone, 1, '3', 100, 3);
    let told = wire.told();
    assert!(told.contains(&LegEvent::Digit { leg: B, digit: digit('3'), duration_ms: 100 }), "{told:?}");
}
