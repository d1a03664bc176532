//! Secrets that people and programs carry: how they are drawn, written, and known again without being kept.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret in the moment in which it is handed out or comes in. It is nowhere kept, and no log shows it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text that is secret.
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text, for its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The SHA-256 of a secret of 256 random bits: enough to know it again, of no use to whoever reads it.
///
/// For what people choose themselves it is far too fast: that is what [`password`](crate::password) is for.
#[derive(Clone, Copy, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash([u8; SecretHash::BYTES]);

impl SecretHash {
    /// Length in bytes.
    pub const BYTES: usize = 32;

    /// The hash of a secret text.
    pub fn of(text: &str) -> SecretHash {
        let mut hash = [0; SecretHash::BYTES];
        hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
        SecretHash(hash)
    }

    /// The hash with these bytes, as it was kept.
    pub const fn from_bytes(bytes: [u8; SecretHash::BYTES]) -> SecretHash {
        SecretHash(bytes)
    }

    /// The bytes, to be kept.
    pub const fn as_bytes(&self) -> &[u8; SecretHash::BYTES] {
        &self.0
    }

    /// The first eight bytes, for a table.
    pub(crate) fn head(&self) -> u64 {
        self.0.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
    }
}

impl PartialEq for SecretHash {
    /// Takes the same time wherever the difference is.
    fn eq(&self, other: &SecretHash) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHash({:08x}..)", self.head() >> 32)
    }
}

/// Writes 256 bits in letters and digits: they pass every header, file and double click.
pub(crate) fn base62(bytes: [u8; 32]) -> String {
    let mut rest = bytes;
    let mut digits: Vec<u8> = Vec::with_capacity(BASE62_CHARS);
    for _ in 0..BASE62_CHARS {
        let mut remainder = 0_u32;
        for byte in &mut rest {
            let value = (remainder << 8) | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(0);
            remainder = value % 62;
        }
        digits.push(digit(remainder));
    }
    digits.reverse();
    digits.into_iter().map(char::from).collect()
}

/// Writes a number as so many letters and digits; what does not fit is left out.
pub(crate) fn base62_number(mut number: u128, chars: usize) -> String {
    let mut digits: Vec<u8> = Vec::with_capacity(chars);
    for _ in 0..chars {
        digits.push(digit(u32::try_from(number % 62).unwrap_or(0)));
        number /= 62;
    }
    digits.reverse();
    digits.into_iter().map(char::from).collect()
}

fn digit(value: u32) -> u8 {
    let value = u8::try_from(value % 62).unwrap_or(0);
    match value {
        0..10 => b'0' + value,
        10..36 => b'A' + (value - 10),
        _ => b'a' + (value - 36),
    }
}

/// Letters and digits of 256 bits.
pub(crate) const BASE62_CHARS: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_secret() {
        let secret = Secret::new("tdk_very_secret".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn all_bits_are_written() {
        assert_eq!(base62([0; 32]), "0".repeat(43));
        let mut one = [0; 32];
        one[31] = 61;
        assert_eq!(base62(one), format!("{}z", "0".repeat(42)));
        one[31] = 62;
        assert_eq!(base62(one), format!("{}10", "0".repeat(41)));
        // 2^256 - 1, reckoned with another program.
        assert_eq!(base62([0xff; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
        assert_eq!(base62_number(62 * 62 + 61, 4), "010z");
    }

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(SecretHash::of("abc").as_bytes()[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
