//! How a call, and with it an interaction, ends: whoever began it, every part is released, once.

use std::time::Duration;

use crate::call::{CallCommand, Cause, CauseKind, PartyId, Removal};
use crate::center::Center;
use crate::fact::{EndWhy, EndedBy, FactKind, Missing, OfferOutcome, Outcome, QueueExit};
use crate::interaction::{Interaction, Stage, Unreleased};

impl Unreleased {
    /// The party of the agent who is still to leave.
    pub(crate) fn party(&self) -> PartyId {
        match self {
            Unreleased::Offer(_, offer) => offer.party,
            Unreleased::Conversation { conversation, .. } => conversation.party,
        }
    }
}

impl Center {
    /// The caller is gone.
    pub(crate) fn caller_left(&mut self, interaction: &mut Interaction, cause: Cause) {
        let why = if is_loss(cause.kind) { EndWhy::Lost } else { EndWhy::CallerLeft };
        self.end(interaction, why, Some(cause));
    }

    /// The call has lasted as long as calls may.
    pub(crate) fn call_lasted_too_long(&mut self, interaction: &mut Interaction) {
        self.end(interaction, EndWhy::CallLimit, None);
    }

    /// Ends the call for everybody, unless it is being ended already.
    pub(crate) fn end(&mut self, interaction: &mut Interaction, why: EndWhy, cause: Option<Cause>) {
        if let Some(outcome) = outcome_of(&interaction.stage, why) {
            let command = CallCommand::End { call: interaction.call };
            self.end_with(interaction, command, why, cause, outcome);
        }
    }

    /// Ends the call with this command.
    pub(crate) fn end_with(
        &mut self,
        interaction: &mut Interaction,
        command: CallCommand,
        why: EndWhy,
        cause: Option<Cause>,
        outcome: Outcome,
    ) {
        self.journal.record(FactKind::Ending {
            interaction: interaction.id,
            why,
            cause: cause.clone(),
            outcome,
        });
        let stage = std::mem::replace(&mut interaction.stage, Stage::Ending { outcome, unreleased: None });
        let left = match stage {
            Stage::Waiting(visit) => {
                self.leave_queue(interaction, &visit, exit_of(why));
                None
            }
            Stage::Offered(visit, offer) => {
                self.leave_queue_offered(interaction, &visit, exit_of(why));
                self.stop_ringing(interaction, &offer, Removal::NoLongerNeeded);
                Some(Unreleased::Offer(visit, offer))
            }
            Stage::Connected(conversation) => {
                let by = ended_by(why);
                let cause = cause.unwrap_or(CauseKind::Removed.into());
                // Who has left already keeps nobody waiting.
                if why == EndWhy::AgentLeft {
                    self.end_conversation(interaction, conversation, by, cause);
                    None
                } else {
                    Some(Unreleased::Conversation { conversation, by, cause })
                }
            }
            Stage::Transferred(handed_over) => handed_over.leaving.map(|conversation| {
                let cause = CauseKind::Transferred.into();
                Unreleased::Conversation { conversation, by: EndedBy::Transfer, cause }
            }),
            Stage::BetweenSteps
            | Stage::InFlow(_)
            | Stage::Ending { .. }
            | Stage::WrapUp { .. }
            | Stage::Closed => None,
        };
        interaction.stage = Stage::Ending { outcome, unreleased: left };
        interaction.playing = None;
        interaction.deadline = Some(self.journal.now() + END_WAIT);
        self.journal.command(command);
    }

    /// Lets go of an agent who was still rung or connected when the end of the call began.
    pub(crate) fn release(&mut self, interaction: &mut Interaction, left: Unreleased) {
        match left {
            Unreleased::Offer(visit, offer) => {
                self.end_offer(interaction, &visit, &offer, OfferOutcome::CallerGone, None);
            }
            Unreleased::Conversation { conversation, by, cause } => {
                self.end_conversation(interaction, conversation, by, cause);
            }
        }
    }

    /// The call is over for everybody.
    pub(crate) fn call_ended(&mut self, interaction: &mut Interaction, cause: Cause) {
        if matches!(interaction.stage, Stage::WrapUp { .. } | Stage::Closed) {
            return;
        }
        // A door that ends a call on its own says so once; what follows from it is the same.
        self.caller_left(interaction, cause.clone());
        let Stage::Ending { outcome, unreleased } = &mut interaction.stage else { return };
        let (outcome, left) = (*outcome, unreleased.take());
        if let Some(left) = left {
            self.release(interaction, left);
        }
        self.journal.record(FactKind::CallEnded {
            interaction: interaction.id,
            call: interaction.call,
            cause,
            lasted_us: self.journal.now().micros_since(interaction.arrived_at),
        });
        self.interactions.forget_call(interaction.call);
        interaction.stage = Stage::WrapUp { outcome };
        self.close_if_done(interaction);
    }

    /// Closes an interaction whose call is over and of which nobody wraps anything up.
    pub(crate) fn close_if_done(&mut self, interaction: &mut Interaction) {
        let Stage::WrapUp { outcome } = interaction.stage else { return };
        if interaction.wrapping_up.is_none() {
            self.journal.record(FactKind::Closed { interaction: interaction.id, outcome });
            interaction.stage = Stage::Closed;
        }
    }

    /// Says that something did not come that was due.
    pub(crate) fn repaired(&mut self, interaction: &Interaction, missing: Missing) {
        self.journal.record(FactKind::Repaired { interaction: interaction.id, missing });
    }
}

/// Whether a call with this cause broke off, rather than somebody having ended it.
pub(crate) fn is_loss(cause: CauseKind) -> bool {
    match cause {
        CauseKind::HungUp
        | CauseKind::Cancelled
        | CauseKind::Removed
        | CauseKind::Transferred
        | CauseKind::NotAnswered
        | CauseKind::Busy
        | CauseKind::Declined
        | CauseKind::Rejected => false,
        CauseKind::NotFound
        | CauseKind::Unavailable
        | CauseKind::Forbidden
        | CauseKind::NotAcceptable
        | CauseKind::Unreachable
        | CauseKind::Overloaded
        | CauseKind::NetworkFailure
        | CauseKind::Lost
        | CauseKind::Limit
        | CauseKind::Restarted => true,
    }
}

/// How an interaction that ends in this stage is counted; `None` if its end has begun already.
fn outcome_of(stage: &Stage, why: EndWhy) -> Option<Outcome> {
    match (stage, why) {
        (Stage::Connected(_), _) => Some(Outcome::Handled),
        (Stage::Transferred(_), _) => Some(Outcome::Transferred),
        (Stage::Ending { .. } | Stage::WrapUp { .. } | Stage::Closed, _) => None,
        (_, EndWhy::Lost) => Some(Outcome::Lost),
        (Stage::BetweenSteps | Stage::InFlow(_), EndWhy::CallerLeft) => Some(Outcome::AbandonedInFlow),
        (Stage::Waiting(_) | Stage::Offered(..), EndWhy::CallerLeft) => Some(Outcome::AbandonedInQueue),
        (Stage::BetweenSteps | Stage::InFlow(_) | Stage::Waiting(_) | Stage::Offered(..), _) => {
            Some(Outcome::FlowEnded)
        }
    }
}

fn exit_of(why: EndWhy) -> QueueExit {
    match why {
        EndWhy::CallerLeft => QueueExit::Abandoned,
        EndWhy::CallLimit => QueueExit::CallLimit,
        EndWhy::AgentLeft | EndWhy::TargetLeft | EndWhy::FlowEnded | EndWhy::Lost => QueueExit::Lost,
    }
}

fn ended_by(why: EndWhy) -> EndedBy {
    match why {
        EndWhy::CallerLeft => EndedBy::Caller,
        EndWhy::AgentLeft => EndedBy::Agent,
        EndWhy::TargetLeft => EndedBy::Transfer,
        EndWhy::CallLimit => EndedBy::Limit,
        EndWhy::FlowEnded | EndWhy::Lost => EndedBy::Lost,
    }
}

/// How long a call that is being ended may take until the door says that it has; a SIP door gives up after 32
/// seconds (RFC 3261 timers B and F). At the limit the center goes on without it.
const END_WAIT: Duration = Duration::from_secs(40);
