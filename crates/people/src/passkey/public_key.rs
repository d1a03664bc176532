//! The public half of a passkey.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde::{Deserialize, Serialize};

use super::PasskeyFault;
use super::cbor::{Key, Reader};

/// How a passkey signs (IANA COSE Algorithms).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA with P-256 and SHA-256: nearly every authenticator.
    Es256,
    /// RSA, PKCS #1 v1.5, with SHA-256: older TPMs, behind Windows Hello.
    Rs256,
}

impl Algorithm {
    /// Every one that is taken, the one that is liked best first.
    pub const ALL: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256];

    /// Its number in COSE.
    pub const fn cose(self) -> i64 {
        match self {
            Algorithm::EdDsa => -8,
            Algorithm::Es256 => -7,
            Algorithm::Rs256 => -257,
        }
    }
}

/// A key that signatures are checked with. It was found to be one when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// ES256: the uncompressed point. EdDSA: the 32 bytes. RS256: the exponent's length in one byte, exponent, modulus.
    #[serde(with = "base64url")]
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Reads a COSE_Key (RFC 9052 section 7) at the beginning of the bytes, and gives what follows it.
    pub(super) fn read(bytes: &[u8]) -> Result<(PublicKey, &[u8]), PasskeyFault> {
        let mut reader = Reader::new(bytes);
        let parameters = Parameters::read(&mut reader).ok_or(PasskeyFault::Key)?;
        let algorithm = parameters.number(ALGORITHM).ok_or(PasskeyFault::Key)?;
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.cose() == algorithm);
        let algorithm = algorithm.ok_or(PasskeyFault::Algorithm)?;
        let bytes = parameters.key_bytes(algorithm).ok_or(PasskeyFault::Key)?;
        let key = PublicKey { algorithm, bytes };
        key.parsed()?;
        Ok((key, reader.rest()))
    }

    /// How the passkey signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks a signature (section 6.5.5: ES256 signatures are DER).
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), PasskeyFault> {
        self.parsed()?.verify_sig(message, signature).map_err(|_| PasskeyFault::Signature)
    }

    fn parsed(&self) -> Result<ParsedPublicKey, PasskeyFault> {
        match self.algorithm {
            Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, &self.bytes).map_err(|_| PasskeyFault::Key),
            Algorithm::Es256 => {
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.bytes).map_err(|_| PasskeyFault::Key)
            }
            Algorithm::Rs256 => {
                let (e_bytes, rest) = self.bytes.split_first().ok_or(PasskeyFault::Key)?;
                let (e, n) = rest.split_at_checked(usize::from(*e_bytes)).ok_or(PasskeyFault::Key)?;
                let components = RsaPublicKeyComponents { n, e };
                components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| PasskeyFault::Key)
            }
        }
    }
}

/// The parameters of a COSE_Key that are looked at.
#[derive(Default)]
struct Parameters<'a> {
    numbers: BTreeMap<i64, i64>,
    texts: BTreeMap<i64, &'a [u8]>,
}

impl<'a> Parameters<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Parameters<'a>> {
        let mut parameters = Parameters::default();
        let count = reader.map().filter(|count| *count <= PARAMETERS_MAX)?;
        for _ in 0..count {
            let Key::Number(label) = reader.key()? else { return None };
            // The labels of key type, algorithm and curve have numbers, the others bytes; that of the curve is the modulus
            // of an RSA key.
            let mut ahead = Reader::new(reader.rest());
            let is_new = if let Some(bytes) = ahead.bytes() {
                parameters.texts.insert(label, bytes).is_none() && !parameters.numbers.contains_key(&label)
            } else {
                ahead = Reader::new(reader.rest());
                let number = ahead.number()?;
                parameters.numbers.insert(label, number).is_none() && !parameters.texts.contains_key(&label)
            };
            if !is_new {
                return None;
            }
            *reader = ahead;
        }
        Some(parameters)
    }

    fn number(&self, label: i64) -> Option<i64> {
        self.numbers.get(&label).copied()
    }

    fn bytes(&self, label: i64) -> Option<&'a [u8]> {
        self.texts.get(&label).copied()
    }

    fn key_bytes(&self, algorithm: Algorithm) -> Option<Vec<u8>> {
        let is_of = |kind, curve| self.number(KEY_TYPE) == Some(kind) && self.number(CURVE) == Some(curve);
        match algorithm {
            Algorithm::EdDsa => {
                let x = self.bytes(X).filter(|x| is_of(KEY_TYPE_OKP, CURVE_ED25519) && x.len() == 32)?;
                Some(x.to_vec())
            }
            Algorithm::Es256 => {
                let (x, y) = (self.bytes(X)?, self.bytes(Y)?);
                let fits = is_of(KEY_TYPE_EC2, CURVE_P256) && x.len() == 32 && y.len() == 32;
                fits.then(|| [&[UNCOMPRESSED], x, y].concat())
            }
            Algorithm::Rs256 => {
                let (n, e) = (self.bytes(RSA_MODULUS)?, self.bytes(RSA_EXPONENT)?);
                let e_bytes =
                    u8::try_from(e.len()).ok().filter(|e_bytes| *e_bytes <= RSA_EXPONENT_BYTES_MAX)?;
                let fits = self.number(KEY_TYPE) == Some(KEY_TYPE_RSA) && n.len() <= RSA_MODULUS_BYTES_MAX;
                fits.then(|| [&[e_bytes], e, n].concat())
            }
        }
    }
}

mod base64url {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        URL_SAFE_NO_PAD.decode(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

// IANA COSE Key Common Parameters, Key Type Parameters, Key Types and Elliptic Curves.
const KEY_TYPE: i64 = 1;
const ALGORITHM: i64 = 3;
const CURVE: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const RSA_MODULUS: i64 = -1;
const RSA_EXPONENT: i64 = -2;
const KEY_TYPE_OKP: i64 = 1;
const KEY_TYPE_EC2: i64 = 2;
const KEY_TYPE_RSA: i64 = 3;
const CURVE_P256: i64 = 1;
const CURVE_ED25519: i64 = 6;
/// What a point begins with that gives both coordinates (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 0x04;
/// Most parameters of a key; a key with more is refused. Ours have four or five.
const PARAMETERS_MAX: u64 = 8;
/// Longest modulus, in bytes: 8192 bits. A longer one is refused.
const RSA_MODULUS_BYTES_MAX: usize = 1024;
/// Longest exponent, in bytes. A longer one is refused; nearly all are 65537.
const RSA_EXPONENT_BYTES_MAX: u8 = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes: Vec<u8>) {
            let _ = PublicKey::read(&bytes);
        }
    }

    #[test]
    fn a_point_off_the_curve_is_no_key() {
        let mut bytes = vec![0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32];
        bytes.extend([1; 32]);
        bytes.extend([0x22, 0x58, 32]);
        bytes.extend([1; 32]);
        assert_eq!(PublicKey::read(&bytes), Err(PasskeyFault::Key));
    }

    #[test]
    fn a_key_of_another_kind_is_refused_as_that() {
        // kty EC2, alg ES384.
        assert_eq!(PublicKey::read(&[0xa2, 1, 2, 3, 0x38, 0x22]), Err(PasskeyFault::Algorithm));
        // The algorithm twice.
        assert_eq!(PublicKey::read(&[0xa3, 1, 2, 3, 0x26, 3, 0x26]), Err(PasskeyFault::Key));
    }
}
