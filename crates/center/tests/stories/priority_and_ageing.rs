//! Priority stands for a wait, so that nobody waits for ever.

use crate::harness::{Story, customer, house};
use tandem_center::agent::ChosenState;
use tandem_center::call::CallId;

/// Callers from +1206555000n are of priority n if n is at most 5.
fn center(queue: &str) -> Story {
    let case = |priority: u8| {
        format!(
            "{{ when = {{ field = \"from\", is = \"+1206555{priority:04}\" }}, asks = {{ priority = {priority} }} }}"
        )
    };
    let cases: Vec<String> = (1..=5).map(case).collect();
    let step = format!("enqueue = \"support\"\ncases = [{}]", cases.join(", "));
    let config =
        house(&[("adele", "starts = \"offline\"")], queue, "").replace("enqueue = \"support\"", &step);
    Story::new(&config)
}

fn of_priority(center: &mut Story, priority: u64) -> CallId {
    center.dial_from(customer(priority))
}

#[test]
fn who_is_more_important_stands_before_those_who_came_a_little_earlier() {
    let mut center = center("");
    let normal = of_priority(&mut center, 3);
    center.pass(59);
    let important = of_priority(&mut center, 2);
    let most = of_priority(&mut center, 1);
    let least = of_priority(&mut center, 5);
    assert_eq!(center.waiting("support"), [most, important, normal, least]);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(most).as_deref(), Some("adele"));
}

#[test]
fn one_step_is_worth_a_minute_of_waiting_and_not_more() {
    let mut center = center("");
    let normal = of_priority(&mut center, 3);
    center.pass(61);
    let important = of_priority(&mut center, 2);
    assert_eq!(center.waiting("support"), [normal, important]);
    let unimportant = of_priority(&mut center, 4);
    center.pass(59);
    let later = of_priority(&mut center, 3);
    assert_eq!(center.waiting("support"), [normal, important, later, unimportant]);
}

#[test]
fn equals_stand_in_the_order_in_which_they_came() {
    let mut center = center("");
    let first = of_priority(&mut center, 3);
    center.pass(60);
    let as_good = of_priority(&mut center, 2);
    assert_eq!(center.waiting("support"), [first, as_good]);
}

#[test]
fn what_a_step_is_worth_is_configured_and_nothing_if_it_is_nothing() {
    let mut center = center("priority_worth_s = 10");
    let normal = of_priority(&mut center, 3);
    center.pass(11);
    let important = of_priority(&mut center, 2);
    let most = of_priority(&mut center, 1);
    assert_eq!(center.waiting("support"), [most, normal, important]);
    let mut center = self::center("priority_worth_s = 0");
    let least = of_priority(&mut center, 5);
    let most = of_priority(&mut center, 1);
    assert_eq!(center.waiting("support"), [least, most]);
}

#[test]
fn nobody_of_the_lowest_priority_waits_for_ever_among_the_important() {
    let mut center = center("");
    let least = of_priority(&mut center, 5);
    let mut served_after = 0;
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    let least = if center.interaction(least).is_none() {
        center.chooses("adele", ChosenState::Offline);
        let least = of_priority(&mut center, 5);
        of_priority(&mut center, 1);
        center.chooses("adele", ChosenState::Available);
        least
    } else {
        least
    };
    while center.rung_for(least).is_none() {
        of_priority(&mut center, 1);
        center.pass(10);
        center.agent_answers("adele");
        center.agent_hangs_up("adele");
        served_after += 1;
        assert!(served_after <= 25, "four steps are four minutes");
    }
    assert!(served_after >= 23, "{served_after}: and until then the important come first");
}

#[test]
fn the_queue_has_a_priority_for_those_about_whom_nothing_is_said() {
    let mut center = center("priority = 2");
    let usual = of_priority(&mut center, 77);
    let normal = of_priority(&mut center, 3);
    let least = of_priority(&mut center, 5);
    let most = of_priority(&mut center, 1);
    assert_eq!(center.waiting("support"), [most, usual, normal, least]);
}
