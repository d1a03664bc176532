//! Watches the presence of the people of one Entra tenant, and tells what changes.
//!
//! Two ways lead to it. **Polling** works with application permissions alone: up to 650 people in a request, each group
//! in turn, spread evenly over the interval. **Subscriptions** need somebody's delegated token, one account for each
//! group; while one stands, polls only check it. What is late, contradicts itself or falls silent is polled faster. A
//! state that nobody confirmed for too long is told as stale: it is up to the tenant's rules what that means.

mod group;
mod grouping;
mod health;
mod merge;
mod polling;
mod settling;
mod subscribing;
mod trust;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

use crate::graph::call::{ANSWER_AFTER_MAX, Answer, Call, Caller, Moment, NoAnswer};
use crate::graph::fault::{Fault, FaultKind};
use crate::graph::notification::{Distrust, Item, Lifecycle, Memory, What};
use crate::graph::presence::{self, Presence};
use crate::graph::sealed::SealFault;
use crate::graph::subscription::{Notify, SubscriptionId};
use crate::graph::throttle::{Family, Throttle};
use crate::id::{EntraTenantId, ObjectId};
use crate::time::UnixTime;

use group::{Group, GroupId, Subscription};
pub use health::{Counts, Health};
use merge::{Outcome, Watched};
use polling::Polling;
use settling::Settling;
pub use trust::{DOUBT, LATE};

/// How presence is watched.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often people are asked for who are in no subscription; 5 to 10 s are sensible. Shorter finds changes
    /// earlier and costs requests: one for each 650 people. Never shorter than 1 s.
    pub poll_every: Duration,
    /// How often a subscription that stands is checked by a poll. Never more often than people are polled.
    pub check_every: Duration,
    /// For how long a state may be unconfirmed before it is told as stale; in a subscription that stands, counted from
    /// the check that did not come. Never shorter than two polls.
    pub stale_after: Duration,
    /// Where Graph may send its notifications; none: polling only.
    pub notify: Option<Notify>,
    /// For how long subscriptions are asked, at most 60 min. Some minutes less, so that a clock of ours that is ahead of
    /// Graph's does not ask for too much.
    pub subscription_life: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            poll_every: Duration::from_secs(6),
            check_every: Duration::from_secs(60),
            stale_after: Duration::from_secs(30),
            notify: None,
            subscription_life: Duration::from_secs(55 * 60),
        }
    }
}

/// The number of a call of a watcher; never used twice.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CallId(pub u64);

/// How something came to be known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// Graph was asked.
    Poll,
    /// Graph told it.
    Notification,
}

/// What a watcher wants done, or tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this, and hand in what comes back with [`Watcher::handle_answer`].
    Call {
        /// The number to hand the answer in with.
        id: CallId,
        /// What to send.
        call: Call,
    },
    /// Something is said of a person that was not said before.
    Changed {
        /// Of whom.
        person: ObjectId,
        /// What.
        presence: Presence,
        /// How it came.
        source: Source,
        /// When it was so at the latest: when the poll was asked, or the notification came.
        observed_at: Instant,
        /// How long ago that is.
        age: Duration,
    },
    /// Nothing certain is known of the person any more; what was told last is only the last known.
    Stale {
        /// Of whom.
        person: ObjectId,
    },
    /// What was told last of a stale person is so still.
    Fresh {
        /// Of whom.
        person: ObjectId,
    },
    /// Graph left the person out of its answer: it does not know the person, or may not say.
    Omitted {
        /// Whom.
        person: ObjectId,
    },
    /// The person is not watched: there are [`WATCHED_MAX`] already.
    NotWatched {
        /// Who.
        person: ObjectId,
    },
    /// Graph does not accept the caller's token: a fresh one is needed.
    TokenRefused {
        /// Whose.
        caller: Caller,
    },
    /// The caller may not read presence. Nobody is polled until it may again; it is tried each minute.
    PollingRefused {
        /// Who may not.
        caller: Caller,
        /// What Graph said.
        fault: Fault,
    },
    /// Presence may be read again.
    PollingRestored,
    /// Graph notifies from now on.
    Subscribed {
        /// As whom.
        account: ObjectId,
        /// Of how many people.
        people: usize,
        /// Until when, if it is not renewed.
        expires: UnixTime,
    },
    /// Graph refused to notify. It is polled instead, and asked again later.
    SubscriptionRefused {
        /// As whom it was asked.
        account: ObjectId,
        /// What Graph said.
        fault: Fault,
    },
    /// A subscription is gone; a new one is asked for, and everybody in it polled.
    SubscriptionLost {
        /// As whom it was held.
        account: ObjectId,
        /// Why.
        why: Lost,
    },
}

/// What is known of a person.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What was said last.
    pub presence: &'a Presence,
    /// How it came to be known last.
    pub source: Source,
    /// When it was last known to be so.
    pub confirmed_at: Instant,
    /// When a notification told it, or told the same again.
    pub told_at: Option<Instant>,
    /// When the poll was asked that said so.
    pub polled_at: Option<Instant>,
    /// Nobody confirmed it for too long, or Graph contradicted itself of late.
    pub doubted: bool,
}

/// Why a subscription is gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// It was not renewed in time.
    Expired,
    /// Graph said that it ended it.
    Removed,
    /// Graph does not know it any more.
    Forgotten,
    /// The account may no longer hold it.
    Refused,
}

/// Watches the presence of the people of one Entra tenant.
#[derive(Debug)]
pub struct Watcher {
    tenant: EntraTenantId,
    settings: Settings,
    random: StdRng,
    people: BTreeMap<ObjectId, Watched>,
    groups: BTreeMap<GroupId, Group>,
    groups_made: u32,
    accounts: BTreeSet<ObjectId>,
    subscriptions: BTreeMap<SubscriptionId, GroupId>,
    asked: BTreeMap<CallId, Asked>,
    calls_made: u64,
    /// Those who are to be asked for at once, and from when on.
    urgent: BTreeSet<ObjectId>,
    urgent_at: Option<Instant>,
    settling: Settling,
    polling: Polling,
    memory: Memory,
    counts: Counts,
    outputs: VecDeque<Output>,
}

/// A call that is on its way.
#[derive(Debug)]
struct Asked {
    id: CallId,
    at: Instant,
    caller: Caller,
    what: Question,
}

#[derive(Debug)]
enum Question {
    /// Of these people; of a whole group in its turn, or of some at once.
    Presence { people: Vec<ObjectId>, group: Option<GroupId> },
    /// To create the subscription of a group that names these people.
    Create { group: GroupId, named: BTreeSet<ObjectId>, certificate_id: Option<Box<str>> },
    /// To renew it, perhaps with another certificate.
    Renew { group: GroupId, certificate_id: Option<Box<str>> },
    /// To let it go on.
    Reauthorise { group: GroupId },
    /// To end it, and to create another.
    Remove { group: GroupId },
    /// Which ones there are of an earlier life.
    List { group: GroupId },
    /// To end one of an earlier life, or one that is no longer wanted.
    Forget,
}

impl Watcher {
    /// Watches nobody yet. The seed makes its random numbers: jitter, and the states that notifications are recognised
    /// by, so it must not be known to others.
    #[must_use]
    pub fn new(tenant: EntraTenantId, mut settings: Settings, seed: [u8; 32]) -> Self {
        settings.poll_every = settings.poll_every.max(POLL_EVERY_MIN);
        settings.check_every = settings.check_every.max(settings.poll_every);
        settings.stale_after = settings.stale_after.max(settings.poll_every * 2);
        Self {
            tenant,
            settings,
            random: StdRng::from_seed(seed),
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            groups_made: 0,
            accounts: BTreeSet::new(),
            subscriptions: BTreeMap::new(),
            asked: BTreeMap::new(),
            calls_made: 0,
            urgent: BTreeSet::new(),
            urgent_at: None,
            settling: Settling::default(),
            polling: Polling::default(),
            memory: Memory::new(),
            counts: Counts::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Watches these people too. They are asked for at once.
    pub fn watch(&mut self, now: Moment, people: impl IntoIterator<Item = ObjectId>) {
        for person in people {
            if self.people.contains_key(&person) {
                continue;
            }
            if self.people.len() >= WATCHED_MAX {
                self.outputs.push_back(Output::NotWatched { person });
                continue;
            }
            let id = self.group_with_room(now.at);
            if let Some(group) = self.groups.get_mut(&id) {
                group.members.insert(person);
                if group.outgrow(now.at, person) {
                    group.poll_soon(now.at, self.settings.poll_every, self.settings.stale_after);
                }
            }
            self.people.insert(person, Watched::new(id, now.at));
            self.ask_soon(now.at, [person]);
        }
        self.employ_accounts(now.at);
    }

    /// Watches these people no longer. Nothing more is told of them.
    pub fn unwatch(&mut self, now: Moment, people: impl IntoIterator<Item = ObjectId>) {
        for person in people {
            let Some(watched) = self.people.remove(&person) else { continue };
            self.urgent.remove(&person);
            self.settling.forget(person);
            let Some(group) = self.groups.get_mut(&watched.group) else { continue };
            group.members.remove(&person);
            self.tidy(now.at, watched.group);
        }
    }

    /// Whether this person is watched.
    #[must_use]
    pub fn watches(&self, person: ObjectId) -> bool {
        self.people.contains_key(&person)
    }

    /// Uses these accounts, and no others, to subscribe: each can hold one subscription of 650 people.
    pub fn set_accounts(&mut self, now: Moment, accounts: impl IntoIterator<Item = ObjectId>) {
        self.accounts = accounts.into_iter().take(ACCOUNTS_MAX).collect();
        self.polling.keep_to(&self.accounts);
        let lost: Vec<_> = self
            .groups
            .iter()
            .filter(|(_, group)| group.subscription.account().is_some_and(|a| !self.accounts.contains(&a)))
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.give_up_subscription(now.at, id);
        }
        self.employ_accounts(now.at);
    }

    /// Whether something is held or asked as this account, so that its token is still needed. One that is no longer used is
    /// needed until its subscription is ended.
    #[must_use]
    pub fn needs_account(&self, account: ObjectId) -> bool {
        let holds = |group: &Group| group.subscription.account() == Some(account);
        self.groups.values().any(holds)
            || self.asked.values().any(|asked| asked.caller == Caller::Account(account))
    }

    /// Has notifications sent there from now on, or none. Subscriptions that stand take another certificate when they are
    /// renewed, and another address when they are created again.
    pub fn set_notify(&mut self, now: Moment, notify: Option<Notify>) {
        self.settings.notify = notify;
        if self.settings.notify.is_none() {
            let all: Vec<_> = self.groups.keys().copied().collect();
            for id in all {
                self.give_up_subscription(now.at, id);
            }
        }
        self.employ_accounts(now.at);
    }

    /// Asks for these people at once, or as soon as Graph's limits allow.
    pub fn look(&mut self, now: Moment, people: impl IntoIterator<Item = ObjectId>) {
        self.ask_soon(now.at, people);
    }

    /// What was refused may be allowed now, for a token is given again or somebody has consented: asks at once, instead of
    /// after the pause that follows a refusal.
    pub fn resume(&mut self, now: Moment) {
        self.resume_polling(now.at);
        self.resume_subscribing(now.at);
    }

    /// Whether presence may not be read, as was last heard: nothing is asked but, now and then, whether it may again.
    /// [`Watcher::resume`] asks at once.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.polling.is_held()
    }

    /// Ends all subscriptions, before the program stops. What is not ended, ends by itself within the hour.
    pub fn close(&mut self, now: Moment) {
        let all: Vec<_> = self.groups.keys().copied().collect();
        self.settings.notify = None;
        for id in all {
            self.give_up_subscription(now.at, id);
        }
        self.groups.clear();
        self.people.clear();
        self.urgent.clear();
        self.urgent_at = None;
        self.settling.clear();
    }

    /// Whether a notification is one of ours: the check that costs nothing, before its content is opened.
    ///
    /// # Errors
    /// It is for no subscription of ours, for another tenant, or does not know the subscription's state.
    pub fn admits(&self, item: &Item) -> Result<(), Distrust> {
        self.group_of(item).map(|_| ())
    }

    /// Takes a notification whose delivery is proved ([`Delivery::prove`](crate::graph::notification::Delivery::prove)).
    ///
    /// `content` is its content, opened ([`KeyPairs::open`](crate::graph::certificate::KeyPairs::open)); none if it has none.
    /// What is not believed is counted, and has no other effect. What cannot be opened or names only who changed makes the
    /// watcher ask.
    pub fn handle_notification(
        &mut self,
        now: Moment,
        item: &Item,
        content: Option<Result<Zeroizing<Vec<u8>>, SealFault>>,
    ) {
        let group = match self.group_of(item) {
            Ok(group) => group,
            Err(_) => {
                self.counts.notifications_distrusted += 1;
                return;
            }
        };
        if !self.memory.is_new(now.unix, item) {
            self.counts.notifications_repeated += 1;
            return;
        }
        self.counts.notifications += 1;
        match &item.what {
            What::Lifecycle(event) => self.on_lifecycle(now, group, *event),
            What::Changed { resource, content: None } => self.look_after(now.at, group, *resource),
            What::Changed { resource, content: Some(_) } => {
                let read = content.and_then(Result::ok).and_then(|json| presence::from_resource(&json));
                match read {
                    Some((person, presence)) => {
                        self.hear(now.at, Source::Notification, now.at, person, presence);
                    }
                    None => {
                        self.counts.notifications_unreadable += 1;
                        self.look_after(now.at, group, *resource);
                    }
                }
            }
        }
    }

    /// Takes what came of a call. An answer to a call that was given up, or never made, is ignored.
    pub fn handle_answer(&mut self, now: Moment, id: CallId, answer: &Answer, throttle: &mut Throttle) {
        let Some(asked) = self.asked.remove(&id) else { return };
        match asked {
            Asked { at, caller, what: Question::Presence { people, group }, .. } => {
                self.on_presences(now, at, caller, people, group, answer, throttle);
            }
            asked => self.on_subscription_answer(now, asked, answer, throttle),
        }
    }

    /// Does what is due. Too early is harmless.
    pub fn handle_timeout(&mut self, now: Moment, throttle: &mut Throttle) {
        while let Some((&id, asked)) = self.asked.first_key_value()
            && now.at >= asked.at + ANSWER_AFTER_MAX
        {
            self.handle_answer(now, id, &Err(NoAnswer::TooSlow), throttle);
        }
        let settling = self.settling.take_due(now.at);
        self.ask_soon(now.at, settling);
        self.poll_urgent(now.at, throttle);
        let ids: Vec<_> = self.groups.keys().copied().collect();
        for id in ids {
            self.care_for_subscription(now, id, throttle);
            self.expect_told(now.at, id);
            self.poll_group(now.at, id, throttle);
            self.tell_stale(now.at, id);
        }
    }

    /// The next thing to do or to know, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Watcher::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let late = self.asked.first_key_value().map(|(_, asked)| asked.at + ANSWER_AFTER_MAX);
        let groups = self.groups.values().flat_map(|group| {
            let poll = group.polling.is_none().then(|| self.polling.not_before(group.next_poll));
            let awaited = group.awaited.front().map(|(until, _)| *until);
            [poll, Some(group.stale_check), group.subscription_due(), awaited]
        });
        let urgent = self.urgent_at.map(|at| self.polling.not_before(at));
        groups.chain([late, urgent, self.settling.poll_timeout()]).flatten().min()
    }

    /// What is known of a person, if anything was said yet.
    #[must_use]
    pub fn known(&self, person: ObjectId, now: Instant) -> Option<Known<'_>> {
        let watched = self.people.get(&person)?;
        let seen = watched.seen.as_ref()?;
        let group = self.groups.get(&watched.group);
        Some(Known {
            presence: &seen.presence,
            source: seen.source,
            confirmed_at: seen.confirmed_at,
            told_at: seen.told_at,
            polled_at: seen.polled_at,
            doubted: watched.stale || group.is_some_and(|g| g.doubted_until.is_some_and(|until| now < until)),
        })
    }

    /// How well the watcher knows what it watches.
    #[must_use]
    pub fn health(&self, now: Moment) -> Health {
        let count = |which: fn(&Watched) -> bool| self.people.values().filter(|p| which(p)).count();
        let groups = |which: &dyn Fn(&Group) -> bool| self.groups.values().filter(|g| which(g)).count();
        let stands = |group: &Group| matches!(group.subscription, Subscription::Active(_));
        let mut health = Health {
            watched: self.people.len(),
            known: count(|person| person.seen.is_some()),
            stale: count(|person| person.stale),
            omitted: count(|person| person.omitted),
            groups: self.groups.len(),
            subscriptions_active: groups(&|group| group.is_told(now.at)),
            subscriptions_doubted: groups(&|group| stands(group) && !group.is_told(now.at)),
            subscriptions_refused: groups(&|group| {
                matches!(group.subscription, Subscription::Refused { .. })
            }),
            counts: self.counts,
            ..Health::default()
        };
        health.age(now.at, self.people.values().map(Watched::confirmed_at));
        health
    }

    /// Takes what was said of a person, and tells what is new.
    fn hear(&mut self, now: Instant, source: Source, at: Instant, person: ObjectId, presence: Presence) {
        let Some(watched) = self.people.get_mut(&person) else {
            self.counts.strange += 1;
            return;
        };
        let confirmed_at = watched.confirmed_at();
        let told_just_now = now.checked_sub(UNORDERED).is_some_and(|at| watched.was_told_since(at));
        let merged = watched.hear(source, at, presence);
        let was_omitted = std::mem::take(&mut watched.omitted);
        let id = watched.group;
        if let (Outcome::Changed, Some(seen)) = (merged.outcome, &watched.seen) {
            watched.stale = false;
            self.counts.changes += 1;
            self.outputs.push_back(Output::Changed {
                person,
                presence: seen.presence.clone(),
                source,
                observed_at: at,
                age: now.saturating_duration_since(at),
            });
        } else if merged.outcome == Outcome::Same && watched.stale {
            watched.stale = false;
            self.outputs.push_back(Output::Fresh { person });
        }
        self.counts.contradictions += u64::from(merged.contradiction);
        let Some(group) = self.groups.get_mut(&id) else { return };
        // A subscription does not name whom Graph did not know.
        if was_omitted && group.outgrow(now, person) {
            group.poll_soon(now, self.settings.poll_every, self.settings.stale_after);
        }
        let changed = merged.outcome == Outcome::Changed;
        let by_poll = source == Source::Poll && changed;
        if by_poll && group.should_have_told(now, confirmed_at) && group.awaited.len() < trust::AWAITED_MAX {
            // Notifications take some seconds: it may be on its way.
            group.awaited.push_back((now + LATE, person));
        }
        if merged.contradiction {
            self.doubt(now, id);
        }
        // Notifications come in any order: of two that come together, the later may be the older. And one that comes alone
        // may be older than the last poll.
        if source == Source::Notification && changed {
            if told_just_now {
                self.ask_soon(now, [person]);
            }
            self.settling.told(now, person);
        }
    }

    fn on_lifecycle(&mut self, now: Moment, id: GroupId, event: Lifecycle) {
        match event {
            Lifecycle::ReauthorisationRequired => self.reauthorise_soon(now.at, id),
            Lifecycle::Removed => self.lose_subscription(now.at, id, Lost::Removed),
            Lifecycle::Missed => self.look_after(now.at, id, None),
            Lifecycle::Other => {}
        }
    }

    /// Asks for this person, or for the whole group if it is not known who.
    fn look_after(&mut self, now: Instant, id: GroupId, person: Option<ObjectId>) {
        match person {
            Some(person) => self.ask_soon(now, [person]),
            None => {
                let members = self.groups.get(&id).map(|group| group.members.clone()).unwrap_or_default();
                self.ask_soon(now, members);
            }
        }
    }

    /// The group that a notification is for, if everything about it is ours.
    fn group_of(&self, item: &Item) -> Result<GroupId, Distrust> {
        if item.tenant.is_some_and(|tenant| tenant != self.tenant) {
            return Err(Distrust::WrongTenant);
        }
        let known = self.subscriptions.get(&item.subscription);
        let state_of = |group: &Group| match &group.subscription {
            Subscription::Active(active) => Some(active.client_state.clone()),
            Subscription::Creating { client_state, .. } | Subscription::Removing { client_state, .. } => {
                Some(client_state.clone())
            }
            _ => None,
        };
        if let Some(id) = known {
            let expected = self.groups.get(id).and_then(state_of).ok_or(Distrust::UnknownSubscription)?;
            return if item.client_state == Some(expected) { Ok(*id) } else { Err(Distrust::WrongState) };
        }
        // Graph may tell before it has answered the creation: then only the state is known.
        let creating = self
            .groups
            .iter()
            .filter(|(_, group)| matches!(group.subscription, Subscription::Creating { .. }));
        for (id, group) in creating {
            if item.client_state.is_some() && item.client_state == state_of(group) {
                return Ok(*id);
            }
        }
        Err(Distrust::UnknownSubscription)
    }

    /// Sends a call that the throttle has admitted.
    fn send(&mut self, now: Instant, call: Call, what: Question) -> CallId {
        let id = CallId(self.calls_made);
        self.calls_made += 1;
        self.asked.insert(id, Asked { id, at: now, caller: call.caller, what });
        self.outputs.push_back(Output::Call { id, call });
        id
    }

    /// Counts what is counted of every answer, and tells the throttle and whoever has the tokens.
    fn note(
        &mut self,
        now: Instant,
        asked_at: Instant,
        caller: Caller,
        result: Result<(), &Fault>,
        family: Family,
        throttle: &mut Throttle,
    ) {
        throttle.heard(now, asked_at, family, result);
        match result.map_err(|fault| fault.kind) {
            Err(FaultKind::Throttled { .. }) => self.counts.throttled += 1,
            Err(FaultKind::Unauthorised) => self.outputs.push_back(Output::TokenRefused { caller }),
            _ => {}
        }
    }

    /// A part of a time between nine tenths and the whole, so that not everything happens at once.
    fn jitter(&mut self, time: Duration) -> Duration {
        time.mul_f64(self.random.random_range(0.9..=1.0))
    }
}

/// The shortest interval of polls: Graph's own figures are some seconds old.
const POLL_EVERY_MIN: Duration = Duration::from_secs(1);

/// People that one watcher watches; more are not watched, and told so.
pub const WATCHED_MAX: usize = 100_000;

/// Accounts that one watcher subscribes as; more are not used.
pub const ACCOUNTS_MAX: usize = 200;

/// How long polls may lag behind a notification (Microsoft Graph: change notifications, latency of presence).
const PROPAGATION: Duration = Duration::from_secs(10);

/// Within so long after another, a notification may be older than that: Graph is asked.
const UNORDERED: Duration = Duration::from_secs(10);

/// How long the members of a group must rest before its subscription is made anew for them.
pub const SETTLE: Duration = Duration::from_secs(30);
