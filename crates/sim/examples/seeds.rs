//! Runs seeds of the simulation: `seeds <start> <count>`. Exit status 1 and the shortest story at the first failure.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tandem_sim::{Failure, Summary, check};

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let &[start, count] = numbers.as_slice() else {
        eprintln!("usage: seeds <start> <count>");
        return ExitCode::FAILURE;
    };
    let end = start.saturating_add(count);
    let next = AtomicU64::new(start);
    let failed = AtomicBool::new(false);
    let total = Mutex::new(Summary::default());
    let work = || {
        let mut sum = Summary::default();
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                break;
            }
            match check(seed) {
                Ok(summary) => sum = sum + summary,
                Err(failure) => {
                    if !failed.swap(true, Ordering::Relaxed) {
                        tell(seed, &failure);
                    }
                }
            }
        }
        if let Ok(mut total) = total.lock() {
            *total = *total + sum;
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    if failed.into_inner() {
        return ExitCode::FAILURE;
    }
    let total = total.into_inner().unwrap_or_default();
    println!(
        "{count} seeds from {start}: no complaint; {} inputs, {} facts, {} interactions, {} restarts, {} repairs",
        total.inputs, total.facts, total.closed, total.restarts, total.repairs
    );
    ExitCode::SUCCESS
}

fn tell(seed: u64, failure: &Failure) {
    match failure {
        Failure::Configuration(faults) => eprintln!("seed {seed}: {faults}"),
        Failure::Audit(shortest) => {
            eprintln!("{}seed {seed}: {}", shortest.story, shortest.complaint);
        }
    }
}
