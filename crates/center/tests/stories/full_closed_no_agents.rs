//! What becomes of callers whom a queue does not let in: because it is full, closed, or has nobody to serve them.

use crate::harness::{Story, customer, house, on_break};
use tandem_center::agent::ChosenState;
use tandem_center::call::{Address, CallCommand, CallId, Endpoint, PartyId};
use tandem_center::fact::{FactKind, Outcome, QueueExit, QueueRefusal};
use tandem_center::supervise::{RefusalReason, WorkAct};
use tandem_center::view::StageView;

const EQUIPPED: &str =
    "voicemail = { greeting = [\"after-the-tone\"] }\ncallback = { offer = [\"call-you-back\"] }";

const SALES: &str = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n";

/// What is seen of a caller for whom an action is followed.
type Seen = fn(&mut Story, CallId);

/// Each action, and what is seen when it is followed.
fn actions() -> Vec<(&'static str, Seen)> {
    vec![
        ("{ queue = \"sales\" }", |center, call| assert_eq!(center.waiting("sales"), [call])),
        ("{ voicemail = true }", |center, call| {
            assert_eq!(center.heard_since().pop(), Some(("after-the-tone".into(), false)));
            assert!(matches!(center.stage(center.id(call)), Some(StageView::LeavingMessage { .. })));
        }),
        ("{ callback = true }", |center, call| {
            assert_eq!(center.heard_since().pop(), Some(("call-you-back".into(), false)));
            assert!(center.is_asked(call));
        }),
        ("{ person = \"adele\" }", |center, call| is_redirected(center, call, "teams", "+14255550101")),
        ("{ number = { line = \"carrier\", phone = \"+14255550188\" } }", |center, call| {
            is_redirected(center, call, "carrier", "+14255550188");
        }),
        ("{ message = [\"goodbye\"] }", |center, call| {
            assert_eq!(center.heard_since().pop(), Some(("goodbye".into(), false)));
            center.prompts_end(call);
            assert_eq!(center.outcome(call), Outcome::FlowEnded);
        }),
        ("{ hang_up = true }", |center, call| assert_eq!(center.outcome(call), Outcome::FlowEnded)),
        ("{ otherwise = true }", |center, _| {
            assert_eq!(center.heard_since().pop(), Some(("sorry".into(), false)));
        }),
    ]
}

fn is_redirected(center: &mut Story, call: CallId, line: &str, phone: &str) {
    let to = Endpoint { line: line.into(), address: Address::Phone(phone.into()) };
    let redirected = center.commands().into_iter().any(|command| match command {
        CallCommand::AddParty { call: of, to: rung, apart, .. } => of == call && rung == to && !apart,
        _ => false,
    });
    assert!(redirected, "{phone} over {line}");
    assert!(matches!(center.stage(center.id(call)), Some(StageView::Redirecting { .. })));
}

fn each_action_follows(key: &str, queue: &str, agents: &[(&str, &str)], reason: QueueRefusal) {
    for (action, is_seen) in actions() {
        let queue = format!("{queue}\n{key} = {action}\n{EQUIPPED}");
        let mut center = Story::new(&house(agents, &queue, SALES));
        let [call] = center.callers();
        assert_eq!(center.waiting("support"), [], "{action}");
        let refused = center.facts.iter().any(|fact| match &fact.kind {
            FactKind::QueueRefused { queue, reason: why, .. } => {
                queue.as_str() == "support" && *why == reason
            }
            _ => false,
        });
        assert!(refused, "{action}");
        is_seen(&mut center, call);
    }
}

#[test]
fn each_action_of_a_full_queue() {
    each_action_follows("when_full", "max_waiting = 0", &[("adele", "")], QueueRefusal::Full);
}

#[test]
fn each_action_of_a_closed_queue() {
    each_action_follows("when_closed", "closed = true", &[("adele", "")], QueueRefusal::Closed);
}

#[test]
fn each_action_of_a_queue_without_agents() {
    let agents = [("adele", "starts = \"offline\"")];
    each_action_follows("when_no_agents", "", &agents, QueueRefusal::NoAgents);
}

#[test]
fn each_action_for_who_has_waited_long_enough() {
    for (action, is_seen) in actions() {
        let queue = format!("max_wait_s = 10\nwhen_waited = {action}\n{EQUIPPED}");
        let mut center = Story::new(&house(&[("adele", "starts = \"break\"")], &queue, SALES));
        let [call] = center.callers();
        center.pass(9);
        assert_eq!(center.waiting("support"), [call], "{action}");
        center.pass(1);
        let left =
            |fact: &FactKind| matches!(fact, FactKind::QueueLeft { reason: QueueExit::WaitedTooLong, .. });
        assert!(left(center.last_fact("queue_left")), "{action}");
        is_seen(&mut center, call);
    }
}

#[test]
fn where_nothing_is_said_of_no_agents_callers_wait_for_some() {
    let mut center = Story::new(&house(&[("adele", "starts = \"offline\"")], "", ""));
    let [call] = center.callers();
    assert_eq!(center.waiting("support"), [call]);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn who_waits_is_sent_on_when_the_last_agent_signs_off_and_not_at_a_break() {
    let agents = [("adele", ""), ("bianca", "")];
    let config = house(&agents, "when_no_agents = { message = [\"goodbye\"] }", "");
    let mut center = Story::new(&config);
    center.chooses("bianca", on_break());
    let [ringing, waiting] = center.callers();
    center.chooses("adele", ChosenState::Offline);
    assert_eq!(center.waiting("support"), [ringing, waiting], "bianca will be back");
    center.chooses("bianca", ChosenState::Offline);
    assert_eq!(center.waiting("support"), []);
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::NoAgents, .. }
    ));
    assert_eq!(center.heard_since().into_iter().filter(|(prompts, _)| prompts == "goodbye").count(), 2);
}

#[test]
fn a_conversation_that_goes_on_keeps_no_caller_waiting_for_an_agent_who_has_signed_off() {
    let mut center = Story::new(&house(&[("adele", "")], "when_no_agents = { hang_up = true }", ""));
    let [talking, waiting] = center.callers();
    center.agent_answers("adele");
    center.chooses("adele", ChosenState::Offline);
    assert_eq!(center.outcome(waiting), Outcome::FlowEnded);
    center.agent_hangs_up("adele");
    assert_eq!(center.outcome(talking), Outcome::Handled);
}

#[test]
fn a_queue_that_is_closed_lets_those_wait_on_who_are_in_it() {
    let mut center = Story::new(&house(&[("adele", "starts = \"break\"")], "", ""));
    let [first] = center.callers();
    center.wants(WorkAct::Switch { queue: "support".into(), closed: true });
    assert!(matches!(
        center.last_fact("queue_switched"),
        FactKind::QueueSwitched { closed: true, why: Some(_), .. }
    ));
    let [second] = center.callers();
    assert_eq!(center.waiting("support"), [first]);
    assert_eq!(center.heard_since().pop(), Some(("sorry".into(), false)));
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    center.caller_hangs_up(second);
    center.wants(WorkAct::Switch { queue: "support".into(), closed: false });
    let [third] = center.callers();
    assert_eq!(center.waiting("support"), [first, third]);
}

#[test]
fn who_is_promised_a_call_keeps_the_place_although_the_queue_is_closed_or_full() {
    for queue in [
        "closed = true\nwhen_closed = { callback = true }",
        "max_waiting = 0\nwhen_full = { callback = true }",
    ] {
        let agents = [("adele", "starts = \"break\"")];
        let mut center = Story::new(&house(&agents, &format!("{queue}\n{EQUIPPED}"), ""));
        let [call] = center.callers();
        let id = center.id(call);
        center.press(call, "1");
        assert_eq!(center.line("support"), [id]);
        center.chooses("adele", ChosenState::Available);
        assert_eq!(center.all_rung_for(id), ["adele"]);
    }
}

#[test]
fn who_does_not_want_to_be_called_goes_on_where_the_step_says() {
    let config = house(&[], &format!("closed = true\nwhen_closed = {{ callback = true }}\n{EQUIPPED}"), "");
    for keys in ["", "2"] {
        let mut center = Story::new(&config);
        let [call] = center.callers();
        center.press(call, keys);
        assert_eq!(center.heard_since().pop(), Some(("sorry".into(), false)));
    }
    let mut center = Story::new(&config);
    center.dial_from(Address::Anonymous);
    assert_eq!(center.heard_since(), [("sorry".into(), false)], "nobody is asked who cannot be called");
}

#[test]
fn a_switch_holds_over_a_restart_and_over_a_configuration_that_does_not_touch_it() {
    let config = house(&[], "", "");
    let mut center = Story::new(&config);
    center.wants(WorkAct::Switch { queue: "support".into(), closed: true });
    let mut center = center.crash(&config);
    let closed = |center: &Story| center.view.live.queues[&"support".into()].closed;
    assert!(closed(&center));
    center.configure(&house(&[], "weight = 50", ""));
    assert!(closed(&center));
    center.configure(&house(&[], "closed = true", ""));
    center.configure(&house(&[], "", ""));
    assert!(!closed(&center), "what the configuration changes it changes");
}

#[test]
fn a_switch_turned_twice_is_refused_and_so_is_one_of_no_queue() {
    let mut center = Story::new(&house(&[], "", ""));
    let switch = |queue: &str, closed| WorkAct::Switch { queue: queue.into(), closed };
    assert_eq!(center.is_refused(switch("support", false)), RefusalReason::AlreadySo);
    assert_eq!(center.is_refused(switch("sales", true)), RefusalReason::UnknownQueue);
}

#[test]
fn queues_that_send_callers_to_each_other_do_so_only_so_often() {
    let rest = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nclosed = true\nwhen_closed = { queue = \"support\" }\n";
    let mut center = Story::new(&house(&[], "closed = true\nwhen_closed = { queue = \"sales\" }", rest));
    let call = center.dial_from(customer(1));
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
    assert_eq!(center.count("repaired"), 1);
}

#[test]
fn a_party_of_a_caller_is_never_used_twice_after_a_redirect_that_failed() {
    let agents = [("adele", "starts = \"break\"")];
    let config = house(&agents, "max_wait_s = 10\nwhen_waited = { person = \"adele\" }", "").replace(
        "play = [\"sorry\"]",
        "play = [\"sorry\"]\nthen = \"again\"\n[flows.main.steps.again]\nenqueue = \"support\"",
    );
    let mut center = Story::new(&config);
    let [call] = center.callers();
    center.pass(10);
    center.leave(call, PartyId(1), tandem_center::call::CauseKind::Busy);
    center.prompts_end(call);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.leg_of("adele"), (call, PartyId(2)));
}
