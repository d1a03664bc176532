//! `$filter`: which objects of a collection are meant (OData 4.01 part 2 section 5.1.1, as far as the directory
//! understands it).

use serde_json::Value;

use super::fault::Fault;
use super::query::Kind;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of these.
    And(Vec<Filter>),
    /// One of these.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// The property is this.
    Is {
        /// Its name.
        property: String,
        /// What it is.
        value: Value,
    },
    /// The property is one of these.
    In {
        /// Its name.
        property: String,
        /// What it may be.
        values: Vec<Value>,
    },
    /// The property begins so.
    StartsWith {
        /// Its name.
        property: String,
        /// The beginning.
        text: String,
    },
    /// The property ends so.
    EndsWith {
        /// Its name.
        property: String,
        /// The end.
        text: String,
    },
    /// One element of the property fits: it is this, or begins so.
    Any {
        /// Its name.
        property: String,
        /// The element.
        text: String,
        /// It is enough that the element begins so.
        begins: bool,
    },
}

impl Filter {
    /// Reads a condition on objects of a kind.
    pub fn parse(text: &str, kind: &Kind) -> Result<Self, Fault> {
        let mut reader = Reader { words: words(text)?.into_iter().peekable(), kind, clauses: 0 };
        let filter = reader.either(0)?;
        match reader.words.next() {
            None => Ok(filter),
            Some(_) => Err(syntax(text)),
        }
    }

    /// The ids of a condition `id in ('…', …)` or `id eq '…'`, as subscriptions to presence use it.
    pub fn ids(text: &str) -> Option<Vec<String>> {
        let ids = Kind {
            name: "microsoft.graph.presence",
            properties: &["id"],
            usual: &["id"],
            filterable: &["id"],
            searchable: &[],
            alone: &[],
        };
        let mut reader = Reader { words: words(text).ok()?.into_iter().peekable(), kind: &ids, clauses: 0 };
        reader.clauses = 0;
        let filter = reader.leaf(usize::MAX).ok()?;
        let values = match (filter, reader.words.next()) {
            (Self::In { values, .. }, None) => values,
            (Self::Is { value, .. }, None) => vec![value],
            _ => return None,
        };
        values.into_iter().map(|value| value.as_str().map(str::to_ascii_lowercase)).collect()
    }

    /// Whether it needs the index that lags: `ne`, `not`, `endswith`.
    pub fn is_advanced(&self) -> bool {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().any(Self::is_advanced),
            Self::Not(_) | Self::EndsWith { .. } => true,
            _ => false,
        }
    }

    /// Whether an object is meant. Letters are compared without regard to case, as the directory does.
    pub fn fits(&self, object: &Value) -> bool {
        let text = |property: &str| {
            object.get(property).and_then(Value::as_str).map(str::to_lowercase).unwrap_or_default()
        };
        match self {
            Self::And(all) => all.iter().all(|filter| filter.fits(object)),
            Self::Or(all) => all.iter().any(|filter| filter.fits(object)),
            Self::Not(filter) => !filter.fits(object),
            Self::Is { property, value } => same(object.get(property).unwrap_or(&Value::Null), value),
            Self::In { property, values } => {
                let found = object.get(property).unwrap_or(&Value::Null);
                values.iter().any(|value| same(found, value))
            }
            Self::StartsWith { property, text: start } => text(property).starts_with(&start.to_lowercase()),
            Self::EndsWith { property, text: end } => text(property).ends_with(&end.to_lowercase()),
            Self::Any { property, text, begins } => {
                let wanted = text.to_lowercase();
                let elements = object.get(property).and_then(Value::as_array);
                let mut elements = elements.into_iter().flatten().filter_map(Value::as_str);
                elements.any(|element| {
                    let element = element.to_lowercase();
                    if *begins { element.starts_with(&wanted) } else { element == wanted }
                })
            }
        }
    }
}

fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => found.to_lowercase() == wanted.to_lowercase(),
        _ => found == wanted,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    Name(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

fn words(text: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let word = match letter {
            ' ' | '\t' => continue,
            '(' => Word::Open,
            ')' => Word::Close,
            ',' => Word::Comma,
            ':' => Word::Colon,
            '\'' => {
                let mut quoted = String::new();
                loop {
                    match letters.next() {
                        Some('\'') if letters.peek() == Some(&'\'') => {
                            letters.next();
                            quoted.push('\'');
                        }
                        Some('\'') => break,
                        Some(letter) => quoted.push(letter),
                        None => return Err(syntax(text)),
                    }
                }
                Word::Text(quoted)
            }
            letter if letter.is_ascii_alphanumeric() || "_-+@".contains(letter) => {
                let mut name = String::from(letter);
                while let Some(next) =
                    letters.next_if(|next| next.is_ascii_alphanumeric() || "_-+./@".contains(*next))
                {
                    name.push(next);
                }
                Word::Name(name)
            }
            _ => return Err(syntax(text)),
        };
        if words.len() == WORDS_MAX {
            return Err(Fault::Bad("The filter is too long.".to_owned()));
        }
        words.push(word);
    }
    Ok(words)
}

fn syntax(text: &str) -> Fault {
    Fault::Bad(format!("Invalid filter clause: there is a syntax error in '{text}'."))
}

struct Reader<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<Word>>,
    kind: &'a Kind,
    clauses: usize,
}

impl Reader<'_> {
    fn either(&mut self, depth: usize) -> Result<Filter, Fault> {
        let mut all = vec![self.both(depth)?];
        while self.takes("or") {
            all.push(self.both(depth)?);
        }
        if all.len() > CLAUSES_MAX {
            return Err(too_many());
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Filter::Or(all) })
    }

    fn both(&mut self, depth: usize) -> Result<Filter, Fault> {
        let mut all = vec![self.one(depth)?];
        while self.takes("and") {
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Filter::And(all) })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Fault> {
        if depth == DEPTH_MAX {
            return Err(Fault::Bad("The filter is nested too deeply.".to_owned()));
        }
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.words.next_if_eq(&Word::Open).is_some() {
            let filter = self.either(depth + 1)?;
            self.expect(&Word::Close)?;
            return Ok(filter);
        }
        self.leaf(CLAUSES_MAX)
    }

    fn leaf(&mut self, values_max: usize) -> Result<Filter, Fault> {
        self.clauses += 1;
        let name = self.name()?;
        if name == "startswith" || name == "endswith" {
            self.expect(&Word::Open)?;
            let property = self.property()?;
            self.expect(&Word::Comma)?;
            let text = self.text()?;
            self.expect(&Word::Close)?;
            return Ok(match name.as_str() {
                "startswith" => Filter::StartsWith { property, text },
                _ => Filter::EndsWith { property, text },
            });
        }
        if let Some(collection) = name.strip_suffix("/any") {
            let property = self.known(collection)?;
            return self.any(property);
        }
        let property = self.known(&name)?;
        match self.name()?.as_str() {
            "eq" => Ok(Filter::Is { property, value: self.literal()? }),
            "ne" => Ok(Filter::Not(Box::new(Filter::Is { property, value: self.literal()? }))),
            "in" => {
                self.expect(&Word::Open)?;
                let mut values = vec![self.literal()?];
                while self.words.next_if_eq(&Word::Comma).is_some() {
                    values.push(self.literal()?);
                }
                self.expect(&Word::Close)?;
                if values.len() > values_max {
                    return Err(too_many());
                }
                Ok(Filter::In { property, values })
            }
            other => Err(Fault::UnsupportedQuery(format!(
                "Unsupported or invalid query filter clause specified for property '{property}': '{other}'."
            ))),
        }
    }

    /// `any(p:p eq '…')` or `any(p:startswith(p,'…'))`.
    fn any(&mut self, property: String) -> Result<Filter, Fault> {
        self.expect(&Word::Open)?;
        let variable = self.name()?;
        self.expect(&Word::Colon)?;
        let first = self.name()?;
        let (text, begins) = if first == "startswith" {
            self.expect(&Word::Open)?;
            let named = self.name()?;
            self.expect(&Word::Comma)?;
            let text = self.text()?;
            self.expect(&Word::Close)?;
            (if named == variable { text } else { return Err(self.wrong()) }, true)
        } else {
            if first != variable || self.name()? != "eq" {
                return Err(self.wrong());
            }
            (self.text()?, false)
        };
        self.expect(&Word::Close)?;
        Ok(Filter::Any { property, text, begins })
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let is_it = |word: &Word| matches!(word, Word::Name(name) if name.eq_ignore_ascii_case(keyword));
        self.words.next_if(is_it).is_some()
    }

    fn expect(&mut self, wanted: &Word) -> Result<(), Fault> {
        if self.words.next().as_ref() == Some(wanted) { Ok(()) } else { Err(self.wrong()) }
    }

    fn name(&mut self) -> Result<String, Fault> {
        match self.words.next() {
            Some(Word::Name(name)) => Ok(name),
            _ => Err(self.wrong()),
        }
    }

    fn text(&mut self) -> Result<String, Fault> {
        match self.words.next() {
            Some(Word::Text(text)) => Ok(text),
            _ => Err(self.wrong()),
        }
    }

    fn property(&mut self) -> Result<String, Fault> {
        let name = self.name()?;
        self.known(&name)
    }

    fn known(&self, name: &str) -> Result<String, Fault> {
        if !self.kind.properties.contains(&name) {
            let text = format!("Could not find a property named '{name}' on type '{}'.", self.kind.name);
            return Err(Fault::Bad(format!("Invalid filter clause: {text}")));
        }
        if !self.kind.filterable.contains(&name) {
            return Err(Fault::UnsupportedQuery(format!(
                "Unsupported or invalid query filter clause specified for property '{name}' of resource '{}'.",
                self.kind.name
            )));
        }
        Ok(name.to_owned())
    }

    fn literal(&mut self) -> Result<Value, Fault> {
        match self.words.next() {
            Some(Word::Text(text)) => Ok(Value::String(text)),
            Some(Word::Name(name)) => Ok(match name.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => name.parse::<i64>().map_or(Value::String(name), Value::from),
            }),
            _ => Err(self.wrong()),
        }
    }

    fn wrong(&self) -> Fault {
        Fault::Bad("Invalid filter clause: there is a syntax error.".to_owned())
    }
}

fn too_many() -> Fault {
    Fault::Bad(format!(
        "Too many child clauses specified in search filter expression containing 'OR' operators: the limit is \
         {CLAUSES_MAX}."
    ))
}

/// The directory takes no more alternatives in one filter ("Use the $filter query parameter").
const CLAUSES_MAX: usize = 15;
const DEPTH_MAX: usize = 16;
/// A subscription to presence names up to 650 ids: each is two words.
const WORDS_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::people::USER;
    use super::*;

    fn fits(filter: &str) -> bool {
        let bela = json!({
            "id": "fa27", "displayName": "Béla Varga", "department": "Customer Support", "accountEnabled": true,
            "businessPhones": ["+14255550102"], "mail": "bela@contoso.example", "userType": "Member",
        });
        Filter::parse(filter, &USER).unwrap().fits(&bela)
    }

    #[test]
    fn conditions_mean_what_they_say() {
        for yes in [
            "startswith(displayName,'bÉl')",
            "department eq 'customer support'",
            "businessPhones/any(p:p eq '+14255550102')",
            "businessPhones/any(p:startswith(p,'+1425'))",
            "id in ('x', 'FA27')",
            "accountEnabled eq true and (userType eq 'Guest' or userType eq 'Member')",
            "not(startswith(mail,'x')) and endswith(mail,'.example')",
            "department ne 'Sales'",
        ] {
            assert!(fits(yes), "{yes}");
        }
        for no in
            ["displayName eq 'O''Brien'", "accountEnabled eq false", "id in ('x')", "department eq null"]
        {
            assert!(!fits(no), "{no}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            "",
            "displayName",
            "displayName eq",
            "displayName like 'a'",
            "skills/any(s:s eq 'VPN')",
            "displayName eq 'a' displayName",
            "startswith(displayName,'a'",
            "id in ('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16')",
            "'",
        ] {
            assert_eq!(Filter::parse(wrong, &USER).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn a_subscription_may_name_650_people() {
        let ids: Vec<String> = (0..650).map(|n| format!("'ID-{n}'")).collect();
        let read = Filter::ids(&format!("id in ({})", ids.join(","))).unwrap();
        assert_eq!((read.len(), read[649].as_str()), (650, "id-649"));
        assert_eq!(Filter::ids("id eq 'A'").unwrap(), ["a"]);
        assert_eq!(Filter::ids("availability eq 'Busy'"), None);
        assert_eq!(Filter::ids("id in ('a') or id in ('b')"), None);
    }

    proptest! {
        #[test]
        fn any_filter_is_read_or_refused(filter in "[ ()',:a-z/]{0,60}|.{0,40}") {
            let _ = Filter::parse(&filter, &USER);
            let _ = Filter::ids(&filter);
        }
    }
}
