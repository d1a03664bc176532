//! Signing in, staying in, signing out.
//!
//! An access token stands in the answer and is kept in memory by whoever asked; it lives for minutes. What buys the next
//! one is a cookie that no script can read and no other site can send.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::http::header::{COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_people::caller::Who;
use tandem_people::secret::Secret;
use utoipa::ToSchema;

use super::Api;
use super::access::Peer;
use super::error::{ApiError, ErrorBody};
use super::passkeys::{self, PasskeyMade};
use super::scope::OfMyself;
use crate::identity::{self, FirstCredential, FirstPerson, IdentityFault, Tokens};

/// What there is to sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Methods {
    /// A name and a password.
    pub password: bool,
    /// A passkey, at an address that can have them.
    pub passkey: bool,
    /// Microsoft 365, at `GET /auth/entra/start`.
    pub entra: bool,
    /// Nobody is in charge yet: the code on the console lets somebody in.
    pub setup: bool,
    /// In a demo: who signs in with one click.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_click: Vec<OneClickPerson>,
}

/// Somebody of a demo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OneClickPerson {
    /// The user name.
    pub user_name: String,
    /// The name.
    pub name: String,
    /// The tenant; missing for somebody who runs the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What people call the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_name: Option<String>,
    /// The roles.
    pub roles: Vec<String>,
}

/// A name and a password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordSignIn {
    /// The user name.
    pub user_name: String,
    /// The password.
    pub password: String,
}

/// The code of the first start, and who is to be let in by it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// The code on the console. Letter case and hyphens do not matter.
    pub code: String,
    /// The name to sign in with; that of an operator of the configuration, or a new one.
    pub user_name: String,
    /// The name as it is shown. An operator of the configuration keeps theirs.
    pub name: String,
    /// The password, 12 to 128 characters; or else `passkey`.
    #[serde(default)]
    pub password: Option<String>,
    /// The passkey that was made by the answer of `POST /auth/setup/passkey`; or else `password`.
    #[serde(default)]
    pub passkey: Option<PasskeyMade>,
}

/// An invitation, and the password or passkey that is set by it.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// What stands in the link.
    pub code: String,
    /// The password, 12 to 128 characters; or else `passkey`.
    #[serde(default)]
    pub password: Option<String>,
    /// The passkey that was made by the answer of `POST /auth/invitation/passkey`; or else `password`.
    #[serde(default)]
    pub passkey: Option<PasskeyMade>,
}

/// One of the people of a demo.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Click {
    /// The user name.
    pub user_name: String,
}

/// Somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Goes with each request, as `Authorization: Bearer`. To be kept in memory only.
    pub access_token: String,
    /// For how long it is good, in seconds.
    pub expires_in_s: u64,
    /// The person.
    pub person: String,
}

/// What there is to sign in with.
#[utoipa::path(
    get, path = "/auth/methods", tag = "sign-in", operation_id = "sign_in_methods",
    responses((status = 200, description = "What there is to sign in with.", body = Methods))
)]
pub(super) async fn methods(State(api): State<Api>) -> Result<Json<Methods>, ApiError> {
    let desks = api.desks.clone();
    let methods = api.identity.change(move |identity| {
        let settings = identity.settings();
        let people = identity.one_click_people()?.into_iter().map(|(user_name, person)| {
            let tenant = person.scope.tenant_name().map(str::to_owned);
            let desk =
                tenant.as_deref().and_then(|tenant| tenant.parse().ok()).and_then(|id| desks.desk(&id));
            let mut roles: Vec<String> =
                person.effective().iter().map(|effective| effective.role.to_string()).collect();
            roles.dedup();
            OneClickPerson {
                user_name: user_name.to_string(),
                name: person.name.to_string(),
                tenant_name: desk.map(|desk| desk.name().to_string()).filter(|name| !name.is_empty()),
                tenant,
                roles,
            }
        });
        Ok(Methods {
            password: settings.local,
            passkey: settings.local,
            entra: settings.entra,
            setup: identity.is_setting_up(identity::now()),
            one_click: people.collect(),
        })
    });
    Ok(Json(methods.await?))
}

/// Signs in with a name and a password. After too many failures the name, or the address, waits.
#[utoipa::path(
    post, path = "/auth/password", tag = "sign-in", operation_id = "sign_in_password",
    request_body = PasswordSignIn,
    responses(
        (status = 200, description = "Signed in; the cookie buys the next access token.", body = SignedIn),
        (status = 400, description = "The body is wrong.", body = ErrorBody),
        (status = 401, description = "Name and password do not fit; which of them is not told.", body = ErrorBody),
        (status = 403, description = "There is no local sign-in here, or the person may not sign in.", body = ErrorBody),
        (status = 429, description = "Too many failures; Retry-After says for how long to wait.", body = ErrorBody),
        (status = 503, description = "Too many people sign in.", body = ErrorBody),
    )
)]
pub(super) async fn password(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<PasswordSignIn>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(PasswordSignIn { user_name, password }) = body?;
    let (peer, label) = (peer.map_or_else(Peer::local, |Extension(peer)| peer), label(&headers));
    let password = Secret::new(password);
    let tokens = api.identity.sign_in_by_password(user_name, password, peer.0, label).await?;
    Ok(signed_in(&api, &tokens))
}

/// Lets the first person in, who makes all others: an operator, who is administrator too where there is only one tenant. The
/// code stands on the console of the program and is good once.
#[utoipa::path(
    post, path = "/auth/setup", tag = "sign-in", operation_id = "sign_in_setup",
    request_body = SetUp,
    responses(
        (status = 200, description = "Signed in.", body = SignedIn),
        (status = 400, description = "The name or the password cannot be so, or there is not one credential.", body = ErrorBody),
        (status = 401, description = "The passkey is not good.", body = ErrorBody),
        (status = 403, description = "The code is wrong, was used or has expired, or there is nothing to set up.", body = ErrorBody),
        (status = 409, description = "The user name is taken.", body = ErrorBody),
        (status = 429, description = "Too many wrong codes; Retry-After says for how long to wait.", body = ErrorBody),
    )
)]
pub(super) async fn set_up(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<SetUp>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(SetUp { code, user_name, name, password, passkey }) = body?;
    let user_name = user_name.parse().map_err(IdentityFault::from)?;
    let first = FirstPerson { code: Secret::new(code), user_name, name };
    let credential = first_credential(&api, &headers, password, passkey)?;
    let tokens = api.identity.set_up(first, credential, Peer::address(peer), label(&headers)).await?;
    Ok(signed_in(&api, &tokens))
}

/// Takes an invitation: sets the password or the passkey, and signs in. It is good once. What the person signed in with here
/// before is worthless then.
#[utoipa::path(
    post, path = "/auth/invitation", tag = "sign-in", operation_id = "sign_in_invitation",
    request_body = AcceptInvitation,
    responses(
        (status = 200, description = "Signed in.", body = SignedIn),
        (status = 400, description = "The password is not good enough, or there is not one credential.", body = ErrorBody),
        (status = 401, description = "The invitation is not known, was used or has expired, or the passkey is not good.", body = ErrorBody),
    )
)]
pub(super) async fn accept_invitation(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<AcceptInvitation>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(AcceptInvitation { code, password, passkey }) = body?;
    let credential = first_credential(&api, &headers, password, passkey)?;
    let address = Peer::address(peer);
    let tokens = api.identity.accept_invitation(code, credential, address, label(&headers)).await?;
    Ok(signed_in(&api, &tokens))
}

/// Signs in as one of the people of a demo.
#[utoipa::path(
    post, path = "/auth/demo", tag = "sign-in", operation_id = "sign_in_demo",
    request_body = Click,
    responses(
        (status = 200, description = "Signed in.", body = SignedIn),
        (status = 401, description = "Nobody signs in so here.", body = ErrorBody),
    )
)]
pub(super) async fn click(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<Click>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(Click { user_name }) = body?;
    let user_name = user_name.parse().map_err(|_| IdentityFault::WrongCredential)?;
    let (label, address) = (label(&headers), Peer::address(peer));
    let signing = api
        .identity
        .change(move |identity| identity.sign_in_by_click(&user_name, address, &label, identity::now()));
    Ok(signed_in(&api, &signing.await?))
}

/// Gives the next access token for the cookie, which is replaced. One that comes back although it was replaced ends the
/// login: two have it.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "sign-in", operation_id = "sign_in_refresh",
    responses(
        (status = 200, description = "The next access token.", body = SignedIn),
        (status = 401, description = "There is no login any more: sign in again.", body = ErrorBody),
    )
)]
pub(super) async fn refresh(State(api): State<Api>, headers: HeaderMap) -> Response {
    let Some(secret) = cookie_of(&headers) else {
        let error =
            ApiError::new(StatusCode::UNAUTHORIZED, "signed_out", "nobody is signed in here", "sign in");
        return error.into_response();
    };
    let refreshing =
        api.identity.change(move |identity| identity.refresh(&Secret::new(secret), identity::now()));
    match refreshing.await {
        Ok(tokens) => signed_in(&api, &tokens),
        Err(fault @ IdentityFault::Renew(_)) => {
            let mut response = ApiError::from(fault).into_response();
            response.headers_mut().insert(SET_COOKIE, no_cookie());
            response
        }
        Err(fault) => ApiError::from(fault).into_response(),
    }
}

/// Signs out: the login ends, here and wherever it is open.
#[utoipa::path(
    post, path = "/auth/sign-out", tag = "sign-in", operation_id = "sign_in_end",
    responses(
        (status = 204, description = "Signed out."),
        (status = 401, description = "Nobody is known by this token.", body = ErrorBody),
        (status = 404, description = "The caller is a program, which has no login.", body = ErrorBody),
    )
)]
pub(super) async fn out(OfMyself { api, caller }: OfMyself) -> Result<Response, ApiError> {
    api.identity.change(move |identity| identity.sign_out(&caller, identity::now())).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(SET_COOKIE, no_cookie());
    Ok(response)
}

/// The answer to somebody who has signed in in a browser: the access token in the body, what buys the next one in a cookie.
pub(crate) fn signed_in(api: &Api, tokens: &Tokens) -> Response {
    let mut response = Json(SignedIn::of(tokens)).into_response();
    if let Some(cookie) = cookie(api, tokens) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

impl SignedIn {
    /// What is told of a login; the refresh secret is not in it.
    pub(crate) fn of(tokens: &Tokens) -> SignedIn {
        let person = match tokens.caller.who() {
            Who::Person { person, .. } => person.to_string(),
            Who::Key { .. } | Who::Console | Who::Tandem | Who::Unknown => String::new(),
        };
        SignedIn {
            access_token: tokens.access.expose().to_owned(),
            expires_in_s: tokens.access_for.as_secs(),
            person,
        }
    }
}

/// The cookie with what buys the next access token; `None` if another tab has it.
pub(crate) fn cookie(api: &Api, tokens: &Tokens) -> Option<HeaderValue> {
    let secret = tokens.refresh.as_ref()?;
    let secure = api.access.of_cookies();
    let text = format!(
        "{COOKIE_NAME}={}; Path=/auth; Max-Age={}; HttpOnly; SameSite=Strict{secure}",
        secret.expose(),
        tokens.refresh_for.as_secs()
    );
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// With what somebody will sign in: one of both.
fn first_credential(
    api: &Api,
    headers: &HeaderMap,
    password: Option<String>,
    passkey: Option<PasskeyMade>,
) -> Result<FirstCredential, ApiError> {
    match (password, passkey) {
        (Some(password), None) => Ok(FirstCredential::Password(Secret::new(password))),
        (None, Some(PasskeyMade { label, response })) => {
            let site = passkeys::site(api, headers)?;
            Ok(FirstCredential::Passkey { site, answer: response.to_string().into_bytes(), label })
        }
        _ => {
            let message = "a password or a passkey is needed, and not both";
            Err(ApiError::bad_request("no_credential", message, "send one of them").field("password"))
        }
    }
}

/// How a person knows a login again: what the browser says it is.
pub(crate) fn label(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.unwrap_or_default().to_owned()
}

fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE_NAME).then(|| value.to_owned())
    })
}

fn no_cookie() -> HeaderValue {
    HeaderValue::from_static("tandem_refresh=; Path=/auth; Max-Age=0; HttpOnly; SameSite=Strict")
}

const COOKIE_NAME: &str = "tandem_refresh";
