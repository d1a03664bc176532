//! Licences, the one crypto provider, the one SQLite, and the floors of the house.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Licences that may be shipped. An expression passes if one of its alternatives has only these.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Who may use whom among our own crates. What is not listed here is not allowed: dependencies run one way.
const FLOORS: &[(&str, &[&str])] = &[
    ("tandem-center", &[]),
    ("tandem-sip", &[]),
    ("tandem-media", &[]),
    ("tandem-b2bua", &["tandem-center", "tandem-media", "tandem-sip"]),
    ("tandem-metrics", &["tandem-center"]),
    ("tandem-microsoft", &["tandem-strangers"]),
    ("tandem-people", &["tandem-strangers"]),
    ("tandem-relay", &["tandem-media"]),
    ("tandem-store", &["tandem-center"]),
    ("tandem-strangers", &[]),
    ("tandem-sandbox", &["tandem-media", "tandem-relay", "tandem-sip"]),
    ("tandem-sim", &["tandem-center"]),
    (
        "tandem",
        &[
            "tandem-b2bua",
            "tandem-center",
            "tandem-media",
            "tandem-metrics",
            "tandem-microsoft",
            "tandem-people",
            "tandem-relay",
            "tandem-sandbox",
            "tandem-sip",
            "tandem-store",
            "tandem-strangers",
        ],
    ),
    ("xtask", &["tandem-sim"]),
];

/// Packages of which a second version, or any version at all, would do harm.
const AT_MOST: &[(&str, usize, &str)] = &[
    ("libsqlite3-sys", 1, "two SQLites cannot be linked into one program"),
    ("ring", 0, "with two crypto providers rustls cannot choose, and the first TLS connection panics"),
    ("openssl-sys", 0, "the program must not depend on the system's OpenSSL"),
];

/// Runs all checks.
pub(crate) fn check() -> Result<()> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let mut faults = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let tree = tree()?;
    let used: BTreeSet<&str> = tree.lines().filter(|line| !line.is_empty()).collect();
    for line in &used {
        let (package, licence) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split(' ').next().unwrap_or_default();
        *counts.entry(name).or_default() += 1;
        if !allowed(licence) {
            faults.push(format!("{name}: the licence {licence:?} is not on the list"));
        }
    }
    for (name, most, why) in AT_MOST {
        let count = counts.get(name).copied().unwrap_or(0);
        if count > *most {
            faults.push(format!("{name}: {count} versions, at most {most} may be: {why}"));
        }
    }
    faults.extend(floors(packages));
    if faults.is_empty() {
        println!("dependencies: {} packages, all allowed", used.len());
        Ok(())
    } else {
        bail!("dependencies:\n  {}", faults.join("\n  "))
    }
}

fn floors(packages: &[Value]) -> Vec<String> {
    let known: BTreeMap<&str, &[&str]> = FLOORS.iter().copied().collect();
    let ours: Vec<&Value> = packages.iter().filter(|package| package["source"].is_null()).collect();
    let names: BTreeSet<&str> = ours.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut faults = Vec::new();
    for package in ours {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = known.get(name) else {
            faults.push(format!("{name}: its place in the house is not written down in xtask"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // Tests may look at what they test from outside.
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            let used = dependency["name"].as_str().unwrap_or_default();
            if names.contains(used) && !allowed.contains(&used) {
                faults.push(format!("{name} may not use {used}: dependencies run one way"));
            }
        }
    }
    faults
}

fn allowed(expression: &str) -> bool {
    // `A OR B`, `A/B`, `(A OR B) AND C`: every part that is joined by AND needs one allowed alternative.
    !expression.is_empty()
        && expression.replace('/', " OR ").split(" AND ").all(|part| {
            part.trim_matches(['(', ')', ' '])
                .split(" OR ")
                .any(|licence| LICENCES.contains(&licence.trim_matches(['(', ')', ' '])))
        })
}

/// What is really compiled, tests included, one line a package: `name version|licence`.
fn tree() -> Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"])
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("cargo tree is no text")
}

fn metadata() -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata is no JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alternative_is_enough_and_a_conjunction_is_not() {
        assert!(allowed("MIT OR GPL-3.0"));
        assert!(allowed("MIT/Apache-2.0"));
        assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!allowed("MIT AND GPL-3.0"));
        assert!(!allowed("GPL-3.0"));
        assert!(!allowed(""));
    }

    #[test]
    fn a_core_that_uses_a_shell_is_found() {
        let packages = serde_json::json!([
            { "name": "tandem-center", "source": null, "dependencies": [{ "name": "tandem-store", "kind": null }] },
            { "name": "tandem-store", "source": null, "dependencies": [] },
            { "name": "newcomer", "source": null, "dependencies": [] },
        ]);
        let faults = floors(packages.as_array().unwrap());
        assert_eq!(faults.len(), 2, "{faults:?}");
    }
}
