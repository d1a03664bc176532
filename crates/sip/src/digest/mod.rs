//! Digest authentication (RFC 8760, RFC 7616, RFC 3261 section 22): proving to know a password without saying it.
//!
//! [`DigestClient`] answers the challenges of carriers, [`DigestServer`] makes and checks them. The quality of
//! protection is `auth`, or none where the challenge offers none (RFC 2069); `auth-int` alone is not supported.

mod client;
mod server;

pub use client::{DigestClient, DigestError, REALMS_MAX};
pub use server::{Denied, DigestServer, NONCE_LIFETIME, NONCES_MAX};

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use crate::header::HeaderName;
use crate::status::StatusCode;

/// A hash function for digests, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `MD5`: broken, and still what most carriers use.
    Md5,
    /// `SHA-256`.
    Sha256,
    /// `SHA-512-256`.
    Sha512T256,
}

impl Algorithm {
    /// All of them, strongest first: the order in which a server offers them.
    pub const ALL: [Self; 3] = [Self::Sha512T256, Self::Sha256, Self::Md5];

    /// The name in the `algorithm` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512T256 => "SHA-512-256",
        }
    }

    /// Reads the name in any case; the variants `-sess` are not known.
    pub fn from_bytes(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Lower-case hexadecimal hash of the parts, joined by colons.
    fn hex(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Md5 => hex_of::<Md5>(parts),
            Self::Sha256 => hex_of::<Sha256>(parts),
            Self::Sha512T256 => hex_of::<Sha512_256>(parts),
        }
    }
}

/// Whether who asks is the other user agent or a proxy between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// 401, WWW-Authenticate, Authorization.
    UserAgent,
    /// 407, Proxy-Authenticate, Proxy-Authorization.
    Proxy,
}

impl Asker {
    /// The status that comes with a challenge.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::UserAgent => StatusCode::UNAUTHORIZED,
            Self::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    /// The header that holds a challenge.
    pub const fn challenge_header(self) -> HeaderName<'static> {
        match self {
            Self::UserAgent => HeaderName::WwwAuthenticate,
            Self::Proxy => HeaderName::ProxyAuthenticate,
        }
    }

    /// The header that answers it.
    pub const fn answer_header(self) -> HeaderName<'static> {
        match self {
            Self::UserAgent => HeaderName::Authorization,
            Self::Proxy => HeaderName::ProxyAuthorization,
        }
    }
}

/// What goes into the response to a challenge.
struct Proof<'a> {
    algorithm: Algorithm,
    user: &'a [u8],
    realm: &'a [u8],
    password: &'a [u8],
    nonce: &'a [u8],
    /// Count (eight hexadecimal digits) and client nonce, with quality of protection `auth`.
    auth: Option<(&'a [u8], &'a [u8])>,
    method: &'a [u8],
    uri: &'a [u8],
}

impl Proof<'_> {
    /// The `response` parameter (RFC 7616 section 3.4.1).
    fn response(&self) -> Vec<u8> {
        let secret = self.algorithm.hex(&[self.user, self.realm, self.password]);
        let request = self.algorithm.hex(&[self.method, self.uri]);
        match self.auth {
            Some((count, cnonce)) => {
                self.algorithm.hex(&[&secret, self.nonce, count, cnonce, b"auth", &request])
            }
            None => self.algorithm.hex(&[&secret, self.nonce, &request]),
        }
    }
}

fn hex_of<H: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = H::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).collect()
}

/// Appends `, name="value"`. Values come out of quotes and go back as they were.
fn push_quoted(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(b", ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    out.extend_from_slice(value);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(algorithm: Algorithm) -> Proof<'static> {
        Proof {
            algorithm,
            user: b"Mufasa",
            realm: b"http-auth@example.org",
            password: b"Circle of Life",
            nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            auth: Some((b"00000001", b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
            method: b"GET",
            uri: b"/dir/index.html",
        }
    }

    /// RFC 7616 section 3.9.1.
    #[test]
    fn vectors_of_rfc_7616() {
        assert_eq!(proof(Algorithm::Md5).response(), b"8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            proof(Algorithm::Sha256).response(),
            b"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    /// RFC 7616 section 3.9.2 as corrected by its erratum 4897, with the plain user name.
    #[test]
    fn vector_of_sha_512_256() {
        let proof = Proof {
            algorithm: Algorithm::Sha512T256,
            user: "J\u{e4}s\u{f8}n Doe".as_bytes(),
            realm: b"api@example.org",
            password: b"Secret, or not?",
            nonce: b"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            auth: Some((b"00000001", b"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v")),
            method: b"GET",
            uri: b"/doe.json",
        };
        assert_eq!(
            proof.response().escape_ascii().to_string(),
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
        );
    }

    /// RFC 2617 section 3.5, and the same without quality of protection.
    #[test]
    fn vectors_of_rfc_2617() {
        let mut proof = Proof {
            algorithm: Algorithm::Md5,
            user: b"Mufasa",
            realm: b"testrealm@host.com",
            password: b"Circle Of Life",
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            auth: Some((b"00000001", b"0a4f113b")),
            method: b"GET",
            uri: b"/dir/index.html",
        };
        assert_eq!(proof.response(), b"6629fae49393a05397450978507c4ef1");
        proof.auth = None;
        assert_eq!(proof.response(), b"670fd8c2df070c60b045671b8b24ff02");
    }
}
