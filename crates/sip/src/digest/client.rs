//! The side that is asked for a password.

use std::fmt;
use std::io::Write as _;

use super::{Algorithm, Asker, Proof, push_quoted};
use crate::header::{AuthValue, HeaderName};
use crate::message::RawMessage;
use crate::method::Method;

/// One account with a carrier, and what its servers have asked so far.
///
/// After a 401 or 407 give the response to [`challenged`](Self::challenged), then send the request again with
/// the headers of [`authorizations`](Self::authorizations). These may go on every later request to the same peer,
/// which saves the challenge; [`passed`](Self::passed) says that a request got through.
#[derive(Clone)]
pub struct DigestClient {
    user: Box<[u8]>,
    password: Box<[u8]>,
    realm: Option<Box<[u8]>>,
    realms: Vec<Realm>,
}

/// Why a challenge cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The response has no challenge that this account is meant for.
    #[error("the peer asks for no password of this account")]
    NotForUs,
    /// Only schemes, algorithms or qualities of protection that are not known here.
    #[error("the peer asks for a proof that is not supported")]
    Unsupported,
    /// The peer has seen our proof and asks again: user or password are wrong.
    #[error("the peer did not take the user name and password")]
    Refused,
    /// More realms than [`REALMS_MAX`].
    #[error("too many realms ask for passwords")]
    TooManyRealms,
}

/// Realms that one account answers at once (a request may pass several proxies that ask). One more is an error.
pub const REALMS_MAX: usize = 4;

/// Fresh nonces of a realm that are taken in a row without a request getting through. One more is a refusal.
const STALE_IN_A_ROW_MAX: u8 = 3;

impl DigestClient {
    /// An account; `realm` limits it to challenges of that realm.
    pub fn new(user: &[u8], password: &[u8], realm: Option<&[u8]>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
            realm: realm.map(Into::into),
            realms: Vec::new(),
        }
    }

    /// Takes the challenges of a 401 or 407. Of several for one realm the strongest known is chosen, so that who
    /// sits between cannot force a weaker one by adding it; among equals the topmost (RFC 8760 section 2.4).
    ///
    /// `random` becomes the client nonce; draw it anew each time.
    pub fn challenged(&mut self, response: &RawMessage, random: u64) -> Result<(), DigestError> {
        let mut found = Err(DigestError::NotForUs);
        for asker in [Asker::UserAgent, Asker::Proxy] {
            let asked = self.asked_realms(response, asker.challenge_header());
            for realm in asked {
                self.challenged_by(response, asker, &realm, random)?;
                found = Ok(());
            }
        }
        found
    }

    /// The headers that prove us on a request, one for each realm that has asked. Each call counts as one use.
    pub fn authorizations(&mut self, method: Method<'_>, uri: &[u8]) -> Vec<(HeaderName<'static>, Vec<u8>)> {
        let (user, password) = (&self.user, &self.password);
        self.realms
            .iter_mut()
            .map(|realm| (realm.asker.answer_header(), realm.authorization(user, password, method, uri)))
            .collect()
    }

    /// A request with our proof was not challenged: a later challenge is a new one, not a refusal.
    pub fn passed(&mut self) {
        for realm in &mut self.realms {
            realm.tries = 0;
        }
    }

    /// Realms that ask in this response and that this account answers, each once, at most [`REALMS_MAX`] and one.
    fn asked_realms(&self, response: &RawMessage, header: HeaderName<'static>) -> Vec<Box<[u8]>> {
        let mut asked: Vec<Box<[u8]>> = Vec::new();
        for challenge in response.challenges(header).flatten() {
            let Some(realm) = challenge.get("realm") else { continue };
            let ours = self.realm.as_deref().is_none_or(|only| only == realm);
            if ours && asked.len() <= REALMS_MAX && !asked.iter().any(|known| **known == *realm) {
                asked.push(realm.into());
            }
        }
        asked
    }

    fn challenged_by(
        &mut self,
        response: &RawMessage,
        asker: Asker,
        realm: &[u8],
        random: u64,
    ) -> Result<(), DigestError> {
        let mut strongest: Option<(Algorithm, AuthValue<'_>)> = None;
        for challenge in response.challenges(asker.challenge_header()).flatten() {
            let Some(algorithm) = usable(&challenge).filter(|_| challenge.get("realm") == Some(realm)) else {
                continue;
            };
            if strongest.is_none_or(|(chosen, _)| algorithm > chosen) {
                strongest = Some((algorithm, challenge));
            }
        }
        let (algorithm, challenge) = strongest.ok_or(DigestError::Unsupported)?;
        let stale = challenge.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true"));
        let at = self.realms.iter().position(|known| known.asker == asker && *known.realm == *realm);
        let tries = at.and_then(|at| self.realms.get(at)).map_or(0, |known| known.tries);
        if tries > 0 && (!stale || tries > STALE_IN_A_ROW_MAX) {
            return Err(DigestError::Refused);
        }
        let fresh = Realm::new(asker, realm, algorithm, &challenge, random, tries);
        if let Some(at) = at {
            self.realms.remove(at);
        }
        if self.realms.len() == REALMS_MAX {
            return Err(DigestError::TooManyRealms);
        }
        self.realms.push(fresh);
        Ok(())
    }
}

/// Shows no password.
impl fmt::Debug for DigestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestClient").field("realms", &self.realms.len()).finish_non_exhaustive()
    }
}

/// The algorithm of a challenge that can be answered. Without the parameter it is MD5.
fn usable(challenge: &AuthValue<'_>) -> Option<Algorithm> {
    let auth = challenge.get("qop").is_none() || challenge.lists("qop", "auth");
    if !challenge.is_digest() || challenge.get("nonce").is_none() || !auth {
        return None;
    }
    challenge.get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::from_bytes)
}

/// One realm's challenge and how often it was answered.
#[derive(Clone)]
struct Realm {
    asker: Asker,
    realm: Box<[u8]>,
    nonce: Box<[u8]>,
    opaque: Option<Box<[u8]>>,
    algorithm: Algorithm,
    /// Name the algorithm in the answer: only if the challenge did, for the sake of old servers.
    names_algorithm: bool,
    /// Quality of protection `auth`, with the client nonce; else none.
    cnonce: Option<Vec<u8>>,
    /// Uses of this nonce.
    count: u32,
    /// Answers in a row that did not get through.
    tries: u8,
}

impl Realm {
    fn new(
        asker: Asker,
        realm: &[u8],
        algorithm: Algorithm,
        challenge: &AuthValue<'_>,
        random: u64,
        tries: u8,
    ) -> Self {
        Self {
            asker,
            realm: realm.into(),
            nonce: challenge.get("nonce").unwrap_or_default().into(),
            opaque: challenge.get("opaque").map(Into::into),
            algorithm,
            names_algorithm: challenge.get("algorithm").is_some(),
            cnonce: challenge.get("qop").map(|_| super::hex(&random.to_be_bytes())),
            count: 0,
            tries: tries.saturating_add(1),
        }
    }

    fn authorization(&mut self, user: &[u8], password: &[u8], method: Method<'_>, uri: &[u8]) -> Vec<u8> {
        self.count = self.count.wrapping_add(1);
        let count = format!("{:08x}", self.count);
        let auth = self.cnonce.as_deref().map(|cnonce| (count.as_bytes(), cnonce));
        let proof = Proof {
            algorithm: self.algorithm,
            user,
            realm: &self.realm,
            password,
            nonce: &self.nonce,
            auth,
            method: method.as_bytes(),
            uri,
        };
        let mut out = Vec::with_capacity(ANSWER_BYTES_USUAL);
        out.extend_from_slice(b"Digest username=\"");
        for byte in user {
            if matches!(byte, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
        push_quoted(&mut out, "realm", &self.realm);
        push_quoted(&mut out, "nonce", &self.nonce);
        push_quoted(&mut out, "uri", uri);
        push_quoted(&mut out, "response", &proof.response());
        if self.names_algorithm {
            let _ = write!(out, ", algorithm={}", self.algorithm.as_str());
        }
        if let Some((_, cnonce)) = auth {
            push_quoted(&mut out, "cnonce", cnonce);
            let _ = write!(out, ", qop=auth, nc={count}");
        }
        if let Some(opaque) = &self.opaque {
            push_quoted(&mut out, "opaque", opaque);
        }
        out
    }
}

/// Room made at once for an answer.
const ANSWER_BYTES_USUAL: usize = 384;
