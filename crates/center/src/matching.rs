//! Who is offered to whom.
//!
//! A free agent and a waiting caller of one queue never stand beside each other: the act that frees the one or
//! brings the other also decides. So only what an act has woken needs to be looked at, and each look is at the
//! first of an ordered set: the agent idle longest, the caller waiting longest.

use crate::agent::{Activity, Agent};
use crate::center::Center;
use crate::id::{AgentIndex, InteractionId, QueueIndex};
use crate::timer::Owner;

/// What the present act has woken: queues with a caller or a ready agent that they did not have before.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    woken: Vec<QueueIndex>,
}

impl Matching {
    /// This queue has a new caller waiting, or agents that it did not have.
    pub(crate) fn wake_queue(&mut self, queue: QueueIndex) {
        self.woken.push(queue);
    }
}

impl Center {
    /// Gives an agent another activity: the one place where an agent becomes ready or ceases to be.
    pub(crate) fn set_activity(&mut self, index: AgentIndex, activity: Activity) {
        self.change_agent(index, |agent| agent.activity = activity);
    }

    /// Changes an agent, and keeps the sets of ready agents and the timers true to it.
    pub(crate) fn change_agent(&mut self, index: AgentIndex, change: impl FnOnce(&mut Agent)) {
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
        for index_of_queue in &agent.queues {
            let Some(queue) = self.queues.get_mut(*index_of_queue) else { continue };
            if let Some(since) = ready {
                queue.ready.remove(&(since, index));
            }
            if let Some(since) = ready_now {
                queue.ready.insert((since, index));
                self.matching.wake_queue(*index_of_queue);
            }
        }
    }

    /// Brings together whom the act that just happened has made ready for each other: always the caller who entered
    /// first of all who can be served, whatever the queue, and the agent of that queue who has been idle longest.
    pub(crate) fn match_waiting(&mut self) {
        while let Some((queue, interaction, agent)) = self.next_pair() {
            let offered = self.offer(interaction, queue, agent);
            debug_assert!(offered, "who waits can be offered, and who is ready can be rung");
            if !offered {
                break;
            }
        }
        self.matching.woken.clear();
    }

    fn next_pair(&self) -> Option<(QueueIndex, InteractionId, AgentIndex)> {
        let pair = |index: &QueueIndex| {
            let queue = self.queues.get(*index)?;
            Some((*queue.waiting.first()?, *index, queue.ready.first()?.1))
        };
        let first = self.matching.woken.iter().filter_map(pair).min_by_key(|(place, ..)| *place)?;
        let ((_, interaction), queue, agent) = first;
        Some((queue, interaction, agent))
    }
}
