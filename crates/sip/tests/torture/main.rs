//! Messages made to break parsers, and messages as Teams writes them: what becomes of each, and of any change to it.

#![expect(clippy::panic, reason = "a fixture that cannot be read is a failed test")]

mod fates;
mod fixtures;
mod mutation;

#[path = "../../../../fuzz/src/sip.rs"]
#[expect(unreachable_pub, reason = "the same file is a library for cargo-fuzz")]
mod targets;
