//! Who has had the fewest conversations since signing in.

use super::{serve, served_by, three};
use tandem_center::agent::ChosenState;
use tandem_center::call::CauseKind;

#[test]
fn everybody_gets_as_many_conversations_whatever_they_last() {
    let mut center = three("fewest_conversations", ["", "", "starts = \"offline\""]);
    assert_eq!(serve(&mut center, 600), "adele");
    assert_eq!(serve(&mut center, 1), "bianca");
    assert_eq!(serve(&mut center, 1), "adele", "equally many: who was idle longer");
}

#[test]
fn who_signs_in_begins_with_none() {
    let mut center = three("fewest_conversations", ["", "starts = \"offline\"", "starts = \"offline\""]);
    assert_eq!(served_by(&mut center, 3), ["adele", "adele", "adele"]);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(served_by(&mut center, 3), ["bianca", "bianca", "bianca"]);
    center.chooses("adele", ChosenState::Offline);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(serve(&mut center, 1), "adele", "signed in anew");
}

#[test]
fn a_break_does_not_begin_the_count_anew_and_a_missed_offer_is_no_conversation() {
    let mut center = three("fewest_conversations", ["", "", "starts = \"offline\""]);
    assert_eq!(served_by(&mut center, 1), ["adele"]);
    center.chooses("adele", crate::harness::on_break());
    center.chooses("adele", ChosenState::Available);
    let [call] = center.callers();
    center.agent_leaves("bianca", CauseKind::Busy);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.caller_hangs_up(call);
    center.pass(30);
    assert_eq!(serve(&mut center, 1), "bianca");
}
