//! Sealing what a release wrote that did not seal yet.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::master::Masters;
use crate::seal::{DataKey, Spot};
use crate::{Fault, Split, Splitter};

/// Takes apart and seals every fact of an earlier release that says something about people, and leaves nothing of
/// the old form in the file. Does nothing if that was done. Killed in the middle, it goes on the next time.
pub(crate) fn seal_plain(
    connection: &mut Connection,
    path: &Path,
    masters: &Masters,
    split: Splitter,
) -> Result<(), Fault> {
    let sqlite = |source| Fault::of_sqlite(path, source);
    let mut anything = false;
    while let Some(stretch) = next_stretch(connection).map_err(sqlite)? {
        anything = true;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        seal_page(&transaction, path, masters, split, &stretch)?;
        transaction.commit().map_err(sqlite)?;
    }
    if anything || has_rows(connection).map_err(sqlite)? {
        // What was overwritten is zeros already; this is for what earlier releases had deleted.
        connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM plain;")
            .map_err(sqlite)?;
    }
    Ok(())
}

/// Facts of a tenant that may still be plain: those after one number, up to another.
struct Stretch {
    tenant: String,
    after: i64,
    until: i64,
}

fn next_stretch(connection: &Connection) -> rusqlite::Result<Option<Stretch>> {
    connection
        .query_row(
            "SELECT tenant, after, until FROM plain WHERE after < until ORDER BY tenant LIMIT 1",
            [],
            |row| Ok(Stretch { tenant: row.get(0)?, after: row.get(1)?, until: row.get(2)? }),
        )
        .optional()
}

fn has_rows(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) FROM plain", [], |row| Ok(row.get::<_, i64>(0)? > 0))
}

fn seal_page(
    transaction: &Transaction<'_>,
    path: &Path,
    masters: &Masters,
    split: Splitter,
    stretch: &Stretch,
) -> Result<(), Fault> {
    let sqlite = |source| Fault::of_sqlite(path, source);
    let tenant = stretch.tenant.as_str();
    let page: Vec<Plain> = transaction
        .prepare_cached(
            "SELECT number, at_ms, interaction, fact FROM facts \
             WHERE tenant = $1 AND number > $2 AND number <= $3 ORDER BY number LIMIT $4",
        )
        .and_then(|mut select| {
            select
                .query_map(params![tenant, stretch.after, stretch.until, PAGE], |row| {
                    let number = row.get(0)?;
                    let interaction = row.get::<_, Option<i64>>(2)?.unwrap_or(number);
                    let fact = split(row.get_ref(3)?.as_blob()?);
                    Ok(Plain { number, at_ms: row.get(1)?, interaction, fact })
                })?
                .collect()
        })
        .map_err(sqlite)?;
    for plain in &page {
        plain.seal(transaction, path, masters, tenant)?;
    }
    let after = page.last().map_or(stretch.until, |last| last.number);
    transaction
        .execute("UPDATE plain SET after = $1 WHERE tenant = $2", params![after, tenant])
        .map_err(sqlite)?;
    Ok(())
}

/// A fact as it was written.
struct Plain {
    number: i64,
    at_ms: i64,
    interaction: i64,
    /// `None` if it says nothing about anybody.
    fact: Option<Split>,
}

impl Plain {
    fn seal(
        &self,
        transaction: &Transaction<'_>,
        path: &Path,
        masters: &Masters,
        tenant: &str,
    ) -> Result<(), Fault> {
        let sqlite = |source| Fault::of_sqlite(path, source);
        let io = |source| Fault::Io { path: path.to_path_buf(), source };
        let Some(fact) = &self.fact else { return Ok(()) };
        let at = |number| Spot { table: "facts", tenant, number };
        let wrapped: Option<Vec<u8>> = transaction
            .prepare_cached("SELECT wrapped FROM keys WHERE tenant = $1 AND interaction = $2")
            .and_then(|mut select| {
                select.query_row(params![tenant, self.interaction], |row| row.get(0)).optional()
            })
            .map_err(sqlite)?;
        let known =
            wrapped.and_then(|wrapped| DataKey::unwrap(masters, &at(self.interaction), &wrapped).ok());
        let key = match known {
            Some(key) => key,
            None => {
                let key = DataKey::draw(masters, &at(self.interaction)).map_err(io)?;
                transaction
                    .prepare_cached(
                        "INSERT INTO keys (tenant, interaction, at_ms, wrapped) VALUES ($1, $2, $3, $4)",
                    )
                    .and_then(|mut insert| {
                        insert.execute(params![tenant, self.interaction, self.at_ms, key.wrapped])
                    })
                    .map_err(sqlite)?;
                key
            }
        };
        let sealed = key.seal(&at(self.number), &fact.personal).map_err(io)?;
        transaction
            .prepare_cached("UPDATE facts SET fact = $1, sealed = $2 WHERE tenant = $3 AND number = $4")
            .and_then(|mut update| update.execute(params![fact.fact, sealed, tenant, self.number]))
            .map_err(sqlite)?;
        Ok(())
    }
}

/// Facts of one transaction.
const PAGE: i64 = 10_000;
