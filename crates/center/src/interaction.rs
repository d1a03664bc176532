//! Interactions: one matter of one customer, and the stage it is in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Address, CallId, Cause, CollectId, LineName, PartyId, PlayId, TransferId};
use crate::config::{AgentProfile, QueueRules};
use crate::fact::{EndedBy, Outcome};
use crate::flow::compile::{Flow, StepIndex};
use crate::id::{AgentId, AgentIndex, FlowId, InteractionId};
use crate::personal::Personal;
use crate::queue::Visit;
use crate::timer::Timestamp;

/// One interaction.
#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) id: InteractionId,
    pub(crate) call: CallId,
    pub(crate) caller: Arc<Caller>,
    pub(crate) arrived_at: Timestamp,
    pub(crate) answered: bool,
    pub(crate) stage: Stage,
    /// The agent whose wrap-up of this interaction goes on; the call itself may still stand, or not.
    pub(crate) wrapping_up: Option<AgentIndex>,
    /// When the stage expires, if before the call does. A wrap-up expires with the agent's.
    pub(crate) deadline: Option<Timestamp>,
    /// When the call has lasted as long as calls may.
    pub(crate) call_ends_at: Timestamp,
    /// The deadline as the table of timers has it.
    pub(crate) timer: Option<Timestamp>,
    /// What the caller is hearing from us.
    pub(crate) playing: Option<Playing>,
    /// Since when the caller has put us on hold.
    pub(crate) caller_held_since: Option<Timestamp>,
    /// The agent of the conversation, and the party that was: kept for what is told about the party afterwards.
    pub(crate) talked_to: Option<(PartyId, AgentId)>,
    /// How many parties, plays and collections the call has had: the numbers of the next ones.
    pub(crate) parties: u16,
    pub(crate) plays: u32,
    pub(crate) collections: u32,
    /// How many more steps the flows of this interaction may take.
    pub(crate) steps_left: u32,
}

/// Who calls, and whom.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) line: LineName,
    pub(crate) from: Personal<Address>,
    pub(crate) from_name: Personal<Arc<str>>,
    pub(crate) to: Address,
    /// The flow that the call entered.
    pub(crate) flow: FlowId,
}

/// Something plays to the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Playing {
    pub(crate) play: PlayId,
    /// Over and over: it ends only when we say so, or when it cannot be played.
    pub(crate) repeat: bool,
}

/// Where an interaction stands.
#[derive(Debug)]
pub(crate) enum Stage {
    /// On the way to the next step of a flow, within one act: nobody ever finds it here.
    BetweenSteps,
    /// In a flow, before or between queues.
    InFlow(Run),
    /// In a queue, not being offered.
    Waiting(Visit),
    /// In a queue, an agent is being rung.
    Offered(Visit, Offer),
    /// Caller and agent hear each other.
    Connected(Conversation),
    /// The caller was handed over, or is being: the call stands without an agent of ours.
    Transferred(HandedOver),
    /// The call is being ended. What stood when the end began is released when its party has left, so that
    /// no telephone is rung that still rings or talks.
    Ending { outcome: Outcome, unreleased: Option<Unreleased> },
    /// The call is over; the agent's wrap-up goes on.
    WrapUp { outcome: Outcome },
    /// Over. The center forgets it at the end of the act that closed it.
    Closed,
}

/// What a flow is doing.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) flow: Arc<Flow>,
    pub(crate) step: StepIndex,
    pub(crate) doing: Doing,
}

/// What the step is waiting for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing {
    /// For the answer; the step has not begun.
    Answering,
    /// For the end of its prompts.
    Playing { play: PlayId },
    /// For a key.
    Choosing { collect: CollectId, tries_left: u32 },
}

/// An agent is being rung.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) agent: AgentIndex,
    pub(crate) party: PartyId,
    pub(crate) offered_at: Timestamp,
    pub(crate) rings_until: Timestamp,
    pub(crate) ringing: bool,
}

/// Caller and agent talk.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) rules: Arc<QueueRules>,
    pub(crate) agent: AgentIndex,
    pub(crate) party: PartyId,
    pub(crate) connected_at: Timestamp,
    /// Since when the agent has put the call on hold.
    pub(crate) held_since: Option<Timestamp>,
    /// How long the earlier holds by the agent lasted.
    pub(crate) held: Duration,
    pub(crate) transfer: Option<Transfer>,
}

/// A transfer that was allowed and goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    pub(crate) id: TransferId,
    pub(crate) party: PartyId,
    pub(crate) until: Timestamp,
}

/// The caller is somebody else's now.
#[derive(Debug)]
pub(crate) struct HandedOver {
    /// The party to whom.
    pub(crate) party: PartyId,
    /// The agent's conversation until the agent has left.
    pub(crate) leaving: Option<Conversation>,
    /// The transfer that goes on although the agent has left already, and the agent who asked.
    pub(crate) pending: Option<(Transfer, Arc<AgentProfile>)>,
}

/// What still stands of a call that is being ended.
#[derive(Debug)]
pub(crate) enum Unreleased {
    /// The agent is being rung; the caller is gone.
    Offer(Visit, Offer),
    /// The agent is still connected.
    Conversation { conversation: Conversation, by: EndedBy, cause: Cause },
}

impl Interaction {
    /// An interaction that has just begun.
    pub(crate) fn begun(
        id: InteractionId,
        call: CallId,
        caller: Caller,
        arrived_at: Timestamp,
    ) -> Interaction {
        Interaction {
            id,
            call,
            caller: Arc::new(caller),
            arrived_at,
            answered: false,
            stage: Stage::BetweenSteps,
            wrapping_up: None,
            deadline: None,
            call_ends_at: arrived_at,
            timer: None,
            playing: None,
            caller_held_since: None,
            talked_to: None,
            parties: 0,
            plays: 0,
            collections: 0,
            steps_left: FLOW_STEPS_MAX,
        }
    }

    /// The number of the next party.
    pub(crate) fn next_party(&mut self) -> PartyId {
        self.parties = self.parties.saturating_add(1);
        PartyId(self.parties)
    }

    /// The number of the next play.
    pub(crate) fn next_play(&mut self) -> PlayId {
        self.plays = self.plays.saturating_add(1);
        PlayId(self.plays)
    }

    /// The number of the next collection of digits.
    pub(crate) fn next_collection(&mut self) -> CollectId {
        self.collections = self.collections.saturating_add(1);
        CollectId(self.collections)
    }

    /// When something has to be done about it if nothing happens before.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Ending { .. } => self.deadline,
            Stage::WrapUp { .. } | Stage::Closed => None,
            _ => Some(self.deadline.map_or(self.call_ends_at, |deadline| deadline.min(self.call_ends_at))),
        }
    }
}

/// All open interactions.
#[derive(Debug, Default)]
pub(crate) struct Interactions {
    /// `None` while the interaction is being worked on.
    by_id: BTreeMap<InteractionId, Option<Box<Interaction>>>,
    by_call: BTreeMap<CallId, InteractionId>,
}

impl Interactions {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn has_call(&self, call: CallId) -> bool {
        self.by_call.contains_key(&call)
    }

    pub(crate) fn of_call(&self, call: CallId) -> Option<InteractionId> {
        self.by_call.get(&call).copied()
    }

    /// Takes an interaction out to work on it; it must be put back or removed.
    pub(crate) fn take(&mut self, id: InteractionId) -> Option<Box<Interaction>> {
        self.by_id.get_mut(&id)?.take()
    }

    /// Puts back an interaction that was taken out, or puts in a new one.
    pub(crate) fn put(&mut self, interaction: Box<Interaction>) {
        if let Some(place) = self.by_id.get_mut(&interaction.id) {
            *place = Some(interaction);
        } else {
            self.by_id.insert(interaction.id, Some(interaction));
        }
    }

    /// Makes the call of an interaction known.
    pub(crate) fn know_call(&mut self, call: CallId, id: InteractionId) {
        self.by_call.insert(call, id);
    }

    /// Forgets an interaction.
    pub(crate) fn remove(&mut self, interaction: &Interaction) {
        self.by_id.remove(&interaction.id);
        self.by_call.remove(&interaction.call);
    }

    /// The call is over: its id means nothing any more.
    pub(crate) fn forget_call(&mut self, call: CallId) {
        self.by_call.remove(&call);
    }

    /// All open interactions, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Interaction> {
        self.by_id.values().filter_map(|interaction| interaction.as_deref())
    }
}

/// Steps that the flows of one interaction may take in all. At the limit the call is ended, and that is a repair: a
/// flow whose prompts cannot be played would go round as fast as the door can say so.
const FLOW_STEPS_MAX: u32 = 1_000;
