//! Where Microsoft Graph tells what changed. The routes are open: what comes is proved before it is believed.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tandem_microsoft::graph::notification::{VALIDATION_CONTENT_TYPE, validation_token};

use super::Api;
use super::error::{ApiError, ErrorBody};
use super::microsoft::of;

/// Takes what Graph tells, and answers its question whether the address is ours. What cannot be proved has no effect, and
/// is not answered otherwise.
#[utoipa::path(
    post, path = "/notifications/graph", tag = "microsoft", operation_id = "notifications_take",
    params(("validationToken" = Option<String>, Query, description = "Graph asks whether the address is ours; it is answered with this text.")),
    request_body = serde_json::Value,
    responses(
        (status = 200, description = "The text of the question.", content_type = "text/plain"),
        (status = 202, description = "Taken; it is looked at afterwards."),
        (status = 404, description = "Microsoft is not configured.", body = ErrorBody),
        (status = 413, description = "Too large.", body = ErrorBody),
        (status = 503, description = "Too much waits; send it again.", body = ErrorBody),
    )
)]
pub(super) async fn take(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let microsoft = of(&api)?;
    if let Some(token) = query.as_deref().and_then(validation_token) {
        let kind = HeaderValue::from_static(VALIDATION_CONTENT_TYPE);
        return Ok((StatusCode::OK, [(CONTENT_TYPE, kind)], token).into_response());
    }
    if microsoft.take_delivery(body?) {
        Ok(StatusCode::ACCEPTED.into_response())
    } else {
        Err(ApiError::unavailable("crowded", "too many notifications wait", "send it again"))
    }
}

/// Takes what Graph tells about subscriptions themselves, in the same way.
#[utoipa::path(
    post, path = "/notifications/graph/lifecycle", tag = "microsoft", operation_id = "notifications_take_lifecycle",
    params(("validationToken" = Option<String>, Query, description = "As for `/notifications/graph`.")),
    request_body = serde_json::Value,
    responses(
        (status = 200, description = "The text of the question.", content_type = "text/plain"),
        (status = 202, description = "Taken; it is looked at afterwards."),
        (status = 404, description = "Microsoft is not configured.", body = ErrorBody),
        (status = 413, description = "Too large.", body = ErrorBody),
        (status = 503, description = "Too much waits; send it again.", body = ErrorBody),
    )
)]
pub(super) async fn take_lifecycle(
    api: State<Api>,
    query: RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    take(api, query, body).await
}
