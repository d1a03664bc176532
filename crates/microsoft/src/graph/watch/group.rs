//! Up to 650 people who are asked for in one request, and the subscription that tells of them.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::graph::fault::Fault;
use crate::graph::subscription::SubscriptionId;
use crate::graph::watch::CallId;
use crate::id::ObjectId;
use crate::secret::Secret;

/// The number of a group in its watcher; never used twice.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct GroupId(pub(super) u32);

/// People who are asked for together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) members: BTreeSet<ObjectId>,
    /// When they are asked for next.
    pub(super) next_poll: Instant,
    /// The poll that is on its way.
    pub(super) polling: Option<CallId>,
    /// When to look who was not heard of for too long.
    pub(super) stale_check: Instant,
    /// Nobody is called stale before: what was vouched for until just now is asked for first.
    pub(super) grace_until: Instant,
    /// Who changed by a poll's word, and until when the subscription has to tell of them too; in the order of time.
    pub(super) awaited: VecDeque<(Instant, ObjectId)>,
    /// Until when the subscription is not relied upon, though it stands.
    pub(super) doubted_until: Option<Instant>,
    pub(super) subscription: Subscription,
}

/// The subscription of a group.
#[derive(Debug)]
pub(super) enum Subscription {
    /// There is no account to subscribe as.
    Off,
    /// To be created then.
    Waiting { account: ObjectId, next: Instant, tries: Tries },
    /// The creation is on its way. Notifications may come before its answer: they bring the state.
    Creating { account: ObjectId, tries: Tries, client_state: Secret, call: CallId },
    /// It stands.
    Active(Active),
    /// It is being ended because other people are to be watched now.
    Removing { account: ObjectId, id: SubscriptionId, client_state: Secret },
    /// Perhaps Graph has one of an earlier life for this account, for it refused another like this: it is looked for, and
    /// ended.
    Clearing { account: ObjectId, tries: Tries, refusal: Fault },
    /// Graph does not want it; asked again then.
    Refused { account: ObjectId, again: Instant },
}

/// What was tried in vain to have a subscription.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries {
    /// Creations that failed.
    pub(super) failures: u32,
    /// Times that those of an earlier life were looked for.
    pub(super) clearings: u32,
}

/// A subscription that stands.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) account: ObjectId,
    pub(super) id: SubscriptionId,
    pub(super) client_state: Secret,
    /// Of whom it tells.
    pub(super) named: BTreeSet<ObjectId>,
    /// The certificate that it encrypts with.
    pub(super) certificate_id: Option<Box<str>>,
    /// Since when it is known to stand.
    pub(super) since: Instant,
    /// When it ends unless renewed.
    pub(super) ends_at: Instant,
    /// What is done for it next, and when.
    pub(super) care: Care,
    /// The renewal or reauthorisation that is on its way.
    pub(super) caring: Option<CallId>,
    /// Cares that failed in a row.
    pub(super) failures: u32,
    /// Since when it does not fit the members of its group.
    pub(super) outgrown_at: Option<Instant>,
}

/// What is done for a subscription next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Care {
    Renew(Instant),
    Reauthorise(Instant),
}

impl Group {
    /// An empty group, asked for from then on.
    pub(super) fn new(next_poll: Instant, stale_check: Instant) -> Self {
        Self {
            members: BTreeSet::new(),
            next_poll,
            polling: None,
            stale_check,
            grace_until: stale_check,
            awaited: VecDeque::new(),
            doubted_until: None,
            subscription: Subscription::Off,
        }
    }

    /// Whether its subscription can be relied upon, so that polls only check it.
    pub(super) fn is_told(&self, now: Instant) -> bool {
        let sound = matches!(&self.subscription, Subscription::Active(active) if active.is_sound(now));
        sound && self.doubted_until.is_none_or(|until| until <= now)
    }

    /// Whether its subscription should have told a change of somebody who was last confirmed then.
    pub(super) fn should_have_told(&self, now: Instant, confirmed_at: Instant) -> bool {
        let stood =
            matches!(&self.subscription, Subscription::Active(active) if active.since <= confirmed_at);
        stood && self.is_told(now)
    }

    /// When something is to be done for its subscription.
    pub(super) fn subscription_due(&self) -> Option<Instant> {
        match &self.subscription {
            Subscription::Waiting { next, .. } => Some(*next),
            Subscription::Refused { again, .. } => Some(*again),
            Subscription::Active(active) => active.due(),
            Subscription::Off
            | Subscription::Creating { .. }
            | Subscription::Removing { .. }
            | Subscription::Clearing { .. } => None,
        }
    }

    /// Notes that this member has to be in the subscription; whether nobody was missing there before.
    pub(super) fn outgrow(&mut self, now: Instant, member: ObjectId) -> bool {
        let Subscription::Active(active) = &mut self.subscription else { return false };
        if active.named.contains(&member) {
            return false;
        }
        let first = active.outgrown_at.is_none();
        active.outgrown_at.get_or_insert(now);
        first
    }

    /// Nobody vouches for its people any more: it is polled as often as all, and nobody called stale before that.
    pub(super) fn poll_soon(&mut self, now: Instant, poll_every: Duration, stale_after: Duration) {
        self.next_poll = self.next_poll.min(now + poll_every);
        self.grace_until = now + stale_after;
        self.stale_check = self.stale_check.min(self.grace_until);
    }
}

impl Subscription {
    /// As whom it is held, or would be.
    pub(super) fn account(&self) -> Option<ObjectId> {
        match self {
            Self::Off => None,
            Self::Waiting { account, .. }
            | Self::Creating { account, .. }
            | Self::Removing { account, .. }
            | Self::Clearing { account, .. }
            | Self::Refused { account, .. } => Some(*account),
            Self::Active(active) => Some(active.account),
        }
    }
}

impl Active {
    /// Whether it tells of all members: it has not ended, and nobody has come since.
    fn is_sound(&self, now: Instant) -> bool {
        now < self.ends_at && self.outgrown_at.is_none()
    }

    fn due(&self) -> Option<Instant> {
        if self.caring.is_some() {
            return Some(self.ends_at);
        }
        let care = match self.care {
            Care::Renew(at) | Care::Reauthorise(at) => at,
        };
        let replace = self.outgrown_at.map(|since| since + super::SETTLE);
        Some(replace.map_or(care, |replace| replace.min(care)).min(self.ends_at))
    }
}
