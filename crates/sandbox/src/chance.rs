//! The one source of chance in the sandbox: a seed reproduces every id, tag, key and choice.

use std::time::Duration;

/// A generator of numbers (SplitMix64). Good enough for a simulator, and for nothing that must stay secret.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// A generator that depends on nothing but the seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own, for a part that must not disturb the others.
    pub fn branch(&mut self) -> Self {
        Self(self.word())
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.word().checked_rem(end).unwrap_or(0)
    }

    /// One of several, `None` of none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len() as u64) as usize)
    }

    /// A number between 0 and 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The time until the next of events that know nothing of each other, of which one comes each `mean` on average.
    pub fn gap(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.unit()).ln())
    }

    /// 32 hexadecimal digits, as Teams writes tags and Call-IDs.
    pub fn hex32(&mut self) -> String {
        format!("{:016x}{:016x}", self.word(), self.word())
    }

    /// A GUID.
    pub fn guid(&mut self) -> String {
        let (a, b) = (self.word(), self.word());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 48 & 0x3fff | 0x8000,
            b & 0xffff_ffff_ffff
        )
    }

    /// So many octets.
    pub fn octets<const N: usize>(&mut self) -> [u8; N] {
        let mut octets = [0; N];
        for chunk in octets.chunks_mut(8) {
            chunk.copy_from_slice(self.word().to_be_bytes().get(..chunk.len()).unwrap_or_default());
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_reproduces() {
        let (mut one, mut two) = (Chance::new(7), Chance::new(7));
        assert_eq!((one.guid(), one.hex32()), (two.guid(), two.hex32()));
        assert_ne!(Chance::new(7).word(), Chance::new(8).word());
        assert_ne!(one.octets::<30>(), one.octets::<30>());
    }

    #[test]
    fn a_guid_looks_like_one() {
        let guid = Chance::new(1).guid();
        let lengths: Vec<usize> = guid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }

    #[test]
    fn gaps_have_the_mean_that_was_asked() {
        let mut chance = Chance::new(3);
        let sum: Duration = (0..10_000).map(|_| chance.gap(Duration::from_secs(10))).sum();
        let mean = sum / 10_000;
        assert!((9..=11).contains(&mean.as_secs()), "{mean:?}");
    }
}
