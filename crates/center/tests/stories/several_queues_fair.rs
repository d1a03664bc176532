//! An agent of several queues takes whoever has waited longest in all, with what the queues' weights add.

use crate::harness::{Story, customer, house};
use tandem_center::agent::ChosenState;
use tandem_center::call::{Arrival, CallId};

fn center(support: &str, sales: &str) -> Story {
    let agents = [("adele", "queues = [\"support\", \"sales\"]\nstarts = \"offline\"")];
    let rest = format!(
        "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nwrap_up_s = 0\n{sales}\n\
         [[numbers]]\ndialled = \"+14255550198\"\nflow = \"sales\"\n\
         [flows.sales]\nstart = \"sales\"\n[flows.sales.steps.sales]\nenqueue = \"sales\"\n"
    );
    Story::new(&house(&agents, support, &rest))
}

fn for_sales(center: &mut Story) -> CallId {
    let arrival = crate::harness::arrival(CallId(0), "carrier", "+14255550198");
    center.arrives(Arrival { from: customer(500), ..arrival })
}

/// In which order adele serves whoever waits.
fn order(center: &mut Story, calls: &[CallId]) -> Vec<usize> {
    center.chooses("adele", ChosenState::Available);
    let mut order = Vec::new();
    while let Some(at) = calls.iter().position(|call| center.rung_for(*call).is_some()) {
        order.push(at);
        center.agent_answers("adele");
        center.agent_hangs_up("adele");
    }
    order
}

#[test]
fn who_has_waited_longest_comes_first_whatever_the_queue() {
    let mut center = center("", "");
    let [first] = center.callers();
    center.pass(1);
    let second = for_sales(&mut center);
    center.pass(1);
    let [third] = center.callers();
    center.pass(1);
    let fourth = for_sales(&mut center);
    assert_eq!(order(&mut center, &[first, second, third, fourth]), [0, 1, 2, 3]);
}

#[test]
fn who_came_at_the_same_moment_comes_in_the_order_of_arrival() {
    let mut center = center("", "");
    let first = for_sales(&mut center);
    let [second] = center.callers();
    assert_eq!(order(&mut center, &[first, second]), [0, 1]);
}

#[test]
fn a_queue_of_twice_the_weight_stands_as_if_its_callers_had_waited_twice_as_long() {
    let mut center = center("", "weight = 200");
    let [first] = center.callers();
    center.pass(40);
    let second = for_sales(&mut center);
    center.pass(10);
    let [third] = center.callers();
    center.pass(25);
    // They have waited 75, twice 35 and 25 seconds.
    assert_eq!(order(&mut center, &[first, second, third]), [0, 1, 2]);
}

#[test]
fn weights_overtake_with_the_wait() {
    let mut center = center("", "weight = 200");
    let [first] = center.callers();
    center.pass(30);
    let second = for_sales(&mut center);
    center.pass(31);
    // They have waited 61 and twice 31 seconds.
    assert_eq!(order(&mut center, &[first, second]), [1, 0]);
}

#[test]
fn the_wait_of_all_queues_counts_not_only_of_the_last() {
    let mut center = center("overflow = [{ after_s = 60, then = { queue = \"sales\" } }]", "");
    let [moved] = center.callers();
    center.pass(30);
    let newer = for_sales(&mut center);
    center.pass(40);
    assert_eq!(center.waiting("sales"), [moved, newer]);
    assert_eq!(order(&mut center, &[newer, moved]), [1, 0]);
}

#[test]
fn priority_counts_across_queues_as_the_wait_that_it_stands_for() {
    let mut center = center("", "priority = 2");
    let [first] = center.callers();
    center.pass(59);
    let second = for_sales(&mut center);
    assert_eq!(order(&mut center, &[first, second]), [1, 0]);
}
