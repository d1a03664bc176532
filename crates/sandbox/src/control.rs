//! The control of the sandbox over HTTP and JSON: who plays Teams, the carrier or the network does it here.
//!
//! It listens on loopback only, and answers only requests that name a loopback host, so that no page in a browser
//! can reach it under a name of its own.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Serialize;

use crate::Addresses;
use crate::dns::SharedZone;
use crate::zone::Entry;

/// What the control reads and changes.
#[derive(Clone, Debug)]
pub struct Shared {
    /// DNS.
    pub zone: SharedZone,
    /// Where everything is.
    pub addresses: Addresses,
}

/// The routes, without a socket.
pub fn app(shared: Shared) -> Router {
    Router::new()
        .route("/", get(addresses))
        .route("/dns", get(names))
        .route("/dns/{name}", put(set_name).delete(remove_name))
        .layer(from_fn(loopback_hosts_only))
        .with_state(shared)
}

async fn addresses(State(shared): State<Shared>) -> Json<Addresses> {
    Json(shared.addresses)
}

async fn names(State(shared): State<Shared>) -> Response {
    Json(shared.zone.read(|zone| zone.entries().clone())).into_response()
}

async fn set_name(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(entry): Json<Entry>,
) -> Response {
    match shared.zone.write(|zone| zone.set(&name, entry)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string()),
    }
}

async fn remove_name(State(shared): State<Shared>, Path(name): Path<String>) -> StatusCode {
    shared.zone.write(|zone| zone.remove(&name));
    StatusCode::NO_CONTENT
}

/// What the control says when it does not do what was asked.
#[derive(Serialize)]
struct Refusal {
    error: String,
}

fn refuse(status: StatusCode, error: impl Into<String>) -> Response {
    (status, Json(Refusal { error: error.into() })).into_response()
}

async fn loopback_hosts_only(request: Request, next: Next) -> Response {
    if is_loopback(request.headers()) {
        next.run(request).await
    } else {
        refuse(StatusCode::FORBIDDEN, "the control answers under loopback names only")
    }
}

fn is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    if let Ok(address) = host.parse::<std::net::SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
