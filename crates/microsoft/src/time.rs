//! The time that Microsoft's tokens and subscriptions count in.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in whole seconds since 1970-01-01 00:00 UTC, as tokens state it (RFC 7519 section 2, `NumericDate`).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// So much later; parts of a second are dropped, and the end of time is not passed.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// So much earlier; not before 1970.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.as_secs()))
    }

    /// How long it is since then; nothing if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
