//! SRTP with the suite of Direct Routing, AES_CM_128_HMAC_SHA1_80 (RFC 3711, RFC 4568).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// What one side encrypts with: a master key of 16 octets and a master salt of 14 octets.
///
/// Never printed: `Debug` shows a placeholder. Compared in constant time.
#[derive(Clone)]
pub struct SrtpKey([u8; Self::OCTETS]);

impl SrtpKey {
    /// Octets of key and salt together.
    pub const OCTETS: usize = 30;

    /// A key from 30 random octets, handed in by whoever owns the generator.
    pub const fn new(octets: [u8; Self::OCTETS]) -> Self {
        Self(octets)
    }

    /// Reads the base64 form of an `a=crypto` line: 40 characters. Padding is neither needed nor harmful.
    pub fn from_inline(text: &str) -> Option<Self> {
        let octets = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        octets.try_into().ok().map(Self)
    }

    /// The base64 form for an `a=crypto` line. This is the key itself: it belongs into the description only.
    pub fn to_inline(&self) -> String {
        STANDARD.encode(self.0)
    }
}

impl PartialEq for SrtpKey {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq as _;
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SrtpKey {}

impl std::fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SrtpKey(secret)")
    }
}
