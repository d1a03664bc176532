//! The project's own commands: `cargo xtask <command>`.

mod configuration;
mod dependencies;
mod house;
mod sim;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  configuration  write docs/configuration.md from the source; with --check: is it up to date?
  dependencies   check licences, the one crypto provider, and who may depend on whom
  house          check rules of the house that the compiler does not know
  sim            run seeds of the simulation: [--start N] [--seeds M]; the first that fails tells its shortest story";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "configuration" => configuration::run(std::env::args().any(|argument| argument == "--check")),
        "dependencies" => dependencies::check(),
        "house" => house::check(),
        "sim" => sim::run(&std::env::args().skip(2).collect::<Vec<_>>()),
        _ => Err(anyhow::anyhow!("{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
