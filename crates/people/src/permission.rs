//! Permissions: what may be done, by whom, and how far it reaches.
//!
//! The table of [`grants`]. *own* is what belongs to the person itself: their state as an agent, their conversations,
//! their logins. *all* is everything in the person's tenant; for an operator, in every tenant and in the installation.
//!
//! | permission           | agent | expert | supervisor | administrator | operator |
//! |----------------------|-------|--------|------------|---------------|----------|
//! | `queues:read`        | all   |        | all        | all           |          |
//! | `queues:write`       |       |        | all        | all           |          |
//! | `agents:read`        | own   | own    | all        | all           |          |
//! | `agents:write`       | own   | own    | all        | all           |          |
//! | `presence:write`     | own   | own    | all        | all           |          |
//! | `calls:read`         | own   |        | all        | all           |          |
//! | `calls:write`        | own   |        | all        | all           |          |
//! | `recordings:read`    |       |        | all        | all           |          |
//! | `recordings:write`   |       |        | all        | all           |          |
//! | `reports:read`       |       |        | all        | all           |          |
//! | `trunks:read`        |       |        | all        | all           | all      |
//! | `live:read`          | own   | own    | all        | all           |          |
//! | `personal_data:erase`|       |        |            | all           |          |
//! | `people:read`        | own   | own    | own        | all           | all      |
//! | `people:write`       | own   | own    | own        | all           | all      |
//! | `directory:read`     | all   | all    | all        | all           |          |
//! | `keys:write`         |       |        |            | all           | all      |
//! | `webhooks:read`      |       |        |            | all           |          |
//! | `webhooks:write`     |       |        |            | all           |          |
//! | `audit:read`         |       |        |            | all           | all      |
//! | `tenant:read`        |       |        |            | all           | all      |
//! | `tenant:write`       |       |        |            | all           | all      |
//! | `tenants:read`       |       |        |            |               | all      |
//! | `tenants:write`      |       |        |            |               | all      |
//! | `metrics:read`       |       |        |            |               | all      |
//!
//! *own* of `people:write` is one's own credentials and logins, never one's own roles: who may give a role is
//! [`Caller::may_assign`](crate::caller::Caller::may_assign).
//!
//! An operator sees no customer of a tenant: neither conversations nor recordings, nor webhooks, which carry both.
//! Whoever runs the installation and looks after a tenant as well is given a role there, and the tenant's
//! administrators see it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::role::Role;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something that may be done. It is the scope of an API key too.
        ///
        /// Its text is `noun:verb` and is kept for ever: keys are stored with it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)*
        }

        impl Permission {
            /// Every permission, in the order of the table.
            pub const ALL: &[Permission] = &[$(Permission::$name),*];

            /// The permission as it is written in scopes of keys, API and records.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Permission::$name => $text,)*
                }
            }
        }
    };
}

permissions! {
    /// See queues, who waits in them and how long.
    QueuesRead = "queues:read",
    /// Change queues, open and close them.
    QueuesWrite = "queues:write",
    /// See agents and what they are doing.
    AgentsRead = "agents:read",
    /// Set the state of agents, end their wrap-up.
    AgentsWrite = "agents:write",
    /// Tell the presence of an agent that another system knows.
    PresenceWrite = "presence:write",
    /// See calls and conversations: who called, when, what became of it.
    CallsRead = "calls:read",
    /// Act on calls: listen, take, move, end.
    CallsWrite = "calls:write",
    /// Hear recordings.
    RecordingsRead = "recordings:read",
    /// Start, stop and delete recordings.
    RecordingsWrite = "recordings:write",
    /// See reports and their figures.
    ReportsRead = "reports:read",
    /// See the trunks and how they are.
    TrunksRead = "trunks:read",
    /// Follow the live screen.
    LiveRead = "live:read",
    /// Erase what is known of a customer.
    PersonalDataErase = "personal_data:erase",
    /// See people, their roles and logins.
    PeopleRead = "people:read",
    /// Change people, their credentials and logins.
    PeopleWrite = "people:write",
    /// Search people of the tenant's directory, experts first of all.
    DirectoryRead = "directory:read",
    /// Make and revoke API keys.
    KeysWrite = "keys:write",
    /// See webhooks and what was delivered.
    WebhooksRead = "webhooks:read",
    /// Change webhooks, deliver again.
    WebhooksWrite = "webhooks:write",
    /// See who did what.
    AuditRead = "audit:read",
    /// See the tenant's own settings: its connection to Microsoft, its consent, its rules for presence.
    TenantRead = "tenant:read",
    /// Change them.
    TenantWrite = "tenant:write",
    /// See the tenants of the installation.
    TenantsRead = "tenants:read",
    /// Add, change and remove tenants.
    TenantsWrite = "tenants:write",
    /// See the figures of the running program.
    MetricsRead = "metrics:read",
}

impl Permission {
    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = NotAPermission;

    fn from_str(text: &str) -> Result<Permission, NotAPermission> {
        Permission::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| NotAPermission { text: text.chars().take(NotAPermission::SHOWN_MAX).collect() })
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Permission, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not the name of a permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a permission: {text}")]
pub struct NotAPermission {
    /// What was given, cut.
    pub text: String,
}

impl NotAPermission {
    /// Characters that are repeated in the fault; the rest is cut.
    const SHOWN_MAX: usize = 64;
}

/// How far a permission reaches. The greater holds the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// To what belongs to the person.
    Own,
    /// To everything in the tenant.
    All,
}

/// A set of permissions. It is small and copied freely.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct PermissionSet(u32);

impl PermissionSet {
    /// None.
    pub const EMPTY: PermissionSet = PermissionSet(0);

    /// Whether it holds the permission.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether it holds all of the other.
    pub const fn covers(self, other: PermissionSet) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds one.
    pub const fn insert(&mut self, permission: Permission) {
        self.0 |= permission.bit();
    }

    /// What is in this or the other.
    #[must_use]
    pub const fn union(self, other: PermissionSet) -> PermissionSet {
        PermissionSet(self.0 | other.0)
    }

    /// What is in this and in the other.
    #[must_use]
    pub const fn intersection(self, other: PermissionSet) -> PermissionSet {
        PermissionSet(self.0 & other.0)
    }

    /// What is in this and not in the other.
    #[must_use]
    pub const fn without(self, other: PermissionSet) -> PermissionSet {
        PermissionSet(self.0 & !other.0)
    }

    /// The permissions, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> PermissionSet {
        let mut set = PermissionSet::EMPTY;
        for permission in permissions {
            set.insert(permission);
        }
        set
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PermissionSet, D::Error> {
        Ok(Vec::<Permission>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// What somebody may do, and how far each reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    own: PermissionSet,
    all: PermissionSet,
}

impl Grants {
    /// Nothing.
    pub const NONE: Grants = Grants { own: PermissionSet::EMPTY, all: PermissionSet::EMPTY };

    /// What all these roles together may do.
    pub fn of_roles(roles: impl IntoIterator<Item = Role>) -> Grants {
        let mut sum = Grants::NONE;
        for (permission, reach) in roles.into_iter().flat_map(|role| grants(role).iter().copied()) {
            sum.grant(permission, reach);
        }
        sum
    }

    /// These permissions over everything in the tenant, as an API key has them.
    pub const fn over_all(permissions: PermissionSet) -> Grants {
        Grants { own: PermissionSet::EMPTY, all: permissions }
    }

    /// Adds one.
    pub const fn grant(&mut self, permission: Permission, reach: Reach) {
        match reach {
            Reach::Own => self.own.insert(permission),
            Reach::All => self.all.insert(permission),
        }
    }

    /// How far the permission reaches; `None` if it is not given.
    pub const fn reach(&self, permission: Permission) -> Option<Reach> {
        if self.all.contains(permission) {
            Some(Reach::All)
        } else if self.own.contains(permission) {
            Some(Reach::Own)
        } else {
            None
        }
    }

    /// The permissions that reach everything in the tenant.
    pub const fn all(&self) -> PermissionSet {
        self.all
    }

    /// What this or the other allows.
    #[must_use]
    pub const fn union(&self, other: &Grants) -> Grants {
        Grants { own: self.own.union(other.own), all: self.all.union(other.all) }
    }

    /// Every permission that is given, with the farthest reach, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Permission, Reach)> + use<'_> {
        Permission::ALL
            .iter()
            .filter_map(|permission| self.reach(*permission).map(|reach| (*permission, reach)))
    }
}

/// What a role may do: one column of the table of this module.
pub const fn grants(role: Role) -> &'static [(Permission, Reach)] {
    match role {
        Role::Agent => AGENT,
        Role::Expert => EXPERT,
        Role::Supervisor => SUPERVISOR,
        Role::Administrator => ADMINISTRATOR,
        Role::Operator => OPERATOR,
    }
}

const AGENT: &[(Permission, Reach)] = &[
    (Permission::QueuesRead, Reach::All),
    (Permission::AgentsRead, Reach::Own),
    (Permission::AgentsWrite, Reach::Own),
    (Permission::PresenceWrite, Reach::Own),
    (Permission::CallsRead, Reach::Own),
    (Permission::CallsWrite, Reach::Own),
    (Permission::LiveRead, Reach::Own),
    (Permission::PeopleRead, Reach::Own),
    (Permission::PeopleWrite, Reach::Own),
    (Permission::DirectoryRead, Reach::All),
];

const EXPERT: &[(Permission, Reach)] = &[
    (Permission::AgentsRead, Reach::Own),
    (Permission::AgentsWrite, Reach::Own),
    (Permission::PresenceWrite, Reach::Own),
    (Permission::LiveRead, Reach::Own),
    (Permission::PeopleRead, Reach::Own),
    (Permission::PeopleWrite, Reach::Own),
    (Permission::DirectoryRead, Reach::All),
];

const SUPERVISOR: &[(Permission, Reach)] = &[
    (Permission::QueuesRead, Reach::All),
    (Permission::QueuesWrite, Reach::All),
    (Permission::AgentsRead, Reach::All),
    (Permission::AgentsWrite, Reach::All),
    (Permission::PresenceWrite, Reach::All),
    (Permission::CallsRead, Reach::All),
    (Permission::CallsWrite, Reach::All),
    (Permission::RecordingsRead, Reach::All),
    (Permission::RecordingsWrite, Reach::All),
    (Permission::ReportsRead, Reach::All),
    // Customers are called back over one of them.
    (Permission::TrunksRead, Reach::All),
    (Permission::LiveRead, Reach::All),
    (Permission::PeopleRead, Reach::Own),
    (Permission::PeopleWrite, Reach::Own),
    (Permission::DirectoryRead, Reach::All),
];

const ADMINISTRATOR: &[(Permission, Reach)] = &[
    (Permission::QueuesRead, Reach::All),
    (Permission::QueuesWrite, Reach::All),
    (Permission::AgentsRead, Reach::All),
    (Permission::AgentsWrite, Reach::All),
    (Permission::PresenceWrite, Reach::All),
    (Permission::CallsRead, Reach::All),
    (Permission::CallsWrite, Reach::All),
    (Permission::RecordingsRead, Reach::All),
    (Permission::RecordingsWrite, Reach::All),
    (Permission::ReportsRead, Reach::All),
    (Permission::TrunksRead, Reach::All),
    (Permission::LiveRead, Reach::All),
    (Permission::PersonalDataErase, Reach::All),
    (Permission::PeopleRead, Reach::All),
    (Permission::PeopleWrite, Reach::All),
    (Permission::DirectoryRead, Reach::All),
    (Permission::KeysWrite, Reach::All),
    (Permission::WebhooksRead, Reach::All),
    (Permission::WebhooksWrite, Reach::All),
    (Permission::AuditRead, Reach::All),
    (Permission::TenantRead, Reach::All),
    (Permission::TenantWrite, Reach::All),
];

const OPERATOR: &[(Permission, Reach)] = &[
    (Permission::TrunksRead, Reach::All),
    (Permission::PeopleRead, Reach::All),
    (Permission::PeopleWrite, Reach::All),
    (Permission::KeysWrite, Reach::All),
    (Permission::AuditRead, Reach::All),
    (Permission::TenantRead, Reach::All),
    (Permission::TenantWrite, Reach::All),
    (Permission::TenantsRead, Reach::All),
    (Permission::TenantsWrite, Reach::All),
    (Permission::MetricsRead, Reach::All),
];

const _: () = assert!(Permission::ALL.len() <= u32::BITS as usize, "a set of permissions is one word");

#[cfg(test)]
mod tests {
    use super::*;

    /// The table that people read and the table that the program obeys are the same.
    #[test]
    fn the_documented_table_is_the_one_that_holds() {
        let documented: Vec<Vec<String>> = include_str!("permission.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).take(6).collect())
            .collect();
        let holds: Vec<Vec<String>> = Permission::ALL
            .iter()
            .map(|permission| {
                let reach = |role| match Grants::of_roles([role]).reach(*permission) {
                    Some(Reach::All) => "all".to_owned(),
                    Some(Reach::Own) => "own".to_owned(),
                    None => String::new(),
                };
                std::iter::once(permission.to_string()).chain(Role::ALL.map(reach)).collect()
            })
            .collect();
        assert_eq!(documented, holds);
    }

    #[test]
    fn no_role_names_a_permission_twice() {
        for role in Role::ALL {
            let named = grants(role);
            let distinct: PermissionSet = named.iter().map(|(permission, _)| *permission).collect();
            assert_eq!(distinct.iter().count(), named.len(), "{role}");
        }
    }

    #[test]
    fn an_operator_sees_no_customer() {
        let operator = Grants::of_roles([Role::Operator]);
        for permission in [
            Permission::CallsRead,
            Permission::CallsWrite,
            Permission::RecordingsRead,
            Permission::LiveRead,
            Permission::WebhooksRead,
            Permission::WebhooksWrite,
            Permission::PersonalDataErase,
        ] {
            assert_eq!(operator.reach(permission), None, "{permission}");
        }
    }

    #[test]
    fn two_roles_together_reach_as_far_as_the_farther() {
        let both = Grants::of_roles([Role::Agent, Role::Supervisor]);
        assert_eq!(both.reach(Permission::CallsRead), Some(Reach::All));
        assert_eq!(both.reach(Permission::PeopleRead), Some(Reach::Own));
        assert_eq!(both.reach(Permission::TenantsRead), None);
    }

    #[test]
    fn a_permission_is_written_as_it_is_read() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
        }
        let set: PermissionSet = [Permission::TrunksRead, Permission::QueuesRead].into_iter().collect();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["queues:read","trunks:read"]"#);
        assert_eq!(serde_json::from_str::<PermissionSet>(r#"["queues:read","trunks:read"]"#).unwrap(), set);
        assert!(serde_json::from_str::<PermissionSet>(r#"["queues:destroy"]"#).is_err());
    }
}
