//! The schema of a file, as numbered migrations that never change once released.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::Fault;

/// What a file of ours has in it, and how it is told from the files of others.
pub(crate) struct Schema {
    /// Marks a SQLite file as this kind of ours.
    pub(crate) application_id: i64,
    /// Every released change, in order, numbered from 1 without gaps.
    pub(crate) migrations: &'static [(u32, &'static str)],
    /// How often the disk is waited for; see SQLite's `PRAGMA synchronous`.
    pub(crate) synchronous: &'static str,
    /// What to say of a file that is something else.
    pub(crate) not_ours: fn(PathBuf) -> Fault,
}

/// The journal of facts.
pub(crate) const JOURNAL: Schema = Schema {
    application_id: 0x544e_444d, // the letters `TNDM`
    migrations: &[
        (1, include_str!("../migrations/0001_journal.sql")),
        (2, include_str!("../migrations/0002_sealed.sql")),
        (3, include_str!("../migrations/0003_removals.sql")),
    ],
    synchronous: "NORMAL",
    not_ours: |path| Fault::NotAJournal { path },
};

impl Schema {
    /// The version that this program writes.
    fn latest(&self) -> u32 {
        self.migrations.last().map_or(0, |(number, _)| *number)
    }

    pub(crate) fn fault(&self, path: &Path, source: rusqlite::Error) -> Fault {
        match Fault::of_sqlite(path, source) {
            Fault::NotAJournal { path } => (self.not_ours)(path),
            other => other,
        }
    }
}

/// Opens the file for writing, makes sure that it is ours, and brings its schema up to date.
pub(crate) fn open_writer(path: &Path, schema: &Schema, bytes_max: Option<u64>) -> Result<Connection, Fault> {
    let fault = |source| schema.fault(path, source);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    check_ours(&connection, schema, path)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        return Err(Fault::NoWriteAheadLog { path: path.to_path_buf() });
    }
    connection.pragma_update(None, "synchronous", schema.synchronous).map_err(fault)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT).map_err(fault)?;
    // What is deleted, keys above all, is overwritten with zeros.
    connection.pragma_update(None, "secure_delete", "ON").map_err(fault)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(fault)?;
    migrate(&mut connection, schema).map_err(fault)?;
    if let Some(bytes_max) = bytes_max {
        limit_size(&connection, bytes_max).map_err(fault)?;
    }
    Ok(connection)
}

/// Opens the file, which exists, for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let fault = |source| Fault::of_sqlite(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    Ok(connection)
}

/// An empty database is ours to fill; any other must carry our mark and a version that we know.
fn check_ours(connection: &Connection, schema: &Schema, path: &Path) -> Result<(), Fault> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_master")?,
        ))
    };
    let (application, version, tables) = read().map_err(|source| schema.fault(path, source))?;
    let empty = application == 0 && version == 0 && tables == 0;
    let found = u32::try_from(version).unwrap_or(0);
    if !empty && application != schema.application_id {
        return Err((schema.not_ours)(path.to_path_buf()));
    }
    if found > schema.latest() {
        return Err(Fault::NewerSchema { path: path.to_path_buf(), found, known: schema.latest() });
    }
    Ok(())
}

fn migrate(connection: &mut Connection, schema: &Schema) -> rusqlite::Result<()> {
    // Immediate: a second process that opens the same new file waits here and then finds nothing to do.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (number, sql) in schema.migrations.iter().filter(|(number, _)| *number > version) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.pragma_update(None, "application_id", schema.application_id)?;
    }
    transaction.commit()
}

fn limit_size(connection: &Connection, bytes_max: u64) -> rusqlite::Result<()> {
    let page_bytes: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0))?.into();
    let pages = i64::try_from(bytes_max / page_bytes.max(1)).unwrap_or(i64::MAX).max(1);
    // Answers with the limit in force, which is never below the present size.
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// How long a lock of another program is waited for before it is a fault. The writer then tries again.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The write-ahead log's file shrinks to this size after a checkpoint.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// Pages that the writer keeps in memory: the end of the journal and the index pages of the interactions under way.
const CACHE_KIB: i64 = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps() {
        for schema in [&JOURNAL, &crate::register::SCHEMA] {
            let numbers: Vec<u32> = schema.migrations.iter().map(|(number, _)| *number).collect();
            assert_eq!(numbers, (1..=schema.latest()).collect::<Vec<_>>());
        }
    }
}
