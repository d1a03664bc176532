//! Roles: what a person is to the contact center, and where that was said.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a person is to the contact center. What each role may do is the table of [`permission`](crate::permission).
///
/// A person may have several: what they may do is then the sum. Nobody becomes anything by being somebody else: an
/// administrator who takes calls is an agent too, and is told so by a second role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Talks to customers.
    Agent,
    /// Is asked by agents, and takes part in a conversation now and then.
    Expert,
    /// Looks after the floor of a tenant: queues, agents, conversations, reports.
    Supervisor,
    /// Decides everything of a tenant: people, keys, connections, the erasure of personal data.
    Administrator,
    /// Runs the installation for all of its tenants, and sees no customer of any.
    Operator,
}

impl Role {
    /// Every role, from the least to the most.
    pub const ALL: [Role; 5] =
        [Role::Agent, Role::Expert, Role::Supervisor, Role::Administrator, Role::Operator];

    /// The role as it is written in configuration, API and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Expert => "expert",
            Role::Supervisor => "supervisor",
            Role::Administrator => "administrator",
            Role::Operator => "operator",
        }
    }

    /// Whether people of a tenant can have it. An operator belongs to the installation.
    pub const fn is_of_tenant(self) -> bool {
        !matches!(self, Role::Operator)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = NotARole;

    /// Letter case does not matter: the value of an Entra app role is written by an administrator.
    fn from_str(text: &str) -> Result<Role, NotARole> {
        Role::ALL.into_iter().find(|role| text.eq_ignore_ascii_case(role.as_str())).ok_or(NotARole)
    }
}

/// The text is not the name of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: agent, expert, supervisor, administrator or operator is expected")]
pub struct NotARole;

/// What the claim `roles` of a token says (Microsoft identity platform: access token claims reference).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppRoles {
    /// The roles that are ours.
    pub roles: BTreeSet<Role>,
    /// Values that are not: a misspelt app role would otherwise be a person without rights and without a reason.
    pub unknown: Vec<Arc<str>>,
}

impl AppRoles {
    /// Sorts the values of the claim. Beyond the first [`AppRoles::VALUES_MAX`] they are not looked at.
    pub fn read<'a>(values: impl IntoIterator<Item = &'a str>) -> AppRoles {
        let mut read = AppRoles::default();
        for value in values.into_iter().take(AppRoles::VALUES_MAX) {
            match value.parse() {
                Ok(role) => {
                    read.roles.insert(role);
                }
                Err(NotARole) => read.unknown.push(Arc::from(value)),
            }
        }
        read
    }

    /// Most values that are read. An app registration has a handful; the rest is ignored.
    pub const VALUES_MAX: usize = 64;
}

/// Where it was said that a person has a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "origin", rename_all = "snake_case")]
pub enum Origin {
    /// Here, by an administrator or an operator.
    Assigned,
    /// In Entra, by an app role: told anew at each sign-in.
    EntraAppRole,
    /// In Entra, by membership of a group that this tenant maps to the role.
    EntraGroup {
        /// The object id of the group.
        group: Arc<str>,
    },
    /// In the configuration file.
    Configuration,
}

/// A role that a person has, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EffectiveRole {
    /// The role.
    pub role: Role,
    /// Where it was said.
    #[serde(flatten)]
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_roles_are_read_whatever_their_case_and_the_strange_ones_are_told() {
        let read = AppRoles::read(["Agent", "SUPERVISOR", "agent", "Telephonist"]);
        assert_eq!(read.roles, BTreeSet::from([Role::Agent, Role::Supervisor]));
        assert_eq!(read.unknown, [Arc::from("Telephonist")]);
    }

    #[test]
    fn a_role_is_written_as_it_is_read() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
    }

    #[test]
    fn a_role_with_its_origin_is_one_flat_object() {
        let role = EffectiveRole { role: Role::Agent, origin: Origin::EntraGroup { group: "g1".into() } };
        let json = serde_json::to_string(&role).unwrap();
        assert_eq!(json, r#"{"role":"agent","origin":"entra_group","group":"g1"}"#);
        assert_eq!(serde_json::from_str::<EffectiveRole>(&json).unwrap(), role);
    }
}
