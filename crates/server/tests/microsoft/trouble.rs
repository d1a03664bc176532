//! Graph is slow, wants fewer requests, or says two things at once: what is known stays, grows old, and is put right.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_microsoft::http::Method;
use tandem_sandbox::config::app::CONTOSO;

use crate::notifications::subscribed_with;
use crate::presence::{both_available, polls, says};
use crate::world::World;

const SWITCHES: &str = "/sandbox/graph/switches";

/// From now on requests for presence meet this.
async fn trouble(world: &World, what: Value) {
    let switches = json!({"troubles": [{"path": "getPresencesByUserId", "what": what}]});
    world.play(Method::Put, SWITCHES, &switches).await;
}

fn fault(shown: &Value) -> &str {
    shown["connections"][0]["faults"][0]["code"].as_str().unwrap_or_default()
}

fn is_doubtful(shown: &Value) -> bool {
    shown["presence"]["confidence"] == "doubtful"
}

#[tokio::test]
async fn a_slow_graph_is_waited_for_but_not_for_ever() {
    let keys = format!("entra = [\"{CONTOSO}\"]\npoll_s = 2");
    let world = World::open_tuned(&keys, |settings| settings.patience = Duration::from_secs(3)).await;
    both_available(&world).await;
    trouble(&world, json!({"slow": {"ms": 1_000}})).await;
    world.shop.pass(60).await;
    world.becomes("alice", "busy").await;
    world.agent_until("anna", |shown| says(shown, "busy")).await;

    trouble(&world, json!({"slow": {"ms": 60_000}})).await;
    world.becomes("alice", "do_not_disturb").await;
    let shown = world.microsoft_until(|shown| fault(shown) == "graph_too_slow").await;
    assert!(!shown["connections"][0]["faults"][0]["remedy"].as_str().unwrap().is_empty(), "{shown}");
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert!(says(&anna, "busy"), "{anna}");
    world.shop.call(1).await;
    world.agent_until("bert", |shown| shown["state"] == "in_conversation").await;

    world.play(Method::Put, SWITCHES, &json!({})).await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "do_not_disturb")).await;
    world.microsoft_until(|shown| fault(shown).is_empty()).await;
}

#[tokio::test]
async fn a_graph_that_wants_a_pause_gets_it_and_what_is_known_grows_old() {
    let world = World::open_with(&format!("entra = [\"{CONTOSO}\"]\npoll_s = 2\nstale_s = 10")).await;
    both_available(&world).await;
    // Once only: were anybody to ask before the pause is over, the answer would be a good one.
    let once = json!({"troubles": [
        {"path": "getPresencesByUserId", "times": 1, "what": {"throttled": {"retry_after_s": 600}}},
    ]});
    world.play(Method::Put, SWITCHES, &once).await;
    // The fault itself is shown until Graph answers something else, which may be at once.
    world.microsoft_until(|shown| shown["connections"][0]["presence"]["throttled"] == 1).await;
    world.becomes("alice", "busy").await;
    world.shop.pass(60).await;
    let anna = world.agent_until("anna", is_doubtful).await;
    assert!(says(&anna, "available"), "nobody has asked meanwhile: {anna}");
    let shown = world.microsoft_until(|shown| shown["connections"][0]["presence"]["stale"] == 2).await;
    let presence = &shown["connections"][0]["presence"];
    assert_eq!(presence["throttled"], 1, "{shown}");
    assert_eq!(presence["known"], 2, "nobody is forgotten: {shown}");
}

#[tokio::test]
async fn after_the_pause_presence_goes_on() {
    let world = World::open().await;
    both_available(&world).await;
    let some = json!({"troubles": [
        {"path": "getPresencesByUserId", "times": 2, "what": {"throttled": {"retry_after_s": 2}}},
    ]});
    world.play(Method::Put, SWITCHES, &some).await;
    world.until_troubles_are_over().await;
    world.becomes("alice", "busy").await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "busy")).await;
    let is_over =
        |shown: &Value| fault(shown).is_empty() && shown["connections"][0]["presence"]["throttled"] == 2;
    world.microsoft_until(is_over).await;
}

#[tokio::test]
async fn a_graph_that_answers_otherwise_than_it_tells_is_doubted_until_it_agrees() {
    let world = subscribed_with("poll_s = 2\ncheck_s = 10\nstale_s = 60").await;
    let before = polls(&world.microsoft_until(|shown| polls(shown) > 0).await);
    world.shop.pass(60).await;
    for choice in ["in_a_meeting", "busy"] {
        world.becomes("alice", choice).await;
    }
    world.agent_until("anna", |shown| says(shown, "busy")).await;
    world.microsoft_until(|shown| polls(shown) > before).await;

    // Notifications tell the truth; whoever asks hears something else.
    let lie = json!({"availability": "DoNotDisturb", "activity": "DoNotDisturb"});
    world.play(Method::Put, "/sandbox/people/alice/contradiction", &lie).await;
    world.shop.pass(60).await;
    world.agent_until("anna", is_doubtful).await;
    world.microsoft_until(|shown| shown["connections"][0]["presence"]["subscriptions"] == 0).await;
    let (_, anna) = world.shop.get("/api/v1/agents/anna").await;
    assert_eq!(anna["state"], "not_reachable", "both words keep calls away: {anna}");
    world.shop.call(1).await;
    world.agent_until("bert", |shown| shown["state"] == "in_conversation").await;

    world.play(Method::Delete, "/sandbox/people/alice/contradiction", &json!({})).await;
    world.becomes("alice", "available").await;
    world.shop.pass(60).await;
    world.agent_until("anna", |shown| says(shown, "available")).await;
}
