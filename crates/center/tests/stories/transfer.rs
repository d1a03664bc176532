//! An agent hands the caller over to somebody else.

use crate::harness::{SUPPORT, Story};
use tandem_center::agent::AgentState;
use tandem_center::call::{
    CallCommand, CallEvent, CallId, CauseKind, PartyId, TransferDecision, TransferId, TransferOutcome,
};
use tandem_center::fact::{EndWhy, EndedBy, FactKind, Missing, Outcome};

const TARGET: PartyId = PartyId(2);

fn asked() -> (Story, CallId) {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.pass(10);
    center.commands();
    center.agent_asks_transfer("adele", 1);
    let (transfer, decision) = (TransferId(1), TransferDecision::Allow { party: TARGET });
    assert_eq!(center.commands(), [CallCommand::DecideTransfer { call, transfer, decision }]);
    (center, call)
}

#[test]
fn after_a_transfer_the_agent_wraps_up_and_the_call_stands_until_it_ends() {
    let (mut center, call) = asked();
    center.transfer_ends(call, TransferOutcome::Done);
    center.agent_leaves("adele", CauseKind::Transferred);
    assert!(matches!(
        center.last_fact("conversation_ended"),
        FactKind::ConversationEnded { by: EndedBy::Transfer, .. }
    ));
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.pass(30);
    assert!(center.is_available("adele"));
    assert!(center.interaction(call).is_some());
    center.pass(600);
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::Transferred);
}

#[test]
fn when_the_one_transferred_to_hangs_up_the_call_is_over() {
    let (mut center, call) = asked();
    center.transfer_ends(call, TransferOutcome::Done);
    center.agent_leaves("adele", CauseKind::Transferred);
    center.leave(call, TARGET, CauseKind::HungUp);
    assert!(matches!(center.last_fact("ending"), FactKind::Ending { why: EndWhy::TargetLeft, .. }));
    assert_eq!(center.count("call_ended"), 1);
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Transferred);
}

#[test]
fn a_transfer_that_fails_leaves_everything_as_it_was() {
    let (mut center, call) = asked();
    center.transfer_ends(call, TransferOutcome::Failed);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    center.agent_asks_transfer("adele", 2);
    assert!(matches!(center.last_fact("transfer_asked"), FactKind::TransferAsked { allowed: true, .. }));
    center.agent_hangs_up("adele");
    assert_eq!(center.count("ending"), 0, "the second transfer goes on without the agent");
    center.transfer_ends(call, TransferOutcome::Failed);
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Transferred);
}

#[test]
fn an_agent_may_hang_up_before_the_transfer_is_done() {
    let (mut center, call) = asked();
    center.agent_hangs_up("adele");
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.transfer_ends(call, TransferOutcome::Done);
    center.pass(60);
    assert!(center.interaction(call).is_some());
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::Transferred);
}

#[test]
fn a_held_caller_hears_the_one_transferred_to_and_no_more_music() {
    let (mut center, call) = asked();
    center.agent_holds("adele");
    center.commands();
    center.transfer_ends(call, TransferOutcome::Done);
    assert_eq!(center.commands(), [CallCommand::StopPlay { call, party: PartyId::FIRST }]);
}

#[test]
fn nobody_but_the_agent_may_transfer_and_only_one_at_a_time() {
    let (mut center, call) = asked();
    let refused = |transfer| CallCommand::DecideTransfer {
        call,
        transfer: TransferId(transfer),
        decision: TransferDecision::Refuse,
    };
    center.event(CallEvent::TransferAsked {
        call,
        party: PartyId::FIRST,
        transfer: TransferId(2),
        target: None,
    });
    assert_eq!(center.commands(), [refused(2)]);
    center.agent_asks_transfer("adele", 3);
    assert_eq!(center.commands(), [refused(3)]);
    assert!(matches!(center.last_fact("transfer_asked"), FactKind::TransferAsked { allowed: false, .. }));
}

#[test]
fn a_wish_told_twice_is_decided_once() {
    let (mut center, _) = asked();
    center.agent_asks_transfer("adele", 1);
    assert_eq!(center.commands(), []);
    assert_eq!(center.count("transfer_asked"), 1);
}

#[test]
fn a_transfer_that_never_ends_is_given_up() {
    let (mut center, _) = asked();
    center.pass(180);
    assert!(matches!(center.last_fact("repaired"), FactKind::Repaired { missing: Missing::TransferEnd, .. }));
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
    center.agent_asks_transfer("adele", 2);
    assert!(matches!(center.last_fact("transfer_asked"), FactKind::TransferAsked { allowed: true, .. }));
}

#[test]
fn an_agent_who_transferred_and_does_not_leave_is_taken_out() {
    let (mut center, call) = asked();
    center.transfer_ends(call, TransferOutcome::Done);
    center.pass(10);
    assert!(matches!(center.last_fact("repaired"), FactKind::Repaired { missing: Missing::PartyLeft, .. }));
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    assert!(center.interaction(call).is_some());
}

#[test]
fn a_transfer_that_never_ends_after_the_agent_left_ends_the_call() {
    let (mut center, call) = asked();
    center.agent_hangs_up("adele");
    center.pass(180);
    assert!(matches!(center.last_fact("repaired"), FactKind::Repaired { missing: Missing::TransferEnd, .. }));
    assert_eq!(center.outcome(call), Outcome::Transferred);
}
