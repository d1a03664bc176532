//! Removing a tenant from the journal.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::Tenant;

/// Whether anything is left of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Some,
    Nothing,
}

/// Destroys what opens and names anything of a tenant, and notes that its facts are to go.
pub(crate) fn begin(transaction: &Transaction<'_>, tenant: &Tenant) -> rusqlite::Result<()> {
    let tenant = tenant.as_str();
    transaction
        .execute("INSERT INTO removals (tenant) VALUES ($1) ON CONFLICT (tenant) DO NOTHING", [tenant])?;
    transaction.execute("DELETE FROM keys WHERE tenant = $1", [tenant])?;
    transaction.execute("DELETE FROM snapshots WHERE tenant = $1", [tenant])?;
    transaction.execute("DELETE FROM plain WHERE tenant = $1", [tenant])?;
    Ok(())
}

/// Removes the first facts of a tenant, and with the last ones the note that they are to go.
pub(crate) fn remove_piece(connection: &mut Connection, tenant: &Tenant) -> rusqlite::Result<Left> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let removed = transaction
        .prepare_cached(
            "DELETE FROM facts WHERE tenant = $1 AND number <= \
             (SELECT max(number) FROM \
             (SELECT number FROM facts WHERE tenant = $1 ORDER BY number LIMIT $2))",
        )?
        .execute(params![tenant.as_str(), PIECE])?;
    let left = if removed == 0 { Left::Nothing } else { Left::Some };
    if left == Left::Nothing {
        transaction.execute("DELETE FROM removals WHERE tenant = $1", [tenant.as_str()])?;
    }
    transaction.commit()?;
    Ok(left)
}

/// Tenants whose removal has begun and is not done.
pub(crate) fn begun(connection: &Connection) -> rusqlite::Result<Vec<Tenant>> {
    connection
        .prepare("SELECT tenant FROM removals ORDER BY tenant")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Facts that are removed at once: some milliseconds, in which others wait.
const PIECE: i64 = 1_000;
