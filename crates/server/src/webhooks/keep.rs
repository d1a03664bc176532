//! The endpoints of all tenants and their logs, as the register has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::TryRngCore;
use rand::rngs::OsRng;
use tandem_people::caller::Who;
use tandem_store::register::{DeliveryRow, Failure, Refusal, Register, Secret, WebhookRow};
use tandem_store::{FactNumber, Tenant};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::delivery::{Answer, DisabledWhy, REPLAY_FACTS_MAX, Standing};
use super::endpoint::{Endpoint, EndpointState};
use super::event::{Event, EventType};
use super::signature::{SECRET_OCTETS, Secrets, SigningSecret};
use super::tell::{self, Detail};
use super::turn::Turns;
use crate::desk::{Desk, Desks, ReadFault};
use crate::outbound::{AddressFault, Outbound};
use crate::record;

/// The endpoints of all tenants; clones are the same.
#[derive(Clone)]
pub struct Webhooks {
    pub(super) shared: Arc<Shared>,
}

/// What all who work for webhooks share.
pub(super) struct Shared {
    pub(super) register: Register,
    pub(super) desks: Desks,
    pub(super) outbound: Outbound,
    /// Held while a document is read, changed and written.
    changing: Mutex<()>,
    /// Endpoints that were changed and are to be looked at; a name stands here once.
    changed: Mutex<BTreeSet<Name>>,
    /// Where endpoints are to go on, once whoever delivers to them has ended and can no longer move them elsewhere.
    moves: Mutex<BTreeMap<Name, u64>>,
    pub(super) bell: Notify,
    pub(super) turns: Turns,
    seen: Mutex<BTreeMap<Name, Seen>>,
    pub(super) tally: Tally,
}

/// Whose endpoint, and which.
pub(super) type Name = (Tenant, Arc<str>);

/// An endpoint as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The id.
    pub id: String,
    /// All about it but its secret.
    pub endpoint: Endpoint,
    /// The last fact that it was told, or did not want.
    pub cursor: u64,
}

/// What people say about an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointChange {
    /// Where events are sent.
    pub url: String,
    /// What it is called.
    pub description: String,
    /// The types that it is told; empty: all.
    pub types: BTreeSet<EventType>,
    /// Whether it is told about customers.
    pub include_personal: bool,
    /// Whether it is told nothing for now.
    pub paused: bool,
}

/// Something cannot be done with webhooks.
#[derive(Debug, thiserror::Error)]
pub enum WebhookFault {
    /// There is no such endpoint.
    #[error("there is no such webhook")]
    Unknown,
    /// As many as may be are there.
    #[error("a tenant has at most {0} webhooks")]
    Full(u32),
    /// The address is none that events may be sent to.
    #[error("{0}")]
    Address(#[from] AddressFault),
    /// There is no fact of this number, or none that programs are told of.
    #[error("there is no event with the number {0}")]
    NoEvent(u64),
    /// Going on there would be more than [`REPLAY_FACTS_MAX`] behind.
    #[error("that lies more than {REPLAY_FACTS_MAX} facts back")]
    TooFarBack,
    /// It cannot go on where it was: that is more than [`REPLAY_FACTS_MAX`] behind.
    #[error("it was told nothing for more than {REPLAY_FACTS_MAX} facts and cannot go on where it was")]
    TooFarBehind,
    /// The secret cannot be read any more.
    #[error("the secret of the webhook cannot be read any more")]
    SecretLost,
    /// The journal.
    #[error(transparent)]
    Journal(#[from] ReadFault),
    /// The register.
    #[error(transparent)]
    Register(#[from] Failure),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
    /// The program is ending.
    #[error("the program is ending")]
    Ending,
}

/// What has become of deliveries since the program was started.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) taken: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) unanswered: AtomicU64,
}

/// What an endpoint is doing, for the figures.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) state: EndpointState,
    pub(super) behind: u64,
}

impl Webhooks {
    /// The webhooks in this register of the tenants at these desks. Nothing is sent before [`Webhooks::run`].
    #[must_use]
    pub fn new(register: Register, desks: Desks, outbound: Outbound) -> Webhooks {
        let shared = Shared {
            register,
            desks,
            outbound,
            changing: Mutex::default(),
            changed: Mutex::default(),
            moves: Mutex::default(),
            bell: Notify::new(),
            turns: Turns::new(),
            seen: Mutex::default(),
            tally: Tally::default(),
        };
        Webhooks { shared: Arc::new(shared) }
    }

    /// The endpoints of a tenant, by id.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn list(&self, tenant: &Tenant) -> Result<Vec<Kept>, WebhookFault> {
        let tenant = tenant.clone();
        self.at_disk(move |shared| {
            let rows = shared.register.webhooks(&tenant).map_err(Failure::from)?;
            Ok(rows.into_iter().filter_map(kept).collect())
        })
        .await
    }

    /// An endpoint.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn view(&self, tenant: &Tenant, id: &str) -> Result<Kept, WebhookFault> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.at_disk(move |shared| shared.view(&tenant, &id)).await
    }

    /// Adds an endpoint, which is told what happens from now on, and gives its secret out.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn create(
        &self,
        tenant: &Tenant,
        wanted: EndpointChange,
        by: Who,
        now_ms: i64,
    ) -> Result<(Kept, SigningSecret), WebhookFault> {
        self.shared.outbound.reach().address(&wanted.url)?;
        let desk = self.desk(tenant)?;
        let endpoint = Endpoint {
            url: wanted.url,
            description: wanted.description,
            types: wanted.types,
            include_personal: wanted.include_personal,
            created_ms: now_ms,
            created_by: by,
            paused: wanted.paused,
            standing: Standing::Well,
        };
        let made = self
            .at_disk(move |shared| {
                let id = format!("wh_{:016x}", random()?);
                let cursor = *desk.live().committed().borrow();
                let secret = draw_secret()?;
                let tenant = desk.tenant();
                let _changing = lock(&shared.changing);
                shared.keep_secrets(tenant, &id, &Secrets::new(secret.clone()), now_ms)?;
                let kept = Kept { id, endpoint, cursor };
                if let Err(fault) = shared.put(tenant, &kept, now_ms) {
                    // Nobody will ever ask for it.
                    let _ = shared.register.secret_remove(tenant, &secret_name(&kept.id));
                    return Err(fault);
                }
                Ok((kept, secret))
            })
            .await?;
        self.shared.ring(tenant, &made.0.id);
        Ok(made)
    }

    /// Changes an endpoint. One that was paused or disabled and is not to be paused goes on where it was, unless that is too
    /// far back: then somebody says first with [`Webhooks::replay`] from where.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn change(
        &self,
        tenant: &Tenant,
        id: &str,
        wanted: EndpointChange,
        now_ms: i64,
    ) -> Result<Kept, WebhookFault> {
        self.shared.outbound.reach().address(&wanted.url)?;
        let newest = *self.desk(tenant)?.live().committed().borrow();
        let (whose, which) = (tenant.clone(), id.to_owned());
        let changed = self
            .at_disk(move |shared| {
                let behind = newest.saturating_sub(shared.view(&whose, &which)?.cursor);
                shared.change(&whose, &which, now_ms, |endpoint| {
                    if !wanted.paused && !endpoint.may_go_on(behind) {
                        return Err(WebhookFault::TooFarBehind);
                    }
                    endpoint.url = wanted.url;
                    endpoint.description = wanted.description;
                    endpoint.types = wanted.types;
                    endpoint.include_personal = wanted.include_personal;
                    endpoint.paused = wanted.paused;
                    if !wanted.paused {
                        endpoint.standing = Standing::Well;
                    }
                    Ok(())
                })
            })
            .await?;
        self.shared.ring(tenant, id);
        Ok(changed)
    }

    /// Removes an endpoint with its secret and its log.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn remove(&self, tenant: &Tenant, id: &str) -> Result<(), WebhookFault> {
        let (whose, which) = (tenant.clone(), id.to_owned());
        self.at_disk(move |shared| {
            let _changing = lock(&shared.changing);
            if !shared.register.webhook_remove(&whose, &which)? {
                return Err(WebhookFault::Unknown);
            }
            shared.register.secret_remove(&whose, &secret_name(&which))?;
            Ok(())
        })
        .await?;
        self.shared.ring(tenant, id);
        Ok(())
    }

    /// Gives an endpoint another secret; the one before holds until `until_ms` as well.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn rotate(
        &self,
        tenant: &Tenant,
        id: &str,
        until_ms: i64,
        now_ms: i64,
    ) -> Result<SigningSecret, WebhookFault> {
        let (whose, which) = (tenant.clone(), id.to_owned());
        let secret = self
            .at_disk(move |shared| {
                let _changing = lock(&shared.changing);
                shared.view(&whose, &which)?;
                let next = draw_secret()?;
                let secrets = match shared.secrets(&whose, &which) {
                    Ok(secrets) => secrets.rotated(next.clone(), until_ms),
                    // Nobody can have been sent anything with it since.
                    Err(WebhookFault::SecretLost) => Secrets::new(next.clone()),
                    Err(fault) => return Err(fault),
                };
                shared.keep_secrets(&whose, &which, &secrets, now_ms)?;
                Ok(next)
            })
            .await?;
        self.shared.ring(tenant, id);
        Ok(secret)
    }

    /// The log of an endpoint before an entry, the latest first.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn deliveries(
        &self,
        tenant: &Tenant,
        id: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, WebhookFault> {
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.at_disk(move |shared| {
            shared.view(&tenant, &id)?;
            Ok(shared.register.deliveries(&tenant, &id, before, limit).map_err(Failure::from)?)
        })
        .await
    }

    /// Lets an endpoint go on after this fact: an earlier one to be told again, a later one to leave something out.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn replay(&self, tenant: &Tenant, id: &str, after: u64) -> Result<u64, WebhookFault> {
        let newest = *self.desk(tenant)?.live().committed().borrow();
        let after = after.min(newest);
        if newest - after > REPLAY_FACTS_MAX {
            return Err(WebhookFault::TooFarBack);
        }
        let (whose, which) = (tenant.clone(), id.to_owned());
        self.at_disk(move |shared| {
            shared.view(&whose, &which)?;
            shared.register.webhook_move(&whose, &which, FactNumber(after))?;
            lock(&shared.moves).insert((whose, which.into()), after);
            Ok(())
        })
        .await?;
        self.shared.ring(tenant, id);
        Ok(after)
    }

    /// The number of the last fact before a moment, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn last_before(&self, tenant: &Tenant, at_ms: i64) -> Result<u64, WebhookFault> {
        let desk = self.desk(tenant)?;
        let newest = *desk.live().committed().borrow();
        let found = desk.read(move |desk| {
            // Facts are in the order of their times.
            let (mut before, mut end) = (0, newest);
            while before < end {
                let middle = before + (end - before) / 2;
                let next = desk.records(FactNumber(middle), 1)?;
                match next.first() {
                    Some(record) if record.at_ms < at_ms => before = record.number.0,
                    _ => end = middle,
                }
            }
            Ok(before)
        });
        Ok(found.await?)
    }

    /// Sends the event of one fact to an endpoint again, now and once, whatever else it is told.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn resend(&self, tenant: &Tenant, id: &str, number: u64) -> Result<Answer, WebhookFault> {
        let kept = self.view(tenant, id).await?;
        let detail = kept.endpoint.detail();
        let none = WebhookFault::NoEvent(number);
        let Some(before) = number.checked_sub(1) else { return Err(none) };
        let Read { mut events, to } = self.shared.read(tenant, before, 1, detail).await?;
        match events.pop().filter(|_| to == number) {
            Some(event) => self.send_once(tenant, kept, &event).await,
            None => Err(none),
        }
    }

    /// Sends an event that says nothing to an endpoint, now and once, even if it is paused.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn test(&self, tenant: &Tenant, id: &str, now_us: u64) -> Result<Answer, WebhookFault> {
        let kept = self.view(tenant, id).await?;
        let event = Event::test(tenant.as_str(), random()?, now_us);
        self.send_once(tenant, kept, &event).await
    }

    /// Events after a fact, and up to which fact was looked, at most so many facts.
    ///
    /// # Errors
    ///
    /// See [`WebhookFault`].
    pub async fn events(
        &self,
        tenant: &Tenant,
        after: u64,
        facts: usize,
        detail: Detail,
    ) -> Result<(Vec<Event>, u64), WebhookFault> {
        let Read { events, to } = self.shared.read(tenant, after, facts, detail).await?;
        Ok((events, to))
    }

    /// The figures for Prometheus.
    #[must_use]
    pub fn figures(&self) -> String {
        use std::fmt::Write;
        let seen = lock(&self.shared.seen);
        let mut text = String::from(
            "# HELP tandem_webhooks_endpoints Endpoints by state.\n# TYPE tandem_webhooks_endpoints gauge\n",
        );
        for state in EndpointState::ALL {
            let count = seen.values().filter(|seen| seen.state == state).count();
            let _ = writeln!(text, "tandem_webhooks_endpoints{{state=\"{}\"}} {count}", state.word());
        }
        let told = |seen: &&Seen| matches!(seen.state, EndpointState::Active | EndpointState::Failing);
        let behind = seen.values().filter(told).map(|seen| seen.behind).max().unwrap_or_default();
        let _ = write!(
            text,
            "# HELP tandem_webhooks_behind_facts Facts that the endpoint furthest behind has still to be told.\n\
             # TYPE tandem_webhooks_behind_facts gauge\ntandem_webhooks_behind_facts {behind}\n\
             # HELP tandem_webhooks_deliveries_total Attempts to deliver an event, by what came of them.\n\
             # TYPE tandem_webhooks_deliveries_total counter\n"
        );
        let Tally { taken, refused, unanswered } = &self.shared.tally;
        for (outcome, count) in [("taken", taken), ("refused", refused), ("unanswered", unanswered)] {
            let count = count.load(Ordering::Relaxed);
            let _ = writeln!(text, "tandem_webhooks_deliveries_total{{outcome=\"{outcome}\"}} {count}");
        }
        text
    }

    /// Takes in a further tenant, who has a desk already: its endpoints are told what happens, from where they were.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub async fn add(&self, tenant: &Tenant) -> Result<(), WebhookFault> {
        let tenant = tenant.clone();
        self.at_disk(move |shared| shared.ring_all(&tenant)).await
    }

    fn desk(&self, tenant: &Tenant) -> Result<Desk, WebhookFault> {
        self.shared.desks.desk(tenant).ok_or(WebhookFault::Unknown)
    }

    async fn at_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, WebhookFault> + Send + 'static,
    ) -> Result<T, WebhookFault> {
        at_disk(&self.shared, work).await
    }
}

/// Events that were read, and up to which fact.
pub(super) struct Read {
    pub(super) events: Vec<Event>,
    pub(super) to: u64,
}

impl Shared {
    /// Has all endpoints of a tenant looked at.
    pub(super) fn ring_all(&self, tenant: &Tenant) -> Result<(), WebhookFault> {
        for row in self.register.webhooks(tenant).map_err(Failure::from)? {
            self.ring(tenant, &row.id);
        }
        Ok(())
    }

    /// Has an endpoint looked at again.
    pub(super) fn ring(&self, tenant: &Tenant, id: &str) {
        lock(&self.changed).insert((tenant.clone(), id.into()));
        self.bell.notify_one();
    }

    /// The endpoints that were changed since the last call.
    pub(super) fn take_changed(&self) -> BTreeSet<Name> {
        std::mem::take(&mut *lock(&self.changed))
    }

    pub(super) fn view(&self, tenant: &Tenant, id: &str) -> Result<Kept, WebhookFault> {
        let row = self.register.webhook(tenant, id).map_err(Failure::from)?;
        row.and_then(kept).ok_or(WebhookFault::Unknown)
    }

    /// The endpoint as one who begins to deliver to it finds it.
    pub(super) fn begin(&self, name: &Name) -> Result<Kept, WebhookFault> {
        let moved = lock(&self.moves).get(name).copied();
        if let Some(after) = moved {
            // Whoever delivered until now may have gone on from the very place to which it was moved.
            match self.register.webhook_move(&name.0, &name.1, FactNumber(after)) {
                Ok(()) | Err(Failure::Refused(Refusal::Unknown(_))) => lock(&self.moves).remove(name),
                Err(failure) => return Err(failure.into()),
            };
        }
        self.view(&name.0, &name.1)
    }

    /// Changes a document.
    pub(super) fn change(
        &self,
        tenant: &Tenant,
        id: &str,
        now_ms: i64,
        change: impl FnOnce(&mut Endpoint) -> Result<(), WebhookFault>,
    ) -> Result<Kept, WebhookFault> {
        let _changing = lock(&self.changing);
        let mut kept = self.view(tenant, id)?;
        change(&mut kept.endpoint)?;
        self.put(tenant, &kept, now_ms)?;
        Ok(kept)
    }

    /// Writes how deliveries go, unless somebody has paused, changed or removed the endpoint meanwhile.
    pub(super) fn stand(
        &self,
        name: &Name,
        from: Standing,
        to: Standing,
        now_ms: i64,
    ) -> Result<(), WebhookFault> {
        let changed = self.change(&name.0, &name.1, now_ms, |endpoint| {
            if endpoint.standing == from {
                endpoint.standing = to;
            }
            Ok(())
        });
        match changed {
            Ok(_) | Err(WebhookFault::Unknown) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    fn put(&self, tenant: &Tenant, kept: &Kept, now_ms: i64) -> Result<(), WebhookFault> {
        let row = WebhookRow {
            id: kept.id.clone(),
            document: serde_json::to_string(&kept.endpoint).unwrap_or_default(),
            cursor: FactNumber(kept.cursor),
            state: kept.endpoint.state().word().to_owned(),
            changed_ms: now_ms,
        };
        match self.register.webhook_put(tenant, &row) {
            Err(Failure::Refused(Refusal::Full { most, .. })) => Err(WebhookFault::Full(most)),
            other => Ok(other?),
        }
    }

    pub(super) fn secrets(&self, tenant: &Tenant, id: &str) -> Result<Secrets, WebhookFault> {
        match self.register.secret(tenant, &secret_name(id)).map_err(Failure::from)? {
            Some(Secret::Known(octets)) => {
                serde_json::from_slice(&octets).map_err(|_| WebhookFault::SecretLost)
            }
            Some(Secret::Gone(_)) | None => Err(WebhookFault::SecretLost),
        }
    }

    fn keep_secrets(
        &self,
        tenant: &Tenant,
        id: &str,
        secrets: &Secrets,
        now_ms: i64,
    ) -> Result<(), WebhookFault> {
        let octets = Zeroizing::new(serde_json::to_vec(secrets).unwrap_or_default());
        Ok(self.register.secret_put(tenant, &secret_name(id), &octets, now_ms)?)
    }

    /// Reads the events after a fact from at most so many facts.
    pub(super) async fn read(
        &self,
        tenant: &Tenant,
        after: u64,
        facts: usize,
        detail: Detail,
    ) -> Result<Read, WebhookFault> {
        let desk = self.desks.desk(tenant).ok_or(WebhookFault::Unknown)?;
        let read = desk.read(move |desk| {
            let records = desk.records(FactNumber(after), facts)?;
            let to = records.last().map_or(after, |record| record.number.0);
            let mut events = Vec::new();
            for record in records {
                let fact = record::read(&record)
                    .map_err(|source| ReadFault::Fact { number: record.number.0, source })?;
                events.extend(tell::event(desk.tenant().as_str(), &fact, detail));
            }
            Ok(Read { events, to })
        });
        Ok(read.await?)
    }

    /// Tells the figures what an endpoint is doing; `None`: it is gone.
    pub(super) fn show(&self, name: &Name, seen: Option<Seen>) {
        let mut all = lock(&self.seen);
        match seen {
            Some(seen) => all.insert(name.clone(), seen),
            None => all.remove(name),
        };
    }
}

/// Work that waits for the disk runs where waiting harms nobody.
pub(super) async fn at_disk<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<T, WebhookFault> + Send + 'static,
) -> Result<T, WebhookFault> {
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|_| WebhookFault::Ending)?
}

impl DisabledWhy {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            DisabledWhy::Gone => "gone",
            DisabledWhy::FailedTooLong => "failed_too_long",
            DisabledWhy::TooFarBehind => "too_far_behind",
            DisabledWhy::SecretLost => "secret_lost",
        }
    }
}

/// A document of a later release that cannot be read is left alone, and told nothing.
fn kept(row: WebhookRow) -> Option<Kept> {
    match serde_json::from_str(&row.document) {
        Ok(endpoint) => Some(Kept { id: row.id, endpoint, cursor: row.cursor.0 }),
        Err(error) => {
            tracing::error!(webhook = row.id, %error, "a webhook in the register cannot be read");
            None
        }
    }
}

fn secret_name(id: &str) -> String {
    format!("webhook.{id}")
}

fn draw_secret() -> Result<SigningSecret, WebhookFault> {
    let mut octets = [0; SECRET_OCTETS];
    OsRng.try_fill_bytes(&mut octets).map_err(|_| WebhookFault::Randomness)?;
    Ok(SigningSecret::new(octets))
}

pub(super) fn random() -> Result<u64, WebhookFault> {
    OsRng.try_next_u64().map_err(|_| WebhookFault::Randomness)
}

/// A panic while a lock is held leaves no half change behind that matters.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
