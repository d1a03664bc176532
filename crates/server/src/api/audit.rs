//! The audit trail, to be read: who did what, and what was refused.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::{Deserialize, Serialize};
use tandem_people::caller::Who;
use tandem_people::scope::Scope as Owner;
use tandem_store::register::{AuditFilter, AuditRow};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::command::CommandFaults;
use super::error::ApiError;
use super::people::{PAGE_DEFAULT, PAGE_MAX, owner};
use super::scope::{OfInstallation, Scope};
use crate::identity::{self, IdentityFault};

/// One act, or one that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Act {
    /// Its number; they have no gaps until old ones are removed.
    pub number: i64,
    /// When, in microseconds since 1970 UTC.
    pub at: u64,
    /// `person`, `key`, `console` (the root key, or somebody at the machine), `tandem` or `unknown`.
    pub who: String,
    /// The person or the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What was done, `noun.verb`.
    pub act: String,
    /// To what, `noun/id`.
    pub object: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What else is worth knowing.
    pub detail: BTreeMap<String, String>,
}

/// A page of the trail, the latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acts {
    /// The acts.
    pub acts: Vec<Act>,
    /// The cursor of the next page; missing on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which acts are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ActsQuery {
    /// What acts begin with, such as `person.`.
    #[serde(default)]
    act: Option<String>,
    /// Of this person or key.
    #[serde(default)]
    who: Option<String>,
    /// `done`, `refused`, or `refused.` with a code, such as `refused.not_yours`.
    #[serde(default)]
    outcome: Option<String>,
    /// `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// How many at most, 1 to 200; 50 by default.
    #[serde(default)]
    limit: Option<usize>,
}

/// Who did what in the tenant, and what was refused to its people.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "people", operation_id = "audit_page", params(ActsQuery),
    responses((status = 200, description = "A page of the trail.", body = Acts), CommandFaults)
)]
pub(super) async fn page(
    scope: Scope,
    query: Result<Query<ActsQuery>, QueryRejection>,
) -> Result<Json<Acts>, ApiError> {
    read(&scope.api, owner(&scope), query?.0).await
}

/// Who did what in the installation, and what strangers tried.
#[utoipa::path(
    get, path = "/api/v1/installation/audit", tag = "people", operation_id = "installation_audit_page",
    params(ActsQuery),
    responses((status = 200, description = "A page of the trail.", body = Acts), CommandFaults)
)]
pub(super) async fn page_of_installation(
    scope: OfInstallation,
    query: Result<Query<ActsQuery>, QueryRejection>,
) -> Result<Json<Acts>, ApiError> {
    read(&scope.api, Owner::Installation, query?.0).await
}

async fn read(api: &Api, owner: Owner, query: ActsQuery) -> Result<Json<Acts>, ApiError> {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        let message = format!("limit is 1 to {PAGE_MAX}");
        return Err(ApiError::bad_request("bad_limit", message, "send another limit").field("limit"));
    }
    let before = match query.cursor.as_deref().map(str::parse::<i64>) {
        None => None,
        Some(Ok(before)) => Some(before),
        Some(Err(_)) => {
            let remedy = "send `next` of the page before";
            return Err(ApiError::bad_request("bad_cursor", "this is no cursor", remedy).field("cursor"));
        }
    };
    let found = api.identity.change(move |identity| {
        identity.settle();
        let filter = AuditFilter {
            act: query.act.as_deref(),
            actor: query.who.as_deref(),
            outcome: query.outcome.as_deref(),
        };
        let scope = identity::store_scope(&owner).ok_or(IdentityFault::Unknown("tenant"))?;
        let mut rows = identity.register().audit(scope, filter, before, limit + 1)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.number.to_string());
        Ok(Acts { acts: rows.into_iter().map(Act::of).collect(), next })
    });
    Ok(Json(found.await?))
}

impl Act {
    fn of(row: AuditRow) -> Act {
        let AuditRow { number, entry } = row;
        let (who, id) = match serde_json::from_str(&entry.who) {
            Ok(Who::Person { person, .. }) => ("person", Some(person.to_string())),
            Ok(Who::Key { key }) => ("key", Some(key.to_string())),
            Ok(Who::Console) => ("console", None),
            Ok(Who::Tandem) => ("tandem", None),
            Ok(Who::Unknown) | Err(_) => ("unknown", None),
        };
        let (outcome, code) = match entry.outcome.split_once('.') {
            Some((outcome, code)) => (outcome.to_owned(), Some(code.to_owned())),
            None => (entry.outcome, None),
        };
        Act {
            number,
            at: u64::try_from(entry.at_ms).unwrap_or_default().saturating_mul(1_000),
            who: who.to_owned(),
            id,
            act: entry.act,
            object: entry.object,
            outcome,
            code,
            detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        }
    }
}
