//! When the journal cannot be written: no new calls are taken, everybody is told, and afterwards nothing is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use axum::http::StatusCode;
use common::Shop;
use tandem::live::{Writing, wait_committed};
use tandem::restore;
use tandem_center::Timestamp;
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::InteractionId;
use tandem_store::Tenant;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_failing_disk_is_told_and_overcome() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/readyz").await, (StatusCode::OK, serde_json::json!({"ready": true, "faults": []})));
    let mut writing = shop.live.writing();
    let other = rusqlite::Connection::open(shop.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let (status, error) = shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    assert_eq!((status, &error["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"not_yet_written".into()));
    assert_eq!(shop.get("/api/v1/agents/anna").await.1["state"], "offline", "only what is written is seen");
    let behind = |writing: &Writing| matches!(writing, Writing::Behind { fault: Some(_) });
    tokio::time::timeout(PATIENCE, writing.wait_for(behind)).await.unwrap().unwrap();
    let (status, ready) = shop.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready["faults"][0].as_str().unwrap().contains("locked by another program"), "{ready}");
    let (_, figures) = shop.get("/metrics").await;
    assert!(figures.as_str().unwrap().contains("tandem_store_writing 0\n"), "{figures}");

    other.execute_batch("ROLLBACK").unwrap();
    tokio::time::timeout(PATIENCE, writing.wait_for(|writing| *writing == Writing::Well))
        .await
        .unwrap()
        .unwrap();
    shop.settle().await;
    assert_eq!(shop.get("/api/v1/agents/anna").await.1["state"], "available");
    assert_eq!(shop.get("/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_process_that_lost_its_journal_to_another_ends() {
    let shop = Shop::open().await;
    let mut writing = shop.live.writing();
    let next = shop.live.view().live.number + 1;
    let other = rusqlite::Connection::open(shop.path().join("journal.db")).unwrap();
    other
        .execute("INSERT INTO facts VALUES ('default', ?1, 0, NULL, 0, x'00', NULL)", [next.cast_signed()])
        .unwrap();
    let (status, _) = shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let over = |writing: &Writing| matches!(writing, Writing::Over { .. });
    tokio::time::timeout(PATIENCE, writing.wait_for(over)).await.unwrap().unwrap();
    let (status, ready) = shop.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready["faults"][0].as_str().unwrap().contains("another process"), "{ready}");
}

/// The journal of a center, with somebody else's lock on the file, and facts to write.
struct Stuck {
    restored: restore::Restored,
    other: rusqlite::Connection,
    number: u64,
    _folder: tempfile::TempDir,
}

impl Stuck {
    fn new() -> Stuck {
        let folder = tempfile::tempdir().unwrap();
        let restored = restore::open(folder.path(), None, Tenant::only()).unwrap();
        let other = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Stuck { restored, other, number: 0, _folder: folder }
    }

    fn record(&mut self, count: u64) {
        let fact = |number| Fact {
            number,
            at: Timestamp::from_micros(number),
            version: Fact::VERSION,
            kind: FactKind::Answered { interaction: InteractionId(1) },
        };
        self.restored.recorder.record((self.number + 1..=self.number + count).map(fact).collect());
        self.number += count;
    }

    async fn wait(&self, wanted: impl Fn(&Writing) -> bool) {
        let mut writing = self.restored.live.writing();
        tokio::time::timeout(PATIENCE, writing.wait_for(wanted)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn when_too_many_facts_wait_no_new_calls_are_taken_until_they_are_written() {
    let mut stuck = Stuck::new();
    stuck.record(49_000);
    assert_eq!(*stuck.restored.live.writing().borrow(), Writing::Well);
    stuck.record(2_000);
    assert!(matches!(*stuck.restored.live.writing().borrow(), Writing::Behind { .. }));
    stuck.other.execute_batch("ROLLBACK").unwrap();
    stuck.wait(|writing| *writing == Writing::Well).await;
    assert!(wait_committed(&stuck.restored.live, 51_000, PATIENCE).await);
    stuck.restored.live.close().unwrap();
}

#[tokio::test]
async fn when_facts_can_no_longer_be_kept_the_program_is_told_to_end() {
    let mut stuck = Stuck::new();
    stuck.record(60_000);
    stuck.record(60_000);
    assert!(matches!(*stuck.restored.live.writing().borrow(), Writing::Over { .. }));
    stuck.other.execute_batch("ROLLBACK").unwrap();
    // What was taken before is written all the same, and is a prefix without gaps.
    assert!(wait_committed(&stuck.restored.live, 60_000, PATIENCE).await);
    stuck.restored.live.close().unwrap();
    assert_eq!(stuck.restored.live.view().live.number, 60_000);
}
