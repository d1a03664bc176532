//! The first start: one code, one person.

use std::time::Duration;

use tandem_people::moment::UnixMillis;
use tandem_people::setup::{Setup, SetupFault};

const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);

fn random() -> [u8; Setup::RANDOM_BYTES] {
    std::array::from_fn(|index| (index * 37 + 5) as u8)
}

#[test]
fn the_code_lets_one_person_in() {
    let (mut setup, code) = Setup::open(NOW, &random());
    assert_eq!(code.expose(), "5AFMS-Y38DJ-QW16B-GNTZ4");
    assert!(setup.is_open(NOW));
    assert_eq!(setup.redeem(NOW, code.expose()), Ok(()));
    assert!(!setup.is_open(NOW));
    assert_eq!(setup.redeem(NOW, code.expose()), Err(SetupFault::Closed));
}

#[test]
fn it_does_not_matter_how_the_code_is_typed() {
    let (mut setup, code) = Setup::open(NOW, &[0; Setup::RANDOM_BYTES]);
    assert_eq!(code.expose(), "00000-00000-00000-00000");
    assert_eq!(setup.redeem(NOW, " ooooo 00000ooooo-00000 "), Ok(()));
}

#[test]
fn a_code_is_good_for_half_an_hour() {
    let (mut setup, code) = Setup::open(NOW, &random());
    let end = NOW + Duration::from_secs(30 * 60);
    assert!(!setup.is_open(end));
    assert_eq!(setup.redeem(end, code.expose()), Err(SetupFault::Expired));
    assert_eq!(setup.redeem(NOW, code.expose()), Err(SetupFault::Closed));
}

#[test]
fn wrong_codes_keep_the_owner_of_the_right_one_from_nothing() {
    let (mut setup, code) = Setup::open(NOW, &random());
    for _ in 0..1_000 {
        assert_eq!(setup.redeem(NOW, "00000-00000-00000-00000"), Err(SetupFault::Wrong));
    }
    assert_eq!(setup.redeem(NOW, code.expose()), Ok(()));
}

#[test]
fn no_code_is_good_when_somebody_is_in_charge() {
    let (mut setup, code) = Setup::open(NOW, &random());
    setup.close();
    assert_eq!(setup.redeem(NOW, code.expose()), Err(SetupFault::Closed));
    assert_eq!(Setup::Closed.redeem(NOW, ""), Err(SetupFault::Closed));
}

#[test]
fn the_code_is_not_in_what_the_program_holds() {
    let (setup, code) = Setup::open(NOW, &random());
    assert!(!format!("{setup:?}{code:?}").contains(&code.expose()[..5]));
}
