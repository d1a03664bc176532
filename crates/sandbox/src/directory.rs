//! The directory: tenants with their people and groups, the applications that are registered, and what each
//! application has been granted in each tenant.
//!
//! Entra issues tokens by it, and Graph reads it. Every change is written into a log, so that delta queries can tell
//! what has changed since.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::{AppConfig, SandboxConfig, UserConfig};

mod id;
mod tenant;

pub use id::{AppId, EntraTenantId, ObjectId};
pub use tenant::{Assigned, Group, Holder, ServicePrincipal, Tenant, User};

/// All tenants and all applications.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    tenants: BTreeMap<EntraTenantId, Tenant>,
    apps: BTreeMap<AppId, AppConfig>,
    changes: Vec<Change>,
    forgotten: u64,
}

impl Directory {
    /// The directory as it is configured; the log of changes is empty.
    pub fn new(config: &SandboxConfig) -> Self {
        let mut directory = Self::default();
        for app in &config.apps {
            directory.apps.insert(AppId::new(&app.id), app.clone());
        }
        for tenant in &config.tenants {
            let id = EntraTenantId::new(&tenant.id);
            let domain = tenant.domains.first().cloned().unwrap_or_default();
            let mut built = Tenant {
                id: id.clone(),
                name: tenant.name.clone(),
                domains: tenant.domains.clone(),
                users: BTreeMap::new(),
                groups: BTreeMap::new(),
                principals: BTreeMap::new(),
            };
            for user in tenant.everyone() {
                built.add(User::new(&id, &domain, user), &user.groups);
            }
            directory.tenants.insert(id, built);
        }
        for app in &config.apps {
            for tenant in &app.consented {
                // A tenant that is not there cannot have consented.
                let _ = directory.consent(&EntraTenantId::new(tenant), &AppId::new(&app.id));
            }
        }
        directory.changes.clear();
        directory
    }

    /// All tenants.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// A tenant by its id.
    pub fn tenant(&self, id: &EntraTenantId) -> Option<&Tenant> {
        self.tenants.get(id)
    }

    /// A tenant by its id or one of its domains, as both may stand in an address of Entra.
    pub fn tenant_named(&self, name: &str) -> Option<&Tenant> {
        self.tenants.get(&EntraTenantId::new(name)).or_else(|| {
            let is = |domain: &String| domain.eq_ignore_ascii_case(name);
            self.tenants.values().find(|tenant| tenant.domains.iter().any(is))
        })
    }

    /// All applications.
    pub fn apps(&self) -> impl Iterator<Item = &AppConfig> {
        self.apps.values()
    }

    /// An application by its client id.
    pub fn app(&self, id: &AppId) -> Option<&AppConfig> {
        self.apps.get(id)
    }

    /// Registers an application, or changes its registration. What tenants have granted stays.
    pub fn register(&mut self, app: AppConfig) {
        self.apps.insert(AppId::new(&app.id), app);
    }

    /// The application whose API a resource names: by client id, or by Application ID URI.
    pub fn app_of_resource(&self, resource: &str) -> Option<&AppConfig> {
        self.apps.get(&AppId::new(resource)).or_else(|| {
            self.apps.values().find(|app| app.uri().eq_ignore_ascii_case(resource.trim_end_matches('/')))
        })
    }

    /// Somebody by tenant and object id.
    pub fn user(&self, tenant: &EntraTenantId, id: &ObjectId) -> Option<&User> {
        self.tenants.get(tenant)?.users.get(id)
    }

    /// Somebody of any tenant by the short name that the control uses, by principal name or by object id.
    pub fn user_named(&self, name: &str) -> Option<&User> {
        let everyone = || self.tenants.values().flat_map(|tenant| tenant.users.values());
        everyone().find(|user| user.id == name).or_else(|| {
            everyone().find(|user| {
                user.principal.eq_ignore_ascii_case(name) || user.object_id == ObjectId::new(name)
            })
        })
    }

    /// An administrator of a tenant consents: the application is in the tenant from now on, with everything that it
    /// asks for. People get the roles that the configuration gives them.
    pub fn consent(&mut self, tenant: &EntraTenantId, app: &AppId) -> Result<(), DirectoryRefusal> {
        let registration = self.apps.get(app).ok_or(DirectoryRefusal::NoApp)?;
        let (permissions, delegated) = (registration.permissions.clone(), registration.delegated.clone());
        self.consent_to(tenant, app, permissions, delegated)
    }

    /// An administrator consents to these application permissions and delegated permissions only.
    pub fn consent_to(
        &mut self,
        tenant: &EntraTenantId,
        app: &AppId,
        permissions: impl IntoIterator<Item = String>,
        delegated: impl IntoIterator<Item = String>,
    ) -> Result<(), DirectoryRefusal> {
        let registration = self.apps.get(app).ok_or(DirectoryRefusal::NoApp)?;
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        let mut assigned = Vec::new();
        for user in found.users.values() {
            let known = registration.roles.iter().filter(|role| user.app_roles.contains(&role.value));
            assigned.extend(
                known
                    .map(|role| Assigned { to: Holder::User(user.object_id.clone()), role: role.id.clone() }),
            );
        }
        let principal = found.install(app);
        principal.permissions.extend(permissions);
        let granted = principal.delegated.entry(None).or_default();
        granted.extend(delegated);
        granted.extend(registration.scopes.iter().cloned());
        principal.roles.extend(assigned);
        self.changed(tenant, Changed::Consent(app.clone()));
        Ok(())
    }

    /// Somebody consents for himself to delegated permissions; the application comes into the tenant with it.
    pub fn consent_as_user(
        &mut self,
        tenant: &EntraTenantId,
        app: &AppId,
        user: &ObjectId,
        scopes: impl IntoIterator<Item = String>,
    ) -> Result<(), DirectoryRefusal> {
        if !self.apps.contains_key(app) {
            return Err(DirectoryRefusal::NoApp);
        }
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        if !found.users.contains_key(user) {
            return Err(DirectoryRefusal::NoUser);
        }
        found.install(app).delegated.entry(Some(user.clone())).or_default().extend(scopes);
        self.changed(tenant, Changed::Consent(app.clone()));
        Ok(())
    }

    /// An administrator removes the application from the tenant, and all grants and assignments with it.
    pub fn withdraw_consent(&mut self, tenant: &EntraTenantId, app: &AppId) -> Result<(), DirectoryRefusal> {
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        found.principals.remove(app).ok_or(DirectoryRefusal::NotConsented)?;
        self.changed(tenant, Changed::Consent(app.clone()));
        Ok(())
    }

    /// An administrator takes one application permission back.
    pub fn withdraw_permission(
        &mut self,
        tenant: &EntraTenantId,
        app: &AppId,
        permission: &str,
    ) -> Result<(), DirectoryRefusal> {
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        let principal = found.principals.get_mut(app).ok_or(DirectoryRefusal::NotConsented)?;
        let mut taken = principal.permissions.remove(permission);
        for scopes in principal.delegated.values_mut() {
            taken |= scopes.remove(permission);
        }
        if !taken {
            return Err(DirectoryRefusal::NotConsented);
        }
        self.changed(tenant, Changed::Consent(app.clone()));
        Ok(())
    }

    /// Assigns an app role to a user or a group, or takes it away.
    pub fn set_role(
        &mut self,
        tenant: &EntraTenantId,
        app: &AppId,
        holder: Holder,
        role: &str,
        assigned: bool,
    ) -> Result<(), DirectoryRefusal> {
        let registration = self.apps.get(app).ok_or(DirectoryRefusal::NoApp)?;
        let role = registration.roles.iter().find(|known| known.value == role || known.id == role);
        let role = role.ok_or(DirectoryRefusal::NoRole)?.id.clone();
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        match &holder {
            Holder::User(user) if !found.users.contains_key(user) => return Err(DirectoryRefusal::NoUser),
            Holder::Group(group) if !found.groups.contains_key(group) => {
                return Err(DirectoryRefusal::NoGroup);
            }
            Holder::User(_) | Holder::Group(_) => {}
        }
        let principal = found.principals.get_mut(app).ok_or(DirectoryRefusal::NotConsented)?;
        let assignment = Assigned { to: holder, role };
        if assigned {
            principal.roles.insert(assignment);
        } else {
            principal.roles.remove(&assignment);
        }
        self.changed(tenant, Changed::Consent(app.clone()));
        Ok(())
    }

    /// Lets somebody sign in, or no longer.
    pub fn enable_user(
        &mut self,
        tenant: &EntraTenantId,
        user: &ObjectId,
        enabled: bool,
    ) -> Result<(), DirectoryRefusal> {
        self.change_user(tenant, user, |user| user.enabled = enabled)
    }

    /// Changes what the directory says of somebody. His ids stay what they are.
    pub fn change_user(
        &mut self,
        tenant: &EntraTenantId,
        user: &ObjectId,
        change: impl FnOnce(&mut User),
    ) -> Result<(), DirectoryRefusal> {
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        let found = found.users.get_mut(user).ok_or(DirectoryRefusal::NoUser)?;
        let before = found.clone();
        change(found);
        (found.object_id, found.tenant) = (before.object_id.clone(), before.tenant.clone());
        self.changed_from(tenant, Changed::User(user.clone()), Some(Box::new(before)));
        Ok(())
    }

    /// Puts somebody into a tenant.
    pub fn add_user(
        &mut self,
        tenant: &EntraTenantId,
        user: &UserConfig,
    ) -> Result<ObjectId, DirectoryRefusal> {
        let count: usize = self.tenants.values().map(|tenant| tenant.users.len()).sum();
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        if count >= USERS_MAX {
            return Err(DirectoryRefusal::TooMany);
        }
        let domain = found.domains.first().cloned().unwrap_or_default();
        let added = User::new(tenant, &domain, user);
        let taken = |other: &User| {
            other.object_id == added.object_id || other.principal.eq_ignore_ascii_case(&added.principal)
        };
        if found.users.values().any(taken) {
            return Err(DirectoryRefusal::UserTwice);
        }
        let object_id = added.object_id.clone();
        let groups = found.add(added, &user.groups);
        self.changed(tenant, Changed::User(object_id.clone()));
        for group in groups {
            self.changed(tenant, Changed::Group(group));
        }
        Ok(object_id)
    }

    /// Deletes somebody, with memberships and assignments.
    pub fn remove_user(&mut self, tenant: &EntraTenantId, user: &ObjectId) -> Result<(), DirectoryRefusal> {
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        found.users.remove(user).ok_or(DirectoryRefusal::NoUser)?;
        let mut left = Vec::new();
        for group in found.groups.values_mut() {
            if group.members.remove(user) {
                left.push(group.id.clone());
            }
        }
        for principal in found.principals.values_mut() {
            principal.roles.retain(|assigned| assigned.to != Holder::User(user.clone()));
            principal.delegated.remove(&Some(user.clone()));
        }
        self.changed(tenant, Changed::UserRemoved(user.clone()));
        for group in left {
            self.changed(tenant, Changed::Group(group));
        }
        Ok(())
    }

    /// Makes somebody a member of a group, or no longer.
    pub fn set_member(
        &mut self,
        tenant: &EntraTenantId,
        group: &ObjectId,
        user: &ObjectId,
        member: bool,
    ) -> Result<(), DirectoryRefusal> {
        let found = self.tenants.get_mut(tenant).ok_or(DirectoryRefusal::NoTenant)?;
        if !found.users.contains_key(user) {
            return Err(DirectoryRefusal::NoUser);
        }
        let members = &mut found.groups.get_mut(group).ok_or(DirectoryRefusal::NoGroup)?.members;
        let _ = if member { members.insert(user.clone()) } else { members.remove(user) };
        self.changed(tenant, Changed::Group(group.clone()));
        Ok(())
    }

    /// The number of the last change; 0 at the start.
    pub fn sequence(&self) -> u64 {
        self.forgotten + self.changes.len() as u64
    }

    /// The changes after one, the oldest first. `None`: that one has been forgotten already, and who asks has to read
    /// everything again.
    pub fn changes_after(&self, sequence: u64) -> Option<impl Iterator<Item = &Change>> {
        let skip = usize::try_from(sequence.checked_sub(self.forgotten)?).ok()?;
        Some(self.changes.iter().skip(skip))
    }

    fn changed(&mut self, tenant: &EntraTenantId, what: Changed) {
        self.changed_from(tenant, what, None);
    }

    fn changed_from(&mut self, tenant: &EntraTenantId, what: Changed, before: Option<Box<User>>) {
        if self.changes.len() == CHANGES_MAX {
            self.changes.remove(0);
            self.forgotten += 1;
        }
        let sequence = self.sequence() + 1;
        self.changes.push(Change { sequence, tenant: tenant.clone(), what, before });
    }
}

/// One line of the log of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Counts from 1.
    pub sequence: u64,
    /// Where.
    pub tenant: EntraTenantId,
    /// What.
    pub what: Changed,
    /// Somebody as the directory had it before; none of who is new, and of other changes.
    #[serde(skip)]
    pub before: Option<Box<User>>,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// Somebody is new or has changed.
    User(ObjectId),
    /// Somebody is gone.
    UserRemoved(ObjectId),
    /// The members of a group.
    Group(ObjectId),
    /// What an application may do, or who has which role in it.
    Consent(AppId),
}

/// Why the directory stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryRefusal {
    /// The tenant is not there.
    #[error("there is no such tenant")]
    NoTenant,
    /// The application is not registered.
    #[error("there is no such application")]
    NoApp,
    /// The user is not in the tenant.
    #[error("there is no such user in the tenant")]
    NoUser,
    /// The group is not in the tenant.
    #[error("there is no such group in the tenant")]
    NoGroup,
    /// The application has no such role.
    #[error("the application has no such role")]
    NoRole,
    /// The application, or that permission of it, is not in the tenant.
    #[error("the tenant has not consented to that")]
    NotConsented,
    /// The object id or the principal name is there already.
    #[error("there is a user with that object id or principal name already")]
    UserTwice,
    /// The sandbox is full.
    #[error("there are as many users as the sandbox takes")]
    TooMany,
}

/// Users in all tenants; the next one is refused.
const USERS_MAX: usize = 200_000;
/// Changes that are remembered; who asks for older ones has to begin anew.
const CHANGES_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::app::{CONTOSO, FABRIKAM, TANDEM_APP};

    fn directory() -> Directory {
        Directory::new(&SandboxConfig::default())
    }

    fn contoso() -> EntraTenantId {
        EntraTenantId::new(CONTOSO)
    }

    fn tandem() -> AppId {
        AppId::new(TANDEM_APP)
    }

    #[test]
    fn people_are_found_by_each_of_their_names() {
        let directory = directory();
        let alice = directory.user_named("alice").unwrap();
        assert_eq!(alice.principal, "alice@contoso.example");
        assert_eq!(directory.user_named("ALICE@contoso.example"), Some(alice));
        assert_eq!(directory.user_named(alice.object_id.as_str()), Some(alice));
        let contoso = directory.tenant_named("Contoso.example").unwrap();
        assert_eq!(contoso.id.as_str(), CONTOSO);
        assert_eq!(contoso.user_named("alice@contoso.example"), Some(alice));
        let guest = directory.user_named("lena").unwrap();
        assert_eq!(guest.principal, "lena_adatum.example#EXT#@contoso.example");
    }

    #[test]
    fn each_tenant_has_somebody_in_each_role() {
        let mut directory = directory();
        directory.consent(&EntraTenantId::new(FABRIKAM), &tandem()).unwrap();
        let app = directory.app(&tandem()).unwrap();
        for tenant in directory.tenants() {
            let roles: BTreeSet<String> =
                tenant.users.keys().flat_map(|user| tenant.roles_of(app, user)).collect();
            for role in ["Agent", "Expert", "Supervisor", "Administrator"] {
                assert!(roles.contains(role), "{role} in {}", tenant.name);
            }
        }
    }

    #[test]
    fn consent_brings_the_application_with_what_it_asks_for_and_withdrawal_takes_all() {
        let mut directory = directory();
        let fabrikam = EntraTenantId::new(FABRIKAM);
        assert!(directory.tenant(&fabrikam).unwrap().principals.is_empty());
        directory.consent(&fabrikam, &tandem()).unwrap();
        let ines = directory.user_named("ines").unwrap().object_id.clone();
        let principal = &directory.tenant(&fabrikam).unwrap().principals[&tandem()];
        assert!(principal.permissions.contains("Presence.Read.All"));
        assert!(principal.may_for(&ines, "User.Read"));
        directory.withdraw_permission(&fabrikam, &tandem(), "Presence.Read.All").unwrap();
        assert!(
            !directory.tenant(&fabrikam).unwrap().principals[&tandem()]
                .permissions
                .contains("Presence.Read.All")
        );
        directory.withdraw_consent(&fabrikam, &tandem()).unwrap();
        assert_eq!(directory.withdraw_consent(&fabrikam, &tandem()), Err(DirectoryRefusal::NotConsented));
    }

    #[test]
    fn roles_come_from_people_and_from_groups_they_are_directly_in() {
        let mut directory = directory();
        let tomas = directory.user_named("tomas").unwrap().object_id.clone();
        let legal = ObjectId::derived(&[CONTOSO, "Legal", "group"]);
        directory.set_role(&contoso(), &tandem(), Holder::Group(legal.clone()), "Supervisor", true).unwrap();
        let roles = |directory: &Directory| {
            let app = directory.app(&tandem()).unwrap();
            directory.tenant(&contoso()).unwrap().roles_of(app, &tomas)
        };
        assert_eq!(roles(&directory), ["Expert", "Supervisor"]);
        directory.set_member(&contoso(), &legal, &tomas, false).unwrap();
        assert_eq!(roles(&directory), ["Expert"]);
    }

    #[test]
    fn the_log_tells_what_changed_since() {
        let mut directory = directory();
        assert_eq!(directory.sequence(), 0);
        let newcomer = UserConfig { id: "zoe".to_owned(), name: "Zoë".to_owned(), ..UserConfig::default() };
        let zoe = directory.add_user(&contoso(), &newcomer).unwrap();
        assert_eq!(directory.add_user(&contoso(), &newcomer), Err(DirectoryRefusal::UserTwice));
        let before = directory.sequence();
        directory.remove_user(&contoso(), &zoe).unwrap();
        let since: Vec<_> = directory.changes_after(before).unwrap().map(|change| &change.what).collect();
        assert_eq!(since, [&Changed::UserRemoved(zoe)]);
    }

    #[test]
    fn changes_too_old_are_forgotten_and_said_to_be() {
        let mut directory = directory();
        let alice = directory.user_named("alice").unwrap().object_id.clone();
        for _ in 0..=CHANGES_MAX {
            directory.enable_user(&contoso(), &alice, true).unwrap();
        }
        assert!(directory.changes_after(0).is_none());
        assert_eq!(directory.changes_after(1).unwrap().count(), CHANGES_MAX);
    }
}
