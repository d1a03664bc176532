//! What facts say of agents, beside what follows.

use std::sync::Arc;

use tandem_center::Timestamp;
use tandem_center::agent::{AgentState, ChosenState, PresenceView, RestCause};
use tandem_center::config::Document;
use tandem_center::fact::{FactKind, OfferOutcome};
use tandem_center::id::{AgentId, InteractionId};

use super::world::{Agent, Doing, Stage};
use super::{Auditor, Owner, Wrong, figure, same, seconds};

impl Auditor {
    pub(super) fn configured(&mut self, number: u64, document: &Arc<Document>) {
        self.configuration = number;
        for queue in &document.queues {
            // A switch stays as it was turned, until the configuration itself says something else.
            let before = self.document.queues.iter().find(|before| before.id == queue.id);
            if before.is_none_or(|before| before.closed != queue.closed) {
                self.closed_queues.insert(queue.id.clone(), queue.closed);
            }
            if before.is_none() {
                self.turns.remove(&queue.id);
            }
        }
        self.document = document.clone();
        self.renew_stays();
        let document = self.document.clone();
        self.agents.retain(|id, agent| {
            document.agents.iter().any(|employee| employee.id == *id) || !agent.work.is_empty()
        });
    }

    pub(super) fn chose(
        &mut self,
        id: &AgentId,
        chosen: &ChosenState,
        then: &AgentState,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let agent = self.agents.entry(id.clone()).or_insert_with(|| Agent::new(at));
        if agent.chosen == ChosenState::Offline {
            agent.conversations = 0;
        }
        agent.misses = 0;
        agent.rest = None;
        agent.idle_since = at;
        agent.chosen = chosen.clone();
        self.becomes(id, then)
    }

    pub(super) fn rest_ended(&mut self, id: &AgentId, then: &AgentState) -> Result<(), Wrong> {
        let at = self.at;
        let agent = self.agent_mut(id)?;
        let Some((_, Some(until))) = agent.rest.take() else { return Err(Wrong::NoSuchAgent(id.clone())) };
        same(until <= at, Wrong::Outlived(Owner::Agent(id.clone())))?;
        agent.idle_since = at;
        self.becomes(id, then)
    }

    pub(super) fn presence_told(
        &mut self,
        id: &AgentId,
        told: &PresenceView,
        then: &AgentState,
    ) -> Result<(), Wrong> {
        let rules = &self.document.presence;
        let stops = if told.manual { &rules.stops_manual } else { &rules.stops };
        same(told.stops == stops.contains(&told.presence), Wrong::NotFree(id.clone()))?;
        let until = told.observed_at + seconds(rules.believed_s);
        figure(told.until.as_micros(), until.as_micros())?;
        let at = self.at;
        same(told.until > at && told.observed_at <= at, Wrong::Outlived(Owner::Agent(id.clone())))?;
        let before = self.agent(id)?.presence.clone();
        let newest = before.is_none_or(|before| before.observed_at <= told.observed_at);
        same(newest, Wrong::Outlived(Owner::Agent(id.clone())))?;
        self.presence(id, Some(told.clone()), then)
    }

    pub(super) fn presence_forgotten(&mut self, id: &AgentId, then: &AgentState) -> Result<(), Wrong> {
        let at = self.at;
        let old = self.agent(id)?.presence.as_ref().is_some_and(|told| told.until <= at);
        same(old, Wrong::Outlived(Owner::Agent(id.clone())))?;
        self.presence(id, None, then)
    }

    /// Who becomes reachable begins to be idle then.
    fn presence(&mut self, id: &AgentId, told: Option<PresenceView>, then: &AgentState) -> Result<(), Wrong> {
        let at = self.at;
        let agent = self.agent_mut(id)?;
        let stops = |told: &Option<PresenceView>| told.as_ref().is_some_and(|told| told.stops);
        if stops(&agent.presence) && !stops(&told) {
            agent.idle_since = at;
        }
        agent.presence = told;
        self.becomes(id, then)
    }

    /// What an offer that came to nothing does to the agent.
    pub(super) fn let_go(
        &mut self,
        id: &AgentId,
        interaction: InteractionId,
        outcome: OfferOutcome,
        misses: u32,
        restarted: bool,
        then: &AgentState,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let offers = self.document.offers.clone();
        let agent = self.agent_mut(id)?;
        let work = agent.work.iter().position(|work| work.interaction == interaction);
        let work = work.filter(|work| matches!(agent.work[*work].doing, Doing::Offered | Doing::Talking));
        agent.work.remove(work.ok_or_else(|| Wrong::NotFree(id.clone()))?);
        let rest = match outcome {
            OfferOutcome::Missed | OfferOutcome::NotConfirmed | OfferOutcome::Forwarded => {
                Some((RestCause::Missed, offers.missed_rest_s))
            }
            OfferOutcome::Declined => Some((RestCause::Declined, offers.declined_rest_s)),
            OfferOutcome::Busy => Some((RestCause::Busy, offers.unreachable_rest_s)),
            OfferOutcome::Unreachable => Some((RestCause::Unreachable, offers.unreachable_rest_s)),
            OfferOutcome::AgentLeft
            | OfferOutcome::CallerGone
            | OfferOutcome::Lost
            | OfferOutcome::AnsweredElsewhere
            | OfferOutcome::CallerMoved
            | OfferOutcome::CustomerNotReached => None,
        };
        match rest.filter(|_| agent.chosen == ChosenState::Available) {
            Some((RestCause::Missed, _)) if agent.misses + 1 < offers.misses => {
                agent.misses += 1;
                agent.idle_since = at;
            }
            Some((after, rest)) => {
                agent.misses = 0;
                agent.rest = Some((after, (rest > 0).then(|| at + seconds(rest))));
            }
            None => {}
        }
        if restarted {
            agent.idle_since = at;
        }
        figure(misses.into(), agent.misses.into())?;
        self.becomes(id, then)
    }

    /// An agent is what follows from everything that is known, and nothing else was said.
    pub(super) fn becomes(&mut self, id: &AgentId, said: &AgentState) -> Result<(), Wrong> {
        let (at, employed) = (self.at, self.employee(id).is_some());
        let agent = self.agent_mut(id)?;
        let expected = agent.follows(employed);
        if expected != *said {
            return Err(Wrong::WrongState { agent: id.clone(), expected, said: said.clone() });
        }
        if expected == AgentState::Gone {
            self.agents.remove(id);
        } else if agent.state != expected {
            agent.occupied = agent.occupied_at(at);
            agent.state = expected;
            agent.since = at;
        }
        Ok(())
    }

    /// The program was started again. What only it knew is forgotten: how often a
    /// wrap-up was made longer, since when somebody was idle before what goes on.
    pub fn restarted(&mut self) {
        for agent in self.agents.values_mut() {
            if !matches!(agent.state, AgentState::Available { .. }) {
                agent.idle_since = agent.since;
            }
            for work in &mut agent.work {
                if let Doing::WrapUp { extended, .. } = &mut work.doing {
                    *extended = 0;
                }
                if let Some(interaction) = self.interactions.get(&work.interaction) {
                    work.channel = interaction.channel;
                }
            }
        }
        self.restarted = true;
    }

    /// After a restart those who wait without a call wait by the rules of today.
    pub(super) fn renew_rules(&mut self) {
        if !std::mem::take(&mut self.restarted) {
            return;
        }
        self.renew_stays();
        let rules = |id: &tandem_center::id::QueueId| {
            self.document.queues.iter().find(|queue| queue.id == *id).cloned().map(Box::new)
        };
        for agent in self.agents.values_mut() {
            for work in &mut agent.work {
                if let Doing::WrapUp { rules: by, .. } = &mut work.doing
                    && let Some(today) = rules(&by.id)
                {
                    *by = today;
                }
            }
        }
    }

    /// The rules of today hold for everybody who waits.
    fn renew_stays(&mut self) {
        for interaction in self.interactions.values_mut() {
            if let Stage::Offered(_, rings) = &mut interaction.stage {
                for ring in rings {
                    let employee = self.document.agents.iter().find(|agent| agent.id == ring.agent);
                    ring.confirms |= employee.is_some_and(|agent| agent.confirm);
                }
            }
            if let Some(stay) = interaction.stay_mut()
                && let Some(today) = self.document.queues.iter().find(|queue| queue.id == stay.queue)
            {
                stay.ladder_changed |= stay.rules.overflow != today.overflow;
                if stay.rules.tell != today.tell {
                    stay.next_told_at = None;
                }
                *stay.rules = today.clone();
            }
        }
    }

    pub(super) fn wrap_up_extended(
        &mut self,
        id: InteractionId,
        agent: &AgentId,
        to: Timestamp,
        then: &AgentState,
    ) -> Result<(), Wrong> {
        self.renew_rules();
        let work = self.agent_mut(agent)?.work(id).ok_or(Wrong::CannotBe(id))?;
        let Doing::WrapUp { until, extended, rules, .. } = &mut work.doing else {
            return Err(Wrong::CannotBe(id));
        };
        *extended += 1;
        same(*extended <= rules.wrap_up.extensions, Wrong::Outlived(Owner::Agent(agent.clone())))?;
        figure(to.as_micros(), (*until + seconds(rules.wrap_up.extend_s)).as_micros())?;
        *until = to;
        self.becomes(agent, then)
    }

    pub(super) fn wrap_up_ended(&mut self, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::WrapUpEnded { agent, wrapped_us, by, code, then, .. } = kind else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let interaction = self.touch(id)?;
        let place = interaction.wrapping_up.iter().position(|other| other == agent);
        interaction.wrapping_up.remove(place.ok_or(Wrong::CannotBe(id))?);
        let view = self.agent_mut(agent)?;
        let place = view.work.iter().position(|work| work.interaction == id).ok_or(Wrong::CannotBe(id))?;
        let Doing::WrapUp { since, until, rules, .. } = view.work.remove(place).doing else {
            return Err(Wrong::CannotBe(id));
        };
        view.idle_since = at;
        figure(*wrapped_us, at.micros_since(since))?;
        match by {
            tandem_center::fact::WrapUpEnd::Timer => same(until <= at, Wrong::CannotBe(id))?,
            tandem_center::fact::WrapUpEnd::Command => {
                let said = code.is_some() || !rules.wrap_up.code_required;
                let known = code
                    .as_ref()
                    .is_none_or(|code| rules.wrap_up.codes.iter().any(|known| known.id == *code));
                same(said && known, Wrong::CannotBe(id))?;
            }
            _ => {}
        }
        self.becomes(agent, then)
    }
}
