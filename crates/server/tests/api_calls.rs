//! Calls over the API: live, closed, and the story of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::http::StatusCode;
use common::Shop;

async fn one_handled_call() -> Shop {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.pass(65).await;
    shop
}

#[tokio::test]
async fn a_live_call_is_seen_where_it_stands() {
    let shop = one_handled_call().await;
    shop.call(2).await;
    let (status, body) = shop.get("/api/v1/calls").await;
    assert_eq!(status, StatusCode::OK);
    let calls = body["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!((&calls[0]["stage"], &calls[0]["agent"]), (&"connected".into(), &"anna".into()));
    assert_eq!((&calls[1]["stage"], &calls[1]["queue"]), (&"waiting".into(), &"support".into()));
    assert_eq!(calls[0]["from"], "+4917012345");
    assert_eq!(calls[0]["call"], "0000000000000001");
    assert_eq!(body.get("next"), None);
}

#[tokio::test]
async fn queues_count_who_waits_and_who_could_answer() {
    let shop = one_handled_call().await;
    shop.call(2).await;
    shop.call(3).await;
    shop.hang_up(3).await;
    let (_, body) = shop.get("/api/v1/queues").await;
    let support = &body["queues"][1];
    assert_eq!(support["id"], "support");
    assert_eq!((&support["waiting"], &support["talking"]), (&1.into(), &1.into()));
    assert_eq!((&support["agents"], &support["available"]), (&2.into(), &0.into()));
    assert!(support["longest_since"].as_u64().is_some());
    let totals = &support["totals"];
    assert_eq!(
        (&totals["entered"], &totals["answered"], &totals["abandoned"]),
        (&3.into(), &1.into(), &1.into())
    );
}

#[tokio::test]
async fn closed_calls_come_latest_first_and_in_pages() {
    let shop = Shop::open().await;
    for call in 1..=5 {
        shop.call(call).await;
        shop.hang_up(call).await;
    }
    let ids = |body: &serde_json::Value| -> Vec<String> {
        body["calls"].as_array().unwrap().iter().map(|call| call["call"].as_str().unwrap().into()).collect()
    };
    let (_, first) = shop.get("/api/v1/calls?state=closed&limit=2").await;
    assert_eq!(ids(&first), ["0000000000000005", "0000000000000004"]);
    assert_eq!(first["calls"][0]["outcome"], "abandoned_in_queue");
    let (_, second) = shop.get(&format!("/api/v1/calls?state=closed&limit=2&cursor={}", first["next"])).await;
    assert_eq!(ids(&second), ["0000000000000003", "0000000000000002"]);
    let (_, third) = shop.get(&format!("/api/v1/calls?state=closed&limit=2&cursor={}", second["next"])).await;
    assert_eq!(ids(&third), ["0000000000000001"]);
    assert_eq!(third.get("next"), None);
}

#[tokio::test]
async fn live_calls_come_in_pages_too() {
    let shop = Shop::open().await;
    for call in 1..=3 {
        shop.call(call).await;
    }
    let (_, first) = shop.get("/api/v1/calls?limit=2").await;
    assert_eq!(first["calls"].as_array().unwrap().len(), 2);
    let (_, second) = shop.get(&format!("/api/v1/calls?limit=2&cursor={}", first["next"])).await;
    assert_eq!(second["calls"][0]["call"], "0000000000000003");
    assert_eq!(second.get("next"), None);
}

#[tokio::test]
async fn the_story_of_a_call_can_be_read_by_a_person() {
    let shop = one_handled_call().await;
    shop.hang_up(1).await;
    shop.pass(31).await;
    let (_, closed) = shop.get("/api/v1/calls?state=closed").await;
    let id = closed["calls"][0]["id"].as_u64().unwrap();
    let (status, story) = shop.get(&format!("/api/v1/calls/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(story["call"]["stage"], "closed");
    assert_eq!(story["call"]["outcome"], "handled");
    assert!(story["call"]["talked_us"].as_u64().unwrap() >= 65_000_000);
    let timeline = story["timeline"].as_array().unwrap();
    let told: Vec<&str> = timeline.iter().map(|moment| moment["text"].as_str().unwrap()).collect();
    assert_eq!(told[0], "+4917012345 (Erika) called +4930111 over carrier and entered the flow direct.");
    assert!(told.contains(&"The caller entered the queue Support as the first."), "{told:#?}");
    assert!(told.iter().any(|text| text.starts_with("Anna Adler answered after ")), "{told:#?}");
    assert!(told.iter().any(|text| text.starts_with("The caller hung up after 1 min 05 s")), "{told:#?}");
    assert_eq!(*told.last().unwrap(), "Closed: the caller talked to an agent.");
    for moment in timeline {
        assert_eq!(moment["fact"]["number"], moment["number"]);
        assert_eq!(moment["fact"]["kind"], moment["kind"]);
    }
}

#[tokio::test]
async fn an_agent_who_does_not_answer_stands_in_the_story() {
    let shop = Shop::open().await;
    shop.nobody_answers();
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.pass(16).await;
    let (_, calls) = shop.get("/api/v1/calls").await;
    let (_, story) = shop.get(&format!("/api/v1/calls/{}", calls["calls"][0]["id"])).await;
    let told = story["timeline"].to_string();
    assert!(told.contains("Anna Adler did not answer after 16"), "{told}");
    let (_, anna) = shop.get("/api/v1/agents/anna").await;
    assert_eq!((&anna["state"], &anna["rest_cause"]), (&"resting".into(), &"missed".into()));
}

#[tokio::test]
async fn a_call_that_does_not_exist_and_wrong_parameters_are_told() {
    let shop = Shop::open().await;
    for (path, status, code) in [
        ("/api/v1/calls/4711", 404, "not_found"),
        ("/api/v1/calls/1", 404, "not_found"),
        ("/api/v1/calls/abc", 400, "bad_path"),
        ("/api/v1/calls?state=lost", 400, "bad_query"),
        ("/api/v1/calls?limit=0", 400, "bad_limit"),
        ("/api/v1/calls?limit=201", 400, "bad_limit"),
        ("/api/v1/calls?oops=1", 400, "bad_query"),
    ] {
        let (found, error) = shop.get(path).await;
        assert_eq!((found.as_u16(), error["code"].as_str()), (status, Some(code)), "{path}: {error}");
    }
}
