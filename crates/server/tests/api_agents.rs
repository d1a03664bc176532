//! Agents over the API: seen, and set.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::body::Body;
use axum::http::StatusCode;
use common::{Shop, request};

#[tokio::test]
async fn all_agents_are_listed_with_what_they_do() {
    let shop = Shop::open().await;
    let (status, body) = shop.get("/api/v1/agents").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["agents"][0]["id"], "anna");
    assert_eq!(body["agents"][0]["name"], "Anna Adler");
    assert_eq!(body["agents"][0]["state"], "offline");
    assert_eq!(body["agents"][0]["queues"][0], "support");
    assert_eq!(body["agents"].as_array().unwrap().len(), 2);
    assert_eq!(body["number"], shop.live.view().live.number);
}

#[tokio::test]
async fn an_agent_who_is_set_available_is_offered_the_next_caller() {
    let shop = Shop::open().await;
    let (status, done) = shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(done["agent"]["state"], "available");
    assert!(
        done["number"].as_u64().unwrap() <= shop.live.view().live.number,
        "the answer comes after the commit"
    );
    shop.call(1).await;
    let (_, anna) = shop.get("/api/v1/agents/anna").await;
    assert_eq!(anna["state"], "in_conversation");
    assert!(anna["interaction"].as_u64().is_some());
}

#[tokio::test]
async fn a_break_has_a_reason_and_nothing_else_does() {
    let shop = Shop::open().await;
    let (status, done) = shop.put("/api/v1/agents/anna/state", r#"{"state":"break","reason":"lunch"}"#).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(done["agent"]["chosen"], serde_json::json!({"state": "break", "reason": "lunch"}));
    let (status, error) = shop.put("/api/v1/agents/anna/state", r#"{"state":"offline","reason":"x"}"#).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &"unexpected_reason".into()));
    assert_eq!(error["field"], "reason");
    let long = format!(r#"{{"state":"break","reason":"{}"}}"#, "x".repeat(129));
    let (status, error) = shop.put("/api/v1/agents/anna/state", &long).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &"reason_too_long".into()));
}

#[tokio::test]
async fn a_repeated_command_is_carried_out_once() {
    let shop = Shop::open().await;
    let put = |key: &str, body: &str| {
        let mut put = request("PUT", "/api/v1/agents/anna/state", Body::from(body.to_owned()));
        put.headers_mut().insert("Idempotency-Key", key.parse().unwrap());
        put
    };
    let first = shop.send(put("k1", r#"{"state":"available"}"#)).await;
    let number = shop.live.view().live.number;
    let again = shop.send(put("k1", r#"{"state":"available"}"#)).await;
    assert_eq!(first, again);
    assert_eq!(shop.live.view().live.number, number, "nothing happened");

    let (status, error) = shop.send(put("k1", r#"{"state":"offline"}"#)).await;
    assert_eq!((status, &error["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &"key_reused".into()));
    let (status, _) = shop.send(put("k2", r#"{"state":"offline"}"#)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, error) = shop.send(put(&"k".repeat(129), r#"{"state":"offline"}"#)).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &"bad_key".into()));
}

#[tokio::test]
async fn a_wrap_up_is_ended_over_the_api() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.hang_up(1).await;
    let (_, anna) = shop.get("/api/v1/agents/anna").await;
    assert_eq!(anna["state"], "wrap_up");
    assert!(anna["until"].as_u64() > anna["since"].as_u64());
    let end = || request("DELETE", "/api/v1/agents/anna/wrap-up", Body::empty());
    let (status, done) = shop.send(end()).await;
    assert_eq!((status, &done["agent"]["state"]), (StatusCode::OK, &"available".into()));
    let (status, error) = shop.send(end()).await;
    assert_eq!((status, &error["code"]), (StatusCode::CONFLICT, &"not_in_wrap_up".into()));
}

#[tokio::test]
async fn what_is_wrong_is_told_in_one_shape_with_a_remedy() {
    let shop = Shop::open().await;
    let available = r#"{"state":"available"}"#;
    let mut plain = request("PUT", "/api/v1/agents/anna/state", Body::from(available));
    plain.headers_mut().remove("Content-Type");
    let huge = Body::from(format!(r#"{{"state":"break","reason":"{}"}}"#, "x".repeat(70_000)));
    let put = |path: &str, body: &str| request("PUT", path, Body::from(body.to_owned()));
    for (request, status, code) in [
        (put("/api/v1/agents/nobody/state", available), 404, "not_found"),
        (request("GET", "/api/v1/agents/nobody", Body::empty()), 404, "not_found"),
        (put("/api/v1/agents/anna/state", r#"{"state":"asleep"}"#), 400, "bad_body"),
        (put("/api/v1/agents/anna/state", r#"{"state":"offline","oops":1}"#), 400, "bad_body"),
        (put("/api/v1/agents/anna/state", "{"), 400, "bad_body"),
        (plain, 415, "not_json"),
        (request("PUT", "/api/v1/agents/anna/state", huge), 413, "too_large"),
        (request("POST", "/api/v1/agents", Body::empty()), 405, "wrong_method"),
        (request("GET", "/api/v1/nothing", Body::empty()), 404, "no_route"),
    ] {
        let asked = format!("{} {}", request.method(), request.uri());
        let (found, error) = shop.send(request).await;
        assert_eq!((found.as_u16(), error["code"].as_str()), (status, Some(code)), "{asked}: {error}");
        for member in ["message", "remedy"] {
            assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "{asked}: {error}");
        }
    }
}
