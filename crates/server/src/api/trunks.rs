//! Trunks: the health of the networks that carry the calls.

use std::time::Instant;

use axum::Json;
use serde::{Deserialize, Serialize};
use tandem_b2bua::{Health, ProxyHealth};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::scope::Scope;

/// A network that calls us and that we call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trunk {
    /// The name from the configuration; elsewhere it is called the line.
    pub name: String,
    /// Its proxies, in the order in which calls try them.
    pub proxies: Vec<Proxy>,
}

/// A host of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proxy {
    /// The host.
    pub host: String,
    /// Whether it answers.
    pub health: HealthName,
    /// For how long it has been so, in whole seconds; missing while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_s: Option<u64>,
    /// The SIP status with which it refuses; missing if it answers, or does not answer at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// Whether a host answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthName {
    /// Not asked, or not answered yet.
    Unknown,
    /// Answered the last probe.
    Up,
    /// Did not answer, or refused.
    Down,
}

/// All trunks that have proxies to probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trunks {
    /// The trunks.
    pub trunks: Vec<Trunk>,
}

/// The health of the trunks.
#[utoipa::path(
    get, path = "/api/v1/trunks", tag = "trunks", operation_id = "trunk_list",
    responses(
        (status = 200, description = "All trunks.", body = Trunks),
        (status = 503, description = "The engine does not answer.", body = ErrorBody),
    )
)]
pub(super) async fn list(scope: Scope) -> Result<Json<Trunks>, ApiError> {
    let status = scope.desk.status().await?;
    let now = Instant::now();
    let mut trunks: Vec<Trunk> = Vec::new();
    let own = status.proxies.into_iter().filter(|proxy| scope.desk.lines().contains(&proxy.trunk));
    for proxy in own {
        let host = Proxy::of(&proxy, now);
        match trunks.iter_mut().find(|trunk| *trunk.name == *proxy.trunk) {
            Some(trunk) => trunk.proxies.push(host),
            None => trunks.push(Trunk { name: proxy.trunk.to_string(), proxies: vec![host] }),
        }
    }
    Ok(Json(Trunks { trunks }))
}

impl Proxy {
    fn of(proxy: &ProxyHealth, now: Instant) -> Proxy {
        let (health, since, status) = match proxy.health {
            Health::Unknown => (HealthName::Unknown, None, None),
            Health::Up { since } => (HealthName::Up, Some(since), None),
            Health::Down { since, status } => (HealthName::Down, Some(since), status),
        };
        let for_s = since.map(|since| now.saturating_duration_since(since).as_secs());
        Proxy { host: proxy.proxy.to_string(), health, for_s, status }
    }
}
