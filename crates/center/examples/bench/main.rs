//! How fast a center decides, how that grows, how much somebody who waits takes, and how soon it is back.
//!
//! Time is virtual: nothing waits. Prints one JSON line for each figure; rates are the median of several rounds.

mod load;
mod scan;

use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use load::{Failure, Load, Size, config, now};
use tandem_center::view::View;
use tandem_center::{Center, Output};

fn main() -> Result<(), Failure> {
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    // First, so that nothing that was freed before hides what it takes.
    if wanted("memory") {
        memory(Size { agents: 100, queues: 20, waiting: 100_000 })?;
    }
    if wanted("rates") {
        rate("center.100", Size { agents: 100, queues: 20, waiting: 0 })?;
        rate("center.1000", Size { agents: 1000, queues: 100, waiting: 10_000 })?;
    }
    if wanted("single") {
        single(Size { agents: 10_000, queues: 100, waiting: 100_000 })?;
    }
    if wanted("growth") {
        growth()?;
    }
    if wanted("restart") {
        restart(Size { agents: 1000, queues: 100, waiting: 10_000 }, 1_000_000)?;
    }
    Ok(())
}

fn say(name: &str, value: f64, unit: &str) {
    say_of("tandem", name, value, unit);
}

fn say_of(system: &str, name: &str, value: f64, unit: &str) {
    println!("{{\"system\":\"{system}\",\"name\":\"{name}\",\"value\":{value:.3},\"unit\":\"{unit}\"}}");
}

/// Inputs in a second, facts encoded.
fn rate(name: &str, size: Size) -> Result<(), Failure> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let mut load = Load::new(size)?;
        load.fill()?;
        load.run(INPUTS / 10)?;
        let (begun, before) = (now(), load.inputs);
        let ended = load.calls_ended;
        load.run(INPUTS)?;
        let inputs = u32::try_from(load.inputs - before)?;
        rates.push(f64::from(inputs) / begun.elapsed().as_secs_f64());
        if load.calls_ended - ended < u64::from(inputs) / 40 {
            let ended = load.calls_ended - ended;
            return Err(format!("only {ended} calls came to an end: the load is not what it says").into());
        }
    }
    rates.sort_by(f64::total_cmp);
    say(name, rates.get(ROUNDS / 2).copied().unwrap_or_default().floor(), "per_second");
    Ok(())
}

/// How long one input takes in a large center.
fn single(size: Size) -> Result<(), Failure> {
    let mut load = Load::new(size)?;
    load.fill()?;
    load.took = Some(Vec::new());
    load.run(INPUTS)?;
    let mut took = load.took.take().unwrap_or_default();
    took.sort();
    let at = |part: usize| took.get(took.len() * part / 1000).copied().unwrap_or_default();
    say("center.input.p50", at(500).as_secs_f64() * 1e6, "us");
    say("center.input.p99", at(990).as_secs_f64() * 1e6, "us");
    say("center.input.max", took.last().copied().unwrap_or_default().as_secs_f64() * 1e6, "us");
    Ok(())
}

/// The mean time of an input, beside a scan of all agents for every input.
fn growth() -> Result<(), Failure> {
    for agents in [100, 1000, 10_000] {
        let size = Size { agents, queues: 20, waiting: 1000 };
        let name = format!("center.growth.agents.{agents}");
        say(&name, mean(size)?, "us");
        say_of("scan", &name, scan::mean(size), "us");
    }
    for waiting in [1000, 10_000, 100_000] {
        let size = Size { agents: 1000, queues: 20, waiting };
        let name = format!("center.growth.waiting.{waiting}");
        say(&name, mean(size)?, "us");
        say_of("scan", &name, scan::mean(size), "us");
    }
    Ok(())
}

fn mean(size: Size) -> Result<f64, Failure> {
    let mut load = Load::new(size)?;
    load.fill()?;
    load.took = Some(Vec::new());
    load.run(INPUTS / 4)?;
    let took = load.took.take().unwrap_or_default();
    Ok(took.iter().sum::<Duration>().as_secs_f64() * 1e6 / f64::from(u32::try_from(took.len())?))
}

/// What somebody who waits takes of memory, the tables included.
fn memory(size: Size) -> Result<(), Failure> {
    let without = Load::new(Size { waiting: 0, ..size })?;
    let before = resident()?;
    let mut load = Load::new(size)?;
    load.fill()?;
    load.encoded.shrink_to_fit();
    let waiting = load.center.live().interactions.len();
    let bytes = resident()?.saturating_sub(before);
    drop(without);
    say("center.waiting.memory", f64::from(u32::try_from(bytes / waiting.max(1))?) / 1024.0, "KB");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at what it takes")]
fn resident() -> Result<usize, Failure> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: usize = text.split_whitespace().nth(1).ok_or("no resident pages")?.parse()?;
    Ok(pages * 4096)
}

/// How soon a center is back: from the facts as they stand in the journal to taking calls.
fn restart(size: Size, facts: u64) -> Result<(), Failure> {
    let mut load = Load::new(size)?;
    load.keep = true;
    load.fill()?;
    while load.facts < facts {
        load.run(10_000)?;
    }
    let open = load.center.live().interactions.len();
    let config = Arc::new(config(size)?);
    let (at, text) = (load.now, std::mem::take(&mut load.encoded));
    drop(load);
    let begun = now();
    let mut view = View::default();
    for line in text.as_slice().lines() {
        view.apply(&Arc::new(serde_json::from_str(&line?)?));
    }
    let mut center = Center::resume(config, at, &view);
    let mut closed = 0;
    while let Some(output) = center.poll_output() {
        if let Output::Fact(_) = output {
            closed += 1;
        }
    }
    let took = begun.elapsed();
    if open < 10_000 || closed == 0 {
        return Err(format!("{open} interactions were open: the load is not what it says").into());
    }
    say("center.restart", took.as_secs_f64() * 1e3, "ms");
    Ok(())
}

const ROUNDS: usize = 5;
/// Inputs measured in each round.
const INPUTS: u64 = 500_000;
