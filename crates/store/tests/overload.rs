//! When the disk does not keep up: facts wait, the program is warned, then refused, and nothing is lost or reordered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Desk, PATIENCE, facts, tenant};
use rusqlite::Connection;
use tandem_store::{Event, Fault, Refusal, Room, Settings, Unwritten};

/// Another program has locked the file, so that nothing can be written.
fn lock(desk: &Desk) -> Connection {
    let other = Connection::open(desk.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn a_full_queue_warns_first_and_refuses_then() {
    let desk = Desk::with(Settings { facts_waiting_max: 10, ..Settings::default() });
    let contoso = tenant("contoso");
    let other = lock(&desk);
    assert_eq!(desk.journal.append(&contoso, facts(1..=5)).unwrap(), Room::Plenty);
    assert_eq!(desk.journal.append(&contoso, facts(6..=9)).unwrap(), Room::Short);
    let refused = desk.journal.append(&contoso, facts(10..=12)).unwrap_err();
    assert!(matches!(refused.why, Refusal::Full { waiting: 9 }), "{refused}");
    assert_eq!(refused.records, facts(10..=12));
    assert_eq!(desk.journal.lag().facts_waiting, 9);

    other.execute_batch("ROLLBACK").unwrap();
    desk.settle();
    assert_eq!(desk.journal.append(&contoso, refused.records).unwrap(), Room::Plenty);
    desk.settle();
    assert_eq!(desk.numbers(&contoso), (1..=12).collect::<Vec<_>>());
}

#[test]
fn while_nothing_can_be_written_facts_wait_and_are_written_afterwards() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    let other = lock(&desk);
    desk.journal.append(&contoso, facts(1..=3)).unwrap();
    let fault = desk.wait_for(|event| match event {
        Event::Failing { fault, waiting: 3 } => Some(fault.to_string()),
        _ => None,
    });
    assert!(fault.contains("locked by another program"), "{fault}");
    desk.journal.append(&contoso, facts(4..=6)).unwrap();
    assert_eq!(desk.numbers(&contoso), [] as [u64; 0], "reading goes on");

    other.execute_batch("ROLLBACK").unwrap();
    desk.wait_for(|event| matches!(event, Event::Recovered).then_some(()));
    desk.settle();
    assert_eq!(desk.numbers(&contoso), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_full_disk_is_told_with_its_remedy_and_keeps_what_was_committed() {
    let desk = Desk::with(Settings { bytes_max: Some(200_000), ..Settings::default() });
    let contoso = tenant("contoso");
    let mut next = 1;
    let mut committed = 0;
    // A big fact at a time, until the journal may not grow any more.
    let fault = loop {
        let mut big = common::fact(next);
        big.fact = vec![b'x'; 20_000].into();
        desk.journal.append(&contoso, vec![big]).unwrap();
        next += 1;
        match desk.events.recv_timeout(PATIENCE).unwrap() {
            Event::Committed { number, .. } => committed = number.0,
            Event::Failing { fault, .. } => break fault,
            event => panic!("unexpected {event:?}"),
        }
    };
    assert!(matches!(fault, Fault::DiskFull { .. }), "{fault}");
    assert!(fault.remedy().contains("free space"));
    assert!(committed >= 3, "{committed}");
    assert_eq!(desk.numbers(&contoso), (1..=committed).collect::<Vec<_>>());

    let Desk { directory, journal, .. } = desk;
    assert_eq!(journal.close(), Err(Unwritten { facts: 1 }), "what could not be written is said");
    let (journal, _) = common::open(directory.path().join("journal.db"), Settings::default()).unwrap();
    assert_eq!(journal.last_number(&contoso).unwrap().0, committed);
}

#[test]
fn a_fact_too_large_and_a_closed_journal_are_refused() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    let mut huge = common::fact(1);
    huge.fact = vec![0; 40 * 1024 * 1024 + 1].into();
    assert!(matches!(
        desk.journal.append(&contoso, vec![huge]).unwrap_err().why,
        Refusal::TooLarge { bytes: 41_943_041, .. }
    ));
    let handle = desk.journal.clone();
    desk.journal.close().unwrap();
    assert!(matches!(handle.append(&contoso, facts(1..=1)).unwrap_err().why, Refusal::Closed));
}

#[test]
fn the_listener_may_hold_the_last_handle() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    let (handle, kept) = std::sync::mpsc::channel::<tandem_store::Journal>();
    let path = desk.directory.path().join("second.db");
    let (ended, told) = std::sync::mpsc::channel();
    let journal = tandem_store::Journal::open(path, Settings::default(), move |_| {
        // Dropped here, on the writer's own thread.
        drop(kept.try_recv());
        ended.send(()).unwrap();
    })
    .unwrap();
    journal.append(&contoso, facts(1..=1)).unwrap();
    handle.send(journal).unwrap();
    told.recv_timeout(PATIENCE).unwrap();
}
