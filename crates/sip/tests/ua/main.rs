//! What a user agent does, one file for each behaviour, on virtual time.

mod harness;
mod solo;

mod call;
mod cancel;
mod forking;
mod refusals;
mod reliable;
mod reoffer;
mod routing;
mod session_timer;
mod success_again;
mod transfer;
