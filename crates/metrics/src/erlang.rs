//! Erlang's formulas: how long callers of a queue wait, given how many come, how long each takes, and how
//! many agents there are.
//!
//! All assume that callers come independently of each other (a Poisson process) and that handle times are
//! exponential. Erlang B has no queue: who finds everybody busy is turned away. Erlang C has callers who wait
//! for ever, and is therefore pessimistic. Erlang A has callers who give up after an exponential patience, as
//! real ones do.

use serde::{Deserialize, Serialize};

use crate::metric::Quotient;
use crate::tally::Tally;
use crate::waiting::AverageWait;

/// What comes in, and how long each takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Arrivals per second: above 0.
    pub arrivals_per_s: f64,
    /// Mean handle time (talk, hold and after-call work) in seconds: above 0.
    pub handle_s: f64,
}

/// The load cannot be computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadFault {
    /// Arrivals or handle time are not above 0, or not finite.
    #[error("arrivals and handle time must be finite and above 0")]
    NotPositive,
    /// The offered load is above [`Load::ERLANGS_MAX`], or the line would be longer than can be computed
    /// with.
    #[error("the offered load is above {} erlangs, or callers too patient for it", Load::ERLANGS_MAX)]
    TooMuch,
    /// Without agents nobody is ever answered.
    #[error("there is no agent")]
    NoAgents,
    /// The mean patience is not above 0, or not finite.
    #[error("the mean patience must be finite and above 0")]
    NoPatience,
}

/// A queue in the long run, or that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Steady<T> {
    /// What it settles to.
    Steady(T),
    /// More comes in than can be served: the line grows without end, and there is no mean wait.
    Unstable,
}

/// A queue in the long run whose callers wait for ever (M/M/N).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErlangC {
    /// The probability of having to wait.
    pub wait_probability: f64,
    /// The share answered within the threshold. There is no abandonment, so that SL1 to SL4 are this.
    pub service_level: f64,
    /// Mean wait in seconds (ASA).
    pub speed_of_answer_s: f64,
    /// The share of their time in which agents work.
    pub occupancy: f64,
    /// How many wait on average.
    pub queue_length: f64,
}

/// A queue in the long run whose callers give up (M/M/N+M).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErlangA {
    /// The probability of having to wait.
    pub wait_probability: f64,
    /// The share of all callers who give up.
    pub abandonment: f64,
    /// The share of all callers who are answered within the threshold: SL2.
    pub answered_within: f64,
    /// The share of all callers who give up within the threshold.
    pub abandoned_within: f64,
    /// Mean wait of all callers in seconds, also of those who give up.
    pub wait_s: f64,
    /// Mean wait in seconds of those who are answered (ASA).
    pub speed_of_answer_s: f64,
    /// The share of their time in which agents work.
    pub occupancy: f64,
    /// How many wait on average.
    pub queue_length: f64,
}

/// What a staffing has to reach. What is `None` is not asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// At least this share answered within so many seconds, of all callers (SL2).
    #[serde(default)]
    pub service_level: Option<(f64, f64)>,
    /// At most this share gives up.
    #[serde(default)]
    pub abandonment: Option<f64>,
    /// At most this mean wait of all callers, in seconds.
    #[serde(default)]
    pub wait_s: Option<f64>,
    /// At most this occupancy: people cannot work without a pause.
    #[serde(default)]
    pub occupancy: Option<f64>,
}

/// The fewest agents that reach a target, and what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staffing<T> {
    /// How many agents.
    pub agents: u32,
    /// The queue with them.
    pub queue: T,
}

impl Load {
    /// More erlangs than this are refused: the formulas take time in proportion.
    pub const ERLANGS_MAX: f64 = 1_000_000.0;

    /// This many arrivals in a period of so many seconds, each taking so long.
    pub fn per_period(arrivals: f64, period_s: f64, handle_s: f64) -> Load {
        Load { arrivals_per_s: arrivals / period_s, handle_s }
    }

    /// What was measured: visits that began over the length of the time in which they did, and the handle time
    /// of the contacts that were handled. `None` if there were none of the one or the other.
    pub fn measured(tally: &Tally, length_us: u64) -> Option<Load> {
        let handle_s = tally.handled.handle_time().value()? / 1e6;
        let arrivals_per_s = Quotient::new(tally.entered, length_us).value()? * 1e6;
        let load = Load { arrivals_per_s, handle_s };
        load.check().ok().map(|_| load)
    }

    /// The offered load in erlangs: how many agents would be busy on average if nobody had to wait.
    pub fn erlangs(&self) -> f64 {
        self.arrivals_per_s * self.handle_s
    }

    fn check(&self) -> Result<f64, LoadFault> {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        if !positive(self.arrivals_per_s) || !positive(self.handle_s) {
            return Err(LoadFault::NotPositive);
        }
        let erlangs = self.erlangs();
        if erlangs <= 0.0 {
            return Err(LoadFault::NotPositive);
        }
        if erlangs > Load::ERLANGS_MAX {
            return Err(LoadFault::TooMuch);
        }
        Ok(erlangs)
    }
}

/// Erlang B: the probability that a caller finds all of so many agents (or lines) busy and is turned away.
///
/// # Errors
///
/// The load cannot be computed with.
pub fn blocking(load: Load, agents: u32) -> Result<f64, LoadFault> {
    Ok(blocking_of(load.check()?, agents))
}

/// Without factorials, so that it does not overflow.
fn blocking_of(erlangs: f64, agents: u32) -> f64 {
    let mut inverse = 1.0;
    for agent in 1..=agents {
        inverse = 1.0 + inverse * f64::from(agent) / erlangs;
    }
    1.0 / inverse
}

/// Erlang C: a queue whose callers wait for ever, with the share of them answered within `within_s` seconds.
///
/// # Errors
///
/// The load cannot be computed with.
pub fn waiting(load: Load, agents: u32, within_s: f64) -> Result<Steady<ErlangC>, LoadFault> {
    let erlangs = load.check()?;
    Ok(waiting_of(load, erlangs, agents, blocking_of(erlangs, agents), within_s))
}

fn waiting_of(load: Load, erlangs: f64, agents: u32, blocking: f64, within_s: f64) -> Steady<ErlangC> {
    let number = f64::from(agents);
    if erlangs >= number {
        return Steady::Unstable;
    }
    let wait_probability = number * blocking / (number - erlangs * (1.0 - blocking));
    let free = number - erlangs;
    Steady::Steady(ErlangC {
        wait_probability,
        service_level: 1.0 - wait_probability * (-free * within_s.max(0.0) / load.handle_s).exp(),
        speed_of_answer_s: wait_probability * load.handle_s / free,
        occupancy: erlangs / number,
        queue_length: wait_probability * erlangs / free,
    })
}

/// Erlang A: a queue whose callers give up after a patience of this mean, in seconds; with the share of them
/// answered within `within_s` seconds. It has a steady state with any number of agents.
///
/// # Errors
///
/// The load or the patience cannot be computed with.
pub fn patient(load: Load, agents: u32, patience_s: f64, within_s: f64) -> Result<ErlangA, LoadFault> {
    let erlangs = load.check()?;
    if !(patience_s.is_finite() && patience_s > 0.0) {
        return Err(LoadFault::NoPatience);
    }
    if agents == 0 {
        return Err(LoadFault::NoAgents);
    }
    patient_of(load, erlangs, agents, patience_s, within_s.max(0.0))
}

fn patient_of(
    load: Load,
    erlangs: f64,
    agents: u32,
    patience_s: f64,
    within_s: f64,
) -> Result<ErlangA, LoadFault> {
    let (lambda, theta) = (load.arrivals_per_s, 1.0 / patience_s);
    let service = f64::from(agents) / load.handle_s;
    if (lambda - service) / theta > STATES_MAX {
        return Err(LoadFault::TooMuch);
    }
    let (mut free, mut q) = weights_below(erlangs, agents);
    // With k ahead, the time until it would be one's turn is a sum of exponentials with rates service + i *
    // theta, i = 0 to k, and exp(-theta * time) is Beta(c, k + 1) distributed. Both sums below are its
    // distribution at x, seen by those who have not given up (c + 1) and by all (c).
    let (c, x) = (service / theta, (-theta * within_s).exp());
    let not_x = -(-theta * within_s).exp_m1();
    let mut not_yet_served = BetaSum::new(c + 1.0, theta * within_s);
    let mut not_yet_turn = BetaSum::new(c, theta * within_s);
    let (mut all, mut length, mut served, mut fast, mut gone, mut waited) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut k, mut turn_s) = (0.0, 1.0 / (service + theta));
    loop {
        let serves = c / (c + k + 1.0);
        let fast_of_k = serves * (1.0 - not_yet_served.sum);
        all += q;
        length += k * q;
        served += q * serves;
        fast += q * fast_of_k;
        gone += q * (1.0 - fast_of_k - x * not_yet_turn.sum);
        waited += q * serves * turn_s;
        k += 1.0;
        let factor = lambda / (service + k * theta);
        q *= factor;
        if factor < 1.0 && q <= NEGLIGIBLE * (all + free) {
            break;
        }
        if k > STATES_MAX {
            return Err(LoadFault::TooMuch);
        }
        not_yet_served.grow(k, not_x);
        not_yet_turn.grow(k, not_x);
        turn_s += 1.0 / (service + (k + 1.0) * theta);
        if q > SCALE {
            for sum in
                [&mut q, &mut all, &mut length, &mut served, &mut fast, &mut gone, &mut waited, &mut free]
            {
                *sum /= SCALE;
            }
        }
    }
    let total = free + all;
    let queue_length = length / total;
    let abandonment = theta * queue_length / lambda;
    Ok(ErlangA {
        wait_probability: all / total,
        abandonment,
        answered_within: (free + fast) / total,
        abandoned_within: gone / total,
        wait_s: queue_length / lambda,
        speed_of_answer_s: waited / (free + served),
        occupancy: erlangs * (1.0 - abandonment) / f64::from(agents),
        queue_length,
    })
}

/// The weights of the states in which an agent is free, together, and that of the state in which all are busy
/// and nobody waits; the larger of them near 1, so that neither overflows.
fn weights_below(erlangs: f64, agents: u32) -> (f64, f64) {
    let (mut free, mut weight, mut full) = (0.0, 1.0, 1.0);
    for busy in (1..=agents).rev() {
        weight *= f64::from(busy) / erlangs;
        free += weight;
        if weight > SCALE {
            for sum in [&mut free, &mut weight, &mut full] {
                *sum /= SCALE;
            }
        }
    }
    (free, full)
}

/// `x^a * sum over m = 0..k of (a)_m / m! * (1 - x)^m`, term by term: the probability that a Beta(a, k + 1)
/// variable is below x. The scale is kept apart, because the first terms can be too small for a float.
struct BetaSum {
    a: f64,
    term: f64,
    scale_ln: f64,
    sum: f64,
}

impl BetaSum {
    /// The sum of one term, with `x = exp(-minus_ln_x)`.
    fn new(a: f64, minus_ln_x: f64) -> BetaSum {
        let scale_ln = -a * minus_ln_x;
        BetaSum { a, term: 1.0, scale_ln, sum: scale_ln.exp() }
    }

    fn grow(&mut self, m: f64, not_x: f64) {
        self.term *= (self.a + m - 1.0) / m * not_x;
        if self.term > SCALE {
            self.term /= SCALE;
            self.scale_ln += SCALE.ln();
        }
        self.sum = (self.sum + self.term * self.scale_ln.exp()).min(1.0);
    }
}

impl ErlangA {
    /// SL1: the share of the answered who were answered within the threshold.
    pub fn sl1(&self) -> f64 {
        self.answered_within / (1.0 - self.abandonment)
    }

    /// SL2: the share of all.
    pub fn sl2(&self) -> f64 {
        self.answered_within
    }

    /// SL3: the share of those who did not give up within the threshold.
    pub fn sl3(&self) -> f64 {
        self.answered_within / (1.0 - self.abandoned_within)
    }

    /// SL4: giving up within the threshold counts as met.
    pub fn sl4(&self) -> f64 {
        self.answered_within + self.abandoned_within
    }
}

impl Target {
    /// The threshold with which to compare; 0 if none is asked for.
    pub(crate) fn within_s(&self) -> f64 {
        self.service_level.map_or(0.0, |(_, within_s)| within_s)
    }

    pub(crate) fn met(&self, service_level: f64, abandonment: f64, wait_s: f64, occupancy: f64) -> bool {
        // Compared unrounded: 79.56 % is not 80 %.
        self.service_level.is_none_or(|(share, _)| service_level >= share)
            && self.abandonment.is_none_or(|most| abandonment <= most)
            && self.wait_s.is_none_or(|most| wait_s <= most)
            && self.occupancy.is_none_or(|most| occupancy <= most)
    }
}

/// The fewest agents with whom a queue whose callers wait for ever reaches a target; `None` if
/// [`AGENTS_MAX`] do not.
///
/// # Errors
///
/// The load cannot be computed with.
pub fn staff_waiting(load: Load, target: &Target) -> Result<Option<Staffing<ErlangC>>, LoadFault> {
    let erlangs = load.check()?;
    let mut inverse = 1.0;
    for agents in 1..=AGENTS_MAX {
        inverse = 1.0 + inverse * f64::from(agents) / erlangs;
        let queue = waiting_of(load, erlangs, agents, 1.0 / inverse, target.within_s());
        let Steady::Steady(queue) = queue else { continue };
        if target.met(queue.service_level, 0.0, queue.speed_of_answer_s, queue.occupancy) {
            return Ok(Some(Staffing { agents, queue }));
        }
    }
    Ok(None)
}

/// The fewest agents with whom a queue whose callers give up after a patience of this mean, in seconds,
/// reaches a target; `None` if [`AGENTS_MAX`] do not.
///
/// # Errors
///
/// The load or the patience cannot be computed with.
pub fn staff_patient(
    load: Load,
    patience_s: f64,
    target: &Target,
) -> Result<Option<Staffing<ErlangA>>, LoadFault> {
    load.check()?;
    let with = |agents: u32| -> Result<Option<ErlangA>, LoadFault> {
        let queue = match patient(load, agents, patience_s, target.within_s()) {
            Ok(queue) => queue,
            // With so few agents the line is too long to be computed, and for any target.
            Err(LoadFault::TooMuch) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let met = target.met(queue.answered_within, queue.abandonment, queue.wait_s, queue.occupancy);
        Ok(met.then_some(queue))
    };
    // Every agent more makes all of it better: double until it is enough, then halve the difference.
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
    Ok(Some(Staffing { agents: enough, queue }))
}

/// How many agents to plan for, so that this many are there although this share of the paid time is not for
/// contacts: `agents / (1 - shrinkage)`, rounded up. `None` if the share is not from 0 to below 1.
pub fn scheduled(agents: u32, shrinkage: f64) -> Option<u32> {
    if !(0.0..1.0).contains(&shrinkage) {
        return None;
    }
    // 14 / 0.7 is 20, and not the 21 that a last binary digit would make of it.
    let needed = (f64::from(agents) / (1.0 - shrinkage) - ROUNDING).ceil();
    (needed <= f64::from(u32::MAX)).then_some(needed.max(0.0) as u32)
}

/// The mean patience: the waits of *all* callers together, over how many gave up. Who was answered would have
/// waited longer: leaving them out would make callers look far more impatient than they are. Undefined if
/// nobody gave up.
pub fn mean_patience_us(tally: &Tally) -> Quotient {
    let all = AverageWait::AllLeaving.of(tally);
    Quotient::new(all.numerator, tally.abandoned.visits)
}

/// More agents are not tried.
pub const AGENTS_MAX: u32 = 1_000_000;

/// Longer lines are not computed with: the time would grow with them. At the limit the load counts as too
/// much.
const STATES_MAX: f64 = 10_000_000.0;

/// What is so much smaller than the rest that it no longer changes a sum.
const NEGLIGIBLE: f64 = f64::EPSILON * f64::EPSILON;

/// Weights beyond this are scaled down together: far from what a float holds.
const SCALE: f64 = 1e200;

/// Less than this over a whole number is a rounding error of the division.
const ROUNDING: f64 = 1e-9;
