//! Offers: agents are rung for somebody who waits.

use std::time::Duration;

use crate::agent::{AgentState, ChosenState, Doing, Rest, RestCause, Work};
use crate::call::{CallCommand, Cause, CauseKind, Collect, Digits, PartyId, Removal};
use crate::center::Center;
use crate::class::{next_turn, turn_of};
use crate::config::Strategy;
use crate::fact::{FactKind, Missing, OfferOutcome, Turn};
use crate::id::{AgentIndex, InteractionId, QueueId, QueueIndex};
use crate::interaction::{Interaction, Offer, RingingOut, Stage};
use crate::queue::Visit;

impl Center {
    /// Offers somebody who waits to a ready agent. The agent is rung at once and is nobody else's until the offer ends.
    /// If the one does not wait or the other is not ready, nothing happens and the answer is `false`.
    pub(crate) fn offer(&mut self, id: InteractionId, queue: QueueIndex, index: AgentIndex) -> bool {
        // Who gets the same customer again has nothing more to finish about the conversation before; that may change
        // who comes first.
        if self.takes_up_again(index, id) {
            return true;
        }
        let Some(mut interaction) = self.interactions.take(id) else { return false };
        let offered = self.ring(&mut interaction, queue, index).is_some();
        self.settle(interaction);
        offered
    }

    fn ring(&mut self, interaction: &mut Interaction, queue: QueueIndex, index: AgentIndex) -> Option<()> {
        let now = self.journal.now();
        let of_ready = match &interaction.stage {
            Stage::Waiting(visit) | Stage::Offered(visit, _) if visit.queue == queue => self.ready_for(visit),
            _ => return None,
        };
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let (mut visit, mut offers) = match stage {
            Stage::Waiting(visit) => (visit, Vec::new()),
            Stage::Offered(visit, offers) => (visit, offers),
            _ => return None,
        };
        // The rules of today hold for what happens from here, also for who came in under older ones.
        let rules = self.queues.get(queue)?.rules.clone();
        if !std::sync::Arc::ptr_eq(&rules, &visit.rules) {
            visit.renew_rules(rules, now);
        }
        if !self.rings_all(interaction, &visit, offers.len() + 1) {
            self.stand_back(&visit);
        }
        let agent = self.agents.get(index)?;
        let (profile, idle_since) = (agent.profile.clone(), agent.idle_since);
        let turn = self.take_turn(&visit, index);
        let party = self.ring_endpoint(interaction, &profile);
        let rings_until = now + visit.rules.ring_timeout;
        let number = self.journal.number() + 1;
        self.change_agent(index, |agent| {
            agent.record.last_offer = number;
            if let Some(turn) = turn {
                agent.record.turns.insert(visit.rules.id.clone(), turn.next);
            }
            let (interaction, channel) = (interaction.id, interaction.channel);
            agent.work.push(Work { interaction, channel, doing: Doing::Offered });
        });
        let agent = self.agents.get(index)?;
        let presence_seen = agent.presence.as_ref().map(|told| told.seen(now, agent.presence_confirmed_at));
        let then = agent.state();
        let plain = then == AgentState::Offered { interaction: interaction.id };
        self.journal.record(FactKind::Offered {
            interaction: interaction.id,
            queue: visit.rules.id.clone(),
            queue_name: visit.rules.name.clone(),
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            party,
            endpoint: profile.endpoint.clone(),
            rings_until,
            waited_us: now.micros_since(visit.entered_at),
            idle_us: now.micros_since(idle_since),
            presence: presence_seen,
            of_ready: u64::try_from(of_ready).unwrap_or(u64::MAX),
            turn,
            then: (!plain).then_some(then),
            configuration: self.configuration,
        });
        offers.push(Offer {
            agent: index,
            party,
            offered_at: now,
            rings_until,
            lapses_at: rings_until,
            ringing: false,
            confirming: None,
        });
        interaction.stage = Stage::Offered(visit, offers);
        interaction.deadline = offer_deadline(interaction);
        Some(())
    }

    /// In a queue that offers by shares, the turn that this offer takes.
    fn take_turn(&mut self, visit: &Visit, index: AgentIndex) -> Option<Turn> {
        if visit.rules.strategy != Strategy::Weighted {
            return None;
        }
        let queue = self.queues.get_mut(visit.queue)?;
        let agent = self.agents.get(index)?;
        let at = turn_of(agent, &visit.rules, queue.turn);
        queue.turn = at;
        let (next, behind) = (next_turn(&agent.profile.id, &visit.rules, at), queue.classes.behind(at));
        // Who was ready before the turns went on has come as far as they have, and no further.
        for agent in behind {
            self.make_ready(agent);
        }
        Some(Turn { at, next })
    }

    /// Rings an agent: in the customer's call, or in one of its own if the customer is in none.
    fn ring_endpoint(
        &mut self,
        interaction: &mut Interaction,
        profile: &crate::config::AgentProfile,
    ) -> PartyId {
        if let Some(call) = interaction.call {
            let party = interaction.next_party();
            self.journal.command(CallCommand::AddParty {
                call,
                party,
                to: profile.endpoint.clone(),
                presented: None,
                presented_name: None,
                apart: true,
            });
            return party;
        }
        let call = self.place_call(interaction, &profile.endpoint);
        let presented = interaction.caller.from.reveal().cloned();
        let presented_name = interaction.caller.from_name.reveal().cloned();
        let to = profile.endpoint.clone();
        self.journal.command(CallCommand::Place { call, to, presented, presented_name });
        PartyId::FIRST
    }

    /// The agent's telephone rings.
    pub(crate) fn ringing(&mut self, interaction: &mut Interaction, party: PartyId) {
        let id = interaction.id;
        let Some(offer) = interaction.offer_mut(party).filter(|offer| !offer.ringing) else { return };
        offer.ringing = true;
        let Some(agent) = self.agents.get(offer.agent) else { return };
        let agent = agent.profile.id.clone();
        self.journal.record(FactKind::Ringing { interaction: id, agent });
    }

    /// The agent's telephone answered: the conversation begins, or the agent has to press a key before.
    pub(crate) fn offer_answered(&mut self, interaction: &mut Interaction, party: PartyId) {
        let Some(offer) = interaction.offer_mut(party).filter(|offer| offer.confirming.is_none()) else {
            return;
        };
        let Some(agent) = self.agents.get(offer.agent) else { return };
        if !agent.profile.confirm {
            return self.offer_taken(interaction, party);
        }
        let Some(call) = interaction.call else { return };
        let collect = interaction.next_collection();
        let prompts = self.config.confirm().clone();
        if !prompts.is_empty() {
            let play = interaction.next_play();
            self.journal.command(CallCommand::Play { call, party, play, prompts, repeat: false });
        }
        let spec = Collect {
            max_digits: 1,
            terminator: None,
            first_timeout: CONFIRM_WAIT,
            next_timeout: CONFIRM_WAIT,
            barge_in: true,
            type_ahead: true,
        };
        self.journal.command(CallCommand::Collect { call, party, collect, spec });
        let lapses_at = self.journal.now() + CONFIRM_LIMIT;
        if let Some(offer) = interaction.offer_mut(party) {
            offer.confirming = Some(collect);
            offer.lapses_at = lapses_at;
        }
        interaction.deadline = offer_deadline(interaction);
    }

    /// An agent who has to press a key pressed one, or none.
    pub(crate) fn confirmed(&mut self, interaction: &mut Interaction, party: PartyId, digits: &Digits) {
        if digits.as_str() == "1" {
            return self.offer_taken(interaction, party);
        }
        self.offer_comes_to_nothing(interaction, party, OfferOutcome::NotConfirmed);
    }

    /// The network says that the agent's call is being sent on elsewhere: whoever answers there is not the agent.
    pub(crate) fn forwarded(&mut self, interaction: &mut Interaction, party: PartyId) {
        let confirms = interaction
            .offer_mut(party)
            .and_then(|offer| self.agents.get(offer.agent))
            .is_some_and(|agent| agent.profile.confirm);
        // Who presses the key is the agent, wherever the telephone is.
        if !confirms {
            self.offer_comes_to_nothing(interaction, party, OfferOutcome::Forwarded);
        }
    }

    /// Stops ringing one of the agents; the customer keeps the place.
    fn offer_comes_to_nothing(
        &mut self,
        interaction: &mut Interaction,
        party: PartyId,
        outcome: OfferOutcome,
    ) {
        let Some(offer) = interaction.offer_mut(party).map(|offer| offer.clone()) else { return };
        let reason = match outcome {
            OfferOutcome::Missed | OfferOutcome::NotConfirmed => Removal::NotAnswered,
            _ => Removal::NoLongerNeeded,
        };
        self.stop_ringing(interaction, &offer, reason);
        self.offer_failed(interaction, &offer, outcome, None);
    }

    /// The ring time of some agents is over: the next agent, and the customer keeps the place.
    pub(crate) fn offers_lapse(&mut self, interaction: &mut Interaction) {
        let now = self.journal.now();
        let Stage::Offered(_, offers) = &interaction.stage else { return };
        let lapsed: Vec<PartyId> =
            offers.iter().filter(|offer| offer.lapses_at <= now).map(|offer| offer.party).collect();
        for party in lapsed {
            let answered = interaction.offer_mut(party).is_some_and(|offer| offer.confirming.is_some());
            let outcome = if answered { OfferOutcome::NotConfirmed } else { OfferOutcome::Missed };
            self.offer_comes_to_nothing(interaction, party, outcome);
        }
    }

    /// The call in which an agent is rung for somebody who waits without one has lasted as long as calls may.
    pub(crate) fn own_call_lasted_too_long(&mut self, interaction: &mut Interaction) {
        let offers: Vec<PartyId> = interaction.offers().iter().map(|offer| offer.party).collect();
        for party in offers {
            self.offer_comes_to_nothing(interaction, party, OfferOutcome::Missed);
        }
    }

    /// The agent no longer wants to be offered anything: the next agent, and the customer keeps the place.
    pub(crate) fn offer_withdrawn(&mut self, interaction: &mut Interaction, agent: AgentIndex) {
        let offer = interaction.offers().iter().find(|offer| offer.agent == agent).map(|offer| offer.party);
        if let Some(party) = offer {
            self.offer_comes_to_nothing(interaction, party, OfferOutcome::AgentLeft);
        } else if let Stage::CallingBack(_, offer, _) = &interaction.stage
            && offer.agent == agent
        {
            self.callback_taken_back(interaction, OfferOutcome::AgentLeft);
        }
    }

    /// The agent's telephone refused, was busy or could not be reached: the next agent.
    pub(crate) fn offer_refused(&mut self, interaction: &mut Interaction, party: PartyId, cause: Cause) {
        let Some(offer) = interaction.offer_mut(party).map(|offer| offer.clone()) else { return };
        let outcome =
            if offer.confirming.is_some() { OfferOutcome::NotConfirmed } else { outcome_of(cause.kind) };
        if interaction.customer.is_none() {
            // The call was the agent's alone.
            self.forget_call(interaction);
        }
        self.offer_failed(interaction, &offer, outcome, Some(cause));
    }

    /// Ends one offer; the customer waits on, perhaps with others being rung.
    pub(crate) fn offer_failed(
        &mut self,
        interaction: &mut Interaction,
        offer: &Offer,
        outcome: OfferOutcome,
        cause: Option<Cause>,
    ) {
        let Stage::Offered(visit, _) = &interaction.stage else { return };
        let queue = visit.rules.id.clone();
        self.end_offer(interaction, &queue, offer, outcome, cause);
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::Offered(visit, mut offers) = stage else { return };
        offers.retain(|other| other.party != offer.party);
        self.requeue(interaction, visit, offers);
    }

    /// Stops a telephone.
    pub(crate) fn stop_ringing(&mut self, interaction: &mut Interaction, offer: &Offer, reason: Removal) {
        let Some(call) = interaction.call else { return };
        if interaction.customer.is_some() {
            self.journal.command(CallCommand::RemoveParty { call, party: offer.party, reason });
        } else {
            self.journal.command(CallCommand::End { call });
            self.forget_call(interaction);
        }
    }

    /// Stops ringing all these agents; each is free when the telephone has said that it stopped.
    pub(crate) fn ring_out(
        &mut self,
        interaction: &mut Interaction,
        queue: &QueueId,
        offers: Vec<Offer>,
        outcome: OfferOutcome,
    ) {
        let until = self.journal.now() + LEAVE_WAIT;
        for offer in offers {
            let own_call = interaction.customer.is_none();
            self.stop_ringing(interaction, &offer, Removal::NoLongerNeeded);
            if own_call {
                self.end_offer(interaction, queue, &offer, outcome, None);
            } else {
                interaction.ringing_out.push(RingingOut { queue: queue.clone(), offer, outcome, until });
            }
        }
    }

    /// A telephone that was to stop has stopped.
    pub(crate) fn rang_out(&mut self, interaction: &mut Interaction, party: PartyId) -> bool {
        let Some(at) = interaction.ringing_out.iter().position(|ringing| ringing.offer.party == party) else {
            return false;
        };
        let RingingOut { queue, offer, outcome, .. } = interaction.ringing_out.swap_remove(at);
        self.end_offer(interaction, &queue, &offer, outcome, None);
        self.close_if_done(interaction);
        true
    }

    /// All telephones that were to stop have stopped, whatever they said: the call is over.
    pub(crate) fn all_rang_out(&mut self, interaction: &mut Interaction) {
        for RingingOut { queue, offer, outcome, .. } in std::mem::take(&mut interaction.ringing_out) {
            self.end_offer(interaction, &queue, &offer, outcome, None);
        }
    }

    /// Telephones that were to stop have not said so in time.
    pub(crate) fn ringing_out_expired(&mut self, interaction: &mut Interaction) {
        let now = self.journal.now();
        while let Some(late) = interaction.ringing_out.iter().position(|ringing| ringing.until <= now) {
            let RingingOut { queue, offer, outcome, .. } = interaction.ringing_out.swap_remove(late);
            self.repaired(interaction, Missing::PartyLeft);
            self.end_offer(interaction, &queue, &offer, outcome, None);
        }
        self.close_if_done(interaction);
    }

    /// Lets the agent go from an offer, to rest or to the next caller.
    pub(crate) fn end_offer(
        &mut self,
        interaction: &Interaction,
        queue: &QueueId,
        offer: &Offer,
        outcome: OfferOutcome,
        cause: Option<Cause>,
    ) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get(offer.agent) else { return };
        let profile = agent.profile.clone();
        let misses = agent.record.misses.saturating_add(1);
        let available = agent.chosen == ChosenState::Available;
        let rests = self.config.rests();
        let (rest, misses, idle_anew) = match outcome.rest().filter(|_| available) {
            // The next caller is offered to others first, if there are others.
            Some(RestCause::Missed) if misses < rests.misses => (None, misses, true),
            Some(after) => (Some(self.rest(after)), 0, false),
            None => (None, agent.record.misses, false),
        };
        let id = interaction.id;
        let then = self.free_agent(offer.agent, id, |agent| {
            agent.record.misses = misses;
            agent.rest = rest.or(agent.rest);
            if idle_anew {
                agent.idle_since = now;
            }
        });
        self.journal.record(FactKind::OfferEnded {
            interaction: interaction.id,
            queue: queue.clone(),
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            outcome,
            cause,
            rang_us: now.micros_since(offer.offered_at),
            misses,
            rest,
            then,
        });
    }

    /// The time in which an agent was left alone is over.
    pub(crate) fn rest_ended(&mut self, index: AgentIndex) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get(index) else { return };
        let profile = agent.profile.clone();
        self.change_agent(index, |agent| {
            agent.rest = None;
            agent.idle_since = now;
        });
        let then = self.state_or_gone(index);
        self.journal.record(FactKind::RestEnded {
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            then,
        });
    }

    /// Takes an interaction from an agent who was occupied with it, and says what the agent is then. One who is no
    /// longer in the configuration goes.
    pub(crate) fn free_agent(
        &mut self,
        index: AgentIndex,
        id: InteractionId,
        change: impl FnOnce(&mut crate::agent::Agent),
    ) -> AgentState {
        self.change_agent(index, |agent| {
            agent.work.retain(|work| work.interaction != id);
            change(agent);
        });
        self.state_or_gone(index)
    }

    /// What an agent is. One who is no longer in the configuration and has nothing more to do goes.
    pub(crate) fn state_or_gone(&mut self, index: AgentIndex) -> AgentState {
        let state = self.agents.get(index).map_or(AgentState::Gone, |agent| agent.state());
        if state == AgentState::Gone {
            self.remove_agent(index);
        }
        state
    }

    fn rest(&self, after: RestCause) -> Rest {
        let rests = self.config.rests();
        let rest = match after {
            RestCause::Missed => rests.missed,
            RestCause::Declined => Some(rests.declined),
            RestCause::Busy | RestCause::Unreachable => Some(rests.unreachable),
        };
        Rest { after, until: rest.map(|rest| self.journal.now() + rest) }
    }
}

impl Interaction {
    /// The agents who are being rung.
    pub(crate) fn offers(&self) -> &[Offer] {
        match &self.stage {
            Stage::Offered(_, offers) => offers,
            _ => &[],
        }
    }

    /// The offer to the agent who is this party.
    pub(crate) fn offer_mut(&mut self, party: PartyId) -> Option<&mut Offer> {
        match &mut self.stage {
            Stage::Offered(_, offers) => offers.iter_mut().find(|offer| offer.party == party),
            _ => None,
        }
    }
}

/// When something has to be done about somebody who is being offered: a telephone has rung long enough, or the wait asks
/// for it.
pub(crate) fn offer_deadline(interaction: &Interaction) -> Option<crate::timer::Timestamp> {
    let Stage::Offered(visit, offers) = &interaction.stage else { return None };
    offers.iter().map(|offer| offer.lapses_at).chain([visit.deadline()]).min()
}

/// What an offer came to when the agent's telephone left without having answered.
fn outcome_of(cause: CauseKind) -> OfferOutcome {
    match cause {
        CauseKind::NotAnswered => OfferOutcome::Missed,
        CauseKind::Declined | CauseKind::HungUp | CauseKind::Cancelled | CauseKind::Rejected => {
            OfferOutcome::Declined
        }
        CauseKind::Busy => OfferOutcome::Busy,
        CauseKind::Removed
        | CauseKind::Transferred
        | CauseKind::NotFound
        | CauseKind::Unavailable
        | CauseKind::Forbidden
        | CauseKind::NotAcceptable
        | CauseKind::Unreachable
        | CauseKind::Overloaded
        | CauseKind::NetworkFailure
        | CauseKind::Lost
        | CauseKind::Limit
        | CauseKind::Restarted => OfferOutcome::Unreachable,
    }
}

/// How long an agent who has to press a key may take. At the limit the offer has come to nothing.
const CONFIRM_WAIT: Duration = Duration::from_secs(8);

/// The same for the center itself, with the prompts before; longer than the door takes to say that no key came.
const CONFIRM_LIMIT: Duration = Duration::from_secs(30);

/// How long a telephone that is to stop may take to say so. At the limit the center goes on without it.
pub(crate) const LEAVE_WAIT: Duration = Duration::from_secs(40);
