//! A signed token as text (JWS compact form, RFC 7515 section 7.1): three parts, checked by one algorithm only.
//!
//! Reading one says nothing about whether it is true: [`super::token`] does.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A token taken apart, not yet believed.
pub(crate) struct Jwt<'a, C> {
    /// Which key is said to have signed it.
    pub(crate) kid: String,
    /// What it says.
    pub(crate) claims: C,
    signed: &'a [u8],
    signature: Vec<u8>,
}

/// Why a text is not read as a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwtFault {
    /// It is longer than [`TOKEN_OCTETS_MAX`].
    #[error("longer than a token is")]
    TooLong,
    /// It has not three parts in base64url, or they are no JSON of the expected kind.
    #[error("not a signed token")]
    Malformed,
    /// It is signed by another algorithm than RS256, or not at all.
    #[error("signed by another algorithm than RS256")]
    Algorithm,
    /// It does not say which key signed it.
    #[error("names no key")]
    NoKey,
}

/// The public half of a key that signs tokens.
#[derive(Debug)]
pub(crate) struct VerifyingKey(ParsedPublicKey);

impl<'a, C: DeserializeOwned> Jwt<'a, C> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// See [`JwtFault`].
    pub(crate) fn parse(text: &'a str) -> Result<Self, JwtFault> {
        if text.len() > TOKEN_OCTETS_MAX {
            return Err(JwtFault::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwtFault::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtFault::Malformed)?;
        let header: Header = json(header)?;
        if header.alg != "RS256" {
            return Err(JwtFault::Algorithm);
        }
        // Extensions that must be understood are not (RFC 7515 section 4.1.11).
        if header.crit.is_some() {
            return Err(JwtFault::Malformed);
        }
        let kid = header.kid.filter(|kid| !kid.is_empty()).ok_or(JwtFault::NoKey)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtFault::Malformed)?;
        Ok(Self { kid, claims: json(claims)?, signed: signed.as_bytes(), signature })
    }

    /// Whether this key signed it.
    pub(crate) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.0.verify_sig(self.signed, &self.signature).is_ok()
    }
}

impl VerifyingKey {
    /// From the modulus and exponent of a JSON Web Key (RFC 7518 section 6.3.1); `None` if they are no RSA key of
    /// 2048 to 8192 bits.
    pub(crate) fn rsa(n: &str, e: &str) -> Option<Self> {
        let n = URL_SAFE_NO_PAD.decode(n).ok()?;
        let e = URL_SAFE_NO_PAD.decode(e).ok()?;
        if !(MODULUS_OCTETS_MIN..=MODULUS_OCTETS_MAX).contains(&n.len()) {
            return None;
        }
        let components = RsaPublicKeyComponents { n, e };
        components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok().map(Self)
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, JwtFault> {
    let octets = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtFault::Malformed)?;
    serde_json::from_slice(&octets).map_err(|_| JwtFault::Malformed)
}

/// Octets of a token: one with 200 groups has about 10,000. A longer one is refused unread.
pub const TOKEN_OCTETS_MAX: usize = 16 * 1024;

const MODULUS_OCTETS_MIN: usize = 256;
const MODULUS_OCTETS_MAX: usize = 1024;
