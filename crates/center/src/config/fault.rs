//! What can be wrong with a configuration, and what to do about it.

use std::fmt;
use std::sync::Arc;

/// One fault of a configuration: which key, what is wrong, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}; {}", .problem.remedy())]
pub struct Fault {
    /// The key, as a path: `agents.adele.ring.line`, `flows.main.steps.menu.then`.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
}

/// All faults of a configuration, in the order of the document. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// What is wrong with the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Not an id: wrong characters or length.
    BadId(Arc<str>),
    /// An id or number that stands twice.
    Duplicate(Arc<str>),
    /// Not an address in the form that the key asks for.
    BadAddress(Arc<str>),
    /// Two keys of which only one may be set, or neither.
    NotExactlyOne(&'static str),
    /// A key that has no meaning beside its neighbours.
    Misplaced(&'static str),
    /// A number outside its range.
    OutOfRange {
        /// The number.
        value: u32,
        /// The smallest allowed.
        least: u32,
        /// The largest allowed.
        most: u32,
    },
    /// A text that is empty or too long.
    BadLength {
        /// The most bytes allowed.
        most: usize,
    },
    /// More entries than allowed.
    TooMany {
        /// The most allowed.
        most: usize,
    },
    /// More is written than is kept, all in all.
    TooLarge {
        /// How much it is, in bytes as it is kept.
        bytes: usize,
        /// The most bytes allowed.
        most: usize,
    },
    /// Nothing stands where something must.
    Empty,
    /// Something is named that does not exist.
    Unknown {
        /// What kind of thing.
        noun: Noun,
        /// The name that was not found.
        name: Arc<str>,
        /// The name that was probably meant.
        nearest: Option<Arc<str>>,
    },
    /// A menu key that no telephone has.
    BadDigit(Arc<str>),
    /// A step to which no other step leads.
    Unreached,
    /// Steps that lead to each other without the caller ever waiting for anything.
    EndlessLoop(Arc<str>),
    /// The flow's file was not read in.
    FileNotRead(Arc<str>),
    /// Not a field that a condition can look at.
    BadField(Arc<str>),
    /// Something that this needs is not set.
    Missing(&'static str),
}

/// What a name in a configuration can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// An agent.
    Agent,
    /// A flow.
    Flow,
    /// A line of a door.
    Line,
    /// A prompt.
    Prompt,
    /// A queue.
    Queue,
    /// A skill that some agent has.
    Skill,
    /// A step of the same flow.
    Step,
}

impl Noun {
    fn word(self) -> &'static str {
        match self {
            Noun::Agent => "agent",
            Noun::Skill => "skill",
            Noun::Flow => "flow",
            Noun::Line => "line",
            Noun::Prompt => "prompt",
            Noun::Queue => "queue",
            Noun::Step => "step",
        }
    }
}

impl Problem {
    /// What to do, in one sentence without a full stop.
    pub fn remedy(&self) -> String {
        match self {
            Problem::BadId(_) => "use 1 to 64 letters, digits, '_', '-' or '.'".into(),
            Problem::Duplicate(_) => "keep one of them".into(),
            Problem::BadAddress(_) => {
                "write a telephone number like +14255550101, a short code of digits, or sip:user@host".into()
            }
            Problem::NotExactlyOne(keys) => format!("set exactly one of {keys}"),
            Problem::Misplaced(belongs) => format!("remove it, it belongs {belongs}"),
            Problem::OutOfRange { least, most, .. } if least == most => format!("choose {least}"),
            Problem::OutOfRange { least, most, .. } => format!("choose {least} to {most}"),
            Problem::BadLength { most } => format!("write 1 to {most} bytes"),
            Problem::TooMany { most } => format!("keep at most {most}"),
            Problem::TooLarge { most, .. } => {
                format!("shorten names and prompts or divide it among tenants, to at most {most} bytes")
            }
            Problem::Empty => "name at least one".into(),
            Problem::Unknown { noun: Noun::Skill, nearest: None, .. } => {
                "give it to an agent or name one that some agent has".into()
            }
            Problem::Unknown { noun, nearest: Some(nearest), .. } => {
                format!("write \"{nearest}\" or add the {}", noun.word())
            }
            Problem::Unknown { noun, nearest: None, .. } => {
                format!("add the {} or name one that exists", noun.word())
            }
            Problem::BadDigit(_) => "use one of 0 to 9, * and #".into(),
            Problem::Unreached => "let a step lead here or remove it".into(),
            Problem::EndlessLoop(_) => "let one of them play something, offer a menu or hang up".into(),
            Problem::FileNotRead(_) => "read the file in before the configuration is used".into(),
            Problem::BadField(_) => "use from, from_name, to, line, or attribute. and a name".into(),
            Problem::Missing(what) => format!("set {what}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::BadId(id) => write!(f, "\"{id}\" is not an id"),
            Problem::Duplicate(name) => write!(f, "\"{name}\" stands here twice"),
            Problem::BadAddress(text) => write!(f, "\"{text}\" is not an address"),
            Problem::NotExactlyOne(_) => f.write_str("it is not clear which is meant"),
            Problem::Misplaced(_) => f.write_str("has no meaning here"),
            Problem::OutOfRange { value, .. } => write!(f, "{value} is out of range"),
            Problem::BadLength { .. } => f.write_str("the text is empty or too long"),
            Problem::TooMany { .. } => f.write_str("there are too many"),
            Problem::TooLarge { bytes, .. } => write!(f, "it has {bytes} bytes"),
            Problem::Empty => f.write_str("nothing is named"),
            Problem::Unknown { noun, name, .. } => write!(f, "there is no {} \"{name}\"", noun.word()),
            Problem::BadDigit(key) => write!(f, "no telephone has the key \"{key}\""),
            Problem::Unreached => f.write_str("no step leads to this one"),
            Problem::EndlessLoop(steps) => {
                write!(f, "the steps {steps} can go round for ever without waiting")
            }
            Problem::BadField(field) => write!(f, "\"{field}\" is nothing that can be looked at"),
            Problem::Missing(what) => write!(f, "it needs {what}"),
            Problem::FileNotRead(file) => write!(f, "the flow stands in \"{file}\""),
        }
    }
}
