//! The center as people see it: a fold over its facts.
//!
//! Whoever has the [`View`] at a number and applies the facts that follow has the view of now. The center itself
//! can say its live state ([`Center::live`](crate::Center::live)); after every input the two are equal, and a
//! restart goes from the one to the other.

use crate::acquaintance::Acquaintances;
use crate::call::{Address, CallId, LineName};
use crate::channel::Channel;
use crate::config::Document;
use crate::fact::{Fact, FactKind, Outcome, QueueExit};
use crate::id::{InteractionId, QueueId};
use crate::personal::Personal;
use crate::timer::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

mod interaction;
mod live;
mod stage;

pub use interaction::{InteractionView, MessageView, PromiseView};
pub use live::{AgentView, DoingView, Live, QueueView, WorkView};
pub use stage::{ConversationView, OfferView, PendingTransfer, QueueStay, RingingOut, StageView, TicketView};

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
