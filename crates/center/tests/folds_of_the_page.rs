//! The page's fold and the center's say the same.
//!
//! `web/test/folds.jsonl` has stories: lines with a fact and what it changed in the view. This test holds the center to
//! the file, `web/test/fold.test.ts` holds the page to it. After a change of the view:
//! `TANDEM_WRITE_FOLDS=1 cargo test -p tandem-center --test folds_of_the_page` writes what the facts of the file mean now.
//! With a path instead of `1`, the stories of that file, one fact in each line, come after those that are there.

#![cfg(test)]

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use tandem_center::fact::Fact;
use tandem_center::view::View;

const KNOWN: &str = include_str!("../../../web/test/folds.jsonl");

#[test]
fn the_page_folds_like_the_center() {
    let facts = KNOWN.lines().map(|line| {
        let recorded: Value = serde_json::from_str(line).expect("JSON");
        serde_json::from_value(recorded["fact"].clone()).expect("a fact")
    });
    let folds = folds(facts.chain(more()));
    #[expect(clippy::disallowed_methods, reason = "whoever changes the view asks for the file")]
    if std::env::var_os("TANDEM_WRITE_FOLDS").is_some() {
        std::fs::write(fixture(), folds.iter().map(|line| format!("{line}\n")).collect::<String>())
            .expect("a disk");
        return;
    }
    for (number, (known, fold)) in KNOWN.lines().zip(folds).enumerate() {
        let known: Value = serde_json::from_str(known).expect("JSON");
        assert_eq!(known, fold, "line {} of {}", number + 1, fixture().display());
    }
}

/// For each fact what it changed. The first fact of a story has the number 1.
///
/// Acquaintances are left out: a page has no use for them, and does not keep them.
fn folds(facts: impl Iterator<Item = Fact>) -> Vec<Value> {
    let mut view = View::default();
    let (mut before, mut recent) = (json!({}), Vec::new());
    let line = |fact: Fact| {
        if fact.number == 1 {
            view = View::default();
            (before, recent) = (json_of(&view), Vec::new());
        }
        let fact = Arc::new(fact);
        view.apply(&fact);
        let after = json_of(&view);
        let mut line = json!({ "fact": json_of(&*fact) });
        for part in ["agents", "interactions", "queues"] {
            put(&mut line, part, changes(&before["live"][part], &after["live"][part]));
        }
        if before["totals"] != after["totals"] {
            line["totals"] = after["totals"].clone();
        }
        let closed: Vec<u64> = view.recent.iter().map(|closed| closed.interaction.0).collect();
        if closed != recent {
            line["recent"] = json!(closed);
            recent = closed;
        }
        before = after;
        line
    };
    facts.map(line).collect()
}

/// What is new or different, and `null` for what is gone.
fn changes(before: &Value, after: &Value) -> Map<String, Value> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return Map::new() };
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let new = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    gone.chain(new.map(|(key, value)| (key.clone(), value.clone()))).collect()
}

fn put(line: &mut Value, part: &str, changes: Map<String, Value>) {
    if !changes.is_empty() {
        line[part] = changes.into();
    }
}

/// The stories that are to be added.
#[expect(clippy::disallowed_methods, reason = "whoever adds stories names their file")]
fn more() -> Vec<Fact> {
    let path = std::env::var("TANDEM_WRITE_FOLDS").unwrap_or_default();
    if path.is_empty() || path == "1" {
        return Vec::new();
    }
    let journal = std::fs::File::open(path).map(std::io::BufReader::new).expect("a file of facts");
    journal.lines().map(|line| serde_json::from_str(&line.expect("text")).expect("a fact")).collect()
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/test/folds.jsonl")
}

fn json_of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}
