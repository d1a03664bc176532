//! How much an agent can do at once.

use crate::harness::{Story, house, on_break};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::call::{CauseKind, RecordEnd};
use tandem_center::fact::Outcome;

const TWO: &str = "[capacity]\ncall = 50\ncallback = 50\nvoicemail = 50\n";

#[test]
fn one_call_at_a_time_unless_something_else_is_said() {
    let mut center = Story::new(&house(&[("adele", "")], "", ""));
    let [first, second] = center.callers();
    center.agent_answers("adele");
    assert_eq!(center.rung_for(second), None);
    center.caller_hangs_up(first);
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"));
}

#[test]
fn two_calls_of_half_the_weight_one_ringing_after_the_other() {
    let mut center = Story::new(&house(&[("adele", "")], "", TWO));
    let [first, second, third] = center.callers();
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(second), None, "one telephone rings for one caller");
    center.agent_answers("adele");
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"));
    center.agent_answers("adele");
    assert_eq!(center.rung_for(third), None);
    assert_eq!(center.count("connected"), 2);
    center.caller_hangs_up(first);
    assert_eq!(center.rung_for(third).as_deref(), Some("adele"));
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }), "with the second");
}

#[test]
fn who_does_least_is_rung_first() {
    let agents = [("adele", ""), ("bianca", "")];
    let mut center = Story::new(&house(&agents, "", TWO));
    let [_, second] = center.callers();
    center.agent_answers("adele");
    assert_eq!(center.rung_for(second).as_deref(), Some("bianca"));
    center.agent_answers("bianca");
    let [third] = center.callers();
    assert_eq!(center.rung_for(third).as_deref(), Some("adele"));
}

#[test]
fn an_agent_may_do_more_or_less_than_the_others() {
    let agents = [("adele", "capacity = 50"), ("bianca", "capacity = 150")];
    let mut center = Story::new(&house(&agents, "", TWO));
    for agent in ["adele", "bianca", "bianca", "bianca"] {
        let [call] = center.callers();
        assert_eq!(center.rung_for(call).as_deref(), Some(agent));
        center.agent_answers(agent);
    }
    let [fifth] = center.callers();
    assert_eq!(center.rung_for(fifth), None);
}

#[test]
fn a_message_is_heard_beside_a_call_and_each_has_its_own_wrap_up() {
    let queue = "wrap_up_s = 30\nmax_wait_s = 10\nwhen_waited = { voicemail = true }\n\
                 voicemail = { greeting = [\"after-the-tone\"] }";
    let mut center = Story::new(&house(&[("adele", "starts = \"break\"")], queue, TWO));
    let [message] = center.callers();
    center.pass(10);
    center.prompts_end(message);
    center.recorded(message, RecordEnd::Complete, 4);
    let id = center.id(message);
    let [call] = center.callers();
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.all_rung_for(id), ["adele"]);
    center.agent_answers("adele");
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    let hearing = center.leg_of("adele");
    let leg = center.facts.iter().rev().find_map(|fact| match &fact.kind {
        tandem_center::fact::FactKind::CallPlaced { call, .. } => Some(*call),
        _ => None,
    });
    center.agent_answers("adele");
    assert_eq!(center.view.live.agents[&"adele".into()].work.len(), 2);
    assert_ne!(Some(hearing.0), leg);
    center.prompts_end_for(leg.expect("a call of its own"), tandem_center::call::PartyId::FIRST);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }), "with the caller");
    center.pass(30);
    assert_eq!(center.outcome_of(id), Outcome::Handled);
    center.caller_hangs_up(call);
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
}

#[test]
fn a_break_begins_when_all_is_done_and_nothing_is_offered_before() {
    let mut center = Story::new(&house(&[("adele", "")], "", TWO));
    let [first, second, third] = center.callers();
    center.agent_answers("adele");
    center.agent_answers("adele");
    center.chooses("adele", on_break());
    center.caller_hangs_up(first);
    assert_eq!(center.rung_for(third), None);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    center.caller_hangs_up(second);
    assert!(matches!(center.agent("adele"), AgentState::Break { .. }));
}

#[test]
fn a_missed_second_call_rests_the_agent_and_leaves_the_first_alone() {
    let mut center = Story::new(&house(&[("adele", "")], "", TWO));
    let [first, second] = center.callers();
    center.agent_answers("adele");
    center.agent_leaves("adele", CauseKind::Declined);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    assert_eq!(center.rung_for(second), None);
    center.pass(30);
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"));
    assert!(center.interaction(first).is_some());
}

#[test]
fn after_a_restart_two_wrap_ups_go_on() {
    let config = house(&[("adele", "")], "wrap_up_s = 60", TWO);
    let mut center = Story::new(&config);
    let [first, second] = center.callers();
    center.agent_answers("adele");
    center.agent_answers("adele");
    center.caller_hangs_up(first);
    center.pass(10);
    center.caller_hangs_up(second);
    let mut center = center.crash(&config);
    let [third] = center.callers();
    center.pass(49);
    assert_eq!(center.rung_for(third), None);
    center.pass(1);
    assert_eq!(center.rung_for(third).as_deref(), Some("adele"), "the first is over");
    assert_eq!(center.outcome(first), Outcome::Handled);
    assert_eq!(center.view.live.agents[&"adele".into()].work.len(), 2);
}
