//! Searching the directory while somebody types.

use std::cmp::Ordering;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::distance::Typed;
use super::entry::{Entry, EntryId, Field, initials};
use super::fold::{self, Spelling, Word};
use super::index::{Fit, like};
use super::{Directory, Stored};

/// Whom else a search is narrowed to. `Default` is nobody in particular.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filters<'a> {
    /// People of this department, however it is written.
    pub department: Option<&'a str>,
    /// People with this skill, however it is written.
    pub skill: Option<&'a str>,
}

/// Somebody who was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Who.
    pub id: EntryId,
    /// How well, to compare with the others of the same search.
    pub score: Score,
    /// What of the entry was meant, in order, to be shown in bold.
    pub matches: Vec<Match>,
}

/// How well somebody was found: more is better. Says nothing about other searches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Score(pub u32);

/// Letters of an entry that were meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Match {
    /// In which text.
    pub field: Field,
    /// Which of the texts: the number of the skill, counted from 0; 0 for the account, 1 for the address for mail; else 0.
    pub number: usize,
    /// From which byte of the text.
    pub start: usize,
    /// Up to before which byte.
    pub end: usize,
}

impl Match {
    /// The letters as a range of bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    fn of(field: Field, number: usize, word: &Word, letters: usize) -> Option<Match> {
        let (start, _) = *word.spans.first()?;
        let (_, end) = *word.spans.get(letters.checked_sub(1)?)?;
        Some(Match { field, number, start, end })
    }
}

impl Directory {
    /// Characters of a query that are read; the others are not.
    pub const QUERY_CHARS_MAX: usize = 64;
    /// Words of a query that are read; the others are not.
    pub const QUERY_WORDS_MAX: usize = 8;
    /// People found at most; a larger wish is cut to this.
    pub const HITS_MAX: usize = 200;

    /// The people whom a query fits, the best first; those whom it fits alike, by name and id.
    ///
    /// Each word of the query must be, begin or nearly be a word of the entry, in any order; or be the initials of the
    /// name. In a word of 4 letters and more one typing error is forgiven, of 8 and more two. A word that is exactly there
    /// counts more than one that begins so, and that more than one with errors; among those a name counts more than a
    /// skill, and a skill more than a department. A query without words finds everybody, by name.
    pub fn search(&self, query: &str, filters: Filters<'_>, limit: usize) -> Vec<Hit> {
        let words = typed(query);
        let Some(passes) = self.passes(filters) else { return Vec::new() };
        let scores = self.scores(&words);
        let mut found: Vec<(Score, &Stored)> = (0usize..)
            .zip(&self.people)
            .filter_map(|(place, stored)| Some((scores.get(place)?, stored.as_ref()?)))
            .filter(|(_, stored)| passes.admits(stored))
            .collect();
        let limit = limit.min(Directory::HITS_MAX);
        if limit > 0 && found.len() > limit {
            found.select_nth_unstable_by(limit - 1, compare);
        }
        found.truncate(limit);
        found.sort_unstable_by(compare);
        found
            .into_iter()
            .map(|(score, Stored { entry, .. })| Hit {
                id: entry.id.clone(),
                score,
                matches: matches(entry, &words),
            })
            .collect()
    }

    /// How well each slot fits all words.
    fn scores(&self, words: &[String]) -> Scores {
        let Some((first, others)) = words.split_first() else { return Scores::Everybody };
        let mut all = self.scores_of(first);
        for word in others {
            for (sum, score) in all.iter_mut().zip(self.scores_of(word)) {
                *sum = if *sum == 0 || score == 0 { 0 } else { *sum + score };
            }
        }
        Scores::Some(all)
    }

    /// How well each slot fits one word; 0 if it does not.
    fn scores_of(&self, word: &str) -> Vec<u16> {
        let mut scores = vec![0; self.people.len()];
        self.index.find(word, |slot, fit, field| {
            if let Some(score) = scores.get_mut(slot.place()) {
                *score = weight(fit, field).max(*score);
            }
        });
        scores
    }

    /// `None` if nobody passes.
    fn passes(&self, filters: Filters<'_>) -> Option<Passes> {
        let department = match filters.department {
            Some(name) => Some(self.departments.find(name)?),
            None => None,
        };
        let skill = match filters.skill {
            Some(name) => Some(self.skills.find(name)?),
            None => None,
        };
        Some(Passes { department, skill })
    }
}

/// The filters, looked up.
struct Passes {
    department: Option<super::GroupId>,
    skill: Option<super::GroupId>,
}

impl Passes {
    fn admits(&self, stored: &Stored) -> bool {
        (self.department.is_none() || self.department == stored.department)
            && self.skill.is_none_or(|skill| stored.skills.contains(&Some(skill)))
    }
}

enum Scores {
    Everybody,
    Some(Vec<u16>),
}

impl Scores {
    fn get(&self, place: usize) -> Option<Score> {
        match self {
            Scores::Everybody => Some(Score(0)),
            Scores::Some(scores) => {
                scores.get(place).filter(|score| **score > 0).map(|score| Score(u32::from(*score)))
            }
        }
    }
}

/// The best first; those who fit alike by name, and by id.
fn compare((score, one): &(Score, &Stored), (other_score, other): &(Score, &Stored)) -> Ordering {
    other_score
        .cmp(score)
        .then_with(|| one.order.cmp(&other.order))
        .then_with(|| one.entry.id.cmp(&other.entry.id))
}

/// The words of a query.
fn typed(query: &str) -> Vec<String> {
    let query: String = query.chars().take(Directory::QUERY_CHARS_MAX).collect();
    let words = fold::words(&query, Spelling::Plain).filter(|word| !word.is_part);
    words.map(|word| word.text).take(Directory::QUERY_WORDS_MAX).collect()
}

/// What a word counts: how well it fits comes first, then where.
fn weight(fit: Fit, field: Field) -> u16 {
    let place = match field {
        Field::Name => 6,
        Field::Account => 5,
        Field::Skill => 4,
        Field::JobTitle => 3,
        Field::Department => 2,
        Field::Office => 1,
    };
    (fit as u16) * 8 + place
}

/// What of an entry the words meant.
fn matches(entry: &Entry, typed: &[String]) -> Vec<Match> {
    let mut all = Vec::new();
    for typed in typed {
        let near = Typed::new(typed);
        let mut best: Option<(Fit, Vec<Match>)> = None;
        for (field, number, text) in entry.texts() {
            for spelling in Spelling::of(text) {
                for word in fold::words(text, *spelling) {
                    let Some((fit, letters)) = fits(typed, &near, &word) else { continue };
                    let Some(found) = Match::of(field, number, &word, letters) else { continue };
                    match &mut best {
                        Some((known, _)) if *known > fit => {}
                        Some((known, matches)) if *known == fit => matches.push(found),
                        _ => best = Some((fit, vec![found])),
                    }
                }
            }
        }
        if best.as_ref().is_none_or(|(fit, _)| *fit < Fit::Initials) && initials(&entry.name).contains(typed)
        {
            let words = fold::words(&entry.name, Spelling::Plain).filter(|word| !word.is_part);
            let first =
                words.filter(|word| word.text.chars().next().is_some_and(|letter| typed.contains(letter)));
            let matches = first.filter_map(|word| Match::of(Field::Name, 0, &word, 1)).collect();
            best = Some((Fit::Initials, matches));
        }
        all.extend(best.into_iter().flat_map(|(_, matches)| matches));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// How well a word of an entry fits what was typed, and how many of its letters were meant.
fn fits(typed: &str, near: &Typed, word: &Word) -> Option<(Fit, usize)> {
    let letters = word.spans.len();
    if word.text == typed {
        return Some((Fit::Exact, letters));
    }
    if word.text.starts_with(typed) {
        return Some((Fit::Begins, typed.chars().count()));
    }
    let (fit, meant) = like(near.distance(word.text.chars()))?;
    Some((fit, meant.unwrap_or(letters)))
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::directory::Skill;
    use crate::directory::distance::tests::errors_by_definition;
    use crate::directory::entry::Place;

    /// The definition, word for word, of what a search answers.
    fn search_by_definition(people: &[Entry], query: &str) -> Vec<(EntryId, Score)> {
        let words = typed(query);
        let mut found: Vec<(Reverse<u32>, String, EntryId)> = people
            .iter()
            .filter_map(|entry| {
                let terms = entry.terms();
                let mut sum = 0;
                for typed in &words {
                    sum += terms.iter().filter_map(|term| weight_by_definition(typed, term)).max()?;
                }
                Some((Reverse(sum), fold::key(&entry.name), entry.id.clone()))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(score, _, id)| (id, Score(score.0))).collect()
    }

    fn weight_by_definition(typed: &str, (word, place): &(String, Place)) -> Option<u32> {
        let Place::Field(field) = place else {
            return (typed == word).then(|| u32::from(weight(Fit::Initials, Field::Name)));
        };
        let (letters, of_word): (Vec<char>, Vec<char>) = (typed.chars().collect(), word.chars().collect());
        let allowed = match letters.len() {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        let whole = errors_by_definition(&letters, &of_word);
        let begins = (0..=of_word.len()).map(|end| errors_by_definition(&letters, &of_word[..end])).min()?;
        let fit = match (whole, begins) {
            (0, _) => Fit::Exact,
            (_, 0) => Fit::Begins,
            (1, _) if allowed >= 1 => Fit::Like1,
            (_, 1) if allowed >= 1 => Fit::BeginsLike1,
            (2, _) if allowed >= 2 => Fit::Like2,
            (_, 2) if allowed >= 2 => Fit::BeginsLike2,
            _ => return None,
        };
        Some(u32::from(weight(fit, *field)))
    }

    fn somebody() -> impl Strategy<Value = Entry> {
        let word = "[abcäüß]{1,9}";
        let name = (word, word).prop_map(|(first, last)| format!("{first} {last}"));
        let texts = (name, prop::option::of(word), prop::option::of(word), prop::collection::vec(word, 0..3));
        (0u8..30, texts).prop_map(|(id, (name, department, job_title, skills))| {
            let mut entry = Entry::new(&id.to_string(), &name);
            entry.department = department;
            entry.job_title = job_title;
            entry.user_name = Some(format!("{}@contoso.example", name.replace(' ', ".")));
            entry.skills = skills.iter().map(|name| Skill::of_profile(name)).collect();
            entry
        })
    }

    /// A directory that was changed, and those who are in it in the end.
    fn changed(steps: &[Entry], gone: &BTreeSet<u8>) -> (Directory, Vec<Entry>) {
        let mut directory = Directory::new();
        for entry in steps {
            directory.upsert(entry.clone()).unwrap();
        }
        for id in gone {
            directory.remove(&EntryId::new(&id.to_string()));
        }
        let left = directory.entries().cloned().collect();
        (directory, left)
    }

    proptest! {
        #[test]
        fn it_is_what_the_definition_says(
            steps in prop::collection::vec(somebody(), 0..40),
            gone in prop::collection::btree_set(0u8..30, 0..8),
            query in "[abcäüß]{1,9}( [abc]{1,5})?",
            limit in 1usize..50,
        ) {
            let (directory, people) = changed(&steps, &gone);
            let hits = directory.search(&query, Filters::default(), limit);
            let found: Vec<_> = hits.iter().map(|hit| (hit.id.clone(), hit.score)).collect();
            let mut expected = search_by_definition(&people, &query);
            expected.truncate(limit);
            prop_assert_eq!(found, expected);
            for hit in hits {
                prop_assert!(!hit.matches.is_empty());
                check_matches(directory.get(&hit.id).unwrap(), &hit.matches);
            }
        }

        #[test]
        fn what_is_found_is_found_with_a_typing_error(
            people in prop::collection::vec(somebody(), 1..20),
            which in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            kind in 0u8..4,
        ) {
            let (directory, people) = changed(&people, &BTreeSet::new());
            let person = which.get(&people);
            let words: Vec<String> = typed(&person.name).into_iter().filter(|word| word.len() >= 5).collect();
            for word in words {
                let mut letters: Vec<char> = word.chars().collect();
                let at = at.index(letters.len() - 1);
                match kind {
                    0 => { letters.remove(at); }
                    1 => letters.insert(at, 'x'),
                    2 => letters[at] = 'x',
                    _ => letters.swap(at, at + 1),
                }
                let misspelt: String = letters.into_iter().collect();
                let hits = directory.search(&misspelt, Filters::default(), usize::MAX);
                prop_assert!(hits.iter().any(|hit| hit.id == person.id), "{} for {}", misspelt, word);
            }
        }

        #[test]
        fn any_text_may_be_searched_and_searched_for(
            name in "\\PC{0,80}", skill in "\\PC{0,40}", query in "\\PC{0,80}", department in "\\PC{0,20}",
        ) {
            let mut entry = Entry::new("1", &name);
            entry.skills = vec![Skill::of_profile(&skill)];
            entry.department = Some(department.clone());
            entry.mail = Some(query.clone());
            let mut directory = Directory::new();
            directory.upsert(entry.clone()).unwrap();
            for query in [&query, &name, &skill] {
                for hit in directory.search(query, Filters::default(), 10) {
                    check_matches(&entry.clone().cut(), &hit.matches);
                }
            }
            let filters = Filters { department: Some(&department), skill: Some(&skill) };
            let _ = directory.search("", filters, 10);
            // Whoever has a name is found by it.
            if name.chars().count() <= Directory::QUERY_CHARS_MAX && typed(&name).len() < 8 {
                prop_assert_eq!(directory.search(&name, Filters::default(), 1).len(), 1);
            }
            prop_assert!(directory.remove(&entry.id));
            prop_assert_eq!(directory.index.terms(), 0);
        }
    }

    fn check_matches(entry: &Entry, matches: &[Match]) {
        for found in matches {
            let texts: Vec<(Field, usize, &str)> = entry.texts().collect();
            let text =
                texts.iter().find(|(field, number, _)| (*field, *number) == (found.field, found.number));
            let (_, _, text) = text.unwrap();
            assert!(!text.get(found.range()).unwrap().is_empty());
        }
    }
}
