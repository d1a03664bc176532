//! A door does not say what it must: the center goes on after a while, and that is a fact.

use crate::harness::{SUPPORT, Story};
use tandem_center::agent::AgentState;
use tandem_center::call::CallId;
use tandem_center::fact::{FactKind, Missing, Outcome};

const MENU: &str = r#"
numbers = [{ dialled = "*", flow = "main" }]
[flows.main]
start = "welcome"
[flows.main.steps.welcome]
play = ["welcome"]
then = "menu"
[flows.main.steps.menu]
menu = { prompts = ["menu"], digits = { "1" = "welcome" }, retries = 0 }
"#;

fn repaired(center: &Story) -> Missing {
    match center.last_fact("repaired") {
        FactKind::Repaired { missing, .. } => *missing,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_is_neither_answered_nor_ended_is_ended_as_lost() {
    let mut center = Story::new(SUPPORT);
    center.door_obeys = false;
    let call = center.dial();
    center.door_obeys = true;
    center.pass(40);
    assert_eq!(repaired(&center), Missing::Answer);
    assert_eq!(center.outcome(call), Outcome::Lost);
}

#[test]
fn prompts_and_collections_that_do_not_end_are_passed_over() {
    let mut center = Story::new(MENU);
    let call = center.dial();
    center.pass(15 * 60);
    assert_eq!(repaired(&center), Missing::PlayEnd);
    center.pass(16 * 60);
    assert_eq!(repaired(&center), Missing::CollectEnd);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

#[test]
fn a_flow_that_goes_round_for_ever_is_ended() {
    let mut center = Story::new(&MENU.replace("then = \"menu\"", "then = \"again\"").replace(
        "[flows.main.steps.menu]\nmenu = { prompts = [\"menu\"], digits = { \"1\" = \"welcome\" }, retries = 0 }",
        "[flows.main.steps.again]\nplay = [\"welcome\"]\nthen = \"welcome\"",
    ));
    let call = center.dial();
    for _ in 0..1000 {
        center.prompts_end(call);
    }
    assert_eq!(repaired(&center), Missing::FlowEnd);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

fn ending_that_the_door_ignores() -> (Story, CallId) {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.door_obeys = false;
    center.caller_hangs_up(call);
    (center, call)
}

#[test]
fn a_call_that_does_not_end_when_told_frees_the_agent_after_a_while() {
    let (mut center, call) = ending_that_the_door_ignores();
    center.pass(39);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    center.pass(1);
    assert_eq!(repaired(&center), Missing::CallEnd);
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
    assert_eq!(center.center.poll_timeout(), None);
}
