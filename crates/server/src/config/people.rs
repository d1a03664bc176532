//! The people of the configuration: names become identities, texts become roles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tandem_people::login::LoginTerms;
use tandem_people::person::{GroupRoles, Guid, Person, UserName};
use tandem_people::role::Role;
use tandem_people::scope::Scope;
use tandem_store::Tenant;

use crate::config::fault::Fault;
use crate::config::file::{EntraUserFile, File, OperatorFile, PersonFile, SignInFile};
use crate::config::settings::Entry;
use crate::identity::{Configured, ConfiguredPerson, EntraName, IdentitySettings, OneClick};
use crate::microsoft::settings;

/// What the configuration says of people, as far as it can be understood; what cannot is told.
pub(super) fn check(file: &File, tenants: &[Entry], faults: &mut Vec<Fault>) -> IdentitySettings {
    let mut check = Check { faults, user_names: BTreeSet::new(), users: BTreeSet::new() };
    let mut people = Vec::new();
    let mut configured = BTreeMap::new();
    for Entry { tenant, file, .. } in tenants {
        let prefix = if *tenant == Tenant::only() { String::new() } else { format!("tenants.{tenant}: ") };
        let agents: BTreeSet<Arc<str>> =
            file.agents.iter().map(|agent| Arc::from(agent.id.as_str())).collect();
        let mut linked = BTreeSet::new();
        for person in &file.people {
            people.push(check.person(&prefix, tenant, person, &agents, &mut linked));
        }
        let groups = check.groups(&format!("{prefix}roles"), &file.roles);
        configured.insert(tenant.clone(), Configured { agents, groups });
    }
    for operator in &file.operators {
        people.push(check.operator(operator, &configured));
    }
    let one_click = check.one_click(file, &people);
    check.lifetimes(&file.sign_in);
    let SignInFile { local, access_minutes, idle_hours, absolute_days, audit_days, .. } = file.sign_in;
    let seconds = |count: u32, each: u64| Duration::from_secs(u64::from(count) * each);
    IdentitySettings {
        terms: LoginTerms {
            access: seconds(access_minutes, 60),
            idle: seconds(idle_hours, 3_600),
            absolute: seconds(absolute_days, 86_400),
            ..LoginTerms::default()
        },
        local,
        entra: file.microsoft.is_some(),
        audit_kept: seconds(audit_days, 86_400),
        tenants: configured,
        people,
        one_click,
    }
}

struct Check<'a> {
    faults: &'a mut Vec<Fault>,
    /// A name lets one person in, whatever the tenant.
    user_names: BTreeSet<UserName>,
    users: BTreeSet<EntraName>,
}

impl Check<'_> {
    fn fault(&mut self, key: &str, problem: impl Into<String>) {
        self.faults.push(Fault { key: key.to_owned(), problem: problem.into() });
    }

    fn person(
        &mut self,
        prefix: &str,
        tenant: &Tenant,
        file: &PersonFile,
        agents: &BTreeSet<Arc<str>>,
        linked: &mut BTreeSet<Arc<str>>,
    ) -> ConfiguredPerson {
        let key = format!("{prefix}people.{}", file.name);
        let (user_name, entra) =
            self.known_as(&key, &file.name, file.user_name.as_deref(), file.entra.as_ref());
        let roles = self.roles(&format!("{key}.roles"), &file.roles);
        let agent: Option<Arc<str>> = file.agent.as_deref().map(Arc::from);
        if let Some(agent) = &agent {
            let key = format!("{key}.agent");
            if !agents.contains(agent) {
                self.fault(
                    &key,
                    format!("names {agent:?}, which is not among [[agents]]; add it there or name another"),
                );
            } else if !linked.insert(agent.clone()) {
                self.fault(
                    &key,
                    format!("names {agent:?}, who is somebody else already; give each an agent of their own"),
                );
            }
        }
        if roles.is_empty() && !file.roles.is_empty() {
            // Each wrong one has been told.
        } else if roles.is_empty() {
            self.fault(&format!("{key}.roles"), "is empty; write [\"agent\"], or leave the person out");
        }
        ConfiguredPerson {
            scope: Scope::tenant(tenant.as_str()),
            name: file.name.as_str().into(),
            user_name,
            entra,
            roles,
            guest: BTreeMap::new(),
            agent,
        }
    }

    fn operator(&mut self, file: &OperatorFile, tenants: &BTreeMap<Tenant, Configured>) -> ConfiguredPerson {
        let key = format!("operators.{}", file.name);
        let (user_name, entra) =
            self.known_as(&key, &file.name, file.user_name.as_deref(), file.entra.as_ref());
        let mut guest = BTreeMap::new();
        for (tenant, roles) in &file.tenants {
            let key = format!("{key}.tenants.{tenant}");
            if !tenants.keys().any(|known| known.as_str() == tenant) {
                self.fault(&key, "is no tenant; name one of [tenants], or `default` where there is only one");
            }
            guest.insert(Arc::from(tenant.as_str()), self.roles(&key, roles));
        }
        ConfiguredPerson {
            scope: Scope::Installation,
            name: file.name.as_str().into(),
            user_name,
            entra,
            roles: BTreeSet::from([Role::Operator]),
            guest,
            agent: None,
        }
    }

    fn known_as(
        &mut self,
        key: &str,
        name: &str,
        user_name: Option<&str>,
        entra: Option<&EntraUserFile>,
    ) -> (Option<UserName>, Option<EntraName>) {
        if name.trim().is_empty() || name.len() > Person::NAME_BYTES_MAX {
            self.fault(&format!("{key}.name"), format!("must be 1 to {} bytes", Person::NAME_BYTES_MAX));
        }
        if user_name.is_none() && entra.is_none() {
            self.fault(key, "cannot sign in: write user_name, or entra, or both");
        }
        let user_name = match user_name.map(str::parse::<UserName>) {
            None => None,
            Some(Err(fault)) => {
                self.fault(&format!("{key}.user_name"), format!("is {fault}; write another"));
                None
            }
            Some(Ok(user_name)) => {
                if !self.user_names.insert(user_name.clone()) {
                    let problem = format!("stands twice: {user_name}; give each person a name of their own");
                    self.fault(&format!("{key}.user_name"), problem);
                }
                Some(user_name)
            }
        };
        let entra = entra.and_then(|entra| self.entra(&format!("{key}.entra"), entra));
        (user_name, entra)
    }

    fn entra(&mut self, key: &str, file: &EntraUserFile) -> Option<EntraName> {
        let Ok(tenant) = file.tenant.parse::<Guid>() else {
            let problem = "is no GUID; copy the tenant ID from the overview of the Entra admin center";
            self.fault(&format!("{key}.tenant"), problem);
            return None;
        };
        let name = match file.user.parse::<Guid>() {
            Ok(user) => EntraName::User { tenant, user },
            Err(_) if is_principal_name(&file.user) => {
                EntraName::Principal { tenant, name: file.user.to_lowercase().into() }
            }
            Err(_) => {
                let problem = "is neither an object id nor a name to sign in with; write anna@contoso.com";
                self.fault(&format!("{key}.user"), problem);
                return None;
            }
        };
        if !self.users.insert(name.clone()) {
            self.fault(&format!("{key}.user"), format!("stands twice: {}; remove one", file.user));
        }
        Some(name)
    }

    fn roles(&mut self, key: &str, texts: &[String]) -> BTreeSet<Role> {
        let mut roles = BTreeSet::new();
        for text in texts {
            match text.parse::<Role>() {
                Ok(role) if role.is_of_tenant() => {
                    roles.insert(role);
                }
                Ok(_) => self
                    .fault(key, "operators stand in [[operators]] of the main file; move the person there"),
                Err(_) => {
                    let problem =
                        format!("{text:?} is no role; write agent, expert, supervisor or administrator");
                    self.fault(key, problem);
                }
            }
        }
        roles
    }

    fn groups(&mut self, key: &str, file: &BTreeMap<String, Vec<String>>) -> GroupRoles {
        let mut groups = GroupRoles::default();
        for (group, texts) in file {
            let key = format!("{key}.{group}");
            let Ok(id) = group.parse::<Guid>() else {
                self.fault(&key, "is no GUID; write the object id of the group");
                continue;
            };
            for role in self.roles(&key, texts) {
                if let Err(fault) = groups.map(id.clone(), role) {
                    self.fault(&key, format!("{fault}; use app roles for the others"));
                }
            }
        }
        groups
    }

    fn one_click(&mut self, file: &File, people: &[ConfiguredPerson]) -> Vec<OneClick> {
        let key = "sign_in.one_click";
        let http = &file.http;
        let elsewhere = http.public_url.as_deref().filter(|address| !settings::is_on_this_machine(address));
        let reached = if !http.listen.ip().is_loopback() {
            Some(format!("http.listen, which is {}; remove it, or listen on 127.0.0.1", http.listen))
        } else if let Some(address) = elsewhere {
            Some(format!("http.public_url, which is {address}; remove one of them"))
        } else if !http.trusted_proxies.is_empty() {
            Some("a proxy of http.trusted_proxies; remove one of them".to_owned())
        } else {
            None
        };
        if let Some(reached) = reached.filter(|_| !file.sign_in.one_click.is_empty()) {
            self.fault(key, format!("lets everybody in who reaches {reached}"));
        }
        let mut one_click = Vec::new();
        for text in &file.sign_in.one_click {
            let found = people.iter().filter_map(|person| person.user_name.as_ref());
            match found.into_iter().find(|user_name| user_name.as_str() == text.to_lowercase()) {
                Some(user_name) => one_click.push(OneClick { user_name: user_name.clone() }),
                None => {
                    let problem =
                        format!("names {text:?}, which is no user_name of [[people]] or [[operators]]");
                    self.fault(key, problem);
                }
            }
        }
        one_click
    }

    fn lifetimes(&mut self, file: &SignInFile) {
        for (key, value, range) in [
            ("sign_in.access_minutes", file.access_minutes, 1..=60),
            ("sign_in.idle_hours", file.idle_hours, 1..=720),
            ("sign_in.absolute_days", file.absolute_days, 1..=90),
            ("sign_in.audit_days", file.audit_days, 30..=3_650),
        ] {
            if !range.contains(&value) {
                self.fault(key, format!("must be {} to {}", range.start(), range.end()));
            }
        }
    }
}

/// A name such as `anna@contoso.com`.
fn is_principal_name(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(user, domain)| !user.is_empty() && domain.contains('.'))
        && text.len() <= NAME_BYTES_MAX
}

/// Longest name to sign in with in Entra, in bytes ("userPrincipalName": 113 characters).
const NAME_BYTES_MAX: usize = 256;
