//! Surveys seeds of the simulation: `survey <start> <count>` runs them all, whatever fails, and prints how often each
//! complaint comes, with the first seeds. `seeds` then tells the shortest story of one.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tandem_sim::{Plan, run};

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let &[start, count] = numbers.as_slice() else {
        eprintln!("usage: survey <start> <count>");
        return;
    };
    let next = AtomicU64::new(start);
    let found: Mutex<BTreeMap<String, Vec<u64>>> = Mutex::default();
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= start.saturating_add(count) {
                return;
            }
            let complaint = match Plan::draw(seed) {
                Err(faults) => format!("configuration: {faults}"),
                Ok(plan) => match run::run(&plan) {
                    Ok(_) => continue,
                    Err(complaint) => format!("{:?}", complaint.wrong),
                },
            };
            let kind: String = complaint.chars().take_while(|letter| !"({".contains(*letter)).collect();
            if let Ok(mut found) = found.lock() {
                found.entry(kind).or_default().push(seed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    for (kind, seeds) in found.into_inner().unwrap_or_default() {
        println!("{:6}  {kind}: {:?}", seeds.len(), seeds.iter().take(8).collect::<Vec<_>>());
    }
}
