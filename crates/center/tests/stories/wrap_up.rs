//! After a conversation the agent has time to finish the work.

use crate::harness::{SUPPORT, Story, on_break};
use tandem_center::agent::{AgentAct, AgentState, ChosenState};
use tandem_center::call::CallId;
use tandem_center::fact::{FactKind, Outcome, WrapUpEnd};
use tandem_center::supervise::RefusalReason;

fn wrapping_up() -> (Story, CallId) {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    center.pass(10);
    (center, call)
}

fn ended_by(center: &Story) -> WrapUpEnd {
    match center.last_fact("wrap_up_ended") {
        FactKind::WrapUpEnded { by, .. } => *by,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_is_offered_to_an_agent_in_wrap_up_until_its_time_is_over() {
    let (mut center, call) = wrapping_up();
    let next = center.dial();
    assert_eq!(center.rung_for(next), None);
    center.pass(19);
    assert_eq!(center.rung_for(next), None);
    center.pass(1);
    assert_eq!(ended_by(&center), WrapUpEnd::Timer);
    assert_eq!(center.outcome(call), Outcome::Handled);
    assert_eq!(center.rung_for(next).as_deref(), Some("adele"));
}

#[test]
fn the_agent_ends_it_early() {
    let (mut center, call) = wrapping_up();
    center.command("adele", AgentAct::END_WRAP_UP);
    assert!(matches!(
        center.last_fact("wrap_up_ended"),
        FactKind::WrapUpEnded { wrapped_us: 10_000_000, .. }
    ));
    assert_eq!(ended_by(&center), WrapUpEnd::Command);
    assert!(center.is_available("adele"));
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn saying_available_ends_it_and_a_break_comes_after_it() {
    let (mut center, _) = wrapping_up();
    center.chooses("adele", on_break());
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.chooses("adele", ChosenState::Available);
    assert!(center.is_available("adele"));

    let (mut center, _) = wrapping_up();
    center.chooses("adele", on_break());
    center.pass(20);
    assert_eq!(center.agent("adele"), AgentState::Break { reason: Some("lunch".into()) });
}

#[test]
fn a_queue_without_wrap_up_time_has_none() {
    let mut center = Story::new(&SUPPORT.replace("wrap_up_s = 30", "wrap_up_s = 0"));
    let call = center.dial();
    center.agent_answers("adele");
    let next = center.dial();
    center.agent_hangs_up("adele");
    assert_eq!(center.count("wrap_up_ended"), 0);
    assert_eq!(center.outcome(call), Outcome::Handled);
    assert_eq!(center.rung_for(next).as_deref(), Some("adele"));
}

#[test]
fn ending_a_wrap_up_that_is_not_there_is_refused() {
    let mut center = Story::new(SUPPORT);
    center.command("adele", AgentAct::END_WRAP_UP);
    center.command("nobody", AgentAct::END_WRAP_UP);
    let reasons: Vec<_> = center.refused.iter().map(|refusal| refusal.reason).collect();
    assert_eq!(reasons, [RefusalReason::NotInWrapUp, RefusalReason::UnknownAgent]);
}
