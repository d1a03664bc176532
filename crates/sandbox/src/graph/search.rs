//! `$search` on the directory: words in names ("Use the $search query parameter", directory objects).

use serde_json::Value;

use super::fault::Fault;
use super::query::Kind;

/// Clauses of a property and words; one group of `OR` after the other, each of clauses with `AND`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(Vec<Vec<Clause>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    property: &'static str,
    text: String,
}

impl Search {
    /// Reads `"displayName:ann" OR "mail:ann"`.
    pub fn parse(text: &str, kind: &Kind) -> Result<Self, Fault> {
        let mut groups: Vec<Vec<Clause>> = vec![Vec::new()];
        let mut rest = text.trim();
        let mut clauses = 0;
        loop {
            let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
            let Some((clause, after)) = quoted else { return Err(syntax(text)) };
            clauses += 1;
            if clauses > CLAUSES_MAX {
                return Err(Fault::Bad("The search has too many clauses.".to_owned()));
            }
            let clause = Clause::parse(clause, kind)?;
            if let Some(group) = groups.last_mut() {
                group.push(clause);
            }
            rest = after.trim_start();
            if rest.is_empty() {
                return Ok(Self(groups));
            } else if let Some(after) = rest.strip_prefix("OR ") {
                groups.push(Vec::new());
                rest = after.trim_start();
            } else if let Some(after) = rest.strip_prefix("AND ") {
                rest = after.trim_start();
            } else {
                return Err(syntax(text));
            }
        }
    }

    /// Whether an object has the words.
    pub fn fits(&self, object: &Value) -> bool {
        self.0.iter().any(|group| group.iter().all(|clause| clause.fits(object)))
    }
}

impl Clause {
    fn parse(text: &str, kind: &Kind) -> Result<Self, Fault> {
        let (name, text) = text.split_once(':').ok_or_else(|| syntax(text))?;
        let property = kind.searchable.iter().find(|property| property.eq_ignore_ascii_case(name.trim()));
        let Some(property) = property else {
            return Err(Fault::UnsupportedQuery(format!(
                "The property '{name}' does not support the $search query parameter."
            )));
        };
        Ok(Self { property, text: text.trim().to_lowercase() })
    }

    /// Names are split into words, of which each is compared with the beginnings; other properties as a whole.
    fn fits(&self, object: &Value) -> bool {
        let Some(found) = object.get(self.property).and_then(Value::as_str) else { return false };
        let found = found.to_lowercase();
        if self.property != "displayName" {
            return found.starts_with(&self.text);
        }
        let mut wanted = split(&self.text).peekable();
        wanted.peek().is_some() && wanted.all(|wanted| split(&found).any(|word| word.starts_with(wanted)))
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn syntax(text: &str) -> Fault {
    Fault::Bad(format!("Syntax error in search clause '{text}': write $search=\"property:text\"."))
}

/// Chosen by taste.
const CLAUSES_MAX: usize = 15;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::people::USER;
    use super::*;

    fn fits(search: &str) -> bool {
        let ann = json!({ "displayName": "Ann-Marie O'Neil", "mail": "annie@contoso.example" });
        Search::parse(search, &USER).unwrap().fits(&ann)
    }

    #[test]
    fn words_begin_so_in_any_order() {
        for yes in [
            "\"displayName:mar\"",
            "\"displayName:nei ann\"",
            "\"mail:annie\"",
            "\"displayName:x\" OR \"mail:ann\"",
        ] {
            assert!(fits(yes), "{yes}");
        }
        for no in [
            "\"displayName:arie\"",
            "\"displayName:ann\" AND \"mail:x\"",
            "\"displayName:\"",
            "\"mail:contoso\"",
        ] {
            assert!(!fits(no), "{no}");
        }
        for wrong in ["displayName:ann", "\"ann\"", "\"skills:vpn\"", "\"mail:a\" \"mail:b\"", "\""] {
            assert_eq!(Search::parse(wrong, &USER).unwrap_err().status(), 400, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_search_is_read_or_refused(search in "[\": a-zOR]{0,40}|.{0,40}") {
            let _ = Search::parse(&search, &USER);
        }
    }
}
