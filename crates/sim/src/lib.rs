//! Simulation of a center: a seed draws callers, agents, telephones and trouble; an auditor rebuilds the world from
//! the facts alone and checks it after every input. For tests only, never shipped.
//!
//! [`check`] runs one seed. `cargo xtask sim --start N --seeds M` runs any number of them.

pub mod auditor;
pub mod dice;
pub mod door;
pub mod plan;
pub mod run;
pub mod shortest;
pub mod steady;

pub use auditor::{Auditor, Complaint, Wrong};
pub use plan::Plan;
pub use run::Summary;
pub use shortest::Shortest;

use tandem_center::config::Faults;

/// A seed that failed.
#[derive(Debug)]
pub enum Failure {
    /// The seed drew a configuration that cannot be: a fault of the workload.
    Configuration(Faults),
    /// The auditor complained.
    Audit(Box<Shortest>),
}

/// Runs one seed. A failing one is told as the shortest story that fails alike.
pub fn check(seed: u64) -> Result<Summary, Failure> {
    let plan = Plan::draw(seed).map_err(Failure::Configuration)?;
    run::run(&plan).map_err(|complaint| {
        let shortest = shortest::shortest(&plan).unwrap_or(Shortest { complaint, story: String::new() });
        Failure::Audit(Box::new(shortest))
    })
}
