//! What lives between two requests to Entra: codes, refresh tokens, devices that wait for somebody, browsers in which
//! somebody is signed in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::directory::{AppId, EntraTenantId, ObjectId};
use crate::entra::scope::Asked;

/// Somebody has let a client act in his name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The client.
    pub client: AppId,
    /// The tenant.
    pub tenant: EntraTenantId,
    /// Who.
    pub user: ObjectId,
    /// To what end.
    pub asked: Asked,
    /// Proved by more than a password.
    pub mfa: bool,
    /// The client is a page without a server.
    pub page: bool,
    /// When he signed in.
    pub since: Timestamp,
}

/// A code that is on its way from the authorise page to the token endpoint.
#[derive(Clone, Debug)]
pub struct Code {
    /// What it is good for.
    pub grant: Grant,
    /// The redirect URI, which has to be named again.
    pub redirect_uri: String,
    /// For the id token.
    pub nonce: Option<String>,
    /// What the verifier has to fit.
    pub challenge: Option<Challenge>,
    /// Redeemed already.
    pub used: bool,
}

/// A challenge of Proof Key for Code Exchange (RFC 7636).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// The hash of the verifier.
    S256(String),
    /// The verifier itself.
    Plain(String),
}

/// A device whose person signs in elsewhere (RFC 8628).
#[derive(Clone, Debug)]
pub struct Device {
    /// What the person types.
    pub user_code: String,
    /// The client.
    pub client: AppId,
    /// What it asks for.
    pub asked: Asked,
    /// How it stands.
    pub state: DeviceState,
}

/// How a device's sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// Nobody has entered the code.
    Waiting,
    /// Somebody has, and signed in.
    Granted(Grant),
    /// Somebody has, and declined.
    Declined,
}

/// A browser in which people are signed in.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// Who, and whether by more than a password.
    pub signed_in: BTreeMap<(EntraTenantId, ObjectId), bool>,
}

/// Things under random names, each with an end. At the limit the one that came first goes.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    things: BTreeMap<String, (T, Timestamp)>,
    order: BTreeSet<(u64, String)>,
    count: u64,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { things: BTreeMap::new(), order: BTreeSet::new(), count: 0 }
    }
}

impl<T> Kept<T> {
    /// Keeps something until a time after now.
    pub fn keep(&mut self, name: String, thing: T, now: Timestamp, lifetime: SignedDuration) {
        while self.things.len() >= KEPT_MAX {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.things.remove(&oldest);
        }
        let until = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
        self.order.insert((self.count, name.clone()));
        self.count += 1;
        self.things.insert(name, (thing, until));
    }

    /// Something by its name, good or not.
    pub fn get(&self, name: &str, now: Timestamp) -> Found<&T> {
        match self.things.get(name) {
            None => Found::Nothing,
            Some((_, until)) if now >= *until => Found::Expired,
            Some((thing, _)) => Found::Good(thing),
        }
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str, now: Timestamp) -> Found<&mut T> {
        match self.things.get_mut(name) {
            None => Found::Nothing,
            Some((_, until)) if now >= *until => Found::Expired,
            Some((thing, _)) => Found::Good(thing),
        }
    }

    /// All that is kept, good or not.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.things.values_mut().map(|(thing, _)| thing)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }
}

/// What is there under a name.
#[derive(Debug)]
pub enum Found<T> {
    /// Nothing.
    Nothing,
    /// Something whose time is over.
    Expired,
    /// Something.
    Good(T),
}

/// A code lives ten minutes.
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// A refresh token lives 90 days from its last use.
pub const REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A refresh token of a page without a server lives a day.
pub const PAGE_REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// A device's code lives fifteen minutes.
pub const DEVICE_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// A browser forgets who was signed in after a day.
pub const BROWSER_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// Things of one kind that are kept at once; beyond that the oldest goes.
const KEPT_MAX: usize = 50_000;
