//! Waiting: how long callers waited, and which of them gave up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metric::{Measured, Metric, Quotient, Value};
use crate::tally::Tally;

/// Whose waits the average speed of answer (ASA) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeedOfAnswer {
    /// All who were answered; who did not wait counts with zero.
    All,
    /// Only those who had to wait.
    Delayed,
    /// All who were answered, with the waits of their earlier visits of this matter to any queue: what the
    /// customer felt.
    OverAllVisits,
}

/// Whose waits an average is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AverageWait {
    /// Who was answered or gave up.
    AnsweredAndAbandoned,
    /// Everybody who left the queue, however.
    AllLeaving,
}

/// Which share gave up.
///
/// Only hanging up while in the queue is abandonment; who leaves in a menu before is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Abandonment {
    /// `B / (A + B + F)`: of all who entered.
    OfEntered,
    /// `B / (A + B)`: of those who were answered or gave up.
    OfAnsweredAndAbandoned,
    /// `(B - B_S) / (A + B + F - B_S)`: of all who entered, without short abandons.
    OfEnteredWithoutShort,
    /// `(B - B_S) / (A + B - B_S)`: of those answered or given up, without short abandons.
    WithoutShort,
}

/// Visits that ended in one way, and their waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How many.
    pub visits: u64,
    /// Their waits together, in microseconds.
    pub wait_us: u64,
    /// The longest of them, in microseconds; zero if there were none.
    pub longest_us: u64,
}

/// The waits of those who were answered, for percentiles: each of them, or, when they are very many, how many
/// there were of each length.
///
/// Up to [`Waits::RAW_MAX`] all are kept and percentiles are exact. Beyond, lengths are rounded up by at most
/// [`SKETCH_ERROR`]; both kinds can be merged, which percentiles themselves cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waits {
    /// All of them in microseconds, shortest first.
    Raw(Vec<u64>),
    /// How many there are of each class of lengths.
    Sketch(BTreeMap<u16, u64>),
}

/// By how much of itself a percentile read from a sketch is too high at most.
pub const SKETCH_ERROR: f64 = 1.0 / 128.0;

impl SpeedOfAnswer {
    /// All of them.
    pub const ALL: [SpeedOfAnswer; 3] =
        [SpeedOfAnswer::All, SpeedOfAnswer::Delayed, SpeedOfAnswer::OverAllVisits];

    /// The sum of the waits in microseconds over how many waited.
    pub fn of(self, tally: &Tally) -> Quotient {
        let Tally { answered, answered_at_once, answered_total_wait_us, .. } = tally;
        match self {
            SpeedOfAnswer::All => Quotient::new(answered.wait_us, answered.visits),
            SpeedOfAnswer::Delayed => Quotient::new(answered.wait_us, answered.visits - answered_at_once),
            SpeedOfAnswer::OverAllVisits => Quotient::new(*answered_total_wait_us, answered.visits),
        }
    }

    /// The same with its name.
    pub fn measure(self, tally: &Tally) -> Measured {
        Measured::mean(Metric::SpeedOfAnswer { variant: self }, self.of(tally))
    }
}

impl AverageWait {
    /// All of them.
    pub const ALL: [AverageWait; 2] = [AverageWait::AnsweredAndAbandoned, AverageWait::AllLeaving];

    /// The sum of the waits in microseconds over how many waited.
    pub fn of(self, tally: &Tally) -> Quotient {
        let both = tally.answered.mean().and(tally.abandoned.mean());
        match self {
            AverageWait::AnsweredAndAbandoned => both,
            AverageWait::AllLeaving => both.and(tally.flowed_out.mean()).and(tally.lost.mean()),
        }
    }

    /// The same with its name.
    pub fn measure(self, tally: &Tally) -> Measured {
        Measured::mean(Metric::AverageWait { variant: self }, self.of(tally))
    }
}

impl Abandonment {
    /// All of them.
    pub const ALL: [Abandonment; 4] = [
        Abandonment::OfEntered,
        Abandonment::OfAnsweredAndAbandoned,
        Abandonment::OfEnteredWithoutShort,
        Abandonment::WithoutShort,
    ];

    /// The share of what was counted.
    pub fn of(self, tally: &Tally) -> Quotient {
        let (abandoned, short) = (tally.abandoned.visits, tally.abandoned_short);
        let both = tally.answered.visits + abandoned;
        match self {
            Abandonment::OfEntered => Quotient::new(abandoned, tally.left()),
            Abandonment::OfAnsweredAndAbandoned => Quotient::new(abandoned, both),
            Abandonment::OfEnteredWithoutShort => Quotient::new(abandoned - short, tally.left() - short),
            Abandonment::WithoutShort => Quotient::new(abandoned - short, both - short),
        }
    }

    /// The same with its name and parameters.
    pub fn measure(self, tally: &Tally) -> Measured {
        let metric = Metric::Abandonment { variant: self, thresholds: tally.thresholds.clone() };
        Measured::share(metric, self.of(tally))
    }
}

impl Ended {
    /// Counts one more.
    pub(crate) fn add(&mut self, wait_us: u64) {
        self.visits += 1;
        self.wait_us = self.wait_us.saturating_add(wait_us);
        self.longest_us = self.longest_us.max(wait_us);
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Ended) {
        self.visits += other.visits;
        self.wait_us = self.wait_us.saturating_add(other.wait_us);
        self.longest_us = self.longest_us.max(other.longest_us);
    }

    /// The waits in microseconds over how many there were.
    pub fn mean(&self) -> Quotient {
        Quotient::new(self.wait_us, self.visits)
    }
}

impl Default for Waits {
    fn default() -> Waits {
        Waits::Raw(Vec::new())
    }
}

impl Waits {
    /// How many waits are kept one by one. When there are more, only how many there were of each length is
    /// kept.
    pub const RAW_MAX: usize = 2_000;

    /// Adds a wait in microseconds.
    pub fn add(&mut self, wait_us: u64) {
        match self {
            Waits::Raw(raw) => {
                let place = raw.partition_point(|kept| *kept <= wait_us);
                raw.insert(place, wait_us);
            }
            Waits::Sketch(classes) => *classes.entry(class_of(wait_us)).or_default() += 1,
        }
        self.bound();
    }

    /// Adds waits that were gathered elsewhere: the same as if all had been gathered here.
    pub fn merge(&mut self, other: &Waits) {
        match (&mut *self, other) {
            (Waits::Raw(raw), Waits::Raw(others)) => {
                raw.extend(others);
                raw.sort_unstable();
            }
            (Waits::Sketch(classes), others) => {
                for (class, count) in others.classes() {
                    *classes.entry(class).or_default() += count;
                }
            }
            (Waits::Raw(_), Waits::Sketch(others)) => {
                let mut classes = self.classes();
                for (class, count) in others {
                    *classes.entry(*class).or_default() += count;
                }
                *self = Waits::Sketch(classes);
            }
        }
        self.bound();
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match self {
            Waits::Raw(raw) => raw.len() as u64,
            Waits::Sketch(classes) => classes.values().sum(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Whether percentiles are exact.
    pub fn is_exact(&self) -> bool {
        matches!(self, Waits::Raw(_))
    }

    /// The wait in microseconds that this many percent did not exceed, by nearest rank: the one at position
    /// `ceil(percent / 100 * count)`. `None` if there are no waits or the percentage is not 1 to 100.
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        if !(1..=100).contains(&percent) {
            return None;
        }
        let rank = (u128::from(self.count()) * u128::from(percent)).div_ceil(100);
        let index = usize::try_from(rank.checked_sub(1)?).ok()?;
        match self {
            Waits::Raw(raw) => raw.get(index).copied(),
            Waits::Sketch(classes) => {
                let mut seen = 0;
                let class = classes.iter().find(|(_, count)| {
                    seen += u128::from(**count);
                    seen >= rank
                });
                class.map(|(class, _)| longest_of(*class))
            }
        }
    }

    /// A percentile with its name.
    pub fn measure(&self, percent: u8) -> Measured {
        let value = Value::Micros { value: self.percentile(percent), exact: self.is_exact() };
        Measured { metric: Metric::WaitPercentile { percent }, value }
    }

    fn classes(&self) -> BTreeMap<u16, u64> {
        match self {
            Waits::Sketch(classes) => classes.clone(),
            Waits::Raw(raw) => {
                let mut classes = BTreeMap::new();
                for wait_us in raw {
                    *classes.entry(class_of(*wait_us)).or_default() += 1;
                }
                classes
            }
        }
    }

    fn bound(&mut self) {
        if matches!(self, Waits::Raw(raw) if raw.len() > Waits::RAW_MAX) {
            *self = Waits::Sketch(self.classes());
        }
    }
}

/// The class of a length: up to 255 us each its own, above that 128 classes for each doubling.
fn class_of(wait_us: u64) -> u16 {
    if wait_us < 2 * CLASSES_PER_DOUBLING {
        return wait_us as u16;
    }
    let shift = wait_us.ilog2() - CLASSES_PER_DOUBLING.ilog2();
    let mantissa = (wait_us >> shift) as u16;
    shift as u16 * CLASSES_PER_DOUBLING as u16 + mantissa
}

/// The longest length of a class.
fn longest_of(class: u16) -> u64 {
    let class = u64::from(class);
    if class < 2 * CLASSES_PER_DOUBLING {
        return class;
    }
    let shift = class / CLASSES_PER_DOUBLING - 1;
    let mantissa = class - shift * CLASSES_PER_DOUBLING;
    let longest = ((u128::from(mantissa) + 1) << shift) - 1;
    u64::try_from(longest).unwrap_or(u64::MAX)
}

/// How finely a sketch tells lengths apart; [`SKETCH_ERROR`] follows from it.
const CLASSES_PER_DOUBLING: u64 = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waits(all: &[u64]) -> Waits {
        let mut waits = Waits::default();
        all.iter().for_each(|wait| waits.add(*wait));
        waits
    }

    #[test]
    fn a_percentile_is_a_wait_that_somebody_had() {
        let waits = waits(&[0, 4, 9, 12, 15, 18, 20, 21, 35, 48, 64]);
        let percentiles = [50, 80, 90, 95, 100].map(|percent| waits.percentile(percent).unwrap());
        assert_eq!(percentiles, [18, 35, 48, 64, 64]);
        assert_eq!(Waits::default().percentile(50), None);
        assert_eq!(waits.percentile(0), None);
    }

    #[test]
    fn very_many_waits_are_kept_by_length_and_say_so() {
        let all: Vec<u64> = (0..10_000).map(|n| n * n * 13).collect();
        let waits = waits(&all);
        assert!(!waits.is_exact());
        assert_eq!(waits.count(), 10_000);
        let near = waits.percentile(80).unwrap() as f64;
        let exact = all[7_999] as f64;
        assert!(near >= exact && near <= exact * (1.0 + SKETCH_ERROR), "{near} for {exact}");
    }

    proptest! {
        #[test]
        fn a_class_holds_its_lengths_and_is_narrow(wait in any::<u64>()) {
            let longest = longest_of(class_of(wait));
            prop_assert!(longest >= wait);
            prop_assert!((longest - wait) as f64 <= wait as f64 * SKETCH_ERROR);
            prop_assert_eq!(class_of(longest), class_of(wait));
        }

        #[test]
        fn merging_is_gathering_together(
            some in prop::collection::vec(0u64..1_000_000_000, 0..3_000),
            others in prop::collection::vec(0u64..1_000_000_000, 0..3_000),
        ) {
            let mut merged = waits(&some);
            merged.merge(&waits(&others));
            let all: Vec<u64> = some.iter().chain(&others).copied().collect();
            prop_assert_eq!(merged, waits(&all));
        }
    }
}
