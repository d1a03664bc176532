//! The ladder of overflow: what becomes of callers who still wait after a time.

use crate::harness::{Story, house};
use tandem_center::agent::ChosenState;
use tandem_center::call::{Address, CallCommand};
use tandem_center::fact::{FactKind, OfferOutcome, Outcome, QueueExit};
use tandem_center::supervise::WorkAct;
use tandem_center::view::StageView;

const SALES: &str = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n";
const EQUIPPED: &str =
    "voicemail = { greeting = [\"after-the-tone\"] }\ncallback = { offer = [\"call-you-back\"] }";

/// Adele is on a break; the ladder stands.
fn center(ladder: &str) -> Story {
    let queue = format!("music = \"music\"\noverflow = [{ladder}]\n{EQUIPPED}");
    Story::new(&house(&[("adele", "starts = \"break\"")], &queue, SALES))
}

fn left(center: &Story) -> QueueExit {
    match center.last_fact("queue_left") {
        FactKind::QueueLeft { reason, .. } => *reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rung_is_climbed_on_time_and_not_before() {
    let mut center = center("{ after_s = 10, then = { queue = \"sales\" } }");
    let [call] = center.callers();
    center.pass(9);
    assert_eq!(center.waiting("support"), [call]);
    center.pass(1);
    assert_eq!(center.waiting("sales"), [call]);
    assert_eq!(left(&center), QueueExit::Overflowed);
}

#[test]
fn a_rung_is_climbed_also_while_an_offer_rings_and_the_agent_has_missed_nothing() {
    let mut center = center("{ after_s = 10, then = { queue = \"sales\" } }");
    center.chooses("adele", ChosenState::Available);
    let [call] = center.callers();
    center.pass(9);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(1);
    assert_eq!(center.waiting("sales"), [call]);
    assert!(matches!(
        center.last_fact("offer_ended"),
        FactKind::OfferEnded { outcome: OfferOutcome::CallerMoved, .. }
    ));
    assert!(center.is_available("adele"));
}

#[test]
fn each_action_takes_the_caller_out_but_the_question_whether_to_be_called_back() {
    for (action, heard) in [
        ("{ voicemail = true }", Some("after-the-tone")),
        ("{ message = [\"goodbye\"] }", Some("goodbye")),
        ("{ otherwise = true }", Some("sorry")),
        ("{ person = \"adele\" }", None),
        ("{ number = { line = \"carrier\", phone = \"+14255550188\" } }", None),
        ("{ hang_up = true }", None),
    ] {
        let mut center = center(&format!("{{ after_s = 10, then = {action} }}"));
        let [call] = center.callers();
        center.commands();
        center.pass(10);
        assert_eq!(center.waiting("support"), [], "{action}");
        assert_eq!(left(&center), QueueExit::Overflowed);
        let commands = center.commands.clone();
        assert_eq!(center.heard_since().pop().map(|(prompts, _)| prompts).as_deref(), heard, "{action}");
        let rung =
            commands.iter().any(|command| matches!(command, CallCommand::AddParty { apart: false, .. }));
        assert_eq!(rung, action.contains("person") || action.contains("number"), "{action}");
        if action.contains("hang_up") {
            assert_eq!(center.outcome(call), Outcome::FlowEnded);
        }
    }
}

#[test]
fn who_is_asked_whether_to_be_called_back_waits_on_meanwhile() {
    let mut center = center(
        "{ after_s = 10, then = { callback = true } }, { after_s = 20, then = { queue = \"sales\" } }",
    );
    let [call] = center.callers();
    center.commands();
    center.pass(10);
    assert_eq!(center.heard_since(), [("call-you-back".into(), false)]);
    assert_eq!(center.waiting("support"), [call]);
    center.prompts_end(call);
    assert_eq!(center.heard_since(), [("music".into(), true)]);
    center.press_nothing(call);
    center.pass(10);
    assert_eq!(center.waiting("sales"), [call]);
}

#[test]
fn who_is_being_asked_is_answered_by_an_agent_who_becomes_free() {
    let mut center = center("{ after_s = 10, then = { callback = true } }");
    let [call] = center.callers();
    center.pass(10);
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    assert!(!center.is_asked(call), "the key would be heard in the conversation");
    assert!(matches!(center.stage(center.id(call)), Some(StageView::Connected { .. })));
}

#[test]
fn a_rung_for_many_is_climbed_only_when_so_many_wait_and_looked_at_every_five_seconds() {
    let mut center = center("{ after_s = 10, if_waiting = 2, then = { queue = \"sales\" } }");
    let [first] = center.callers();
    center.pass(12);
    let [second] = center.callers();
    assert_eq!(center.waiting("support"), [first, second]);
    center.pass(2);
    assert_eq!(center.waiting("support"), [first, second]);
    center.pass(1);
    assert_eq!(center.waiting("sales"), [first], "at 15 seconds");
    center.pass(60);
    assert_eq!(center.waiting("support"), [second], "who is alone now");
}

#[test]
fn a_rung_for_a_long_wait_is_climbed_only_if_the_wait_is_known_and_so_long() {
    let mut center = center("{ after_s = 10, if_expected_s = 100, then = { queue = \"sales\" } }");
    let [unknown] = center.callers();
    center.pass(11);
    assert_eq!(center.waiting("support"), [unknown], "nothing is known of the wait");
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    center.pass(60);
    let [talking] = center.callers();
    center.caller_hangs_up(unknown);
    center.agent_answers("adele");
    let [first, second] = center.callers();
    center.pass(9);
    assert_eq!(center.waiting("support"), [first, second]);
    center.pass(1);
    assert_eq!(center.waiting("support"), [first], "one conversation of a minute is before, at most");
    assert_eq!(center.waiting("sales"), [second], "two are");
    assert!(center.interaction(talking).is_some());
}

#[test]
fn rungs_are_climbed_one_after_the_other() {
    let mut center = center(
        "{ after_s = 10, if_waiting = 50, then = { hang_up = true } }, { after_s = 20, then = { queue = \"sales\" } }",
    );
    let [call] = center.callers();
    center.pass(60);
    assert_eq!(center.waiting("support"), [call], "a rung whose condition does not hold is not stepped over");
}

#[test]
fn a_rung_at_once_is_climbed_before_anybody_is_rung() {
    let mut center = center("{ after_s = 0, if_waiting = 2, then = { queue = \"sales\" } }");
    let [first, second] = center.callers();
    assert_eq!((center.waiting("support"), center.waiting("sales")), (vec![first], vec![second]));
}

#[test]
fn nobody_overflows_into_a_queue_that_lets_nobody_in() {
    let agents = [("adele", "starts = \"break\"")];
    let queue = "overflow = [{ after_s = 10, then = { queue = \"sales\" } }]";
    let closed = format!("{SALES}closed = true\nwhen_closed = {{ hang_up = true }}");
    let mut center = Story::new(&house(&agents, queue, &closed));
    let [call] = center.callers();
    center.pass(12);
    assert_eq!(center.waiting("support"), [call]);
    center.wants(WorkAct::Switch { queue: "sales".into(), closed: false });
    center.pass(3);
    assert_eq!(center.waiting("sales"), [call], "it is tried again every five seconds");
    for rest in [format!("{SALES}max_waiting = 0"), format!("{SALES}when_no_agents = {{ hang_up = true }}")] {
        let mut center = Story::new(&house(&agents, queue, &rest));
        let [call] = center.callers();
        center.pass(60);
        assert_eq!(center.waiting("support"), [call], "{rest}");
    }
}

#[test]
fn who_cannot_be_called_back_is_not_asked_and_climbs_on() {
    let mut center = center(
        "{ after_s = 10, then = { callback = true } }, { after_s = 20, then = { queue = \"sales\" } }",
    );
    let call = center.dial_from(Address::Anonymous);
    center.pass(10);
    assert!(!center.is_asked(call));
    center.pass(10);
    assert_eq!(center.waiting("sales"), [call]);
}

#[test]
fn a_new_ladder_holds_for_who_waits_already_from_the_next_offer_on() {
    let agents = [("adele", "starts = \"break\"")];
    let ladder = |after| {
        house(
            &agents,
            &format!("overflow = [{{ after_s = {after}, then = {{ queue = \"sales\" }} }}]"),
            SALES,
        )
    };
    let mut center = Story::new(&ladder(30));
    let [call] = center.callers();
    center.configure(&ladder(50));
    center.chooses("adele", ChosenState::Available);
    center.pass(35);
    assert_eq!(center.waiting("support"), [call]);
    center.pass(15);
    assert_eq!(center.waiting("sales"), [call]);
}
