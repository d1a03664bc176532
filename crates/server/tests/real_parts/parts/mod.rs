//! The parts that a test puts together: the program, the foreign telephones, and a place of their own to meet.

pub(crate) mod authority;
pub(crate) mod config;
pub(crate) mod edge;
pub(crate) mod http;
pub(crate) mod lab;
pub(crate) mod microsoft;
pub(crate) mod names;
pub(crate) mod peer;
pub(crate) mod phone;
pub(crate) mod process;
pub(crate) mod sipp;
pub(crate) mod sound;
pub(crate) mod story;
pub(crate) mod tandem;
pub(crate) mod wire;

use std::time::{Duration, Instant};

pub(crate) use config::Config;
pub(crate) use lab::Lab;
pub(crate) use sipp::{Running, Sipp};
pub(crate) use sound::{Sound, tone};
pub(crate) use tandem::Tandem;

/// How long a test waits for what must come. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something outside this process.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks until something is there, and fails with `what` when it is not in time.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// People talk: time that passes in the story. Nothing is waited for.
pub(crate) fn they_talk(seconds: u64) {
    std::thread::sleep(Duration::from_secs(seconds));
}
