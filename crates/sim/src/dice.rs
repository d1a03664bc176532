//! Seeded chance: the same seed rolls the same dice, on every machine.

use std::time::Duration;

/// A die of its own for one matter of one run, so that leaving out one matter does not change the others.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of the matter with this name and number in the run of this seed.
    pub fn of(seed: u64, matter: &str, number: u64) -> Dice {
        let name = matter.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut dice = Dice(seed ^ name.rotate_left(17) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.roll();
        Dice(dice.roll())
    }

    /// A number below `sides`; 0 if there are none.
    pub fn below(&mut self, sides: u64) -> u64 {
        // The bias of the remainder is of no matter at these sizes.
        self.roll().checked_rem(sides).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A time from `least` to `most` milliseconds, with a fraction.
    pub fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_micros(self.between(least * 1000, most * 1000))
    }

    /// A time from `least` to `most` seconds, with a fraction.
    pub fn seconds(&mut self, least: u64, most: u64) -> Duration {
        self.millis(least * 1000, most * 1000)
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_matter_has_dice_of_its_own_and_they_are_the_same_every_time() {
        let roll = |matter, number| Dice::of(7, matter, number).below(1_000_000);
        assert_eq!(roll("caller", 1), roll("caller", 1));
        assert_ne!(roll("caller", 1), roll("caller", 2));
        assert_ne!(roll("caller", 1), roll("agent", 1));
    }

    #[test]
    fn all_sides_come() {
        let mut dice = Dice::of(1, "sides", 0);
        let mut seen = [0; 6];
        for _ in 0..6000 {
            seen[usize::try_from(dice.below(6)).expect("below six")] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }
}
