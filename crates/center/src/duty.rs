//! Who is on duty: what agents choose, and who the agents and queues are.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::agent::{Activity, Agent, AgentState, ChosenState, RefusalReason, Who};
use crate::center::Center;
use crate::config::{AgentProfile, Config, Starts};
use crate::fact::{FactKind, QueueExit, WrapUpEnd};
use crate::id::{AgentId, AgentIndex, InteractionId, QueueIndex};
use crate::interaction::Stage;
use crate::timer::{Owner, Timestamp};

impl Center {
    /// Somebody chose what an agent is to be. Choosing what is so already changes nothing.
    pub(crate) fn choose(&mut self, id: &AgentId, chosen: ChosenState, by: Who) -> Result<(), RefusalReason> {
        if let ChosenState::Break { reason: Some(reason) } = &chosen
            && reason.len() > ChosenState::REASON_BYTES_MAX
        {
            return Err(RefusalReason::ReasonTooLong);
        }
        let index = self.agents.index(id).ok_or(RefusalReason::UnknownAgent)?;
        let agent =
            self.agents.get(index).filter(|agent| !agent.leaving).ok_or(RefusalReason::UnknownAgent)?;
        let (before, activity, profile) = (agent.chosen.clone(), agent.activity, agent.profile.clone());
        let unmoved = before == chosen && !matches!(activity, Activity::Resting { .. });
        if !unmoved {
            self.change_chosen(index, chosen.clone());
            self.record_choice(&profile, index, chosen.clone(), by);
        }
        match activity {
            Activity::Offered { interaction, .. } if chosen != ChosenState::Available => {
                self.with_interaction(interaction, Center::offer_withdrawn);
            }
            Activity::WrapUp { .. } if chosen == ChosenState::Available => {
                self.wrap_up_is_over(index, WrapUpEnd::Command);
            }
            _ => {}
        }
        Ok(())
    }

    fn change_chosen(&mut self, index: AgentIndex, chosen: ChosenState) {
        let now = self.journal.now();
        self.change_agent(index, |agent| {
            if let Activity::Idle { .. } | Activity::Resting { .. } = agent.activity {
                agent.activity = Activity::Idle { since: now };
            }
            agent.chosen = chosen;
        });
    }

    fn record_choice(&mut self, profile: &AgentProfile, index: AgentIndex, chosen: ChosenState, by: Who) {
        let then = self.agents.get(index).map_or(AgentState::Gone, Agent::state);
        self.journal.record(FactKind::AgentChose {
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            chosen,
            by,
            then,
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
    }

    pub(crate) fn record_configuration(&mut self) {
        let configuration = self.config.document().clone();
        self.configuration = self.journal.record(FactKind::Configured { configuration });
    }

    pub(crate) fn configure_queues(&mut self, config: &Config) {
        let open: BTreeSet<QueueIndex> =
            config.queues().iter().map(|rules| self.queues.open(rules.clone())).collect();
        for index in self.queues.indexes() {
            self.matching.wake_queue(index);
            if open.contains(&index) {
                continue;
            }
            let Some(queue) = self.queues.get_mut(index) else { continue };
            queue.open = false;
            let waiting: Vec<InteractionId> = queue.waiting.iter().map(|(_, id)| *id).collect();
            for id in waiting {
                self.send_on(id);
            }
            self.queues.forget_if_gone(index);
        }
    }

    /// Lets the flow of a caller go on whose queue is gone.
    fn send_on(&mut self, id: InteractionId) {
        self.with_interaction(id, |center, interaction| {
            if let Stage::Waiting(visit) = &interaction.stage {
                let visit = visit.clone();
                center.flow_out(interaction, &visit, QueueExit::QueueGone);
            }
        });
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
        self.set_ready(index, false);
        if let Some(agent) = self.agents.get_mut(index) {
            agent.profile = profile;
            agent.queues = queues;
            agent.leaving = false;
        }
        self.set_ready(index, true);
    }

    /// An agent is new.
    fn hire(&mut self, profile: Arc<AgentProfile>) {
        let chosen = match profile.starts {
            Starts::Available => ChosenState::Available,
            Starts::Break => ChosenState::Break { reason: None },
            Starts::Offline => ChosenState::Offline,
        };
        let now = self.journal.now();
        let index = self.install(profile.clone(), chosen.clone(), Activity::Idle { since: now }, now);
        self.record_choice(&profile, index, chosen, Who::Configuration);
    }

    /// Puts an agent into the table, ready or with a timer as the activity asks.
    pub(crate) fn install(
        &mut self,
        profile: Arc<AgentProfile>,
        chosen: ChosenState,
        activity: Activity,
        since: Timestamp,
    ) -> AgentIndex {
        let queues = self.queues_of(&profile);
        let agent = Agent { profile, queues, chosen, activity, since, leaving: false };
        let deadline = agent.deadline();
        let index = self.agents.insert(agent);
        self.timers.reset(Owner::Agent(index), None, deadline);
        self.set_ready(index, true);
        index
    }

    /// Takes an agent to whom nothing refers out of the table.
    pub(crate) fn remove_agent(&mut self, index: AgentIndex) {
        if let Some(agent) = self.agents.get(index) {
            self.timers.reset(Owner::Agent(index), agent.deadline(), None);
        }
        self.set_ready(index, false);
        self.agents.remove(index);
    }

    /// Puts an agent who is ready into the sets of ready agents, or takes the agent out.
    fn set_ready(&mut self, index: AgentIndex, ready: bool) {
        let Some(agent) = self.agents.get(index) else { return };
        let Some(since) = agent.ready_since() else { return };
        for queue in &agent.queues {
            let Some(queue) = self.queues.get_mut(*queue) else { continue };
            if ready {
                queue.ready.insert((since, index));
            } else {
                queue.ready.remove(&(since, index));
            }
        }
    }

    fn queues_of(&self, profile: &AgentProfile) -> Vec<QueueIndex> {
        profile.queues.iter().filter_map(|id| self.queues.index(id)).collect()
    }
}
