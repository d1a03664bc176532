//! A journal in a directory of its own, and everything it tells.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    reason = "tests; each file uses its part"
)]

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tandem_store::register::{
    AuditEntry, Failure, IdentityRow, KeyRow, LoginRow, PersonRow, Refusal, Register, WebhookRow,
};
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

/// A register in a directory of its own.
pub struct Office {
    pub directory: TempDir,
    pub register: Register,
}

impl Office {
    pub fn new() -> Office {
        let directory = tempfile::tempdir().unwrap();
        let register = open_register(directory.path()).unwrap();
        Office { directory, register }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("people.db")
    }

    /// Ends the program and starts it again.
    pub fn restart(self) -> Office {
        drop(self.register);
        let register = open_register(self.directory.path()).unwrap();
        Office { directory: self.directory, register }
    }

    /// Every byte of every file of the register: the log, its index, the lock.
    pub fn contains(&self, part: &[u8]) -> bool {
        let entries = std::fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        let files = entries.filter(|path| path.extension().is_none_or(|extension| extension != "key"));
        files
            .map(|path| std::fs::read(path).unwrap())
            .any(|bytes| bytes.windows(part.len()).any(|window| window == part))
    }
}

pub fn open_register(directory: &std::path::Path) -> Result<Register, Fault> {
    Register::open(directory.join("people.db"), &directory.join("journal.key"))
}

pub fn refusal(failure: Failure) -> Refusal {
    match failure {
        Failure::Refused(refusal) => refusal,
        Failure::Fault(fault) => panic!("{fault}"),
    }
}

pub fn person(id: &str, name: &str) -> PersonRow {
    PersonRow {
        id: id.into(),
        name: name.into(),
        document: r#"{"roles":["agent"]}"#.into(),
        enabled: true,
        created_ms: 1_000,
        changed_ms: 1_000,
        identities: Vec::new(),
    }
}

pub fn known_as(person: PersonRow, kind: &str, issuer: &str, subject: &str) -> PersonRow {
    let identity = IdentityRow { kind: kind.into(), issuer: issuer.into(), subject: subject.into() };
    let mut identities = person.identities;
    identities.push(identity);
    PersonRow { identities, ..person }
}

pub fn login(id: &str, person: &str) -> LoginRow {
    LoginRow {
        id: id.into(),
        person: person.into(),
        secret_hash: b"first".to_vec(),
        previous_hash: None,
        how: "entra".into(),
        label: "Firefox".into(),
        document: "{}".into(),
        created_ms: 1_000,
        used_ms: 1_000,
        expires_ms: 100_000,
        revoked_ms: None,
    }
}

pub fn key(id: &str) -> KeyRow {
    KeyRow {
        id: id.into(),
        name: "wallboard".into(),
        hash: b"hash".to_vec(),
        scopes: r#"["queues:read"]"#.into(),
        created_by: "ada".into(),
        created_ms: 1_000,
        expires_ms: None,
        used_ms: None,
        revoked_ms: None,
    }
}

pub fn act(at_ms: i64, actor: &str, act: &str, outcome: &str) -> AuditEntry {
    AuditEntry {
        at_ms,
        actor: actor.into(),
        who: format!(r#"{{"name":"{actor}"}}"#),
        act: act.into(),
        object: "queue/billing".into(),
        outcome: outcome.into(),
        detail: "{}".into(),
    }
}

pub fn webhook(id: &str) -> WebhookRow {
    WebhookRow {
        id: id.into(),
        document: r#"{"url":"https://crm.contoso.example/hook"}"#.into(),
        cursor: FactNumber(10),
        state: "active".into(),
        changed_ms: 1_000,
    }
}
