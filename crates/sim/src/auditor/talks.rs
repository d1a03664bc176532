//! What facts say of calls, conversations and messages, beside what follows.

use tandem_center::agent::AgentState;
use tandem_center::call::{CauseKind, RecordingId, TransferOutcome};
use tandem_center::channel::Channel;
use tandem_center::fact::{EndWhy, EndedBy, FactKind, Missing, OfferOutcome, Outcome, Side};
use tandem_center::id::{AgentId, InteractionId};

use super::waits::ring_out;
use super::world::{Call, Doing, Message, Stage, Talk};
use super::{Auditor, Wrong, figure, same, seconds};

impl Auditor {
    pub(super) fn call_placed(
        &mut self,
        id: InteractionId,
        call: tandem_center::call::CallId,
    ) -> Result<(), Wrong> {
        let (at, lasts) = (self.at, seconds(self.document.limits.call_s));
        same(self.calls() < self.calls_max(), Wrong::TooManyCalls(id))?;
        let interaction = self.touch(id)?;
        let may = matches!(interaction.stage, Stage::Waiting(_)) && interaction.call.is_none();
        same(may && interaction.channel != Channel::Call, Wrong::CannotBe(id))?;
        interaction.call = Some(Call { id: call, began_at: at, ends_at: at + lasts });
        interaction.caller_held_since = None;
        Ok(())
    }

    pub(super) fn connected(&mut self, number: u64, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::Connected { agent, waited_us, rang_us, then, .. } = kind else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let interaction = self.touch(id)?;
        let (stay, ring) = match std::mem::replace(&mut interaction.stage, Stage::InFlow) {
            Stage::Offered(stay, mut rings) if interaction.channel != Channel::Callback => {
                let place = rings.iter().position(|ring| ring.agent == *agent);
                let ring = rings.remove(place.ok_or(Wrong::CannotBe(id))?);
                ring_out(&mut interaction.ringing_out, rings, OfferOutcome::AnsweredElsewhere, at);
                (stay, ring)
            }
            Stage::CallingBack(stay, ring, _) if ring.agent == *agent => (stay, ring),
            _ => return Err(Wrong::CannotBe(id)),
        };
        figure(*waited_us, at.micros_since(stay.entered_at))?;
        figure(*rang_us, at.micros_since(ring.at))?;
        interaction.handled = true;
        interaction.waited_us += waited_us;
        interaction.stage = Stage::Connected(Talk {
            queue: stay.queue.clone(),
            agent: agent.clone(),
            number,
            at,
            held_since: None,
            held_us: 0,
            rules: stay.rules,
            transfer: None,
        });
        self.counts.entry(stay.queue).or_default().answered += 1;
        let view = self.agent_mut(agent)?;
        view.conversations += 1;
        view.misses = 0;
        view.work(id).ok_or_else(|| Wrong::NotFree(agent.clone()))?.doing = Doing::Talking;
        self.becomes(agent, &then.clone().unwrap_or(AgentState::InConversation { interaction: id }))
    }

    pub(super) fn held(&mut self, id: InteractionId, by: Side) -> Result<(), Wrong> {
        let at = self.at;
        let since = self.hold(id, by)?;
        same(since.is_none(), Wrong::CannotBe(id))?;
        *since = Some(at);
        Ok(())
    }

    pub(super) fn resumed(&mut self, id: InteractionId, by: Side, held_us: u64) -> Result<(), Wrong> {
        let at = self.at;
        let since = self.hold(id, by)?.take().ok_or(Wrong::CannotBe(id))?;
        figure(held_us, at.micros_since(since))?;
        if let (Stage::Connected(talk), Side::Agent) = (&mut self.touch(id)?.stage, by) {
            talk.held_us += held_us;
        }
        Ok(())
    }

    fn hold(&mut self, id: InteractionId, by: Side) -> Result<&mut Option<tandem_center::Timestamp>, Wrong> {
        let interaction = self.touch(id)?;
        match (&mut interaction.stage, by) {
            (_, Side::Caller) => Ok(&mut interaction.caller_held_since),
            (Stage::Connected(talk), Side::Agent) => Ok(&mut talk.held_since),
            _ => Err(Wrong::CannotBe(id)),
        }
    }

    pub(super) fn transfer_asked(
        &mut self,
        id: InteractionId,
        agent: &AgentId,
        allowed: bool,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let is_message = interaction.channel == Channel::Voicemail;
        let Stage::Connected(talk) = &mut interaction.stage else { return Err(Wrong::CannotBe(id)) };
        let may = talk.transfer.is_none() && !is_message;
        same(talk.agent == *agent && allowed == may, Wrong::CannotBe(id))?;
        if may {
            talk.transfer = Some(at);
        }
        Ok(())
    }

    pub(super) fn transfer_ended(
        &mut self,
        id: InteractionId,
        outcome: TransferOutcome,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        match &mut interaction.stage {
            Stage::Connected(talk) if talk.transfer.is_some() => {
                talk.transfer = None;
                if outcome == TransferOutcome::Done {
                    let leaving = Some(talk.clone());
                    interaction.stage = Stage::HandedOver { leaving, pending: false, since: at };
                }
                Ok(())
            }
            Stage::HandedOver { pending, .. } if *pending => {
                *pending = false;
                Ok(())
            }
            _ => Err(Wrong::CannotBe(id)),
        }
    }

    pub(super) fn conversation_ended(&mut self, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::ConversationEnded {
            queue,
            agent,
            by,
            cause,
            talked_us,
            held_us,
            wrap_up_until,
            then,
            ..
        } = kind
        else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let interaction = self.touch(id)?;
        let talk = match &mut interaction.stage {
            Stage::Connected(talk) => {
                let talk = talk.clone();
                interaction.moved = talk.transfer.is_none();
                interaction.stage = match talk.transfer {
                    // A message that was not heard to its end waits on.
                    None if interaction.channel == Channel::Voicemail => Stage::Parked,
                    Some(since) => Stage::HandedOver { leaving: None, pending: true, since },
                    None => Stage::InFlow,
                };
                talk
            }
            Stage::HandedOver { leaving, .. } => leaving.take().ok_or(Wrong::CannotBe(id))?,
            Stage::Ending { talk, .. } => talk.take().ok_or(Wrong::CannotBe(id))?,
            _ => return Err(Wrong::CannotBe(id)),
        };
        same(talk.agent == *agent && talk.queue == *queue, Wrong::CannotBe(id))?;
        let held = talk.held_us + talk.held_since.map_or(0, |since| at.micros_since(since));
        figure(*held_us, held)?;
        figure(*talked_us, at.micros_since(talk.at) - held)?;
        let restarted = *by == EndedBy::Lost && cause.kind == CauseKind::Restarted;
        let wrap_up = if talk.rules.wrap_up.unlimited { WRAP_UP_MAX_S } else { talk.rules.wrap_up_s };
        let until = (!restarted && wrap_up > 0).then(|| at + seconds(wrap_up));
        figure(
            wrap_up_until.map_or(0, |until| until.as_micros()),
            until.map_or(0, |until| until.as_micros()),
        )?;
        if until.is_some() {
            interaction.wrapping_up.push(agent.clone());
        }
        let view = self.agent_mut(agent)?;
        match until {
            Some(until) => {
                view.work(id).ok_or_else(|| Wrong::NotFree(agent.clone()))?.doing =
                    Doing::WrapUp { since: at, until, extended: 0, rules: talk.rules };
            }
            None => {
                view.work.retain(|work| work.interaction != id);
                view.idle_since = at;
            }
        }
        self.becomes(agent, then)
    }

    pub(super) fn redirect_begun(&mut self, id: InteractionId) -> Result<(), Wrong> {
        self.in_flow(id)?;
        let at = self.at;
        self.touch(id)?.stage = Stage::Redirecting(at);
        Ok(())
    }

    pub(super) fn redirect_ended(
        &mut self,
        id: InteractionId,
        outcome: TransferOutcome,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        same(matches!(interaction.stage, Stage::Redirecting(_)), Wrong::CannotBe(id))?;
        interaction.stage = match outcome {
            TransferOutcome::Done => Stage::HandedOver { leaving: None, pending: false, since: at },
            TransferOutcome::Failed => Stage::InFlow,
        };
        Ok(())
    }

    pub(super) fn message_begun(&mut self, id: InteractionId, recording: RecordingId) -> Result<(), Wrong> {
        self.in_flow(id)?;
        self.touch(id)?.stage = Stage::LeavingMessage(recording);
        Ok(())
    }

    pub(super) fn message_left(&mut self, id: InteractionId, recording: RecordingId) -> Result<(), Wrong> {
        let interaction = self.touch(id)?;
        let leaving = matches!(interaction.stage, Stage::LeavingMessage(begun) if begun == recording);
        same(leaving && interaction.message.is_none(), Wrong::CannotBe(id))?;
        interaction.message = Some(Message { recording, heard: false });
        interaction.channel = Channel::Voicemail;
        interaction.stage = Stage::Parked;
        Ok(())
    }

    pub(super) fn message_missed(&mut self, id: InteractionId, recording: RecordingId) -> Result<(), Wrong> {
        let interaction = self.touch(id)?;
        let leaving = matches!(interaction.stage, Stage::LeavingMessage(begun) if begun == recording);
        same(leaving, Wrong::CannotBe(id))
    }

    pub(super) fn heard(&mut self, id: InteractionId, recording: RecordingId) -> Result<(), Wrong> {
        let interaction = self.touch(id)?;
        let talks = matches!(interaction.stage, Stage::Connected(_));
        let message = interaction.message.as_mut().filter(|message| message.recording == recording && talks);
        message.ok_or(Wrong::CannotBe(id))?.heard = true;
        Ok(())
    }

    pub(super) fn ending(
        &mut self,
        id: InteractionId,
        why: EndWhy,
        restarted: bool,
        outcome: Outcome,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let talks = matches!(interaction.stage, Stage::Connected(_) | Stage::HandedOver { .. });
        if why == EndWhy::AgentLeft {
            // Who hangs up has done with a message.
            interaction.message.iter_mut().for_each(|message| message.heard = true);
        }
        let expected = match (&interaction.stage, why) {
            // It could not be played.
            (Stage::Connected(_), EndWhy::Lost) if interaction.channel == Channel::Voicemail => Outcome::Lost,
            _ if restarted && (talks || !interaction.handled) => Outcome::Lost,
            (Stage::HandedOver { .. }, _) => Outcome::Transferred,
            _ if interaction.handled => Outcome::Handled,
            (_, EndWhy::Lost) => Outcome::Lost,
            (Stage::Waiting(_) | Stage::Offered(..), EndWhy::CallerLeft) => Outcome::AbandonedInQueue,
            (_, EndWhy::CallerLeft) => Outcome::AbandonedInFlow,
            _ => Outcome::FlowEnded,
        };
        same(outcome == expected && interaction.call.is_some(), Wrong::WrongOutcome(id))?;
        let (stay, talk) = match std::mem::replace(&mut interaction.stage, Stage::InFlow) {
            Stage::InFlow | Stage::Redirecting(_) | Stage::LeavingMessage(..) => (None, None),
            Stage::Waiting(stay) => (Some(stay), None),
            Stage::Offered(stay, rings) => {
                ring_out(&mut interaction.ringing_out, rings, OfferOutcome::CallerGone, at);
                (Some(stay), None)
            }
            Stage::Connected(talk) => (None, Some(talk)),
            Stage::HandedOver { leaving, .. } => (None, leaving),
            Stage::CallingBack(..)
            | Stage::Parked
            | Stage::Scheduled(_)
            | Stage::Ending { .. }
            | Stage::CallOver { .. } => return Err(Wrong::CannotBe(id)),
        };
        interaction.stage = Stage::Ending { outcome, since: at, stay, talk };
        Ok(())
    }

    pub(super) fn call_ended(
        &mut self,
        id: InteractionId,
        call: tandem_center::call::CallId,
        lasted_us: u64,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let ended = interaction.call.take().filter(|known| known.id == call).ok_or(Wrong::CannotBe(id))?;
        interaction.caller_held_since = None;
        match interaction.stage {
            Stage::Ending { outcome, stay: None, talk: None, .. } => {
                interaction.stage = Stage::CallOver { outcome };
            }
            Stage::Parked => {}
            _ => return Err(Wrong::CannotBe(id)),
        }
        figure(lasted_us, at.micros_since(ended.began_at))
    }

    pub(super) fn repaired(&mut self, id: InteractionId, missing: Missing) -> Result<(), Wrong> {
        self.repairs += 1;
        match (&mut self.touch(id)?.stage, missing) {
            (Stage::Connected(talk), Missing::TransferEnd) => talk.transfer = None,
            (Stage::HandedOver { pending, .. }, Missing::TransferEnd) => *pending = false,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn close(&mut self, id: InteractionId, outcome: Outcome) -> Result<(), Wrong> {
        let interaction = self.touch(id)?;
        let expected = match interaction.stage {
            Stage::CallOver { outcome } => Some(outcome),
            // What waits without a call is closed without one.
            Stage::InFlow | Stage::Scheduled(_) | Stage::Parked
                if interaction.channel != Channel::Call && interaction.call.is_none() =>
            {
                Some(interaction.unserved.unwrap_or(Outcome::Expired))
            }
            _ => None,
        };
        same(expected.is_some(), Wrong::CannotBe(id))?;
        same(interaction.wrapping_up.is_empty() && interaction.ringing_out.is_empty(), Wrong::CannotBe(id))?;
        same(expected == Some(outcome), Wrong::WrongOutcome(id))?;
        // A message is heard, or waits until it is.
        let unheard = interaction.message.is_some_and(|message| !message.heard);
        same(!(unheard && outcome == Outcome::Handled), Wrong::Unheard(id))?;
        self.interactions.remove(&id);
        self.closed += 1;
        Ok(())
    }
}

/// What an unlimited wrap-up comes to.
const WRAP_UP_MAX_S: u32 = 12 * 3600;
