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
    /// The fact itself as its owner encodes it. Shared, so that the journal and live screens need one copy.
    pub fact: Arc<[u8]>,
}

impl Mark {
    pub(crate) fn to_column(self) -> i64 {
        match self {
            Mark::Plain => 0,
            Mark::Opens => 1,
            Mark::Closes => 2,
        }
    }

    /// A value that this version does not know is read as [`Mark::Plain`]: the fact itself says what it is.
    pub(crate) fn from_column(value: i64) -> Mark {
        match value {
            1 => Mark::Opens,
            2 => Mark::Closes,
            _ => Mark::Plain,
        }
    }
}
