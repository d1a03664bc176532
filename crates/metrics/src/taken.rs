//! Which facts were taken in already.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The numbers of the facts that were taken in: all up to one, and some beyond it that came early.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taken {
    through: u64,
    beyond: BTreeSet<u64>,
}

impl Taken {
    /// Notes a number; `false` if it was taken before.
    pub(crate) fn take(&mut self, number: u64) -> bool {
        if number <= self.through || !self.beyond.insert(number) {
            return false;
        }
        if self.beyond.len() > EARLY_MAX {
            self.through = self.beyond.first().copied().unwrap_or(number) - 1;
        }
        while self.beyond.first().is_some_and(|first| *first == self.through + 1) {
            self.beyond.pop_first();
            self.through += 1;
        }
        true
    }

    /// The highest number taken.
    pub(crate) fn last(&self) -> u64 {
        self.beyond.last().copied().unwrap_or(self.through)
    }
}

/// How many facts may come before one that is still missing. At the limit the missing one is given up: if it
/// comes after all, it counts as taken.
const EARLY_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_taken_once_in_any_order() {
        let mut taken = Taken::default();
        let fresh: Vec<u64> = [3, 1, 1, 2, 3, 4].into_iter().filter(|number| taken.take(*number)).collect();
        assert_eq!(fresh, [3, 1, 2, 4]);
        assert_eq!((taken.through, taken.beyond.len()), (4, 0));
    }

    #[test]
    fn a_number_that_never_comes_is_given_up() {
        let mut taken = Taken::default();
        for number in 2..=20_000 {
            assert!(taken.take(number));
        }
        assert!(!taken.take(1));
        assert_eq!(taken.last(), 20_000);
        assert!(taken.beyond.len() <= EARLY_MAX);
    }
}
