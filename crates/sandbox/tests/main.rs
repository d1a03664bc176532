//! The behaviour of the sandbox, one file for each; one program, so that it is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod certificates;
mod common;
mod control_stays_home;
mod names;
