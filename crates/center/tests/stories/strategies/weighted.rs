//! In proportion to the agents' shares.

use super::served_by;
use crate::harness::{Story, house};
use tandem_center::agent::ChosenState;

fn config(shares: &str) -> String {
    let agents = [("adele", ""), ("bianca", "")];
    house(&agents, &format!("strategy = \"weighted\"\nshares = {shares}"), "")
}

fn of_adele(served: &[String]) -> usize {
    served.iter().filter(|agent| *agent == "adele").count()
}

#[test]
fn who_has_three_times_the_share_gets_three_times_the_callers_spread_evenly() {
    let mut center = Story::new(&config("{ adele = 3 }"));
    let served = served_by(&mut center, 40);
    assert_eq!(of_adele(&served), 30);
    for eight in served.chunks(8) {
        assert_eq!(of_adele(eight), 6, "{eight:?}");
    }
}

#[test]
fn equal_shares_take_turns() {
    let mut center = Story::new(&config("{}"));
    assert_eq!(served_by(&mut center, 4), ["adele", "bianca", "adele", "bianca"]);
}

#[test]
fn who_comes_back_does_not_get_all_that_was_missed() {
    let mut center = Story::new(&config("{}"));
    center.chooses("bianca", ChosenState::Offline);
    assert_eq!(of_adele(&served_by(&mut center, 10)), 10);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(of_adele(&served_by(&mut center, 10)), 5);
}

#[test]
fn the_turns_go_on_after_a_restart() {
    let config = config("{ adele = 2 }");
    let mut center = Story::new(&config);
    let mut served = served_by(&mut center, 4);
    let mut center = center.crash(&config);
    served.extend(served_by(&mut center, 5));
    assert_eq!(of_adele(&served), 6);
}
