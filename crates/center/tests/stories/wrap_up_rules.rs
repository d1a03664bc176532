//! What a queue says of the wrap-up: how long, how much more, what has to be said.

use crate::harness::{Story, house, on_break};
use tandem_center::agent::{AgentAct, AgentState, ChosenState};
use tandem_center::fact::{FactKind, WrapUpEnd};
use tandem_center::personal::Personal;
use tandem_center::supervise::RefusalReason;

/// Adele has talked, and wraps up.
fn wrapping_up(queue: &str) -> Story {
    let mut center = Story::new(&house(&[("adele", "")], queue, ""));
    let [call] = center.callers();
    center.agent_answers("adele");
    center.pass(10);
    center.caller_hangs_up(call);
    assert!(is_wrapping_up(&center));
    center
}

fn is_wrapping_up(center: &Story) -> bool {
    matches!(center.agent("adele"), AgentState::WrapUp { .. })
}

fn refused(center: &mut Story, act: AgentAct) -> RefusalReason {
    let number = center.view.live.number;
    center.command("adele", act);
    assert_eq!(center.view.live.number, number, "a refusal changes nothing");
    center.refused.pop().expect("a refusal").reason
}

fn coded(code: &str) -> AgentAct {
    AgentAct::EndWrapUp { code: Some(code.into()), note: None }
}

fn noted(note: &str) -> AgentAct {
    AgentAct::EndWrapUp { code: None, note: Some(Personal::new(note.into())) }
}

const CODES: &str =
    "codes = [{ id = \"invoice\", name = \"Invoice\" }, { id = \"other\", name = \"Other\" }]";

#[test]
fn an_unlimited_one_lasts_until_the_agent_ends_it() {
    let mut center = wrapping_up("wrap_up_s = 5\nwrap_up = { unlimited = true }");
    center.pass(4 * 3600);
    assert!(is_wrapping_up(&center));
    center.command("adele", AgentAct::END_WRAP_UP);
    assert!(center.is_available("adele"));
}

#[test]
fn nobody_stays_in_an_unlimited_one_for_ever() {
    let mut center = wrapping_up("wrap_up = { unlimited = true }");
    center.pass(12 * 3600 - 1);
    assert!(is_wrapping_up(&center));
    center.pass(1);
    assert!(center.is_available("adele"));
}

#[test]
fn it_is_made_longer_as_often_and_as_much_as_the_queue_gives() {
    let mut center = wrapping_up("wrap_up_s = 30\nwrap_up = { extend_s = 20, extensions = 2 }");
    center.pass(25);
    center.command("adele", AgentAct::ExtendWrapUp);
    center.pass(20);
    assert!(is_wrapping_up(&center));
    center.command("adele", AgentAct::ExtendWrapUp);
    assert_eq!(refused(&mut center, AgentAct::ExtendWrapUp), RefusalReason::NoMoreTime);
    center.pass(24);
    assert!(is_wrapping_up(&center));
    center.pass(1);
    assert!(matches!(
        center.last_fact("wrap_up_ended"),
        FactKind::WrapUpEnded { by: WrapUpEnd::Timer, wrapped_us: 70_000_000, .. }
    ));
}

#[test]
fn it_is_not_made_longer_where_the_queue_gives_nothing_or_there_is_none() {
    let mut center = wrapping_up("wrap_up_s = 30");
    assert_eq!(refused(&mut center, AgentAct::ExtendWrapUp), RefusalReason::NoMoreTime);
    center.pass(30);
    assert_eq!(refused(&mut center, AgentAct::ExtendWrapUp), RefusalReason::NotInWrapUp);
}

#[test]
fn what_it_was_about_is_one_of_the_codes_of_the_queue() {
    let mut center = wrapping_up(&format!("wrap_up_s = 30\nwrap_up = {{ {CODES} }}"));
    assert_eq!(refused(&mut center, coded("weather")), RefusalReason::UnknownCode);
    center.command("adele", coded("invoice"));
    let FactKind::WrapUpEnded { code, queue, .. } = center.last_fact("wrap_up_ended") else { panic!() };
    assert_eq!(code.as_ref().map(|code| code.as_str()), Some("invoice"));
    assert_eq!(queue.as_ref().map(|queue| queue.as_str()), Some("support"));
}

#[test]
fn a_code_that_is_required_is_waited_for_also_if_the_agent_says_available() {
    let mut center = wrapping_up(&format!("wrap_up_s = 30\nwrap_up = {{ code_required = true, {CODES} }}"));
    assert_eq!(refused(&mut center, AgentAct::END_WRAP_UP), RefusalReason::CodeRequired);
    center.chooses("adele", ChosenState::Available);
    assert!(is_wrapping_up(&center));
    center.command("adele", coded("other"));
    assert!(center.is_available("adele"));
}

#[test]
fn one_that_runs_out_of_time_ends_without_the_code() {
    let mut center = wrapping_up(&format!("wrap_up_s = 30\nwrap_up = {{ code_required = true, {CODES} }}"));
    center.pass(30);
    assert!(center.is_available("adele"));
    assert!(matches!(center.last_fact("wrap_up_ended"), FactKind::WrapUpEnded { code: None, .. }));
    assert_eq!(refused(&mut center, coded("other")), RefusalReason::NotInWrapUp, "it came too late");
}

#[test]
fn a_note_is_kept_as_something_personal_and_has_a_length() {
    let mut center = wrapping_up("wrap_up_s = 30");
    assert_eq!(refused(&mut center, noted(&"x".repeat(4097))), RefusalReason::NoteTooLong);
    center.command("adele", noted("wants it on paper"));
    let fact =
        center.facts.iter().rev().find(|fact| crate::harness::kind(fact) == "wrap_up_ended").expect("an end");
    assert!(!format!("{fact:?}").contains("paper"));
    let mut blank = (**fact).clone();
    blank.take_personal();
    assert!(!serde_json::to_string(&blank).expect("JSON").contains("paper"));
    assert!(serde_json::to_string(&fact).expect("JSON").contains("paper"));
}

#[test]
fn a_break_chosen_meanwhile_begins_afterwards() {
    let mut center = wrapping_up("wrap_up_s = 30");
    center.chooses("adele", on_break());
    assert!(is_wrapping_up(&center));
    center.command("adele", AgentAct::END_WRAP_UP);
    assert!(matches!(center.agent("adele"), AgentState::Break { .. }));
}

#[test]
fn a_restart_goes_on_with_the_time_that_was_given() {
    let queue = "wrap_up_s = 30\nwrap_up = { extend_s = 100, extensions = 1 }";
    let mut center = wrapping_up(queue);
    center.command("adele", AgentAct::ExtendWrapUp);
    center.pass(50);
    let mut center = center.crash(&house(&[("adele", "")], queue, ""));
    center.pass(79);
    assert!(is_wrapping_up(&center));
    center.pass(1);
    assert!(center.is_available("adele"));
}
