//! Pure tones: made, and found again in what arrived. With them tests prove that sound travels.

use std::f32::consts::TAU;

/// A sine wave at 8,000 samples a second that goes on where it stopped.
#[derive(Clone, Debug)]
pub struct Tone {
    step: f32,
    phase: f32,
    peak: f32,
}

impl Tone {
    /// A tone of `hz` (up to 4000) at -6 dB below full scale.
    pub fn new(hz: f32) -> Self {
        Self { step: TAU * hz / 8000.0, phase: 0.0, peak: 16_000.0 }
    }

    /// The next samples.
    pub fn samples(&mut self, count: usize) -> Vec<i16> {
        let mut next = || {
            let sample = (self.phase.sin() * self.peak) as i16;
            self.phase = (self.phase + self.step) % TAU;
            sample
        };
        std::iter::repeat_with(&mut next).take(count).collect()
    }
}

/// The share (0 to 1) that a tone of `hz` has in the energy of samples at 8,000 a second, by Goertzel's method.
///
/// Near 1 for the tone alone, near 0 for silence, noise and other tones. At least 20 ms are needed to tell tones
/// 50 Hz apart.
pub fn share(samples: &[i16], hz: f32) -> f32 {
    let turn = 2.0 * f64::from(TAU * hz / 8000.0).cos();
    let (mut last, mut before, mut energy) = (0.0_f64, 0.0_f64, 0.0_f64);
    for sample in samples {
        let sample = f64::from(*sample);
        (last, before) = (sample + turn * last - before, last);
        energy += sample * sample;
    }
    if energy == 0.0 {
        return 0.0;
    }
    let power = last * last + before * before - turn * last * before;
    (2.0 * power / (energy * samples.len() as f64)).clamp(0.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_own_pitch_only() {
        let sound = Tone::new(440.0).samples(1600);
        assert!(share(&sound, 440.0) > 0.95);
        assert!(share(&sound, 660.0) < 0.05);
        assert_eq!(share(&[0; 160], 440.0), 0.0);
        assert_eq!(share(&[], 440.0), 0.0);
    }

    #[test]
    fn a_tone_goes_on_where_it_stopped() {
        let whole = Tone::new(1000.0).samples(320);
        let mut tone = Tone::new(1000.0);
        let halves = [tone.samples(160), tone.samples(160)].concat();
        assert_eq!(whole, halves);
    }
}
