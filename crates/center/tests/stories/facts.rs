//! How facts and views look in the journal and on the wire. A change here is a change of a format that others read.

use std::time::Duration;

use crate::harness::{SUPPORT, Story, customer, house, on_break};
use tandem_center::Input;
use tandem_center::agent::{AgentAct, ChosenState, Presence, PresenceReport};
use tandem_center::call::{CallEvent, CauseKind, PartyId, RecordEnd, TransferOutcome};
use tandem_center::callback::ScheduledCallback;
use tandem_center::fact::Fact;
use tandem_center::personal::Personal;
use tandem_center::supervise::WorkAct;

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

/// A story in which all happens that routing can do: skills, rings, shares, overflow, callbacks, messages, supervision.
fn routing() -> Story {
    let agents = [
        ("adele", "queues = [\"support\", \"sales\"]\nskills = { french = 7 }"),
        ("bianca", "queues = [\"support\", \"sales\"]\nstarts = \"break\""),
    ];
    let queue = r#"wrap_up_s = 30
        skills = { french = 5 }
        relax = [{ after_s = 20 }]
        rings = [{ agents = ["adele"] }, { after_s = 40, agents = ["bianca"] }]
        max_wait_s = 120
        when_waited = { number = { line = "carrier", phone = "+14255550188" } }
        tell = { every_s = 15, place = ["your-place"], wait = ["your-wait"] }
        overflow = [{ after_s = 10, then = { callback = true } }, { after_s = 60, then = { queue = "sales" } }]
        callback = { offer = ["call-you-back"], confirm = ["promised"], attempts = 2 }
        wrap_up = { extend_s = 20, extensions = 1, codes = [{ id = "invoice", name = "Invoice" }] }"#;
    let rest = r#"[[queues]]
        id = "sales"
        name = "Sales"
        strategy = "weighted"
        wrap_up_s = 0
        max_wait_s = 30
        when_waited = { voicemail = true }
        voicemail = { greeting = ["after-the-tone"], intro = ["a-message"] }
        "#;
    let config = house(&agents, queue, rest).replace("start = \"support\"", "start = \"known\"")
        + "[flows.main.steps.known]\nset = { language = \"fr\" }\nthen = \"support\"\n";
    let mut center = Story::new(&config);
    let presence = |presence, age| {
        let (agent, source, manual) = ("adele".into(), "teams".into(), false);
        Input::Presence(PresenceReport {
            agent,
            source,
            presence,
            manual,
            age,
            confidence: Default::default(),
        })
    };
    center.input(presence(Presence::Busy, Duration::from_secs(880)));
    let [first, second, third] = center.callers();
    let ids = [first, second, third].map(|call| center.id(call));
    center.pass(10);
    center.press(second, "1");
    center.prompts_end(second);
    center.wants(WorkAct::Prioritise { interaction: ids[2], priority: 1, vip: true });
    center.wants(WorkAct::Assign { interaction: ids[0], agent: "bianca".into() });
    center.pass(10);
    center.agent_answers("adele");
    center.caller_hangs_up(third);
    center.command("adele", AgentAct::ExtendWrapUp);
    let note = Some(Personal::new("wants it on paper".into()));
    center.command("adele", AgentAct::EndWrapUp { code: Some("invoice".into()), note });
    center.agent_answers("adele");
    center.customer_leaves(ids[1], CauseKind::Busy);
    center.wants(WorkAct::CancelCallback { interaction: ids[1] });
    center.wants(WorkAct::ScheduleCallback(ScheduledCallback {
        line: "carrier".into(),
        to: customer(99),
        name: "Ada".into(),
        queue: "support".into(),
        due_at: center.now + Duration::from_secs(3600),
        priority: Some(2),
        why: None,
    }));
    center.chooses("adele", on_break());
    center.pass(70);
    center.prompts_end(first);
    center.recorded(first, RecordEnd::Silence, 12);
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    let (call, party) = center.leg_of("adele");
    center.prompts_end_for(call, party);
    center.wants(WorkAct::Switch { queue: "sales".into(), closed: true });
    center.chooses("adele", on_break());
    let [fourth] = center.callers();
    center.pass(10);
    center.press(fourth, "2");
    center.prompts_end(fourth);
    center.pass(110);
    center.leave(fourth, PartyId(1), CauseKind::Busy);
    center.wants(WorkAct::Switch { queue: "sales".into(), closed: false });
    let [fifth] = center.callers();
    center.pass(90);
    center.caller_hangs_up(fifth);
    center
}

/// The first fact of each kind.
fn first_of_each(center: &Story) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let first = center.facts.iter().filter(|fact| seen.insert(crate::harness::kind(fact)));
    first.map(|fact| serde_json::to_string(fact).expect("json")).collect()
}

#[test]
fn every_kind_of_fact_as_json() {
    insta::assert_snapshot!(first_of_each(&everything()).join("\n"));
}

#[test]
fn every_kind_of_fact_of_routing_as_json() {
    insta::assert_snapshot!(first_of_each(&routing()).join("\n"));
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
