//! The tokens that this installation holds: each is asked for once, kept, and renewed before it is over.
//!
//! The shell asks [`TokenCache::get`]; who is told to fetch does so, and hands in what came. Everyone else who needs the same
//! token meanwhile goes on with the old one, or waits.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::client::TokenGrant;
use super::refusal::{Reason, Refusal};
use crate::id::{EntraTenantId, ObjectId};
use crate::secret::Secret;
use crate::time::UnixTime;

/// Which token: whose, in which tenant, for what.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct TokenKey {
    /// The tenant that gives it.
    pub tenant: EntraTenantId,
    /// For whom it speaks.
    pub holder: Holder,
    /// What it allows: the scopes in the order they are asked for.
    pub scopes: String,
}

/// For whom a token speaks.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Holder {
    /// For this installation.
    App,
    /// For an account that signed in for the installation, such as the one whose subscriptions watch presence.
    Account(ObjectId),
    /// For a person, exchanged for the very token that the person brought.
    OnBehalfOf(ObjectId, TokenHash),
}

/// SHA-256 of a token: tells tokens apart without keeping them.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct TokenHash([u8; 32]);

/// What is held for a [`TokenKey`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Held {
    /// A token that is good.
    Token(Secret),
    /// A token that is good but soon over: use it, and fetch the next. Only one asker is told so.
    Renew(Secret),
    /// None: fetch it. Only one asker is told so.
    Fetch,
    /// None, but someone is fetching it: ask again when that has come.
    Wait,
    /// It was refused just now, and asking again before this time would only be refused again.
    Refused(Refusal, UnixTime),
}

/// Tokens by their key, at most [`TOKENS_MAX`].
#[derive(Debug, Default)]
pub struct TokenCache {
    entries: BTreeMap<TokenKey, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    token: Option<Token>,
    /// Since when it is being fetched.
    fetching: Option<UnixTime>,
    refused: Option<Refused>,
}

#[derive(Debug)]
struct Token {
    token: Secret,
    renew_at: UnixTime,
    expires: UnixTime,
}

#[derive(Debug)]
struct Refused {
    refusal: Refusal,
    until: UnixTime,
    /// Refusals in a row, for waiting ever longer.
    count: u32,
}

impl TokenCache {
    /// What is held for this key now; whoever is told to fetch is remembered, so that nobody else does.
    pub fn get(&mut self, key: &TokenKey, now: UnixTime) -> Held {
        if !self.entries.contains_key(key) {
            self.make_room(now);
        }
        self.entries.entry(key.clone()).or_default().get(now)
    }

    /// What came of a fetch. Tells how it stands now: a refused renewal leaves the old token good.
    pub fn fetched(&mut self, key: &TokenKey, outcome: Result<&TokenGrant, &Refusal>, now: UnixTime) {
        if !self.entries.contains_key(key) {
            self.make_room(now);
        }
        let entry = self.entries.entry(key.clone()).or_default();
        entry.fetching = None;
        match outcome {
            Ok(grant) => {
                let lead = RENEW_LEAD.min(grant.life / 2);
                let expires = now.after(grant.life);
                entry.token = Some(Token {
                    token: grant.access_token.clone(),
                    renew_at: expires.before(lead),
                    expires,
                });
                entry.refused = None;
            }
            Err(refusal) => entry.refuse(refusal, now),
        }
    }

    /// The token did not do: the API it is for refused it, or consent was withdrawn. The next asker fetches another.
    pub fn discard(&mut self, key: &TokenKey, token: &Secret) {
        if let Some(entry) = self.entries.get_mut(key)
            && entry.token.as_ref().is_some_and(|held| held.token == *token)
        {
            entry.token = None;
        }
    }

    /// Forgets everything of a tenant: it was taken off, or has consented anew.
    pub fn forget(&mut self, tenant: EntraTenantId) {
        self.entries.retain(|key, _| key.tenant != tenant);
    }

    /// Forgets what is held for a key, a refusal too: whoever it is for has signed in anew.
    pub fn forget_key(&mut self, key: &TokenKey) {
        self.entries.remove(key);
    }

    /// How many keys are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Below the limit afterwards: the tenth that is over soonest goes, so that this is seldom done.
    fn make_room(&mut self, now: UnixTime) {
        if self.entries.len() < TOKENS_MAX {
            return;
        }
        let mut worths: Vec<UnixTime> = self.entries.values().map(|entry| entry.worth(now)).collect();
        let (_, least, _) = worths.select_nth_unstable(TOKENS_MAX / 10);
        let least = (*least).max(now);
        self.entries.retain(|_, entry| entry.worth(now) > least);
    }
}

impl Entry {
    fn get(&mut self, now: UnixTime) -> Held {
        let is_fetching = self.fetching.is_some_and(|since| now < since.after(FETCH_WAIT));
        let refused = self.refused.as_ref().filter(|refused| now < refused.until);
        let may_fetch = !is_fetching && refused.is_none();
        let held = match (&self.token, refused) {
            (Some(held), _) if now < held.renew_at => return Held::Token(held.token.clone()),
            (Some(held), _) if now < held.expires && may_fetch => Held::Renew(held.token.clone()),
            (Some(held), _) if now < held.expires => return Held::Token(held.token.clone()),
            (_, Some(refused)) => return Held::Refused(refused.refusal.clone(), refused.until),
            _ if is_fetching => return Held::Wait,
            _ => Held::Fetch,
        };
        self.fetching = Some(now);
        held
    }

    fn refuse(&mut self, refusal: &Refusal, now: UnixTime) {
        let count = self.refused.as_ref().map_or(0, |refused| refused.count).saturating_add(1);
        let growing = REFUSED_PAUSE_MIN.saturating_mul(1 << (count - 1).min(10));
        let pause = match &refusal.reason {
            // Microsoft's own word is obeyed, however long.
            Reason::Throttled { retry_after: Some(pause) }
            | Reason::Unavailable { retry_after: Some(pause) } => (*pause).max(REFUSED_PAUSE_MIN),
            _ => growing.min(REFUSED_PAUSE_MAX),
        };
        self.refused = Some(Refused { refusal: refusal.clone(), until: now.after(pause), count });
    }

    /// Until when it is worth keeping.
    fn worth(&self, now: UnixTime) -> UnixTime {
        let token = self.token.as_ref().map(|token| token.expires);
        let fetching = self.fetching.map(|since| since.after(FETCH_WAIT));
        let refused = self.refused.as_ref().map(|refused| refused.until);
        token.max(fetching).max(refused).unwrap_or(now)
    }
}

impl TokenHash {
    /// Of this token.
    #[must_use]
    pub fn of(token: &Secret) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.expose().as_bytes()).as_ref());
        Self(hash)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.0;
        write!(f, "TokenHash({first:02x}{second:02x}…)")
    }
}

/// How long before its end a token is renewed, but not before half of its life.
pub const RENEW_LEAD: Duration = Duration::from_secs(5 * 60);

/// How long a fetch may take; afterwards the next asker is told to fetch, for the first may have died.
pub const FETCH_WAIT: Duration = Duration::from_secs(30);

/// How long nobody asks again after the first refusal; it doubles with each one more.
pub const REFUSED_PAUSE_MIN: Duration = Duration::from_secs(2);

/// How long nobody asks again at most, so that a consent given or a secret put right is soon seen.
pub const REFUSED_PAUSE_MAX: Duration = Duration::from_secs(60);

/// Tokens that are held at once: 1,000 tenants with ten each. At the limit the tenth that is over soonest is forgotten
/// (more, where many are over at the same moment), and asked for anew when needed.
pub const TOKENS_MAX: usize = 10_000;
