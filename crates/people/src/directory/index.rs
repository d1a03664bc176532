//! The index: which words stand where, and which of them are like what was typed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::distance::{Distance, Typed};
use super::entry::{Field, Place};

/// The place of somebody in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(u32);

/// Words with where they stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    by_text: BTreeMap<Arc<str>, u32>,
    terms: Vec<Term>,
    free: Vec<u32>,
    /// What each term looks like, apart from the terms so that all can be looked over in a row; nothing for one that is
    /// free.
    outlines: Vec<Outline>,
}

#[derive(Clone, Debug)]
struct Term {
    text: Arc<str>,
    /// By slot.
    postings: Vec<Posting>,
}

/// Somebody has the word, in these places: 24 bits of the slot, 8 of the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Posting(u32);

/// What a word looks like.
#[derive(Clone, Copy, Debug, Default)]
struct Outline {
    letters: Letters,
    /// The word itself, if it is ASCII and no longer; else only zeros.
    short: [u8; SHORT_BYTES],
}

/// Which letters a word has: a bit for each, some letters sharing one; and above them how many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Letters(u64);

/// How well a word fits what was typed, the best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It begins like this, but for two errors.
    BeginsLike2,
    /// It is this but for two errors.
    Like2,
    /// It begins like this, but for one error.
    BeginsLike1,
    /// It is this but for one error.
    Like1,
    /// These are the initials.
    Initials,
    /// It begins so.
    Begins,
    /// It is this.
    Exact,
}

impl Index {
    pub(super) fn add(&mut self, text: &str, slot: Slot, place: Place) {
        let Some(term) = self.term(text) else { return };
        let Some(Term { postings, .. }) = self.terms.get_mut(term as usize) else { return };
        match postings.binary_search_by_key(&slot, |posting| posting.slot()) {
            Ok(found) => {
                if let Some(posting) = postings.get_mut(found) {
                    posting.0 |= place.bit();
                }
            }
            Err(at) => postings.insert(at, Posting::new(slot, place)),
        }
    }

    pub(super) fn remove(&mut self, text: &str, slot: Slot, place: Place) {
        let Some(id) = self.by_text.get(text).copied() else { return };
        let Some(Term { postings, .. }) = self.terms.get_mut(id as usize) else { return };
        let Ok(found) = postings.binary_search_by_key(&slot, |posting| posting.slot()) else { return };
        if let Some(posting) = postings.get_mut(found) {
            posting.0 &= !place.bit();
            if posting.places() == 0 {
                postings.remove(found);
            }
        }
        if postings.is_empty() {
            *postings = Vec::new();
            self.by_text.remove(text);
            self.free.push(id);
            if let Some(outline) = self.outlines.get_mut(id as usize) {
                *outline = Outline::default();
            }
        }
    }

    /// How many words there are.
    #[cfg(test)]
    pub(super) fn terms(&self) -> usize {
        self.by_text.len()
    }

    /// Tells everybody who has a word that fits what was typed: where, how well, and in which field that tells most.
    /// Somebody may be told more than once.
    pub(super) fn find(&self, typed: &str, mut told: impl FnMut(Slot, Fit, Field)) {
        let from = (Bound::Included(typed), Bound::Unbounded);
        for (text, id) in self.by_text.range::<str, _>(from).take_while(|(text, _)| text.starts_with(typed)) {
            let fit = if text.len() == typed.len() { Fit::Exact } else { Fit::Begins };
            self.tell(*id, fit, &mut told);
        }
        let near = Typed::new(typed);
        if near.errors_max() == 0 {
            return;
        }
        let wanted = Letters::of(typed);
        for (id, Outline { letters, short }) in (0u32..).zip(&self.outlines) {
            // A letter that the word does not have is an error at least.
            if wanted.missing(*letters) > u32::from(near.errors_max()) || letters.length() < near.length_min()
            {
                continue;
            }
            let distance = match short.get(..letters.length() as usize) {
                Some(word @ [first, ..]) if *first != 0 => {
                    near.distance(word.iter().map(|letter| char::from(*letter)))
                }
                _ => match self.terms.get(id as usize) {
                    Some(term) => near.distance(term.text.chars()),
                    None => continue,
                },
            };
            if let Some((fit, _)) = like(distance) {
                self.tell(id, fit, &mut told);
            }
        }
    }

    fn tell(&self, id: u32, fit: Fit, told: &mut impl FnMut(Slot, Fit, Field)) {
        for posting in self.terms.get(id as usize).map(|term| term.postings.as_slice()).unwrap_or_default() {
            if let Some(field) = posting.field() {
                told(posting.slot(), fit, field);
            }
            if fit == Fit::Exact && posting.places() & Place::Initials.bit() != 0 {
                told(posting.slot(), Fit::Initials, Field::Name);
            }
        }
    }

    /// The term of a text, which is made if there is none. `None` if there are too many.
    fn term(&mut self, text: &str) -> Option<u32> {
        if let Some(id) = self.by_text.get(text) {
            return Some(*id);
        }
        let text: Arc<str> = Arc::from(text);
        let (term, outline) = (Term { text: text.clone(), postings: Vec::new() }, Outline::of(&text));
        let id = match self.free.pop() {
            Some(id) => {
                *self.terms.get_mut(id as usize)? = term;
                *self.outlines.get_mut(id as usize)? = outline;
                id
            }
            None => {
                let id = u32::try_from(self.terms.len()).ok()?;
                self.terms.push(term);
                self.outlines.push(outline);
                id
            }
        };
        self.by_text.insert(text, id);
        Some(id)
    }
}

/// How well a word fits that is so far from what was typed, and how many of its letters were meant; `None` for the
/// whole word. Nothing for a word that begins with what was typed: that is no error.
pub(super) fn like(distance: Distance) -> Option<(Fit, Option<usize>)> {
    match (distance.whole, distance.beginning) {
        (_, Some((0, _))) => None,
        (Some(1), _) => Some((Fit::Like1, None)),
        (_, Some((1, letters))) => Some((Fit::BeginsLike1, Some(letters))),
        (Some(2), _) => Some((Fit::Like2, None)),
        (_, Some((2, letters))) => Some((Fit::BeginsLike2, Some(letters))),
        _ => None,
    }
}

impl Slot {
    /// The slot of this number; `None` beyond what a posting can hold.
    pub(super) fn nth(number: usize) -> Option<Slot> {
        u32::try_from(number).ok().filter(|number| number >> SLOT_BITS == 0).map(Slot)
    }

    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

impl Posting {
    fn new(slot: Slot, place: Place) -> Posting {
        Posting(slot.0 << PLACE_BITS | place.bit())
    }

    fn slot(self) -> Slot {
        Slot(self.0 >> PLACE_BITS)
    }

    fn places(self) -> u32 {
        self.0 & ((1 << PLACE_BITS) - 1)
    }

    /// The field that tells most.
    fn field(self) -> Option<Field> {
        FIELDS.into_iter().find(|field| self.0 & Place::Field(*field).bit() != 0)
    }
}

impl Place {
    fn bit(self) -> u32 {
        match self {
            Place::Field(field) => 1 << (field as u32),
            Place::Initials => 1 << (PLACE_BITS - 1),
        }
    }
}

impl Outline {
    fn of(text: &str) -> Outline {
        let mut short = [0; SHORT_BYTES];
        if text.is_ascii()
            && let Some(place) = short.get_mut(..text.len())
        {
            place.copy_from_slice(text.as_bytes());
        }
        Outline { letters: Letters::of(text), short }
    }
}

impl Letters {
    fn of(text: &str) -> Letters {
        let mut letters = 0;
        let mut length = 0u64;
        for letter in text.chars() {
            length += 1;
            letters |= 1
                << match letter {
                    'a'..='z' => u32::from(letter) - u32::from('a'),
                    '0'..='9' => 26 + u32::from(letter) - u32::from('0'),
                    other => 36 + u32::from(other) % (LETTER_BITS - 36),
                };
        }
        Letters(letters | length.min(u64::from(u8::MAX)) << LETTER_BITS)
    }

    /// How many of these letters the other word does not have, at least.
    fn missing(self, other: Letters) -> u32 {
        (self.0 & !other.0 & ((1 << LETTER_BITS) - 1)).count_ones()
    }

    /// How many letters the word has.
    fn length(self) -> u32 {
        u32::try_from(self.0 >> LETTER_BITS).unwrap_or(u32::MAX)
    }
}

const FIELDS: [Field; 6] =
    [Field::Name, Field::Account, Field::Skill, Field::JobTitle, Field::Department, Field::Office];

const PLACE_BITS: u32 = 8;
const SLOT_BITS: u32 = 32 - PLACE_BITS;

/// Bits for letters in [`Letters`].
const LETTER_BITS: u32 = 56;

/// Letters of a word that are kept in its [`Outline`]: most words have no more.
const SHORT_BYTES: usize = 16;
