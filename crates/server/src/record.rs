//! Facts as lines of the journal: what a fact says about people stands apart from it, so that the journal can seal it.

use std::sync::Arc;

use tandem_center::fact::{Fact, FactKind, PersonalValues};
use tandem_store::{FactNumber, InteractionKey, Mark, Personal, Record, Split};

/// A fact as the journal takes it, and as screens do: they show people.
pub(crate) struct Written {
    /// For the journal.
    pub(crate) record: Record,
    /// The whole fact as JSON.
    pub(crate) shown: Arc<[u8]>,
}

/// Writes a fact. It is changed on the way, and is what it was afterwards.
pub(crate) fn write(fact: &mut Fact) -> serde_json::Result<Written> {
    let shown: Arc<[u8]> = serde_json::to_vec(fact)?.into();
    let values = fact.take_personal();
    let (bare, personal) = if values.is_empty() {
        (shown.clone(), Personal::Nothing)
    } else {
        let bare = serde_json::to_vec(fact)?.into();
        let personal = Personal::Known(serde_json::to_vec(&values)?.into());
        fact.put_personal(values)?;
        (bare, personal)
    };
    Ok(Written { record: record(fact, bare, personal), shown })
}

/// Reads a fact. What it says about people is erased in it if it was in the journal, or cannot be opened.
pub(crate) fn read(record: &Record) -> serde_json::Result<Fact> {
    let mut fact: Fact = serde_json::from_slice(&record.fact)?;
    if let Personal::Known(personal) = &record.personal {
        fact.put_personal(serde_json::from_slice(personal)?)?;
    }
    Ok(fact)
}

/// Takes a fact of an earlier release apart. What cannot be read is left for the start to complain about.
pub(crate) fn split(fact: &[u8]) -> Option<Split> {
    let mut fact: Fact = serde_json::from_slice(fact).ok()?;
    let values: PersonalValues = fact.take_personal();
    if values.is_empty() {
        return None;
    }
    Some(Split { fact: serde_json::to_vec(&fact).ok()?, personal: serde_json::to_vec(&values).ok()? })
}

fn record(fact: &Fact, bare: Arc<[u8]>, personal: Personal) -> Record {
    Record {
        number: FactNumber(fact.number),
        at_ms: i64::try_from(fact.at.as_micros() / 1_000).unwrap_or(i64::MAX),
        interaction: fact.interaction().map(|id| InteractionKey(id.0)),
        mark: match fact.kind {
            FactKind::Arrived { .. } | FactKind::CallbackScheduled { .. } => Mark::Opens,
            FactKind::Closed { .. } => Mark::Closes,
            FactKind::Erased { .. } => Mark::Erases,
            _ => Mark::Plain,
        },
        fact: bare,
        personal,
    }
}
