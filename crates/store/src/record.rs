//! One line of the journal.

use std::fmt;
use std::sync::Arc;

/// The place of a fact in the journal of its tenant: 1 for the first, without gaps. 0 stands before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactNumber(pub u64);

impl FactNumber {
    /// The number that follows. Numbers do not end: a million facts a second would last 292,000 years.
    pub fn next(self) -> FactNumber {
        FactNumber(self.0.saturating_add(1))
    }
}

impl fmt::Display for FactNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The interaction (one matter of one customer, from arrival to close) whose story a fact belongs to. All 64 bits
/// may be used; ids that grow with time keep the index small and fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InteractionKey(pub u64);

/// What a fact means for the interaction it belongs to, as far as the journal needs to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// Nothing that the journal looks for.
    #[default]
    Plain,
    /// The interaction begins.
    Opens,
    /// The interaction is over: from here on it is found by [`crate::Journal::closed`].
    Closes,
    /// What the interaction's facts say about people is erased: its key is destroyed with the commit of this fact.
    Erases,
}

/// One fact as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place: one more than that of the fact before it.
    pub number: FactNumber,
    /// When it happened, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Whose story it belongs to. `None` for what concerns no interaction, such as an agent who signs in.
    pub interaction: Option<InteractionKey>,
    /// Whether it begins or ends that story.
    pub mark: Mark,
    /// The fact itself as its owner encodes it, without what it says about people. Shared, so that the journal and
    /// live screens need one copy.
    pub fact: Arc<[u8]>,
    /// What it says about people.
    pub personal: Personal,
}

/// What a fact says about people, apart from the fact: it is sealed in the journal, and can be erased.
///
/// Its key is that of the interaction, or of the fact alone if it belongs to none. `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Personal {
    /// The fact says nothing about anybody.
    #[default]
    Nothing,
    /// This, as its owner encodes it.
    Known(Arc<[u8]>),
    /// Something that nobody can read any more. Appended it is the same as nothing.
    Gone(Gone),
}

/// Why what a fact says about people cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gone {
    /// It was erased.
    Erased,
    /// The master key that opens it is not in the file of keys. When it is there again, so is this.
    KeyLost,
    /// The disk, or somebody, has changed it.
    Damaged,
}

impl Record {
    /// What it takes of the queue and the disk.
    pub(crate) fn bytes(&self) -> usize {
        match &self.personal {
            Personal::Known(personal) => self.fact.len() + personal.len(),
            Personal::Nothing | Personal::Gone(_) => self.fact.len(),
        }
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Personal::Nothing => f.write_str("Nothing"),
            Personal::Known(_) => f.write_str("Known(*)"),
            Personal::Gone(why) => f.debug_tuple("Gone").field(why).finish(),
        }
    }
}

impl Mark {
    pub(crate) fn to_column(self) -> i64 {
        match self {
            Mark::Plain => 0,
            Mark::Opens => 1,
            Mark::Closes => 2,
            Mark::Erases => 3,
        }
    }

    /// A value that this version does not know is read as [`Mark::Plain`]: the fact itself says what it is.
    pub(crate) fn from_column(value: i64) -> Mark {
        match value {
            1 => Mark::Opens,
            2 => Mark::Closes,
            3 => Mark::Erases,
            _ => Mark::Plain,
        }
    }
}
