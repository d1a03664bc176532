//! One stream for the far end, whatever it hears: music, a person, music again.
#![cfg(test)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::wire::{A, FAR_A, FAR_B, Speaker, Wire, agreed, assert_one_stream, encrypted, header, sound};
use tandem_media::codec::{Codec, Law};
use tandem_media::leg::{LegEvent, PlayId, PlayOutcome};
use tandem_media::prompt::Prompt;
use tandem_media::srtp::{SrtpKey, SrtpReceiver};
use tandem_media::tone::{self, Tone};

fn prompt(hz: f32, ms: usize) -> Arc<Prompt> {
    Arc::new(Prompt::from_samples(&Tone::new(hz).samples(ms * 8)))
}

#[test]
fn numbers_and_timestamps_go_on_from_music_to_a_person_and_back() {
    let mut wire = Wire::bridged(Codec::pcmu(), Codec::pcma());
    let mut agent = Speaker::new(440.0, &Codec::pcma(), 7);
    wire.legs[0].play(wire.now, PlayId(1), vec![prompt(1000.0, 500)], true);
    wire.pass(Duration::from_millis(1010));
    let music = wire.rtp[0].len();
    assert!((49..=52).contains(&music), "{music} packets of music in a second");
    wire.legs[0].stop_play();
    wire.pass(Duration::from_millis(3000));
    agent.speak(&mut wire, 1, 50);
    wire.legs[0].play(wire.now, PlayId(2), vec![prompt(2000.0, 400)], false);
    agent.speak(&mut wire, 1, 50);

    assert_one_stream(&wire.rtp[0]);
    let gap = header(&wire.rtp[0][music]).timestamp.wrapping_sub(header(&wire.rtp[0][music - 1]).timestamp);
    assert!((24_000..24_400).contains(&gap), "three seconds of silence are {gap} on the clock");
    assert!(header(&wire.rtp[0][music]).marker, "sound after silence is marked");
    let heard = |packets: &[Vec<u8>], hz| tone::share(&sound(packets, Law::Mu), hz);
    assert!(heard(&wire.rtp[0][..music], 1000.0) > 0.95);
    assert!(heard(&wire.rtp[0][music..music + 50], 440.0) > 0.95);
    assert!(heard(&wire.rtp[0][music + 50..music + 70], 2000.0) > 0.95, "nobody speaks into an announcement");
    assert!(heard(&wire.rtp[0][music + 71..], 440.0) > 0.95, "then the person is heard again");
    let told = wire.told();
    assert!(told.contains(&LegEvent::Played { leg: A, play: PlayId(1), outcome: PlayOutcome::Stopped }));
    assert!(told.contains(&LegEvent::Played { leg: A, play: PlayId(2), outcome: PlayOutcome::Finished }));
}

#[test]
fn a_stream_stays_readable_under_srtp_over_every_change_and_rollover() {
    let (ours, theirs) = ([1; 30], [2; 30]);
    let mut wire = Wire::new();
    wire.configure(0, encrypted(FAR_A, Codec::pcmu(), ours, theirs), false);
    wire.configure(1, agreed(FAR_B, Codec::pcmu()), false);
    wire.bridge();
    let mut far = SrtpReceiver::new(&SrtpKey::new(ours), 0);
    let mut agent = Speaker::new(440.0, &Codec::pcmu(), 7);
    let mut read = 0;
    // 68,000 packets are more than one round of the sequence number.
    for round in 0..34_u64 {
        wire.legs[0].play(wire.now, PlayId(round), vec![prompt(1000.0, 100)], true);
        wire.pass(Duration::from_secs(20));
        wire.legs[0].stop_play();
        agent.speak(&mut wire, 1, 1000);
        for mut packet in std::mem::take(&mut wire.rtp[0]) {
            far.unprotect_rtp(&mut packet).unwrap();
            read += 1;
        }
    }
    assert!(read > 66_000, "{read}");
}

#[test]
fn prompts_follow_each_other_without_a_gap() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    wire.legs[0].play(wire.now, PlayId(1), vec![prompt(500.0, 130), prompt(500.0, 130)], false);
    wire.pass(Duration::from_secs(1));
    assert_eq!(wire.rtp[0].len(), 13);
    assert!(tone::share(&sound(&wire.rtp[0][..12], Law::A), 500.0) > 0.95);
}

#[test]
fn a_far_end_that_wants_longer_packets_gets_them() {
    let mut wire = Wire::new();
    let wish = tandem_media::negotiate::Negotiated { ptime_ms: 60, ..agreed(FAR_A, Codec::pcma()) };
    wire.configure(0, wish, false);
    wire.legs[0].play(wire.now, PlayId(1), vec![prompt(500.0, 600)], false);
    wire.pass(Duration::from_secs(1));
    assert_eq!(wire.rtp[0].len(), 10);
    assert!(wire.rtp[0].iter().all(|p| p.len() == 12 + 480));
}

#[test]
fn what_cannot_be_played_is_told() {
    let mut wire = Wire::new();
    wire.configure(0, agreed(FAR_A, Codec::named("SILK", 16000, 104)), false);
    wire.legs[0].play(wire.now, PlayId(1), vec![prompt(500.0, 600)], false);
    assert_eq!(wire.told(), [LegEvent::Played { leg: A, play: PlayId(1), outcome: PlayOutcome::Unplayable }]);
}

#[test]
fn a_list_without_sound_ends_at_once_even_when_repeated() {
    let mut wire = Wire::bridged(Codec::pcma(), Codec::pcma());
    wire.legs[0].play(wire.now, PlayId(1), vec![Arc::new(Prompt::from_samples(&[]))], true);
    wire.pass(Duration::from_millis(100));
    assert_eq!(wire.told(), [LegEvent::Played { leg: A, play: PlayId(1), outcome: PlayOutcome::Finished }]);
}
