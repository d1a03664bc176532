//! What a party says is recorded while the other one hears it.
#![cfg(test)]

mod common;

use std::time::Duration;

use common::{Bench, FarEnd};
use tandem_media::codec::Codec;
use tandem_media::leg::{LegCommand, LegEvent, LegId, RecordingEnd, RecordingId};
use tandem_media::tone;

/// 400 ms, said at once: more would be ahead of the clock.
const PACKETS: usize = 20;

#[test]
fn one_of_two_is_recorded_in_the_clear_and_both_hear_each_other() {
    let mut bench = Bench::new("127.0.23.1", 1);
    let mut a = FarEnd::new("127.0.23.2", Codec::pcma(), 440.0).encrypted();
    let mut b = FarEnd::new("127.0.23.3", Codec::pcmu(), 990.0);
    let (to_a, to_b) = (bench.open(1, 0, &a), bench.open(2, 0, &b));
    bench.bridge(1, 2);
    let (leg, recording) = (LegId(1), RecordingId(9));
    let max = Duration::from_secs(60);
    bench.relay.command(LegCommand::Record { leg, recording, max, silence: None });
    bench.settle(1);
    for _ in 0..PACKETS {
        a.speak(to_a);
        b.speak(to_b);
        b.listen();
        a.listen();
    }
    bench.relay.command(LegCommand::StopRecord { leg });
    let mut sound = Vec::new();
    let (end, samples) = loop {
        let next = bench.wait_for(|event| match event {
            LegEvent::Recorded { recording: RecordingId(9), samples } => Some(Err(samples.to_vec())),
            LegEvent::RecordingEnded { recording: RecordingId(9), end, samples, .. } => {
                Some(Ok((*end, *samples)))
            }
            _ => None,
        });
        match next {
            Ok(ended) => break ended,
            Err(piece) => sound.extend(piece),
        }
    };
    assert_eq!((end, samples), (RecordingEnd::Stopped, sound.len() as u64));
    assert!(sound.len() >= PACKETS * 160);
    // What is said begins when it begins, and a machine that hesitates leaves a gap in it.
    let begin = sound.iter().position(|sample| *sample != 0).unwrap();
    let said = &sound[begin..sound.len().min(begin + PACKETS * 160)];
    assert!(tone::share(said, 440.0) > 0.7);
    assert!(tone::share(&sound, 990.0) < 0.01);
}

#[test]
fn closing_a_leg_ends_its_recording_first() {
    let mut bench = Bench::new("127.0.24.1", 1);
    let a = FarEnd::new("127.0.24.2", Codec::pcma(), 440.0);
    bench.open(1, 0, &a);
    let (leg, recording) = (LegId(1), RecordingId(9));
    bench.relay.command(LegCommand::Record { leg, recording, max: Duration::from_secs(60), silence: None });
    bench.close(1);
    let first = bench.wait_for(|event| match event {
        LegEvent::RecordingEnded { .. } => Some("the recording"),
        LegEvent::Closed { .. } => Some("the leg"),
        _ => None,
    });
    assert_eq!(first, "the recording");
}
