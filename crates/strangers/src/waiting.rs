//! What has begun and waits for its end.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use crate::room::{Full, Room};
use crate::source::Source;

/// What strangers have begun and nobody has ended yet, by its name `K`, each good until a moment `M`.
///
/// It takes no more than its [`Room`]. A source whose share is full loses the oldest of its own with each that it begins, and
/// takes nothing from anybody else; only when so many sources share it that there is not one place for each does the oldest of
/// all go.
#[derive(Clone, Debug)]
pub struct Waiting<K, T, M> {
    room: Room,
    /// The next number; what began later has a greater one.
    next: u64,
    /// What waits, the oldest first.
    all: BTreeMap<u64, Begun<K, T, M>>,
    by_name: BTreeMap<K, u64>,
    by_source: BTreeSet<(Source, u64)>,
}

#[derive(Clone, Debug)]
struct Begun<K, T, M> {
    name: K,
    source: Source,
    until: M,
    what: T,
}

impl<K: Clone + Ord, T, M: Copy + Ord> Waiting<K, T, M> {
    /// Nothing waits, and there is room for so many.
    pub const fn new(places: usize) -> Waiting<K, T, M> {
        Waiting {
            room: Room::new(places),
            next: 0,
            all: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_source: BTreeSet::new(),
        }
    }

    /// Keeps what a source has begun. What is over goes first when there is no room; of two with the same name the later one
    /// counts.
    pub fn insert(&mut self, source: Source, name: K, what: T, until: M, now: M) {
        self.take(&name);
        if !self.find_place(source, now) {
            return;
        }
        let number = self.next;
        self.next += 1;
        self.by_name.insert(name.clone(), number);
        self.by_source.insert((source, number));
        self.all.insert(number, Begun { name, source, until, what });
    }

    /// Takes out what has this name, whether or not it is over.
    pub fn take<N: Ord + ?Sized>(&mut self, name: &N) -> Option<T>
    where
        K: Borrow<N>,
    {
        let number = *self.by_name.get(name)?;
        self.remove(number)
    }

    /// What has this name, whether or not it is over.
    pub fn get_mut<N: Ord + ?Sized>(&mut self, name: &N) -> Option<&mut T>
    where
        K: Borrow<N>,
    {
        let number = self.by_name.get(name)?;
        self.all.get_mut(number).map(|begun| &mut begun.what)
    }

    /// Forgets what is over.
    pub fn forget_old(&mut self, now: M) {
        while let Some((number, begun)) = self.all.first_key_value()
            && begun.until <= now
        {
            let number = *number;
            self.remove(number);
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes a place for this source: a free one, else of what is over, else of its own, else of whoever came first. Whether
    /// there is one: a room may have none at all.
    fn find_place(&mut self, source: Source, now: M) -> bool {
        if self.room.enter(source).is_ok() {
            return true;
        }
        self.forget_old(now);
        let goes = match self.room.enter(source) {
            Ok(()) => return true,
            Err(Full::OfThis) => {
                self.by_source.range((source, 0)..=(source, u64::MAX)).next().map(|own| own.1)
            }
            Err(Full::OfOthers) => self.all.keys().next().copied(),
        };
        let Some(number) = goes else { return false };
        self.remove(number);
        self.room.admit(source);
        true
    }

    fn remove(&mut self, number: u64) -> Option<T> {
        let begun = self.all.remove(&number)?;
        self.by_name.remove(&begun.name);
        self.by_source.remove(&(begun.source, number));
        self.room.leave(begun.source);
        Some(begun.what)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;

    type Names = Waiting<u32, &'static str, u32>;

    fn source(number: u8) -> Source {
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, number)).into()
    }

    fn begin(waiting: &mut Names, of: u8, name: u32) {
        waiting.insert(source(of), name, "begun", 1_000, 0);
    }

    #[test]
    fn one_that_asks_without_end_loses_its_own_and_nobody_else_s() {
        let mut waiting = Names::new(10);
        begin(&mut waiting, 1, 1);
        for name in 100..200 {
            begin(&mut waiting, 2, name);
        }
        begin(&mut waiting, 3, 2);
        assert_eq!(waiting.len(), 7);
        let left: Vec<u32> = (0..200).filter(|name| waiting.take(name).is_some()).collect();
        assert_eq!(left, [1, 2, 195, 196, 197, 198, 199]);
    }

    #[test]
    fn whoever_had_much_before_others_came_keeps_it_and_gets_no_more() {
        let mut waiting = Names::new(10);
        for name in 0..5 {
            begin(&mut waiting, 1, name);
        }
        for name in 5..8 {
            begin(&mut waiting, 2, name);
        }
        begin(&mut waiting, 1, 8);
        assert_eq!(waiting.take(&0), None, "the oldest of its own");
        assert!((1..9).all(|name| waiting.take(&name).is_some()));
    }

    #[test]
    fn what_is_over_goes_before_what_is_good() {
        let mut waiting = Names::new(3);
        waiting.insert(source(1), 1, "over", 10, 0);
        waiting.insert(source(2), 2, "good", 30, 0);
        waiting.insert(source(2), 3, "good too", 30, 10);
        assert_eq!((waiting.take(&1), waiting.take(&2)), (None, Some("good")));
        waiting.forget_old(29);
        assert_eq!(waiting.len(), 1);
        waiting.forget_old(30);
        assert!(waiting.is_empty());
    }

    #[test]
    fn only_when_there_are_more_sources_than_places_the_first_of_all_goes() {
        let mut waiting = Names::new(3);
        for of in 1..=4 {
            begin(&mut waiting, of, of.into());
        }
        assert_eq!((waiting.take(&1), waiting.take(&4)), (None, Some("begun")));
        let mut none = Names::new(0);
        begin(&mut none, 1, 1);
        assert!(none.is_empty());
    }

    #[test]
    fn of_two_with_one_name_the_later_counts() {
        let mut waiting = Names::new(4);
        waiting.insert(source(1), 7, "first", 10, 0);
        waiting.insert(source(2), 7, "second", 10, 0);
        assert_eq!(waiting.get_mut(&7), Some(&mut "second"));
        assert_eq!((waiting.len(), waiting.take(&7), waiting.take(&7)), (1, Some("second"), None));
    }

    proptest! {
        #[test]
        fn it_never_holds_more_than_its_room(acts in proptest::collection::vec((0..5_u8, 0..40_u32, 0..3_u8), 0..300)) {
            let mut waiting = Names::new(12);
            for (now, (of, name, act)) in (0..).zip(acts) {
                match act {
                    0 => drop(waiting.take(&name)),
                    1 => waiting.forget_old(now),
                    _ => {
                        waiting.insert(source(of), name, "begun", now + 20, now);
                        prop_assert!(waiting.get_mut(&name).is_some(), "what was just begun waits");
                    }
                }
                prop_assert!(waiting.len() <= 12);
                prop_assert_eq!(waiting.room.taken(), waiting.len());
            }
        }
    }
}
