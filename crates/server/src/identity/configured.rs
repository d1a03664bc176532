//! People of the configuration: they are in force as they stand there, and what they may do is changed there.
//!
//! The register keeps a row for such a person only to hold credentials and logins, made when there are some.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tandem_people::id::PersonId;
use tandem_people::login::LoginTerms;
use tandem_people::moment::UnixMillis;
use tandem_people::person::{GroupRoles, Guid, Identity as Known, Person, UserName};
use tandem_people::role::{EffectiveRole, Origin, Role};
use tandem_people::scope::Scope;
use tandem_people::secret::SecretHash;
use tandem_store::Tenant;
use tandem_store::register::Register;

use super::fault::IdentityFault;
use super::rows::{self, Document, people_scope};

/// What the configuration says of people and of signing in.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// For how long logins are good.
    pub terms: LoginTerms,
    /// Whether people sign in with passwords and passkeys.
    pub local: bool,
    /// Whether people sign in with Microsoft 365.
    pub entra: bool,
    /// How long entries of the audit trail are kept.
    pub audit_kept: Duration,
    /// The tenants of the configuration.
    pub tenants: BTreeMap<Tenant, Configured>,
    /// People of the configuration, operators among them.
    pub people: Vec<ConfiguredPerson>,
    /// Who signs in with one click and no proof: for a demo on loopback only.
    pub one_click: Vec<OneClick>,
}

impl Default for IdentitySettings {
    /// One tenant who is alone, and nobody.
    fn default() -> IdentitySettings {
        IdentitySettings {
            terms: LoginTerms::default(),
            local: true,
            entra: false,
            audit_kept: AUDIT_KEPT,
            tenants: BTreeMap::from([(Tenant::only(), Configured::default())]),
            people: Vec::new(),
            one_click: Vec::new(),
        }
    }
}

/// What the configuration says of one tenant, as far as people are concerned.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// Its agents, by id.
    pub agents: BTreeSet<Arc<str>>,
    /// Which groups of Entra make which roles.
    pub groups: GroupRoles,
}

/// A person of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredPerson {
    /// Whose the person is.
    pub scope: Scope,
    /// The name as it is shown.
    pub name: Arc<str>,
    /// The name for a local sign-in.
    pub user_name: Option<UserName>,
    /// The user in Entra.
    pub entra: Option<EntraName>,
    /// The roles.
    pub roles: BTreeSet<Role>,
    /// Roles in tenants, of somebody of the installation.
    pub guest: BTreeMap<Arc<str>, BTreeSet<Role>>,
    /// The agent that the person is.
    pub agent: Option<Arc<str>>,
}

/// How the configuration names a user in Entra.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntraName {
    /// By ids, which never change.
    User {
        /// The Entra tenant.
        tenant: Guid,
        /// The user's object id.
        user: Guid,
    },
    /// By the name that people sign in with. At the first sign-in the object id is noted and counts from then on: the name
    /// may be given to somebody else one day.
    Principal {
        /// The Entra tenant.
        tenant: Guid,
        /// The name, in lower case.
        name: Arc<str>,
    },
}

/// Somebody who signs in with one click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneClick {
    /// The user name of a person of the configuration.
    pub user_name: UserName,
}

/// The people of the configuration with the ids that they have here.
#[derive(Default)]
pub(super) struct Roster {
    people: BTreeMap<Scope, BTreeMap<PersonId, ConfiguredPerson>>,
}

impl Roster {
    /// Gives each person of the configuration an id: the one of the register, if somebody there has the same identity, else
    /// one that is always the same.
    pub(super) fn adopt(register: &Register, settings: &IdentitySettings) -> Result<Roster, IdentityFault> {
        let mut roster = Roster::default();
        for person in &settings.people {
            let id = match person.known() {
                None => person.own_id(),
                Some(known) => {
                    let row = rows::identity_row(&known);
                    match register.person_by_identity(&row.kind, &row.issuer, &row.subject)? {
                        None => person.own_id(),
                        Some((scope, row)) if people_scope(&scope) == person.scope => {
                            row.id.parse().map_err(|_| IdentityFault::Unknown("person"))?
                        }
                        Some(_) => return Err(IdentityFault::Taken("user of the configuration")),
                    }
                }
            };
            roster.people.entry(person.scope.clone()).or_default().insert(id, person.clone());
        }
        Ok(roster)
    }

    /// Removes what the register keeps of people who left the configuration: credentials and logins. Without this they are
    /// nobody already.
    pub(super) fn sweep(
        &self,
        register: &Register,
        settings: &IdentitySettings,
    ) -> Result<(), IdentityFault> {
        let tenants = settings.tenants.keys().map(|tenant| Scope::tenant(tenant.as_str()));
        for scope in tenants.chain([Scope::Installation]) {
            self.sweep_scope(register, &scope)?;
        }
        Ok(())
    }

    pub(super) fn get(&self, scope: &Scope, id: &PersonId) -> Option<&ConfiguredPerson> {
        self.people.get(scope)?.get(id)
    }

    /// Who is here or there only, or is not the same in both.
    pub(super) fn differences(&self, other: &Roster) -> Vec<(Scope, PersonId)> {
        let only = |these: &Roster, those: &Roster| {
            let all =
                these.people.iter().flat_map(|(scope, people)| people.iter().map(move |one| (scope, one)));
            let other = all.filter(|(scope, (id, person))| those.get(scope, id) != Some(*person));
            other.map(|(scope, (id, _))| (scope.clone(), id.clone())).collect::<BTreeSet<_>>()
        };
        only(self, other).union(&only(other, self)).cloned().collect()
    }

    pub(super) fn of_scope(&self, scope: &Scope) -> impl Iterator<Item = (&PersonId, &ConfiguredPerson)> {
        self.people.get(scope).into_iter().flatten()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&PersonId, &ConfiguredPerson)> {
        self.people.values().flatten()
    }

    fn sweep_scope(&self, register: &Register, scope: &Scope) -> Result<(), IdentityFault> {
        let kept = super::of(scope)?;
        let mut after: Option<String> = None;
        loop {
            let page = register.people(&kept, after.as_deref(), tandem_store::PAGE_MAX)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for row in &page {
                let document = rows::document(row)?;
                if document.configured && self.get(scope, &document.person.id).is_none() {
                    tracing::info!(person.id = row.id, "a person left the configuration");
                    register.person_remove(&kept, &row.id)?;
                    continue;
                }
                let is_linked = |(_, other): (_, &ConfiguredPerson)| other.agent == document.person.agent;
                let linked = document.person.agent.as_ref().filter(|_| !document.configured);
                if let Some(agent) = linked
                    && self.of_scope(scope).any(is_linked)
                {
                    tracing::warn!(
                        %scope, %agent, person.id = row.id,
                        "two people are this agent, one of them by the configuration; take the link from the other"
                    );
                }
            }
        }
    }
}

impl ConfiguredPerson {
    /// The person as it is in force, with what the register keeps of them.
    pub(super) fn person(&self, id: &PersonId, kept: Option<Document>) -> Person {
        let (created, kept_identities, kept_told) = match kept {
            None => (UnixMillis::default(), Vec::new(), BTreeSet::new()),
            Some(Document { person, .. }) => (person.created, person.identities, person.told),
        };
        let mut identities: Vec<Known> = self.identities().collect();
        let bound = |known: &Known| match (known, &self.entra) {
            (Known::Entra { tenant, .. }, Some(EntraName::Principal { tenant: named, .. })) => {
                tenant == named
            }
            _ => false,
        };
        identities.extend(kept_identities.into_iter().filter(bound));
        let told = kept_told.into_iter().filter(|role| role.origin != Origin::Configuration);
        let own = self.roles.iter().map(|role| EffectiveRole { role: *role, origin: Origin::Configuration });
        Person {
            id: id.clone(),
            scope: self.scope.clone(),
            name: self.name.clone(),
            identities,
            assigned: BTreeSet::new(),
            told: told.chain(own).collect(),
            guest: self.guest.clone(),
            agent: self.agent.clone(),
            enabled: true,
            created,
        }
    }

    /// Whether this is the user of these claims. A person named by principal name who has been bound is found by
    /// identity, not by this.
    pub(super) fn is_principal(&self, tid: &Guid, principal_name: Option<&str>) -> bool {
        match (&self.entra, principal_name) {
            (Some(EntraName::Principal { tenant, name }), Some(given)) => {
                tenant == tid && given.to_lowercase() == **name
            }
            _ => false,
        }
    }

    /// The identities that stand in the configuration.
    pub(super) fn identities(&self) -> impl Iterator<Item = Known> {
        let local = self.user_name.clone().map(|user_name| Known::Local { user_name });
        let entra = match &self.entra {
            Some(EntraName::User { tenant, user }) => {
                Some(Known::Entra { tenant: tenant.clone(), user: user.clone() })
            }
            Some(EntraName::Principal { .. }) | None => None,
        };
        entra.into_iter().chain(local)
    }

    fn known(&self) -> Option<Known> {
        self.identities().next()
    }

    /// The same at each start, as long as the configuration names the person alike.
    fn own_id(&self) -> PersonId {
        let scope = self.scope.tenant_name().unwrap_or_default();
        let named = match (&self.entra, &self.user_name) {
            (Some(EntraName::User { tenant, user }), _) => format!("{tenant} {user}"),
            (Some(EntraName::Principal { tenant, name }), _) => format!("{tenant} {name}"),
            (None, Some(user_name)) => user_name.to_string(),
            (None, None) => self.name.to_string(),
        };
        let hash = SecretHash::of(&format!("configured person {scope} {named}"));
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.as_bytes()).for_each(|(byte, of_hash)| *byte = *of_hash);
        PersonId::from_random(bytes)
    }
}

/// How long entries of the audit trail are kept unless configured otherwise: a year.
const AUDIT_KEPT: Duration = Duration::from_secs(365 * 86_400);
