//! The center as people see it: a fold over its facts.
//!
//! Whoever has the [`View`] at a number and applies the facts that follow has the view of now. The center itself
//! can say its live state ([`Center::live`](crate::Center::live)); after every input the two are equal, and a
//! restart goes from the one to the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agent::{AgentState, ChosenState};
use crate::call::{Address, CallId, LineName, PartyId, TransferId};
use crate::config::Document;
use crate::fact::{Fact, FactKind, Missing, Outcome, QueueExit, Side};
use crate::id::{AgentId, FlowId, InteractionId, QueueId, StepId};
use crate::personal::Personal;
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
    /// Its call.
    pub call: CallId,
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
}

/// An open interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionView {
    /// Its call.
    pub call: CallId,
    /// The line over which it came.
    pub line: LineName,
    /// Who calls.
    pub from: Personal<Address>,
    /// The caller's name as their network gives it; may be empty.
    pub from_name: Personal<Arc<str>>,
    /// What was dialled.
    pub to: Address,
    /// The flow that the caller entered.
    pub flow: FlowId,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Whether the caller hears and is heard.
    pub answered: bool,
    /// Since when the caller has put us on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_held_since: Option<Timestamp>,
    /// Where it stands.
    #[serde(flatten)]
    pub stage: StageView,
    /// The agent whose wrap-up of it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapping_up: Option<AgentId>,
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
    /// In a queue, an agent is being rung.
    Offered {
        /// The queue.
        #[serde(flatten)]
        stay: QueueStay,
        /// The agent.
        offer: OfferView,
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
        /// The agent who is still being rung.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<RingingOut>,
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
        if let FactKind::Configured { configuration } = &fact.kind {
            self.document = Some(configuration.clone());
        }
        let Some(id) = fact.interaction() else { return self.live.apply(fact) };
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
                    QueueExit::WaitedTooLong | QueueExit::CallLimit | QueueExit::QueueGone => {
                        totals.flowed_out += 1;
                    }
                }
            }
            _ => {}
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
}

impl Live {
    /// Who waits in a queue, offered or not, in the order of entry.
    pub fn waiting(&self, queue: &QueueId) -> Vec<(InteractionId, &QueueStay)> {
        let mut waiting: Vec<_> = self
            .interactions
            .iter()
            .filter_map(|(id, interaction)| match &interaction.stage {
                StageView::Waiting(stay) | StageView::Offered { stay, .. } if stay.queue == *queue => {
                    Some((*id, stay))
                }
                _ => None,
            })
            .collect();
        waiting.sort_by_key(|(id, stay)| (stay.entered_at, *id));
        waiting
    }

    /// Takes in the next fact.
    pub fn apply(&mut self, fact: &Fact) {
        self.number = fact.number;
        match &fact.kind {
            FactKind::Configured { configuration } => self.configured(fact.number, configuration),
            FactKind::Arrived { call, line, from, from_name, to, flow } => {
                let interaction = InteractionView {
                    call: *call,
                    line: line.clone(),
                    from: from.clone(),
                    from_name: from_name.clone(),
                    to: to.clone(),
                    flow: flow.clone(),
                    arrived_at: fact.at,
                    answered: false,
                    caller_held_since: None,
                    stage: StageView::InFlow { step: None },
                    wrapping_up: None,
                };
                self.interactions.insert(InteractionId(fact.number), interaction);
            }
            FactKind::Closed { interaction, .. } => {
                self.interactions.remove(interaction);
            }
            _ => {
                self.apply_to_agent(fact);
                if let Some(interaction) = fact.interaction().and_then(|id| self.interactions.get_mut(&id)) {
                    interaction.apply(fact);
                }
            }
        }
    }

    fn configured(&mut self, number: u64, document: &Document) {
        self.configuration = number;
        self.queues = document
            .queues
            .iter()
            .map(|queue| (queue.id.clone(), QueueView { name: queue.name.clone() }))
            .collect();
        let names: BTreeMap<&AgentId, &Arc<str>> =
            document.agents.iter().map(|agent| (&agent.id, &agent.name)).collect();
        self.agents.retain(|id, agent| match names.get(id) {
            Some(name) => {
                agent.name = (*name).clone();
                true
            }
            None => agent.state.is_busy(),
        });
    }

    fn apply_to_agent(&mut self, fact: &Fact) {
        let at = fact.at;
        match &fact.kind {
            FactKind::AgentChose { agent, agent_name, chosen, then, .. } => {
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.chosen = chosen.clone();
                } else {
                    let (name, chosen) = (agent_name.clone(), chosen.clone());
                    let view = AgentView { name, chosen, state: then.clone(), since: at };
                    self.agents.insert(agent.clone(), view);
                }
                self.set_agent(agent, then.clone(), at);
            }
            FactKind::Offered { agent, interaction, .. } => {
                self.set_agent(agent, AgentState::Offered { interaction: *interaction }, at);
            }
            FactKind::Connected { agent, interaction, .. } => {
                self.set_agent(agent, AgentState::InConversation { interaction: *interaction }, at);
            }
            FactKind::OfferEnded { agent, then, .. }
            | FactKind::RestEnded { agent, then, .. }
            | FactKind::ConversationEnded { agent, then, .. }
            | FactKind::WrapUpEnded { agent, then, .. } => self.set_agent(agent, then.clone(), at),
            _ => {}
        }
    }

    fn set_agent(&mut self, id: &AgentId, state: AgentState, at: Timestamp) {
        if state == AgentState::Gone {
            self.agents.remove(id);
        } else if let Some(agent) = self.agents.get_mut(id)
            && agent.state != state
        {
            agent.state = state;
            agent.since = at;
        }
    }
}

impl InteractionView {
    fn apply(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::Answered { .. } => self.answered = true,
            FactKind::StepBegun { step, .. } => self.stage = StageView::InFlow { step: Some(step.clone()) },
            FactKind::QueueEntered { queue, .. } => {
                self.stage = StageView::Waiting(QueueStay { queue: queue.clone(), entered_at: fact.at });
            }
            FactKind::Held { by: Side::Caller, .. } => self.caller_held_since = Some(fact.at),
            FactKind::Resumed { by: Side::Caller, .. } => self.caller_held_since = None,
            FactKind::ConversationEnded { agent, then, .. } => {
                if let AgentState::WrapUp { .. } = then {
                    self.wrapping_up = Some(agent.clone());
                }
                self.move_on(fact);
            }
            FactKind::WrapUpEnded { .. } => self.wrapping_up = None,
            _ => self.move_on(fact),
        }
    }

    /// Takes in a fact whose meaning depends on the stage.
    fn move_on(&mut self, fact: &Fact) {
        let stage = std::mem::replace(&mut self.stage, StageView::InFlow { step: None });
        self.stage = stage.after(fact);
    }
}

impl StageView {
    fn after(self, fact: &Fact) -> StageView {
        match (self, &fact.kind) {
            (StageView::Waiting(_), FactKind::QueueLeft { .. }) => StageView::InFlow { step: None },
            (StageView::Waiting(stay), FactKind::Offered { agent, party, rings_until, .. }) => {
                let (agent, party) = (agent.clone(), *party);
                let (offered_at, rings_until) = (fact.at, *rings_until);
                let offer = OfferView { agent, party, offered_at, rings_until, ringing: false };
                StageView::Offered { stay, offer }
            }
            (StageView::Offered { stay, offer }, FactKind::Ringing { .. }) => {
                StageView::Offered { stay, offer: OfferView { ringing: true, ..offer } }
            }
            (StageView::Offered { stay, .. }, FactKind::OfferEnded { .. }) => StageView::Waiting(stay),
            (StageView::Offered { .. }, FactKind::Connected { agent, queue, .. }) => {
                StageView::Connected { conversation: ConversationView::begun(queue, agent, fact.at) }
            }
            (StageView::Connected { conversation }, kind) => conversation.after(kind, fact.at),
            (
                StageView::Transferred { leaving, .. },
                FactKind::TransferEnded { .. } | FactKind::Repaired { .. },
            ) => StageView::Transferred { leaving, pending: None },
            (StageView::Transferred { pending, .. }, FactKind::ConversationEnded { .. }) => {
                StageView::Transferred { leaving: None, pending }
            }
            (StageView::Ending { outcome, offer, conversation, .. }, FactKind::QueueLeft { .. }) => {
                StageView::Ending { outcome, stay: None, offer, conversation }
            }
            (StageView::Ending { outcome, stay, conversation, .. }, FactKind::OfferEnded { .. }) => {
                StageView::Ending { outcome, stay, offer: None, conversation }
            }
            (StageView::Ending { outcome, stay, offer, .. }, FactKind::ConversationEnded { .. }) => {
                StageView::Ending { outcome, stay, offer, conversation: None }
            }
            (StageView::Ending { outcome, .. }, FactKind::CallEnded { .. }) => StageView::WrapUp { outcome },
            (stage, FactKind::Ending { outcome, .. }) => stage.ending(*outcome),
            (stage, _) => stage,
        }
    }

    fn ending(self, outcome: Outcome) -> StageView {
        let (stay, offer, conversation) = match self {
            StageView::Waiting(stay) => (Some(stay), None, None),
            StageView::Offered { stay, offer } => {
                let ringing_out = RingingOut { queue: stay.queue.clone(), offer };
                (Some(stay), Some(ringing_out), None)
            }
            StageView::Connected { conversation } => (None, None, Some(conversation)),
            StageView::Transferred { leaving, .. } => (None, None, leaving),
            StageView::InFlow { .. } | StageView::Ending { .. } | StageView::WrapUp { .. } => {
                (None, None, None)
            }
        };
        StageView::Ending { outcome, stay, offer, conversation }
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
                if *outcome == crate::call::TransferOutcome::Done {
                    return StageView::Transferred { leaving: Some(self), pending: None };
                }
            }
            FactKind::Repaired { missing: Missing::TransferEnd, .. } => self.transfer = None,
            FactKind::ConversationEnded { agent, .. } => {
                let agent = agent.clone();
                let pending = self.transfer.map(|transfer| PendingTransfer { agent, transfer });
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
