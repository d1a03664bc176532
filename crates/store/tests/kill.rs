//! `kill -9` in the middle of appends: what was told as committed is there, and what is there has no gap.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{fact, open, tenant};
use tandem_store::{Event, FactNumber, Journal, Settings};

/// The victim is this very test, started again with the path of the journal in its environment.
#[test]
fn nothing_told_is_lost_and_no_gap_remains() {
    if let Some(path) = env::var_os("TANDEM_TEST_VICTIM") {
        append_until_killed(Path::new(&path));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let contoso = tenant("contoso");
    let mut checked = 0;
    for round in 1..=8 {
        let told = run_and_kill(&path, 5 + round * 7 % 13);
        let (journal, _) = open(path.clone(), Settings::default()).unwrap();
        let last = journal.last_number(&contoso).unwrap().0;
        assert!(last >= told, "{told} was told, {last} is there");
        let mut read = checked;
        while read < last {
            for record in journal.facts(&contoso, FactNumber(read), usize::MAX).unwrap() {
                read += 1;
                assert_eq!(record, fact(read));
            }
        }
        assert!(last > checked, "the victim goes on where the one before it was killed");
        checked = last;
    }
}

/// Starts a victim, listens to this many commits, kills it, and answers with the last number it told.
fn run_and_kill(path: &Path, commits: u64) -> u64 {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "nothing_told_is_lost_and_no_gap_remains", "--nocapture"])
        .env("TANDEM_TEST_VICTIM", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut told = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("told ")?.parse().ok());
    let mut last = 0;
    for _ in 0..commits {
        last = told.next().expect("the victim lives until it is killed");
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    // What it said before it died counts, too.
    told.last().unwrap_or(last)
}

fn append_until_killed(path: &Path) -> ! {
    let contoso = tenant("contoso");
    let journal = Journal::open(path, Settings::default(), |event| {
        if let Event::Committed { number, .. } = event {
            let mut out = std::io::stdout().lock();
            writeln!(out, "told {number}").unwrap();
            out.flush().unwrap();
        }
    })
    .unwrap();
    let mut next = journal.last_number(&contoso).unwrap().0 + 1;
    loop {
        let count = 1 + next % 50;
        match journal.append(&contoso, (next..next + count).map(fact).collect()) {
            Ok(_) => next += count,
            // The queue is full: let the writer go on.
            Err(_) => std::thread::yield_now(),
        }
    }
}
