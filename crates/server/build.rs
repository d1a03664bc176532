//! Puts the built web page into the program: every file under `web/dist`, or, without one, a page that says how to
//! build it. So `cargo build` needs no Node.js, and a program with the page needs no files beside it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let dist = root.join("../../web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/page");
    // A path that does not exist counts as changed at every build: watch the folder above it instead.
    println!("cargo::rerun-if-changed={}", if dist.exists() { "../../web/dist" } else { "../../web" });
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist.canonicalize()?, "", &mut files)?;
        files.sort();
    } else {
        files.push(("index.html".to_owned(), root.join("src/page/placeholder.html")));
        files.push(("placeholder.css".to_owned(), root.join("src/page/placeholder.css")));
    }
    let mut code = String::from("const FILES: &[File] = &[\n");
    for (path, file) in files {
        let tag = fingerprint(&fs::read(&file)?);
        let file = file.display().to_string();
        let _ = writeln!(
            code,
            "    File {{ path: {path:?}, tag: \"\\\"{tag:016x}\\\"\", bytes: include_bytes!({file:?}) }},"
        );
    }
    code.push_str("];\n");
    fs::write(out.join("page.rs"), code)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push((path, entry.path()));
        }
    }
    Ok(())
}

/// FNV-1a: tells versions of a file apart; nothing depends on it being hard to forge.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
