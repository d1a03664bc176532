//! People to find: everybody whom the customer's directory names, searched while somebody types, and suggested by what
//! they know.
//!
//! A [`Directory`] holds one tenant's people. It is found in by words: names, accounts, skills, titles, departments and
//! offices; accents and case do not matter, beginnings are enough, and typing errors are forgiven. [`Experts`] ask it who
//! can help with something; [`Solved`] remembers who did.
//!
//! What it costs: some 1.4 KB of memory a person, index included, and a few milliseconds a search among 50,000.

mod distance;
mod entry;
mod experts;
mod fold;
mod groups;
mod index;
mod search;
mod solved;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use entry::{Entry, EntryId, Field, Skill, SkillSource};
pub use experts::{Experts, Reason, Seen, Standing, Suggestion, WantedSkill};
pub use search::{Filters, Hit, Match, Score};
pub use solved::{Memory, Solved, Solver, Topic};

use groups::{GroupId, Groups};
use index::{Index, Slot};

/// The people of one tenant, to be searched.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: Vec<Option<Stored>>,
    free: Vec<Slot>,
    by_id: BTreeMap<EntryId, Slot>,
    by_agent: BTreeMap<Arc<str>, Slot>,
    index: Index,
    departments: Groups,
    skills: Groups,
}

/// There are as many people as a directory may hold, and this one was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the directory is full")]
pub struct Full;

impl Directory {
    /// People in one directory at most; nobody else is added.
    pub const ENTRIES_MAX: usize = 200_000;

    /// A directory of nobody.
    pub fn new() -> Directory {
        Directory::default()
    }

    /// How many people are in it.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Somebody by id.
    pub fn get(&self, id: &EntryId) -> Option<&Entry> {
        self.by_id.get(id).and_then(|slot| self.stored(*slot)).map(|stored| &stored.entry)
    }

    /// Somebody by the agent that he or she is.
    pub fn agent(&self, agent: &str) -> Option<&Entry> {
        self.by_agent.get(agent).and_then(|slot| self.stored(*slot)).map(|stored| &stored.entry)
    }

    /// Everybody, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_id.values().filter_map(|slot| self.stored(*slot)).map(|stored| &stored.entry)
    }

    /// Adds somebody, or replaces what is known. What is longer than an entry may be is cut, see [`Entry`].
    ///
    /// # Errors
    ///
    /// There are [`Directory::ENTRIES_MAX`] others.
    pub fn upsert(&mut self, entry: Entry) -> Result<(), Full> {
        let entry = entry.cut();
        if let Some(known) = self.get(&entry.id) {
            if *known == entry {
                return Ok(());
            }
            let id = entry.id.clone();
            self.remove(&id);
        } else if self.len() >= Directory::ENTRIES_MAX {
            return Err(Full);
        }
        let Some(slot) = self.free.pop().or_else(|| Slot::nth(self.people.len())) else { return Err(Full) };
        let stored = Stored {
            order: fold::key(&entry.name).into(),
            department: entry.department.as_deref().and_then(|name| self.departments.enter(name)),
            skills: entry.skills.iter().map(|skill| self.skills.enter(&skill.name)).collect(),
            entry,
        };
        for (term, field) in stored.entry.terms() {
            self.index.add(&term, slot, field);
        }
        self.by_id.insert(stored.entry.id.clone(), slot);
        if let Some(agent) = &stored.entry.agent {
            self.by_agent.insert(agent.clone(), slot);
        }
        match self.people.get_mut(slot.place()) {
            Some(place) => *place = Some(stored),
            None => self.people.push(Some(stored)),
        }
        Ok(())
    }

    /// Removes somebody. `false` if nobody has this id.
    pub fn remove(&mut self, id: &EntryId) -> bool {
        let Some(slot) = self.by_id.remove(id) else { return false };
        let Some(stored) = self.people.get_mut(slot.place()).and_then(Option::take) else { return false };
        for (term, field) in stored.entry.terms() {
            self.index.remove(&term, slot, field);
        }
        if let Some(agent) = &stored.entry.agent
            && self.by_agent.get(agent) == Some(&slot)
        {
            self.by_agent.remove(agent);
        }
        if let Some(group) = stored.department {
            self.departments.leave(group);
        }
        for group in stored.skills.into_iter().flatten() {
            self.skills.leave(group);
        }
        self.free.push(slot);
        true
    }

    /// The departments with how many people each has, in order; written as somebody wrote them first.
    pub fn departments(&self) -> impl Iterator<Item = (&str, usize)> {
        self.departments.iter()
    }

    /// The skills with how many people each has, in order; written as somebody wrote them first.
    pub fn skills(&self) -> impl Iterator<Item = (&str, usize)> {
        self.skills.iter()
    }

    fn stored(&self, slot: Slot) -> Option<&Stored> {
        self.people.get(slot.place()).and_then(Option::as_ref)
    }
}

/// Somebody as the directory keeps them.
#[derive(Clone, Debug)]
struct Stored {
    entry: Entry,
    /// The name as it is sorted by.
    order: Box<str>,
    department: Option<GroupId>,
    /// Of each skill of the entry.
    skills: Box<[Option<GroupId>]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Entry {
        let mut ada = Entry::new("1", "Ada Byron");
        ada.department = Some("Numbers".into());
        ada.agent = Some("ada".into());
        ada.skills = vec![Skill::told("Analysis", Some(5)), Skill::told("analysis", None)];
        ada
    }

    fn found(directory: &Directory, query: &str) -> Vec<String> {
        let hits = directory.search(query, Filters::default(), 10);
        hits.into_iter().map(|hit| hit.id.as_str().to_owned()).collect()
    }

    #[test]
    fn who_is_added_is_found_and_who_is_removed_is_not() {
        let mut directory = Directory::new();
        directory.upsert(ada()).unwrap();
        directory.upsert(Entry::new("2", "Charles Babbage")).unwrap();
        assert_eq!(
            (found(&directory, "ada"), found(&directory, "babb")),
            (vec!["1".into()], vec!["2".into()])
        );
        assert_eq!(directory.agent("ada"), Some(&ada()));
        assert!(directory.remove(&EntryId::new("1")));
        assert!(!directory.remove(&EntryId::new("1")));
        assert!(found(&directory, "ada").is_empty() && directory.agent("ada").is_none());
        assert_eq!((directory.departments().count(), directory.skills().count()), (0, 0));
        assert_eq!(directory.index.terms(), 3, "those of Babbage");
    }

    #[test]
    fn who_is_changed_is_found_by_what_is_known_now() {
        let mut directory = Directory::new();
        directory.upsert(ada()).unwrap();
        directory.upsert(Entry { name: "Ada Lovelace".into(), ..ada() }).unwrap();
        assert_eq!((found(&directory, "lovelace"), found(&directory, "byron")), (vec!["1".into()], vec![]));
        assert_eq!(directory.len(), 1);
        assert_eq!(directory.departments().collect::<Vec<_>>(), [("Numbers", 1)]);
    }

    #[test]
    fn nothing_is_left_when_everybody_has_gone() {
        let mut directory = Directory::new();
        for round in 0..3 {
            for number in 0..50 {
                let name = format!("Person {number} of {round}");
                directory.upsert(Entry { id: EntryId::new(&number.to_string()), name, ..ada() }).unwrap();
            }
        }
        assert_eq!((directory.len(), directory.people.len()), (50, 50));
        for number in 0..50 {
            assert!(directory.remove(&EntryId::new(&number.to_string())));
        }
        assert_eq!((directory.index.terms(), directory.by_agent.len()), (0, 0));
        assert!(directory.is_empty());
    }
}
