//! The audit trail is read from its end, by what is looked for, and grows no larger than it may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Office, act, refusal, tenant};
use tandem_store::register::{AUDIT_ENTRIES_MAX, AuditFilter, DOCUMENT_BYTES_MAX, Noun, Refusal, Scope};

fn numbers(office: &Office, filter: AuditFilter<'_>, before: Option<i64>, limit: usize) -> Vec<i64> {
    let rows = office.register.audit(tenant("contoso"), filter, before, limit).unwrap();
    rows.into_iter().map(|row| row.number).collect()
}

#[test]
fn it_is_read_from_its_end_in_pages_and_by_what_is_looked_for() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let acts = [
        act(1_000, "ada", "people.added", "done"),
        act(2_000, "bob", "people.removed", "refused.not_allowed"),
        act(3_000, "ada", "queue.paused", "done"),
    ];
    office.register.audit_append(&contoso, &acts).unwrap();
    office.register.audit_append(&contoso, &[act(4_000, "bob", "people_%.x", "refused.not_yours")]).unwrap();
    office.register.audit_append(tenant("fabrikam"), &acts[..1]).unwrap();
    let office = office.restart();
    let all = AuditFilter::default();
    assert_eq!(numbers(&office, all, None, 10), [4, 3, 2, 1]);
    assert_eq!(numbers(&office, all, None, 2), [4, 3]);
    assert_eq!(numbers(&office, all, Some(3), 2), [2, 1]);
    assert_eq!(numbers(&office, AuditFilter { act: Some("people."), ..all }, None, 10), [2, 1]);
    assert_eq!(numbers(&office, AuditFilter { act: Some("people_"), ..all }, None, 10), [4]);
    assert_eq!(numbers(&office, AuditFilter { actor: Some("bob"), ..all }, None, 10), [4, 2]);
    assert_eq!(numbers(&office, AuditFilter { outcome: Some("refused"), ..all }, None, 10), [4, 2]);
    let both = AuditFilter { actor: Some("ada"), act: Some("queue"), outcome: Some("done"), ..all };
    assert_eq!(numbers(&office, both, None, 10), [3]);
    let rows = office.register.audit(&contoso, both, None, 1).unwrap();
    assert_eq!(rows[0].entry, acts[2]);
    assert_eq!(office.register.audit(Scope::Installation, all, None, 10).unwrap(), []);
}

#[test]
fn old_entries_go_and_no_number_comes_again() {
    let office = Office::new();
    let contoso = tenant("contoso");
    for at_ms in [1_000, 2_000, 3_000] {
        office.register.audit_append(&contoso, &[act(at_ms, "ada", "x", "done")]).unwrap();
    }
    assert_eq!(office.register.audit_prune(2_001).unwrap(), 2);
    assert_eq!(numbers(&office, AuditFilter::default(), None, 10), [3]);
    assert_eq!(office.register.audit_prune(i64::MAX).unwrap(), 0);
    office.register.audit_append(&contoso, &[act(4_000, "ada", "x", "done")]).unwrap();
    assert_eq!(numbers(&office, AuditFilter::default(), None, 10), [4, 3]);
}

#[test]
fn when_it_is_full_the_oldest_go() {
    let office = Office::new();
    let contoso = tenant("contoso");
    // As if very many had been added before.
    let file = rusqlite::Connection::open(office.path()).unwrap();
    office.register.audit_append(&contoso, &[act(1_000, "ada", "x", "done")]).unwrap();
    file.execute(
        "INSERT INTO audit SELECT tenant, $1, at_ms, actor, who, act, object, outcome, detail FROM audit",
        [AUDIT_ENTRIES_MAX],
    )
    .unwrap();
    office.register.audit_append(&contoso, &[act(2_000, "ada", "x", "done")]).unwrap();
    let left = numbers(&office, AuditFilter::default(), None, 10);
    assert_eq!(left, [AUDIT_ENTRIES_MAX + 1, AUDIT_ENTRIES_MAX]);
}

#[test]
fn with_one_that_is_too_long_none_is_added() {
    let office = Office::new();
    let mut long = act(2_000, "ada", "x", "done");
    long.detail = " ".repeat(DOCUMENT_BYTES_MAX as usize + 1);
    let refused =
        office.register.audit_append(tenant("contoso"), &[act(1_000, "ada", "x", "done"), long]).unwrap_err();
    let too_long = Refusal::TooLong { noun: Noun::AuditEntry, bytes_max: DOCUMENT_BYTES_MAX };
    assert_eq!(refusal(refused), too_long);
    assert_eq!(numbers(&office, AuditFilter::default(), None, 10), Vec::<i64>::new());
}
