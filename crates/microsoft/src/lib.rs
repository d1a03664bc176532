//! Microsoft Entra ID and Microsoft Graph as values: requests out, answers and notifications in.
//!
//! Nothing here does IO: the shell sends what is asked for and hands in what came back, with the time. Every host is
//! configuration, so that the same code speaks to the public cloud, a national one, and the sandbox.

pub mod entra;
pub mod graph;
pub mod http;
pub mod id;
pub mod secret;
pub mod time;
