//! What happened: the numbered list of facts from which everything else is read.
//!
//! Live screens, reports, timelines and the restart after a crash are all folds over this list. A fact is complete
//! in itself: it carries the names that a reader needs, and what a rule made of the situation (`then`), so that
//! nobody has to know the rules to follow. Times are microseconds since 1970 in UTC, durations are microseconds.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, InteractionId};
use crate::timer::Timestamp;

mod kind;
mod personal;
mod reason;

pub use kind::{FactKind, Turn};
pub use personal::{PersonalMut, PersonalValues};
pub use reason::{
    CallbackEnd, EndWhy, EndedBy, MenuMiss, Missing, OfferOutcome, Outcome, QueueExit, QueueRefusal, Side,
    WrapUpEnd,
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The position in the tenant's journal: 1, 2, 3 and so on without a gap.
    pub number: u64,
    /// When it happened; never earlier than the fact before.
    pub at: Timestamp,
    /// The version of the form of this fact: [`Fact::VERSION`] when it was written.
    #[serde(rename = "v")]
    pub version: u16,
    /// What happened.
    #[serde(flatten)]
    pub kind: FactKind,
}

impl Fact {
    /// The version in which facts are written today. Facts of all earlier versions are read.
    pub const VERSION: u16 = 1;

    /// The interaction that the fact belongs to, if it belongs to one.
    pub fn interaction(&self) -> Option<InteractionId> {
        match &self.kind {
            FactKind::Configured { .. }
            | FactKind::AgentChose { .. }
            | FactKind::RestEnded { .. }
            | FactKind::PresenceTold { .. }
            | FactKind::PresenceForgotten { .. }
            | FactKind::QueueSwitched { .. }
            | FactKind::CallRejected { .. } => None,
            FactKind::Arrived { .. } | FactKind::CallbackScheduled { .. } => Some(InteractionId(self.number)),
            FactKind::Answered { interaction, .. }
            | FactKind::StepBegun { interaction, .. }
            | FactKind::MenuChosen { interaction, .. }
            | FactKind::MenuMissed { interaction, .. }
            | FactKind::QueueEntered { interaction, .. }
            | FactKind::QueueRefused { interaction, .. }
            | FactKind::QueueLeft { interaction, .. }
            | FactKind::Offered { interaction, .. }
            | FactKind::Ringing { interaction, .. }
            | FactKind::OfferEnded { interaction, .. }
            | FactKind::Connected { interaction, .. }
            | FactKind::Held { interaction, .. }
            | FactKind::Resumed { interaction, .. }
            | FactKind::TransferAsked { interaction, .. }
            | FactKind::TransferEnded { interaction, .. }
            | FactKind::ConversationEnded { interaction, .. }
            | FactKind::WrapUpEnded { interaction, .. }
            | FactKind::Quality { interaction, .. }
            | FactKind::Ending { interaction, .. }
            | FactKind::CallEnded { interaction, .. }
            | FactKind::Repaired { interaction, .. }
            | FactKind::AttributesSet { interaction, .. }
            | FactKind::Widened { interaction, .. }
            | FactKind::Announced { interaction, .. }
            | FactKind::Prioritised { interaction, .. }
            | FactKind::TermsChanged { interaction, .. }
            | FactKind::CallPlaced { interaction, .. }
            | FactKind::RedirectBegun { interaction, .. }
            | FactKind::RedirectEnded { interaction, .. }
            | FactKind::CallbackPromised { interaction, .. }
            | FactKind::CallbackDialled { interaction, .. }
            | FactKind::CallbackMissed { interaction, .. }
            | FactKind::CallbackCancelled { interaction, .. }
            | FactKind::MessageBegun { interaction, .. }
            | FactKind::MessageLeft { interaction, .. }
            | FactKind::MessageMissed { interaction, .. }
            | FactKind::WrapUpExtended { interaction, .. }
            | FactKind::Heard { interaction, .. }
            | FactKind::Erased { interaction, .. }
            | FactKind::Closed { interaction, .. } => Some(*interaction),
        }
    }

    /// The agent that the fact is about, if it is about one.
    pub fn agent(&self) -> Option<&AgentId> {
        match &self.kind {
            FactKind::AgentChose { agent, .. }
            | FactKind::RestEnded { agent, .. }
            | FactKind::PresenceTold { agent, .. }
            | FactKind::PresenceForgotten { agent, .. }
            | FactKind::WrapUpExtended { agent, .. }
            | FactKind::CallbackDialled { agent, .. }
            | FactKind::Offered { agent, .. }
            | FactKind::Ringing { agent, .. }
            | FactKind::OfferEnded { agent, .. }
            | FactKind::Connected { agent, .. }
            | FactKind::TransferAsked { agent, .. }
            | FactKind::TransferEnded { agent, .. }
            | FactKind::ConversationEnded { agent, .. }
            | FactKind::WrapUpEnded { agent, .. } => Some(agent),
            FactKind::Quality { agent, .. } => agent.as_ref(),
            _ => None,
        }
    }
}

/// Reads the keys that all facts have where they are written, in front, and hands the rest on as it comes. The derived
/// code would put every value aside first, which makes reading a journal several times slower. Keys in another order
/// are read as well.
impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fact, D::Error> {
        deserializer.deserialize_map(FactVisitor)
    }
}

struct FactVisitor;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Number,
    At,
    V,
    OfTheKind(String),
}

impl<'de> Visitor<'de> for FactVisitor {
    type Value = Fact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fact")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fact, A::Error> {
        let (mut number, mut at, mut version) = (None, None, None);
        let mut of_the_kind = serde_json::Map::new();
        while number.is_none() || at.is_none() || version.is_none() {
            match map.next_key()? {
                Some(Key::Number) => number = Some(map.next_value()?),
                Some(Key::At) => at = Some(map.next_value()?),
                Some(Key::V) => version = Some(map.next_value()?),
                Some(Key::OfTheKind(key)) => drop(of_the_kind.insert(key, map.next_value()?)),
                None => break,
            }
        }
        let kind = if of_the_kind.is_empty() {
            FactKind::deserialize(MapAccessDeserializer::new(map))?
        } else {
            while let Some((key, value)) = map.next_entry()? {
                of_the_kind.insert(key, value);
            }
            FactKind::deserialize(serde_json::Value::Object(of_the_kind)).map_err(A::Error::custom)?
        };
        let missing = A::Error::missing_field;
        Ok(Fact {
            number: number.ok_or_else(|| missing("number"))?,
            at: at.ok_or_else(|| missing("at"))?,
            version: version.ok_or_else(|| missing("v"))?,
            kind,
        })
    }
}
