//! Somebody to find.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fold::{self, Spelling};

/// Somebody to find, with what others may know about them.
///
/// Texts are at most [`Entry::TEXT_BYTES_MAX`] bytes, skills [`Entry::SKILLS_MAX`] and languages
/// [`Entry::LANGUAGES_MAX`]; what is more is cut off when the entry is added to a [`Directory`](super::Directory).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The id, unique in the directory.
    pub id: EntryId,
    /// The name as shown.
    pub name: String,
    /// The account (user principal name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The address for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// The department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Where the office is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// What the person can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Skill>,
    /// Languages that the person speaks, as tags such as `de` (BCP 47).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// The agent that the person is, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Arc<str>>,
    /// A telephone number, as the directory writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Who an entry is about: the id that the customer's directory gives, unique in one [`Directory`](super::Directory).
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(Arc<str>);

/// Something that a person can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// What.
    pub name: String,
    /// How well, more is better, if anybody said; 5 is as good as one can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Who says so.
    pub source: SkillSource,
}

/// Who says that somebody has a skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkillSource {
    /// The person's profile in Microsoft 365.
    Profile,
    /// An administrator here.
    Tandem,
}

/// Where something was found, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The name.
    Name,
    /// The account, or the address for mail.
    Account,
    /// A skill.
    Skill,
    /// The title.
    JobTitle,
    /// The department.
    Department,
    /// The office.
    Office,
}

/// Where a word of the index stands: a field, or the initials of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Field(Field),
    Initials,
}

impl Entry {
    /// One text at most, in bytes; the rest is cut off.
    pub const TEXT_BYTES_MAX: usize = 256;
    /// Skills of one person at most; the others are left out.
    pub const SKILLS_MAX: usize = 64;
    /// Languages of one person at most; the others are left out.
    pub const LANGUAGES_MAX: usize = 16;

    /// Somebody of whom only the name is known.
    pub fn new(id: &str, name: &str) -> Entry {
        Entry {
            id: EntryId::new(id),
            name: name.to_owned(),
            user_name: None,
            mail: None,
            department: None,
            job_title: None,
            office: None,
            skills: Vec::new(),
            languages: Vec::new(),
            agent: None,
            phone: None,
        }
    }

    pub(super) fn cut(mut self) -> Entry {
        cut(&mut self.name);
        let texts = [
            &mut self.user_name,
            &mut self.mail,
            &mut self.department,
            &mut self.job_title,
            &mut self.office,
            &mut self.phone,
        ];
        texts.into_iter().flatten().for_each(cut);
        self.skills.truncate(Entry::SKILLS_MAX);
        self.skills.iter_mut().for_each(|skill| cut(&mut skill.name));
        self.languages.truncate(Entry::LANGUAGES_MAX);
        self.languages.iter_mut().for_each(cut);
        self
    }

    /// The texts that are searched, each with its field and, among skills, which one it is.
    pub(super) fn texts(&self) -> impl Iterator<Item = (Field, usize, &str)> {
        fn one(field: Field, text: Option<&String>) -> Option<(Field, usize, &str)> {
            text.map(|text| (field, 0, text.as_str()))
        }
        // Of an address, what stands before the domain: everybody has the same domain.
        fn account(number: usize, text: Option<&String>) -> Option<(Field, usize, &str)> {
            text.map(|text| (Field::Account, number, text.split('@').next().unwrap_or_default()))
        }
        [
            Some((Field::Name, 0, self.name.as_str())),
            account(0, self.user_name.as_ref()),
            account(1, self.mail.as_ref()),
            one(Field::JobTitle, self.job_title.as_ref()),
            one(Field::Department, self.department.as_ref()),
            one(Field::Office, self.office.as_ref()),
        ]
        .into_iter()
        .flatten()
        .chain(
            self.skills.iter().enumerate().map(|(number, skill)| (Field::Skill, number, skill.name.as_str())),
        )
    }

    /// The words under which the person is found.
    pub(super) fn terms(&self) -> BTreeSet<(String, Place)> {
        let mut terms = BTreeSet::new();
        for (field, _, text) in self.texts() {
            for spelling in Spelling::of(text) {
                terms.extend(fold::words(text, *spelling).map(|word| (word.text, Place::Field(field))));
            }
        }
        for initials in initials(&self.name) {
            terms.insert((initials, Place::Initials));
        }
        terms
    }
}

impl EntryId {
    /// The id that reads so.
    pub fn new(text: &str) -> EntryId {
        EntryId(Arc::from(text))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({self})")
    }
}

impl Skill {
    /// A skill that an administrator gave.
    pub fn told(name: &str, level: Option<u8>) -> Skill {
        Skill { name: name.to_owned(), level, source: SkillSource::Tandem }
    }

    /// A skill that stands in the person's profile.
    pub fn of_profile(name: &str) -> Skill {
        Skill { name: name.to_owned(), level: None, source: SkillSource::Profile }
    }
}

/// The initials of a name: all of them, and those of the first and the last word.
pub(super) fn initials(name: &str) -> Vec<String> {
    let first: Vec<char> = fold::words(name, Spelling::Plain)
        .filter(|word| !word.is_part)
        .filter_map(|word| word.text.chars().next())
        .collect();
    match first.as_slice() {
        [] | [_] => Vec::new(),
        [a, b] => vec![String::from_iter([a, b])],
        [a, .., z] => vec![first.iter().collect(), String::from_iter([a, z])],
    }
}

fn cut(text: &mut String) {
    let mut end = Entry::TEXT_BYTES_MAX.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
