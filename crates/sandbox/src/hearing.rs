//! Sound that came: which tone it is, how loud, or that there is none.

use std::time::{Duration, Instant};

use tandem_media::tone::share;

use crate::event::Sound;

/// Listens to one stream of samples, in windows of 200 ms.
#[derive(Debug)]
pub struct Hearing {
    samples: Vec<i16>,
    /// What the last window sounded like, and how often in a row.
    latest: Option<(Sound, u32)>,
    /// What was told last.
    told: Option<Sound>,
    last_packet: Option<Instant>,
    level_db: Option<i16>,
}

impl Hearing {
    /// Has heard nothing.
    pub fn new() -> Self {
        Self { samples: Vec::new(), latest: None, told: None, last_packet: None, level_db: None }
    }

    /// Takes samples; tells what it sounds like when that has changed and lasts.
    pub fn handle(&mut self, now: Instant, samples: &[i16]) -> Option<Sound> {
        self.last_packet = Some(now);
        self.samples.extend_from_slice(samples);
        let window: Vec<i16> = self.samples.drain(..self.samples.len() / WINDOW * WINDOW).collect();
        let mut changed = None;
        for window in window.chunks_exact(WINDOW) {
            let level = level_db(window);
            self.level_db = Some(level);
            changed = self.settle(classify(window, level)).or(changed);
        }
        changed
    }

    /// Tells when packets have ceased to come.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Sound> {
        let last = self.last_packet?;
        if now.saturating_duration_since(last) < CEASED || self.told == Some(Sound::Nothing) {
            return None;
        }
        self.samples.clear();
        self.latest = None;
        self.level_db = None;
        self.told = Some(Sound::Nothing);
        Some(Sound::Nothing)
    }

    /// What it sounds like now.
    pub fn now(&self) -> Option<Sound> {
        self.told
    }

    /// How loud the last window was, in dB below full scale (a negative number).
    pub fn level_db(&self) -> Option<i16> {
        self.level_db
    }

    fn settle(&mut self, sound: Sound) -> Option<Sound> {
        let times = match self.latest {
            Some((before, times)) if same(before, sound) => times + 1,
            _ => 1,
        };
        self.latest = Some((sound, times));
        let lasts = if sound == Sound::Silence { SILENT_WINDOWS } else { SOUNDING_WINDOWS };
        let news = times >= lasts && !self.told.is_some_and(|told| same(told, sound));
        if news {
            self.told = Some(sound);
        }
        news.then_some(sound)
    }
}

impl Default for Hearing {
    fn default() -> Self {
        Self::new()
    }
}

fn same(one: Sound, other: Sound) -> bool {
    match (one, other) {
        (Sound::Tone(a), Sound::Tone(b)) => a.abs_diff(b) <= PITCH_SPREAD_HZ,
        _ => one == other,
    }
}

fn classify(window: &[i16], level: i16) -> Sound {
    if level < SILENCE_DB {
        return Sound::Silence;
    }
    match pitch(window) {
        Some(hz) if share(window, hz) > TONE_SHARE => Sound::Tone(hz.round() as u16),
        _ => Sound::Other,
    }
}

/// The pitch of a tone by its passages through zero upwards, the time between them taken with parts of samples.
fn pitch(window: &[i16]) -> Option<f32> {
    let mut passages = window.windows(2).enumerate().filter_map(|(at, pair)| {
        let (low, high) = (f32::from(*pair.first()?), f32::from(*pair.get(1)?));
        (low < 0.0 && high >= 0.0).then(|| at as f32 + low / (low - high))
    });
    let first = passages.next()?;
    let (mut last, mut count) = (first, 0_u32);
    for passage in passages {
        last = passage;
        count += 1;
    }
    (count > 10).then(|| 8000.0 * count as f32 / (last - first))
}

fn level_db(window: &[i16]) -> i16 {
    let energy: f64 = window.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    let mean = energy / window.len().max(1) as f64 / (32768.0 * 32768.0);
    if mean <= 1e-10 { -100 } else { (10.0 * mean.log10()).round() as i16 }
}

/// Samples of a window: 200 ms.
const WINDOW: usize = 1600;
/// So many windows in a row make a sound.
const SOUNDING_WINDOWS: u32 = 2;
/// So many make silence: more than a pause between words.
const SILENT_WINDOWS: u32 = 5;
/// Below this it is silence.
const SILENCE_DB: i16 = -50;
/// The share of the energy at one pitch from which on it is a tone.
const TONE_SHARE: f32 = 0.7;
/// Tones nearer than this are one.
pub const PITCH_SPREAD_HZ: u16 = 8;
/// After so long without a packet nothing is heard.
const CEASED: Duration = Duration::from_millis(600);

#[cfg(test)]
mod tests {
    use tandem_media::codec::Law;
    use tandem_media::g711;
    use tandem_media::tone::Tone;

    use super::*;

    fn hear(hearing: &mut Hearing, now: Instant, samples: &[i16]) -> Vec<Sound> {
        samples.chunks(160).filter_map(|frame| hearing.handle(now, frame)).collect()
    }

    #[test]
    fn a_tone_through_g711_is_heard_once_at_its_pitch() {
        let now = Instant::now();
        for hz in [300_u16, 440, 1000, 1430, 3400] {
            for law in [Law::Mu, Law::A] {
                let coded = Tone::new(f32::from(hz)).samples(8000);
                let coded: Vec<_> = coded.iter().map(|s| g711::decode(law, g711::encode(law, *s))).collect();
                let [Sound::Tone(heard)] = hear(&mut Hearing::new(), now, &coded)[..] else {
                    panic!("{hz} {law:?}");
                };
                assert!(heard.abs_diff(hz) <= 2, "{heard} for {hz}");
            }
        }
    }

    #[test]
    fn two_tones_at_once_are_no_tone() {
        let (one, two) = (Tone::new(440.0).samples(8000), Tone::new(990.0).samples(8000));
        let both: Vec<i16> = one.iter().zip(&two).map(|(a, b)| a / 2 + b / 2).collect();
        assert_eq!(hear(&mut Hearing::new(), Instant::now(), &both), [Sound::Other]);
    }

    #[test]
    fn changes_are_told_silence_and_the_end_of_packets_too() {
        let start = Instant::now();
        let mut hearing = Hearing::new();
        let tone = Tone::new(500.0).samples(4800);
        assert_eq!(hear(&mut hearing, start, &tone), [Sound::Tone(500)]);
        assert_eq!(hear(&mut hearing, start, &[0; 8000]), [Sound::Silence]);
        assert_eq!(hearing.level_db(), Some(-100));
        assert_eq!(hearing.handle_timeout(start + CEASED), Some(Sound::Nothing));
        assert_eq!(hearing.handle_timeout(start + 2 * CEASED), None);
        assert_eq!(hear(&mut hearing, start, &tone), [Sound::Tone(500)]);
    }
}
