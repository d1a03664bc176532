//! What can be played: WAV files of the operator, and three sounds that are always there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tandem_center::call::PromptName;
use tandem_media::prompt::{Prompt, PromptError};

/// A file that cannot be a prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptFault {
    /// The file could not be read.
    #[error(
        "{path} cannot be read: {error}; check the path, which starts at the configuration file's folder"
    )]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no WAV file that we can play.
    #[error("{path}: {error}; convert it to WAV, 16 bit, 8 to 48 kHz")]
    Unusable {
        /// Which file.
        path: String,
        /// What is wrong with it.
        error: PromptError,
    },
}

/// Reads a WAV file.
pub fn load(path: &Path) -> Result<Prompt, PromptFault> {
    let bytes = std::fs::read(path)
        .map_err(|error| PromptFault::Unreadable { path: path.display().to_string(), error })?;
    Prompt::from_wav(&bytes)
        .map_err(|error| PromptFault::Unusable { path: path.display().to_string(), error })
}

/// The sounds that exist without a file.
pub fn built_in() -> BTreeMap<PromptName, Arc<Prompt>> {
    [("music", music()), ("ringback", ringback()), ("beep", beep())]
        .into_iter()
        .map(|(name, samples)| (Arc::from(name), Arc::new(Prompt::from_samples(&samples))))
        .collect()
}

/// Samples in a second.
const RATE: u32 = 8000;

/// A calm tune of four broken chords, sixteen seconds, that joins itself without a gap.
fn music() -> Vec<i16> {
    // C major, A minor, F major, G major: each broken upwards and down again.
    const CHORDS: [[f64; 4]; 4] = [
        [261.63, 329.63, 392.00, 523.25],
        [220.00, 261.63, 329.63, 440.00],
        [174.61, 220.00, 261.63, 349.23],
        [196.00, 246.94, 293.66, 392.00],
    ];
    const ORDER: [usize; 8] = [0, 1, 2, 3, 2, 1, 2, 1];
    let note_samples = RATE / 2;
    let total = usize::try_from(note_samples).unwrap_or(0) * ORDER.len() * CHORDS.len();
    let mut mix = vec![0f64; total];
    let mut at = 0;
    for chord in CHORDS {
        for place in ORDER {
            let frequency = chord.get(place).copied().unwrap_or(440.0);
            // A note rings on over the next three, and over the end of the tune into its beginning.
            for (step, sound) in note(frequency, note_samples * 4).enumerate() {
                let index = (at + step) % total;
                if let Some(sample) = mix.get_mut(index) {
                    *sample += sound;
                }
            }
            at += usize::try_from(note_samples).unwrap_or(0);
        }
    }
    mix.into_iter().map(sample).collect()
}

/// A plucked string: three harmonics that begin softly and fade. Turned forward sample by sample rather than computed
/// afresh, because the tune is made at each start of the program.
fn note(frequency: f64, samples: u32) -> impl Iterator<Item = f64> {
    let step = std::f64::consts::TAU * frequency / f64::from(RATE);
    let (turn_sin, turn_cos) = step.sin_cos();
    let fading = (-2.2 / f64::from(RATE)).exp();
    let soft = f64::from(RATE) * 0.02;
    let (mut sin, mut cos, mut loudness) = (0.0, 1.0, 2600.0);
    (0..samples).map(move |n| {
        // sin 2x = 2 sin x cos x; sin 3x = sin x (3 - 4 sin^2 x).
        let sound = sin * (1.0 + 0.70 * cos + 0.12 * (3.0 - 4.0 * sin * sin));
        let value = sound * loudness * (f64::from(n) / soft).min(1.0);
        (sin, cos) = (sin * turn_cos + cos * turn_sin, cos * turn_cos - sin * turn_sin);
        loudness *= fading;
        value
    })
}

/// What a caller hears while a telephone rings: 425 Hz, one second of five.
fn ringback() -> Vec<i16> {
    (0..RATE * 5).map(|n| if n < RATE { tone(425.0, n, 4000.0) } else { 0 }).collect()
}

/// A tone of 1000 Hz, as long as that of other voicemails: 0.6 s.
fn beep() -> Vec<i16> {
    (0..RATE * 3 / 5).map(|n| tone(1000.0, n, 6000.0)).collect()
}

fn tone(frequency: f64, n: u32, amplitude: f64) -> i16 {
    sample((std::f64::consts::TAU * frequency * f64::from(n) / f64::from(RATE)).sin() * amplitude)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16")]
fn sample(value: f64) -> i16 {
    value.round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_sounds_are_audible_and_do_not_clip() {
        for samples in [music(), ringback(), beep()] {
            let loudest = samples.iter().map(|s| s.unsigned_abs()).max().unwrap();
            assert!((3000..30_000).contains(&loudest), "{loudest}");
        }
    }

    #[test]
    fn the_music_joins_itself_without_a_click() {
        let samples = music();
        let step = (i32::from(samples[0]) - i32::from(samples[samples.len() - 1])).abs();
        let largest = samples.windows(2).map(|w| (i32::from(w[0]) - i32::from(w[1])).abs()).max().unwrap();
        assert!(step <= largest, "{step} {largest}");
    }

    #[test]
    fn a_missing_file_is_named_with_the_remedy() {
        let error = load(Path::new("no/such.wav")).unwrap_err().to_string();
        assert!(error.contains("no/such.wav") && error.contains("check the path"), "{error}");
    }
}
