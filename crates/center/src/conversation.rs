//! Conversations: caller and agent talk, hold, hand over, and part.

use std::time::Duration;

use crate::agent::{AgentState, Doing};
use crate::call::{
    Address, CallCommand, Cause, PartyId, Quality, Removal, TransferDecision, TransferId, TransferOutcome,
};
use crate::center::Center;
use crate::channel::Channel;
use crate::config::AgentProfile;
use crate::ending::is_loss;
use crate::fact::{EndWhy, EndedBy, FactKind, Missing, OfferOutcome, Side};
use crate::interaction::{Conversation, HandedOver, Interaction, Offer, Stage, Transfer};
use crate::personal::Personal;
use crate::queue::Visit;

impl Center {
    /// A party answered. If it is an agent being rung, the offer is taken; the one to whom the caller is being
    /// handed over is heard from now on; anybody else was too late.
    pub(crate) fn joined(&mut self, interaction: &mut Interaction, party: PartyId) {
        match &interaction.stage {
            Stage::Offered(..) => self.offer_answered(interaction, party),
            Stage::CallingBack(_, _, calling) if calling.customer == party => self.called_back(interaction),
            Stage::Redirecting(redirecting) if redirecting.party == party => self.redirected(interaction),
            Stage::Connected(Conversation { transfer: Some(transfer), .. })
            | Stage::Transferred(HandedOver { pending: Some((transfer, _)), .. })
                if transfer.party == party =>
            {
                self.hush(interaction);
            }
            _ => {}
        }
    }

    /// An agent takes an offer: the first to do so has it, the others are rung no longer.
    pub(crate) fn offer_taken(&mut self, interaction: &mut Interaction, party: PartyId) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::Offered(visit, mut offers) = stage else {
            interaction.stage = stage;
            return;
        };
        let Some(at) = offers.iter().position(|offer| offer.party == party) else {
            interaction.stage = Stage::Offered(visit, offers);
            return;
        };
        let offer = offers.remove(at);
        self.stand_back(&visit);
        match interaction.channel {
            Channel::Callback => self.call_back(interaction, visit, offer),
            Channel::Call | Channel::Voicemail => self.connect(interaction, visit, &offer, offers),
        }
    }

    /// Lets customer and agent hear each other.
    pub(crate) fn connect(
        &mut self,
        interaction: &mut Interaction,
        visit: Visit,
        offer: &Offer,
        others: Vec<Offer>,
    ) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get(offer.agent) else { return };
        let profile = agent.profile.clone();
        if visit.asking.is_some()
            && let (Some(call), Some(party)) = (interaction.call, interaction.customer)
        {
            self.journal.command(CallCommand::StopCollect { call, party });
        }
        self.hush(interaction);
        if let Some(call) = interaction.call {
            self.journal.command(CallCommand::Admit { call, party: offer.party });
        }
        self.forget_place(interaction, &visit);
        let id = interaction.id;
        self.change_agent(offer.agent, |agent| {
            if let Some(work) = agent.work_mut(id) {
                work.doing = Doing::Talking;
            }
            agent.record.connected();
        });
        let then = self.agents.get(offer.agent).map(|agent| agent.state());
        let plain = Some(AgentState::InConversation { interaction: id });
        self.journal.record(FactKind::Connected {
            interaction: id,
            queue: visit.rules.id.clone(),
            queue_name: visit.rules.name.clone(),
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            waited_us: now.micros_since(visit.entered_at),
            rang_us: now.micros_since(offer.offered_at),
            then: then.filter(|then| Some(then) != plain.as_ref()),
        });
        interaction.deadline = None;
        interaction.handled = true;
        interaction.talked_to = Some((offer.party, profile.id.clone()));
        if interaction.channel != Channel::Voicemail {
            self.acquaintances.met(id, &interaction.caller.from, &profile.id);
        }
        let queue = visit.rules.id.clone();
        interaction.stage = Stage::Connected(Conversation {
            rules: visit.rules,
            agent: offer.agent,
            party: offer.party,
            connected_at: now,
            held_since: None,
            held: Duration::ZERO,
            transfer: None,
            hearing: None,
        });
        self.ring_out(interaction, &queue, others, OfferOutcome::AnsweredElsewhere);
        if interaction.channel == Channel::Voicemail {
            // Who hears what a customer said has not talked to the customer.
            return self.let_hear(interaction);
        }
        self.served(interaction);
    }

    /// A party other than the customer is gone.
    pub(crate) fn party_left(&mut self, interaction: &mut Interaction, party: PartyId, cause: Cause) {
        match &mut interaction.stage {
            Stage::Offered(..) => self.offer_refused(interaction, party, cause),
            Stage::CallingBack(_, offer, calling) => {
                if calling.customer == party {
                    self.customer_not_reached(interaction);
                } else if offer.party == party {
                    self.callback_taken_back(interaction, OfferOutcome::Declined);
                }
            }
            Stage::Redirecting(redirecting) if redirecting.party == party => {
                self.not_redirected(interaction, Some(cause));
            }
            Stage::Connected(conversation) if conversation.party == party => {
                let conversation = conversation.clone();
                self.agent_left(interaction, conversation, cause);
            }
            Stage::Transferred(handed_over) => {
                if let Some(leaving) = handed_over.leaving.take_if(|leaving| leaving.party == party) {
                    interaction.deadline = None;
                    self.end_conversation(interaction, leaving, EndedBy::Transfer, cause);
                } else if handed_over.party == party && handed_over.pending.is_none() {
                    self.end(interaction, EndWhy::TargetLeft, Some(cause));
                }
            }
            Stage::Ending { unreleased, .. } => {
                if let Some(left) = unreleased.take_if(|unreleased| unreleased.party() == party) {
                    self.release(interaction, left);
                }
            }
            _ => {}
        }
    }

    fn agent_left(&mut self, interaction: &mut Interaction, conversation: Conversation, cause: Cause) {
        if conversation.hearing.is_some() && interaction.message.is_some() && is_loss(cause.kind) {
            return self.message_waits_again(interaction, conversation, cause);
        }
        let Some(transfer) = conversation.transfer else {
            let why = if is_loss(cause.kind) { EndWhy::Lost } else { EndWhy::AgentLeft };
            return self.end(interaction, why, Some(cause));
        };
        // The agent need not wait for the one to whom the caller is being handed over.
        if let Some(agent) = self.agents.get(conversation.agent) {
            let pending = Some((transfer, agent.profile.clone()));
            let party = transfer.party;
            interaction.deadline = Some(transfer.until);
            interaction.stage = Stage::Transferred(HandedOver { party, leaving: None, pending });
        }
        self.end_conversation(interaction, conversation, EndedBy::Transfer, cause);
    }

    /// A party put the call on hold. If the caller would hear silence meanwhile, the queue's music plays.
    pub(crate) fn held(&mut self, interaction: &mut Interaction, party: PartyId, silent: bool) {
        let now = self.journal.now();
        let (since, by, music) = match &mut interaction.stage {
            _ if Some(party) == interaction.customer => {
                (&mut interaction.caller_held_since, Side::Caller, None)
            }
            Stage::Connected(conversation) if conversation.party == party => {
                let music = conversation.rules.music.clone().filter(|_| silent);
                (&mut conversation.held_since, Side::Agent, music)
            }
            _ => return,
        };
        if since.is_some() {
            return;
        }
        *since = Some(now);
        self.journal.record(FactKind::Held { interaction: interaction.id, by });
        if let Some(music) = music {
            self.play(interaction, music, true);
        }
    }

    /// A party took the call back from hold.
    pub(crate) fn resumed(&mut self, interaction: &mut Interaction, party: PartyId) {
        let now = self.journal.now();
        let (since, by) = match &mut interaction.stage {
            _ if Some(party) == interaction.customer => (interaction.caller_held_since.take(), Side::Caller),
            Stage::Connected(conversation) if conversation.party == party => {
                let since = conversation.held_since.take();
                conversation.held += since.map_or(Duration::ZERO, |since| now.since(since));
                (since, Side::Agent)
            }
            _ => return,
        };
        if let Some(since) = since {
            if by == Side::Agent {
                self.hush(interaction);
            }
            let held_us = now.micros_since(since);
            self.journal.record(FactKind::Resumed { interaction: interaction.id, by, held_us });
        }
    }

    /// A party wants to hand the call over: the agent of the conversation may, once at a time; nobody else.
    pub(crate) fn transfer_asked(
        &mut self,
        interaction: &mut Interaction,
        party: PartyId,
        id: TransferId,
        target: Option<Address>,
    ) {
        let Some(call) = interaction.call else { return };
        let next_party = PartyId(interaction.parties.saturating_add(1));
        let Stage::Connected(conversation) = &mut interaction.stage else {
            return self.refuse_transfer(interaction, id);
        };
        // A wish that is told twice is decided once.
        if conversation.transfer.is_some_and(|transfer| transfer.id == id) {
            return;
        }
        if conversation.party != party {
            return self.refuse_transfer(interaction, id);
        }
        // Nobody is on the line of a message who could be handed over.
        let allowed = conversation.transfer.is_none() && interaction.channel != Channel::Voicemail;
        let agent = conversation.agent;
        if allowed {
            let until = self.journal.now() + TRANSFER_WAIT;
            conversation.transfer = Some(Transfer { id, party: next_party, until });
            interaction.parties = next_party.0;
            interaction.deadline = Some(until);
            let decision = TransferDecision::Allow { party: next_party };
            self.journal.command(CallCommand::DecideTransfer { call, transfer: id, decision });
        } else {
            self.refuse_transfer(interaction, id);
        }
        let Some(agent) = self.agents.get(agent) else { return };
        self.journal.record(FactKind::TransferAsked {
            interaction: interaction.id,
            agent: agent.profile.id.clone(),
            agent_name: agent.profile.name.clone(),
            transfer: id,
            target: target.map(Personal::new),
            allowed,
        });
    }

    /// An allowed transfer came to an end.
    pub(crate) fn transfer_ended(
        &mut self,
        interaction: &mut Interaction,
        id: TransferId,
        outcome: TransferOutcome,
    ) {
        match &mut interaction.stage {
            Stage::Connected(conversation) => {
                let Some(transfer) = conversation.transfer.take_if(|transfer| transfer.id == id) else {
                    return;
                };
                let conversation = conversation.clone();
                self.record_transfer_end(interaction, &conversation, id, outcome);
                interaction.deadline = None;
                if outcome == TransferOutcome::Done {
                    interaction.deadline = Some(self.journal.now() + LEAVE_WAIT);
                    interaction.stage = Stage::Transferred(HandedOver {
                        party: transfer.party,
                        leaving: Some(conversation),
                        pending: None,
                    });
                }
            }
            Stage::Transferred(handed_over) => {
                let Some((_, agent)) = handed_over.pending.take_if(|(transfer, _)| transfer.id == id) else {
                    return;
                };
                self.record_transfer_outcome(interaction, &agent, id, outcome);
                interaction.deadline = None;
                if outcome == TransferOutcome::Failed {
                    self.end(interaction, EndWhy::TargetLeft, None);
                }
            }
            _ => {}
        }
    }

    /// An allowed transfer neither succeeded nor failed: the conversation goes on without it.
    pub(crate) fn transfer_expired(&mut self, interaction: &mut Interaction) {
        let Stage::Connected(conversation) = &mut interaction.stage else { return };
        if conversation.transfer.take().is_some() {
            self.repaired(interaction, Missing::TransferEnd);
        }
    }

    /// An agent who handed over did not leave, or the hand-over of one who left did not end.
    pub(crate) fn hand_over_expired(&mut self, interaction: &mut Interaction) {
        let Stage::Transferred(handed_over) = &mut interaction.stage else { return };
        let (leaving, pending) = (handed_over.leaving.take(), handed_over.pending.take());
        if let Some(leaving) = leaving {
            self.repaired(interaction, Missing::PartyLeft);
            if let Some(call) = interaction.call {
                let (party, reason) = (leaving.party, Removal::Finished);
                self.journal.command(CallCommand::RemoveParty { call, party, reason });
            }
            self.end_conversation(
                interaction,
                leaving,
                EndedBy::Transfer,
                crate::call::CauseKind::Removed.into(),
            );
        }
        if pending.is_some() {
            self.repaired(interaction, Missing::TransferEnd);
            self.end(interaction, EndWhy::TargetLeft, None);
        }
    }

    /// How well a party was heard. It is told when the party has left.
    pub(crate) fn quality(&mut self, interaction: &mut Interaction, party: PartyId, quality: Quality) {
        let agent = interaction.talked_to.as_ref().filter(|(talked_to, _)| *talked_to == party);
        let agent = agent.map(|(_, agent)| agent.clone());
        self.journal.record(FactKind::Quality { interaction: interaction.id, party, agent, quality });
    }

    /// The agent's part is over: on to the wrap-up, or to the next caller.
    pub(crate) fn end_conversation(
        &mut self,
        interaction: &mut Interaction,
        conversation: Conversation,
        by: EndedBy,
        cause: Cause,
    ) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get(conversation.agent) else { return };
        let profile = agent.profile.clone();
        let on_hold = conversation.held_since.map_or(Duration::ZERO, |since| now.since(since));
        let held = conversation.held + on_hold;
        let talked = now.since(conversation.connected_at).saturating_sub(held);
        let wrap_up = self.wrap_up_after(&conversation);
        let wrap_up_until = wrap_up.as_ref().map(|wrap_up| wrap_up.until);
        let id = interaction.id;
        if wrap_up.is_some() {
            interaction.wrapping_up.push(conversation.agent);
        }
        self.change_agent(conversation.agent, |agent| match (wrap_up, agent.work_mut(id)) {
            (Some(wrap_up), Some(work)) => work.doing = Doing::WrapUp(wrap_up),
            _ => {
                agent.work.retain(|work| work.interaction != id);
                agent.idle_since = now;
            }
        });
        let then = self.state_or_gone(conversation.agent);
        if let Some(queue) =
            self.queues.index(&conversation.rules.id).and_then(|index| self.queues.get_mut(index))
        {
            queue.pace.talked(micros(talked + held));
        }
        self.journal.record(FactKind::ConversationEnded {
            interaction: interaction.id,
            queue: conversation.rules.id.clone(),
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            by,
            cause,
            talked_us: micros(talked),
            held_us: micros(held),
            wrap_up_until,
            then,
        });
    }

    fn refuse_transfer(&mut self, interaction: &Interaction, transfer: TransferId) {
        let Some(call) = interaction.call else { return };
        let decision = TransferDecision::Refuse;
        self.journal.command(CallCommand::DecideTransfer { call, transfer, decision });
    }

    fn record_transfer_end(
        &mut self,
        interaction: &Interaction,
        conversation: &Conversation,
        id: TransferId,
        outcome: TransferOutcome,
    ) {
        if let Some(profile) = self.agents.get(conversation.agent).map(|agent| agent.profile.clone()) {
            self.record_transfer_outcome(interaction, &profile, id, outcome);
        }
    }

    fn record_transfer_outcome(
        &mut self,
        interaction: &Interaction,
        agent: &AgentProfile,
        transfer: TransferId,
        outcome: TransferOutcome,
    ) {
        self.journal.record(FactKind::TransferEnded {
            interaction: interaction.id,
            agent: agent.id.clone(),
            agent_name: agent.name.clone(),
            transfer,
            outcome,
        });
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// How long an allowed transfer may go on; longer than telephones ring. At the limit it is given up.
const TRANSFER_WAIT: Duration = Duration::from_secs(180);

/// How long an agent who handed the caller over may take to leave. At the limit the agent is taken out.
const LEAVE_WAIT: Duration = Duration::from_secs(10);
