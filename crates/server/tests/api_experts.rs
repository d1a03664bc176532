//! Whom to ask about a call: who has the skill, and who solved the like before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Shop, Street};
use serde_json::{Value, json};

async fn be(shop: &Shop, agent: &str, state: &str) {
    let (status, body) =
        shop.put(&format!("/api/v1/agents/{agent}/state"), &json!({ "state": state }).to_string()).await;
    assert!(status.is_success(), "{body}");
}

/// The only live call.
async fn live_call(shop: &Shop) -> u64 {
    let (_, calls) = shop.get("/api/v1/calls").await;
    calls["calls"][0]["id"].as_u64().unwrap()
}

async fn experts(shop: &Shop, call: u64) -> Vec<Value> {
    let (status, body) = shop.get(&format!("/api/v1/calls/{call}/experts")).await;
    assert_eq!(status, 200, "{body}");
    body["experts"].as_array().unwrap().clone()
}

/// Anna talks to a caller for so long, and says afterwards that it was a question.
async fn anna_answers_a_question(shop: &Shop, call: u64, seconds: u64) {
    be(shop, "anna", "available").await;
    shop.call(call).await;
    shop.pass(seconds).await;
    shop.hang_up(call).await;
    let (status, body) = shop.delete("/api/v1/agents/anna/wrap-up", r#"{"code":"question"}"#).await;
    assert!(status.is_success(), "{body}");
    be(shop, "anna", "break").await;
}

#[tokio::test]
async fn who_solved_the_like_before_is_suggested_with_how_often_and_when() {
    let shop = Shop::open().await;
    anna_answers_a_question(&shop, 1, 20).await;
    anna_answers_a_question(&shop, 2, 20).await;
    be(&shop, "bert", "available").await;
    shop.call(3).await;
    let found = experts(&shop, live_call(&shop).await).await;
    assert_eq!(found.len(), 1, "Bert, who has the call, is not told to ask himself: {found:?}");
    let anna = &found[0];
    assert_eq!(
        (&anna["agent"], &anna["name"], &anna["standing"]),
        (&"anna".into(), &"Anna Adler".into(), &"away".into())
    );
    assert_eq!(anna.get("id"), None, "she is in no directory");
    let reason = &anna["reasons"][0];
    assert_eq!(
        (&reason["kind"], &reason["common"], &reason["id"], &reason["name"], &reason["times"]),
        (&"solved_before".into(), &"queue".into(), &"support".into(), &"Support".into(), &2.into())
    );
    assert!(reason["last_ms"].as_u64().unwrap() > common::START_US / 1_000);
}

#[tokio::test]
async fn the_code_of_a_call_finds_who_chose_it_before() {
    let shop = Shop::open().await;
    anna_answers_a_question(&shop, 1, 20).await;
    be(&shop, "bert", "available").await;
    shop.call(2).await;
    let call = live_call(&shop).await;
    shop.pass(20).await;
    shop.hang_up(2).await;
    shop.delete("/api/v1/agents/bert/wrap-up", r#"{"code":"question"}"#).await;
    let found = experts(&shop, call).await;
    let reasons = found[0]["reasons"].as_array().unwrap();
    let code =
        reasons.iter().find(|reason| reason["common"] == "code").unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!((&code["name"], &code["times"]), (&"A question".into(), &1.into()));
}

#[tokio::test]
async fn what_is_over_after_a_word_was_solved_by_nobody() {
    let shop = Shop::open().await;
    anna_answers_a_question(&shop, 1, 3).await;
    shop.call(2).await;
    assert_eq!(experts(&shop, live_call(&shop).await).await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_has_the_skill_that_is_asked_for_is_suggested_and_free_people_come_first() {
    let shop = Shop::open().await;
    anna_answers_a_question(&shop, 1, 20).await;
    shop.call(2).await;
    let call = live_call(&shop).await;
    let (status, body) = shop.post(&format!("/api/v1/calls/{call}/move"), r#"{"queue":"sales"}"#).await;
    assert!(status.is_success(), "{body}");
    let names = |found: &[Value]| {
        found.iter().map(|one| one["agent"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let found = experts(&shop, call).await;
    assert_eq!(names(&found), ["anna", "bert"], "Anna is on a break, Bert is not there at all");
    let skill = &found[1]["reasons"][0];
    assert_eq!(
        (&skill["kind"], &skill["skill"], &skill["level"]),
        (&"skill".into(), &"french".into(), &4.into())
    );
    assert_eq!(found[1]["standing"], "offline");

    let presence = r#"{"source":"teams","presence":"available"}"#;
    shop.put("/api/v1/agents/bert/presence", presence).await;
    let found = experts(&shop, call).await;
    assert_eq!(
        names(&found),
        ["bert", "anna"],
        "Bert does not take calls, but Teams says that he can be asked"
    );
    assert_eq!((&found[0]["standing"], &found[0]["presence"]), (&"free".into(), &"available".into()));
    assert!(found[0]["presence_age_ms"].is_u64(), "{}", found[0]);
}

#[tokio::test]
async fn what_was_solved_is_known_after_a_restart() {
    let shop = Shop::open().await;
    anna_answers_a_question(&shop, 1, 20).await;
    let shop = shop.restart().await;
    shop.call(2).await;
    let found = experts(&shop, live_call(&shop).await).await;
    assert_eq!((found.len(), &found[0]["agent"]), (1, &"anna".into()), "{found:?}");
}

#[tokio::test]
async fn a_call_that_is_not_there_and_a_wrong_number_are_refused() {
    let shop = Shop::open().await;
    shop.call(1).await;
    let call = live_call(&shop).await;
    for (path, status) in [
        ("/api/v1/calls/4711/experts".to_owned(), 404),
        ("/api/v1/calls/x/experts".to_owned(), 400),
        (format!("/api/v1/calls/{call}/experts?limit=many"), 400),
        (format!("/api/v1/calls/{call}/experts?oops=1"), 400),
    ] {
        let (found, body) = shop.get(&path).await;
        assert_eq!(found, status, "{path}: {body}");
    }
}

#[tokio::test]
async fn experts_of_another_tenants_call_are_not_told() {
    let street = Street::open().await;
    street.call_north(1).await;
    let root = common::ROOT;
    let (_, calls) = street.ask_in(root, Some("north"), "GET", "/api/v1/calls", "").await;
    let call = calls["calls"][0]["id"].as_u64().unwrap();
    let path = format!("/api/v1/calls/{call}/experts");
    assert_eq!(street.ask_in(root, Some("north"), "GET", &path, "").await.0, 200);
    assert_eq!(street.ask_in(root, Some("south"), "GET", &path, "").await.0, 404);
}
