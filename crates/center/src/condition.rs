//! Conditions: what is known of an interaction decides what it asks for. A tree that can be checked when it is
//! published and drawn as a form; not a language.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::Address;
use crate::config::{Fault, Problem};
use crate::interaction::Caller;

/// `when`: a condition. Exactly one of `all`, `any`, `not` and `field`; with `field` exactly one of `is`, `starts_with`
/// and `one_of`.
///
/// ```toml
/// when = { any = [{ field = "from", starts_with = "+33" }, { field = "attribute.language", is = "fr" }] }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionDocument {
    /// All of these hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<ConditionDocument>,
    /// At least one of these holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<ConditionDocument>,
    /// This does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<ConditionDocument>>,
    /// What is looked at: `from`, `from_name`, `to`, `line`, or `attribute.` and the name of an attribute that a step
    /// has `set`. Something that is not known is an empty text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Arc<str>>,
    /// It is exactly this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Arc<str>>,
    /// It begins with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<Arc<str>>,
    /// It is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Arc<str>>,
}

/// What people have found out about an interaction: by name.
pub type Attributes = BTreeMap<Arc<str>, Arc<str>>;

/// A condition that can be looked at.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test(Field, Test),
}

#[derive(Clone, Debug)]
pub(crate) enum Field {
    From,
    FromName,
    To,
    Line,
    Attribute(Arc<str>),
}

#[derive(Clone, Debug)]
pub(crate) enum Test {
    Is(Arc<str>),
    StartsWith(Arc<str>),
    OneOf(Vec<Arc<str>>),
}

impl Condition {
    /// Whether it holds.
    pub(crate) fn holds(&self, caller: &Caller, attributes: &Attributes) -> bool {
        match self {
            Condition::All(all) => all.iter().all(|one| one.holds(caller, attributes)),
            Condition::Any(any) => any.iter().any(|one| one.holds(caller, attributes)),
            Condition::Not(one) => !one.holds(caller, attributes),
            Condition::Test(field, test) => test.holds(field.of(caller, attributes)),
        }
    }
}

impl Field {
    fn of<'a>(&self, caller: &'a Caller, attributes: &'a Attributes) -> &'a str {
        match self {
            Field::From => caller.from.reveal().map_or("", address_text),
            Field::FromName => caller.from_name.reveal().map_or("", |name| name),
            Field::To => address_text(&caller.to),
            Field::Line => &caller.line,
            Field::Attribute(name) => attributes.get(name).map_or("", |value| value),
        }
    }
}

impl Test {
    fn holds(&self, text: &str) -> bool {
        match self {
            Test::Is(other) => text == &**other,
            Test::StartsWith(beginning) => text.starts_with(&**beginning),
            Test::OneOf(others) => others.iter().any(|other| text == &**other),
        }
    }
}

/// Checks a condition and makes it ready to be looked at; `None` if it has faults, which are told.
pub(crate) fn compile(
    key: &str,
    document: &ConditionDocument,
    depth: usize,
    faults: &mut Vec<Fault>,
) -> Option<Condition> {
    let mut fault = |key: &str, problem: Problem| faults.push(Fault { key: key.to_owned(), problem });
    if depth > DEPTH_MAX || document.all.len().max(document.any.len()) > PARTS_MAX {
        fault(key, Problem::TooMany { most: if depth > DEPTH_MAX { DEPTH_MAX } else { PARTS_MAX } });
        return None;
    }
    let forms = [
        !document.all.is_empty(),
        !document.any.is_empty(),
        document.not.is_some(),
        document.field.is_some(),
    ];
    if forms.iter().filter(|form| **form).count() != 1 {
        fault(key, Problem::NotExactlyOne("all, any, not and field"));
        return None;
    }
    let tests = [document.is.is_some(), document.starts_with.is_some(), !document.one_of.is_empty()];
    let tested = tests.iter().filter(|test| **test).count();
    let Some(field) = &document.field else {
        if tested > 0 {
            fault(key, Problem::Misplaced("beside field"));
        }
        let mut parts = |name: &str, parts: &[ConditionDocument]| -> Option<Vec<Condition>> {
            let compiled: Vec<_> = parts
                .iter()
                .enumerate()
                .map(|(index, part)| compile(&format!("{key}.{name}.{index}"), part, depth + 1, faults))
                .collect();
            compiled.into_iter().collect()
        };
        return if let Some(not) = &document.not {
            let not = compile(&format!("{key}.not"), not, depth + 1, faults)?;
            Some(Condition::Not(Box::new(not)))
        } else if document.all.is_empty() {
            parts("any", &document.any).map(Condition::Any)
        } else {
            parts("all", &document.all).map(Condition::All)
        };
    };
    if tested != 1 {
        fault(key, Problem::NotExactlyOne("is, starts_with and one_of"));
        return None;
    }
    let Some(field) = field_of(field) else {
        fault(&format!("{key}.field"), Problem::BadField(field.clone()));
        return None;
    };
    let test = match (&document.is, &document.starts_with) {
        (Some(text), _) => Test::Is(text.clone()),
        (None, Some(text)) => Test::StartsWith(text.clone()),
        (None, None) => Test::OneOf(document.one_of.clone()),
    };
    Some(Condition::Test(field, test))
}

fn field_of(name: &str) -> Option<Field> {
    Some(match name {
        "from" => Field::From,
        "from_name" => Field::FromName,
        "to" => Field::To,
        "line" => Field::Line,
        _ => Field::Attribute(name.strip_prefix("attribute.").filter(|name| !name.is_empty())?.into()),
    })
}

/// An address as conditions and people read it; an anonymous one is empty.
pub(crate) fn address_text(address: &Address) -> &str {
    match address {
        Address::Phone(text) | Address::Sip(text) => text,
        Address::Anonymous => "",
    }
}

/// How deep conditions may stand in each other. Deeper ones are a fault of the configuration.
const DEPTH_MAX: usize = 8;
/// Parts of one condition.
const PARTS_MAX: usize = 200;
