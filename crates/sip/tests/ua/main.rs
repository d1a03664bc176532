//! What a user agent does, one file for each behaviour, on virtual time.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test takes for granted ends it where it fails"
)]

mod harness;
mod solo;

mod anything;
mod authentication;
mod bad_network;
mod call;
mod cancel;
mod forking;
mod outside_dialogs;
mod refusals;
mod reliable;
mod reoffer;
mod replaces;
mod routing;
mod session_timer;
mod success_again;
mod transfer;
