//! A party hears prompts, and reports come beside them.
#![cfg(test)]

mod common;

use std::sync::Arc;

use common::{Bench, FarEnd};
use tandem_media::codec::Codec;
use tandem_media::leg::{LegCommand, LegEvent, LegId, PlayId, PlayOutcome};
use tandem_media::prompt::Prompt;
use tandem_media::rtcp::{self, Packet};
use tandem_media::rtp;
use tandem_media::tone::{self, Tone};

fn play(hz: f32, ms: usize, repeat: bool) -> LegCommand {
    let prompt = Arc::new(Prompt::from_samples(&Tone::new(hz).samples(ms * 8)));
    LegCommand::Play { leg: LegId(1), play: PlayId(7), prompts: vec![prompt], repeat }
}

fn outcome(bench: &Bench) -> PlayOutcome {
    bench.wait_for(|e| match e {
        LegEvent::Played { play: PlayId(7), outcome, .. } => Some(*outcome),
        _ => None,
    })
}

#[test]
fn a_prompt_is_heard_to_its_end() {
    let mut bench = Bench::new("127.0.20.1", 1);
    let mut a = FarEnd::new("127.0.20.2", Codec::pcmu(), 440.0);
    bench.open(1, 0, &a);
    bench.relay.command(play(1000.0, 300, false));
    let heard: Vec<i16> = (0..15).flat_map(|_| a.listen()).collect();
    assert!(tone::share(&heard, 1000.0) > 0.95);
    assert_eq!(outcome(&bench), PlayOutcome::Finished);
}

#[test]
fn music_repeats_until_stopped() {
    let mut bench = Bench::new("127.0.21.1", 1);
    let mut a = FarEnd::new("127.0.21.2", Codec::pcma(), 440.0).encrypted();
    bench.open(1, 0, &a);
    bench.relay.command(play(1000.0, 100, true));
    let heard: Vec<i16> = (0..25).flat_map(|_| a.listen()).collect();
    assert!(tone::share(&heard, 1000.0) > 0.95);
    bench.relay.command(LegCommand::StopPlay { leg: LegId(1) });
    assert_eq!(outcome(&bench), PlayOutcome::Stopped);
}

#[test]
fn a_leg_reports_and_says_goodbye_when_it_closes() {
    let mut bench = Bench::new("127.0.22.1", 1);
    let mut a = FarEnd::new("127.0.22.2", Codec::pcma(), 440.0);
    bench.open(1, 0, &a);
    bench.relay.command(play(1000.0, 100, true));
    let mut reports = 0;
    while reports < 1 {
        let (packet, _) = a.receive();
        if rtp::is_rtcp(&packet) {
            let first = rtcp::packets(&packet).next();
            assert!(matches!(first, Some(Packet::SenderReport { .. })), "{first:?}");
            reports += 1;
        }
    }
    bench.close(1);
    loop {
        let (packet, _) = a.receive();
        if rtcp::packets(&packet).any(|p| matches!(p, Packet::Goodbye { .. })) {
            break;
        }
    }
    let sent = bench.wait_for(|e| match e {
        LegEvent::Closed { report, .. } => Some(report.packets_sent),
        _ => None,
    });
    assert!(sent > 0);
}
