//! The audit trail: who did, or tried, what.

use rusqlite::{Row, params};

use super::refusal::check_document;
use super::{Failure, Noun, Register, Scope, rows};
use crate::Fault;

/// One act, done or refused, as it is told to the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at_ms: i64,
    /// By what the actor is looked for: the id of a person or a key.
    pub actor: String,
    /// The actor as known then (JSON).
    pub who: String,
    /// What, such as `people.role_given`.
    pub act: String,
    /// To what.
    pub object: String,
    /// What became of it, such as `done` or `refused.not_yours`.
    pub outcome: String,
    /// All else (JSON).
    pub detail: String,
}

/// An entry as the audit trail keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place: 1 for the first of its tenant, and so on. Numbers are never used again.
    pub number: i64,
    /// What it says.
    pub entry: AuditEntry,
}

/// Which entries are wanted. `Default` is all.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter<'a> {
    /// Acts that begin so.
    pub act: Option<&'a str>,
    /// Acts of this actor.
    pub actor: Option<&'a str>,
    /// What became of them begins so.
    pub outcome: Option<&'a str>,
    /// From this moment on.
    pub from_ms: Option<i64>,
    /// Before this moment.
    pub to_ms: Option<i64>,
}

impl Register {
    /// Adds entries to the audit trail, in this order, in one transaction. Many at once cost the disk as much as one.
    /// When there are [`AUDIT_ENTRIES_MAX`], the oldest go.
    ///
    /// # Errors
    ///
    /// One is too long, and none was added; the disk failed.
    pub fn audit_append(&self, scope: impl Into<Scope>, entries: &[AuditEntry]) -> Result<(), Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            let mut number: i64 = transaction
                .prepare_cached("SELECT coalesce(max(number), 0) FROM audit WHERE tenant = ?1")?
                .query_row([&scope], |row| row.get(0))?;
            let mut insert = transaction.prepare_cached(INSERT)?;
            for entry in entries {
                let texts =
                    [&entry.who, &entry.detail, &entry.actor, &entry.act, &entry.object, &entry.outcome];
                for text in texts {
                    check_document(Noun::AuditEntry, text)?;
                }
                number += 1;
                insert.execute(params![
                    scope,
                    number,
                    entry.at_ms,
                    entry.actor,
                    entry.who,
                    entry.act,
                    entry.object,
                    entry.outcome,
                    entry.detail
                ])?;
            }
            transaction
                .prepare_cached("DELETE FROM audit WHERE tenant = ?1 AND number <= ?2")?
                .execute(params![scope, number - AUDIT_ENTRIES_MAX])?;
            Ok(())
        })
    }

    /// Entries before a number, the latest first, at most [`crate::PAGE_MAX`] of them.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn audit(
        &self,
        scope: impl Into<Scope>,
        filter: AuditFilter<'_>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditRow>, Fault> {
        let scope = scope.into();
        // The two forms so that either may use its index.
        let sql = if filter.actor.is_some() { SELECT_OF_ACTOR } else { SELECT_OF_ALL };
        let before = before.unwrap_or(i64::MAX);
        self.read(|connection| {
            connection
                .prepare_cached(sql)?
                .query_map(
                    params![
                        scope,
                        before,
                        filter.act.unwrap_or_default(),
                        filter.outcome.unwrap_or_default(),
                        rows(limit),
                        filter.actor.unwrap_or_default(),
                        filter.from_ms.unwrap_or(i64::MIN),
                        filter.to_ms.unwrap_or(i64::MAX)
                    ],
                    from_row,
                )?
                .collect()
        })
    }

    /// Removes entries, of everybody, from before a moment; the latest of each tenant stays, so that its number is not
    /// used again. Answers with how many.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn audit_prune(&self, before_ms: i64) -> Result<usize, Failure> {
        let gone = self.transact(|transaction| {
            Ok(transaction.execute(
                "DELETE FROM audit WHERE at_ms < ?1 AND number < \
                 (SELECT max(number) FROM audit AS later WHERE later.tenant = audit.tenant)",
                [before_ms],
            )?)
        })?;
        if gone > 0 {
            self.forget_log();
        }
        Ok(gone)
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        number: row.get(0)?,
        entry: AuditEntry {
            at_ms: row.get(1)?,
            actor: row.get(2)?,
            who: row.get(3)?,
            act: row.get(4)?,
            object: row.get(5)?,
            outcome: row.get(6)?,
            detail: row.get(7)?,
        },
    })
}

macro_rules! select {
    ($actor:literal) => {
        concat!(
            "SELECT number, at_ms, actor, who, act, object, outcome, detail FROM audit \
             WHERE tenant = ?1 AND number < ?2 AND substr(act, 1, length(?3)) = ?3 \
             AND substr(outcome, 1, length(?4)) = ?4 AND at_ms >= ?7 AND at_ms < ?8 AND ",
            $actor,
            " ORDER BY number DESC LIMIT ?5"
        )
    };
}

const SELECT_OF_ALL: &str = select!("?6 = ''");
const SELECT_OF_ACTOR: &str = select!("actor = ?6");

const INSERT: &str = "INSERT INTO audit (tenant, number, at_ms, actor, who, act, object, outcome, detail) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Entries of one tenant at most; with each one more the oldest goes. Some hundred megabytes.
pub const AUDIT_ENTRIES_MAX: i64 = 500_000;
