//! Agents who sign in and out by calling a number.

use crate::harness::{Story, arrival, house};
use tandem_center::agent::{AgentState, Who};
use tandem_center::call::{Address, Arrival, CallId};
use tandem_center::fact::{FactKind, Outcome};

fn center(step: &str) -> Story {
    let rest = format!(
        "[[numbers]]\ndialled = \"700\"\nflow = \"sign\"\n[flows.sign]\nstart = \"sign\"\n\
         [flows.sign.steps.sign]\nagent_state = \"{step}\"\nthen = \"done\"\notherwise = \"stranger\"\n\
         [flows.sign.steps.done]\nplay = [\"welcome\"]\n[flows.sign.steps.stranger]\nplay = [\"sorry\"]\n"
    );
    let agents = [("adele", "starts = \"offline\""), ("bianca", "starts = \"offline\"")];
    Story::new(&house(&agents, "", &rest))
}

fn calls(center: &mut Story, line: &str, from: &str) -> CallId {
    let from = Address::Phone(from.into());
    center.arrives(Arrival { from, ..arrival(CallId(0), line, "700") })
}

const ADELE: &str = "+14255550101";

#[test]
fn the_agent_whose_telephone_calls_becomes_what_the_step_says_and_hears_so() {
    for step in ["available", "break", "offline"] {
        let mut center = center(step);
        let call = calls(&mut center, "teams", ADELE);
        assert_eq!(center.heard_since(), [("welcome".into(), false)]);
        let state = center.agent("adele");
        match step {
            "available" => assert!(matches!(state, AgentState::Available { .. })),
            "break" => assert!(matches!(state, AgentState::Break { reason: None })),
            _ => assert_eq!(state, AgentState::Offline),
        }
        center.prompts_end(call);
        assert_eq!(center.outcome(call), Outcome::FlowEnded);
    }
}

#[test]
fn it_is_told_that_it_was_by_telephone() {
    let mut center = center("available");
    calls(&mut center, "teams", ADELE);
    assert!(matches!(center.last_fact("agent_chose"), FactKind::AgentChose { by: Who::Telephone, .. }));
}

#[test]
fn a_switch_goes_back_and_forth() {
    let mut center = center("toggle");
    calls(&mut center, "teams", ADELE);
    assert!(center.is_available("adele"));
    calls(&mut center, "teams", ADELE);
    assert_eq!(center.agent("adele"), AgentState::Offline);
    center.chooses("adele", crate::harness::on_break());
    calls(&mut center, "teams", ADELE);
    assert!(center.is_available("adele"), "from a break back to work");
}

#[test]
fn who_is_no_agent_changes_nothing_and_goes_on_elsewhere() {
    for (line, from) in [("carrier", ADELE), ("teams", "+14255550177"), ("lab", ADELE)] {
        let mut center = center("available");
        calls(&mut center, line, from);
        assert_eq!(center.heard_since(), [("sorry".into(), false)], "{from} over {line}");
        assert_eq!(center.agent("adele"), AgentState::Offline);
    }
    let mut center = center("available");
    center.arrives(Arrival { from: Address::Anonymous, ..arrival(CallId(0), "teams", "700") });
    assert_eq!(center.heard_since(), [("sorry".into(), false)]);
}

#[test]
fn who_signs_in_is_offered_the_caller_who_waits() {
    let mut center = center("available");
    let [call] = center.callers();
    calls(&mut center, "teams", ADELE);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    assert_eq!(center.agent("bianca"), AgentState::Offline);
}
