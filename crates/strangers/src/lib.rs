//! What those whom nobody knows yet may hold: connections, sign-ins that have begun. They share one room, and none of them
//! takes it from the others, because each is known by where it comes from ([`Source`]) and has a share ([`Room`]).
//!
//! Nothing here does IO; time is handed in.

pub mod room;
pub mod source;
pub mod waiting;

pub use room::{Full, Room};
pub use source::Source;
pub use waiting::Waiting;
