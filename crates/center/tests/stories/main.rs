//! Stories about a center on virtual time, one file per behaviour.

mod entry;

// Marked as a test so that its helpers may unwrap.
#[cfg(test)]
mod harness;
