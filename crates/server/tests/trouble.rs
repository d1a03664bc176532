//! When the journal cannot be written: no new calls are taken, everybody is told, and afterwards nothing is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use axum::http::StatusCode;
use common::Shop;
use tandem::live::Writing;

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
        .execute("INSERT INTO facts VALUES ('default', ?1, 0, NULL, 0, x'00')", [next.cast_signed()])
        .unwrap();
    let (status, _) = shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let over = |writing: &Writing| matches!(writing, Writing::Over { .. });
    tokio::time::timeout(PATIENCE, writing.wait_for(over)).await.unwrap().unwrap();
    let (status, ready) = shop.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready["faults"][0].as_str().unwrap().contains("another process"), "{ready}");
}
