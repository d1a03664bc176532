//! The journal of every release folds for ever.
//!
//! `fixtures/journal-<release>.jsonl` is what a center of that release wrote, and `journal-<release>.view.json` is what
//! it took that to mean. Neither file is ever changed. A release adds its own pair when it is made:
//! `TANDEM_WRITE_JOURNAL=0.1 cargo test -p tandem-center --test stories releases` writes them, unless they exist.
//! `journals-0.1-routing.jsonl` has many short journals, one after another, from the stories of this folder: together
//! every kind of fact, and every word in it, that the routing core knew when it came. What they mean stands beside
//! them, a line for each.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::harness::{NOON, SUPPORT, Story, config, on_break};
use tandem_center::Center;
use tandem_center::agent::{AgentAct, ChosenState};
use tandem_center::call::{CallEvent, CauseKind, PartyId, TransferOutcome};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::InteractionId;
use tandem_center::view::View;

/// A release, the journal that it wrote, and what it took that to mean.
struct Release {
    name: &'static str,
    journal: &'static str,
    meaning: &'static str,
}

const RELEASES: &[Release] = &[Release {
    name: "0.1",
    journal: include_str!("../fixtures/journal-0.1.jsonl"),
    meaning: include_str!("../fixtures/journal-0.1.view.json"),
}];

#[test]
fn the_journal_of_every_release_means_what_it_meant() {
    for release in RELEASES {
        let mut view = View::default();
        facts(release).into_iter().for_each(|fact| view.apply(&Arc::new(fact)));
        let meant: Value = serde_json::from_str(release.meaning).expect("JSON");
        assert_eq!(meaning(&view), meant, "release {}", release.name);
    }
}

#[test]
fn a_center_goes_on_from_the_journal_of_every_release() {
    for release in RELEASES {
        let facts = facts(release);
        let opened = facts.iter().filter(|fact| crate::harness::kind(fact) == "arrived").count();
        let center = Center::restore(config(SUPPORT), NOON, facts.iter().cloned());
        let mut story = Story::restored(center, facts);
        story.pass(86_400);
        assert!(story.view.live.interactions.is_empty(), "release {}", release.name);
        assert_eq!(story.count("closed"), opened, "release {}", release.name);
        story.chooses("adele", ChosenState::Available);
        let call = story.dial();
        assert_eq!(story.rung_for(call).as_deref(), Some("adele"), "release {}", release.name);
    }
}

#[test]
fn the_journal_of_every_release_has_every_kind_that_it_knew() {
    for release in RELEASES {
        let kinds: BTreeSet<String> = facts(release).iter().map(crate::harness::kind).collect();
        assert!(kinds.len() >= KINDS_OF_0_1, "release {}: {kinds:?}", release.name);
    }
}

/// How many kinds of facts the first release knew.
const KINDS_OF_0_1: usize = 27;

#[test]
fn this_release_can_write_its_journal() {
    let story = everything();
    #[expect(clippy::disallowed_methods, reason = "whoever makes a release asks for its files")]
    let Ok(release) = std::env::var("TANDEM_WRITE_JOURNAL") else { return };
    let journal: Vec<String> =
        story.facts.iter().map(|fact| serde_json::to_string(fact).expect("JSON")).collect();
    write(&format!("journal-{release}.jsonl"), &journal.join("\n"));
    write(
        &format!("journal-{release}.view.json"),
        &serde_json::to_string_pretty(&meaning(&story.view)).expect("JSON"),
    );
}

/// What a journal means to people: what has been counted, how each call ended and how long it took, and what
/// everybody is doing. Not the form in which today's view says so.
fn meaning(view: &View) -> Value {
    let live = json_of(&view.live);
    let recent: Vec<Value> = view
        .recent
        .iter()
        .map(|closed| {
            let mut meaning = only(&json_of(closed), CLOSED);
            meaning["facts"] = closed.story.0.iter().map(|fact| fact.number).collect();
            meaning
        })
        .collect();
    json!({
        "number": view.live.number,
        "at": view.at,
        "configuration": view.live.configuration,
        "agents": each(&live["agents"], &["name", "chosen", "state"]),
        "interactions": each(&live["interactions"], &["from", "from_name", "to", "line", "arrived_at", "stage"]),
        "totals": each(&json_of(&view.totals), TOTALS),
        "recent": recent,
    })
}

const CLOSED: &[&str] =
    &["interaction", "outcome", "call", "line", "from", "from_name", "to", "arrived_at", "closed_at"];
const TOTALS: &[&str] = &["entered", "refused", "answered", "abandoned", "flowed_out", "lost"];

fn json_of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

fn each(values: &Value, keys: &[&str]) -> Value {
    let values = values.as_object().expect("an object");
    values.iter().map(|(id, value)| (id.clone(), only(value, keys))).collect::<Map<_, _>>().into()
}

fn only(value: &Value, keys: &[&str]) -> Value {
    keys.iter().map(|key| ((*key).to_owned(), value[*key].clone())).collect::<Map<_, _>>().into()
}

fn facts(release: &Release) -> Vec<Fact> {
    release.journal.lines().map(|line| serde_json::from_str(line).expect("a fact")).collect()
}

fn write(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let file = std::fs::File::options().write(true).create_new(true).open(&path);
    let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    writeln!(file, "{text}").expect("a disk");
}

/// A story in which every kind of fact happens, every stage is seen, and the program is killed once in the middle.
/// At its end one caller is in a menu, one is being rung for, one talks on hold, and an agent wraps up.
fn everything() -> Story {
    let mut center = Story::new(&two_queues());
    calls_that_do_not_reach_an_agent(&mut center);
    offers_that_end_without_an_answer(&mut center);
    conversations(&mut center);
    let mut center = killed_with_calls(center);
    a_door_that_is_silent(&mut center);
    another_configuration(&mut center);
    calls_that_stay(&mut center);
    center
}

fn two_queues() -> String {
    SUPPORT.to_owned()
        + r#"
        [[numbers]]
        dialled = "+14255550198"
        flow = "menu"
        [flows.menu]
        start = "welcome"
        [flows.menu.steps.welcome]
        play = ["welcome"]
        then = "menu"
        [flows.menu.steps.menu]
        menu = { prompts = ["menu"], digits = { "1" = "narrow", "2" = "support" }, retries = 1, otherwise = "narrow" }
        [flows.menu.steps.support]
        enqueue = "support"
        [flows.menu.steps.narrow]
        enqueue = "narrow"
        [[queues]]
        id = "narrow"
        name = "Narrow"
        music = "music"
        announce = ["please-wait"]
        max_waiting = 1
        max_wait_s = 10
        "#
}

fn calls_that_do_not_reach_an_agent(center: &mut Story) {
    center.dial_to("+14255550000");
    let call = center.dial_to("+14255550198");
    center.prompts_end(call);
    center.press_nothing(call);
    center.press(call, "7");
    center.pass(3);
    let refused = center.dial_to("+14255550198");
    center.prompts_end(refused);
    center.press(refused, "1");
    center.pass(20);
    let call = center.dial_to("+14255550198");
    center.pass(2);
    center.caller_hangs_up(call);
    let call = center.dial_to("+14255550198");
    center.prompts_end(call);
    center.press(call, "1");
    center.pass(4);
    center.caller_hangs_up(call);
}

fn offers_that_end_without_an_answer(center: &mut Story) {
    for cause in [CauseKind::Declined, CauseKind::Busy, CauseKind::Unreachable] {
        let call = center.dial();
        center.phone_rings("adele");
        center.pass(3);
        center.agent_leaves("adele", cause);
        center.pass(1);
        center.caller_hangs_up(call);
        center.chooses("adele", ChosenState::Available);
    }
    let call = center.dial();
    center.pass(80);
    center.caller_hangs_up(call);
    let call = center.dial();
    center.chooses("adele", on_break());
    center.caller_hangs_up(call);
    center.chooses("adele", ChosenState::Available);
}

fn conversations(center: &mut Story) {
    center.chooses("bianca", ChosenState::Available);
    let call = center.dial();
    center.phone_rings("adele");
    center.pass(2);
    center.agent_answers("adele");
    center.pass(31);
    center.agent_holds("adele");
    center.pass(7);
    center.agent_resumes("adele");
    center.event(CallEvent::Held { call, party: PartyId::FIRST, silent: true });
    center.pass(1);
    center.event(CallEvent::Resumed { call, party: PartyId::FIRST });
    center.heard(call, PartyId::FIRST, 417);
    center.heard(call, PartyId(1), 432);
    center.agent_hangs_up("adele");
    center.pass(5);
    center.command("adele", AgentAct::END_WRAP_UP);

    let call = center.dial();
    center.agent_answers("bianca");
    center.pass(5);
    center.agent_asks_transfer("bianca", 1);
    center.pass(5);
    center.transfer_ends(call, TransferOutcome::Failed);
    center.agent_asks_transfer("bianca", 2);
    center.pass(5);
    center.transfer_ends(call, TransferOutcome::Done);
    center.agent_leaves("bianca", CauseKind::Transferred);
    center.pass(60);
    center.caller_hangs_up(call);
}

fn killed_with_calls(mut center: Story) -> Story {
    center.dial();
    center.agent_answers("adele");
    center.dial();
    center.phone_rings("bianca");
    center.dial();
    center.dial_to("+14255550198");
    center.pass(12);
    let mut center = center.crash(&two_queues());
    center.pass(60);
    center
}

fn a_door_that_is_silent(center: &mut Story) {
    center.door_obeys = false;
    center.dial();
    center.pass(120);
    center.door_obeys = true;
}

fn another_configuration(center: &mut Story) {
    let call = center.dial();
    center.agent_answers("adele");
    center.configure(&two_queues().replace("adele", "carla").replace("Adele Vance", "Carla Gray"));
    center.pass(9);
    center.caller_hangs_up(call);
    center.pass(45);
    center.configure(&two_queues());
    center.chooses("adele", ChosenState::Available);
}

fn calls_that_stay(center: &mut Story) {
    let call = center.dial();
    let agent = center.rung_for(call).expect("an agent");
    center.agent_answers(&agent);
    center.pass(100);
    center.caller_hangs_up(call);
    let call = center.dial();
    let agent = center.rung_for(call).expect("another agent");
    center.agent_answers(&agent);
    center.agent_holds(&agent);
    center.pass(3);
    center.dial();
    center.dial();
    let call = center.dial_to("+14255550198");
    center.prompts_end(call);
}

/// Journals of the routing core as it came, each beginning with its fact number 1.
const ROUTING: &str = include_str!("../fixtures/journals-0.1-routing.jsonl");
const ROUTING_MEANING: &str = include_str!("../fixtures/journals-0.1-routing.view.jsonl");

/// How many kinds of facts the routing core knew.
const KINDS_OF_ROUTING: usize = 49;

fn routing() -> Vec<Vec<Fact>> {
    let mut journals: Vec<Vec<Fact>> = Vec::new();
    for line in ROUTING.lines() {
        let fact: Fact = serde_json::from_str(line).expect("a fact");
        match journals.last_mut() {
            Some(journal) if fact.number > 1 => journal.push(fact),
            _ => journals.push(vec![fact]),
        }
    }
    journals
}

#[test]
fn the_journals_of_the_routing_core_mean_what_they_meant() {
    let kinds: BTreeSet<String> = routing().iter().flatten().map(crate::harness::kind).collect();
    assert_eq!(kinds.len(), KINDS_OF_ROUTING, "{kinds:?}");
    let meanings = routing().into_iter().map(|facts| {
        let mut view = View::default();
        facts.into_iter().for_each(|fact| view.apply(&Arc::new(fact)));
        meaning(&view)
    });
    let meant: Vec<Value> =
        ROUTING_MEANING.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(meant.len(), routing().len());
    for (at, (means, meant)) in meanings.zip(meant).enumerate() {
        assert_eq!(means, meant, "journal {at}");
    }
}

/// Callbacks and messages that wait may wait for days; whatever is open has begun, and is closed at most once.
#[test]
fn a_center_goes_on_from_the_journals_of_the_routing_core() {
    for (at, facts) in routing().into_iter().enumerate() {
        let center = Center::restore(config(SUPPORT), NOON, facts.iter().cloned());
        let mut story = Story::restored(center, facts);
        story.pass(3_600);
        let begun: BTreeSet<InteractionId> = story
            .facts
            .iter()
            .filter_map(|fact| begins(fact).then_some(InteractionId(fact.number)))
            .collect();
        let closed: Vec<InteractionId> = story.facts.iter().filter_map(|fact| closes(fact)).collect();
        let open: BTreeSet<InteractionId> = story.view.live.interactions.keys().copied().collect();
        assert_eq!(closed.len() + open.len(), begun.len(), "journal {at}");
        assert_eq!(closed.into_iter().chain(open).collect::<BTreeSet<_>>(), begun, "journal {at}");
        let call = story.dial();
        assert!(story.interaction(call).is_some(), "journal {at}");
    }
}

fn begins(fact: &Fact) -> bool {
    matches!(fact.kind, FactKind::Arrived { .. } | FactKind::CallbackScheduled { .. })
}

fn closes(fact: &Fact) -> Option<InteractionId> {
    match fact.kind {
        FactKind::Closed { interaction, .. } => Some(interaction),
        _ => None,
    }
}
