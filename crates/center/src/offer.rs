//! Offers: an agent is rung for a caller who waits.

use crate::agent::{Activity, AgentState, ChosenState, RestCause};
use crate::call::{CallCommand, Cause, CauseKind, PartyId, Removal};
use crate::center::Center;
use crate::fact::{FactKind, OfferOutcome};
use crate::id::{AgentIndex, InteractionId, QueueIndex};
use crate::interaction::{Interaction, Offer, Stage};
use crate::queue::Visit;

impl Center {
    /// Offers a waiting caller to a ready agent. The agent is rung at once and is nobody else's until the offer ends.
    /// If the one does not wait or the other is not ready, nothing happens and the answer is `false`.
    pub(crate) fn offer(&mut self, id: InteractionId, queue: QueueIndex, index: AgentIndex) -> bool {
        let Some(mut interaction) = self.interactions.take(id) else { return false };
        let offered = self.ring(&mut interaction, queue, index).is_some();
        self.settle(interaction);
        offered
    }

    fn ring(&mut self, interaction: &mut Interaction, queue: QueueIndex, index: AgentIndex) -> Option<()> {
        let Stage::Waiting(visit) = &interaction.stage else { return None };
        let mut visit = visit.clone();
        let now = self.journal.now();
        let agent = self.agents.get(index)?;
        let queue = self.queues.get_mut(queue)?;
        let idle_since = agent.ready_since()?;
        queue.waiting.remove(&visit.place(interaction.id));
        queue.offered += 1;
        // The rules of today hold for what happens from here, also for who came in under older ones.
        visit.rules = queue.rules.clone();
        let party = interaction.next_party();
        let rings_until = now + visit.rules.ring_timeout;
        let profile = agent.profile.clone();
        self.journal.command(CallCommand::AddParty {
            call: interaction.call,
            party,
            to: profile.endpoint.clone(),
            presented: None,
            presented_name: None,
            apart: false,
        });
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
            configuration: self.configuration,
        });
        interaction.deadline = Some(rings_until);
        let offer = Offer { agent: index, party, offered_at: now, rings_until, ringing: false };
        interaction.stage = Stage::Offered(visit, offer);
        self.set_activity(index, Activity::Offered { interaction: interaction.id, idle_since });
        Some(())
    }

    /// The agent's telephone rings.
    pub(crate) fn ringing(&mut self, interaction: &mut Interaction, party: PartyId) {
        let Stage::Offered(_, offer) = &mut interaction.stage else { return };
        if offer.party != party || offer.ringing {
            return;
        }
        offer.ringing = true;
        let Some(agent) = self.agents.get(offer.agent) else { return };
        let agent = agent.profile.id.clone();
        self.journal.record(FactKind::Ringing { interaction: interaction.id, agent });
    }

    /// The ring time is over: the next agent, and the caller keeps the place.
    pub(crate) fn offer_lapsed(&mut self, interaction: &mut Interaction) {
        let Stage::Offered(visit, offer) = &interaction.stage else { return };
        let (visit, offer) = (visit.clone(), offer.clone());
        self.stop_ringing(interaction, &offer, Removal::NotAnswered);
        self.offer_failed(interaction, visit, &offer, OfferOutcome::Missed, None);
    }

    /// The agent no longer wants to be offered anything: the next agent, and the caller keeps the place.
    pub(crate) fn offer_withdrawn(&mut self, interaction: &mut Interaction) {
        let Stage::Offered(visit, offer) = &interaction.stage else { return };
        let (visit, offer) = (visit.clone(), offer.clone());
        self.stop_ringing(interaction, &offer, Removal::NoLongerNeeded);
        self.offer_failed(interaction, visit, &offer, OfferOutcome::AgentLeft, None);
    }

    /// The agent's telephone refused, was busy or could not be reached: the next agent.
    pub(crate) fn offer_refused(
        &mut self,
        interaction: &mut Interaction,
        visit: Visit,
        offer: &Offer,
        cause: Cause,
    ) {
        let outcome = outcome_of(cause.kind);
        self.offer_failed(interaction, visit, offer, outcome, Some(cause));
    }

    fn offer_failed(
        &mut self,
        interaction: &mut Interaction,
        visit: Visit,
        offer: &Offer,
        outcome: OfferOutcome,
        cause: Option<Cause>,
    ) {
        self.end_offer(interaction, &visit, offer, outcome, cause);
        self.requeue(interaction, visit);
    }

    /// Stops the telephone.
    pub(crate) fn stop_ringing(&mut self, interaction: &Interaction, offer: &Offer, reason: Removal) {
        self.journal.command(CallCommand::RemoveParty { call: interaction.call, party: offer.party, reason });
    }

    /// Lets the agent go from an offer, to rest or to the next caller.
    pub(crate) fn end_offer(
        &mut self,
        interaction: &Interaction,
        visit: &Visit,
        offer: &Offer,
        outcome: OfferOutcome,
        cause: Option<Cause>,
    ) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get(offer.agent) else { return };
        let profile = agent.profile.clone();
        let idle = match agent.activity {
            Activity::Offered { idle_since, .. } => Activity::Idle { since: idle_since },
            _ => Activity::Idle { since: now },
        };
        let activity = match outcome.rest() {
            Some(after) if agent.chosen == ChosenState::Available => self.rest(after),
            Some(_) | None => idle,
        };
        let then = self.free_agent(offer.agent, activity);
        self.journal.record(FactKind::OfferEnded {
            interaction: interaction.id,
            queue: visit.rules.id.clone(),
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            outcome,
            cause,
            rang_us: now.micros_since(offer.offered_at),
            then,
        });
    }

    /// The time in which an agent was left alone is over.
    pub(crate) fn rest_ended(&mut self, index: AgentIndex) {
        let Some(agent) = self.agents.get(index) else { return };
        let profile = agent.profile.clone();
        let then = self.free_agent(index, Activity::Idle { since: self.journal.now() });
        self.journal.record(FactKind::RestEnded {
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            then,
        });
    }

    /// Gives an agent who was occupied what comes next, and says what that is. One who is no longer in the
    /// configuration goes.
    pub(crate) fn free_agent(&mut self, index: AgentIndex, activity: Activity) -> AgentState {
        self.set_activity(index, activity);
        let state = self.agents.get(index).map_or(AgentState::Gone, |agent| agent.state());
        if state == AgentState::Gone {
            self.remove_agent(index);
        }
        state
    }

    fn rest(&self, after: RestCause) -> Activity {
        let rests = self.config.rests();
        let rest = match after {
            RestCause::Missed => rests.missed,
            RestCause::Declined => Some(rests.declined),
            RestCause::Busy | RestCause::Unreachable => Some(rests.unreachable),
        };
        Activity::Resting { after, until: rest.map(|rest| self.journal.now() + rest) }
    }
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
