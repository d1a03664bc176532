//! Sound to be played: announcements and music, ready for the wire.

use std::io::Cursor;
use std::time::Duration;

use hound::{SampleFormat, WavReader};

use crate::codec::Law;
use crate::g711;

/// A piece of sound, coded beforehand in both laws of G.711. Shared by all who hear it.
#[derive(PartialEq, Eq)]
pub struct Prompt {
    mu: Box<[u8]>,
    a: Box<[u8]>,
}

impl Prompt {
    /// Reads a WAV file: linear samples of 8 to 32 bits or floats, one or more channels, 8,000 to 48,000 a second.
    ///
    /// Channels are mixed, the pitch is kept. This takes a while (a minute of music some 100 ms): do it when a
    /// prompt is configured, never where packets are moved.
    pub fn from_wav(file: &[u8]) -> Result<Self, PromptError> {
        let mut reader = WavReader::new(Cursor::new(file)).map_err(|error| match error {
            hound::Error::Unsupported => PromptError::Unsupported,
            _ => PromptError::NotWav,
        })?;
        let spec = reader.spec();
        if !(SAMPLE_RATE_MIN..=SAMPLE_RATE_MAX).contains(&spec.sample_rate) {
            return Err(PromptError::SampleRate { hertz: spec.sample_rate });
        }
        if spec.channels == 0 || spec.channels > CHANNELS_MAX {
            return Err(PromptError::Channels { channels: spec.channels });
        }
        let limit = PROMPT_MAX.as_secs() as usize * spec.sample_rate as usize * usize::from(spec.channels);
        if reader.len() as usize > limit {
            return Err(PromptError::TooLong);
        }
        // A head that promises more than the file has would make us reserve room for it.
        if reader.len() as usize * usize::from(spec.bits_per_sample / 8) > file.len() {
            return Err(PromptError::CutOff);
        }
        let samples: Result<Vec<f32>, _> = match spec.sample_format {
            SampleFormat::Float => reader.samples::<f32>().collect(),
            SampleFormat::Int => {
                let scale = 1.0 / (1_i64 << (spec.bits_per_sample - 1)) as f32;
                reader.samples::<i32>().map(|s| Ok(s? as f32 * scale)).collect()
            }
        };
        let samples = samples.map_err(|_: hound::Error| PromptError::CutOff)?;
        let channels = usize::from(spec.channels);
        let mono: Vec<f32> =
            samples.chunks(channels).map(|c| c.iter().sum::<f32>() / channels as f32).collect();
        let sound = if spec.sample_rate == OUR_RATE { mono } else { resample(&mono, spec.sample_rate) };
        let samples: Vec<i16> = sound.iter().map(|s| (s * 32767.0).clamp(-32768.0, 32767.0) as i16).collect();
        if samples.is_empty() {
            return Err(PromptError::Empty);
        }
        Ok(Self::from_samples(&samples))
    }

    /// Sound from samples of 16 bits at 8,000 a second, at most [`PROMPT_MAX`] long; the rest is cut off.
    pub fn from_samples(samples: &[i16]) -> Self {
        let samples = samples.get(..SAMPLES_MAX).unwrap_or(samples);
        let coded = |law| samples.iter().map(|s| g711::encode(law, *s)).collect();
        Self { mu: coded(Law::Mu), a: coded(Law::A) }
    }

    /// How long it sounds.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.mu.len() as u64 * 125)
    }

    /// All of it as bytes of the given law, one for each 125 microseconds.
    pub fn sound(&self, law: Law) -> &[u8] {
        match law {
            Law::Mu => &self.mu,
            Law::A => &self.a,
        }
    }
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt").field("duration", &self.duration()).finish()
    }
}

/// Why a file cannot become a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// Not a WAV file.
    #[error("not a WAV file")]
    NotWav,
    /// A WAV file with compressed sound. The remedy is to save it as 16 bit PCM.
    #[error("the WAV file holds compressed sound: save it as 16 bit PCM")]
    Unsupported,
    /// Sampled too seldom or too often.
    #[error("{hertz} samples a second: {SAMPLE_RATE_MIN} to {SAMPLE_RATE_MAX} are read")]
    SampleRate {
        /// Samples a second.
        hertz: u32,
    },
    /// More channels than any music has.
    #[error("{channels} channels: 1 to {CHANNELS_MAX} are read")]
    Channels {
        /// Channels.
        channels: u16,
    },
    /// Longer than [`PROMPT_MAX`].
    #[error("longer than {} minutes", PROMPT_MAX.as_secs() / 60)]
    TooLong,
    /// The file ends inside its sound.
    #[error("the file ends before its sound does")]
    CutOff,
    /// No sound in it.
    #[error("the file holds no sound")]
    Empty,
}

/// The longest sound that is kept: music on hold of ten minutes is 9.6 MB in both laws.
pub const PROMPT_MAX: Duration = Duration::from_secs(600);

const SAMPLES_MAX: usize = PROMPT_MAX.as_secs() as usize * OUR_RATE as usize;
const OUR_RATE: u32 = 8000;
const SAMPLE_RATE_MIN: u32 = 8000;
const SAMPLE_RATE_MAX: u32 = 48_000;
const CHANNELS_MAX: u16 = 8;
/// Zero crossings of the filter on each side, counted at our rate. More make the edge below 4 kHz steeper; 12
/// keep what would fold back below -50 dB from 4.3 kHz on.
const CROSSINGS: usize = 12;
/// Where the filter begins to fall, as a share of half our rate.
const EDGE: f32 = 0.93;

/// From a higher rate to ours, by a windowed sinc for each of the phases that occur.
fn resample(samples: &[f32], rate: u32) -> Vec<f32> {
    let common = gcd(rate, OUR_RATE);
    let (step, phases) = ((rate / common) as usize, (OUR_RATE / common) as usize);
    let ratio = rate as f32 / OUR_RATE as f32;
    let reach = (CROSSINGS as f32 * ratio).ceil() as usize;
    let taps = 2 * reach + 1;
    let mut filters = vec![0.0_f32; taps * phases];
    for (phase, filter) in filters.chunks_mut(taps).enumerate() {
        let mut sum = 0.0;
        for (tap, weight) in filter.iter_mut().enumerate() {
            let distance = (tap as f32 - reach as f32 - phase as f32 / phases as f32) / ratio;
            *weight = sinc(distance * EDGE) * window(distance / (CROSSINGS as f32 + 1.0));
            sum += *weight;
        }
        for weight in filter.iter_mut() {
            *weight /= sum;
        }
    }
    let count = samples.len() * phases / step;
    let mut out = Vec::with_capacity(count);
    for n in 0..count {
        let (place, phase) = (n * step / phases, n * step % phases);
        let filter = filters.get(phase * taps..(phase + 1) * taps).unwrap_or_default();
        let skipped = reach.saturating_sub(place);
        let heard = samples.get((place + skipped).saturating_sub(reach)..).unwrap_or_default();
        let filter = filter.get(skipped..).unwrap_or_default();
        out.push(filter.iter().zip(heard).map(|(weight, sample)| weight * sample).sum());
    }
    out
}

fn sinc(x: f32) -> f32 {
    let x = x * std::f32::consts::PI;
    if x.abs() < 1e-6 { 1.0 } else { x.sin() / x }
}

/// Blackman's window over -1 to 1.
fn window(x: f32) -> f32 {
    if x.abs() >= 1.0 {
        return 0.0;
    }
    let x = x * std::f32::consts::PI;
    0.42 + 0.5 * x.cos() + 0.08 * (2.0 * x).cos()
}

const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
