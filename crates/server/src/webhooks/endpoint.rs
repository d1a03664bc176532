//! Endpoints: the programs that are told, of what, and how that goes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_people::caller::Who;

use super::delivery::Standing;
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
