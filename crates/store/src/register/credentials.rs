//! With what people prove who they are, where Tandem itself asks.

use rusqlite::{OptionalExtension, Row, params};

use super::people::check_known;
use super::refusal::check_length;
use super::{DOCUMENT_BYTES_MAX, Failure, Noun, Refusal, Register, Scope};
use crate::Fault;

/// A password's hash, or a passkey's public key.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Such as `password` or `passkey`.
    pub kind: String,
    /// Unique among those of its kind in the whole installation. A passkey has one; for a password the id of its person
    /// will do.
    pub id: String,
    /// The hash, or the key with its counter.
    pub data: Vec<u8>,
    /// What its owner calls it.
    pub label: String,
    /// When it was made.
    pub created_ms: i64,
    /// When it was used last.
    pub used_ms: Option<i64>,
}

/// Does not show the data.
impl std::fmt::Debug for CredentialRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialRow")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl Register {
    /// Adds a credential of a person, or changes all but when it was made.
    ///
    /// # Errors
    ///
    /// The id is another credential's; there is no such person; the person has [`CREDENTIALS_MAX`]; the disk failed.
    pub fn credential_put(
        &self,
        scope: impl Into<Scope>,
        person: &str,
        row: &CredentialRow,
    ) -> Result<(), Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            check_length(Noun::Credential, row.data.len().max(row.id.len()), DOCUMENT_BYTES_MAX)?;
            check_known(transaction, &scope, person)?;
            let owner: Option<(Scope, String)> = transaction
                .prepare_cached("SELECT tenant, person FROM credentials WHERE kind = ?1 AND id = ?2")?
                .query_row(params![row.kind, row.id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            match owner {
                Some((owner, of)) if owner == scope && of == person => {}
                Some(_) => return Err(Refusal::Taken(Noun::Credential).into()),
                None => {
                    let count: u32 = transaction
                        .prepare_cached("SELECT count(*) FROM credentials WHERE tenant = ?1 AND person = ?2")?
                        .query_row(params![scope, person], |row| row.get(0))?;
                    if count >= CREDENTIALS_MAX {
                        return Err(Refusal::Full { noun: Noun::Credential, most: CREDENTIALS_MAX }.into());
                    }
                }
            }
            transaction.prepare_cached(UPSERT)?.execute(params![
                scope,
                person,
                row.kind,
                row.id,
                row.data,
                row.label,
                row.created_ms,
                row.used_ms
            ])?;
            Ok(())
        })
    }

    /// The credentials of a person, the oldest first; at most [`CREDENTIALS_MAX`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn credentials(&self, scope: impl Into<Scope>, person: &str) -> Result<Vec<CredentialRow>, Fault> {
        let scope = scope.into();
        self.read(|connection| {
            connection
                .prepare_cached(SELECT)?
                .query_map(params![scope, person], |row| from_row(row, 0))?
                .collect()
        })
    }

    /// Removes a credential of a person. `false` if there was none.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn credential_remove(
        &self,
        scope: impl Into<Scope>,
        person: &str,
        kind: &str,
        id: &str,
    ) -> Result<bool, Failure> {
        let scope = scope.into();
        self.erase(&scope, |transaction| {
            let gone = transaction.execute(
                "DELETE FROM credentials WHERE tenant = ?1 AND person = ?2 AND kind = ?3 AND id = ?4",
                params![scope, person, kind, id],
            )?;
            Ok(gone > 0)
        })
    }
}

pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<CredentialRow> {
    Ok(CredentialRow {
        kind: row.get(first)?,
        id: row.get(first + 1)?,
        data: row.get(first + 2)?,
        label: row.get(first + 3)?,
        created_ms: row.get(first + 4)?,
        used_ms: row.get(first + 5)?,
    })
}

const SELECT: &str = "SELECT kind, id, data, label, created_ms, used_ms FROM credentials \
     WHERE tenant = ?1 AND person = ?2 ORDER BY created_ms, kind, id";
const UPSERT: &str = "INSERT INTO credentials \
     (tenant, person, kind, id, data, label, created_ms, used_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
     ON CONFLICT (tenant, person, kind, id) DO UPDATE SET data = excluded.data, label = excluded.label, \
     used_ms = excluded.used_ms";

/// Credentials of one person at most; one more is refused.
pub const CREDENTIALS_MAX: u32 = 32;
