//! The contact center of one tenant as one value.
//!
//! Inputs go in (call events, acts of agents, the time), outputs come out (call commands, facts). There is no
//! clock, socket, task, lock or file here; a seed reproduces a run. See ARCHITECTURE.md.

pub mod call;
