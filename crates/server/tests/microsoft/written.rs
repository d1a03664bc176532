//! Teams shows that an agent talks to a customer, for as long as it is so.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tandem::microsoft::settings::MicrosoftSettings;
use tandem_microsoft::http::Method;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};

use crate::onboarding::{link, onboards};
use crate::presence::{both_available, polls, says};
use crate::world::World;

const SWITCHES: &str = "/sandbox/graph/switches";

/// Teams is told, and the next call is Anna's, who is Alice there.
async fn writing() -> World {
    writing_tuned(|_| {}).await
}

async fn writing_tuned(tune: impl FnOnce(&mut MicrosoftSettings)) -> World {
    let world = World::open_tuned(&keys(), tune).await;
    both_available(&world).await;
    world.becomes("bela", "do_not_disturb").await;
    world.agent_until("bert", |shown| shown["state"] == "not_reachable").await;
    world
}

fn keys() -> String {
    format!("entra = [\"{CONTOSO}\"]\npoll_s = 2\nwrite_presence = true")
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
async fn a_call_in_which_the_program_was_gone_is_over_in_teams_when_it_is_back() {
    let world = writing().await;
    talks(&world, 1).await;
    world.teams_until("alice", in_a_call).await;
    let world = world.crash_and_begin_again().await;
    world.teams_until("alice", as_before).await;
    world.agent_until("bert", |shown| says(shown, "do_not_disturb")).await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "available")).await;
    talks(&world, 2).await;
    world.teams_until("alice", in_a_call).await;
}

#[tokio::test]
async fn what_may_not_be_taken_back_is_when_consent_is_given() {
    let world = writing().await;
    talks(&world, 1).await;
    world.teams_until("alice", in_a_call).await;
    let app = format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}");
    world.play(Method::Delete, &format!("{app}/permissions/Presence.ReadWrite.All"), &json!({})).await;
    let world = world.crash_and_begin_again().await;
    world.microsoft_until(|shown| tells_of(shown, "clear_presence")).await;

    let link = link(&world).await;
    let (status, page) = onboards(&world, &link, "ravi", "ravi").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    world.teams_until("alice", as_before).await;
    world.microsoft_until(|shown| !tells_of(shown, "clear_presence")).await;
}

#[tokio::test]
async fn a_program_that_is_told_to_stop_takes_back_what_it_shows() {
    let world = writing().await;
    talks(&world, 1).await;
    world.teams_until("alice", in_a_call).await;
    world.microsoft.close().await;
    let path = "/sandbox/people/alice/presence";
    let shown = world.play(Method::Get, path, &json!({})).await;
    assert!(as_before(&shown), "{shown}");
}

#[tokio::test]
async fn a_program_that_is_told_to_stop_waits_for_graph_but_not_for_ever() {
    let world = writing_tuned(|settings| settings.patience = Duration::from_secs(3_600)).await;
    talks(&world, 1).await;
    world.teams_until("alice", in_a_call).await;
    let silent = json!({"troubles": [{"path": "clearPresence", "what": {"slow": {"ms": 3_600_000}}}]});
    world.play(Method::Put, SWITCHES, &silent).await;
    tokio::time::timeout(Duration::from_secs(60), world.microsoft.close()).await.unwrap();
}

#[tokio::test]
async fn a_call_that_was_shown_too_late_is_taken_back() {
    let world = writing_tuned(|settings| settings.patience = Duration::from_secs(1)).await;
    // Graph does it, and says so when nobody listens any more.
    let slow = json!({"troubles": [{"path": "setPresence", "what": {"slow": {"ms": 2_000}}}]});
    world.play(Method::Put, SWITCHES, &slow).await;
    talks(&world, 1).await;
    world.teams_until("alice", in_a_call).await;
    world.shop.hang_up(1).await;
    world.teams_until("alice", as_before).await;
}

#[tokio::test]
async fn a_guest_whom_graph_does_not_show_keeps_nobody_else_from_being_shown() {
    let world = World::open_with_a_guest(&keys()).await;
    for agent in ["anna", "bert"] {
        let path = format!("/api/v1/agents/{agent}/state");
        world.shop.put(&path, r#"{"state": "available"}"#).await;
    }
    world.becomes("alice", "do_not_disturb").await;
    world.agent_until("anna", |shown| says(shown, "do_not_disturb")).await;
    world.agent_until("bert", |shown| says(shown, "unknown")).await;
    let asked = json!({"troubles": [{"path": "setPresence", "times": 1, "what": {"slow": {"ms": 0}}}]});
    world.play(Method::Put, SWITCHES, &asked).await;
    world.shop.call(1).await;
    world.agent_until("bert", |shown| shown["state"] == "in_conversation").await;
    world.until_troubles_are_over().await;

    world.shop.pass(60).await;
    world.becomes("alice", "available").await;
    world.agent_until("anna", |shown| says(shown, "available")).await;
    talks(&world, 2).await;
    world.teams_until("alice", in_a_call).await;
    world.shop.hang_up(2).await;
    world.teams_until("alice", as_before).await;
    let (_, shown) = world.shop.get("/api/v1/microsoft").await;
    assert!(shown["connections"][0]["faults"].is_null(), "nothing is to be granted: {shown}");
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
    world.microsoft_until(|shown| tells_of(shown, "set_presence")).await;
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert_eq!(anna["state"], "in_conversation", "{anna}");

    let link = link(&world).await;
    let (status, page) = onboards(&world, &link, "ravi", "ravi").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    world.teams_until("alice", in_a_call).await;
    world.microsoft_until(|shown| standing(shown) == "granted" && !tells_of(shown, "set_presence")).await;
}

/// Whether the page tells of a fault of this operation.
fn tells_of(shown: &Value, operation: &str) -> bool {
    let faults = shown["connections"][0]["faults"].as_array();
    faults.is_some_and(|faults| faults.iter().any(|fault| fault["message"].to_string().contains(operation)))
}

/// How it stands with the permission to write presence.
fn standing(shown: &Value) -> &str {
    let permissions = shown["connections"][0]["permissions"].as_array().unwrap();
    let writes = permissions.iter().find(|one| one["name"] == "Presence.ReadWrite.All").unwrap();
    writes["standing"].as_str().unwrap()
}
