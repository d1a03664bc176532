//! Rules of the house that the compiler does not know, over the text of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A module of this name is one where something was not understood: name the noun of the field instead.
const NAMELESS: &[&str] =
    &["common", "core", "helper", "helpers", "manager", "misc", "types", "util", "utils"];

/// Crates that are values: their manifests may not name a runtime.
const CORES: &[&str] = &["b2bua", "center", "media", "metrics", "microsoft", "people", "sip", "strangers"];
/// What a core may not depend on.
const RUNTIMES: &[&str] = &["async-std", "crossbeam", "mio", "rustix", "smol", "tokio"];

/// Marks of unfinished work.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

/// Runs all checks.
pub(crate) fn check() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "web/src", "docs", "fuzz"] {
        collect(&root.join(folder), &mut files)?;
    }
    let mut faults = Vec::new();
    for path in &files {
        let shown = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let is_test_support = shown.contains("/tests/");
        if path.extension().is_some_and(|e| e == "rs") && NAMELESS.contains(&stem) && !is_test_support {
            faults.push(format!("{shown}: a file called {stem} names no noun of the field"));
        }
        let Ok(text) = fs::read_to_string(path) else { continue };
        for (number, line) in text.lines().enumerate() {
            if MARKS.iter().any(|mark| line.contains(mark)) {
                faults.push(format!("{shown}:{}: unfinished work is marked here; finish it", number + 1));
            }
            if line.contains(concat!("#[", "ignore")) {
                faults.push(format!("{shown}:{}: an ignored test proves nothing", number + 1));
            }
        }
    }
    for name in CORES {
        let path = root.join("crates").join(name).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for runtime in RUNTIMES {
            if dependencies.lines().any(|line| line.starts_with(runtime)) {
                faults.push(format!("crates/{name}: a core may not depend on {runtime}"));
            }
        }
    }
    if faults.is_empty() {
        println!("house: {} files, all in order", files.len());
        Ok(())
    } else {
        bail!("house:\n  {}", faults.join("\n  "))
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let mut entries: Vec<_> = fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .collect::<std::io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("target") {
                collect(&path, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|e| ["md", "rs", "toml", "ts", "tsx", "css"].iter().any(|x| e == *x))
        {
            files.push(path);
        }
    }
    Ok(())
}
