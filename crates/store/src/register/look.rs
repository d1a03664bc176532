//! Looking into a register without writing: while a program uses it, or none runs.

use std::path::Path;

use super::{EntraTenantRow, PersonRow, Scope, entra, people};
use crate::pool::Pool;
use crate::schema::open_reader;
use crate::{Fault, Tenant};

/// A register that is only read. What somebody else commits meanwhile is seen.
pub struct RegisterLook {
    readers: Pool,
}

impl RegisterLook {
    /// Looks into the register in this file. Nothing is made or changed, and no secret is opened.
    ///
    /// # Errors
    ///
    /// There is no such file, or it cannot be read.
    pub fn open(path: &Path) -> Result<RegisterLook, Fault> {
        open_reader(path)?;
        Ok(RegisterLook { readers: Pool::new(path.to_path_buf()) })
    }

    /// The Entra tenants of a tenant, by their ids.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn entra_tenants(&self, tenant: &Tenant) -> Result<Vec<EntraTenantRow>, Fault> {
        self.readers.read(|connection| entra::of_tenant(connection, tenant))
    }

    /// People by id, after one, at most [`crate::PAGE_MAX`] of them.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn people(
        &self,
        scope: impl Into<Scope>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PersonRow>, Fault> {
        let scope = scope.into();
        self.readers.read(|connection| people::page(connection, &scope, after, limit))
    }
}
