//! The first in the given order.

use super::served_by;
use crate::harness::{Story, house};
use tandem_center::call::CauseKind;

fn center(order: &str) -> Story {
    let agents = [("adele", ""), ("bianca", ""), ("carla", "")];
    Story::new(&house(&agents, &format!("strategy = \"serial\"\norder = [{order}]"), ""))
}

#[test]
fn the_first_who_is_free_is_rung_again_and_again() {
    let mut center = center("\"carla\", \"adele\", \"bianca\"");
    assert_eq!(served_by(&mut center, 3), ["carla", "carla", "carla"]);
    let [first, second, third] = center.callers();
    assert_eq!(center.rung_for(first).as_deref(), Some("carla"));
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(third).as_deref(), Some("bianca"));
}

#[test]
fn after_one_who_does_not_answer_the_next_in_order_is_rung() {
    let mut center = center("\"bianca\", \"carla\", \"adele\"");
    let [call] = center.callers();
    center.agent_leaves("bianca", CauseKind::Busy);
    center.agent_leaves("carla", CauseKind::Declined);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn who_is_not_named_comes_after_those_who_are_in_the_order_of_the_configuration() {
    let mut center = center("\"carla\"");
    let [first, second, third] = center.callers();
    assert_eq!(center.rung_for(first).as_deref(), Some("carla"));
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(third).as_deref(), Some("bianca"));
}
