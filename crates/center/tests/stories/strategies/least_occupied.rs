//! Who spent the smallest part of the last hour or so in conversations and wrap-ups.

use super::{serve, served_by, three};

#[test]
fn who_talked_least_is_rung_however_long_ago() {
    let mut center = three("least_occupied", ["", "", ""]);
    assert_eq!(serve(&mut center, 600), "adele");
    assert_eq!(serve(&mut center, 20), "bianca");
    assert_eq!(serve(&mut center, 300), "carla");
    assert_eq!(serve(&mut center, 1), "bianca", "20 seconds are least");
    center.pass(600);
    assert_eq!(serve(&mut center, 1), "bianca", "waiting changes all alike");
}

#[test]
fn what_was_long_ago_counts_less() {
    let mut center = three("least_occupied", ["", "", "starts = \"offline\""]);
    assert_eq!(serve(&mut center, 1200), "adele");
    center.pass(4 * 3600);
    assert_eq!(serve(&mut center, 300), "bianca");
    assert_eq!(serve(&mut center, 1), "adele", "20 minutes hours ago are less than 5 just now");
}

#[test]
fn those_who_did_nothing_yet_are_rung_by_how_long_they_have_been_idle() {
    let mut center = three("least_occupied", ["", "", ""]);
    assert_eq!(served_by(&mut center, 3), ["adele", "bianca", "carla"]);
}
