//! Schedules: how far what agents did is what was planned.

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;

use crate::agent_time::{Segment, TimeState};
use crate::interval::Interval;
use crate::metric::Quotient;

/// What a schedule asks for during a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// From when until when.
    #[serde(flatten)]
    pub interval: Interval,
    /// What for.
    pub plan: Plan,
}

/// The classes of time that schedules know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Work for contacts: available, rung, in conversation, on hold, wrapping up.
    Work,
    /// Anything that an agent does while logged in and not for contacts: a break, a training.
    Away,
}

impl Plan {
    /// The class of a state; `None` when logged out, which no plan asks for.
    pub fn of(state: &TimeState) -> Option<Plan> {
        match state {
            TimeState::LoggedOut => None,
            TimeState::Aux(_) | TimeState::NotReachable => Some(Plan::Away),
            TimeState::Available
            | TimeState::Offered
            | TimeState::Talk
            | TimeState::Hold
            | TimeState::Dial
            | TimeState::Consult
            | TimeState::AfterCall => Some(Plan::Work),
        }
    }
}

/// Adherence: time in the class of state that the schedule asked for, over scheduled time; in microseconds.
pub fn adherence(schedule: &[Shift], actual: &[Segment]) -> Quotient {
    let mut kept = Quotient::default();
    for shift in schedule {
        let right = actual.iter().filter(|segment| Plan::of(&segment.state) == Some(shift.plan));
        let in_adherence = right.map(|segment| shift.interval.overlap_us(segment.from, segment.until)).sum();
        kept = kept.and(Quotient::new(in_adherence, shift.interval.length_us()));
    }
    kept
}

/// Conformance: time worked over time of scheduled work, whenever it was worked, within the schedule's first
/// and last moment or not; in microseconds. It may exceed one.
pub fn conformance(schedule: &[Shift], actual: &[Segment]) -> Quotient {
    let worked = actual.iter().filter(|segment| Plan::of(&segment.state) == Some(Plan::Work));
    let planned = schedule.iter().filter(|shift| shift.plan == Plan::Work);
    Quotient::new(worked.map(Segment::length_us).sum(), planned.map(|shift| shift.interval.length_us()).sum())
}

/// The parts of segments that lie between two moments: what conformance of one day is computed of.
pub fn between(segments: &[Segment], from: Timestamp, until: Timestamp) -> Vec<Segment> {
    let cut = |segment: &Segment| Segment {
        from: segment.from.max(from),
        until: segment.until.min(until),
        state: segment.state.clone(),
    };
    segments.iter().map(cut).filter(|segment| segment.from < segment.until).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64, minutes: u64) -> Timestamp {
        Timestamp::from_micros((hours * 60 + minutes) * 60_000_000)
    }

    #[test]
    fn coming_late_and_staying_away_costs_adherence_and_less_conformance() {
        let shift = |from, until, plan| Shift { interval: Interval { start: from, end: until }, plan };
        let schedule = [
            shift(at(8, 0), at(9, 0), Plan::Work),
            shift(at(9, 0), at(9, 15), Plan::Away),
            shift(at(9, 15), at(10, 0), Plan::Work),
        ];
        let segment = |from, until, state| Segment { from, until, state };
        let actual = [
            segment(at(8, 3), at(9, 5), TimeState::Available),
            segment(at(9, 5), at(9, 22), TimeState::Aux("break".into())),
            segment(at(9, 22), at(10, 0), TimeState::Talk),
        ];
        let minutes = |of: Quotient| (of.numerator / 60_000_000, of.denominator / 60_000_000);
        assert_eq!(minutes(adherence(&schedule, &actual)), (105, 120));
        assert_eq!(adherence(&schedule, &actual).value(), Some(0.875));
        assert_eq!(minutes(conformance(&schedule, &actual)), (100, 105));
        let conformance = conformance(&schedule, &actual).value().unwrap();
        assert_eq!(format!("{:.6}", conformance * 100.0), "95.238095");
    }

    #[test]
    fn only_what_lies_between_is_counted() {
        let night = [Segment { from: at(8, 0), until: at(12, 0), state: TimeState::Talk }];
        let cut = between(&night, at(9, 0), at(10, 0));
        assert_eq!((cut[0].from, cut[0].until), (at(9, 0), at(10, 0)));
        assert!(between(&night, at(13, 0), at(14, 0)).is_empty());
    }
}
