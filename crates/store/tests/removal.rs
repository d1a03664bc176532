//! A customer leaves: nothing of theirs is left, nobody else notices, and the name can be given again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;

use common::{Desk, PATIENCE, fact, facts, open, tenant};
use rusqlite::Connection;
use tandem_store::{FactNumber, InteractionKey, Mark, Personal, Record, Refusal, Settings, Tenant};

const ADA: &[u8] = b"+14255550123 Ada Lovelace";

fn says(number: u64) -> Record {
    let interaction = Some(InteractionKey(number));
    Record { interaction, mark: Mark::Opens, personal: Personal::Known(ADA.into()), ..fact(number) }
}

/// Two tenants of which the same is known, and a snapshot of each.
fn desk(count: u64) -> Desk {
    let desk = Desk::new();
    for name in ["contoso", "fabrikam"] {
        desk.journal.append(&tenant(name), (1..=count).map(says).collect()).unwrap();
        desk.journal.put_snapshot(&tenant(name), FactNumber(count), 1, ADA.to_vec());
    }
    desk.settle();
    desk
}

fn rows(desk: &Desk, tenant: &Tenant) -> Vec<i64> {
    let file = Connection::open(desk.path()).unwrap();
    ["facts", "keys", "snapshots", "plain", "removals"]
        .iter()
        .map(|table| {
            let sql = format!("SELECT count(*) FROM {table} WHERE tenant = $1");
            file.query_row(&sql, [tenant.as_str()], |row| row.get(0)).unwrap()
        })
        .collect()
}

fn wrapped(desk: &Desk, tenant: &Tenant) -> Vec<u8> {
    let file = Connection::open(desk.path()).unwrap();
    file.query_row("SELECT wrapped FROM keys WHERE tenant = $1 LIMIT 1", [tenant.as_str()], |row| row.get(0))
        .unwrap()
}

fn in_any_file(desk: &Desk, part: &[u8]) -> bool {
    fs::read_dir(desk.directory.path()).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(part.len()).any(|window| window == part)
    })
}

#[test]
fn nothing_is_left_and_the_other_tenant_has_all() {
    let desk = desk(3_500);
    let (contoso, fabrikam) = (tenant("contoso"), tenant("fabrikam"));
    let key = wrapped(&desk, &contoso);
    assert!(in_any_file(&desk, &key));
    desk.journal.remove(&contoso).unwrap();
    desk.settle();
    assert!(!desk.journal.is_removing(&contoso));
    assert_eq!(rows(&desk, &contoso), [0, 0, 0, 0, 0]);
    assert!(!in_any_file(&desk, &key));
    assert_eq!(rows(&desk, &fabrikam), [3_500, 3_500, 1, 0, 0]);
    assert_eq!(desk.journal.facts(&contoso, FactNumber(0), 10).unwrap(), []);
    assert_eq!(desk.journal.snapshot(&contoso, 1).unwrap(), None);
    let first = &desk.journal.facts(&fabrikam, FactNumber(0), 1).unwrap()[0];
    assert_eq!(first.personal, Personal::Known(ADA.into()));
}

#[test]
fn what_comes_late_is_refused_and_what_waits_is_dropped() {
    let desk = desk(3_500);
    let contoso = tenant("contoso");
    desk.journal.append(&contoso, vec![says(3_501)]).unwrap();
    desk.journal.put_snapshot(&contoso, FactNumber(3_501), 1, ADA.to_vec());
    desk.journal.remove(&contoso).unwrap();
    desk.journal.remove(&contoso).unwrap();
    // It may have gone already; then the number is the wrong one.
    let refused = desk.journal.append(&contoso, vec![fact(3_502)]).unwrap_err();
    assert!(matches!(refused.why, Refusal::Removing | Refusal::OutOfOrder { .. }), "{}", refused.why);
    // Others go on meanwhile.
    desk.journal.append(&tenant("fabrikam"), vec![fact(3_501)]).unwrap();
    desk.settle();
    assert_eq!(rows(&desk, &contoso), [0, 0, 0, 0, 0]);
    assert_eq!(desk.journal.last_number(&tenant("fabrikam")).unwrap(), FactNumber(3_501));
}

#[test]
fn a_customer_of_the_same_name_begins_with_the_first_fact() {
    let desk = desk(10);
    let contoso = tenant("contoso");
    desk.journal.remove(&contoso).unwrap();
    desk.settle();
    assert_eq!(desk.journal.last_number(&contoso).unwrap(), FactNumber(0));
    desk.journal.append(&contoso, facts(1..=3)).unwrap();
    desk.settle();
    assert_eq!(desk.numbers(&contoso), [1, 2, 3]);
    assert_eq!(desk.restart().numbers(&contoso), [1, 2, 3]);
}

#[test]
fn broken_off_it_goes_on_with_the_next_start() {
    let desk = desk(3_500);
    let contoso = tenant("contoso");
    let path = desk.path();
    let directory = desk.directory;
    desk.journal.close().unwrap();
    // As the file is when the program is killed after the first commit.
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "INSERT INTO removals VALUES ('contoso'); DELETE FROM keys WHERE tenant = 'contoso'; \
             DELETE FROM snapshots WHERE tenant = 'contoso'",
        )
        .unwrap();
    let (journal, events) = open(path, Settings::default()).unwrap();
    let desk = Desk { directory, journal, events };
    desk.journal.flush(PATIENCE).unwrap();
    assert!(!desk.journal.is_removing(&contoso));
    assert_eq!(rows(&desk, &contoso), [0, 0, 0, 0, 0]);
    desk.journal.append(&contoso, facts(1..=1)).unwrap();
    desk.settle();
    assert_eq!(desk.numbers(&contoso), [1]);
}

#[test]
fn a_tenant_of_which_nothing_is_known_is_removed_at_once_and_a_closed_journal_removes_nothing() {
    let desk = Desk::new();
    desk.journal.remove(&tenant("nobody")).unwrap();
    desk.settle();
    assert!(!desk.journal.is_removing(&tenant("nobody")));
    let journal = desk.journal.clone();
    desk.journal.close().unwrap();
    assert!(matches!(journal.remove(&tenant("nobody")), Err(Refusal::Closed)));
}
