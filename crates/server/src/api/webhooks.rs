//! Webhooks: programs that are told what happens, how that goes, and what they are told again.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_people::caller::Who;
use tandem_people::scope::Scope as Owner;
use tandem_store::register::{DeliveryRow, Failure};
use utoipa::{IntoParams, ToSchema};

use super::command::{CommandFaults, optional};
use super::error::{ApiError, ErrorBody};
use super::repeat::{Key, Turn};
use super::scope::Scope;
use super::{now_us, page_limit};
use crate::webhooks::delivery::{Answer, Standing};
use crate::webhooks::endpoint::EndpointState;
use crate::webhooks::event::EventType;
use crate::webhooks::{EndpointChange, Kept, WebhookFault};

/// A program that is told what happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// The id.
    pub id: String,
    /// Where events are sent.
    pub url: String,
    /// What people call it; may be empty.
    pub description: String,
    /// The types that it is told; empty: all.
    pub types: Vec<EventType>,
    /// Whether it is told about customers: numbers, names, notes, attributes.
    pub include_personal: bool,
    /// How it goes.
    pub state: WebhookState,
    /// Since when it does not take events, or is disabled, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// How often the next event was tried in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Why it is disabled: `gone` (it answered 410), `failed_too_long` (for three days), `too_far_behind` (by more than a
    /// million facts) or `secret_lost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The number of the last fact that it took, or that is no event for it. It goes on after it.
    pub cursor: u64,
    /// The number of the last fact that there is.
    pub newest: u64,
    /// When it was made, in microseconds since 1970 UTC.
    pub created_at: u64,
    /// Who made it: `person/<id>`, `key/<id>` or `console`.
    pub created_by: String,
}

/// How it goes with a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookState {
    /// It takes what it is told.
    Active,
    /// It does not take an event, which is tried again and again; those after it wait.
    Failing,
    /// Somebody has paused it. What happens meanwhile is told when it goes on.
    Paused,
    /// It is told no more until somebody enables it: `PUT` it again.
    Disabled,
}

/// All webhooks of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhooks {
    /// By id; at most 100.
    pub webhooks: Vec<Webhook>,
}

/// What is wanted of a webhook.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookWanted {
    /// Where events are sent: `https://`, on the public Internet or in a range of `[webhooks] networks`; at most 2048
    /// bytes. `http://` only to this machine, and only if that is allowed.
    pub url: String,
    /// What people call it; at most 256 bytes.
    #[serde(default)]
    pub description: String,
    /// The types that it is to be told; empty: all.
    #[serde(default)]
    pub types: Vec<EventType>,
    /// Whether it is to be told about customers: numbers, names, notes, attributes. Default: no.
    #[serde(default)]
    pub include_personal: bool,
    /// Whether it is told nothing for now. Default: no.
    #[serde(default)]
    pub paused: bool,
}

/// A webhook and its secret, which is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookCreated {
    /// The webhook.
    pub webhook: Webhook,
    /// The secret with which events are signed: `whsec_...`. It is shown this once.
    pub secret: String,
}

/// How a secret is replaced.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// For how long the secret before signs as well, in seconds: 0 to 604800 (a week). Default 86400 (a day).
    #[serde(default = "Rotation::overlap_default")]
    pub overlap_s: u32,
}

/// Another secret, which is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretRotated {
    /// The secret with which events are signed from now on.
    pub secret: String,
    /// Until when the secret before signs as well, in microseconds since 1970 UTC.
    pub previous_until: u64,
}

/// One attempt to deliver an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// Its place in the log: higher is later.
    pub entry: i64,
    /// The number of the event.
    pub number: u64,
    /// 1 for the first attempt, and so on.
    pub attempt: u32,
    /// When it began, in microseconds since 1970 UTC.
    pub at: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Whether the webhook took the event: the status was 200 to 299.
    pub taken: bool,
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deliveries {
    /// The attempts, the latest first. The last 1,000 are kept.
    pub deliveries: Vec<Delivery>,
    /// Where the next page begins: to be sent as `cursor`. Missing on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// What came of sending one event, or a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sent {
    /// Whether the webhook took it: the status was 200 to 299.
    pub taken: bool,
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

/// From where on a webhook is told: one of the two.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// After the fact of this number. One beyond the last: only what happens from now on.
    pub after: Option<u64>,
    /// From this moment on, in microseconds since 1970 UTC.
    pub since: Option<u64>,
}

/// Where a webhook goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Replayed {
    /// After the fact of this number.
    pub cursor: u64,
}

/// Which event.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// Its number.
    pub number: u64,
}

/// A part of the log.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// How many at most: 1 to 200, 50 by default.
    pub limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<i64>,
}

/// The webhooks of the tenant.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "webhook_list",
    responses(
        (status = 200, description = "All webhooks.", body = Webhooks),
        (status = 503, description = "The register cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn list(scope: Scope) -> Result<Json<Webhooks>, ApiError> {
    let kept = scope.api.webhooks.list(scope.desk.tenant()).await?;
    let webhooks = kept.into_iter().map(|kept| Webhook::of(&scope, kept)).collect();
    Ok(Json(Webhooks { webhooks }))
}

/// One webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}", tag = "webhooks", operation_id = "webhook_view",
    params(("id" = String, Path, description = "The webhook's id.")),
    responses(
        (status = 200, description = "The webhook.", body = Webhook),
        (status = 404, description = "There is no such webhook.", body = ErrorBody),
        (status = 503, description = "The register cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn view(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Webhook>, ApiError> {
    let Path(id) = id?;
    let kept = scope.api.webhooks.view(scope.desk.tenant(), &id).await?;
    Ok(Json(Webhook::of(&scope, kept)))
}

/// Adds a webhook. It is told what happens from now on; `POST /api/v1/webhooks/{id}/replay` tells it more.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "webhook_create",
    params(("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command.")),
    request_body = WebhookWanted,
    responses(
        (status = 201, description = "The webhook, and its secret, which is shown this once.", body = WebhookCreated),
        CommandFaults,
    )
)]
pub(super) async fn create(
    scope: Scope,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body?;
    let wanted = read_wanted(&headers, &body)?;
    once(&scope, &headers, StatusCode::CREATED, &[b"POST /webhooks ", &*body].concat(), async || {
        let (who, now) = (scope.caller.who().clone(), now_ms());
        let created = scope.api.webhooks.create(scope.desk.tenant(), wanted, who, now).await?;
        Ok(WebhookCreated { webhook: Webhook::of(&scope, created.0), secret: created.1.reveal() })
    })
    .await
}

/// Changes a webhook: everything that is wanted of it. One that was disabled is enabled again and goes on where it was;
/// what is left out is as by default.
#[utoipa::path(
    put, path = "/api/v1/webhooks/{id}", tag = "webhooks", operation_id = "webhook_change",
    params(("id" = String, Path, description = "The webhook's id.")),
    request_body = WebhookWanted,
    responses((status = 200, description = "The webhook as it is now.", body = Webhook), CommandFaults)
)]
pub(super) async fn change(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Webhook>, ApiError> {
    let Path(id) = id?;
    let wanted = read_wanted(&headers, &body?)?;
    let kept = scope.api.webhooks.change(scope.desk.tenant(), &id, wanted, now_ms()).await?;
    Ok(Json(Webhook::of(&scope, kept)))
}

/// Removes a webhook with its secret and its log.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", operation_id = "webhook_remove",
    params(("id" = String, Path, description = "The webhook's id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such webhook.", body = ErrorBody),
        (status = 503, description = "The register cannot be written.", body = ErrorBody),
    )
)]
pub(super) async fn remove(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(id) = id?;
    scope.api.webhooks.remove(scope.desk.tenant(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces the secret of a webhook. For a while both sign, so that the program can change over without losing anything.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/secret", tag = "webhooks", operation_id = "webhook_secret_rotate",
    params(
        ("id" = String, Path, description = "The webhook's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command."),
    ),
    request_body = Option<Rotation>,
    responses(
        (status = 200, description = "The secret, which is shown this once.", body = SecretRotated),
        CommandFaults,
    )
)]
pub(super) async fn rotate(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), body) = (id?, body?);
    let Rotation { overlap_s } = optional(&headers, Ok(body.clone()))?;
    if overlap_s > OVERLAP_S_MAX {
        let message = format!("overlap_s is 0 to {OVERLAP_S_MAX}");
        return Err(ApiError::bad_request("bad_overlap", message, "send a shorter time").field("overlap_s"));
    }
    let asked = [format!("POST /webhooks/{id}/secret ").as_bytes(), &*body].concat();
    once(&scope, &headers, StatusCode::OK, &asked, async || {
        let now = now_ms();
        let until = now.saturating_add(i64::from(overlap_s) * 1_000);
        let secret = scope.api.webhooks.rotate(scope.desk.tenant(), &id, until, now).await?;
        Ok(SecretRotated { secret: secret.reveal(), previous_until: micros(until) })
    })
    .await
}

/// The log of a webhook: what was tried, and what came of it.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "webhook_deliveries",
    params(("id" = String, Path, description = "The webhook's id."), Part),
    responses(
        (status = 200, description = "A page of the log.", body = Deliveries),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 404, description = "There is no such webhook.", body = ErrorBody),
        (status = 503, description = "The register cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn deliveries(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Deliveries>, ApiError> {
    let (Path(id), Query(part)) = (id?, part?);
    let limit = page_limit(part.limit)?;
    let rows = scope.api.webhooks.deliveries(scope.desk.tenant(), &id, part.cursor, limit).await?;
    let next = if rows.len() == limit { rows.last().map(|row| row.entry) } else { None };
    Ok(Json(Deliveries { deliveries: rows.into_iter().map(Delivery::from).collect(), next }))
}

/// Lets a webhook go on elsewhere: earlier, to be told again; later, to leave something out.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/replay", tag = "webhooks", operation_id = "webhook_replay",
    params(("id" = String, Path, description = "The webhook's id.")),
    request_body = Replay,
    responses((status = 200, description = "Where it goes on.", body = Replayed), CommandFaults)
)]
pub(super) async fn replay(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Replay>, JsonRejection>,
) -> Result<Json<Replayed>, ApiError> {
    let (Path(id), Json(replay)) = (id?, body?);
    let (webhooks, tenant) = (&scope.api.webhooks, scope.desk.tenant());
    let after = match replay {
        Replay { after: Some(after), since: None } => after,
        Replay { after: None, since: Some(since) } => {
            // The moment itself belongs to it: a fact's time in milliseconds is rounded down.
            webhooks.last_before(tenant, i64::try_from(since / 1_000).unwrap_or(i64::MAX)).await?
        }
        _ => {
            let remedy = "send either after or since";
            return Err(ApiError::bad_request("bad_replay", "it must be said from where on, once", remedy));
        }
    };
    let cursor = webhooks.replay(tenant, &id, after).await?;
    Ok(Json(Replayed { cursor }))
}

/// Sends one event again, now and once, whatever else the webhook is told.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/resend", tag = "webhooks", operation_id = "webhook_resend",
    params(("id" = String, Path, description = "The webhook's id.")),
    request_body = Again,
    responses((status = 200, description = "What came of it.", body = Sent), CommandFaults)
)]
pub(super) async fn resend(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Again>, JsonRejection>,
) -> Result<Json<Sent>, ApiError> {
    let (Path(id), Json(Again { number })) = (id?, body?);
    let answer = scope.api.webhooks.resend(scope.desk.tenant(), &id, number).await?;
    Ok(Json(answer.into()))
}

/// Sends an event of the type `webhook.test`, now and once, even if the webhook is paused or disabled.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "webhook_test",
    params(("id" = String, Path, description = "The webhook's id.")),
    responses((status = 200, description = "What came of it.", body = Sent), CommandFaults)
)]
pub(super) async fn test(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Sent>, ApiError> {
    let Path(id) = id?;
    let answer = scope.api.webhooks.test(scope.desk.tenant(), &id, now_us()).await?;
    Ok(Json(answer.into()))
}

impl Webhook {
    fn of(scope: &Scope, kept: Kept) -> Webhook {
        let Kept { id, endpoint, cursor } = kept;
        let (since, attempts, reason) = match endpoint.standing {
            Standing::Well => (None, None, None),
            Standing::Failing { since_us, attempts } => (Some(since_us), Some(attempts), None),
            Standing::Disabled { since_us, why } => (Some(since_us), None, Some(why.word().to_owned())),
        };
        Webhook {
            state: match endpoint.state() {
                EndpointState::Active => WebhookState::Active,
                EndpointState::Failing => WebhookState::Failing,
                EndpointState::Paused => WebhookState::Paused,
                EndpointState::Disabled => WebhookState::Disabled,
            },
            id,
            url: endpoint.url,
            description: endpoint.description,
            types: endpoint.types.into_iter().collect(),
            include_personal: endpoint.include_personal,
            since,
            attempts,
            reason,
            cursor,
            newest: *scope.desk.live().committed().borrow(),
            created_at: micros(endpoint.created_ms),
            created_by: match endpoint.created_by {
                Who::Person { person, .. } => format!("person/{person}"),
                Who::Key { key } => format!("key/{key}"),
                Who::Console | Who::Tandem | Who::Unknown => "console".to_owned(),
            },
        }
    }
}

impl Rotation {
    fn overlap_default() -> u32 {
        24 * 3_600
    }
}

impl Default for Rotation {
    fn default() -> Rotation {
        Rotation { overlap_s: Rotation::overlap_default() }
    }
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Delivery {
        Delivery {
            entry: row.entry,
            number: row.number.0,
            attempt: row.attempt,
            at: micros(row.at_ms),
            took_us: micros(row.took_ms),
            taken: row.status.is_some_and(|status| (200..300).contains(&status)),
            status: row.status,
            error: row.error,
        }
    }
}

impl From<Answer> for Sent {
    fn from(answer: Answer) -> Sent {
        let (status, error) = match answer.outcome {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error)),
        };
        Sent {
            taken: status.is_some_and(|status| (200..300).contains(&status)),
            status,
            error,
            took_us: u64::try_from(answer.took.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

impl From<WebhookFault> for ApiError {
    fn from(fault: WebhookFault) -> ApiError {
        let message = fault.to_string();
        match fault {
            WebhookFault::Unknown => {
                let remedy = "look at the list for those that exist";
                ApiError::new(StatusCode::NOT_FOUND, "not_found", message, remedy)
            }
            WebhookFault::NoEvent(_) => {
                let remedy = "look at the log, or at /api/v1/events, for the numbers of events";
                ApiError::new(StatusCode::NOT_FOUND, "no_event", message, remedy).field("number")
            }
            WebhookFault::Full(_) => {
                ApiError::new(StatusCode::CONFLICT, "too_many", message, "remove one that is not needed")
            }
            WebhookFault::Address(_) => {
                let remedy = "send an address such as https://example.com/events; the administrator of the \
                              installation can allow others with [webhooks] networks";
                ApiError::bad_request("bad_url", message, remedy).field("url")
            }
            WebhookFault::TooFarBack => {
                ApiError::bad_request("too_far_back", message, "read what is older from /api/v1/events")
            }
            WebhookFault::TooFarBehind => {
                let remedy = "say first from where it goes on: POST /api/v1/webhooks/{id}/replay";
                ApiError::new(StatusCode::CONFLICT, "too_far_behind", message, remedy)
            }
            WebhookFault::SecretLost => {
                let remedy = "give it another secret: POST /api/v1/webhooks/{id}/secret";
                ApiError::new(StatusCode::CONFLICT, "secret_lost", message, remedy)
            }
            WebhookFault::Journal(fault) => fault.into(),
            WebhookFault::Register(failure) => register_unavailable(&failure),
            WebhookFault::Randomness | WebhookFault::Ending => {
                ApiError::unavailable("not_now", message, "try again in a second")
            }
        }
    }
}

fn register_unavailable(failure: &Failure) -> ApiError {
    let remedy = "look at the disk and at the log";
    tracing::error!(%failure, remedy, "the register cannot be used");
    ApiError::unavailable("register_unusable", failure.to_string(), remedy)
}

fn read_wanted(headers: &HeaderMap, body: &Bytes) -> Result<EndpointChange, ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(ApiError::not_json());
    }
    let wanted: Result<Json<WebhookWanted>, JsonRejection> = Json::from_bytes(body);
    let Json(wanted) = wanted?;
    let long = |field: &str, most: usize| {
        let message = format!("{field} is longer than {most} bytes");
        Err(ApiError::bad_request("too_long", message, "send a shorter one").field(field))
    };
    if wanted.url.len() > URL_BYTES_MAX {
        return long("url", URL_BYTES_MAX);
    }
    if wanted.description.len() > DESCRIPTION_BYTES_MAX {
        return long("description", DESCRIPTION_BYTES_MAX);
    }
    Ok(EndpointChange {
        url: wanted.url,
        description: wanted.description,
        types: wanted.types.into_iter().collect(),
        include_personal: wanted.include_personal,
        paused: wanted.paused,
    })
}

/// Does something once, however often it is asked for with the same idempotency key.
async fn once<T: Serialize>(
    scope: &Scope,
    headers: &HeaderMap,
    status: StatusCode,
    asked: &[u8],
    act: impl AsyncFnOnce() -> Result<T, ApiError>,
) -> Result<Response, ApiError> {
    let Some(key) = Key::of(headers, Owner::tenant(scope.desk.tenant().as_str()), "webhooks")? else {
        return Ok((status, Json(act().await?)).into_response());
    };
    let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let repeats = &scope.api.repeats;
    if let Turn::Again(status, body) = repeats.begin(Instant::now(), &key, asked)? {
        return Ok((status, [kind], body).into_response());
    }
    // Forgets the key also when the client goes away in the middle.
    let forget = Forget { scope, key: Some(&key) };
    let body = Bytes::from(serde_json::to_vec(&act().await?).unwrap_or_default());
    repeats.answered(&key, status, body.clone());
    forget.not();
    Ok((status, [kind], body).into_response())
}

/// Forgets a key when it is dropped.
struct Forget<'a> {
    scope: &'a Scope,
    key: Option<&'a Key>,
}

impl Forget<'_> {
    fn not(mut self) {
        self.key = None;
    }
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.scope.api.repeats.failed(key);
        }
    }
}

fn now_ms() -> i64 {
    i64::try_from(now_us() / 1_000).unwrap_or(i64::MAX)
}

fn micros(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default().saturating_mul(1_000)
}

/// The longest address of a webhook.
const URL_BYTES_MAX: usize = 2_048;

/// The longest description of a webhook.
const DESCRIPTION_BYTES_MAX: usize = 256;

/// The longest time for which a secret that was replaced still signs: a week.
const OVERLAP_S_MAX: u32 = 7 * 24 * 3_600;
