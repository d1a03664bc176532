//! The project's own commands: `cargo xtask <command>`.

mod dependencies;
mod house;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <command>

  dependencies   check licences, the one crypto provider, and who may depend on whom
  house          check rules of the house that the compiler does not know";

fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "dependencies" => dependencies::check(),
        "house" => house::check(),
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
