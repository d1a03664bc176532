//! How well a watcher knows what it watches, in figures.

use std::time::{Duration, Instant};

/// Figures of a watcher, for metrics and for people. Counters only grow.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// People who are watched.
    pub watched: usize,
    /// Of them, those of whom something is known, stale or not.
    pub known: usize,
    /// Of them, those of whom nothing certain is known.
    pub stale: usize,
    /// Of them, those whom Graph left out of its last answer.
    pub omitted: usize,
    /// For how long what is known was not confirmed: by half of the people, at most.
    pub age_p50: Duration,
    /// The same for 99 of 100.
    pub age_p99: Duration,
    /// The same for all.
    pub age_max: Duration,
    /// Groups of up to 650 people.
    pub groups: usize,
    /// Groups whose subscription stands and is relied upon.
    pub subscriptions_active: usize,
    /// Groups whose subscription stands, but was late or contradicted.
    pub subscriptions_doubted: usize,
    /// Groups whose subscription Graph refused.
    pub subscriptions_refused: usize,
    /// What was counted since the start.
    pub counts: Counts,
}

/// What a watcher has done and met since its start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Requests for presence that were sent.
    pub polls: u64,
    /// Of them, those that were not done.
    pub polls_failed: u64,
    /// Calls of any kind that Graph answered with a limit.
    pub throttled: u64,
    /// Notifications that were believed.
    pub notifications: u64,
    /// Notifications that were not believed.
    pub notifications_distrusted: u64,
    /// Copies of notifications.
    pub notifications_repeated: u64,
    /// Notifications whose content could not be opened or read; a poll was sent instead.
    pub notifications_unreadable: u64,
    /// States that changed.
    pub changes: u64,
    /// Times that polls and notifications, or two polls, said different things.
    pub contradictions: u64,
    /// Changes that a poll found and the subscription did not tell in time.
    pub subscriptions_late: u64,
    /// Entries of answers that named nobody who was asked for, or could not be read.
    pub strange: u64,
}

impl Health {
    /// Fills in the ages, from when each was confirmed.
    pub(super) fn age(&mut self, now: Instant, confirmed: impl Iterator<Item = Instant>) {
        let mut ages: Vec<_> = confirmed.map(|at| now.saturating_duration_since(at)).collect();
        ages.sort_unstable();
        let part = |percent: usize| {
            let place = (ages.len() * percent).div_ceil(100).saturating_sub(1);
            ages.get(place).copied().unwrap_or_default()
        };
        (self.age_p50, self.age_p99, self.age_max) = (part(50), part(99), part(100));
    }
}
