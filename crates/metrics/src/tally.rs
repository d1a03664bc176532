//! What was counted of queue visits: sums that can be added up over queues, intervals and nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::expected_wait::Announcements;
use crate::handling::{Handled, Offers};
use crate::metric::{Measured, Metric};
use crate::series::Sum;
use crate::service_level::{ServiceLevel, Thresholds};
use crate::visit::{FlowOut, Refused, VisitEnd};
use crate::waiting::{Abandonment, AverageWait, Ended, SpeedOfAnswer, Waits};

/// What was counted of a queue's visits. All metrics are read from it, and adding two tallies is counting
/// what both counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// With what the waits were compared; several if tallies with different thresholds were added up.
    pub thresholds: BTreeSet<Thresholds>,
    /// Visits that began.
    pub entered: u64,
    /// Visits that ended with an agent.
    pub answered: Ended,
    /// Visits that ended because the caller hung up.
    pub abandoned: Ended,
    /// Visits that ended because a rule sent the caller on.
    pub flowed_out: Ended,
    /// Visits that ended because the call broke off: nobody's wish.
    pub lost: Ended,
    /// The visits that flowed out, by where to.
    pub flow_outs: BTreeMap<FlowOut, u64>,
    /// Those who could not enter, by why. They are not part of `entered`.
    pub refused: BTreeMap<Refused, u64>,
    /// Answered within the threshold.
    pub answered_within: u64,
    /// Answered without any wait.
    pub answered_at_once: u64,
    /// The waits of the answered with those of their earlier visits, in microseconds.
    pub answered_total_wait_us: u64,
    /// Abandoned within the threshold.
    pub abandoned_within: u64,
    /// Abandoned so soon that it counts as short.
    pub abandoned_short: u64,
    /// Abandoned while an agent's telephone rang.
    pub abandoned_while_offered: u64,
    /// The waits of the answered, for percentiles.
    #[serde(default, skip_serializing_if = "Waits::is_empty")]
    pub waits: Waits,
    /// Offers to agents.
    pub offers: Offers,
    /// How good announced waits were.
    pub announcements: Announcements,
    /// Contacts whose handling is over.
    pub handled: Handled,
}

/// Where the visits of a queue and a stretch of time went: what came in is what came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conservation {
    /// Visits that began.
    pub entered: u64,
    /// Visits that ended with an agent.
    pub answered: u64,
    /// Visits that ended because the caller hung up.
    pub abandoned: u64,
    /// Visits that ended because a rule sent the caller on.
    pub flowed_out: u64,
    /// Visits that ended because the call broke off.
    pub lost: u64,
    /// Visits that had begun before.
    pub waiting_at_start: u64,
    /// Visits that went on after.
    pub waiting_at_end: u64,
}

impl Conservation {
    /// Whether nobody was lost or found on the way.
    pub fn holds(&self) -> bool {
        let came = self.entered + self.waiting_at_start;
        let went = self.answered + self.abandoned + self.flowed_out + self.lost + self.waiting_at_end;
        came == went
    }
}

impl Tally {
    /// Visits that ended, however: the `A + B + F` of the formulas.
    pub fn left(&self) -> u64 {
        self.answered.visits + self.abandoned.visits + self.flowed_out.visits + self.lost.visits
    }

    /// The longest wait of a visit that ended, in microseconds; `None` if none did.
    pub fn longest_wait_us(&self) -> Option<u64> {
        let all = [self.answered, self.abandoned, self.flowed_out, self.lost];
        (self.left() > 0).then(|| all.iter().map(|ended| ended.longest_us).max().unwrap_or(0))
    }

    /// Counts a visit that ended.
    pub(crate) fn end(&mut self, end: &VisitEnd, thresholds: Thresholds) {
        self.thresholds.insert(thresholds);
        let Thresholds { answer_within_us, short_abandon_us } = thresholds;
        match *end {
            VisitEnd::Answered { wait_us, total_wait_us } => {
                self.answered.add(wait_us);
                self.answered_within += u64::from(wait_us <= answer_within_us);
                self.answered_at_once += u64::from(wait_us == 0);
                self.answered_total_wait_us = self.answered_total_wait_us.saturating_add(total_wait_us);
                self.waits.add(wait_us);
            }
            VisitEnd::Abandoned { wait_us, while_offered } => {
                self.abandoned.add(wait_us);
                self.abandoned_within += u64::from(wait_us <= answer_within_us);
                self.abandoned_short += u64::from(wait_us <= short_abandon_us);
                self.abandoned_while_offered += u64::from(while_offered);
            }
            VisitEnd::FlowedOut { wait_us, to } => {
                self.flowed_out.add(wait_us);
                *self.flow_outs.entry(to).or_default() += 1;
            }
            VisitEnd::Lost { wait_us } => self.lost.add(wait_us),
        }
    }

    /// Counts a visit that began.
    pub(crate) fn enter(&mut self, thresholds: Thresholds) {
        self.thresholds.insert(thresholds);
        self.entered += 1;
    }

    /// Where the visits went, with those that wait at the start and at the end of the stretch.
    pub fn conservation(&self, waiting_at_start: u64, waiting_at_end: u64) -> Conservation {
        Conservation {
            entered: self.entered,
            answered: self.answered.visits,
            abandoned: self.abandoned.visits,
            flowed_out: self.flowed_out.visits,
            lost: self.lost.visits,
            waiting_at_start,
            waiting_at_end,
        }
    }

    /// All metrics of queue visits, each with name, variant, parameters and parts.
    pub fn measure(&self) -> Vec<Measured> {
        let mut all: Vec<Measured> = ServiceLevel::ALL.iter().map(|variant| variant.measure(self)).collect();
        all.extend(SpeedOfAnswer::ALL.iter().map(|variant| variant.measure(self)));
        all.push(Measured::mean(Metric::TimeToAbandon, self.abandoned.mean()));
        all.extend(AverageWait::ALL.iter().map(|variant| variant.measure(self)));
        all.extend(PERCENTILES_SHOWN.iter().map(|percent| self.waits.measure(*percent)));
        all.push(Measured::duration(Metric::LongestWait, self.longest_wait_us()));
        all.extend(Abandonment::ALL.iter().map(|variant| variant.measure(self)));
        all.extend(self.announcements.measure());
        all.push(self.offers.measure());
        all.extend(self.handled.measure());
        all
    }
}

impl Sum for Tally {
    fn merge(&mut self, other: &Tally) {
        self.thresholds.extend(&other.thresholds);
        self.entered += other.entered;
        self.answered.merge(&other.answered);
        self.abandoned.merge(&other.abandoned);
        self.flowed_out.merge(&other.flowed_out);
        self.lost.merge(&other.lost);
        for (to, count) in &other.flow_outs {
            *self.flow_outs.entry(*to).or_default() += count;
        }
        for (why, count) in &other.refused {
            *self.refused.entry(*why).or_default() += count;
        }
        self.answered_within += other.answered_within;
        self.answered_at_once += other.answered_at_once;
        self.answered_total_wait_us =
            self.answered_total_wait_us.saturating_add(other.answered_total_wait_us);
        self.abandoned_within += other.abandoned_within;
        self.abandoned_short += other.abandoned_short;
        self.abandoned_while_offered += other.abandoned_while_offered;
        self.waits.merge(&other.waits);
        self.offers.merge(&other.offers);
        self.announcements.merge(&other.announcements);
        self.handled.merge(&other.handled);
    }
}

/// The percentiles of the wait that are shown unasked.
const PERCENTILES_SHOWN: [u8; 4] = [50, 80, 90, 95];
