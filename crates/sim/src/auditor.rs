//! Rebuilds the world from the facts alone, and complains about everything that must not be.
//!
//! It shares no code with the center's own fold: what the two must agree on is written down twice. It knows the
//! rules only from the configuration that the facts bring.

mod complaint;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tandem_center::Timestamp;
use tandem_center::agent::{AgentState, ChosenState, RestCause};
use tandem_center::call::{CauseKind, TransferOutcome};
use tandem_center::config::{Document, QueueDocument};
use tandem_center::fact::{EndedBy, Fact, FactKind, Missing, OfferOutcome, Outcome, QueueExit, Side};
use tandem_center::id::{AgentId, InteractionId, QueueId};

pub use complaint::{Complaint, Owner, Wrong};
use world::{Agent, Counts, Interaction, Ring, Stage, Stay, Talk};

/// The world as the facts tell it.
#[derive(Clone, Debug, Default)]
pub struct Auditor {
    number: u64,
    at: Timestamp,
    document: Arc<Document>,
    configuration: u64,
    agents: BTreeMap<AgentId, Agent>,
    interactions: BTreeMap<InteractionId, Interaction>,
    counts: BTreeMap<QueueId, Counts>,
    repairs: u64,
    closed: u64,
}

impl Auditor {
    /// Takes in the next fact.
    pub fn fact(&mut self, fact: &Fact) -> Result<(), Complaint> {
        if fact.number != self.number + 1 || fact.at < self.at {
            return Err(self.complaint(Wrong::OutOfSequence));
        }
        self.number = fact.number;
        self.at = fact.at;
        self.take(&fact.kind).map_err(|wrong| self.complaint(wrong))
    }

    /// Looks at the whole world after an input at `now`.
    pub fn after_input(&self, now: Timestamp) -> Result<(), Complaint> {
        self.nobody_is_left_waiting()
            .and_then(|()| self.nothing_outlived(now))
            .and_then(|()| self.nobody_is_rung_against_their_will())
            .and_then(|()| self.everybody_is_where_the_other_says())
            .and_then(|()| self.everything_conserved())
            .map_err(|wrong| self.complaint(wrong))
    }

    /// Looks whether everything has come to its end.
    pub fn drained(&self) -> Result<(), Complaint> {
        let free = |agent: &Agent| matches!(agent.state, AgentState::Available { .. });
        if self.interactions.is_empty() && self.agents.values().all(free) {
            Ok(())
        } else {
            Err(self.complaint(Wrong::NotDrained))
        }
    }

    /// The agents whom the facts know.
    pub fn agents(&self) -> impl Iterator<Item = &AgentId> {
        self.agents.keys()
    }

    /// How many interactions were closed.
    pub fn closed(&self) -> u64 {
        self.closed
    }

    /// How many repairs there were.
    pub fn repairs(&self) -> u64 {
        self.repairs
    }

    fn complaint(&self, wrong: Wrong) -> Complaint {
        Complaint { fact: self.number, wrong }
    }

    fn take(&mut self, kind: &FactKind) -> Result<(), Wrong> {
        match kind {
            FactKind::Configured { configuration } => self.configured(configuration),
            FactKind::AgentChose { agent, chosen, then, .. } => self.chose(agent, chosen, then),
            FactKind::RestEnded { agent, then, .. } => self.rest_ended(agent, then),
            FactKind::CallRejected { .. } => Ok(()),
            FactKind::Arrived { .. } => {
                let interaction = Interaction {
                    arrived_at: self.at,
                    ends_at: self.at + seconds(self.document.limits.call_s),
                    touched_at: self.at,
                    stage: Stage::InFlow,
                    wrapping_up: None,
                    caller_held_since: None,
                };
                self.interactions.insert(InteractionId(self.number), interaction);
                Ok(())
            }
            FactKind::Answered { interaction }
            | FactKind::StepBegun { interaction, .. }
            | FactKind::MenuChosen { interaction, .. }
            | FactKind::MenuMissed { interaction, .. }
            | FactKind::QueueRefused { interaction, .. } => self.in_flow(*interaction),
            FactKind::QueueEntered { interaction, queue, ahead, .. } => {
                self.entered(*interaction, queue, *ahead)
            }
            FactKind::QueueLeft { interaction, queue, reason, waited_us, .. } => {
                self.left(*interaction, queue, *reason, *waited_us)
            }
            FactKind::Offered { interaction, .. } => self.offered(*interaction, kind),
            FactKind::Ringing { interaction, agent } => {
                let Stage::Offered(_, ring) = &self.interaction(*interaction)?.stage else {
                    return Err(Wrong::CannotBe(*interaction));
                };
                same(ring.agent == *agent, Wrong::CannotBe(*interaction))
            }
            FactKind::OfferEnded { interaction, agent, outcome, cause, rang_us, then, .. } => {
                let restarted = cause.as_ref().is_some_and(|cause| cause.kind == CauseKind::Restarted);
                self.offer_ended(*interaction, agent, *outcome, restarted, *rang_us, then)
            }
            FactKind::Connected { interaction, agent, waited_us, rang_us, .. } => {
                self.connected(*interaction, agent, *waited_us, *rang_us)
            }
            FactKind::Held { interaction, by } => self.held(*interaction, *by),
            FactKind::Resumed { interaction, by, held_us } => self.resumed(*interaction, *by, *held_us),
            FactKind::TransferAsked { interaction, agent, allowed, .. } => {
                self.transfer_asked(*interaction, agent, *allowed)
            }
            FactKind::TransferEnded { interaction, outcome, .. } => {
                self.transfer_ended(*interaction, *outcome)
            }
            FactKind::ConversationEnded { interaction, .. } => self.conversation_ended(*interaction, kind),
            FactKind::WrapUpEnded { interaction, agent, wrapped_us, then, .. } => {
                self.wrap_up_ended(*interaction, agent, *wrapped_us, then)
            }
            FactKind::Quality { interaction, .. } => self.touch(*interaction).map(|_| ()),
            FactKind::Ending { interaction, outcome, .. } => self.ending(*interaction, *outcome),
            FactKind::CallEnded { interaction, lasted_us, .. } => self.call_ended(*interaction, *lasted_us),
            FactKind::Repaired { interaction, missing } => self.repaired(*interaction, *missing),
            FactKind::Closed { interaction, outcome } => self.close(*interaction, *outcome),
        }
    }

    fn configured(&mut self, document: &Arc<Document>) -> Result<(), Wrong> {
        self.configuration = self.number;
        self.document = document.clone();
        let employed: BTreeSet<&AgentId> = document.agents.iter().map(|agent| &agent.id).collect();
        self.agents.retain(|id, agent| employed.contains(id) || is_busy(&agent.state));
        Ok(())
    }

    fn chose(&mut self, id: &AgentId, chosen: &ChosenState, then: &AgentState) -> Result<(), Wrong> {
        let at = self.at;
        let agent = self.agents.entry(id.clone()).or_insert_with(|| Agent {
            chosen: ChosenState::Offline,
            state: AgentState::Offline,
            since: at,
            idle_since: at,
        });
        agent.chosen = chosen.clone();
        let expected = if is_busy(&agent.state) { agent.state.clone() } else { idle(chosen, at) };
        self.becomes(id, expected, then)
    }

    fn rest_ended(&mut self, id: &AgentId, then: &AgentState) -> Result<(), Wrong> {
        let agent = self.agent(id)?;
        let AgentState::Resting { until: Some(until), .. } = agent.state else {
            return Err(Wrong::NoSuchAgent(id.clone()));
        };
        same(until <= self.at, Wrong::Outlived(Owner::Agent(id.clone())))?;
        let expected = idle(&agent.chosen, self.at);
        self.becomes(id, expected, then)
    }

    fn in_flow(&mut self, id: InteractionId) -> Result<(), Wrong> {
        match self.touch(id)?.stage {
            Stage::InFlow => Ok(()),
            _ => Err(Wrong::CannotBe(id)),
        }
    }

    fn entered(&mut self, id: InteractionId, queue: &QueueId, ahead: u32) -> Result<(), Wrong> {
        self.in_flow(id)?;
        let rules = self.rules(queue).ok_or(Wrong::CannotBe(id))?;
        let (max_wait, max_waiting) = (seconds(rules.max_wait_s), rules.max_waiting);
        let waiting = self.stays(queue).count();
        figure(u64::from(ahead), u64::try_from(waiting).unwrap_or(u64::MAX))?;
        same(ahead < max_waiting, Wrong::CannotBe(id))?;
        self.counts.entry(queue.clone()).or_default().entered += 1;
        let stay = Stay { queue: queue.clone(), entered_at: self.at, max_wait };
        self.touch(id)?.stage = Stage::Waiting(stay);
        Ok(())
    }

    fn left(
        &mut self,
        id: InteractionId,
        queue: &QueueId,
        reason: QueueExit,
        waited_us: u64,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let stay = match &mut interaction.stage {
            Stage::Waiting(stay) => {
                let stay = stay.clone();
                interaction.stage = Stage::InFlow;
                stay
            }
            Stage::Ending { stay, .. } => stay.take().ok_or(Wrong::CannotBe(id))?,
            _ => return Err(Wrong::CannotBe(id)),
        };
        same(stay.queue == *queue, Wrong::CannotBe(id))?;
        figure(waited_us, at.micros_since(stay.entered_at))?;
        let counts = self.counts.entry(queue.clone()).or_default();
        match reason {
            QueueExit::Abandoned => counts.abandoned += 1,
            QueueExit::Lost => counts.lost += 1,
            QueueExit::WaitedTooLong | QueueExit::CallLimit | QueueExit::QueueGone => counts.flowed_out += 1,
        }
        Ok(())
    }

    fn offered(&mut self, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::Offered { queue, agent, rings_until, waited_us, idle_us, configuration, .. } = kind
        else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let rules = self.rules(queue).ok_or(Wrong::CannotBe(id))?.clone();
        let Stage::Waiting(stay) = self.interaction(id)?.stage.clone() else {
            return Err(Wrong::CannotBe(id));
        };
        same(stay.queue == *queue, Wrong::CannotBe(id))?;
        same(self.takes(agent).contains(queue), Wrong::NotTheirQueue(agent.clone(), queue.clone()))?;
        let Some(idle_since) = self.free_since(agent) else { return Err(Wrong::NotFree(agent.clone())) };
        self.is_first(id, &stay)?;
        for (other, since) in self.free_in(queue) {
            let (longest, rung) = (other.clone(), agent.clone());
            same(since >= idle_since, Wrong::IdleLonger { longest, rung })?;
        }
        figure(*waited_us, at.micros_since(stay.entered_at))?;
        figure(*idle_us, at.micros_since(idle_since))?;
        figure(*configuration, self.configuration)?;
        figure(rings_until.as_micros(), (at + seconds(rules.ring_timeout_s)).as_micros())?;
        let ring = Ring { agent: agent.clone(), at, until: *rings_until, wrap_up: seconds(rules.wrap_up_s) };
        let stay = Stay { max_wait: seconds(rules.max_wait_s), ..stay };
        self.touch(id)?.stage = Stage::Offered(stay, ring);
        let view = self.agents.get_mut(agent).ok_or_else(|| Wrong::NoSuchAgent(agent.clone()))?;
        view.idle_since = idle_since;
        view.state = AgentState::Offered { interaction: id };
        view.since = at;
        Ok(())
    }

    /// Of all callers who could be offered to anybody, this one entered first.
    fn is_first(&self, id: InteractionId, stay: &Stay) -> Result<(), Wrong> {
        for (other, others) in &self.interactions {
            if let Stage::Waiting(waits) = &others.stage
                && (waits.entered_at, *other) < (stay.entered_at, id)
                && self.free_in(&waits.queue).next().is_some()
            {
                return Err(Wrong::Overtaken { first: *other, offered: id });
            }
        }
        Ok(())
    }

    fn offer_ended(
        &mut self,
        id: InteractionId,
        agent: &AgentId,
        outcome: OfferOutcome,
        restarted: bool,
        rang_us: u64,
        then: &AgentState,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let ring = match &mut interaction.stage {
            Stage::Offered(stay, ring) => {
                let (stay, ring) = (stay.clone(), ring.clone());
                interaction.stage = Stage::Waiting(stay);
                ring
            }
            Stage::Ending { ring, .. } => ring.take().ok_or(Wrong::CannotBe(id))?,
            _ => return Err(Wrong::CannotBe(id)),
        };
        same(ring.agent == *agent, Wrong::CannotBe(id))?;
        figure(rang_us, at.micros_since(ring.at))?;
        let view = self.agent(agent)?;
        let offers = &self.document.offers;
        let rest = match outcome {
            OfferOutcome::Missed => Some((RestCause::Missed, offers.missed_rest_s)),
            OfferOutcome::Declined => Some((RestCause::Declined, offers.declined_rest_s)),
            OfferOutcome::Busy => Some((RestCause::Busy, offers.unreachable_rest_s)),
            OfferOutcome::Unreachable => Some((RestCause::Unreachable, offers.unreachable_rest_s)),
            OfferOutcome::AgentLeft | OfferOutcome::CallerGone | OfferOutcome::Lost => None,
        };
        let idle_since = if restarted { at } else { view.idle_since };
        let expected = match rest {
            Some((after, rest)) if view.chosen == ChosenState::Available => {
                AgentState::Resting { after, until: (rest > 0).then(|| at + seconds(rest)) }
            }
            _ => idle(&view.chosen, idle_since),
        };
        self.is_freed(agent, expected, then)
    }

    fn connected(&mut self, id: InteractionId, agent: &AgentId, waited: u64, rang: u64) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let Stage::Offered(stay, ring) = interaction.stage.clone() else { return Err(Wrong::CannotBe(id)) };
        same(ring.agent == *agent, Wrong::CannotBe(id))?;
        figure(waited, at.micros_since(stay.entered_at))?;
        figure(rang, at.micros_since(ring.at))?;
        interaction.stage = Stage::Connected(Talk {
            queue: stay.queue.clone(),
            agent: agent.clone(),
            at,
            held_since: None,
            held_us: 0,
            wrap_up: ring.wrap_up,
            transfer: false,
        });
        self.counts.entry(stay.queue).or_default().answered += 1;
        self.set(agent, AgentState::InConversation { interaction: id });
        Ok(())
    }

    fn held(&mut self, id: InteractionId, by: Side) -> Result<(), Wrong> {
        let at = self.at;
        let since = self.hold(id, by)?;
        same(since.is_none(), Wrong::CannotBe(id))?;
        *since = Some(at);
        Ok(())
    }

    fn resumed(&mut self, id: InteractionId, by: Side, held_us: u64) -> Result<(), Wrong> {
        let at = self.at;
        let since = self.hold(id, by)?.take().ok_or(Wrong::CannotBe(id))?;
        figure(held_us, at.micros_since(since))?;
        if let (Stage::Connected(talk), Side::Agent) = (&mut self.touch(id)?.stage, by) {
            talk.held_us += held_us;
        }
        Ok(())
    }

    fn hold(&mut self, id: InteractionId, by: Side) -> Result<&mut Option<Timestamp>, Wrong> {
        let interaction = self.touch(id)?;
        match (&mut interaction.stage, by) {
            (_, Side::Caller) => Ok(&mut interaction.caller_held_since),
            (Stage::Connected(talk), Side::Agent) => Ok(&mut talk.held_since),
            _ => Err(Wrong::CannotBe(id)),
        }
    }

    fn transfer_asked(&mut self, id: InteractionId, agent: &AgentId, allowed: bool) -> Result<(), Wrong> {
        let Stage::Connected(talk) = &mut self.touch(id)?.stage else { return Err(Wrong::CannotBe(id)) };
        same(talk.agent == *agent && allowed != talk.transfer, Wrong::CannotBe(id))?;
        talk.transfer = true;
        Ok(())
    }

    fn transfer_ended(&mut self, id: InteractionId, outcome: TransferOutcome) -> Result<(), Wrong> {
        let interaction = self.touch(id)?;
        match &mut interaction.stage {
            Stage::Connected(talk) if talk.transfer => {
                talk.transfer = false;
                if outcome == TransferOutcome::Done {
                    let leaving = Some(talk.clone());
                    interaction.stage = Stage::HandedOver { leaving, pending: false };
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

    fn conversation_ended(&mut self, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::ConversationEnded { queue, agent, by, cause, talked_us, held_us, then, .. } = kind
        else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let interaction = self.touch(id)?;
        let talk = match &mut interaction.stage {
            Stage::Connected(talk) if talk.transfer => {
                let talk = talk.clone();
                interaction.stage = Stage::HandedOver { leaving: None, pending: true };
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
        if !restarted && !talk.wrap_up.is_zero() {
            let expected = AgentState::WrapUp { interaction: id, until: at + talk.wrap_up };
            interaction.wrapping_up = Some(agent.clone());
            return self.becomes(agent, expected, then);
        }
        let expected = idle(&self.agent(agent)?.chosen, at);
        self.is_freed(agent, expected, then)
    }

    fn wrap_up_ended(
        &mut self,
        id: InteractionId,
        agent: &AgentId,
        wrapped_us: u64,
        then: &AgentState,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let wrapped_by = self.touch(id)?.wrapping_up.take();
        same(wrapped_by.as_ref() == Some(agent), Wrong::CannotBe(id))?;
        let view = self.agent(agent)?;
        figure(wrapped_us, at.micros_since(view.since))?;
        // One who is not in the configuration that is about to come into force goes as well.
        if *then == AgentState::Gone {
            self.agents.remove(agent);
            return Ok(());
        }
        let expected = idle(&view.chosen, at);
        self.is_freed(agent, expected, then)
    }

    fn ending(&mut self, id: InteractionId, outcome: Outcome) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let (stay, ring, talk) = match interaction.stage.clone() {
            Stage::InFlow => (None, None, None),
            Stage::Waiting(stay) => (Some(stay), None, None),
            Stage::Offered(stay, ring) => (Some(stay), Some(ring), None),
            Stage::Connected(talk) => (None, None, Some(talk)),
            Stage::HandedOver { leaving, .. } => (None, None, leaving),
            Stage::Ending { .. } | Stage::CallOver { .. } => return Err(Wrong::CannotBe(id)),
        };
        interaction.stage = Stage::Ending { outcome, since: at, stay, ring, talk };
        Ok(())
    }

    fn call_ended(&mut self, id: InteractionId, lasted_us: u64) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let Stage::Ending { outcome, stay: None, ring: None, talk: None, .. } = interaction.stage else {
            return Err(Wrong::CannotBe(id));
        };
        interaction.stage = Stage::CallOver { outcome };
        figure(lasted_us, at.micros_since(interaction.arrived_at))
    }

    fn repaired(&mut self, id: InteractionId, missing: Missing) -> Result<(), Wrong> {
        self.repairs += 1;
        match (&mut self.touch(id)?.stage, missing) {
            (Stage::Connected(talk), Missing::TransferEnd) => talk.transfer = false,
            (Stage::HandedOver { pending, .. }, Missing::TransferEnd) => *pending = false,
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, id: InteractionId, outcome: Outcome) -> Result<(), Wrong> {
        let interaction = self.touch(id)?;
        let Stage::CallOver { outcome: expected } = interaction.stage else {
            return Err(Wrong::CannotBe(id));
        };
        same(expected == outcome && interaction.wrapping_up.is_none(), Wrong::CannotBe(id))?;
        self.interactions.remove(&id);
        self.closed += 1;
        Ok(())
    }

    fn nobody_is_left_waiting(&self) -> Result<(), Wrong> {
        for (id, interaction) in &self.interactions {
            if let Stage::Waiting(stay) = &interaction.stage
                && let Some((agent, _)) = self.free_in(&stay.queue).next()
            {
                return Err(Wrong::LeftWaiting { interaction: *id, agent: agent.clone() });
            }
        }
        Ok(())
    }

    fn nothing_outlived(&self, now: Timestamp) -> Result<(), Wrong> {
        for (id, agent) in &self.agents {
            let until = match agent.state {
                AgentState::Resting { until, .. } => until,
                AgentState::WrapUp { until, .. } => Some(until),
                _ => None,
            };
            same(until.is_none_or(|until| now < until), Wrong::Outlived(Owner::Agent(id.clone())))?;
        }
        for (id, interaction) in &self.interactions {
            let until = match &interaction.stage {
                Stage::InFlow => (interaction.touched_at + STEP_MAX).min(interaction.ends_at),
                Stage::Waiting(stay) => (stay.entered_at + stay.max_wait).min(interaction.ends_at),
                Stage::Offered(_, ring) => ring.until.min(interaction.ends_at),
                Stage::Connected(_) | Stage::HandedOver { .. } => interaction.ends_at,
                Stage::Ending { since, .. } => *since + ENDING_MAX,
                // Lasts as long as the agent's wrap-up.
                Stage::CallOver { .. } if interaction.wrapping_up.is_some() => continue,
                Stage::CallOver { .. } => return Err(Wrong::Outlived(Owner::Interaction(*id))),
            };
            same(now < until, Wrong::Outlived(Owner::Interaction(*id)))?;
        }
        Ok(())
    }

    /// Nobody is rung who chose something else than to be available.
    fn nobody_is_rung_against_their_will(&self) -> Result<(), Wrong> {
        for interaction in self.interactions.values() {
            if let Stage::Offered(_, ring) = &interaction.stage {
                let willing = self.agent(&ring.agent)?.chosen == ChosenState::Available;
                same(willing, Wrong::NotFree(ring.agent.clone()))?;
            }
        }
        Ok(())
    }

    /// An agent is busy with an interaction exactly if that interaction is busy with the agent.
    fn everybody_is_where_the_other_says(&self) -> Result<(), Wrong> {
        let mut busy: BTreeMap<&AgentId, AgentState> = BTreeMap::new();
        for (id, interaction) in &self.interactions {
            let id = *id;
            let with = match &interaction.stage {
                Stage::Offered(_, ring) | Stage::Ending { ring: Some(ring), .. } => {
                    Some((&ring.agent, AgentState::Offered { interaction: id }))
                }
                Stage::Connected(talk)
                | Stage::HandedOver { leaving: Some(talk), .. }
                | Stage::Ending { talk: Some(talk), .. } => {
                    Some((&talk.agent, AgentState::InConversation { interaction: id }))
                }
                _ => None,
            };
            if let Some((agent, state)) = with {
                same(busy.insert(agent, state).is_none(), Wrong::NotFree(agent.clone()))?;
            }
            if let Some(agent) = &interaction.wrapping_up {
                let state = self.agent(agent)?.state.clone();
                let wraps_up = matches!(state, AgentState::WrapUp { interaction, .. } if interaction == id);
                same(wraps_up && busy.insert(agent, state).is_none(), Wrong::NotFree(agent.clone()))?;
            }
        }
        for (id, agent) in &self.agents {
            let expected = busy.remove(id);
            let said = is_busy(&agent.state).then(|| agent.state.clone());
            same(expected == said, Wrong::NotFree(id.clone()))?;
        }
        Ok(())
    }

    fn everything_conserved(&self) -> Result<(), Wrong> {
        for (queue, counts) in &self.counts {
            let waiting = u64::try_from(self.stays(queue).count()).unwrap_or(u64::MAX);
            let gone = counts.answered + counts.abandoned + counts.flowed_out + counts.lost;
            same(counts.entered == gone + waiting, Wrong::NotConserved(queue.clone()))?;
        }
        Ok(())
    }

    /// Everybody who is in a queue, offered or not.
    fn stays<'a>(&'a self, queue: &'a QueueId) -> impl Iterator<Item = &'a Stay> {
        self.interactions.values().filter_map(move |interaction| match &interaction.stage {
            Stage::Waiting(stay) | Stage::Offered(stay, _) if stay.queue == *queue => Some(stay),
            _ => None,
        })
    }

    /// The queue's agents who are free, and since when.
    fn free_in<'a>(&'a self, queue: &'a QueueId) -> impl Iterator<Item = (&'a AgentId, Timestamp)> {
        let members = self.document.agents.iter().filter(move |agent| agent.queues.contains(queue));
        members.filter_map(|agent| Some((&agent.id, self.free_since(&agent.id)?)))
    }

    fn free_since(&self, agent: &AgentId) -> Option<Timestamp> {
        match self.agents.get(agent)?.state {
            AgentState::Available { idle_since } => Some(idle_since),
            _ => None,
        }
    }

    fn takes(&self, agent: &AgentId) -> &[QueueId] {
        let found = self.document.agents.iter().find(|document| document.id == *agent);
        found.map_or(&[], |document| &document.queues)
    }

    fn rules(&self, queue: &QueueId) -> Option<&QueueDocument> {
        self.document.queues.iter().find(|document| document.id == *queue)
    }

    fn agent(&self, id: &AgentId) -> Result<&Agent, Wrong> {
        self.agents.get(id).ok_or_else(|| Wrong::NoSuchAgent(id.clone()))
    }

    fn interaction(&self, id: InteractionId) -> Result<&Interaction, Wrong> {
        self.interactions.get(&id).ok_or(Wrong::NoSuchInteraction(id))
    }

    fn touch(&mut self, id: InteractionId) -> Result<&mut Interaction, Wrong> {
        let at = self.at;
        let interaction = self.interactions.get_mut(&id).ok_or(Wrong::NoSuchInteraction(id))?;
        interaction.touched_at = at;
        Ok(interaction)
    }

    /// An agent who was busy is free: for what was chosen, or to go.
    fn is_freed(&mut self, id: &AgentId, expected: AgentState, said: &AgentState) -> Result<(), Wrong> {
        let employed = self.document.agents.iter().any(|agent| agent.id == *id);
        self.becomes(id, if employed { expected } else { AgentState::Gone }, said)
    }

    fn becomes(&mut self, id: &AgentId, expected: AgentState, said: &AgentState) -> Result<(), Wrong> {
        if expected != *said {
            return Err(Wrong::WrongState { agent: id.clone(), expected, said: said.clone() });
        }
        if expected == AgentState::Gone {
            self.agents.remove(id);
        } else {
            self.set(id, expected);
        }
        Ok(())
    }

    fn set(&mut self, id: &AgentId, state: AgentState) {
        let at = self.at;
        if let Some(agent) = self.agents.get_mut(id) {
            if agent.state != state {
                agent.since = at;
            }
            agent.state = state;
        }
    }
}

fn idle(chosen: &ChosenState, idle_since: Timestamp) -> AgentState {
    match chosen {
        ChosenState::Available => AgentState::Available { idle_since },
        ChosenState::Break { reason } => AgentState::Break { reason: reason.clone() },
        ChosenState::Offline => AgentState::Offline,
    }
}

fn is_busy(state: &AgentState) -> bool {
    matches!(
        state,
        AgentState::Offered { .. } | AgentState::InConversation { .. } | AgentState::WrapUp { .. }
    )
}

fn same(holds: bool, wrong: Wrong) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong) }
}

fn figure(said: u64, expected: u64) -> Result<(), Wrong> {
    same(said == expected, Wrong::WrongFigure { said, expected })
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// No step of a flow lasts longer: 15 minutes of prompts, and the longest time for a key.
const STEP_MAX: Duration = Duration::from_secs(16 * 60 + 1);
/// No call takes longer to end.
const ENDING_MAX: Duration = Duration::from_secs(41);
