//! People as they are kept: found, added, changed, removed, and their logins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tandem_people::audit::Entry;
use tandem_people::caller::Caller;
use tandem_people::id::{LoginId, PersonId};
use tandem_people::login::{Ending, LoginRow, SignIn};
use tandem_people::moment::UnixMillis;
use tandem_people::person::{Guid, Identity as Known, Person, UserName, leaves_somebody_in_charge};
use tandem_people::role::Role;
use tandem_people::scope::Scope;
use tandem_store::PAGE_MAX;

use super::fault::IdentityFault;
use super::rows::{self, Document, people_scope};
use super::{Identity, of};

/// A person that somebody wants to add.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    /// The name as it is shown.
    pub name: String,
    /// The name for a local sign-in.
    pub user_name: Option<UserName>,
    /// The user in Entra: tenant and object id.
    pub entra: Option<(Guid, Guid)>,
    /// The roles.
    pub roles: BTreeSet<Role>,
    /// Roles in tenants, of somebody of the installation.
    pub guest: BTreeMap<Arc<str>, BTreeSet<Role>>,
    /// The agent that the person is.
    pub agent: Option<Arc<str>>,
}

/// What is to be changed of a person; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    /// The name as it is shown.
    pub name: Option<String>,
    /// The name for a local sign-in; `Some(None)` takes it away.
    pub user_name: Option<Option<UserName>>,
    /// The roles that were given here, all of them.
    pub roles: Option<BTreeSet<Role>>,
    /// Roles in tenants, all of them.
    pub guest: Option<BTreeMap<Arc<str>, BTreeSet<Role>>>,
    /// The agent; `Some(None)` takes the link away.
    pub agent: Option<Option<Arc<str>>>,
    /// Whether the person may sign in.
    pub enabled: Option<bool>,
}

impl Identity {
    /// A person; `None` if there is nobody of this id.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn person(&self, scope: &Scope, id: &PersonId) -> Result<Option<Person>, IdentityFault> {
        let row = self.shared.register.person(of(scope)?, id.as_str())?;
        let document = row.as_ref().map(rows::document).transpose()?;
        if let Some(configured) = self.in_force().roster.get(scope, id) {
            return Ok(Some(configured.person(id, document)));
        }
        Ok(document.filter(|document| !document.configured).map(|document| document.person))
    }

    /// Whose the person of this id is, if somebody has it.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn whose_person(&self, id: &PersonId) -> Result<Option<Scope>, IdentityFault> {
        let in_force = self.in_force();
        let mut configured = in_force.roster.all().filter(|(known, _)| *known == id);
        if let Some((_, person)) = configured.next() {
            return Ok(Some(person.scope.clone()));
        }
        Ok(self.shared.register.whose_person(id.as_str())?.as_ref().map(people_scope))
    }

    /// Whether the person stands in the configuration.
    pub fn is_configured(&self, scope: &Scope, id: &PersonId) -> bool {
        self.in_force().roster.get(scope, id).is_some()
    }

    /// Who has this identity, in whatever tenant.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn person_known_as(&self, known: &Known) -> Result<Option<Person>, IdentityFault> {
        let in_force = self.in_force();
        let configured =
            in_force.roster.all().find(|(_, person)| person.identities().any(|own| own == *known));
        if let Some((id, person)) = configured {
            return self.person(&person.scope, id);
        }
        let row = rows::identity_row(known);
        match self.shared.register.person_by_identity(&row.kind, &row.issuer, &row.subject)? {
            None => Ok(None),
            Some((scope, row)) => {
                let id: PersonId = row.id.parse().map_err(|_| IdentityFault::Unknown("person"))?;
                let found = self.person(&people_scope(&scope), &id)?;
                Ok(found.filter(|person| person.identities.contains(known)))
            }
        }
    }

    /// People by id, after one, at most so many.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn people_page(
        &self,
        scope: &Scope,
        after: Option<&PersonId>,
        limit: usize,
    ) -> Result<Vec<Person>, IdentityFault> {
        let kept = of(scope)?;
        let mut found: BTreeMap<PersonId, Person> = BTreeMap::new();
        for (id, configured) in self.in_force().roster.of_scope(scope) {
            if after.is_none_or(|after| id > after) {
                let row = self.shared.register.person(&kept, id.as_str())?;
                let document = row.as_ref().map(rows::document).transpose()?;
                found.insert(id.clone(), configured.person(id, document));
            }
        }
        let mut from = after.map(PersonId::to_string);
        let mut others = 0;
        while others < limit {
            let page = self.shared.register.people(&kept, from.as_deref(), limit.clamp(1, PAGE_MAX))?;
            let Some(last) = page.last() else { break };
            from = Some(last.id.clone());
            for row in &page {
                let document = rows::document(row)?;
                if !document.configured && !found.contains_key(&document.person.id) {
                    others += 1;
                    found.insert(document.person.id.clone(), document.person);
                }
            }
        }
        Ok(found.into_values().take(limit).collect())
    }

    /// Everybody of a scope: for questions that need all, which are rare.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn people(&self, scope: &Scope) -> Result<Vec<Person>, IdentityFault> {
        let mut all: Vec<Person> = Vec::new();
        loop {
            let after = all.last().map(|person| person.id.clone());
            let page = self.people_page(scope, after.as_ref(), PAGE_MAX)?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Adds a person.
    ///
    /// # Errors
    ///
    /// The caller may not give these roles; the person cannot be so; the identity is somebody else's.
    pub fn person_create(
        &self,
        caller: &Caller,
        scope: &Scope,
        wish: NewPerson,
        now: UnixMillis,
    ) -> Result<Person, IdentityFault> {
        let entra = wish.entra.map(|(tenant, user)| Known::Entra { tenant, user });
        let local = wish.user_name.map(|user_name| Known::Local { user_name });
        let person = Person {
            id: PersonId::from_random(self.random()),
            scope: scope.clone(),
            name: wish.name.as_str().into(),
            identities: entra.into_iter().chain(local).collect(),
            assigned: wish.roles,
            told: BTreeSet::new(),
            guest: wish.guest,
            agent: wish.agent,
            enabled: true,
            created: now,
        };
        self.may_be_given(caller, &person, None)?;
        self.check(&person)?;
        let _order = self.order();
        self.agent_is_free(&person, None)?;
        self.put(&person, now)?;
        self.tell_tenants(caller, None, Some(&person), now);
        Ok(person)
    }

    /// Changes a person. It counts from the next request of theirs on.
    ///
    /// # Errors
    ///
    /// As for one that is added; the person is of the configuration; nobody would be left in charge.
    pub fn person_change(
        &self,
        caller: &Caller,
        scope: &Scope,
        id: &PersonId,
        change: PersonChange,
        now: UnixMillis,
    ) -> Result<Person, IdentityFault> {
        let _order = self.order();
        let before = self.person(scope, id)?.ok_or(IdentityFault::Unknown("person"))?;
        if self.is_configured(scope, id) {
            return Err(IdentityFault::OfConfiguration);
        }
        let mut after = before.clone();
        if let Some(name) = change.name {
            after.name = name.as_str().into();
        }
        if let Some(user_name) = change.user_name {
            after.identities.retain(|known| !matches!(known, Known::Local { .. }));
            after.identities.extend(user_name.map(|user_name| Known::Local { user_name }));
        }
        if let Some(roles) = change.roles {
            after.assigned = roles;
        }
        if let Some(guest) = change.guest {
            after.guest = guest;
        }
        if let Some(agent) = change.agent {
            after.agent = agent;
        }
        if let Some(enabled) = change.enabled {
            after.enabled = enabled;
        }
        self.may_be_given(caller, &after, Some(&before))?;
        self.check(&after)?;
        self.agent_is_free(&after, Some(&before))?;
        self.stays_in_charge(scope, &before, Some(&after))?;
        self.put(&after, now)?;
        self.in_state(|state| state.logins.person_changed(now, &after));
        self.write_changes()?;
        self.tell_change();
        self.tell_tenants(caller, Some(&before), Some(&after), now);
        Ok(after)
    }

    /// Removes a person, with credentials and logins.
    ///
    /// # Errors
    ///
    /// The person is of the configuration, or not there; nobody would be left in charge.
    pub fn person_remove(
        &self,
        caller: &Caller,
        scope: &Scope,
        id: &PersonId,
        now: UnixMillis,
    ) -> Result<(), IdentityFault> {
        let _order = self.order();
        let person = self.person(scope, id)?.ok_or(IdentityFault::Unknown("person"))?;
        if self.is_configured(scope, id) {
            return Err(IdentityFault::OfConfiguration);
        }
        self.stays_in_charge(scope, &person, None)?;
        self.in_state(|state| state.logins.revoke_all(now, id, None, Ending::Disabled));
        self.shared.register.person_remove(of(scope)?, id.as_str())?;
        let _ = self.shared.people.send(scope.clone());
        self.tell_tenants(caller, Some(&person), None, now);
        self.write_changes()
    }

    /// The logins of a person.
    pub fn logins(&self, person: &PersonId) -> Vec<LoginRow> {
        self.state().logins.of_person(person).cloned().collect()
    }

    /// Ends a login of a person.
    ///
    /// # Errors
    ///
    /// There is no such login of theirs; the disk failed. Then it has ended all the same, and that is written when it can be.
    pub fn login_revoke(
        &self,
        person: &PersonId,
        login: &LoginId,
        why: Ending,
        now: UnixMillis,
    ) -> Result<(), IdentityFault> {
        let _order = self.order();
        let is_theirs = self.state().logins.login(login).is_some_and(|row| row.person == *person);
        if !is_theirs {
            return Err(IdentityFault::Unknown("login"));
        }
        self.in_state(|state| state.logins.revoke(now, login, why));
        self.write_changes()
    }

    /// Ends all logins of a person, but for one. Answers with how many.
    ///
    /// # Errors
    ///
    /// The disk failed. Then they have ended all the same, and that is written when it can be.
    pub fn logins_revoke(
        &self,
        person: &PersonId,
        but: Option<&LoginId>,
        why: Ending,
        now: UnixMillis,
    ) -> Result<usize, IdentityFault> {
        let _order = self.order();
        let ended = self.in_state(|state| {
            let before = state.logins.of_person(person).count();
            state.logins.revoke_all(now, person, but, why);
            before - state.logins.of_person(person).count()
        });
        self.write_changes()?;
        Ok(ended)
    }

    /// An Entra tenant is the tenant's no longer: the logins that its people opened by it end. Answers with how many.
    ///
    /// # Errors
    ///
    /// The register cannot be read or written.
    pub fn entra_left(&self, scope: &Scope, tid: &Guid, now: UnixMillis) -> Result<usize, IdentityFault> {
        let _order = self.order();
        let of_it = |known: &Known| matches!(known, Known::Entra { tenant, .. } if tenant == tid);
        let people = self.people_naming(scope, tid.as_str())?;
        let people = people.iter().filter(|person| person.identities.iter().any(of_it));
        let by_it = |login: &LoginRow| matches!(login.how, SignIn::Entra | SignIn::Teams);
        let logins: Vec<LoginId> =
            people.flat_map(|person| self.logins(&person.id)).filter(by_it).map(|login| login.id).collect();
        self.in_state(|state| logins.iter().for_each(|id| state.logins.revoke(now, id, Ending::Revoked)));
        self.write_changes()?;
        Ok(logins.len())
    }

    pub(super) fn put(&self, person: &Person, now: UnixMillis) -> Result<(), IdentityFault> {
        let configured = self.is_configured(&person.scope, &person.id);
        let document = Document { person: person.clone(), configured };
        let row = rows::person_row(&document, now);
        // What the configuration says is nobody else's, whether it was written here yet or not.
        let in_force = self.in_force();
        for known in person.identities.iter().filter(|_| !configured) {
            let mut all = in_force.roster.all();
            if all.any(|(_, other)| other.identities().any(|own| own == *known)) {
                return Err(IdentityFault::Taken("identity"));
            }
        }
        self.shared.register.person_put(of(&person.scope)?, &row)?;
        // Nobody may be following.
        let _ = self.shared.people.send(person.scope.clone());
        Ok(())
    }

    /// The row to which credentials and logins belong. Only people of the configuration may have none yet.
    pub(super) fn put_if_configured(&self, person: &Person, now: UnixMillis) -> Result<(), IdentityFault> {
        let missing = self.is_configured(&person.scope, &person.id)
            && self.shared.register.person(of(&person.scope)?, person.id.as_str())?.is_none();
        if missing { self.put(person, now) } else { Ok(()) }
    }

    /// Whether somebody could sign in as this person.
    pub(super) fn can_prove(&self, person: &Person) -> Result<bool, IdentityFault> {
        if person.identities.iter().any(|known| matches!(known, Known::Entra { .. })) {
            return Ok(true);
        }
        Ok(self.credentials(&person.scope, &person.id)?.iter().any(|credential| credential.lets_in()))
    }

    /// Takes back the keys of these scopes.
    pub(super) fn restore_keys(&self, of_these: impl Fn(&Scope) -> bool) -> Result<(), IdentityFault> {
        let in_force = self.in_force();
        let tenants = in_force.settings.tenants.keys().map(|tenant| Scope::tenant(tenant.as_str()));
        for scope in tenants.chain([Scope::Installation]).filter(of_these) {
            for row in self.shared.register.keys(of(&scope)?)? {
                let key = rows::key(&scope, &row)?;
                self.in_state(|state| state.keys.restore(key));
            }
        }
        Ok(())
    }

    /// Takes back who is signed in, of these scopes.
    pub(super) fn restore_logins(
        &self,
        now: UnixMillis,
        of_these: impl Fn(&Scope) -> bool,
    ) -> Result<(), IdentityFault> {
        let mut after: Option<String> = None;
        loop {
            let page = self.shared.register.logins_alive(rows::millis(now), after.as_deref(), PAGE_MAX)?;
            let Some((_, last)) = page.last() else { break };
            after = Some(last.id.clone());
            for (scope, row) in page {
                let scope = people_scope(&scope);
                let login = rows::login(&scope, &row).filter(|_| of_these(&scope));
                let Some(login) = login else { continue };
                if let Some(person) = self.person(&scope, &login.person)? {
                    self.in_state(|state| state.logins.restore(now, login, &person));
                }
            }
        }
        self.write_changes()
    }

    /// Whether the caller may give what the person has now and had not before, and take what it had.
    fn may_be_given(
        &self,
        caller: &Caller,
        after: &Person,
        before: Option<&Person>,
    ) -> Result<(), IdentityFault> {
        let none = BTreeSet::new();
        let had = before.map_or(&none, |before| &before.assigned);
        for role in after.assigned.symmetric_difference(had) {
            caller.may_assign(*role, &after.scope, &after.id)?;
        }
        let no_guest = BTreeMap::new();
        let guest_before = before.map_or(&no_guest, |before| &before.guest);
        let tenants: BTreeSet<&Arc<str>> = after.guest.keys().chain(guest_before.keys()).collect();
        for tenant in tenants {
            let (now, had) =
                (after.guest.get(tenant).unwrap_or(&none), guest_before.get(tenant).unwrap_or(&none));
            for role in now.symmetric_difference(had) {
                caller.may_assign(*role, &Scope::Tenant(tenant.clone()), &after.id)?;
            }
        }
        Ok(())
    }

    fn check(&self, person: &Person) -> Result<(), IdentityFault> {
        person.check()?;
        let in_force = self.in_force();
        let tenant_of = |name: &str| name.parse().ok().and_then(|id| in_force.settings.tenants.get(&id));
        if let (Some(agent), Some(tenant)) = (&person.agent, person.scope.tenant_name())
            && !tenant_of(tenant).is_some_and(|tenant| tenant.agents.contains(agent))
        {
            return Err(IdentityFault::UnknownAgent { agent: agent.to_string() });
        }
        if person.guest.keys().any(|tenant| tenant_of(tenant).is_none()) {
            return Err(IdentityFault::Unknown("tenant"));
        }
        for known in &person.identities {
            // A user of somebody else's Entra tenant is not theirs to claim.
            if let (Known::Entra { tenant, .. }, Some(own)) = (known, person.scope.tenant_name()) {
                let mapped = self.shared.register.tenant_by_entra(tenant.as_str())?;
                if mapped.is_none_or(|mapped| mapped.as_str() != own) {
                    return Err(IdentityFault::NotOnboarded { tid: tenant.to_string() });
                }
            }
        }
        Ok(())
    }

    /// Whether nobody else is the agent that the person becomes: an agent is one person.
    fn agent_is_free(&self, after: &Person, before: Option<&Person>) -> Result<(), IdentityFault> {
        let Some(agent) = &after.agent else { return Ok(()) };
        if before.is_some_and(|before| before.agent.as_ref() == Some(agent)) {
            return Ok(());
        }
        let text = format!("\"agent\":{}", serde_json::to_string(agent).unwrap_or_default());
        let everybody = self.people_naming(&after.scope, &text)?;
        let other = |other: &&Person| other.id != after.id && other.agent.as_ref() == Some(agent);
        match everybody.iter().find(other) {
            Some(other) => {
                Err(IdentityFault::AgentTaken { agent: agent.to_string(), by: other.name.to_string() })
            }
            None => Ok(()),
        }
    }

    /// Roles in a tenant that somebody of the installation is given or loses stand in that tenant's trail.
    fn tell_tenants(
        &self,
        caller: &Caller,
        before: Option<&Person>,
        after: Option<&Person>,
        now: UnixMillis,
    ) {
        let Some(person) = after.or(before) else { return };
        let none = BTreeSet::new();
        let of = |person: Option<&Person>, tenant: &Arc<str>| {
            let roles = person.and_then(|person| person.guest.get(tenant)).unwrap_or(&none);
            roles.iter().map(Role::to_string).collect::<Vec<_>>().join(", ")
        };
        let tenants: BTreeSet<&Arc<str>> =
            before.into_iter().chain(after).flat_map(|person| person.guest.keys()).collect();
        for tenant in tenants {
            let (had, has) = (of(before, tenant), of(after, tenant));
            if had != has {
                let object = format!("person/{}", person.id);
                let entry = Entry::new(now, caller, Scope::Tenant(tenant.clone()), "guest.change", &object);
                let entry = entry.with("name", &person.name).with("roles_before", &had);
                self.audit(entry.with("roles", &has));
            }
        }
    }

    fn stays_in_charge(
        &self,
        scope: &Scope,
        before: &Person,
        after: Option<&Person>,
    ) -> Result<(), IdentityFault> {
        let role = if *scope == Scope::Installation { Role::Operator } else { Role::Administrator };
        if !before.holds(role) || after.is_some_and(|after| after.holds(role)) {
            return Ok(());
        }
        let text = serde_json::to_string(&role).unwrap_or_default();
        let people = self.people_naming(scope, &text)?;
        Ok(leaves_somebody_in_charge(&people, &before.id, after, scope)?)
    }

    /// People of whom something is kept with this text in it, and all of the configuration: others are not read, so that
    /// whoever changes somebody in a large tenant keeps nobody of another waiting.
    fn people_naming(&self, scope: &Scope, text: &str) -> Result<Vec<Person>, IdentityFault> {
        let kept = of(scope)?;
        let mut found = Vec::new();
        for (id, configured) in self.in_force().roster.of_scope(scope) {
            let row = self.shared.register.person(&kept, id.as_str())?;
            let document = row.as_ref().map(rows::document).transpose()?;
            found.push(configured.person(id, document));
        }
        let in_force = self.in_force();
        for row in self.shared.register.people_naming(&kept, text, PAGE_MAX)? {
            let document = rows::document(&row)?;
            if !document.configured && in_force.roster.get(scope, &document.person.id).is_none() {
                found.push(document.person);
            }
        }
        Ok(found)
    }
}
