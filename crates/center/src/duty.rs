//! Who is on duty: what agents choose, and who the agents and queues are.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::agent::{Agent, AgentState, ChosenState, PresenceReport, PresenceView, Rest, Who};
use crate::center::Center;
use crate::config::{Action, AgentProfile, Config, QueueRules, Starts};
use crate::fact::{FactKind, QueueExit};
use crate::id::{AgentId, AgentIndex, InteractionId, QueueIndex};
use crate::interaction::Stage;
use crate::record::AgentRecord;
use crate::supervise::{Refusal, RefusalReason, Subject};
use crate::timer::Timestamp;

/// What an agent was when somebody else took over.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) chosen: ChosenState,
    pub(crate) idle_since: Timestamp,
    pub(crate) rest: Option<Rest>,
    pub(crate) presence: Option<PresenceView>,
    pub(crate) work: Vec<crate::agent::Work>,
    pub(crate) since: Timestamp,
    pub(crate) record: AgentRecord,
}

impl Center {
    /// Somebody chose what an agent is to be. Choosing what is so already changes nothing.
    pub(crate) fn choose(
        &mut self,
        id: &AgentId,
        chosen: ChosenState,
        by: Who,
        why: Option<Arc<str>>,
    ) -> Result<(), RefusalReason> {
        let too_long = |text: &Arc<str>| text.len() > ChosenState::REASON_BYTES_MAX;
        if let ChosenState::Break { reason: Some(reason) } = &chosen
            && too_long(reason)
        {
            return Err(RefusalReason::ReasonTooLong);
        }
        if why.as_ref().is_some_and(too_long) {
            return Err(RefusalReason::ReasonTooLong);
        }
        let index = self.agents.index(id).ok_or(RefusalReason::UnknownAgent)?;
        let agent =
            self.agents.get(index).filter(|agent| !agent.leaving).ok_or(RefusalReason::UnknownAgent)?;
        let unmoved = agent.chosen == chosen && agent.rest.is_none();
        let profile = agent.profile.clone();
        let offered: Vec<InteractionId> =
            agent.work.iter().filter(|work| work.is_offered()).map(|work| work.interaction).collect();
        if !unmoved {
            self.change_chosen(index, chosen.clone());
            self.record_choice(&profile, index, chosen.clone(), by, why);
        }
        if chosen == ChosenState::Available {
            self.end_wrap_ups(index);
        } else {
            for interaction in offered {
                self.with_interaction(interaction, |center, interaction| {
                    center.offer_withdrawn(interaction, index);
                });
            }
        }
        Ok(())
    }

    fn change_chosen(&mut self, index: AgentIndex, chosen: ChosenState) {
        let now = self.journal.now();
        self.change_agent(index, |agent| {
            if agent.chosen == ChosenState::Offline {
                agent.record.signed_in();
            }
            agent.record.misses = 0;
            agent.rest = None;
            agent.idle_since = now;
            agent.chosen = chosen;
        });
    }

    fn record_choice(
        &mut self,
        profile: &AgentProfile,
        index: AgentIndex,
        chosen: ChosenState,
        by: Who,
        why: Option<Arc<str>>,
    ) {
        let then = self.agents.get(index).map_or(AgentState::Gone, Agent::state);
        self.journal.record(FactKind::AgentChose {
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            chosen,
            by,
            why,
            then,
        });
    }

    /// Another system tells the presence of an agent. What is older than what is known, or too old, changes nothing.
    pub(crate) fn presence_told(&mut self, report: PresenceReport) {
        let now = self.journal.now();
        let PresenceReport { agent: id, source, presence, manual, age, confidence } = report;
        let Some(index) = self.agents.index(&id) else {
            let (subject, reason) = (Subject::Agent(id), RefusalReason::UnknownAgent);
            return self.journal.output(crate::Output::Refused(Refusal { subject, reason }));
        };
        let rules = self.config.presence();
        let believed = rules.believed;
        let observed_at = now.before(age);
        let until = observed_at + believed;
        let stops = if manual { &rules.stops_manual } else { &rules.stops }.contains(&presence);
        let Some(agent) = self.agents.get(index) else { return };
        let known_later = agent.presence.as_ref().is_some_and(|told| {
            told.observed_at.max(agent.presence_confirmed_at.unwrap_or_default()) > observed_at
        });
        if until <= now || known_later || source.len() > ChosenState::REASON_BYTES_MAX {
            return;
        }
        let told = PresenceView { source, presence, manual, stops, observed_at, until, confidence };
        if agent.presence.as_ref().is_some_and(|known| known.covers(&told, believed)) {
            if let Some(agent) = self.agents.get_mut(index) {
                agent.presence_confirmed_at = Some(observed_at);
            }
            return;
        }
        let profile = agent.profile.clone();
        let talking = agent.work.iter().any(|work| work.is_talking());
        let offered: Vec<InteractionId> =
            agent.work.iter().filter(|work| work.is_offered()).map(|work| work.interaction).collect();
        // Our own ringing is told as a call there, and is no reason to stop it.
        let withdraw = stops && !talking && !matches!(presence, crate::agent::Presence::InCall);
        self.set_presence(index, Some(told.clone()));
        let then = self.agents.get(index).map_or(AgentState::Gone, Agent::state);
        let (agent, agent_name) = (profile.id.clone(), profile.name.clone());
        self.journal.record(FactKind::PresenceTold { agent, agent_name, told, then });
        for interaction in offered.into_iter().filter(|_| withdraw) {
            self.with_interaction(interaction, |center, interaction| {
                center.offer_withdrawn(interaction, index);
            });
        }
    }

    /// What is known of an agent's presence is too old.
    pub(crate) fn presence_forgotten(&mut self, index: AgentIndex) {
        self.set_presence(index, None);
        let Some(agent) = self.agents.get(index) else { return };
        let (profile, then) = (agent.profile.clone(), agent.state());
        let (agent, agent_name) = (profile.id.clone(), profile.name.clone());
        self.journal.record(FactKind::PresenceForgotten { agent, agent_name, then });
    }

    /// An agent who becomes reachable begins to be idle then.
    fn set_presence(&mut self, index: AgentIndex, told: Option<PresenceView>) {
        let now = self.journal.now();
        self.change_agent(index, |agent| {
            let stopped = |told: &Option<PresenceView>| told.as_ref().is_some_and(|told| told.stops);
            if stopped(&agent.presence) && !stopped(&told) {
                agent.idle_since = now;
            }
            agent.presence = told;
            agent.presence_confirmed_at = None;
        });
    }

    /// Brings a configuration into force. It is a fact if it differs from the one before, or is `first`.
    pub(crate) fn configure(&mut self, config: Arc<Config>, first: bool) {
        let before = std::mem::replace(&mut self.config, config.clone());
        if first || before.document() != config.document() {
            self.record_configuration();
        }
        self.configure_queues(&config);
        self.configure_agents(&config);
        for index in self.queues.indexes() {
            self.queues.forget_if_gone(index);
        }
    }

    pub(crate) fn record_configuration(&mut self) {
        let configuration = self.config.document().clone();
        self.configuration = self.journal.record(FactKind::Configured { configuration });
    }

    pub(crate) fn configure_queues(&mut self, config: &Config) {
        let open: BTreeSet<QueueIndex> =
            config.queues().iter().map(|rules| self.queues.open(rules.clone())).collect();
        for index in self.queues.indexes() {
            if open.contains(&index) {
                self.renew_rules_of(index);
                continue;
            }
            let Some(queue) = self.queues.get_mut(index) else { continue };
            queue.open = false;
            let waiting: Vec<InteractionId> = queue.line.iter().map(|place| place.interaction).collect();
            for id in waiting {
                self.with_interaction(id, |center, interaction| {
                    // Who is being offered is, when the offer comes to nothing.
                    if let Stage::Waiting(_) = interaction.stage {
                        center.leave_and_follow(interaction, QueueExit::QueueGone, &Action::Otherwise);
                    }
                });
            }
        }
    }

    pub(crate) fn configure_agents(&mut self, config: &Config) {
        let known: BTreeSet<&AgentId> = config.agents().iter().map(|profile| &profile.id).collect();
        let all: Vec<AgentIndex> = self.agents.iter().map(|(index, _)| index).collect();
        for index in all {
            if self.agents.get(index).is_some_and(|agent| !known.contains(&agent.profile.id)) {
                self.dismiss(index);
            }
        }
        for profile in config.agents() {
            match self.agents.index(&profile.id) {
                Some(index) => self.brief(index, profile.clone()),
                None => self.hire(profile.clone()),
            }
        }
    }

    /// An agent is no longer in the configuration: goes now, or when free.
    fn dismiss(&mut self, index: AgentIndex) {
        self.change_agent(index, |agent| agent.leaving = true);
        if self.agents.get(index).is_some_and(|agent| agent.state() == AgentState::Gone) {
            self.remove_agent(index);
        }
    }

    /// An agent stays, perhaps with another telephone or other queues.
    fn brief(&mut self, index: AgentIndex, profile: Arc<AgentProfile>) {
        let queues = self.queues_of(&profile);
        let Some(agent) = self.agents.get(index) else { return };
        let (signed_in, at_work) = (agent.is_signed_in(), agent.is_at_work());
        self.count(index, signed_in, at_work, false);
        self.set_member(index, false);
        if let Some(agent) = self.agents.get_mut(index) {
            agent.profile = profile;
            agent.queues = queues;
            agent.leaving = false;
        }
        self.set_member(index, true);
        self.count_now(index);
        self.make_ready(index);
    }

    /// An agent is new.
    fn hire(&mut self, profile: Arc<AgentProfile>) {
        let chosen = match profile.starts {
            Starts::Available => ChosenState::Available,
            Starts::Break => ChosenState::Break { reason: None },
            Starts::Offline => ChosenState::Offline,
        };
        let now = self.journal.now();
        let standing = Standing {
            chosen: chosen.clone(),
            idle_since: now,
            rest: None,
            presence: None,
            work: Vec::new(),
            since: now,
            record: AgentRecord::default(),
        };
        let index = self.install(profile.clone(), standing);
        self.record_choice(&profile, index, chosen, Who::Configuration, None);
    }

    /// Puts an agent into the table, ready or with a timer as the standing asks.
    pub(crate) fn install(&mut self, profile: Arc<AgentProfile>, standing: Standing) -> AgentIndex {
        let Standing { chosen, idle_since, rest, presence, work, since, record } = standing;
        let agent = Agent {
            queues: self.queues_of(&profile),
            profile,
            chosen,
            idle_since,
            rest,
            presence,
            presence_confirmed_at: None,
            work,
            since,
            record,
            leaving: false,
            ready_in: Vec::new(),
            timer: None,
        };
        let index = self.agents.insert(agent);
        self.set_member(index, true);
        self.count_now(index);
        self.change_agent(index, |_| {});
        index
    }

    /// Takes an agent to whom nothing refers out of the table.
    pub(crate) fn remove_agent(&mut self, index: AgentIndex) {
        self.unready(index);
        if let Some(agent) = self.agents.get(index) {
            self.timers.reset(crate::timer::Owner::Agent(index), agent.timer, None);
        }
        self.set_member(index, false);
        self.agents.remove(index);
    }

    fn set_member(&mut self, index: AgentIndex, member: bool) {
        let Some(agent) = self.agents.get(index) else { return };
        for queue_index in agent.queues.clone() {
            let Some(queue) = self.queues.get_mut(queue_index) else { continue };
            if member {
                queue.members.insert(index);
            } else {
                queue.members.remove(&index);
                self.queues.forget_if_gone(queue_index);
            }
        }
    }

    fn queues_of(&self, profile: &AgentProfile) -> Vec<QueueIndex> {
        profile.queues.iter().filter_map(|id| self.queues.index(id)).collect()
    }

    /// The rules of a queue that is in the configuration.
    pub(crate) fn open_queue(&self, index: QueueIndex) -> Option<&Arc<QueueRules>> {
        self.queues.get(index).filter(|queue| queue.open).map(|queue| &queue.rules)
    }
}
