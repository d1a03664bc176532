//! Health: for whoever starts, stops and watches the program.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use utoipa::ToSchema;

use super::Api;
use super::error::ErrorBody;
use super::scope::OfInstallation;
use crate::live::Writing;
use crate::metrics::{self, Tenant};

/// Whether the program can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// Whether new calls are taken.
    pub ready: bool,
    /// What stands in the way, with the remedy; empty if nothing does.
    pub faults: Vec<String>,
}

/// Whether the program lives. Says nothing about its work.
#[utoipa::path(
    get, path = "/healthz", tag = "health", operation_id = "alive",
    responses((status = 200, description = "It lives.", body = String, content_type = "text/plain"))
)]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether new calls are taken: the engine answers, and the journal is written.
#[utoipa::path(
    get, path = "/readyz", tag = "health", operation_id = "ready",
    responses(
        (status = 200, description = "New calls are taken.", body = Ready),
        (status = 503, description = "New calls are not taken, and why.", body = Ready),
    )
)]
pub(super) async fn ready(State(api): State<Api>) -> (StatusCode, Json<Ready>) {
    let mut faults = Vec::new();
    match &api.desks.writing().0 {
        Writing::Well => {}
        Writing::Behind { fault: Some(fault) } => faults.push(fault.clone()),
        Writing::Behind { fault: None } => {
            faults.push("the journal does not keep up; look at the disk".into());
        }
        Writing::Over { reason } => faults.push((*reason).to_owned()),
    }
    if api.desks.status().await.is_err() {
        faults.push("the engine does not answer; look at the log".into());
    }
    let ready = faults.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { ready, faults }))
}

/// Figures in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "health", operation_id = "metrics",
    responses(
        (status = 200, description = "The figures.", body = String, content_type = "text/plain"),
        (status = 401, description = "The token is missing or wrong.", body = ErrorBody),
    )
)]
pub(super) async fn figures(scope: OfInstallation) -> Response {
    let api = &scope.api;
    let status = api.desks.status().await.ok();
    let (writing, lag) = api.desks.writing();
    let now = Timestamp::from_micros(super::now_us());
    let tenants: Vec<Tenant> = api.desks.all().values().map(Tenant::of).collect();
    let figures = metrics::render(&tenants, lag, &writing, status.as_ref(), now);
    let mut text = figures + &api.access.connections().figures() + &api.webhooks.figures();
    if let Some(microsoft) = &api.microsoft {
        text.push_str(&microsoft.figures());
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(CONTENT_TYPE, kind)], text).into_response()
}
