//! The configuration, read at start and when it is brought into force anew, checked as a whole, and never doubted afterwards.

pub mod fault;
pub mod file;
mod people;
pub mod ports;
pub mod routes;
pub mod settings;
pub mod standing;

pub use fault::{Fault, Faults};
pub use file::File;
pub use routes::Routes;
pub use settings::{Settings, TenantSettings};
