//! Deadlines: which timer of whom is due when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// T1: the estimated round trip, 500 ms (RFC 3261 section 17.1.1.1).
pub(crate) const T1: Duration = Duration::from_millis(500);

/// T2: the longest pause between two copies of a request or of a 2xx, 4 s (RFC 3261 section 17.1.2.2).
pub(crate) const T2: Duration = Duration::from_secs(4);

/// T4: the longest time that a message stays in the network, 5 s (RFC 3261 section 17.1.2.2).
pub(crate) const T4: Duration = Duration::from_secs(5);

/// 64 times T1, 32 s: how long anything is tried before it is given up (Timers B, D, F, H, J, L and M).
pub(crate) const T1_64: Duration = Duration::from_secs(32);

/// A table of deadlines, one for each key.
///
/// Nothing is left behind: a timer that is stopped or set anew takes no room, unlike in a heap with stale entries.
#[derive(Debug)]
pub(crate) struct Timers<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: BTreeMap<K, Instant>,
}

impl<K: Copy + Ord> Timers<K> {
    /// A table without timers.
    pub(crate) fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }

    /// Starts the timer, or moves it if it runs.
    pub(crate) fn set(&mut self, key: K, at: Instant) {
        if let Some(before) = self.by_key.insert(key, at) {
            self.by_time.remove(&(before, key));
        }
        self.by_time.insert((at, key));
    }

    /// Stops the timer, if it runs.
    pub(crate) fn stop(&mut self, key: K) {
        if let Some(at) = self.by_key.remove(&key) {
            self.by_time.remove(&(at, key));
        }
    }

    /// Stops every timer from `first` to `last`, both included.
    pub(crate) fn stop_range(&mut self, first: K, last: K) {
        while let Some((&key, &at)) = self.by_key.range(first..=last).next() {
            self.by_key.remove(&key);
            self.by_time.remove(&(at, key));
        }
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let &(at, key) = self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.by_key.remove(&key);
        Some(key)
    }

    /// How many timers run.
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }
}

/// The moment at which the clock of a unit test starts.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test's clock starts somewhere; from there on it is moved by hand"
)]
pub(crate) fn start_of_test() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_due_in_order_once_and_only_as_last_set() {
        let start = start_of_test();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timers = Timers::new();
        timers.set('b', at(2));
        timers.set('a', at(1));
        timers.set('c', at(3));
        timers.set('a', at(4));
        timers.stop('c');
        assert_eq!(timers.next(), Some(at(2)));
        assert_eq!(timers.pop_due(at(1)), None);
        assert_eq!(timers.pop_due(at(9)), Some('b'));
        assert_eq!(timers.pop_due(at(9)), Some('a'));
        assert_eq!(timers.pop_due(at(9)), None);
        assert_eq!(timers.len(), 0);
    }

    #[test]
    fn a_range_of_timers_stops_together() {
        let start = start_of_test();
        let mut timers = Timers::new();
        for key in [(1, 'x'), (2, 'x'), (2, 'y'), (3, 'x')] {
            timers.set(key, start);
        }
        timers.stop_range((2, char::MIN), (2, char::MAX));
        assert_eq!(timers.len(), 2);
        assert_eq!(timers.by_time.len(), 2);
    }
}
