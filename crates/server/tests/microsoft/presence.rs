//! Presence in Teams decides who is offered the next call.

use std::time::Duration;

use serde_json::{Value, json};
use tandem::microsoft::settings::MicrosoftSettings;
use tandem_microsoft::http::Method;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};

use crate::world::World;

pub fn says(shown: &Value, presence: &str) -> bool {
    shown["presence"]["presence"] == presence && shown["presence"]["source"] == "teams"
}

pub async fn both_available(world: &World) {
    for agent in ["anna", "bert"] {
        let path = format!("/api/v1/agents/{agent}/state");
        world.shop.put(&path, r#"{"state": "available"}"#).await;
    }
    for (user, agent) in [("alice", "anna"), ("bela", "bert")] {
        world.becomes(user, "available").await;
        world.agent_until(agent, |shown| says(shown, "available")).await;
    }
}

#[tokio::test]
async fn a_change_in_teams_changes_who_is_offered_the_next_call() {
    let world = World::open().await;
    both_available(&world).await;
    world.becomes("alice", "in_a_meeting").await;
    let anna = world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
    assert_eq!(anna["state"], "not_reachable", "{anna}");
    world.shop.call(1).await;
    let bert = world.agent_until("bert", |shown| shown["state"] == "in_conversation").await;
    let call = bert["interaction"].as_u64().unwrap();
    let (_, explained) = world.shop.get(&format!("/api/v1/calls/{call}/explanation")).await;
    assert!(explained.to_string().contains("in_meeting"), "the explanation says why not Anna: {explained}");

    world.becomes("alice", "available").await;
    world.agent_until("anna", |shown| shown["state"] == "available").await;
    world.shop.call(2).await;
    world.agent_until("anna", |shown| shown["state"] == "in_conversation").await;
}

#[tokio::test]
async fn the_echo_of_our_own_call_stops_nothing_when_it_is_over() {
    let world = World::open().await;
    both_available(&world).await;
    world.becomes("bela", "do_not_disturb").await;
    world.agent_until("bert", |shown| shown["state"] == "not_reachable").await;
    world.shop.call(1).await;
    world.agent_until("anna", |shown| shown["state"] == "in_conversation").await;
    world.becomes("alice", "in_a_call").await;
    let polled = world.microsoft_until(|shown| polls(shown) > 0).await;
    world.microsoft_until(|shown| polls(shown) > polls(&polled) + 1).await;
    world.shop.hang_up(1).await;
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert_ne!(anna["state"], "not_reachable", "Teams still shows the call that is over: {anna}");
    assert!(!says(&anna, "in_call"), "{anna}");
}

pub fn polls(shown: &Value) -> u64 {
    shown["connections"][0]["presence"]["polls"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn consent_that_is_withdrawn_is_shown_with_its_remedy_and_given_again_goes_on() {
    let world = World::open().await;
    both_available(&world).await;
    let shown = world.microsoft_until(|shown| polls(shown) > 0).await;
    let permissions = shown["connections"][0]["permissions"].as_array().unwrap();
    let reads = permissions.iter().find(|p| p["name"] == "Presence.Read.All" && p["kind"] == "application");
    assert_eq!(reads.unwrap()["standing"], "granted", "{shown}");

    let grant = format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}");
    world.play(Method::Delete, &grant, &json!({})).await;
    let shown = world.microsoft_until(|shown| !shown["connections"][0]["faults"].is_null()).await;
    assert!(!shown["connections"][0]["faults"][0]["remedy"].as_str().unwrap().is_empty(), "{shown}");

    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert!(says(&anna, "available"), "{anna}");

    world.becomes("alice", "busy").await;
    world.play(Method::Put, &grant, &json!({})).await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "busy")).await;
    world.microsoft_until(|shown| shown["connections"][0]["faults"].is_null()).await;
}

#[tokio::test]
async fn a_permission_that_is_withdrawn_and_given_again_stops_presence_only_meanwhile() {
    let world = World::open().await;
    both_available(&world).await;
    let app = format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}");
    for permission in ["Presence.Read.All", "Presence.ReadWrite.All"] {
        world.play(Method::Delete, &format!("{app}/permissions/{permission}"), &json!({})).await;
    }
    // The token of before is good for an hour; Graph wants another, and that one does not permit it.
    let expired = json!({"troubles": [{"path": "getPresencesByUserId", "times": 1, "what": "expired"}]});
    world.play(Method::Put, "/sandbox/graph/switches", &expired).await;
    let is_forbidden = |shown: &Value| {
        let faults = shown["connections"][0]["faults"].as_array();
        faults.is_some_and(|faults| faults.iter().any(|fault| fault["code"] == "graph_forbidden"))
    };
    world.microsoft_until(is_forbidden).await;
    let (_, shown) = world.shop.get("/api/v1/microsoft").await;
    let permissions = shown["connections"][0]["permissions"].as_array().unwrap();
    let reads = permissions.iter().find(|p| p["name"] == "Presence.Read.All" && p["kind"] == "application");
    assert_eq!(reads.unwrap()["standing"], "missing", "{shown}");

    world.becomes("alice", "busy").await;
    world.play(Method::Put, &app, &json!({})).await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "busy")).await;
    world.microsoft_until(|shown| shown["connections"][0]["faults"].is_null()).await;
}

#[tokio::test]
async fn a_token_that_graph_takes_no_longer_is_followed_by_another() {
    let world = World::open().await;
    both_available(&world).await;
    let once = json!({"troubles": [{"path": "getPresencesByUserId", "times": 1, "what": "challenged"}]});
    world.play(Method::Put, "/sandbox/graph/switches", &once).await;
    world.until_troubles_are_over().await;
    world.becomes("alice", "busy").await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "busy")).await;
    world.microsoft_until(|shown| shown["connections"][0]["faults"].is_null()).await;
}

#[tokio::test]
async fn a_graph_that_is_down_leaves_what_is_known_and_says_so() {
    let world = World::open().await;
    both_available(&world).await;
    let down = json!({"troubles": [{"path": "getPresencesByUserId", "what": {"unavailable": {}}}]});
    world.play(Method::Put, "/sandbox/graph/switches", &down).await;
    world.becomes("alice", "busy").await;
    let shown = world.microsoft_until(|shown| !shown["connections"][0]["faults"].is_null()).await;
    assert_eq!(shown["connections"][0]["faults"][0]["code"], "graph_unavailable", "{shown}");
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert!(says(&anna, "available"), "{anna}");
    world.play(Method::Put, "/sandbox/graph/switches", &json!({})).await;
    world.agent_until("anna", |shown| says(shown, "busy")).await;
}

#[tokio::test]
async fn a_customer_who_comes_while_the_program_runs_is_followed_like_any_other() {
    let world = World::open_before_the_customer().await;
    world.becomes("alice", "available").await;
    let (_, shown) = world.shop.get("/api/v1/microsoft").await;
    assert_eq!(shown["connections"], json!([]), "{shown}");
    world.customer_comes().await;
    both_available(&world).await;
    world.becomes("alice", "in_a_meeting").await;
    world.agent_until("anna", |shown| says(shown, "in_meeting")).await;
}

#[tokio::test]
async fn a_principal_name_that_becomes_somebody_elses_is_noticed() {
    let keys = format!("entra = [\"{CONTOSO}\"]\npoll_s = 2");
    let often = |settings: &mut MicrosoftSettings| {
        settings.links_every = Duration::from_millis(200);
        settings.principals_every = Duration::ZERO;
    };
    let world = World::open_tuned(&keys, often).await;
    both_available(&world).await;
    // While Graph does not answer, Anna is whoever she was.
    let down = json!({"troubles": [
        {"path": "contoso.example", "times": 2, "what": {"unavailable": {}}},
    ]});
    world.play(Method::Put, "/sandbox/graph/switches", &down).await;
    world.until_troubles_are_over().await;
    world.becomes("alice", "busy").await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "busy")).await;

    // Her name is given to somebody else.
    let renamed = json!({"principal": "alice.before@contoso.example"});
    world.play(Method::Patch, "/sandbox/people/alice", &renamed).await;
    let again = json!({"principal": "alice@contoso.example"});
    world.play(Method::Patch, "/sandbox/people/emre", &again).await;
    world.becomes("emre", "do_not_disturb").await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "do_not_disturb")).await;
}
