//! The faults that people report of contact centers, one story for each: what must never happen here.

use crate::harness::{Story, customer, house, on_break};
use tandem_center::agent::{AgentAct, AgentState, ChosenState};
use tandem_center::call::{CallCommand, CallEvent, CauseKind, PartyId, TransferOutcome};
use tandem_center::fact::{FactKind, Outcome, QueueExit};
use tandem_center::supervise::WorkAct;

const CALLBACK: &str = "overflow = [{ after_s = 10, then = { callback = true } }]\n\
    callback = { offer = [\"call-you-back\"], retry_s = 60 }";

#[test]
fn nobody_stays_reserved_for_ever_when_all_were_rung() {
    let agents = [("adele", ""), ("bianca", ""), ("carla", "")];
    let mut center = Story::new(&house(&agents, "strategy = \"ring_all\"", ""));
    // The doors of bianca and carla say nothing any more.
    center.door_obeys = false;
    let [call, next] = center.callers();
    center.event(CallEvent::Answered { call });
    center.event(CallEvent::Answered { call: next });
    center.agent_answers("adele");
    assert!(matches!(center.agent("bianca"), AgentState::Offered { .. }));
    center.pass(40);
    let next = center.id(next);
    assert_eq!(center.all_rung_for(next), ["bianca", "carla"], "the next caller is offered to both");
}

#[test]
fn when_the_caller_is_gone_the_agents_telephone_stops_and_an_answer_too_late_connects_nobody() {
    let mut center = Story::new(&house(&[("adele", "")], "", ""));
    center.door_obeys = false;
    let [call] = center.callers();
    center.event(CallEvent::Answered { call });
    center.pass(5);
    center.commands();
    center.caller_hangs_up(call);
    let removed =
        |command: &CallCommand| matches!(command, CallCommand::RemoveParty { party: PartyId(1), .. });
    assert!(center.commands().iter().any(removed), "at once");
    center.agent_answers("adele");
    assert_eq!(center.count("connected"), 0);
    center.door_ends(call);
    assert!(center.is_available("adele"), "and has missed nothing");
    assert_eq!(center.outcome(call), Outcome::AbandonedInQueue);
}

#[test]
fn the_first_caller_is_served_first_and_the_eighth_last_however_offers_end() {
    let agents = [("adele", ""), ("bianca", "")];
    let mut center =
        Story::new(&house(&agents, "", "[offers]\ndeclined_rest_s = 1\nunreachable_rest_s = 1\n"));
    center.chooses("adele", on_break());
    center.chooses("bianca", on_break());
    let mut calls = Vec::new();
    for _ in 0..8 {
        calls.extend(center.callers::<1>());
        center.pass(1);
    }
    center.chooses("adele", ChosenState::Available);
    for (number, call) in calls.iter().enumerate() {
        assert_eq!(center.rung_for(*call).as_deref(), Some("adele"), "caller {number}");
        let cause = [CauseKind::Declined, CauseKind::Busy, CauseKind::Unreachable][number % 3];
        center.agent_leaves("adele", cause);
        assert_eq!(center.waiting("support"), calls[number..], "nobody has moved");
        center.pass(1);
        assert_eq!(center.rung_for(*call).as_deref(), Some("adele"), "caller {number} again");
        center.agent_answers("adele");
        center.agent_hangs_up("adele");
    }
}

#[test]
fn the_wrap_up_after_a_transfer_is_not_lost() {
    for leaves_first in [false, true] {
        let mut center = Story::new(&house(&[("adele", "")], "wrap_up_s = 30", ""));
        let [call, next] = center.callers();
        center.agent_answers("adele");
        center.agent_asks_transfer("adele", 1);
        if leaves_first {
            center.agent_hangs_up("adele");
            center.transfer_ends(call, TransferOutcome::Done);
        } else {
            center.transfer_ends(call, TransferOutcome::Done);
            center.agent_leaves("adele", CauseKind::Transferred);
        }
        assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
        center.pass(29);
        assert_eq!(center.rung_for(next), None);
        center.pass(1);
        assert_eq!(center.rung_for(next).as_deref(), Some("adele"));
    }
}

#[test]
fn the_wrap_up_after_a_transfer_to_a_queue_is_not_lost_even_if_the_same_agent_gets_the_caller_again() {
    let agents = [("adele", "queues = [\"support\", \"sales\"]")];
    let sales = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nwrap_up_s = 10\n";
    let mut center = Story::new(&house(&agents, "wrap_up_s = 30", sales));
    let [call] = center.callers();
    let interaction = center.id(call);
    center.agent_answers("adele");
    center.pass(5);
    center.wants(WorkAct::Move { interaction, queue: "sales".into() });
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    assert_eq!(center.rung_for(call), None);
    center.command("adele", AgentAct::END_WRAP_UP);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.agent_answers("adele");
    center.caller_hangs_up(call);
    assert_eq!((center.count("conversation_ended"), center.count("wrap_up_ended")), (2, 1));
    center.pass(10);
    assert_eq!(center.count("wrap_up_ended"), 2);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn callbacks_overtake_nobody_who_came_before_and_are_not_put_behind_who_came_after() {
    let mut center = Story::new(&house(&[("adele", "starts = \"break\"")], CALLBACK, ""));
    let [first] = center.callers();
    center.pass(5);
    let [second] = center.callers();
    center.pass(5);
    center.press(first, "2");
    center.pass(5);
    center.press(second, "1");
    center.pass(1);
    let [third] = center.callers();
    let order = [first, second, third].map(|call| center.id(call));
    assert_eq!(center.line("support"), order);
    center.chooses("adele", ChosenState::Available);
    for id in order {
        assert_eq!(center.all_rung_for(id), ["adele"]);
        center.agent_answers("adele");
        if id == order[1] {
            center.customer_answers(id);
        }
        center.agent_hangs_up("adele");
        assert_eq!(center.outcome_of(id), Outcome::Handled);
    }
}

#[test]
fn a_customer_is_never_called_back_twice() {
    let mut center = Story::new(&house(
        &[("adele", "starts = \"break\""), ("bianca", "starts = \"break\"")],
        CALLBACK,
        "",
    ));
    for _ in 0..3 {
        let call = center.dial_from(customer(7));
        center.pass(10);
        center.press(call, "1");
    }
    assert_eq!(center.line("support").len(), 1);
    let id = center.line("support")[0];
    center.chooses("adele", ChosenState::Available);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.offered().len(), 1);
    center.agent_answers("adele");
    center.customer_answers(id);
    center.agent_hangs_up("adele");
    center.pass(86_400);
    assert_eq!(center.count("callback_dialled"), 1);
}

#[test]
fn a_place_is_not_lost_by_entering_again() {
    // A menu in the wait: the caller leaves the queue after a minute, hears something, and comes back.
    let again = house(&[("adele", "starts = \"break\"")], "max_wait_s = 60", "").replace(
        "play = [\"sorry\"]",
        "play = [\"sorry\"]\nthen = \"again\"\n[flows.main.steps.again]\nenqueue = \"support\"\notherwise = \"sorry\"",
    );
    let mut center = Story::new(&again);
    let [first] = center.callers();
    center.pass(40);
    let [second] = center.callers();
    center.pass(20);
    assert_eq!(center.waiting("support"), [second]);
    center.pass(5);
    center.prompts_end(first);
    assert_eq!(center.waiting("support"), [first, second]);
}

#[test]
fn a_call_that_was_answered_is_not_counted_as_abandoned_whatever_comes_after() {
    let sales = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n";
    let mut center = Story::new(&house(&[("adele", "")], "", sales));
    let [call] = center.callers();
    let interaction = center.id(call);
    center.agent_answers("adele");
    // The caller goes in the very moment of the answer.
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::Handled);
    let totals = center.view.totals[&"support".into()];
    assert_eq!((totals.answered, totals.abandoned), (1, 0));
    assert!(center.interaction(call).is_none());

    let [call] = center.callers();
    let moved = center.id(call);
    center.agent_answers("adele");
    center.wants(WorkAct::Move { interaction: moved, queue: "sales".into() });
    center.pass(30);
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::Handled, "who has talked to somebody");
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::Abandoned, .. }
    ));
    assert_ne!(interaction, moved);
}

#[test]
fn newcomers_do_not_overtake_a_backlog() {
    let agents = [("adele", "starts = \"break\""), ("bianca", "starts = \"break\"")];
    let mut center = Story::new(&house(&agents, "", ""));
    let mut calls: Vec<_> = center.callers::<20>().into();
    center.pass(300);
    center.chooses("adele", ChosenState::Available);
    center.chooses("bianca", ChosenState::Available);
    let mut served = Vec::new();
    while let Some(at) = calls.iter().position(|call| center.rung_for(*call).is_some()) {
        let agent = center.rung_for(calls[at]).expect("somebody");
        center.agent_answers(&agent);
        served.push(calls.remove(at));
        // Somebody new comes with every answer, and for a while with every hang-up.
        if served.len() < 15 {
            calls.extend(center.callers::<1>());
        }
        center.agent_hangs_up(&agent);
        center.pass(1);
    }
    assert_eq!(served.len(), 34);
    let mut in_order = served.clone();
    in_order.sort();
    assert_eq!(served, in_order);
}

#[test]
fn an_agent_who_rejects_ends_the_offer_and_not_the_callers_call() {
    for cause in [CauseKind::Declined, CauseKind::HungUp, CauseKind::Rejected, CauseKind::Busy] {
        let mut center = Story::new(&house(&[("adele", ""), ("bianca", "")], "", ""));
        let [call] = center.callers();
        center.commands();
        center.agent_leaves("adele", cause);
        let ended =
            |command: &CallCommand| matches!(command, CallCommand::End { .. } | CallCommand::Reject { .. });
        assert!(!center.commands().iter().any(ended), "{cause:?}");
        assert_eq!(center.rung_for(call).as_deref(), Some("bianca"), "{cause:?}");
        assert_eq!(center.count("ending"), 0);
    }
}
