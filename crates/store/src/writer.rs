//! The thread that writes: the only one that changes the file.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::master::Masters;
use crate::queue::{Entry, Queue, Taken};
use crate::removal::{self, Left};
use crate::schema::BUSY_TIMEOUT;
use crate::seal::{DataKey, Spot};
use crate::{Event, FactNumber, Fault, Mark, Personal, Record, Tenant};

/// Takes groups from the queue and commits them, for as long as the queue is open.
pub(crate) struct Writer<F> {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) queue: Arc<Queue>,
    pub(crate) on_event: F,
    pub(crate) masters: Arc<Masters>,
    /// The last fact of each tenant with which something was erased: no snapshot from before may be written any more.
    pub(crate) erased: BTreeMap<Tenant, FactNumber>,
    /// Tenants whose facts are being removed, piece by piece.
    pub(crate) removing: VecDeque<Tenant>,
    /// Something was erased, and the write-ahead log may still hold its key.
    pub(crate) log_due: bool,
    /// Keeps other processes out for as long as this one may write.
    pub(crate) lock: File,
}

impl<F: FnMut(Event)> Writer<F> {
    pub(crate) fn run(mut self) {
        // Told even if the listener panics, so that nobody waits for a writer that is gone.
        let _ended = Ended(self.queue.clone());
        loop {
            let mut group = match self.queue.take(self.patience()) {
                Taken::Group(group) => group,
                Taken::Nothing => {
                    self.remove_piece();
                    self.empty_log();
                    continue;
                }
                Taken::End => break,
            };
            group.entries.retain(|entry| !self.queue.is_void(entry));
            let given_up = !self.commit(&mut group.entries);
            if given_up {
                return;
            }
            self.tell(&group.entries);
            self.note_removals(&group.entries);
            self.remove_piece();
            self.empty_log();
            self.queue.done(&group);
        }
        // The log is folded into the file, so that the file alone is a backup. A failure costs only that.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        drop(self.connection);
        drop(self.lock);
    }

    /// How long to wait for something to write while something else is left to do; for ever if nothing is.
    fn patience(&self) -> Option<Duration> {
        match (self.removing.is_empty(), self.log_due) {
            (false, _) => Some(Duration::from_millis(1)),
            (true, true) => Some(LOG_RETRY_EVERY),
            (true, false) => None,
        }
    }

    fn note_removals(&mut self, group: &[Entry]) {
        for entry in group {
            if let Entry::Removal { tenant } = entry {
                self.log_due = true;
                if !self.removing.contains(tenant) {
                    self.removing.push_back(tenant.clone());
                }
            }
        }
    }

    /// Removes some facts of a tenant that is being removed. What cannot be done now is tried again.
    fn remove_piece(&mut self) {
        let Some(tenant) = self.removing.pop_front() else { return };
        match removal::remove_piece(&mut self.connection, &tenant) {
            Ok(Left::Nothing) => {
                self.log_due = true;
                self.queue.removed(&tenant);
            }
            Ok(Left::Some) => self.removing.push_front(tenant),
            // The disk is full or locked: the facts stay a while longer, and say nothing about anybody.
            Err(_) => {
                self.removing.push_back(tenant);
                self.queue.wait_open(RETRY_EVERY);
            }
        }
    }

    /// Commits a group, however often it takes. `false` if the journal is being closed and it cannot be done.
    fn commit(&mut self, group: &mut Vec<Entry>) -> bool {
        let mut failing = false;
        self.note_erasures(group);
        loop {
            match write(&mut self.connection, &self.masters, &self.erased, group) {
                Ok(()) => {
                    if failing {
                        (self.on_event)(Event::Recovered);
                    }
                    return true;
                }
                Err(Failure::Conflict(tenant)) => self.fence(&tenant, group),
                Err(Failure::Disk(reason)) => {
                    if !failing {
                        let fault = match reason {
                            Reason::Sqlite(source) => Fault::of_sqlite(&self.path, source),
                            Reason::Sealing(source) => Fault::Io { path: self.path.clone(), source },
                        };
                        (self.on_event)(Event::Failing { fault, waiting: self.queue.lag().facts_waiting });
                    }
                    failing = true;
                    if !self.queue.wait_open(RETRY_EVERY) {
                        return false;
                    }
                }
            }
        }
    }

    /// Before they are written: a snapshot may wait in the same group.
    fn note_erasures(&mut self, group: &[Entry]) {
        for entry in group {
            let Entry::Facts { tenant, records, .. } = entry else { continue };
            for record in records.iter().filter(|record| record.mark == Mark::Erases) {
                self.erased.insert(tenant.clone(), record.number);
                self.log_due = true;
            }
        }
    }

    /// Empties the write-ahead log after something was erased: it holds pages as they were. A reader may be looking at
    /// them; then it is tried again soon, and appends go on meanwhile.
    fn empty_log(&mut self) {
        if !self.log_due {
            return;
        }
        // A failure costs only the next try.
        let _ = self.connection.busy_timeout(LOG_PATIENCE);
        let busy =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        let _ = self.connection.busy_timeout(BUSY_TIMEOUT);
        self.log_due = !matches!(busy, Ok(false));
    }

    /// Drops what this process wanted to write for a tenant that somebody else writes for now.
    fn fence(&mut self, tenant: &Tenant, group: &mut Vec<Entry>) {
        self.queue.fence(tenant);
        group.retain(|entry| entry.tenant() != tenant);
        (self.on_event)(Event::Fenced { tenant: tenant.clone() });
    }

    fn tell(&mut self, group: &[Entry]) {
        let mut told: Vec<(&Tenant, &Record)> = Vec::new();
        for entry in group {
            if let Entry::Facts { tenant, records, .. } = entry
                && let Some(last) = records.last()
            {
                match told.iter_mut().find(|(known, _)| *known == tenant) {
                    Some(known) => known.1 = last,
                    None => told.push((tenant, last)),
                }
            }
        }
        for (tenant, last) in told {
            (self.on_event)(Event::Committed { tenant: tenant.clone(), number: last.number });
        }
    }
}

enum Failure {
    /// A number of this tenant is taken: somebody else has written it.
    Conflict(Tenant),
    /// It may work another time.
    Disk(Reason),
}

enum Reason {
    Sqlite(rusqlite::Error),
    /// The system gives no randomness.
    Sealing(io::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Disk(Reason::Sqlite(error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Disk(Reason::Sealing(error))
    }
}

/// Writes a group in one transaction; on failure nothing of it remains.
fn write(
    connection: &mut Connection,
    masters: &Masters,
    erased: &BTreeMap<Tenant, FactNumber>,
    group: &[Entry],
) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = transaction.prepare_cached(INSERT_FACT)?;
        for entry in group {
            match entry {
                Entry::Facts { tenant, records, .. } => {
                    for record in records {
                        let sealed = sealed(&transaction, masters, tenant, record)?;
                        insert
                            .execute(params![
                                tenant.as_str(),
                                record.number.0.cast_signed(),
                                record.at_ms,
                                record.interaction.map(|key| key.0.cast_signed()),
                                record.mark.to_column(),
                                &record.fact[..],
                                sealed,
                            ])
                            .map_err(|error| conflict_or(error, tenant))?;
                        if record.mark == Mark::Erases {
                            erase(&transaction, tenant, record)?;
                        }
                    }
                }
                Entry::Removal { tenant } => removal::begin(&transaction, tenant)?,
                Entry::Snapshot { tenant, number, .. } if erased.get(tenant) > Some(number) => {}
                Entry::Snapshot { tenant, number, format, state } => {
                    let number = number.0.cast_signed();
                    let place = Spot { table: "snapshots", tenant: tenant.as_str(), number };
                    let key = DataKey::draw(masters, &place)?;
                    let sealed = key.seal(&place, state)?;
                    transaction.prepare_cached(UPSERT_SNAPSHOT)?.execute(params![
                        tenant.as_str(),
                        number,
                        format,
                        key.wrapped,
                        sealed
                    ])?;
                }
            }
        }
    }
    Ok(transaction.commit()?)
}

/// What a fact says about people, sealed under the key of its interaction, which is drawn with the first such fact.
fn sealed(
    transaction: &Transaction<'_>,
    masters: &Masters,
    tenant: &Tenant,
    record: &Record,
) -> Result<Option<Vec<u8>>, Failure> {
    let Personal::Known(personal) = &record.personal else { return Ok(None) };
    let number = record.number.0.cast_signed();
    let interaction = record.interaction.map_or(number, |key| key.0.cast_signed());
    let at = |number| Spot { table: "facts", tenant: tenant.as_str(), number };
    let wrapped: Option<Vec<u8>> = if number == interaction {
        // The first fact of its interaction: there is no key yet.
        None
    } else {
        transaction
            .prepare_cached("SELECT wrapped FROM keys WHERE tenant = $1 AND interaction = $2")?
            .query_row(params![tenant.as_str(), interaction], |row| row.get(0))
            .optional()?
    };
    let key = match wrapped {
        // A key that cannot be opened is not replaced: found again, it opens what it sealed. What would be sealed with
        // it now is left out. It takes an interaction that is open while the master key is lost to come here.
        Some(wrapped) => match DataKey::unwrap(masters, &at(interaction), &wrapped) {
            Ok(key) => key,
            Err(_) => return Ok(None),
        },
        None => {
            let key = DataKey::draw(masters, &at(interaction))?;
            transaction
                .prepare_cached(
                    "INSERT INTO keys (tenant, interaction, at_ms, wrapped) VALUES ($1, $2, $3, $4)",
                )?
                .execute(params![tenant.as_str(), interaction, record.at_ms, key.wrapped])
                .map_err(|error| conflict_or(error, tenant))?;
            key
        }
    };
    Ok(Some(key.seal(&at(number), personal)?))
}

/// Destroys the key of an interaction, and the snapshot, which may tell the same. The next snapshot does not.
fn erase(transaction: &Transaction<'_>, tenant: &Tenant, record: &Record) -> Result<(), Failure> {
    let Some(interaction) = record.interaction else { return Ok(()) };
    transaction
        .prepare_cached("DELETE FROM keys WHERE tenant = $1 AND interaction = $2")?
        .execute(params![tenant.as_str(), interaction.0.cast_signed()])?;
    transaction
        .prepare_cached("DELETE FROM snapshots WHERE tenant = $1")?
        .execute(params![tenant.as_str()])?;
    Ok(())
}

fn conflict_or(error: rusqlite::Error, tenant: &Tenant) -> Failure {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Failure::Conflict(tenant.clone()),
        _ => error.into(),
    }
}

struct Ended(Arc<Queue>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.writer_ended();
    }
}

/// How long to wait before a failed group is tried again. Facts wait meanwhile; none is lost while the queue lasts.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// How long emptying the log waits for readers; the writer writes nothing meanwhile.
const LOG_PATIENCE: Duration = Duration::from_millis(20);

/// How soon emptying the log is tried again while nothing is appended; while something is, with every group.
const LOG_RETRY_EVERY: Duration = Duration::from_millis(100);

const INSERT_FACT: &str = "INSERT INTO facts (tenant, number, at_ms, interaction, mark, fact, sealed) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";

const UPSERT_SNAPSHOT: &str = "INSERT INTO snapshots (tenant, number, format, wrapped, sealed) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant) DO UPDATE SET number = excluded.number, \
     format = excluded.format, wrapped = excluded.wrapped, sealed = excluded.sealed \
     WHERE excluded.number > snapshots.number";
