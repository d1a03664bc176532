//! Events for programs that ask for them, rather than being told.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};
use super::page_limit;
use super::scope::Scope;
use crate::webhooks::event::{Event, EventType};
use crate::webhooks::tell::Detail;

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichEvents {
    /// After which number: `next` of the answer before. Default 0: from the beginning.
    #[serde(default)]
    pub after: u64,
    /// Only these types, with commas between them: `call.arrived,interaction.closed`. Default: all.
    pub types: Option<String>,
    /// How many at most: 1 to 200, 50 by default.
    pub limit: Option<usize>,
    /// How long to wait if there is none yet, in seconds: 0 (default) to 8.
    #[serde(default)]
    pub wait_s: u32,
    /// Whether customers' numbers, names, notes and attributes are wanted. Default: no.
    #[serde(default)]
    pub include_personal: bool,
}

/// Events in the order in which they happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Events {
    /// The events; empty if there are none.
    pub events: Vec<Event>,
    /// Where to go on: to be sent as `after`.
    pub next: u64,
}

/// What happened, in order, for programs that ask: each remembers `next` and never misses anything.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "webhooks", operation_id = "event_list", params(WhichEvents),
    responses(
        (status = 200, description = "The events after the number.", body = Events),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 503, description = "The journal cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn list(
    scope: Scope,
    which: Result<Query<WhichEvents>, QueryRejection>,
) -> Result<Json<Events>, ApiError> {
    let Query(which) = which?;
    let (limit, types) = (page_limit(which.limit)?, types(which.types.as_deref())?);
    if which.wait_s > WAIT_S_MAX {
        let message = format!("wait_s is 0 to {WAIT_S_MAX}");
        return Err(ApiError::bad_request("bad_wait", message, "ask again after that time").field("wait_s"));
    }
    let detail = if which.include_personal { Detail::Personal } else { Detail::Plain };
    let until = Instant::now() + Duration::from_secs(which.wait_s.into());
    let mut committed = scope.desk.live().committed();
    let mut found = Events { events: Vec::new(), next: which.after };
    let mut looked = 0;
    loop {
        let newest = *committed.borrow_and_update();
        while found.next < newest && found.events.len() < limit && looked < LOOKED_MAX {
            let (events, to) =
                scope.api.webhooks.events(scope.desk.tenant(), found.next, PAGE, detail).await?;
            looked += PAGE;
            if to == found.next {
                break;
            }
            found.next = to;
            for event in events {
                if found.events.len() == limit {
                    // The page holds more than were asked for.
                    found.next = found.events.last().map_or(found.next, |last| last.number);
                    break;
                }
                if types.is_empty() || types.contains(&event.kind) {
                    found.events.push(event);
                }
            }
        }
        if !found.events.is_empty() || looked >= LOOKED_MAX {
            return Ok(Json(found));
        }
        let next = found.next;
        let news = timeout_at(until, committed.wait_for(|newest| *newest > next)).await;
        if !matches!(news, Ok(Ok(_))) {
            return Ok(Json(found));
        }
    }
}

fn types(text: Option<&str>) -> Result<BTreeSet<EventType>, ApiError> {
    let words = text.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            word.parse().map_err(|_| {
                let message = format!("there is no type of events {word:?}");
                ApiError::bad_request("bad_type", message, "look at docs/events.md for the types")
                    .field("types")
            })
        })
        .collect()
}

/// The longest wait: a request has ten seconds.
const WAIT_S_MAX: u32 = 8;

/// Facts that are read at once.
const PAGE: usize = 500;

/// Facts that one request looks through for events of its types; then it says where to go on.
const LOOKED_MAX: usize = 20_000;
