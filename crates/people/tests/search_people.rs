//! Somebody types a few letters and finds the colleague who was meant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use tandem_people::directory::{Directory, Entry, EntryId, Field, Filters, Full, Hit, Skill};

fn somebody(name: &str, title: &str, department: &str, skills: &[&str]) -> Entry {
    let mut entry = Entry::new(&name.to_lowercase(), name);
    entry.job_title = Some(title.into()).filter(|title: &String| !title.is_empty());
    entry.department = Some(department.into()).filter(|department: &String| !department.is_empty());
    entry.skills = skills.iter().map(|name| Skill::of_profile(name)).collect();
    entry
}

fn contoso() -> Directory {
    let mut directory = Directory::new();
    for entry in [
        somebody("Adele Vance", "Retail Manager", "Retail", &["Returns", "French"]),
        somebody("Jürgen Müller", "Engineer", "Field Support", &["C++", "Networking"]),
        somebody("Seán O’Brien", "Accountant", "Billing", &["Refunds"]),
        somebody("Zoë Lækre-Ødegård", "Director of Operations", "Operations", &[]),
        somebody("Łukasz Wiśniewski", "Billing Specialist", "Finance", &["Contracts", "Refund policy"]),
        somebody("Maria del Mar García", "Agent", "Customer Service", &["billing", "Exchange Online"]),
        somebody("山田 太郎", "営業", "東京", &[]),
        somebody("Bill Gross", "Agent", "Retail", &[]),
    ] {
        directory.upsert(entry).unwrap();
    }
    directory
}

fn search(query: &str) -> Vec<Hit> {
    contoso().search(query, Filters::default(), 10)
}

fn names(query: &str) -> Vec<String> {
    let directory = contoso();
    let hits = directory.search(query, Filters::default(), 10);
    hits.iter().map(|hit| directory.get(&hit.id).unwrap().name.clone()).collect()
}

/// What is shown in bold.
fn bold(query: &str) -> Vec<String> {
    let directory = contoso();
    let hit = &directory.search(query, Filters::default(), 1)[0];
    let entry = directory.get(&hit.id).unwrap();
    let text = |field, number: usize| match field {
        Field::Name => entry.name.as_str(),
        Field::Account => entry.user_name.as_deref().unwrap(),
        Field::Skill => entry.skills[number].name.as_str(),
        Field::JobTitle => entry.job_title.as_deref().unwrap(),
        Field::Department => entry.department.as_deref().unwrap(),
        Field::Office => entry.office.as_deref().unwrap(),
    };
    hit.matches.iter().map(|found| text(found.field, found.number)[found.range()].to_owned()).collect()
}

#[test]
fn beginnings_are_enough_and_the_order_does_not_matter() {
    for query in ["adele", "ADE", "v", "vance adele", "va ad", "adele retail", "french ad"] {
        assert_eq!(names(query)[0], "Adele Vance", "{query}");
    }
    assert_eq!(names("adele french contracts"), Vec::<String>::new(), "all of it must fit");
}

#[test]
fn accents_need_not_be_typed_and_may_be() {
    for query in ["jurgen", "Jürgen", "juergen", "muller", "Mueller", "MÜLLER", "Ju\u{308}rgen"] {
        assert_eq!(names(query), ["Jürgen Müller"], "{query}");
    }
    for query in ["zoe laekre", "odegard", "Ødegård", "oedegaard", "lækre"] {
        assert_eq!(names(query), ["Zoë Lækre-Ødegård"], "{query}");
    }
    assert_eq!(names("lukasz wisniewski"), ["Łukasz Wiśniewski"]);
    for query in ["obrien", "o'brien", "O’Brien", "brien", "sean obr"] {
        assert_eq!(names(query), ["Seán O’Brien"], "{query}");
    }
    assert_eq!((names("山田"), names("太")), (vec!["山田 太郎".to_owned()], vec!["山田 太郎".to_owned()]));
}

#[test]
fn typing_errors_are_forgiven() {
    for query in ["vanec", "vnace", "vancee", "vanxe", "adlee vance"] {
        assert_eq!(names(query), ["Adele Vance"], "{query}");
    }
    for query in ["wisniewski", "wisnewski", "winsiewksi", "wiśniewsky", "wisnievsk"] {
        assert_eq!(names(query), ["Łukasz Wiśniewski"], "{query}");
    }
    assert_eq!(names("vxxce"), Vec::<String>::new(), "two errors are too many for five letters");
    assert_eq!(names("xan"), Vec::<String>::new(), "and one for three");
}

#[test]
fn exactly_comes_before_beginning_so_and_that_before_errors() {
    let mut directory = Directory::new();
    for name in ["Hannah Bell", "Anna Petrova", "Annabelle Roy", "Amna Khan"] {
        directory.upsert(Entry::new(name, name)).unwrap();
    }
    let hits = directory.search("anna", Filters::default(), 10);
    let ids: Vec<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["Anna Petrova", "Annabelle Roy", "Amna Khan", "Hannah Bell"]);
}

#[test]
fn a_name_tells_more_than_a_skill_and_a_skill_more_than_a_department() {
    // Begins so: a name. Exactly: a skill, a title, a department.
    let found = names("billing");
    assert_eq!(found, ["Maria del Mar García", "Łukasz Wiśniewski", "Seán O’Brien"]);
    assert_eq!(names("bill")[0], "Bill Gross");
}

#[test]
fn initials_find_a_name() {
    assert_eq!(names("av"), ["Adele Vance"]);
    assert_eq!(names("jm"), ["Jürgen Müller"]);
    assert_eq!((names("mg"), names("mdmg")), (names("garcía"), names("garcía")));
    assert_eq!(bold("av"), ["A", "V"]);
}

#[test]
fn what_was_meant_is_shown() {
    assert_eq!(bold("muller"), ["Müller"]);
    assert_eq!(bold("mu"), ["Mü"]);
    assert_eq!(bold("mue"), ["Mü"]);
    assert_eq!(bold("vanec adele"), ["Adele", "Vance"]);
    assert_eq!(bold("wisnew"), ["Wiśniew"], "a beginning with an error");
    assert_eq!(bold("c++"), ["C++"]);
    assert_eq!(bold("refund policy"), ["Refund", "policy"]);
}

#[test]
fn an_account_is_searched_without_its_domain() {
    let mut directory = contoso();
    let mut entry = Entry::new("ext", "External Helper");
    entry.user_name = Some("x.helper@partner.example".into());
    entry.mail = Some("ann.other@partner.example".into());
    directory.upsert(entry).unwrap();
    assert_eq!(directory.search("ann other", Filters::default(), 10).len(), 1);
    assert_eq!(directory.search("partner", Filters::default(), 10), []);
}

#[test]
fn a_search_is_narrowed_to_a_department_and_a_skill() {
    let directory = contoso();
    let found = |query: &str, department: Option<&str>, skill: Option<&str>| -> Vec<String> {
        let hits = directory.search(query, Filters { department, skill }, 10);
        hits.iter().map(|hit| directory.get(&hit.id).unwrap().name.clone()).collect()
    };
    assert_eq!(found("", Some("RETAIL"), None), ["Adele Vance", "Bill Gross"]);
    assert_eq!(found("bill", Some("retail"), None), ["Bill Gross"]);
    assert_eq!(found("", None, Some("Billing")), ["Maria del Mar García"]);
    assert_eq!(found("", Some("retail"), Some("french")), ["Adele Vance"]);
    assert_eq!(found("", Some("Retail Sales"), None), Vec::<String>::new());
    let departments: Vec<_> = directory.departments().collect();
    assert!(departments.contains(&("Retail", 2)) && departments.contains(&("東京", 1)));
}

#[test]
fn nothing_typed_finds_everybody_by_name() {
    let all = names("  ");
    assert_eq!(all.len(), 8);
    assert_eq!(all[..2], ["Adele Vance", "Bill Gross"]);
    assert_eq!(names("!?"), all);
}

#[test]
fn people_who_fit_alike_come_in_one_order() {
    let mut directory = Directory::new();
    for id in ["c", "a", "b"] {
        directory.upsert(Entry::new(id, "John Smith")).unwrap();
    }
    let ids = |limit| -> Vec<String> {
        let hits = directory.search("smith", Filters::default(), limit);
        hits.into_iter().map(|hit| hit.id.as_str().to_owned()).collect()
    };
    assert_eq!(
        (ids(3), ids(2), ids(0)),
        (vec!["a".into(), "b".into(), "c".into()], vec!["a".into(), "b".into()], vec![])
    );
}

#[test]
fn a_query_and_an_entry_have_limits() {
    assert_eq!(search(&"adele ".repeat(50)).len(), 1, "eight words are read");
    assert_eq!(search(&format!("{}adele", " ".repeat(Directory::QUERY_CHARS_MAX))).len(), 8);
    let mut directory = Directory::new();
    let mut long = Entry::new("1", &"ä".repeat(1_000));
    long.skills = vec![Skill::of_profile("x"); 1_000];
    directory.upsert(long).unwrap();
    let kept = directory.get(&EntryId::new("1")).unwrap();
    assert_eq!((kept.name.len(), kept.skills.len()), (Entry::TEXT_BYTES_MAX, Entry::SKILLS_MAX));
    assert_eq!(directory.search(&"ä".repeat(60), Filters::default(), 1).len(), 1);
    assert_eq!(directory.search("", Filters::default(), usize::MAX).len(), 1);
}

#[test]
fn a_full_directory_takes_nobody_else_and_still_changes() {
    let mut directory = Directory::new();
    for number in 0..Directory::ENTRIES_MAX {
        directory.upsert(Entry::new(&number.to_string(), "")).unwrap();
    }
    assert_eq!(directory.upsert(Entry::new("new", "New")), Err(Full));
    directory.upsert(Entry::new("7", "Seven")).unwrap();
    assert_eq!(directory.search("seven", Filters::default(), 2).len(), 1);
    assert!(directory.remove(&EntryId::new("8")));
    directory.upsert(Entry::new("new", "New")).unwrap();
}
