//! What happens when the center is full or a call does not end.

use std::time::Duration;

use crate::harness::{SUPPORT, Story, customer, house};
use tandem_center::call::{CallCommand, Rejection};
use tandem_center::callback::ScheduledCallback;
use tandem_center::explain::{Held, explain};
use tandem_center::fact::{EndedBy, FactKind, Outcome, QueueExit};
use tandem_center::id::InteractionId;
use tandem_center::supervise::WorkAct;

#[test]
fn a_call_too_many_is_refused_as_overload_and_disturbs_nobody() {
    let mut center = Story::new(&format!("[limits]\ncalls = 2\n{SUPPORT}"));
    let calls = [center.dial(), center.dial()];
    center.commands();
    let third = center.dial();
    assert_eq!(center.commands(), [CallCommand::Reject { call: third, reason: Rejection::Overloaded }]);
    assert_eq!(center.waiting("support"), calls);
}

#[test]
fn a_conversation_ends_when_calls_may_last_no_longer() {
    let mut center = Story::new(&format!("[limits]\ncall_s = 600\n{SUPPORT}"));
    let call = center.dial();
    center.agent_answers("adele");
    center.pass(600);
    assert!(matches!(
        center.last_fact("conversation_ended"),
        FactKind::ConversationEnded { by: EndedBy::Limit, talked_us: 600_000_000, .. }
    ));
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn a_wait_ends_when_calls_may_last_no_longer() {
    let mut center =
        Story::new(&format!("[limits]\ncall_s = 60\n{}", SUPPORT.replace("\"available\"", "\"break\"")));
    let call = center.dial();
    center.pass(60);
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::CallLimit, .. }
    ));
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

/// Somebody is to be called in so many seconds.
fn wants_callback(center: &mut Story, number: u8, after_s: u64) -> InteractionId {
    center.wants(WorkAct::ScheduleCallback(ScheduledCallback {
        line: "carrier".into(),
        to: customer(number.into()),
        name: "Ada".into(),
        queue: "support".into(),
        due_at: center.now + Duration::from_secs(after_s),
        priority: None,
        why: None,
    }));
    InteractionId(center.view.live.number)
}

const AGENTS: [(&str, &str); 3] = [("adele", ""), ("bianca", ""), ("carla", "")];

#[test]
fn a_callback_waits_until_a_call_has_ended_when_there_are_as_many_as_may_be() {
    let mut center = Story::new(&house(&AGENTS, "", "[limits]\ncalls = 2\n"));
    let id = wants_callback(&mut center, 7, 60);
    let [first, second] = center.callers();
    center.agent_answers("adele");
    center.agent_answers("bianca");
    center.pass(60);
    assert_eq!(center.all_rung_for(id), [""; 0], "carla is free, and there is no call for it");
    let why = explain(&center.view, center.now, id).expect("in a queue");
    assert_eq!(why.held, Some(Held::Calls { most: 2 }));
    assert_eq!(why.eligible.len(), 1);
    assert!(why.sentences().iter().any(|sentence| sentence.starts_with("It waits until a call has ended")));
    center.pass(600);
    assert_eq!(center.all_rung_for(id), [""; 0]);
    center.caller_hangs_up(first);
    assert_eq!(center.all_rung_for(id), ["carla"]);
    let third = center.dial();
    assert!(
        matches!(center.commands().last(), Some(CallCommand::Reject { call, reason: Rejection::Overloaded }) if *call == third),
        "the call that was placed counts"
    );
    center.agent_answers("carla");
    center.customer_answers(id);
    center.caller_hangs_up(second);
    center.customer_leaves(id, tandem_center::call::CauseKind::HungUp);
    assert_eq!(center.outcome_of(id), Outcome::Handled);
}

#[test]
fn of_callbacks_that_are_due_together_no_more_are_placed_than_there_may_be_calls() {
    let mut center = Story::new(&house(&AGENTS, "", "[limits]\ncalls = 1\n"));
    let first = wants_callback(&mut center, 7, 60);
    let second = wants_callback(&mut center, 8, 61);
    center.pass(61);
    assert_eq!((center.all_rung_for(first).len(), center.all_rung_for(second).len()), (1, 0));
    let agent = center.all_rung_for(first)[0].clone();
    center.agent_answers(&agent);
    center.customer_answers(first);
    center.customer_leaves(first, tandem_center::call::CauseKind::HungUp);
    assert_eq!(center.all_rung_for(second).len(), 1);
}

#[test]
fn what_waits_without_a_call_keeps_no_caller_out() {
    let mut center = Story::new(&house(&AGENTS, "", "[limits]\ncalls = 1\n"));
    wants_callback(&mut center, 7, 3600);
    wants_callback(&mut center, 8, 3600);
    let [caller] = center.callers();
    assert_eq!(center.rung_for(caller).as_deref(), Some("adele"));
}

#[test]
fn a_higher_limit_lets_a_callback_go_at_once() {
    let agents = house(&AGENTS, "", "[limits]\ncalls = 1\n");
    let mut center = Story::new(&agents);
    let id = wants_callback(&mut center, 7, 60);
    let [_] = center.callers();
    center.agent_answers("adele");
    center.pass(60);
    assert_eq!(center.all_rung_for(id), [""; 0]);
    center.configure(&agents.replace("calls = 1", "calls = 2"));
    assert_eq!(center.all_rung_for(id), ["bianca"]);
}
