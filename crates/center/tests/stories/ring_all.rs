//! A queue that rings all its agents at once.

use crate::harness::{Story, house};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::call::{CallCommand, CallEvent, CauseKind, PartyId, Removal};
use tandem_center::fact::{FactKind, OfferOutcome, Outcome};

const AGENTS: [(&str, &str); 3] = [("adele", ""), ("bianca", ""), ("carla", "")];

fn center() -> Story {
    Story::new(&house(&AGENTS, "strategy = \"ring_all\"", ""))
}

fn outcomes(center: &Story) -> Vec<(String, OfferOutcome)> {
    let ended = |fact: &std::sync::Arc<tandem_center::fact::Fact>| match &fact.kind {
        FactKind::OfferEnded { agent, outcome, .. } => Some((agent.to_string(), *outcome)),
        _ => None,
    };
    center.facts.iter().filter_map(ended).collect()
}

#[test]
fn who_answers_first_has_the_caller_and_the_others_are_free_again() {
    let mut center = center();
    let [call] = center.callers();
    center.pass(4);
    center.commands();
    center.agent_answers("bianca");
    let removals = center.commands().into_iter().filter_map(|command| match command {
        CallCommand::RemoveParty { party, reason, .. } => Some((party, reason)),
        _ => None,
    });
    let removals: Vec<_> = removals.collect();
    assert_eq!(removals, [(PartyId(1), Removal::NoLongerNeeded), (PartyId(3), Removal::NoLongerNeeded)]);
    assert!(matches!(center.agent("bianca"), AgentState::InConversation { .. }));
    assert!(center.is_available("adele") && center.is_available("carla"));
    assert_eq!(
        outcomes(&center),
        [
            ("adele".into(), OfferOutcome::AnsweredElsewhere),
            ("carla".into(), OfferOutcome::AnsweredElsewhere)
        ]
    );
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn of_two_who_answer_at_once_the_first_has_the_caller_and_the_other_missed_nothing() {
    let mut center = center();
    center.door_obeys = false;
    let [call] = center.callers();
    center.event(CallEvent::Answered { call });
    center.agent_answers("carla");
    center.agent_answers("adele");
    assert_eq!(center.count("connected"), 1);
    assert!(matches!(center.agent("carla"), AgentState::InConversation { .. }));
    assert!(matches!(center.agent("adele"), AgentState::Offered { .. }), "the telephone has not stopped yet");
    center.agent_leaves("adele", CauseKind::Removed);
    assert!(center.is_available("adele"));
    assert!(matches!(center.agent("bianca"), AgentState::Offered { .. }), "nor has this one");
    center.agent_leaves("bianca", CauseKind::Removed);
    assert!(center.is_available("bianca"));
}

#[test]
fn a_loser_is_rung_for_the_next_caller_only_when_the_telephone_has_stopped() {
    let mut center = center();
    center.door_obeys = false;
    let [first, second] = center.callers();
    center.event(CallEvent::Answered { call: first });
    center.event(CallEvent::Answered { call: second });
    center.agent_answers("adele");
    let second_id = center.id(second);
    assert_eq!(center.all_rung_for(second_id), [""; 0]);
    center.agent_leaves("carla", CauseKind::Removed);
    assert_eq!(center.all_rung_for(second_id), ["carla"]);
    center.agent_leaves("bianca", CauseKind::Removed);
    assert_eq!(center.all_rung_for(second_id), ["carla", "bianca"]);
}

#[test]
fn a_telephone_that_never_says_that_it_stopped_is_given_up_and_its_agent_is_free() {
    let mut center = center();
    center.door_obeys = false;
    let [call] = center.callers();
    center.event(CallEvent::Answered { call });
    center.agent_answers("adele");
    center.pass(39);
    assert!(matches!(center.agent("bianca"), AgentState::Offered { .. }));
    center.pass(1);
    assert!(center.is_available("bianca") && center.is_available("carla"));
    assert_eq!(center.count("repaired"), 2);
}

#[test]
fn an_agent_who_becomes_free_joins_the_ringing() {
    let mut center = center();
    center.chooses("carla", crate::harness::on_break());
    let [call] = center.callers();
    let id = center.id(call);
    center.pass(5);
    center.chooses("carla", ChosenState::Available);
    assert_eq!(center.all_rung_for(id), ["adele", "bianca", "carla"]);
    center.pass(10);
    assert_eq!(center.all_rung_for(id), ["carla"], "each telephone rings its own time");
}

#[test]
fn an_agent_who_declines_is_rung_no_more_and_the_others_ring_on() {
    let mut center = center();
    let [call] = center.callers();
    let id = center.id(call);
    center.agent_leaves("bianca", CauseKind::Declined);
    assert_eq!(center.all_rung_for(id), ["adele", "carla"]);
    assert!(matches!(center.agent("bianca"), AgentState::Resting { .. }));
    center.agent_answers("carla");
    center.agent_hangs_up("carla");
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn an_agent_who_takes_a_break_while_all_ring_is_rung_no_more() {
    let mut center = center();
    let [call] = center.callers();
    center.chooses("adele", crate::harness::on_break());
    assert_eq!(center.all_rung_for(center.id(call)), ["bianca", "carla"]);
}

#[test]
fn when_nobody_answers_the_caller_keeps_the_place_and_all_are_rung_again_after_their_rest() {
    let mut center = center();
    let [first, second] = center.callers();
    center.pass(15);
    assert_eq!(center.all_rung_for(center.id(first)), [""; 0]);
    assert_eq!(center.waiting("support"), [first, second]);
    center.pass(60);
    assert_eq!(center.all_rung_for(center.id(first)), ["adele", "bianca", "carla"]);
}

#[test]
fn when_the_caller_leaves_all_telephones_stop_and_nobody_has_missed_anything() {
    let mut center = center();
    let [call] = center.callers();
    center.pass(3);
    center.caller_hangs_up(call);
    for agent in ["adele", "bianca", "carla"] {
        assert!(center.is_available(agent));
    }
    assert!(outcomes(&center).iter().all(|(_, outcome)| *outcome == OfferOutcome::CallerGone));
    assert_eq!(center.outcome(call), Outcome::AbandonedInQueue);
}

#[test]
fn at_most_twenty_telephones_ring_and_the_next_is_rung_when_one_stops() {
    let names: Vec<String> = (0..22).map(|number| format!("agent-{number:02}")).collect();
    let agents: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let mut center = Story::new(&house(&agents, "strategy = \"ring_all\"", ""));
    let [call] = center.callers();
    let id = center.id(call);
    assert_eq!(center.all_rung_for(id).len(), 20);
    center.agent_leaves("agent-03", CauseKind::Busy);
    assert_eq!(center.all_rung_for(id).len(), 20);
    assert_eq!(center.all_rung_for(id).last().map(String::as_str), Some("agent-20"));
}

#[test]
fn after_a_restart_in_the_middle_of_ringing_everybody_is_free() {
    let config = house(&AGENTS, "strategy = \"ring_all\"", "");
    let mut center = Story::new(&config);
    let [call] = center.callers();
    let center = center.crash(&config);
    for agent in ["adele", "bianca", "carla"] {
        assert!(center.is_available(agent));
    }
    assert_eq!(center.outcome(call), Outcome::Lost);
}
