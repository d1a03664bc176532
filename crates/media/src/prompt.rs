//! Sound to be played: announcements and music, ready for the wire.

use std::time::Duration;

use crate::codec::Law;
use crate::g711;

/// A piece of sound, coded beforehand in both laws of G.711. Shared by all who hear it.
#[derive(PartialEq, Eq)]
pub struct Prompt {
    mu: Box<[u8]>,
    a: Box<[u8]>,
}

impl Prompt {
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

/// The longest sound that is kept: music on hold of ten minutes is 9.6 MB in both laws.
pub const PROMPT_MAX: Duration = Duration::from_secs(600);

const SAMPLES_MAX: usize = PROMPT_MAX.as_secs() as usize * 8000;
