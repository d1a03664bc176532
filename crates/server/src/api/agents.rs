//! Agents: who they are, what they do, and setting what they do.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tandem_center::Input;
use tandem_center::agent::{
    self, AgentAct, AgentCommand, AgentState, ChosenState, Confidence, PresenceReport, PresenceView, Who,
};
use tandem_center::id::{AgentId, CodeId};
use tandem_center::personal::Personal;
use tandem_center::view::{AgentView, DoingView, View, WorkView};
use tandem_people::permission::Reach;
use utoipa::ToSchema;

use super::command::{CommandFaults, Done, Shown, carry_out, optional};
use super::error::{ApiError, ErrorBody};
use super::scope::Scope;
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
    /// What the agent is good at, and how good from 1 to 10.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<String, u8>,
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
    /// Everything that the agent is doing, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub work: Vec<Work>,
    /// What another system says about the agent, if it is still believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<KnownPresence>,
    /// Conversations since signing in.
    pub conversations: u32,
    /// Offers missed one after the other.
    pub misses: u32,
    /// The part of the time spent in conversations and wrap-ups, in percent; what was long ago counts less.
    pub occupancy_percent: u8,
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

/// A state that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetState {
    /// The state.
    pub state: ChoiceName,
    /// The kind of break, as the agent would say it ("lunch"); at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it is set, in the words of whoever sets it; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What another system says about an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// Which system, `teams` for example; 1 to 128 bytes.
    pub source: String,
    /// What it says.
    pub presence: PresenceName,
    /// Whether the agent chose that there, rather than the system having found it out. Default: no.
    #[serde(default)]
    pub manual: bool,
    /// When it was so, in microseconds since 1970 UTC. Default: now. What is older than what is known, or than
    /// `presence.believed_s` of the configuration, changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<u64>,
}

/// What is known of an agent's presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownPresence {
    /// Which system said it.
    pub source: String,
    /// What it says.
    pub presence: PresenceName,
    /// Whether the agent chose that there.
    pub manual: bool,
    /// Whether an agent of whom this is said is offered nothing.
    pub stops: bool,
    /// When it was so, in microseconds since 1970 UTC.
    pub observed_at: u64,
    /// Until when it is believed, in microseconds since 1970 UTC.
    pub until: u64,
    /// How far it can be relied on.
    pub confidence: ConfidenceName,
}

/// How far a presence that was told can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfidenceName {
    /// The other system has contradicted itself, or its word came late.
    Doubtful,
    /// It was told once.
    Told,
    /// It was told in two ways, which agree.
    Confirmed,
}

/// What other systems say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceName {
    /// Free.
    Available,
    /// At work on something else.
    Busy,
    /// In a call.
    InCall,
    /// In a meeting.
    InMeeting,
    /// Shows something to others.
    Presenting,
    /// Wants no calls.
    DoNotDisturb,
    /// Gone for a moment.
    BeRightBack,
    /// Not at the desk.
    Away,
    /// Not signed in there.
    Offline,
    /// Away for longer, and says so.
    OutOfOffice,
    /// The other system does not know.
    Unknown,
}

/// One thing that an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Work {
    /// In which interaction.
    pub interaction: u64,
    /// What: `offered`, `talking` or `wrap_up`.
    pub doing: DoingName,
    /// When a wrap-up ends by itself, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

/// How far an agent's work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoingName {
    /// The telephone is being rung.
    Offered,
    /// Talks.
    Talking,
    /// Finishes the work after a conversation.
    WrapUp,
}

/// What there is to say at the end of a wrap-up; may be left out, with the whole body.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conclusion {
    /// What the conversation was about: one of the queue's codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What there is to say about it; at most 4,096 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// All agents and what they do.
#[utoipa::path(
    get, path = "/api/v1/agents", tag = "agents", operation_id = "agent_list",
    responses((status = 200, description = "All agents.", body = Agents))
)]
pub(super) async fn list(scope: Scope) -> Json<Agents> {
    let view = scope.desk.live().view();
    let shown = |id: &AgentId| scope.reach == Reach::All || scope.caller.agent() == Some(id.as_str());
    let agents = view.live.agents.iter().filter(|(id, _)| shown(id));
    let agents = agents.map(|(id, agent)| Agent::of(&view, id, agent)).collect();
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
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Agent>, ApiError> {
    let Path(id) = id?;
    let agent = Agent::find(&scope.desk.live().view(), &AgentId::from(id.as_str()));
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
    request_body = SetState,
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
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    set: Result<Json<SetState>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Json(set)) = (id?, set?);
    let asked = format!("PUT {id}/state {set:?}");
    let chosen = Choice { state: set.state, reason: set.reason }.chosen()?;
    command(&scope, &headers, &asked, &id, AgentAct::Choose(chosen), set.why).await
}

/// Ends an agent's wrap-up, of several the one that has gone on longest.
#[utoipa::path(
    delete, path = "/api/v1/agents/{id}/wrap-up", tag = "agents", operation_id = "agent_wrap_up_end",
    params(
        ("id" = String, Path, description = "The agent's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body(content = Conclusion, description = "May be left out."),
    responses((status = 200, description = "The wrap-up is over, and that is written.", body = Done), CommandFaults)
)]
pub(super) async fn wrap_up_end(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let conclusion: Conclusion = optional(&headers, body)?;
    let asked = format!("DELETE {id}/wrap-up {}", serde_json::to_string(&conclusion).unwrap_or_default());
    let Conclusion { code, note } = conclusion;
    let note = note.map(|note| Personal::new(note.into()));
    let act = AgentAct::EndWrapUp { code: code.map(CodeId::new), note };
    command(&scope, &headers, &asked, &id, act, None).await
}

/// Takes more time for an agent's wrap-up, as much as the queue gives.
#[utoipa::path(
    post, path = "/api/v1/agents/{id}/wrap-up/extension", tag = "agents", operation_id = "agent_wrap_up_extend",
    params(
        ("id" = String, Path, description = "The agent's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    responses((status = 200, description = "The wrap-up lasts longer, and that is written.", body = Done), CommandFaults)
)]
pub(super) async fn wrap_up_extend(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let asked = format!("POST {id}/wrap-up/extension");
    command(&scope, &headers, &asked, &id, AgentAct::ExtendWrapUp, None).await
}

/// Tells what another system says about an agent.
///
/// What that stops says `presence` of the configuration. The newest value counts; a value is believed for a while and has
/// to be told again.
#[utoipa::path(
    put, path = "/api/v1/agents/{id}/presence", tag = "agents", operation_id = "agent_presence_tell",
    params(
        ("id" = String, Path, description = "The agent's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body = Presence,
    responses((status = 200, description = "It was taken note of.", body = Done), CommandFaults)
)]
pub(super) async fn presence_tell(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    presence: Result<Json<Presence>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Json(presence)) = (id?, presence?);
    let asked = format!("PUT {id}/presence {presence:?}");
    if !(1..=ChosenState::REASON_BYTES_MAX).contains(&presence.source.len()) {
        let message = format!("a source has 1 to {} bytes", ChosenState::REASON_BYTES_MAX);
        return Err(ApiError::bad_request("bad_source", message, "name the system").field("source"));
    }
    let now = super::now_us();
    let age_us = now.saturating_sub(presence.observed_at.unwrap_or(now));
    let agent = AgentId::new(id);
    let report = PresenceReport {
        agent: agent.clone(),
        source: presence.source.into(),
        presence: presence.presence.into(),
        manual: presence.manual,
        age: Duration::from_micros(age_us),
        confidence: Confidence::Told,
    };
    carry_out(&scope, &headers, &asked, Input::Presence(report), Shown::Agent(agent)).await
}

async fn command(
    scope: &Scope,
    headers: &HeaderMap,
    asked: &str,
    id: &str,
    act: AgentAct,
    why: Option<String>,
) -> Result<Response, ApiError> {
    let agent = AgentId::from(id);
    // Whoever has the token counts as a supervisor until sign-in exists.
    let command = AgentCommand { agent: agent.clone(), act, by: Who::Supervisor, why: why.map(Into::into) };
    carry_out(scope, headers, asked, Input::Agent(command), Shown::Agent(agent)).await
}

impl Agent {
    pub(super) fn find(view: &View, id: &AgentId) -> Option<Agent> {
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
            skills: configured
                .map(|agent| agent.skills.iter().map(|(skill, level)| (skill.to_string(), *level)).collect())
                .unwrap_or_default(),
            state: AgentStateName::of(&agent.state),
            since: agent.since.as_micros(),
            chosen: Choice::of(&agent.chosen),
            interaction,
            until,
            rest_cause,
            work: agent.work.iter().map(Work::of).collect(),
            presence: agent.presence.as_ref().map(KnownPresence::of),
            conversations: agent.record.conversations,
            misses: agent.record.misses,
            // Of 1,000,000,000.
            occupancy_percent: u8::try_from(agent.record.occupancy / 10_000_000).unwrap_or(100),
        }
    }
}

impl Work {
    fn of(work: &WorkView) -> Work {
        let (doing, until) = match &work.doing {
            DoingView::Offered => (DoingName::Offered, None),
            DoingView::Talking => (DoingName::Talking, None),
            DoingView::WrapUp { until, .. } => (DoingName::WrapUp, Some(until.as_micros())),
        };
        Work { interaction: work.interaction.0, doing, until }
    }
}

impl KnownPresence {
    fn of(told: &PresenceView) -> KnownPresence {
        KnownPresence {
            source: told.source.to_string(),
            presence: told.presence.into(),
            manual: told.manual,
            stops: told.stops,
            observed_at: told.observed_at.as_micros(),
            until: told.until.as_micros(),
            confidence: told.confidence.into(),
        }
    }
}

impl From<Confidence> for ConfidenceName {
    fn from(confidence: Confidence) -> ConfidenceName {
        match confidence {
            Confidence::Doubtful => ConfidenceName::Doubtful,
            Confidence::Told => ConfidenceName::Told,
            Confidence::Confirmed => ConfidenceName::Confirmed,
        }
    }
}

impl From<PresenceName> for agent::Presence {
    fn from(name: PresenceName) -> agent::Presence {
        match name {
            PresenceName::Available => agent::Presence::Available,
            PresenceName::Busy => agent::Presence::Busy,
            PresenceName::InCall => agent::Presence::InCall,
            PresenceName::InMeeting => agent::Presence::InMeeting,
            PresenceName::Presenting => agent::Presence::Presenting,
            PresenceName::DoNotDisturb => agent::Presence::DoNotDisturb,
            PresenceName::BeRightBack => agent::Presence::BeRightBack,
            PresenceName::Away => agent::Presence::Away,
            PresenceName::Offline => agent::Presence::Offline,
            PresenceName::OutOfOffice => agent::Presence::OutOfOffice,
            PresenceName::Unknown => agent::Presence::Unknown,
        }
    }
}

impl From<agent::Presence> for PresenceName {
    fn from(presence: agent::Presence) -> PresenceName {
        match presence {
            agent::Presence::Available => PresenceName::Available,
            agent::Presence::Busy => PresenceName::Busy,
            agent::Presence::InCall => PresenceName::InCall,
            agent::Presence::InMeeting => PresenceName::InMeeting,
            agent::Presence::Presenting => PresenceName::Presenting,
            agent::Presence::DoNotDisturb => PresenceName::DoNotDisturb,
            agent::Presence::BeRightBack => PresenceName::BeRightBack,
            agent::Presence::Away => PresenceName::Away,
            agent::Presence::Offline => PresenceName::Offline,
            agent::Presence::OutOfOffice => PresenceName::OutOfOffice,
            agent::Presence::Unknown => PresenceName::Unknown,
        }
    }
}

/// A note may say something about a customer, and is kept out of logs.
impl fmt::Debug for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conclusion").field("code", &self.code).finish_non_exhaustive()
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
