//! Scope: to whom something belongs, a tenant or the installation itself.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// To whom a person, a key or a record belongs: one tenant, or the installation that serves all of them.
///
/// Written as the tenant's name, or as nothing (`null`) for the installation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Option<Arc<str>>", into = "Option<Arc<str>>")]
pub enum Scope {
    /// The program and whoever runs it.
    Installation,
    /// One customer, by the name of its tenant.
    Tenant(Arc<str>),
}

impl Scope {
    /// The scope of the tenant of this name.
    pub fn tenant(name: impl Into<Arc<str>>) -> Scope {
        Scope::Tenant(name.into())
    }

    /// The name of the tenant; `None` for the installation.
    pub fn tenant_name(&self) -> Option<&str> {
        match self {
            Scope::Installation => None,
            Scope::Tenant(name) => Some(name),
        }
    }
}

impl From<Option<Arc<str>>> for Scope {
    fn from(tenant: Option<Arc<str>>) -> Scope {
        tenant.map_or(Scope::Installation, Scope::Tenant)
    }
}

impl From<Scope> for Option<Arc<str>> {
    fn from(scope: Scope) -> Option<Arc<str>> {
        match scope {
            Scope::Installation => None,
            Scope::Tenant(name) => Some(name),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Installation => f.write_str("the installation"),
            Scope::Tenant(name) => write!(f, "tenant {name}"),
        }
    }
}
