//! Keys with which programs use the API.

use rusqlite::{OptionalExtension, Row, params};

use super::refusal::{check_document, check_length};
use super::{DOCUMENT_BYTES_MAX, Failure, Noun, Refusal, Register, Scope};
use crate::Fault;

/// A key of a program.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Unique in the installation; drawn by the caller.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The hash of its secret.
    pub hash: Vec<u8>,
    /// What it may do (JSON).
    pub scopes: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_ms: i64,
    /// When it ends by itself, if it does.
    pub expires_ms: Option<i64>,
    /// When it was used last.
    pub used_ms: Option<i64>,
    /// When it was ended, if it was.
    pub revoked_ms: Option<i64>,
}

/// Does not show the hash.
impl std::fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRow")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("expires_ms", &self.expires_ms)
            .field("revoked_ms", &self.revoked_ms)
            .finish_non_exhaustive()
    }
}

impl Register {
    /// Adds a key.
    ///
    /// # Errors
    ///
    /// The id is taken; there are [`KEYS_MAX`]; the disk failed.
    pub fn key_create(&self, scope: impl Into<Scope>, row: &KeyRow) -> Result<(), Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            check_document(Noun::Key, &row.scopes)?;
            check_length(Noun::Key, row.id.len().max(row.name.len()), DOCUMENT_BYTES_MAX)?;
            let taken: Option<i64> = transaction
                .prepare_cached("SELECT 1 FROM keys WHERE id = ?1")?
                .query_row([&row.id], |row| row.get(0))
                .optional()?;
            if taken.is_some() {
                return Err(Refusal::Taken(Noun::Key).into());
            }
            let count: u32 = transaction
                .prepare_cached("SELECT count(*) FROM keys WHERE tenant = ?1")?
                .query_row([&scope], |row| row.get(0))?;
            if count >= KEYS_MAX {
                return Err(Refusal::Full { noun: Noun::Key, most: KEYS_MAX }.into());
            }
            transaction.prepare_cached(INSERT)?.execute(params![
                row.id,
                scope,
                row.name,
                row.hash,
                row.scopes,
                row.created_by,
                row.created_ms,
                row.expires_ms,
                row.used_ms,
                row.revoked_ms
            ])?;
            Ok(())
        })
    }

    /// The keys of a tenant, the oldest first; at most [`KEYS_MAX`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn keys(&self, scope: impl Into<Scope>) -> Result<Vec<KeyRow>, Fault> {
        let scope = scope.into();
        self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM keys WHERE tenant = ?1 ORDER BY created_ms, id"
                ))?
                .query_map([&scope], |row| from_row(row, 0))?
                .collect()
        })
    }

    /// Notes that a key was used.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn key_used(&self, scope: impl Into<Scope>, id: &str, at_ms: i64) -> Result<(), Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE keys SET used_ms = ?3 WHERE tenant = ?1 AND id = ?2 \
                     AND coalesce(used_ms, ?3 - 1) < ?3",
                )?
                .execute(params![scope, id, at_ms])?;
            Ok(())
        })
    }

    /// Ends a key. `false` if there was none, or it had been ended.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn key_revoke(&self, scope: impl Into<Scope>, id: &str, at_ms: i64) -> Result<bool, Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            let ended = transaction.execute(
                "UPDATE keys SET revoked_ms = ?3 WHERE tenant = ?1 AND id = ?2 AND revoked_ms IS NULL",
                params![scope, id, at_ms],
            )?;
            Ok(ended > 0)
        })
    }

    /// Removes keys, of everybody, that ended before a moment, by themselves or not. Answers with how many.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn keys_prune(&self, before_ms: i64) -> Result<usize, Failure> {
        self.transact(|transaction| {
            Ok(transaction
                .execute("DELETE FROM keys WHERE expires_ms < ?1 OR revoked_ms < ?1", [before_ms])?)
        })
    }
}

pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<KeyRow> {
    Ok(KeyRow {
        id: row.get(first)?,
        name: row.get(first + 1)?,
        hash: row.get(first + 2)?,
        scopes: row.get(first + 3)?,
        created_by: row.get(first + 4)?,
        created_ms: row.get(first + 5)?,
        expires_ms: row.get(first + 6)?,
        used_ms: row.get(first + 7)?,
        revoked_ms: row.get(first + 8)?,
    })
}

/// What [`from_row`] reads.
pub(super) const COLUMNS: &str =
    "id, name, hash, scopes, created_by, created_ms, expires_ms, used_ms, revoked_ms";
const INSERT: &str = "INSERT INTO keys \
     (id, tenant, name, hash, scopes, created_by, created_ms, expires_ms, used_ms, revoked_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Keys of one tenant at most, ended ones included until they are pruned; one more is refused.
pub const KEYS_MAX: u32 = 1_000;
