//! Whose last offer is longest ago.

use super::{serve, served_by, three};

#[test]
fn offers_go_round_whatever_the_conversations_last() {
    let mut center = three("round_robin", ["", "", ""]);
    assert_eq!(served_by(&mut center, 4), ["adele", "bianca", "carla", "adele"]);
}

#[test]
fn an_offer_that_came_to_nothing_was_a_turn() {
    let mut center = three("round_robin", ["", "", ""]);
    let [impatient] = center.callers();
    assert_eq!(center.rung_for(impatient).as_deref(), Some("adele"));
    center.caller_hangs_up(impatient);
    assert_eq!(served_by(&mut center, 3), ["bianca", "carla", "adele"]);
}

#[test]
fn who_was_never_offered_anything_comes_first_and_among_those_who_was_idle_longest() {
    let mut center = three("round_robin", ["", "starts = \"break\"", ""]);
    assert_eq!(serve(&mut center, 1), "adele");
    center.chooses("bianca", tandem_center::agent::ChosenState::Available);
    assert_eq!(served_by(&mut center, 3), ["carla", "bianca", "adele"]);
}

#[test]
fn the_turns_go_on_after_a_restart() {
    let mut center = three("round_robin", ["", "", ""]);
    assert_eq!(served_by(&mut center, 2), ["adele", "bianca"]);
    let agents = [("adele", ""), ("bianca", ""), ("carla", "")];
    let mut center = center.crash(&crate::harness::house(&agents, "strategy = \"round_robin\"", ""));
    assert_eq!(served_by(&mut center, 2), ["carla", "adele"]);
}
