//! Whoever appends names the number it expects: two writers can never weave their facts into each other.

mod common;

use common::{Desk, facts, open, tenant};
use tandem_store::{Event, FactNumber, Fault, Refusal, Settings};

#[test]
fn a_number_that_does_not_follow_is_refused_and_nothing_is_taken() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    desk.journal.append(&contoso, facts(1..=3)).unwrap();
    for wrong in [facts(3..=4), facts(5..=5), [facts(4..=4), facts(6..=6)].concat()] {
        let refused = desk.journal.append(&contoso, wrong.clone()).unwrap_err();
        assert!(matches!(refused.why, Refusal::OutOfOrder { .. }), "{refused}");
        assert_eq!(refused.records, wrong, "all of it is given back");
    }
    desk.journal.append(&contoso, facts(4..=4)).unwrap();
    desk.settle();
    assert_eq!(desk.numbers(&contoso), [1, 2, 3, 4]);
}

#[test]
fn who_finds_the_number_taken_is_fenced_and_writes_no_more() {
    let desk = Desk::new();
    let (contoso, fabrikam) = (tenant("contoso"), tenant("fabrikam"));
    desk.journal.append(&contoso, facts(1..=2)).unwrap();
    desk.settle();
    // Another node has taken over this tenant and goes on where this one has not yet written.
    let other = rusqlite::Connection::open(desk.path()).unwrap();
    other.execute("INSERT INTO facts VALUES ('contoso', 3, 0, NULL, 0, x'00', NULL)", []).unwrap();

    desk.journal.append(&contoso, facts(3..=5)).unwrap();
    desk.journal.append(&fabrikam, facts(1..=2)).unwrap();
    desk.wait_for(|event| matches!(event, Event::Fenced { tenant } if *tenant == contoso).then_some(()));
    desk.settle();

    let refused = desk.journal.append(&contoso, facts(6..=6)).unwrap_err();
    assert!(matches!(refused.why, Refusal::Fenced));
    assert_eq!(desk.numbers(&contoso), [1, 2, 3], "nothing of ours stands behind the other's fact");
    assert_eq!(desk.numbers(&fabrikam), [1, 2], "other tenants are not disturbed");
    assert_eq!(desk.journal.lag().facts_waiting, 0);
}

#[test]
fn a_second_process_is_kept_out_while_the_first_lives() {
    let desk = Desk::new();
    let error = open(desk.path(), Settings::default()).err().unwrap();
    assert!(matches!(error, Fault::InUse { .. }), "{error}");
    let desk = desk.restart();
    assert_eq!(desk.journal.last_number(&tenant("contoso")).unwrap(), FactNumber(0));
}

#[test]
fn a_closed_journal_can_be_opened_again_while_old_handles_still_read() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    desk.journal.append(&contoso, facts(1..=2)).unwrap();
    let reader = desk.journal.clone();
    let desk = desk.restart();
    desk.journal.append(&contoso, facts(3..=3)).unwrap();
    desk.settle();
    assert_eq!(reader.facts(&contoso, FactNumber(0), 10).unwrap(), facts(1..=3));
}
