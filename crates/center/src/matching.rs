//! Who is offered to whom.
//!
//! A free agent and a waiting caller who fit never stand beside each other: the act that frees the one or brings the
//! other also decides. So only what an act has woken needs to be looked at, and each look is at the first of two
//! ordered sets: the caller who comes first, and the agent whom the queue's strategy puts first.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::agent::{Agent, AgentState};
use crate::center::Center;
use crate::channel::Channel;
use crate::class::{Claim, ClassIndex, Rank, fits};
use crate::config::Strategy;
use crate::id::{AgentIndex, InteractionId, QueueIndex};
use crate::interaction::Interaction;
use crate::queue::Visit;
use crate::terms::Requirement;
use crate::timer::Owner;

/// What the present act has woken: classes with a caller or a ready agent that they did not have before.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    woken: Vec<(QueueIndex, ClassIndex)>,
    /// Queues that perhaps have lost their last agent.
    deserted: Vec<QueueIndex>,
    /// Classes of work without a call that were woken while there were as many calls as may be: an agent is rung for them in a
    /// call of its own, as soon as there may be one more. No more than there are classes.
    short_of_calls: BTreeSet<(QueueIndex, ClassIndex)>,
}

impl Matching {
    /// A queue has perhaps lost its last agent, or what it does then is new.
    pub(crate) fn may_be_deserted(&mut self, queue: QueueIndex) {
        self.deserted.push(queue);
    }
}

/// One caller and one agent who are to come together.
struct Pair {
    claim: Claim,
    queue: QueueIndex,
    interaction: InteractionId,
    agent: AgentIndex,
}

impl Center {
    /// Changes an agent: the one place where an agent becomes ready or ceases to be. Keeps the sets of ready agents,
    /// the counts of the queues and the timers true to it.
    pub(crate) fn change_agent(&mut self, index: AgentIndex, change: impl FnOnce(&mut Agent)) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get_mut(index) else { return };
        let before = agent.state();
        let (signed_in, at_work) = (agent.is_signed_in(), agent.is_at_work());
        change(agent);
        if agent.state() != before {
            agent.record.spent(&before, agent.since, now);
            agent.since = now;
        }
        let deadline = agent.deadline();
        self.timers.reset(Owner::Agent(index), agent.timer, deadline);
        agent.timer = deadline;
        if (signed_in, at_work) != (agent.is_signed_in(), agent.is_at_work()) {
            self.count(index, signed_in, at_work, false);
            self.count_now(index);
        }
        self.make_ready(index);
    }

    /// Counts an agent in the queues as they are now.
    pub(crate) fn count_now(&mut self, index: AgentIndex) {
        let Some(agent) = self.agents.get(index) else { return };
        let (signed_in, at_work) = (agent.is_signed_in(), agent.is_at_work());
        self.count(index, signed_in, at_work, true);
    }

    pub(crate) fn count(&mut self, index: AgentIndex, signed_in: bool, at_work: bool, in_now: bool) {
        let Some(agent) = self.agents.get(index) else { return };
        let share = 1000 / u64::try_from(agent.queues.len().max(1)).unwrap_or(u64::MAX);
        for queue_index in &agent.queues {
            let Some(queue) = self.queues.get_mut(*queue_index) else { continue };
            let (heads, share) = (usize::from(signed_in), if at_work { share } else { 0 });
            if in_now {
                queue.signed_in += heads;
                queue.at_work += share;
            } else {
                queue.signed_in = queue.signed_in.saturating_sub(heads);
                queue.at_work = queue.at_work.saturating_sub(share);
                if heads > 0 {
                    self.matching.may_be_deserted(*queue_index);
                }
            }
        }
    }

    /// Puts an agent into the sets of ready agents where the agent belongs now, and takes the agent out elsewhere.
    pub(crate) fn make_ready(&mut self, index: AgentIndex) {
        self.unready(index);
        let Some(agent) = self.agents.get_mut(index) else { return };
        let mut ready_in = std::mem::take(&mut agent.ready_in);
        let agent = &*agent;
        if agent.is_open() {
            let capacity = self.config.capacity();
            let load = agent.load(|channel| channel.weight(capacity));
            for queue_index in &agent.queues {
                let Some(queue) = self.queues.get_mut(*queue_index) else { continue };
                let found = queue.classes.for_agent(&agent.profile.id).filter(|(_, class)| {
                    load.saturating_add(class.channel.weight(capacity)) <= agent.profile.capacity
                        && fits(agent, &queue.rules, &class.requirement)
                });
                let from = ready_in.len();
                ready_in.extend(found.map(|(class, found)| {
                    let rank = Rank::of(agent, index, load, &queue.rules, queue.turn, &found.requirement);
                    (*queue_index, class, rank)
                }));
                for (_, class, rank) in ready_in.iter().skip(from) {
                    let Some(found) = queue.classes.get_mut(*class) else { continue };
                    found.ready.insert(*rank);
                    if !found.waiting.is_empty() {
                        self.matching.woken.push((*queue_index, *class));
                    }
                }
            }
        }
        if let Some(agent) = self.agents.get_mut(index) {
            agent.ready_in = ready_in;
        }
    }

    /// Takes an agent out of all sets of ready agents.
    pub(crate) fn unready(&mut self, index: AgentIndex) {
        let Some(agent) = self.agents.get_mut(index) else { return };
        for (queue, class, rank) in agent.ready_in.drain(..) {
            if let Some(class) = self.queues.get_mut(queue).and_then(|queue| queue.classes.get_mut(class)) {
                class.ready.remove(&rank);
            }
        }
    }

    /// The class of those in a queue who ask this; a new one with its ready agents if there is none.
    pub(crate) fn class_of(
        &mut self,
        queue_index: QueueIndex,
        asked: &Arc<Requirement>,
        channel: Channel,
    ) -> Option<ClassIndex> {
        let queue = self.queues.get_mut(queue_index)?;
        if let Some(class) = queue.classes.find(asked, channel) {
            return Some(class);
        }
        for class in queue.classes.superfluous() {
            self.forget_class(queue_index, class);
        }
        let queue = self.queues.get_mut(queue_index)?;
        let class = queue.classes.add(asked, channel);
        let members: Vec<AgentIndex> = match &asked.agent {
            Some(agent) => {
                self.agents.index(agent).into_iter().filter(|index| queue.members.contains(index)).collect()
            }
            None => queue.members.iter().copied().collect(),
        };
        let capacity = self.config.capacity();
        let weight = channel.weight(capacity);
        for index in members {
            let Some(agent) = self.agents.get_mut(index) else { continue };
            let weight_of = |channel: Channel| channel.weight(capacity);
            if !agent.can_take(weight, weight_of) || !fits(agent, &queue.rules, asked) {
                continue;
            }
            let rank = Rank::of(agent, index, agent.load(weight_of), &queue.rules, queue.turn, asked);
            agent.ready_in.push((queue_index, class, rank));
            if let Some(class) = queue.classes.get_mut(class) {
                class.ready.insert(rank);
            }
        }
        Some(class)
    }

    fn forget_class(&mut self, queue_index: QueueIndex, class: ClassIndex) {
        let Some(queue) = self.queues.get_mut(queue_index) else { return };
        for rank in queue.classes.remove(class) {
            if let Some(agent) = self.agents.get_mut(rank.agent) {
                agent.ready_in.retain(|(queue, of, _)| (*queue, *of) != (queue_index, class));
            }
        }
    }

    /// Lets an interaction stand where it may be offered.
    pub(crate) fn stand(&mut self, visit: &Visit) {
        let Some(class_index) = self.class_of(visit.queue, visit.asked(), visit.channel) else { return };
        let Some(queue) = self.queues.get_mut(visit.queue) else { return };
        let Some(class) = queue.classes.get_mut(class_index) else { return };
        class.waiting.insert(visit.place);
        self.matching.woken.push((visit.queue, class_index));
    }

    /// Lets an interaction stand there no longer.
    pub(crate) fn stand_back(&mut self, visit: &Visit) {
        let Some(queue) = self.queues.get_mut(visit.queue) else { return };
        let Some(class_index) = queue.classes.find(visit.asked(), visit.channel) else { return };
        let Some(class) = queue.classes.get_mut(class_index) else { return };
        class.waiting.remove(&visit.place);
        // Nobody else will ask for just this person so soon.
        if class.waiting.is_empty() && class.requirement.agent.is_some() {
            self.forget_class(visit.queue, class_index);
        }
    }

    /// Brings together whom the act that just happened has made ready for each other: always the caller who comes
    /// first of all who can be served, whatever the queue, and the agent who comes first for that caller.
    pub(crate) fn match_waiting(&mut self) {
        self.send_on_deserted();
        if self.may_place_call() {
            self.matching.woken.extend(std::mem::take(&mut self.matching.short_of_calls));
        }
        while let Some(pair) = self.next_pair() {
            if !self.offer(pair.interaction, pair.queue, pair.agent) {
                debug_assert!(false, "who waits can be offered, and who is ready can be rung");
                break;
            }
        }
        self.matching.woken.clear();
    }

    fn next_pair(&mut self) -> Option<Pair> {
        let now = self.journal.now();
        let mut first: Option<Pair> = None;
        let may_place = self.may_place_call();
        let Matching { woken, short_of_calls, .. } = &mut self.matching;
        let queues = &self.queues;
        // What has nobody on one side needs no second look in this act.
        woken.retain(|(queue_index, class_index)| {
            let Some(queue) = queues.get(*queue_index) else { return false };
            let Some(class) = queue.classes.get(*class_index) else { return false };
            let (Some(place), Some(rank)) = (class.waiting.first(), class.ready.first()) else {
                return false;
            };
            if !class.channel.is_call() && !may_place {
                short_of_calls.insert((*queue_index, *class_index));
                return false;
            }
            let claim = place.claim(now, queue.rules.weight);
            if first.as_ref().is_none_or(|first| claim > first.claim) {
                let (interaction, agent) = (place.interaction, rank.agent);
                first = Some(Pair { claim, queue: *queue_index, interaction, agent });
            }
            true
        });
        first
    }

    /// Whether the center may begin a call of its own: callers and these count alike.
    fn may_place_call(&self) -> bool {
        self.interactions.calls() < self.config.limits().calls
    }

    /// The queues that the present act has perhaps left without an agent.
    pub(crate) fn deserted(&mut self) -> Vec<QueueIndex> {
        std::mem::take(&mut self.matching.deserted)
    }

    /// How many agents are ready for those who ask what this caller asks.
    pub(crate) fn ready_for(&self, visit: &Visit) -> usize {
        let Some(queue) = self.queues.get(visit.queue) else { return 0 };
        let class = queue.classes.find(visit.asked(), visit.channel);
        let class = class.and_then(|class| queue.classes.get(class));
        class.map_or(0, |class| class.ready.len())
    }

    /// Whether a caller who is being offered may be offered to more agents at the same time.
    pub(crate) fn rings_all(&self, interaction: &Interaction, visit: &Visit, offers: usize) -> bool {
        visit.rules.strategy == Strategy::RingAll
            && interaction.channel == Channel::Call
            && offers < RING_ALL_MAX
    }
}

impl Agent {
    /// Takes work now, or would when free.
    pub(crate) fn is_at_work(&self) -> bool {
        self.chosen == crate::agent::ChosenState::Available
            && !self.leaving
            && !matches!(self.state(), AgentState::NotReachable { .. })
    }
}

/// How many telephones ring for one caller at once. Further agents are rung when one of these stops.
const RING_ALL_MAX: usize = 20;
