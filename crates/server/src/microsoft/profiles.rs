//! Whose profile is to be read next. Graph tells skills of one person at a time only: they are read in the background, slowly.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use tandem_microsoft::graph::batch::CALLS_MAX;
use tandem_microsoft::id::ObjectId;

/// When each profile of one Entra tenant was read, and which are next: those that never were, then the oldest.
pub(super) struct Profiles {
    read: BTreeMap<ObjectId, Instant>,
    /// Who is next, in order; filled again when it is empty.
    next: VecDeque<ObjectId>,
    /// No earlier than this is something read.
    not_before: Instant,
}

impl Profiles {
    /// None is read yet.
    pub(super) fn new(now: Instant) -> Profiles {
        Profiles { read: BTreeMap::new(), next: VecDeque::new(), not_before: now }
    }

    /// When [`Profiles::due`] is to be asked next.
    pub(super) fn poll_timeout(&self) -> Instant {
        self.not_before
    }

    /// Other people may be there now: they are looked for at once.
    pub(super) fn people_changed(&mut self, now: Instant) {
        if self.next.is_empty() {
            self.not_before = self.not_before.min(now + BATCH_EVERY);
        }
    }

    /// Whose turn it is, of all people who are there: as many as one batch takes. Nobody, if it is nobody's turn yet.
    pub(super) fn due(&mut self, now: Instant, all: impl FnOnce() -> Vec<ObjectId>) -> Vec<ObjectId> {
        if now < self.not_before {
            return Vec::new();
        }
        if self.next.is_empty() {
            self.fill(now, all());
        }
        let due: Vec<ObjectId> = self.next.drain(..self.next.len().min(CALLS_MAX)).collect();
        self.read.extend(due.iter().map(|person| (*person, now)));
        self.not_before = now + if due.is_empty() { LOOK_EVERY } else { BATCH_EVERY };
        due
    }

    /// These were not read after all, and are so after a pause.
    pub(super) fn put_back(&mut self, now: Instant, people: &[ObjectId], pause: Option<Duration>) {
        for person in people {
            self.read.remove(person);
            self.next.push_back(*person);
        }
        self.not_before = self.not_before.max(now + pause.unwrap_or_default().max(PAUSE));
    }

    fn fill(&mut self, now: Instant, all: Vec<ObjectId>) {
        let before = std::mem::take(&mut self.read);
        self.read = all.iter().filter_map(|person| Some((*person, *before.get(person)?))).collect();
        let is_fresh = |at: &Instant| now.saturating_duration_since(*at) < READ_EVERY;
        let mut due: Vec<(Option<Instant>, ObjectId)> = all
            .into_iter()
            .map(|person| (self.read.get(&person).copied(), person))
            .filter(|(at, _)| !at.as_ref().is_some_and(is_fresh))
            .collect();
        // Nothing is before any moment.
        due.sort_unstable();
        self.next = due.into_iter().map(|(_, person)| person).collect();
    }
}

/// How often a batch is asked for: ten people in a second, 50,000 in less than an hour and a half, and far below what Graph
/// allows for an Entra tenant.
const BATCH_EVERY: Duration = Duration::from_secs(2);

/// How old a profile becomes before it is read again; people change them rarely.
const READ_EVERY: Duration = Duration::from_hours(24);

/// How often it is looked whether a profile has become too old.
const LOOK_EVERY: Duration = Duration::from_mins(5);

/// The pause after something that went wrong.
const PAUSE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn people(count: u8) -> Vec<ObjectId> {
        (0..count)
            .map(|number| format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap())
            .collect()
    }

    #[test]
    fn twenty_at_once_each_once_a_day_and_who_is_new_first() {
        let begin = Instant::now();
        let mut profiles = Profiles::new(begin);
        assert_eq!(profiles.due(begin, || people(45)).len(), 20);
        assert_eq!(profiles.due(begin, || people(45)).len(), 0, "not faster than it may be");
        assert_eq!(profiles.due(begin + BATCH_EVERY, || people(45)).len(), 20);
        assert_eq!(profiles.due(begin + 2 * BATCH_EVERY, || people(45)).len(), 5);
        let later = begin + 3 * BATCH_EVERY;
        assert_eq!(profiles.due(later, || people(45)).len(), 0, "all are read");
        profiles.people_changed(later);
        assert_eq!(profiles.due(later + BATCH_EVERY, || people(46)).len(), 1, "one is new");
        assert_eq!(profiles.due(later + READ_EVERY, || people(46)).len(), 20, "they are a day old");
    }

    #[test]
    fn what_was_not_answered_is_asked_for_again_after_a_pause() {
        let begin = Instant::now();
        let mut profiles = Profiles::new(begin);
        assert_eq!(profiles.due(begin, || people(2)).len(), 2);
        profiles.put_back(begin, &people(1), Some(Duration::from_secs(90)));
        assert_eq!(profiles.poll_timeout(), begin + Duration::from_secs(90));
        assert_eq!(profiles.due(begin + BATCH_EVERY, Vec::new).len(), 0);
        assert_eq!(profiles.due(begin + Duration::from_secs(90), Vec::new).len(), 1);
    }
}
