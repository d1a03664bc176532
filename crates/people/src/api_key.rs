//! API keys: how programs say who they are.
//!
//! A key is `tdk_<id>_<secret and checksum>`: twelve letters and digits that name it and may be shown, 256 random bits
//! that nobody sees twice, and six letters and digits by which a mistyped or cut key is told from a wrong one, and by
//! which programs that look for leaked secrets know one. Only the SHA-256 of the text is kept.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::caller::{Caller, Who};
use crate::moment::UnixMillis;
use crate::permission::{Grants, PermissionSet};
use crate::scope::Scope;
use crate::secret::{BASE62_CHARS, Secret, SecretHash, base62, base62_number};

/// The API keys of the installation and of its tenants.
///
/// Whether somebody may make one is asked before ([`Caller::may_delegate`]). What must be kept is told as a
/// [`KeyChange`].
#[derive(Default)]
pub struct Keys {
    held: BTreeMap<KeyId, Held>,
    changes: VecDeque<KeyChange>,
}

impl Keys {
    /// None yet.
    pub fn new() -> Keys {
        Keys::default()
    }

    /// Takes back a key that was kept; one that was revoked is left out.
    pub fn restore(&mut self, key: ApiKey) {
        if key.revoked.is_none() {
            self.hold(key);
        }
    }

    /// Makes a key. The secret is told this once.
    ///
    /// # Errors
    ///
    /// Says which of the wishes does not fit, or that there are too many keys.
    pub fn issue(
        &mut self,
        now: UnixMillis,
        wish: KeyWish,
        random: &[u8; Keys::ISSUE_RANDOM_BYTES],
    ) -> Result<(KeyId, Secret), KeyWishFault> {
        if wish.name.trim().is_empty() || wish.name.len() > ApiKey::NAME_BYTES_MAX {
            return Err(KeyWishFault::Name);
        }
        if wish.scopes.is_empty() {
            return Err(KeyWishFault::NoScopes);
        }
        if wish.expires.is_some_and(|expires| expires <= now) {
            return Err(KeyWishFault::Expiry);
        }
        let of_scope = self.of_scope(&wish.scope).count();
        if of_scope >= Keys::OF_SCOPE_MAX || self.held.len() >= Keys::KEYS_MAX {
            return Err(KeyWishFault::TooMany);
        }
        let (id, secret) = random.split_at(16);
        let id = id.iter().fold(0, |number: u128, byte| (number << 8) | u128::from(*byte));
        let id = KeyId(Arc::from(base62_number(id, KeyId::CHARS)));
        if self.held.contains_key(&id) {
            return Err(KeyWishFault::TooMany);
        }
        let secret: [u8; 32] = secret.try_into().unwrap_or_default();
        let text = key_text(&id, &base62(secret));
        let key = ApiKey {
            id: id.clone(),
            scope: wish.scope,
            name: wish.name,
            scopes: wish.scopes,
            hash: Some(SecretHash::of(text.expose())),
            created_by: wish.by,
            created: now,
            expires: wish.expires,
            used: None,
            revoked: None,
        };
        self.changes.push_back(KeyChange::Issued(Box::new(key.clone())));
        self.hold(key);
        Ok((id, text))
    }

    /// Knows the caller by a key. It changes nothing, so that many can be asked at once.
    ///
    /// # Errors
    ///
    /// See [`KeyFault`].
    pub fn authorise(&self, now: UnixMillis, text: &str) -> Result<AuthorisedKey<'_>, KeyFault> {
        let id = key_id(text)?;
        let held = self.held.get(&id).filter(|held| held.key.hash == Some(SecretHash::of(text)));
        let held = held.ok_or(KeyFault::Unknown)?;
        if held.key.expires.is_some_and(|expires| expires <= now) {
            return Err(KeyFault::Expired { key: id });
        }
        let touch = held.key.used.is_none_or(|used| now.since(used) >= Keys::TOUCH_EVERY);
        Ok(AuthorisedKey { caller: &held.caller, key: &held.key, touch })
    }

    /// Notes that a key is in use. It is asked for by [`AuthorisedKey::touch`]; more often than [`Keys::TOUCH_EVERY`]
    /// it does nothing.
    pub fn touch(&mut self, now: UnixMillis, id: &KeyId) {
        let due = |held: &&mut Held| held.key.used.is_none_or(|used| now.since(used) >= Keys::TOUCH_EVERY);
        if let Some(held) = self.held.get_mut(id).filter(due) {
            held.key.used = Some(now);
            self.changes.push_back(KeyChange::Used { id: id.clone(), at: now });
        }
    }

    /// Makes a key worthless, from the next request on.
    pub fn revoke(&mut self, now: UnixMillis, id: &KeyId) {
        if self.held.remove(id).is_some() {
            self.changes.push_back(KeyChange::Revoked { id: id.clone(), at: now });
        }
    }

    /// Makes all keys of a tenant worthless: the tenant is removed.
    pub fn revoke_scope(&mut self, now: UnixMillis, scope: &Scope) {
        let ids: Vec<KeyId> = self.of_scope(scope).map(|key| key.id.clone()).collect();
        for id in ids {
            self.revoke(now, &id);
        }
    }

    /// A key that is not revoked.
    pub fn key(&self, id: &KeyId) -> Option<&ApiKey> {
        self.held.get(id).map(|held| &held.key)
    }

    /// The keys of a tenant or of the installation that are not revoked, expired ones among them.
    pub fn of_scope(&self, scope: &Scope) -> impl Iterator<Item = &ApiKey> {
        self.held.values().map(|held| &held.key).filter(move |key| key.scope == *scope)
    }

    /// What must be kept, in order.
    pub fn poll_change(&mut self) -> Option<KeyChange> {
        self.changes.pop_front()
    }

    fn hold(&mut self, key: ApiKey) {
        let who = Who::Key { key: key.id.clone() };
        let caller = Arc::new(Caller::new(key.scope.clone(), who, Grants::over_all(key.scopes)));
        self.held.insert(key.id.clone(), Held { key, caller });
    }
}

impl Keys {
    /// Most keys in all; at the limit none is made.
    pub const KEYS_MAX: usize = 100_000;
    /// Most keys of one tenant, or of the installation; at the limit one must be revoked first.
    pub const OF_SCOPE_MAX: usize = 200;
    /// How often it is noted that a key is in use.
    pub const TOUCH_EVERY: Duration = Duration::from_secs(60);
    /// Random bytes that a new key takes.
    pub const ISSUE_RANDOM_BYTES: usize = 16 + 32;
}

/// An API key as it is kept and shown. The key itself cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The public part of the key.
    pub id: KeyId,
    /// Whose it is: it reaches this tenant and no other.
    #[serde(rename = "tenant")]
    pub scope: Scope,
    /// What it is for, in the words of whoever made it.
    pub name: Arc<str>,
    /// What it may do.
    pub scopes: PermissionSet,
    /// What is known of the key. Not for people's eyes; without it the key is good for nothing.
    #[serde(skip)]
    pub hash: Option<SecretHash>,
    /// Who made it.
    pub created_by: Who,
    /// When it was made.
    pub created: UnixMillis,
    /// When it stops to be good, if ever.
    pub expires: Option<UnixMillis>,
    /// When it was last used, within [`Keys::TOUCH_EVERY`].
    pub used: Option<UnixMillis>,
    /// When it was made worthless.
    pub revoked: Option<UnixMillis>,
}

impl ApiKey {
    /// Longest name, in bytes; a longer one is refused.
    pub const NAME_BYTES_MAX: usize = 128;
}

/// A key that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWish {
    /// Whose it is to be.
    pub scope: Scope,
    /// What it is for.
    pub name: Arc<str>,
    /// What it may do.
    pub scopes: PermissionSet,
    /// When it stops to be good, if ever.
    pub expires: Option<UnixMillis>,
    /// Who wants it.
    pub by: Who,
}

/// A request with a good key.
#[derive(Debug)]
pub struct AuthorisedKey<'a> {
    /// Who asks.
    pub caller: &'a Arc<Caller>,
    /// With which key.
    pub key: &'a ApiKey,
    /// Whether [`Keys::touch`] is due.
    pub touch: bool,
}

/// What must be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// A key is new.
    Issued(Box<ApiKey>),
    /// A key was used.
    Used {
        /// Which.
        id: KeyId,
        /// When.
        at: UnixMillis,
    },
    /// A key was made worthless.
    Revoked {
        /// Which.
        id: KeyId,
        /// When.
        at: UnixMillis,
    },
}

/// Why a key cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyWishFault {
    /// The name is empty or too long.
    #[error("the name of a key has 1 to {} bytes", ApiKey::NAME_BYTES_MAX)]
    Name,
    /// It would be good for nothing.
    #[error("a key needs at least one scope")]
    NoScopes,
    /// It would have expired already.
    #[error("the key would expire before it is made")]
    Expiry,
    /// There are too many keys.
    #[error("there are too many keys; revoke one first")]
    TooMany,
}

/// Why a key is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The text is no key, or was cut or mistyped.
    #[error("this is not an API key; was it copied whole?")]
    NotAKey,
    /// It is not ours, or was revoked.
    #[error("the API key is not known")]
    Unknown,
    /// Its time is over.
    #[error("the API key has expired")]
    Expired {
        /// Which.
        key: KeyId,
    },
}

/// The name of an API key: its public part, 12 letters and digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Length of the text.
    pub const CHARS: usize = 12;

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<KeyId, NotAKeyId> {
        if text.len() == KeyId::CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(KeyId(Arc::from(text)))
        } else {
            Err(NotAKeyId)
        }
    }
}

impl TryFrom<String> for KeyId {
    type Error = NotAKeyId;

    fn try_from(text: String) -> Result<KeyId, NotAKeyId> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

/// The text is not the id of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a key: 12 letters and digits are expected")]
pub struct NotAKeyId;

struct Held {
    key: ApiKey,
    caller: Arc<Caller>,
}

/// Whether a text that somebody presents is meant to be an API key, rather than an access token.
pub fn is_meant_as_key(text: &str) -> bool {
    text.starts_with(PREFIX)
}

fn key_text(id: &KeyId, secret: &str) -> Secret {
    let body = format!("{PREFIX}{id}_{secret}");
    let checksum = checksum(&body);
    Secret::new(format!("{body}{checksum}"))
}

/// The id of a key that is whole.
fn key_id(text: &str) -> Result<KeyId, KeyFault> {
    let split = text.len().checked_sub(CHECKSUM_CHARS).ok_or(KeyFault::NotAKey)?;
    let (body, found) = text.split_at_checked(split).ok_or(KeyFault::NotAKey)?;
    let (id, secret) =
        body.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(KeyFault::NotAKey)?;
    let fits = secret.len() == BASE62_CHARS && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !fits || checksum(body) != found {
        return Err(KeyFault::NotAKey);
    }
    id.parse().map_err(|NotAKeyId| KeyFault::NotAKey)
}

fn checksum(body: &str) -> String {
    base62_number(u128::from(SecretHash::of(body).head() >> 32), CHECKSUM_CHARS)
}

/// What a key begins with.
const PREFIX: &str = "tdk_";
/// Letters and digits of the checksum: 32 bits.
const CHECKSUM_CHARS: usize = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_whole_key_is_read_and_a_mistyped_one_is_not(id: [u8; 16], secret: [u8; 32], at in 0_usize..66, to in "[0-9A-Za-z_]") {
            let number = u128::from_be_bytes(id);
            let id = KeyId(Arc::from(base62_number(number, KeyId::CHARS)));
            let text = key_text(&id, &base62(secret));
            prop_assert_eq!(text.expose().len(), 66);
            prop_assert_eq!(key_id(text.expose()), Ok(id));
            let mut mistyped = text.expose().to_owned();
            mistyped.replace_range(at..=at, &to);
            if mistyped != text.expose() {
                prop_assert_eq!(key_id(&mistyped), Err(KeyFault::NotAKey));
            }
            prop_assert_eq!(key_id(&text.expose()[..at]), Err(KeyFault::NotAKey));
        }

        #[test]
        fn no_text_brings_the_reader_down(text in "(tdk_)?\\PC{0,70}") {
            prop_assert_eq!(key_id(&text), Err(KeyFault::NotAKey));
        }
    }
}
