//! Interactions: one matter of one customer, and the stage it is in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Address, CallId, Cause, CollectId, LineName, PartyId, PlayId, RecordingId, TransferId};
use crate::channel::Channel;
use crate::condition::Attributes;
use crate::config::{AgentProfile, QueueRules};
use crate::fact::{EndedBy, OfferOutcome, Outcome};
use crate::flow::compile::{Flow, StepIndex};
use crate::id::{AgentId, AgentIndex, FlowId, InteractionId, QueueId, StepId};
use crate::personal::Personal;
use crate::queue::Visit;
use crate::terms::Terms;
use crate::timer::Timestamp;
use crate::view::StageView;
use crate::waiting::Onward;

/// One interaction.
#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) id: InteractionId,
    /// How it reaches an agent now.
    pub(crate) channel: Channel,
    /// The call that stands, if one does.
    pub(crate) call: Option<CallId>,
    /// The call that stood last, for what is told about it.
    pub(crate) last_call: Option<CallId>,
    /// The customer's party in the call that stands.
    pub(crate) customer: Option<PartyId>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) arrived_at: Timestamp,
    /// When the call that stands, or stood last, began.
    pub(crate) call_began_at: Timestamp,
    /// The center has begun a call for it.
    pub(crate) placed_calls: bool,
    /// The step of a flow that began last, if nothing has led out of the flow since.
    pub(crate) step: Option<StepId>,
    pub(crate) answered: bool,
    pub(crate) attributes: Attributes,
    pub(crate) stage: Stage,
    /// The agents whose wrap-up of this interaction goes on; the call itself may still stand, or not.
    pub(crate) wrapping_up: Vec<AgentIndex>,
    /// The agents who are still being rung although nothing can come of it.
    pub(crate) ringing_out: Vec<RingingOut>,
    /// When the stage expires, if before the call does. A wrap-up expires with the agent's.
    pub(crate) deadline: Option<Timestamp>,
    /// When the call has lasted as long as calls may; none without a call.
    pub(crate) call_ends_at: Option<Timestamp>,
    /// The deadline as the table of timers has it.
    pub(crate) timer: Option<Timestamp>,
    /// What the customer is hearing from us.
    pub(crate) playing: Option<Playing>,
    /// Since when the caller has put us on hold.
    pub(crate) caller_held_since: Option<Timestamp>,
    /// The agent of the last conversation, and the party that was: kept for what is told about the party afterwards.
    pub(crate) talked_to: Option<(PartyId, AgentId)>,
    /// How many parties, plays and collections the call has had: the numbers of the next ones.
    pub(crate) parties: u16,
    pub(crate) plays: u32,
    pub(crate) collections: u32,
    /// How many more steps the flows of this interaction may take.
    pub(crate) steps_left: u32,
    /// The waits of the queues that were left, without the one that goes on.
    pub(crate) waited: Duration,
    /// Priority, and whether very important, of the last wait.
    pub(crate) importance: Option<(u8, bool)>,
    /// Somebody talked to an agent of ours already.
    pub(crate) handled: bool,
    /// The promise to call back.
    pub(crate) callback: Option<Promise>,
    /// The message that was left.
    pub(crate) message: Option<Message>,
}

/// Who calls, and whom.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) line: LineName,
    pub(crate) from: Personal<Address>,
    pub(crate) from_name: Personal<Arc<str>>,
    pub(crate) to: Address,
    /// The flow that the call entered; none: the center calls.
    pub(crate) flow: Option<FlowId>,
}

/// Something plays to the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Playing {
    pub(crate) play: PlayId,
    /// Over and over: it ends only when we say so, or when it cannot be played.
    pub(crate) repeat: bool,
}

/// The promise to call a customer back.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    /// Over which line.
    pub(crate) line: LineName,
    /// Whom to call.
    pub(crate) to: Personal<Address>,
    /// How often the customer was tried.
    pub(crate) attempts: u32,
}

/// A message that was left.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Where it waits.
    pub(crate) queue: QueueId,
    pub(crate) recording: RecordingId,
    pub(crate) length: Duration,
}

/// The right to a place in a queue that somebody has who is not in it just now.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) queue: QueueId,
    pub(crate) waiting_since: Timestamp,
    pub(crate) priority: u8,
    pub(crate) vip: bool,
    pub(crate) terms: Terms,
}

/// An agent is still being rung although nothing can come of it.
#[derive(Clone, Debug)]
pub(crate) struct RingingOut {
    pub(crate) queue: QueueId,
    pub(crate) offer: Offer,
    /// What it came to.
    pub(crate) outcome: OfferOutcome,
    /// When the center goes on without having heard that it stopped.
    pub(crate) until: Timestamp,
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
    /// In a queue, agents are being rung.
    Offered(Visit, Vec<Offer>),
    /// An agent has taken a callback, the customer is being rung.
    CallingBack(Visit, Offer, CallingBack),
    /// Is being asked whether to be called back instead of what cannot be.
    Asking(Asking),
    /// Hears a last message before the call ends.
    Parting(PlayId),
    /// Was promised to be called back, or has left a message: the call is about to end, and then the matter waits in
    /// a queue without a call.
    Parked(Ticket),
    /// Is to be called back at a time, and then enters a queue.
    Scheduled(Ticket),
    /// Is leaving a message.
    LeavingMessage(LeavingMessage),
    /// Is being handed over to a telephone that is no agent's.
    Redirecting(Redirecting),
    /// Caller and agent hear each other.
    Connected(Conversation),
    /// The caller was handed over, or is being: the call stands without an agent of ours.
    Transferred(HandedOver),
    /// The call is being ended. An agent who was still connected when the end began is released when the party has
    /// left, so that no telephone is rung that still talks.
    Ending { outcome: Outcome, unreleased: Option<Unreleased> },
    /// The call is over; the agent's wrap-up goes on.
    WrapUp { outcome: Outcome },
    /// Over. The center forgets it at the end of the act that closed it.
    Closed,
}

/// The customer of a callback is being rung.
#[derive(Clone, Debug)]
pub(crate) struct CallingBack {
    pub(crate) customer: PartyId,
}

/// A caller is being asked whether to be called back.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) ticket: Ticket,
    pub(crate) rules: Arc<QueueRules>,
    pub(crate) collect: CollectId,
    pub(crate) onward: Onward,
}

/// A caller is leaving a message.
#[derive(Debug)]
pub(crate) struct LeavingMessage {
    pub(crate) ticket: Ticket,
    pub(crate) rules: Arc<QueueRules>,
    pub(crate) recording: RecordingId,
    /// The greeting that plays; none: the caller is being recorded.
    pub(crate) greeting: Option<PlayId>,
    /// The caller has hung up.
    pub(crate) gone: bool,
}

/// A caller is being handed over to a telephone.
#[derive(Debug)]
pub(crate) struct Redirecting {
    pub(crate) party: PartyId,
    pub(crate) onward: Onward,
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
    /// When it has come to nothing: at the end of the ringing, or later if the agent has answered and is to press a key.
    pub(crate) lapses_at: Timestamp,
    pub(crate) ringing: bool,
    /// The agent has answered and is to press a key.
    pub(crate) confirming: Option<CollectId>,
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
    /// The agent is hearing the message that was left.
    pub(crate) hearing: Option<PlayId>,
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

/// Whoever is still connected to a call that is being ended.
#[derive(Debug)]
pub(crate) struct Unreleased {
    pub(crate) conversation: Conversation,
    pub(crate) by: EndedBy,
    pub(crate) cause: Cause,
}

impl Interaction {
    /// An interaction that has just begun.
    pub(crate) fn begun(id: InteractionId, caller: Caller, arrived_at: Timestamp) -> Interaction {
        Interaction {
            id,
            channel: Channel::Call,
            call: None,
            last_call: None,
            customer: None,
            caller: Arc::new(caller),
            arrived_at,
            call_began_at: arrived_at,
            placed_calls: false,
            step: None,
            answered: false,
            attributes: Attributes::new(),
            stage: Stage::BetweenSteps,
            wrapping_up: Vec::new(),
            ringing_out: Vec::new(),
            deadline: None,
            call_ends_at: None,
            timer: None,
            playing: None,
            caller_held_since: None,
            talked_to: None,
            parties: 0,
            plays: 0,
            collections: 0,
            steps_left: FLOW_STEPS_MAX,
            waited: Duration::ZERO,
            importance: None,
            handled: false,
            callback: None,
            message: None,
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

    /// What is seen of somebody who is between a queue and the next step.
    pub(crate) fn last_step(&self) -> StageView {
        StageView::InFlow { step: self.step.clone() }
    }

    /// When something has to be done about it if nothing happens before.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let stage = match self.stage {
            Stage::Closed => return None,
            Stage::WrapUp { .. } => None,
            Stage::Ending { .. } | Stage::Parked(_) => self.deadline,
            _ => [self.deadline, self.call_ends_at].into_iter().flatten().min(),
        };
        self.ringing_out.iter().map(|ringing| ringing.until).chain(stage).min()
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

    /// How many calls there are.
    pub(crate) fn calls(&self) -> usize {
        self.by_call.len()
    }

    /// Whether it is not over yet.
    pub(crate) fn is_open(&self, id: InteractionId) -> bool {
        self.by_id.contains_key(&id)
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
        if let Some(call) = interaction.call {
            self.by_call.remove(&call);
        }
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
