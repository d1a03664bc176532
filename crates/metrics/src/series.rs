//! Series: sums by interval, for as many intervals as are kept, and one sum of all that came before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;

use crate::interval::{Calendar, Interval, Length};

/// Something that can be added up.
pub trait Sum: Default {
    /// Adds what was counted elsewhere.
    fn merge(&mut self, other: &Self);
}

impl Sum for u64 {
    fn merge(&mut self, other: &u64) {
        *self = self.saturating_add(*other);
    }
}

/// Sums by interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series<T> {
    length: Length,
    kept: BTreeMap<Timestamp, Kept<T>>,
    earlier: T,
    newest: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept<T> {
    end: Timestamp,
    sum: T,
}

impl<T: Sum> Series<T> {
    /// How many intervals back sums are kept one by one: two days of quarters and some. Older ones are added
    /// to one sum, [`Series::earlier`], in which single intervals can no longer be told apart.
    pub const INTERVALS_MAX: u64 = 200;

    /// Nothing counted yet.
    pub fn new(length: Length) -> Series<T> {
        let (kept, earlier, newest) = (BTreeMap::new(), T::default(), Timestamp::default());
        Series { length, kept, earlier, newest }
    }

    /// The sum of this interval, to count in.
    pub fn at(&mut self, interval: Interval) -> &mut T {
        if interval.start > self.newest {
            self.newest = interval.start;
            self.forget();
        }
        if interval.start < self.horizon() {
            return &mut self.earlier;
        }
        let Interval { start, end } = interval;
        &mut self.kept.entry(start).or_insert_with(|| Kept { end, sum: T::default() }).sum
    }

    /// The moment from which single intervals are kept once something was counted in this one, and the sum of
    /// what lies before. A long stretch of time is counted in one go up to there.
    pub(crate) fn before(&mut self, calendar: &Calendar, latest: Interval) -> (Timestamp, &mut T) {
        if latest.start > self.newest {
            self.newest = latest.start;
            self.forget();
        }
        (kept_from(calendar, self.newest), &mut self.earlier)
    }

    /// The sums that are kept one by one, oldest first. Intervals in which nothing happened are not among
    /// them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Interval, &T)> {
        self.kept.iter().map(|(start, kept)| (Interval { start: *start, end: kept.end }, &kept.sum))
    }

    /// The sum of an interval; `None` if nothing happened in it, or it is no longer kept.
    pub fn get(&self, interval: Interval) -> Option<&T> {
        self.kept.get(&interval.start).map(|kept| &kept.sum)
    }

    /// The sum of all intervals that are no longer kept one by one.
    pub fn earlier(&self) -> &T {
        &self.earlier
    }

    /// The sum of everything.
    pub fn total(&self) -> T {
        let mut total = T::default();
        total.merge(&self.earlier);
        self.kept.values().for_each(|kept| total.merge(&kept.sum));
        total
    }

    fn forget(&mut self) {
        let kept = self.kept.split_off(&self.horizon());
        for old in std::mem::replace(&mut self.kept, kept).into_values() {
            self.earlier.merge(&old.sum);
        }
    }

    /// Intervals that begin before this are not kept. It depends on the newest interval only, not on the
    /// order in which things were counted.
    fn horizon(&self) -> Timestamp {
        horizon(self.length, self.newest)
    }
}

/// Where the first interval begins that is kept if the newest one begins at this moment.
pub(crate) fn kept_from(calendar: &Calendar, newest: Timestamp) -> Timestamp {
    let horizon = horizon(calendar.length(), newest);
    let interval = calendar.interval_of(horizon);
    if interval.start < horizon { interval.end } else { interval.start }
}

fn horizon(length: Length, newest: Timestamp) -> Timestamp {
    let back = Series::<u64>::INTERVALS_MAX * length.longest_us();
    Timestamp::from_micros(newest.as_micros().saturating_sub(back))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_intervals_become_one_sum_whatever_the_order() {
        let calendar = Calendar::utc(Length::QuarterHour);
        let count = |order: &[u64]| {
            let mut series = Series::<u64>::new(Length::QuarterHour);
            for quarter in order {
                *series.at(calendar.interval_of(Timestamp::from_micros(quarter * 900_000_000))) += 1;
            }
            series
        };
        let forwards: Vec<u64> = (1_000..1_500).collect();
        let backwards: Vec<u64> = (1_000..1_500).rev().collect();
        let series = count(&forwards);
        assert_eq!(series, count(&backwards));
        assert_eq!(series.iter().count(), 201);
        assert_eq!(*series.earlier(), 299);
        assert_eq!(series.total(), 500);
    }
}
