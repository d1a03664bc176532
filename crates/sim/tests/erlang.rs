//! Queues in the long run agree with Erlang's formulas within the error of sampling.

#![cfg(test)]

use tandem_metrics::erlang::{Load, Steady as Long, patient, waiting};
use tandem_sim::steady::{Served, Steady};

/// Callers of a run; the first tenth warms up.
const CALLERS: u32 = 30_000;
/// Pieces of a run whose means show how far chance may lead.
const PIECES: usize = 20;

#[test]
fn callers_who_wait_for_ever_wait_as_erlang_c_says() {
    for (seed, agents, within_s) in [(1, 14, 20.0), (2, 13, 20.0), (3, 16, 10.0)] {
        let load = Load::per_period(100.0, 1800.0, 180.0);
        let Ok(Long::Steady(known)) = waiting(load, agents, within_s) else { panic!("it is stable") };
        let callers = run(seed, load, None, agents);
        agrees("P(wait)", &callers, known.wait_probability, |one| is(one.waited_s > 0.0));
        agrees("ASA", &callers, known.speed_of_answer_s, |one| one.waited_s);
        agrees("SL", &callers, known.service_level, |one| is(one.waited_s <= within_s));
    }
}

#[test]
fn callers_who_give_up_do_so_as_erlang_a_says() {
    for (seed, agents, patience_s) in [(4, 10, 120.0), (5, 12, 120.0), (6, 14, 120.0), (7, 10, 60.0)] {
        let load = Load::per_period(100.0, 1800.0, 180.0);
        let known = patient(load, agents, patience_s, 20.0).expect("it can be computed");
        let callers = run(seed, load, Some(patience_s), agents);
        agrees("P(wait)", &callers, known.wait_probability, |one| is(one.waited_s > 0.0));
        agrees("E[W]", &callers, known.wait_s, |one| one.waited_s);
        agrees("P(abandon)", &callers, known.abandonment, |one| is(!one.answered));
        agrees("SL2", &callers, known.answered_within, |one| is(one.answered && one.waited_s <= 20.0));
        agrees("abandoned in T", &callers, known.abandoned_within, |one| {
            is(!one.answered && one.waited_s <= 20.0)
        });
    }
}

fn run(seed: u64, load: Load, patience_s: Option<f64>, agents: u32) -> Vec<Served> {
    let (between_s, handle_s) = (1.0 / load.arrivals_per_s, load.handle_s);
    let steady = Steady { seed, callers: CALLERS, between_s, handle_s, patience_s, agents };
    let mut callers = steady.run().expect("a configuration").callers;
    assert_eq!(callers.len(), CALLERS as usize);
    callers.split_off(callers.len() / 10)
}

/// The mean is where the formula says, give or take four standard errors of the means of the pieces.
fn agrees(what: &str, callers: &[Served], known: f64, value: impl Fn(&Served) -> f64) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let pieces: Vec<f64> = callers
        .chunks(callers.len() / PIECES)
        .take(PIECES)
        .map(|piece| mean(&piece.iter().map(&value).collect::<Vec<_>>()))
        .collect();
    let found = mean(&pieces);
    let variance = mean(&pieces.iter().map(|piece| (piece - found).powi(2)).collect::<Vec<_>>());
    let error = (variance / (PIECES - 1) as f64).sqrt();
    println!("{what}: {found:.5}, known {known:.5}, standard error {error:.5}");
    assert!((found - known).abs() < 4.0 * error, "{what}: {found} is not {known} (± {error})");
    assert!(error < 0.3 * known.max(0.1), "{what}: the run is too short to say anything: ± {error}");
}

fn is(true_for_one: bool) -> f64 {
    if true_for_one { 1.0 } else { 0.0 }
}
