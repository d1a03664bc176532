//! The behaviour of the sandbox, one file for each; one program, so that it is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod calls_of_users;
mod certificates;
mod common;
mod control_stays_home;
mod hold;
mod in_dialog;
mod known_forms;
mod names;
mod one_way_connections;
mod refusals;
mod ringing;
mod room;
mod transfer;
mod trunk_health;
