//! A call comes in and finds its flow, or is refused.

use crate::harness::{SUPPORT, Story};
use tandem_center::call::{CallCommand, CauseKind, PartyId, Rejection};
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

#[test]
fn an_exact_number_wins_over_any_number_and_a_line_over_any_line() {
    let flow = |name: &str| {
        format!("[flows.{name}]\nstart = \"{name}\"\n[flows.{name}.steps.{name}]\nplay = [\"menu\"]\n")
    };
    let number = |dialled: &str, line: &str, flow: &str| {
        let line = if line.is_empty() { String::new() } else { format!("line = \"{line}\"\n") };
        format!("[[numbers]]\ndialled = \"{dialled}\"\n{line}flow = \"{flow}\"\n")
    };
    let config = number("*", "", "any")
        + &number("*", "lab", "any-lab")
        + &number("+14255550199", "", "exact")
        + &number("+14255550199", "lab", "exact-lab")
        + &number("sip:help@example.org", "", "sip")
        + &["any", "any-lab", "exact", "exact-lab", "sip"].map(flow).concat();
    let mut center = Story::new(&config);
    let entered = |center: &mut Story, line: &str, number: &str| {
        let call = center.dial_over(line, number);
        center.interaction(call).expect("an interaction").1.flow.as_ref().expect("a flow").to_string()
    };
    assert_eq!(entered(&mut center, "lab", "+14255550199"), "exact-lab");
    assert_eq!(entered(&mut center, "carrier", "+14255550199"), "exact");
    assert_eq!(entered(&mut center, "lab", "+14255550000"), "any-lab");
    assert_eq!(entered(&mut center, "carrier", "911"), "any");
    assert_eq!(entered(&mut center, "carrier", "sip:help@example.org"), "sip");
}

#[test]
fn a_caller_who_gives_up_before_the_answer_leaves_no_trace_but_facts() {
    let mut center = Story::new(SUPPORT);
    center.door_obeys = false;
    let call = center.dial();
    center.door_obeys = true;
    center.leave(call, PartyId::FIRST, CauseKind::Cancelled);
    assert_eq!(center.outcome(call), Outcome::AbandonedInFlow);
    assert!(center.is_available("adele"));
    assert_eq!(center.center.poll_timeout(), None);
}
