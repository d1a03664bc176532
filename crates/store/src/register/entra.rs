//! Tenants of Entra ID, and whose they are.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::refusal::{check_document, check_length};
use super::{DOCUMENT_BYTES_MAX, Failure, Noun, Refusal, Register, Scope};
use crate::{Fault, Tenant};

/// A tenant of Entra ID. One tenant here may have several; each of them has one tenant here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraTenantRow {
    /// Its id, a GUID in lower case.
    pub tid: String,
    /// What people call it.
    pub name: String,
    /// What is known of its consent and connection (JSON).
    pub state: String,
    /// When any of this was changed last.
    pub changed_ms: i64,
}

impl Register {
    /// Adds an Entra tenant to a tenant, or changes it.
    ///
    /// # Errors
    ///
    /// It belongs to another tenant; there are [`ENTRA_TENANTS_MAX`]; the disk failed.
    pub fn entra_tenant_put(&self, tenant: &Tenant, row: &EntraTenantRow) -> Result<(), Failure> {
        self.write(&Scope::from(tenant), |transaction| {
            check_document(Noun::EntraTenant, &row.state)?;
            check_length(Noun::EntraTenant, row.tid.len().max(row.name.len()), DOCUMENT_BYTES_MAX)?;
            let owner: Option<Tenant> = transaction
                .prepare_cached("SELECT tenant FROM entra_tenants WHERE tid = ?1")?
                .query_row([&row.tid], |row| row.get(0))
                .optional()?;
            match owner {
                Some(owner) if owner == *tenant => {}
                Some(_) => return Err(Refusal::Taken(Noun::EntraTenant).into()),
                None => {
                    let count: u32 = transaction
                        .prepare_cached("SELECT count(*) FROM entra_tenants WHERE tenant = ?1")?
                        .query_row([tenant.as_str()], |row| row.get(0))?;
                    if count >= ENTRA_TENANTS_MAX {
                        return Err(Refusal::Full { noun: Noun::EntraTenant, most: ENTRA_TENANTS_MAX }.into());
                    }
                }
            }
            transaction.prepare_cached(UPSERT)?.execute(params![
                row.tid,
                tenant.as_str(),
                row.name,
                row.state,
                row.changed_ms
            ])?;
            Ok(())
        })
    }

    /// The Entra tenants of a tenant, by id; at most [`ENTRA_TENANTS_MAX`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn entra_tenants(&self, tenant: &Tenant) -> Result<Vec<EntraTenantRow>, Fault> {
        self.read(|connection| of_tenant(connection, tenant))
    }

    /// Removes an Entra tenant with what its directory told. People who sign in through it stay, and cannot until it is
    /// added again. `false` if the tenant has none such.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn entra_tenant_remove(&self, tenant: &Tenant, tid: &str) -> Result<bool, Failure> {
        self.erase(&Scope::from(tenant), |transaction| {
            for table in ["directory", "directory_notes", "delta_links"] {
                transaction.execute(
                    &format!("DELETE FROM {table} WHERE tenant = ?1 AND tid = ?2"),
                    params![tenant.as_str(), tid],
                )?;
            }
            let gone = transaction.execute(
                "DELETE FROM entra_tenants WHERE tenant = ?1 AND tid = ?2",
                params![tenant.as_str(), tid],
            )?;
            Ok(gone > 0)
        })
    }
}

pub(super) fn of_tenant(connection: &Connection, tenant: &Tenant) -> rusqlite::Result<Vec<EntraTenantRow>> {
    connection
        .prepare_cached(
            "SELECT tid, name, state, changed_ms FROM entra_tenants WHERE tenant = ?1 ORDER BY tid",
        )?
        .query_map([tenant.as_str()], from_row)?
        .collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<EntraTenantRow> {
    Ok(EntraTenantRow { tid: row.get(0)?, name: row.get(1)?, state: row.get(2)?, changed_ms: row.get(3)? })
}

const UPSERT: &str = "INSERT INTO entra_tenants (tid, tenant, name, state, changed_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tid) DO UPDATE SET name = excluded.name, \
     state = excluded.state, changed_ms = excluded.changed_ms";

/// Entra tenants of one tenant at most; one more is refused.
pub const ENTRA_TENANTS_MAX: u32 = 100;
