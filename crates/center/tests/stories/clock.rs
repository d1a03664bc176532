//! Clocks jump; the center does not.

use std::time::Duration;

use crate::harness::{NOON, SUPPORT, Story};
use tandem_center::Timestamp;
use tandem_center::fact::Outcome;

#[test]
fn time_that_goes_backwards_is_read_as_the_latest_seen() {
    let mut center = Story::new(SUPPORT);
    center.pass(100);
    let latest = center.now;
    center.now = NOON;
    let call = center.dial();
    assert_eq!(center.view.at, latest);
    assert_eq!(center.center.poll_timeout(), Some(latest + Duration::from_secs(15)));
    center.now = latest;
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn time_that_jumps_ahead_does_everything_that_was_due() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.now = Timestamp::from_micros(u64::MAX / 2);
    center.center.handle_timeout(center.now);
    let later = center.dial();
    center.pass(86_400);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
    assert_eq!(center.outcome(later), Outcome::FlowEnded);
    center.pass(60);
    assert!(center.is_available("adele"));
}

#[test]
fn early_and_repeated_time_outs_are_harmless() {
    let mut center = Story::new(SUPPORT);
    center.dial();
    let before = center.facts.len();
    for _ in 0..3 {
        center.center.handle_timeout(center.now);
    }
    assert!(center.center.poll_output().is_none());
    assert_eq!(center.facts.len(), before);
}
