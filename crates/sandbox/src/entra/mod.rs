//! Entra ID: who people and programs are, and the tokens that say so.

use axum::Router;
use jiff::Timestamp;
use serde_json::json;

use crate::chance::Chance;
use crate::directory::{AppId, Directory, EntraTenantId, ObjectId};
use crate::web::Cloud;

pub mod graph_token;
pub mod jwt;
pub mod keys;

pub use graph_token::{GraphCaller, GraphTokenFault};
pub use keys::{KeyFault, KeyRing, SigningKey};

/// What Entra knows beside the directory.
#[derive(Debug)]
pub struct Entra {
    issuer: String,
    keys: KeyRing,
    chance: Chance,
}

impl Entra {
    /// With new keys, and nobody signed in.
    pub fn new(issuer: String, chance: Chance) -> Result<Self, KeyFault> {
        Ok(Self { issuer, keys: KeyRing::new()?, chance })
    }

    /// Who calls Graph with this access token.
    pub fn graph_caller(&self, now: Timestamp, bearer: &str) -> Result<GraphCaller, GraphTokenFault> {
        graph_token::read(&self.keys, now, bearer)
    }

    /// An access token with which an application calls Graph in its own name, as a client-credential request would get
    /// it: with the permissions that the tenant has granted, and none if it has not consented.
    pub fn graph_app_token(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        tenant: &EntraTenantId,
        app: &AppId,
    ) -> String {
        let principal = directory.tenant(tenant).and_then(|tenant| tenant.principals.get(app));
        let roles: Vec<&String> = principal.iter().flat_map(|principal| &principal.permissions).collect();
        let id = principal.map_or("", |principal| principal.id.as_str());
        let claims = json!({
            "aud": "https://graph.microsoft.com", "iss": format!("https://sts.windows.net/{tenant}/"),
            "iat": now.as_second(), "nbf": now.as_second(), "exp": now.as_second() + LIFETIME_S,
            "appid": app, "appidacr": "1", "idtyp": "app", "oid": id, "sub": id, "roles": roles, "tid": tenant,
            "uti": self.chance.hex32(), "ver": "1.0",
        });
        graph_token::write(self.keys.signing(), &self.chance.hex32(), &claims)
    }

    /// An access token with which an application calls Graph in somebody's name.
    pub fn graph_user_token(
        &mut self,
        now: Timestamp,
        tenant: &EntraTenantId,
        app: &AppId,
        user: &ObjectId,
        scopes: &[&str],
    ) -> String {
        let claims = json!({
            "aud": "https://graph.microsoft.com", "iss": format!("https://sts.windows.net/{tenant}/"),
            "iat": now.as_second(), "nbf": now.as_second(), "exp": now.as_second() + LIFETIME_S,
            "appid": app, "appidacr": "1", "idtyp": "user", "oid": user, "scp": scopes.join(" "), "tid": tenant,
            "uti": self.chance.hex32(), "ver": "1.0",
        });
        graph_token::write(self.keys.signing(), &self.chance.hex32(), &claims)
    }

    /// The token that goes with rich notifications: from Microsoft Graph Change Tracking to an application
    /// ("Set up change notifications that include resource data", validation tokens).
    pub fn change_tracking_token(&mut self, now: Timestamp, tenant: &EntraTenantId, app: &AppId) -> String {
        let claims = json!({
            "aud": app, "iss": format!("{}/{tenant}/v2.0", self.issuer),
            "iat": now.as_second(), "nbf": now.as_second(), "exp": now.as_second() + LIFETIME_S,
            "azp": CHANGE_TRACKING, "azpacr": "2", "tid": tenant, "uti": self.chance.hex32(), "ver": "2.0",
        });
        let key = self.keys.signing();
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": key.kid, "kid": key.kid });
        jwt::write(&header, &claims, |signed| key.sign(signed))
    }

    /// The keys with which tokens are signed; for forgeries there is one that nobody trusts.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }
}

/// The routes of Entra.
pub fn routes() -> Router<Cloud> {
    Router::new()
}

/// The commands.
pub fn commands() -> Router<Cloud> {
    Router::new()
}

/// The client id of Microsoft Graph Change Tracking.
pub const CHANGE_TRACKING: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// How long access tokens live.
const LIFETIME_S: i64 = 3600;
