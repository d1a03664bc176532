//! Expected wait: how long a caller will probably still wait, by several estimators, and how good the
//! estimates were.
//!
//! What is handed in: the position `ahead`, which counts all who will be served before this one (0: next;
//! higher priorities count, not only the line); `agents` who will really take calls of the queue, where one
//! who serves several queues counts as a part; and the mean handle time. If an eligible agent is free the
//! wait is zero, and without agents it is unknown: neither zero nor endless.

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;

use crate::metric::{Measured, Metric, Quotient, Value};

/// What estimators know about a queue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Mean handle time (talk, hold and after-call work) in seconds.
    pub handle_s: f64,
    /// Agents who really take calls of the queue; one who serves `m` queues counts `1/m`, or as measured.
    pub agents: f64,
    /// Mean patience in seconds; `None` if callers are taken to wait for ever.
    pub patience_s: Option<f64>,
}

impl Line {
    /// E1, by position: `handle * (ahead + 1) / agents * (1 - abandonment)`, in seconds.
    pub fn by_position(&self, ahead: u32, abandonment: f64) -> Option<f64> {
        let line = f64::from(ahead) + 1.0;
        self.usable().then(|| self.handle_s * line / self.agents * (1.0 - abandonment))
    }

    /// E5, by the state of the line: `sum over i = 0..ahead of 1 / (agents / handle + i / patience)`, in
    /// seconds. Who stands ahead may give up. With exponential times it is the exact mean wait of somebody
    /// who does not.
    ///
    /// At most [`Line::AHEAD_MAX`] are counted one by one; the estimate does not grow beyond.
    pub fn by_state(&self, ahead: u32) -> Option<f64> {
        if !self.usable() {
            return None;
        }
        let service = self.agents / self.handle_s;
        let theta = self.patience_s.filter(|patience| *patience > 0.0).map_or(0.0, |patience| 1.0 / patience);
        let ahead = ahead.min(Line::AHEAD_MAX);
        Some((0..=ahead).map(|i| 1.0 / (service + f64::from(i) * theta)).sum())
    }

    /// E6: the probability that the wait is at most so many seconds, if nobody ahead gives up. The wait is
    /// then Erlang(ahead + 1) distributed with the rate agents / handle.
    pub fn within(&self, ahead: u32, seconds: f64) -> Option<f64> {
        self.usable().then(|| {
            let turns = self.agents / self.handle_s * seconds.max(0.0);
            1.0 - poisson_up_to(turns, ahead.min(Line::AHEAD_MAX))
        })
    }

    /// E6: the wait in seconds that is not exceeded with this probability (above 0, below 1), if nobody ahead
    /// gives up. A range of two of them says more than one number.
    pub fn quantile(&self, ahead: u32, probability: f64) -> Option<f64> {
        if !(self.usable() && probability > 0.0 && probability < 1.0) {
            return None;
        }
        let ahead = ahead.min(Line::AHEAD_MAX);
        let mean = (f64::from(ahead) + 1.0) * self.handle_s / self.agents;
        let (mut low, mut high) = (0.0, mean);
        while self.within(ahead, high)? < probability && high < f64::MAX / 2.0 {
            (low, high) = (high, high * 2.0);
        }
        for _ in 0..HALVINGS {
            let middle = low + (high - low) / 2.0;
            if self.within(ahead, middle)? < probability {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// How many ahead are counted: more than wait in any queue.
    pub const AHEAD_MAX: u32 = 1_000_000;

    fn usable(&self) -> bool {
        self.agents.is_finite() && self.agents > 0.0 && self.handle_s.is_finite() && self.handle_s > 0.0
    }
}

/// E2, by those who wait and those who are ready: `handle * max(0, waiting - ready) / (active * share)`, in
/// seconds. `active` agents are logged in and busy, `share` is the part of their time that goes to this
/// queue. Unknown if there are none.
pub fn by_ready_agents(handle_s: f64, waiting: u32, ready: u32, active: u32, share: f64) -> Option<f64> {
    let short = f64::from(waiting.saturating_sub(ready));
    if short == 0.0 && ready > 0 {
        return Some(0.0);
    }
    let working = f64::from(active) * share;
    (working > 0.0).then(|| handle_s * short / working)
}

/// E3: a moving average of past waits, `3/4` of the old and `1/4` of the new. It lags and does not look at
/// the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MovingAverage {
    /// In seconds.
    pub seconds: f64,
}

impl MovingAverage {
    /// Takes in the wait of the one who was answered last.
    pub fn add(&mut self, wait_s: f64) {
        self.seconds = 0.75 * self.seconds + 0.25 * wait_s;
    }
}

/// E3 in whole seconds, cut at each step, as some telephone systems show it; for comparing with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeMovingAverage {
    /// In seconds.
    pub seconds: u64,
}

impl WholeMovingAverage {
    /// Takes in the wait of the one who was answered last.
    pub fn add(&mut self, wait_s: u64) {
        self.seconds = self.seconds.saturating_mul(3).saturating_add(wait_s) / 4;
    }
}

/// E4: what the queue itself shows, without any model. Good when it is not known how many agents there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The wait of the one who was answered last (*last to enter service*), in microseconds; none yet.
    pub last_answered_us: Option<u64>,
}

impl Observed {
    /// Takes in the wait of the one who was answered last.
    pub fn answered(&mut self, wait_us: u64) {
        self.last_answered_us = Some(wait_us);
    }

    /// How long the one has waited who is next (*head of line*), in microseconds; zero if nobody waits.
    pub fn head_of_line_us(entered: impl IntoIterator<Item = Timestamp>, now: Timestamp) -> u64 {
        entered.into_iter().map(|entered_at| now.micros_since(entered_at)).max().unwrap_or(0)
    }
}

/// In which way announced waits are compared with what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnouncedWait {
    /// The mean error: above zero if callers waited longer than announced.
    MeanError,
    /// The mean error without its sign.
    MeanAbsoluteError,
    /// The share who waited longer than announced.
    WaitedLonger,
}

/// What became of somebody to whom a wait was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Answered, so many microseconds after the announcement.
    Answered(u64),
    /// Left otherwise, so many microseconds after the announcement: how long it would have taken is not
    /// known.
    Left(u64),
}

/// How good announced waits were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcements {
    /// Announcements to callers who were answered.
    pub answered: u64,
    /// What was announced too long, together, in microseconds.
    pub too_long_us: u64,
    /// What was announced too short, together, in microseconds.
    pub too_short_us: u64,
    /// Announcements to callers who waited longer than announced, whether they were answered in the end or
    /// not.
    pub waited_longer: u64,
    /// Announcements to callers who waited as long as announced or shorter and were answered.
    pub waited_no_longer: u64,
    /// Announcements to callers who left before it could be said whether they were right.
    pub unknown: u64,
}

impl Announcements {
    /// Compares an announced wait in microseconds with what happened.
    pub fn score(&mut self, announced_us: u64, happened: Happened) {
        match happened {
            Happened::Answered(after_us) => {
                self.answered += 1;
                self.too_long_us = self.too_long_us.saturating_add(announced_us.saturating_sub(after_us));
                self.too_short_us = self.too_short_us.saturating_add(after_us.saturating_sub(announced_us));
                let longer = u64::from(after_us > announced_us);
                self.waited_longer += longer;
                self.waited_no_longer += 1 - longer;
            }
            Happened::Left(after_us) if after_us > announced_us => self.waited_longer += 1,
            Happened::Left(_) => self.unknown += 1,
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Announcements) {
        self.answered += other.answered;
        self.too_long_us = self.too_long_us.saturating_add(other.too_long_us);
        self.too_short_us = self.too_short_us.saturating_add(other.too_short_us);
        self.waited_longer += other.waited_longer;
        self.waited_no_longer += other.waited_no_longer;
        self.unknown += other.unknown;
    }

    /// The mean error in microseconds, over the answered: above zero if callers waited longer than announced.
    pub fn mean_error_us(&self) -> Option<f64> {
        let sum = self.too_short_us as f64 - self.too_long_us as f64;
        (self.answered > 0).then(|| sum / self.answered as f64)
    }

    /// The mean absolute error: microseconds over the answered.
    pub fn mean_absolute_error(&self) -> Quotient {
        Quotient::new(self.too_long_us.saturating_add(self.too_short_us), self.answered)
    }

    /// All of it, each with its name.
    pub fn measure(&self) -> [Measured; 3] {
        let metric = |variant| Metric::AnnouncedWait { variant };
        let error = Value::ErrorMicros { value: self.mean_error_us(), of: self.answered };
        [
            Measured { metric: metric(AnnouncedWait::MeanError), value: error },
            Measured::mean(metric(AnnouncedWait::MeanAbsoluteError), self.mean_absolute_error()),
            Measured::share(metric(AnnouncedWait::WaitedLonger), self.longer()),
        ]
    }

    /// The share who waited longer than announced, of those of whom it is known.
    pub fn longer(&self) -> Quotient {
        Quotient::new(self.waited_longer, self.waited_longer + self.waited_no_longer)
    }
}

/// The probability of at most `most` events of a Poisson process with this mean.
fn poisson_up_to(mean: f64, most: u32) -> f64 {
    if mean <= 0.0 {
        return 1.0;
    }
    // Added up from the largest term, so that nothing underflows that matters.
    let start = f64::from(most).min(mean.floor());
    let ln_start = start * mean.ln() - mean - ln_factorial(start);
    let peak = ln_start.exp();
    let (mut sum, mut term, mut i) = (peak, peak, start);
    while i > 0.0 && term > sum * f64::EPSILON * 1e-3 {
        term *= i / mean;
        i -= 1.0;
        sum += term;
    }
    (term, i) = (peak, start);
    while i < f64::from(most) && term > sum * f64::EPSILON * 1e-3 {
        i += 1.0;
        term *= mean / i;
        sum += term;
    }
    sum.min(1.0)
}

/// `ln(n!)`: exact sums below 256, Stirling's series above, where it is exact to the last digit.
fn ln_factorial(n: f64) -> f64 {
    if n < 256.0 {
        let mut product = 0.0;
        let mut i = 2.0;
        while i <= n {
            product += f64::ln(i);
            i += 1.0;
        }
        return product;
    }
    let inverse = 1.0 / n;
    let series = inverse / 12.0 - inverse.powi(3) / 360.0 + inverse.powi(5) / 1260.0;
    (n + 0.5) * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

/// Enough to halve any interval down to the last digit of a float.
const HALVINGS: u32 = 200;
