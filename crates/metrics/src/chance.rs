//! Chance from a seed: the same seed draws the same.

use std::f64::consts::TAU;

/// A generator of numbers that look drawn by lot (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The draws of this seed.
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// From 0, excluded, to 1, included: its logarithm is a number.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 1.0) / (1u64 << 53) as f64
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (TAU * self.unit()).cos()
    }

    /// A place in something of this length; 0 if it is empty.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        ((u128::from(self.next()) * length as u128) >> 64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_of_their_distribution() {
        let mut chance = Chance::new(1);
        let count = 200_000;
        let mean = |draw: &mut dyn FnMut() -> f64| (0..count).map(|_| draw()).sum::<f64>() / f64::from(count);
        assert!((mean(&mut || chance.unit()) - 0.5).abs() < 0.005);
        assert!((mean(&mut || chance.exponential()) - 1.0).abs() < 0.01);
        assert!(mean(&mut || chance.normal()).abs() < 0.01);
        assert!((mean(&mut || chance.normal().powi(2)) - 1.0).abs() < 0.02);
        assert!((mean(&mut || chance.index(5) as f64) - 2.0).abs() < 0.02);
    }
}
