//! The command line of `tandem`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tandem::{check, serve};

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
    /// Explain every fault of a configuration, its certificates, names and trunks, with the remedy.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "tandem.toml")]
        config: PathBuf,
        /// Look at the file and what it names only: no name is resolved and nothing is connected to.
        #[arg(long)]
        offline: bool,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { config, offline } => check::run(&config, offline),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tandem: {error:#}");
            ExitCode::FAILURE
        }
    }
}
