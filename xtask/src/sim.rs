//! `cargo xtask sim --start N --seeds M`: the simulation of the center, over any seeds.
//!
//! It runs the example `seeds` of the crate `tandem-sim`, optimised, so that xtask itself stays without the product.

use std::process::Command;

use anyhow::{Context, Result, bail};

/// Runs the seeds that the arguments name; fails at the first one that fails, whose shortest story is printed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (start, seeds) = parse(arguments)?;
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--package", "tandem-sim", "--example", "seeds", "--"])
        .args([start.to_string(), seeds.to_string()])
        .status()
        .context("cargo could not be started")?;
    if status.success() {
        Ok(())
    } else {
        bail!("sim: a seed failed; `cargo xtask sim --start <seed> --seeds 1` tells its story again")
    }
}

fn parse(arguments: &[String]) -> Result<(u64, u64)> {
    let (mut start, mut seeds) = (0, 1_000);
    for pair in arguments.chunks(2) {
        match pair {
            [key, value] if key == "--start" => start = value.parse().context("--start takes a number")?,
            [key, value] if key == "--seeds" => seeds = value.parse().context("--seeds takes a number")?,
            _ => bail!("usage: cargo xtask sim [--start N] [--seeds M]"),
        }
    }
    Ok((start, seeds))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn arguments_are_numbers_after_their_names() {
        let parsed = |text: &str| parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).ok();
        assert_eq!(parsed(""), Some((0, 1_000)));
        assert_eq!(parsed("--start 7 --seeds 3"), Some((7, 3)));
        assert_eq!(parsed("--start"), None);
        assert_eq!(parsed("--seeds many"), None);
        assert_eq!(parsed("7"), None);
    }
}
