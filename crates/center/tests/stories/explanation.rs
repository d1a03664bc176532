//! Why somebody waits, and why an agent was rung, in words.

use tandem_center::agent::{AgentAct, AgentCommand, ChosenState, Presence, PresenceReport, Who};
use tandem_center::call::CallId;
use tandem_center::explain::explain;
use tandem_center::{Input, Timestamp};

use crate::harness::Story;
use std::time::Duration;

const BISTRO: &str = r#"
[[agents]]
id = "adele"
name = "Adele Vance"
ring = { line = "teams", phone = "+14255550101" }
queues = ["support"]
skills = { french = 9, billing = 3 }
starts = "available"

[[agents]]
id = "bianca"
name = "Bianca Pisani"
ring = { line = "teams", phone = "+14255550102" }
queues = ["support"]
skills = { french = 6 }
starts = "available"

[[agents]]
id = "chris"
name = "Chris Naidoo"
ring = { line = "teams", phone = "+14255550103" }
queues = ["support"]
skills = { french = 3 }
starts = "available"

[[agents]]
id = "diego"
name = "Diego Siciliani"
ring = { line = "teams", phone = "+14255550104" }
queues = ["support"]
skills = { french = 7 }

[[agents]]
id = "grady"
name = "Grady Archie"
ring = { line = "teams", phone = "+14255550105" }
queues = ["support"]
skills = { french = 10 }
starts = "available"

[[queues]]
id = "support"
name = "Support"
strategy = "least_skilled"
skills = { french = 5 }
relax = [{ after_s = 60, skills = { french = 3 } }, { after_s = 90 }]

[[numbers]]
dialled = "+14255550199"
flow = "main"

[flows.main]
start = "support"
[flows.main.steps.support]
enqueue = "support"
"#;

fn why(center: &Story, call: CallId) -> String {
    let (id, _) = center.interaction(call).expect("an interaction");
    explain(&center.view, center.now, id).expect("in a queue").sentences().join("\n")
}

fn presence(center: &mut Story, agent: &str, presence: Presence, age_s: u64) {
    let (source, age) = ("Teams".into(), Duration::from_secs(age_s));
    let report = PresenceReport {
        agent: agent.into(),
        source,
        presence,
        manual: false,
        age,
        confidence: Default::default(),
    };
    center.input(Input::Presence(report));
}

#[test]
fn who_is_rung_comes_first_by_the_strategy_and_the_others_have_reasons() {
    let mut center = Story::new(BISTRO);
    center.pass(120);
    presence(&mut center, "grady", Presence::DoNotDisturb, 40);
    let call = center.dial();
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"), "good enough, and no better");
    insta::assert_snapshot!(why(&center, call));
}

#[test]
fn who_waits_is_told_who_is_occupied_and_what_will_be_asked_next() {
    let mut center = Story::new(BISTRO);
    for agent in ["bianca", "adele"] {
        let call = center.dial();
        assert_eq!(center.rung_for(call).as_deref(), Some(agent));
        center.agent_answers(agent);
        center.pass(20);
    }
    presence(&mut center, "grady", Presence::InCall, 5);
    let by = Who::Agent;
    let act = AgentAct::Choose(ChosenState::Break { reason: Some("lunch".into()) });
    center.input(Input::Agent(AgentCommand { agent: "chris".into(), act, by, why: None }));
    let call = center.dial();
    center.pass(15);
    assert_eq!(center.rung_for(call), None);
    insta::assert_snapshot!(why(&center, call));
}

#[test]
fn what_is_explained_can_be_written_and_read_as_json() {
    let mut center = Story::new(BISTRO);
    let call = center.dial();
    let (id, _) = center.interaction(call).expect("an interaction");
    let explanation = explain(&center.view, center.now, id).expect("in a queue");
    let json = serde_json::to_string(&explanation).expect("json");
    assert_eq!(
        serde_json::from_str::<tandem_center::explain::Explanation>(&json).expect("json"),
        explanation
    );
}

#[test]
fn who_is_in_no_queue_has_no_explanation() {
    let mut center = Story::new(BISTRO);
    let call = center.dial();
    center.agent_answers("bianca");
    let (id, _) = center.interaction(call).expect("an interaction");
    assert_eq!(explain(&center.view, center.now, id), None);
    let nobody = tandem_center::id::InteractionId(0);
    assert_eq!(explain(&center.view, Timestamp::default(), nobody), None);
}
