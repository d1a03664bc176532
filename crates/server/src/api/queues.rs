//! Queues: who waits, who could answer, and what has been counted.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tandem_center::agent::AgentState;
use tandem_center::config::Strategy;
use tandem_center::id::{InteractionId, QueueId};
use tandem_center::supervise::WorkAct;
use tandem_center::terms::Requirement;
use tandem_center::view::{QueueStay, QueueView, StageView, View};
use utoipa::ToSchema;

use super::calls::{ChannelName, Wait};
use super::command::{CommandFaults, Done, Shown};
use super::error::{ApiError, ErrorBody};
use super::scope::Scope;
use super::work;
use crate::expected::Line;
use crate::timeline;

/// Where callers wait for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// The id from the configuration.
    pub id: String,
    /// The name.
    pub name: String,
    /// Which of the free agents is rung.
    pub strategy: StrategyName,
    /// Whether it is closed: lets nobody in.
    pub closed: bool,
    /// Customers who wait, those being offered to an agent included, and callbacks and messages.
    pub waiting: u64,
    /// Customers who were promised a call and are not in the queue just now: still on the line, or to be called later.
    pub promised: u64,
    /// Since when the one who has waited longest has, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_since: Option<u64>,
    /// How long a caller of normal priority who came now would wait, in microseconds. Missing while it is not known: nobody
    /// is at work, or no conversation was had yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_us: Option<u64>,
    /// How long a conversation takes, holds included, in microseconds; what was long ago counts less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk_us: Option<u64>,
    /// How long a wrap-up takes, in microseconds; what was long ago counts less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrap_up_us: Option<u64>,
    /// Customers of this queue who talk to an agent.
    pub talking: u64,
    /// Agents of this queue.
    pub agents: u64,
    /// Agents of this queue who are free.
    pub available: u64,
    /// What a conversation can have been about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// What has been counted since the beginning of the journal.
    pub totals: Totals,
}

/// What a conversation can have been about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Code {
    /// The id from the configuration.
    pub id: String,
    /// The name.
    pub name: String,
}

/// Which of the free agents who fit is rung. Among equals, the one who has been idle longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrategyName {
    /// Who has been idle longest.
    LongestIdle,
    /// Whose last offer is longest ago.
    RoundRobin,
    /// All at once.
    RingAll,
    /// The first in the configured order.
    Serial,
    /// Who spent the smallest part of the time in conversations and wrap-ups.
    LeastOccupied,
    /// Who has had the fewest conversations since signing in.
    FewestConversations,
    /// Who is best at what is asked for.
    MostSkilled,
    /// Who is just good enough at what is asked for.
    LeastSkilled,
    /// In proportion to the agents' shares.
    Weighted,
}

/// A queue with everybody who waits in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueLine {
    /// The number of the last fact in this answer.
    pub number: u64,
    /// The queue.
    pub queue: Queue,
    /// Who waits, in the order in which they stand; the first 1,000.
    pub line: Vec<InLine>,
}

/// Somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InLine {
    /// The interaction's id.
    pub id: u64,
    /// The place in the queue, from 1.
    pub place: u64,
    /// How the customer will reach an agent.
    pub channel: ChannelName,
    /// The customer: a number, a SIP address or `anonymous`. Missing once it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The customer's name; may be empty. Missing once it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_name: Option<String>,
    /// Since when and for what.
    pub wait: Wait,
    /// The agents who are being rung.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered_to: Vec<String>,
    /// How long the customer will still wait, in microseconds. Missing while it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_us: Option<u64>,
}

/// Whether a queue lets customers in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Whether it is to be closed. Who waits already goes on waiting.
    pub closed: bool,
    /// Why, in the words of whoever wants it; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of the callers who came to a queue. `entered` is the sum of the others and of those who wait;
/// `refused` stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Entered.
    pub entered: u64,
    /// Could not enter: it was full, or gone.
    pub refused: u64,
    /// Connected to an agent.
    pub answered: u64,
    /// Hung up while waiting.
    pub abandoned: u64,
    /// Sent on by a rule.
    pub flowed_out: u64,
    /// Lost: the call broke off.
    pub lost: u64,
}

/// All queues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queues {
    /// The number of the last fact in this answer.
    pub number: u64,
    /// The queues, by id.
    pub queues: Vec<Queue>,
}

/// All queues, with those who wait counted.
#[utoipa::path(
    get, path = "/api/v1/queues", tag = "queues", operation_id = "queue_list",
    responses((status = 200, description = "All queues.", body = Queues))
)]
pub(super) async fn list(scope: Scope) -> Json<Queues> {
    let view = scope.desk.live().view();
    let queues = view.live.queues.iter().map(|(id, queue)| Queue::of(&view, id, &queue.name)).collect();
    Json(Queues { number: view.live.number, queues })
}

/// One queue with everybody who waits in it.
#[utoipa::path(
    get, path = "/api/v1/queues/{id}", tag = "queues", operation_id = "queue_view",
    params(("id" = String, Path, description = "The queue's id.")),
    responses(
        (status = 200, description = "The queue and who waits.", body = QueueLine),
        (status = 404, description = "There is no such queue.", body = ErrorBody),
    )
)]
pub(super) async fn view(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<QueueLine>, ApiError> {
    let Path(id) = id?;
    let view = scope.desk.live().view();
    let (id, name) = (QueueId::new(id), |queue: &QueueView| queue.name.clone());
    let missing = || ApiError::not_found("queue", id.as_str());
    let name = view.live.queues.get(&id).map(name).ok_or_else(missing)?;
    let line = Line::of(&view, &id);
    let waiting = line.waiting().iter().take(LINE_MAX).enumerate();
    Ok(Json(QueueLine {
        number: view.live.number,
        queue: Queue::of(&view, &id, &name),
        line: waiting
            .filter_map(|(before, (id, stay))| InLine::of(&view, &line, before + 1, *id, stay))
            .collect(),
    }))
}

/// Closes a queue or opens it again. It holds until the next switch, over restarts, too.
#[utoipa::path(
    put, path = "/api/v1/queues/{id}/switch", tag = "queues", operation_id = "queue_switch",
    params(
        ("id" = String, Path, description = "The queue's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body = Switch,
    responses((status = 200, description = "It holds, and is written.", body = Done), CommandFaults)
)]
pub(super) async fn switch(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    switch: Result<Json<Switch>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Json(switch)) = (id?, switch?);
    let asked = format!("PUT {id}/switch {switch:?}");
    let queue = QueueId::new(id);
    let act = WorkAct::Switch { queue: queue.clone(), closed: switch.closed };
    work::command(&scope, &headers, &asked, act, switch.reason, Shown::Queue(queue)).await
}

impl Queue {
    pub(super) fn find(view: &View, id: &QueueId) -> Option<Queue> {
        view.live.queues.get(id).map(|queue| Queue::of(view, id, &queue.name))
    }

    fn of(view: &View, id: &QueueId, name: &str) -> Queue {
        let line = Line::of(view, id);
        let stages = || view.live.interactions.values().map(|interaction| &interaction.stage);
        let talking = stages().filter(|stage| match stage {
            StageView::Connected { conversation } => conversation.queue == *id,
            _ => false,
        });
        let promised = stages().filter(|stage| match stage {
            StageView::Parked(ticket) | StageView::Scheduled { ticket, .. } => ticket.queue == *id,
            _ => false,
        });
        let available = line.members().filter(|agent| matches!(agent.state, AgentState::Available { .. }));
        let totals = view.totals.get(id).copied().unwrap_or_default();
        let now = view.live.queues.get(id);
        let pace = now.map(|queue| queue.pace).unwrap_or_default();
        let known = |us: u64| (us > 0).then_some(us);
        let longest = line.waiting().iter().map(|(_, stay)| stay.waiting_since()).min();
        Queue {
            id: id.to_string(),
            name: name.to_owned(),
            strategy: StrategyName::of(line.rules().map(|rules| rules.strategy).unwrap_or_default()),
            closed: now.is_some_and(|queue| queue.closed),
            waiting: count(line.waiting().iter()),
            promised: count(promised),
            longest_since: longest.map(|since| since.as_micros()),
            expected_us: expected(&line, line.waiting().len() + 1, &line.newcomer()),
            talk_us: known(pace.talk_us),
            wrap_up_us: known(pace.wrap_up_us),
            talking: count(talking),
            agents: count(line.members()),
            available: count(available),
            codes: line
                .rules()
                .map(|rules| rules.wrap_up.codes.iter())
                .into_iter()
                .flatten()
                .map(|code| Code { id: code.id.to_string(), name: code.name.to_string() })
                .collect(),
            totals: Totals {
                entered: totals.entered,
                refused: totals.refused,
                answered: totals.answered,
                abandoned: totals.abandoned,
                flowed_out: totals.flowed_out,
                lost: totals.lost,
            },
        }
    }
}

impl InLine {
    fn of(view: &View, line: &Line<'_>, place: usize, id: InteractionId, stay: &QueueStay) -> Option<InLine> {
        let interaction = view.live.interactions.get(&id)?;
        let offered_to = match &interaction.stage {
            StageView::Offered { offers, .. } => offers.iter().map(|offer| offer.agent.to_string()).collect(),
            StageView::CallingBack { offer, .. } => vec![offer.agent.to_string()],
            _ => Vec::new(),
        };
        Some(InLine {
            id: id.0,
            place: u64::try_from(place).unwrap_or(u64::MAX),
            channel: interaction.channel.into(),
            from: interaction.from.reveal().map(timeline::address),
            from_name: interaction.from_name.reveal().map(ToString::to_string),
            wait: Wait::of(stay),
            expected_us: expected(line, place, stay.terms.requirement(stay.step)),
            offered_to,
        })
    }
}

impl StrategyName {
    fn of(strategy: Strategy) -> StrategyName {
        match strategy {
            Strategy::LongestIdle => StrategyName::LongestIdle,
            Strategy::RoundRobin => StrategyName::RoundRobin,
            Strategy::RingAll => StrategyName::RingAll,
            Strategy::Serial => StrategyName::Serial,
            Strategy::LeastOccupied => StrategyName::LeastOccupied,
            Strategy::FewestConversations => StrategyName::FewestConversations,
            Strategy::MostSkilled => StrategyName::MostSkilled,
            Strategy::LeastSkilled => StrategyName::LeastSkilled,
            Strategy::Weighted => StrategyName::Weighted,
        }
    }
}

fn expected(line: &Line<'_>, place: usize, asked: &Requirement) -> Option<u64> {
    let expected = line.expected(place, asked)?;
    Some(u64::try_from(expected.as_micros()).unwrap_or(u64::MAX))
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.fold(0, |count, _| count + 1)
}

/// Who is shown of a line; those who stand further back are counted.
const LINE_MAX: usize = 1000;
