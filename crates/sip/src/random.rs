//! Names that nobody can guess and that a seed reproduces.

use sha2::{Digest, Sha256};

/// Where tags, branches, Call-IDs and back-offs come from.
///
/// Each block is the SHA-256 of the seed and a counter: whoever does not know the seed cannot predict a tag from
/// those seen before, which is what RFC 3261 section 19.3 asks of tags, and equal seeds give equal runs.
#[derive(Debug)]
pub(crate) struct Random {
    seed: u64,
    blocks: u64,
    words: [u64; 4],
    left: usize,
}

impl Random {
    /// A generator that depends on nothing but `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, blocks: 0, words: [0; 4], left: 0 }
    }

    /// The next 64 bits.
    pub(crate) fn word(&mut self) -> u64 {
        if self.left == 0 {
            self.refill();
        }
        self.left -= 1;
        self.words.get(self.left).copied().unwrap_or_default()
    }

    /// A number from 0 to `end` without `end`; 0 if `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // The bias of a remainder is beyond notice: `end` is far below 2^64 everywhere here.
        self.word().checked_rem(end).unwrap_or(0)
    }

    fn refill(&mut self) {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.blocks.to_be_bytes());
        let block = hash.finalize();
        for (word, bytes) in self.words.iter_mut().zip(block.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        self.blocks += 1;
        self.left = self.words.len();
    }
}

/// The 16 hexadecimal digits of a word, as we write it in tags and branches.
pub(crate) fn hex(word: u64) -> [u8; 16] {
    let mut text = [0; 16];
    for (at, digit) in text.iter_mut().enumerate() {
        let nibble = (word >> (60 - 4 * at)) & 0xf;
        *digit = b"0123456789abcdef".get(nibble as usize).copied().unwrap_or(b'0');
    }
    text
}

/// The word behind 16 hexadecimal digits, in either case; `None` for any other text.
pub(crate) fn from_hex(text: &[u8]) -> Option<u64> {
    if text.len() != 16 {
        return None;
    }
    text.iter().try_fold(0_u64, |word, digit| Some(word << 4 | u64::from((*digit as char).to_digit(16)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_reproduces_and_another_differs() {
        let words = |seed| {
            let mut random = Random::new(seed);
            [(); 9].map(|()| random.word())
        };
        assert_eq!(words(7), words(7));
        assert_ne!(words(7), words(8));
    }

    #[test]
    fn words_survive_the_way_through_text() {
        for word in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            assert_eq!(from_hex(&hex(word)), Some(word));
        }
        assert_eq!(from_hex(b"0123456789ABCDEF"), Some(0x0123_4567_89ab_cdef));
        assert_eq!(from_hex(b"0123456789abcdeg"), None);
        assert_eq!(from_hex(b"0123456789abcde"), None);
    }
}
