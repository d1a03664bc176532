//! What is live: the agents, the queues and the interactions that are open.

use super::interaction::{InteractionView, PromiseView};
use super::stage::{QueueStay, StageView, TicketView};
use crate::agent::{AgentState, ChosenState, PresenceView, Rest};
use crate::call::Address;
use crate::channel::Channel;
use crate::config::{Document, QueueDocument};
use crate::fact::{Fact, FactKind};
use crate::id::{AgentId, InteractionId, QueueId};
use crate::record::{AgentRecord, Pace};
use crate::timer::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

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
pub(super) fn wrap_up_until(kind: &FactKind) -> Option<Timestamp> {
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

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
