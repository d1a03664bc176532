//! Callers who hang up and keep their place: an agent is rung first, then the customer.

use crate::harness::{Story, customer, house, on_break};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::call::{Address, CallCommand, CallEvent, CallId, CauseKind, PartyId};
use tandem_center::fact::{CallbackEnd, FactKind, OfferOutcome, Outcome, QueueExit};
use tandem_center::id::InteractionId;
use tandem_center::supervise::{RefusalReason, WorkAct};
use tandem_center::view::StageView;

const AGENTS: [(&str, &str); 2] = [("adele", ""), ("bianca", "starts = \"offline\"")];

const QUEUE: &str = "music = \"music\"\noverflow = [{ after_s = 10, then = { callback = true } }]\n\
    callback = { offer = [\"call-you-back\"], confirm = [\"promised\"], intro = [\"customer-follows\"], \
    attempts = 2, retry_s = 60, ring_s = 30, line = \"lab\", number = \"+14255550100\" }";

fn config() -> String {
    house(&AGENTS, QUEUE, "")
}

/// Everybody is on a break; one caller has just been asked.
fn asked() -> (Story, CallId) {
    let mut center = Story::new(&config());
    center.chooses("adele", on_break());
    let call = center.dial_from(customer(7));
    center.pass(10);
    (center, call)
}

/// The caller was promised a call, and has hung up.
fn promised() -> (Story, InteractionId) {
    let (mut center, call) = asked();
    let id = center.id(call);
    center.press(call, "1");
    center.prompts_end(call);
    (center, id)
}

/// Adele has taken the callback; the customer's telephone rings.
fn dialled() -> (Story, InteractionId) {
    let (mut center, id) = promised();
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    (center, id)
}

fn last_offer(center: &Story) -> OfferOutcome {
    match center.last_fact("offer_ended") {
        FactKind::OfferEnded { outcome, .. } => *outcome,
        other => panic!("{other:?}"),
    }
}

fn cancelled(center: &Story) -> CallbackEnd {
    match center.last_fact("callback_cancelled") {
        FactKind::CallbackCancelled { reason, .. } => *reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_agrees_hears_so_and_the_call_ends_while_the_place_is_kept() {
    let (mut center, call) = asked();
    let id = center.id(call);
    center.commands();
    center.press(call, "1");
    assert_eq!(center.heard_since(), [("promised".into(), false)]);
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::CallbackPromised, .. }
    ));
    assert!(matches!(center.stage(id), Some(StageView::Parked(_))));
    center.prompts_end(call);
    assert_eq!(center.commands(), [CallCommand::End { call }]);
    assert_eq!(center.line("support"), [id]);
    match center.last_fact("queue_entered") {
        FactKind::QueueEntered { waiting_since, .. } => {
            assert_eq!(*waiting_since, Some(crate::harness::NOON));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(center.count("closed"), 0);
}

#[test]
fn who_agrees_may_hang_up_at_once() {
    let (mut center, call) = asked();
    center.press(call, "1");
    center.caller_hangs_up(call);
    assert_eq!(center.line("support"), [center.id(call)]);
    assert_eq!(center.count("closed"), 0);
}

#[test]
fn who_presses_another_key_or_none_waits_on() {
    for keys in ["2", ""] {
        let (mut center, call) = asked();
        center.press(call, keys);
        assert_eq!(center.waiting("support"), [call]);
        center.chooses("adele", ChosenState::Available);
        assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
        assert_eq!(center.count("callback_promised"), 0);
    }
}

#[test]
fn who_withholds_the_number_is_not_asked() {
    let mut center = Story::new(&config());
    center.chooses("adele", on_break());
    let call = center.dial_from(Address::Anonymous);
    center.pass(20);
    assert!(!center.is_asked(call));
    assert_eq!(center.waiting("support"), [call]);
}

#[test]
fn the_agent_is_rung_first_and_then_the_customer() {
    let (mut center, id) = promised();
    center.commands();
    center.pass(100);
    center.chooses("adele", ChosenState::Available);
    let [CallCommand::Place { call, to, presented, presented_name }] = &center.commands()[..] else {
        panic!("one call is placed");
    };
    let (call, teams) = (*call, to.clone());
    assert_eq!(
        (&*teams.line, presented, presented_name.as_deref()),
        ("teams", &Some(customer(7)), Some("Ada"))
    );
    center.agent_answers("adele");
    let commands = center.commands();
    assert!(
        matches!(&commands[0], CallCommand::Play { party: PartyId::FIRST, prompts, .. } if &*prompts[0] == "customer-follows")
    );
    match &commands[1] {
        CallCommand::AddParty { call: of, party, to, presented, apart, .. } => {
            assert_eq!((*of, *party, *apart), (call, PartyId(1), false));
            assert_eq!((&*to.line, &to.address), ("lab", &customer(7)));
            assert_eq!(*presented, Some(Address::Phone("+14255550100".into())));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(center.agent("adele"), AgentState::Offered { .. }), "nobody talks yet");
    center.pass(8);
    center.customer_answers(id);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    assert!(matches!(center.last_fact("connected"), FactKind::Connected { rang_us: 8_000_000, .. }));
    center.pass(60);
    center.customer_leaves(id, CauseKind::HungUp);
    assert_eq!(center.outcome_of(id), Outcome::Handled);
    assert!(center.is_available("adele"));
}

#[test]
fn the_customer_who_answers_hears_the_agent_whatever_still_plays() {
    let (mut center, id) = dialled();
    center.commands();
    center.customer_answers(id);
    let stop = center.commands().into_iter().find(|command| matches!(command, CallCommand::StopPlay { .. }));
    assert!(matches!(stop, Some(CallCommand::StopPlay { party: PartyId::FIRST, .. })));
}

#[test]
fn the_number_shown_is_the_one_that_was_dialled_if_none_is_configured() {
    let config = house(&AGENTS, &QUEUE.replace(", line = \"lab\", number = \"+14255550100\"", ""), "");
    let mut center = Story::new(&config);
    center.chooses("adele", on_break());
    let call = center.dial_from(customer(7));
    center.pass(10);
    center.press(call, "1");
    center.prompts_end(call);
    center.chooses("adele", ChosenState::Available);
    center.commands();
    center.agent_answers("adele");
    let added = center.commands().into_iter().find_map(|command| match command {
        CallCommand::AddParty { to, presented, .. } => Some((to.line, presented)),
        _ => None,
    });
    assert_eq!(added, Some(("carrier".into(), Some(Address::Phone("+14255550199".into())))));
}

#[test]
fn a_callback_overtakes_nobody_and_is_overtaken_by_nobody() {
    let mut center = Story::new(&config());
    center.chooses("adele", on_break());
    let [first, second] = center.callers();
    center.pass(10);
    let [third] = center.callers();
    let ids = [first, second, third].map(|call| center.id(call));
    center.press(second, "1");
    center.prompts_end(second);
    center.pass(5);
    assert_eq!(center.line("support"), ids, "as they came");
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    center.caller_hangs_up(first);
    assert_eq!(center.all_rung_for(ids[1]), ["adele"]);
    assert_eq!(center.rung_for(third), None);
}

#[test]
fn a_customer_who_does_not_answer_is_tried_again_at_the_old_place() {
    let (mut center, id) = dialled();
    center.commands();
    center.pass(29);
    assert!(matches!(center.stage(id), Some(StageView::CallingBack { .. })));
    center.pass(1);
    assert_eq!(last_offer(&center), OfferOutcome::CustomerNotReached);
    assert!(center.is_available("adele"), "who has missed nothing");
    assert!(matches!(
        center.last_fact("callback_missed"),
        FactKind::CallbackMissed { attempt: 1, again_at: Some(_), .. }
    ));
    assert!(center.commands().iter().any(|command| matches!(command, CallCommand::End { .. })));
    center.chooses("adele", on_break());
    let [newer] = center.callers();
    center.pass(59);
    assert_eq!(center.waiting("support"), [newer]);
    center.pass(1);
    let newer_id = center.id(newer);
    assert_eq!(center.line("support"), [id, newer_id]);
}

#[test]
fn a_customer_who_is_never_reached_is_given_up() {
    let (mut center, id) = dialled();
    center.customer_leaves(id, CauseKind::Busy);
    center.pass(60);
    center.agent_answers("adele");
    center.customer_leaves(id, CauseKind::NotAnswered);
    assert!(matches!(
        center.last_fact("callback_missed"),
        FactKind::CallbackMissed { attempt: 2, again_at: None, .. }
    ));
    assert_eq!(center.outcome_of(id), Outcome::NotReached);
    assert!(center.is_available("adele"));
    assert_eq!(center.view.live.interactions.len(), 0);
}

#[test]
fn who_calls_again_gets_the_place_and_no_call() {
    let (mut center, id) = promised();
    let [newer] = center.callers();
    center.pass(100);
    let again = center.dial_from(customer(7));
    assert_eq!(cancelled(&center), CallbackEnd::CalledAgain);
    assert_eq!(center.outcome_of(id), Outcome::Cancelled);
    assert_eq!(center.waiting("support"), [again, newer]);
}

#[test]
fn who_calls_again_while_the_agent_is_rung_or_the_next_try_is_waited_for() {
    let (mut center, id) = promised();
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.all_rung_for(id), ["adele"]);
    let again = center.dial_from(customer(7));
    assert_eq!(center.outcome_of(id), Outcome::Cancelled);
    assert_eq!(center.rung_for(again).as_deref(), Some("adele"));

    let (mut center, id) = dialled();
    center.customer_leaves(id, CauseKind::Busy);
    center.chooses("adele", on_break());
    let again = center.dial_from(customer(7));
    assert_eq!(center.outcome_of(id), Outcome::Cancelled);
    assert_eq!(center.waiting("support"), [again]);
}

#[test]
fn who_calls_while_being_called_is_not_called_any_more() {
    let (mut center, id) = dialled();
    let again = center.dial_from(customer(7));
    assert_eq!(center.outcome_of(id), Outcome::Cancelled);
    assert_eq!(center.rung_for(again).as_deref(), Some("adele"));
    assert_eq!(last_offer(&center), OfferOutcome::CallerMoved);
}

#[test]
fn who_calls_again_and_is_not_let_in_is_still_called_back() {
    let (mut center, id) = promised();
    center.wants(WorkAct::Switch { queue: "support".into(), closed: true });
    let again = center.dial_from(customer(7));
    assert_eq!(center.waiting("support").len(), 1);
    assert_eq!(center.line("support"), [id]);
    center.caller_hangs_up(again);
    assert_eq!(center.count("callback_cancelled"), 0);
}

#[test]
fn who_calls_again_is_let_into_a_full_queue_for_the_place_is_there() {
    let config = house(&AGENTS, &format!("max_waiting = 1\n{QUEUE}"), "");
    let mut center = Story::new(&config);
    center.chooses("adele", on_break());
    let call = center.dial_from(customer(7));
    center.pass(10);
    center.press(call, "1");
    center.prompts_end(call);
    let again = center.dial_from(customer(7));
    assert_eq!(center.waiting("support"), [again]);
    assert_eq!(center.outcome_of(center.id(call)), Outcome::Cancelled);
}

#[test]
fn who_is_served_elsewhere_is_not_called_back() {
    let rest = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n[[numbers]]\ndialled = \"+14255550198\"\nflow = \"sales\"\n\
                [flows.sales]\nstart = \"sales\"\n[flows.sales.steps.sales]\nenqueue = \"sales\"\n";
    let agents = [AGENTS[0], ("bianca", "queues = [\"sales\"]")];
    let mut center = Story::new(&house(&agents, QUEUE, rest));
    center.chooses("adele", on_break());
    let call = center.dial();
    let id = center.id(call);
    center.pass(10);
    center.press(call, "1");
    center.prompts_end(call);
    center.dial_to("+14255550198");
    assert_eq!(center.line("support"), [id], "not served yet");
    center.agent_answers("bianca");
    assert_eq!(cancelled(&center), CallbackEnd::Served);
    assert_eq!(center.outcome_of(id), Outcome::Cancelled);
}

#[test]
fn who_agrees_twice_is_called_once_and_at_the_better_place() {
    let rest = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n[[numbers]]\ndialled = \"+14255550198\"\nflow = \"sales\"\n\
                [flows.sales]\nstart = \"sales\"\n[flows.sales.steps.sales]\nenqueue = \"sales\"\n";
    let queue = QUEUE.replace(
        "overflow = [{ after_s = 10",
        "closed = true\nwhen_closed = { callback = true }\noverflow = [{ after_s = 10",
    );
    let mut center = Story::new(&house(&[], &queue, rest));
    let first = center.dial();
    center.press(first, "1");
    center.prompts_end(first);
    center.pass(50);
    let second = center.dial();
    center.press(second, "1");
    center.prompts_end(second);
    assert_eq!(center.line("support"), [center.id(second)]);
    assert_eq!(center.outcome_of(center.id(first)), Outcome::Cancelled);
    match center.last_fact("queue_entered") {
        FactKind::QueueEntered { waiting_since, .. } => {
            assert_eq!(*waiting_since, Some(crate::harness::NOON));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_agent_who_misses_the_callback_rests_and_the_next_is_rung() {
    let (mut center, id) = promised();
    center.chooses("adele", ChosenState::Available);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.all_rung_for(id), ["adele"]);
    center.pass(15);
    assert_eq!(last_offer(&center), OfferOutcome::Missed);
    assert_eq!(center.all_rung_for(id), ["bianca"]);
    center.agent_leaves("bianca", CauseKind::Declined);
    assert_eq!(last_offer(&center), OfferOutcome::Declined);
    assert_eq!(center.line("support"), [id]);
    center.pass(30);
    center.agent_answers("bianca");
    assert!(matches!(center.last_fact("callback_dialled"), FactKind::CallbackDialled { attempt: 1, .. }));
}

#[test]
fn an_agent_who_goes_while_the_customer_is_rung_costs_the_customer_no_try() {
    let (mut center, id) = dialled();
    center.pass(5);
    center.agent_hangs_up("adele");
    assert_eq!(last_offer(&center), OfferOutcome::Declined);
    assert_eq!(center.line("support"), [id]);
    center.chooses("bianca", ChosenState::Available);
    center.agent_answers("bianca");
    assert!(matches!(center.last_fact("callback_dialled"), FactKind::CallbackDialled { attempt: 1, .. }));
    center.customer_answers(id);
    assert!(matches!(center.agent("bianca"), AgentState::InConversation { .. }));
}

#[test]
fn an_agent_who_takes_a_break_while_the_customer_is_rung_is_let_go() {
    let (mut center, id) = dialled();
    center.chooses("adele", on_break());
    assert_eq!(last_offer(&center), OfferOutcome::AgentLeft);
    assert!(matches!(center.agent("adele"), AgentState::Break { .. }));
    assert_eq!(center.line("support"), [id]);
}

#[test]
fn a_call_that_breaks_off_while_the_customer_is_rung_leaves_everything_as_it_was() {
    let (mut center, id) = dialled();
    let (call, _) = center.leg_of("adele");
    center.event(CallEvent::Ended { call, cause: CauseKind::Lost.into() });
    assert_eq!(last_offer(&center), OfferOutcome::Lost);
    assert_eq!(center.all_rung_for(id), ["adele"], "again, in a call of its own");
    assert_ne!(center.leg_of("adele").0, call);
}

#[test]
fn a_supervisor_cancels_a_callback_before_the_customer_talks_and_not_after() {
    for stage in ["waiting", "offered", "calling", "retry"] {
        let (mut center, interaction) = promised();
        if stage != "waiting" {
            center.chooses("adele", ChosenState::Available);
        }
        if stage == "calling" || stage == "retry" {
            center.agent_answers("adele");
        }
        if stage == "retry" {
            center.customer_leaves(interaction, CauseKind::Busy);
        }
        center.wants(WorkAct::CancelCallback { interaction });
        assert_eq!(cancelled(&center), CallbackEnd::Command, "{stage}");
        assert_eq!(center.outcome_of(interaction), Outcome::Cancelled, "{stage}");
        assert!(stage == "waiting" || center.is_available("adele"), "{stage}");
        let again = WorkAct::CancelCallback { interaction };
        assert_eq!(center.is_refused(again), RefusalReason::UnknownInteraction);
    }
    let (mut center, interaction) = dialled();
    center.customer_answers(interaction);
    assert_eq!(center.is_refused(WorkAct::CancelCallback { interaction }), RefusalReason::NoCallback);
    let waiting = center.dial();
    let interaction = center.id(waiting);
    assert_eq!(center.is_refused(WorkAct::CancelCallback { interaction }), RefusalReason::NoCallback);
}

#[test]
fn a_callback_is_moved_to_another_queue_in_every_stage() {
    let sales = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n";
    for offered in [false, true] {
        let mut center = Story::new(&house(&AGENTS, QUEUE, sales));
        center.chooses("adele", on_break());
        let call = center.dial_from(customer(7));
        let interaction = center.id(call);
        center.pass(10);
        center.press(call, "1");
        center.prompts_end(call);
        if offered {
            center.chooses("adele", ChosenState::Available);
            assert_eq!(center.all_rung_for(interaction), ["adele"]);
        }
        center.wants(WorkAct::Move { interaction, queue: "sales".into() });
        assert_eq!(center.line("sales"), [interaction]);
        assert!(!offered || center.is_available("adele"));
    }
}

#[test]
fn after_a_restart_every_promise_is_kept_whatever_was_being_done_about_it() {
    for stage in ["parked", "waiting", "offered", "calling"] {
        let (mut center, id) = match stage {
            "parked" => {
                let (mut center, call) = asked();
                center.press(call, "1");
                let id = center.id(call);
                (center, id)
            }
            "waiting" => promised(),
            "offered" => {
                let (mut center, id) = promised();
                center.chooses("adele", ChosenState::Available);
                (center, id)
            }
            _ => dialled(),
        };
        center.pass(3);
        let mut center = center.crash(&config());
        if stage == "offered" || stage == "calling" {
            assert_eq!(center.all_rung_for(id), ["adele"], "{stage}: again");
        } else {
            assert_eq!(center.line("support"), [id], "{stage}");
            center.chooses("adele", ChosenState::Available);
        }
        center.agent_answers("adele");
        assert!(matches!(center.last_fact("callback_dialled"), FactKind::CallbackDialled { attempt: 1, .. }));
        center.customer_answers(id);
        center.customer_leaves(id, CauseKind::HungUp);
        assert_eq!(center.outcome_of(id), Outcome::Handled, "{stage}");
    }
}

#[test]
fn after_a_restart_the_next_try_comes_at_its_time_and_is_counted() {
    let (mut center, id) = dialled();
    center.customer_leaves(id, CauseKind::Busy);
    center.pass(30);
    let mut center = center.crash(&config());
    center.pass(29);
    assert_eq!(center.line("support"), []);
    center.pass(1);
    assert_eq!(center.all_rung_for(id), ["adele"]);
    center.agent_answers("adele");
    center.customer_leaves(id, CauseKind::Busy);
    assert_eq!(center.outcome_of(id), Outcome::NotReached);
}

#[test]
fn after_a_restart_who_calls_again_still_has_the_place() {
    let (center, id) = promised();
    let mut center = center.crash(&config());
    let again = center.dial_from(customer(7));
    assert_eq!(center.outcome_of(id), Outcome::Cancelled);
    assert_eq!(center.waiting("support"), [again]);
}

#[test]
fn after_a_restart_in_the_conversation_the_customer_is_not_called_again() {
    let (mut center, id) = dialled();
    center.customer_answers(id);
    center.pass(5);
    let center = center.crash(&config());
    assert_eq!(center.outcome_of(id), Outcome::Lost);
    assert!(center.view.live.interactions.is_empty());
}

#[test]
fn a_promise_of_a_queue_that_is_taken_away_is_closed_and_rings_nobody() {
    let (mut center, id) = promised();
    center.configure(
        &house(&AGENTS, QUEUE, "")
            .replace("\"support\"", "\"other\"")
            .replace("steps.support", "steps.other"),
    );
    assert_eq!(center.outcome_of(id), Outcome::Expired);
}

#[test]
fn the_limit_of_a_call_may_come_while_the_promise_is_confirmed() {
    let config = config() + "[limits]\ncall_s = 60\n";
    let mut center = Story::new(&config);
    center.chooses("adele", on_break());
    let call = center.dial_from(customer(7));
    center.pass(55);
    center.press(call, "1");
    center.pass(10);
    assert!(matches!(center.stage(center.id(call)), Some(StageView::Parked(_))));
    center.prompts_end(call);
    assert_eq!(center.line("support"), [center.id(call)]);
}

#[test]
fn a_confirmation_that_never_ends_is_given_up_and_the_place_is_taken() {
    let (mut center, call) = asked();
    center.press(call, "1");
    center.pass(5 * 60);
    assert_eq!(center.count("repaired"), 1);
    assert_eq!(center.line("support"), [center.id(call)]);
}

#[test]
fn nobody_waits_for_a_call_for_ever() {
    let (mut center, id) = promised();
    center.pass(7 * 86_400);
    assert_eq!(center.outcome_of(id), Outcome::Expired);
}
