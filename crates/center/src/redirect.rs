//! Redirects: a caller is handed over to a telephone that is no agent's, by a rule of a queue.

use std::time::Duration;

use crate::call::{CallCommand, Cause, Endpoint, Removal, TransferOutcome};
use crate::center::Center;
use crate::fact::{EndWhy, FactKind};
use crate::interaction::{HandedOver, Interaction, Redirecting, Stage};
use crate::waiting::Onward;

impl Center {
    /// Rings a telephone for the caller.
    pub(crate) fn redirect(&mut self, interaction: &mut Interaction, to: &Endpoint, onward: Onward) {
        let Some(call) = interaction.call else { return };
        let party = interaction.next_party();
        self.journal.record(FactKind::RedirectBegun {
            interaction: interaction.id,
            party,
            endpoint: to.clone(),
        });
        let (presented, presented_name, apart) = (None, None, false);
        let to = to.clone();
        self.journal.command(CallCommand::AddParty { call, party, to, presented, presented_name, apart });
        interaction.deadline = Some(self.journal.now() + REDIRECT_WAIT);
        interaction.stage = Stage::Redirecting(Redirecting { party, onward });
    }

    /// The telephone answered: the caller is theirs.
    pub(crate) fn redirected(&mut self, interaction: &mut Interaction) {
        let Stage::Redirecting(redirecting) = &interaction.stage else { return };
        let party = redirecting.party;
        self.hush(interaction);
        self.record_redirect(interaction, TransferOutcome::Done, None);
        interaction.deadline = None;
        interaction.stage = Stage::Transferred(HandedOver { party, leaving: None, pending: None });
    }

    /// The telephone did not answer: the flow goes on.
    pub(crate) fn not_redirected(&mut self, interaction: &mut Interaction, cause: Option<Cause>) {
        self.record_redirect(interaction, TransferOutcome::Failed, cause);
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::Redirecting(Redirecting { onward, .. }) = stage else { return };
        match onward.otherwise {
            Some(_) => self.go_on(interaction, onward),
            None => self.end(interaction, EndWhy::NotRedirected, None),
        }
    }

    /// The telephone has rung long enough.
    pub(crate) fn redirect_expired(&mut self, interaction: &mut Interaction) {
        let Stage::Redirecting(redirecting) = &interaction.stage else { return };
        if let Some(call) = interaction.call {
            let (party, reason) = (redirecting.party, Removal::NotAnswered);
            self.journal.command(CallCommand::RemoveParty { call, party, reason });
        }
        self.not_redirected(interaction, None);
    }

    fn record_redirect(&mut self, interaction: &Interaction, outcome: TransferOutcome, cause: Option<Cause>) {
        self.journal.record(FactKind::RedirectEnded { interaction: interaction.id, outcome, cause });
    }
}

/// How long a telephone rings to which a caller is handed over. At the limit the flow goes on.
const REDIRECT_WAIT: Duration = Duration::from_secs(60);
