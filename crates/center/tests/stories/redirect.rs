//! Callers who are handed over by a rule of a queue to a telephone that is no agent's.

use crate::harness::{Story, house};
use tandem_center::call::{CallCommand, CallEvent, CallId, CauseKind, PartyId, Removal, TransferOutcome};
use tandem_center::fact::{EndWhy, FactKind, Outcome};
use tandem_center::view::StageView;

const QUEUE: &str = "music = \"music\"\nmax_wait_s = 10\nwhen_waited = { number = { line = \"carrier\", phone = \"+14255550188\" } }";
const THEM: PartyId = PartyId(1);

/// The telephone rings, the music plays on.
fn ringing() -> (Story, CallId) {
    let mut center = Story::new(&house(&[], QUEUE, ""));
    let [call] = center.callers();
    center.pass(10);
    (center, call)
}

fn ended(center: &Story) -> TransferOutcome {
    match center.last_fact("redirect_ended") {
        FactKind::RedirectEnded { outcome, .. } => *outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_is_answered_is_theirs_and_hears_no_more_music() {
    let (mut center, call) = ringing();
    center.commands();
    center.event(CallEvent::Joined { call, party: THEM });
    assert_eq!(center.commands(), [CallCommand::StopPlay { call, party: PartyId::FIRST }]);
    assert_eq!(ended(&center), TransferOutcome::Done);
    center.pass(600);
    assert!(matches!(center.stage(center.id(call)), Some(StageView::Transferred { .. })));
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::Transferred);
}

#[test]
fn when_they_hang_up_the_call_is_over() {
    let (mut center, call) = ringing();
    center.event(CallEvent::Joined { call, party: THEM });
    center.leave(call, THEM, CauseKind::HungUp);
    assert!(matches!(center.last_fact("ending"), FactKind::Ending { why: EndWhy::TargetLeft, .. }));
    assert_eq!(center.outcome(call), Outcome::Transferred);
}

#[test]
fn who_is_not_answered_goes_on_where_the_step_says() {
    for cause in [CauseKind::Busy, CauseKind::NotAnswered, CauseKind::NotFound, CauseKind::Declined] {
        let (mut center, call) = ringing();
        center.commands();
        center.leave(call, THEM, cause);
        assert_eq!(ended(&center), TransferOutcome::Failed);
        assert_eq!(center.heard_since(), [("sorry".into(), false)], "{cause:?}");
    }
}

#[test]
fn a_telephone_that_rings_for_a_minute_is_given_up() {
    let (mut center, call) = ringing();
    center.commands();
    center.pass(59);
    assert_eq!(center.commands(), []);
    center.pass(1);
    let commands = center.commands();
    let removal = CallCommand::RemoveParty { call, party: THEM, reason: Removal::NotAnswered };
    assert_eq!(commands[0], removal);
    assert!(matches!(&commands[1], CallCommand::Play { prompts, .. } if &*prompts[0] == "sorry"));
    center.prompts_end(call);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

#[test]
fn where_nothing_else_is_to_be_done_the_call_ends() {
    let config = house(&[], QUEUE, "")
        .replace("otherwise = \"sorry\"\n", "")
        .replace("[flows.main.steps.sorry]\nplay = [\"sorry\"]\n", "");
    let mut center = Story::new(&config);
    let [call] = center.callers();
    center.pass(10);
    center.leave(call, THEM, CauseKind::Busy);
    assert!(matches!(center.last_fact("ending"), FactKind::Ending { why: EndWhy::NotRedirected, .. }));
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

#[test]
fn a_caller_who_goes_while_it_rings_stops_it() {
    let (mut center, call) = ringing();
    center.commands();
    center.caller_hangs_up(call);
    let removal = CallCommand::RemoveParty { call, party: THEM, reason: Removal::NoLongerNeeded };
    assert_eq!(center.commands()[0], removal);
    assert_eq!(center.outcome(call), Outcome::AbandonedInFlow);
}

#[test]
fn an_answer_after_the_end_of_the_ringing_changes_nothing() {
    let (mut center, call) = ringing();
    center.pass(60);
    let number = center.view.live.number;
    center.event(CallEvent::Joined { call, party: THEM });
    center.leave(call, THEM, CauseKind::HungUp);
    assert_eq!(center.view.live.number, number);
}

#[test]
fn a_restart_while_it_rings_or_talks_loses_the_call_and_nothing_else() {
    for answered in [false, true] {
        let (mut center, call) = ringing();
        if answered {
            center.event(CallEvent::Joined { call, party: THEM });
        }
        let center = center.crash(&house(&[], QUEUE, ""));
        assert_eq!(center.outcome(call), Outcome::Lost);
        assert!(center.view.live.interactions.is_empty());
    }
}
