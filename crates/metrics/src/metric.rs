//! A metric: a name, a variant and parameters, and the value that was measured.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::agent_time::{Occupancy, TimeShare};
use crate::expected_wait::AnnouncedWait;
use crate::handling::PerContact;
use crate::service_level::{ServiceLevel, Thresholds};
use crate::waiting::{Abandonment, AverageWait, SpeedOfAnswer};

/// A share of a whole, or a sum over a count: kept as its two parts, so that parts of several intervals or
/// queues can be added before dividing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotient {
    /// What is divided.
    pub numerator: u64,
    /// By what.
    pub denominator: u64,
}

impl Quotient {
    /// This over that.
    pub fn new(numerator: u64, denominator: u64) -> Quotient {
        Quotient { numerator, denominator }
    }

    /// The quotient; `None`, which is *undefined*, if there is nothing to divide by. Never zero or one
    /// instead.
    pub fn value(self) -> Option<f64> {
        (self.denominator > 0).then(|| self.numerator as f64 / self.denominator as f64)
    }

    /// Both parts added: the roll-up over intervals or queues. Undefined parts add nothing.
    #[must_use]
    pub fn and(self, other: Quotient) -> Quotient {
        Quotient {
            numerator: self.numerator.saturating_add(other.numerator),
            denominator: self.denominator.saturating_add(other.denominator),
        }
    }
}

/// What is measured: the name, the variant and the parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "metric", rename_all = "snake_case")]
pub enum Metric {
    /// Which share was answered in time.
    ServiceLevel {
        /// How abandoned visits count.
        variant: ServiceLevel,
        /// The thresholds of the visits; several if visits with different thresholds were added up.
        thresholds: BTreeSet<Thresholds>,
    },
    /// How long those waited who were answered (ASA).
    SpeedOfAnswer {
        /// Who counts.
        variant: SpeedOfAnswer,
    },
    /// How long those waited who gave up (ATA).
    TimeToAbandon,
    /// How long visits lasted.
    AverageWait {
        /// Whose.
        variant: AverageWait,
    },
    /// The wait that this share of the answered did not exceed, by nearest rank.
    WaitPercentile {
        /// The share, in percent.
        percent: u8,
    },
    /// The longest wait of a visit that ended.
    LongestWait,
    /// How long the one has waited who now waits longest.
    LongestCurrentWait,
    /// How good announced waits were.
    AnnouncedWait {
        /// In which way.
        variant: AnnouncedWait,
    },
    /// Which share gave up.
    Abandonment {
        /// Of whom, and whether short ones count.
        variant: Abandonment,
        /// The thresholds of the visits.
        thresholds: BTreeSet<Thresholds>,
    },
    /// How long was talked, per handled contact (ATT).
    Talk,
    /// How long callers were on hold.
    Hold {
        /// Per which contact.
        variant: PerContact,
    },
    /// How long wrap-ups lasted (after-call work, ACW).
    AfterCallWork {
        /// Per which contact.
        variant: PerContact,
    },
    /// Talk, hold and after-call work together, per handled contact (AHT).
    HandleTime,
    /// Which share of the offers rang until the time was over (RONA).
    RingNoAnswer,
    /// Which share of the handled contacts was handed over.
    Transfers,
    /// Which share of the handled contacts had a consultation.
    Consultations,
    /// Which share of the time in which an agent could work for contacts was work.
    Occupancy {
        /// Whether ringing is work.
        variant: Occupancy,
    },
    /// Another share of the time logged in.
    TimeShare {
        /// Which.
        variant: TimeShare,
    },
}

/// A metric with its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// What was measured.
    #[serde(flatten)]
    pub metric: Metric,
    /// What came out.
    #[serde(flatten)]
    pub value: Value,
}

/// A value, with what it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "unit", rename_all = "snake_case")]
pub enum Value {
    /// A share, from 0 to 1.
    Share {
        /// The parts.
        #[serde(flatten)]
        of: Quotient,
        /// The quotient; none is *undefined*.
        value: Option<f64>,
    },
    /// A mean duration.
    MeanMicros {
        /// The sum in microseconds, and over how many.
        #[serde(flatten)]
        of: Quotient,
        /// The mean in microseconds; none is *undefined*.
        value: Option<f64>,
    },
    /// A mean error, which can be below zero.
    ErrorMicros {
        /// The mean in microseconds; none is *undefined*.
        value: Option<f64>,
        /// Over how many.
        of: u64,
    },
    /// A duration.
    Micros {
        /// In microseconds; none is *undefined*.
        value: Option<u64>,
        /// Whether it is exact. A percentile of very many waits is at most [`crate::waiting::SKETCH_ERROR`]
        /// too high.
        exact: bool,
    },
}

impl Measured {
    /// A share of a whole.
    pub fn share(metric: Metric, of: Quotient) -> Measured {
        Measured { metric, value: Value::Share { of, value: of.value() } }
    }

    /// A mean duration: a sum of microseconds over a count.
    pub fn mean(metric: Metric, of: Quotient) -> Measured {
        Measured { metric, value: Value::MeanMicros { of, value: of.value() } }
    }

    /// A duration that is exact.
    pub fn duration(metric: Metric, value: Option<u64>) -> Measured {
        Measured { metric, value: Value::Micros { value, exact: true } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_over_nothing_is_undefined_and_adds_nothing() {
        assert_eq!(Quotient::new(0, 0).value(), None);
        assert_eq!(Quotient::new(7, 16).and(Quotient::default()).value(), Some(7.0 / 16.0));
    }

    #[test]
    fn a_value_says_its_name_variant_parameters_and_parts() {
        let variant = ServiceLevel::Sl5;
        let metric = Metric::ServiceLevel { variant, thresholds: [Thresholds::default()].into() };
        let json = serde_json::to_value(Measured::share(metric, Quotient::new(7, 14))).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "metric": "service_level",
                "variant": "sl5",
                "thresholds": [{ "answer_within_us": 20_000_000, "short_abandon_us": 5_000_000 }],
                "unit": "share",
                "numerator": 7,
                "denominator": 14,
                "value": 0.5,
            })
        );
    }
}
