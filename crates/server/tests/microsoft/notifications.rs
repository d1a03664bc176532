//! Graph tells presence to the server, and nobody else does.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tandem::identity::{self, EntraName};
use tandem::microsoft::settings::MicrosoftSettings;
use tandem_microsoft::http::Method;
use tandem_sandbox::config::app::CONTOSO;
use tandem_store::Tenant;
use tandem_store::register::{Scope, Secret};

use crate::world::{World, cookies, location};

/// Presence is told, and polled so seldom that a poll tells nothing while a test lasts.
async fn subscribed() -> World {
    subscribed_with(SELDOM).await
}

/// Presence is told, with these keys more in `[microsoft]`.
pub async fn subscribed_with(keys: &str) -> World {
    subscribed_tuned(keys, |_| {}).await
}

async fn subscribed_tuned(keys: &str, tune: impl FnOnce(&mut MicrosoftSettings)) -> World {
    let world = World::open_tuned(&format!("entra = [\"{CONTOSO}\"]\n{keys}"), tune).await;
    for agent in ["anna", "bert"] {
        world.shop.put(&format!("/api/v1/agents/{agent}/state"), r#"{"state": "available"}"#).await;
    }
    subscribe(&world).await;
    world
}

/// An account is connected, and Graph tells presence to it.
async fn subscribe(world: &World) {
    let path = format!("/api/v1/microsoft/{CONTOSO}/presence-account");
    let (status, link) = world.shop.post(&path, "").await;
    assert_eq!(status, StatusCode::OK, "{link}");
    let (_, link) = link["url"].as_str().unwrap().split_once("://").unwrap();
    let away = world.browse(&format!("/{}", link.split_once('/').unwrap().1), &[]).await;
    let back = world.at_entra(&location(&away), &[("user", "bela"), ("consent", "accept")]).await;
    let done = world.browse(&back, &cookies(&away)).await;
    assert_eq!(done.status(), StatusCode::FOUND);
    world.microsoft_until(|shown| shown["connections"][0]["presence"]["subscriptions"] == 1).await;
}

/// Takes the account off.
async fn unsubscribe(world: &World) {
    let (_, shown) = world.shop.get("/api/v1/microsoft").await;
    let (account, _) = shown["connections"][0]["accounts"].as_object().unwrap().iter().next().unwrap();
    let path = format!("/api/v1/microsoft/{CONTOSO}/presence-account/{account}");
    assert_eq!(world.shop.delete(&path, "").await.0, StatusCode::NO_CONTENT);
}

fn says(shown: &Value, presence: &str) -> bool {
    shown["presence"]["presence"] == presence
}

async fn counted(world: &World, what: &str) -> u64 {
    let (status, page) = world.shop.get("/metrics").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let page = page.as_str().unwrap();
    let name = format!("tandem_graph_notifications_total{{what=\"{what}\"}} ");
    page.lines()
        .find_map(|line| line.strip_prefix(&name))
        .unwrap_or_else(|| panic!("{page}"))
        .parse()
        .unwrap()
}

async fn counted_until(world: &World, what: &str, least: u64) {
    for _ in 0..600 {
        if counted(world, what).await >= least {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: {} of {least}", counted(world, what).await);
}

#[tokio::test]
async fn what_graph_tells_decides_who_is_offered_the_next_call() {
    let world = subscribed().await;
    // The shop's clock stands still unless it is moved, and what is older than what is known changes nothing.
    for presence in ["busy", "available"] {
        world.shop.pass(20).await;
        for (user, agent) in [("alice", "anna"), ("bela", "bert")] {
            world.becomes(user, presence).await;
            world.agent_until(agent, |shown| says(shown, presence)).await;
        }
    }
    world.shop.pass(20).await;
    world.becomes("alice", "in_a_meeting").await;
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
    world.shop.call(1).await;
    world.agent_until("bert", |shown| shown["state"] == "in_conversation").await;
    counted_until(&world, "good", 1).await;
}

#[tokio::test]
async fn what_is_forged_changes_nothing_and_is_counted() {
    let world = subscribed().await;
    world.shop.pass(60).await;
    world.becomes("alice", "in_a_meeting").await;
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
    let forgeries = [
        "client_state",
        "no_client_state",
        "subscription",
        "tenant",
        "no_token",
        "unsigned",
        "foreign_key",
        "audience",
        "token_tenant",
        "expired",
        "sender",
    ];
    for what in forgeries {
        let forgery = json!({"user": "alice", "what": what});
        world.play(Method::Post, "/sandbox/graph/forgeries", &forgery).await;
    }
    counted_until(&world, "forged", forgeries.len() as u64).await;
    world.play(Method::Post, "/sandbox/graph/forgeries", &json!({"user": "alice", "what": "replay"})).await;
    counted_until(&world, "repeated", 1).await;
    // What cannot be opened is asked for.
    for (number, what) in ["content", "certificate"].into_iter().enumerate() {
        world.play(Method::Post, "/sandbox/graph/forgeries", &json!({"user": "alice", "what": what})).await;
        counted_until(&world, "unopened", number as u64 + 1).await;
    }
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert!(says(&anna, "in_meeting"), "{anna}");
}

#[tokio::test]
async fn keys_of_entra_that_roll_between_two_notifications_lose_neither() {
    let world = subscribed().await;
    for (choice, presence) in [("in_a_meeting", "in_meeting"), ("presenting", "presenting")] {
        world.shop.pass(60).await;
        world.becomes("alice", choice).await;
        world.agent_until("anna", |shown| says(shown, presence)).await;
        // The next one is published long before it signs.
        world.play(Method::Post, "/sandbox/entra/keys/roll", &json!({})).await;
    }
    assert_eq!(counted(&world, "forged").await, 0);
}

/// The id of the only subscription, once it is another than this.
async fn another_than(world: &World, known: &str) -> String {
    let id = |shown: &Value| shown["subscriptions"][0]["id"].as_str().unwrap_or_default().to_owned();
    let is_another = |shown: &Value| !id(shown).is_empty() && id(shown) != known;
    id(&world.sandbox_until(SUBSCRIPTIONS, is_another).await)
}

#[tokio::test]
async fn a_subscription_that_graph_ends_is_made_again() {
    let world = subscribed().await;
    let first = another_than(&world, "").await;
    world.play(Method::Delete, &format!("{SUBSCRIPTIONS}/{first}"), &json!({})).await;
    // Nobody tells this; it is asked for when the subscription is gone.
    world.shop.pass(60).await;
    world.becomes("alice", "in_a_meeting").await;
    another_than(&world, &first).await;
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
    world.shop.pass(60).await;
    world.becomes("alice", "presenting").await;
    world.agent_until("anna", |shown| says(shown, "presenting")).await;
}

#[tokio::test]
async fn a_subscription_that_has_to_be_authorised_again_is() {
    let world = subscribed().await;
    let id = another_than(&world, "").await;
    let lifecycle = format!("{SUBSCRIPTIONS}/{id}/lifecycle");
    world.play(Method::Post, &lifecycle, &json!({"event": "reauthorizationRequired"})).await;
    let standing =
        |shown: &Value| shown["subscriptions"][0]["standing"].as_str().unwrap_or_default().to_owned();
    let shown = world.sandbox_until(SUBSCRIPTIONS, |shown| standing(shown) == "good").await;
    assert_eq!(shown["subscriptions"][0]["id"], id.as_str(), "it is the same: {shown}");
}

#[tokio::test]
async fn a_certificate_that_is_renewed_opens_what_was_sealed_for_the_one_before() {
    let often = |settings: &mut MicrosoftSettings| settings.keys_every = Duration::from_millis(200);
    let world = subscribed_tuned(SELDOM, often).await;
    let first = another_than(&world, "").await;
    let register = world.shop.identity.register();
    let kept = || match register.secret(Scope::Installation, "graph.notification-keys").unwrap() {
        Some(Secret::Known(bytes)) => serde_json::from_slice::<Value>(&bytes).unwrap(),
        _ => Value::Null,
    };
    let mut aged = kept();
    let made = aged["pairs"][0]["made"].as_u64().unwrap();
    aged["pairs"][0]["made"] = json!(made - 200 * 86_400);
    let aged = aged.to_string();
    register.secret_put(Scope::Installation, "graph.notification-keys", aged.as_bytes(), 1).unwrap();
    while kept()["pairs"].as_array().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The subscription takes the new certificate when it is renewed, and Graph seals with the old one until then.
    world.shop.pass(60).await;
    world.becomes("alice", "in_a_meeting").await;
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
    world.play(Method::Delete, &format!("{SUBSCRIPTIONS}/{first}"), &json!({})).await;
    another_than(&world, &first).await;
    world.shop.pass(60).await;
    world.becomes("alice", "presenting").await;
    world.agent_until("anna", |shown| says(shown, "presenting")).await;
    counted_until(&world, "good", 2).await;
    assert_eq!(counted(&world, "unopened").await, 0);
}

#[tokio::test]
async fn what_graph_has_missed_to_tell_is_asked_for() {
    let world = subscribed().await;
    let id = another_than(&world, "").await;
    world.play(Method::Put, "/sandbox/graph/switches", &json!({"notifications": {"lost": true}})).await;
    world.shop.pass(60).await;
    world.becomes("alice", "in_a_meeting").await;
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert!(!says(&anna, "in_meeting"), "{anna}");
    let lifecycle = format!("{SUBSCRIPTIONS}/{id}/lifecycle");
    world.play(Method::Post, &lifecycle, &json!({"event": "missed"})).await;
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
}

#[tokio::test]
async fn an_account_that_is_taken_off_leaves_no_subscription_and_no_token_behind() {
    let world = subscribed().await;
    another_than(&world, "").await;
    let (_, shown) = world.shop.get("/api/v1/microsoft").await;
    let (account, _) = shown["connections"][0]["accounts"].as_object().unwrap().iter().next().unwrap();
    let token = || {
        let scope = Scope::Tenant(Tenant::only());
        world.shop.identity.register().secret(scope, &format!("presence.{account}")).unwrap()
    };
    assert!(token().is_some());
    unsubscribe(&world).await;
    let none = |shown: &Value| shown["subscriptions"].as_array().is_some_and(Vec::is_empty);
    world.sandbox_until(SUBSCRIPTIONS, none).await;
    let accounts = |shown: &Value| shown["connections"][0]["presence"]["subscriptions"] == 0;
    world.microsoft_until(accounts).await;
    assert_eq!(token(), None);
}

#[tokio::test]
async fn a_subscription_that_was_left_behind_for_other_people_makes_room() {
    let world = subscribed().await;
    let left = another_than(&world, "").await;
    let once = json!({"troubles": [
        {"path": "subscriptions/", "method": "DELETE", "times": 1, "what": {"unavailable": {}}},
    ]});
    world.play(Method::Put, "/sandbox/graph/switches", &once).await;
    unsubscribe(&world).await;
    world.until_troubles_are_over().await;
    let shown = world.play(Method::Get, SUBSCRIPTIONS, &json!({})).await;
    assert_eq!(shown["subscriptions"][0]["id"], left.as_str(), "it stands still: {shown}");
    world.becomes("chidi", "in_a_meeting").await;
    world.shop.pass(60).await;
    let mut settings = (*world.shop.identity.settings()).clone();
    let anna = settings.people.iter_mut().find(|person| person.agent.as_deref() == Some("anna")).unwrap();
    let chidi = "chidi@contoso.example".into();
    anna.entra = Some(EntraName::Principal { tenant: CONTOSO.parse().unwrap(), name: chidi });
    world.shop.identity.configure(settings, identity::now()).unwrap();
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
    subscribe(&world).await;
    another_than(&world, &left).await;
    world.shop.pass(60).await;
    world.becomes("chidi", "presenting").await;
    world.agent_until("anna", |shown| says(shown, "presenting")).await;
}

#[tokio::test]
async fn a_graph_that_is_slow_to_say_who_somebody_is_keeps_no_notification_waiting() {
    let often = |settings: &mut MicrosoftSettings| {
        settings.links_every = Duration::from_millis(200);
        settings.principals_every = Duration::ZERO;
        settings.patience = Duration::from_secs(600);
    };
    let world = subscribed_tuned(SELDOM, often).await;
    // Whoever asks for one of the two by name waits for longer than this test.
    let slow =
        |times: Value| json!({"path": "contoso.example", "times": times, "what": {"slow": {"ms": 600_000}}});
    let switches = json!({"troubles": [slow(json!(1)), slow(Value::Null)]});
    world.play(Method::Put, "/sandbox/graph/switches", &switches).await;
    let is_asked = |shown: &Value| shown["troubles"].as_array().is_some_and(|left| left.len() == 1);
    world.sandbox_until("/sandbox/graph/switches", is_asked).await;
    world.shop.pass(60).await;
    world.becomes("alice", "in_a_meeting").await;
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
    counted_until(&world, "good", 1).await;
}

#[tokio::test]
async fn an_account_that_is_disabled_is_shown_until_it_is_connected_again_or_taken_off() {
    let world = subscribed().await;
    let is_shown = |shown: &Value| {
        let connection = &shown["connections"][0];
        let faults = connection["faults"].as_array();
        let is_told =
            faults.is_some_and(|all| all.iter().any(|one| one["code"] == "presence_account_refused"));
        let account = connection["accounts_refused"][0].as_str();
        is_told && account.is_some_and(|account| connection["accounts"].get(account).is_some())
    };
    let is_well = |shown: &Value| {
        let connection = &shown["connections"][0];
        connection["faults"].is_null() && connection["accounts_refused"].is_null()
    };
    let lose = async || {
        let id = another_than(&world, "").await;
        world.play(Method::Patch, "/sandbox/people/bela", &json!({"enabled": false})).await;
        world.play(Method::Delete, &format!("{SUBSCRIPTIONS}/{id}"), &json!({})).await;
        // The token of before may be good for an hour; Graph wants another.
        let expired = json!({"troubles": [
            {"path": "subscriptions", "method": "POST", "times": 1, "what": "expired"},
        ]});
        world.play(Method::Put, "/sandbox/graph/switches", &expired).await;
        let shown = world.microsoft_until(is_shown).await;
        let fault = &shown["connections"][0]["faults"][0];
        assert!(fault["message"].as_str().unwrap().starts_with("bela@contoso.example: AADSTS"), "{shown}");
        world.play(Method::Put, "/sandbox/graph/switches", &json!({})).await;
    };
    lose().await;
    world.play(Method::Patch, "/sandbox/people/bela", &json!({"enabled": true})).await;
    subscribe(&world).await;
    world.microsoft_until(is_well).await;

    lose().await;
    unsubscribe(&world).await;
    world.microsoft_until(is_well).await;
}

const SELDOM: &str = "poll_s = 300\ncheck_s = 3600\nstale_s = 3600";
const SUBSCRIPTIONS: &str = "/sandbox/graph/subscriptions";
