//! Logins: that somebody has signed in with a browser, and has not signed out.

use rusqlite::{OptionalExtension, Row, params};

use super::people::check_known;
use super::refusal::{check_document, check_length};
use super::{DOCUMENT_BYTES_MAX, Failure, Noun, Refusal, Register, Scope, rows};
use crate::Fault;

/// Somebody who has signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginRow {
    /// Unique in the installation; drawn by the caller.
    pub id: String,
    /// Who.
    pub person: String,
    /// The hash of the secret that the browser holds.
    pub secret_hash: Vec<u8>,
    /// The hash of the secret that this one replaced, if one was.
    pub previous_hash: Option<Vec<u8>>,
    /// How the person signed in, such as `entra`, `passkey`.
    pub how: String,
    /// What the person may know it by, such as the name of the browser.
    pub label: String,
    /// All else (JSON).
    pub document: String,
    /// When the person signed in.
    pub created_ms: i64,
    /// When it was used last.
    pub used_ms: i64,
    /// When it ends by itself.
    pub expires_ms: i64,
    /// When it was ended, if it was.
    pub revoked_ms: Option<i64>,
}

/// Does not show the hashes.
impl std::fmt::Debug for LoginRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginRow")
            .field("id", &self.id)
            .field("person", &self.person)
            .field("how", &self.how)
            .field("expires_ms", &self.expires_ms)
            .field("revoked_ms", &self.revoked_ms)
            .finish_non_exhaustive()
    }
}

impl Register {
    /// Adds a login, or changes all but whose it is and when it began. A login that was revoked stays revoked.
    ///
    /// # Errors
    ///
    /// The id is another person's login; there is no such person; the person has [`LOGINS_MAX`]; the disk failed.
    pub fn login_put(&self, scope: impl Into<Scope>, row: &LoginRow) -> Result<(), Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            check_document(Noun::Login, &row.document)?;
            check_length(Noun::Login, row.id.len().max(row.label.len()), DOCUMENT_BYTES_MAX)?;
            check_known(transaction, &scope, &row.person)?;
            let owner: Option<(Scope, String)> = transaction
                .prepare_cached("SELECT tenant, person FROM logins WHERE id = ?1")?
                .query_row([&row.id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            match owner {
                Some((owner, person)) if owner == scope && person == row.person => {}
                Some(_) => return Err(Refusal::Taken(Noun::Login).into()),
                None => {
                    let count: u32 = transaction
                        .prepare_cached("SELECT count(*) FROM logins WHERE tenant = ?1 AND person = ?2")?
                        .query_row(params![scope, row.person], |row| row.get(0))?;
                    if count >= LOGINS_MAX {
                        return Err(Refusal::Full { noun: Noun::Login, most: LOGINS_MAX }.into());
                    }
                }
            }
            transaction.prepare_cached(UPSERT)?.execute(params![
                row.id,
                scope,
                row.person,
                row.secret_hash,
                row.previous_hash,
                row.how,
                row.label,
                row.document,
                row.created_ms,
                row.used_ms,
                row.expires_ms,
                row.revoked_ms
            ])?;
            Ok(())
        })
    }

    /// The logins of a person, the latest first; at most [`LOGINS_MAX`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn logins(&self, scope: impl Into<Scope>, person: &str) -> Result<Vec<LoginRow>, Fault> {
        let scope = scope.into();
        self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM logins WHERE tenant = ?1 AND person = ?2 ORDER BY created_ms DESC, id"
                ))?
                .query_map(params![scope, person], |row| from_row(row, 0))?
                .collect()
        })
    }

    /// Notes that a login was used.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn login_used(&self, scope: impl Into<Scope>, id: &str, at_ms: i64) -> Result<(), Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            transaction
                .prepare_cached(
                    "UPDATE logins SET used_ms = ?3 WHERE tenant = ?1 AND id = ?2 AND used_ms < ?3",
                )?
                .execute(params![scope, id, at_ms])?;
            Ok(())
        })
    }

    /// Ends a login. `false` if there was none, or it had been ended.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn login_revoke(&self, scope: impl Into<Scope>, id: &str, at_ms: i64) -> Result<bool, Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            let ended = transaction
                .prepare_cached(
                    "UPDATE logins SET revoked_ms = ?3 WHERE tenant = ?1 AND id = ?2 AND revoked_ms IS NULL",
                )?
                .execute(params![scope, id, at_ms])?;
            Ok(ended > 0)
        })
    }

    /// Ends all logins of a person. Answers with how many.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn logins_revoke(&self, scope: impl Into<Scope>, person: &str, at_ms: i64) -> Result<usize, Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            Ok(transaction.execute(
                "UPDATE logins SET revoked_ms = ?3 WHERE tenant = ?1 AND person = ?2 AND revoked_ms IS NULL",
                params![scope, person, at_ms],
            )?)
        })
    }

    /// Removes logins, of everybody, that ended before a moment, by themselves or not. Answers with how many.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn logins_prune(&self, before_ms: i64) -> Result<usize, Failure> {
        self.transact(|transaction| {
            Ok(transaction
                .execute("DELETE FROM logins WHERE expires_ms < ?1 OR revoked_ms < ?1", [before_ms])?)
        })
    }

    /// Logins of everybody that have not ended at a moment, by id, after one, at most [`crate::PAGE_MAX`] of them, each with
    /// whose it is. For the start of the program.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn logins_alive(
        &self,
        at_ms: i64,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Scope, LoginRow)>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT tenant, {COLUMNS} FROM logins WHERE id > ?1 AND expires_ms > ?2 \
                     AND revoked_ms IS NULL ORDER BY id LIMIT ?3"
                ))?
                .query_map(params![after.unwrap_or_default(), at_ms, rows(limit)], |row| {
                    Ok((row.get(0)?, from_row(row, 1)?))
                })?
                .collect()
        })
    }
}

pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<LoginRow> {
    Ok(LoginRow {
        id: row.get(first)?,
        person: row.get(first + 1)?,
        secret_hash: row.get(first + 2)?,
        previous_hash: row.get(first + 3)?,
        how: row.get(first + 4)?,
        label: row.get(first + 5)?,
        document: row.get(first + 6)?,
        created_ms: row.get(first + 7)?,
        used_ms: row.get(first + 8)?,
        expires_ms: row.get(first + 9)?,
        revoked_ms: row.get(first + 10)?,
    })
}

/// What [`from_row`] reads.
pub(super) const COLUMNS: &str = "id, person, secret_hash, previous_hash, how, label, document, \
     created_ms, used_ms, expires_ms, revoked_ms";
const UPSERT: &str = "INSERT INTO logins (id, tenant, person, secret_hash, previous_hash, how, label, \
     document, created_ms, used_ms, expires_ms, revoked_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO UPDATE SET \
     secret_hash = excluded.secret_hash, previous_hash = excluded.previous_hash, how = excluded.how, \
     label = excluded.label, document = excluded.document, used_ms = excluded.used_ms, \
     expires_ms = excluded.expires_ms, revoked_ms = coalesce(logins.revoked_ms, excluded.revoked_ms)";

/// Logins of one person at most, ended ones included until they are pruned; one more is refused.
pub const LOGINS_MAX: u32 = 1_000;
