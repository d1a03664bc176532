//! Who is best at what is asked for.

use super::serve;
use crate::harness::{Story, house};

fn center(strategy: &str, skills: &str) -> Story {
    let agents = [
        ("adele", "skills = { french = 4, billing = 10 }"),
        ("bianca", "skills = { french = 9 }"),
        ("carla", "skills = { french = 9, billing = 1 }"),
    ];
    Story::new(&house(&agents, &format!("strategy = \"{strategy}\"\nskills = {skills}"), ""))
}

#[test]
fn the_best_at_what_is_asked_is_rung_and_among_equals_who_was_idle_longest() {
    let mut center = center("most_skilled", "{ french = 2 }");
    assert_eq!(serve(&mut center, 1), "bianca");
    assert_eq!(serve(&mut center, 1), "carla");
    assert_eq!(serve(&mut center, 1), "bianca");
}

#[test]
fn of_several_skills_the_sum_counts() {
    let mut center = center("most_skilled", "{ french = 1, billing = 1 }");
    assert_eq!(serve(&mut center, 1), "adele", "14 against 10; bianca does not fit");
}

#[test]
fn where_nothing_is_asked_who_can_most_is_rung() {
    let mut center = center("most_skilled", "{}");
    assert_eq!(serve(&mut center, 1), "adele");
}
