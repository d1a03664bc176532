//! SIP as values (RFC 3261): messages, what is in their headers, and how they are cut out of a stream.
//!
//! The crate does no IO. It owns no socket, no clock and no source of chance: bytes, time and random numbers are
//! handed in, messages and events come out. What a body means is none of its business.

pub mod build;
pub mod digest;
pub mod fault;
pub mod framing;
pub mod grammar;
pub mod header;
pub mod message;
pub mod method;
mod parse;
pub mod screening;
pub mod status;
pub mod uri;
