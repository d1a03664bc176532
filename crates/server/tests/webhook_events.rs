//! Events are a promise: every fact has been decided about, nothing about customers slips out, and the form stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tandem::webhooks::event::{Event, EventType};
use tandem::webhooks::tell::{self, Detail};
use tandem_center::call::Address;
use tandem_center::fact::{Fact, PersonalMut};
use tandem_center::personal::Personal;

/// Facts of every kind, as the center's own tests keep them.
static FACTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let center = Path::new(env!("CARGO_MANIFEST_DIR")).join("../center/tests");
    let files = [
        "stories/snapshots/stories__facts__every_kind_of_fact_as_json.snap",
        "stories/snapshots/stories__facts__every_kind_of_fact_of_routing_as_json.snap",
        "fixtures/journals-0.1-routing.jsonl",
    ];
    let text: String =
        files.iter().map(|file| std::fs::read_to_string(center.join(file)).unwrap() + "\n").collect();
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
});

/// The same with every member that a fact may have; those that a kind does not know are left out by whoever reads it.
fn whole(fact: &Value) -> Fact {
    let mut whole = json!({
        "again_at": 7, "cause": { "kind": "hung_up", "code": 487 }, "code": "invoice", "note": "said much",
        "queue": "support", "target": { "phone": "+14255550177" }, "waiting_since": 7, "why": "because",
        "wrap_up_until": 7,
    });
    let members: &Map<_, _> = fact.as_object().unwrap();
    whole.as_object_mut().unwrap().extend(members.clone());
    serde_json::from_value(whole).unwrap()
}

fn read(fact: &Value) -> Fact {
    serde_json::from_value(fact.clone()).unwrap()
}

#[test]
fn the_form_of_events_stays() {
    let mut first: BTreeMap<&str, String> = BTreeMap::new();
    for fact in FACTS.iter() {
        if let Some(event) = tell::event("acme", &read(fact), Detail::Personal) {
            let line = serde_json::to_string(&event).unwrap();
            first.entry(event.kind.word()).or_insert(line);
        }
    }
    let missing: Vec<_> = EventType::ALL
        .iter()
        .filter(|kind| **kind != EventType::WebhookTest && !first.contains_key(kind.word()))
        .collect();
    assert!(missing.is_empty(), "no fact becomes one of these: {missing:?}");
    insta::assert_snapshot!(first.into_values().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_types_are_documented_with_their_members() {
    let mut members: BTreeMap<EventType, BTreeSet<String>> =
        EventType::ALL.iter().map(|kind| (*kind, BTreeSet::new())).collect();
    for fact in FACTS.iter() {
        let fact = whole(fact);
        let names = |detail| -> BTreeSet<String> {
            let event =
                tell::event("acme", &fact, detail).map(|event| serde_json::to_value(event.data).unwrap());
            event.iter().flat_map(|data| data.as_object().unwrap().keys().cloned()).collect()
        };
        let Some(kind) = tell::event_type(&fact.kind) else { continue };
        let plain = names(Detail::Plain);
        let of_kind = members.entry(kind).or_default();
        for name in names(Detail::Personal) {
            of_kind.insert(if plain.contains(&name) { format!("`{name}`") } else { format!("*`{name}`*") });
        }
    }
    let rows = members.iter().map(|(kind, members)| {
        let mut members: Vec<_> = members.iter().map(String::as_str).collect();
        members.sort_by_key(|member| member.trim_matches(['*', '`']));
        format!("| `{kind}` | {} | {} |\n", kind.meaning(), members.join(", "))
    });
    let table: String = ["| type | what happened | members of `data` |\n|---|---|---|\n".to_owned()]
        .into_iter()
        .chain(rows)
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once("--test webhook_events -->\n").unwrap();
    let (found, tail) = rest.split_once("<!-- end of types -->").unwrap();
    if std::env::var_os("TANDEM_WRITE_EVENTS").is_some() {
        let written = format!("{head}--test webhook_events -->\n{table}<!-- end of types -->{tail}");
        std::fs::write(&path, written).unwrap();
        return;
    }
    assert!(found == table, "docs/events.md is not up to date; write it anew with TANDEM_WRITE_EVENTS=1");
}

proptest! {
    #[test]
    fn nothing_about_customers_is_told_unless_asked_for(
        place in any::<prop::sample::Index>(),
        secret in "[a-z]{12,24}",
        number in 1..u64::MAX,
    ) {
        let mut fact = whole(place.get(&FACTS));
        fact.number = number;
        fact.kind.visit_personal(|_, place| match place {
            PersonalMut::Address(place) => *place = Personal::new(Address::Phone(secret.as_str().into())),
            PersonalMut::Text(place) => *place = Personal::new(Arc::from(secret.as_str())),
        });
        let text = |event: &Option<Event>| serde_json::to_string(event).unwrap();
        let plain = tell::event("acme", &fact, Detail::Plain);
        prop_assert!(!text(&plain).contains(&secret), "{}", text(&plain));
        fact.erase_personal();
        let erased = tell::event("acme", &fact, Detail::Personal);
        prop_assert!(!text(&erased).contains(&secret), "{}", text(&erased));
        prop_assert_eq!(plain.is_some(), tell::event_type(&fact.kind).is_some());
        if let Some(event) = plain {
            prop_assert_eq!(event.number, number);
            prop_assert_eq!(event.at, fact.at.as_micros());
            prop_assert_eq!(&event.id, &format!("evt_acme_{number}"));
            prop_assert_eq!(event.data.interaction, fact.interaction().map(|id| id.0));
            let again: Event = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
            prop_assert_eq!(again, event);
        }
    }
}
