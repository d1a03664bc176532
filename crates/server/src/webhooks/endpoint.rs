//! Endpoints: the programs that are told, of what, and how that goes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_people::caller::Who;

use super::delivery::{REPLAY_FACTS_MAX, Standing};
use super::event::EventType;
use super::tell::Detail;

/// A program that is told what happens, as the register keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Where events are sent.
    pub url: String,
    /// What people call it; may be empty.
    #[serde(default)]
    pub description: String,
    /// The types that it is told; empty: all.
    #[serde(default)]
    pub types: BTreeSet<EventType>,
    /// Whether it is told about customers.
    #[serde(default)]
    pub include_personal: bool,
    /// Since when, in milliseconds since 1970.
    pub created_ms: i64,
    /// Who made it.
    pub created_by: Who,
    /// Somebody has paused it.
    #[serde(default)]
    pub paused: bool,
    /// How its deliveries go.
    #[serde(default)]
    pub standing: Standing,
}

/// The state of an endpoint in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointState {
    /// It is told.
    Active,
    /// It is told, and does not take it.
    Failing,
    /// Somebody has paused it.
    Paused,
    /// It is told no more until somebody enables it again.
    Disabled,
}

impl Endpoint {
    /// Its state.
    #[must_use]
    pub fn state(&self) -> EndpointState {
        match self.standing {
            _ if self.paused => EndpointState::Paused,
            Standing::Well => EndpointState::Active,
            Standing::Failing { .. } => EndpointState::Failing,
            Standing::Disabled { .. } => EndpointState::Disabled,
        }
    }

    /// Whether it is told something.
    #[must_use]
    pub fn is_told(&self) -> bool {
        matches!(self.state(), EndpointState::Active | EndpointState::Failing)
    }

    /// Whether it can go on where it was, so many facts back; one that is told goes on anyway.
    #[must_use]
    pub fn may_go_on(&self, behind: u64) -> bool {
        self.is_told() || behind <= REPLAY_FACTS_MAX
    }

    /// Whether it wants to be told of this.
    #[must_use]
    pub fn wants(&self, kind: EventType) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }

    /// How much it is told.
    #[must_use]
    pub fn detail(&self) -> Detail {
        if self.include_personal { Detail::Personal } else { Detail::Plain }
    }
}

impl EndpointState {
    /// All states.
    pub const ALL: [EndpointState; 4] =
        [EndpointState::Active, EndpointState::Failing, EndpointState::Paused, EndpointState::Disabled];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            EndpointState::Active => "active",
            EndpointState::Failing => "failing",
            EndpointState::Paused => "paused",
            EndpointState::Disabled => "disabled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::delivery::DisabledWhy;
    use super::*;

    #[test]
    fn who_was_told_nothing_for_too_long_says_from_where_to_go_on() {
        let well = Endpoint {
            url: "https://example.com/events".into(),
            description: String::new(),
            types: BTreeSet::new(),
            include_personal: false,
            created_ms: 0,
            created_by: Who::Console,
            paused: false,
            standing: Standing::Well,
        };
        let paused = Endpoint { paused: true, ..well.clone() };
        let why = DisabledWhy::TooFarBehind;
        let disabled = Endpoint { standing: Standing::Disabled { since_us: 1, why }, ..well.clone() };
        let may_go_on = |endpoint: &Endpoint| {
            [REPLAY_FACTS_MAX, REPLAY_FACTS_MAX + 1].map(|behind| endpoint.may_go_on(behind))
        };
        assert_eq!(may_go_on(&paused), [true, false]);
        assert_eq!(may_go_on(&disabled), [true, false]);
        assert_eq!(may_go_on(&well), [true, true], "it is being told");
    }
}
