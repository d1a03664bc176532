//! Contact-center metrics: what the facts of a center say about service, work and waiting.
//!
//! A metric is a name, a variant and parameters; all three stand beside every value, and the value is given
//! with its numerator and denominator. Nothing is kept rounded, and what is undefined is none, never zero.
//!
//! Everything here is a value: [`Report`](report::Report) folds facts, the formulas compute, and no clock,
//! file or randomness is touched. What it does not do: decide anything, store anything, draw anything. The
//! definitions with examples stand in `docs/metrics.md`.

pub mod agent_time;
pub mod erlang;
pub mod expected_wait;
pub mod first_contact;
pub mod handling;
pub mod interval;
pub mod metric;
pub mod report;
pub mod schedule;
pub mod series;
pub mod service_level;
pub mod staffing;
pub mod tally;
pub mod visit;
pub mod waiting;

mod chance;
mod taken;
