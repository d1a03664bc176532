//! Tandem with Microsoft 365: the real program against the simulated tenants, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    unreachable_pub,
    reason = "tests"
)]

mod check;
#[path = "../common/mod.rs"]
mod common;
mod directory;
mod experts;
mod notifications;
mod onboarding;
mod presence;
mod sign_in;
mod trouble;
mod world;
mod written;
