//! The command line of `tandem`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tandem::{check, demo, erase, explain, serve};
use tandem_store::Tenant;

/// Gives memory back to the system when calls have ended; the system's own allocator keeps most of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The open contact center for Microsoft Teams.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer calls.
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "tandem.toml")]
        config: PathBuf,
    },
    /// Start a living contact center on this machine, with simulated callers and Teams users. Nothing leaves loopback.
    Demo {
        /// Where the page is served.
        #[arg(long, value_name = "PORT", default_value_t = demo::PAGE_PORT)]
        port: u16,
        /// The folder of the demo's journal and certificates. Default: a folder that is removed at the end.
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        /// How many callers come in an hour.
        #[arg(long, value_name = "CALLS", default_value_t = demo::CALLS_PER_HOUR)]
        calls_per_hour: u32,
    },
    /// Explain every fault of a configuration, its certificates, names and trunks, with the remedy.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "tandem.toml")]
        config: PathBuf,
        /// Look at the file and what it names only: no name is resolved and nothing is connected to.
        #[arg(long)]
        offline: bool,
    },
    /// Say why an agent was rung for a caller, or why a caller waits. Reads the journal, whether Tandem runs or not.
    Explain {
        /// The interaction: the number in the address of its page.
        interaction: u64,
        /// Whose interaction it is, where there are several tenants.
        #[arg(long, value_name = "ID")]
        tenant: Option<Tenant>,
        /// The number of the fact of an offer. Default: why the caller waits now, or the last offer.
        #[arg(long, value_name = "NUMBER")]
        offer: Option<u64>,
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "tandem.toml")]
        config: PathBuf,
    },
    /// Destroy everything that is kept of a customer who has left: facts, recordings, people, keys, webhooks, trail. It cannot
    /// be undone. The customer no longer stands in the configuration, and Tandem does not run.
    Remove {
        /// The id of the customer.
        #[arg(long, value_name = "ID")]
        tenant: Tenant,
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "tandem.toml")]
        config: PathBuf,
    },
    /// Start a simulated Microsoft 365 tenant alone, for people who build on Tandem.
    Sandbox {
        /// The folder of its certificates.
        #[arg(long, value_name = "FOLDER", default_value = "tandem-sandbox")]
        data: PathBuf,
        /// The sandbox's own configuration file. Default: the Contoso tenant on loopback.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Demo { port, data, calls_per_hour } => demo::run(port, data, calls_per_hour),
        Command::Check { config, offline } => check::run(&config, offline),
        Command::Explain { interaction, tenant, offer, config } => {
            explain::run(&config, tenant, interaction, offer)
        }
        Command::Remove { tenant, config } => erase::tenant::run(&config, &tenant),
        Command::Sandbox { data, config } => demo::run_sandbox(&data, config.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tandem: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, but for those that it tells itself.
fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |text, cause| {
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}
