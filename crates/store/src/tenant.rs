//! Whose contact center it is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

/// The name of a tenant: one organisation with its own contact center, its own journal, its own numbers of facts.
///
/// Ours, not Microsoft's: several Entra tenants may map to one. 1 to 64 characters: lower-case letters, digits,
/// `-`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// The tenant of an installation that has only one.
    pub fn only() -> Tenant {
        Tenant(Arc::from("default"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tenant {
    type Err = NotATenant;

    fn from_str(text: &str) -> Result<Tenant, NotATenant> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Tenant(Arc::from(text)))
        } else {
            Err(NotATenant)
        }
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenant({self})")
    }
}

impl FromSql for Tenant {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Tenant> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

/// The text is not the name of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a tenant: 1 to 64 lower-case letters, digits and hyphens are expected")]
pub struct NotATenant;

/// Longest name, in bytes. It stands in every row.
const LENGTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_letters_digits_and_hyphens() {
        assert_eq!("contoso-2".parse::<Tenant>().unwrap().as_str(), "contoso-2");
        for wrong in ["", "Contoso", "a b", "a'b", &"a".repeat(65)] {
            assert_eq!(wrong.parse::<Tenant>(), Err(NotATenant), "{wrong:?}");
        }
    }
}
