//! The thread that writes: the only one that changes the file.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};

use crate::queue::{Entry, Queue};
use crate::{Event, Fault, Record, Tenant};

/// Takes groups from the queue and commits them, for as long as the queue is open.
pub(crate) struct Writer<F> {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) queue: Arc<Queue>,
    pub(crate) on_event: F,
    /// Keeps other processes out for as long as this one may write.
    pub(crate) lock: File,
}

impl<F: FnMut(Event)> Writer<F> {
    pub(crate) fn run(mut self) {
        // Told even if the listener panics, so that nobody waits for a writer that is gone.
        let _ended = Ended(self.queue.clone());
        while let Some(mut group) = self.queue.take() {
            group.entries.retain(|entry| !self.queue.is_fenced(entry.tenant()));
            let given_up = !self.commit(&mut group.entries);
            if given_up {
                return;
            }
            self.tell(&group.entries);
            self.queue.done(&group);
        }
        // The log is folded into the file, so that the file alone is a backup. A failure costs only that.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        drop(self.connection);
        drop(self.lock);
    }

    /// Commits a group, however often it takes. `false` if the journal is being closed and it cannot be done.
    fn commit(&mut self, group: &mut Vec<Entry>) -> bool {
        let mut failing = false;
        loop {
            match write(&mut self.connection, group) {
                Ok(()) => {
                    if failing {
                        (self.on_event)(Event::Recovered);
                    }
                    return true;
                }
                Err(Failure::Conflict(tenant)) => self.fence(&tenant, group),
                Err(Failure::Sqlite(source)) => {
                    if !failing {
                        let fault = Fault::of_sqlite(&self.path, source);
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
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sqlite(error)
    }
}

/// Writes a group in one transaction; on failure nothing of it remains.
fn write(connection: &mut Connection, group: &[Entry]) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = transaction.prepare_cached(INSERT_FACT)?;
        for entry in group {
            match entry {
                Entry::Facts { tenant, records, .. } => {
                    for record in records {
                        insert
                            .execute(params![
                                tenant.as_str(),
                                record.number.0.cast_signed(),
                                record.at_ms,
                                record.interaction.map(|key| key.0.cast_signed()),
                                record.mark.to_column(),
                                &record.fact[..],
                            ])
                            .map_err(|error| conflict_or(error, tenant))?;
                    }
                }
                Entry::Snapshot { tenant, number, format, state } => {
                    transaction.prepare_cached(UPSERT_SNAPSHOT)?.execute(params![
                        tenant.as_str(),
                        number.0.cast_signed(),
                        format,
                        &state[..],
                    ])?;
                }
            }
        }
    }
    Ok(transaction.commit()?)
}

fn conflict_or(error: rusqlite::Error, tenant: &Tenant) -> Failure {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Failure::Conflict(tenant.clone()),
        _ => Failure::Sqlite(error),
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

const INSERT_FACT: &str =
    "INSERT INTO facts (tenant, number, at_ms, interaction, mark, fact) VALUES ($1, $2, $3, $4, $5, $6)";

const UPSERT_SNAPSHOT: &str = "INSERT INTO snapshots (tenant, number, format, state) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (tenant) DO UPDATE SET number = excluded.number, format = excluded.format, state = excluded.state \
     WHERE excluded.number > snapshots.number";
