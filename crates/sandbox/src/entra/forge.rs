//! Tokens on command: what a Teams tab would get, and every way in which a token can be wrong.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::AppConfig;
use crate::config::app::{ACCESS_AS_USER, TANDEM_APP, TEAMS_CLIENTS};
use crate::directory::{AppId, Directory, ObjectId, User};
use crate::entra::client::Proof;
use crate::entra::scope::{Asked, Resource};
use crate::entra::{Entra, KeyFault, jwt, merge};

/// What `getAuthToken` of the Teams client would be asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TabTokenRequest {
    /// Who is signed in in Teams.
    pub user: String,
    /// The application whose tab it is; left out: Tandem.
    #[serde(default)]
    pub app: Option<String>,
    /// Which client: `teams`, `teams_web`, `outlook_web`, ..., or a client id.
    #[serde(default)]
    pub client: Option<String>,
}

/// Why a tab gets no token; the client hands the word on to the tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TabTokenFault {
    /// There is no such user, application or client.
    #[error("invalid_resource")]
    Unknown,
    /// The tenant has not consented.
    #[error("resourceRequiresConsent")]
    Consent,
    /// The person has to prove more.
    #[error("interactionRequired")]
    Interaction,
    /// The person, or access to the application, is blocked.
    #[error("resourceDisabled")]
    Disabled,
}

/// A token that is wrong in whatever way is wished; without any wish it is right.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forgery {
    /// Whose; left out: the client's own.
    pub user: Option<String>,
    /// The application whose API it is for; left out: Tandem.
    pub app: Option<String>,
    /// The client, by name or id; left out: Teams, and for a token without a person Tandem itself.
    pub client: Option<String>,
    /// An id token in place of an access token.
    pub id_token: bool,
    /// The nonce of an id token.
    pub nonce: Option<String>,
    /// 1 or 2; left out: what the application has registered.
    pub version: Option<u8>,
    /// The tenant of a token without a person, by id or domain; left out: the application's home.
    pub tenant: Option<String>,
    /// The scopes; left out: `access_as_user`.
    pub scopes: Option<Vec<String>>,
    /// The roles of a token without a person.
    pub roles: Vec<String>,
    /// Ended an hour ago.
    pub expired: bool,
    /// Begins in an hour.
    pub not_yet: bool,
    /// What stands in the header as algorithm, and is done.
    pub algorithm: Algorithm,
    /// Signed with a key that is published nowhere, under the id of one that is.
    pub foreign_key: bool,
    /// Signed with a key that is published nowhere, under its own id.
    pub unknown_key: bool,
    /// One octet of the signature is changed.
    pub broken_signature: bool,
    /// Claims that take the place of those; null takes one out.
    pub claims: Value,
}

impl Default for Forgery {
    fn default() -> Self {
        Self {
            user: None,
            app: None,
            client: None,
            id_token: false,
            nonce: None,
            version: None,
            tenant: None,
            scopes: None,
            roles: Vec::new(),
            expired: false,
            not_yet: false,
            algorithm: Algorithm::Rs256,
            foreign_key: false,
            unknown_key: false,
            broken_signature: false,
            claims: json!({}),
        }
    }
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// As Entra does.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// Not at all.
    #[serde(rename = "none")]
    None,
    /// With the public key as a shared secret: a checker that lets the token choose takes it.
    #[serde(rename = "HS256")]
    Hs256,
}

/// Why there is no token on command.
#[derive(Debug, thiserror::Error)]
pub enum ForgeFault {
    /// There is no such user.
    #[error("there is no such user")]
    NoUser,
    /// There is no such application or client.
    #[error("there is no such application")]
    NoApp,
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// No key for it can be made.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

impl Entra {
    /// The token that `getAuthToken` gives a tab.
    pub fn tab_token(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        request: &TabTokenRequest,
    ) -> Result<String, TabTokenFault> {
        let app = AppId::new(request.app.as_deref().unwrap_or(TANDEM_APP));
        let app = directory.app(&app).ok_or(TabTokenFault::Unknown)?;
        let user = directory.user_named(&request.user).ok_or(TabTokenFault::Unknown)?;
        let tenant = directory.tenant(&user.tenant).ok_or(TabTokenFault::Unknown)?;
        let client = client_named(directory, request.client.as_deref().unwrap_or("teams"));
        let client = client.ok_or(TabTokenFault::Unknown)?;
        let trusted = app.preauthorised.iter().any(|known| known.eq_ignore_ascii_case(&client.id));
        let asked = Asked {
            resource: Resource::Api(AppId::new(&app.id)),
            prefix: String::new(),
            default: false,
            scopes: [ACCESS_AS_USER.to_owned()].into(),
            oidc: [].into(),
        };
        let missing = asked.not_granted(&client, directory, tenant, Some(&user.object_id));
        if !tenant.principals.contains_key(&AppId::new(&app.id)) || (!trusted && !missing.is_empty()) {
            return Err(TabTokenFault::Consent);
        }
        let unassigned = app.assignment_required && tenant.roles_of(app, &user.object_id).is_empty();
        if !user.enabled || unassigned || self.policy.blocks(user) {
            return Err(TabTokenFault::Disabled);
        }
        if self.policy.demands_mfa(user) {
            return Err(TabTokenFault::Interaction);
        }
        let frame = self.frame(tenant, &client, Proof::Public, now);
        let claims = frame.user_access(app, user, &[ACCESS_AS_USER.to_owned()]);
        Ok(self.sign(&claims))
    }

    /// A token as it is wished.
    pub fn forge(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        forgery: &Forgery,
    ) -> Result<String, ForgeFault> {
        let app = AppId::new(forgery.app.as_deref().unwrap_or(TANDEM_APP));
        let mut app = directory.app(&app).cloned().ok_or(ForgeFault::NoApp)?;
        app.token_version = forgery.version.unwrap_or(app.token_version);
        let mut claims = match &forgery.user {
            Some(user) => {
                let user = directory.user_named(user).ok_or(ForgeFault::NoUser)?;
                self.user_claims(directory, now, forgery, &app, user)?
            }
            None => self.app_claims(directory, now, forgery, &app)?,
        };
        let at = now.as_second();
        if forgery.expired {
            merge(&mut claims, json!({ "iat": at - 7200, "nbf": at - 7200, "exp": at - 3600 }));
        }
        if forgery.not_yet {
            merge(&mut claims, json!({ "nbf": at + 3600, "exp": at + 7200 }));
        }
        merge(&mut claims, forgery.claims.clone());
        Ok(self.sign_as(forgery, &claims)?)
    }

    fn user_claims(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        forgery: &Forgery,
        app: &AppConfig,
        user: &User,
    ) -> Result<Value, ForgeFault> {
        let tenant = directory.tenant(&user.tenant).ok_or(ForgeFault::NoTenant)?;
        if forgery.id_token {
            let frame = self.frame(tenant, app, Proof::Secret, now);
            return Ok(frame.id(user, forgery.nonce.as_deref(), false));
        }
        let client = client_named(directory, forgery.client.as_deref().unwrap_or("teams"));
        let client = client.ok_or(ForgeFault::NoApp)?;
        let scopes = forgery.scopes.clone().unwrap_or_else(|| vec![ACCESS_AS_USER.to_owned()]);
        Ok(self.frame(tenant, &client, Proof::Public, now).user_access(app, user, &scopes))
    }

    fn app_claims(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        forgery: &Forgery,
        app: &AppConfig,
    ) -> Result<Value, ForgeFault> {
        let tenant = forgery.tenant.as_deref().unwrap_or(&app.home_tenant);
        let tenant = directory.tenant_named(tenant).ok_or(ForgeFault::NoTenant)?;
        let client = client_named(directory, forgery.client.as_deref().unwrap_or(&app.id));
        let client = client.ok_or(ForgeFault::NoApp)?;
        let principal = ObjectId::derived(&[tenant.id.as_str(), &client.id, "service principal"]);
        Ok(self.frame(tenant, &client, Proof::Secret, now).app_access(app, &principal, &forgery.roles))
    }

    fn sign_as(&mut self, forgery: &Forgery, claims: &Value) -> Result<String, KeyFault> {
        let published = self.keys.signing().kid.clone();
        let kid = if forgery.unknown_key { self.keys.foreign()?.kid.clone() } else { published };
        let header = |algorithm: &str| json!({ "typ": "JWT", "alg": algorithm, "kid": kid });
        let mut token = match forgery.algorithm {
            Algorithm::None => jwt::write(&header("none"), claims, |_| Vec::new()),
            Algorithm::Hs256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.keys.signing().certificate());
                jwt::write(&header("HS256"), claims, |signed| hmac::sign(&key, signed).as_ref().to_vec())
            }
            Algorithm::Rs256 if forgery.foreign_key || forgery.unknown_key => {
                let key = self.keys.foreign()?;
                jwt::write(&header("RS256"), claims, |signed| key.sign(signed))
            }
            Algorithm::Rs256 => {
                let key = self.keys.signing();
                jwt::write(&header("RS256"), claims, |signed| key.sign(signed))
            }
        };
        if forgery.broken_signature
            && let Some((signed, signature)) = token.rsplit_once('.')
        {
            let mut octets = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
            if let Some(first) = octets.first_mut() {
                *first ^= 1;
            }
            token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(octets));
        }
        Ok(token)
    }
}

/// A client by the name that the control knows it by, or by its id. Microsoft's own need no registration.
fn client_named(directory: &Directory, name: &str) -> Option<AppConfig> {
    let teams = TEAMS_CLIENTS.iter().find(|(known, id)| *known == name || id.eq_ignore_ascii_case(name));
    match teams {
        Some((known, id)) => {
            Some(AppConfig { id: (*id).to_owned(), name: (*known).to_owned(), ..AppConfig::default() })
        }
        None => directory.app(&AppId::new(name)).cloned(),
    }
}
