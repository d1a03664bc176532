//! Which of two things said of a person counts.
//!
//! Graph's own number wins where both have one; else what was observed later. A poll says what Graph knew when it was
//! asked, a notification what changed before it came; so a poll that was asked before a notification came never
//! overwrites it.

use std::cmp::Ordering;
use std::time::Instant;

use crate::graph::presence::{Presence, Sequence};
use crate::graph::watch::group::GroupId;
use crate::graph::watch::{PROPAGATION, Source};

/// One person who is watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) group: GroupId,
    /// Since when.
    pub(super) since: Instant,
    /// What was said last; none before the first word.
    pub(super) seen: Option<Seen>,
    /// Whether it was told that nothing certain is known any more.
    pub(super) stale: bool,
    /// Whether Graph left the person out of its last answer.
    pub(super) omitted: bool,
}

/// What is known of a person, and since when.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) presence: Presence,
    pub(super) source: Source,
    /// When it was last known to be so.
    pub(super) confirmed_at: Instant,
    /// When the last notification came.
    pub(super) told_at: Option<Instant>,
    /// When the poll was asked that was believed last.
    pub(super) polled_at: Option<Instant>,
    /// The greatest number that Graph gave.
    sequence: Option<Sequence>,
    /// Polls in a row with a smaller number than that.
    backward: u8,
}

/// What is made of something said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Merged {
    pub(super) outcome: Outcome,
    /// Whether Graph says two things at once.
    pub(super) contradiction: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// It is news.
    Changed,
    /// It is known, and so still.
    Same,
    /// It is older than what is known.
    Older,
}

impl Watched {
    pub(super) fn new(group: GroupId, since: Instant) -> Self {
        Self { group, since, seen: None, stale: false, omitted: false }
    }

    /// Since when nothing was heard of the person.
    pub(super) fn confirmed_at(&self) -> Instant {
        self.seen.as_ref().map_or(self.since, |seen| seen.confirmed_at)
    }

    /// Whether a notification came since then.
    pub(super) fn was_told_since(&self, at: Instant) -> bool {
        self.seen.as_ref().and_then(|seen| seen.told_at).is_some_and(|told| told >= at)
    }

    /// Takes what was said: by a poll that was asked at `at`, or by a notification that came at `at`.
    pub(super) fn hear(&mut self, source: Source, at: Instant, presence: Presence) -> Merged {
        let Some(seen) = &mut self.seen else {
            self.seen = Some(Seen::first(source, at, presence));
            return Merged { outcome: Outcome::Changed, contradiction: false };
        };
        let merged = seen.judge(source, at, &presence);
        if merged.outcome != Outcome::Older {
            seen.take(source, at, presence);
        }
        merged
    }
}

impl Seen {
    fn first(source: Source, at: Instant, presence: Presence) -> Self {
        let mut seen = Self {
            sequence: None,
            presence: presence.clone(),
            source,
            confirmed_at: at,
            told_at: None,
            polled_at: None,
            backward: 0,
        };
        seen.take(source, at, presence);
        seen
    }

    fn judge(&mut self, source: Source, at: Instant, presence: &Presence) -> Merged {
        let same = self.presence.says_the_same(presence);
        let news = if same { Outcome::Same } else { Outcome::Changed };
        let plain = |outcome| Merged { outcome, contradiction: false };
        let order = match (&presence.sequence, &self.sequence) {
            (Some(new), Some(old)) => Some(new.cmp(old)),
            _ => None,
        };
        match (source, order) {
            (Source::Notification, Some(Ordering::Less)) => plain(Outcome::Older),
            (Source::Notification, _) => plain(news),
            (Source::Poll, _) if self.told_at.is_some_and(|told| at < told) && !same => plain(Outcome::Older),
            (Source::Poll, Some(Ordering::Less)) => self.judge_backward(at, news),
            (Source::Poll, Some(Ordering::Greater)) => plain(news),
            (Source::Poll, _) if self.polled_at.is_some_and(|polled| at < polled) => plain(Outcome::Older),
            (Source::Poll, None) => plain(news),
            (Source::Poll, Some(Ordering::Equal)) if same => plain(Outcome::Same),
            // The number of before the notification: either the change has not come round to whoever answers polls, or
            // the notification was late. Time tells.
            (Source::Poll, Some(Ordering::Equal)) => {
                let fresh = self.told_at.is_some_and(|told| at < told + PROPAGATION);
                let outcome = if fresh { Outcome::Older } else { Outcome::Changed };
                Merged { outcome, contradiction: true }
            }
        }
    }

    /// A smaller number is older; but a number that stays small was started again, and is believed.
    fn judge_backward(&mut self, at: Instant, news: Outcome) -> Merged {
        if self.polled_at.is_some_and(|polled| at < polled) {
            return Merged { outcome: Outcome::Older, contradiction: false };
        }
        self.backward += 1;
        if self.backward < BACKWARD_BELIEVED {
            return Merged { outcome: Outcome::Older, contradiction: true };
        }
        self.sequence = None;
        Merged { outcome: news, contradiction: true }
    }

    fn take(&mut self, source: Source, at: Instant, presence: Presence) {
        self.backward = 0;
        match source {
            Source::Notification => self.told_at = Some(at),
            Source::Poll => self.polled_at = Some(at),
        }
        if presence.sequence.is_some() && presence.sequence >= self.sequence {
            self.sequence.clone_from(&presence.sequence);
        }
        self.confirmed_at = self.confirmed_at.max(at);
        self.source = source;
        self.presence = presence.completed_by(&self.presence);
    }
}

/// Polls in a row with a smaller number before it is believed. Chosen by taste: some 20 s of polling.
const BACKWARD_BELIEVED: u8 = 3;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::graph::call::start_of_test;

    struct Story {
        start: Instant,
        watched: Watched,
    }

    impl Story {
        fn new() -> Self {
            let start = start_of_test();
            Self { start, watched: Watched::new(GroupId(0), start) }
        }

        fn poll(&mut self, asked_s: u64, state: &str, sequence: &str) -> Merged {
            let mut presence = Presence::new(state, state);
            presence.sequence = Sequence::new(sequence);
            self.watched.hear(Source::Poll, self.start + Duration::from_secs(asked_s), presence)
        }

        fn told(&mut self, at_s: u64, state: &str) -> Merged {
            let at = self.start + Duration::from_secs(at_s);
            self.watched.hear(Source::Notification, at, Presence::new(state, state))
        }

        fn is(&self) -> &str {
            &self.watched.seen.as_ref().unwrap().presence.availability
        }
    }

    #[test]
    fn a_poll_that_was_asked_before_a_notification_came_does_not_overwrite_it() {
        let mut story = Story::new();
        story.poll(0, "Available", "");
        story.told(10, "Busy");
        assert_eq!(story.poll(9, "Available", "").outcome, Outcome::Older);
        assert_eq!(story.is(), "Busy");
        assert_eq!(story.poll(11, "Available", "").outcome, Outcome::Changed);
    }

    #[test]
    fn polls_that_cross_on_their_way_do_not_turn_time_back() {
        let mut story = Story::new();
        story.poll(10, "Busy", "");
        assert_eq!(story.poll(5, "Available", "").outcome, Outcome::Older);
        assert_eq!(story.is(), "Busy");
    }

    #[test]
    fn the_greater_number_wins_over_the_later_observation() {
        let mut story = Story::new();
        story.poll(0, "Busy", "12");
        let older = story.poll(6, "Available", "11");
        assert_eq!((older.outcome, older.contradiction), (Outcome::Older, true));
        assert_eq!(story.poll(3, "Away", "13").outcome, Outcome::Changed);
        assert_eq!(story.is(), "Away");
    }

    #[test]
    fn a_number_that_stays_small_is_believed_in_the_end() {
        let mut story = Story::new();
        story.poll(0, "Busy", "900");
        for asked in [6, 12] {
            assert_eq!(story.poll(asked, "Available", "1").outcome, Outcome::Older);
        }
        assert_eq!(story.poll(18, "Available", "1").outcome, Outcome::Changed);
        assert_eq!(story.poll(24, "Available", "1").outcome, Outcome::Same);
        assert_eq!(story.poll(30, "Away", "2").outcome, Outcome::Changed);
    }

    #[test]
    fn a_poll_that_lags_behind_a_notification_waits_and_then_wins() {
        let mut story = Story::new();
        story.poll(0, "Available", "7");
        story.told(10, "Busy");
        let lagging = story.poll(13, "Available", "7");
        assert_eq!((lagging.outcome, lagging.contradiction), (Outcome::Older, true));
        let insisting = story.poll(21, "Available", "7");
        assert_eq!((insisting.outcome, insisting.contradiction), (Outcome::Changed, true));
        assert_eq!(story.is(), "Available");
    }

    #[test]
    fn a_notification_keeps_what_it_does_not_say() {
        let mut story = Story::new();
        let mut presence = Presence::new("Away", "Away");
        presence.out_of_office = Some(true);
        story.watched.hear(Source::Poll, story.start, presence);
        story.told(1, "Available");
        assert_eq!(story.watched.seen.unwrap().presence.out_of_office, Some(true));
    }
}
