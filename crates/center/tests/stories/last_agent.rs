//! Callers who wait for a while for the agent whom they talked to last.

use crate::harness::{Story, customer, house, on_break};
use tandem_center::agent::ChosenState;
use tandem_center::call::{Address, CallId, CauseKind};

const AGENTS: [(&str, &str); 2] = [("adele", ""), ("bianca", "")];

fn config() -> String {
    house(&AGENTS, "last_agent_s = 30", "")
}

/// A center in which customer 7 has talked to bianca, who has been idle for less long than adele.
fn acquainted() -> Story {
    let mut center = Story::new(&config());
    center.chooses("adele", on_break());
    let call = center.dial_from(customer(7));
    center.agent_answers("bianca");
    center.caller_hangs_up(call);
    center.chooses("adele", ChosenState::Available);
    let [other] = center.callers();
    center.agent_answers("bianca");
    center.caller_hangs_up(other);
    center
}

fn again(center: &mut Story) -> CallId {
    center.dial_from(customer(7))
}

#[test]
fn who_calls_again_reaches_the_agent_of_last_time() {
    let mut center = acquainted();
    let call = again(&mut center);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
    let [stranger] = center.callers();
    assert_eq!(center.rung_for(stranger).as_deref(), Some("adele"));
}

#[test]
fn an_agent_who_talks_is_waited_for_as_long_as_the_patience_lasts() {
    let mut center = acquainted();
    let first = again(&mut center);
    center.agent_answers("bianca");
    let call = again(&mut center);
    center.pass(29);
    assert_eq!(center.rung_for(call), None, "although adele is free");
    center.pass(1);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    assert!(center.interaction(first).is_some());
}

#[test]
fn an_agent_who_becomes_free_in_time_takes_the_caller() {
    let mut center = acquainted();
    let first = again(&mut center);
    center.agent_answers("bianca");
    let call = again(&mut center);
    center.pass(20);
    center.caller_hangs_up(first);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn after_a_miss_the_caller_still_waits_for_the_agent_and_then_for_anybody() {
    let mut center = acquainted();
    let call = again(&mut center);
    center.agent_leaves("bianca", CauseKind::Declined);
    assert_eq!(center.rung_for(call), None);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"), "and back again in time");
    center.agent_leaves("bianca", CauseKind::Declined);
    center.pass(30);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_agent_who_is_not_signed_in_is_not_waited_for() {
    let mut center = acquainted();
    center.chooses("bianca", ChosenState::Offline);
    let call = again(&mut center);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_agent_who_signs_off_is_waited_for_no_longer() {
    let mut center = acquainted();
    center.chooses("bianca", on_break());
    let call = again(&mut center);
    center.pass(5);
    assert_eq!(center.rung_for(call), None);
    center.chooses("bianca", ChosenState::Offline);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_agent_who_does_not_serve_the_queue_is_not_waited_for() {
    let mut center = acquainted();
    let elsewhere = [AGENTS[0], ("bianca", "queues = []")];
    center.configure(&house(&elsewhere, "last_agent_s = 30", ""));
    let call = again(&mut center);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn the_acquaintance_is_known_after_a_restart() {
    let mut center = acquainted().crash(&config());
    let call = again(&mut center);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn who_withholds_the_number_is_acquainted_with_nobody() {
    let mut center = Story::new(&config());
    let call = center.dial_from(Address::Anonymous);
    center.agent_answers("adele");
    center.pass(1);
    center.caller_hangs_up(call);
    let call = center.dial_from(Address::Anonymous);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn a_step_may_ask_for_more_patience_or_for_none() {
    let none =
        config().replace("enqueue = \"support\"", "enqueue = \"support\"\nasks = { last_agent_s = 0 }");
    let mut center = acquainted().crash(&none);
    let call = again(&mut center);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn a_step_may_ask_for_one_person_who_then_is_waited_for_whatever_happens() {
    let step = "enqueue = \"support\"\nasks = { agent = \"bianca\" }";
    let mut center = Story::new(&config().replace("enqueue = \"support\"", step));
    let [call] = center.callers();
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
    center.agent_leaves("bianca", CauseKind::Declined);
    center.pass(29);
    assert_eq!(center.rung_for(call), None);
    center.pass(1);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"), "the rest is over");
    center.pass(15);
    center.pass(60);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"), "again and again");
}
