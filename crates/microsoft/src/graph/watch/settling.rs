//! Who is asked for again because a notification may have come late.
//!
//! Graph delivers at least once and in no order, and tries for hours (Microsoft Graph: change notifications). What a
//! notification says is believed, for mostly it is news; but only a poll shows that it was not overtaken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::graph::watch::PROPAGATION;
use crate::id::ObjectId;

/// Who is asked for again, and from when on.
#[derive(Debug, Default)]
pub(super) struct Settling {
    in_turn: BTreeSet<(Instant, ObjectId)>,
    /// At most one turn for each person who is watched.
    turns: BTreeMap<ObjectId, Instant>,
}

impl Settling {
    /// A notification has changed what is known of this person: to be asked for when polls have caught up with it.
    pub(super) fn told(&mut self, now: Instant, person: ObjectId) {
        self.forget(person);
        let turn = now + PROPAGATION;
        self.in_turn.insert((turn, person));
        self.turns.insert(person, turn);
    }

    /// The person is not watched any more.
    pub(super) fn forget(&mut self, person: ObjectId) {
        if let Some(turn) = self.turns.remove(&person) {
            self.in_turn.remove(&(turn, person));
        }
    }

    /// Nobody is watched any more.
    pub(super) fn clear(&mut self) {
        self.in_turn.clear();
        self.turns.clear();
    }

    /// Whose turn it is now; nobody while more are gathered.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<ObjectId> {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return Vec::new();
        }
        let due: Vec<_> = self.in_turn.iter().take_while(|(turn, _)| *turn <= now).copied().collect();
        due.into_iter()
            .map(|(_, person)| {
                self.forget(person);
                person
            })
            .collect()
    }

    /// When somebody's turn is next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.in_turn.first().map(|(turn, _)| *turn + GATHER)
    }
}

/// How long those whose turn has come are gathered: where people change all the time, one request for each 5 s.
const GATHER: Duration = Duration::from_secs(5);
