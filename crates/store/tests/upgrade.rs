//! A journal of a release that did not seal: it is read as it was, and nobody is named in its files any more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{open, tenant};
use rusqlite::{Connection, params};
use tandem_store::{FactNumber, InteractionKey, Personal, Settings, Split};

/// The schema of the first release, as it was released.
const FIRST: &str = include_str!("../migrations/0001_journal.sql");
const FACTS: i64 = 25_000;

/// Every tenth fact says who it was about. The file also has what SQLite has deleted and not overwritten.
fn journal_of_the_first_release(path: &Path) {
    let mut first = Connection::open(path).unwrap();
    first.execute_batch("PRAGMA journal_mode = WAL; PRAGMA secure_delete = OFF").unwrap();
    let transaction = first.transaction().unwrap();
    transaction.execute_batch(FIRST).unwrap();
    transaction.pragma_update(None, "user_version", 1).unwrap();
    transaction.pragma_update(None, "application_id", 0x544e_444d).unwrap();
    for number in 1..=FACTS {
        let interaction = (number % 100 != 0).then_some(number - number % 10);
        transaction
            .prepare_cached("INSERT INTO facts VALUES ('contoso', $1, $1 * 1000, $2, 0, $3)")
            .unwrap()
            .execute(params![number, interaction, plain(number).into_bytes()])
            .unwrap();
    }
    transaction
        .execute("INSERT INTO snapshots VALUES ('contoso', 5, 1, $1)", [b"Snap Shot".repeat(5_000)])
        .unwrap();
    transaction.commit().unwrap();
    first.execute("UPDATE snapshots SET state = $1", [b"another"]).unwrap();
    // It was killed: its log is still there.
    std::mem::forget(first);
}

fn plain(number: i64) -> String {
    match number % 10 {
        0 => format!("fact {number} of|Ada Nr. {number}"),
        _ => format!("fact {number}"),
    }
}

fn split(fact: &[u8]) -> Option<Split> {
    let bar = fact.iter().position(|byte| *byte == b'|')?;
    Some(Split { fact: fact[..bar].to_vec(), personal: fact[bar + 1..].to_vec() })
}

fn names_anybody(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(4).any(|window| window == b"Ada " || window == b"Snap")
    })
}

fn check_read(path: &Path) {
    let (journal, _events) =
        open(path.to_path_buf(), Settings { split: Some(split), ..Settings::default() }).unwrap();
    let mut read = 0;
    while read < FACTS {
        for record in journal.facts(&tenant("contoso"), FactNumber(read.cast_unsigned()), usize::MAX).unwrap()
        {
            read += 1;
            let text = plain(read);
            let (fact, personal) = match text.split_once('|') {
                Some((fact, personal)) => (fact, Personal::Known(personal.as_bytes().into())),
                None => (text.as_str(), Personal::Nothing),
            };
            assert_eq!((&record.fact[..], &record.personal), (fact.as_bytes(), &personal), "fact {read}");
            let interaction = (read % 100 != 0).then_some(InteractionKey((read - read % 10).cast_unsigned()));
            assert_eq!((record.number.0.cast_signed(), record.interaction), (read, interaction));
        }
    }
    journal.close().unwrap();
}

#[test]
fn it_is_sealed_when_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    journal_of_the_first_release(&path);
    assert!(names_anybody(directory.path()));
    check_read(&path);
    assert!(!names_anybody(directory.path()));
    check_read(&path);
}

#[test]
fn without_being_told_how_it_is_left_as_it_is_and_sealed_another_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    journal_of_the_first_release(&path);
    let (journal, _events) = open(path.clone(), Settings::default()).unwrap();
    let tenth = &journal.facts(&tenant("contoso"), FactNumber(9), 1).unwrap()[0];
    assert_eq!((&tenth.fact[..], &tenth.personal), (plain(10).as_bytes(), &Personal::Nothing));
    journal.close().unwrap();
    check_read(&path);
    assert!(!names_anybody(directory.path()));
}
