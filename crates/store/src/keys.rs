//! Which master keys a journal needs, and whether they are there.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use crate::Fault;
use crate::master::{MasterId, Masters};
use crate::schema::open_reader;

/// Whether the personal data of a journal can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// There is no file of keys, and none is needed yet: it will be made.
    ToBeMade,
    /// All keys that the journal needs are there.
    Complete,
    /// Keys are missing. What they open counts as gone until they are put back.
    Lost {
        /// How many interactions are concerned.
        interactions: u64,
    },
}

/// Looks whether the keys of a journal are there. Changes nothing; the journal may be open.
///
/// # Errors
///
/// The file of keys, or the journal, cannot be read; the same faults keep a journal from being opened.
pub fn examine(journal: &Path, keys: Option<&Path>) -> Result<Keys, Fault> {
    let masters = Masters::open(&file(journal, keys))?;
    let fault = |source| Fault::of_sqlite(journal, source);
    let lost = match journal.exists() {
        true => lost(&open_reader(journal)?, masters.as_ref()).map_err(fault)?,
        false => None,
    };
    Ok(match (lost, masters) {
        (Some(interactions), _) => Keys::Lost { interactions },
        (None, Some(_)) => Keys::Complete,
        (None, None) => Keys::ToBeMade,
    })
}

/// Where the file of keys is.
pub(crate) fn file(journal: &Path, keys: Option<&Path>) -> PathBuf {
    keys.map_or_else(|| journal.with_extension("key"), Path::to_path_buf)
}

/// Notes in the journal which master keys are used from now on, and forgets those that are missing and wrap nothing any
/// more. Answers with the number of interactions whose master key is missing.
pub(crate) fn note(connection: &Connection, masters: &Masters) -> rusqlite::Result<u64> {
    for master in masters.in_use() {
        connection.execute(
            "INSERT INTO masters (id) VALUES ($1) ON CONFLICT (id) DO NOTHING",
            params![master.id],
        )?;
    }
    let missing = missing(connection, Some(masters))?;
    for (id, _) in missing.iter().filter(|(_, wrapped)| *wrapped == 0) {
        connection.execute("DELETE FROM masters WHERE id = $1", params![id])?;
    }
    Ok(missing.iter().map(|(_, wrapped)| wrapped).sum())
}

/// `None` if no master key that still wraps something is missing.
fn lost(connection: &Connection, masters: Option<&Masters>) -> rusqlite::Result<Option<u64>> {
    let lost = missing(connection, masters)?.iter().map(|(_, wrapped)| wrapped).sum();
    Ok(Some(lost).filter(|lost| *lost > 0))
}

/// The master keys that were used and are not there, and how many keys each has wrapped.
fn missing(connection: &Connection, masters: Option<&Masters>) -> rusqlite::Result<Vec<(MasterId, u64)>> {
    let sealed: bool =
        connection
            .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'masters'", [], |row| row.get(0))?;
    if !sealed {
        return Ok(Vec::new());
    }
    let used: Vec<MasterId> = connection
        .prepare("SELECT id FROM masters ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let missing = used.iter().filter(|id| masters.is_none_or(|masters| masters.find(*id).is_none()));
    // Reads all keys: it takes a missing master key to come here.
    let wrapped = |id: &MasterId| {
        let sql = "SELECT count(*) FROM keys WHERE substr(wrapped, 2, 8) = $1";
        let count = connection.query_row(sql, params![id], |row| row.get::<_, i64>(0))?;
        Ok((*id, count.cast_unsigned()))
    };
    missing.map(wrapped).collect()
}
