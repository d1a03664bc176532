//! WWW-Authenticate, Proxy-Authenticate and what answers them (RFC 7616, RFC 8760): scheme and parameters.

use super::HeaderError;
use crate::grammar::{List, is_token, trim, trim_start};

/// A scheme with its parameters: `Digest realm="x", nonce="y"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthValue<'a> {
    /// `Digest`, or another scheme.
    pub scheme: &'a [u8],
    params: &'a [u8],
}

impl<'a> AuthValue<'a> {
    /// Reads a challenge or an authorization.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let value = trim(value);
        let end = value.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(value.len());
        let (scheme, params) = value.split_at(end);
        if !is_token(scheme) {
            return Err(HeaderError::Malformed);
        }
        Ok(Self { scheme, params: trim_start(params) })
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }

    /// The first parameter of that name, without its quotes; backslashes stay, since digests are made with them.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        List::new(self.params).find_map(|param| {
            let equals = memchr::memchr(b'=', param)?;
            let (key, value) = (trim(&param[..equals]), trim(&param[equals + 1..]));
            key.eq_ignore_ascii_case(name.as_bytes())
                .then(|| value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value))
        })
    }

    /// Whether a parameter that is a list, such as `qop`, holds that token.
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.get(name)
            .is_some_and(|list| List::new(list).any(|item| item.eq_ignore_ascii_case(token.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_may_be_quoted_and_spaced() {
        let value = AuthValue::parse(
            b"Digest  realm = \"a, \\\"b\\\"\" ,nonce=\"84a4c=\", qop=\"auth,auth-int\", STALE=TRUE, algorithm=SHA-256",
        )
        .unwrap();
        assert!(value.is_digest());
        assert_eq!(value.get("realm"), Some(&b"a, \\\"b\\\""[..]));
        assert_eq!(value.get("nonce"), Some(&b"84a4c="[..]));
        assert_eq!(value.get("stale"), Some(&b"TRUE"[..]));
        assert!(value.lists("qop", "auth") && !value.lists("qop", "aut"));
        assert_eq!(value.get("opaque"), None);
        assert_eq!(AuthValue::parse(b""), Err(HeaderError::Malformed));
    }
}
