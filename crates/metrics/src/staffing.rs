//! Staffing by simulation: how many agents are needed where handle times and patience are not exponential.
//!
//! Callers come independently of each other, wait in the order of their arrival, and give up when their
//! patience ends; each takes the agent who is free first. Handle times and patience may have any
//! distribution, also that of measured ones (a queue of the kind M/G/N+G). What comes out is an estimate with
//! a 95 % confidence interval. Where everything is exponential, [`erlang`](crate::erlang) gives the exact
//! values.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::erlang::Target;

/// How long something takes, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "distribution", rename_all = "snake_case")]
pub enum Times {
    /// Always the same.
    Constant {
        /// Seconds; above 0.
        mean_s: f64,
    },
    /// Exponential: the time that is left does not depend on how long it has taken.
    Exponential {
        /// Seconds; above 0.
        mean_s: f64,
    },
    /// Log-normal: as handle times mostly are, many short and a few very long ones.
    LogNormal {
        /// Seconds; above 0.
        mean_s: f64,
        /// The standard deviation in seconds; 0 or above.
        deviation_s: f64,
    },
    /// Drawn from measured ones, each as likely as the other.
    Measured {
        /// Seconds each; not empty, 0 or above, not all 0.
        times_s: Arc<[f64]>,
    },
}

/// The queue to be simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Arrivals per second; above 0.
    pub arrivals_per_s: f64,
    /// How long agents work for a contact.
    pub handle: Times,
    /// How long callers wait before they give up; none: for ever.
    #[serde(default)]
    pub patience: Option<Times>,
    /// The threshold of the service level, in seconds.
    pub within_s: f64,
}

/// How much is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// The same seed gives the same result.
    pub seed: u64,
    /// How many arrivals; at least [`Effort::ARRIVALS_MIN`], at most [`Effort::ARRIVALS_MAX`]. Four times as
    /// many halve the confidence interval. A tenth of them come first and are not counted: the queue begins
    /// empty.
    pub arrivals: u32,
}

/// A mean with its confidence interval: the truth is within `plus_minus` of it with 95 % probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval.
    pub plus_minus: f64,
}

/// A simulated queue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    /// How many agents.
    pub agents: u32,
    /// The share of all callers who were answered within the threshold (SL2).
    pub service_level: Estimate,
    /// The share of all callers who gave up.
    pub abandonment: Estimate,
    /// The mean wait of all callers, in seconds.
    pub wait_s: Estimate,
    /// The mean wait of those who were answered, in seconds (ASA).
    pub speed_of_answer_s: Estimate,
    /// The share of their time in which agents worked.
    pub occupancy: Estimate,
}

/// The scenario cannot be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioFault {
    /// The arrivals are not above 0, or not finite.
    #[error("arrivals must be finite and above 0")]
    Arrivals,
    /// A time is not in its range.
    #[error("times must be finite and above 0")]
    Times,
    /// The effort is not in its range.
    #[error("simulate {} to {} arrivals", Effort::ARRIVALS_MIN, Effort::ARRIVALS_MAX)]
    Effort,
    /// There are no agents, or more than [`AGENTS_MAX`].
    #[error("there must be 1 to {AGENTS_MAX} agents")]
    Agents,
    /// More comes in than can be served, and nobody gives up: the line grows without end.
    #[error("the agents cannot serve what comes in, and nobody gives up")]
    Unstable,
}

impl Effort {
    /// Fewer arrivals say nothing.
    pub const ARRIVALS_MIN: u32 = 1_000;
    /// More arrivals take too long.
    pub const ARRIVALS_MAX: u32 = 20_000_000;
}

impl Estimate {
    /// The lower end of the interval.
    pub fn low(&self) -> f64 {
        self.mean - self.plus_minus
    }

    /// The upper end of the interval.
    pub fn high(&self) -> f64 {
        self.mean + self.plus_minus
    }

    /// Of the values of equally long stretches of time.
    fn of(values: &[f64; BATCHES]) -> Estimate {
        let count = BATCHES as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Estimate { mean, plus_minus: STUDENT_T * (variance / count).sqrt() }
    }
}

impl Times {
    /// The mean in seconds.
    pub fn mean_s(&self) -> f64 {
        match self {
            Times::Constant { mean_s } | Times::Exponential { mean_s } | Times::LogNormal { mean_s, .. } => {
                *mean_s
            }
            Times::Measured { times_s } => times_s.iter().sum::<f64>() / times_s.len() as f64,
        }
    }

    fn check(&self) -> Result<(), ScenarioFault> {
        let usable = match self {
            Times::Constant { .. } | Times::Exponential { .. } => true,
            Times::LogNormal { deviation_s, .. } => deviation_s.is_finite() && *deviation_s >= 0.0,
            Times::Measured { times_s } => times_s.iter().all(|time| time.is_finite() && *time >= 0.0),
        };
        let mean = self.mean_s();
        if usable && mean.is_finite() && mean > 0.0 { Ok(()) } else { Err(ScenarioFault::Times) }
    }

    fn draw(&self, chance: &mut Chance) -> f64 {
        match self {
            Times::Constant { mean_s } => *mean_s,
            Times::Exponential { mean_s } => mean_s * chance.exponential(),
            Times::LogNormal { mean_s, deviation_s } => {
                let variance_ln = (deviation_s / mean_s).powi(2).ln_1p();
                let mean_ln = mean_s.ln() - variance_ln / 2.0;
                (mean_ln + variance_ln.sqrt() * chance.normal()).exp()
            }
            Times::Measured { times_s } => times_s.get(chance.index(times_s.len())).copied().unwrap_or(0.0),
        }
    }
}

/// Simulates a queue with so many agents.
///
/// # Errors
///
/// The scenario or the effort cannot be simulated.
pub fn simulate(scenario: &Scenario, agents: u32, effort: Effort) -> Result<Simulated, ScenarioFault> {
    scenario.check(effort)?;
    if agents == 0 || agents > AGENTS_MAX {
        return Err(ScenarioFault::Agents);
    }
    let load = scenario.arrivals_per_s * scenario.handle.mean_s();
    if scenario.patience.is_none() && load >= f64::from(agents) {
        return Err(ScenarioFault::Unstable);
    }
    Ok(Run::new(scenario, agents, effort.seed).batches(effort))
}

/// The fewest agents with whom the simulated queue reaches the target also at the worse end of each
/// confidence interval; `None` if [`AGENTS_MAX`] do not. All are tried with the same callers.
///
/// # Errors
///
/// The scenario or the effort cannot be simulated.
pub fn staff(
    scenario: &Scenario,
    target: &Target,
    effort: Effort,
) -> Result<Option<Simulated>, ScenarioFault> {
    scenario.check(effort)?;
    let scenario = &Scenario { within_s: target.within_s(), ..scenario.clone() };
    let with = |agents: u32| match simulate(scenario, agents, effort) {
        Ok(queue) => Ok(queue.reaches(target).then_some(queue)),
        Err(ScenarioFault::Unstable) => Ok(None),
        Err(fault) => Err(fault),
    };
    let (mut too_few, mut enough) = (0, 1);
    let mut queue = loop {
        match with(enough)? {
            Some(queue) => break queue,
            None if enough >= AGENTS_MAX => return Ok(None),
            None => (too_few, enough) = (enough, (enough * 2).min(AGENTS_MAX)),
        }
    };
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        match with(middle)? {
            Some(better) => (enough, queue) = (middle, better),
            None => too_few = middle,
        }
    }
    Ok(Some(queue))
}

impl Simulated {
    fn reaches(&self, target: &Target) -> bool {
        target.met(
            self.service_level.low(),
            self.abandonment.high(),
            self.wait_s.high(),
            self.occupancy.high(),
        )
    }
}

impl Scenario {
    fn check(&self, effort: Effort) -> Result<(), ScenarioFault> {
        if !(self.arrivals_per_s.is_finite() && self.arrivals_per_s > 0.0) {
            return Err(ScenarioFault::Arrivals);
        }
        if !(Effort::ARRIVALS_MIN..=Effort::ARRIVALS_MAX).contains(&effort.arrivals) {
            return Err(ScenarioFault::Effort);
        }
        self.handle.check()?;
        self.patience.as_ref().map_or(Ok(()), Times::check)
    }
}

/// A queue that is being simulated. Because callers are served in the order of arrival, each one's wait is
/// known at the arrival: until the first agent is free.
struct Run<'a> {
    scenario: &'a Scenario,
    /// Each kind of chance has a seed of its own, so that with more agents the same callers come.
    arrivals: Chance,
    handles: Chance,
    patiences: Chance,
    now_s: f64,
    /// When each agent will be free, the first one on top. Times are never below 0, so that their bits sort
    /// as they do.
    free_at: BinaryHeap<Reverse<u64>>,
}

/// What was counted in a stretch of time.
#[derive(Default)]
struct Batch {
    arrived: f64,
    answered: f64,
    fast: f64,
    wait_s: f64,
    answered_wait_s: f64,
    work_s: f64,
}

impl Run<'_> {
    fn new(scenario: &Scenario, agents: u32, seed: u64) -> Run<'_> {
        let mut seeds = Chance::new(seed);
        let mut chance = || Chance::new(seeds.index(usize::MAX) as u64);
        Run {
            scenario,
            arrivals: chance(),
            handles: chance(),
            patiences: chance(),
            now_s: 0.0,
            free_at: (0..agents).map(|_| Reverse(0.0f64.to_bits())).collect(),
        }
    }

    fn batches(mut self, effort: Effort) -> Simulated {
        let agents = self.free_at.len();
        for _ in 0..effort.arrivals / 10 {
            self.arrive(&mut Batch::default());
        }
        let size = (effort.arrivals - effort.arrivals / 10) / BATCHES as u32;
        let mut values = [[0.0; BATCHES]; 5];
        for place in 0..BATCHES {
            let mut batch = Batch::default();
            let began_s = self.now_s;
            for _ in 0..size {
                self.arrive(&mut batch);
            }
            let time_s = (self.now_s - began_s) * agents as f64;
            let quotients = [
                batch.fast / batch.arrived,
                1.0 - batch.answered / batch.arrived,
                batch.wait_s / batch.arrived,
                batch.answered_wait_s / batch.answered.max(1.0),
                batch.work_s / time_s,
            ];
            for (values, quotient) in values.iter_mut().zip(quotients) {
                if let Some(value) = values.get_mut(place) {
                    *value = quotient;
                }
            }
        }
        let [service_level, abandonment, wait_s, speed_of_answer_s, occupancy] =
            values.each_ref().map(Estimate::of);
        Simulated { agents: agents as u32, service_level, abandonment, wait_s, speed_of_answer_s, occupancy }
    }

    fn arrive(&mut self, batch: &mut Batch) {
        self.now_s += self.arrivals.exponential() / self.scenario.arrivals_per_s;
        let handle_s = self.scenario.handle.draw(&mut self.handles);
        let patience = self.scenario.patience.as_ref();
        let patience_s = patience.map_or(f64::INFINITY, |patience| patience.draw(&mut self.patiences));
        batch.arrived += 1.0;
        let Some(mut first) = self.free_at.peek_mut() else { return };
        let wait_s = (f64::from_bits(first.0) - self.now_s).max(0.0);
        if wait_s > patience_s {
            batch.wait_s += patience_s;
            return;
        }
        batch.answered += 1.0;
        batch.fast += f64::from(wait_s <= self.scenario.within_s);
        batch.wait_s += wait_s;
        batch.answered_wait_s += wait_s;
        batch.work_s += handle_s;
        *first = Reverse((self.now_s + wait_s + handle_s).to_bits());
    }
}

/// More agents are not simulated.
pub const AGENTS_MAX: u32 = 100_000;

/// Into how many stretches of time a run is divided: few enough to be long, so that they hardly depend on
/// each other.
const BATCHES: usize = 20;

/// Student's t for 95 % and one degree of freedom less than there are stretches.
const STUDENT_T: f64 = 2.093;
