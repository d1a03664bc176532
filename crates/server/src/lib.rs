//! The program `tandem`: sockets, tasks, files, configuration, HTTP. It runs the cores and decides nothing about
//! calls or people.

pub mod check;
pub mod config;
pub mod prompts;
pub mod transport;
