//! How fast Graph may be asked: paced ahead of its limits, and silent when it asks for a pause.
//!
//! Graph counts per application and tenant, so there is one [`Throttle`] for each pair, shared by all that call Graph for
//! it. Asking again too early prolongs the pause; so nothing here is ever early.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::graph::batch::Answered;
use crate::graph::call::Operation;
use crate::graph::fault::{Fault, FaultKind};

/// Which of Graph's limits a call counts for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// Reading and writing presence.
    Presence,
    /// Users, groups, photos, grants.
    Directory,
    /// Creating and renewing subscriptions.
    Subscriptions,
}

impl Operation {
    /// Which of Graph's limits it counts for.
    #[must_use]
    pub fn family(self) -> Family {
        match self {
            Self::ReadPresences | Self::SetPresence | Self::ClearPresence => Family::Presence,
            Self::SubscribePresence
            | Self::RenewSubscription
            | Self::ReauthoriseSubscription
            | Self::DeleteSubscription
            | Self::ListSubscriptions => Family::Subscriptions,
            Self::ReadUsers
            | Self::ReadProfile
            | Self::ReadMembers
            | Self::ReadPhoto
            | Self::ReadGrants
            | Self::Batch => Family::Directory,
        }
    }
}

/// So many requests in any so long a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Requests.
    pub requests: u32,
    /// In so long a time.
    pub per: Duration,
}

/// Graph's limits for one application in one tenant. Microsoft changes them: they are configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Documented as 1,500 in 30 s.
    pub presence: Rate,
    /// Documented as 3,500 resource units in 10 s for the smallest tenants; a request costs 1 to 5.
    pub directory: Rate,
    /// Documented as 5,000 in 20 s.
    pub subscriptions: Rate,
    /// How much of each limit is used, in percent (1 to 100). The rest is for other programs under the same
    /// registration, and for Graph counting differently.
    pub share_percent: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            presence: Rate { requests: 1500, per: Duration::from_secs(30) },
            directory: Rate { requests: 700, per: Duration::from_secs(10) },
            subscriptions: Rate { requests: 5000, per: Duration::from_secs(20) },
            share_percent: 70,
        }
    }
}

/// Paces the requests of one application in one tenant.
#[derive(Debug)]
pub struct Throttle {
    presence: Lane,
    directory: Lane,
    subscriptions: Lane,
    random: StdRng,
}

impl Throttle {
    /// Nothing sent yet, no pause asked for.
    #[must_use]
    pub fn new(limits: &Limits, seed: u64) -> Self {
        let lane = |rate: Rate| Lane::new(rate, limits.share_percent.clamp(1, 100));
        Self {
            presence: lane(limits.presence),
            directory: lane(limits.directory),
            subscriptions: lane(limits.subscriptions),
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// Asks to send one request now; it counts as sent if it may.
    ///
    /// # Errors
    /// Not now, but perhaps at the moment returned, when one should ask again.
    pub fn admit(&mut self, now: Instant, family: Family) -> Result<(), Instant> {
        self.admit_batch(now, family, 1)
    }

    /// Asks to send one request now in which there are so many calls ([`Batch`](crate::graph::batch::Batch)): Graph counts
    /// each of them. What they go beyond the pace, those that follow wait for.
    ///
    /// # Errors
    /// As [`Throttle::admit`].
    pub fn admit_batch(&mut self, now: Instant, family: Family, calls: u32) -> Result<(), Instant> {
        let Self { presence, directory, subscriptions, random } = self;
        match family {
            Family::Presence => presence,
            Family::Directory => directory,
            Family::Subscriptions => subscriptions,
        }
        .admit(now, calls, random)
    }

    /// Tells what came of a request that was admitted at `asked_at`.
    ///
    /// A request that was done ends a pause only if it was asked after the pause began: what was on its way before
    /// says nothing about it.
    pub fn heard(&mut self, now: Instant, asked_at: Instant, family: Family, result: Result<(), &Fault>) {
        let Self { presence, directory, subscriptions, random } = self;
        let lane = match family {
            Family::Presence => presence,
            Family::Directory => directory,
            Family::Subscriptions => subscriptions,
        };
        match result.map_err(|fault| fault.kind) {
            Err(FaultKind::Throttled { retry_after }) => lane.pause(now, asked_at, retry_after, random),
            Err(FaultKind::Unavailable { retry_after }) => lane.pause(now, asked_at, retry_after, random),
            Err(FaultKind::Unreachable | FaultKind::TooSlow) => lane.pause(now, asked_at, None, random),
            // It was never sent.
            Err(FaultKind::NoToken) => {}
            // Graph works and does not mind: what it refuses is between it and the caller.
            _ => lane.clear(asked_at),
        }
    }

    /// Tells what came of a batch that was admitted at `asked_at`. Graph limits each call in it alone: the pause that it asks for
    /// with one of them is kept as if that one had been asked alone, though the batch was done. Other faults of one call in a
    /// batch that was done are about whom it asked for.
    pub fn heard_batch(&mut self, now: Instant, asked_at: Instant, answered: Result<&[Answered], &Fault>) {
        let family = Operation::Batch.family();
        let answered = match answered {
            Ok(answered) => answered,
            Err(fault) => return self.heard(now, asked_at, family, Err(fault)),
        };
        let mut hasty = false;
        for Answered { call, answer } in answered {
            if let Err(fault) = Fault::check(call.operation, answer)
                && matches!(fault.kind, FaultKind::Throttled { .. })
            {
                hasty = true;
                self.heard(now, asked_at, call.operation.family(), Err(&fault));
            }
        }
        if !hasty {
            self.heard(now, asked_at, family, Ok(()));
        }
    }

    /// Since when Graph has asked for pauses or been unreachable, without one request done in between.
    #[must_use]
    pub fn troubled_since(&self, family: Family) -> Option<Instant> {
        let lane = match family {
            Family::Presence => &self.presence,
            Family::Directory => &self.directory,
            Family::Subscriptions => &self.subscriptions,
        };
        lane.trouble.as_ref().map(|trouble| trouble.since)
    }
}

/// The first pause if Graph does not say how long; doubled with each fault in a row.
pub const BACK_OFF_MIN: Duration = Duration::from_secs(1);

/// The longest pause if Graph does not say how long.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(60);

/// The share of a limit that may be sent at once after a quiet time, as one part in so many.
const BURST_PART: u32 = 8;

/// One limit: a bucket that empties evenly (generic cell rate algorithm), and the pause that Graph asked for.
#[derive(Debug)]
struct Lane {
    /// Time that one request takes of the limit.
    interval: Duration,
    /// How far ahead of an even flow requests may run.
    ahead_max: Duration,
    /// When an even flow would have sent all that was sent.
    even: Option<Instant>,
    trouble: Option<Trouble>,
}

/// A pause, and what led to it.
#[derive(Debug)]
struct Trouble {
    since: Instant,
    /// When the last fault came.
    last_at: Instant,
    faults: u32,
    /// Nothing is sent before; then one request, to see.
    until: Instant,
    /// The request to see is on its way; if nothing is heard of it, another one follows then.
    seeing_until: Option<Instant>,
}

impl Lane {
    fn new(rate: Rate, share_percent: u8) -> Self {
        let requests = (rate.requests * u32::from(share_percent) / 100).max(1);
        let burst = requests / BURST_PART;
        // What may be sent at once is taken from the even flow, so that both together keep the share.
        let interval = rate.per / (requests - burst).max(1);
        Self { interval, ahead_max: interval * burst.saturating_sub(1), even: None, trouble: None }
    }

    fn admit(&mut self, now: Instant, calls: u32, random: &mut StdRng) -> Result<(), Instant> {
        if let Some(trouble) = &mut self.trouble {
            let until = trouble.seeing_until.unwrap_or(trouble.until);
            if now < until {
                return Err(until);
            }
        }
        let even = self.even.map_or(now, |even| even.max(now));
        if let Some(earliest) = even.checked_sub(self.ahead_max)
            && earliest > now
        {
            return Err(earliest);
        }
        self.even = Some(even + self.interval * calls);
        if let Some(trouble) = &mut self.trouble {
            trouble.seeing_until = Some(now + back_off(trouble.faults, random));
        }
        Ok(())
    }

    fn pause(&mut self, now: Instant, asked_at: Instant, retry_after: Option<Duration>, random: &mut StdRng) {
        let (since, before) = match &self.trouble {
            Some(trouble) => (trouble.since, Some(trouble)),
            None => (now, None),
        };
        // Several that were on their way together are one fault.
        let faults = match before {
            Some(trouble) if asked_at < trouble.last_at => trouble.faults,
            Some(trouble) => trouble.faults.saturating_add(1),
            None => 1,
        };
        let pause = match retry_after {
            // Never earlier than asked, and not all at the same moment.
            Some(asked) => asked + asked.mul_f64(random.random_range(0.0..0.1)),
            None => back_off(faults, random),
        };
        let until = before.map_or(now + pause, |trouble| trouble.until.max(now + pause));
        self.trouble = Some(Trouble { since, last_at: now, faults, until, seeing_until: None });
    }

    fn clear(&mut self, asked_at: Instant) {
        if self.trouble.as_ref().is_some_and(|trouble| asked_at >= trouble.last_at) {
            self.trouble = None;
        }
    }
}

/// A pause after so many faults in a row, between half and the whole of a doubling time.
pub(crate) fn back_off(faults: u32, random: &mut StdRng) -> Duration {
    let doublings = faults.saturating_sub(1).min(16);
    let whole = (BACK_OFF_MIN * (1 << doublings)).min(BACK_OFF_MAX);
    whole.mul_f64(random.random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::call::start_of_test;

    const PRESENCE: Family = Family::Presence;

    fn fault(kind: FaultKind) -> Fault {
        Fault {
            kind,
            operation: Operation::ReadPresences,
            status: 0,
            code: Box::default(),
            request_id: Box::default(),
        }
    }

    fn throttled(seconds: u64) -> Fault {
        fault(FaultKind::Throttled { retry_after: Some(Duration::from_secs(seconds)) })
    }

    /// Asks as often as possible for so long, and says when it was let through.
    fn hammer(throttle: &mut Throttle, from: Instant, length: Duration) -> Vec<Instant> {
        let (mut sent, mut now) = (Vec::new(), from);
        while now < from + length {
            match throttle.admit(now, PRESENCE) {
                Ok(()) => sent.push(now),
                Err(later) => {
                    assert!(later > now, "a moment to come");
                    now = later;
                }
            }
        }
        sent
    }

    #[test]
    fn the_share_of_the_limit_is_kept_in_any_window_and_used() {
        let start = start_of_test();
        let mut throttle = Throttle::new(&Limits::default(), 1);
        let sent = hammer(&mut throttle, start, Duration::from_secs(120));
        for (place, first) in sent.iter().enumerate() {
            let within =
                sent[place..].iter().take_while(|at| **at < *first + Duration::from_secs(30)).count();
            assert!(within <= 1050, "{within} requests in 30 s");
        }
        assert!(sent.len() >= 3600, "an even flow uses most of the share: {}", sent.len());
    }

    #[test]
    fn a_pause_is_kept_to_the_end_and_then_one_request_goes_ahead() {
        let start = start_of_test();
        let mut throttle = Throttle::new(&Limits::default(), 2);
        throttle.admit(start, PRESENCE).unwrap();
        throttle.heard(start, start, PRESENCE, Err(&throttled(20)));
        let until = throttle.admit(start + Duration::from_secs(1), PRESENCE).unwrap_err();
        assert!(until >= start + Duration::from_secs(20) && until < start + Duration::from_secs(22));
        throttle.admit(until, PRESENCE).unwrap();
        assert!(throttle.admit(until, PRESENCE).is_err(), "the second waits for what comes of the first");
        throttle.heard(until, until, PRESENCE, Ok(()));
        throttle.admit(until, PRESENCE).unwrap();
        assert_eq!(throttle.troubled_since(PRESENCE), None);
    }

    #[test]
    fn what_was_on_its_way_does_not_end_a_pause() {
        let start = start_of_test();
        let mut throttle = Throttle::new(&Limits::default(), 3);
        let later = start + Duration::from_millis(100);
        throttle.heard(later, start, PRESENCE, Err(&throttled(20)));
        throttle.heard(later, start, PRESENCE, Ok(()));
        assert!(throttle.admit(later, PRESENCE).is_err());
    }

    #[test]
    fn what_was_never_sent_says_nothing_about_graph() {
        let start = start_of_test();
        let mut throttle = Throttle::new(&Limits::default(), 3);
        throttle.heard(start, start, PRESENCE, Err(&throttled(20)));
        let until = throttle.admit(start, PRESENCE).unwrap_err();
        throttle.admit(until, PRESENCE).unwrap();
        throttle.heard(until, until, PRESENCE, Err(&fault(FaultKind::NoToken)));
        assert!(throttle.admit(until, PRESENCE).is_err());
        assert_eq!(throttle.troubled_since(PRESENCE), Some(start));
    }

    #[test]
    fn families_are_limited_apart() {
        let start = start_of_test();
        let mut throttle = Throttle::new(&Limits::default(), 3);
        throttle.heard(start, start, PRESENCE, Err(&throttled(20)));
        assert!(throttle.admit(start, PRESENCE).is_err());
        assert!(throttle.admit(start, Family::Directory).is_ok());
    }

    #[test]
    fn without_a_word_from_graph_pauses_grow_to_a_minute() {
        let start = start_of_test();
        let mut throttle = Throttle::new(&Limits::default(), 4);
        let (mut now, mut pauses) = (start, Vec::new());
        for _ in 0..12 {
            throttle.heard(now, now, PRESENCE, Err(&fault(FaultKind::Unreachable)));
            let until = throttle.admit(now, PRESENCE).unwrap_err();
            pauses.push(until - now);
            now = until;
            throttle.admit(now, PRESENCE).unwrap();
        }
        assert!(pauses[0] <= Duration::from_secs(1) && pauses[3] >= Duration::from_secs(4), "{pauses:?}");
        assert!(pauses[11] >= Duration::from_secs(30) && pauses[11] <= Duration::from_secs(60), "{pauses:?}");
    }

    #[test]
    fn many_at_once_are_one_fault() {
        let start = start_of_test();
        let mut throttle = Throttle::new(&Limits::default(), 5);
        let later = start + Duration::from_millis(10);
        for _ in 0..50 {
            throttle.heard(later, start, PRESENCE, Err(&fault(FaultKind::Unavailable { retry_after: None })));
        }
        assert!(throttle.admit(later, PRESENCE).unwrap_err() <= later + Duration::from_secs(1));
    }

    proptest! {
        #[test]
        fn a_pause_is_never_cut_short(seed: u64, asked in proptest::collection::vec(0u64..100, 1..8)) {
            let start = start_of_test();
            let mut throttle = Throttle::new(&Limits::default(), seed);
            let mut latest = start;
            for (place, seconds) in asked.iter().enumerate() {
                let at = start + Duration::from_millis(place as u64);
                throttle.heard(at, start, PRESENCE, Err(&throttled(*seconds)));
                latest = latest.max(at + Duration::from_secs(*seconds));
            }
            let mut now = start + Duration::from_millis(10);
            while let Err(later) = throttle.admit(now, PRESENCE) {
                prop_assert!(later > now);
                now = later;
            }
            prop_assert!(now >= latest);
        }
    }
}
