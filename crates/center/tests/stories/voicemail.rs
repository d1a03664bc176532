//! Callers who leave a message, which then waits in a queue until an agent has heard it.

use crate::harness::{Story, customer, house, on_break};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::call::{CallCommand, CallId, CauseKind, PartyId, RecordEnd};
use tandem_center::channel::Channel;
use tandem_center::fact::Outcome;
use tandem_center::id::InteractionId;
use tandem_center::supervise::{RefusalReason, WorkAct};
use tandem_center::view::StageView;

const QUEUE: &str = "max_wait_s = 10\nwhen_waited = { voicemail = true }\nwrap_up_s = 30\n\
    voicemail = { greeting = [\"after-the-tone\"], max_s = 60, silence_s = 5, intro = [\"a-message\"] }";

fn config() -> String {
    house(&[("adele", "starts = \"break\"")], QUEUE, "")
}

/// The caller hears the greeting.
fn greeted() -> (Story, CallId) {
    let mut center = Story::new(&config());
    let [call] = center.callers();
    center.pass(10);
    (center, call)
}

/// The caller speaks.
fn speaking() -> (Story, CallId) {
    let (mut center, call) = greeted();
    center.prompts_end(call);
    (center, call)
}

/// A message of 20 seconds waits.
fn left() -> (Story, InteractionId) {
    let (mut center, call) = speaking();
    center.pass(25);
    center.recorded(call, RecordEnd::Silence, 20);
    let id = center.id(call);
    (center, id)
}

/// Adele hears it.
fn hearing() -> (Story, InteractionId) {
    let (mut center, id) = left();
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    (center, id)
}

#[test]
fn after_the_greeting_the_caller_is_recorded_as_the_queue_says() {
    let (mut center, call) = greeted();
    assert_eq!(center.heard_since().pop(), Some(("after-the-tone".into(), false)));
    center.prompts_end(call);
    let [CallCommand::Record { party, spec, .. }] = &center.commands()[..] else { panic!("it is recorded") };
    assert_eq!(*party, PartyId::FIRST);
    assert_eq!((spec.max.as_secs(), spec.silence.map(|silence| silence.as_secs())), (60, Some(5)));
    assert_eq!(spec.terminator.map(|key| key.as_char()), Some('#'));
}

#[test]
fn what_was_said_waits_in_the_queue_since_the_caller_came() {
    for end in [RecordEnd::Complete, RecordEnd::Silence, RecordEnd::Limit] {
        let (mut center, call) = speaking();
        center.pass(20);
        center.commands();
        center.recorded(call, end, 19);
        assert_eq!(center.commands(), [CallCommand::End { call }]);
        let id = center.id(call);
        assert_eq!(center.line("support"), [id]);
        let view = &center.view.live.interactions[&id];
        assert_eq!((view.channel, view.in_call), (Channel::Voicemail, false));
        assert_eq!(view.message.as_ref().map(|message| message.length_us), Some(19_000_000));
        assert_eq!(view.stage.stay().map(|stay| stay.waiting_since()), Some(crate::harness::NOON));
    }
}

#[test]
fn a_caller_who_hangs_up_has_left_what_was_said() {
    let (mut center, call) = speaking();
    center.pass(12);
    center.caller_hangs_up(call);
    center.recorded(call, RecordEnd::PartyLeft, 12);
    assert_eq!(center.line("support"), [center.id(call)]);
}

#[test]
fn a_caller_who_hangs_up_in_the_greeting_has_left_nothing() {
    let (mut center, call) = greeted();
    center.pass(2);
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::AbandonedInFlow);
    assert_eq!((center.count("message_missed"), center.count("message_left")), (1, 0));
}

#[test]
fn silence_and_less_than_a_second_are_no_message() {
    for (end, seconds) in [(RecordEnd::Silence, 0), (RecordEnd::Failed, 30), (RecordEnd::Complete, 0)] {
        let (mut center, call) = speaking();
        center.recorded(call, end, seconds);
        assert_eq!(center.outcome(call), Outcome::FlowEnded, "{end:?}");
        assert_eq!((center.count("message_missed"), center.count("message_left")), (1, 0));
    }
    let (mut center, call) = speaking();
    center.caller_hangs_up(call);
    center.recorded(call, RecordEnd::PartyLeft, 0);
    assert_eq!(center.outcome(call), Outcome::AbandonedInFlow, "who hung up without a word");
}

#[test]
fn an_agent_hears_it_in_a_call_of_its_own_and_then_wraps_up() {
    let (mut center, id) = left();
    center.commands();
    center.pass(100);
    center.chooses("adele", ChosenState::Available);
    assert!(matches!(center.commands()[..], [CallCommand::Place { .. }]));
    center.agent_answers("adele");
    let heard = center.heard_since();
    let [(prompts, false)] = &heard[..] else { panic!("{heard:?}") };
    assert!(prompts.starts_with("a-message recording:"), "{prompts}");
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    center.pass(22);
    let (call, party) = center.leg_of("adele");
    center.prompts_end_for(call, party);
    assert_eq!(center.count("heard"), 1);
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.pass(30);
    assert_eq!(center.outcome_of(id), Outcome::Handled);
}

#[test]
fn an_agent_who_hangs_up_early_has_done_with_it_and_it_is_not_told_as_heard() {
    let (mut center, id) = hearing();
    center.pass(3);
    center.agent_hangs_up("adele");
    assert_eq!(center.count("heard"), 0);
    center.pass(30);
    assert_eq!(center.outcome_of(id), Outcome::Handled);
}

#[test]
fn an_agent_who_does_not_answer_leaves_it_to_the_next() {
    let (mut center, id) = left();
    center.chooses("adele", ChosenState::Available);
    center.pass(15);
    assert!(matches!(center.agent("adele"), AgentState::Resting { .. }));
    assert_eq!(center.line("support"), [id]);
    center.pass(60);
    assert_eq!(center.all_rung_for(id), ["adele"]);
}

#[test]
fn a_message_waits_among_the_callers_by_its_wait() {
    let (mut center, id) = left();
    let [newer] = center.callers();
    let newer = center.id(newer);
    assert_eq!(center.line("support"), [id, newer]);
}

#[test]
fn a_message_may_wait_in_another_queue() {
    let queue = QUEUE.replace("max_s = 60", "queue = \"messages\", max_s = 60");
    let rest = "[[queues]]\nid = \"messages\"\nname = \"Messages\"\n";
    let mut center = Story::new(&house(&[], &queue, rest));
    let [call] = center.callers();
    center.pass(10);
    center.prompts_end(call);
    center.recorded(call, RecordEnd::Complete, 5);
    assert_eq!(center.line("messages"), [center.id(call)]);
}

#[test]
fn a_customer_whose_message_was_heard_has_not_been_served() {
    let queue = format!("{QUEUE}\nlast_agent_s = 60\ncallback = {{ offer = [\"call-you-back\"] }}");
    let agents = [("adele", "starts = \"break\""), ("bianca", "starts = \"break\"")];
    let mut center = Story::new(&house(&agents, &queue, ""));
    let call = center.dial_from(customer(7));
    center.pass(10);
    center.prompts_end(call);
    center.recorded(call, RecordEnd::Complete, 5);
    let due_at = center.now + std::time::Duration::from_secs(3600);
    center.wants(WorkAct::ScheduleCallback(tandem_center::callback::ScheduledCallback {
        line: "carrier".into(),
        to: customer(7),
        name: "".into(),
        queue: "support".into(),
        due_at,
        priority: None,
        why: None,
    }));
    center.chooses("bianca", ChosenState::Available);
    center.agent_answers("bianca");
    center.agent_hangs_up("bianca");
    assert_eq!(center.count("callback_cancelled"), 0, "it was wanted for some reason");
    assert!(center.view.acquaintances.is_empty(), "nor do the two know each other");
}

#[test]
fn a_door_that_never_says_how_the_recording_ended_is_not_waited_for() {
    let (mut center, call) = speaking();
    center.pass(90);
    assert_eq!(center.count("repaired"), 1);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

#[test]
fn a_call_that_breaks_off_while_the_caller_speaks_leaves_what_the_door_has() {
    let (mut center, call) = speaking();
    center.leave(call, PartyId::FIRST, CauseKind::Lost);
    center.recorded(call, RecordEnd::PartyLeft, 7);
    assert_eq!(center.line("support"), [center.id(call)]);
}

#[test]
fn after_a_restart_a_message_waits_on_and_is_heard() {
    for stage in ["parked", "waiting", "offered"] {
        let (mut center, id) = left();
        if stage == "parked" {
            let (mut story, call) = speaking();
            story.door_obeys = false;
            story.recorded(call, RecordEnd::Complete, 5);
            let parked = story.id(call);
            assert!(matches!(story.stage(parked), Some(StageView::Parked(_))));
            (center, _) = (story, parked);
        }
        if stage == "offered" {
            center.chooses("adele", ChosenState::Available);
        }
        let mut center = center.crash(&config());
        center.chooses("adele", ChosenState::Available);
        assert_eq!(center.all_rung_for(id), ["adele"], "{stage}");
        center.agent_answers("adele");
        let (call, party) = center.leg_of("adele");
        center.prompts_end_for(call, party);
        assert_eq!(center.count("heard"), 1, "{stage}");
    }
}

#[test]
fn after_a_restart_in_the_greeting_or_the_message_there_is_none() {
    for (mut center, call) in [greeted(), speaking()] {
        center.pass(3);
        let center = center.crash(&config());
        assert_eq!(center.outcome(call), Outcome::Lost);
    }
}

#[test]
fn a_message_is_no_callback_and_cannot_be_cancelled_as_one() {
    let (mut center, interaction) = left();
    assert_eq!(center.is_refused(WorkAct::CancelCallback { interaction }), RefusalReason::NoCallback);
    center.chooses("adele", on_break());
    center.wants(WorkAct::Prioritise { interaction, priority: 1, vip: false });
    assert_eq!(center.count("prioritised"), 1, "but it can be heard sooner");
}

#[test]
fn a_message_that_was_not_heard_to_its_end_for_want_of_a_line_waits_again() {
    let (mut center, id) = hearing();
    center.pass(3);
    center.agent_leaves("adele", CauseKind::NetworkFailure);
    let call = center.view.live.interactions[&id].call.expect("a call");
    center.door_ends(call);
    let view = &center.view.live.interactions[&id];
    assert!(view.stage.stay().is_some(), "it waits: {:?}", view.stage);
    assert_eq!(center.count("heard"), 0);
}

#[test]
fn a_message_that_was_being_heard_at_a_restart_waits_again() {
    let (mut center, id) = hearing();
    center.pass(3);
    let center = center.crash(&config());
    let view = &center.view.live.interactions[&id];
    assert!(view.stage.stay().is_some(), "it waits: {:?}", view.stage);
    assert_eq!(center.count("heard"), 0);
}
