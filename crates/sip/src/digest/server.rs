//! The side that asks for a password: for carriers in tests and the sandbox, and for phones that register.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::{Algorithm, Asker, Proof, push_quoted};
use crate::header::{AuthValue, HeaderName};
use crate::message::RawMessage;
use crate::uri::Uri;

/// Makes challenges for one realm and checks the answers.
///
/// A nonce lives for [`NONCE_LIFETIME`], each count of it is good once.
#[derive(Debug)]
pub struct DigestServer {
    realm: Box<[u8]>,
    asker: Asker,
    algorithms: Box<[Algorithm]>,
    issued: BTreeMap<Vec<u8>, Issued>,
}

#[derive(Debug)]
struct Issued {
    at: Instant,
    last_count: u32,
}

/// Why a request was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No answer to a challenge of this realm: challenge.
    #[error("the request has no credentials for this realm")]
    NoCredentials,
    /// The nonce is too old, was never given, or its count was seen before: challenge with `stale`.
    #[error("the nonce is not valid any more")]
    Stale,
    /// Unknown user or wrong password.
    #[error("the credentials are wrong")]
    Wrong,
    /// An answer that does not follow the rules: 400.
    #[error("the credentials are malformed")]
    Malformed,
}

/// How long a nonce may be used.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// Nonces remembered at once. At the limit the oldest is forgotten: its user is asked again.
pub const NONCES_MAX: usize = 4096;

impl DigestServer {
    /// A server that accepts each of the algorithms and offers them in the order given.
    pub fn new(realm: &[u8], asker: Asker, algorithms: &[Algorithm]) -> Self {
        Self { realm: realm.into(), asker, algorithms: algorithms.into(), issued: BTreeMap::new() }
    }

    /// New challenges, one header per algorithm, for a response with the status of the [`Asker`].
    pub fn challenge(
        &mut self,
        now: Instant,
        random: u128,
        stale: bool,
    ) -> Vec<(HeaderName<'static>, Vec<u8>)> {
        let nonce = super::hex(&random.to_be_bytes());
        self.forget_old(now);
        self.issued.insert(nonce.clone(), Issued { at: now, last_count: 0 });
        self.algorithms
            .iter()
            .map(|algorithm| {
                let mut value = b"Digest realm=\"".to_vec();
                value.extend_from_slice(&self.realm);
                value.push(b'"');
                push_quoted(&mut value, "nonce", &nonce);
                let stale = if stale { ", stale=true" } else { "" };
                let _ = write!(value, ", algorithm={}, qop=\"auth\"{stale}", algorithm.as_str());
                (self.asker.challenge_header(), value)
            })
            .collect()
    }

    /// Checks a request; the name of its user if it may pass. `password_of` knows the users.
    pub fn verify(
        &mut self,
        now: Instant,
        request: &RawMessage,
        password_of: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, Denied> {
        let answer = request
            .headers(self.asker.answer_header())
            .filter_map(|value| AuthValue::parse(value).ok())
            .find(|answer| answer.is_digest() && answer.get("realm") == Some(&self.realm))
            .ok_or(Denied::NoCredentials)?;
        let needed = |name| answer.get(name).ok_or(Denied::Malformed);
        let (user, nonce, uri) = (needed("username")?, needed("nonce")?, needed("uri")?);
        let (cnonce, count) = (needed("cnonce")?, needed("nc")?);
        let algorithm = answer.get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::from_bytes);
        let algorithm = algorithm.filter(|known| self.algorithms.contains(known)).ok_or(Denied::Malformed)?;
        let (method, request_uri) =
            request.request_method().zip(request.request_uri()).ok_or(Denied::Malformed)?;
        if !same_uri(uri, request_uri) {
            return Err(Denied::Malformed);
        }
        let number = count_of(count).ok_or(Denied::Malformed)?;
        let issued = self.issued.get_mut(nonce).filter(|issued| !is_old(issued, now)).ok_or(Denied::Stale)?;
        let user = crate::grammar::unquote_inner(user).into_owned();
        let password = password_of(&user).ok_or(Denied::Wrong)?;
        let proof = Proof {
            algorithm,
            user: &user,
            realm: &self.realm,
            password: &password,
            nonce,
            auth: Some((count, cnonce)),
            method: method.as_bytes(),
            uri,
        };
        if !same_proof(&proof.response(), needed("response")?) {
            return Err(Denied::Wrong);
        }
        if number <= issued.last_count {
            return Err(Denied::Stale);
        }
        issued.last_count = number;
        Ok(user)
    }

    fn forget_old(&mut self, now: Instant) {
        self.issued.retain(|_, issued| !is_old(issued, now));
        if self.issued.len() >= NONCES_MAX {
            let oldest =
                self.issued.iter().min_by_key(|(_, issued)| issued.at).map(|(nonce, _)| nonce.clone());
            self.issued.remove(oldest.as_deref().unwrap_or_default());
        }
    }
}

fn is_old(issued: &Issued, now: Instant) -> bool {
    now.saturating_duration_since(issued.at) >= NONCE_LIFETIME
}

fn same_uri(a: &[u8], b: &[u8]) -> bool {
    a == b || matches!((Uri::parse(a), Uri::parse(b)), (Ok(a), Ok(b)) if a.equivalent(&b))
}

fn count_of(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 8)?;
    u32::from_str_radix(text, 16).ok()
}

/// Compares without telling by its time where the first difference is.
fn same_proof(ours: &[u8], theirs: &[u8]) -> bool {
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).fold(0, |sum, (a, b)| sum | (a ^ b.to_ascii_lowercase())) == 0
}
