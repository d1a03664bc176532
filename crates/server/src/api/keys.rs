//! API keys: how programs ask, and with which rights.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tandem_people::api_key::{ApiKey, KeyId};
use tandem_people::caller::{Caller, Who};
use tandem_people::moment::UnixMillis;
use tandem_people::permission::{Permission, PermissionSet};
use tandem_people::scope::Scope as Owner;
use utoipa::ToSchema;

use super::Api;
use super::command::{self, CommandFaults};
use super::error::ApiError;
use super::me::micros;
use super::people::{Removed, owner};
use super::scope::{OfInstallation, Scope};
use super::trail::Noted;
use crate::identity::{self, IdentityFault};

/// An API key. The key itself cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    /// The public part of the key.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do, such as `queues:read`.
    pub scopes: Vec<String>,
    /// The person or the key who made it; `console` for the root key.
    pub created_by: String,
    /// When it was made, in microseconds since 1970 UTC.
    pub created: u64,
    /// When it stops to be good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// When it was used last, within a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// The keys that were not revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    /// The keys, the oldest first.
    pub keys: Vec<Key>,
}

/// A key that is wanted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyWish {
    /// What it is for.
    pub name: String,
    /// What it may do; nothing that its maker may not.
    pub scopes: Vec<String>,
    /// When it is to stop to be good, in microseconds since 1970 UTC. Default: never.
    #[serde(default)]
    pub expires: Option<u64>,
}

/// A new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewKey {
    /// What is known of it.
    pub key: Key,
    /// The key itself, shown this once: send it as `Authorization: Bearer`.
    pub secret: String,
}

/// The keys of the tenant.
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "people", operation_id = "key_list",
    responses((status = 200, description = "The keys.", body = Keys), CommandFaults)
)]
pub(super) async fn list(scope: Scope) -> Json<Keys> {
    all(&scope.api, &owner(&scope))
}

/// Makes a key that reaches this tenant and no other.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "people", operation_id = "key_create",
    params(("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command.")),
    request_body = KeyWish,
    responses((status = 201, description = "The key, shown this once.", body = NewKey), CommandFaults)
)]
pub(super) async fn create(
    scope: Scope,
    headers: HeaderMap,
    body: Result<Json<KeyWish>, JsonRejection>,
) -> Result<Response, ApiError> {
    make(&scope.api, &scope.caller, owner(&scope), &headers, body?.0).await
}

/// Makes a key worthless, from the next request on.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "people", operation_id = "key_revoke",
    params(("id" = String, Path, description = "The key.")),
    responses((status = 200, description = "It is worthless.", body = Removed), CommandFaults)
)]
pub(super) async fn revoke(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    end(&scope.api, &scope.caller, owner(&scope), &id?.0, &headers).await
}

/// The keys of the installation.
#[utoipa::path(
    get, path = "/api/v1/installation/keys", tag = "people", operation_id = "installation_key_list",
    responses((status = 200, description = "The keys.", body = Keys), CommandFaults)
)]
pub(super) async fn list_of_installation(scope: OfInstallation) -> Json<Keys> {
    all(&scope.api, &Owner::Installation)
}

/// Makes a key that reaches the installation and every tenant.
#[utoipa::path(
    post, path = "/api/v1/installation/keys", tag = "people", operation_id = "installation_key_create",
    params(("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command.")),
    request_body = KeyWish,
    responses((status = 201, description = "The key, shown this once.", body = NewKey), CommandFaults)
)]
pub(super) async fn create_of_installation(
    scope: OfInstallation,
    headers: HeaderMap,
    body: Result<Json<KeyWish>, JsonRejection>,
) -> Result<Response, ApiError> {
    make(&scope.api, &scope.caller, Owner::Installation, &headers, body?.0).await
}

/// Makes a key of the installation worthless.
#[utoipa::path(
    delete, path = "/api/v1/installation/keys/{id}", tag = "people", operation_id = "installation_key_revoke",
    params(("id" = String, Path, description = "The key.")),
    responses((status = 200, description = "It is worthless.", body = Removed), CommandFaults)
)]
pub(super) async fn revoke_of_installation(
    scope: OfInstallation,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    end(&scope.api, &scope.caller, Owner::Installation, &id?.0, &headers).await
}

fn all(api: &Api, owner: &Owner) -> Json<Keys> {
    let mut keys = api.identity.keys(owner);
    keys.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    Json(Keys { keys: keys.iter().map(Key::of).collect() })
}

async fn make(
    api: &Api,
    caller: &Arc<Caller>,
    owner: Owner,
    headers: &HeaderMap,
    wish: KeyWish,
) -> Result<Response, ApiError> {
    let asked = format!("POST keys {owner} {wish:?}");
    let (identity, by) = (api.identity.clone(), caller.clone());
    command::once(api, caller, headers, &asked, StatusCode::CREATED, async move {
        let scopes = scopes(&wish.scopes)?;
        let expires = wish.expires.map(|expires| UnixMillis::from_millis(expires / 1_000));
        let made = identity.change(move |identity| {
            let name = wish.name.as_str().into();
            let (key, secret) = identity.key_create(&by, &owner, name, scopes, expires, identity::now())?;
            let noted = Noted {
                object: Some(format!("key/{}", key.id)),
                detail: vec![("scopes", wish.scopes.join(" ")), ("name", wish.name)],
            };
            Ok((NewKey { key: Key::of(&key), secret: secret.expose().to_owned() }, noted))
        });
        Ok(made.await?)
    })
    .await
}

async fn end(
    api: &Api,
    caller: &Arc<Caller>,
    owner: Owner,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let key: KeyId = id.parse().map_err(|_| ApiError::not_found("key", id))?;
    let asked = format!("DELETE keys {owner} {key}");
    let identity = api.identity.clone();
    command::once(api, caller, headers, &asked, StatusCode::OK, async move {
        let ended = identity.change(move |identity| {
            identity.key_revoke(&owner, &key, identity::now())?;
            let noted = Noted { object: Some(format!("key/{key}")), detail: Vec::new() };
            Ok((Removed { id: key.to_string() }, noted))
        });
        Ok::<_, ApiError>(ended.await.map_err(|fault: IdentityFault| fault)?)
    })
    .await
}

impl Key {
    fn of(key: &ApiKey) -> Key {
        Key {
            id: key.id.to_string(),
            name: key.name.to_string(),
            scopes: key.scopes.iter().map(|scope| scope.to_string()).collect(),
            created_by: match &key.created_by {
                Who::Person { person, .. } => person.to_string(),
                Who::Key { key } => key.to_string(),
                Who::Console | Who::Tandem | Who::Unknown => "console".to_owned(),
            },
            created: micros(key.created),
            expires: key.expires.map(micros),
            used: key.used.map(micros),
        }
    }
}

fn scopes(names: &[String]) -> Result<PermissionSet, ApiError> {
    let parsed: Result<PermissionSet, _> = names.iter().map(|name| name.parse::<Permission>()).collect();
    parsed.map_err(|fault| {
        let remedy = "send scopes such as queues:read; docs/api.md has them all";
        ApiError::bad_request("unknown_scope", fault.to_string(), remedy).field("scopes")
    })
}
