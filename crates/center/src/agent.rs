//! Agents: the people who talk to customers, what they chose and what they are doing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::AgentProfile;
use crate::id::{AgentId, AgentIndex, InteractionId, QueueIndex};
use crate::timer::Timestamp;

/// What an agent, or somebody for the agent, chooses to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ChosenState {
    /// Takes calls.
    Available,
    /// At work, takes no calls.
    Break {
        /// Why, in the agent's words; at most [`ChosenState::REASON_BYTES_MAX`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// Not at work.
    Offline,
}

impl ChosenState {
    /// A longer reason is refused.
    pub const REASON_BYTES_MAX: usize = 128;
}

/// Who set an agent's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The agent.
    Agent,
    /// Somebody else: a supervisor, a program.
    Supervisor,
    /// The configuration, for an agent it names for the first time.
    Configuration,
}

/// What an agent is to everybody who looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AgentState {
    /// Not at work.
    Offline,
    /// At work, takes no calls.
    Break {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// Free for the next caller.
    Available {
        /// Since when without work; the longest idle agent is offered the next caller. An offer that ended because
        /// the caller left does not begin it anew.
        idle_since: Timestamp,
    },
    /// The telephone is being rung.
    Offered {
        /// For this interaction.
        interaction: InteractionId,
    },
    /// Talks to a caller.
    InConversation {
        /// In this interaction.
        interaction: InteractionId,
    },
    /// Finishes the work after a conversation.
    WrapUp {
        /// Of this interaction.
        interaction: InteractionId,
        /// Until then at most.
        until: Timestamp,
    },
    /// Chose to be available and did not take an offer: left alone for a while.
    Resting {
        /// What became of the offer.
        after: RestCause,
        /// Until then; `None`: until the agent says "available" again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// No longer in the configuration, and gone.
    Gone,
}

/// Why an agent is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestCause {
    /// The telephone rang and nobody answered.
    Missed,
    /// The agent refused.
    Declined,
    /// The telephone was busy.
    Busy,
    /// The telephone could not be reached.
    Unreachable,
}

/// Something that is wanted of an agent, or done for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCommand {
    /// The agent.
    pub agent: AgentId,
    /// What.
    pub act: AgentAct,
    /// Who wants it.
    pub by: Who,
}

/// What can be wanted of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum AgentAct {
    /// To be in this state: now, or after the conversation or wrap-up that goes on. "Available" also ends a
    /// wrap-up and the rest after an offer not taken; anything else takes back an offer that rings.
    Choose(ChosenState),
    /// To end the wrap-up and be what was chosen.
    EndWrapUp,
}

/// A command that was not obeyed. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("agent {agent}: {reason}")]
pub struct Refusal {
    /// The agent whom the command named.
    pub agent: AgentId,
    /// Why not.
    pub reason: RefusalReason,
}

/// Why a command was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The configuration has no such agent.
    #[error("there is no such agent")]
    UnknownAgent,
    /// The agent is not in a wrap-up.
    #[error("the agent is not in a wrap-up")]
    NotInWrapUp,
    /// The reason of a break is too long.
    #[error("the reason is longer than {} bytes", ChosenState::REASON_BYTES_MAX)]
    ReasonTooLong,
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) profile: Arc<AgentProfile>,
    pub(crate) queues: Vec<QueueIndex>,
    pub(crate) chosen: ChosenState,
    pub(crate) activity: Activity,
    /// Since when the state is what it is.
    pub(crate) since: Timestamp,
    /// No longer in the configuration: goes when free.
    pub(crate) leaving: bool,
}

/// What an agent is doing, whatever was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    Idle {
        since: Timestamp,
    },
    Resting {
        after: RestCause,
        until: Option<Timestamp>,
    },
    /// `idle_since` is kept for an offer that ends without the agent's doing.
    Offered {
        interaction: InteractionId,
        idle_since: Timestamp,
    },
    Talking {
        interaction: InteractionId,
    },
    WrapUp {
        interaction: InteractionId,
        until: Timestamp,
    },
}

impl AgentState {
    /// Whether an interaction occupies the agent.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            AgentState::Offered { .. } | AgentState::InConversation { .. } | AgentState::WrapUp { .. } => {
                true
            }
            AgentState::Offline
            | AgentState::Break { .. }
            | AgentState::Available { .. }
            | AgentState::Resting { .. }
            | AgentState::Gone => false,
        }
    }
}

impl Agent {
    /// What everybody sees.
    pub(crate) fn state(&self) -> AgentState {
        match self.activity {
            Activity::Offered { interaction, .. } => AgentState::Offered { interaction },
            Activity::Talking { interaction } => AgentState::InConversation { interaction },
            Activity::WrapUp { interaction, until } => AgentState::WrapUp { interaction, until },
            Activity::Idle { .. } | Activity::Resting { .. } if self.leaving => AgentState::Gone,
            Activity::Idle { since } => self.chosen.when_idle(since),
            Activity::Resting { after, until } => AgentState::Resting { after, until },
        }
    }

    /// Since when idle, if the agent can be offered a caller.
    pub(crate) fn ready_since(&self) -> Option<Timestamp> {
        match (&self.chosen, self.activity) {
            (ChosenState::Available, Activity::Idle { since }) if !self.leaving => Some(since),
            _ => None,
        }
    }

    /// When the present activity expires by itself.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        match self.activity {
            Activity::Resting { until, .. } => until,
            Activity::WrapUp { until, .. } => Some(until),
            Activity::Idle { .. } | Activity::Offered { .. } | Activity::Talking { .. } => None,
        }
    }
}

impl ChosenState {
    /// The state of somebody who chose this and has nothing to do.
    pub(crate) fn when_idle(&self, idle_since: Timestamp) -> AgentState {
        match self {
            ChosenState::Available => AgentState::Available { idle_since },
            ChosenState::Break { reason } => AgentState::Break { reason: reason.clone() },
            ChosenState::Offline => AgentState::Offline,
        }
    }
}

/// All agents. A place is used again only after its agent is gone, and agents go only when nothing refers to them.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    places: Vec<Option<Agent>>,
    by_id: BTreeMap<AgentId, AgentIndex>,
    vacant: Vec<AgentIndex>,
}

impl Agents {
    pub(crate) fn get(&self, index: AgentIndex) -> Option<&Agent> {
        self.places.get(index.0)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: AgentIndex) -> Option<&mut Agent> {
        self.places.get_mut(index.0)?.as_mut()
    }

    pub(crate) fn index(&self, id: &AgentId) -> Option<AgentIndex> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn insert(&mut self, agent: Agent) -> AgentIndex {
        let id = agent.profile.id.clone();
        let index = match self.vacant.pop() {
            Some(index) => {
                if let Some(place) = self.places.get_mut(index.0) {
                    *place = Some(agent);
                }
                index
            }
            None => {
                self.places.push(Some(agent));
                AgentIndex(self.places.len() - 1)
            }
        };
        self.by_id.insert(id, index);
        index
    }

    pub(crate) fn remove(&mut self, index: AgentIndex) {
        if let Some(agent) = self.places.get_mut(index.0).and_then(Option::take) {
            self.by_id.remove(&agent.profile.id);
            self.vacant.push(index);
        }
    }

    /// All agents by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AgentIndex, &Agent)> {
        self.by_id.values().filter_map(|index| self.get(*index).map(|agent| (*index, agent)))
    }
}
