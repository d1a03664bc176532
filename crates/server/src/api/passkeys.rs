//! Passkeys: options for the browser, and what it answers. They are those of Web Authentication Level 3, section 5.1.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Extension, Path, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use tandem_people::passkey::RelyingParty;
use tandem_people::secret::Secret;
use utoipa::ToSchema;

use super::Api;
use super::access::Peer;
use super::error::{ApiError, ErrorBody};
use super::me::{Passkey, micros};
use super::scope::OfMyself;
use super::sign_in::{SignedIn, label, signed_in};
use crate::identity::{self, FirstPerson, IdentityFault};

/// What the browser answered when it made a passkey.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyMade {
    /// What its owner calls it, such as the name of the device; at most 64 characters.
    pub label: String,
    /// `RegistrationResponseJSON`, as `toJSON()` of the credential gives it.
    #[schema(value_type = Object)]
    pub response: Value,
}

/// Who is the first one, and wants a passkey.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstPasskey {
    /// The code on the console. The same text goes to `POST /auth/setup` then.
    pub code: String,
    /// The name to sign in with; that of an operator of the configuration, or a new one.
    pub user_name: String,
    /// The name as it is shown.
    pub name: String,
}

/// Somebody who was invited, and wants a passkey.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitedPasskey {
    /// What stands in the link.
    pub code: String,
}

/// Begins a sign-in with a passkey: the answer goes to `PublicKeyCredential.parseRequestOptionsFromJSON()`.
#[utoipa::path(
    post, path = "/auth/passkey/begin", tag = "sign-in", operation_id = "passkey_ask",
    responses(
        (status = 200, description = "PublicKeyCredentialRequestOptionsJSON; good for five minutes.", body = Object),
        (status = 400, description = "This address can have no passkeys.", body = ErrorBody),
        (status = 403, description = "There is no local sign-in here.", body = ErrorBody),
    )
)]
pub(super) async fn ask(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let options = api.identity.passkey_ask(&site(&api, &headers)?, Peer::address(peer), identity::now())?;
    Ok(Json(options).into_response())
}

/// Signs in with what the browser answered.
#[utoipa::path(
    post, path = "/auth/passkey/finish", tag = "sign-in", operation_id = "passkey_sign_in",
    request_body(content = Object, description = "AuthenticationResponseJSON, as toJSON() of the credential gives it."),
    responses(
        (status = 200, description = "Signed in; the cookie buys the next access token.", body = SignedIn),
        (status = 400, description = "The body is no JSON, or this address can have no passkeys.", body = ErrorBody),
        (status = 401, description = "The passkey lets nobody in.", body = ErrorBody),
        (status = 403, description = "The person may not sign in, or there is no local sign-in.", body = ErrorBody),
    )
)]
pub(super) async fn finish(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (site, label, address) = (site(&api, &headers)?, label(&headers), Peer::address(peer));
    let answer = body?.0.to_string();
    let signing = api.identity.change(move |identity| {
        identity.sign_in_by_passkey(&site, answer.as_bytes(), address, &label, identity::now())
    });
    Ok(signed_in(&api, &signing.await?))
}

/// Begins to make a passkey for the first person: the answer goes to `PublicKeyCredential.parseCreationOptionsFromJSON()`, and
/// what the browser makes to `POST /auth/setup`. The code stays good.
#[utoipa::path(
    post, path = "/auth/setup/passkey", tag = "sign-in", operation_id = "passkey_begin_setup",
    request_body = FirstPasskey,
    responses(
        (status = 200, description = "PublicKeyCredentialCreationOptionsJSON; good for five minutes.", body = Object),
        (status = 400, description = "The name cannot be so, or this address can have no passkeys.", body = ErrorBody),
        (status = 403, description = "The code is wrong, was used or has expired, or there is no local sign-in here.", body = ErrorBody),
        (status = 409, description = "The user name is taken.", body = ErrorBody),
    )
)]
pub(super) async fn begin_setup(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<FirstPasskey>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (site, address) = (site(&api, &headers)?, Peer::address(peer));
    let Json(FirstPasskey { code, user_name, name }) = body?;
    let user_name = user_name.parse().map_err(IdentityFault::from)?;
    let first = FirstPerson { code: Secret::new(code), user_name, name };
    let options =
        api.identity.change(move |identity| identity.set_up_passkey(&first, &site, address, identity::now()));
    Ok(Json(options.await?).into_response())
}

/// Begins to make a passkey for somebody who was invited: the answer goes to
/// `PublicKeyCredential.parseCreationOptionsFromJSON()`, and what the browser makes to `POST /auth/invitation`. The invitation
/// stays good.
#[utoipa::path(
    post, path = "/auth/invitation/passkey", tag = "sign-in", operation_id = "passkey_begin_invitation",
    request_body = InvitedPasskey,
    responses(
        (status = 200, description = "PublicKeyCredentialCreationOptionsJSON; good for five minutes.", body = Object),
        (status = 400, description = "The body is wrong, or this address can have no passkeys.", body = ErrorBody),
        (status = 401, description = "The invitation is not known, was used or has expired.", body = ErrorBody),
        (status = 403, description = "There is no local sign-in here.", body = ErrorBody),
    )
)]
pub(super) async fn begin_invitation(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<InvitedPasskey>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (site, address) = (site(&api, &headers)?, Peer::address(peer));
    let Json(InvitedPasskey { code }) = body?;
    let options = api
        .identity
        .change(move |identity| identity.invitation_passkey(&code, &site, address, identity::now()));
    Ok(Json(options.await?).into_response())
}

/// Begins to make a passkey for the caller: the answer goes to `PublicKeyCredential.parseCreationOptionsFromJSON()`.
#[utoipa::path(
    post, path = "/api/v1/me/passkeys/begin", tag = "sign-in", operation_id = "passkey_begin",
    responses(
        (status = 200, description = "PublicKeyCredentialCreationOptionsJSON; good for five minutes.", body = Object),
        (status = 400, description = "This address can have no passkeys.", body = ErrorBody),
        (status = 403, description = "The caller is no person, or there is no local sign-in.", body = ErrorBody),
    )
)]
pub(super) async fn begin(
    OfMyself { api, caller }: OfMyself,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (site, address) = (site(&api, &headers)?, Peer::address(peer));
    let options =
        api.identity.change(move |identity| identity.passkey_begin(&caller, &site, address, identity::now()));
    Ok(Json(options.await?).into_response())
}

/// Keeps the passkey that the browser made.
#[utoipa::path(
    post, path = "/api/v1/me/passkeys", tag = "sign-in", operation_id = "passkey_add",
    request_body = PasskeyMade,
    responses(
        (status = 201, description = "It is kept.", body = Passkey),
        (status = 400, description = "The body is wrong, or this address can have no passkeys.", body = ErrorBody),
        (status = 401, description = "The answer of the browser does not fit.", body = ErrorBody),
        (status = 403, description = "The caller is no person, or there is no local sign-in.", body = ErrorBody),
        (status = 409, description = "It is somebody else's, or there are too many.", body = ErrorBody),
    )
)]
pub(super) async fn add(
    OfMyself { api, caller }: OfMyself,
    headers: HeaderMap,
    body: Result<Json<PasskeyMade>, JsonRejection>,
) -> Result<Response, ApiError> {
    let site = site(&api, &headers)?;
    let Json(PasskeyMade { label, response }) = body?;
    let (answer, name) = (response.to_string(), label.clone());
    let keeping = api.identity.change(move |identity| {
        identity.passkey_finish(&caller, &site, answer.as_bytes(), &name, identity::now())
    });
    let made = keeping.await?;
    let shown = Passkey { id: made.id.to_string(), label, created: micros(made.created), used: None };
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// Removes a passkey of the caller. All other logins of theirs end.
#[utoipa::path(
    delete, path = "/api/v1/me/passkeys/{id}", tag = "sign-in", operation_id = "passkey_remove",
    params(("id" = String, Path, description = "The passkey.")),
    responses(
        (status = 204, description = "It is removed."),
        (status = 403, description = "The caller is no person.", body = ErrorBody),
        (status = 404, description = "The caller has no such passkey.", body = ErrorBody),
    )
)]
pub(super) async fn remove(
    OfMyself { api, caller }: OfMyself,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let removing =
        api.identity.change(move |identity| identity.passkey_remove(&caller, &id, identity::now()));
    removing.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The site that the browser shows: the address of this very request, which was checked to be our own.
pub(super) fn site(api: &Api, headers: &HeaderMap) -> Result<RelyingParty, ApiError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let none = |why: String| {
        let remedy = "open the page under a name: http://localhost, or https with a domain";
        ApiError::bad_request("no_passkeys_here", why, remedy).field("Host")
    };
    let host = host.ok_or_else(|| none("there is no Host header".to_owned()))?;
    let scheme = if api.access.is_loopback() { "http" } else { "https" };
    let origin = match headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) {
        Some(origin) => origin.to_ascii_lowercase(),
        None => format!("{scheme}://{host}").to_ascii_lowercase(),
    };
    let name = host.host().to_ascii_lowercase();
    RelyingParty::new(&name, "Tandem", [origin.as_str()]).map_err(|fault| none(fault.to_string()))
}
