//! Teams shows that an agent talks to a customer, for as long as it is so.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tandem_microsoft::http::Method;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};

use crate::onboarding::{link, onboards};
use crate::presence::{both_available, polls, says};
use crate::world::World;

const SWITCHES: &str = "/sandbox/graph/switches";

/// Teams is told, and the next call is Anna's, who is Alice there.
async fn writing() -> World {
    let world =
        World::open_with(&format!("entra = [\"{CONTOSO}\"]\npoll_s = 2\nwrite_presence = true")).await;
    both_available(&world).await;
    world.becomes("bela", "do_not_disturb").await;
    world.agent_until("bert", |shown| shown["state"] == "not_reachable").await;
    world
}

async fn talks(world: &World, call: u64) {
    world.shop.call(call).await;
    world.agent_until("anna", |shown| shown["state"] == "in_conversation").await;
}

fn in_a_call(view: &Value) -> bool {
    let ours = view["apps"].as_array().is_some_and(|apps| apps.iter().any(|one| one["app"] == TANDEM_APP));
    ours && view["shown"]["activity"] == "InACall"
}

fn as_before(view: &Value) -> bool {
    view["apps"].as_array().is_some_and(Vec::is_empty) && view["shown"]["activity"] == "Available"
}

#[tokio::test]
async fn a_call_is_shown_in_teams_until_it_is_over_and_its_echo_keeps_no_call_away() {
    let world = writing().await;
    talks(&world, 1).await;
    world.teams_until("alice", in_a_call).await;
    let before = world.microsoft_until(|shown| polls(shown) > 0).await;
    world.microsoft_until(|shown| polls(shown) > polls(&before) + 1).await;
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert!(says(&anna, "available"), "what Teams shows is our own word: {anna}");

    world.shop.hang_up(1).await;
    world.teams_until("alice", as_before).await;
    world.shop.pass(60).await;
    talks(&world, 2).await;
    world.teams_until("alice", in_a_call).await;
}

#[tokio::test]
async fn what_graph_does_not_write_at_first_is_written_later() {
    let world = writing().await;
    let once = |path: &str| json!({"path": path, "times": 1, "what": {"unavailable": {}}});
    let troubles = json!({"troubles": [once("setPresence"), once("clearPresence")]});
    world.play(Method::Put, SWITCHES, &troubles).await;
    talks(&world, 1).await;
    world.teams_until("alice", in_a_call).await;
    world.shop.hang_up(1).await;
    world.teams_until("alice", as_before).await;
}

#[tokio::test]
async fn without_the_permission_calls_go_on_and_the_page_says_so_until_it_is_given() {
    let world = writing().await;
    let app = format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}");
    world.play(Method::Delete, &format!("{app}/permissions/Presence.ReadWrite.All"), &json!({})).await;
    // The token of before is good for an hour; Graph wants another, and that one does not permit it.
    let expired = json!({"troubles": [{"path": "setPresence", "times": 1, "what": "expired"}]});
    world.play(Method::Put, SWITCHES, &expired).await;
    world.microsoft_until(|shown| standing(shown) == "missing").await;
    talks(&world, 1).await;
    let is_told = |shown: &Value| {
        let faults = shown["connections"][0]["faults"].as_array();
        faults.is_some_and(|faults| {
            faults.iter().any(|fault| fault["message"].to_string().contains("set_presence"))
        })
    };
    world.microsoft_until(is_told).await;
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert_eq!(anna["state"], "in_conversation", "{anna}");

    let link = link(&world).await;
    let (status, page) = onboards(&world, &link, "ravi", "ravi").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    world.teams_until("alice", in_a_call).await;
    world.microsoft_until(|shown| standing(shown) == "granted" && !is_told(shown)).await;
}

/// How it stands with the permission to write presence.
fn standing(shown: &Value) -> &str {
    let permissions = shown["connections"][0]["permissions"].as_array().unwrap();
    let writes = permissions.iter().find(|one| one["name"] == "Presence.ReadWrite.All").unwrap();
    writes["standing"].as_str().unwrap()
}
