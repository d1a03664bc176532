//! The program `tandem`: sockets, tasks, files, configuration, HTTP. It runs the cores and decides nothing about
//! calls or people.

pub mod api;
pub mod centers;
pub mod check;
pub mod config;
pub mod demo;
pub mod desk;
pub mod engine;
pub mod erase;
pub mod expected;
pub mod experts;
pub mod explain;
pub mod identity;
pub mod live;
pub mod metrics;
pub mod microsoft;
pub mod outbound;
pub mod page;
pub mod prompts;
mod record;
pub mod recordings;
pub mod reload;
pub mod reports;
pub mod restore;
pub mod serve;
pub mod telemetry;
pub mod timeline;
pub mod transport;
pub mod webhooks;
pub mod word;
