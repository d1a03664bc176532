//! What stands in tokens ("Access token claims reference", "ID token claims reference").

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::config::{AppConfig, GroupClaims};
use crate::directory::{AppId, EntraTenantId, ObjectId, Tenant, User};
use crate::entra::client::Proof;
use crate::entra::scope::GRAPH;

/// What all tokens of one answer have in common.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// What stands before the tenant in `iss` of version 2.
    pub issuer: String,
    /// The tenant.
    pub tenant: &'a Tenant,
    /// The client that asks.
    pub client: &'a AppConfig,
    /// How it has proved who it is.
    pub proof: Proof,
    /// When.
    pub now: Timestamp,
    /// How long the access token lives, in seconds.
    pub lifetime_s: i64,
    /// The id of the token.
    pub uti: String,
    /// Groups are said to be too many to be listed.
    pub group_overage: bool,
}

impl Frame<'_> {
    /// The claims of an access token for an application's API in somebody's name.
    pub fn user_access(&self, api: &AppConfig, user: &User, scopes: &[String]) -> Value {
        let mut claims = self.timed();
        self.audience(&mut claims, api);
        self.person(&mut claims, api, user);
        put(&mut claims, "scp", scopes.join(" "));
        if api.token_version == 1 {
            put(&mut claims, "unique_name", user.principal.as_str());
            put(&mut claims, "upn", user.principal.as_str());
            put(&mut claims, "amr", json!(["pwd"]));
            put(&mut claims, "acr", "1");
            claims.remove("preferred_username");
        }
        Value::Object(claims)
    }

    /// The claims of an access token for an application's API in the client's own name.
    pub fn app_access(&self, api: &AppConfig, principal: &ObjectId, roles: &[String]) -> Value {
        let mut claims = self.timed();
        self.audience(&mut claims, api);
        put(&mut claims, "oid", principal.as_str());
        put(&mut claims, "sub", principal.as_str());
        if !roles.is_empty() {
            put(&mut claims, "roles", json!(roles));
        }
        if api.optional_claims.iter().any(|claim| claim == "idtyp") {
            put(&mut claims, "idtyp", "app");
        }
        Value::Object(claims)
    }

    /// The claims of an access token for Graph in somebody's name.
    pub fn graph_user_access(&self, user: &User, scopes: &[String]) -> Value {
        let mut claims = self.graph();
        put(&mut claims, "idtyp", "user");
        put(&mut claims, "name", user.name.as_str());
        put(&mut claims, "oid", user.object_id.as_str());
        put(&mut claims, "scp", scopes.join(" "));
        put(&mut claims, "sub", pairwise(GRAPH, &user.object_id));
        put(&mut claims, "upn", user.principal.as_str());
        put(&mut claims, "unique_name", user.principal.as_str());
        Value::Object(claims)
    }

    /// The claims of an access token for Graph in the client's own name.
    pub fn graph_app_access(&self, principal: &ObjectId, roles: &[String]) -> Value {
        let mut claims = self.graph();
        put(&mut claims, "idtyp", "app");
        put(&mut claims, "oid", principal.as_str());
        put(&mut claims, "sub", principal.as_str());
        if !roles.is_empty() {
            put(&mut claims, "roles", json!(roles));
        }
        Value::Object(claims)
    }

    /// The claims of an id token for the client.
    pub fn id(&self, user: &User, nonce: Option<&str>, with_email: bool) -> Value {
        let mut claims = self.timed();
        put(&mut claims, "aud", self.client.id.as_str());
        put(&mut claims, "iss", v2_issuer(&self.issuer, &self.tenant.id));
        put(&mut claims, "ver", "2.0");
        self.person(&mut claims, self.client, user);
        if let Some(nonce) = nonce {
            put(&mut claims, "nonce", nonce);
        }
        if with_email && !user.mail.is_empty() {
            put(&mut claims, "email", user.mail.as_str());
        }
        Value::Object(claims)
    }

    fn timed(&self) -> Map<String, Value> {
        let at = self.now.as_second();
        let mut claims = Map::new();
        put(&mut claims, "iat", at);
        put(&mut claims, "nbf", at);
        put(&mut claims, "exp", at + self.lifetime_s);
        put(&mut claims, "tid", self.tenant.id.as_str());
        put(&mut claims, "uti", self.uti.as_str());
        put(&mut claims, "aio", short_hash(&[&self.uti, "aio"]));
        put(&mut claims, "rh", format!("1.{}.", short_hash(&[self.tenant.id.as_str(), &self.client.id])));
        claims
    }

    fn audience(&self, claims: &mut Map<String, Value>, api: &AppConfig) {
        if api.token_version == 1 {
            put(claims, "aud", api.uri());
            put(claims, "iss", v1_issuer(&self.tenant.id));
            put(claims, "ver", "1.0");
            put(claims, "appid", self.client.id.as_str());
            put(claims, "appidacr", self.proof.acr());
        } else {
            put(claims, "aud", api.id.as_str());
            put(claims, "iss", v2_issuer(&self.issuer, &self.tenant.id));
            put(claims, "ver", "2.0");
            put(claims, "azp", self.client.id.as_str());
            put(claims, "azpacr", self.proof.acr());
        }
    }

    fn graph(&self) -> Map<String, Value> {
        let mut claims = self.timed();
        put(&mut claims, "aud", GRAPH);
        put(&mut claims, "iss", v1_issuer(&self.tenant.id));
        put(&mut claims, "ver", "1.0");
        put(&mut claims, "appid", self.client.id.as_str());
        put(&mut claims, "app_displayname", self.client.name.as_str());
        put(&mut claims, "appidacr", self.proof.acr());
        claims
    }

    /// Who somebody is to the application `of`, whose token it is.
    fn person(&self, claims: &mut Map<String, Value>, of: &AppConfig, user: &User) {
        put(claims, "name", user.name.as_str());
        put(claims, "oid", user.object_id.as_str());
        put(claims, "preferred_username", user.principal.as_str());
        put(claims, "sub", pairwise(&of.id, &user.object_id));
        let roles = self.tenant.roles_of(of, &user.object_id);
        if !roles.is_empty() {
            put(claims, "roles", json!(roles));
        }
        let wants = |claim: &str| of.optional_claims.iter().any(|wanted| wanted == claim);
        if wants("acct") {
            put(claims, "acct", i64::from(user.guest));
        }
        if wants("idtyp") && claims.contains_key("azp") {
            put(claims, "idtyp", "user");
        }
        if wants("email") && !user.mail.is_empty() {
            put(claims, "email", user.mail.as_str());
        }
        if wants("login_hint") {
            put(claims, "login_hint", short_hash(&[user.object_id.as_str(), "hint"]));
        }
        if matches!(of.group_claims, GroupClaims::DirectoryRole | GroupClaims::All) {
            // Whoever is in the directory has the role of a user.
            let roles: Vec<&str> =
                user.administrator.then_some(GLOBAL_ADMINISTRATOR).into_iter().chain([USER]).collect();
            put(claims, "wids", json!(roles));
        }
        self.groups(claims, of, user);
    }

    fn groups(&self, claims: &mut Map<String, Value>, of: &AppConfig, user: &User) {
        if !matches!(of.group_claims, GroupClaims::SecurityGroup | GroupClaims::All) {
            return;
        }
        let groups: Vec<&str> =
            self.tenant.groups_of(&user.object_id).map(|group| group.id.as_str()).collect();
        if self.group_overage || groups.len() > GROUPS_MAX {
            // The address is of a service that is no more; whoever gets this asks Graph.
            let endpoint = format!(
                "https://graph.windows.net/{}/users/{}/getMemberObjects",
                self.tenant.id, user.object_id
            );
            put(claims, "_claim_names", json!({ "groups": "src1" }));
            put(claims, "_claim_sources", json!({ "src1": { "endpoint": endpoint } }));
        } else if !groups.is_empty() {
            put(claims, "groups", json!(groups));
        }
    }
}

/// `iss` of tokens of version 2.
pub fn v2_issuer(issuer: &str, tenant: &EntraTenantId) -> String {
    format!("{issuer}/{tenant}/v2.0")
}

/// `iss` of tokens of version 1.
pub fn v1_issuer(tenant: &EntraTenantId) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// The `sub` of somebody for one application: no other application sees the same.
pub fn pairwise(app: &str, user: &ObjectId) -> String {
    short_hash(&[AppId::new(app).as_str(), user.as_str(), "sub"])
}

fn short_hash(parts: &[&str]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, parts.join("\0").as_bytes()))
}

fn put(claims: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    claims.insert(name.to_owned(), value.into());
}

/// More groups are not listed in a token ("Groups overage claim").
const GROUPS_MAX: usize = 200;
/// The directory role template of administrators ("Microsoft Entra built-in roles").
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// The directory role template that everybody has.
const USER: &str = "b79fbf4d-3ef9-4689-8143-76b194e85509";
