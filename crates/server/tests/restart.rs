//! A restart goes on from what is written: the same agents, the same counts, the same stories.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::http::StatusCode;
use common::Shop;
use tandem::restore;
use tandem_store::Tenant;

#[tokio::test]
async fn the_state_after_a_restart_is_the_state_before_it() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.hang_up(1).await;
    shop.pass(31).await;
    let before = shop.live.view();
    let agents = shop.get("/api/v1/agents").await;
    let closed = shop.get("/api/v1/calls?state=closed").await;

    let shop = shop.restart().await;
    assert_eq!(*shop.live.view(), *before);
    assert_eq!(shop.get("/api/v1/agents").await, agents);
    assert_eq!(shop.get("/api/v1/calls?state=closed").await, closed);
}

#[tokio::test]
async fn a_call_that_was_live_is_closed_as_lost_and_its_agent_is_free() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    let shop = shop.restart().await;
    assert_eq!(shop.get("/api/v1/calls").await.1["calls"], serde_json::json!([]));
    let (_, closed) = shop.get("/api/v1/calls?state=closed").await;
    assert_eq!(closed["calls"][0]["stage"], "closed");
    assert!(closed["calls"][0]["outcome"].is_string());
    shop.call(2).await;
    assert_eq!(shop.get("/api/v1/calls").await.1["calls"][0]["agent"], "anna");
}

#[tokio::test]
async fn snapshots_change_nothing_but_the_time_a_start_takes() {
    let shop = Shop::open().await;
    // Enough facts for a snapshot on the way.
    let mut call = 0;
    while shop.live.view().live.number < 5_200 {
        call += 1;
        shop.call(call).await;
        shop.hang_up(call).await;
    }
    let before = shop.live.view();
    shop.live.close().unwrap();
    let directory = shop.path().to_owned();
    // The snapshot at the end, then the one on the way, then none at all.
    for cut in ["", "UPDATE snapshots SET sealed = x'00'", "DELETE FROM snapshots"] {
        let file = rusqlite::Connection::open(directory.join("journal.db")).unwrap();
        file.execute_batch(cut).unwrap();
        drop(file);
        let restored = restore::open(&directory, None, Tenant::only()).unwrap();
        assert_eq!(*restored.live.view(), *before, "{cut:?}");
        restored.live.close().unwrap();
    }
}

#[tokio::test]
async fn a_fact_that_cannot_be_read_is_named() {
    let shop = Shop::open().await;
    shop.call(1).await;
    let id = shop.get("/api/v1/calls").await.1["calls"][0]["id"].as_u64().unwrap();
    let directory = shop.path().to_owned();
    let file = rusqlite::Connection::open(directory.join("journal.db")).unwrap();
    file.execute("UPDATE facts SET fact = x'7b7d' WHERE number = ?1", [(id + 1).cast_signed()]).unwrap();
    drop(file);
    let (status, error) = shop.get(&format!("/api/v1/calls/{id}")).await;
    assert_eq!((status, &error["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"journal_unreadable".into()));
    assert!(error["message"].as_str().unwrap().contains(&format!("fact {}", id + 1)), "{error}");
}
