//! What facts say about people: where it stands, how it is taken out to be sealed, put back, and erased.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Fact, FactKind};
use crate::call::Address;
use crate::personal::Personal;

/// The personal values of one fact by the names of their fields, apart from the fact.
///
/// This is what the journal seals. It is JSON of its own, so that a release which keeps more of a fact personal reads
/// what earlier ones sealed. `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonalValues(BTreeMap<Cow<'static, str>, Value>);

/// One personal value of a fact, where it stands.
#[derive(Debug)]
pub enum PersonalMut<'a> {
    /// Where somebody can be reached.
    Address(&'a mut Personal<Address>),
    /// A name, or words about somebody.
    Text(&'a mut Personal<Arc<str>>),
}

impl Fact {
    /// Takes the known personal values out; in their places they are erased.
    pub fn take_personal(&mut self) -> PersonalValues {
        let mut values = PersonalValues::default();
        self.kind.visit_personal(|name, place| {
            if let Some(value) = place.take() {
                values.0.insert(name.into(), value);
            }
        });
        values
    }

    /// Puts back what was taken out. A place for which there is no value stays as it is.
    ///
    /// # Errors
    ///
    /// A value is not of the kind of its place, which stays as it is; all others are put back.
    pub fn put_personal(&mut self, mut values: PersonalValues) -> Result<(), serde_json::Error> {
        let mut outcome = Ok(());
        self.kind.visit_personal(|name, place| {
            if let Some(value) = values.0.remove(name)
                && let Err(error) = place.put(value)
            {
                outcome = Err(error);
            }
        });
        outcome
    }

    /// Forgets the personal values.
    pub fn erase_personal(&mut self) {
        self.kind.visit_personal(|_, place| place.erase());
    }
}

impl FactKind {
    /// Shows every place of the fact for something personal, with its name.
    ///
    /// A kind that is new has to be named here. A name never changes its meaning: sealed values are found by it.
    pub fn visit_personal(&mut self, mut visit: impl FnMut(&'static str, PersonalMut<'_>)) {
        match self {
            FactKind::Arrived { from, from_name, .. } | FactKind::CallRejected { from, from_name, .. } => {
                visit("from", PersonalMut::Address(from));
                visit("from_name", PersonalMut::Text(from_name));
            }
            FactKind::TransferAsked { target, .. } => {
                if let Some(target) = target {
                    visit("target", PersonalMut::Address(target));
                }
            }
            FactKind::CallbackScheduled { to, name, .. } => {
                visit("to", PersonalMut::Address(to));
                visit("name", PersonalMut::Text(name));
            }
            FactKind::CallbackPromised { to, .. } => visit("to", PersonalMut::Address(to)),
            FactKind::WrapUpEnded { note, .. } => {
                if let Some(note) = note {
                    visit("note", PersonalMut::Text(note));
                }
            }
            FactKind::Configured { .. }
            | FactKind::PresenceTold { .. }
            | FactKind::PresenceForgotten { .. }
            | FactKind::QueueSwitched { .. }
            | FactKind::AttributesSet { .. }
            | FactKind::Widened { .. }
            | FactKind::Announced { .. }
            | FactKind::Prioritised { .. }
            | FactKind::TermsChanged { .. }
            | FactKind::CallPlaced { .. }
            | FactKind::RedirectBegun { .. }
            | FactKind::RedirectEnded { .. }
            | FactKind::CallbackDialled { .. }
            | FactKind::CallbackMissed { .. }
            | FactKind::CallbackCancelled { .. }
            | FactKind::MessageBegun { .. }
            | FactKind::MessageLeft { .. }
            | FactKind::MessageMissed { .. }
            | FactKind::Heard { .. }
            | FactKind::WrapUpExtended { .. }
            | FactKind::AgentChose { .. }
            | FactKind::RestEnded { .. }
            | FactKind::Answered { .. }
            | FactKind::StepBegun { .. }
            | FactKind::MenuChosen { .. }
            | FactKind::MenuMissed { .. }
            | FactKind::QueueEntered { .. }
            | FactKind::QueueRefused { .. }
            | FactKind::QueueLeft { .. }
            | FactKind::Offered { .. }
            | FactKind::Ringing { .. }
            | FactKind::OfferEnded { .. }
            | FactKind::Connected { .. }
            | FactKind::Held { .. }
            | FactKind::Resumed { .. }
            | FactKind::TransferEnded { .. }
            | FactKind::ConversationEnded { .. }
            | FactKind::Quality { .. }
            | FactKind::Ending { .. }
            | FactKind::CallEnded { .. }
            | FactKind::Repaired { .. }
            | FactKind::Closed { .. }
            | FactKind::Erased { .. } => {}
        }
    }
}

impl PersonalMut<'_> {
    /// Forgets the value.
    pub fn erase(self) {
        match self {
            PersonalMut::Address(place) => drop(place.erase()),
            PersonalMut::Text(place) => drop(place.erase()),
        }
    }

    fn take(self) -> Option<Value> {
        match self {
            PersonalMut::Address(place) => take(place),
            PersonalMut::Text(place) => take(place),
        }
    }

    fn put(self, value: Value) -> Result<(), serde_json::Error> {
        match self {
            PersonalMut::Address(place) => put(place, value),
            PersonalMut::Text(place) => put(place, value),
        }
    }
}

impl PersonalValues {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values themselves, for who looks for a person.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.0.values()
    }
}

impl fmt::Debug for PersonalValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value that cannot be written as JSON does not occur: addresses and texts always can.
fn take<T: Serialize>(place: &mut Personal<T>) -> Option<Value> {
    place.erase().and_then(|value| serde_json::to_value(value).ok())
}

fn put<T: for<'de> Deserialize<'de>>(place: &mut Personal<T>, value: Value) -> Result<(), serde_json::Error> {
    *place = Personal::new(serde_json::from_value(value)?);
    Ok(())
}
