//! The health of a trunk's proxies: OPTIONS once a minute to each, and the order in which calls try them.
//!
//! "Direct Routing: SIP protocol": OPTIONS are started by the SBC, and go to all names, because Microsoft judges
//! the trunk by what reaches each region. A 503 is a failed probe and names the time of the next try; any other
//! answer shows that the proxy lives.

use std::time::{Duration, Instant};

/// What is known of one proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Never asked, or not answered yet.
    Unknown,
    /// Answered the last probe.
    Up {
        /// When it answered.
        since: Instant,
    },
    /// Did not answer, or answered 503.
    Down {
        /// When that began.
        since: Instant,
        /// The status of a refusal; `None` without any answer.
        status: Option<u16>,
    },
}

impl Health {
    /// Tried first, in between, or last. A proxy that is down is still tried before a call fails.
    fn rank(self) -> u8 {
        match self {
            Health::Up { .. } => 0,
            Health::Unknown => 1,
            Health::Down { .. } => 2,
        }
    }
}

/// The probes of one proxy.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    health: Health,
    next: Option<Instant>,
}

impl Probe {
    /// Longest pause that a Retry-After may ask for.
    const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

    /// A proxy that is probed from `first` on, or never.
    pub(crate) fn new(first: Option<Instant>) -> Probe {
        Probe { health: Health::Unknown, next: first }
    }

    /// What is known.
    pub(crate) fn health(&self) -> Health {
        self.health
    }

    /// When the next probe is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// A probe is being sent; the next one is due an interval later.
    pub(crate) fn sent(&mut self, now: Instant, interval: Duration) {
        self.next = Some(now + interval);
    }

    /// The proxy answered a probe. Returns whether its health changed.
    pub(crate) fn answered(&mut self, now: Instant, status: u16, retry_after: Option<Duration>) -> bool {
        if status == 503 {
            if let (Some(pause), Some(next)) = (retry_after, self.next) {
                self.next = Some(next.max(now + pause.min(Self::RETRY_AFTER_MAX)));
            }
            return self.became(Health::Down { since: now, status: Some(status) });
        }
        self.became(Health::Up { since: now })
    }

    /// The proxy did not answer, or could not be reached: by a probe or by a call. Returns whether its health changed.
    pub(crate) fn failed(&mut self, now: Instant) -> bool {
        self.became(Health::Down { since: now, status: None })
    }

    fn became(&mut self, health: Health) -> bool {
        let changed = self.health.rank() != health.rank();
        if changed {
            self.health = health;
        }
        changed
    }
}

/// The order in which a call tries the proxies: as configured, those that are down last.
pub(crate) fn order(probes: &[Probe]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probes.len()).collect();
    // A stable sort keeps the configured order among equals; unknown counts as up: the first must be tried first.
    order.sort_by_key(|&index| probes.get(index).is_some_and(|p| p.health.rank() == 2));
    order
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need some instant to begin with")]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_is_tried_first_until_it_is_down() {
        let now = Instant::now();
        let mut probes = vec![Probe::new(Some(now)); 3];
        assert_eq!(order(&probes), [0, 1, 2]);
        probes[1].answered(now, 200, None);
        assert_eq!(order(&probes), [0, 1, 2]);
        assert!(probes[0].failed(now));
        assert_eq!(order(&probes), [1, 2, 0]);
        assert!(probes[0].answered(now, 405, None), "any answer but 503 shows that it lives");
        assert_eq!(order(&probes), [0, 1, 2]);
    }

    #[test]
    fn a_draining_proxy_is_down_and_left_alone_as_long_as_it_asks() {
        let now = Instant::now();
        let mut probe = Probe::new(Some(now));
        probe.sent(now, Duration::from_secs(60));
        assert!(probe.answered(now, 503, Some(Duration::from_secs(120))));
        assert_eq!(probe.next(), Some(now + Duration::from_secs(120)));
        assert_eq!(probe.health(), Health::Down { since: now, status: Some(503) });
    }
}
