//! A configuration with anything changed in it is either refused with its faults or gives a center that takes a call.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{NOON, arrival};
use tandem_center::call::{CallEvent, CallId, CollectEnd, CollectId, Digit, PartyId, PlayId, PlayOutcome};
use tandem_center::config::{Config, Document, Faults, Known};
use tandem_center::{Center, Input};

/// What is done to one value of the configuration.
#[derive(Clone, Debug)]
enum Change {
    Remove,
    Become(Value),
    /// The value of another place.
    BecomeLike(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Remove),
        6 => (0..400usize).prop_map(Change::BecomeLike),
        1 => any::<u32>().prop_map(|number| Change::Become(json!(number))),
        1 => ".{0,4}".prop_map(|text| Change::Become(json!(text))),
        1 => Just(Change::Become(json!([]))),
        1 => Just(Change::Become(Value::Null)),
    ]
}

fn good() -> Value {
    json!({
        "agents": [
            { "id": "adele", "name": "Adele", "ring": { "line": "teams", "phone": "+14255550101" }, "queues": ["sales", "support"], "starts": "available",
              "skills": { "french": 7, "billing": 2 }, "capacity": 100, "confirm": true },
            { "id": "bianca", "name": "Bianca", "ring": { "line": "lab", "sip": "sip:bianca@lab" }, "queues": ["support"] },
        ],
        "queues": [
            { "id": "sales", "name": "Sales", "music": "music", "ring_timeout_s": 15, "max_waiting": 3,
              "strategy": "serial", "order": ["bianca", "adele"], "skills": { "french": 3 }, "relax": [{ "after_s": 10, "skills": { "billing": 1 } }, { "after_s": 20 }],
              "when_full": { "queue": "support" }, "when_waited": { "message": ["sorry"] }, "when_closed": { "hang_up": true }, "closed": false,
              "when_no_agents": { "number": { "line": "carrier", "phone": "+14255550188" } } },
            { "id": "support", "name": "Support", "announce": ["wait"], "wrap_up_s": 0, "max_wait_s": 60,
              "strategy": "weighted", "shares": { "adele": 3 }, "rings": [{ "agents": ["adele"] }, { "after_s": 20, "agents": ["bianca"] }],
              "priority": 2, "priority_worth_s": 30, "weight": 200, "last_agent_s": 20,
              "tell": { "every_s": 20, "prompts": ["wait"], "place": ["wait"], "wait": ["wait"], "numbers": "n." },
              "wrap_up": { "unlimited": false, "extend_s": 10, "extensions": 2, "codes": [{ "id": "invoice", "name": "Invoice" }], "code_required": true },
              "overflow": [{ "after_s": 10, "if_waiting": 2, "then": { "queue": "sales" } }, { "after_s": 20, "if_expected_s": 60, "then": { "person": "adele" } },
                           { "after_s": 30, "then": { "callback": true } }, { "after_s": 40, "then": { "voicemail": true } }],
              "voicemail": { "greeting": ["sorry"], "max_s": 60, "silence_s": 5, "queue": "sales", "intro": ["wait"] },
              "callback": { "offer": ["menu"], "key": "2", "confirm": ["sorry"], "line": "carrier", "number": "+14255550199", "attempts": 2, "retry_s": 60, "ring_s": 30, "intro": ["wait"] } },
        ],
        "numbers": [{ "dialled": "*", "flow": "main" }, { "dialled": "+14255550199", "line": "lab", "flow": "bye" }],
        "flows": {
            "main": { "start": "sign", "steps": {
                "menu": { "menu": { "prompts": ["menu"], "digits": { "1": "sales", "2": "support" }, "otherwise": "support" } },
                "sales": { "enqueue": "sales", "otherwise": "support", "asks": { "skills": { "french": 1 }, "relax": [{ "after_s": 5 }], "priority": 1, "vip": true, "agent": "bianca", "last_agent_s": 5 },
                           "cases": [{ "when": { "any": [{ "field": "from", "starts_with": "+33" }, { "not": { "field": "attribute.language", "one_of": ["en", "de"] } }] }, "asks": { "priority": 5 } }] },
                "known": { "set": { "language": "fr" }, "then": "menu" },
                "sign": { "agent_state": "toggle", "then": "sorry", "otherwise": "known" },
                "support": { "enqueue": "support", "otherwise": "sorry" },
                "sorry": { "play": ["sorry"], "then": "menu" },
            } },
            "bye": { "start": "bye", "steps": { "bye": { "hang_up": true } } },
        },
        "offers": { "missed_rest_s": 60, "misses": 2, "confirm": ["menu"] },
        "capacity": { "total": 100, "call": 50, "callback": 50, "voicemail": 30 },
        "presence": { "stops": ["busy"], "stops_manual": ["away", "offline"], "believed_s": 60 },
        "limits": { "calls": 100 },
    })
}

/// The places of all values in a tree, as JSON pointers.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        let place = format!("{at}/{key}");
        all.push(place.clone());
        places(child, &place, all);
    }
}

fn apply(document: &mut Value, place: usize, change: Change) {
    let mut all = Vec::new();
    places(document, "", &mut all);
    let place = &all[place % all.len()];
    let (parent, key) = place.rsplit_once('/').expect("a pointer has a slash");
    let new = match change {
        Change::Remove => None,
        Change::Become(value) => Some(value),
        Change::BecomeLike(other) => document.pointer(&all[other % all.len()]).cloned(),
    };
    match (document.pointer_mut(parent).expect("a place has a parent"), new) {
        (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
        (Value::Object(map), None) => drop(map.remove(key)),
        (Value::Array(list), Some(value)) => list[key.parse::<usize>().expect("an index")] = value,
        (Value::Array(list), None) => drop(list.remove(key.parse().expect("an index"))),
        (leaf, _) => panic!("{leaf} has no children"),
    }
}

fn check(document: Document) -> Result<Config, Faults> {
    let known = Known {
        prompts: ["menu", "music", "sorry", "wait", "n.1", "n.2"].map(Arc::from).into(),
        lines: ["carrier", "teams", "lab"].map(Arc::from).into(),
    };
    Config::new(document, &known)
}

/// A center with this configuration takes a call, and goes on by itself for an hour; how many outputs the call brings.
fn outputs_of_a_call(config: Config) -> usize {
    let mut center = Center::new(Arc::new(config), NOON);
    let call = CallId(1);
    center.handle_input(NOON, Input::Call(CallEvent::Arrived(arrival(call, "carrier", "+14255550199"))));
    center.handle_input(NOON, Input::Call(CallEvent::Answered { call }));
    let outputs = std::iter::from_fn(|| center.poll_output()).count();
    for n in 0..6 {
        let (party, play, outcome) = (PartyId::FIRST, PlayId(n), PlayOutcome::Completed);
        center.handle_input(NOON, Input::Call(CallEvent::Played { call, party, play, outcome }));
        let (collect, digits, end) =
            (CollectId(n), Digit::new('2').into_iter().collect(), CollectEnd::Complete);
        center.handle_input(NOON, Input::Call(CallEvent::Collected { call, party, collect, digits, end }));
    }
    let until = NOON + Duration::from_secs(3600);
    for _ in 0..2_000 {
        let Some(due) = center.poll_timeout().filter(|due| *due <= until) else { break };
        center.handle_timeout(due);
    }
    assert!(center.poll_timeout().is_none_or(|due| due > center.now()), "what is due is done");
    outputs
}

#[test]
fn the_configuration_is_good_as_it_stands() {
    let document: Document = serde_json::from_value(good()).expect("a document");
    check(document).expect("no faults");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_is_refused_with_its_faults_or_gives_a_center_that_takes_a_call(
        changes in proptest::collection::vec((0..400usize, change()), 1..4),
    ) {
        let mut document = good();
        for (place, change) in changes {
            apply(&mut document, place, change);
        }
        let Ok(document) = serde_json::from_value::<Document>(document) else { return Ok(()) };
        match check(document) {
            Ok(config) => prop_assert!(outputs_of_a_call(config) > 1),
            Err(Faults(faults)) => {
                prop_assert!(!faults.is_empty());
                prop_assert!(faults.iter().all(|fault| !fault.key.is_empty() && fault.to_string().contains("; ")));
            }
        }
    }
}
