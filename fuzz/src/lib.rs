//! What must hold for any bytes from outside, one function per parser.

pub mod directory;
pub mod entra;
pub mod graph;
pub mod media;
pub mod people;
pub mod sip;
