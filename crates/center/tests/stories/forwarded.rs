//! The network sends an agent's call on elsewhere: whoever answers there is not the agent.

use crate::harness::{Story, house};
use tandem_center::agent::AgentState;
use tandem_center::call::{CallCommand, CallEvent, PartyId, Removal};
use tandem_center::fact::{FactKind, OfferOutcome};

fn forwarded(center: &mut Story, agent: &str) {
    let (call, party) = center.leg_of(agent);
    center.event(CallEvent::Forwarded { call, party });
}

#[test]
fn the_telephone_is_rung_no_more_and_the_next_agent_is() {
    let mut center = Story::new(&house(&[("adele", ""), ("bianca", "")], "", ""));
    let [call] = center.callers();
    center.pass(9);
    center.commands();
    forwarded(&mut center, "adele");
    let removal = CallCommand::RemoveParty { call, party: PartyId(1), reason: Removal::NoLongerNeeded };
    assert_eq!(center.commands()[0], removal);
    assert!(matches!(
        center.last_fact("offered"),
        FactKind::Offered { agent, .. } if agent.as_str() == "bianca"
    ));
    let ended = center
        .facts
        .iter()
        .any(|fact| matches!(fact.kind, FactKind::OfferEnded { outcome: OfferOutcome::Forwarded, .. }));
    assert!(ended);
    assert!(matches!(center.agent("adele"), AgentState::Resting { .. }), "as after a miss");
}

#[test]
fn an_answer_that_comes_with_it_is_too_late() {
    let mut center = Story::new(&house(&[("adele", "")], "", ""));
    let [call] = center.callers();
    center.door_obeys = false;
    let leg = center.leg_of("adele");
    forwarded(&mut center, "adele");
    center.event(CallEvent::Joined { call: leg.0, party: leg.1 });
    assert_eq!(center.count("connected"), 0);
    assert_eq!(center.waiting("support"), [call]);
}

#[test]
fn an_agent_who_presses_a_key_may_send_calls_wherever_the_telephone_is() {
    let mut center = Story::new(&house(&[("adele", "confirm = true")], "", ""));
    center.callers::<1>();
    forwarded(&mut center, "adele");
    center.agent_answers("adele");
    center.agent_presses("adele", "1");
    assert_eq!(center.count("connected"), 1);
}

#[test]
fn in_a_conversation_it_means_nothing() {
    let mut center = Story::new(&house(&[("adele", "")], "", ""));
    center.callers::<1>();
    center.agent_answers("adele");
    let number = center.view.live.number;
    forwarded(&mut center, "adele");
    assert_eq!(center.view.live.number, number);
}

#[test]
fn where_all_ring_the_others_ring_on() {
    let mut center = Story::new(&house(&[("adele", ""), ("bianca", "")], "strategy = \"ring_all\"", ""));
    let [call] = center.callers();
    forwarded(&mut center, "adele");
    assert_eq!(center.all_rung_for(center.id(call)), ["bianca"]);
}
