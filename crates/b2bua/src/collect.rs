//! A collection of digits from one party: how many, how long, and what was pressed a moment before.

use std::collections::VecDeque;
use std::time::Instant;

use tandem_center::call::{Collect, CollectEnd, CollectId, Digit, Digits};

/// A running collection.
#[derive(Debug)]
pub(crate) struct Collection {
    /// Which collection.
    pub id: CollectId,
    spec: Collect,
    digits: Digits,
    /// When the wait is over. `None`: a prompt that the party should hear first is still playing.
    deadline: Option<Instant>,
}

impl Collection {
    /// Begins. The time for the first digit runs now, or from [`Collection::prompt_ended`] if something plays.
    pub(crate) fn begin(now: Instant, id: CollectId, spec: Collect, prompt_plays: bool) -> Collection {
        let deadline = (!prompt_plays).then(|| now + spec.first_timeout);
        Collection { id, spec, digits: Digits::default(), deadline }
    }

    /// Whether a digit stops the prompt.
    pub(crate) fn barges_in(&self) -> bool {
        self.spec.barge_in
    }

    /// Whether digits pressed shortly before count.
    pub(crate) fn takes_type_ahead(&self) -> bool {
        self.spec.type_ahead
    }

    /// A digit was pressed. `Some` when the collection is over.
    pub(crate) fn press(&mut self, now: Instant, digit: Digit) -> Option<CollectEnd> {
        if self.spec.terminator == Some(digit) {
            return Some(CollectEnd::Terminated);
        }
        self.digits.push(digit);
        self.deadline = Some(now + self.spec.next_timeout);
        (self.digits.len() >= usize::from(self.spec.max_digits.max(1))).then_some(CollectEnd::Complete)
    }

    /// What was played to the party is over: the time for the first digit begins, unless digits came already.
    pub(crate) fn prompt_ended(&mut self, now: Instant) {
        if self.deadline.is_none() {
            self.deadline = Some(now + self.spec.first_timeout);
        }
    }

    /// When the wait is over.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What was pressed.
    pub(crate) fn into_digits(self) -> Digits {
        self.digits
    }
}

/// Digits that nobody was collecting when they were pressed.
#[derive(Debug, Default)]
pub(crate) struct TypeAhead {
    pressed: VecDeque<(Instant, Digit)>,
}

impl TypeAhead {
    /// More than this many are forgotten, the oldest first.
    const MAX: usize = 16;

    /// Remembers a digit.
    pub(crate) fn push(&mut self, now: Instant, digit: Digit) {
        if self.pressed.len() == Self::MAX {
            self.pressed.pop_front();
        }
        self.pressed.push_back((now, digit));
    }

    /// Takes the digits that are recent enough, in order, and forgets all.
    pub(crate) fn take(&mut self, now: Instant) -> impl Iterator<Item = Digit> + use<> {
        std::mem::take(&mut self.pressed)
            .into_iter()
            .filter(move |(at, _)| now.saturating_duration_since(*at) <= Collect::TYPE_AHEAD)
            .map(|(_, digit)| digit)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need some instant to begin with")]
mod tests {
    use super::*;
    use std::time::Duration;

    fn menu() -> Collect {
        Collect {
            max_digits: 2,
            terminator: Digit::new('#'),
            first_timeout: Duration::from_secs(5),
            next_timeout: Duration::from_secs(2),
            barge_in: true,
            type_ahead: true,
        }
    }

    fn digit(key: char) -> Digit {
        Digit::new(key).unwrap()
    }

    #[test]
    fn the_first_digit_may_wait_until_the_prompt_is_over() {
        let start = Instant::now();
        let mut collection = Collection::begin(start, CollectId(1), menu(), true);
        assert_eq!(collection.deadline(), None);
        collection.prompt_ended(start + Duration::from_secs(60));
        assert_eq!(collection.deadline(), Some(start + Duration::from_secs(65)));
        collection.prompt_ended(start + Duration::from_secs(62));
        assert_eq!(collection.deadline(), Some(start + Duration::from_secs(65)), "it ends only once");
    }

    #[test]
    fn each_further_digit_has_its_own_time() {
        let start = Instant::now();
        let mut collection = Collection::begin(start, CollectId(1), menu(), false);
        assert_eq!(collection.press(start + Duration::from_secs(4), digit('1')), None);
        assert_eq!(collection.deadline(), Some(start + Duration::from_secs(6)));
        assert_eq!(collection.press(start + Duration::from_secs(5), digit('2')), Some(CollectEnd::Complete));
        assert_eq!(collection.into_digits().as_str(), "12");
    }

    #[test]
    fn the_terminator_ends_and_does_not_count() {
        let start = Instant::now();
        let mut collection = Collection::begin(start, CollectId(1), menu(), false);
        collection.press(start, digit('7'));
        assert_eq!(collection.press(start, digit('#')), Some(CollectEnd::Terminated));
        assert_eq!(collection.into_digits().as_str(), "7");
    }

    #[test]
    fn old_digits_do_not_count_as_typed_ahead() {
        let start = Instant::now();
        let mut ahead = TypeAhead::default();
        ahead.push(start, digit('1'));
        ahead.push(start + Duration::from_secs(8), digit('2'));
        let taken: Vec<_> = ahead.take(start + Duration::from_secs(10)).collect();
        assert_eq!(taken, [digit('2')]);
        assert_eq!(ahead.take(start + Duration::from_secs(10)).count(), 0);
    }
}
