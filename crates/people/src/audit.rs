//! The audit trail: who did what to what, and what was refused.
//!
//! A trail is appended to and never changed. It holds every administrative act and every refused one, and no secret:
//! neither passwords nor keys, nor what customers said.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::caller::{Caller, Who};
use crate::moment::UnixMillis;
use crate::scope::Scope;

/// One act, or one that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: UnixMillis,
    /// In whose trail it stands: that of the tenant whose thing it was; of who tried, if it was another tenant's.
    #[serde(rename = "tenant")]
    pub scope: Scope,
    /// Who acted.
    pub who: Who,
    /// What was done: a stable text `noun.verb`, such as `person.role_given`. The nouns are those of the API.
    pub act: Arc<str>,
    /// To what: `noun/id`, such as `person/6f1d...`.
    pub object: Arc<str>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What else is worth knowing, by name: before and after, the address it came from. No secret, no customer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<Arc<str>, Arc<str>>,
}

impl Entry {
    /// What this caller did in this scope; it was done.
    pub fn new(at: UnixMillis, caller: &Caller, scope: Scope, act: &str, object: &str) -> Entry {
        Entry {
            at,
            scope,
            who: caller.who().clone(),
            act: cut(act),
            object: cut(object),
            outcome: Outcome::Done,
            detail: BTreeMap::new(),
        }
    }

    /// The same, refused for this reason.
    #[must_use]
    pub fn refused(mut self, code: &str) -> Entry {
        self.outcome = Outcome::Refused { code: cut(code) };
        self
    }

    /// The same, of which it is not known whether it was done, for this reason.
    #[must_use]
    pub fn unknown(mut self, code: &str) -> Entry {
        self.outcome = Outcome::Unknown { code: cut(code) };
        self
    }

    /// The same, with one more detail. Beyond [`Entry::DETAILS_MAX`] it is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Entry {
        if self.detail.len() < Entry::DETAILS_MAX {
            self.detail.insert(cut(name), cut(value));
        }
        self
    }

    /// Most details of one entry; more are left out.
    pub const DETAILS_MAX: usize = 16;
    /// Longest text in an entry, in bytes; what is longer is cut at a character. Objects of refused acts are what
    /// strangers wrote.
    pub const TEXT_BYTES_MAX: usize = 256;
}

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not.
    Refused {
        /// Why: the stable word of a [`Refusal`](crate::caller::Refusal) or of another fault.
        code: Arc<str>,
    },
    /// It was begun, and whether it was done is not known: the disk or the contact center did not answer in time.
    Unknown {
        /// Why: the stable word of the fault.
        code: Arc<str>,
    },
}

fn cut(text: &str) -> Arc<str> {
    let mut end = text.len().min(Entry::TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Arc::from(text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_kept_as_it_was_made() {
        let entry = Entry::new(
            UnixMillis::from_millis(1_000),
            &Caller::console(),
            Scope::tenant("north"),
            "queue.read",
            "queue/sales",
        )
        .refused("not_yours")
        .with("address", "192.0.2.1");
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(
            json,
            r#"{"at":1000,"tenant":"north","who":{"kind":"console"},"act":"queue.read","object":"queue/sales","outcome":"refused","code":"not_yours","detail":{"address":"192.0.2.1"}}"#
        );
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }

    #[test]
    fn what_a_stranger_wrote_is_cut_at_a_character() {
        let object = "é".repeat(1_000);
        let entry =
            Entry::new(UnixMillis::default(), &Caller::console(), Scope::Installation, "a.b", &object);
        assert_eq!(entry.object.len(), Entry::TEXT_BYTES_MAX);
        let entry = Entry::new(
            UnixMillis::default(),
            &Caller::console(),
            Scope::Installation,
            "a.b",
            &format!("x{object}"),
        );
        assert_eq!(entry.object.len(), Entry::TEXT_BYTES_MAX - 1);
    }
}
