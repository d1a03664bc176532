//! How facts and views look in the journal and on the wire. A change here is a change of a format that others read.

use crate::harness::{SUPPORT, Story, on_break};
use tandem_center::agent::ChosenState;
use tandem_center::call::{CallEvent, CauseKind, PartyId, TransferOutcome};
use tandem_center::fact::Fact;

/// A story in which every kind of fact happens.
fn everything() -> Story {
    let config = SUPPORT.to_owned()
        + r#"
        [[numbers]]
        dialled = "+14255550198"
        flow = "menu"
        [flows.menu]
        start = "menu"
        [flows.menu.steps.menu]
        menu = { prompts = ["menu"], digits = { "1" = "full" }, retries = 1 }
        [flows.menu.steps.full]
        enqueue = "full"
        [[queues]]
        id = "full"
        name = "Full"
        max_waiting = 1
        max_wait_s = 10
        "#;
    let mut center = Story::new(&config);
    center.dial_to("+14255550000");
    for _ in 0..2 {
        let call = center.dial_to("+14255550198");
        center.press(call, "7");
        center.press(call, "1");
    }
    let call = center.dial();
    center.phone_rings("adele");
    center.agent_leaves("adele", CauseKind::Declined);
    center.chooses("bianca", ChosenState::Available);
    center.agent_answers("bianca");
    center.pass(31);
    center.agent_holds("bianca");
    center.agent_resumes("bianca");
    center.heard(call, PartyId(2), 432);
    center.agent_asks_transfer("bianca", 1);
    center.transfer_ends(call, TransferOutcome::Done);
    center.pass(10);
    center.chooses("bianca", on_break());
    center.pass(30);
    center.event(CallEvent::Ended { call, cause: CauseKind::HungUp.into() });
    center
}

#[test]
fn every_kind_of_fact_as_json() {
    let center = everything();
    let mut seen = std::collections::BTreeSet::new();
    let mut lines = Vec::new();
    for fact in &center.facts {
        if seen.insert(crate::harness::kind(fact)) {
            lines.push(serde_json::to_string(fact).expect("json"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_view_as_json() {
    let mut center = everything();
    center.dial();
    insta::assert_snapshot!(serde_json::to_string_pretty(&center.view.live).expect("json"));
}

#[test]
fn facts_of_the_first_version_are_read_for_ever() {
    let journal = include_str!("../fixtures/journal-v1.jsonl");
    let facts: Vec<Fact> = journal.lines().map(|line| serde_json::from_str(line).expect("a fact")).collect();
    assert!(facts.iter().all(|fact| fact.version == 1));
    let center = Story::restored(
        tandem_center::Center::restore(
            crate::harness::config(SUPPORT),
            crate::harness::NOON,
            facts.iter().cloned(),
        ),
        facts,
    );
    assert!(center.view.live.interactions.is_empty());
    assert_eq!(center.view.recent.len(), 3);
}

#[test]
fn no_debug_text_of_a_fact_shows_who_called() {
    let center = everything();
    let text = format!("{:?} {:?}", center.facts, center.view);
    assert!(!text.contains("+14255550123") && !text.contains("Ada"), "personal data in a debug text");
}

#[test]
fn the_keys_of_a_fact_may_come_in_any_order() {
    for fact in &everything().facts {
        let mut keys: Vec<_> = match serde_json::to_value(fact).expect("json") {
            serde_json::Value::Object(keys) => keys.into_iter().collect(),
            other => panic!("{other}"),
        };
        keys.reverse();
        let json: Vec<String> = keys.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let again: Fact = serde_json::from_str(&format!("{{{}}}", json.join(","))).expect("a fact");
        assert_eq!(again, **fact);
    }
}

#[test]
fn what_is_no_fact_is_refused_with_the_reason() {
    let refused = |text: &str| serde_json::from_str::<Fact>(text).expect_err("no fact").to_string();
    assert!(refused("[]").contains("a fact"));
    assert!(
        refused(r#"{"number":1,"at":1,"kind":"answered","interaction":1}"#).contains("missing field `v`")
    );
    assert!(refused(r#"{"number":1,"at":1,"v":1}"#).contains("kind"));
    assert!(refused(r#"{"number":1,"at":1,"v":1,"kind":"dreamt"}"#).contains("dreamt"));
    assert!(refused(r#"{"number":1,"at":1,"v":1,"kind":"answered"}"#).contains("interaction"));
}
