//! A new configuration comes into force while people talk and wait.

use crate::harness::{SUPPORT, Story};
use tandem_center::agent::AgentState;
use tandem_center::fact::{FactKind, Outcome, QueueExit};

fn without(id: &str) -> String {
    let (head, tail) = SUPPORT.split_once(&format!("[[agents]]\nid = \"{id}\"")).expect("the agent");
    let end = tail.find("[[").expect("something after");
    format!("{head}{}", &tail[end..])
}

const NO_QUEUE: &str = r#"
[[agents]]
id = "adele"
name = "Adele Vance"
ring = { line = "teams", phone = "+14255550101" }
"#;

#[test]
fn the_same_configuration_again_is_no_fact() {
    let mut center = Story::new(SUPPORT);
    let before = center.facts.len();
    center.configure(SUPPORT);
    assert_eq!(center.facts.len(), before);
}

#[test]
fn a_new_agent_is_there_at_once_and_takes_who_waits() {
    let mut center = Story::new(&without("adele"));
    let call = center.dial();
    center.configure(SUPPORT);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_agent_who_is_gone_finishes_the_conversation_and_the_wrap_up() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.configure(&without("adele"));
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    center.caller_hangs_up(call);
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.pass(30);
    assert_eq!(center.agent("adele"), AgentState::Gone);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn an_idle_agent_who_is_gone_is_gone_at_once_and_may_come_back() {
    let mut center = Story::new(SUPPORT);
    center.configure(&without("adele"));
    assert_eq!(center.agent("adele"), AgentState::Gone);
    let call = center.dial();
    assert_eq!(center.rung_for(call), None);
    center.configure(SUPPORT);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_agent_gone_while_being_rung_may_still_answer() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.configure(&without("adele"));
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    center.pass(30);
    assert_eq!(center.agent("adele"), AgentState::Gone);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn callers_of_a_queue_that_is_gone_flow_out_as_their_step_says() {
    let mut center = Story::new(&SUPPORT.replace("\"available\"", "\"break\""));
    let call = center.dial();
    center.configure(NO_QUEUE);
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::QueueGone, .. }
    ));
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

#[test]
fn an_offer_of_a_queue_that_is_gone_stands_and_if_it_fails_the_caller_flows_out() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.configure(NO_QUEUE);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(15);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
    center.configure(SUPPORT);
    let next = center.dial();
    center.pass(60);
    assert_eq!(center.rung_for(next).as_deref(), Some("adele"));
}

#[test]
fn new_rules_of_a_queue_hold_for_the_next_offer() {
    let mut center = Story::new(&SUPPORT.replace("\"available\"", "\"break\""));
    let call = center.dial();
    center.configure(&SUPPORT.replace("ring_timeout_s = 15", "ring_timeout_s = 10"));
    center.chooses("adele", tandem_center::agent::ChosenState::Available);
    let FactKind::Offered { rings_until, configuration, .. } = center.last_fact("offered") else {
        panic!("nobody was offered");
    };
    assert_eq!(*rings_until, center.now + std::time::Duration::from_secs(10));
    assert_eq!(*configuration, center.view.live.configuration);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_agent_who_changes_queues_is_rung_for_the_new_ones_only() {
    let mut center = Story::new(SUPPORT);
    center.configure(&SUPPORT.replacen("queues = [\"support\"]", "queues = []", 1));
    let call = center.dial();
    assert_eq!(center.rung_for(call), None);
    center.configure(SUPPORT);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn a_new_name_is_seen_at_once() {
    let mut center = Story::new(SUPPORT);
    center.configure(&SUPPORT.replace("Adele Vance", "Adele V. Vance"));
    assert_eq!(&*center.view.live.agents[&"adele".into()].name, "Adele V. Vance");
}

#[test]
fn a_queue_that_is_taken_away_and_comes_back_begins_anew_although_somebody_wraps_up_for_it() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.pass(10);
    center.caller_hangs_up(call);
    let nothing = "numbers = [{ dialled = \"*\", flow = \"f\" }]\n\
                   flows.f = { start = \"s\", steps.s.play = [\"menu\"] }";
    center.configure(nothing);
    center.configure(SUPPORT);
    assert!(center.view.live.queues[&"support".into()].pace.is_unknown());
    center.pass(30);
    assert!(center.is_available("adele"));
}
