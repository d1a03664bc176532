//! Very important callers stand before everybody who is not one.

use crate::harness::{Story, customer, house};
use tandem_center::agent::ChosenState;

const VIP: &str = "enqueue = \"support\"\ncases = [{ when = { field = \"from\", starts_with = \"+1206555009\" }, asks = { vip = true } }]";

fn center() -> Story {
    Story::new(&house(&[("adele", "starts = \"offline\"")], "", "").replace("enqueue = \"support\"", VIP))
}

#[test]
fn a_vip_stands_before_all_others_whatever_their_wait_and_priority() {
    let mut center = center();
    let [first, second] = center.callers();
    center.pass(3000);
    let vip = center.dial_from(customer(91));
    assert_eq!(center.waiting("support"), [vip, first, second]);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(vip).as_deref(), Some("adele"));
}

#[test]
fn several_stand_in_the_order_in_which_they_came() {
    let mut center = center();
    let [other] = center.callers();
    let first = center.dial_from(customer(92));
    center.pass(1);
    let second = center.dial_from(customer(91));
    assert_eq!(center.waiting("support"), [first, second, other]);
}

#[test]
fn nobody_who_is_being_rung_already_is_taken_away_for_a_vip() {
    let mut center = center();
    center.chooses("adele", ChosenState::Available);
    let [call] = center.callers();
    let vip = center.dial_from(customer(91));
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(vip), None);
}

#[test]
fn a_vip_of_another_queue_comes_first_for_an_agent_of_both() {
    let agents = [("adele", "queues = [\"support\", \"sales\"]\nstarts = \"offline\"")];
    let rest = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nweight = 10000\n\
                [[numbers]]\ndialled = \"+14255550198\"\nflow = \"sales\"\n\
                [flows.sales]\nstart = \"sales\"\n[flows.sales.steps.sales]\nenqueue = \"sales\"\n";
    let config = house(&agents, "", rest).replace("enqueue = \"support\"", VIP);
    let mut center = Story::new(&config);
    center.dial_to("+14255550198");
    center.pass(600);
    let vip = center.dial_from(customer(91));
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(vip).as_deref(), Some("adele"));
}
