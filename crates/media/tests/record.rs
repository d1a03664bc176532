//! What a far end says is recorded: neither what it hears nor its keys.
#![cfg(test)]

mod common;

use std::time::Duration;

use common::wire::{FAR_A, FAR_B, Speaker, Wire, agreed, encrypted};
use tandem_media::codec::Codec;
use tandem_media::dtmf::Digit;
use tandem_media::leg::{LegEvent, PlayId, RecordingEnd, RecordingId};
use tandem_media::negotiate::Negotiated;
use tandem_media::prompt::Prompt;
use tandem_media::tone::share;

const ID: RecordingId = RecordingId(5);
const MINUTE: Duration = Duration::from_secs(60);

fn record(wire: &mut Wire, max: Duration, silence: Option<Duration>) {
    wire.legs[0].record(wire.now, ID, max, silence);
}

fn stop(wire: &mut Wire) {
    wire.legs[0].stop_record(wire.now);
}

/// What was recorded so far, and how it ended.
fn recorded(wire: &mut Wire) -> (Vec<i16>, Option<(RecordingEnd, u64)>) {
    let (mut sound, mut ended) = (Vec::new(), None);
    for event in wire.told() {
        match event {
            LegEvent::Recorded { recording: ID, samples } => sound.extend_from_slice(&samples),
            LegEvent::RecordingEnded { recording: ID, end, samples, .. } => {
                assert!(ended.is_none(), "it ends once");
                ended = Some((end, samples));
            }
            _ => {}
        }
    }
    (sound, ended)
}

#[test]
fn what_is_said_is_recorded_in_either_law_and_what_is_heard_is_not() {
    for codec in [Codec::pcma(), Codec::pcmu()] {
        let mut wire = Wire::bridged(codec.clone(), Codec::pcma());
        let (mut near, mut far) = (Speaker::new(440.0, &codec, 7), Speaker::new(990.0, &Codec::pcma(), 8));
        record(&mut wire, MINUTE, None);
        for _ in 0..100 {
            near.speak(&mut wire, 0, 1);
            let packet = far.packet();
            wire.arrive(1, &packet);
        }
        stop(&mut wire);
        let (sound, ended) = recorded(&mut wire);
        assert_eq!(ended, Some((RecordingEnd::Stopped, 16_000)));
        assert_eq!(sound.len(), 16_000);
        assert!(share(&sound, 440.0) > 0.95);
        assert!(share(&sound, 990.0) < 0.01);
        assert_eq!(wire.rtp[1].len(), 100, "the other hears it all the same");
    }
}

#[test]
fn what_comes_encrypted_is_recorded_in_the_clear() {
    let mut wire = Wire::new();
    wire.configure(0, encrypted(FAR_A, Codec::pcma(), [1; 30], [2; 30]), false);
    let mut sender = tandem_media::srtp::SrtpSender::new(&tandem_media::srtp::SrtpKey::new([2; 30]));
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    record(&mut wire, MINUTE, None);
    for _ in 0..50 {
        let mut packet = speaker.packet();
        let octets = packet.len();
        packet.resize(octets + 64, 0);
        let octets = sender.protect_rtp(&mut packet, octets).unwrap();
        wire.arrive(0, &packet[..octets]);
        wire.pass(Duration::from_millis(20));
    }
    stop(&mut wire);
    let (sound, _) = recorded(&mut wire);
    assert!(share(&sound, 440.0) > 0.95);
}

#[test]
fn what_is_played_meanwhile_is_not_on_it() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let beep =
        std::sync::Arc::new(Prompt::from_samples(&tandem_media::tone::Tone::new(1000.0).samples(4000)));
    wire.legs[0].play(wire.now, PlayId(1), vec![beep], false);
    record(&mut wire, MINUTE, None);
    Speaker::new(440.0, &Codec::pcma(), 7).speak(&mut wire, 0, 50);
    stop(&mut wire);
    let (sound, _) = recorded(&mut wire);
    assert!(share(&sound, 1000.0) < 0.01);
}

#[test]
fn a_speaker_who_falls_silent_ends_it() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    record(&mut wire, MINUTE, Some(Duration::from_secs(3)));
    Speaker::new(440.0, &Codec::pcma(), 7).speak(&mut wire, 0, 100);
    wire.pass(Duration::from_secs(10));
    let (sound, ended) = recorded(&mut wire);
    assert_eq!(ended, Some((RecordingEnd::Silence, 16_000 + 1600)), "what was said, and 200 ms");
    assert!((40_000..52_000).contains(&sound.len()), "told within a second: {}", sound.len());
}

#[test]
fn who_says_nothing_has_left_nothing() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    record(&mut wire, MINUTE, Some(Duration::from_secs(3)));
    wire.pass(Duration::from_secs(10));
    assert_eq!(recorded(&mut wire).1, Some((RecordingEnd::Silence, 0)));
    record(&mut wire, MINUTE, None);
    wire.pass(Duration::from_secs(10));
    stop(&mut wire);
    assert_eq!(recorded(&mut wire).1, Some((RecordingEnd::Stopped, 0)), "nor who hangs up in silence");
}

#[test]
fn it_ends_at_its_limit_to_the_sample() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    record(&mut wire, Duration::from_millis(1990), None);
    Speaker::new(440.0, &Codec::pcma(), 7).speak(&mut wire, 0, 150);
    let (sound, ended) = recorded(&mut wire);
    assert_eq!((sound.len(), ended), (15_920, Some((RecordingEnd::Limit, 15_920))));
}

#[test]
fn another_one_ends_the_one_before() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    record(&mut wire, MINUTE, None);
    speaker.speak(&mut wire, 0, 50);
    wire.legs[0].record(wire.now, RecordingId(6), MINUTE, None);
    assert_eq!(recorded(&mut wire).1, Some((RecordingEnd::Stopped, 8000)));
    speaker.speak(&mut wire, 0, 10);
    stop(&mut wire);
    let ended = wire.told().into_iter().find_map(|event| match event {
        LegEvent::RecordingEnded { recording: RecordingId(6), samples, .. } => Some(samples),
        _ => None,
    });
    assert_eq!(ended, Some(1600));
}

#[test]
fn who_holds_the_call_is_silent_for_so_long() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    record(&mut wire, MINUTE, None);
    speaker.speak(&mut wire, 0, 50);
    let held = Negotiated { receive: false, remote_hold: true, ..agreed(FAR_A, Codec::pcma()) };
    wire.configure(0, held, false);
    speaker.speak(&mut wire, 0, 50);
    wire.configure(0, agreed(FAR_A, Codec::pcma()), false);
    speaker.speak(&mut wire, 0, 50);
    stop(&mut wire);
    let (sound, _) = recorded(&mut wire);
    assert_eq!(sound.len(), 24_000);
    assert!(sound[8000..16_000].iter().all(|sample| *sample == 0));
    assert!(share(&sound[16_000..], 440.0) > 0.95);
}

#[test]
fn the_end_of_the_leg_ends_it() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    record(&mut wire, MINUTE, None);
    Speaker::new(440.0, &Codec::pcma(), 7).speak(&mut wire, 0, 50);
    wire.legs[0].close(wire.now, &mut [0; 1500]);
    assert_eq!(recorded(&mut wire).1, Some((RecordingEnd::Stopped, 8000)));
}

#[test]
fn a_key_is_a_digit_and_not_a_sound() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    let mut speaker = Speaker::new(440.0, &Codec::pcma(), 7);
    record(&mut wire, MINUTE, None);
    speaker.speak(&mut wire, 0, 50);
    // Some telephones send the tone of the key besides.
    let mut tone = Speaker::new(697.0, &Codec::pcma(), 7);
    tone.header = speaker.header;
    let pressed = speaker.header.timestamp;
    for step in 1_u16..=5 {
        let mut head = speaker.header;
        (head.payload_type, head.timestamp) = (101, pressed);
        let mut packet = vec![0; 12];
        head.write(&mut packet);
        packet.extend([Digit::from_char('#').unwrap().event(), 0x0a]);
        packet.extend((step * 160).to_be_bytes());
        wire.arrive(0, &packet);
        tone.speak(&mut wire, 0, 1);
    }
    stop(&mut wire);
    let (sound, _) = recorded(&mut wire);
    assert_eq!(sound.len(), 8000 + 5 * 160);
    assert!(share(&sound[8000..], 697.0) < 0.3, "the first packet after the key's may be heard, no more");
}

#[test]
fn a_codec_that_is_only_passed_through_cannot_be_recorded() {
    let mut wire = Wire::new();
    let other = Codec::named("G722", 8000, 9);
    wire.configure(0, agreed(FAR_B, other), false);
    record(&mut wire, MINUTE, None);
    assert_eq!(recorded(&mut wire).1, Some((RecordingEnd::Failed, 0)));
}
