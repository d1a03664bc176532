//! Calls to customers at a time that somebody has chosen.

use std::time::Duration;

use crate::harness::{NOON, Story, arrival, config as compiled, customer, house};
use tandem_center::call::{Arrival, CallCommand, CallEvent, CallId, CauseKind};
use tandem_center::callback::{CALLBACKS_MAX, ScheduledCallback};
use tandem_center::fact::{CallbackEnd, FactKind, Outcome};
use tandem_center::id::InteractionId;
use tandem_center::supervise::{RefusalReason, WorkAct, WorkCommand};
use tandem_center::view::StageView;
use tandem_center::{Center, Input, Output, Timestamp};

fn config() -> String {
    house(&[("adele", "")], "skills = {}", "")
}

fn wanted(due_at: Timestamp) -> ScheduledCallback {
    ScheduledCallback {
        line: "carrier".into(),
        to: customer(7),
        name: "Ada".into(),
        queue: "support".into(),
        due_at,
        priority: None,
        why: None,
    }
}

/// A customer is to be called in ten minutes.
fn scheduled() -> (Story, InteractionId) {
    let mut center = Story::new(&config());
    let due_at = center.now + Duration::from_secs(600);
    center.wants(WorkAct::ScheduleCallback(wanted(due_at)));
    let id = InteractionId(center.view.live.number);
    (center, id)
}

#[test]
fn it_enters_the_queue_at_its_time_and_an_agent_calls_the_customer() {
    let (mut center, id) = scheduled();
    center.pass(599);
    assert!(matches!(center.stage(id), Some(StageView::Scheduled { .. })));
    center.commands();
    center.pass(1);
    assert_eq!(center.all_rung_for(id), ["adele"]);
    assert!(
        matches!(&center.commands()[..], [CallCommand::Place { presented_name: Some(name), .. }] if &**name == "Ada")
    );
    center.agent_answers("adele");
    center.customer_answers(id);
    center.customer_leaves(id, CauseKind::HungUp);
    assert_eq!(center.outcome_of(id), Outcome::Handled);
}

#[test]
fn it_is_tried_as_often_as_the_queue_says_or_once_if_it_says_nothing() {
    let (mut center, id) = scheduled();
    center.pass(600);
    center.agent_answers("adele");
    center.pass(40);
    assert_eq!(center.outcome_of(id), Outcome::NotReached);
}

#[test]
fn one_whose_time_is_over_is_due_now() {
    let mut center = Story::new(&config());
    center.wants(WorkAct::ScheduleCallback(wanted(Timestamp::from_micros(5))));
    assert_eq!(center.offered(), ["adele"]);
}

#[test]
fn it_stands_in_the_queue_since_its_time_by_its_priority() {
    let mut center = Story::new(&config());
    center.chooses("adele", crate::harness::on_break());
    let due_at = center.now + Duration::from_secs(30);
    center.wants(WorkAct::ScheduleCallback(ScheduledCallback { priority: Some(2), ..wanted(due_at) }));
    let id = InteractionId(center.view.live.number);
    let [first] = center.callers();
    center.pass(30);
    let [third] = center.callers();
    let (first, third) = (center.id(first), center.id(third));
    assert_eq!(
        center.line("support"),
        [id, first, third],
        "a minute before its time, and so before the first"
    );
}

#[test]
fn nobody_is_promised_two_calls_from_the_same_queue() {
    let (mut center, id) = scheduled();
    let due_at = center.now + Duration::from_secs(900);
    assert_eq!(center.is_refused(WorkAct::ScheduleCallback(wanted(due_at))), RefusalReason::AlreadySo);
    center.wants(WorkAct::CancelCallback { interaction: id });
    center.wants(WorkAct::ScheduleCallback(wanted(due_at)));
    assert_eq!(center.count("callback_scheduled"), 2);
}

#[test]
fn a_program_that_schedules_without_end_is_stopped_and_callers_are_not() {
    let mut center = Center::new(compiled(&config()), NOON);
    let mut tell = |input: Input| {
        center.handle_input(NOON, input);
        let told = std::iter::from_fn(|| center.poll_output());
        told.filter(|output| matches!(output, Output::Refused(_) | Output::Call(_))).collect::<Vec<_>>()
    };
    let schedule = |number: usize| {
        let to = customer(number.try_into().expect("a number"));
        let wanted = ScheduledCallback { to, ..wanted(NOON + Duration::from_secs(86_400)) };
        Input::Work(WorkCommand { act: WorkAct::ScheduleCallback(wanted), why: None })
    };
    for number in 0..CALLBACKS_MAX {
        assert_eq!(tell(schedule(number)), []);
    }
    let refused = tell(schedule(CALLBACKS_MAX));
    assert!(
        matches!(&refused[..], [Output::Refused(refusal)] if refusal.reason == RefusalReason::TooManyCallbacks)
    );
    let arrival = Arrival { from: customer(1_000_000), ..arrival(CallId(1), "carrier", "+14255550199") };
    let answered = tell(Input::Call(CallEvent::Arrived(arrival)));
    assert!(!answered.iter().any(|told| matches!(told, Output::Call(CallCommand::Reject { .. }))));
}

#[test]
fn one_for_no_queue_or_of_no_priority_is_refused() {
    let mut center = Story::new(&config());
    let now = center.now;
    let nowhere = ScheduledCallback { queue: "sales".into(), ..wanted(now) };
    assert_eq!(center.is_refused(WorkAct::ScheduleCallback(nowhere)), RefusalReason::UnknownQueue);
    for priority in [0, 6] {
        let odd = ScheduledCallback { priority: Some(priority), ..wanted(now) };
        assert_eq!(center.is_refused(WorkAct::ScheduleCallback(odd)), RefusalReason::NoSuchPriority);
    }
}

#[test]
fn it_is_cancelled_when_the_customer_calls_before_its_time() {
    let (mut center, id) = scheduled();
    center.pass(60);
    let call = center.dial_from(customer(7));
    assert_eq!(center.outcome_of(id), Outcome::Cancelled);
    let FactKind::CallbackCancelled { reason, .. } = center.last_fact("callback_cancelled") else { panic!() };
    assert_eq!(*reason, CallbackEnd::CalledAgain);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    assert!(matches!(center.last_fact("queue_entered"), FactKind::QueueEntered { waiting_since: None, .. }));
}

#[test]
fn it_survives_a_restart_before_and_after_its_time() {
    let (mut center, id) = scheduled();
    center.pass(300);
    let mut center = center.crash(&config());
    center.pass(299);
    assert_eq!(center.all_rung_for(id), [""; 0]);
    center.now = center.now + Duration::from_secs(3600);
    let mut center = center.crash(&config());
    center.pass(0);
    assert_eq!(center.all_rung_for(id), ["adele"], "late is better than never");
}
