//! Queues: who waits, and who could take them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::QueueRules;
use crate::flow::compile::{Flow, StepIndex};
use crate::id::{AgentIndex, InteractionId, QueueId, QueueIndex};
use crate::timer::Timestamp;

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) rules: Arc<QueueRules>,
    /// In the configuration; a queue that is not lets nobody in and goes when the last offer is over.
    pub(crate) open: bool,
    /// Who waits and is not being offered, in the order of entry.
    pub(crate) waiting: BTreeSet<(Timestamp, InteractionId)>,
    /// How many of the queue's callers are being offered; they keep their place.
    pub(crate) offered: usize,
    /// The queue's agents who could take a caller now, longest idle first.
    pub(crate) ready: BTreeSet<(Timestamp, AgentIndex)>,
}

/// One stay of a caller in a queue.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) queue: QueueIndex,
    pub(crate) rules: Arc<QueueRules>,
    pub(crate) entered_at: Timestamp,
    /// Where the flow goes on if nobody comes: its step, or `None` to hang up.
    pub(crate) flow: Arc<Flow>,
    pub(crate) otherwise: Option<StepIndex>,
}

impl Visit {
    /// The place in the queue: kept over offers that come to nothing.
    pub(crate) fn place(&self, interaction: InteractionId) -> (Timestamp, InteractionId) {
        (self.entered_at, interaction)
    }

    /// When the caller has waited as long as callers may.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.entered_at + self.rules.max_wait
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

    /// Opens a queue, or gives one that is open new rules.
    pub(crate) fn open(&mut self, rules: Arc<QueueRules>) -> QueueIndex {
        if let Some(index) = self.index(&rules.id) {
            if let Some(queue) = self.get_mut(index) {
                queue.rules = rules;
                queue.open = true;
            }
            return index;
        }
        let id = rules.id.clone();
        let queue = Queue { rules, open: true, waiting: BTreeSet::new(), offered: 0, ready: BTreeSet::new() };
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
        let gone = |queue: &Queue| !queue.open && queue.waiting.is_empty() && queue.offered == 0;
        if !self.get(index).is_some_and(gone) {
            return;
        }
        if let Some(queue) = self.places.get_mut(index.0).and_then(Option::take) {
            self.by_id.remove(&queue.rules.id);
            self.vacant.push(index);
        }
    }
}
