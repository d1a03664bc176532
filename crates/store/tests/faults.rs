//! A file that cannot be the journal is refused with words that help, and is left as it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;

use common::{Desk, facts, open, tenant};
use tandem_store::{Fault, Settings};

fn refused(path: std::path::PathBuf) -> Fault {
    open(path, Settings::default()).err().expect("the file is refused")
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter.txt");
    let letter = "Dear journal, ".repeat(100);
    fs::write(&path, &letter).unwrap();
    assert!(matches!(refused(path.clone()), Fault::NotAJournal { .. }));
    assert_eq!(fs::read_to_string(path).unwrap(), letter);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bookmarks.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let fault = refused(path.clone());
    assert!(matches!(fault, Fault::NotAJournal { .. }), "{fault}");
    assert!(fault.remedy().contains("correct the path"));
    assert_eq!(fs::read(path).unwrap(), before);
}

#[test]
fn a_journal_of_a_newer_release_is_left_alone() {
    let desk = Desk::new();
    let path = desk.path();
    desk.journal.close().unwrap();
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 4711").unwrap();
    let fault = refused(path);
    assert!(matches!(fault, Fault::NewerSchema { found: 4711, .. }), "{fault}");
    assert!(fault.remedy().contains("start the release that wrote the file"));
}

#[test]
fn a_missing_directory_and_a_directory_instead_of_a_file_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let fault = refused(directory.path().join("nowhere/journal.db"));
    assert!(matches!(fault, Fault::NoDirectory { .. }), "{fault}");
    assert!(fault.remedy().contains("create the directory"));
    let fault = refused(directory.path().to_path_buf());
    assert!(matches!(fault, Fault::NotAJournal { .. }), "{fault}");
}

#[test]
fn a_damaged_journal_is_refused_or_says_so_when_read() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    let path = desk.path();
    desk.journal.append(&contoso, facts(1..=2_000)).unwrap();
    desk.journal.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let fault = match open(path, Settings::default()) {
        Ok((journal, _)) => journal.last_number(&contoso).expect_err("it cannot be read"),
        Err(fault) => fault,
    };
    assert!(matches!(fault, Fault::Damaged { .. }), "{fault}");
    assert!(fault.remedy().contains("restore a backup"));
}
