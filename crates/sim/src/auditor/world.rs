//! The world as the facts tell it: who is doing what since when, and until when at most.

use std::time::Duration;

use tandem_center::Timestamp;
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::fact::Outcome;
use tandem_center::id::{AgentId, QueueId};

#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) chosen: ChosenState,
    pub(super) state: AgentState,
    pub(super) since: Timestamp,
    /// Kept while the agent is offered something.
    pub(super) idle_since: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) arrived_at: Timestamp,
    /// When the call has lasted as long as calls may.
    pub(super) ends_at: Timestamp,
    pub(super) touched_at: Timestamp,
    pub(super) stage: Stage,
    pub(super) wrapping_up: Option<AgentId>,
    pub(super) caller_held_since: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    InFlow,
    Waiting(Stay),
    Offered(Stay, Ring),
    Connected(Talk),
    HandedOver { leaving: Option<Talk>, pending: bool },
    Ending { outcome: Outcome, since: Timestamp, stay: Option<Stay>, ring: Option<Ring>, talk: Option<Talk> },
    CallOver { outcome: Outcome },
}

#[derive(Clone, Debug)]
pub(super) struct Stay {
    pub(super) queue: QueueId,
    pub(super) entered_at: Timestamp,
    pub(super) max_wait: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Ring {
    pub(super) agent: AgentId,
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
    pub(super) wrap_up: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) queue: QueueId,
    pub(super) agent: AgentId,
    pub(super) at: Timestamp,
    pub(super) held_since: Option<Timestamp>,
    pub(super) held_us: u64,
    pub(super) wrap_up: Duration,
    pub(super) transfer: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) entered: u64,
    pub(super) answered: u64,
    pub(super) abandoned: u64,
    pub(super) flowed_out: u64,
    pub(super) lost: u64,
}
