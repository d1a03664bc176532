//! A table of timers: what is to happen when, each at most once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Timers named by `T`.
#[derive(Debug)]
pub struct Timers<T> {
    at: BTreeMap<T, Instant>,
    order: BTreeSet<(Instant, T)>,
}

impl<T: Ord + Clone> Timers<T> {
    /// No timers.
    pub fn new() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Sets a timer, in place of one of that name.
    pub fn set(&mut self, timer: T, at: Instant) {
        self.stop(&timer);
        self.at.insert(timer.clone(), at);
        self.order.insert((at, timer));
    }

    /// Stops a timer, if it runs.
    pub fn stop(&mut self, timer: &T) {
        if let Some(at) = self.at.remove(timer) {
            self.order.remove(&(at, timer.clone()));
        }
    }

    /// Takes the next timer that has run out.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
        let due = self.order.first().is_some_and(|(at, _)| *at <= now);
        let (_, timer) = due.then(|| self.order.pop_first()).flatten()?;
        self.at.remove(&timer);
        Some(timer)
    }

    /// When the next one runs out.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }
}

impl<T: Ord + Clone> Default for Timers<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_run_out_in_order_and_once() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut timers = Timers::new();
        timers.set("b", at(2));
        timers.set("a", at(3));
        timers.set("a", at(1));
        timers.set("c", at(1));
        timers.stop(&"c");
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.pop(start), None);
        assert_eq!([timers.pop(at(9)), timers.pop(at(9)), timers.pop(at(9))], [Some("a"), Some("b"), None]);
    }
}
