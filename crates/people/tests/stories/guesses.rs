//! Whoever guesses waits; whoever mistypes does not, and nobody is kept out by a stranger for long.

use std::net::IpAddr;
use std::time::Duration;

use tandem_people::moment::UnixMillis;
use tandem_people::throttle::{Attempts, Wait};

const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn home() -> IpAddr {
    address("192.0.2.1")
}

fn fail(attempts: &mut Attempts, times: u32, account: &str, from: IpAddr) {
    for _ in 0..times {
        attempts.failed(NOW, account, from);
    }
}

#[test]
fn a_few_mistakes_cost_nothing() {
    let mut attempts = Attempts::new();
    fail(&mut attempts, Attempts::ACCOUNT_FREE - 1, "anna", home());
    assert_eq!(attempts.may_try(NOW, "anna", home()), Ok(()));
}

#[test]
fn each_further_mistake_doubles_the_wait_up_to_a_minute() {
    let mut attempts = Attempts::new();
    fail(&mut attempts, Attempts::ACCOUNT_FREE - 1, "anna", home());
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        attempts.failed(NOW, "anna", address("198.51.100.7"));
        let wait = Wait { time: Duration::from_secs(seconds) };
        assert_eq!(attempts.may_try(NOW, "anna", home()), Err(wait));
        assert_eq!(attempts.may_try(NOW + wait.time, "anna", home()), Ok(()));
    }
    assert_eq!(attempts.may_try(NOW, "ben", home()), Ok(()), "nobody else waits");
}

#[test]
fn a_capital_letter_is_no_new_account() {
    let mut attempts = Attempts::new();
    fail(&mut attempts, Attempts::ACCOUNT_FREE, "Anna", home());
    assert!(attempts.may_try(NOW, "aNNA", home()).is_err());
}

#[test]
fn one_address_that_tries_many_accounts_waits() {
    let mut attempts = Attempts::new();
    for number in 0..Attempts::ADDRESS_FREE {
        assert_eq!(attempts.may_try(NOW, &format!("user{number}"), home()), Ok(()));
        attempts.failed(NOW, &format!("user{number}"), home());
    }
    assert!(attempts.may_try(NOW, "somebody-else", home()).is_err());
    assert_eq!(attempts.may_try(NOW, "somebody-else", address("192.0.2.2")), Ok(()));
    fail(&mut attempts, 40, "somebody-else", home());
    let wait = attempts.may_try(NOW, "x", home()).unwrap_err();
    assert_eq!(wait.time, Attempts::ADDRESS_PAUSE_MAX);
}

#[test]
fn a_host_with_a_network_of_its_own_is_one_address() {
    let mut attempts = Attempts::new();
    for number in 0..Attempts::ADDRESS_FREE {
        attempts.failed(NOW, &format!("user{number}"), address(&format!("2001:db8:1:2::{number:x}")));
    }
    assert!(attempts.may_try(NOW, "x", address("2001:db8:1:2:ffff::1")).is_err());
    assert_eq!(attempts.may_try(NOW, "x", address("2001:db8:1:3::1")), Ok(()));
    fail(&mut attempts, Attempts::ADDRESS_FREE, "y", address("::ffff:192.0.2.1"));
    assert!(attempts.may_try(NOW, "x", home()).is_err(), "the same address written as IPv6");
}

#[test]
fn who_gets_in_starts_anew_and_the_address_does_not() {
    let mut attempts = Attempts::new();
    fail(&mut attempts, Attempts::ADDRESS_FREE, "anna", home());
    attempts.succeeded("anna");
    assert_eq!(attempts.may_try(NOW, "anna", address("192.0.2.9")), Ok(()));
    assert!(attempts.may_try(NOW, "anna", home()).is_err());
}

#[test]
fn what_is_long_ago_is_forgotten() {
    let mut attempts = Attempts::new();
    fail(&mut attempts, 30, "anna", home());
    let later = NOW + Attempts::REMEMBERED;
    attempts.failed(later, "ben", address("192.0.2.2"));
    assert_eq!(attempts.len(), 2);
    attempts.failed(later, "anna", home());
    assert_eq!(attempts.may_try(later, "anna", home()), Ok(()));
}

#[test]
fn a_flood_of_accounts_takes_no_more_than_its_room() {
    let mut attempts = Attempts::new();
    for number in 0..Attempts::COUNTED_MAX {
        attempts.failed(NOW + Duration::from_millis(number as u64), &format!("user{number}"), home());
    }
    assert_eq!(attempts.len(), Attempts::COUNTED_MAX);
    assert!(
        attempts.may_try(NOW + Duration::from_secs(100), "x", home()).is_err(),
        "the flood's own address is known"
    );
}
