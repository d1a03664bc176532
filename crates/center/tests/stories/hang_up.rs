//! A conversation ends from either side, or breaks off.

use crate::harness::{SUPPORT, Story};
use tandem_center::agent::AgentState;
use tandem_center::call::{CallCommand, CallEvent, CallId, CauseKind, PartyId};
use tandem_center::fact::{EndWhy, EndedBy, FactKind, Outcome};

fn talking() -> (Story, CallId) {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.pass(5);
    center.agent_answers("adele");
    center.pass(60);
    center.commands();
    (center, call)
}

fn ended_by(center: &Story) -> EndedBy {
    match center.last_fact("conversation_ended") {
        FactKind::ConversationEnded { by, talked_us: 60_000_000, held_us: 0, .. } => *by,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_caller_hangs_up() {
    let (mut center, call) = talking();
    center.caller_hangs_up(call);
    assert_eq!(center.commands(), [CallCommand::End { call }]);
    assert_eq!(ended_by(&center), EndedBy::Caller);
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn the_agent_hangs_up() {
    let (mut center, call) = talking();
    center.agent_hangs_up("adele");
    assert_eq!(center.commands(), [CallCommand::End { call }]);
    assert_eq!(ended_by(&center), EndedBy::Agent);
    assert!(matches!(center.last_fact("ending"), FactKind::Ending { why: EndWhy::AgentLeft, .. }));
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn the_agents_line_breaks() {
    let (mut center, call) = talking();
    center.agent_leaves("adele", CauseKind::Lost);
    assert_eq!(ended_by(&center), EndedBy::Lost);
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn the_door_ends_the_call_on_its_own() {
    let (mut center, call) = talking();
    center.event(CallEvent::Ended { call, cause: CauseKind::Lost.into() });
    assert_eq!(ended_by(&center), EndedBy::Lost);
    assert_eq!(center.count("call_ended"), 1);
    center.pass(30);
    assert!(center.is_available("adele"));
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn the_agent_is_not_rung_before_the_telephone_is_put_down() {
    let mut center = Story::new(&SUPPORT.replace("wrap_up_s = 30", "wrap_up_s = 0"));
    let call = center.dial();
    center.agent_answers("adele");
    let next = center.dial();
    let party = center.leg_of("adele").1;
    center.door_obeys = false;
    center.caller_hangs_up(call);
    assert_eq!(center.rung_for(next), None);
    center.leave(call, party, CauseKind::Removed);
    assert_eq!(center.rung_for(next).as_deref(), Some("adele"));
}

#[test]
fn how_well_each_was_heard_stands_in_the_journal_with_the_agents_name_also_afterwards() {
    let (mut center, call) = talking();
    center.door_obeys = false;
    let party = center.leg_of("adele").1;
    center.caller_hangs_up(call);
    center.leave(call, party, CauseKind::Removed);
    center.heard(call, PartyId::FIRST, 430);
    center.heard(call, party, 410);
    let qualities: Vec<_> = center
        .facts
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::Quality { agent, quality, .. } => {
                Some((agent.as_ref().map(|agent| agent.as_str()), quality.mos_x100))
            }
            _ => None,
        })
        .collect();
    assert_eq!(qualities, [(None, Some(430)), (Some("adele"), Some(410))]);
}
