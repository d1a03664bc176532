//! Who is just good enough at what is asked for, so that the best stay free.

use super::serve;
use crate::harness::{Story, house};
use tandem_center::call::CauseKind;

fn center(skills: &str) -> Story {
    let agents = [
        ("adele", "skills = { french = 9 }"),
        ("bianca", "skills = { french = 5 }"),
        ("carla", "skills = { french = 5, billing = 7 }"),
    ];
    Story::new(&house(&agents, &format!("strategy = \"least_skilled\"\nskills = {skills}"), ""))
}

#[test]
fn the_least_who_suffices_is_rung_and_among_equals_who_was_idle_longest() {
    let mut center = center("{ french = 5 }");
    assert_eq!(serve(&mut center, 1), "bianca");
    assert_eq!(serve(&mut center, 1), "carla");
}

#[test]
fn who_does_not_suffice_is_not_rung_however_little_is_known() {
    let mut center = center("{ french = 6 }");
    let [first, second] = center.callers();
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(second), None);
    center.agent_leaves("adele", CauseKind::Declined);
    assert_eq!(center.rung_for(first), None, "the others know too little");
}
