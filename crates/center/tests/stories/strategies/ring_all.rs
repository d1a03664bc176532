//! All at once; who answers first has the caller. More in the stories of `ring_all`.

use super::{served_by, three};

#[test]
fn all_who_are_free_are_rung_at_once() {
    let mut center = three("ring_all", ["", "", "starts = \"break\""]);
    let [call] = center.callers();
    let id = center.id(call);
    assert_eq!(center.all_rung_for(id), ["adele", "bianca"]);
}

#[test]
fn they_are_rung_in_the_order_in_which_they_have_been_idle() {
    let mut center = three("ring_all", ["", "", ""]);
    served_by(&mut center, 1);
    let [call] = center.callers();
    let id = center.id(call);
    assert_eq!(center.all_rung_for(id), ["bianca", "carla", "adele"]);
}
