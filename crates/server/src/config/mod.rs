//! The configuration, read once at start, checked as a whole, and never doubted afterwards.

pub mod fault;
pub mod file;
mod people;
pub mod routes;
pub mod settings;

pub use fault::{Fault, Faults};
pub use file::File;
pub use routes::Routes;
pub use settings::{Settings, TenantSettings};
