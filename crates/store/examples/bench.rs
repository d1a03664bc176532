//! How many facts a second the journal commits and reads: `cargo run --release -p tandem-store --example bench`.
//!
//! Calls of twelve facts of 250 bytes, as a queued call has them; one of the twelve says who calls. They are appended
//! from one thread as fast as the queue takes them, then read in pages from the first. In a folder of its own under
//! the present one, so that it is the disk that is meant, not the memory behind a temporary folder.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: what cannot go on ends")]

use std::time::{Duration, Instant};

use tandem_store::{FactNumber, InteractionKey, Journal, Mark, PAGE_MAX, Personal, Record, Settings, Tenant};

const CALLS: u64 = 50_000;
const FACTS_OF_A_CALL: u64 = 12;
const AT_ONCE: u64 = 4;

fn main() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let path = folder.path().join("journal.db");
    let tenant = Tenant::only();
    let journal = Journal::open(&path, Settings::default(), |_| {}).unwrap();
    let begun = Instant::now();
    let mut number = 0;
    for call in 0..CALLS {
        for turn in 0..FACTS_OF_A_CALL / AT_ONCE {
            let first = call * FACTS_OF_A_CALL + 1;
            let mut records: Vec<Record> =
                (0..AT_ONCE).map(|nth| record(number + nth + 1, first, turn * AT_ONCE + nth)).collect();
            number += AT_ONCE;
            while let Err(refused) = journal.append(&tenant, records) {
                records = refused.records;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
    journal.flush(Duration::from_secs(600)).unwrap();
    told("committed", number, begun.elapsed());
    let begun = Instant::now();
    let (mut read, mut bytes) = (0, 0);
    loop {
        let page = journal.facts(&tenant, FactNumber(read), PAGE_MAX).unwrap();
        let Some(last) = page.last() else { break };
        read = last.number.0;
        bytes += page.iter().map(|record| record.fact.len()).sum::<usize>();
    }
    told("read", read, begun.elapsed());
    journal.close().unwrap();
    let file = std::fs::metadata(&path).unwrap().len();
    println!("{bytes} bytes of facts, {file} bytes of file");
}

fn record(number: u64, interaction: u64, nth: u64) -> Record {
    let mark = match nth {
        0 => Mark::Opens,
        nth if nth + 1 == FACTS_OF_A_CALL => Mark::Closes,
        _ => Mark::Plain,
    };
    Record {
        number: FactNumber(number),
        at_ms: 1_780_000_000_000 + i64::try_from(number).unwrap(),
        interaction: Some(InteractionKey(interaction)),
        mark,
        fact: vec![b'x'; 250].into(),
        personal: match nth {
            0 => Personal::Known((*b"{\"from\":{\"phone\":\"+14255550123\"},\"from_name\":\"Ada\"}").into()),
            _ => Personal::Nothing,
        },
    }
}

fn told(what: &str, facts: u64, took: Duration) {
    let per_second = u128::from(facts) * 1_000_000 / took.as_micros().max(1);
    println!("{what} {facts} facts in {took:?}: {per_second} a second");
}
