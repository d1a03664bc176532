//! A journal in a directory of its own, and everything it tells.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "tests; each file uses its part"
)]

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tandem_store::{
    Event, FactNumber, Fault, InteractionKey, Journal, Mark, Personal, Record, Settings, Tenant,
};
use tempfile::TempDir;

/// Long enough for the slowest machine; nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Desk {
    pub directory: TempDir,
    pub journal: Journal,
    pub events: Receiver<Event>,
}

impl Desk {
    pub fn new() -> Desk {
        Desk::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Desk {
        let directory = tempfile::tempdir().unwrap();
        let (journal, events) = open(directory.path().join("journal.db"), settings).unwrap();
        Desk { directory, journal, events }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("journal.db")
    }

    /// Ends the program properly and starts it again.
    pub fn restart(self) -> Desk {
        self.journal.close().unwrap();
        let path = self.directory.path().join("journal.db");
        let (journal, events) = open(path, Settings::default()).unwrap();
        Desk { directory: self.directory, journal, events }
    }

    pub fn settle(&self) {
        self.journal.flush(PATIENCE).unwrap();
    }

    /// Waits for an event of which something is wanted.
    pub fn wait_for<T>(&self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        loop {
            let event = self.events.recv_timeout(PATIENCE).expect("the event comes");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    }

    pub fn numbers(&self, tenant: &Tenant) -> Vec<u64> {
        let facts = self.journal.facts(tenant, FactNumber(0), usize::MAX).unwrap();
        facts.iter().map(|fact| fact.number.0).collect()
    }
}

pub fn open(path: PathBuf, settings: Settings) -> Result<(Journal, Receiver<Event>), Fault> {
    let (sender, events) = channel();
    let journal = Journal::open(path, settings, move |event| {
        // The test may have stopped listening.
        let _ = sender.send(event);
    })?;
    Ok((journal, events))
}

pub fn tenant(name: &str) -> Tenant {
    name.parse().unwrap()
}

/// A fact whose content follows from its number, so that a reader can tell whether it is the right one.
pub fn fact(number: u64) -> Record {
    Record {
        number: FactNumber(number),
        at_ms: i64::try_from(number).unwrap() * 1_000,
        interaction: None,
        mark: Mark::Plain,
        fact: format!("fact {number}").into_bytes().into(),
        personal: Personal::Nothing,
    }
}

pub fn facts(numbers: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    numbers.map(fact).collect()
}

pub fn fact_of(number: u64, interaction: u64, mark: Mark) -> Record {
    Record { interaction: Some(InteractionKey(interaction)), mark, ..fact(number) }
}
