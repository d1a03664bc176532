//! Queues: who waits, and who could take them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::call::CollectId;
use crate::channel::Channel;
use crate::class::{Classes, Place};
use crate::config::{QueueDocument, QueueRules};
use crate::fact::QueueRefusal;
use crate::flow::compile::{Flow, StepIndex};
use crate::id::{AgentIndex, QueueId, QueueIndex};
use crate::record::Pace;
use crate::terms::{Requirement, Terms};
use crate::timer::Timestamp;

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) rules: Arc<QueueRules>,
    /// In the configuration; a queue that is not lets nobody in and goes when the last offer is over.
    pub(crate) open: bool,
    /// Closed by a supervisor or by the configuration: lets nobody in.
    pub(crate) closed: bool,
    /// Everybody who waits, offered or not, first first.
    pub(crate) line: BTreeSet<Place>,
    pub(crate) classes: Classes,
    /// The agents of the queue.
    pub(crate) members: BTreeSet<AgentIndex>,
    /// How many of them are signed in.
    pub(crate) signed_in: usize,
    /// How many of them are at work, in thousandths: an agent of three queues counts a third in each.
    pub(crate) at_work: u64,
    pub(crate) pace: Pace,
    /// Where the turns of the queue are, if it offers by shares.
    pub(crate) turn: u64,
}

/// One stay of a caller in a queue.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) queue: QueueIndex,
    pub(crate) rules: Arc<QueueRules>,
    pub(crate) entered_at: Timestamp,
    /// Since when the caller would have waited if all waits so far had been one.
    pub(crate) waiting_since: Timestamp,
    pub(crate) priority: u8,
    pub(crate) vip: bool,
    /// The place in the queue: kept over offers that come to nothing.
    pub(crate) place: Place,
    /// When the caller has waited as long as callers may.
    pub(crate) until: Timestamp,
    pub(crate) terms: Terms,
    /// Which of the terms' steps holds.
    pub(crate) step: u8,
    pub(crate) channel: Channel,
    /// How many rungs of the ladder of overflow are behind.
    pub(crate) rung: u8,
    /// When the rung after those is looked at.
    pub(crate) rung_at: Option<Timestamp>,
    /// When the caller is told something again.
    pub(crate) tell_at: Option<Timestamp>,
    /// The expected end of the wait as the caller was told it last.
    pub(crate) told: Option<Timestamp>,
    /// The caller is being asked whether to be called back.
    pub(crate) asking: Option<CollectId>,
    /// Where the flow goes on if nobody comes: its step, or `None` to hang up.
    pub(crate) flow: Option<Arc<Flow>>,
    pub(crate) otherwise: Option<StepIndex>,
}

impl Queue {
    /// Why the queue lets nobody in now, if it does not.
    pub(crate) fn refusal(&self) -> Option<QueueRefusal> {
        if self.closed {
            Some(QueueRefusal::Closed)
        } else if self.signed_in == 0 && self.rules.when_no_agents.is_some() {
            Some(QueueRefusal::NoAgents)
        } else if self.line.len() >= self.rules.max_waiting {
            Some(QueueRefusal::Full)
        } else {
            None
        }
    }
}

impl Visit {
    /// The moment by which somebody stands in a queue who has waited since then and has this priority.
    pub(crate) fn stands_since(rules: &QueueRules, waiting_since: Timestamp, priority: u8) -> Timestamp {
        let normal = QueueDocument::NORMAL_PRIORITY;
        let earlier = rules.priority_worth.saturating_mul(normal.saturating_sub(priority).into());
        let later = rules.priority_worth.saturating_mul(priority.saturating_sub(normal).into());
        waiting_since.before(earlier) + later
    }

    /// What is asked of an agent now.
    pub(crate) fn asked(&self) -> &Arc<Requirement> {
        self.terms.requirement(self.step)
    }

    /// The rules of the queue have changed.
    pub(crate) fn renew_rules(&mut self, rules: Arc<QueueRules>, now: Timestamp) {
        let is_call = self.channel == Channel::Call;
        if is_call {
            self.until = self.entered_at + rules.max_wait;
        }
        let rung = rules.overflow.get(usize::from(self.rung)).filter(|_| is_call);
        self.rung_at = rung.map(|rung| self.entered_at + rung.after);
        let tell = rules.tell.as_ref().filter(|_| is_call);
        self.tell_at = tell.map(|tell| self.tell_at.unwrap_or(now + tell.every));
        self.rules = rules;
    }

    /// When something has to be done about the wait.
    pub(crate) fn deadline(&self) -> Timestamp {
        let step = self.terms.next_after(self.step).map(|after| self.entered_at + after);
        [step, self.rung_at, self.tell_at].into_iter().flatten().fold(self.until, Timestamp::min)
    }
}

/// All queues. A place is used again only after its queue is gone, and queues go only when nobody is in them.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    places: Vec<Option<Queue>>,
    by_id: BTreeMap<QueueId, QueueIndex>,
    vacant: Vec<QueueIndex>,
}

impl Queues {
    pub(crate) fn get(&self, index: QueueIndex) -> Option<&Queue> {
        self.places.get(index.0)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: QueueIndex) -> Option<&mut Queue> {
        self.places.get_mut(index.0)?.as_mut()
    }

    pub(crate) fn index(&self, id: &QueueId) -> Option<QueueIndex> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn indexes(&self) -> Vec<QueueIndex> {
        self.by_id.values().copied().collect()
    }

    /// All queues by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Queue> {
        self.by_id.values().filter_map(|index| self.get(*index))
    }

    /// Opens a queue, or gives one that is open new rules.
    pub(crate) fn open(&mut self, rules: Arc<QueueRules>) -> QueueIndex {
        if let Some(index) = self.index(&rules.id) {
            if let Some(queue) = self.get_mut(index) {
                // A switch that somebody has turned is not turned back because something else was changed.
                if queue.rules.closed != rules.closed || !queue.open {
                    queue.closed = rules.closed;
                }
                // One that was taken away and comes back begins anew, whoever still finishes work of it.
                if !queue.open {
                    queue.pace = Pace::default();
                    queue.turn = 0;
                }
                queue.rules = rules;
                queue.open = true;
            }
            return index;
        }
        let id = rules.id.clone();
        let queue = Queue {
            open: true,
            closed: rules.closed,
            rules,
            line: BTreeSet::new(),
            classes: Classes::default(),
            members: BTreeSet::new(),
            signed_in: 0,
            at_work: 0,
            pace: Pace::default(),
            turn: 0,
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                if let Some(place) = self.places.get_mut(index.0) {
                    *place = Some(queue);
                }
                index
            }
            None => {
                self.places.push(Some(queue));
                QueueIndex(self.places.len() - 1)
            }
        };
        self.by_id.insert(id, index);
        index
    }

    /// Forgets the queue if it is no longer in the configuration and nobody is in it.
    pub(crate) fn forget_if_gone(&mut self, index: QueueIndex) {
        let gone = |queue: &Queue| !queue.open && queue.line.is_empty() && queue.members.is_empty();
        if !self.get(index).is_some_and(gone) {
            return;
        }
        if let Some(queue) = self.places.get_mut(index.0).and_then(Option::take) {
            self.by_id.remove(&queue.rules.id);
            self.vacant.push(index);
        }
    }
}
