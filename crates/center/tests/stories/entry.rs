//! A call comes in and finds its flow, or is refused.

use crate::harness::{SUPPORT, Story};
use tandem_center::call::{CallCommand, Rejection};
use tandem_center::fact::{FactKind, Outcome};

#[test]
fn a_call_goes_through_the_queue_to_an_agent_and_is_closed_after_the_wrap_up() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.phone_rings("adele");
    center.pass(4);
    center.agent_answers("adele");
    center.pass(60);
    center.agent_hangs_up("adele");
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
    assert_eq!(
        center.kinds_since(center.closed(call).interaction.0 - 1),
        [
            "arrived",
            "answered",
            "step_begun",
            "queue_entered",
            "offered",
            "ringing",
            "connected",
            "ending",
            "conversation_ended",
            "call_ended",
            "wrap_up_ended",
            "closed"
        ]
    );
    assert!(center.is_available("adele"));
}

#[test]
fn an_unknown_number_is_refused_and_nobody_is_rung() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial_to("+14255550000");
    assert_eq!(center.commands(), [CallCommand::Reject { call, reason: Rejection::UnknownNumber }]);
    assert!(matches!(
        center.last_fact("call_rejected"),
        FactKind::CallRejected { reason: Rejection::UnknownNumber, .. }
    ));
    assert!(center.interaction(call).is_none());
}
