//! What happens when the center is full or a call does not end.

use crate::harness::{SUPPORT, Story};
use tandem_center::call::{CallCommand, Rejection};
use tandem_center::fact::{EndedBy, FactKind, Outcome, QueueExit};

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
