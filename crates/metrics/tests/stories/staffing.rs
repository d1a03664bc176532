//! Simulated queues: where the exact values are known they are met, and elsewhere they differ in the right
//! direction.

use tandem_metrics::erlang::{Load, Steady, Target, patient, waiting};
use tandem_metrics::staffing::{
    Effort, Estimate, Scenario, ScenarioFault, Simulated, Times, simulate, staff,
};

const EFFORT: Effort = Effort { seed: 7, arrivals: 400_000 };

fn exponential(mean_s: f64) -> Times {
    Times::Exponential { mean_s }
}

fn scenario(handle: Times, patience: Option<Times>) -> Scenario {
    Scenario { arrivals_per_s: 100.0 / 1800.0, handle, patience, within_s: 20.0 }
}

/// Within twice the confidence interval: a seed that is not would be one of ten thousand.
#[track_caller]
fn assert_near(estimate: Estimate, exact: f64) {
    assert!((estimate.mean - exact).abs() <= 2.0 * estimate.plus_minus, "{estimate:?} is not {exact}");
    assert!(estimate.plus_minus < 0.1 * exact.max(0.05), "{estimate:?} says nothing");
}

#[test]
fn exponential_times_and_patience_give_erlang_a() {
    let load = Load::per_period(100.0, 1800.0, 180.0);
    for (agents, patience_s) in [(10, 120.0), (12, 120.0), (14, 120.0), (10, 60.0)] {
        let exact = patient(load, agents, patience_s, 20.0).unwrap();
        let queue =
            simulate(&scenario(exponential(180.0), Some(exponential(patience_s))), agents, EFFORT).unwrap();
        assert_near(queue.service_level, exact.answered_within);
        assert_near(queue.abandonment, exact.abandonment);
        assert_near(queue.wait_s, exact.wait_s);
        assert_near(queue.speed_of_answer_s, exact.speed_of_answer_s);
        assert_near(queue.occupancy, exact.occupancy);
    }
}

#[test]
fn without_an_end_of_patience_they_give_erlang_c() {
    let load = Load::per_period(100.0, 1800.0, 180.0);
    let Steady::Steady(exact) = waiting(load, 14, 20.0).unwrap() else { panic!("unstable") };
    let queue = simulate(&scenario(exponential(180.0), None), 14, EFFORT).unwrap();
    assert_near(queue.service_level, exact.service_level);
    assert_near(queue.wait_s, exact.speed_of_answer_s);
    assert_near(queue.occupancy, exact.occupancy);
    assert_eq!(queue.abandonment, Estimate { mean: 0.0, plus_minus: 0.0 });
}

#[test]
fn regular_work_makes_shorter_waits_and_irregular_work_longer_ones() {
    let wait = |handle| simulate(&scenario(handle, None), 12, EFFORT).unwrap().wait_s;
    let regular = wait(Times::Constant { mean_s: 180.0 });
    let irregular = wait(Times::LogNormal { mean_s: 180.0, deviation_s: 360.0 });
    let between = wait(exponential(180.0));
    assert!(regular.high() < between.low(), "{regular:?} {between:?}");
    assert!(between.high() < irregular.low(), "{between:?} {irregular:?}");
}

#[test]
fn one_agent_and_regular_work_wait_half_as_long_as_irregular_work() {
    // Pollaczek and Khinchine: with one agent and load 0.8, 2 handle times if they are constant, 4 if
    // exponential.
    let one = |handle| {
        let scenario = Scenario { arrivals_per_s: 0.8, handle, patience: None, within_s: 0.0 };
        simulate(&scenario, 1, Effort { seed: 3, arrivals: 2_000_000 }).unwrap().wait_s
    };
    assert_near(one(Times::Constant { mean_s: 1.0 }), 2.0);
    assert_near(one(exponential(1.0)), 4.0);
    assert_near(one(Times::LogNormal { mean_s: 1.0, deviation_s: 1.0 }), 4.0);
}

#[test]
fn measured_times_are_drawn_as_they_were() {
    let measured = Times::Measured { times_s: [180.0; 3].into() };
    let constant = Times::Constant { mean_s: 180.0 };
    let wait = |handle| simulate(&scenario(handle, None), 12, EFFORT).unwrap().wait_s;
    assert_eq!(wait(measured), wait(constant));
}

#[test]
fn the_fewest_agents_are_those_of_the_formula() {
    let target = Target { service_level: Some((0.8, 20.0)), abandonment: Some(0.05), ..Target::default() };
    let queue =
        staff(&scenario(exponential(180.0), Some(exponential(120.0))), &target, EFFORT).unwrap().unwrap();
    assert_eq!(queue.agents, 13);
    assert!(queue.service_level.low() >= 0.8 && queue.abandonment.high() <= 0.05);
    let target = Target { service_level: Some((0.8, 20.0)), ..Target::default() };
    assert_eq!(staff(&scenario(exponential(180.0), None), &target, EFFORT).unwrap().unwrap().agents, 14);
}

#[test]
fn the_same_seed_gives_the_same_and_more_effort_says_more() {
    let scenario = scenario(exponential(180.0), Some(exponential(120.0)));
    let run = |seed, arrivals| simulate(&scenario, 12, Effort { seed, arrivals }).unwrap();
    assert_eq!(run(1, 10_000), run(1, 10_000));
    assert_ne!(run(1, 10_000), run(2, 10_000));
    assert!(run(1, 1_000_000).service_level.plus_minus < run(1, 10_000).service_level.plus_minus / 3.0);
}

#[test]
fn what_cannot_be_simulated_is_a_fault() {
    let fault = |scenario: &Scenario, agents, arrivals| -> ScenarioFault {
        simulate(scenario, agents, Effort { seed: 1, arrivals }).unwrap_err()
    };
    let good = scenario(exponential(180.0), None);
    assert_eq!(fault(&good, 10, 10_000), ScenarioFault::Unstable);
    assert_eq!(fault(&good, 0, 10_000), ScenarioFault::Agents);
    assert_eq!(fault(&good, 14, 10), ScenarioFault::Effort);
    assert_eq!(fault(&Scenario { arrivals_per_s: 0.0, ..good }, 14, 10_000), ScenarioFault::Arrivals);
    for handle in [
        exponential(0.0),
        exponential(f64::NAN),
        Times::Measured { times_s: [].into() },
        Times::LogNormal { mean_s: 1.0, deviation_s: -1.0 },
    ] {
        assert_eq!(fault(&scenario(handle, None), 14, 10_000), ScenarioFault::Times);
    }
}

#[test]
fn a_target_that_nobody_reaches_is_not_reached() {
    let target = Target { occupancy: Some(0.0), ..Target::default() };
    let few = Effort { seed: 1, arrivals: Effort::ARRIVALS_MIN };
    let found: Option<Simulated> = staff(&scenario(exponential(180.0), None), &target, few).unwrap();
    assert_eq!(found, None);
}
