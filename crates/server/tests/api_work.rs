//! Supervision over the API: who waits is moved, prioritised and assigned; customers are called back; queues are closed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::http::StatusCode;
use common::Shop;
use serde_json::{Value, json};
use tandem_center::call::{CallEvent, CallId, PartyId};

/// Two callers wait in support, nobody is at work.
async fn two_waiting() -> (Shop, u64, u64) {
    let shop = Shop::open().await;
    shop.call(1).await;
    shop.call(2).await;
    let calls = shop.get("/api/v1/calls").await.1;
    let id = |place: usize| calls["calls"][place]["id"].as_u64().unwrap();
    let (first, second) = (id(0), id(1));
    (shop, first, second)
}

async fn line_of(shop: &Shop, queue: &str) -> Vec<u64> {
    let (_, body) = shop.get(&format!("/api/v1/queues/{queue}")).await;
    body["line"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect()
}

fn refused(answer: (StatusCode, Value)) -> (u16, String, Option<String>) {
    let (status, body) = answer;
    assert!(body["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    (status.as_u16(), body["code"].as_str().unwrap().into(), body["field"].as_str().map(Into::into))
}

#[tokio::test]
async fn a_caller_who_is_made_important_stands_first_and_the_story_says_why() {
    let (shop, first, second) = two_waiting().await;
    assert_eq!(line_of(&shop, "support").await, [first, second]);
    let path = format!("/api/v1/calls/{second}/priority");
    let (status, done) = shop.post(&path, r#"{"priority":1,"vip":true,"reason":"the mayor"}"#).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    assert_eq!((&done["call"]["wait"]["priority"], &done["call"]["wait"]["vip"]), (&1.into(), &true.into()));
    assert_eq!(line_of(&shop, "support").await, [second, first]);
    let story = shop.get(&format!("/api/v1/calls/{second}")).await.1["timeline"].to_string();
    assert!(story.contains("the mayor"), "{story}");
    assert_eq!(
        refused(shop.post(&path, r#"{"priority":1,"vip":true}"#).await),
        (409, "already_so".into(), None)
    );
    let (status, code, field) = refused(shop.post(&path, r#"{"priority":0}"#).await);
    assert_eq!((status, &*code, field.as_deref()), (400, "bad_priority", Some("priority")));
}

#[tokio::test]
async fn a_caller_who_is_moved_keeps_the_whole_wait() {
    let (shop, first, second) = two_waiting().await;
    shop.pass(20).await;
    let (status, done) = shop.post(&format!("/api/v1/calls/{first}/move"), r#"{"queue":"sales"}"#).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let wait = &done["call"]["wait"];
    assert!(wait["entered_at"].as_u64().unwrap() >= wait["waiting_since"].as_u64().unwrap() + 20_000_000);
    assert_eq!(wait["terms"][0]["skills"], json!({"french": 5}));
    assert_eq!(wait["terms"][1], json!({"after_s": 60}));
    assert_eq!((line_of(&shop, "support").await, line_of(&shop, "sales").await), (vec![second], vec![first]));
    for (id, body, status, code) in [
        (first, r#"{"queue":"sales"}"#, 409, "same_queue"),
        (second, r#"{"queue":"none"}"#, 404, "not_found"),
        (4711, r#"{"queue":"sales"}"#, 404, "not_found"),
    ] {
        let answer = refused(shop.post(&format!("/api/v1/calls/{id}/move"), body).await);
        assert_eq!((answer.0, &*answer.1), (status, code), "{id} {body}");
    }
}

#[tokio::test]
async fn an_assigned_caller_waits_for_that_agent_only() {
    let (shop, first, _) = two_waiting().await;
    let path = format!("/api/v1/calls/{first}/assignment");
    let (status, done) = shop.post(&path, r#"{"agent":"bert"}"#).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    let (_, calls) = shop.get("/api/v1/calls").await;
    assert_eq!(
        (&calls["calls"][0]["stage"], &calls["calls"][1]["agent"]),
        (&"waiting".into(), &"anna".into())
    );
    shop.put("/api/v1/agents/bert/state", r#"{"state":"available"}"#).await;
    assert_eq!(shop.get("/api/v1/calls").await.1["calls"][0]["agent"], "bert");
    let moved = shop.post(&format!("/api/v1/calls/{first}/assignment"), r#"{"agent":"anna"}"#).await;
    assert_eq!(refused(moved).1, "not_waiting");
}

#[tokio::test]
async fn a_callback_is_scheduled_seen_and_cancelled() {
    let shop = Shop::open().await;
    let at = common::START_US / 2;
    let body = json!({"line": "carrier", "phone": "+4930999", "name": "Grace", "queue": "sales", "at": at, "priority": 2,
        "reason": "asked by mail"});
    let (status, done) = shop.post("/api/v1/callbacks", &body.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let call = &done["call"];
    assert_eq!(
        (&call["channel"], &call["from"], &call["from_name"]),
        (&"callback".into(), &"+4930999".into(), &"Grace".into())
    );
    assert_eq!((call.get("to"), &call["queue"]), (None, &"sales".into()));
    let id = call["id"].as_u64().unwrap();
    shop.pass(1).await;
    assert_eq!(line_of(&shop, "sales").await, [id], "its time has come");
    let (status, done) =
        shop.delete(&format!("/api/v1/calls/{id}/callback"), r#"{"reason":"wrote again"}"#).await;
    assert_eq!((status, done.get("call")), (StatusCode::OK, None));
    let (_, closed) = shop.get("/api/v1/calls?state=closed").await;
    assert_eq!((&closed["calls"][0]["outcome"], closed["calls"][0].get("call")), (&"cancelled".into(), None));
    assert_eq!(refused(shop.delete(&format!("/api/v1/calls/{id}/callback"), "").await).0, 404);
}

#[tokio::test]
async fn a_callback_that_cannot_be_is_refused_with_the_member_that_is_wrong() {
    let shop = Shop::open().await;
    let long = "x".repeat(129);
    for (change, status, code, field) in [
        (json!({"line": "none"}), 400, "unknown_line", Some("line")),
        (json!({"phone": "hello"}), 400, "bad_phone", Some("phone")),
        (json!({"phone": "+1"}), 400, "bad_phone", Some("phone")),
        (json!({"name": long}), 400, "name_too_long", Some("name")),
        (json!({"at": u64::MAX}), 400, "bad_time", Some("at")),
        (json!({"priority": 6}), 400, "bad_priority", Some("priority")),
        (json!({"reason": long}), 400, "reason_too_long", Some("reason")),
        (json!({"queue": "none"}), 404, "not_found", None),
    ] {
        let mut body = json!({"line": "carrier", "phone": "+4930999", "queue": "sales"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let before = shop.live.view().live.number;
        let answer = refused(shop.post("/api/v1/callbacks", &body.to_string()).await);
        assert_eq!((answer.0, &*answer.1, answer.2.as_deref()), (status, code, field), "{body}");
        assert_eq!(shop.live.view().live.number, before, "nothing happened");
    }
}

#[tokio::test]
async fn a_repeated_order_for_a_callback_calls_once() {
    let shop = Shop::open().await;
    let order = || {
        let body = r#"{"line":"carrier","phone":"+4930999","queue":"sales"}"#;
        let mut order = common::request("POST", "/api/v1/callbacks", body.into());
        order.headers_mut().insert("Idempotency-Key", "k".parse().unwrap());
        order
    };
    let first = shop.send(order()).await;
    assert_eq!((first.0, first.clone()), (StatusCode::OK, shop.send(order()).await));
    assert_eq!(shop.get("/api/v1/calls").await.1["calls"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_closed_queue_lets_nobody_in_until_it_is_opened() {
    let shop = Shop::open().await;
    let switch = "/api/v1/queues/support/switch";
    let (status, done) = shop.put(switch, r#"{"closed":true,"reason":"fire drill"}"#).await;
    assert_eq!((status, &done["queue"]["closed"]), (StatusCode::OK, &true.into()));
    shop.call(1).await;
    let (_, support) = shop.get("/api/v1/queues/support").await;
    assert_eq!(
        (&support["queue"]["waiting"], &support["queue"]["totals"]["refused"]),
        (&0.into(), &1.into())
    );
    let shop = shop.restart().await;
    assert_eq!(shop.get("/api/v1/queues/support").await.1["queue"]["closed"], true);
    assert_eq!(refused(shop.put(switch, r#"{"closed":true}"#).await).1, "already_so");
    let (_, done) = shop.put(switch, r#"{"closed":false}"#).await;
    assert_eq!(done["queue"]["closed"], false);
}

#[tokio::test]
async fn what_another_system_says_of_an_agent_stops_offers() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    let body = r#"{"source":"teams","presence":"do_not_disturb","manual":true}"#;
    let (status, done) = shop.put("/api/v1/agents/anna/presence", body).await;
    assert_eq!((status, &done["agent"]["state"]), (StatusCode::OK, &"not_reachable".into()));
    let presence = &done["agent"]["presence"];
    assert_eq!((&presence["source"], &presence["stops"]), (&"teams".into(), &true.into()));
    shop.call(1).await;
    assert_eq!(shop.get("/api/v1/calls").await.1["calls"][0]["stage"], "waiting");
    let (_, done) =
        shop.put("/api/v1/agents/anna/presence", r#"{"source":"teams","presence":"available"}"#).await;
    assert_eq!(done["agent"]["state"], "in_conversation");
    // A value that was already too old when it came changes nothing.
    let old = r#"{"source":"teams","presence":"offline","observed_at":1}"#;
    let (status, done) = shop.put("/api/v1/agents/anna/presence", old).await;
    assert_eq!((status, &done["agent"]["presence"]["presence"]), (StatusCode::OK, &"available".into()));
}

#[tokio::test]
async fn a_wrap_up_is_extended_and_ends_with_a_code_and_a_note() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available","why":"needed on the phone"}"#).await;
    shop.call(1).await;
    let id = shop.get("/api/v1/calls").await.1["calls"][0]["id"].as_u64().unwrap();
    shop.hang_up(1).await;
    let before = shop.get("/api/v1/agents/anna").await.1["work"][0]["until"].as_u64().unwrap();
    let extension = "/api/v1/agents/anna/wrap-up/extension";
    let (status, done) = shop.post(extension, "").await;
    assert_eq!(
        (status, done["agent"]["work"][0]["until"].as_u64()),
        (StatusCode::OK, Some(before + 60_000_000))
    );
    assert_eq!(refused(shop.post(extension, "").await).1, "no_more_time");
    let end = "/api/v1/agents/anna/wrap-up";
    let (status, code, field) = refused(shop.delete(end, r#"{"code":"none"}"#).await);
    assert_eq!((status, &*code, field.as_deref()), (400, "unknown_code", Some("code")));
    let (status, done) = shop.delete(end, r#"{"code":"question","note":"Wants a new router"}"#).await;
    assert_eq!((status, &done["agent"]["state"]), (StatusCode::OK, &"available".into()));
    let (_, story) = shop.get(&format!("/api/v1/calls/{id}")).await;
    assert_eq!(story["call"]["code"], "question");
    assert!(story["timeline"].to_string().contains("Wants a new router"));
}

#[tokio::test]
async fn the_line_says_who_waits_for_what_and_for_how_long() {
    let (shop, first, _) = two_waiting().await;
    let (_, sales) = shop.get("/api/v1/queues/sales").await;
    assert_eq!(sales["queue"]["strategy"], "most_skilled");
    assert_eq!(sales["queue"].get("expected_us"), None, "nobody is at work");
    shop.nobody_answers();
    shop.put("/api/v1/agents/bert/state", r#"{"state":"available"}"#).await;
    let (_, support) = shop.get("/api/v1/queues/support").await;
    assert_eq!(
        (&support["line"][0]["place"], &support["line"][0]["offered_to"]),
        (&1.into(), &json!(["bert"]))
    );
    // Bert answers, and talks for a minute: from then on waits are to be expected.
    let party =
        shop.live.view().stories.values().next().unwrap().0.iter().find_map(|fact| match &fact.kind {
            tandem_center::fact::FactKind::Offered { party, .. } => Some(*party),
            _ => None,
        });
    shop.event(CallEvent::Joined { call: CallId(1), party: party.unwrap_or(PartyId::FIRST) }).await;
    shop.pass(60).await;
    shop.hang_up(1).await;
    let (_, support) = shop.get("/api/v1/queues/support").await;
    let talk = support["queue"]["talk_us"].as_u64().unwrap();
    assert!((60_000_000..61_000_000).contains(&talk), "{talk}");
    assert_eq!(support["line"][0]["expected_us"], talk, "one turn, one agent");
    assert_eq!(support["queue"]["expected_us"], 2 * talk);
    assert_ne!(support["line"][0]["id"], first);
}
