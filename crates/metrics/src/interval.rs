//! Intervals: the quarters, hours and days by which reports are divided, in the time zone of a queue.
//!
//! Local time is what people plan by, and it is not regular: zones are 30 and 45 minutes off the hour, and a
//! day with a clock change has 23 or 25 hours. An interval never spans such a change: one that would is cut
//! there, and of an hour that comes twice each has its own intervals.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;

/// How long the intervals of a report are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// 15 minutes, from the full hour on.
    #[default]
    QuarterHour,
    /// 30 minutes, from the full hour on.
    HalfHour,
    /// 60 minutes, from the full hour on.
    Hour,
    /// From midnight to midnight; 23 or 25 hours when the clock changes.
    Day,
}

/// A stretch of time: from its start, included, to its end, excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The first moment that belongs to it.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

/// Divides time into intervals of one length in one time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Calendar {
    zone: TimeZone,
    name: String,
    length: Length,
}

/// The time zone cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneFault {
    /// The database of time zones does not have this name.
    #[error("there is no time zone {0:?}; names are like \"Europe/Berlin\" or \"UTC\"")]
    Unknown(String),
}

impl Calendar {
    /// Divides the time of this zone, named as in the IANA time zone database: `Europe/Berlin`.
    ///
    /// # Errors
    ///
    /// The name is not in the database that comes with the program.
    pub fn new(zone: &str, length: Length) -> Result<Calendar, ZoneFault> {
        let database = TimeZoneDatabase::bundled();
        let found = database.get(zone).map_err(|_| ZoneFault::Unknown(zone.to_owned()))?;
        Ok(Calendar { zone: found, name: zone.to_owned(), length })
    }

    /// Divides the time of UTC.
    pub fn utc(length: Length) -> Calendar {
        Calendar { zone: TimeZone::UTC, name: "UTC".to_owned(), length }
    }

    /// The name of the time zone.
    pub fn zone(&self) -> &str {
        &self.name
    }

    /// How long its intervals are.
    pub fn length(&self) -> Length {
        self.length
    }

    /// The interval to which a moment belongs.
    ///
    /// A moment beyond the year 9999 belongs to the interval of the last moment before.
    pub fn interval_of(&self, at: Timestamp) -> Interval {
        let at = at.as_micros().min(LATEST_US);
        let (start, end) = match self.length.micros() {
            Some(length) => self.regular(at, length),
            None => self.day(at),
        };
        Interval { start: Timestamp::from_micros(start), end: Timestamp::from_micros(end) }
    }

    /// The intervals that a stretch of time touches, in order. An empty stretch touches none.
    pub fn intervals(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Interval> + '_ {
        let first = (from < until).then(|| self.interval_of(from));
        std::iter::successors(first, move |before| {
            (before.end < until).then(|| self.interval_of(before.end)).filter(|next| next.start >= before.end)
        })
    }

    /// An interval of a fixed length: the local clock rounded down, cut where the local clock changes.
    fn regular(&self, at: u64, length: u64) -> (u64, u64) {
        let offset = self.offset_us(at);
        let local = i128::from(at) + i128::from(offset);
        let start = local - local.rem_euclid(i128::from(length)) - i128::from(offset);
        let start = u64::try_from(start).unwrap_or(0);
        let end = start.saturating_add(length).min(LATEST_US + 1);
        let cut_start = (self.offset_us(start) != offset).then(|| self.change_before(at)).flatten();
        let cut_end =
            (self.offset_us(end.saturating_sub(1)) != offset).then(|| self.change_after(at)).flatten();
        (cut_start.unwrap_or(start), cut_end.unwrap_or(end))
    }

    fn day(&self, at: u64) -> (u64, u64) {
        let date = self.zone.to_datetime(moment(at)).date();
        let start = self.midnight(date).unwrap_or(0);
        let end = date.tomorrow().ok().and_then(|next| self.midnight(next)).unwrap_or(LATEST_US + 1);
        (start.min(at), end.max(at + 1))
    }

    /// When a day begins: where the clock skips midnight, with the first moment after the gap.
    fn midnight(&self, date: jiff::civil::Date) -> Option<u64> {
        let start = date.to_zoned(self.zone.clone()).ok()?;
        u64::try_from(start.timestamp().as_microsecond()).ok()
    }

    fn offset_us(&self, at: u64) -> i64 {
        i64::from(self.zone.to_offset(moment(at)).seconds()) * 1_000_000
    }

    fn change_before(&self, at: u64) -> Option<u64> {
        let change = self.zone.preceding(moment(at + 1)).next()?;
        u64::try_from(change.timestamp().as_microsecond()).ok()
    }

    fn change_after(&self, at: u64) -> Option<u64> {
        let change = self.zone.following(moment(at)).next()?;
        u64::try_from(change.timestamp().as_microsecond()).ok()
    }
}

impl Interval {
    /// Whether a moment belongs to it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether the two have a moment in common.
    pub fn touches(&self, other: Interval) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// How long it is, in microseconds.
    pub fn length_us(&self) -> u64 {
        self.end.micros_since(self.start)
    }

    /// How much of the stretch from `from` to `until` lies in it, in microseconds.
    pub fn overlap_us(&self, from: Timestamp, until: Timestamp) -> u64 {
        until.min(self.end).micros_since(from.max(self.start))
    }
}

impl Length {
    /// The length in microseconds; `None` for days, which differ.
    fn micros(self) -> Option<u64> {
        match self {
            Length::QuarterHour => Some(15 * MINUTE_US),
            Length::HalfHour => Some(30 * MINUTE_US),
            Length::Hour => Some(60 * MINUTE_US),
            Length::Day => None,
        }
    }

    /// The longest that an interval of this kind can be, in microseconds. Used to say how far back is kept.
    pub(crate) fn longest_us(self) -> u64 {
        self.micros().unwrap_or(25 * 60 * MINUTE_US)
    }
}

/// A calendar as it is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    zone: String,
    length: Length,
}

impl TryFrom<Written> for Calendar {
    type Error = ZoneFault;

    fn try_from(written: Written) -> Result<Calendar, ZoneFault> {
        Calendar::new(&written.zone, written.length)
    }
}

impl From<Calendar> for Written {
    fn from(calendar: Calendar) -> Written {
        Written { zone: calendar.name, length: calendar.length }
    }
}

fn moment(at: u64) -> jiff::Timestamp {
    let micros = i64::try_from(at).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX)
}

const MINUTE_US: u64 = 60_000_000;

/// The last moment that is told apart: the calendar ends with the year 9999, and zones need some room before
/// it.
const LATEST_US: u64 = 253_402_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(u64::try_from(moment.as_microsecond()).unwrap())
    }

    fn shown(interval: Interval) -> (String, String) {
        (moment(interval.start.as_micros()).to_string(), moment(interval.end.as_micros()).to_string())
    }

    #[test]
    fn quarters_follow_the_local_clock_also_45_minutes_off() {
        let kathmandu = Calendar::new("Asia/Kathmandu", Length::Hour).unwrap();
        let (start, end) = shown(kathmandu.interval_of(at("2026-03-01T10:20:00Z")));
        assert_eq!((start.as_str(), end.as_str()), ("2026-03-01T10:15:00Z", "2026-03-01T11:15:00Z"));
    }

    #[test]
    fn a_day_with_a_clock_change_has_23_or_25_hours() {
        let berlin = Calendar::new("Europe/Berlin", Length::Day).unwrap();
        let hours = |text| berlin.interval_of(at(text)).length_us() / (60 * MINUTE_US);
        assert_eq!(hours("2026-03-29T12:00:00Z"), 23);
        assert_eq!(hours("2026-10-25T12:00:00Z"), 25);
        assert_eq!(hours("2026-06-01T12:00:00Z"), 24);
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_after_the_gap() {
        let cairo = Calendar::new("Africa/Cairo", Length::Day).unwrap();
        let (start, end) = shown(cairo.interval_of(at("2026-04-24T12:00:00Z")));
        assert_eq!((start.as_str(), end.as_str()), ("2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"));
    }

    #[test]
    fn an_hour_that_is_cut_by_a_change_of_half_an_hour_ends_there() {
        let lord_howe = Calendar::new("Australia/Lord_Howe", Length::Hour).unwrap();
        // On 2026-04-05 at 02:00 (+11:00) the clock goes back to 01:30 (+10:30).
        let (start, end) = shown(lord_howe.interval_of(at("2026-04-04T14:59:00Z")));
        assert_eq!((start.as_str(), end.as_str()), ("2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z"));
        let (start, end) = shown(lord_howe.interval_of(at("2026-04-04T15:10:00Z")));
        assert_eq!((start.as_str(), end.as_str()), ("2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"));
    }

    #[test]
    fn intervals_cover_a_stretch_without_gap_or_overlap() {
        for zone in ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"] {
            for length in [Length::QuarterHour, Length::HalfHour, Length::Hour, Length::Day] {
                let calendar = Calendar::new(zone, length).unwrap();
                let (from, until) = (at("2026-03-20T03:07:00Z"), at("2026-11-10T03:07:00Z"));
                let mut expected = calendar.interval_of(from).start;
                for interval in calendar.intervals(from, until) {
                    assert_eq!(interval.start, expected, "{zone} {length:?}");
                    assert!(interval.start < interval.end);
                    assert_eq!(calendar.interval_of(interval.start), interval, "{zone} {length:?}");
                    let last = Timestamp::from_micros(interval.end.as_micros() - 1);
                    assert_eq!(calendar.interval_of(last), interval, "{zone} {length:?}");
                    expected = interval.end;
                }
                assert!(expected >= until);
            }
        }
    }

    #[test]
    fn moments_at_the_ends_of_time_have_intervals_too() {
        for length in [Length::QuarterHour, Length::Day] {
            let berlin = Calendar::new("Europe/Berlin", length).unwrap();
            for micros in [0, 1, u64::MAX / 2, u64::MAX] {
                let interval = berlin.interval_of(Timestamp::from_micros(micros));
                assert!(interval.start < interval.end);
            }
        }
    }

    #[test]
    fn an_unknown_zone_is_a_fault_that_names_it() {
        let fault = Calendar::new("Europe/Atlantis", Length::Hour).unwrap_err();
        assert_eq!(fault, ZoneFault::Unknown("Europe/Atlantis".to_owned()));
    }
}
