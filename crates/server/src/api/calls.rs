//! Calls: those that are live, those that are over, and the story of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use tandem_center::channel::Channel;
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::InteractionId;
use tandem_center::terms::Step;
use tandem_center::view::{QueueStay, StageView, View};
use tandem_people::permission::Reach;
use utoipa::{IntoParams, ToSchema};

use super::authorisation;
use super::error::{ApiError, ErrorBody};
use super::page_limit;
use super::scope::Scope;
use crate::{timeline, word};

/// One call, from its arrival to the end of the agent's wrap-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Call {
    /// The interaction's id: the number of the fact with which it began.
    pub id: u64,
    /// The id of its last call on the line, as the log has it: 16 hexadecimal digits. Missing if there was none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// How the customer reaches an agent.
    pub channel: ChannelName,
    /// The line over which it came, or the customer is called.
    pub line: String,
    /// The customer: a number, a SIP address or `anonymous`. Missing once it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The caller's name as their network gives it; may be empty. Missing once it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    /// What was dialled; missing for a callback that was scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The flow that the caller entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// When it came, in microseconds since 1970 UTC.
    pub arrived_at: u64,
    /// Where it stands.
    pub stage: Stage,
    /// The queue that it entered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Since when and for what the customer waits, while in a queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wait>,
    /// The promise to call back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Promise>,
    /// The message that was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// What was found out, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What the last conversation was about, as the agent says: a code of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The agent who was connected or offered it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The wait in the last queue, in microseconds, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_us: Option<u64>,
    /// The time in conversation with agents, in microseconds, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talked_us: Option<u64>,
    /// How it is counted, once it is closed: `handled`, `transferred`, `abandoned_in_queue`, `abandoned_in_flow`,
    /// `flow_ended`,
    /// `lost`, `not_reached`, `cancelled` or `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// When it was closed, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<u64>,
}

/// How a customer reaches an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelName {
    /// On the line.
    Call,
    /// Is called back.
    Callback,
    /// By a message.
    Voicemail,
}

/// A wait in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wait {
    /// Since when in this queue, in microseconds since 1970 UTC.
    pub entered_at: u64,
    /// Since when, all waits counted as one, in microseconds since 1970 UTC.
    pub waiting_since: u64,
    /// The moment by which the customer stands among all others of the queue: the wait with what priority adds.
    pub stands_since: u64,
    /// From 1, first, to 5, last.
    pub priority: u8,
    /// Before everybody who is not.
    pub vip: bool,
    /// What is asked of an agent, and from which wait on.
    pub terms: Vec<Asked>,
    /// Which of the terms holds now, counted from 0.
    pub step: u8,
}

/// What is asked of an agent from a time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Asked {
    /// From this wait in the queue on, in seconds.
    pub after_s: u64,
    /// Only this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The skills that the agent must have, with the least level from 1 to 10.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<String, u8>,
    /// The last of the queue's rings from which the agent may be, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<u8>,
}

/// The promise to call a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Promise {
    /// How often the customer was tried.
    pub attempts: u32,
    /// When the callback enters its queue, if it is not in it yet; microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<u64>,
}

/// A message that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// The recording's id: `/api/v1/recordings/{id}` has the sound.
    pub recording: String,
    /// How long it is, in microseconds.
    pub length_us: u64,
    /// Whether an agent has heard it to its end.
    pub heard: bool,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In a flow.
    InFlow,
    /// In a queue.
    Waiting,
    /// In a queue, an agent is being rung.
    Offered,
    /// An agent has taken a callback, the customer is being rung.
    CallingBack,
    /// Is about to hang up, and then waits to be called back, or for the message to be heard.
    Parked,
    /// Is to be called back at a time.
    Scheduled,
    /// Is leaving a message.
    LeavingMessage,
    /// Is being handed over to a telephone that is no agent's.
    Redirecting,
    /// Talks to an agent.
    Connected,
    /// Handed over to somebody else.
    Transferred,
    /// Being ended.
    Ending,
    /// Over; the agent's wrap-up goes on.
    WrapUp,
    /// Over.
    Closed,
}

/// A page of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Calls {
    /// The calls: live ones by arrival, closed ones with the latest first.
    pub calls: Vec<Call>,
    /// Where the next page begins: to be sent as `cursor`. Missing on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Which calls.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `live` (default) or `closed`.
    #[serde(default)]
    #[param(inline)]
    pub state: WhichState,
    /// How many at most: 1 to 200, 50 by default.
    pub limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<u64>,
}

/// Live or closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichState {
    /// Not closed yet.
    #[default]
    Live,
    /// Closed.
    Closed,
}

/// Everything about one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Story {
    /// What it is now.
    pub call: Call,
    /// What happened, in order.
    pub timeline: Vec<Moment>,
    /// The timeline is longer than what is shown.
    pub cut: bool,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    /// The number of the fact.
    pub number: u64,
    /// When, in microseconds since 1970 UTC.
    pub at: u64,
    /// How long after the arrival, in microseconds.
    pub after_us: u64,
    /// The kind of the fact.
    pub kind: String,
    /// What happened, as an English sentence.
    pub text: String,
    /// The fact as the journal has it: `number`, `at`, `v`, `kind` and what belongs to the kind.
    #[schema(value_type = Object)]
    pub fact: serde_json::Value,
}

/// Calls, live or closed, in pages.
#[utoipa::path(
    get, path = "/api/v1/calls", tag = "calls", operation_id = "call_list", params(Which),
    responses(
        (status = 200, description = "A page of calls.", body = Calls),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 503, description = "The journal cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn list(
    scope: Scope,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Calls>, ApiError> {
    let Query(which) = which?;
    let limit = page_limit(which.limit)?;
    match which.state {
        WhichState::Live => Ok(Json(live(&scope, which.cursor, limit))),
        WhichState::Closed => {
            let stories = scope.desk.closed(which.cursor, limit).await?;
            let next = if stories.len() == limit { stories.last().map(|(number, _)| *number) } else { None };
            let shown = |story: &crate::desk::Story| match (scope.reach, scope.caller.agent()) {
                (Reach::All, _) => true,
                (Reach::Own, agent) => agent.is_some_and(|agent| authorisation::talked(story, agent)),
            };
            let calls = stories.iter().filter(|(_, story)| shown(story));
            let calls = calls.filter_map(|(_, story)| Call::of(&story.facts, Stage::Closed)).collect();
            Ok(Json(Calls { calls, next }))
        }
    }
}

/// One call with its whole story.
#[utoipa::path(
    get, path = "/api/v1/calls/{id}", tag = "calls", operation_id = "call_view",
    params(("id" = u64, Path, description = "The interaction's id.")),
    responses(
        (status = 200, description = "The call and its story.", body = Story),
        (status = 400, description = "The id is no number.", body = ErrorBody),
        (status = 404, description = "There is no such call.", body = ErrorBody),
        (status = 503, description = "The journal cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn view(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<Story>, ApiError> {
    let Path(id) = id?;
    let missing = || ApiError::not_found("call", &id.to_string());
    let story = scope.desk.story(InteractionId(id)).await?.ok_or_else(missing)?;
    let stage = match story.facts.last().map(|fact| &fact.kind) {
        Some(FactKind::Closed { .. }) => Stage::Closed,
        _ => Stage::now(&scope.desk.live().view(), InteractionId(id)),
    };
    let mut call = Call::of(&story.facts, stage).ok_or_else(missing)?;
    call.look(&scope.desk.live().view());
    let timeline = story.facts.iter().map(|fact| Moment::of(fact, call.arrived_at)).collect();
    Ok(Json(Story { call, timeline, cut: story.cut }))
}

fn live(scope: &Scope, cursor: Option<u64>, limit: usize) -> Calls {
    let view = &*scope.desk.live().view();
    let after = InteractionId(cursor.unwrap_or_default());
    let shown = |id: &InteractionId| match (scope.reach, scope.caller.agent()) {
        (Reach::All, _) => true,
        (Reach::Own, agent) => agent.is_some_and(|agent| authorisation::is_of(view, *id, agent)),
    };
    let mut open = view
        .live
        .interactions
        .range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
        .filter(|(id, _)| shown(id));
    let page: Vec<_> = open.by_ref().take(limit).collect();
    let next = if open.next().is_some() { page.last().map(|(id, _)| id.0) } else { None };
    Calls { calls: page.into_iter().filter_map(|(id, _)| Call::find(view, *id)).collect(), next }
}

impl Call {
    /// An open call.
    pub(super) fn find(view: &View, id: InteractionId) -> Option<Call> {
        let mut call = Call::of(&view.stories.get(&id)?.0, Stage::now(view, id))?;
        call.look(view);
        Some(call)
    }

    /// Reads a call from its facts. `None` if they do not begin with its beginning.
    fn of(facts: &[Arc<Fact>], stage: Stage) -> Option<Call> {
        let first = facts.first()?;
        let (line, from, from_name, channel) = match &first.kind {
            FactKind::Arrived { line, from, from_name, .. } => (line, from, from_name, ChannelName::Call),
            FactKind::CallbackScheduled { line, to, name, .. } => (line, to, name, ChannelName::Callback),
            _ => return None,
        };
        let mut call = Call {
            id: first.number,
            call: None,
            channel,
            line: line.to_string(),
            from: from.reveal().map(timeline::address),
            from_name: from_name.reveal().map(ToString::to_string),
            to: None,
            flow: None,
            arrived_at: first.at.as_micros(),
            stage,
            queue: None,
            wait: None,
            callback: None,
            message: None,
            attributes: BTreeMap::new(),
            code: None,
            agent: None,
            waited_us: None,
            talked_us: None,
            outcome: None,
            closed_at: None,
        };
        for fact in facts {
            call.take(fact);
        }
        Some(call)
    }

    fn take(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::Arrived { call, to, flow, .. } => {
                self.call = Some(call.to_string());
                self.to = Some(timeline::address(to));
                self.flow = Some(flow.to_string());
            }
            FactKind::CallPlaced { call, .. } => self.call = Some(call.to_string()),
            FactKind::AttributesSet { attributes, .. } => {
                let texts = attributes.iter().map(|(name, value)| (name.to_string(), value.to_string()));
                self.attributes.extend(texts);
            }
            FactKind::CallbackScheduled { queue, due_at, .. } => {
                self.queue = Some(queue.to_string());
                self.callback = Some(Promise { attempts: 0, due_at: Some(due_at.as_micros()) });
            }
            FactKind::CallbackPromised { .. } => {
                self.channel = ChannelName::Callback;
                self.callback = Some(Promise { attempts: 0, due_at: None });
            }
            FactKind::CallbackDialled { attempt, .. } => {
                self.callback = Some(Promise { attempts: *attempt, due_at: None });
            }
            FactKind::CallbackMissed { attempt, again_at, .. } => {
                let due_at = again_at.map(|at| at.as_micros());
                self.callback = Some(Promise { attempts: *attempt, due_at });
            }
            FactKind::CallbackCancelled { .. } => self.callback = None,
            FactKind::MessageLeft { recording, length_us, .. } => {
                self.channel = ChannelName::Voicemail;
                let (recording, length_us) = (recording.to_string(), *length_us);
                self.message = Some(Message { recording, length_us, heard: false });
            }
            FactKind::Heard { .. } => {
                if let Some(message) = &mut self.message {
                    message.heard = true;
                }
            }
            FactKind::WrapUpEnded { code: Some(code), .. } => self.code = Some(code.to_string()),
            FactKind::QueueEntered { queue, .. } => {
                self.queue = Some(queue.to_string());
                self.waited_us = None;
                if let Some(callback) = &mut self.callback {
                    callback.due_at = None;
                }
            }
            FactKind::QueueLeft { waited_us, .. } => self.waited_us = Some(*waited_us),
            FactKind::Offered { agent, .. } => self.agent = Some(agent.to_string()),
            FactKind::Connected { agent, waited_us, .. } => {
                self.agent = Some(agent.to_string());
                self.waited_us = Some(*waited_us);
            }
            FactKind::ConversationEnded { talked_us, .. } => {
                self.talked_us = Some(self.talked_us.unwrap_or_default().saturating_add(*talked_us));
            }
            FactKind::Closed { outcome, .. } => {
                self.outcome = Some(word::outcome(*outcome).to_owned());
                self.closed_at = Some(fact.at.as_micros());
            }
            _ => {}
        }
    }
}

impl Call {
    /// What only the state of an open call says.
    fn look(&mut self, view: &View) {
        let Some(interaction) = view.live.interactions.get(&InteractionId(self.id)) else { return };
        self.wait = match &interaction.stage {
            StageView::Waiting(stay)
            | StageView::Offered { stay, .. }
            | StageView::CallingBack { stay, .. } => Some(Wait::of(stay)),
            _ => None,
        };
    }
}

impl Wait {
    pub(super) fn of(stay: &QueueStay) -> Wait {
        Wait {
            entered_at: stay.entered_at.as_micros(),
            waiting_since: stay.waiting_since().as_micros(),
            stands_since: stay.stands_since().as_micros(),
            priority: stay.priority,
            vip: stay.vip,
            terms: stay.terms.steps().iter().map(Asked::of).collect(),
            step: stay.step,
        }
    }
}

impl Asked {
    fn of(step: &Step) -> Asked {
        let asked = &step.requirement;
        Asked {
            after_s: step.after_us / 1_000_000,
            agent: asked.agent.as_ref().map(ToString::to_string),
            skills: asked.skills.iter().map(|(skill, level)| (skill.to_string(), *level)).collect(),
            ring: asked.ring,
        }
    }
}

impl From<Channel> for ChannelName {
    fn from(channel: Channel) -> ChannelName {
        match channel {
            Channel::Call => ChannelName::Call,
            Channel::Callback => ChannelName::Callback,
            Channel::Voicemail => ChannelName::Voicemail,
        }
    }
}

impl Stage {
    /// The stage of an interaction that is open; one that is not is closed.
    fn now(view: &View, id: InteractionId) -> Stage {
        match view.live.interactions.get(&id).map(|interaction| &interaction.stage) {
            Some(StageView::InFlow { .. }) => Stage::InFlow,
            Some(StageView::Waiting(_)) => Stage::Waiting,
            Some(StageView::Offered { .. }) => Stage::Offered,
            Some(StageView::CallingBack { .. }) => Stage::CallingBack,
            Some(StageView::Parked(_)) => Stage::Parked,
            Some(StageView::Scheduled { .. }) => Stage::Scheduled,
            Some(StageView::LeavingMessage { .. }) => Stage::LeavingMessage,
            Some(StageView::Redirecting { .. }) => Stage::Redirecting,
            Some(StageView::Connected { .. }) => Stage::Connected,
            Some(StageView::Transferred { .. }) => Stage::Transferred,
            Some(StageView::Ending { .. }) => Stage::Ending,
            Some(StageView::WrapUp { .. }) => Stage::WrapUp,
            None => Stage::Closed,
        }
    }
}

impl Moment {
    fn of(fact: &Fact, arrived_at: u64) -> Moment {
        Moment {
            number: fact.number,
            at: fact.at.as_micros(),
            after_us: fact.at.as_micros().saturating_sub(arrived_at),
            kind: word::fact(&fact.kind).to_owned(),
            text: timeline::sentence(&fact.kind),
            fact: serde_json::to_value(fact).unwrap_or_default(),
        }
    }
}
