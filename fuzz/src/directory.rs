//! What people type and what a directory tells: nothing panics, what is shown in bold stands in the text, and nobody is
//! found who has gone.

use std::collections::BTreeMap;

use tandem_people::directory::{Directory, Entry, EntryId, Field, Filters, Skill};

/// Lines, each of which adds (`+`), removes (`-`) or searches for somebody; the character after it is the id of the
/// entry, and its texts are separated by `|`.
pub fn acts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut directory = Directory::new();
    let mut known: BTreeMap<EntryId, Entry> = BTreeMap::new();
    for line in text.lines().take(LINES_MAX) {
        let mut letters = line.chars();
        let act = letters.next();
        let id = EntryId::new(&letters.next().map(String::from).unwrap_or_default());
        match act {
            Some('+') => {
                let entry = entry(id.clone(), letters.as_str());
                directory.upsert(entry.clone()).expect("there is room for few");
                known.insert(id, entry);
            }
            Some('-') => {
                assert_eq!(directory.remove(&id), known.remove(&id).is_some());
            }
            _ => search(&directory, line),
        }
        assert_eq!(directory.len(), known.len());
    }
    for (id, entry) in &known {
        search(&directory, &entry.name);
        assert!(directory.remove(id));
    }
    assert!(directory.is_empty() && directory.search("", Filters::default(), 1).is_empty());
    assert_eq!((directory.departments().count(), directory.skills().count()), (0, 0));
}

fn entry(id: EntryId, texts: &str) -> Entry {
    let mut texts = texts.split('|');
    let mut next = || texts.next().map(str::to_owned);
    let name = next().unwrap_or_default();
    Entry {
        id,
        user_name: next(),
        department: next(),
        job_title: next(),
        office: next(),
        skills: texts.map(Skill::of_profile).collect(),
        ..Entry::new("", &name)
    }
}

fn search(directory: &Directory, query: &str) {
    for hit in directory.search(query, Filters::default(), 10) {
        let entry = directory.get(&hit.id).expect("whoever is found is there");
        for found in hit.matches {
            let text = match found.field {
                Field::Name => Some(entry.name.as_str()),
                Field::Account => entry.user_name.as_deref(),
                Field::Skill => entry.skills.get(found.number).map(|skill| skill.name.as_str()),
                Field::JobTitle => entry.job_title.as_deref(),
                Field::Department => entry.department.as_deref(),
                Field::Office => entry.office.as_deref(),
            };
            let bold = text.and_then(|text| text.get(found.range()));
            assert!(bold.is_some_and(|bold| !bold.is_empty()), "{found:?}");
        }
    }
}

const LINES_MAX: usize = 200;
