//! Having Graph tell: subscriptions created, renewed, reauthorised, replaced and lost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::RngCore as _;

use crate::graph::call::{Answer, Caller, Moment, Operation};
use crate::graph::fault::{Fault, FaultKind};
use crate::graph::subscription::{self, Granted, SubscriptionId};
use crate::graph::throttle::{Family, Throttle, back_off};
use crate::graph::watch::group::{Active, Care, Group, GroupId, Subscription, Tries};
use crate::graph::watch::{Asked, CallId, Lost, Output, Question, SETTLE, Watcher};
use crate::id::ObjectId;
use crate::secret::Secret;

impl Watcher {
    /// Gives each group without an account one that is free.
    pub(super) fn employ_accounts(&mut self, now: Instant) {
        if self.settings.notify.is_none() {
            return;
        }
        let employed: Vec<_> =
            self.groups.values().filter_map(|group| group.subscription.account()).collect();
        let mut free = self.accounts.iter().copied().filter(|account| !employed.contains(account));
        for group in self.groups.values_mut() {
            if !matches!(group.subscription, Subscription::Off) {
                continue;
            }
            let Some(account) = free.next() else { return };
            // A moment's rest, so that people who come together are in the first subscription together.
            group.subscription = Subscription::Waiting { account, next: now + REST, tries: Tries::default() };
        }
    }

    /// Has Graph asked again at once for subscriptions that were refused.
    pub(super) fn resume_subscribing(&mut self, now: Instant) {
        for group in self.groups.values_mut() {
            match &mut group.subscription {
                Subscription::Refused { again, .. } => *again = now.min(*again),
                Subscription::Waiting { next, tries, .. } if tries.failures > 0 => *next = now.min(*next),
                _ => {}
            }
        }
    }

    /// Does what is due for the subscription of a group.
    pub(super) fn care_for_subscription(&mut self, now: Moment, id: GroupId, throttle: &mut Throttle) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if group.subscription_due().is_none_or(|due| now.at < due) {
            return;
        }
        match &group.subscription {
            Subscription::Waiting { account, tries, .. } => {
                let (account, tries) = (*account, *tries);
                self.create(now, id, account, tries, throttle);
            }
            Subscription::Refused { account, .. } => {
                let account = *account;
                self.create(now, id, account, Tries::default(), throttle);
            }
            Subscription::Active(active) if now.at >= active.ends_at => {
                self.lose_subscription(now.at, id, Lost::Expired);
            }
            Subscription::Active(active) => {
                let outgrown = active.outgrown_at.is_some_and(|since| now.at >= since + SETTLE);
                if outgrown {
                    self.replace(now.at, id, throttle);
                } else {
                    self.care(now, id, throttle);
                }
            }
            _ => {}
        }
    }

    /// Lets a subscription of a group go without another; it is ended if it stands.
    pub(super) fn give_up_subscription(&mut self, now: Instant, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let before = std::mem::replace(&mut group.subscription, Subscription::Off);
        group.poll_soon(now, self.settings.poll_every, self.settings.stale_after);
        if let Subscription::Active(active) = before {
            self.subscriptions.remove(&active.id);
            // Not paced: this is rare, and the last that is asked of the account.
            let call = subscription::delete(Caller::Account(active.account), &active.id);
            self.send(now, call, Question::Forget);
        }
    }

    /// A subscription is gone: a new one is created, and everybody in it asked for.
    pub(super) fn lose_subscription(&mut self, now: Instant, id: GroupId, why: Lost) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let Subscription::Active(active) = &group.subscription else { return };
        let account = active.account;
        self.subscriptions.remove(&active.id);
        group.subscription = Subscription::Waiting { account, next: now + REST, tries: Tries::default() };
        group.poll_soon(now, self.settings.poll_every, self.settings.stale_after);
        self.outputs.push_back(Output::SubscriptionLost { account, why });
        self.look_after(now, id, None);
    }

    /// Has a subscription reauthorised at the next occasion.
    pub(super) fn reauthorise_soon(&mut self, now: Instant, id: GroupId) {
        if let Some(Group { subscription: Subscription::Active(active), .. }) = self.groups.get_mut(&id) {
            active.care = Care::Reauthorise(now);
        }
    }

    /// Takes the answer to a call about a subscription.
    pub(super) fn on_subscription_answer(
        &mut self,
        now: Moment,
        asked: Asked,
        answer: &Answer,
        throttle: &mut Throttle,
    ) {
        let Asked { id, at: asked_at, caller, what } = asked;
        let operation = match what {
            Question::Create { .. } => Operation::SubscribePresence,
            Question::Renew { .. } => Operation::RenewSubscription,
            Question::Reauthorise { .. } => Operation::ReauthoriseSubscription,
            Question::List { .. } => Operation::ListSubscriptions,
            Question::Remove { .. } | Question::Forget | Question::Presence { .. } => {
                Operation::DeleteSubscription
            }
        };
        let done = Fault::check(operation, answer).map(|_| ());
        self.note(now.at, asked_at, caller, done.as_ref().copied(), Family::Subscriptions, throttle);
        match what {
            Question::Create { group, named, certificate_id } => {
                let granted = subscription::granted(operation, answer);
                self.on_created(now, (id, caller), group, (named, certificate_id), granted);
            }
            Question::Renew { group, certificate_id } => {
                let granted = subscription::granted(operation, answer);
                self.on_cared(
                    now,
                    id,
                    group,
                    granted.map(|granted| Cared::Renewed { granted, certificate_id }),
                );
            }
            Question::Reauthorise { group } => {
                self.on_cared(now, id, group, done.map(|()| Cared::Reauthorised));
            }
            Question::Remove { group } => self.on_removed(now.at, group),
            Question::List { group } => self.on_listed(now.at, group, subscription::listed(answer)),
            Question::Forget | Question::Presence { .. } => {}
        }
    }

    fn create(&mut self, now: Moment, id: GroupId, account: ObjectId, tries: Tries, throttle: &mut Throttle) {
        let client_state = self.client_state();
        let Some(group) = self.groups.get_mut(&id) else { return };
        let Some(notify) = &self.settings.notify else {
            group.subscription = Subscription::Off;
            return;
        };
        // One whom Graph does not know would have it refuse all.
        let known = |person: &&ObjectId| self.people.get(person).is_some_and(|watched| !watched.omitted);
        let people: Vec<_> = group.members.iter().filter(known).copied().collect();
        if people.is_empty() {
            group.subscription = Subscription::Waiting { account, next: now.at + SETTLE, tries };
            return;
        }
        if let Err(later) = throttle.admit(now.at, Family::Subscriptions) {
            group.subscription = Subscription::Waiting { account, next: later, tries };
            return;
        }
        let call = subscription::create_presence(
            Caller::Account(account),
            &people,
            notify,
            &client_state,
            now.unix.after(self.settings.subscription_life.min(LIFE_MAX)),
        );
        let certificate_id = notify.encrypt_for.as_ref().map(|with| with.certificate_id.clone());
        let named = people.into_iter().collect();
        let call = self.send(now.at, call, Question::Create { group: id, named, certificate_id });
        if let Some(group) = self.groups.get_mut(&id) {
            group.subscription = Subscription::Creating { account, tries, client_state, call };
        }
    }

    fn on_created(
        &mut self,
        now: Moment,
        (call, caller): (CallId, Caller),
        id: GroupId,
        (named, certificate_id): (BTreeSet<ObjectId>, Option<Box<str>>),
        granted: Result<Granted, Fault>,
    ) {
        let creating = match self.groups.get(&id).map(|group| &group.subscription) {
            Some(Subscription::Creating { account, tries, client_state, call: asked }) if *asked == call => {
                Some((*account, *tries, client_state.clone()))
            }
            // Another one is wanted by now, or none.
            _ => None,
        };
        match (creating, granted) {
            (Some((account, _, client_state)), Ok(granted)) => {
                let (ends_at, care) = self.life(now, &granted);
                let Some(group) = self.groups.get_mut(&id) else { return };
                // Somebody may have come, or come to be known to Graph, while it was being created.
                let known =
                    |person: &ObjectId| self.people.get(person).is_some_and(|watched| !watched.omitted);
                let outgrown = group.members.difference(&named).any(known);
                let people = named.len();
                self.subscriptions.insert(granted.id.clone(), id);
                group.subscription = Subscription::Active(Active {
                    account,
                    id: granted.id,
                    client_state,
                    named,
                    certificate_id,
                    since: now.at,
                    ends_at,
                    care,
                    caring: None,
                    failures: 0,
                    outgrown_at: outgrown.then_some(now.at),
                });
                group.doubted_until = None;
                group.awaited.clear();
                let expires = granted.expires;
                self.outputs.push_back(Output::Subscribed { account, people, expires });
                // What changed while it was being created is known to nobody else.
                self.look_after(now.at, id, None);
            }
            (Some((account, tries, _)), Err(fault)) => {
                self.on_not_created(now.at, id, account, tries, fault);
            }
            // No longer wanted: it must not tell what nobody hears.
            (None, Ok(granted)) => self.forget(now.at, caller, &granted.id),
            (None, Err(_)) => {}
        }
    }

    fn on_not_created(
        &mut self,
        now: Instant,
        id: GroupId,
        account: ObjectId,
        mut tries: Tries,
        fault: Fault,
    ) {
        tries.failures = tries.failures.saturating_add(1);
        let pause = back_off(tries.failures, &mut self.random);
        let Some(group) = self.groups.get_mut(&id) else { return };
        let lasting = match fault.kind {
            // The same is there already, or another that takes the account's only place.
            FaultKind::Conflict | FaultKind::Forbidden if tries.clearings < CLEARINGS_MAX => {
                tries.clearings += 1;
                group.subscription = Subscription::Clearing { account, tries, refusal: fault };
                let call = subscription::list(Caller::Account(account));
                self.send(now, call, Question::List { group: id });
                return;
            }
            FaultKind::Unauthorised | FaultKind::NoToken => false,
            _ => !fault.is_passing(),
        };
        if lasting {
            self.on_refused(now, id, account, fault);
        } else {
            group.subscription = Subscription::Waiting { account, next: now + pause, tries };
        }
    }

    fn on_refused(&mut self, now: Instant, id: GroupId, account: ObjectId, fault: Fault) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.subscription = Subscription::Refused { account, again: now + REFUSED_AGAIN };
        self.outputs.push_back(Output::SubscriptionRefused { account, fault });
    }

    /// Renews or reauthorises.
    fn care(&mut self, now: Moment, id: GroupId, throttle: &mut Throttle) {
        let Some(Group { subscription: Subscription::Active(active), .. }) = self.groups.get_mut(&id) else {
            return;
        };
        if active.caring.is_some() {
            return;
        }
        if let Err(later) = throttle.admit(now.at, Family::Subscriptions) {
            active.care = match active.care {
                Care::Renew(_) => Care::Renew(later),
                Care::Reauthorise(_) => Care::Reauthorise(later),
            };
            return;
        }
        let caller = Caller::Account(active.account);
        let (call, question) = match active.care {
            Care::Renew(_) => {
                let encrypt_for =
                    self.settings.notify.as_ref().and_then(|notify| notify.encrypt_for.as_ref());
                let certificate_id = encrypt_for.map(|with| with.certificate_id.clone());
                let other = encrypt_for.filter(|_| certificate_id != active.certificate_id);
                let expires = now.unix.after(self.settings.subscription_life.min(LIFE_MAX));
                let call = subscription::renew(caller, &active.id, expires, other);
                (call, Question::Renew { group: id, certificate_id })
            }
            Care::Reauthorise(_) => {
                (subscription::reauthorise(caller, &active.id), Question::Reauthorise { group: id })
            }
        };
        let call = self.send(now.at, call, question);
        if let Some(Group { subscription: Subscription::Active(active), .. }) = self.groups.get_mut(&id) {
            active.caring = Some(call);
        }
    }

    /// Takes what came of a renewal or a reauthorisation.
    fn on_cared(&mut self, now: Moment, call: CallId, id: GroupId, done: Result<Cared, Fault>) {
        let life = match &done {
            Ok(Cared::Renewed { granted, .. }) => Some(self.life(now, granted)),
            _ => None,
        };
        let Some(Group { subscription: Subscription::Active(active), .. }) = self.groups.get_mut(&id) else {
            return;
        };
        if active.caring.take_if(|caring| *caring == call).is_none() {
            return;
        }
        match done {
            Ok(cared) => {
                active.failures = 0;
                // Reauthorised only, its end is as before, and the renewal due at half of what is left.
                let left = active.ends_at.saturating_duration_since(now.at);
                (active.ends_at, active.care) =
                    life.unwrap_or((active.ends_at, Care::Renew(now.at + left / 2)));
                if let Cared::Renewed { certificate_id, .. } = cared {
                    active.certificate_id = certificate_id;
                }
            }
            Err(fault) => match fault.kind {
                FaultKind::NotFound | FaultKind::Gone => self.lose_subscription(now.at, id, Lost::Forgotten),
                FaultKind::Forbidden => {
                    let account = active.account;
                    self.lose_subscription(now.at, id, Lost::Refused);
                    self.on_refused(now.at, id, account, fault);
                }
                _ => {
                    active.failures = active.failures.saturating_add(1);
                    let again = now.at + back_off(active.failures, &mut self.random);
                    active.care = match active.care {
                        Care::Renew(_) => Care::Renew(again),
                        Care::Reauthorise(_) => Care::Reauthorise(again),
                    };
                }
            },
        }
    }

    /// Ends a subscription that does not fit its group any more; another follows.
    fn replace(&mut self, now: Instant, id: GroupId, throttle: &mut Throttle) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let Subscription::Active(active) = &mut group.subscription else { return };
        if let Err(later) = throttle.admit(now, Family::Subscriptions) {
            active.outgrown_at = later.checked_sub(SETTLE).or(Some(now));
            return;
        }
        let (account, subscription) = (active.account, active.id.clone());
        group.subscription = Subscription::Removing {
            account,
            id: subscription.clone(),
            client_state: active.client_state.clone(),
        };
        group.poll_soon(now, self.settings.poll_every, self.settings.stale_after);
        let call = subscription::delete(Caller::Account(account), &subscription);
        self.send(now, call, Question::Remove { group: id });
    }

    /// Whatever came of it: if it still stands, the creation tells.
    fn on_removed(&mut self, now: Instant, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if let Subscription::Removing { account, id, .. } = &group.subscription {
            self.subscriptions.remove(id);
            group.subscription =
                Subscription::Waiting { account: *account, next: now, tries: Tries::default() };
        }
    }

    /// Ends what an earlier life of this program left behind, and tries again.
    fn on_listed(&mut self, now: Instant, id: GroupId, listed: Result<Vec<Granted>, Fault>) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let Subscription::Clearing { account, tries, refusal } = &group.subscription else { return };
        let (account, tries, refusal) = (*account, *tries, refusal.clone());
        let ours = self.settings.notify.as_ref().map(|notify| notify.url.clone()).unwrap_or_default();
        // Not to know it says nothing about what there is.
        let is_known = match &listed {
            Ok(_) => true,
            Err(fault) => {
                matches!(fault.kind, FaultKind::Forbidden | FaultKind::Rejected | FaultKind::NotFound)
            }
        };
        let left: Vec<_> = listed
            .unwrap_or_default()
            .into_iter()
            .filter(|granted| granted.resource.contains("communications/presences"))
            .filter(|granted| granted.notification_url == ours)
            .filter(|granted| !self.subscriptions.contains_key(&granted.id))
            .take(LEFT_MAX)
            .collect();
        if refusal.kind == FaultKind::Forbidden && left.is_empty() && is_known {
            return self.on_refused(now, id, account, refusal);
        }
        let pause = back_off(tries.clearings.saturating_add(1), &mut self.random);
        group.subscription = Subscription::Waiting { account, next: now + pause, tries };
        for granted in left {
            self.forget(now, Caller::Account(account), &granted.id);
        }
    }

    /// Ends a subscription that nothing depends on; what came of it is of no interest.
    fn forget(&mut self, now: Instant, caller: Caller, id: &SubscriptionId) {
        self.send(now, subscription::delete(caller, id), Question::Forget);
    }

    /// When a subscription ends, and when it is renewed: at half of its life, not all at the same moment.
    fn life(&mut self, now: Moment, granted: &Granted) -> (Instant, Care) {
        let life = granted.expires.since(now.unix).min(LIFE_MAX);
        let renew = self.jitter(life / 2).max(CARE_MIN);
        (now.at + life, Care::Renew(now.at + renew))
    }

    /// A text that nobody can guess, to recognise Graph's notifications by.
    fn client_state(&mut self) -> Secret {
        let mut octets = [0; 24];
        self.random.fill_bytes(&mut octets);
        Secret::new(octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>())
    }
}

/// What was done for a subscription that stands.
enum Cared {
    /// It lives longer, and encrypts with this certificate.
    Renewed { granted: Granted, certificate_id: Option<Box<str>> },
    /// It may go on.
    Reauthorised,
}

/// The longest life of a presence subscription (Microsoft Graph: subscription, maximum length per resource).
const LIFE_MAX: Duration = Duration::from_secs(3600);

/// A subscription is never renewed earlier, however short a life Graph grants.
const CARE_MIN: Duration = Duration::from_secs(30);

/// How long a group rests before a subscription is created for it.
const REST: Duration = Duration::from_millis(500);

/// How long after a refusal it is asked again: an administrator's consent takes minutes to come round.
const REFUSED_AGAIN: Duration = Duration::from_secs(15 * 60);

/// Times that leftovers are looked for before a refusal is taken for one.
const CLEARINGS_MAX: u32 = 3;

/// Leftovers that are ended at once; Graph has one for each account.
const LEFT_MAX: usize = 20;
