//! Checking a token that arrives: is it Entra ID's, for us, of a tenant we serve, fresh, and got by a client we know?
//!
//! "Microsoft identity platform access tokens: Validate tokens". A token is believed only when all of it holds; the first
//! thing that does not hold is told.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::cloud::Cloud;
use super::jwt::{Jwt, JwtFault};
use super::keys::KeySet;
use super::refusal::Blame;
use super::tab;
use crate::id::{ClientId, EntraTenantId, Guid, ObjectId};
use crate::secret::Secret;
use crate::time::UnixTime;

/// What a token must say to be believed by this installation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenRules {
    /// The cloud whose tokens these are.
    pub cloud: Cloud,
    /// Our application: the audience of every token.
    pub client: ClientId,
    /// Our Application ID URI (`api://…`), the audience of tokens of version 1.
    pub app_id_uri: Option<String>,
    /// Whether tokens of version 1 are accepted for our API. They come when the registration's
    /// `requestedAccessTokenVersion` is not 2.
    pub accepts_v1: bool,
    /// The clients through which people may come: our own, and those of Teams.
    pub callers: BTreeSet<ClientId>,
    /// The scope that people's tokens must have.
    pub scope: String,
    /// How much the clocks of Entra ID and this machine may differ. Five minutes at most.
    pub skew: Duration,
}

/// A token for our API, believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ApiToken {
    /// A person, through a client.
    User(UserToken),
    /// A program on its own.
    App(AppToken),
}

/// A person, as a token tells. Tenant and object id together name the person for ever; everything else may change.
///
/// Prints without the person's name.
#[derive(Clone, Eq, PartialEq)]
pub struct UserToken {
    /// The tenant that vouches for the person.
    pub tenant: EntraTenantId,
    /// The person, in that tenant.
    pub user: ObjectId,
    /// The client through which the person came; ours, if the person signed in here.
    pub caller: ClientId,
    /// To show. Never to authorise by: it can be changed, and given to another.
    pub name: Option<String>,
    /// To show, like an address. Never to authorise by.
    pub preferred_username: Option<String>,
    /// Values of the app roles that the tenant has assigned to the person.
    pub roles: Vec<String>,
    /// The groups of the person, where the registration asks for them.
    pub groups: Groups,
    /// Template ids of the person's directory roles (`wids`); `None` where the registration does not ask for them.
    pub directory_roles: Option<Vec<Guid>>,
    /// Whether the person is a guest of the tenant; `None` where the token does not say.
    pub is_guest: Option<bool>,
    /// From then on the token is worth nothing.
    pub expires: UnixTime,
    /// The token's own name (`uti`), for logs.
    pub token_id: Option<String>,
}

/// A program, as its token tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppToken {
    /// The tenant that let the program in.
    pub tenant: EntraTenantId,
    /// The program.
    pub app: ClientId,
    /// The program's service principal in that tenant.
    pub principal: ObjectId,
    /// Values of the app roles assigned to it; never empty.
    pub roles: Vec<String>,
    /// From then on the token is worth nothing.
    pub expires: UnixTime,
    /// The token's own name (`uti`), for logs.
    pub token_id: Option<String>,
}

/// The groups in a token.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Groups {
    /// The token does not tell groups.
    #[default]
    None,
    /// These.
    Listed(Vec<ObjectId>),
    /// More than a token holds (200): Graph is to be asked (`getMemberObjects`), never the address in the token.
    Overage,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenFault {
    /// It is no token that can be checked.
    #[error("the token cannot be read: {0}")]
    Unreadable(#[from] JwtFault),
    /// Its key is not known here: keys may have changed, so they are to be fetched ([`KeySet::missed`]), and the token
    /// checked again.
    #[error("the token is signed by a key that is not known")]
    UnknownKey,
    /// Its key is another tenant's or another cloud's.
    #[error("the token is signed by a key of another issuer")]
    ForeignKey,
    /// The signature does not fit: forged, or changed on the way.
    #[error("the token's signature is wrong")]
    Signature,
    /// This claim is missing or makes no sense.
    #[error("the token's claim {0} is missing or wrong")]
    Claim(&'static str),
    /// Another cloud or another tenant issued it than it says.
    #[error("the token's issuer is not its tenant's")]
    Issuer,
    /// It is for another application.
    #[error("the token is for another application")]
    Audience,
    /// It is of version 1 (or none that exists), and only version 2 is accepted.
    #[error("the token's version is not accepted")]
    Version,
    /// It is not valid yet.
    #[error("the token is valid only from {0}")]
    NotYet(UnixTime),
    /// It is over.
    #[error("the token expired at {0}")]
    Expired(UnixTime),
    /// Its tenant is not served here.
    #[error("the tenant {0} is not onboarded")]
    NotOnboarded(EntraTenantId),
    /// It was got by a client that may not bring people here.
    #[error("the client {0} may not call")]
    Caller(ClientId),
    /// The person did not let the client act here: the scope is missing.
    #[error("the token lacks the scope of this API")]
    Scope,
    /// A program without any role may do nothing.
    #[error("the program has no app role")]
    NoRole,
    /// It was not issued for this sign-in.
    #[error("the token is not of this sign-in")]
    Nonce,
}

impl TokenRules {
    /// Rules for our application in this cloud: version 2, our own client and those of Teams, `access_as_user`.
    #[must_use]
    pub fn new(cloud: Cloud, client: ClientId) -> Self {
        let callers = tab::TEAMS_CLIENTS.iter().map(|(id, _)| *id).chain([client]).collect();
        Self {
            cloud,
            client,
            app_id_uri: None,
            accepts_v1: false,
            callers,
            scope: ACCESS_AS_USER.to_owned(),
            skew: SKEW_MAX,
        }
    }

    /// Checks an access token for our API. `is_onboarded` tells which tenants are served.
    ///
    /// # Errors
    /// See [`TokenFault`].
    pub fn check(
        &self,
        token: &str,
        keys: &KeySet,
        is_onboarded: impl Fn(EntraTenantId) -> bool,
        now: UnixTime,
    ) -> Result<ApiToken, TokenFault> {
        let (claims, tenant) = self.believe(token, keys, self.accepts_v1, now)?;
        if !is_onboarded(tenant) {
            return Err(TokenFault::NotOnboarded(tenant));
        }
        // An id token has no `azp`: it is no credential for an API, though it is for the same audience.
        let caller = claims.caller().ok_or(TokenFault::Claim("azp"))?;
        let object = claims.object()?;
        let Some(scopes) = &claims.scp else {
            return claims.app(tenant, caller, object).map(ApiToken::App);
        };
        if claims.idtyp.as_deref().is_some_and(|kind| kind != "user") {
            return Err(TokenFault::Claim("idtyp"));
        }
        if !self.callers.contains(&caller) {
            return Err(TokenFault::Caller(caller));
        }
        if !scopes.split(' ').any(|scope| scope == self.scope) {
            return Err(TokenFault::Scope);
        }
        Ok(ApiToken::User(claims.user(tenant, caller, object)))
    }

    /// Checks the id token that ends a sign-in of ours, which was begun with this nonce.
    ///
    /// Which tenants are served is left to the caller: the first sign-in of a new customer comes before it is onboarded.
    ///
    /// # Errors
    /// See [`TokenFault`].
    pub fn check_sign_in(
        &self,
        token: &str,
        keys: &KeySet,
        nonce: &Secret,
        now: UnixTime,
    ) -> Result<UserToken, TokenFault> {
        let (claims, tenant) = self.believe(token, keys, false, now)?;
        // Only our own client asks for id tokens; an access token is none.
        if claims.scp.is_some() || claims.caller().is_some_and(|caller| caller != self.client) {
            return Err(TokenFault::Claim("azp"));
        }
        let said = claims.nonce.as_deref().unwrap_or_default();
        if !bool::from(said.as_bytes().ct_eq(nonce.expose().as_bytes())) {
            return Err(TokenFault::Nonce);
        }
        let object = claims.object()?;
        Ok(claims.user(tenant, self.client, object))
    }

    /// Checks the token that comes with Graph's change notifications with resource data, and tells whose items it
    /// vouches for.
    ///
    /// # Errors
    /// See [`TokenFault`]; [`TokenFault::Caller`] if another than Graph's change tracking sent it.
    pub fn check_notification(
        &self,
        token: &str,
        keys: &KeySet,
        now: UnixTime,
    ) -> Result<EntraTenantId, TokenFault> {
        let (claims, tenant) = self.believe(token, keys, true, now)?;
        match claims.caller().ok_or(TokenFault::Claim("azp"))? {
            GRAPH_CHANGE_TRACKING => Ok(tenant),
            other => Err(TokenFault::Caller(other)),
        }
    }

    /// What holds for every token: key, signature, issuer, audience, version, time.
    fn believe(
        &self,
        token: &str,
        keys: &KeySet,
        accepts_v1: bool,
        now: UnixTime,
    ) -> Result<(Claims, EntraTenantId), TokenFault> {
        let jwt = Jwt::<Claims>::parse(token)?;
        let tenant = jwt.claims.tid.parse().map_err(|_| TokenFault::Claim("tid"))?;
        let named = keys.named(&jwt.kid);
        if named.is_empty() {
            return Err(TokenFault::UnknownKey);
        }
        let mut fitting = named.iter().filter(|key| key.is_for(&self.cloud, tenant)).peekable();
        if fitting.peek().is_none() {
            return Err(TokenFault::ForeignKey);
        }
        if !fitting.any(|key| jwt.is_signed_by(&key.verifying)) {
            return Err(TokenFault::Signature);
        }
        let claims = jwt.claims;
        let issuer = match claims.ver.as_str() {
            "2.0" => &self.cloud.issuer,
            "1.0" if accepts_v1 => &self.cloud.issuer_v1,
            _ => return Err(TokenFault::Version),
        };
        if !issuer.is(&claims.iss, tenant) {
            return Err(TokenFault::Issuer);
        }
        let is_client = claims.aud.parse() == Ok(self.client);
        let is_uri = claims.ver == "1.0" && self.app_id_uri.as_ref() == Some(&claims.aud);
        if !is_client && !is_uri {
            return Err(TokenFault::Audience);
        }
        let skew = self.skew.min(SKEW_MAX);
        let starts = UnixTime(claims.nbf.unwrap_or(0).max(claims.iat.unwrap_or(0)));
        if starts > now.after(skew) {
            return Err(TokenFault::NotYet(starts));
        }
        let expires = UnixTime(claims.exp);
        if expires.after(skew) <= now {
            return Err(TokenFault::Expired(expires));
        }
        Ok((claims, tenant))
    }
}

impl fmt::Debug for UserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserToken")
            .field("tenant", &self.tenant)
            .field("user", &self.user)
            .field("caller", &self.caller)
            .field("roles", &self.roles)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl TokenFault {
    /// A name for logs, the audit trail and the API that never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable(JwtFault::Algorithm) => "token_algorithm",
            Self::Unreadable(_) => "token_unreadable",
            Self::UnknownKey => "token_unknown_key",
            Self::ForeignKey => "token_foreign_key",
            Self::Signature => "token_signature",
            Self::Claim(_) => "token_claim",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Version => "token_version",
            Self::NotYet(_) => "token_not_yet",
            Self::Expired(_) => "token_expired",
            Self::NotOnboarded(_) => "token_tenant",
            Self::Caller(_) => "token_caller",
            Self::Scope => "token_scope",
            Self::NoRole => "token_no_role",
            Self::Nonce => "token_nonce",
        }
    }

    /// Who can do something about it.
    #[must_use]
    pub fn blame(self) -> Blame {
        match self {
            Self::Expired(_) | Self::Nonce => Blame::Person,
            Self::Version | Self::NotOnboarded(_) | Self::Scope | Self::NoRole | Self::NotYet(_) => {
                Blame::Administrator
            }
            Self::UnknownKey => Blame::Microsoft,
            _ => Blame::Sender,
        }
    }

    /// What that one can do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Unreadable(_)
            | Self::ForeignKey
            | Self::Signature
            | Self::Claim(_)
            | Self::Issuer
            | Self::Audience => "Ask Entra ID for a token for this application, and send it unchanged.",
            Self::UnknownKey => {
                "Try again: keys are being fetched. If it lasts, check that Entra ID's keys can be reached."
            }
            Self::Version => "Set requestedAccessTokenVersion to 2 in the manifest of the app registration.",
            Self::NotYet(_) => "Set the clock of this machine: it is more than five minutes behind.",
            Self::Expired(_) => "Sign in again.",
            Self::NotOnboarded(_) => "Onboard the tenant: have its administrator consent.",
            Self::Caller(_) => {
                "Come through Teams or this installation's own page, or have the client listed."
            }
            Self::Scope => {
                "Expose the scope access_as_user and authorise the Teams clients for it in the app registration."
            }
            Self::NoRole => "Assign an app role to the program's service principal.",
            Self::Nonce => "Start signing in again.",
        }
    }
}

/// The scope that people's tokens for our API have.
pub const ACCESS_AS_USER: &str = "access_as_user";

/// Microsoft Graph's change tracking, which sends notifications.
pub const GRAPH_CHANGE_TRACKING: ClientId = ClientId(Guid::literal("0bf30f3b-4a52-48df-9a82-234910c4a086"));

/// How much clocks may differ; a larger setting counts as this one.
pub const SKEW_MAX: Duration = Duration::from_secs(5 * 60);

/// What is read of a token. An unexpected kind of value makes the token unreadable; claims that may come in several
/// kinds are kept as they are.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    tid: String,
    #[serde(default)]
    ver: String,
    exp: u64,
    nbf: Option<u64>,
    iat: Option<u64>,
    oid: Option<String>,
    sub: Option<String>,
    azp: Option<String>,
    appid: Option<String>,
    idtyp: Option<String>,
    scp: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    nonce: Option<String>,
    name: Option<String>,
    preferred_username: Option<String>,
    upn: Option<String>,
    uti: Option<String>,
    acct: Option<serde_json::Value>,
    groups: Option<Vec<String>>,
    hasgroups: Option<serde_json::Value>,
    #[serde(rename = "_claim_names")]
    claim_names: Option<serde_json::Value>,
    wids: Option<Vec<String>>,
}

impl Claims {
    fn caller(&self) -> Option<ClientId> {
        let said = if self.ver == "1.0" { &self.appid } else { &self.azp };
        said.as_deref().and_then(|id| id.parse().ok())
    }

    fn object(&self) -> Result<ObjectId, TokenFault> {
        self.oid.as_deref().and_then(|id| id.parse().ok()).ok_or(TokenFault::Claim("oid"))
    }

    fn app(self, tenant: EntraTenantId, app: ClientId, principal: ObjectId) -> Result<AppToken, TokenFault> {
        if self.idtyp.as_deref().is_some_and(|kind| kind != "app") {
            return Err(TokenFault::Claim("idtyp"));
        }
        // In a program's token the subject is the program; a person's subject is never the object id.
        if self.sub.as_deref().and_then(|id| id.parse().ok()) != Some(principal) {
            return Err(TokenFault::Claim("sub"));
        }
        if self.roles.is_empty() {
            return Err(TokenFault::NoRole);
        }
        let expires = UnixTime(self.exp);
        Ok(AppToken { tenant, app, principal, roles: self.roles, expires, token_id: self.uti })
    }

    fn user(self, tenant: EntraTenantId, caller: ClientId, user: ObjectId) -> UserToken {
        let groups = self.groups();
        UserToken {
            tenant,
            user,
            caller,
            name: self.name,
            preferred_username: self.preferred_username.or(self.upn),
            roles: self.roles,
            groups,
            directory_roles: self.wids.map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect()),
            is_guest: self.acct.as_ref().and_then(flag),
            expires: UnixTime(self.exp),
            token_id: self.uti,
        }
    }

    fn groups(&self) -> Groups {
        let is_elsewhere = self.claim_names.as_ref().is_some_and(|names| names.get("groups").is_some());
        if is_elsewhere || self.hasgroups.as_ref().and_then(flag) == Some(true) {
            return Groups::Overage;
        }
        match &self.groups {
            None => Groups::None,
            Some(ids) => Groups::Listed(ids.iter().filter_map(|id| id.parse().ok()).collect()),
        }
    }
}

/// A claim that says yes or no: as a boolean, as a number, or as the text of either.
fn flag(value: &serde_json::Value) -> Option<bool> {
    match value {
        serde_json::Value::Bool(is) => Some(*is),
        serde_json::Value::Number(number) => Some(number.as_u64()? == 1),
        serde_json::Value::String(text) => match text.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
