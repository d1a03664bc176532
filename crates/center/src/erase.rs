//! Erasing: what facts say about the people of an interaction is forgotten, and the facts stay.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agent::ChosenState;
use crate::center::Center;
use crate::fact::FactKind;
use crate::id::InteractionId;
use crate::journal::Output;
use crate::supervise::{Refusal, RefusalReason, Subject};

/// Personal data of an interaction is to be erased. The interaction must be over: what it still needs, the number of
/// a customer who is to be called back above all, cannot be taken from it. One that was erased already may be erased
/// again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Of which. A call that was refused at the door has no interaction, and is named by the number of its fact.
    pub interaction: InteractionId,
    /// On whose behalf.
    pub by: ErasedBy,
    /// Why, in the words of whoever wants it, which must name nobody; at most [`ChosenState::REASON_BYTES_MAX`].
    pub why: Option<Arc<str>>,
}

/// On whose behalf personal data was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasedBy {
    /// Somebody asked for it: the person, or somebody who may.
    Request,
    /// It was kept as long as it may be.
    Retention,
}

impl Center {
    pub(crate) fn erase(&mut self, erasure: Erasure) {
        let Erasure { interaction, by, why } = erasure;
        match self.may_erase(interaction, why.as_deref()) {
            Ok(()) => {
                self.acquaintances.erase(interaction);
                self.journal.record(FactKind::Erased { interaction, by, why });
            }
            Err(reason) => {
                let subject = Subject::Interaction(interaction);
                self.journal.output(Output::Refused(Refusal { subject, reason }));
            }
        }
    }

    /// The center forgets what is over, so whoever hands the wish in has to know that there was such an interaction.
    fn may_erase(&self, interaction: InteractionId, why: Option<&str>) -> Result<(), RefusalReason> {
        if why.is_some_and(|why| why.len() > ChosenState::REASON_BYTES_MAX) {
            return Err(RefusalReason::ReasonTooLong);
        }
        if !(1..=self.journal.number()).contains(&interaction.0) {
            return Err(RefusalReason::UnknownInteraction);
        }
        if self.interactions.is_open(interaction) {
            return Err(RefusalReason::StillOpen);
        }
        Ok(())
    }
}
