//! The center as people see it: a fold over its facts.
//!
//! Whoever has the [`View`] at a number and applies the facts that follow has the view of now. The center itself
//! can say its live state ([`Center::live`](crate::Center::live)); after every input the two are equal, and a
//! restart goes from the one to the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::acquaintance::Acquaintances;
use crate::agent::{AgentState, ChosenState, PresenceView, Rest};
use crate::call::{Address, CallId, LineName, PartyId, RecordingId, TransferId, TransferOutcome};
use crate::channel::Channel;
use crate::condition::Attributes;
use crate::config::{Document, QueueDocument};
use crate::fact::{EndedBy, Fact, FactKind, Missing, OfferOutcome, Outcome, QueueExit, Side};
use crate::id::{AgentId, FlowId, InteractionId, QueueId, StepId};
use crate::personal::Personal;
use crate::record::{AgentRecord, Pace};
use crate::terms::Terms;
use crate::timer::Timestamp;

/// Everything that screens show: what is live, what the queues have counted, and the last calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// When the last fact happened.
    pub at: Timestamp,
    /// What is live.
    pub live: Live,
    /// What each queue has counted since the beginning of the journal.
    pub totals: BTreeMap<QueueId, QueueTotals>,
    /// What has happened so far to each interaction that is open, in order.
    pub stories: BTreeMap<InteractionId, Story>,
    /// The interactions closed last, newest first; at most [`View::RECENT_MAX`].
    pub recent: VecDeque<ClosedInteraction>,
    /// The configuration in force.
    #[serde(skip)]
    pub document: Option<Arc<Document>>,
    /// With which agents customers talked last; nobody's screen shows it.
    #[serde(skip)]
    pub acquaintances: Acquaintances,
}

/// The facts of one interaction in order; at most [`Story::FACTS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Story(pub Vec<Arc<Fact>>);

/// An interaction that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedInteraction {
    /// Its id.
    pub interaction: InteractionId,
    /// How it is counted.
    pub outcome: Outcome,
    /// Its last call, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The line over which it came.
    pub line: LineName,
    /// Who called.
    pub from: Personal<Address>,
    /// The caller's name as their network gave it; may be empty.
    pub from_name: Personal<Arc<str>>,
    /// What was dialled.
    pub to: Address,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// What happened, in order.
    pub story: Story,
}

/// What is live at a number: agents, and interactions that are open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The number of the last fact.
    pub number: u64,
    /// The number of the fact that brought the configuration in force.
    pub configuration: u64,
    /// The queues of the configuration.
    pub queues: BTreeMap<QueueId, QueueView>,
    /// The agents.
    pub agents: BTreeMap<AgentId, AgentView>,
    /// The open interactions, oldest first.
    pub interactions: BTreeMap<InteractionId, InteractionView>,
}

/// A queue. Who waits in it is said by the interactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is closed: lets nobody in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
    /// Whether the configuration says that it begins closed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub configured_closed: bool,
    /// How long conversations and wrap-ups take.
    #[serde(default, skip_serializing_if = "Pace::is_unknown")]
    pub pace: Pace,
    /// Where its turns are, if it offers by shares.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turn: u64,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// The agent's name.
    pub name: Arc<str>,
    /// What the agent chose to be, now or next.
    pub chosen: ChosenState,
    /// What the agent is.
    #[serde(flatten)]
    pub state: AgentState,
    /// Since when.
    pub since: Timestamp,
    /// What the agent is doing, oldest first, if it is more than the state says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub work: Vec<WorkView>,
    /// What another system says about the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<PresenceView>,
    /// How the agent is left alone, perhaps behind something else that the agent does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
    /// What the rules look at of the agent's past.
    #[serde(default, skip_serializing_if = "AgentRecord::is_empty")]
    pub record: AgentRecord,
}

/// One thing that an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkView {
    /// In which interaction.
    pub interaction: InteractionId,
    /// What.
    #[serde(flatten)]
    pub doing: DoingView,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "doing", rename_all = "snake_case")]
pub enum DoingView {
    /// The telephone is being rung.
    Offered,
    /// Talks.
    Talking,
    /// Finishes the work after a conversation.
    WrapUp {
        /// Since when.
        since: Timestamp,
        /// Until then at most.
        until: Timestamp,
        /// The queue from which the conversation came.
        queue: QueueId,
    },
}

/// An open interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionView {
    /// Its call, or the last one if none stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Whether the call stands.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub in_call: bool,
    /// How it reaches an agent.
    #[serde(default, skip_serializing_if = "Channel::is_call")]
    pub channel: Channel,
    /// The line over which it came.
    pub line: LineName,
    /// Who calls.
    pub from: Personal<Address>,
    /// The caller's name as their network gives it; may be empty.
    pub from_name: Personal<Arc<str>>,
    /// What was dialled.
    pub to: Address,
    /// The flow that the caller entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// When its call began, if that is not when it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_began_at: Option<Timestamp>,
    /// Whether the caller hears and is heard.
    pub answered: bool,
    /// Whether somebody has talked to an agent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub handled: bool,
    /// What was found out about it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The waits of the queues that were left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waited_us: u64,
    /// Since when the caller has put us on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_held_since: Option<Timestamp>,
    /// Where it stands.
    #[serde(flatten)]
    pub stage: StageView,
    /// The agents who are still being rung although nothing can come of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ringing_out: Vec<RingingOut>,
    /// The agents whose wrap-up of it goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrapping_up: Vec<AgentId>,
    /// The promise to call back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<PromiseView>,
    /// The message that was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageView>,
}

/// The promise to call a customer back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseView {
    /// Over which line.
    pub line: LineName,
    /// Whom to call.
    pub to: Personal<Address>,
    /// How often the customer was tried.
    pub attempts: u32,
}

/// A message that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// Where it waits.
    pub queue: QueueId,
    /// The recording.
    pub recording: RecordingId,
    /// How long it is.
    pub length_us: u64,
}

/// The right to a place in a queue that somebody has who is not in it just now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    /// The queue.
    pub queue: QueueId,
    /// Since when the customer would have waited if all waits had been one.
    pub waiting_since: Timestamp,
    /// From 1, first, to 5.
    pub priority: u8,
    /// Before everybody who is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vip: bool,
    /// What is asked of an agent.
    #[serde(default, skip_serializing_if = "Terms::ask_nothing")]
    pub terms: Terms,
}

/// Where an interaction stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum StageView {
    /// In a flow.
    InFlow {
        /// The step; none before the first one begins.
        step: Option<StepId>,
    },
    /// In a queue.
    Waiting(QueueStay),
    /// In a queue, agents are being rung.
    Offered {
        /// The queue.
        #[serde(flatten)]
        stay: QueueStay,
        /// The agents.
        offers: Vec<OfferView>,
    },
    /// An agent has taken a callback, the customer is being rung.
    CallingBack {
        /// The queue.
        #[serde(flatten)]
        stay: QueueStay,
        /// The agent.
        offer: OfferView,
        /// The customer's party.
        customer: PartyId,
    },
    /// Has what is wanted for now: the call is about to end, and the matter then waits in a queue without one.
    Parked(TicketView),
    /// Is to be called back at a time.
    Scheduled {
        /// When.
        at: Timestamp,
        /// The place in the queue.
        #[serde(flatten)]
        ticket: TicketView,
    },
    /// Is leaving a message.
    LeavingMessage {
        /// The recording.
        recording: RecordingId,
        /// The place in the queue.
        #[serde(flatten)]
        ticket: TicketView,
    },
    /// Is being handed over to a telephone that is no agent's.
    Redirecting {
        /// Whose party it will be.
        party: PartyId,
    },
    /// Talks to an agent.
    Connected {
        /// With whom.
        conversation: ConversationView,
    },
    /// Handed over to somebody else.
    Transferred {
        /// The conversation with the agent who handed over and has not left yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leaving: Option<ConversationView>,
        /// The hand-over that goes on although the agent has left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pending: Option<PendingTransfer>,
    },
    /// The call is being ended.
    Ending {
        /// How it will be counted.
        outcome: Outcome,
        /// The queue that the caller has still to leave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stay: Option<QueueStay>,
        /// The agent who is still connected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationView>,
    },
    /// The call is over; an agent's wrap-up may go on.
    WrapUp {
        /// How it will be counted.
        outcome: Outcome,
    },
}

/// A stay in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStay {
    /// The queue.
    pub queue: QueueId,
    /// Since when.
    pub entered_at: Timestamp,
    /// Since when the customer would have waited if all waits had been one, if that is not since the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// The moment by which the customer stands among all others of the queue, if it is not the wait alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_since: Option<Timestamp>,
    /// From 1, first, to 5.
    #[serde(default = "normal_priority", skip_serializing_if = "is_normal")]
    pub priority: u8,
    /// Before everybody who is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vip: bool,
    /// What is asked of an agent.
    #[serde(default, skip_serializing_if = "Terms::ask_nothing")]
    pub terms: Terms,
    /// Which step of the terms holds, counted from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub step: u8,
}

impl QueueStay {
    /// Since when the customer has waited, all waits counted as one.
    pub fn waiting_since(&self) -> Timestamp {
        self.waiting_since.unwrap_or(self.entered_at)
    }

    /// The right to come back to this place.
    fn ticket(self) -> TicketView {
        let waiting_since = self.waiting_since();
        let QueueStay { queue, priority, vip, terms, .. } = self;
        TicketView { queue, waiting_since, priority, vip, terms }
    }

    /// The moment by which the customer stands among all others of the queue.
    pub fn stands_since(&self) -> Timestamp {
        self.stands_since.unwrap_or(self.waiting_since())
    }
}

/// An agent is being rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// The agent.
    pub agent: AgentId,
    /// The agent's party in the call.
    pub party: PartyId,
    /// Since when.
    pub offered_at: Timestamp,
    /// Until then at most.
    pub rings_until: Timestamp,
    /// Whether the telephone has said that it rings.
    pub ringing: bool,
}

/// An agent is still being rung although the caller is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingingOut {
    /// The queue from which the offer came.
    pub queue: QueueId,
    /// What the offer came to.
    pub outcome: OfferOutcome,
    /// The offer.
    #[serde(flatten)]
    pub offer: OfferView,
}

/// Caller and agent talk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    /// The queue from which the caller came.
    pub queue: QueueId,
    /// The agent.
    pub agent: AgentId,
    /// Since when.
    pub connected_at: Timestamp,
    /// Since when the agent has put the call on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// How long the agent's earlier holds lasted.
    pub held_us: u64,
    /// The transfer that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferId>,
}

/// A hand-over that goes on although the agent has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingTransfer {
    /// The agent who asked.
    pub agent: AgentId,
    /// The wish.
    pub transfer: TransferId,
}

/// What a queue has counted. `entered` is the sum of the others and of those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueTotals {
    /// Callers who entered.
    pub entered: u64,
    /// Callers who could not enter; not part of `entered`.
    pub refused: u64,
    /// Callers who were connected to an agent.
    pub answered: u64,
    /// Callers who hung up while waiting.
    pub abandoned: u64,
    /// Callers whom a rule sent on.
    pub flowed_out: u64,
    /// Callers whose call broke off while waiting.
    pub lost: u64,
}

impl View {
    /// How many closed interactions are kept; older ones stand in the journal.
    pub const RECENT_MAX: usize = 100;

    /// Takes in the next fact. One that was taken in already changes nothing.
    pub fn apply(&mut self, fact: &Arc<Fact>) {
        if fact.number <= self.live.number {
            return;
        }
        self.at = fact.at;
        self.count(&fact.kind);
        self.introduce(&fact.kind);
        if let FactKind::Configured { configuration } = &fact.kind {
            self.document = Some(configuration.clone());
        }
        let Some(id) = fact.interaction() else { return self.live.apply(fact) };
        if let FactKind::Erased { .. } = fact.kind {
            self.erase(id, fact);
            return self.live.apply(fact);
        }
        self.stories.entry(id).or_default().push(fact);
        let FactKind::Closed { outcome, .. } = fact.kind else { return self.live.apply(fact) };
        let last = self.live.interactions.get(&id).cloned();
        self.live.apply(fact);
        let story = self.stories.remove(&id).unwrap_or_default();
        if let Some(InteractionView { call, line, from, from_name, to, arrived_at, .. }) = last {
            self.recent.push_front(ClosedInteraction {
                interaction: id,
                outcome,
                call,
                line,
                from,
                from_name,
                to,
                arrived_at,
                closed_at: fact.at,
                story,
            });
            self.recent.truncate(View::RECENT_MAX);
        }
    }

    fn introduce(&mut self, kind: &FactKind) {
        match kind {
            FactKind::Connected { interaction, agent, .. } => {
                let view = self.live.interactions.get(interaction);
                // Who hears what a customer said has not talked to the customer.
                if let Some(view) = view.filter(|view| view.channel != Channel::Voicemail) {
                    self.acquaintances.met(*interaction, &view.from, agent);
                }
            }
            FactKind::Erased { interaction, .. } => self.acquaintances.erase(*interaction),
            _ => {}
        }
    }

    fn count(&mut self, kind: &FactKind) {
        match kind {
            FactKind::QueueEntered { queue, .. } => self.totals_of(queue).entered += 1,
            FactKind::QueueRefused { queue, .. } => self.totals_of(queue).refused += 1,
            FactKind::Connected { queue, .. } => self.totals_of(queue).answered += 1,
            FactKind::QueueLeft { queue, reason, .. } => {
                let totals = self.totals_of(queue);
                match reason {
                    QueueExit::Abandoned => totals.abandoned += 1,
                    QueueExit::Lost => totals.lost += 1,
                    QueueExit::WaitedTooLong
                    | QueueExit::CallLimit
                    | QueueExit::QueueGone
                    | QueueExit::Overflowed
                    | QueueExit::NoAgents
                    | QueueExit::CallbackPromised
                    | QueueExit::CustomerNotReached
                    | QueueExit::Cancelled
                    | QueueExit::Moved => totals.flowed_out += 1,
                }
            }
            _ => {}
        }
    }

    /// What is shown of an interaction that is over names nobody any more, and says so. Others are in the journal only.
    fn erase(&mut self, id: InteractionId, fact: &Arc<Fact>) {
        if let Some(closed) = self.recent.iter_mut().find(|closed| closed.interaction == id) {
            closed.from.erase();
            closed.from_name.erase();
            closed.story.erase();
            closed.story.push(fact);
        }
    }

    fn totals_of(&mut self, queue: &QueueId) -> &mut QueueTotals {
        self.totals.entry(queue.clone()).or_default()
    }
}

impl Story {
    /// Later facts of an interaction are left out of the view; they stand in the journal.
    pub const FACTS_MAX: usize = 1_000;

    fn push(&mut self, fact: &Arc<Fact>) {
        if self.0.len() < Story::FACTS_MAX {
            self.0.push(fact.clone());
        }
    }

    fn erase(&mut self) {
        for fact in &mut self.0 {
            Arc::make_mut(fact).erase_personal();
        }
    }
}

impl Live {
    /// Who waits in a queue, offered or not, in the order in which they stand.
    pub fn waiting(&self, queue: &QueueId) -> Vec<(InteractionId, &QueueStay)> {
        let mut waiting: Vec<_> = self
            .interactions
            .iter()
            .filter_map(|(id, interaction)| Some((*id, interaction.stage.stay()?)))
            .filter(|(_, stay)| stay.queue == *queue)
            .collect();
        waiting.sort_by_key(|(id, stay)| (!stay.vip, stay.stands_since(), *id));
        waiting
    }

    /// Takes in the next fact.
    pub fn apply(&mut self, fact: &Fact) {
        self.number = fact.number;
        match &fact.kind {
            FactKind::Configured { configuration } => self.configured(fact.number, configuration),
            FactKind::QueueSwitched { queue, closed, .. } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.closed = *closed;
                }
            }
            FactKind::Arrived { call, line, from, from_name, to, flow } => {
                let mut begun = InteractionView::begun(line, from, from_name, to, fact.at);
                begun.call = Some(*call);
                begun.in_call = true;
                begun.flow = Some(flow.clone());
                self.interactions.insert(InteractionId(fact.number), begun);
            }
            FactKind::CallbackScheduled { line, to, name, queue, due_at, priority, terms, .. } => {
                let mut begun = InteractionView::begun(line, to, name, &Address::Anonymous, fact.at);
                begun.channel = Channel::Callback;
                begun.callback = Some(PromiseView { line: line.clone(), to: to.clone(), attempts: 0 });
                let ticket = TicketView {
                    queue: queue.clone(),
                    waiting_since: *due_at,
                    priority: *priority,
                    vip: false,
                    terms: terms.clone(),
                };
                begun.stage = StageView::Scheduled { at: *due_at, ticket };
                self.interactions.insert(InteractionId(fact.number), begun);
            }
            FactKind::Closed { interaction, .. } => {
                self.interactions.remove(interaction);
            }
            _ => {
                self.apply_to_agent(fact);
                self.apply_to_queue(fact);
                if let Some(id) = fact.interaction()
                    && let Some(interaction) = self.interactions.get_mut(&id)
                {
                    interaction.apply(fact);
                }
            }
        }
    }

    fn configured(&mut self, number: u64, document: &Document) {
        self.configuration = number;
        let before = std::mem::take(&mut self.queues);
        let closed: BTreeMap<&QueueId, bool> =
            document.queues.iter().map(|queue| (&queue.id, queue.closed)).collect();
        let queue = |queue: &QueueDocument| {
            let mut view = before.get(&queue.id).cloned().unwrap_or_else(|| QueueView::new(queue));
            view.name = queue.name.clone();
            // A switch that somebody has turned is not turned back because something else was changed.
            if view.configured_closed != queue.closed {
                view.configured_closed = queue.closed;
                view.closed = closed.get(&queue.id).copied().unwrap_or_default();
            }
            (queue.id.clone(), view)
        };
        self.queues = document.queues.iter().map(queue).collect();
        let names: BTreeMap<&AgentId, &Arc<str>> =
            document.agents.iter().map(|agent| (&agent.id, &agent.name)).collect();
        self.agents.retain(|id, agent| match names.get(id) {
            Some(name) => {
                agent.name = (*name).clone();
                true
            }
            None => !agent.work.is_empty(),
        });
    }

    fn apply_to_queue(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::ConversationEnded { queue, talked_us, held_us, .. } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.pace.talked(talked_us.saturating_add(*held_us));
                }
            }
            FactKind::WrapUpEnded { queue: Some(queue), wrapped_us, .. } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.pace.wrapped_up(*wrapped_us);
                }
            }
            FactKind::Offered { queue, turn: Some(turn), .. } => {
                if let Some(queue) = self.queues.get_mut(queue) {
                    queue.turn = turn.at;
                }
            }
            _ => {}
        }
    }

    fn apply_to_agent(&mut self, fact: &Fact) {
        let at = fact.at;
        match &fact.kind {
            FactKind::AgentChose { agent, agent_name, chosen, then, .. } => {
                if let Some(agent) = self.agents.get_mut(agent) {
                    if agent.chosen == ChosenState::Offline {
                        agent.record.signed_in();
                    }
                    agent.record.misses = 0;
                    agent.rest = None;
                    agent.chosen = chosen.clone();
                } else {
                    self.agents.insert(agent.clone(), AgentView::new(agent_name, chosen, then, at));
                }
                self.set_agent(agent, then.clone(), at);
            }
            FactKind::PresenceTold { agent, told, then, .. } => {
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.presence = Some(told.clone());
                }
                self.set_agent(agent, then.clone(), at);
            }
            FactKind::PresenceForgotten { agent, then, .. } => {
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.presence = None;
                }
                self.set_agent(agent, then.clone(), at);
            }
            FactKind::Offered { agent: id, interaction, queue, turn, then, .. } => {
                let interaction = *interaction;
                if let Some(agent) = self.agents.get_mut(id) {
                    agent.record.last_offer = fact.number;
                    if let Some(turn) = turn {
                        agent.record.turns.insert(queue.clone(), turn.next);
                    }
                    agent.work.push(WorkView { interaction, doing: DoingView::Offered });
                }
                self.set_agent(id, then.clone().unwrap_or(AgentState::Offered { interaction }), at);
            }
            FactKind::Connected { agent: id, interaction, then, .. } => {
                let interaction = *interaction;
                if let Some(agent) = self.agents.get_mut(id) {
                    agent.record.connected();
                    agent.set_doing(interaction, Some(DoingView::Talking));
                }
                self.set_agent(id, then.clone().unwrap_or(AgentState::InConversation { interaction }), at);
            }
            FactKind::OfferEnded { agent: id, interaction, misses, rest, then, .. } => {
                if let Some(agent) = self.agents.get_mut(id) {
                    agent.record.misses = *misses;
                    agent.rest = rest.or(then.rest()).or(agent.rest);
                    agent.set_doing(*interaction, None);
                }
                self.set_agent(id, then.clone(), at);
            }
            FactKind::ConversationEnded { agent: id, interaction, queue, then, .. } => {
                let until = wrap_up_until(&fact.kind);
                if let Some(agent) = self.agents.get_mut(id) {
                    let wrap_up = |until| DoingView::WrapUp { since: at, until, queue: queue.clone() };
                    agent.set_doing(*interaction, until.map(wrap_up));
                }
                self.set_agent(id, then.clone(), at);
            }
            FactKind::WrapUpExtended { agent: id, interaction, until, then, .. } => {
                let works = self.agents.get_mut(id).into_iter().flat_map(|agent| &mut agent.work);
                for work in works.filter(|work| work.interaction == *interaction) {
                    if let DoingView::WrapUp { until: before, .. } = &mut work.doing {
                        *before = *until;
                    }
                }
                self.set_agent(id, then.clone(), at);
            }
            FactKind::WrapUpEnded { agent: id, interaction, then, .. } => {
                if let Some(agent) = self.agents.get_mut(id) {
                    agent.set_doing(*interaction, None);
                }
                self.set_agent(id, then.clone(), at);
            }
            FactKind::RestEnded { agent: id, then, .. } => {
                if let Some(agent) = self.agents.get_mut(id) {
                    agent.rest = None;
                }
                self.set_agent(id, then.clone(), at);
            }
            _ => {}
        }
    }

    fn set_agent(&mut self, id: &AgentId, state: AgentState, at: Timestamp) {
        if state == AgentState::Gone {
            self.agents.remove(id);
        } else if let Some(agent) = self.agents.get_mut(id)
            && agent.state != state
        {
            agent.record.spent(&agent.state, agent.since, at);
            agent.state = state;
            agent.since = at;
        }
    }
}

impl QueueView {
    fn new(queue: &QueueDocument) -> QueueView {
        let (name, closed) = (queue.name.clone(), queue.closed);
        QueueView { name, closed, configured_closed: closed, pace: Pace::default(), turn: 0 }
    }
}

impl AgentView {
    fn new(name: &Arc<str>, chosen: &ChosenState, state: &AgentState, since: Timestamp) -> AgentView {
        AgentView {
            name: name.clone(),
            chosen: chosen.clone(),
            state: state.clone(),
            since,
            work: Vec::new(),
            presence: None,
            rest: None,
            record: AgentRecord::default(),
        }
    }

    fn set_doing(&mut self, interaction: InteractionId, doing: Option<DoingView>) {
        match doing {
            Some(doing) => {
                for work in self.work.iter_mut().filter(|work| work.interaction == interaction) {
                    work.doing = doing.clone();
                }
            }
            None => self.work.retain(|work| work.interaction != interaction),
        }
    }
}

/// Until when the wrap-up lasts that begins with the end of a conversation, if one does. The first release told it by
/// the agent's state alone.
fn wrap_up_until(kind: &FactKind) -> Option<Timestamp> {
    match kind {
        FactKind::ConversationEnded { wrap_up_until: Some(until), .. } => Some(*until),
        FactKind::ConversationEnded {
            interaction,
            then: AgentState::WrapUp { interaction: of, until },
            ..
        } if of == interaction => Some(*until),
        _ => None,
    }
}

impl InteractionView {
    fn begun(
        line: &LineName,
        from: &Personal<Address>,
        from_name: &Personal<Arc<str>>,
        to: &Address,
        at: Timestamp,
    ) -> InteractionView {
        InteractionView {
            call: None,
            in_call: false,
            channel: Channel::Call,
            line: line.clone(),
            from: from.clone(),
            from_name: from_name.clone(),
            to: to.clone(),
            flow: None,
            arrived_at: at,
            call_began_at: None,
            answered: false,
            handled: false,
            attributes: Attributes::new(),
            waited_us: 0,
            caller_held_since: None,
            stage: StageView::InFlow { step: None },
            ringing_out: Vec::new(),
            wrapping_up: Vec::new(),
            callback: None,
            message: None,
        }
    }

    fn apply(&mut self, fact: &Fact) {
        let at = fact.at;
        match &fact.kind {
            FactKind::Answered { .. } => self.answered = true,
            FactKind::AttributesSet { attributes, .. } => self.attributes.extend(attributes.clone()),
            FactKind::StepBegun { step, .. } => self.stage = StageView::InFlow { step: Some(step.clone()) },
            FactKind::CallPlaced { call, .. } => {
                self.call = Some(*call);
                self.in_call = true;
                self.call_began_at = Some(at);
            }
            FactKind::QueueEntered {
                queue,
                channel,
                waiting_since,
                stands_since,
                priority,
                vip,
                terms,
                ..
            } => {
                self.channel = *channel;
                self.stage = StageView::Waiting(QueueStay {
                    queue: queue.clone(),
                    entered_at: at,
                    waiting_since: *waiting_since,
                    stands_since: *stands_since,
                    priority: *priority,
                    vip: *vip,
                    terms: terms.clone(),
                    step: 0,
                });
            }
            FactKind::Widened { step, .. } => self.change_stay(|stay| stay.step = *step),
            FactKind::Prioritised { priority, vip, stands_since, .. } => self.change_stay(|stay| {
                stay.priority = *priority;
                stay.vip = *vip;
                stay.stands_since = Some(*stands_since).filter(|since| *since != stay.waiting_since());
            }),
            FactKind::TermsChanged { terms, .. } => self.change_stay(|stay| {
                stay.terms = terms.clone();
                stay.step = 0;
            }),
            FactKind::Held { by: Side::Caller, .. } => self.caller_held_since = Some(at),
            FactKind::Resumed { by: Side::Caller, .. } => self.caller_held_since = None,
            FactKind::CallbackDialled { attempt, .. } => {
                if let Some(callback) = &mut self.callback {
                    callback.attempts = *attempt;
                }
                self.move_on(fact);
            }
            FactKind::CallbackPromised { queue, line, to, waiting_since, priority, vip, terms, .. } => {
                self.channel = Channel::Callback;
                self.callback = Some(PromiseView { line: line.clone(), to: to.clone(), attempts: 0 });
                self.stage = StageView::Parked(TicketView {
                    queue: queue.clone(),
                    waiting_since: *waiting_since,
                    priority: *priority,
                    vip: *vip,
                    terms: terms.clone(),
                });
            }
            FactKind::MessageLeft { recording, length_us, .. } => {
                self.channel = Channel::Voicemail;
                if let StageView::LeavingMessage { ticket, .. } = &self.stage {
                    let (queue, recording) = (ticket.queue.clone(), *recording);
                    self.message = Some(MessageView { queue, recording, length_us: *length_us });
                }
                self.move_on(fact);
            }
            FactKind::QueueLeft { waited_us, reason, .. } => {
                self.waited_us = self.waited_us.saturating_add(*waited_us);
                self.move_on(fact);
                // What waited without a call and enters no other queue in the same moment is over.
                if self.channel != Channel::Call
                    && let StageView::InFlow { .. } = self.stage
                {
                    let cancelled = *reason == QueueExit::Cancelled;
                    let outcome = if cancelled { Outcome::Cancelled } else { Outcome::Expired };
                    self.stage = StageView::WrapUp { outcome };
                }
            }
            FactKind::OfferEnded { agent, outcome, .. } => {
                if let StageView::CallingBack { .. } = self.stage
                    && *outcome != OfferOutcome::CustomerNotReached
                    && let Some(callback) = &mut self.callback
                {
                    callback.attempts = callback.attempts.saturating_sub(1);
                }
                let rang_out = self.ringing_out.iter().position(|ringing| ringing.offer.agent == *agent);
                match rang_out {
                    Some(at) => {
                        drop(self.ringing_out.swap_remove(at));
                        // Somebody who waits without a call has been moved: what was ringing was a call of its own.
                        if self.channel != Channel::Call && !matches!(self.stage, StageView::Parked(_)) {
                            self.call_is_over();
                        }
                    }
                    None => {
                        if self.stage.is_of_agents_call() && self.channel != Channel::Call {
                            self.call_is_over();
                        }
                        self.move_on(fact);
                    }
                }
            }
            FactKind::Connected { agent, waited_us, .. } => {
                self.handled = true;
                self.waited_us = self.waited_us.saturating_add(*waited_us);
                self.rings_out_but(Some(agent), OfferOutcome::AnsweredElsewhere);
                self.move_on(fact);
            }
            FactKind::ConversationEnded { agent, by, .. } => {
                if wrap_up_until(&fact.kind).is_some() {
                    self.wrapping_up.push(agent.clone());
                }
                match (&self.stage, &self.message, by) {
                    // What was not heard to its end waits again.
                    (StageView::Connected { .. }, Some(message), EndedBy::Lost) => {
                        self.stage = StageView::Parked(TicketView {
                            queue: message.queue.clone(),
                            waiting_since: self.arrived_at,
                            priority: QueueDocument::NORMAL_PRIORITY,
                            vip: false,
                            terms: Terms::default(),
                        });
                    }
                    _ => self.move_on(fact),
                }
            }
            FactKind::WrapUpEnded { agent, .. } => self.wrapping_up.retain(|other| other != agent),
            FactKind::CallEnded { .. } => {
                self.move_on(fact);
                self.call_is_over();
            }
            _ => self.move_on(fact),
        }
    }

    fn call_is_over(&mut self) {
        self.in_call = false;
        self.caller_held_since = None;
    }

    fn change_stay(&mut self, change: impl FnOnce(&mut QueueStay)) {
        if let StageView::Waiting(stay) | StageView::Offered { stay, .. } = &mut self.stage {
            change(stay);
        }
    }

    /// All telephones but this agent's are to stop ringing.
    fn rings_out_but(&mut self, agent: Option<&AgentId>, outcome: OfferOutcome) {
        let StageView::Offered { stay, offers } = &mut self.stage else { return };
        for offer in std::mem::take(offers) {
            if Some(&offer.agent) == agent {
                offers.push(offer);
            } else {
                let queue = stay.queue.clone();
                self.ringing_out.push(RingingOut { queue, outcome, offer });
            }
        }
    }

    /// Takes in a fact whose meaning depends on the stage.
    fn move_on(&mut self, fact: &Fact) {
        if let FactKind::Ending { .. } | FactKind::QueueLeft { .. } = &fact.kind {
            let outcome = match &fact.kind {
                FactKind::QueueLeft {
                    reason: QueueExit::Abandoned | QueueExit::Lost | QueueExit::CallLimit,
                    ..
                }
                | FactKind::Ending { .. } => OfferOutcome::CallerGone,
                _ => OfferOutcome::CallerMoved,
            };
            self.rings_out_but(None, outcome);
        }
        let stage = std::mem::replace(&mut self.stage, StageView::InFlow { step: None });
        self.stage = stage.after(fact);
    }
}

impl StageView {
    /// The queue in which it is.
    pub fn stay(&self) -> Option<&QueueStay> {
        match self {
            StageView::Waiting(stay)
            | StageView::Offered { stay, .. }
            | StageView::CallingBack { stay, .. } => Some(stay),
            _ => None,
        }
    }

    /// Whether the call that stands is that of an agent who is being offered something without a call.
    fn is_of_agents_call(&self) -> bool {
        matches!(self, StageView::Offered { .. } | StageView::CallingBack { .. })
    }

    fn after(self, fact: &Fact) -> StageView {
        match (self, &fact.kind) {
            // The place is kept for the next try, if there is to be one.
            (
                StageView::Waiting(stay) | StageView::CallingBack { stay, .. },
                FactKind::QueueLeft { reason: QueueExit::CustomerNotReached, .. },
            ) => StageView::Parked(stay.ticket()),
            (StageView::Parked(ticket), FactKind::CallbackMissed { again_at: Some(at), .. }) => {
                StageView::Scheduled { at: *at, ticket }
            }
            (
                StageView::Waiting(_) | StageView::Offered { .. } | StageView::CallingBack { .. },
                FactKind::QueueLeft { .. },
            ) => StageView::InFlow { step: None },
            (StageView::Waiting(stay), FactKind::Offered { .. }) => {
                StageView::Offered { stay, offers: OfferView::of(fact).into_iter().collect() }
            }
            (StageView::Offered { stay, mut offers }, FactKind::Offered { .. }) => {
                offers.extend(OfferView::of(fact));
                StageView::Offered { stay, offers }
            }
            (StageView::Offered { stay, mut offers }, FactKind::Ringing { agent, .. }) => {
                offers
                    .iter_mut()
                    .filter(|offer| offer.agent == *agent)
                    .for_each(|offer| offer.ringing = true);
                StageView::Offered { stay, offers }
            }
            (StageView::Offered { stay, mut offers }, FactKind::OfferEnded { agent, .. }) => {
                offers.retain(|offer| offer.agent != *agent);
                if offers.is_empty() { StageView::Waiting(stay) } else { StageView::Offered { stay, offers } }
            }
            (StageView::CallingBack { stay, .. }, FactKind::OfferEnded { .. }) => StageView::Waiting(stay),
            (StageView::Scheduled { .. } | StageView::Parked(_), FactKind::CallbackCancelled { .. }) => {
                StageView::WrapUp { outcome: Outcome::Cancelled }
            }
            (StageView::Parked(_), FactKind::CallbackMissed { again_at: None, .. }) => {
                StageView::WrapUp { outcome: Outcome::NotReached }
            }
            (StageView::Offered { stay, offers }, FactKind::CallbackDialled { agent, party, .. }) => {
                match offers.into_iter().find(|offer| offer.agent == *agent) {
                    Some(offer) => StageView::CallingBack { stay, offer, customer: *party },
                    None => StageView::Waiting(stay),
                }
            }
            (
                StageView::Offered { .. } | StageView::CallingBack { .. },
                FactKind::Connected { agent, queue, .. },
            ) => StageView::Connected { conversation: ConversationView::begun(queue, agent, fact.at) },
            (StageView::Connected { conversation }, kind) => conversation.after(kind, fact.at),
            (StageView::LeavingMessage { ticket, .. }, FactKind::MessageLeft { .. }) => {
                StageView::Parked(ticket)
            }
            (_, FactKind::MessageBegun { queue, recording, waiting_since, priority, vip, .. }) => {
                StageView::LeavingMessage {
                    recording: *recording,
                    ticket: TicketView {
                        queue: queue.clone(),
                        waiting_since: *waiting_since,
                        priority: *priority,
                        vip: *vip,
                        terms: Terms::default(),
                    },
                }
            }
            (_, FactKind::RedirectBegun { party, .. }) => StageView::Redirecting { party: *party },
            (StageView::Redirecting { .. }, FactKind::RedirectEnded { outcome, .. }) => match outcome {
                TransferOutcome::Done => StageView::Transferred { leaving: None, pending: None },
                TransferOutcome::Failed => StageView::InFlow { step: None },
            },
            (
                StageView::Transferred { leaving, .. },
                FactKind::TransferEnded { .. } | FactKind::Repaired { missing: Missing::TransferEnd, .. },
            ) => StageView::Transferred { leaving, pending: None },
            (StageView::Transferred { pending, .. }, FactKind::ConversationEnded { .. }) => {
                StageView::Transferred { leaving: None, pending }
            }
            (StageView::Ending { outcome, conversation, .. }, FactKind::QueueLeft { .. }) => {
                StageView::Ending { outcome, stay: None, conversation }
            }
            (StageView::Ending { outcome, stay, .. }, FactKind::ConversationEnded { .. }) => {
                StageView::Ending { outcome, stay, conversation: None }
            }
            (StageView::Ending { outcome, .. }, FactKind::CallEnded { .. }) => StageView::WrapUp { outcome },
            (stage, FactKind::Ending { outcome, .. }) => stage.ending(*outcome),
            (stage, _) => stage,
        }
    }

    fn ending(self, outcome: Outcome) -> StageView {
        let (stay, conversation) = match self {
            StageView::Waiting(stay) | StageView::Offered { stay, .. } => (Some(stay), None),
            StageView::Connected { conversation } => (None, Some(conversation)),
            StageView::Transferred { leaving, .. } => (None, leaving),
            _ => (None, None),
        };
        StageView::Ending { outcome, stay, conversation }
    }
}

impl OfferView {
    fn of(fact: &Fact) -> Option<OfferView> {
        let FactKind::Offered { agent, party, rings_until, .. } = &fact.kind else { return None };
        let (agent, party) = (agent.clone(), *party);
        Some(OfferView { agent, party, offered_at: fact.at, rings_until: *rings_until, ringing: false })
    }
}

impl ConversationView {
    fn begun(queue: &QueueId, agent: &AgentId, at: Timestamp) -> ConversationView {
        let (queue, agent) = (queue.clone(), agent.clone());
        ConversationView { queue, agent, connected_at: at, held_since: None, held_us: 0, transfer: None }
    }

    fn after(mut self, kind: &FactKind, at: Timestamp) -> StageView {
        match kind {
            FactKind::Held { by: Side::Agent, .. } => self.held_since = Some(at),
            FactKind::Resumed { by: Side::Agent, held_us, .. } => {
                self.held_since = None;
                self.held_us = self.held_us.saturating_add(*held_us);
            }
            FactKind::TransferAsked { transfer, allowed: true, .. } => self.transfer = Some(*transfer),
            FactKind::TransferEnded { outcome, .. } => {
                self.transfer = None;
                if *outcome == TransferOutcome::Done {
                    return StageView::Transferred { leaving: Some(self), pending: None };
                }
            }
            FactKind::Repaired { missing: Missing::TransferEnd, .. } => self.transfer = None,
            FactKind::ConversationEnded { agent, .. } => {
                let agent = agent.clone();
                // Without a transfer the customer is going to wait again.
                let Some(transfer) = self.transfer else { return StageView::InFlow { step: None } };
                let pending = Some(PendingTransfer { agent, transfer });
                return StageView::Transferred { leaving: None, pending };
            }
            FactKind::Ending { outcome, .. } => {
                return StageView::Connected { conversation: self }.ending(*outcome);
            }
            _ => {}
        }
        StageView::Connected { conversation: self }
    }
}

fn yes() -> bool {
    true
}

fn is_true(value: &bool) -> bool {
    *value
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_first(step: &u8) -> bool {
    *step == 0
}

fn normal_priority() -> u8 {
    QueueDocument::NORMAL_PRIORITY
}

fn is_normal(priority: &u8) -> bool {
    *priority == QueueDocument::NORMAL_PRIORITY
}
