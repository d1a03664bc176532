//! Queues: who waits, who could answer, and what has been counted.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tandem_center::agent::AgentState;
use tandem_center::id::QueueId;
use tandem_center::view::{StageView, View};
use utoipa::ToSchema;

use super::Api;

/// Where callers wait for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queue {
    /// The id from the configuration.
    pub id: String,
    /// The name.
    pub name: String,
    /// Callers who wait, those being offered to an agent included.
    pub waiting: u64,
    /// Since when the one who has waited longest has, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_since: Option<u64>,
    /// Callers of this queue who talk to an agent.
    pub talking: u64,
    /// Agents of this queue.
    pub agents: u64,
    /// Agents of this queue who are free.
    pub available: u64,
    /// What has been counted since the beginning of the journal.
    pub totals: Totals,
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
pub(super) async fn list(State(api): State<Api>) -> Json<Queues> {
    let view = api.desk.live().view();
    let queues = view.live.queues.iter().map(|(id, queue)| Queue::of(&view, id, &queue.name)).collect();
    Json(Queues { number: view.live.number, queues })
}

impl Queue {
    fn of(view: &View, id: &QueueId, name: &str) -> Queue {
        let waiting = view.live.waiting(id);
        let talking = view.live.interactions.values().filter(|interaction| match &interaction.stage {
            StageView::Connected { conversation } => conversation.queue == *id,
            _ => false,
        });
        let members = || {
            let agents = view.document.iter().flat_map(|document| &document.agents);
            agents.filter(|agent| agent.queues.contains(id))
        };
        let available = members().filter(|agent| {
            let state = view.live.agents.get(&agent.id).map(|agent| &agent.state);
            matches!(state, Some(AgentState::Available { .. }))
        });
        let totals = view.totals.get(id).copied().unwrap_or_default();
        Queue {
            id: id.to_string(),
            name: name.to_owned(),
            waiting: count(waiting.iter()),
            longest_since: waiting.first().map(|(_, stay)| stay.entered_at.as_micros()),
            talking: count(talking),
            agents: count(members()),
            available: count(available),
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

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.fold(0, |count, _| count + 1)
}
