//! Callers: who asks for something, whose they are, and whether they may.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api_key::KeyId;
use crate::id::{LoginId, PersonId};
use crate::permission::{Grants, Permission, PermissionSet, Reach};
use crate::role::Role;
use crate::scope::Scope;

/// Somebody who asks: a person who signed in, a program with a key, the console of the machine.
///
/// It is made once, when somebody is known by a login or a key, and handed first to whatever they ask for. Every act
/// is authorised on its object ([`Caller::may`]), tenant first: what belongs to another tenant does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    scope: Scope,
    who: Who,
    /// The agent that the person is, in their own tenant.
    agent: Option<Arc<str>>,
    /// In the caller's own tenant; of the installation: in the installation and in every tenant.
    grants: Grants,
    /// In tenants where somebody of the installation was given roles as well.
    guest: BTreeMap<Arc<str>, Grants>,
}

impl Caller {
    /// A caller of this scope who may do this.
    pub fn new(scope: Scope, who: Who, grants: Grants) -> Caller {
        Caller { scope, who, agent: None, grants, guest: BTreeMap::new() }
    }

    /// The console of the machine: whoever may run the program with its files owns the installation. It has the rights
    /// of an operator; what it does to a tenant's own it does as a guest there ([`Caller::with_guest`]).
    pub fn console() -> Caller {
        Caller::new(Scope::Installation, Who::Console, Grants::of_roles([Role::Operator]))
    }

    /// The same, who is this agent of their tenant.
    #[must_use]
    pub fn with_agent(mut self, agent: Option<Arc<str>>) -> Caller {
        self.agent = agent;
        self
    }

    /// The same, who was given these rights in a tenant too. It counts for callers of the installation only.
    #[must_use]
    pub fn with_guest(mut self, tenant: Arc<str>, grants: Grants) -> Caller {
        if self.scope == Scope::Installation {
            self.guest.insert(tenant, grants);
        }
        self
    }

    /// Whose the caller is.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Who it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// The agent that the caller is in their own tenant, if any.
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// The person, if it is one.
    pub fn person(&self) -> Option<&PersonId> {
        match &self.who {
            Who::Person { person, .. } => Some(person),
            Who::Key { .. } | Who::Console | Who::Tandem | Who::Unknown => None,
        }
    }

    /// The tenants in which somebody of the installation was given roles as well.
    pub fn guest_tenants(&self) -> impl Iterator<Item = &Arc<str>> {
        self.guest.keys()
    }

    /// Whether the caller may do this to that object.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotYours`] if the object belongs to another tenant: to the caller it does not exist, whatever the
    /// permission. [`Refusal::NotPermitted`] if it is in reach and may not be done.
    pub fn may(&self, permission: Permission, object: Object<'_>) -> Result<(), Refusal> {
        let allowed = match self.grants_on(object)?.reach(permission) {
            Some(Reach::All) => true,
            Some(Reach::Own) => self.owns(object),
            None => false,
        };
        if allowed { Ok(()) } else { Err(Refusal::NotPermitted { permission }) }
    }

    /// How far the permission reaches in a tenant: a list of what belongs to many shows all of it or one's own.
    ///
    /// # Errors
    ///
    /// As [`Caller::may`].
    pub fn reach(&self, permission: Permission, tenant: &str) -> Result<Reach, Refusal> {
        self.grants_on(Object::Tenant(tenant))?.reach(permission).ok_or(Refusal::NotPermitted { permission })
    }

    /// What the caller may do in a tenant, to be shown to them.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotYours`] if it is another tenant.
    pub fn grants_in(&self, scope: &Scope) -> Result<Grants, Refusal> {
        match scope {
            Scope::Installation => self.grants_on(Object::Installation),
            Scope::Tenant(tenant) => self.grants_on(Object::Tenant(tenant)),
        }
    }

    /// Whether the caller may give this role to a person, or take it.
    ///
    /// An administrator gives every role of the tenant; an operator gives them too, because a new tenant has nobody
    /// else, and alone makes other operators. Nobody gives themselves what they may not do already, and a key gives
    /// nobody more than it has.
    ///
    /// # Errors
    ///
    /// As [`Caller::may`]; [`Refusal::OwnRights`] and [`Refusal::BeyondOwn`] for the last rules.
    pub fn may_assign(&self, role: Role, scope: &Scope, person: &PersonId) -> Result<(), Refusal> {
        let permission = Permission::PeopleWrite;
        self.may(permission, Object::People(scope))?;
        if role == Role::Operator {
            self.may(Permission::TenantsWrite, Object::Installation)?;
        }
        let missing = Grants::of_roles([role]).all().without(self.grants_in(scope)?.all());
        match &self.who {
            Who::Person { person: own, .. } if own == person && !missing.is_empty() => {
                Err(Refusal::OwnRights)
            }
            Who::Key { .. } if !missing.is_empty() => Err(Refusal::BeyondOwn { missing }),
            _ => Ok(()),
        }
    }

    /// Whether the caller may give these scopes to an API key.
    ///
    /// # Errors
    ///
    /// As [`Caller::may`]; [`Refusal::BeyondOwn`] if a scope is among them that the caller has not over everything
    /// there: a key never can more than whoever made it.
    pub fn may_delegate(&self, scopes: PermissionSet, scope: &Scope) -> Result<(), Refusal> {
        let object = match scope {
            Scope::Installation => Object::Installation,
            Scope::Tenant(tenant) => Object::Tenant(tenant),
        };
        self.may(Permission::KeysWrite, object)?;
        let missing = scopes.without(self.grants_on(object)?.all());
        if missing.is_empty() { Ok(()) } else { Err(Refusal::BeyondOwn { missing }) }
    }

    /// What the caller may do where the object is.
    fn grants_on(&self, object: Object<'_>) -> Result<Grants, Refusal> {
        let tenant = match object {
            Object::Installation => {
                return Ok(if self.scope == Scope::Installation { self.grants } else { Grants::NONE });
            }
            Object::Person { scope: Scope::Installation, .. } | Object::People(Scope::Installation) => {
                return if self.scope == Scope::Installation {
                    Ok(self.grants)
                } else {
                    Err(Refusal::NotYours)
                };
            }
            Object::Tenant(tenant) | Object::Agent { tenant, .. } => tenant,
            Object::Person { scope: Scope::Tenant(tenant), .. } | Object::People(Scope::Tenant(tenant)) => {
                tenant
            }
        };
        match &self.scope {
            Scope::Tenant(own) if own.as_ref() == tenant => Ok(self.grants),
            Scope::Tenant(_) => Err(Refusal::NotYours),
            Scope::Installation => {
                Ok(self.guest.get(tenant).map_or(self.grants, |guest| self.grants.union(guest)))
            }
        }
    }

    /// Whether the object is the caller's own. That the tenant is the caller's is known by then.
    fn owns(&self, object: Object<'_>) -> bool {
        match object {
            Object::Agent { tenant, agent } => {
                self.scope.tenant_name() == Some(tenant) && self.agent.as_deref() == Some(agent)
            }
            Object::Person { scope, person } => self.scope == *scope && self.person() == Some(person),
            Object::Installation | Object::Tenant(_) | Object::People(_) => false,
        }
    }
}

/// Who asks, as it stands in records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Who {
    /// Somebody who signed in.
    Person {
        /// Who.
        person: PersonId,
        /// By which login; `None` where none was opened yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        login: Option<LoginId>,
    },
    /// A program.
    Key {
        /// With which key.
        key: KeyId,
    },
    /// Somebody at the console of the machine.
    Console,
    /// Tandem itself: what time does, what another system told.
    Tandem,
    /// Nobody who is known: a sign-in that failed, a token that is not ours.
    Unknown,
}

/// What is asked for, as far as it decides who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object<'a> {
    /// The installation: its tenants, trunks and figures.
    Installation,
    /// Something of a tenant that belongs to no one person: a queue, a report, all of its calls.
    Tenant(&'a str),
    /// An agent, or what is an agent's: a conversation, a wrap-up.
    Agent {
        /// The agent's tenant.
        tenant: &'a str,
        /// The agent.
        agent: &'a str,
    },
    /// A person, or what is a person's: a login, a credential.
    Person {
        /// Whose the person is.
        scope: &'a Scope,
        /// The person.
        person: &'a PersonId,
    },
    /// The people of a tenant or of the installation, all of them or one that is not there yet.
    People(&'a Scope),
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It belongs to another tenant: to this caller there is no such thing, and that is the answer (404).
    #[error("there is no such thing")]
    NotYours,
    /// It is there, and the caller may not do that (403).
    #[error("this needs the permission {permission}")]
    NotPermitted {
        /// What it would take.
        permission: Permission,
    },
    /// A key was to be given more than its maker has, or a person more by a key than it has (403).
    #[error("nobody can be given by this caller what it does not have: {missing:?}")]
    BeyondOwn {
        /// What the caller does not have.
        missing: PermissionSet,
    },
    /// Somebody was about to raise their own rights (403).
    #[error("nobody gives a role with more rights to themselves; another administrator can")]
    OwnRights,
}

impl Refusal {
    /// The stable word for records and programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Refusal::NotYours => "not_yours",
            Refusal::NotPermitted { .. } => "not_permitted",
            Refusal::BeyondOwn { .. } => "beyond_own",
            Refusal::OwnRights => "own_rights",
        }
    }
}
