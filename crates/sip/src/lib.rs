//! SIP as values (RFC 3261): messages, what is in their headers, and how they are cut out of a stream.
//!
//! The crate does no IO. It owns no socket, no clock and no source of chance: bytes, time and random numbers are
//! handed in, messages and events come out. What a body means is none of its business.

pub mod build;
mod dialog;
pub mod digest;
pub mod fault;
pub mod flow;
pub mod framing;
pub mod grammar;
pub mod header;
pub mod message;
pub mod method;
mod parse;
mod random;
mod reliable;
pub mod screening;
mod session_timer;
pub mod status;
mod timer;
mod transaction;
pub mod ua;
pub mod uri;
