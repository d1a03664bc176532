//! A room that strangers share.

use std::collections::BTreeMap;

use crate::source::Source;

/// Places that strangers share: a source may have as many as are free besides.
///
/// So one that asks without end gets half of the room, two get a third each, and there is always something left for whoever
/// has less. A source that is alone, such as an office behind one address, is only held to that half.
#[derive(Clone, Debug)]
pub struct Room {
    places: usize,
    taken: usize,
    by_source: BTreeMap<Source, usize>,
}

/// There is no further place for this source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// It has its share.
    OfThis,
    /// It has none, and there is none: too many others have theirs.
    OfOthers,
}

impl Room {
    /// An empty room of so many places.
    pub const fn new(places: usize) -> Room {
        Room { places, taken: 0, by_source: BTreeMap::new() }
    }

    /// Takes a place.
    ///
    /// # Errors
    ///
    /// There is none for this source: see [`Full`].
    pub fn enter(&mut self, source: Source) -> Result<(), Full> {
        let has = self.of(source);
        if has >= self.places.saturating_sub(self.taken) {
            return Err(if has > 0 { Full::OfThis } else { Full::OfOthers });
        }
        self.admit(source);
        Ok(())
    }

    /// Takes a place that is known to be free, whether or not it is in the source's share.
    pub fn admit(&mut self, source: Source) {
        *self.by_source.entry(source).or_default() += 1;
        self.taken += 1;
    }

    /// Gives a place back that this source has taken.
    pub fn leave(&mut self, source: Source) {
        let Some(has) = self.by_source.get_mut(&source) else { return };
        *has -= 1;
        if *has == 0 {
            self.by_source.remove(&source);
        }
        self.taken -= 1;
    }

    /// The places that a source has.
    pub fn of(&self, source: Source) -> usize {
        self.by_source.get(&source).copied().unwrap_or(0)
    }

    /// The places that are taken.
    pub const fn taken(&self) -> usize {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;

    fn source(number: u8) -> Source {
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, number)).into()
    }

    /// One asks until it gets nothing more; how many it got.
    fn fill(room: &mut Room, number: u8) -> usize {
        std::iter::from_fn(|| room.enter(source(number)).ok()).count()
    }

    #[test]
    fn one_gets_half_and_leaves_half_to_the_others() {
        let mut room = Room::new(100);
        assert_eq!(fill(&mut room, 1), 50);
        assert_eq!(room.enter(source(1)), Err(Full::OfThis));
        assert_eq!(fill(&mut room, 2), 25);
        assert_eq!(fill(&mut room, 3), 13);
        assert_eq!(room.enter(source(4)), Ok(()), "whoever has nothing finds a place");
    }

    #[test]
    fn a_place_that_is_given_back_is_free() {
        let mut room = Room::new(2);
        room.enter(source(1)).unwrap();
        assert_eq!(room.enter(source(1)), Err(Full::OfThis));
        room.enter(source(2)).unwrap();
        assert_eq!(room.enter(source(3)), Err(Full::OfOthers));
        room.leave(source(1));
        room.leave(source(1));
        assert_eq!((room.of(source(1)), room.taken()), (0, 1), "nobody gives back what they do not have");
        room.enter(source(3)).unwrap();
    }

    proptest! {
        #[test]
        fn it_is_never_overfull_and_counts_right(acts in proptest::collection::vec((any::<bool>(), 0..6_u8), 0..200)) {
            let mut room = Room::new(10);
            for (enters, number) in acts {
                if enters {
                    let _ = room.enter(source(number));
                } else {
                    room.leave(source(number));
                }
                prop_assert!(room.taken() <= 10);
                prop_assert_eq!((0..6).map(|number| room.of(source(number))).sum::<usize>(), room.taken());
            }
        }
    }
}
