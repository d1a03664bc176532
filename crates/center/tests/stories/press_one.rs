//! Agents outside of Teams press 1: whoever else answers their telephone takes no call.

use crate::harness::{Story, house};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::call::{CallCommand, CauseKind, PartyId, Removal};
use tandem_center::fact::{FactKind, OfferOutcome, QueueExit};

const OFFERS: &str = "[offers]\nconfirm = [\"press-one\"]\n";
const ADELE: PartyId = PartyId(1);

fn center() -> Story {
    Story::new(&house(&[("adele", "confirm = true"), ("bianca", "")], "music = \"music\"", OFFERS))
}

fn last_offer(center: &Story) -> OfferOutcome {
    match center.last_fact("offer_ended") {
        FactKind::OfferEnded { outcome, .. } => *outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_answers_is_asked_apart_and_the_caller_hears_nothing_of_it() {
    let mut center = center();
    let [call] = center.callers();
    assert!(
        center.commands().iter().any(|command| matches!(command, CallCommand::AddParty { apart: true, .. }))
    );
    center.agent_answers("adele");
    let commands = center.commands();
    assert!(
        matches!(&commands[0], CallCommand::Play { party: ADELE, prompts, .. } if &*prompts[0] == "press-one")
    );
    assert!(matches!(&commands[1], CallCommand::Collect { party: ADELE, .. }));
    assert_eq!(commands.len(), 2);
    assert_eq!(center.count("connected"), 0);
    center.agent_presses("adele", "1");
    let commands = center.commands();
    let admit = CallCommand::Admit { call, party: ADELE };
    assert_eq!(commands, [CallCommand::StopPlay { call, party: PartyId::FIRST }, admit]);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
}

#[test]
fn another_key_or_none_is_a_miss_and_the_caller_keeps_the_place() {
    for keys in ["2", ""] {
        let mut center = center();
        let [call] = center.callers();
        center.pass(4);
        center.agent_answers("adele");
        center.commands();
        center.agent_presses("adele", keys);
        let removal = CallCommand::RemoveParty { call, party: ADELE, reason: Removal::NotAnswered };
        assert_eq!(center.commands()[0], removal);
        assert_eq!(last_offer(&center), OfferOutcome::NotConfirmed);
        assert!(matches!(center.agent("adele"), AgentState::Resting { .. }));
        assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
        assert_eq!(center.waiting("support"), [call]);
    }
}

#[test]
fn a_voicemail_that_answers_and_hangs_up_took_nothing() {
    let mut center = center();
    let [call] = center.callers();
    center.agent_answers("adele");
    center.agent_leaves("adele", CauseKind::HungUp);
    assert_eq!(last_offer(&center), OfferOutcome::NotConfirmed);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn the_time_to_ring_does_not_cut_off_who_has_answered() {
    let mut center = center();
    center.callers::<1>();
    center.pass(14);
    center.agent_answers("adele");
    center.pass(5);
    center.agent_presses("adele", "1");
    assert_eq!(center.count("connected"), 1);
}

#[test]
fn a_door_that_never_tells_of_a_key_is_not_waited_for() {
    let mut center = center();
    let [call] = center.callers();
    center.agent_answers("adele");
    center.pass(30);
    assert_eq!(last_offer(&center), OfferOutcome::NotConfirmed);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn a_caller_who_goes_or_overflows_while_the_agent_is_asked_frees_the_agent() {
    let mut center = center();
    let [call] = center.callers();
    center.agent_answers("adele");
    center.caller_hangs_up(call);
    assert!(center.is_available("adele"));
    assert_eq!(last_offer(&center), OfferOutcome::CallerGone);

    let queue = "overflow = [{ after_s = 10, then = { message = [\"goodbye\"] } }]";
    let mut center = Story::new(&house(&[("adele", "confirm = true")], queue, OFFERS));
    center.callers::<1>();
    center.pass(8);
    center.agent_answers("adele");
    center.pass(2);
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::Overflowed, .. }
    ));
    assert!(center.is_available("adele"));
}

#[test]
fn where_all_ring_whoever_presses_first_has_the_caller_not_who_answers_first() {
    let agents = [("adele", "confirm = true"), ("bianca", "confirm = true"), ("carla", "")];
    let config = house(&agents, "strategy = \"ring_all\"", OFFERS);
    let mut center = Story::new(&config);
    center.callers::<1>();
    center.agent_answers("adele");
    center.agent_answers("bianca");
    center.agent_presses("bianca", "1");
    assert!(matches!(center.agent("bianca"), AgentState::InConversation { .. }));
    assert!(center.is_available("adele") && center.is_available("carla"));
    let mut center = Story::new(&config);
    center.callers::<1>();
    center.agent_answers("adele");
    center.agent_answers("carla");
    assert!(matches!(center.agent("carla"), AgentState::InConversation { .. }), "carla need not");
    assert!(center.is_available("adele"));
}

#[test]
fn a_callback_is_taken_with_the_key_before_the_customer_is_called() {
    let queue =
        "closed = true\nwhen_closed = { callback = true }\ncallback = { offer = [\"call-you-back\"] }";
    let agents = [("adele", "confirm = true\nstarts = \"break\"")];
    let mut center = Story::new(&house(&agents, queue, OFFERS));
    let [call] = center.callers();
    let id = center.id(call);
    center.press(call, "1");
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    assert_eq!(center.count("callback_dialled"), 0);
    center.agent_presses("adele", "1");
    assert_eq!(center.count("callback_dialled"), 1);
    center.customer_answers(id);
    assert!(matches!(center.agent("adele"), AgentState::InConversation { .. }));
}

#[test]
fn without_prompts_the_key_alone_is_waited_for() {
    let mut center = Story::new(&house(&[("adele", "confirm = true")], "", ""));
    center.callers::<1>();
    center.commands();
    center.agent_answers("adele");
    assert!(matches!(center.commands()[..], [CallCommand::Collect { .. }]));
    center.agent_presses("adele", "1");
    assert_eq!(center.count("connected"), 1);
}
