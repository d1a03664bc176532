//! Time as the center knows it, and everything that time can do.

use std::collections::BTreeSet;
use std::ops::Add;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AgentIndex, InteractionId};

/// A moment: microseconds since 1970-01-01T00:00:00 UTC.
///
/// It is handed in by the shell, best from a monotonic clock that was set once, at start, to the later of the wall
/// clock and [`Center::now`](crate::Center::now): a center never goes back in time, it reads an earlier moment as
/// the latest it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment this many microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> Timestamp {
        Timestamp(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub const fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(self.micros_since(earlier))
    }

    /// Microseconds from `earlier` to this; zero if it is not after.
    pub const fn micros_since(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Timestamp {
    /// The moment this long before; at the earliest the epoch.
    #[must_use]
    pub fn before(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    /// Saturates some 580,000 years after the epoch.
    fn add(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// Whose time comes. What it means is said by the state that its owner is then in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Agent(AgentIndex),
    Interaction(InteractionId),
}

/// The table of all timers. Each owner has at most one: the expiry of the state it is in.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Timestamp, Owner)>,
}

impl Timers {
    /// Moves the timer of `owner` from `old` to `new`.
    pub(crate) fn reset(&mut self, owner: Owner, old: Option<Timestamp>, new: Option<Timestamp>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.by_time.remove(&(old, owner));
        }
        if let Some(new) = new {
            self.by_time.insert((new, owner));
        }
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Whose timer is due at `now`, earliest first; it stays in the table until its owner resets it.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Owner> {
        self.by_time.first().filter(|(at, _)| *at <= now).map(|(_, owner)| *owner)
    }
}
