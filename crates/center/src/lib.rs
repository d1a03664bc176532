//! The contact center of one tenant as one value.
//!
//! Inputs go in (call events, acts of agents, the time), outputs come out (call commands, facts). There is no
//! clock, socket, task, lock or file here, and nothing is drawn by lot: the same inputs give the same outputs.
//! See ARCHITECTURE.md.

pub mod acquaintance;
pub mod agent;
pub mod call;
pub mod callback;
pub mod channel;
pub mod condition;
pub mod config;
pub mod erase;
pub mod explain;
pub mod fact;
pub mod flow;
pub mod id;
pub mod personal;
pub mod record;
pub mod supervise;
pub mod terms;
pub mod timer;
pub mod view;

mod center;
mod class;
mod conversation;
mod duty;
mod ending;
mod entry;
mod interaction;
mod journal;
mod matching;
mod message;
mod offer;
mod queue;
mod redirect;
mod restore;
mod snapshot;
mod waiting;
mod wrap_up;

pub use center::{Center, Input};
pub use journal::Output;
pub use timer::Timestamp;
