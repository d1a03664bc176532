//! Programs that are told what happens: signed, in order, until they know, and never what they may not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;
mod receiver;

use axum::http::StatusCode;
use common::{START_US, Shop};
use receiver::{Heard, Receiver};
use serde_json::{Value, json};

/// A webhook of the shop that tells this receiver, and its secret.
async fn told(shop: &Shop, receiver: &Receiver, more: Value) -> (String, String) {
    let mut wanted = json!({ "url": receiver.url() });
    wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, created) = shop.post("/api/v1/webhooks", &wanted.to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let secret = created["secret"].as_str().unwrap().to_owned();
    receiver.knows(&secret);
    (created["webhook"]["id"].as_str().unwrap().to_owned(), secret)
}

async fn webhook(shop: &Shop, id: &str) -> Value {
    shop.get(&format!("/api/v1/webhooks/{id}")).await.1
}

fn types(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|heard| heard.body["type"].as_str().unwrap().to_owned()).collect()
}

fn numbers(heard: &[Heard]) -> Vec<u64> {
    heard.iter().map(|heard| heard.body["number"].as_u64().unwrap()).collect()
}

/// The numbers of everything that a program would be told of these types.
async fn all_numbers(shop: &Shop, types: &str) -> Vec<u64> {
    let (_, events) = shop.get(&format!("/api/v1/events?limit=200&types={types}")).await;
    events["events"].as_array().unwrap().iter().map(|event| event["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_program_is_told_what_happens_signed_and_in_order() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = told(&shop, &receiver, json!({})).await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.hang_up(1).await;
    shop.pass(60).await;
    let heard = receiver.until("interaction.closed", 0).await;
    assert!(heard.iter().all(|heard| heard.signed), "every event is signed with the secret");
    assert!(numbers(&heard).is_sorted(), "{:?}", numbers(&heard));
    let types = types(&heard);
    for kind in ["agent.state_changed", "call.arrived", "offer.made", "call.connected", "call.ended"] {
        assert!(types.iter().any(|told| told == kind), "{kind} is missing in {types:?}");
    }
    let first = &heard[0];
    assert_eq!(first.id, first.body["id"].as_str().unwrap());
    assert_eq!(first.body["tenant"], "default");
    assert!(first.body["at"].as_u64().unwrap() >= START_US);
    let log = receiver::until(|| async {
        let log = shop.get(&format!("/api/v1/webhooks/{id}/deliveries")).await.1;
        let entries = log["deliveries"].as_array().unwrap().len();
        (entries == heard.len()).then_some(log)
    });
    let log = log.await;
    assert_eq!(log["deliveries"][0]["status"], 204, "{log}");
    assert_eq!(log["deliveries"][0]["taken"], true);
    assert_eq!(webhook(&shop, &id).await["state"], "active");
}

#[tokio::test]
async fn nothing_about_customers_is_told_unless_it_was_asked_for() {
    let (shop, plain, personal) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    told(&shop, &plain, json!({ "types": ["call.arrived"] })).await;
    told(&shop, &personal, json!({ "types": ["call.arrived"], "include_personal": true })).await;
    shop.call(1).await;
    let (plain, personal) = (plain.count(1).await, personal.count(1).await);
    assert!(!plain[0].text.contains("+4917012345") && !plain[0].text.contains("Erika"), "{}", plain[0].text);
    assert_eq!(personal[0].body["data"]["customer"], "+4917012345");
    assert_eq!(personal[0].body["data"]["customer_name"], "Erika");
}

#[tokio::test]
async fn what_was_erased_is_not_told_any_more() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    shop.call(1).await;
    shop.hang_up(1).await;
    let number = all_numbers(&shop, "call.arrived").await[0];
    let (status, _) = shop.delete(&format!("/api/v1/interactions/{number}/personal-data"), "").await;
    assert_eq!(status, StatusCode::OK);
    let wanted = json!({ "types": ["call.arrived", "personal_data.erased"], "include_personal": true });
    let (id, _) = told(&shop, &receiver, wanted).await;
    shop.post(&format!("/api/v1/webhooks/{id}/replay"), r#"{"after":0}"#).await;
    let heard = receiver.count(2).await;
    assert_eq!(types(&heard), ["call.arrived", "personal_data.erased"]);
    assert!(heard[0].body["data"].get("customer").is_none(), "{}", heard[0].text);
}

#[tokio::test]
async fn what_is_erased_while_it_waits_to_be_sent_again_is_not_in_it_any_more() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.asks_to_wait(1);
    let wanted = json!({ "types": ["call.arrived"], "include_personal": true });
    told(&shop, &receiver, wanted).await;
    shop.call(1).await;
    assert_eq!(receiver.count(1).await[0].body["data"]["customer"], "+4917012345");
    shop.hang_up(1).await;
    let number = all_numbers(&shop, "call.arrived").await[0];
    let (status, _) = shop.delete(&format!("/api/v1/interactions/{number}/personal-data"), "").await;
    assert_eq!(status, StatusCode::OK);
    receiver.answers([204]);
    // An attempt that was under way already may still have it; from then on it is gone.
    let again = receiver::until(|| async {
        let heard = receiver.count(2).await;
        heard.iter().skip(1).find(|event| event.body["data"].get("customer").is_none()).cloned()
    });
    let again = again.await;
    assert_eq!(again.body["number"], number);
}

#[tokio::test]
async fn a_register_that_cannot_be_written_for_a_while_has_all_of_it_afterwards() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = told(&shop, &receiver, json!({})).await;
    let before = webhook(&shop, &id).await["cursor"].as_u64().unwrap();
    let file = rusqlite::Connection::open(shop.path().join("people.db")).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    file.execute_batch(full).unwrap();
    for call in 1..=12 {
        shop.call(call).await;
    }
    // After twenty it is to be written before the next is sent.
    receiver.count(22).await;
    assert_eq!(webhook(&shop, &id).await["cursor"].as_u64().unwrap(), before);
    file.execute_batch("DROP TRIGGER full").unwrap();
    let (_, all) = shop.get("/api/v1/events?limit=200").await;
    let last = all["events"].as_array().unwrap().last().unwrap()["number"].as_u64().unwrap();
    receiver::until(|| async {
        let cursor = webhook(&shop, &id).await["cursor"].as_u64().unwrap();
        (cursor >= last).then_some(())
    })
    .await;
    let heard = receiver.count(22).await;
    let (_, log) = shop.get(&format!("/api/v1/webhooks/{id}/deliveries?limit=200")).await;
    assert_eq!(log["deliveries"].as_array().unwrap().len(), heard.len(), "{log}");
    let mut ids: Vec<_> = heard.iter().map(|event| &event.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), heard.len(), "nothing was sent twice");
}

#[tokio::test]
async fn an_event_that_is_refused_is_sent_again_before_all_others() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.answers([500, 204]);
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived", "call.queued"] })).await;
    shop.call(1).await;
    let heard = receiver.count(3).await;
    assert_eq!(types(&heard), ["call.arrived", "call.arrived", "call.queued"]);
    assert_eq!((&heard[0].id, &heard[0].text), (&heard[1].id, &heard[1].text), "the same event");
    let log = receiver::until(|| async {
        let log = shop.get(&format!("/api/v1/webhooks/{id}/deliveries")).await.1;
        (log["deliveries"].as_array().unwrap().len() == 3).then_some(log)
    });
    let tries: Vec<_> = log.await["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|delivery| (delivery["attempt"].as_u64().unwrap(), delivery["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(tries, [(1, 204), (2, 204), (1, 500)], "the latest first");
    receiver::until(|| async { (webhook(&shop, &id).await["state"] == "active").then_some(()) }).await;
}

#[tokio::test]
async fn a_program_that_asks_to_wait_is_waited_for() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.asks_to_wait(3_600);
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived"] })).await;
    shop.call(1).await;
    receiver.count(1).await;
    let failing = receiver::until(|| async {
        let webhook = webhook(&shop, &id).await;
        (webhook["state"] == "failing").then_some(webhook)
    });
    let failing = failing.await;
    assert_eq!(failing["attempts"], 1);
    assert_eq!(failing["cursor"].as_u64().unwrap() + 1, all_numbers(&shop, "call.arrived").await[0]);
    // Whoever has repaired the program need not wait: a change begins anew.
    receiver.answers([204]);
    let again = json!({ "url": receiver.url(), "types": ["call.arrived"] }).to_string();
    shop.put(&format!("/api/v1/webhooks/{id}"), &again).await;
    assert_eq!(types(&receiver.count(2).await), ["call.arrived", "call.arrived"]);
}

#[tokio::test]
async fn a_program_that_is_gone_is_told_no_more_until_it_is_enabled() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.answers([410]);
    let wanted = json!({ "url": receiver.url(), "types": ["call.arrived"] });
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived"] })).await;
    shop.call(1).await;
    receiver::until(|| async {
        let webhook = webhook(&shop, &id).await;
        (webhook["state"] == "disabled" && webhook["reason"] == "gone").then_some(())
    })
    .await;
    shop.call(2).await;
    shop.put(&format!("/api/v1/webhooks/{id}"), &wanted.to_string()).await;
    let heard = receiver.count(3).await;
    assert_eq!(numbers(&heard)[1..], all_numbers(&shop, "call.arrived").await, "nothing was skipped");
}

#[tokio::test]
async fn a_program_that_was_down_is_told_everything_after_a_restart() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.answers_always(503);
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived", "call.ended"] })).await;
    for call in 1..=5 {
        shop.call(call).await;
    }
    receiver.count(1).await;
    let shop = shop.restart().await;
    for call in 6..=8 {
        shop.call(call).await;
    }
    receiver.answers_always(200);
    let wanted = all_numbers(&shop, "call.arrived,call.ended").await;
    let heard = receiver.until_number(*wanted.last().unwrap()).await;
    let mut taken: Vec<_> = heard.iter().filter(|heard| heard.answered == 200).collect();
    taken.dedup_by_key(|heard| heard.id.clone());
    let taken: Vec<u64> = taken.iter().map(|heard| heard.body["number"].as_u64().unwrap()).collect();
    assert_eq!(taken, wanted, "each once, in order, and none is missing");
    assert!(heard.iter().all(|heard| heard.signed), "the secret is the same");
    receiver::until(|| async { (webhook(&shop, &id).await["state"] == "active").then_some(()) }).await;
}

#[tokio::test]
async fn a_program_that_cannot_be_reached_is_in_the_log() {
    let shop = Shop::open().await;
    let wanted = json!({ "url": "http://127.0.0.1:1/hook", "types": ["call.arrived"] }).to_string();
    let (_, created) = shop.post("/api/v1/webhooks", &wanted).await;
    let id = created["webhook"]["id"].as_str().unwrap();
    shop.call(1).await;
    let log = receiver::until(|| async {
        let log = shop.get(&format!("/api/v1/webhooks/{id}/deliveries")).await.1;
        (!log["deliveries"].as_array().unwrap().is_empty()).then_some(log)
    });
    let log = log.await;
    let first = log["deliveries"].as_array().unwrap().last().unwrap();
    assert!(first["error"].as_str().unwrap().contains("no connection"), "{log}");
    assert_eq!((&first["taken"], first.get("status")), (&json!(false), None));
}

#[tokio::test]
async fn a_paused_program_is_told_later() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived"], "paused": true })).await;
    shop.call(1).await;
    shop.call(2).await;
    assert_eq!(webhook(&shop, &id).await["state"], "paused");
    let go_on = json!({ "url": receiver.url(), "types": ["call.arrived"] }).to_string();
    shop.put(&format!("/api/v1/webhooks/{id}"), &go_on).await;
    assert_eq!(numbers(&receiver.count(2).await), all_numbers(&shop, "call.arrived").await);
}

#[tokio::test]
async fn a_program_can_be_told_again_from_a_number_or_a_time() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    shop.call(1).await;
    shop.pass(60).await;
    shop.call(2).await;
    let arrived = all_numbers(&shop, "call.arrived").await;
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived"] })).await;
    let replay = format!("/api/v1/webhooks/{id}/replay");
    let (status, replayed) = shop.post(&replay, r#"{"after":0}"#).await;
    assert_eq!((status, &replayed["cursor"]), (StatusCode::OK, &json!(0)));
    assert_eq!(numbers(&receiver.count(2).await), arrived);
    let (_, events) = shop.get("/api/v1/events?types=call.arrived").await;
    let second = events["events"][1]["at"].as_u64().unwrap();
    shop.post(&replay, &json!({ "since": second }).to_string()).await;
    assert_eq!(numbers(&receiver.count(3).await)[2], arrived[1]);
    assert_eq!(shop.post(&replay, "{}").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(shop.post(&replay, r#"{"after":1,"since":1}"#).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_program_is_told_again_though_it_is_just_there() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    shop.call(1).await;
    let arrived = all_numbers(&shop, "call.arrived").await;
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived"] })).await;
    for times in 1..=5 {
        // What was taken is not written yet when it is to be told again from the same place.
        shop.post(&format!("/api/v1/webhooks/{id}/replay"), r#"{"after":0}"#).await;
        assert_eq!(numbers(&receiver.count(times).await), arrived.repeat(times));
    }
}

#[tokio::test]
async fn one_event_can_be_sent_again_and_a_test_says_nothing() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    shop.call(1).await;
    let arrived = all_numbers(&shop, "call.arrived").await[0];
    let (id, _) = told(&shop, &receiver, json!({ "types": ["queue.switched"] })).await;
    let (status, sent) = shop.post(&format!("/api/v1/webhooks/{id}/test"), "").await;
    assert_eq!((status, &sent["taken"], &sent["status"]), (StatusCode::OK, &json!(true), &json!(204)));
    let again = format!("/api/v1/webhooks/{id}/resend");
    let (status, sent) = shop.post(&again, &json!({ "number": arrived }).to_string()).await;
    assert_eq!((status, &sent["taken"]), (StatusCode::OK, &json!(true)), "{sent}");
    let heard = receiver.count(2).await;
    assert_eq!(types(&heard), ["webhook.test", "call.arrived"]);
    assert_eq!(heard[0].body["number"], 0);
    assert!(heard.iter().all(|heard| heard.signed));
    receiver.answers([404]);
    let (_, sent) = shop.post(&again, &json!({ "number": arrived }).to_string()).await;
    assert_eq!((&sent["taken"], &sent["status"]), (&json!(false), &json!(404)));
    for nothing in [0, 1_000_000] {
        let (status, error) = shop.post(&again, &json!({ "number": nothing }).to_string()).await;
        assert_eq!((status, &error["code"]), (StatusCode::NOT_FOUND, &json!("no_event")));
    }
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_sign() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, old) = told(&shop, &receiver, json!({ "types": ["call.arrived"] })).await;
    let rotate = format!("/api/v1/webhooks/{id}/secret");
    let (status, rotated) = shop.post(&rotate, "").await;
    assert_eq!(status, StatusCode::OK, "{rotated}");
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    shop.call(1).await;
    let heard = receiver.count(1).await;
    assert!(heard[0].is_signed_with(&old) && heard[0].is_signed_with(&new));
    let (_, last) = shop.post(&rotate, r#"{"overlap_s":0}"#).await;
    shop.post(&format!("/api/v1/webhooks/{id}/test"), "").await;
    let heard = receiver.count(2).await;
    assert!(heard[1].is_signed_with(last["secret"].as_str().unwrap()));
    assert!(!heard[1].is_signed_with(&old) && !heard[1].is_signed_with(&new));
    assert_eq!(shop.post(&rotate, r#"{"overlap_s":604801}"#).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_a_command_is_carried_out_once() {
    let shop = Shop::open().await;
    let wanted = json!({ "url": "https://example.com/events", "description": "the CRM" }).to_string();
    let create = || {
        let mut request = common::request("POST", "/api/v1/webhooks", wanted.clone().into());
        request.headers_mut().insert("Idempotency-Key", "once".parse().unwrap());
        request
    };
    let (first, second) = (shop.send(create()).await, shop.send(create()).await);
    assert_eq!((first.0, &first), (StatusCode::CREATED, &second), "the first answer again");
    let (_, list) = shop.get("/api/v1/webhooks").await;
    assert_eq!(list["webhooks"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains("whsec_"), "{list}");
    assert_eq!(list["webhooks"][0]["created_by"], "console");
    let id = list["webhooks"][0]["id"].as_str().unwrap();
    assert_eq!(shop.delete(&format!("/api/v1/webhooks/{id}"), "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(shop.delete(&format!("/api/v1/webhooks/{id}"), "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(shop.get("/api/v1/webhooks").await.1["webhooks"], json!([]));
}

#[tokio::test]
async fn no_address_behind_the_firewall_is_taken() {
    let shop = Shop::open().await;
    for url in [
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://192.168.1.1:8443/x",
        "http://example.com/",
        "ftp://example.com/",
        "https://me:secret@example.com/",
        "no address",
    ] {
        let (status, error) = shop.post("/api/v1/webhooks", &json!({ "url": url }).to_string()).await;
        assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &json!("bad_url")), "{url}");
    }
    let (status, error) = shop.post("/api/v1/webhooks", r#"{"url":"https://a.test","types":["x"]}"#).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &json!("bad_body")));
    assert_eq!(shop.get("/api/v1/webhooks").await.1["webhooks"], json!([]));
}

#[tokio::test]
async fn programs_that_ask_get_the_same_and_can_wait() {
    let shop = Shop::open().await;
    let (_, nothing) = shop.get("/api/v1/events?types=call.arrived").await;
    assert_eq!(nothing["events"], json!([]));
    let after = nothing["next"].as_u64().unwrap();
    let path = format!("/api/v1/events?types=call.arrived,call.queued&after={after}&wait_s=8");
    let (answer, ()) = tokio::join!(shop.get(&path), shop.call(1));
    let events = answer.1["events"].as_array().unwrap().clone();
    assert_eq!(events[0]["type"], "call.arrived", "{}", answer.1);
    assert!(events[0]["data"].get("customer").is_none());
    let (_, personal) = shop.get("/api/v1/events?types=call.arrived&include_personal=true").await;
    assert_eq!(personal["events"][0]["data"]["customer"], "+4917012345");
    // In pages of one, nothing is missed.
    let (mut seen, mut next) = (Vec::new(), 0);
    loop {
        let (_, page) = shop.get(&format!("/api/v1/events?limit=1&after={next}")).await;
        let Some(event) = page["events"].as_array().unwrap().first().cloned() else { break };
        seen.push(event["number"].as_u64().unwrap());
        next = page["next"].as_u64().unwrap();
    }
    let (_, all) = shop.get("/api/v1/events?limit=200").await;
    let all: Vec<u64> =
        all["events"].as_array().unwrap().iter().map(|event| event["number"].as_u64().unwrap()).collect();
    assert_eq!(seen, all);
    for wrong in ["types=call.dreamt", "limit=0", "limit=201", "wait_s=9", "after=x"] {
        assert_eq!(shop.get(&format!("/api/v1/events?{wrong}")).await.0, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn figures_say_how_it_goes() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = told(&shop, &receiver, json!({ "types": ["call.arrived"] })).await;
    shop.call(1).await;
    receiver.count(1).await;
    receiver.answers([500]);
    shop.post(&format!("/api/v1/webhooks/{id}/test"), "").await;
    let text = shop.text(common::request("GET", "/metrics", Default::default())).await.1;
    for line in [
        "tandem_webhooks_endpoints{state=\"active\"} 1",
        "tandem_webhooks_deliveries_total{outcome=\"taken\"} 1",
        "tandem_webhooks_deliveries_total{outcome=\"refused\"} 1",
    ] {
        assert!(text.contains(line), "{line} is missing");
    }
}
