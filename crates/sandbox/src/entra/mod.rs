//! Entra ID: who people and programs are, and the tokens that say so ("Microsoft identity platform").
//!
//! A value: requests in, responses out, time handed in. It reads and changes the directory, and keeps what lives
//! between two requests. Only the keys are made from the machine's randomness; everything else comes from the seed.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::directory::{AppId, Directory, EntraTenantId, ObjectId};
use crate::entra::authorise::{Outcome, ResponseMode, Visit, Visited};
use crate::entra::claims::v2_issuer;
use crate::entra::client::SeenAssertions;
use crate::entra::discovery::Authority;
use crate::entra::fault::{Fault, Ids};
use crate::entra::grant::{Browser, Code, Device, Grant, Kept};
use crate::entra::page::Language;
use crate::entra::params::Params;
use crate::entra::policy::{Place, Policy, Trouble, Troubles};
use crate::entra::token::TokenRequest;

mod admin_consent;
pub mod authorise;
pub mod claims;
pub mod client;
pub mod command;
mod device;
pub mod discovery;
pub mod fault;
pub mod forge;
pub mod grant;
pub mod graph_token;
pub mod jwt;
pub mod keys;
pub mod page;
pub mod params;
pub mod policy;
mod route;
pub mod scope;
pub mod token;

pub use command::commands;
pub use discovery::Origin;
pub use graph_token::{GraphCaller, GraphTokenFault};
pub use keys::{KeyFault, KeyRing, SigningKey};
pub use route::routes;

/// What Entra knows beside the directory.
#[derive(Debug)]
pub struct Entra {
    issuer: String,
    keys: KeyRing,
    chance: Chance,
    codes: Kept<Code>,
    refresh_tokens: Kept<Grant>,
    devices: Kept<Device>,
    browsers: Kept<Browser>,
    /// Who has proved himself on the page before.
    steps: Kept<ObjectId>,
    /// The ids of tokens of people who have proved more than a password.
    strong: Kept<()>,
    assertions: SeenAssertions,
    /// When logins of people were ended, in seconds of Unix time. A line for each person at most.
    revoked: BTreeMap<ObjectId, i64>,
    policy: Policy,
    troubles: Troubles,
    log: VecDeque<Answered>,
    answered: u64,
}

impl Entra {
    /// With new keys, and nobody signed in. `issuer` stands before the tenant in `iss`.
    pub fn new(issuer: String, chance: Chance) -> Result<Self, KeyFault> {
        Ok(Self::with_keys(issuer, KeyRing::new()?, chance))
    }

    /// With these keys.
    pub fn with_keys(issuer: String, keys: KeyRing, chance: Chance) -> Self {
        Self {
            issuer: issuer.trim_end_matches('/').to_owned(),
            keys,
            chance,
            codes: Kept::default(),
            refresh_tokens: Kept::default(),
            devices: Kept::default(),
            browsers: Kept::default(),
            steps: Kept::default(),
            strong: Kept::default(),
            assertions: SeenAssertions::default(),
            revoked: BTreeMap::new(),
            policy: Policy::default(),
            troubles: Troubles::default(),
            log: VecDeque::new(),
            answered: 0,
        }
    }

    /// Answers a request; whoever calls waits first as long as the answer says.
    pub fn handle(
        &mut self,
        directory: &mut Directory,
        now: Timestamp,
        origin: &Origin,
        request: &Request<Bytes>,
    ) -> Answer {
        let ids = self.ids(now, request.headers());
        let place = Target::of(request.uri().path());
        let trouble = place.as_ref().and_then(|(_, target)| self.troubles.meet(target.place()));
        let slow_ms = trouble.as_ref().map_or(0, |trouble| trouble.slow_ms);
        let mut response = match (place, trouble) {
            (None, _) => json_response(404, &json!({ "error": "not_found" })),
            (Some(_), Some(Trouble { status: Some(status), retry_after_s, .. })) => {
                let mut response = json_response(status, &Fault::Trouble(status).body(&ids));
                if let Some(wait_s) = retry_after_s {
                    response.headers_mut().insert(header::RETRY_AFTER, wait_s.into());
                }
                response
            }
            (Some((tenant, target)), _) if *request.method() == Method::OPTIONS => {
                let _ = (tenant, target);
                preflight()
            }
            (Some((tenant, target)), _) => {
                let asked = AskedFor { tenant: &tenant, target, origin, request, ids: &ids };
                self.answer(directory, now, &asked)
            }
        };
        finish(&mut response, request.headers(), directory, &ids);
        self.note(now, request, response.status().as_u16());
        Answer { response, slow_ms }
    }

    /// Who calls Graph with this access token.
    pub fn graph_caller(&self, now: Timestamp, bearer: &str) -> Result<GraphCaller, GraphTokenFault> {
        graph_token::read(&self.keys, &self.revoked, now, bearer)
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
        let mut claims = self.graph_claims(now, tenant, app);
        merge(&mut claims, json!({ "idtyp": "app", "oid": id, "sub": id, "roles": roles }));
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
        let mut claims = self.graph_claims(now, tenant, app);
        merge(&mut claims, json!({ "idtyp": "user", "oid": user, "scp": scopes.join(" ") }));
        graph_token::write(self.keys.signing(), &self.chance.hex32(), &claims)
    }

    /// The token that goes with rich notifications: from Microsoft Graph Change Tracking to an application
    /// ("Set up change notifications that include resource data", validation tokens).
    pub fn change_tracking_token(&mut self, now: Timestamp, tenant: &EntraTenantId, app: &AppId) -> String {
        let claims = self.change_tracking_claims(now, tenant, app);
        self.sign(&claims)
    }

    /// The claims of such a token, to be forged.
    pub fn change_tracking_claims(&mut self, now: Timestamp, tenant: &EntraTenantId, app: &AppId) -> Value {
        json!({
            "aud": app, "iss": v2_issuer(&self.issuer, tenant),
            "iat": now.as_second(), "nbf": now.as_second(), "exp": now.as_second() + TOKEN_LIFETIME_S,
            "azp": CHANGE_TRACKING, "azpacr": "2", "tid": tenant, "uti": self.chance.hex32(), "ver": "2.0",
        })
    }

    /// The keys with which tokens are signed; for forgeries there is one that nobody trusts.
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The keys, to be rolled.
    pub fn keys_mut(&mut self) -> &mut KeyRing {
        &mut self.keys
    }

    /// The demands on sign-ins.
    pub fn policy_mut(&mut self) -> &mut Policy {
        &mut self.policy
    }

    /// The trouble that is on.
    pub fn troubles_mut(&mut self) -> &mut Troubles {
        &mut self.troubles
    }

    /// Ends all logins of somebody: refresh tokens and codes of before are worth nothing, and he has to sign in again
    /// ("revokeSignInSessions").
    pub fn revoke(&mut self, now: Timestamp, user: &ObjectId) {
        self.revoked.insert(user.clone(), now.as_second());
        for browser in self.browsers.iter_mut() {
            browser.signed_in.retain(|(_, known), _| known != user);
        }
    }

    /// The last answers, the oldest first.
    pub fn log(&self) -> impl Iterator<Item = &Answered> {
        self.log.iter()
    }

    fn answer(&mut self, directory: &mut Directory, now: Timestamp, asked: &AskedFor<'_>) -> Response<Bytes> {
        let AskedFor { tenant, target, origin, request, ids } = *asked;
        let authority = match Authority::read(tenant, directory) {
            Ok(authority) => authority,
            Err(fault) => return fault_response(&fault, ids),
        };
        let is_post = *request.method() == Method::POST;
        let uri = request.uri();
        let query = Params::read(uri.query().unwrap_or_default().as_bytes());
        let form = if is_post { Params::read(request.body()).map(Some) } else { Ok(None) };
        let (Ok(mut query), Ok(mut form)) = (query, form) else {
            return fault_response(&Fault::Malformed, ids);
        };
        match target {
            Target::Discovery => {
                return json_response(200, &discovery::document(&authority, origin, &self.issuer));
            }
            Target::DiscoveryV1 => {
                return json_response(200, &discovery::document_v1(&authority, origin, &self.issuer));
            }
            Target::Keys => {
                let issuer = format!("{}/{}/v2.0", self.issuer, authority.in_issuer());
                return json_response(200, &self.keys.document(&issuer));
            }
            Target::Instance => {
                return json_response(200, &discovery::instance(origin, authority.segment()));
            }
            Target::UserInfo => return self.user_info(directory, now, request.headers()),
            Target::Token | Target::DeviceCode => {
                let Some(form) = form.filter(|_| is_form(request.headers())) else {
                    return fault_response(&Fault::Malformed, ids);
                };
                let request = TokenRequest {
                    authority: &authority,
                    origin,
                    params: &form,
                    authorization: text(request.headers(), header::AUTHORIZATION.as_str()),
                    cross_origin: request.headers().contains_key(header::ORIGIN),
                };
                let answer = match target {
                    Target::Token => self.token(directory, now, &request),
                    _ => self.device(directory, now, &request),
                };
                return match answer {
                    Ok(body) => json_response(200, &body),
                    Err(fault) => fault_response(&fault, ids),
                };
            }
            Target::Authorise | Target::AdminConsent | Target::DevicePage | Target::Logout => {}
        }
        // OpenID Connect lets the request come as a form: from then on it is as if it had been a query.
        let mut address = uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str).to_owned();
        if let Some(body) = form.take_if(|form| form.get("client_id").is_some()) {
            address = format!("{}?{}", uri.path(), String::from_utf8_lossy(request.body()));
            query = body;
        }
        let cookie = text(request.headers(), header::COOKIE.as_str());
        let language = query.get("ui_locales").or(text(request.headers(), header::ACCEPT_LANGUAGE.as_str()));
        let visit = Visit {
            authority: &authority,
            origin,
            address: &address,
            query: &query,
            form: form.as_ref(),
            browser: cookie.and_then(browser_cookie),
            language: Language::of(language.unwrap_or_default()),
            ids,
        };
        let visited = match target {
            Target::AdminConsent => self.admin_consent(directory, now, &visit),
            Target::DevicePage => self.device_page(directory, now, &visit),
            Target::Logout => self.logout(directory, now, &visit),
            _ => self.authorise(directory, now, &visit),
        };
        self.page_response(visited, visit.language)
    }

    /// `/oidc/userinfo`: what an access token for Graph says of its person.
    fn user_info(&self, directory: &Directory, now: Timestamp, headers: &HeaderMap) -> Response<Bytes> {
        let bearer =
            text(headers, header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        let caller = self.graph_caller(now, bearer.unwrap_or_default());
        let user = caller.ok().and_then(|caller| {
            let user = directory.user(&caller.tenant, caller.user.as_ref()?)?;
            Some((caller.app, user))
        });
        match user {
            Some((app, user)) => json_response(
                200,
                &json!({
                    "sub": claims::pairwise(app.as_str(), &user.object_id), "name": user.name, "email": user.mail,
                    "picture": "https://graph.microsoft.com/v1.0/me/photo/$value",
                }),
            ),
            None => json_response(
                401,
                &json!({ "error": { "code": "InvalidAuthenticationToken", "message": "Access token is not valid." } }),
            ),
        }
    }

    fn page_response(&mut self, visited: Visited, language: Language) -> Response<Bytes> {
        let Visited { outcome, browser } = visited;
        let mut script = String::new();
        let mut response = match outcome {
            Outcome::Page { status, html } => html_response(status, html),
            Outcome::Back { to, mode: ResponseMode::FormPost, pairs } => {
                script = self.chance.hex32();
                let pairs: Vec<(&str, &str)> =
                    pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
                html_response(200, page::form_post(language, &to, &pairs, &script))
            }
            Outcome::Back { to, mode, pairs } => {
                let mut response = html_response(302, String::new());
                // Redirect URIs are registered or of this machine, and everything beside is encoded.
                if let Ok(location) = HeaderValue::from_str(&Outcome::location(&to, mode, &pairs)) {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                response
            }
        };
        let scripts =
            if script.is_empty() { String::new() } else { format!("; script-src 'nonce-{script}'") };
        let policy = format!(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'{scripts}"
        );
        let cookie = browser
            .map(|browser| format!("{COOKIE}={browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400"));
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    }

    fn graph_claims(&mut self, now: Timestamp, tenant: &EntraTenantId, app: &AppId) -> Value {
        json!({
            "aud": scope::GRAPH, "iss": claims::v1_issuer(tenant), "iat": now.as_second(), "nbf": now.as_second(),
            "exp": now.as_second() + TOKEN_LIFETIME_S, "appid": app, "appidacr": "1", "tid": tenant,
            "uti": self.chance.hex32(), "ver": "1.0",
        })
    }

    fn ids(&mut self, now: Timestamp, headers: &HeaderMap) -> Ids {
        let named = text(headers, "client-request-id").filter(|id| id.len() <= ID_OCTETS_MAX);
        let correlation = named.map_or_else(|| self.chance.guid(), str::to_owned);
        Ids { trace: self.chance.guid(), correlation, at: now }
    }

    /// A name that nobody guesses, as far as the seed is not known.
    fn random_name(&mut self) -> String {
        format!("{}{}", self.chance.hex32(), self.chance.hex32())
    }

    fn note(&mut self, now: Timestamp, request: &Request<Bytes>, status: u16) {
        if self.log.len() == LOG_MAX {
            self.log.pop_front();
        }
        self.answered += 1;
        let form = Params::read(request.body()).unwrap_or_default();
        let word = |name: &str| form.get(name).map(str::to_owned);
        self.log.push_back(Answered {
            number: self.answered,
            at_s: now.as_second(),
            path: request.uri().path().to_owned(),
            grant_type: word("grant_type"),
            client: word("client_id"),
            scope: word("scope"),
            status,
        });
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// What is sent.
    pub response: Response<Bytes>,
    /// How long to wait before, in milliseconds.
    pub slow_ms: u32,
}

/// One line of the log: what was asked, and how it ended. Nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// Counts from 1.
    pub number: u64,
    /// When, in seconds of Unix time.
    pub at_s: i64,
    /// The path.
    pub path: String,
    /// At the token endpoint.
    pub grant_type: Option<String>,
    /// At the token endpoint.
    pub client: Option<String>,
    /// At the token endpoint.
    pub scope: Option<String>,
    /// The HTTP status.
    pub status: u16,
}

/// A request, as far as it has been looked at.
#[derive(Clone, Copy)]
struct AskedFor<'a> {
    tenant: &'a str,
    target: Target,
    origin: &'a Origin,
    request: &'a Request<Bytes>,
    ids: &'a Ids,
}

/// What a path means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Discovery,
    DiscoveryV1,
    Keys,
    Instance,
    UserInfo,
    Token,
    DeviceCode,
    Authorise,
    AdminConsent,
    DevicePage,
    Logout,
}

impl Target {
    /// The tenant in a path, and what is asked of it.
    fn of(path: &str) -> Option<(String, Self)> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (tenant, target) = match parts.as_slice() {
            [tenant, "v2.0", ".well-known", "openid-configuration"] => (tenant, Self::Discovery),
            [tenant, ".well-known", "openid-configuration"] => (tenant, Self::DiscoveryV1),
            [tenant, "discovery", "v2.0", "keys"] | [tenant, "discovery", "keys"] => (tenant, Self::Keys),
            [tenant, "discovery", "instance"] => (tenant, Self::Instance),
            ["oidc", "userinfo"] => (&"common", Self::UserInfo),
            [tenant, "oauth2", "v2.0", "token"] => (tenant, Self::Token),
            [tenant, "oauth2", "v2.0", "devicecode"] => (tenant, Self::DeviceCode),
            [tenant, "oauth2", "v2.0", "authorize"] => (tenant, Self::Authorise),
            [tenant, "v2.0", "adminconsent"] => (tenant, Self::AdminConsent),
            [tenant, "oauth2", "deviceauth"] => (tenant, Self::DevicePage),
            [tenant, "oauth2", "v2.0", "logout"] => (tenant, Self::Logout),
            _ => return None,
        };
        Some(((*tenant).to_owned(), target))
    }

    fn place(self) -> Place {
        match self {
            Self::Discovery | Self::DiscoveryV1 | Self::Instance => Place::Discovery,
            Self::Keys => Place::Keys,
            Self::Token | Self::DeviceCode | Self::UserInfo => Place::Token,
            Self::Authorise | Self::AdminConsent | Self::DevicePage | Self::Logout => Place::Pages,
        }
    }
}

fn fault_response(fault: &Fault, ids: &Ids) -> Response<Bytes> {
    json_response(fault.status(), &fault.body(ids))
}

fn json_response(status: u16, body: &Value) -> Response<Bytes> {
    response(status, "application/json; charset=utf-8", body.to_string())
}

fn html_response(status: u16, html: String) -> Response<Bytes> {
    response(status, "text/html; charset=utf-8", html)
}

fn response(status: u16, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The answer to a browser that asks whether a page of another origin may ask.
fn preflight() -> Response<Bytes> {
    let mut response = response(200, "text/plain; charset=utf-8", String::new());
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    let allowed = "content-type, client-request-id, return-client-request-id, x-client-current-telemetry, \
                   x-client-last-telemetry, x-client-sku, x-client-ver";
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    response
}

/// What every answer bears.
fn finish(response: &mut Response<Bytes>, asked: &HeaderMap, directory: &Directory, ids: &Ids) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put("x-ms-request-id", &ids.trace);
    if text(asked, "return-client-request-id") == Some("true") {
        put("client-request-id", &ids.correlation);
    }
    // Pages of applications without a server may read answers; others get none that a browser would show them.
    if let Some(origin) = text(asked, header::ORIGIN.as_str()) {
        let pages = directory.apps().flat_map(|app| &app.spa_redirect_uris);
        let is_of = |uri: &String| {
            uri.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if origin.starts_with("http://localhost:") || { pages }.any(is_of) {
            put("access-control-allow-origin", origin);
            put("vary", "Origin");
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    kind.split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn browser_cookie(cookies: &str) -> Option<&str> {
    cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Puts the fields of one object into another; null takes a field out.
fn merge(into: &mut Value, fields: Value) {
    let (Value::Object(into), Value::Object(fields)) = (into, fields) else { return };
    for (name, value) in fields {
        if value.is_null() {
            into.remove(&name);
        } else {
            into.insert(name, value);
        }
    }
}

/// The client id of Microsoft Graph Change Tracking.
pub const CHANGE_TRACKING: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";
/// The cookie that names a browser.
const COOKIE: &str = "ESTSAUTHSANDBOX";
/// How long tokens live that are asked for from within.
const TOKEN_LIFETIME_S: i64 = 3600;
/// How far clocks may differ.
const SKEW_S: i64 = 300;
/// Answers that are remembered; older ones are let go.
const LOG_MAX: usize = 2_000;
/// A longer id of a request is not echoed.
const ID_OCTETS_MAX: usize = 64;
/// The longest `slow_ms` that is heeded.
pub(crate) const SLOW_MAX: SignedDuration = SignedDuration::from_secs(120);
