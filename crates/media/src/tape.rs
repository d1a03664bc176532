//! What the far end of a leg says, kept sample by sample in the order in which it was said.
//!
//! Packets are put in their place by their timestamps; what is lost or left out by the far end is silence of the
//! same length. The far end's clock is believed as long as it agrees with ours: a stream that counts anew, or one
//! that lies about the time, goes on from now.

use std::time::{Duration, Instant};

use crate::codec::Law;
use crate::g711;
use crate::leg::{RecordingEnd, RecordingId};
use crate::rtp::Header;

/// A recording that is being made.
pub(crate) struct Tape {
    pub(crate) recording: RecordingId,
    began: Instant,
    max: u64,
    silence: Option<u64>,
    anchor: Option<Anchor>,
    /// The samples that were handed over already.
    handed: u64,
    /// Those that follow: a late packet may still find its place in them.
    waiting: Vec<i16>,
    /// Where the last sound ended that was no silence; `None`: there was none.
    sounded_until: Option<u64>,
}

/// Where a stream's timestamps stand on the tape.
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    place: u64,
}

impl Tape {
    pub(crate) fn begin(
        now: Instant,
        recording: RecordingId,
        max: Duration,
        silence: Option<Duration>,
    ) -> Self {
        Self {
            recording,
            began: now,
            max: samples(max),
            silence: silence.map(samples),
            anchor: None,
            handed: 0,
            waiting: Vec::with_capacity(PIECE_SAMPLES + HELD_BACK_SAMPLES),
            sounded_until: None,
        }
    }

    /// A packet of sound came; `muted` when it is not to be kept: a key was being pressed.
    pub(crate) fn take(&mut self, now: Instant, header: &Header, law: Law, payload: &[u8], muted: bool) {
        let place = self.place(now, header);
        self.fill(place);
        let mut power = 0;
        for (at, byte) in (place..self.max).zip(payload) {
            let sample = if muted { 0 } else { g711::decode(law, *byte) };
            power += u64::from(sample.unsigned_abs()).pow(2);
            let Some(ahead) = at.checked_sub(self.handed) else { continue };
            match usize::try_from(ahead).ok().and_then(|ahead| self.waiting.get_mut(ahead)) {
                Some(earlier) => *earlier = sample,
                None => self.waiting.push(sample),
            }
        }
        if power >= SOUND_POWER * payload.len().max(1) as u64 {
            let until = (place + payload.len() as u64).min(self.max);
            self.sounded_until = Some(self.sounded_until.map_or(until, |before| before.max(until)));
        }
    }

    /// Time passes, also when no packet comes.
    pub(crate) fn pass(&mut self, now: Instant) {
        self.fill(self.by_clock(now).saturating_sub(LATE_SAMPLES));
    }

    /// Why it is over, if it is.
    pub(crate) fn end(&self) -> Option<RecordingEnd> {
        let silent = self.length() - self.sounded_until.unwrap_or(0);
        if self.silence.is_some_and(|most| silent >= most) {
            Some(RecordingEnd::Silence)
        } else if self.length() >= self.max {
            Some(RecordingEnd::Limit)
        } else {
            None
        }
    }

    /// A piece that is ready to be handed over; at the end, all that is left.
    pub(crate) fn piece(&mut self, at_end: bool) -> Option<Box<[i16]>> {
        let ready = self.waiting.len() >= PIECE_SAMPLES + HELD_BACK_SAMPLES;
        let samples = if at_end { self.waiting.len() } else { PIECE_SAMPLES };
        if !ready && (!at_end || samples == 0) {
            return None;
        }
        let piece: Box<[i16]> = self.waiting.drain(..samples.min(PIECE_SAMPLES)).collect();
        self.handed += piece.len() as u64;
        Some(piece)
    }

    /// How many samples are to be kept if it ends like this: silence that ended it is cut off, and nothing but silence
    /// is nothing.
    pub(crate) fn kept(&self, end: RecordingEnd) -> u64 {
        match (end, self.sounded_until) {
            (RecordingEnd::Failed, _) | (_, None) => 0,
            (RecordingEnd::Silence, Some(until)) => (until + ECHO_SAMPLES).min(self.length()),
            (RecordingEnd::Limit | RecordingEnd::Stopped, Some(_)) => self.length(),
        }
    }

    fn length(&self) -> u64 {
        self.handed + self.waiting.len() as u64
    }

    fn by_clock(&self, now: Instant) -> u64 {
        samples(now.saturating_duration_since(self.began))
    }

    fn place(&mut self, now: Instant, header: &Header) -> u64 {
        let by_clock = self.by_clock(now);
        if let Some(anchor) = self.anchor.as_ref().filter(|anchor| anchor.ssrc == header.ssrc) {
            let since = header.timestamp.wrapping_sub(anchor.timestamp).cast_signed();
            let place = anchor.place.checked_add_signed(i64::from(since));
            if let Some(place) = place.filter(|place| place.abs_diff(by_clock) <= DISAGREEMENT_SAMPLES) {
                return place;
            }
        }
        let place = by_clock.max(self.length());
        self.anchor = Some(Anchor { ssrc: header.ssrc, timestamp: header.timestamp, place });
        place
    }

    /// Silence up to a place.
    fn fill(&mut self, place: u64) {
        let missing = place.min(self.max).saturating_sub(self.length());
        let length = self.waiting.len() + usize::try_from(missing).unwrap_or(0);
        self.waiting.resize(length, 0);
    }
}

fn samples(span: Duration) -> u64 {
    u64::try_from(span.as_micros() / 125).unwrap_or(u64::MAX)
}

/// Samples of a piece that is handed over: half a second, so that little is done for each packet.
const PIECE_SAMPLES: usize = 4000;
/// What is held back of a piece for packets that come late: 100 ms.
const HELD_BACK_SAMPLES: usize = 800;
/// When no packet comes, the tape runs so far behind the clock, for those that are on their way: 200 ms.
const LATE_SAMPLES: u64 = 1600;
/// A stream whose timestamps are this far from our clock goes on from now: half a second.
const DISAGREEMENT_SAMPLES: u64 = 4000;
/// What follows the last sound before a silence that ends a recording: 200 ms.
const ECHO_SAMPLES: u64 = 1600;
/// Mean square of a packet's samples from which it is sound: about -48 dB below full scale. The noise of a telephone
/// line is some 15 dB lower, a quiet voice some 10 dB louder.
const SOUND_POWER: u64 = 130 * 130;

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need some instant to begin with")]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn header(packet: u32) -> Header {
        Header::plain(8, packet as u16, 70_000 + packet * 160, 7)
    }

    fn voice(tape: &mut Tape, start: Instant, packets: std::ops::Range<u32>) {
        for packet in packets {
            let now = start + Duration::from_millis(20) * packet;
            let byte = g711::encode(Law::A, 5000 + (packet % 100) as i16);
            tape.take(now, &header(packet), Law::A, &[byte; 160], false);
        }
    }

    fn all(tape: &mut Tape) -> Vec<i16> {
        std::iter::from_fn(|| tape.piece(true)).flatten().collect()
    }

    fn tape(start: Instant, silence: Option<Duration>) -> Tape {
        Tape::begin(start, RecordingId(1), MINUTE, silence)
    }

    #[test]
    fn lost_packets_leave_silence_of_their_length_and_late_ones_find_their_place() {
        let start = Instant::now();
        let mut tape = tape(start, None);
        voice(&mut tape, start, 0..5);
        voice(&mut tape, start, 7..10);
        voice(&mut tape, start, 5..6);
        let sound = all(&mut tape);
        assert_eq!(sound.len(), 10 * 160);
        let sounds: Vec<bool> = sound.chunks(160).map(|frame| frame.iter().all(|s| *s > 4000)).collect();
        assert_eq!(sounds, [true, true, true, true, true, true, false, true, true, true]);
    }

    #[test]
    fn it_is_handed_over_in_pieces_and_nothing_twice() {
        let start = Instant::now();
        let mut tape = tape(start, None);
        let mut sound = 0;
        for packet in 0..500 {
            voice(&mut tape, start, packet..packet + 1);
            if let Some(piece) = tape.piece(false) {
                assert_eq!(piece.len(), PIECE_SAMPLES);
                sound += piece.len();
            }
        }
        assert!(tape.waiting.len() <= PIECE_SAMPLES + HELD_BACK_SAMPLES);
        assert_eq!(sound + all(&mut tape).len(), 500 * 160);
    }

    #[test]
    fn silence_ends_it_and_is_cut_off() {
        let start = Instant::now();
        let mut tape = tape(start, Some(Duration::from_secs(2)));
        voice(&mut tape, start, 0..50);
        assert_eq!(tape.end(), None);
        tape.pass(start + Duration::from_millis(3100));
        assert_eq!(tape.end(), None, "packets of the last 200 ms may be on their way");
        tape.pass(start + Duration::from_millis(3200));
        assert_eq!(tape.end(), Some(RecordingEnd::Silence));
        assert_eq!(tape.kept(RecordingEnd::Silence), 8000 + ECHO_SAMPLES);
    }

    #[test]
    fn a_noisy_line_is_silent_too() {
        let start = Instant::now();
        let mut tape = tape(start, Some(Duration::from_secs(2)));
        for packet in 0..110 {
            let noise: Vec<u8> =
                (0..160).map(|n| g711::encode(Law::Mu, if n % 2 == 0 { 40 } else { -40 })).collect();
            let now = start + Duration::from_millis(20) * packet;
            tape.take(now, &header(packet), Law::Mu, &noise, false);
        }
        assert_eq!(tape.end(), Some(RecordingEnd::Silence));
        assert_eq!(tape.kept(RecordingEnd::Silence), 0, "nobody said anything");
    }

    #[test]
    fn it_is_never_longer_than_it_may_be() {
        let start = Instant::now();
        let mut tape = Tape::begin(start, RecordingId(1), Duration::from_millis(90), None);
        voice(&mut tape, start, 0..20);
        assert_eq!(tape.end(), Some(RecordingEnd::Limit));
        assert_eq!(all(&mut tape).len(), 720);
    }

    #[test]
    fn a_stream_that_counts_anew_goes_on_from_now() {
        let start = Instant::now();
        let mut tape = tape(start, None);
        voice(&mut tape, start, 0..5);
        let now = start + Duration::from_millis(100);
        let byte = g711::encode(Law::A, 5000);
        tape.take(now, &Header::plain(8, 9, 4_000_000_000, 7), Law::A, &[byte; 160], false);
        tape.take(now + MINUTE, &Header::plain(8, 1, 5, 9), Law::A, &[byte; 160], false);
        let sound = all(&mut tape);
        assert_eq!(sound.len(), 8000 * 60);
        assert!(sound[..960].iter().all(|sample| *sample > 4000));
    }

    #[test]
    fn a_key_that_is_pressed_is_not_heard() {
        let start = Instant::now();
        let mut tape = tape(start, Some(Duration::from_secs(1)));
        tape.take(start, &header(0), Law::A, &[g711::encode(Law::A, 9000); 160], true);
        assert_eq!(all(&mut tape), [0; 160]);
        assert_eq!(tape.kept(RecordingEnd::Silence), 0);
    }
}
