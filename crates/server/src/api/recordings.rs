//! Recordings: the messages that callers left.

use std::io;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tandem_center::call::RecordingId;

use super::error::{ApiError, ErrorBody};
use super::scope::Scope;

/// The sound of a recording: a WAV file with samples of 16 bits, 8,000 a second, one channel.
#[utoipa::path(
    get, path = "/api/v1/recordings/{id}", tag = "recordings", operation_id = "recording_play",
    params(("id" = String, Path, description = "The recording's id: 16 hexadecimal digits.")),
    responses(
        (status = 200, description = "The sound.", body = String, content_type = "audio/wav"),
        (status = 400, description = "The id is none.", body = ErrorBody),
        (status = 404, description = "There is no such recording, or it was removed.", body = ErrorBody),
        (status = 503, description = "The recording cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn play(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let id = read(id)?;
    let sound = scope.desk.recording(id).await.map_err(|error| unreadable(&error))?;
    let sound = sound.ok_or_else(|| ApiError::not_found("recording", &id.to_string()))?;
    let kind = HeaderValue::from_static("audio/wav");
    let name = HeaderValue::from_str(&format!("inline; filename=\"{id}.wav\""))
        .unwrap_or(HeaderValue::from_static("inline"));
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)], sound).into_response())
}

/// Removes a recording for ever.
#[utoipa::path(
    delete, path = "/api/v1/recordings/{id}", tag = "recordings", operation_id = "recording_remove",
    params(("id" = String, Path, description = "The recording's id: 16 hexadecimal digits.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 400, description = "The id is none.", body = ErrorBody),
        (status = 404, description = "There is no such recording, or it was removed.", body = ErrorBody),
        (status = 503, description = "The recording cannot be removed.", body = ErrorBody),
    )
)]
pub(super) async fn remove(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let id = read(id)?;
    match scope.desk.forget_recording(id).await.map_err(|error| unreadable(&error))? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("recording", &id.to_string())),
    }
}

fn read(id: Result<Path<String>, PathRejection>) -> Result<RecordingId, ApiError> {
    let Path(id) = id?;
    id.parse().map_err(|_| {
        let message = format!("{id:?} is no id of a recording");
        ApiError::bad_request("bad_path", message, "send 16 hexadecimal digits").field("id")
    })
}

fn unreadable(error: &io::Error) -> ApiError {
    tracing::error!(%error, "recording cannot be used");
    let remedy = "look at the folder `recordings` in the data folder and at the log";
    ApiError::unavailable("recording_unreadable", error.to_string(), remedy)
}
