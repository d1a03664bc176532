//! A tenant: its people, its groups, and the applications in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::config::{AppConfig, UserConfig};
use crate::directory::id::{AppId, EntraTenantId, ObjectId};

/// A tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: EntraTenantId,
    /// What people call it.
    pub name: String,
    /// Its verified domains.
    pub domains: Vec<String>,
    /// Its people.
    pub users: BTreeMap<ObjectId, User>,
    /// Its security groups.
    pub groups: BTreeMap<ObjectId, Group>,
    /// The applications that are in it.
    pub principals: BTreeMap<AppId, ServicePrincipal>,
}

impl Tenant {
    /// Somebody by object id or principal name.
    pub fn user_named(&self, name: &str) -> Option<&User> {
        let by_principal = || self.users.values().find(|user| user.principal.eq_ignore_ascii_case(name));
        self.users.get(&ObjectId::new(name)).or_else(by_principal)
    }

    /// The groups of which somebody is a member.
    pub fn groups_of<'a>(&'a self, user: &'a ObjectId) -> impl Iterator<Item = &'a Group> {
        self.groups.values().filter(move |group| group.members.contains(user))
    }

    /// The values of the app roles that somebody has in an application: his own, and those of groups of which he is a
    /// direct member.
    pub fn roles_of(&self, app: &AppConfig, user: &ObjectId) -> Vec<String> {
        let Some(principal) = self.principals.get(&AppId::new(&app.id)) else { return Vec::new() };
        let is_his = |holder: &Holder| match holder {
            Holder::User(id) => id == user,
            Holder::Group(id) => self.groups.get(id).is_some_and(|group| group.members.contains(user)),
        };
        let has =
            |id: &str| principal.roles.iter().any(|assigned| assigned.role == id && is_his(&assigned.to));
        app.roles.iter().filter(|role| has(&role.id)).map(|role| role.value.clone()).collect()
    }

    /// The application in this tenant; without any grant if it was not there.
    pub(super) fn install(&mut self, app: &AppId) -> &mut ServicePrincipal {
        let id = ObjectId::derived(&[self.id.as_str(), app.as_str(), "service principal"]);
        self.principals.entry(app.clone()).or_insert_with(|| ServicePrincipal {
            id,
            app: app.clone(),
            permissions: BTreeSet::new(),
            delegated: BTreeMap::new(),
            roles: BTreeSet::new(),
        })
    }

    /// Adds somebody, and the groups that are not there yet; gives the groups that have a new member.
    pub(super) fn add(&mut self, user: User, groups: &[String]) -> Vec<ObjectId> {
        let mut joined = Vec::new();
        for name in groups {
            let id = ObjectId::derived(&[self.id.as_str(), name, "group"]);
            let group = self.groups.entry(id.clone()).or_insert_with(|| Group {
                id: id.clone(),
                name: name.clone(),
                members: BTreeSet::new(),
            });
            group.members.insert(user.object_id.clone());
            joined.push(id);
        }
        self.users.insert(user.object_id.clone(), user);
        joined
    }
}

/// Somebody in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// The short name that the control uses.
    pub id: String,
    /// The object id.
    pub object_id: ObjectId,
    /// The tenant.
    pub tenant: EntraTenantId,
    /// The display name.
    pub name: String,
    /// The user principal name.
    pub principal: String,
    /// The mail address.
    pub mail: String,
    /// The Teams number, empty if there is none.
    pub number: String,
    /// The mobile phone's number.
    pub mobile: String,
    /// The department.
    pub department: String,
    /// The job title.
    pub job_title: String,
    /// The office.
    pub office: String,
    /// The preferred language.
    pub preferred_language: String,
    /// Administers the tenant.
    pub administrator: bool,
    /// What the profile lists as skills.
    pub skills: Vec<String>,
    /// The values of app roles that are assigned as soon as an application is consented to.
    pub app_roles: Vec<String>,
    /// What the sign-in page asks for.
    #[serde(skip)]
    pub password: Option<String>,
    /// A guest from elsewhere.
    pub guest: bool,
    /// May sign in.
    pub enabled: bool,
    /// Has a photo.
    pub photo: bool,
}

impl User {
    pub(super) fn new(tenant: &EntraTenantId, domain: &str, config: &UserConfig) -> Self {
        let or = |value: &str, otherwise: String| if value.is_empty() { otherwise } else { value.to_owned() };
        let principal = match (config.principal.as_str(), config.guest) {
            ("", true) => format!("{}#EXT#@{domain}", config.mail.replace('@', "_")),
            (given, _) => or(given, format!("{}@{domain}", config.id)),
        };
        Self {
            id: config.id.clone(),
            object_id: if config.object_id.is_empty() {
                ObjectId::derived(&[tenant.as_str(), &config.id, "user"])
            } else {
                ObjectId::new(&config.object_id)
            },
            tenant: tenant.clone(),
            name: config.name.clone(),
            mail: or(&config.mail, principal.clone()),
            principal,
            number: config.number.clone(),
            mobile: config.mobile.clone(),
            department: config.department.clone(),
            job_title: config.job_title.clone(),
            office: config.office.clone(),
            preferred_language: config.preferred_language.clone(),
            skills: config.skills.clone(),
            app_roles: config.app_roles.clone(),
            administrator: config.administrator,
            password: config.password.clone(),
            guest: config.guest,
            enabled: config.enabled,
            photo: config.photo,
        }
    }
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The object id.
    pub id: ObjectId,
    /// What people call it.
    pub name: String,
    /// Who is in it.
    pub members: BTreeSet<ObjectId>,
}

/// An application in a tenant: Entra calls it a service principal, its pages an enterprise application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServicePrincipal {
    /// The object id.
    pub id: ObjectId,
    /// The application.
    pub app: AppId,
    /// The application permissions of Graph that it has.
    pub permissions: BTreeSet<String>,
    /// The delegated permissions that it has: for all of the tenant under `None`, else for somebody.
    #[serde(skip)]
    pub delegated: BTreeMap<Option<ObjectId>, BTreeSet<String>>,
    /// Who has which of its app roles.
    pub roles: BTreeSet<Assigned>,
}

impl ServicePrincipal {
    /// Whether a delegated permission is granted for somebody.
    pub fn may_for(&self, user: &ObjectId, scope: &str) -> bool {
        let has = |of: &Option<ObjectId>| self.delegated.get(of).is_some_and(|scopes| scopes.contains(scope));
        has(&None) || has(&Some(user.clone()))
    }

    /// All delegated permissions for somebody.
    pub fn scopes_for(&self, user: &ObjectId) -> BTreeSet<String> {
        let of = |whose: Option<ObjectId>| self.delegated.get(&whose).into_iter().flatten().cloned();
        of(None).chain(of(Some(user.clone()))).collect()
    }
}

/// An app role that somebody has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Assigned {
    /// Who.
    pub to: Holder,
    /// The role's id.
    pub role: String,
}

/// Who can have an app role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// One user.
    User(ObjectId),
    /// All direct members of a group.
    Group(ObjectId),
}
