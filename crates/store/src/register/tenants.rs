//! Customers that an operator added.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::refusal::{Abort, check_document};
use super::{Failure, Noun, Refusal, Register};
use crate::{Fault, Tenant};

/// A tenant that was added while the program ran, rather than in its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRow {
    /// Its name in the program; never used again for another customer by itself, see [`Register::tenant_remove`].
    pub id: Tenant,
    /// What people call it.
    pub name: String,
    /// All else (JSON).
    pub document: String,
    /// What it is in, such as `active` or `suspended`.
    pub state: String,
    /// When it was added.
    pub created_ms: i64,
    /// When any of this was changed last.
    pub changed_ms: i64,
}

impl Register {
    /// Adds a tenant.
    ///
    /// # Errors
    ///
    /// There is one of this id, or there are [`TENANTS_MAX`]; the disk failed.
    pub fn tenant_create(&self, row: &TenantRow) -> Result<(), Failure> {
        self.transact(|transaction| {
            check_document(Noun::Tenant, &row.document)?;
            if read_one(transaction, &row.id)?.is_some() {
                return Err(Refusal::Taken(Noun::Tenant).into());
            }
            let count: u32 = transaction.query_row("SELECT count(*) FROM tenants", [], |row| row.get(0))?;
            if count >= TENANTS_MAX {
                return Err(Refusal::Full { noun: Noun::Tenant, most: TENANTS_MAX }.into());
            }
            transaction.execute("DELETE FROM removed WHERE id = ?1", [row.id.as_str()])?;
            write_one(transaction, row)
        })
    }

    /// Changes a tenant, but for its id and when it was added.
    ///
    /// # Errors
    ///
    /// There is no such tenant; the disk failed.
    pub fn tenant_change(&self, row: &TenantRow) -> Result<(), Failure> {
        self.transact(|transaction| {
            check_document(Noun::Tenant, &row.document)?;
            let known = read_one(transaction, &row.id)?.ok_or(Refusal::Unknown(Noun::Tenant))?;
            write_one(transaction, &TenantRow { created_ms: known.created_ms, ..row.clone() })
        })
    }

    /// A tenant that was added.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn tenant(&self, tenant: &Tenant) -> Result<Option<TenantRow>, Fault> {
        self.read(|connection| read_one(connection, tenant))
    }

    /// All tenants that were added, by id; at most [`TENANTS_MAX`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn tenants(&self) -> Result<Vec<TenantRow>, Fault> {
        self.read(|connection| connection.prepare_cached(SELECT_ALL)?.query_map([], from_row)?.collect())
    }

    /// Removes everything of a tenant: people, credentials, logins, keys, audit trail, secrets, webhooks, directory. It need
    /// not have been added here. `false` if there was nothing.
    ///
    /// Whatever still writes for it is refused from now on, until a tenant of this id is added again.
    ///
    /// # Errors
    ///
    /// The disk failed, and everything is there still.
    pub fn tenant_remove(&self, tenant: &Tenant, at_ms: i64) -> Result<bool, Failure> {
        let any = self.transact(|transaction| {
            let mut gone = 0;
            for table in TABLES {
                gone += transaction
                    .execute(&format!("DELETE FROM {table} WHERE tenant = ?1"), [tenant.as_str()])?;
            }
            gone += transaction.execute("DELETE FROM tenants WHERE id = ?1", [tenant.as_str()])?;
            transaction.execute(
                "INSERT INTO removed (id, at_ms) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
                params![tenant.as_str(), at_ms],
            )?;
            Ok(gone > 0)
        })?;
        self.forget_log();
        Ok(any)
    }

    /// A tenant of the configuration is there, whether one of its id was removed before or not.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn tenant_begin(&self, tenant: &Tenant) -> Result<(), Failure> {
        if !self.tenant_is_removed(tenant)? {
            return Ok(());
        }
        self.transact(|transaction| {
            transaction.execute("DELETE FROM removed WHERE id = ?1", [tenant.as_str()])?;
            Ok(())
        })
    }

    /// Whether a tenant was removed, and none of its id was added since.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn tenant_is_removed(&self, tenant: &Tenant) -> Result<bool, Fault> {
        self.read(|connection| is_removed(connection, tenant))
    }
}

pub(super) fn is_removed(connection: &Connection, tenant: &Tenant) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM removed WHERE id = ?1)")?
        .query_row([tenant.as_str()], |row| row.get(0))
}

fn read_one(connection: &Connection, tenant: &Tenant) -> rusqlite::Result<Option<TenantRow>> {
    connection.prepare_cached(SELECT_ONE)?.query_row([tenant.as_str()], from_row).optional()
}

fn write_one(connection: &Connection, row: &TenantRow) -> Result<(), Abort> {
    connection.prepare_cached(UPSERT)?.execute(params![
        row.id.as_str(),
        row.name,
        row.document,
        row.state,
        row.created_ms,
        row.changed_ms
    ])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<TenantRow> {
    Ok(TenantRow {
        id: row.get(0)?,
        name: row.get(1)?,
        document: row.get(2)?,
        state: row.get(3)?,
        created_ms: row.get(4)?,
        changed_ms: row.get(5)?,
    })
}

const SELECT_ONE: &str =
    "SELECT id, name, document, state, created_ms, changed_ms FROM tenants WHERE id = ?1";
const SELECT_ALL: &str = "SELECT id, name, document, state, created_ms, changed_ms FROM tenants ORDER BY id";
const UPSERT: &str = "INSERT INTO tenants (id, name, document, state, created_ms, changed_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
     document = excluded.document, state = excluded.state, changed_ms = excluded.changed_ms";

/// Every table whose rows belong to a tenant.
const TABLES: &[&str] = &[
    "audit",
    "credentials",
    "delta_links",
    "deliveries",
    "directory",
    "directory_notes",
    "entra_tenants",
    "identities",
    "keys",
    "logins",
    "people",
    "secrets",
    "webhooks",
];

/// Tenants in one installation at most; no other can be added.
pub const TENANTS_MAX: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_with_something_of_a_tenant_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let register = Register::open(folder.path().join("people.db"), &folder.path().join("key")).unwrap();
        let tables: Vec<String> = register
            .read(|connection| {
                connection
                    .prepare(
                        "SELECT m.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
                         WHERE m.type = 'table' AND c.name = 'tenant' ORDER BY m.name",
                    )?
                    .query_map([], |row| row.get(0))?
                    .collect()
            })
            .unwrap();
        let mut known = TABLES.to_vec();
        known.sort_unstable();
        assert_eq!(tables, known);
    }
}
