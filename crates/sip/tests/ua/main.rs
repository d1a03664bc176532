//! What a user agent does, one file for each behaviour, on virtual time.

mod harness;

mod call;
mod reoffer;
mod session_timer;
