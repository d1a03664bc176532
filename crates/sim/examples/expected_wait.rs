//! How far the expected waits that callers are told are from the waits that they then have, for queues from calm to
//! crowded.

use tandem_sim::steady::{Steady, Told};

fn main() {
    println!("agents  load  patience      told  mean error s  mean |error| s  waited longer");
    for (agents, load) in [(5, 0.7), (5, 0.9), (20, 0.8), (20, 0.95), (50, 0.95)] {
        for patience_s in [None, Some(180.0)] {
            let handle_s = 240.0;
            let between_s = handle_s / (f64::from(agents) * load);
            let steady = Steady { seed: 1, callers: 40_000, between_s, handle_s, patience_s, agents };
            match steady.run() {
                Ok(outcome) => tell(agents, load, patience_s, &outcome.told),
                Err(faults) => eprintln!("{faults}"),
            }
        }
    }
}

fn tell(agents: u32, load: f64, patience_s: Option<f64>, told: &[Told]) {
    let count = told.len().max(1) as f64;
    let error = |one: &Told| one.waited_s - one.expected_s;
    let mean = told.iter().map(error).sum::<f64>() / count;
    let absolute = told.iter().map(|one| error(one).abs()).sum::<f64>() / count;
    let longer = told.iter().filter(|one| error(one) > 0.0).count() as f64 / count * 100.0;
    let patience = patience_s.map_or("for ever".into(), |patience| format!("{patience:.0} s"));
    let told = told.len();
    println!(
        "{agents:6}  {load:4.2}  {patience:>8}  {told:8}  {mean:12.1}  {absolute:14.1}  {longer:12.1} %"
    );
}
