//! Agents: who they are, what they do, and setting what they do.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_center::Input;
use tandem_center::agent::{AgentAct, AgentCommand, AgentState, ChosenState, Who};
use tandem_center::id::AgentId;
use tandem_center::view::{AgentView, View};
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorBody};
use super::repeat::{self, Turn};
use crate::word;

/// A person who talks to callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// The id from the configuration.
    pub id: String,
    /// The name.
    pub name: String,
    /// The queues from which the agent is offered callers.
    pub queues: Vec<String>,
    /// What the agent is now.
    pub state: AgentStateName,
    /// Since when, in microseconds since 1970 UTC.
    pub since: u64,
    /// What the agent chose to be, now or after what goes on.
    pub chosen: Choice,
    /// The interaction that occupies the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<u64>,
    /// When the wrap-up or the rest ends by itself, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Why the agent is left alone, if resting: `missed`, `declined`, `busy` or `unreachable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_cause: Option<String>,
}

/// What an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentStateName {
    /// Not at work.
    Offline,
    /// At work, takes no calls.
    Break,
    /// Free for the next caller.
    Available,
    /// The telephone is being rung.
    Offered,
    /// Talks to a caller.
    InConversation,
    /// Finishes the work after a conversation.
    WrapUp,
    /// Did not take an offer, and is left alone for a while.
    Resting,
    /// Chose to be available, but another system says that calls would not reach the agent.
    NotReachable,
    /// No longer in the configuration.
    Gone,
}

/// What an agent chooses to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The state.
    pub state: ChoiceName,
    /// Why, for a break; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The states that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceName {
    /// Takes calls. Ends a wrap-up and a rest.
    Available,
    /// At work, takes no calls.
    Break,
    /// Not at work.
    Offline,
}

/// All agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agents {
    /// The number of the last fact in this answer.
    pub number: u64,
    /// The agents, by id.
    pub agents: Vec<Agent>,
}

/// A command was carried out, and is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// The number of the last fact that came of it. Whoever follows `/live` and has this number has seen it.
    pub number: u64,
    /// The agent afterwards; missing if no longer in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
}

/// All agents and what they do.
#[utoipa::path(
    get, path = "/api/v1/agents", tag = "agents", operation_id = "agent_list",
    responses((status = 200, description = "All agents.", body = Agents))
)]
pub(super) async fn list(State(api): State<Api>) -> Json<Agents> {
    let view = api.desk.live().view();
    let agents = view.live.agents.iter().map(|(id, agent)| Agent::of(&view, id, agent)).collect();
    Json(Agents { number: view.live.number, agents })
}

/// One agent.
#[utoipa::path(
    get, path = "/api/v1/agents/{id}", tag = "agents", operation_id = "agent_view",
    params(("id" = String, Path, description = "The agent's id.")),
    responses(
        (status = 200, description = "The agent.", body = Agent),
        (status = 404, description = "There is no such agent.", body = ErrorBody),
    )
)]
pub(super) async fn view(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Agent>, ApiError> {
    let Path(id) = id?;
    let agent = Agent::find(&api.desk.live().view(), &AgentId::from(id.as_str()));
    agent.map(Json).ok_or_else(|| ApiError::not_found("agent", &id))
}

/// Sets what an agent is: now, or after the conversation that goes on.
///
/// Whoever asks acts as somebody else than the agent. `available` also ends a wrap-up and the rest after an offer not
/// taken. The answer comes when the change is written.
#[utoipa::path(
    put, path = "/api/v1/agents/{id}/state", tag = "agents", operation_id = "agent_state_set",
    params(
        ("id" = String, Path, description = "The agent's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body = Choice,
    responses(
        (status = 200, description = "The change is in force and written.", body = Done),
        (status = 400, description = "The body or a header is wrong.", body = ErrorBody),
        (status = 404, description = "There is no such agent.", body = ErrorBody),
        (status = 409, description = "The command with this key is being carried out.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorBody),
        (status = 422, description = "The key was used for another command.", body = ErrorBody),
        (status = 503, description = "Overloaded, or the journal cannot be written.", body = ErrorBody),
    )
)]
pub(super) async fn state_set(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    choice: Result<Json<Choice>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Json(choice)) = (id?, choice?);
    let chosen = choice.chosen()?;
    let asked = format!("PUT {id}/state {choice:?}");
    command(&api, &headers, &asked, &id, AgentAct::Choose(chosen)).await
}

/// Ends an agent's wrap-up.
#[utoipa::path(
    delete, path = "/api/v1/agents/{id}/wrap-up", tag = "agents", operation_id = "agent_wrap_up_end",
    params(
        ("id" = String, Path, description = "The agent's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    responses(
        (status = 200, description = "The wrap-up is over, and that is written.", body = Done),
        (status = 400, description = "A header is wrong.", body = ErrorBody),
        (status = 404, description = "There is no such agent.", body = ErrorBody),
        (status = 409, description = "The agent is not in a wrap-up, or the command is being carried out.",
            body = ErrorBody),
        (status = 422, description = "The key was used for another command.", body = ErrorBody),
        (status = 503, description = "Overloaded, or the journal cannot be written.", body = ErrorBody),
    )
)]
pub(super) async fn wrap_up_end(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let asked = format!("DELETE {id}/wrap-up");
    command(&api, &headers, &asked, &id, AgentAct::END_WRAP_UP).await
}

async fn command(
    api: &Api,
    headers: &HeaderMap,
    asked: &str,
    id: &str,
    act: AgentAct,
) -> Result<Response, ApiError> {
    let agent = AgentId::from(id);
    let command = AgentCommand { agent: agent.clone(), act, by: Who::Supervisor, why: None };
    let Some(key) = repeat::key(headers)? else {
        let number = api.desk.command(Input::Agent(command)).await?;
        return Ok(Json(done(api, &agent, number)).into_response());
    };
    if let Turn::Again(status, body) = api.repeats.begin(Instant::now(), &key, asked.as_bytes())? {
        return Ok(json(status, body));
    }
    // Forgets the key also when the client goes away in the middle: whether it was carried out is not known then.
    let trial = Trial { api, key: &key, settled: false };
    let number = api.desk.command(Input::Agent(command)).await?;
    let body = serde_json::to_vec(&done(api, &agent, number)).unwrap_or_default();
    Ok(json(StatusCode::OK, trial.succeeded(body.into())))
}

fn done(api: &Api, agent: &AgentId, number: u64) -> Done {
    Done { number, agent: Agent::find(&api.desk.live().view(), agent) }
}

struct Trial<'a> {
    api: &'a Api,
    key: &'a str,
    settled: bool,
}

impl Trial<'_> {
    fn succeeded(mut self, body: Bytes) -> Bytes {
        self.api.repeats.answered(self.key, StatusCode::OK, body.clone());
        self.settled = true;
        body
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.api.repeats.failed(self.key);
        }
    }
}

fn json(status: StatusCode, body: Bytes) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(axum::http::header::CONTENT_TYPE, kind)], body).into_response()
}

impl Agent {
    fn find(view: &View, id: &AgentId) -> Option<Agent> {
        view.live.agents.get(id).map(|agent| Agent::of(view, id, agent))
    }

    fn of(view: &View, id: &AgentId, agent: &AgentView) -> Agent {
        let configured =
            view.document.iter().flat_map(|document| &document.agents).find(|known| known.id == *id);
        let (interaction, until, rest_cause) = match &agent.state {
            AgentState::Offered { interaction } | AgentState::InConversation { interaction } => {
                (Some(interaction.0), None, None)
            }
            AgentState::WrapUp { interaction, until } => (Some(interaction.0), Some(until.as_micros()), None),
            AgentState::Resting { after, until } => {
                (None, until.map(|until| until.as_micros()), Some(word::rest_cause(*after).to_owned()))
            }
            AgentState::NotReachable { until, .. } => (None, Some(until.as_micros()), None),
            AgentState::Offline
            | AgentState::Break { .. }
            | AgentState::Available { .. }
            | AgentState::Gone => (None, None, None),
        };
        Agent {
            id: id.to_string(),
            name: agent.name.to_string(),
            queues: configured
                .map(|agent| agent.queues.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            state: AgentStateName::of(&agent.state),
            since: agent.since.as_micros(),
            chosen: Choice::of(&agent.chosen),
            interaction,
            until,
            rest_cause,
        }
    }
}

impl AgentStateName {
    fn of(state: &AgentState) -> AgentStateName {
        match state {
            AgentState::Offline => AgentStateName::Offline,
            AgentState::Break { .. } => AgentStateName::Break,
            AgentState::Available { .. } => AgentStateName::Available,
            AgentState::Offered { .. } => AgentStateName::Offered,
            AgentState::InConversation { .. } => AgentStateName::InConversation,
            AgentState::WrapUp { .. } => AgentStateName::WrapUp,
            AgentState::Resting { .. } => AgentStateName::Resting,
            AgentState::NotReachable { .. } => AgentStateName::NotReachable,
            AgentState::Gone => AgentStateName::Gone,
        }
    }
}

impl Choice {
    fn of(chosen: &ChosenState) -> Choice {
        let (state, reason) = match chosen {
            ChosenState::Available => (ChoiceName::Available, None),
            ChosenState::Break { reason } => (ChoiceName::Break, reason.as_ref().map(ToString::to_string)),
            ChosenState::Offline => (ChoiceName::Offline, None),
        };
        Choice { state, reason }
    }

    fn chosen(&self) -> Result<ChosenState, ApiError> {
        match (self.state, &self.reason) {
            (ChoiceName::Break, reason) => {
                Ok(ChosenState::Break { reason: reason.as_deref().map(Into::into) })
            }
            (ChoiceName::Available, None) => Ok(ChosenState::Available),
            (ChoiceName::Offline, None) => Ok(ChosenState::Offline),
            (ChoiceName::Available | ChoiceName::Offline, Some(_)) => {
                let message = "only a break has a reason";
                Err(ApiError::bad_request("unexpected_reason", message, "leave it out").field("reason"))
            }
        }
    }
}
