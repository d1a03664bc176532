//! Personal data of customers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something about a customer that can tell who it was: a telephone number, a name.
///
/// It serialises as the value itself and its `Debug` shows nothing, so that it reaches the journal and the
/// screens, and never a log. Where it stands in a fact, the reader knows what must be sealed and erased.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks a value as personal.
    pub fn new(value: T) -> Personal<T> {
        Personal(value)
    }

    /// The value, for those who may see it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(*)")
    }
}
