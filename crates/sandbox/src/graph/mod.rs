//! Microsoft Graph v1.0 over the sandbox's directory, as real as its documents tell: permissions, paging, delta
//! queries, batches, presence, change notifications, throttling, and everything that can go wrong, on command.
//!
//! [`Graph`] decides and holds no socket; time and randomness are handed in. `routes`, `commands` and `courier` are its shell.

mod applications;
pub mod batch;
pub(crate) mod calls;
mod commands;
mod communications;
pub mod courier;
pub mod delivery;
mod delta;
pub mod exchange;
pub mod fault;
pub mod filter;
pub mod forgery;
mod groups;
pub mod membership;
mod page;
pub mod people;
pub mod permission;
pub mod photo;
mod poster;
pub mod presence;
pub mod query;
mod routes;
pub mod sealed;
pub mod search;
pub mod status;
mod subscribing;
pub mod subscription;
pub mod switches;
pub mod telling;
pub mod throttle;
mod users;
mod visit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

pub use self::commands::commands;
pub use self::routes::routes;

use self::delivery::Deliveries;
use self::exchange::{Answer, Request, Tags};
use self::fault::Fault;
use self::membership::Memberships;
use self::presence::{PresenceFault, Presences};
use self::subscribing::Handshake;
use self::subscription::{ChangeType, Resource, Subscriptions};
use self::switches::{Mishap, Switches};
use self::throttle::{Limits, Throttle};
use self::visit::Visit;
use crate::chance::Chance;
use crate::directory::{Changed, Directory, User};
use crate::entra::{Entra, GraphCaller};

/// What Graph knows beside the directory.
#[derive(Debug)]
pub struct Graph {
    presences: Presences,
    memberships: Memberships,
    subscriptions: Subscriptions,
    deliveries: Deliveries,
    last_bodies: BTreeMap<String, Value>,
    throttle: Throttle,
    limits: Limits,
    switches: Switches,
    delta_epoch: u64,
    seen: Option<u64>,
    chance: Chance,
    stirred: Arc<Notify>,
    revision: u64,
    told_version: u64,
}

impl Graph {
    /// Everybody is signed in and available; nothing goes wrong.
    pub fn new(limits: Limits, chance: Chance) -> Self {
        Self {
            presences: Presences::default(),
            memberships: Memberships::default(),
            subscriptions: Subscriptions::default(),
            deliveries: Deliveries::default(),
            last_bodies: BTreeMap::new(),
            throttle: Throttle::default(),
            limits,
            switches: Switches::default(),
            delta_epoch: 0,
            seen: None,
            chance,
            stirred: Arc::new(Notify::new()),
            revision: 0,
            told_version: 0,
        }
    }

    /// Answers a request that is no batch.
    pub fn handle(
        &mut self,
        now: Timestamp,
        directory: &Directory,
        entra: &Entra,
        request: &Request,
    ) -> Reply {
        self.follow(now, directory);
        let tags = self.tags(request);
        let mishap = self.switches.mishap(request);
        let (delay, outcome) = match mishap {
            Some(Mishap::Slow { ms }) => {
                (Duration::from_millis(ms), self.serve(now, directory, entra, request))
            }
            Some(mishap) => (Duration::ZERO, fail(mishap)),
            None => (Duration::ZERO, self.serve(now, directory, entra, request)),
        };
        let outcome = outcome.unwrap_or_else(|fault| Outcome::Answer(Answer::fault(&fault, now, &tags)));
        self.stir();
        Reply { outcome, delay, tags }
    }

    /// Ids for a request and its answer.
    pub fn tags(&mut self, request: &Request) -> Tags {
        let own = self.chance.guid();
        let client = request.header("client-request-id").filter(|id| id.len() <= TAG_OCTETS_MAX);
        Tags { client: client.map_or_else(|| own.clone(), str::to_owned), request: own }
    }

    /// Who asks; the fault if Graph does not let him in.
    pub fn caller(
        &self,
        now: Timestamp,
        directory: &Directory,
        entra: &Entra,
        request: &Request,
    ) -> Result<GraphCaller, Fault> {
        let bearer = request.bearer().unwrap_or_default();
        let caller = entra.graph_caller(now, bearer).map_err(|fault| Fault::Token(fault.to_string()))?;
        let tenant = directory.tenant(&caller.tenant).ok_or(Fault::Identity)?;
        if !tenant.principals.contains_key(&caller.app) {
            return Err(Fault::Identity);
        }
        if let Some(user) = &caller.user
            && !tenant.users.get(user).is_some_and(|user| user.enabled)
        {
            return Err(Fault::Token("The user account is disabled or does not exist.".to_owned()));
        }
        Ok(caller)
    }

    fn serve(
        &mut self,
        now: Timestamp,
        directory: &Directory,
        entra: &Entra,
        request: &Request,
    ) -> Result<Outcome, Fault> {
        if request.body.len() > BODY_OCTETS_MAX {
            return Err(Fault::TooLarge);
        }
        let caller = self.caller(now, directory, entra, request)?;
        let tenant = directory.tenant(&caller.tenant).ok_or(Fault::Identity)?;
        Visit { graph: self, directory, tenant, caller, now, request }.answer()
    }

    /// Lets go of what has expired, and takes over what has changed in the directory since it was looked at last.
    fn follow(&mut self, now: Timestamp, directory: &Directory) {
        self.presences.handle_timeout(now);
        self.age_subscriptions(now);
        self.follow_directory(now, directory);
        while let Some(person) = self.presences.poll_change() {
            self.tell_presence(now, &person);
        }
    }

    fn follow_directory(&mut self, now: Timestamp, directory: &Directory) {
        let sequence = directory.sequence();
        if self.seen == Some(sequence) {
            return;
        }
        let changes = self.seen.and_then(|seen| directory.changes_after(seen));
        let Some(changes) = changes else {
            for user in directory.tenants().flat_map(|tenant| tenant.users.values()) {
                self.presences.add(now, user.object_id.as_str(), has_teams(user));
            }
            self.memberships.begin(directory);
            self.seen = Some(sequence);
            return;
        };
        for change in changes.cloned().collect::<Vec<_>>() {
            let tenant = &change.tenant;
            match change.what {
                Changed::User(id) => {
                    let is_new = !self.presences.has(id.as_str());
                    if let Some(user) = directory.user(tenant, &id) {
                        self.presences.add(now, id.as_str(), has_teams(user));
                        self.presences.license(now, id.as_str(), has_teams(user));
                    }
                    let how = if is_new { ChangeType::Created } else { ChangeType::Updated };
                    self.tell_directory(now, tenant, &Resource::Users(Some(id)), how);
                }
                Changed::UserRemoved(id) => {
                    self.presences.remove(id.as_str());
                    self.tell_directory(now, tenant, &Resource::Users(Some(id)), ChangeType::Deleted);
                }
                Changed::Group(id) => {
                    self.memberships.look(directory, change.sequence, &id);
                    self.tell_directory(now, tenant, &Resource::Groups(Some(id)), ChangeType::Updated);
                }
                Changed::Consent(app) => self.check_consent(now, directory, tenant, &app),
            }
        }
        self.seen = Some(sequence);
    }

    /// Somebody's own clients are in so many calls.
    fn set_calls(
        &mut self,
        now: Timestamp,
        directory: &Directory,
        person: &str,
        calls: u32,
    ) -> Result<(), PresenceFault> {
        self.follow(now, directory);
        self.presences.set_calls(now, person, calls)
    }

    /// Something may have changed: who waits for it looks.
    fn stir(&mut self) {
        self.stirred.notify_waiters();
    }

    /// Is done as soon as something may have changed.
    pub fn stirred(&self) -> OwnedNotified {
        self.stirred.clone().notified_owned()
    }

    /// Grows with everything that a page shows.
    fn version(&self, directory: &Directory) -> u64 {
        self.revision + self.presences.revision() + directory.sequence()
    }
}

/// What is sent back, and when.
#[derive(Debug)]
pub struct Reply {
    /// What.
    pub outcome: Outcome,
    /// It waits so long before.
    pub delay: Duration,
    /// The ids of the exchange.
    pub tags: Tags,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Answer(Answer),
    /// Endpoints have to be asked first.
    Handshake(Box<Handshake>),
    /// The connection is cut.
    HangUp,
}

fn fail(mishap: Mishap) -> Result<Outcome, Fault> {
    match mishap {
        Mishap::Throttled { retry_after_s } => Err(Fault::SentAway { retry_after_s }),
        Mishap::Unavailable { retry_after_s } => Err(Fault::Unavailable { retry_after_s }),
        Mishap::Broken => Err(Fault::Internal),
        Mishap::Expired => Err(Fault::Token("Lifetime validation failed, the token is expired.".to_owned())),
        Mishap::Challenged => Err(Fault::Challenged),
        Mishap::Dropped => Ok(Outcome::HangUp),
        Mishap::Slow { .. } => Err(Fault::Internal),
    }
}

/// Guests and accounts that may not sign in have no presence.
fn has_teams(user: &User) -> bool {
    user.enabled && !user.guest
}

/// A client's own id of a request that is longer is not echoed.
const TAG_OCTETS_MAX: usize = 128;
/// Graph takes requests of up to 4 MB; a longer one is refused.
pub const BODY_OCTETS_MAX: usize = 4 * 1024 * 1024;
