//! Why a caller waits, and why an agent was rung, as the API tells it.

use serde_json::{Value, json};

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::{Config, Lab, Sipp, Tandem};

/// The reasons why an agent could not be rung.
fn reasons(explanation: &Value, agent: &str) -> String {
    let excluded = explanation["excluded"].as_array().unwrap();
    let found = excluded.iter().find(|excluded| excluded["agent"] == agent);
    let found = found.unwrap_or_else(|| panic!("{agent} is not excluded: {explanation}"));
    let reasons = found["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap());
    reasons.collect::<Vec<_>>().join("; ")
}

fn sentences(explanation: &Value) -> Vec<&str> {
    explanation["sentences"].as_array().unwrap().iter().map(|sentence| sentence.as_str().unwrap()).collect()
}

#[test]
fn a_wait_is_explained_while_it_lasts_and_an_offer_when_it_is_over() {
    let lab = Lab::new();
    let config = Config::plain(&lab).with_queue(15, 0).queue("skills = { french = 5 }");
    let config = config.with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT).with_agent("cyd", THIRD);
    let config = config.agent("ada", "skills = { french = 3 }").agent("ben", "skills = { french = 7 }");
    let config = config.agent("cyd", "skills = { french = 5 }");
    let tandem = Tandem::start(&lab, config);
    let _ben = Sipp::new(&lab, "agent-hangs-up", SECOND_AGENT).pauses_ms(500).answers();
    let lunch = json!({ "state": "break", "reason": "lunch" });
    tandem.command("PUT", "/api/v1/agents/ben/state", lunch);
    tandem.set_agent("cyd", "offline");

    let mut caller = Sipp::direct(&lab, CALLER).calls(&lab.sip(TANDEM));
    let id = tandem.wait_stage("waiting")["id"].as_u64().unwrap();
    let path = format!("/api/v1/calls/{id}/explanation");
    let waits = tandem.get(&path);
    assert_eq!(waits["eligible"], json!([]), "{waits}");
    assert_eq!(reasons(&waits, "ada"), "french 3, 5 needed");
    assert!(reasons(&waits, "ben").starts_with("on a break (lunch) for "), "{waits}");
    assert!(reasons(&waits, "cyd").starts_with("not at work for "), "{waits}");
    assert!(sentences(&waits).iter().any(|sentence| sentence.contains("french at level 5")), "{waits}");

    tandem.set_agent("ben", "available");
    caller.ends_well();
    let story = tandem.wait_closed(1);
    let offer = story.of("offered")[0]["number"].as_u64().unwrap();
    // Who does not wait is explained by the last offer.
    let rung = tandem.get(&path);
    assert_eq!(rung["offer"], offer);
    assert_eq!(rung, tandem.get(&format!("{path}?offer={offer}")));
    let eligible: Vec<&Value> =
        rung["eligible"].as_array().unwrap().iter().map(|agent| &agent["agent"]).collect();
    assert_eq!(eligible, ["ben"], "{rung}");
    assert_eq!(reasons(&rung, "ada"), "french 3, 5 needed");
    assert!(sentences(&rung).iter().any(|sentence| sentence.contains("Agent ben")), "{rung}");
}
