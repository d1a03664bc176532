//! What facts say about people cannot be read in the files of the journal, and is gone when it is erased.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::{Desk, fact, open, tenant};
use rusqlite::Connection;
use tandem_store::{
    FactNumber, Fault, Gone, InteractionKey, Keys, Mark, Personal, Record, Settings, examine,
};

const ADA: &[u8] = b"+14255550123 Ada Lovelace";
const BOB: &[u8] = b"+4917012345678 Robert Koch";
const REFUSED: &[u8] = b"+33612345678 Marie Curie";

fn says(number: u64, interaction: Option<u64>, mark: Mark, who: &[u8]) -> Record {
    let interaction = interaction.map(InteractionKey);
    Record { interaction, mark, personal: Personal::Known(who.into()), ..fact(number) }
}

/// Two calls, a call that was refused at the door, and a fact about nobody.
fn everybody() -> Vec<Record> {
    vec![
        says(1, Some(1), Mark::Opens, ADA),
        says(2, Some(2), Mark::Opens, BOB),
        says(3, None, Mark::Plain, REFUSED),
        says(4, Some(1), Mark::Plain, ADA),
        fact(5),
        Record { interaction: Some(InteractionKey(1)), mark: Mark::Closes, ..fact(6) },
    ]
}

fn erases(number: u64, interaction: u64) -> Record {
    Record { interaction: Some(InteractionKey(interaction)), mark: Mark::Erases, ..fact(number) }
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.journal.append(&tenant("contoso"), everybody()).unwrap();
    desk.settle();
    desk
}

fn who(desk: &Desk) -> Vec<Personal> {
    let facts = desk.journal.facts(&tenant("contoso"), FactNumber(0), usize::MAX).unwrap();
    facts.into_iter().map(|record| record.personal).collect()
}

fn known(who: &[u8]) -> Personal {
    Personal::Known(who.into())
}

/// Every byte of every file of the journal but the keys: the log, its index, the lock.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|path| path.extension().is_none_or(|extension| extension != "key"));
    files.iter().flat_map(|path| fs::read(path).unwrap()).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The wrapped key of an interaction, as it stands in the file.
fn wrapped(desk: &Desk, interaction: i64) -> Option<Vec<u8>> {
    let reader = Connection::open(desk.path()).unwrap();
    let mut select = reader.prepare("SELECT wrapped FROM keys WHERE interaction = $1").unwrap();
    select.query_map([interaction], |row| row.get(0)).unwrap().next().map(Result::unwrap)
}

#[test]
fn nobody_is_named_in_the_files_and_everybody_is_read() {
    let desk = desk();
    desk.journal.put_snapshot(&tenant("contoso"), FactNumber(6), 1, ADA.to_vec());
    desk.settle();
    for who in [ADA, BOB, REFUSED, b"14255550123", b"Ada", b"Curie"] {
        assert!(!contains(&bytes(desk.directory.path()), who), "{}", String::from_utf8_lossy(who));
    }
    assert!(contains(&bytes(desk.directory.path()), b"fact 1"), "the rest is there to be seen");
    let nobody = Personal::Nothing;
    let everybody = [known(ADA), known(BOB), known(REFUSED), known(ADA), nobody.clone(), nobody];
    assert_eq!(who(&desk), everybody);
    let desk = desk.restart();
    assert_eq!(who(&desk), everybody);
    assert_eq!(desk.journal.snapshot(&tenant("contoso"), 1).unwrap().unwrap().state, ADA);
}

#[test]
fn an_erased_interaction_is_gone_and_all_facts_and_all_others_are_there() {
    let desk = desk();
    desk.journal.put_snapshot(&tenant("contoso"), FactNumber(6), 1, [ADA, BOB].concat());
    desk.settle();
    let key = wrapped(&desk, 1).unwrap();
    assert!(contains(&bytes(desk.directory.path()), &key));

    desk.journal.append(&tenant("contoso"), vec![erases(7, 1)]).unwrap();
    desk.settle();
    let gone = Personal::Gone(Gone::Erased);
    let now = [
        gone.clone(),
        known(BOB),
        known(REFUSED),
        gone,
        Personal::Nothing,
        Personal::Nothing,
        Personal::Nothing,
    ];
    assert_eq!(who(&desk), now);
    assert_eq!(desk.numbers(&tenant("contoso")), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(wrapped(&desk, 1), None);
    assert!(
        !contains(&bytes(desk.directory.path()), &key),
        "the key is in no file any more, the log included"
    );
    assert_eq!(desk.journal.snapshot(&tenant("contoso"), 1).unwrap(), None);
    assert_eq!(who(&desk.restart()), now);
}

#[test]
fn a_fact_of_no_interaction_is_erased_by_its_number() {
    let desk = desk();
    desk.journal.append(&tenant("contoso"), vec![erases(7, 3)]).unwrap();
    desk.settle();
    let who = who(&desk);
    assert_eq!(who[2], Personal::Gone(Gone::Erased));
    assert_eq!(&who[..2], [known(ADA), known(BOB)]);
}

#[test]
fn a_snapshot_from_before_an_erasure_that_is_written_after_it_is_not() {
    let desk = desk();
    let contoso = tenant("contoso");
    desk.journal.append(&contoso, vec![erases(7, 1)]).unwrap();
    desk.journal.put_snapshot(&contoso, FactNumber(6), 1, ADA.to_vec());
    desk.settle();
    assert_eq!(desk.journal.snapshot(&contoso, 1).unwrap(), None);
    desk.journal.put_snapshot(&contoso, FactNumber(7), 1, b"nobody".to_vec());
    desk.settle();
    assert_eq!(desk.journal.snapshot(&contoso, 1).unwrap().unwrap().state, b"nobody");
}

#[test]
fn a_reader_keeps_the_log_and_it_is_emptied_when_the_reader_is_done() {
    let desk = desk();
    let key = wrapped(&desk, 1).unwrap();
    let mut reader = Connection::open(desk.path()).unwrap();
    let looking = reader.transaction().unwrap();
    let read = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM keys", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(read(&looking), 3);
    desk.journal.append(&tenant("contoso"), vec![erases(7, 1)]).unwrap();
    desk.settle();
    assert!(contains(&bytes(desk.directory.path()), &key), "the reader still sees it");
    drop(looking);
    drop(reader);
    // With the next group at the latest.
    desk.journal.append(&tenant("contoso"), vec![fact(8)]).unwrap();
    desk.settle();
    assert!(!contains(&bytes(desk.directory.path()), &key));
}

#[test]
fn who_looks_for_a_person_finds_those_that_are_not_erased() {
    let desk = desk();
    let contoso = tenant("contoso");
    let found = |after, limit| -> Vec<u64> {
        let found = desk.journal.personal(&contoso, FactNumber(after), limit).unwrap();
        found.iter().map(|record| record.number.0).collect()
    };
    assert_eq!(found(0, 10), [1, 2, 3, 4]);
    assert_eq!(found(1, 2), [2, 3]);
    desk.journal.append(&contoso, vec![erases(7, 1)]).unwrap();
    desk.settle();
    assert_eq!(found(0, 10), [2, 3]);
    let since = |before_ms, after: Option<u64>| -> Vec<u64> {
        let known = desk.journal.known_since(&contoso, before_ms, after.map(InteractionKey), 10).unwrap();
        known.iter().map(|key| key.0).collect()
    };
    assert_eq!(
        (since(3_000, None), since(3_001, None), since(3_001, Some(2))),
        (vec![2], vec![2, 3], vec![3])
    );
}

#[test]
fn without_the_master_key_every_fact_is_there_and_it_is_said_how_many_are_lost() {
    let desk = desk();
    let path = desk.path();
    let key = path.with_extension("key");
    let directory = desk.directory;
    desk.journal.close().unwrap();
    let kept = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert_eq!(examine(&path, None).unwrap(), Keys::Lost { interactions: 3 });

    let (journal, events) = open(path.clone(), Settings::default()).unwrap();
    let desk = Desk { directory, journal, events };
    assert_eq!(desk.journal.lost_interactions(), 3);
    let lost = Personal::Gone(Gone::KeyLost);
    assert_eq!(who(&desk)[..4], [lost.clone(), lost.clone(), lost.clone(), lost]);
    assert_eq!(desk.numbers(&tenant("contoso")), [1, 2, 3, 4, 5, 6]);
    // It goes on with a new key, and an interaction whose key is lost is not mixed up with it.
    let contoso = tenant("contoso");
    desk.journal
        .append(&contoso, vec![says(7, Some(7), Mark::Opens, BOB), says(8, Some(2), Mark::Plain, BOB)])
        .unwrap();
    desk.settle();
    assert_eq!(who(&desk)[6..], [known(BOB), Personal::Nothing]);

    // The lost key is found, and put in front of the new one.
    desk.journal.close().unwrap();
    let new = fs::read_to_string(&key).unwrap();
    fs::write(&key, kept + &new).unwrap();
    assert_eq!(examine(&path, None).unwrap(), Keys::Complete);
    let (journal, events) = open(path, Settings::default()).unwrap();
    let desk = Desk { directory: desk.directory, journal, events };
    assert_eq!(desk.journal.lost_interactions(), 0);
    assert_eq!(who(&desk)[..4], [known(ADA), known(BOB), known(REFUSED), known(ADA)]);
    assert_eq!(who(&desk)[6], known(BOB));
}

#[test]
fn a_sealed_value_that_was_changed_is_told_and_nothing_else_is_lost() {
    let desk = desk();
    let path = desk.path();
    let directory = desk.directory;
    desk.journal.close().unwrap();
    let disk = Connection::open(&path).unwrap();
    disk.execute(
        "UPDATE facts SET sealed = (SELECT sealed FROM facts WHERE number = 4) WHERE number = 1",
        [],
    )
    .unwrap();
    disk.execute("UPDATE keys SET wrapped = zeroblob(length(wrapped)) WHERE interaction = 2", []).unwrap();
    disk.execute("UPDATE facts SET sealed = x'' WHERE number = 3", []).unwrap();
    drop(disk);
    let (journal, events) = open(path, Settings::default()).unwrap();
    let desk = Desk { directory, journal, events };
    let damaged = Personal::Gone(Gone::Damaged);
    assert_eq!(who(&desk)[..4], [damaged.clone(), damaged.clone(), damaged, known(ADA)]);
    assert_eq!(desk.numbers(&tenant("contoso")), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn the_file_of_keys_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (path, keys) = (directory.path().join("journal.db"), directory.path().join("safe.key"));
    let settings = || Settings { keys: Some(keys.clone()), ..Settings::default() };
    assert_eq!(examine(&path, Some(&keys)).unwrap(), Keys::ToBeMade);
    open(path.clone(), settings()).unwrap().0.close().unwrap();
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!directory.path().join("journal.key").exists());

    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&keys, PermissionsExt::from_mode(mode)).unwrap();
        let fault = open(path.clone(), settings()).err().unwrap();
        assert!(matches!(fault, Fault::KeyOpenToOthers { mode: told, .. } if told == mode), "{fault}");
        assert!(fault.remedy().contains("chmod 600"));
        assert!(examine(&path, Some(&keys)).is_err());
    }
    fs::set_permissions(&keys, PermissionsExt::from_mode(0o400)).unwrap();
    open(path.clone(), settings()).unwrap().0.close().unwrap();
    fs::remove_file(&keys).unwrap();
    fs::write(&keys, "something else\n").unwrap();
    fs::set_permissions(&keys, PermissionsExt::from_mode(0o600)).unwrap();
    assert!(matches!(open(path.clone(), settings()).err().unwrap(), Fault::NotAKey { .. }));
    assert_eq!(fs::read_to_string(&keys).unwrap(), "something else\n", "it was not touched");
    let elsewhere = |keys: &Path| {
        let settings = Settings { keys: Some(keys.to_path_buf()), ..Settings::default() };
        open(path.clone(), settings).err().unwrap()
    };
    assert!(matches!(elsewhere(directory.path()), Fault::NotAKey { .. }));
    assert!(matches!(elsewhere(Path::new("/nowhere/journal.key")), Fault::KeyUnusable { .. }));
}

#[test]
fn a_tenant_with_a_key_of_its_own_cannot_be_read_without_it_and_the_others_can() {
    let desk = Desk::new();
    let (path, key) = (desk.path(), desk.path().with_extension("key"));
    desk.journal.append(&tenant("contoso"), everybody()).unwrap();
    desk.settle();
    let own = format!("tandem-key-1 {} {} contoso\n", "0f".repeat(8), "1e".repeat(32));
    let general = fs::read_to_string(&key).unwrap();
    fs::write(&key, format!("{general}{own}")).unwrap();
    let desk = desk.restart();
    // What is new of contoso is under its own key, of fabrikam under that of all.
    desk.journal.append(&tenant("contoso"), vec![says(7, Some(7), Mark::Opens, BOB)]).unwrap();
    desk.journal.append(&tenant("fabrikam"), everybody()).unwrap();
    desk.settle();
    assert_eq!(who(&desk)[6], known(BOB));

    fs::write(&key, general).unwrap();
    assert_eq!(examine(&path, None).unwrap(), Keys::Lost { interactions: 1 });
    let desk = desk.restart();
    assert_eq!(who(&desk)[6], Personal::Gone(Gone::KeyLost));
    assert_eq!(who(&desk)[0], known(ADA), "from before it had a key of its own");
    let of_other = desk.journal.facts(&tenant("fabrikam"), FactNumber(0), usize::MAX).unwrap();
    assert_eq!(of_other[1].personal, known(BOB));
    // When nothing is left that the key opened, nobody misses it.
    desk.journal.remove(&tenant("contoso")).unwrap();
    desk.settle();
    desk.journal.close().unwrap();
    assert_eq!(examine(&path, None).unwrap(), Keys::Complete);
}
