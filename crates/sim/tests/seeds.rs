//! Seeds of chaos and drain, audited after every input.

#![cfg(test)]

use std::sync::atomic::{AtomicU64, Ordering};

use tandem_sim::{Failure, Summary, check};

/// How many seeds every run of the tests tries.
const SEEDS: u64 = 5_000;

#[test]
fn five_thousand_seeds_of_chaos_drain_without_a_complaint() {
    let next = AtomicU64::new(0);
    let run = || {
        let mut total = Summary::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS {
                return total;
            }
            match check(seed) {
                Ok(summary) => total = total + summary,
                Err(Failure::Audit(shortest)) => {
                    panic!("seed {seed}: {}\n{}", shortest.complaint, shortest.story);
                }
                Err(Failure::Configuration(faults)) => panic!("seed {seed}: {faults}"),
            }
        }
    };
    let total = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let runs: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().expect("no seed fails")).fold(Summary::default(), |a, b| a + b)
    });
    // The chaos is worth something only if much of everything happened.
    assert!(total.closed > 5 * SEEDS && total.facts > 50 * SEEDS, "{total:?}");
    assert!(total.repairs > SEEDS / 10 && total.restarts > SEEDS / 2, "{total:?}");
}
