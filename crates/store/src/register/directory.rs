//! The customers' users as Microsoft Graph tells them, and what is said here about them.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::refusal::{check_document, check_length};
use super::{DOCUMENT_BYTES_MAX, Failure, Noun, Register, Scope, rows};
use crate::{Fault, Tenant};

/// A user of an Entra tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryRow {
    /// The Entra tenant.
    pub tid: String,
    /// The object id of the user.
    pub oid: String,
    /// What Graph tells (JSON).
    pub document: String,
    /// When Graph told it last.
    pub changed_ms: i64,
}

/// What is said here about a user, such as skills. It stays when Graph tells something new, or removes the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryNote {
    /// The Entra tenant.
    pub tid: String,
    /// The object id of the user.
    pub oid: String,
    /// What is said (JSON).
    pub document: String,
    /// When.
    pub changed_ms: i64,
}

/// One page of what Graph tells has changed.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectoryChange<'a> {
    /// Users that are new or different: object id and document.
    pub upserted: &'a [(String, String)],
    /// Object ids of users that are gone.
    pub removed: &'a [String],
    /// Where the next question begins: the resource, and the link that Graph gave.
    pub link: Option<(&'a str, &'a str)>,
}

impl Register {
    /// Writes a page of changes in one transaction, with the place where the next one begins, so that no change is lost
    /// and none is asked for twice.
    ///
    /// # Errors
    ///
    /// A document is too long, and nothing was written; the disk failed.
    pub fn directory_apply(
        &self,
        tenant: &Tenant,
        tid: &str,
        change: DirectoryChange<'_>,
        at_ms: i64,
    ) -> Result<(), Failure> {
        let name = tenant.as_str();
        let scope = Scope::from(tenant);
        let apply = |transaction: &Transaction<'_>| {
            let mut upsert = transaction.prepare_cached(UPSERT_USER)?;
            for (oid, document) in change.upserted {
                check_document(Noun::DirectoryEntry, document)?;
                upsert.execute(params![name, tid, oid, document, at_ms])?;
            }
            let mut remove = transaction
                .prepare_cached("DELETE FROM directory WHERE tenant = ?1 AND tid = ?2 AND oid = ?3")?;
            for oid in change.removed {
                remove.execute(params![name, tid, oid])?;
            }
            if let Some((resource, link)) = change.link {
                check_length(Noun::DeltaLink, link.len(), DOCUMENT_BYTES_MAX)?;
                transaction.prepare_cached(UPSERT_LINK)?.execute(params![name, tid, resource, link])?;
            }
            Ok(())
        };
        if change.removed.is_empty() { self.write(&scope, apply) } else { self.erase(&scope, apply) }
    }

    /// Removes the users of an Entra tenant that Graph has not told since a moment: after a whole reading, those that
    /// were gone by then. Answers with how many.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn directory_sweep(&self, tenant: &Tenant, tid: &str, before_ms: i64) -> Result<usize, Failure> {
        self.erase(&Scope::from(tenant), |transaction| {
            Ok(transaction.execute(
                "DELETE FROM directory WHERE tenant = ?1 AND tid = ?2 AND changed_ms < ?3",
                params![tenant.as_str(), tid, before_ms],
            )?)
        })
    }

    /// Users of a tenant by Entra tenant and object id, after one, at most [`crate::PAGE_MAX`] of them.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn directory(
        &self,
        tenant: &Tenant,
        after: Option<(&str, &str)>,
        limit: usize,
    ) -> Result<Vec<DirectoryRow>, Fault> {
        let (tid, oid) = after.unwrap_or_default();
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT tid, oid, document, changed_ms FROM directory \
                     WHERE tenant = ?1 AND (tid, oid) > (?2, ?3) ORDER BY tid, oid LIMIT ?4",
                )?
                .query_map(params![tenant.as_str(), tid, oid, rows(limit)], user)?
                .collect()
        })
    }

    /// A user of a tenant.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn directory_user(
        &self,
        tenant: &Tenant,
        tid: &str,
        oid: &str,
    ) -> Result<Option<DirectoryRow>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT tid, oid, document, changed_ms FROM directory \
                     WHERE tenant = ?1 AND tid = ?2 AND oid = ?3",
                )?
                .query_row(params![tenant.as_str(), tid, oid], user)
                .optional()
        })
    }

    /// Where the next question for what has changed begins, if one was asked.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn delta_link(&self, tenant: &Tenant, tid: &str, resource: &str) -> Result<Option<String>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT link FROM delta_links WHERE tenant = ?1 AND tid = ?2 AND resource = ?3",
                )?
                .query_row(params![tenant.as_str(), tid, resource], |row| row.get(0))
                .optional()
        })
    }

    /// Forgets where the next question begins: it will be for everything.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn delta_link_remove(&self, tenant: &Tenant, tid: &str, resource: &str) -> Result<(), Failure> {
        self.write(&Scope::from(tenant), |transaction| {
            transaction.execute(
                "DELETE FROM delta_links WHERE tenant = ?1 AND tid = ?2 AND resource = ?3",
                params![tenant.as_str(), tid, resource],
            )?;
            Ok(())
        })
    }

    /// Says something about a user; it replaces what was said before.
    ///
    /// # Errors
    ///
    /// It is too long; the disk failed.
    pub fn directory_note_put(&self, tenant: &Tenant, note: &DirectoryNote) -> Result<(), Failure> {
        self.write(&Scope::from(tenant), |transaction| {
            check_document(Noun::DirectoryNote, &note.document)?;
            transaction.prepare_cached(UPSERT_NOTE)?.execute(params![
                tenant.as_str(),
                note.tid,
                note.oid,
                note.document,
                note.changed_ms
            ])?;
            Ok(())
        })
    }

    /// Takes back what was said about a user. `false` if there was nothing.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn directory_note_remove(&self, tenant: &Tenant, tid: &str, oid: &str) -> Result<bool, Failure> {
        self.erase(&Scope::from(tenant), |transaction| {
            let gone = transaction.execute(
                "DELETE FROM directory_notes WHERE tenant = ?1 AND tid = ?2 AND oid = ?3",
                params![tenant.as_str(), tid, oid],
            )?;
            Ok(gone > 0)
        })
    }

    /// What is said about users of a tenant, by Entra tenant and object id, after one, at most [`crate::PAGE_MAX`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn directory_notes(
        &self,
        tenant: &Tenant,
        after: Option<(&str, &str)>,
        limit: usize,
    ) -> Result<Vec<DirectoryNote>, Fault> {
        let (tid, oid) = after.unwrap_or_default();
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT tid, oid, document, changed_ms FROM directory_notes \
                     WHERE tenant = ?1 AND (tid, oid) > (?2, ?3) ORDER BY tid, oid LIMIT ?4",
                )?
                .query_map(params![tenant.as_str(), tid, oid, rows(limit)], |row| {
                    Ok(DirectoryNote {
                        tid: row.get(0)?,
                        oid: row.get(1)?,
                        document: row.get(2)?,
                        changed_ms: row.get(3)?,
                    })
                })?
                .collect()
        })
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<DirectoryRow> {
    Ok(DirectoryRow { tid: row.get(0)?, oid: row.get(1)?, document: row.get(2)?, changed_ms: row.get(3)? })
}

const UPSERT_USER: &str = "INSERT INTO directory (tenant, tid, oid, document, changed_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant, tid, oid) DO UPDATE SET \
     document = excluded.document, changed_ms = excluded.changed_ms";
const UPSERT_NOTE: &str = "INSERT INTO directory_notes (tenant, tid, oid, document, changed_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant, tid, oid) DO UPDATE SET \
     document = excluded.document, changed_ms = excluded.changed_ms";
const UPSERT_LINK: &str = "INSERT INTO delta_links (tenant, tid, resource, link) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (tenant, tid, resource) DO UPDATE SET link = excluded.link";
