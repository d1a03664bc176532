//! Who people are, what they may do, and who knows what: roles, permissions, credentials, and the directory in which
//! experts are found.
//!
//! Nothing here does IO; time and randomness are handed in.

pub mod api_key;
pub mod audit;
pub mod caller;
pub mod directory;
pub mod id;
pub mod login;
pub mod moment;
pub mod passkey;
pub mod password;
pub mod permission;
pub mod person;
pub mod role;
pub mod scope;
pub mod secret;
pub mod setup;
pub mod throttle;
