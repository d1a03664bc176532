//! Who is offered to whom.
//!
//! A free agent and a waiting caller of one queue never stand beside each other: the act that frees the one or
//! brings the other also decides. So only what an act has woken needs to be looked at, and each look is at the
//! first of an ordered set: the agent idle longest, the caller waiting longest.

use crate::agent::Activity;
use crate::center::Center;
use crate::id::{AgentIndex, InteractionId, QueueIndex};
use crate::timer::{Owner, Timestamp};

/// What the present act has woken.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    agents: Vec<AgentIndex>,
    queues: Vec<QueueIndex>,
}

impl Matching {
    /// This queue has a new caller waiting, or agents that it did not have.
    pub(crate) fn wake_queue(&mut self, queue: QueueIndex) {
        self.queues.push(queue);
    }
}

impl Center {
    /// Gives an agent another activity: the one place where an agent becomes ready or ceases to be.
    pub(crate) fn set_activity(&mut self, index: AgentIndex, activity: Activity) {
        self.change_agent(index, |agent| agent.activity = activity);
    }

    /// Changes an agent, and keeps the sets of ready agents and the timers true to it.
    pub(crate) fn change_agent(&mut self, index: AgentIndex, change: impl FnOnce(&mut crate::agent::Agent)) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get_mut(index) else { return };
        let (ready, deadline) = (agent.ready_since(), agent.deadline());
        let before = agent.state();
        change(agent);
        if agent.state() != before {
            agent.since = now;
        }
        let (ready_now, deadline_now) = (agent.ready_since(), agent.deadline());
        self.timers.reset(Owner::Agent(index), deadline, deadline_now);
        if ready == ready_now {
            return;
        }
        for queue in &agent.queues {
            let Some(queue) = self.queues.get_mut(*queue) else { continue };
            if let Some(since) = ready {
                queue.ready.remove(&(since, index));
            }
            if let Some(since) = ready_now {
                queue.ready.insert((since, index));
            }
        }
        if ready_now.is_some() {
            self.matching.agents.push(index);
        }
    }

    /// Brings together whom the act that just happened has made ready for each other.
    pub(crate) fn match_waiting(&mut self) {
        while let Some(queue) = self.matching.queues.pop() {
            while let Some((interaction, agent)) = self.first_pair(queue) {
                self.offer(interaction, queue, agent);
            }
        }
        let mut woken = std::mem::take(&mut self.matching.agents);
        woken.sort_by_key(|index| (self.agents.get(*index).and_then(|agent| agent.ready_since()), *index));
        for agent in woken.drain(..) {
            if let Some((interaction, queue)) = self.longest_waiting_for(agent) {
                self.offer(interaction, queue, agent);
            }
        }
        // Offers wake nobody; the list is put back for its memory.
        self.matching.agents = woken;
    }

    fn first_pair(&self, queue: QueueIndex) -> Option<(InteractionId, AgentIndex)> {
        let queue = self.queues.get(queue)?;
        let (_, interaction) = queue.waiting.first()?;
        let (_, agent) = queue.ready.first()?;
        Some((*interaction, *agent))
    }

    /// Of all who wait in the agent's queues, the one who entered first.
    fn longest_waiting_for(&self, agent: AgentIndex) -> Option<(InteractionId, QueueIndex)> {
        let agent = self.agents.get(agent).filter(|agent| agent.ready_since().is_some())?;
        let first_of = |index: &QueueIndex| -> Option<((Timestamp, InteractionId), QueueIndex)> {
            Some((*self.queues.get(*index)?.waiting.first()?, *index))
        };
        agent.queues.iter().filter_map(first_of).min().map(|((_, interaction), queue)| (interaction, queue))
    }
}
