//! The audit trail, to be read: who did what, and what was refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::{Deserialize, Serialize};
use tandem_center::id::{AgentId, QueueId};
use tandem_center::view::View;
use tandem_people::caller::Who;
use tandem_people::id::PersonId;
use tandem_people::scope::Scope as Owner;
use tandem_store::register::{AuditFilter, AuditRow};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::command::CommandFaults;
use super::error::ApiError;
use super::people::{PAGE_DEFAULT, PAGE_MAX, owner};
use super::scope::{OfInstallation, Scope};
use crate::desk::Desks;
use crate::identity::{self, Identity, IdentityFault};

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
    /// What the person or the key is called now; missing if it is no longer there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was done, `noun.verb`.
    pub act: String,
    /// To what, `noun/id`.
    pub object: String,
    /// What that is called now, if it is a person, a key, an agent, a queue or a tenant that is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_name: Option<String>,
    /// `done`, `refused`, or `unknown` for what was begun and may have been done or not.
    pub outcome: String,
    /// Why it was refused, or why it is not known.
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
    /// `done`, `refused`, `unknown`, or one of these with a code, such as `refused.not_yours`.
    #[serde(default)]
    outcome: Option<String>,
    /// From this moment on, in microseconds since 1970 UTC.
    #[serde(default)]
    from: Option<u64>,
    /// Before this moment, in microseconds since 1970 UTC.
    #[serde(default)]
    to: Option<u64>,
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
    let desks = api.desks.clone();
    let found = api.identity.change(move |identity| {
        identity.settle();
        let filter = AuditFilter {
            act: query.act.as_deref(),
            actor: query.who.as_deref(),
            outcome: query.outcome.as_deref(),
            from_ms: query.from.map(millis),
            // A moment is kept in milliseconds: one that has begun before this moment counts.
            to_ms: query.to.map(|to| millis(to.saturating_add(999))),
        };
        let scope = identity::store_scope(&owner).ok_or(IdentityFault::Unknown("tenant"))?;
        let mut rows = identity.register().audit(scope, filter, before, limit + 1)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.number.to_string());
        let own = owner.tenant_name().and_then(|tenant| desks.desk(&tenant.parse().ok()?));
        let view = own.map(|desk| desk.live().view());
        let mut names = Names { identity, owner: &owner, desks: &desks, view, known: BTreeMap::new() };
        let mut acts = Vec::with_capacity(rows.len());
        for row in rows {
            let mut act = Act::of(row);
            if let Some(id) = act.id.clone() {
                act.name = names.of(&act.who, &id)?;
            }
            if let Some((noun, id)) = act.object.split_once('/') {
                // What a route is called and what a thing is called differ by a letter or two.
                let noun =
                    if matches!(noun, "people" | "person") { "person" } else { noun.trim_end_matches('s') };
                let id = id.split('/').next().unwrap_or_default().to_owned();
                act.object_name = names.of(noun, &id)?;
            }
            acts.push(act);
        }
        Ok(Acts { acts, next })
    });
    Ok(Json(found.await?))
}

/// A moment of the API as the trail keeps it.
fn millis(micros: u64) -> i64 {
    i64::try_from(micros / 1_000).unwrap_or(i64::MAX)
}

/// What those are called who stand in the trail, each looked up once for a page.
struct Names<'a> {
    identity: &'a Identity,
    owner: &'a Owner,
    desks: &'a Desks,
    /// The contact center of the tenant whose trail it is.
    view: Option<Arc<View>>,
    known: BTreeMap<(String, String), Option<String>>,
}

impl Names<'_> {
    fn of(&mut self, noun: &str, id: &str) -> Result<Option<String>, IdentityFault> {
        match noun {
            "person" | "key" => {}
            "agent" => return Ok(self.agent(id)),
            "queue" => return Ok(self.queue(id)),
            "tenant" => return Ok(self.tenant(id)),
            _ => return Ok(None),
        }
        let asked = (noun.to_owned(), id.to_owned());
        if let Some(name) = self.known.get(&asked) {
            return Ok(name.clone());
        }
        let name = if noun == "person" { self.person(id)? } else { self.key(id)? };
        self.known.insert(asked, name.clone());
        Ok(name)
    }

    fn agent(&self, id: &str) -> Option<String> {
        let view = self.view.as_ref()?;
        Some(view.live.agents.get(&AgentId::new(id))?.name.to_string())
    }

    fn queue(&self, id: &str) -> Option<String> {
        let view = self.view.as_ref()?;
        Some(view.live.queues.get(&QueueId::new(id))?.name.to_string())
    }

    /// One of several: who is alone has no name.
    fn tenant(&self, id: &str) -> Option<String> {
        let desk = self.desks.desk(&id.parse().ok()?)?;
        Some(desk.name().to_string()).filter(|name| !name.is_empty())
    }

    /// Somebody of the tenant whose trail it is, or of the installation, who acted there. What others are called is not told.
    fn person(&self, id: &str) -> Result<Option<String>, IdentityFault> {
        let Ok(id) = id.parse::<PersonId>() else { return Ok(None) };
        let found = match self.identity.person(self.owner, &id)? {
            Some(person) => Some(person),
            None => self.identity.person(&Owner::Installation, &id)?,
        };
        Ok(found.map(|person| person.name.to_string()))
    }

    fn key(&self, id: &str) -> Result<Option<String>, IdentityFault> {
        let Some((scope, row)) = self.identity.register().key_by_id(id)? else { return Ok(None) };
        let own = self.owner.tenant_name();
        let is_theirs = scope.tenant().is_none_or(|tenant| Some(tenant.as_str()) == own);
        Ok(is_theirs.then_some(row.name))
    }
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
            name: None,
            act: entry.act,
            object: entry.object,
            object_name: None,
            outcome,
            code,
            detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
        }
    }
}
