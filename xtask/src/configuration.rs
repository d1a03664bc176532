//! The reference of the configuration file, written from the comments of the types that read it: one source, no drift.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The files whose types are the configuration, in the order in which the reference shows them.
const SOURCES: &[&str] = &[
    "crates/server/src/config/file.rs",
    "crates/center/src/config/document.rs",
    "crates/center/src/flow/document.rs",
];
/// The reference.
const REFERENCE: &str = "docs/configuration.md";
/// Types that repeat what another one says.
const LEFT_OUT: &[&str] = &["Document"];

const HEAD: &str = "# Configuration

One TOML file, read at start: `tandem serve --config tandem.toml`. Most of it may change while calls go on
([administrator.md](administrator.md#changing-the-configuration)). `tandem check --config tandem.toml` explains every
fault in it with its remedy. Unknown keys are faults. Paths start at the file's own folder. A small complete file to begin
with is [tandem.example.toml](tandem.example.toml); `tandem demo` prints where its own file lies.

This page is written from the program's source by `cargo xtask configuration`.
";

/// Writes the reference, or checks that it is up to date.
pub(crate) fn run(check_only: bool) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
    let mut text = HEAD.to_owned();
    for source in SOURCES {
        let code = fs::read_to_string(root.join(source)).with_context(|| (*source).to_owned())?;
        for item in items(&code) {
            write_item(&mut text, &item);
        }
    }
    let path = root.join(REFERENCE);
    if check_only {
        if fs::read_to_string(&path).unwrap_or_default() != text {
            bail!("{REFERENCE} is not what the source says: run `cargo xtask configuration`");
        }
        println!("configuration: {REFERENCE} is up to date");
        return Ok(());
    }
    fs::write(&path, text).with_context(|| REFERENCE.to_owned())
}

/// A struct or an enum with its documentation.
#[derive(Debug, Default, PartialEq)]
struct Item {
    name: String,
    docs: Vec<String>,
    is_enum: bool,
    keys: Vec<(String, Vec<String>)>,
}

/// The public structs and enums of a file, by their lines.
fn items(code: &str) -> Vec<Item> {
    let mut all = Vec::new();
    let mut docs: Vec<String> = Vec::new();
    let mut open: Option<Item> = None;
    for line in code.lines() {
        let trimmed = line.trim();
        if let Some(doc) = trimmed.strip_prefix("///") {
            docs.push(doc.strip_prefix(' ').unwrap_or(doc).to_owned());
            continue;
        }
        if trimmed.starts_with("#[") {
            continue;
        }
        if let Some(item) = &mut open {
            if line == "}" {
                all.extend(open.take());
            } else if let Some(key) = key_of(trimmed, item.is_enum) {
                item.keys.push((key, std::mem::take(&mut docs)));
                continue;
            }
        } else if let Some((name, is_enum)) = declaration(trimmed) {
            open = Some(Item { name, docs: std::mem::take(&mut docs), is_enum, keys: Vec::new() });
            continue;
        }
        docs.clear();
    }
    all
}

fn declaration(line: &str) -> Option<(String, bool)> {
    let (rest, is_enum) = match line.strip_prefix("pub struct ") {
        Some(rest) => (rest, false),
        None => (line.strip_prefix("pub enum ")?, true),
    };
    Some((rest.strip_suffix(" {")?.to_owned(), is_enum))
}

fn key_of(line: &str, is_enum: bool) -> Option<String> {
    if is_enum {
        let name = line.strip_suffix(',')?;
        return name.chars().all(char::is_alphanumeric).then(|| snake(name));
    }
    let (name, _) = line.strip_prefix("pub ")?.split_once(':')?;
    Some(name.to_owned())
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (place, c) in name.chars().enumerate() {
        if c.is_uppercase() && place > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn write_item(text: &mut String, item: &Item) {
    // Enums are told where they are used.
    if item.is_enum || LEFT_OUT.contains(&item.name.as_str()) {
        return;
    }
    let told = item.docs.join("\n");
    let (title, rest) = match told.split_once(": ").filter(|(title, _)| title.starts_with('`')) {
        Some((title, rest)) => (title.to_owned(), rest.to_owned()),
        None => (told.trim_end_matches('.').to_owned(), String::new()),
    };
    let _ = write!(text, "\n## {title}\n");
    if !rest.is_empty() {
        let _ = write!(text, "\n{}\n", capital(&rest));
    }
    text.push('\n');
    for (key, docs) in &item.keys {
        let told = docs.join(" ");
        // Sections of the whole file have their own chapter.
        if told.starts_with("`[") {
            continue;
        }
        let told = told.strip_prefix(&format!("`{key}`: ")).unwrap_or(&told);
        let _ = writeln!(text, "- **`{key}`**: {told}");
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_their_comments_are_found() {
        let code = "/// `[http]`: the API.\n#[derive(Debug)]\npub struct HttpFile {\n    /// Address and port.\n    \
                    #[serde(default)]\n    pub listen: SocketAddr,\n}\n\nimpl HttpFile {\n    pub fn x() {}\n}\n";
        let all = items(code);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].keys, [("listen".to_owned(), vec!["Address and port.".to_owned()])]);
        let mut text = String::new();
        write_item(&mut text, &all[0]);
        assert_eq!(text, "\n## `[http]`\n\nThe API.\n\n- **`listen`**: Address and port.\n");
    }
}
