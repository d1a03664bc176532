//! How a program knows that an event comes from us: signatures after the Standard Webhooks specification.
//!
//! Three headers come with each event: `webhook-id`, `webhook-timestamp` (seconds since 1970) and
//! `webhook-signature`: for each secret that holds, `v1,` and the base64 of HMAC-SHA256 over
//! `<id>.<timestamp>.<body>`, with a space between them.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret that a program and Tandem share. It is written `whsec_` and the base64 of its octets; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Zeroizing<Vec<u8>>);

/// The secrets of one endpoint: the present one, and while it is being replaced the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// The one that was given out last.
    pub current: SigningSecret,
    /// The one before, and until when it holds, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<(SigningSecret, i64)>,
}

/// This is no secret for signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret is `whsec_` and the base64 of 24 to 64 octets")]
pub struct NotASecret;

impl SigningSecret {
    /// A secret of these octets, drawn at random.
    #[must_use]
    pub fn new(octets: [u8; SECRET_OCTETS]) -> SigningSecret {
        SigningSecret(Zeroizing::new(octets.to_vec()))
    }

    /// Reads it as it is written.
    ///
    /// # Errors
    ///
    /// It is none.
    pub fn parse(text: &str) -> Result<SigningSecret, NotASecret> {
        let octets =
            text.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok()).ok_or(NotASecret)?;
        if SECRET_OCTETS_RANGE.contains(&octets.len()) {
            Ok(SigningSecret(Zeroizing::new(octets)))
        } else {
            Err(NotASecret)
        }
    }

    /// As it is written, for whoever may see it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&*self.0))
    }

    fn sign(&self, id: &str, at_s: i64, body: &[u8]) -> String {
        let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        signing.update(format!("{id}.{at_s}.").as_bytes());
        signing.update(body);
        format!("v1,{}", STANDARD.encode(signing.sign()))
    }
}

impl Secrets {
    /// One secret.
    #[must_use]
    pub fn new(current: SigningSecret) -> Secrets {
        Secrets { current, previous: None }
    }

    /// Another secret from now on; the present one holds until this time as well.
    #[must_use]
    pub fn rotated(self, next: SigningSecret, until_ms: i64) -> Secrets {
        Secrets { current: next, previous: Some((self.current, until_ms)) }
    }

    /// The value of `webhook-signature` at a time in milliseconds since 1970.
    #[must_use]
    pub fn signature(&self, id: &str, now_ms: i64, body: &[u8]) -> String {
        let at_s = now_ms.div_euclid(1_000);
        let current = self.current.sign(id, at_s, body);
        match &self.previous {
            Some((previous, until_ms)) if now_ms < *until_ms => {
                format!("{current} {}", previous.sign(id, at_s, body))
            }
            _ => current,
        }
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(*)")
    }
}

impl Serialize for SigningSecret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reveal())
    }
}

impl<'de> Deserialize<'de> for SigningSecret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<SigningSecret, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        SigningSecret::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Octets of a secret that Tandem draws.
pub const SECRET_OCTETS: usize = 32;

/// Octets that a secret may have (Standard Webhooks, "Signature scheme").
const SECRET_OCTETS_RANGE: std::ops::RangeInclusive<usize> = 24..=64;

const PREFIX: &str = "whsec_";

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification.
    #[test]
    fn the_example_of_the_specification_is_signed_alike() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = Secrets::new(secret).signature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330_123,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign() {
        let (old, new) = (SigningSecret::new([1; 32]), SigningSecret::new([2; 32]));
        let both = Secrets::new(old.clone()).rotated(new.clone(), 5_000);
        let (by_old, by_new) = (old.sign("id", 4, b"x"), new.sign("id", 4, b"x"));
        assert_eq!(both.signature("id", 4_999, b"x"), format!("{by_new} {by_old}"));
        assert_eq!(both.signature("id", 5_000, b"x"), new.sign("id", 5, b"x"));
    }

    #[test]
    fn a_secret_is_read_as_it_is_written_and_never_printed() {
        let secret = SigningSecret::new([7; 32]);
        assert_eq!(SigningSecret::parse(&secret.reveal()), Ok(secret.clone()));
        assert_eq!(
            format!("{:?}", Secrets::new(secret)),
            "Secrets { current: SigningSecret(*), previous: None }"
        );
        for wrong in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!"] {
            assert_eq!(SigningSecret::parse(wrong), Err(NotASecret), "{wrong}");
        }
    }
}
