//! One of the two things that Graph is asked: what is due, and whether Graph permits it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rand::Rng as _;
use rand::rngs::StdRng;

use super::PEOPLE_MAX;
use crate::id::ObjectId;

/// What is due of one kind, and of whom it is refused.
#[derive(Debug, Default)]
pub(super) struct Lane {
    due: BTreeSet<(Instant, ObjectId)>,
    /// Of whom it was refused, and until when it is not tried again.
    refused: BTreeMap<ObjectId, Instant>,
    /// Of whom it was refused since it was last done for somebody.
    suspects: BTreeSet<ObjectId>,
    held: Option<Held>,
}

/// Nothing is asked before a moment; then one request goes ahead, to see.
#[derive(Debug)]
pub(super) struct Held {
    /// What was asked before says nothing about it.
    pub since: Instant,
    /// When one request goes ahead.
    pub again: Instant,
    /// Faults in a row.
    pub faults: u32,
}

/// Of whom something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedOf {
    /// Of one person; it is tried again after a while.
    Person,
    /// Of everybody, as it seems from so many in a row.
    Everybody,
    /// Nothing new: it was on its way when that became known.
    Known,
}

impl Lane {
    pub(super) fn schedule(&mut self, due: Instant, person: ObjectId) {
        self.due.insert((due, person));
    }

    pub(super) fn unschedule(&mut self, due: Instant, person: ObjectId) {
        self.due.remove(&(due, person));
    }

    /// Who is due by now and first.
    pub(super) fn first_due(&self, now: Instant) -> Option<ObjectId> {
        self.due.first().filter(|(due, _)| *due <= now).map(|(_, person)| *person)
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The later of this and the moment from which the person is asked for again.
    pub(super) fn not_before_of(&self, person: ObjectId, at: Instant) -> Instant {
        self.refused.get(&person).map_or(at, |until| at.max(*until))
    }

    /// Before which moment nothing is asked.
    pub(super) fn held_until(&self) -> Option<Instant> {
        self.held.as_ref().map(|held| held.again)
    }

    /// One request goes ahead; the next when it is known what came of it, or after the longest pause.
    pub(super) fn go_ahead(&mut self, now: Instant) {
        if let Some(held) = &mut self.held {
            held.again = now + REFUSED_AGAIN;
        }
    }

    /// It was done for a person.
    pub(super) fn done(&mut self, asked_at: Instant, person: ObjectId) {
        self.refused.remove(&person);
        self.suspects.clear();
        self.held.take_if(|held| asked_at >= held.since);
    }

    /// It was refused of a person.
    pub(super) fn refuse(
        &mut self,
        now: Instant,
        asked_at: Instant,
        person: ObjectId,
        random: &mut StdRng,
    ) -> RefusedOf {
        if self.held.as_ref().is_some_and(|held| asked_at < held.since) {
            return RefusedOf::Known;
        }
        self.suspects.insert(person);
        let faults = match &self.held {
            Some(held) => held.faults.saturating_add(1),
            None if self.suspects.len() >= SUSPECTS_MAX => 1,
            None => {
                self.rest(now, person, now + REFUSED_AGAIN.mul_f64(random.random_range(0.9..=1.0)));
                return RefusedOf::Person;
            }
        };
        self.suspects.clear();
        let since = self.held.as_ref().map_or(now, |held| held.since);
        let again = now + hold(faults, random);
        self.held = Some(Held { since, again, faults });
        // The next one to see is somebody else, if anybody else is due.
        self.rest(now, person, again);
        RefusedOf::Everybody
    }

    fn rest(&mut self, now: Instant, person: ObjectId, until: Instant) {
        self.refused.retain(|_, until| *until > now);
        // Beyond it the person is tried again with the next thing that is to be shown.
        if self.refused.len() < PEOPLE_MAX {
            self.refused.insert(person, until);
        }
    }

    /// Something else went wrong than that it was refused: the next request to see goes ahead by then.
    pub(super) fn see_again(&mut self, asked_at: Instant, at: Instant) {
        if let Some(held) = self.held.as_mut().filter(|held| asked_at >= held.since) {
            held.again = held.again.min(at);
        }
    }

    /// What was refused may be permitted now: lets it be tried, and tells of whom it was refused.
    pub(super) fn resume(&mut self, now: Instant) -> impl Iterator<Item = ObjectId> {
        if let Some(held) = &mut self.held {
            held.again = held.again.min(now);
        }
        self.suspects.clear();
        std::mem::take(&mut self.refused).into_keys()
    }
}

/// For how long nothing is asked after so many refusals in a row. It grows, for some refusals in a row need not be one of
/// everybody: a few guests who are in calls are refused, and whoever comes next is not.
fn hold(faults: u32, random: &mut StdRng) -> Duration {
    let whole = REFUSED_AGAIN.min(HOLD_MIN * (1 << faults.saturating_sub(1).min(8)));
    whole.mul_f64(random.random_range(0.9..=1.0))
}

/// Of so many people in a row it is refused before it counts as refused of everybody.
const SUSPECTS_MAX: usize = 3;

/// For how long nobody is asked for at first when it seems to be refused of everybody; twice as long each time after.
const HOLD_MIN: Duration = Duration::from_secs(60);

/// For how long a person is not asked for of whom it was refused; and everybody, at most.
const REFUSED_AGAIN: Duration = Duration::from_secs(15 * 60);
