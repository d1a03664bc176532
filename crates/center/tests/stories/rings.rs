//! Rings of agents that widen with the wait.

use crate::harness::{Story, house};
use tandem_center::agent::ChosenState;

const AGENTS: [(&str, &str); 3] = [("adele", ""), ("bianca", ""), ("carla", "")];
const RINGS: &str = "rings = [{ agents = [\"carla\"] }, { after_s = 20, agents = [\"bianca\"] }, { after_s = 40, agents = [] }]";

#[test]
fn only_the_first_ring_is_rung_at_first_however_long_others_have_been_idle() {
    let mut center = Story::new(&house(&AGENTS, RINGS, ""));
    let [first, second] = center.callers();
    assert_eq!(center.rung_for(first).as_deref(), Some("carla"));
    assert_eq!(center.rung_for(second), None);
}

#[test]
fn each_ring_comes_in_at_its_time_and_who_stands_in_none_comes_last() {
    let mut center = Story::new(&house(&AGENTS, RINGS, ""));
    let [first, second, third] = center.callers();
    center.agent_answers("carla");
    center.pass(19);
    assert_eq!(center.rung_for(second), None);
    center.pass(1);
    assert_eq!(center.rung_for(second).as_deref(), Some("bianca"));
    assert_eq!(center.rung_for(third), None);
    center.agent_answers("bianca");
    center.pass(20);
    assert_eq!(center.rung_for(third).as_deref(), Some("adele"));
    assert!(center.interaction(first).is_some());
}

#[test]
fn the_rings_before_stay_in() {
    let mut center = Story::new(&house(&AGENTS, RINGS, ""));
    for agent in ["adele", "bianca", "carla"] {
        center.chooses(agent, ChosenState::Offline);
    }
    let [call] = center.callers();
    center.pass(45);
    center.chooses("carla", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("carla"));
}

#[test]
fn with_ring_all_each_ring_joins_the_ringing() {
    let config = house(&AGENTS, &format!("strategy = \"ring_all\"\nring_timeout_s = 60\n{RINGS}"), "");
    let mut center = Story::new(&config);
    let [call] = center.callers();
    let id = center.id(call);
    assert_eq!(center.all_rung_for(id), ["carla"]);
    center.pass(20);
    assert_eq!(center.all_rung_for(id), ["carla", "bianca"]);
    center.pass(20);
    assert_eq!(center.all_rung_for(id), ["carla", "bianca", "adele"]);
}

#[test]
fn rings_and_skills_relax_side_by_side() {
    let agents = [("adele", "skills = { french = 9 }"), ("bianca", ""), ("carla", "skills = { french = 2 }")];
    let queue = format!("skills = {{ french = 5 }}\nrelax = [{{ after_s = 30 }}]\n{RINGS}");
    let mut center = Story::new(&house(&agents, &queue, ""));
    let [call] = center.callers();
    center.pass(29);
    assert_eq!(
        center.rung_for(call),
        None,
        "carla speaks too little, bianca not at all, adele is not in yet"
    );
    center.pass(1);
    assert_eq!(
        center.rung_for(call).as_deref(),
        Some("bianca"),
        "bianca was in before and has idled as long"
    );
}
