//! Who has been idle longest.

use super::{serve, served_by, three};
use tandem_center::agent::ChosenState;
use tandem_center::call::CauseKind;

#[test]
fn who_has_been_idle_longest_is_rung() {
    let mut center = three("longest_idle", ["", "", ""]);
    center.chooses("adele", ChosenState::Offline);
    center.pass(1);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(served_by(&mut center, 4), ["bianca", "carla", "adele", "bianca"]);
}

#[test]
fn among_those_who_became_idle_together_the_order_of_the_configuration_decides() {
    let mut center = three("longest_idle", ["", "", ""]);
    assert_eq!(served_by(&mut center, 3), ["adele", "bianca", "carla"]);
}

#[test]
fn an_offer_whose_caller_left_costs_no_place_and_one_missed_does() {
    let mut center = three("longest_idle", ["", "", ""]);
    let [impatient] = center.callers();
    center.pass(3);
    center.caller_hangs_up(impatient);
    let [call] = center.callers();
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"), "still the one idle longest");
    center.agent_leaves("adele", CauseKind::Declined);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
    center.caller_hangs_up(call);
    center.pass(30);
    assert_eq!(serve(&mut center, 1), "bianca", "who declined has been idle since the end of the rest");
}
