//! What a request asks for: scopes of one resource, and what OpenID Connect has beside.

use std::collections::BTreeSet;

use crate::config::AppConfig;
use crate::directory::{AppId, Directory, ObjectId, Tenant};
use crate::entra::fault::Fault;

/// The API that a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Microsoft Graph.
    Graph,
    /// The API of an application.
    Api(AppId),
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The resource; Graph when only OpenID Connect's scopes are named.
    pub resource: Resource,
    /// What stood before the first of its scopes, with the slash: the answer names them likewise.
    pub prefix: String,
    /// `/.default`: everything that is registered or granted.
    pub default: bool,
    /// The scopes of the resource, without its name.
    pub scopes: BTreeSet<String>,
    /// `openid`, `profile`, `email`, `offline_access`.
    pub oidc: BTreeSet<String>,
}

impl Asked {
    /// Reads the words of `scope`. `tenant` is for the text of the error only.
    pub fn read<'a>(
        words: impl Iterator<Item = &'a str>,
        directory: &Directory,
        tenant: &str,
    ) -> Result<Self, Fault> {
        let (mut found, mut prefix, mut default) = (None, String::new(), false);
        let (mut scopes, mut oidc) = (BTreeSet::new(), BTreeSet::new());
        for word in words {
            if OIDC.contains(&word) {
                oidc.insert(word.to_owned());
                continue;
            }
            let (name, scope) = word.rsplit_once('/').unwrap_or((GRAPH, word));
            let resource = resource(name.trim_end_matches('/'), directory)
                .ok_or_else(|| Fault::NoResource { resource: name.to_owned(), tenant: tenant.to_owned() })?;
            if found.as_ref().is_some_and(|known| *known != resource) {
                return Err(Fault::TwoResources);
            }
            let readable = scope.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
            if scope.is_empty() || !readable {
                return Err(Fault::Scope(word.to_owned()));
            }
            if found.is_none() {
                prefix = word.strip_suffix(scope).unwrap_or_default().to_owned();
            }
            found = Some(resource);
            if scope == ".default" {
                default = true;
            } else {
                scopes.insert(scope.to_owned());
            }
        }
        if default && !scopes.is_empty() {
            return Err(Fault::Scope(scopes.into_iter().collect::<Vec<_>>().join(" ")));
        }
        let asked = Self { resource: found.unwrap_or(Resource::Graph), prefix, default, scopes, oidc };
        asked.known(directory)?;
        Ok(asked)
    }

    /// The delegated permissions that have to be granted to a client for somebody, and are not.
    pub fn not_granted(
        &self,
        client: &AppConfig,
        directory: &Directory,
        tenant: &Tenant,
        user: Option<&ObjectId>,
    ) -> BTreeSet<String> {
        let client_id = AppId::new(&client.id);
        let granted = match (tenant.principals.get(&client_id), user) {
            (Some(principal), Some(user)) => principal.scopes_for(user),
            (Some(principal), None) => principal.delegated.get(&None).cloned().unwrap_or_default(),
            (None, _) => BTreeSet::new(),
        };
        match &self.resource {
            Resource::Graph if self.default => {
                let asks: BTreeSet<String> = graph_scopes(client, client.delegated.iter()).collect();
                // What has been granted once is what `.default` means from then on.
                if asks.iter().any(|scope| granted.contains(scope)) { BTreeSet::new() } else { asks }
            }
            Resource::Graph => self.scopes.difference(&granted).cloned().collect(),
            Resource::Api(api) => {
                let trusted = directory.app(api).is_some_and(|api| {
                    api.preauthorised.iter().any(|known| known.eq_ignore_ascii_case(&client.id))
                });
                // An application may always ask for its own API where it is installed.
                let own = *api == client_id && tenant.principals.contains_key(api);
                if trusted || own {
                    BTreeSet::new()
                } else {
                    self.api_scopes(api, directory).difference(&granted).cloned().collect()
                }
            }
        }
    }

    /// The scopes that a token gets. As at Microsoft, a token for Graph bears everything that is granted.
    pub fn granted(
        &self,
        client: &AppConfig,
        directory: &Directory,
        tenant: &Tenant,
        user: &ObjectId,
    ) -> Vec<String> {
        match &self.resource {
            Resource::Graph => {
                let principal = tenant.principals.get(&AppId::new(&client.id));
                let all = principal.map(|principal| principal.scopes_for(user)).unwrap_or_default();
                let graph: Vec<String> = graph_scopes(client, all.iter()).collect();
                self.oidc.iter().filter(|scope| *scope != OFFLINE).cloned().chain(graph).collect()
            }
            Resource::Api(api) => self.api_scopes(api, directory).into_iter().collect(),
        }
    }

    /// The answer's `scope`: what was granted, named as it was asked for.
    pub fn answered(&self, granted: &[String]) -> String {
        let mut names: Vec<String> = Vec::with_capacity(granted.len() + 1);
        for scope in granted {
            let is_bare = OIDC.contains(&scope.as_str());
            names.push(if is_bare { scope.clone() } else { format!("{}{scope}", self.prefix) });
        }
        if self.default {
            names.push(format!("{}.default", self.prefix));
        }
        names.join(" ")
    }

    /// Whether a refresh token is asked for.
    pub fn is_offline(&self) -> bool {
        self.oidc.contains(OFFLINE)
    }

    fn api_scopes(&self, api: &AppId, directory: &Directory) -> BTreeSet<String> {
        match directory.app(api) {
            Some(api) if self.default => api.scopes.iter().cloned().collect(),
            _ => self.scopes.clone(),
        }
    }

    fn known(&self, directory: &Directory) -> Result<(), Fault> {
        let Resource::Api(api) = &self.resource else { return Ok(()) };
        let Some(api) = directory.app(api) else { return Ok(()) };
        match self.scopes.iter().find(|scope| !api.scopes.contains(scope)) {
            Some(scope) => Err(Fault::NoSuchScope { scope: scope.clone(), resource: api.uri() }),
            None => Ok(()),
        }
    }
}

impl Resource {
    /// What the resource is called in texts.
    pub fn text(&self) -> &str {
        match self {
            Self::Graph => GRAPH_ID,
            Self::Api(api) => api.as_str(),
        }
    }
}

/// Whether only an administrator may consent to a delegated permission of Graph ("Microsoft Graph permissions
/// reference", column AdminConsentRequired).
pub fn is_for_administrators(scope: &str) -> bool {
    scope.ends_with(".All") && !FREE_FOR_ALL.contains(&scope)
}

fn resource(name: &str, directory: &Directory) -> Option<Resource> {
    let loopback = ["https://localhost:", "https://127.0.0.1:"].iter().any(|here| name.starts_with(here));
    if name.eq_ignore_ascii_case(GRAPH) || name.eq_ignore_ascii_case(GRAPH_ID) || loopback {
        return Some(Resource::Graph);
    }
    directory.app_of_resource(name).map(|app| Resource::Api(AppId::new(&app.id)))
}

fn graph_scopes<'a>(
    client: &AppConfig,
    scopes: impl Iterator<Item = &'a String>,
) -> impl Iterator<Item = String> {
    let of_api = client.scopes.clone();
    scopes.filter(move |scope| !OIDC.contains(&scope.as_str()) && !of_api.contains(scope)).cloned()
}

/// Graph's name as a resource.
pub const GRAPH: &str = "https://graph.microsoft.com";
/// Graph's client id.
pub const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

const OFFLINE: &str = "offline_access";
const OIDC: [&str; 4] = ["email", OFFLINE, "openid", "profile"];
/// Delegated permissions over others to which people may consent for themselves.
const FREE_FOR_ALL: [&str; 3] = ["Presence.Read.All", "ProfilePhoto.Read.All", "User.ReadBasic.All"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SandboxConfig;
    use crate::config::app::TANDEM_APP;

    fn read(scope: &str) -> Result<Asked, Fault> {
        let directory = Directory::new(&SandboxConfig::default());
        Asked::read(scope.split_whitespace(), &directory, "contoso")
    }

    #[test]
    fn bare_names_are_graphs() {
        let asked = read("openid profile User.Read https://graph.microsoft.com/Presence.Read.All").unwrap();
        assert_eq!(asked.resource, Resource::Graph);
        assert_eq!(asked.scopes, BTreeSet::from(["Presence.Read.All".to_owned(), "User.Read".to_owned()]));
        assert_eq!(asked.oidc.len(), 2);
    }

    #[test]
    fn an_api_is_named_by_uri_or_by_client_id() {
        let uri = format!("api://localhost/{TANDEM_APP}/access_as_user offline_access");
        let id = format!("{TANDEM_APP}/access_as_user offline_access");
        assert_eq!(read(&uri).unwrap().scopes, read(&id).unwrap().scopes);
        assert_eq!(read(&id).unwrap().resource, read(&uri).unwrap().resource);
        let granted = ["access_as_user".to_owned()];
        assert_eq!(read(&id).unwrap().answered(&granted), format!("{TANDEM_APP}/access_as_user"));
        assert!(read(&uri).unwrap().is_offline());
        assert_eq!(read(&uri).unwrap().resource, Resource::Api(AppId::new(TANDEM_APP)));
    }

    #[test]
    fn the_answer_names_what_was_granted_as_it_was_asked_for() {
        let granted = ["openid".to_owned(), "User.Read".to_owned()];
        assert_eq!(read("openid User.Read").unwrap().answered(&granted), "openid User.Read");
        assert_eq!(
            read("https://graph.microsoft.com/.default").unwrap().answered(&granted),
            "openid https://graph.microsoft.com/User.Read https://graph.microsoft.com/.default"
        );
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused_by_number() {
        let code = |scope: &str| read(scope).unwrap_err().code();
        assert_eq!(code(&format!("{TANDEM_APP}/access_as_user User.Read")), 28_000);
        assert_eq!(code("api://nowhere/x"), 500_011);
        assert_eq!(code(&format!("{TANDEM_APP}/delete_all")), 650_053);
        assert_eq!(code("https://graph.microsoft.com/.default User.Read"), 70_011);
        assert_eq!(code("https://graph.microsoft.com/"), 70_011);
        assert_eq!(code("us\u{e9}r"), 70_011);
    }
}
