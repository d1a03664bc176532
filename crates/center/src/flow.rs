//! What happens to a caller before an agent: written as a document, compiled once, run step by step.

pub mod document;

pub(crate) mod compile;
pub(crate) mod run;
