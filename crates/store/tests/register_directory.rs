//! The customers' users are written page by page, and what is said here about them outlives what Graph tells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Office, refusal, tenant};
use tandem_store::register::{
    DOCUMENT_BYTES_MAX, DirectoryChange, DirectoryNote, DirectoryRow, Noun, Refusal,
};

fn users(numbers: std::ops::Range<u32>) -> Vec<(String, String)> {
    let user = |number| {
        let document = format!(
            r#"{{"displayName":"User {number}","userPrincipalName":"user{number}@contoso.example","department":"Support"}}"#
        );
        (format!("oid-{number:06}"), document)
    };
    numbers.map(user).collect()
}

fn oids(rows: &[DirectoryRow]) -> Vec<&str> {
    rows.iter().map(|row| row.oid.as_str()).collect()
}

#[test]
fn a_page_and_the_place_of_the_next_one_are_written_together_or_not_at_all() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let first = users(0..3);
    let page = DirectoryChange {
        upserted: &first,
        link: Some(("users", "https://graph/next")),
        ..Default::default()
    };
    office.register.directory_apply(&contoso, "tid", page, 1_000).unwrap();
    let too_long = [users(7..8), vec![("x".into(), " ".repeat(DOCUMENT_BYTES_MAX as usize + 1))]].concat();
    let broken = DirectoryChange { upserted: &too_long, link: Some(("users", "lost")), ..Default::default() };
    let refused = office.register.directory_apply(&contoso, "tid", broken, 2_000).unwrap_err();
    let expected = Refusal::TooLong { noun: Noun::DirectoryEntry, bytes_max: DOCUMENT_BYTES_MAX };
    assert_eq!(refusal(refused), expected);
    let office = office.restart();
    let rows = office.register.directory(&contoso, None, 10).unwrap();
    assert_eq!(oids(&rows), ["oid-000000", "oid-000001", "oid-000002"]);
    let link = office.register.delta_link(&contoso, "tid", "users").unwrap();
    assert_eq!(link.as_deref(), Some("https://graph/next"));

    let gone = ["oid-000001".to_owned()];
    let page = DirectoryChange { removed: &gone, link: Some(("users", "later")), ..Default::default() };
    office.register.directory_apply(&contoso, "tid", page, 3_000).unwrap();
    assert!(!office.contains(b"User 1"), "who is gone is in no file");
    assert_eq!(office.register.directory_user(&contoso, "tid", "oid-000001").unwrap(), None);
    office.register.delta_link_remove(&contoso, "tid", "users").unwrap();
    assert_eq!(office.register.delta_link(&contoso, "tid", "users").unwrap(), None);
}

#[test]
fn after_a_whole_reading_who_was_not_told_again_is_gone() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let put = |tid: &str, numbers, at_ms| {
        let users = users(numbers);
        let page = DirectoryChange { upserted: &users, ..Default::default() };
        office.register.directory_apply(&contoso, tid, page, at_ms).unwrap();
    };
    put("tid-a", 0..3, 1_000);
    put("tid-b", 0..1, 1_000);
    put("tid-a", 1..2, 2_000);
    assert_eq!(office.register.directory_sweep(&contoso, "tid-a", 2_000).unwrap(), 2);
    let left = office.register.directory(&contoso, None, 10).unwrap();
    let left: Vec<_> = left.iter().map(|row| (row.tid.as_str(), row.oid.as_str())).collect();
    assert_eq!(left, [("tid-a", "oid-000001"), ("tid-b", "oid-000000")]);
}

#[test]
fn what_is_said_here_stays_when_graph_tells_something_new() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let note = DirectoryNote {
        tid: "tid".into(),
        oid: "oid-000001".into(),
        document: r#"{"skills":["billing"]}"#.into(),
        changed_ms: 1_000,
    };
    office.register.directory_note_put(&contoso, &note).unwrap();
    let told = users(0..3);
    let page = DirectoryChange { upserted: &told, ..Default::default() };
    office.register.directory_apply(&contoso, "tid", page, 2_000).unwrap();
    office.register.directory_sweep(&contoso, "tid", 3_000).unwrap();
    assert_eq!(office.register.directory_notes(&contoso, None, 10).unwrap(), std::slice::from_ref(&note));
    assert_eq!(office.register.directory_notes(&contoso, Some(("tid", "oid-000001")), 10).unwrap(), []);
    assert_eq!(office.register.directory_notes(&tenant("fabrikam"), None, 10).unwrap(), []);
    assert!(office.register.directory_note_remove(&contoso, "tid", "oid-000001").unwrap());
    assert!(!office.register.directory_note_remove(&contoso, "tid", "oid-000001").unwrap());
}

#[test]
fn fifty_thousand_users_are_written_and_read_in_pages() {
    const USERS: u32 = 50_000;
    let office = Office::new();
    let contoso = tenant("contoso");
    for from in (0..USERS).step_by(10_000) {
        let page = users(from..from + 10_000);
        let page = DirectoryChange { upserted: &page, ..Default::default() };
        office.register.directory_apply(&contoso, "tid", page, 1_000).unwrap();
    }
    let mut read = 0;
    let mut after: Option<(String, String)> = None;
    loop {
        let from = after.as_ref().map(|(tid, oid)| (tid.as_str(), oid.as_str()));
        let page = office.register.directory(&contoso, from, usize::MAX).unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.tid.clone(), last.oid.clone()));
        for row in page {
            assert_eq!(row.oid, format!("oid-{read:06}"));
            read += 1;
        }
    }
    assert_eq!(read, USERS);
}
