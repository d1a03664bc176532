//! Everything that time can do to a call, in one table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tandem_center::call::{CallId, PartyId};

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// An INVITE has had no provisional response from us; 180 is due.
    FirstProvisional(CallId),
    /// A proxy has answered nothing to our INVITE; the next one is due.
    ProxyPatience(CallId, PartyId),
    /// The wait of a collection of digits.
    Collect(CallId, PartyId),
    /// Nobody decided about a transfer; it is refused.
    TransferDecision(CallId),
    /// The transferred-away party has not hung up by itself; we do it.
    TransferorBye(CallId),
    /// The last quality reports are overdue; the call ends without them.
    Reports(CallId),
    /// OPTIONS to a proxy of a trunk is due.
    KeepAlive {
        /// Which trunk.
        trunk: usize,
        /// Which of its proxies.
        proxy: usize,
    },
}

/// The table: at most one time for each timer.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Instant, Timer)>,
    by_timer: BTreeMap<Timer, Instant>,
}

impl Timers {
    /// Sets a timer, or moves it.
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        if let Some(before) = self.by_timer.insert(timer, at) {
            self.by_time.remove(&(before, timer));
        }
        self.by_time.insert((at, timer));
    }

    /// Sets a timer if there is a time, else clears it.
    pub(crate) fn set_or_clear(&mut self, timer: Timer, at: Option<Instant>) {
        match at {
            Some(at) => self.set(timer, at),
            None => self.clear(timer),
        }
    }

    /// Clears a timer; harmless if it is not set.
    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.by_timer.remove(&timer) {
            self.by_time.remove(&(at, timer));
        }
    }

    /// The earliest time.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes one timer whose time has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.by_timer.remove(&timer);
        Some(timer)
    }

    /// How many are set.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_time.len()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need some instant to begin with")]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_timer_has_one_time_only() {
        let now = Instant::now();
        let timer = Timer::FirstProvisional(CallId(1));
        let mut timers = Timers::default();
        timers.set(timer, now + Duration::from_secs(1));
        timers.set(timer, now + Duration::from_secs(2));
        assert_eq!((timers.len(), timers.next()), (1, Some(now + Duration::from_secs(2))));
        assert_eq!(timers.pop_due(now + Duration::from_secs(1)), None);
        assert_eq!(timers.pop_due(now + Duration::from_secs(2)), Some(timer));
        timers.clear(timer);
        assert_eq!((timers.len(), timers.next()), (0, None));
    }
}
