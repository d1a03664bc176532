//! How many offers an agent may miss in a row before being left alone.

use crate::harness::{Story, house};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::fact::FactKind;

fn config(agents: &[(&str, &str)]) -> String {
    house(agents, "", "[offers]\nmisses = 2\nmissed_rest_s = 60\n")
}

fn is_resting(center: &Story, agent: &str) -> bool {
    matches!(center.agent(agent), AgentState::Resting { .. })
}

#[test]
fn after_one_miss_others_are_rung_first_and_after_two_the_agent_rests() {
    let mut center = Story::new(&config(&[("adele", ""), ("bianca", "")]));
    let [call] = center.callers();
    center.pass(15);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
    assert!(center.is_available("adele"));
    assert!(matches!(center.last_fact("offer_ended"), FactKind::OfferEnded { misses: 1, .. }));
    center.pass(15);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(15);
    assert!(is_resting(&center, "adele"));
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn who_is_alone_is_rung_again_at_once() {
    let mut center = Story::new(&config(&[("adele", "")]));
    let [call] = center.callers();
    center.pass(15);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(15);
    assert!(is_resting(&center, "adele"));
}

#[test]
fn a_conversation_wipes_out_the_misses_and_so_does_saying_available() {
    let mut center = Story::new(&config(&[("adele", "")]));
    let [call] = center.callers();
    center.pass(15);
    center.agent_answers("adele");
    center.caller_hangs_up(call);
    let [call] = center.callers();
    center.pass(15);
    assert!(!is_resting(&center, "adele"));
    center.chooses("adele", crate::harness::on_break());
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(15);
    assert!(!is_resting(&center, "adele"));
}

#[test]
fn after_the_rest_the_count_begins_anew() {
    let mut center = Story::new(&config(&[("adele", "")]));
    center.callers::<1>();
    center.pass(30);
    assert!(is_resting(&center, "adele"));
    center.pass(60);
    center.pass(15);
    assert!(!is_resting(&center, "adele"));
    center.pass(15);
    assert!(is_resting(&center, "adele"));
}

#[test]
fn misses_are_remembered_over_a_restart() {
    let config = config(&[("adele", "")]);
    let mut center = Story::new(&config);
    center.callers::<1>();
    center.pass(15);
    let mut center = center.crash(&config);
    center.callers::<1>();
    center.pass(15);
    assert!(is_resting(&center, "adele"));
}
