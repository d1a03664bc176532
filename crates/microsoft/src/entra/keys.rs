//! The keys that sign Entra ID's tokens (JSON Web Key Set, RFC 7517), kept and renewed.
//!
//! Several keys are in use at once, and they change without notice. A token that names an unknown key makes the set be
//! fetched anew, but not more often than [`KeyRules::unknown_pause`]: anybody can name a key that does not exist.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::cloud::{Cloud, TENANT_PLACE};
use super::jwt::VerifyingKey;
use crate::http::{Request, Response};
use crate::id::EntraTenantId;
use crate::time::UnixTime;

/// The keys of one cloud, and when they are to be fetched.
///
/// The shell asks [`KeySet::poll_request`] after everything that may have changed the answer and at
/// [`KeySet::poll_timeout`], sends what it gets, and hands in what came of it.
#[derive(Debug)]
pub struct KeySet {
    address: String,
    rules: KeyRules,
    keys: BTreeMap<String, Vec<Key>>,
    fetched_at: Option<UnixTime>,
    asked_at: Option<UnixTime>,
    is_asking: bool,
    is_missed: bool,
    last_fault: Option<KeysFault>,
}

/// How often keys are fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyRules {
    /// How old the set may become before it is fetched anew. A day at most: a key that Microsoft has withdrawn is
    /// trusted so long.
    pub age_max: Duration,
    /// How long at least between two fetches because of unknown keys or failures.
    pub unknown_pause: Duration,
    /// How long at least between two fetches while there is no key at all, and nobody can come in.
    pub empty_pause: Duration,
    /// How long an answer is awaited before the set is asked for again.
    pub answer_wait: Duration,
}

/// Why a set of keys is not used. The old keys are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeysFault {
    /// No answer came.
    #[error("Entra ID's keys cannot be reached")]
    Unreachable,
    /// The answer had this status.
    #[error("Entra ID's keys were answered with status {0}")]
    Status(u16),
    /// What came is no set of keys, or has more than [`KEYS_MAX`].
    #[error("not a set of keys")]
    Malformed,
    /// It holds no key that can check a token; an empty set would lock everyone out.
    #[error("no usable key in the set")]
    Empty,
}

#[derive(Debug)]
pub(crate) struct Key {
    /// Whose tokens it signs: an issuer, maybe with `{tenantid}`; `None` where the set does not say.
    issuer: Option<String>,
    pub(crate) verifying: VerifyingKey,
}

impl KeySet {
    /// An empty set, to be fetched from this address (`jwks_uri` of the discovery document).
    #[must_use]
    pub fn new(address: impl Into<String>, rules: KeyRules) -> Self {
        Self {
            address: address.into(),
            rules,
            keys: BTreeMap::new(),
            fetched_at: None,
            asked_at: None,
            is_asking: false,
            is_missed: false,
            last_fault: None,
        }
    }

    /// The request to send now, if the set is due; the next one comes after its answer or after
    /// [`KeyRules::answer_wait`].
    pub fn poll_request(&mut self, now: UnixTime) -> Option<Request> {
        (self.poll_timeout()? <= now).then(|| {
            self.asked_at = Some(now);
            self.is_asking = true;
            Request::get(self.address.clone()).header("Accept", "application/json")
        })
    }

    /// When to ask [`KeySet::poll_request`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixTime> {
        let Some(asked_at) = self.asked_at else { return Some(UnixTime(0)) };
        if self.is_asking {
            return Some(asked_at.after(self.rules.answer_wait));
        }
        let aged = self.fetched_at.map_or(UnixTime(0), |at| at.after(self.rules.age_max));
        let wanted = if self.is_missed { UnixTime(0) } else { aged };
        let pause = if self.is_empty() { self.rules.empty_pause } else { self.rules.unknown_pause };
        Some(wanted.max(asked_at.after(pause)))
    }

    /// What came for the request; `None` if nothing did.
    ///
    /// # Errors
    /// The set is not used; the old keys are kept, and it is asked for again after a pause.
    pub fn handle_response(&mut self, now: UnixTime, response: Option<&Response>) -> Result<(), KeysFault> {
        self.is_asking = false;
        match parse(response) {
            Ok(keys) => {
                self.keys = keys;
                self.fetched_at = Some(now);
                self.is_missed = false;
                self.last_fault = None;
                Ok(())
            }
            Err(fault) => {
                self.last_fault = Some(fault);
                Err(fault)
            }
        }
    }

    /// A token named a key that is not here: the set is to be fetched, if that was not done just now.
    pub fn missed(&mut self) {
        self.is_missed = true;
    }

    /// Whether any key is here; without one no token can be checked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How long ago the keys were fetched; `None` if they never were. For health and metrics.
    #[must_use]
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        self.fetched_at.map(|at| now.since(at))
    }

    /// Why the last fetch failed, if it did.
    #[must_use]
    pub fn last_fault(&self) -> Option<KeysFault> {
        self.last_fault
    }

    /// Keys of this name; more than one only where tenants have keys of their own.
    pub(crate) fn named(&self, kid: &str) -> &[Key] {
        self.keys.get(kid).map_or(&[], Vec::as_slice)
    }
}

impl Default for KeyRules {
    fn default() -> Self {
        Self {
            age_max: Duration::from_secs(24 * 60 * 60),
            unknown_pause: Duration::from_secs(60),
            empty_pause: Duration::from_secs(5),
            answer_wait: Duration::from_secs(30),
        }
    }
}

impl KeysFault {
    /// A name for logs and for the API that never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "keys_unreachable",
            Self::Status(_) => "keys_unavailable",
            Self::Malformed => "keys_malformed",
            Self::Empty => "keys_empty",
        }
    }
}

impl Key {
    /// Whether the key may sign tokens of this tenant.
    ///
    /// A key states its issuer as that of version 2, also where it signs tokens of version 1: so it is the tenant in it
    /// that counts, in either form of this cloud.
    pub(crate) fn is_for(&self, cloud: &Cloud, tenant: EntraTenantId) -> bool {
        let Some(issuer) = &self.issuer else { return true };
        let issuer = issuer.replace(TENANT_PLACE, &tenant.to_string());
        cloud.issuer.is(&issuer, tenant) || cloud.issuer_v1.is(&issuer, tenant)
    }
}

fn parse(response: Option<&Response>) -> Result<BTreeMap<String, Vec<Key>>, KeysFault> {
    let response = response.ok_or(KeysFault::Unreachable)?;
    if !response.is_success() {
        return Err(KeysFault::Status(response.status));
    }
    let set: Set = serde_json::from_slice(&response.body).map_err(|_| KeysFault::Malformed)?;
    if set.keys.len() > KEYS_MAX {
        return Err(KeysFault::Malformed);
    }
    let mut keys: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    // A key of another kind is passed over, as RFC 7517 section 5 asks; it must not cost the others.
    for entry in set.keys.into_iter().filter_map(|entry| serde_json::from_value::<Entry>(entry).ok()) {
        let is_ours = entry.kty == "RSA"
            && entry.usage.is_none_or(|usage| usage == "sig")
            && entry.alg.is_none_or(|alg| alg == "RS256");
        let verifying = is_ours.then(|| VerifyingKey::rsa(&entry.n, &entry.e)).flatten();
        if let Some(verifying) = verifying {
            keys.entry(entry.kid).or_default().push(Key { issuer: entry.issuer, verifying });
        }
    }
    if keys.is_empty() { Err(KeysFault::Empty) } else { Ok(keys) }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Entry {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    kid: String,
    n: String,
    e: String,
    issuer: Option<String>,
}

/// Keys in a set: Microsoft has about ten. A larger set is not read.
pub const KEYS_MAX: usize = 100;
