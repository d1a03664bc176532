//! Who people are, what they may do, and who knows what: roles, permissions, credentials, and the directory in which
//! experts are found.
//!
//! Nothing here does IO; time and randomness are handed in.

pub mod directory;
