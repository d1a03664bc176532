//! The schema of the journal's file, as numbered migrations that never change once released.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::Fault;

/// Opens the file for writing, makes sure that it is ours, and brings its schema up to date.
pub(crate) fn open_writer(path: &Path, bytes_max: Option<u64>) -> Result<Connection, Fault> {
    let fault = |source| Fault::of_sqlite(path, source);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    check_ours(&connection, path)?;
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(fault)?;
    if mode != "wal" {
        return Err(Fault::NoWriteAheadLog { path: path.to_path_buf() });
    }
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(fault)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT).map_err(fault)?;
    // What is deleted, keys above all, is overwritten with zeros.
    connection.pragma_update(None, "secure_delete", "ON").map_err(fault)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(fault)?;
    migrate(&mut connection).map_err(fault)?;
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
fn check_ours(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_master")?,
        ))
    };
    let (application, version, tables) = read().map_err(|source| Fault::of_sqlite(path, source))?;
    let empty = application == 0 && version == 0 && tables == 0;
    let found = u32::try_from(version).unwrap_or(0);
    if !empty && application != APPLICATION_ID {
        return Err(Fault::NotAJournal { path: path.to_path_buf() });
    }
    if found > LATEST {
        return Err(Fault::NewerSchema { path: path.to_path_buf(), found, known: LATEST });
    }
    Ok(())
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    // Immediate: a second process that opens the same new file waits here and then finds nothing to do.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (number, sql) in MIGRATIONS.iter().filter(|(number, _)| *number > version) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    transaction.commit()
}

fn limit_size(connection: &Connection, bytes_max: u64) -> rusqlite::Result<()> {
    let page_bytes: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0))?.into();
    let pages = i64::try_from(bytes_max / page_bytes.max(1)).unwrap_or(i64::MAX).max(1);
    // Answers with the limit in force, which is never below the present size.
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// Every released change of the schema, in order.
const MIGRATIONS: &[(u32, &str)] = &[
    (1, include_str!("../migrations/0001_journal.sql")),
    (2, include_str!("../migrations/0002_sealed.sql")),
];

/// The version that this program writes.
const LATEST: u32 = 2;

/// Marks a SQLite file as a journal of Tandem: the letters `TNDM`.
const APPLICATION_ID: i64 = 0x544e_444d;

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
        let numbers: Vec<u32> = MIGRATIONS.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (1..=LATEST).collect::<Vec<_>>());
    }
}
