//! Calls: those that are live, those that are over, and the story of each.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::InteractionId;
use tandem_center::view::View;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::error::{ApiError, ErrorBody};
use crate::{timeline, word};

/// One call, from its arrival to the end of the agent's wrap-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Call {
    /// The interaction's id: the number of the fact with which it began.
    pub id: u64,
    /// The id of the call on the line, as the log has it: 16 hexadecimal digits.
    pub call: String,
    /// The line over which it came.
    pub line: String,
    /// Who calls: a number, a SIP address or `anonymous`. Missing once it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The caller's name as their network gives it; may be empty. Missing once it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    /// What was dialled.
    pub to: String,
    /// The flow that the caller entered.
    pub flow: String,
    /// When it came, in microseconds since 1970 UTC.
    pub arrived_at: u64,
    /// Where it stands.
    pub stage: Stage,
    /// The queue that it entered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
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
    /// `flow_ended` or `lost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// When it was closed, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<u64>,
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
    State(api): State<Api>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Calls>, ApiError> {
    let Query(which) = which?;
    let limit = which.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("limit is 1 to {LIMIT_MAX}");
        return Err(ApiError::bad_request("bad_limit", message, "ask for more than one page").field("limit"));
    }
    match which.state {
        WhichState::Live => Ok(Json(live(&api.desk.live().view(), which.cursor, limit))),
        WhichState::Closed => {
            let stories = api.desk.closed(which.cursor, limit).await?;
            let next = if stories.len() == limit { stories.last().map(|(number, _)| *number) } else { None };
            let calls =
                stories.iter().filter_map(|(_, story)| Call::of(&story.facts, Stage::Closed)).collect();
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
    State(api): State<Api>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Json<Story>, ApiError> {
    let Path(id) = id?;
    let missing = || ApiError::not_found("call", &id.to_string());
    let story = api.desk.story(InteractionId(id)).await?.ok_or_else(missing)?;
    let stage = match story.facts.last().map(|fact| &fact.kind) {
        Some(FactKind::Closed { .. }) => Stage::Closed,
        _ => Stage::now(&api.desk.live().view(), InteractionId(id)),
    };
    let call = Call::of(&story.facts, stage).ok_or_else(missing)?;
    let timeline = story.facts.iter().map(|fact| Moment::of(fact, call.arrived_at)).collect();
    Ok(Json(Story { call, timeline, cut: story.cut }))
}

fn live(view: &View, cursor: Option<u64>, limit: usize) -> Calls {
    let after = InteractionId(cursor.unwrap_or_default());
    let mut open =
        view.live.interactions.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
    let page: Vec<_> = open.by_ref().take(limit).collect();
    let next = if open.next().is_some() { page.last().map(|(id, _)| id.0) } else { None };
    let call = |id: &InteractionId| {
        let facts = view.stories.get(id).map_or(&[][..], |story| &story.0);
        Call::of(facts, Stage::now(view, *id))
    };
    Calls { calls: page.into_iter().filter_map(|(id, _)| call(id)).collect(), next }
}

impl Call {
    /// Reads a call from its facts. `None` if they do not begin with its arrival.
    fn of(facts: &[Arc<Fact>], stage: Stage) -> Option<Call> {
        let first = facts.first()?;
        let FactKind::Arrived { call, line, from, from_name, to, flow } = &first.kind else { return None };
        let mut call = Call {
            id: first.number,
            call: call.to_string(),
            line: line.to_string(),
            from: from.reveal().map(timeline::address),
            from_name: from_name.reveal().map(ToString::to_string),
            to: timeline::address(to),
            flow: flow.to_string(),
            arrived_at: first.at.as_micros(),
            stage,
            queue: None,
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
            FactKind::QueueEntered { queue, .. } => {
                self.queue = Some(queue.to_string());
                self.waited_us = None;
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

impl Stage {
    /// The stage of an interaction that is open; one that is not is closed.
    fn now(view: &View, id: InteractionId) -> Stage {
        use tandem_center::view::StageView;
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

/// Calls of a page, if nothing else is asked for.
const LIMIT: usize = 50;

/// Calls of a page at most: each closed one is a reading of the journal.
const LIMIT_MAX: usize = 200;
