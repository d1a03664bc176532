//! Service level: which share of callers was answered within so many seconds.
//!
//! "80 % in 20 seconds" is not one metric: what differs is how callers count who gave up before they were
//! answered, or whom a rule sent elsewhere. Each way of counting is a [`ServiceLevel`] of its own.

use serde::{Deserialize, Serialize};
use tandem_center::channel::Channel;

use crate::metric::{Measured, Metric, Quotient};
use crate::tally::Tally;

/// What a visit's wait is compared with. All comparisons are inclusive: a wait of exactly 20 seconds is
/// within 20 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thresholds {
    /// `T`: answered within this counts as in time. Microseconds.
    pub answer_within_us: u64,
    /// `S`: who gives up within this is a *short abandon*, who may just have dialled wrong. Microseconds;
    /// usually 3 to 10 seconds, there is no standard.
    pub short_abandon_us: u64,
}

impl Default for Thresholds {
    /// 20 seconds to answer, which is the field's habit, and 5 seconds for short abandons, which is taste.
    fn default() -> Thresholds {
        Thresholds { answer_within_us: 20_000_000, short_abandon_us: 5_000_000 }
    }
}

impl Thresholds {
    /// What waits are compared with unless somebody says otherwise: callers wait seconds; whoever is to be
    /// called back or has left a message waits an hour, and gives up never so soon that it would not count.
    pub fn of_channel(channel: Channel) -> Thresholds {
        match channel {
            Channel::Call => Thresholds::default(),
            Channel::Callback | Channel::Voicemail => {
                Thresholds { answer_within_us: 3_600_000_000, short_abandon_us: 0 }
            }
        }
    }
}

/// How abandoned visits and those that flowed out count.
///
/// In the formulas A is answered, B abandoned, F left otherwise (flowed out or lost); `_T` is within the
/// threshold, `_S` a short abandon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceLevel {
    /// `A_T / A`: of those answered, how many fast. Blind to abandonment: it can look good while callers
    /// leave.
    Sl1,
    /// `A_T / (A + B)`: each abandon is a miss. The strictest of the common ones.
    Sl2,
    /// `A_T / (A + B - B_T)`: abandons within the threshold are left out, later ones are misses.
    Sl3,
    /// `(A_T + B_T) / (A + B)`: abandons within the threshold count as met.
    Sl4,
    /// `A_T / (A + B - B_S)`: only short abandons are left out. The one to show if there is room for one.
    Sl5,
    /// `(A_T + B_S) / (A + B)`: only short abandons count as met.
    Sl6,
    /// `A_T / (A + B + F)`: of all who entered; who was sent elsewhere is a miss too.
    Sl7,
    /// `A_T / (A + B + F - B_S)`: the same without short abandons.
    Sl8,
}

impl ServiceLevel {
    /// All of them, in order.
    pub const ALL: [ServiceLevel; 8] = [
        ServiceLevel::Sl1,
        ServiceLevel::Sl2,
        ServiceLevel::Sl3,
        ServiceLevel::Sl4,
        ServiceLevel::Sl5,
        ServiceLevel::Sl6,
        ServiceLevel::Sl7,
        ServiceLevel::Sl8,
    ];

    /// The ones to show where nobody asked for another: SL5, and SL2 beside it.
    pub const SHOWN: [ServiceLevel; 2] = [ServiceLevel::Sl5, ServiceLevel::Sl2];

    /// The service level of what was counted.
    pub fn of(self, tally: &Tally) -> Quotient {
        let answered = tally.answered.visits;
        let abandoned = tally.abandoned.visits;
        let fast = tally.answered_within;
        let left = tally.left();
        let (met, of) = match self {
            ServiceLevel::Sl1 => (fast, answered),
            ServiceLevel::Sl2 => (fast, answered + abandoned),
            ServiceLevel::Sl3 => (fast, answered + abandoned - tally.abandoned_within),
            ServiceLevel::Sl4 => (fast + tally.abandoned_within, answered + abandoned),
            ServiceLevel::Sl5 => (fast, answered + abandoned - tally.abandoned_short),
            ServiceLevel::Sl6 => (fast + tally.abandoned_short, answered + abandoned),
            ServiceLevel::Sl7 => (fast, left),
            ServiceLevel::Sl8 => (fast, left - tally.abandoned_short),
        };
        Quotient::new(met, of)
    }

    /// The same with its name and parameters.
    pub fn measure(self, tally: &Tally) -> Measured {
        let metric = Metric::ServiceLevel { variant: self, thresholds: tally.thresholds.clone() };
        Measured::share(metric, self.of(tally))
    }
}
