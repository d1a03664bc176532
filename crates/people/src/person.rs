//! People: who may sign in, as whom, and with which roles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::caller::{Caller, Who};
use crate::id::{LoginId, PersonId, uuid_text};
use crate::moment::UnixMillis;
use crate::permission::Grants;
use crate::role::{EffectiveRole, Origin, Role};
use crate::scope::Scope;

/// Somebody who may sign in.
///
/// A person belongs to one tenant, or to the installation; the same human being in two tenants is two people, so that
/// neither tenant sees the other's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The id.
    pub id: PersonId,
    /// Whose the person is.
    #[serde(rename = "tenant")]
    pub scope: Scope,
    /// The name as it is shown; 1 to [`Person::NAME_BYTES_MAX`] bytes.
    pub name: Arc<str>,
    /// How the person is known when signing in; at most [`Person::IDENTITIES_MAX`].
    pub identities: Vec<Identity>,
    /// Roles given here.
    pub assigned: BTreeSet<Role>,
    /// Roles that Entra or the configuration told, Entra at the latest sign-in.
    #[serde(default)]
    pub told: BTreeSet<EffectiveRole>,
    /// Roles in tenants, of somebody who belongs to the installation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub guest: BTreeMap<Arc<str>, BTreeSet<Role>>,
    /// The agent that this person is, if any.
    #[serde(default)]
    pub agent: Option<Arc<str>>,
    /// Whether the person may sign in. A disabled person keeps name and history.
    pub enabled: bool,
    /// Since when the person is known here.
    pub created: UnixMillis,
}

impl Person {
    /// Longest name, in bytes; a longer one is refused.
    pub const NAME_BYTES_MAX: usize = 256;
    /// Most identities of one person; more are refused.
    pub const IDENTITIES_MAX: usize = 8;
    /// Most tenants in which somebody of the installation has roles; more are refused.
    pub const GUEST_TENANTS_MAX: usize = 1_000;

    /// Every role that counts, each with where it was said.
    ///
    /// What does not fit the person's scope does not count, wherever it was said: roles in Entra are given by the
    /// administrators of the customer, and no customer makes an operator of this installation.
    pub fn effective(&self) -> BTreeSet<EffectiveRole> {
        let assigned =
            self.assigned.iter().map(|role| EffectiveRole { role: *role, origin: Origin::Assigned });
        assigned
            .chain(self.told.iter().cloned())
            .filter(|effective| fits(effective.role, &self.scope))
            .collect()
    }

    /// Whether the person has the role, and may sign in to use it.
    pub fn holds(&self, role: Role) -> bool {
        self.enabled
            && !self.identities.is_empty()
            && self.effective().iter().any(|effective| effective.role == role)
    }

    /// The person as somebody who asks; `None` if they may not sign in.
    pub fn caller(&self, login: Option<LoginId>) -> Option<Caller> {
        if !self.enabled {
            return None;
        }
        let grants = Grants::of_roles(self.effective().iter().map(|effective| effective.role));
        let who = Who::Person { person: self.id.clone(), login };
        let caller = Caller::new(self.scope.clone(), who, grants).with_agent(self.agent.clone());
        Some(self.guest.iter().fold(caller, |caller, (tenant, roles)| {
            let of_tenant = roles.iter().copied().filter(|role| role.is_of_tenant());
            caller.with_guest(tenant.clone(), Grants::of_roles(of_tenant))
        }))
    }

    /// Whether the person can be as it stands here.
    ///
    /// # Errors
    ///
    /// Says what does not fit.
    pub fn check(&self) -> Result<(), PersonFault> {
        if self.name.trim().is_empty() || self.name.len() > Person::NAME_BYTES_MAX {
            return Err(PersonFault::Name);
        }
        if let Some(role) = self.assigned.iter().find(|role| !fits(**role, &self.scope)) {
            return Err(PersonFault::RoleOutOfPlace { role: *role });
        }
        if let Some(role) = self.guest.values().flatten().find(|role| !role.is_of_tenant()) {
            return Err(PersonFault::RoleOutOfPlace { role: *role });
        }
        if self.scope != Scope::Installation && !self.guest.is_empty() {
            return Err(PersonFault::GuestOfTenant);
        }
        if self.scope == Scope::Installation && self.agent.is_some() {
            return Err(PersonFault::AgentOfInstallation);
        }
        if self.identities.len() > Person::IDENTITIES_MAX || self.guest.len() > Person::GUEST_TENANTS_MAX {
            return Err(PersonFault::TooMany);
        }
        let distinct: BTreeSet<&Identity> = self.identities.iter().collect();
        if distinct.len() == self.identities.len() { Ok(()) } else { Err(PersonFault::IdentityTwice) }
    }
}

/// How a person is known when signing in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    /// A user of an Entra tenant: the claims `tid` and `oid`, which never change. Names and mail addresses do, and are
    /// given to others (Microsoft identity platform: secure applications by validating claims).
    Entra {
        /// The Entra tenant, a GUID in lower case.
        tenant: Guid,
        /// The user's object id, a GUID in lower case.
        user: Guid,
    },
    /// Somebody known here only.
    Local {
        /// The name that is typed when signing in.
        user_name: UserName,
    },
}

impl Identity {
    /// The identity as a row names it: its kind, who vouches for it, and as whom. No two people have the same.
    pub fn parts(&self) -> (&'static str, &str, &str) {
        match self {
            Identity::Entra { tenant, user } => ("entra", tenant.as_str(), user.as_str()),
            Identity::Local { user_name } => ("local", "", user_name.as_str()),
        }
    }
}

/// An id that Microsoft gave: a GUID. It is read in any case and kept in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Guid(Arc<str>);

impl Guid {
    /// The id with these bytes, in the order in which they are written.
    pub fn from_bytes(bytes: [u8; 16]) -> Guid {
        Guid(Arc::from(uuid_text(bytes)))
    }

    /// The id in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Guid {
    type Err = NotAGuid;

    fn from_str(text: &str) -> Result<Guid, NotAGuid> {
        let fits = text.len() == 36
            && text.bytes().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if fits { Ok(Guid(Arc::from(text.to_ascii_lowercase()))) } else { Err(NotAGuid) }
    }
}

impl TryFrom<String> for Guid {
    type Error = NotAGuid;

    fn try_from(text: String) -> Result<Guid, NotAGuid> {
        text.parse()
    }
}

impl From<Guid> for String {
    fn from(guid: Guid) -> String {
        guid.0.as_ref().to_owned()
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({})", self.0)
    }
}

/// The text is not a GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID: 32 hexadecimal digits with four hyphens are expected")]
pub struct NotAGuid;

/// The name that somebody types to sign in without Entra: 1 to 64 letters, digits, `.`, `_`, `-`, `+` and `@`, the
/// first a letter or digit. Read in any case and kept in lower case: nobody is two people by a capital letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(Arc<str>);

impl UserName {
    /// Longest name, in bytes; a longer one is refused.
    pub const BYTES_MAX: usize = 64;

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = NotAUserName;

    fn from_str(text: &str) -> Result<UserName, NotAUserName> {
        let fits = text.len() <= UserName::BYTES_MAX
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte));
        if fits { Ok(UserName(Arc::from(text.to_ascii_lowercase()))) } else { Err(NotAUserName) }
    }
}

impl TryFrom<String> for UserName {
    type Error = NotAUserName;

    fn try_from(text: String) -> Result<UserName, NotAUserName> {
        text.parse()
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> String {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({})", self.0)
    }
}

/// The text is not a name to sign in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a user name: 1 to 64 letters, digits, and . _ - + @ are expected, the first a letter or digit")]
pub struct NotAUserName;

/// Which groups of Entra make which roles, in one tenant.
///
/// A contact center is better served by app roles: a token names at most 200 groups, and then none (Microsoft
/// identity platform: groups overage claim). Sites that have only groups map them here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupRoles(BTreeMap<Guid, BTreeSet<Role>>);

impl GroupRoles {
    /// Most groups that are mapped; more are refused.
    pub const GROUPS_MAX: usize = 256;

    /// Maps a group to a role.
    ///
    /// # Errors
    ///
    /// [`PersonFault::RoleOutOfPlace`] for the operator, whom no customer's group makes; [`PersonFault::TooMany`].
    pub fn map(&mut self, group: Guid, role: Role) -> Result<(), PersonFault> {
        if !role.is_of_tenant() {
            return Err(PersonFault::RoleOutOfPlace { role });
        }
        if !self.0.contains_key(&group) && self.0.len() >= GroupRoles::GROUPS_MAX {
            return Err(PersonFault::TooMany);
        }
        self.0.entry(group).or_default().insert(role);
        Ok(())
    }

    /// Whether no group is mapped: then nobody's groups need to be asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The groups that are mapped.
    pub fn groups(&self) -> impl Iterator<Item = &Guid> {
        self.0.keys()
    }

    /// The roles of somebody with these app roles, in these groups: what [`Person::told`] becomes.
    pub fn told(
        &self,
        app_roles: &BTreeSet<Role>,
        groups: impl IntoIterator<Item = Guid>,
    ) -> BTreeSet<EffectiveRole> {
        let by_app_role =
            app_roles.iter().map(|role| EffectiveRole { role: *role, origin: Origin::EntraAppRole });
        let by_group = groups.into_iter().flat_map(|group| {
            let origin = Origin::EntraGroup { group: Arc::from(group.as_str()) };
            let roles = self.0.get(&group).into_iter().flatten();
            roles.map(|role| EffectiveRole { role: *role, origin: origin.clone() }).collect::<Vec<_>>()
        });
        by_app_role.chain(by_group).collect()
    }
}

/// Whether a change of people leaves somebody in charge.
///
/// `people` are those of the scope as they are; `after` is one of them as they will be, `None` for `gone`, who is
/// removed. It is asked before a person is changed, disabled or removed.
///
/// # Errors
///
/// [`PersonFault::LastAdministrator`] or [`PersonFault::LastOperator`] if there is somebody in charge now and nobody
/// would be then.
pub fn leaves_somebody_in_charge<'a>(
    people: impl IntoIterator<Item = &'a Person>,
    gone: &PersonId,
    after: Option<&Person>,
    scope: &Scope,
) -> Result<(), PersonFault> {
    let (role, fault) = match scope {
        Scope::Tenant(_) => (Role::Administrator, PersonFault::LastAdministrator),
        Scope::Installation => (Role::Operator, PersonFault::LastOperator),
    };
    let mut was_in_charge = false;
    for person in people.into_iter().filter(|person| person.scope == *scope && person.holds(role)) {
        if person.id != *gone {
            return Ok(());
        }
        was_in_charge = true;
    }
    if was_in_charge && !after.is_some_and(|after| after.holds(role)) { Err(fault) } else { Ok(()) }
}

/// Why a person cannot be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonFault {
    /// The name is empty or too long.
    #[error("a name has 1 to {} bytes", Person::NAME_BYTES_MAX)]
    Name,
    /// The role is not one of a tenant, or not one of the installation.
    #[error(
        "the role {role} cannot be given here: operators belong to the installation, all others to a tenant"
    )]
    RoleOutOfPlace {
        /// Which.
        role: Role,
    },
    /// Only people of the installation have roles in other tenants.
    #[error("a person of a tenant has no roles in other tenants")]
    GuestOfTenant,
    /// Agents are of a tenant.
    #[error("a person of the installation is no agent")]
    AgentOfInstallation,
    /// The same identity stands twice.
    #[error("the same identity is given twice")]
    IdentityTwice,
    /// More identities, tenants or groups than there may be.
    #[error(
        "at most {} identities, {} tenants and {} groups",
        Person::IDENTITIES_MAX,
        Person::GUEST_TENANTS_MAX,
        GroupRoles::GROUPS_MAX
    )]
    TooMany,
    /// Nobody would be left to administer the tenant.
    #[error("this is the last administrator of the tenant; make somebody else one first")]
    LastAdministrator,
    /// Nobody would be left to run the installation.
    #[error("this is the last operator of the installation; make somebody else one first")]
    LastOperator,
}

impl PersonFault {
    /// The stable word for records and programs.
    pub const fn code(self) -> &'static str {
        match self {
            PersonFault::Name => "name",
            PersonFault::RoleOutOfPlace { .. } => "role_out_of_place",
            PersonFault::GuestOfTenant => "guest_of_tenant",
            PersonFault::AgentOfInstallation => "agent_of_installation",
            PersonFault::IdentityTwice => "identity_twice",
            PersonFault::TooMany => "too_many",
            PersonFault::LastAdministrator => "last_administrator",
            PersonFault::LastOperator => "last_operator",
        }
    }
}

fn fits(role: Role, scope: &Scope) -> bool {
    role.is_of_tenant() == (*scope != Scope::Installation)
}
