//! How a call, and with it an interaction, ends: whoever began it, every part is released, once.

use std::time::Duration;

use crate::call::{CallCommand, Cause, CauseKind, PartyId, Removal};
use crate::center::Center;
use crate::fact::{EndWhy, EndedBy, FactKind, Missing, OfferOutcome, Outcome, QueueExit};
use crate::interaction::{Interaction, Stage, Unreleased};

impl Unreleased {
    /// The party of the agent who is still to leave.
    pub(crate) fn party(&self) -> PartyId {
        self.conversation.party
    }
}

impl Center {
    /// The customer is gone.
    pub(crate) fn caller_left(&mut self, interaction: &mut Interaction, cause: Cause) {
        match interaction.stage {
            // The customer has what is wanted for now. Who was taken out was so because the call is ending already.
            Stage::Parked(_) if cause.kind == CauseKind::Removed => return,
            Stage::Parked(_) => return self.end_parked_call(interaction),
            Stage::LeavingMessage(_) => return self.speaker_left(interaction),
            _ => {}
        }
        let why = if is_loss(cause.kind) { EndWhy::Lost } else { EndWhy::CallerLeft };
        self.end(interaction, why, Some(cause));
    }

    /// The call has lasted as long as calls may.
    pub(crate) fn call_lasted_too_long(&mut self, interaction: &mut Interaction) {
        if let Stage::CallingBack(..) = interaction.stage {
            return self.calling_back_expired(interaction);
        }
        if self.message_breaks_off(interaction, CauseKind::Limit.into()) {
            return;
        }
        if let (Stage::Offered(..), None) = (&interaction.stage, interaction.customer) {
            // The call was the agent's alone: who waits without a call goes on waiting.
            return self.own_call_lasted_too_long(interaction);
        }
        self.end(interaction, EndWhy::CallLimit, None);
    }

    /// Ends the call for everybody, unless it is being ended already.
    pub(crate) fn end(&mut self, interaction: &mut Interaction, why: EndWhy, cause: Option<Cause>) {
        let Some(call) = interaction.call else { return };
        if let Some(outcome) = outcome_of(interaction, why) {
            self.end_with(interaction, CallCommand::End { call }, why, cause, outcome);
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
        self.leave_queue(interaction, exit_of(why));
        if let Stage::Redirecting(redirecting) = &interaction.stage {
            let (party, reason) = (redirecting.party, Removal::NoLongerNeeded);
            if let Some(call) = interaction.call {
                self.journal.command(CallCommand::RemoveParty { call, party, reason });
            }
        }
        let stage = std::mem::replace(&mut interaction.stage, Stage::Ending { outcome, unreleased: None });
        let left = match stage {
            Stage::Connected(conversation) => {
                let by = ended_by(why);
                let cause = cause.unwrap_or(CauseKind::Removed.into());
                // Who has left already keeps nobody waiting.
                if why == EndWhy::AgentLeft {
                    self.end_conversation(interaction, conversation, by, cause);
                    None
                } else {
                    Some(Unreleased { conversation, by, cause })
                }
            }
            Stage::Transferred(handed_over) => handed_over.leaving.map(|conversation| {
                let cause = CauseKind::Transferred.into();
                Unreleased { conversation, by: EndedBy::Transfer, cause }
            }),
            _ => None,
        };
        interaction.stage = Stage::Ending { outcome, unreleased: left };
        interaction.playing = None;
        interaction.deadline = Some(self.journal.now() + END_WAIT);
        self.journal.command(command);
    }

    /// Lets go of an agent who was still connected when the end of the call began.
    pub(crate) fn release(&mut self, interaction: &mut Interaction, left: Unreleased) {
        let Unreleased { conversation, by, cause } = left;
        self.end_conversation(interaction, conversation, by, cause);
    }

    /// The call is over for everybody.
    pub(crate) fn call_ended(&mut self, interaction: &mut Interaction, cause: Cause) {
        if is_loss(cause.kind) && self.message_breaks_off(interaction, cause.clone()) {
            return self.parked_call_ended(interaction, cause);
        }
        match &interaction.stage {
            Stage::WrapUp { .. } | Stage::Closed => return,
            Stage::Parked(_) => return self.parked_call_ended(interaction, cause),
            // A call that was the agent's alone: somebody who waits without a call goes on waiting.
            Stage::Offered(..) if interaction.customer.is_none() => {
                return self.offer_refused(interaction, PartyId::FIRST, cause);
            }
            Stage::CallingBack(..) => return self.callback_taken_back(interaction, OfferOutcome::Lost),
            Stage::LeavingMessage(_) => self.message_missed(interaction),
            // Only the agent was in it.
            Stage::Connected(_) if interaction.customer.is_none() => {
                self.end(interaction, EndWhy::AgentLeft, Some(cause.clone()));
            }
            _ => {}
        }
        // A door that ends a call on its own says so once; what follows from it is the same.
        self.caller_left(interaction, cause.clone());
        let Stage::Ending { outcome, unreleased } = &mut interaction.stage else { return };
        let (outcome, left) = (*outcome, unreleased.take());
        if let Some(left) = left {
            self.release(interaction, left);
        }
        self.all_rang_out(interaction);
        self.record_call_end(interaction, cause);
        self.forget_call(interaction);
        interaction.deadline = None;
        interaction.stage = Stage::WrapUp { outcome };
        self.close_if_done(interaction);
    }

    pub(crate) fn record_call_end(&mut self, interaction: &Interaction, cause: Cause) {
        let Some(call) = interaction.call else { return };
        self.journal.record(FactKind::CallEnded {
            interaction: interaction.id,
            call,
            cause,
            lasted_us: self.journal.now().micros_since(interaction.call_began_at),
        });
    }

    /// Closes something that waited without a call and is not going to be served.
    pub(crate) fn close_unserved(&mut self, interaction: &mut Interaction, outcome: Outcome) {
        interaction.deadline = None;
        interaction.stage = Stage::WrapUp { outcome };
        self.close_if_done(interaction);
    }

    /// Closes an interaction whose call is over and of which nobody wraps anything up.
    pub(crate) fn close_if_done(&mut self, interaction: &mut Interaction) {
        let Stage::WrapUp { outcome } = interaction.stage else { return };
        if interaction.wrapping_up.is_empty() && interaction.ringing_out.is_empty() {
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
fn outcome_of(interaction: &Interaction, why: EndWhy) -> Option<Outcome> {
    match (&interaction.stage, why) {
        (Stage::Ending { .. } | Stage::WrapUp { .. } | Stage::Closed, _) => None,
        (Stage::Transferred(_), _) => Some(Outcome::Transferred),
        (Stage::Connected(_), _) => Some(Outcome::Handled),
        // Who has talked to an agent was served, whatever became of a further queue.
        _ if interaction.handled => Some(Outcome::Handled),
        (_, EndWhy::Lost) => Some(Outcome::Lost),
        (Stage::Waiting(_) | Stage::Offered(..), EndWhy::CallerLeft) => Some(Outcome::AbandonedInQueue),
        (_, EndWhy::CallerLeft) => Some(Outcome::AbandonedInFlow),
        _ => Some(Outcome::FlowEnded),
    }
}

fn exit_of(why: EndWhy) -> QueueExit {
    match why {
        EndWhy::CallerLeft => QueueExit::Abandoned,
        EndWhy::CallLimit => QueueExit::CallLimit,
        _ => QueueExit::Lost,
    }
}

fn ended_by(why: EndWhy) -> EndedBy {
    match why {
        EndWhy::CallerLeft => EndedBy::Caller,
        EndWhy::AgentLeft => EndedBy::Agent,
        EndWhy::TargetLeft => EndedBy::Transfer,
        EndWhy::CallLimit => EndedBy::Limit,
        EndWhy::MessageHeard => EndedBy::Finished,
        _ => EndedBy::Lost,
    }
}

/// How long a call that is being ended may take until the door says that it has; a SIP door gives up after 32
/// seconds (RFC 3261 timers B and F). At the limit the center goes on without it.
const END_WAIT: Duration = Duration::from_secs(40);
