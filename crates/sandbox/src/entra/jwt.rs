//! JSON Web Tokens as text (RFC 7515, RFC 7519): three parts, put together and taken apart.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A token of header and claims, signed by whatever `sign` does.
pub fn write(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = signed_part(header, claims);
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What the signature of a token is over.
pub fn signed_part(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// A token taken apart; nothing is checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts<'a> {
    /// The header, an object.
    pub header: Value,
    /// The claims, an object.
    pub claims: Value,
    /// What the signature is over.
    pub signed: &'a str,
    /// The signature.
    pub signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// Takes a token apart; `None`: it is none, or too long.
    pub fn read(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_OCTETS_MAX {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// A claim that is text.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// A claim that is a moment, in seconds of Unix time.
    pub fn seconds(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim)?.as_i64()
    }

    /// A field of the header that is text.
    pub fn header_text(&self, field: &str) -> Option<&str> {
        self.header.get(field)?.as_str()
    }
}

/// Longer texts are not looked at.
const TOKEN_OCTETS_MAX: usize = 64 * 1024;
