//! Whose something is: a tenant's, or the installation's.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::Tenant;

/// Whose something in the register is.
///
/// Most belongs to a tenant. Operators, who look after the tenants, belong to none, and neither do their keys, logins and
/// acts: those are the installation's. What is given as a `Scope` may be given as a `&Tenant`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The installation itself.
    Installation,
    /// One tenant.
    Tenant(Tenant),
}

impl Scope {
    /// The tenant, if it is one's.
    pub fn tenant(&self) -> Option<&Tenant> {
        match self {
            Scope::Installation => None,
            Scope::Tenant(tenant) => Some(tenant),
        }
    }

    pub(super) fn as_column(&self) -> &str {
        self.tenant().map_or(INSTALLATION, Tenant::as_str)
    }
}

impl From<Tenant> for Scope {
    fn from(tenant: Tenant) -> Scope {
        Scope::Tenant(tenant)
    }
}

impl From<&Tenant> for Scope {
    fn from(tenant: &Tenant) -> Scope {
        Scope::Tenant(tenant.clone())
    }
}

impl From<&Scope> for Scope {
    fn from(scope: &Scope) -> Scope {
        scope.clone()
    }
}

impl ToSql for Scope {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_column()))
    }
}

impl FromSql for Scope {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Scope> {
        match value.as_str()? {
            INSTALLATION => Ok(Scope::Installation),
            name => name.parse().map(Scope::Tenant).map_err(FromSqlError::other),
        }
    }
}

/// In the column of the tenant; no tenant is called so.
const INSTALLATION: &str = "";
