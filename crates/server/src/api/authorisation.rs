//! What every route takes to be used: the one table of who may do what.
//!
//! A request is authorised here, before its handler runs: who asks must hold the route's permission over the object that
//! the request names, tenant first. What belongs to another tenant does not exist. A route that does not stand in the
//! table is refused to everybody, and a test fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tandem_center::agent::AgentState;
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::{AgentId, InteractionId};
use tandem_center::view::View;
use tandem_people::caller::{Caller, Object, Refusal};
use tandem_people::id::PersonId;
use tandem_people::permission::{Permission, Reach};
use tandem_people::scope::Scope as Owner;
use tandem_store::Tenant;

use super::Api;
use super::access;
use super::error::ApiError;
use super::scope::{OfInstallation, OfMyself, Scope, TENANT};
use super::trail;
use crate::desk::{Desk, Story};
use crate::identity::Known;

/// What a route takes to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The method.
    pub method: &'static str,
    /// The path as the router has it.
    pub path: &'static str,
    /// What the caller must be permitted; `None`: to be known is enough.
    pub permission: Option<Permission>,
    /// Over what.
    pub over: Over,
}

/// Over what a route's permission must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The installation.
    Installation,
    /// Everything of the tenant.
    Tenant,
    /// A list of the tenant: those to whom the permission reaches only as far as their own see their own in it.
    List,
    /// The agent whose id stands in the path.
    Agent,
    /// The conversation whose number stands in the path: the agent's who was offered it or talks in it.
    Call,
    /// The person whose id stands in the path.
    Person,
    /// The caller.
    Myself,
}

const fn rule(method: &'static str, path: &'static str, permission: Permission, over: Over) -> Rule {
    Rule { method, path, permission: Some(permission), over }
}

/// A route for everybody who is known, about themselves.
const fn known(method: &'static str, path: &'static str) -> Rule {
    Rule { method, path, permission: None, over: Over::Myself }
}

/// The table.
pub const RULES: &[Rule] = &[
    rule("GET", "/metrics", Permission::MetricsRead, Over::Installation),
    rule("GET", "/api/v1/queues", Permission::QueuesRead, Over::Tenant),
    // It shows who waits.
    rule("GET", "/api/v1/queues/{id}", Permission::CallsRead, Over::Tenant),
    rule("PUT", "/api/v1/queues/{id}/switch", Permission::QueuesWrite, Over::Tenant),
    rule("GET", "/api/v1/agents", Permission::AgentsRead, Over::List),
    rule("GET", "/api/v1/agents/{id}", Permission::AgentsRead, Over::Agent),
    rule("PUT", "/api/v1/agents/{id}/state", Permission::AgentsWrite, Over::Agent),
    rule("DELETE", "/api/v1/agents/{id}/wrap-up", Permission::AgentsWrite, Over::Agent),
    rule("POST", "/api/v1/agents/{id}/wrap-up/extension", Permission::AgentsWrite, Over::Agent),
    rule("PUT", "/api/v1/agents/{id}/presence", Permission::PresenceWrite, Over::Agent),
    rule("GET", "/api/v1/calls", Permission::CallsRead, Over::List),
    rule("GET", "/api/v1/calls/{id}", Permission::CallsRead, Over::Call),
    // It shows the states of all agents.
    rule("GET", "/api/v1/calls/{id}/explanation", Permission::CallsRead, Over::Tenant),
    rule("GET", "/api/v1/calls/{id}/experts", Permission::CallsRead, Over::Call),
    rule("POST", "/api/v1/calls/{id}/move", Permission::CallsWrite, Over::Call),
    rule("POST", "/api/v1/calls/{id}/priority", Permission::CallsWrite, Over::Tenant),
    rule("POST", "/api/v1/calls/{id}/assignment", Permission::CallsWrite, Over::Tenant),
    rule("DELETE", "/api/v1/calls/{id}/callback", Permission::CallsWrite, Over::Tenant),
    rule("POST", "/api/v1/callbacks", Permission::CallsWrite, Over::Tenant),
    rule("GET", "/api/v1/recordings/{id}", Permission::RecordingsRead, Over::Tenant),
    rule("DELETE", "/api/v1/recordings/{id}", Permission::RecordingsWrite, Over::Tenant),
    rule("GET", "/api/v1/reports/queues", Permission::ReportsRead, Over::Tenant),
    rule("GET", "/api/v1/reports/agents", Permission::ReportsRead, Over::Tenant),
    rule("GET", "/api/v1/staffing", Permission::ReportsRead, Over::Tenant),
    rule("GET", "/api/v1/trunks", Permission::TrunksRead, Over::Tenant),
    rule("POST", "/api/v1/erasures", Permission::PersonalDataErase, Over::Tenant),
    rule("DELETE", "/api/v1/interactions/{id}/personal-data", Permission::PersonalDataErase, Over::Tenant),
    rule("GET", "/api/v1/webhooks", Permission::WebhooksRead, Over::Tenant),
    rule("POST", "/api/v1/webhooks", Permission::WebhooksWrite, Over::Tenant),
    rule("GET", "/api/v1/webhooks/{id}", Permission::WebhooksRead, Over::Tenant),
    rule("PUT", "/api/v1/webhooks/{id}", Permission::WebhooksWrite, Over::Tenant),
    rule("DELETE", "/api/v1/webhooks/{id}", Permission::WebhooksWrite, Over::Tenant),
    rule("POST", "/api/v1/webhooks/{id}/secret", Permission::WebhooksWrite, Over::Tenant),
    rule("GET", "/api/v1/webhooks/{id}/deliveries", Permission::WebhooksRead, Over::Tenant),
    rule("POST", "/api/v1/webhooks/{id}/replay", Permission::WebhooksWrite, Over::Tenant),
    rule("POST", "/api/v1/webhooks/{id}/resend", Permission::WebhooksWrite, Over::Tenant),
    rule("POST", "/api/v1/webhooks/{id}/test", Permission::WebhooksWrite, Over::Tenant),
    // It shows everything that happens, as the live socket does.
    rule("GET", "/api/v1/events", Permission::LiveRead, Over::Tenant),
    rule("GET", "/api/v1/tenants", Permission::TenantsRead, Over::Installation),
    rule("POST", "/api/v1/configuration/reload", Permission::TenantsWrite, Over::Installation),
    rule("POST", "/api/v1/tenants/{id}/onboarding", Permission::TenantsWrite, Over::Installation),
    rule("GET", "/api/v1/directory", Permission::DirectoryRead, Over::Tenant),
    rule("PUT", "/api/v1/directory/{id}/skills", Permission::PeopleWrite, Over::Tenant),
    rule("GET", "/api/v1/directory/{id}/photo", Permission::DirectoryRead, Over::Tenant),
    rule("GET", "/api/v1/microsoft", Permission::TenantRead, Over::Tenant),
    rule("DELETE", "/api/v1/microsoft/{id}", Permission::TenantWrite, Over::Tenant),
    rule("POST", "/api/v1/microsoft/{id}/presence-account", Permission::TenantWrite, Over::Tenant),
    rule(
        "DELETE",
        "/api/v1/microsoft/{id}/presence-account/{account}",
        Permission::TenantWrite,
        Over::Tenant,
    ),
    known("POST", "/auth/sign-out"),
    known("GET", "/api/v1/me"),
    known("GET", "/api/v1/me/credentials"),
    known("PUT", "/api/v1/me/password"),
    known("POST", "/api/v1/me/passkeys/begin"),
    known("POST", "/api/v1/me/passkeys"),
    known("DELETE", "/api/v1/me/passkeys/{id}"),
    known("GET", "/api/v1/me/logins"),
    known("DELETE", "/api/v1/me/logins"),
    known("DELETE", "/api/v1/me/logins/{id}"),
    rule("GET", "/api/v1/people", Permission::PeopleRead, Over::Tenant),
    rule("POST", "/api/v1/people", Permission::PeopleWrite, Over::Tenant),
    rule("GET", "/api/v1/people/{id}", Permission::PeopleRead, Over::Person),
    // Nobody changes their own roles: one's own credentials and logins are at /api/v1/me.
    rule("PATCH", "/api/v1/people/{id}", Permission::PeopleWrite, Over::Tenant),
    rule("DELETE", "/api/v1/people/{id}", Permission::PeopleWrite, Over::Tenant),
    rule("GET", "/api/v1/people/{id}/logins", Permission::PeopleRead, Over::Person),
    rule("DELETE", "/api/v1/people/{id}/logins", Permission::PeopleWrite, Over::Person),
    rule("POST", "/api/v1/people/{id}/invitation", Permission::PeopleWrite, Over::Tenant),
    rule("GET", "/api/v1/keys", Permission::KeysWrite, Over::Tenant),
    rule("POST", "/api/v1/keys", Permission::KeysWrite, Over::Tenant),
    rule("DELETE", "/api/v1/keys/{id}", Permission::KeysWrite, Over::Tenant),
    rule("GET", "/api/v1/audit", Permission::AuditRead, Over::Tenant),
    rule("GET", "/api/v1/installation/people", Permission::PeopleRead, Over::Installation),
    rule("POST", "/api/v1/installation/people", Permission::PeopleWrite, Over::Installation),
    rule("GET", "/api/v1/installation/people/{id}", Permission::PeopleRead, Over::Installation),
    rule("PATCH", "/api/v1/installation/people/{id}", Permission::PeopleWrite, Over::Installation),
    rule("DELETE", "/api/v1/installation/people/{id}", Permission::PeopleWrite, Over::Installation),
    rule("DELETE", "/api/v1/installation/people/{id}/logins", Permission::PeopleWrite, Over::Installation),
    rule("POST", "/api/v1/installation/people/{id}/invitation", Permission::PeopleWrite, Over::Installation),
    rule("GET", "/api/v1/installation/keys", Permission::KeysWrite, Over::Installation),
    rule("POST", "/api/v1/installation/keys", Permission::KeysWrite, Over::Installation),
    rule("DELETE", "/api/v1/installation/keys/{id}", Permission::KeysWrite, Over::Installation),
    rule("GET", "/api/v1/installation/audit", Permission::AuditRead, Over::Installation),
];

/// Demands of a request what the table says, and hands its handler the scope in which it may act.
pub(super) async fn only_permitted(
    State(api): State<Api>,
    path: MatchedPath,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let asked = trail::Asked::of(&api, &request, path.as_str(), id_of(&params));
    let caller = match access::known(&api, access::bearer(request.headers())) {
        Ok(Known { caller, .. }) => caller,
        Err(stranger) => {
            asked.by_stranger(&api, &stranger);
            return access::unauthorized(&stranger).into_response();
        }
    };
    let Some(rule) = rule_of(request.method(), path.as_str()) else { return no_rule().into_response() };
    let place = match api.rooms.request(caller.scope()) {
        Ok(place) => place,
        Err(full) => return full.into_response(),
    };
    let headers = request.headers().clone();
    let admitted = match admit(&api, rule, caller.clone(), &params, &headers).await {
        Err(error) => Err(error),
        Ok(admitted) => {
            match admitted {
                Admitted::Tenant(scope) => request.extensions_mut().insert(*scope).is_some(),
                Admitted::Installation(installation) => {
                    request.extensions_mut().insert(installation).is_some()
                }
                Admitted::Myself(myself) => request.extensions_mut().insert(myself).is_some(),
            };
            if asked.changes() { whole(request).await } else { Ok(request) }
        }
    };
    if !asked.changes() {
        let response = match admitted {
            Err(error) => error.into_response(),
            Ok(request) => next.run(request).await,
        };
        asked.answered(&api, rule, &caller, &headers, trail::Answer::of(&response)).await;
        return response;
    }
    // A change that has begun comes to its end and is told, whether or not somebody still waits for the answer.
    let told = tokio::spawn(async move {
        let _place = place;
        let response = match admitted {
            Err(error) => error.into_response(),
            Ok(request) => {
                tokio::spawn(next.run(request)).await.unwrap_or_else(|_| broke_off().into_response())
            }
        };
        asked.answered(&api, rule, &caller, &headers, trail::Answer::of(&response)).await;
        response
    });
    told.await.unwrap_or_else(|_| broke_off().into_response())
}

/// The request with all of its body: nothing of a change waits for its client once it has begun.
async fn whole(request: Request) -> Result<Request, ApiError> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The program fails in the middle of a change, or ends.
fn broke_off() -> ApiError {
    let message = "the program could not answer; whether the change was made is not known";
    let remedy = "look at the state before you try again; the log says why";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "broke_off", message, remedy)
}

/// What each route is called in the audit trail, by method and path: `noun.verb`, from the names of the document.
pub(super) type Acts = BTreeMap<(String, String), Arc<str>>;

pub(super) fn acts(document: &str) -> Acts {
    let document: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
    let mut acts = Acts::new();
    let paths = document.get("paths").and_then(serde_json::Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if let Some(id) = operation.get("operationId").and_then(serde_json::Value::as_str) {
                acts.insert((method.to_uppercase(), path.clone()), id.replacen('_', ".", 1).into());
            }
        }
    }
    acts
}

fn id_of(params: &RawPathParams) -> &str {
    params.iter().find(|(name, _)| *name == "id").map_or("", |(_, value)| value)
}

enum Admitted {
    Tenant(Box<Scope>),
    Installation(OfInstallation),
    Myself(OfMyself),
}

fn rule_of(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if method == Method::HEAD { Method::GET.as_str() } else { method.as_str() };
    RULES.iter().find(|rule| rule.method == method && rule.path == path)
}

async fn admit(
    api: &Api,
    rule: &Rule,
    caller: Arc<Caller>,
    params: &RawPathParams,
    headers: &HeaderMap,
) -> Result<Admitted, ApiError> {
    if rule.over == Over::Myself {
        return Ok(Admitted::Myself(OfMyself { api: api.clone(), caller }));
    }
    if rule.over == Over::Installation {
        if let Some(permission) = rule.permission {
            caller.may(permission, Object::Installation).map_err(refused)?;
        }
        return Ok(Admitted::Installation(OfInstallation { api: api.clone(), caller }));
    }
    let desk = desk(api, &caller, headers)?;
    let reach = reach(rule, &caller, &desk, id_of(params)).await?;
    Ok(Admitted::Tenant(Box::new(Scope { api: api.clone(), desk, caller, reach })))
}

/// The desk that a caller means: that of their own tenant, or the one that an operator names.
pub(super) fn desk(api: &Api, caller: &Caller, headers: &HeaderMap) -> Result<Desk, ApiError> {
    let named = match headers.get(TENANT) {
        None => None,
        Some(value) => {
            let tenant = value.to_str().ok().and_then(|text| text.parse::<Tenant>().ok());
            Some(tenant.ok_or_else(unknown_tenant)?)
        }
    };
    desk_of(api, caller, named)
}

/// The same, where the tenant was named in another way.
pub(super) fn desk_of(api: &Api, caller: &Caller, named: Option<Tenant>) -> Result<Desk, ApiError> {
    let own = caller.scope().tenant_name();
    let desk = match (named, own) {
        (Some(named), Some(own)) if named.as_str() != own => None,
        (Some(named), _) => api.desks.desk(&named),
        (None, Some(own)) => own.parse().ok().and_then(|tenant: Tenant| api.desks.desk(&tenant)),
        (None, None) => match api.desks.only() {
            Some(desk) => Some(desk),
            None => {
                let remedy = "send the header Tandem-Tenant with the id of a tenant";
                return Err(
                    ApiError::bad_request("tenant_needed", "there are several tenants", remedy).field(TENANT)
                );
            }
        },
    };
    desk.ok_or_else(unknown_tenant)
}

/// The desk, if the caller may follow everything that happens there.
pub(super) fn follower(caller: &Caller, desk: Desk) -> Result<Desk, ApiError> {
    caller.may(Permission::LiveRead, Object::Tenant(desk.tenant().as_str())).map_err(refused)?;
    Ok(desk)
}

/// Whether who was admitted may do something else as well, over all of the tenant.
pub(super) fn may_too(scope: &Scope, permission: Permission) -> Result<(), ApiError> {
    scope.caller.may(permission, Object::Tenant(scope.desk.tenant().as_str())).map_err(refused)
}

async fn reach(rule: &Rule, caller: &Caller, desk: &Desk, id: &str) -> Result<Reach, ApiError> {
    let tenant = desk.tenant().as_str();
    let Some(permission) = rule.permission else { return Ok(Reach::Own) };
    let owner = Owner::tenant(tenant);
    let over = |object: Object<'_>| caller.may(permission, object).map_err(refused);
    match rule.over {
        Over::Installation | Over::Tenant => over(Object::Tenant(tenant))?,
        Over::List | Over::Myself => {}
        Over::Agent => over(Object::Agent { tenant, agent: id })?,
        Over::Call => {
            let all = over(Object::Tenant(tenant));
            if let (Err(refusal), Some(agent)) = (all, caller.agent()) {
                let may = over(Object::Agent { tenant, agent });
                if may.is_err() || !took_part(desk, id, agent).await {
                    return Err(refusal);
                }
            } else {
                over(Object::Tenant(tenant))?;
            }
        }
        Over::Person => match id.parse::<PersonId>() {
            Ok(person) => over(Object::Person { scope: &owner, person: &person })?,
            // There is nobody of that name; the handler says so to whoever may ask about everybody.
            Err(_) => over(Object::People(&owner))?,
        },
    }
    caller.reach(permission, tenant).map_err(refused)
}

/// Whether an agent takes or took part in a conversation.
async fn took_part(desk: &Desk, interaction: &str, agent: &str) -> bool {
    let Ok(id) = interaction.parse::<u64>() else { return false };
    if is_of(&desk.live().view(), InteractionId(id), agent) {
        return true;
    }
    let story = desk.story(InteractionId(id)).await;
    story.is_ok_and(|story| story.is_some_and(|story| talked(&story, agent)))
}

/// Whether an agent talked in a conversation.
pub(super) fn talked(story: &Story, agent: &str) -> bool {
    let with = |fact: &Arc<Fact>| matches!(&fact.kind, FactKind::Connected { agent: with, .. } if with.as_str() == agent);
    story.facts.iter().any(with)
}

/// Whether a conversation is an agent's now: it is being offered to the agent, or is had with them.
pub(super) fn is_of(view: &View, id: InteractionId, agent: &str) -> bool {
    let Some(agent) = view.live.agents.get(&AgentId::new(agent)) else { return false };
    let by_state = match agent.state {
        AgentState::Offered { interaction }
        | AgentState::InConversation { interaction }
        | AgentState::WrapUp { interaction, .. } => interaction == id,
        _ => false,
    };
    by_state || agent.work.iter().any(|work| work.interaction == id)
}

/// Every route stands in the table; one that does not is nobody's.
pub(super) fn no_rule() -> ApiError {
    let remedy = "use another route; this one is a fault of the program, please report it";
    ApiError::forbidden("no_rule", "nobody may use this route", remedy)
}

/// A refusal as the answer to a request.
pub(super) fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NotYours => {
            let remedy = "look at the list for those that there are";
            ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing", remedy)
        }
        refusal => {
            let remedy = match refusal {
                Refusal::OwnRights => "ask another administrator",
                Refusal::BeyondOwn { .. } => "leave out the scopes that you do not have",
                _ => "ask an administrator for a role, or for a key with this scope",
            };
            ApiError::new(StatusCode::FORBIDDEN, refusal.code(), refusal.to_string(), remedy)
        }
    }
}

pub(super) fn unknown_tenant() -> ApiError {
    let remedy = "leave the header out, or name a tenant that you may see";
    ApiError::new(StatusCode::NOT_FOUND, "unknown_tenant", "there is no such tenant", remedy).field(TENANT)
}
