//! Classes: those who wait in a queue and ask the same of an agent, and the agents who are ready for them.
//!
//! The two never stand beside each other: the act that brings the one or the other also decides. So a decision looks
//! at the first of two ordered sets, however many wait and however many agents there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agent::Agent;
use crate::channel::Channel;
use crate::config::{QueueRules, Strategy};
use crate::id::{AgentId, AgentIndex, InteractionId};
use crate::terms::Requirement;
use crate::timer::Timestamp;

/// One class.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) requirement: Arc<Requirement>,
    pub(crate) channel: Channel,
    /// Who waits and may be offered, first first.
    pub(crate) waiting: BTreeSet<Place>,
    /// Who is ready, best first.
    pub(crate) ready: BTreeSet<Rank>,
}

/// The place of a class in its queue; valid while somebody waits in it or is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClassIndex(usize);

/// Where somebody stands in a queue: very important people first, then by the wait, to which priority adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    ordinary: bool,
    /// Since when somebody of normal priority would have to wait to stand here; for somebody of a lower one perhaps not
    /// yet.
    pub(crate) since: Timestamp,
    pub(crate) interaction: InteractionId,
}

impl Place {
    pub(crate) fn new(vip: bool, since: Timestamp, interaction: InteractionId) -> Place {
        Place { ordinary: !vip, since, interaction }
    }

    /// How this place compares to those of other queues: the greater comes first.
    pub(crate) fn claim(&self, now: Timestamp, weight: u32) -> Claim {
        let wait = u128::from(now.micros_since(self.since)) * u128::from(weight);
        Claim { vip: !self.ordinary, wait, earlier: std::cmp::Reverse((self.since, self.interaction)) }
    }
}

/// What somebody who waits has against those who wait elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    vip: bool,
    wait: u128,
    earlier: std::cmp::Reverse<(Timestamp, InteractionId)>,
}

/// Where an agent stands among those who are ready: the smallest is rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// What the strategy looks at.
    key: u64,
    /// Who has more to do already comes after.
    load: u32,
    idle_since: Timestamp,
    /// The place in the configuration decides between equals.
    place: u32,
    pub(crate) agent: AgentIndex,
}

impl Rank {
    /// The rank of an agent under a queue's rules for somebody who asks this.
    pub(crate) fn of(
        agent: &Agent,
        index: AgentIndex,
        load: u32,
        rules: &QueueRules,
        turn: u64,
        asked: &Requirement,
    ) -> Rank {
        let record = &agent.record;
        let key = match rules.strategy {
            Strategy::LongestIdle | Strategy::RingAll => 0,
            Strategy::RoundRobin => record.last_offer,
            Strategy::Serial => {
                let listed = rules.order.get(&agent.profile.id).copied();
                u64::from(listed.unwrap_or_else(|| agent.profile.place.saturating_add(u32::MAX / 2)))
            }
            Strategy::LeastOccupied => {
                // Nobody is ready who is being rung.
                record.occupancy_order(agent.since, !agent.work.is_empty())
            }
            Strategy::FewestConversations => record.conversations.into(),
            Strategy::MostSkilled => u64::MAX - skill(agent, asked),
            Strategy::LeastSkilled => skill(agent, asked),
            Strategy::Weighted => turn_of(agent, rules, turn),
        };
        Rank { key, load, idle_since: agent.idle_since, place: agent.profile.place, agent: index }
    }
}

/// How far an agent is in the turns of a queue: not behind where the queue is, so that nobody who comes back gets all
/// callers.
pub(crate) fn turn_of(agent: &Agent, rules: &QueueRules, turn: u64) -> u64 {
    agent.record.turns.get(&rules.id).copied().unwrap_or_default().max(turn)
}

/// Where an agent is in the turns after an offer at this turn.
pub(crate) fn next_turn(agent: &AgentId, rules: &QueueRules, turn: u64) -> u64 {
    let share = rules.shares.get(agent).copied().unwrap_or(1).max(1);
    turn.saturating_add(ROUND / u64::from(share))
}

/// How good an agent is at what is asked for, or, if nothing is, at everything.
fn skill(agent: &Agent, asked: &Requirement) -> u64 {
    let skills = &agent.profile.skills;
    if asked.skills.is_empty() {
        return skills.values().map(|level| u64::from(*level)).sum();
    }
    asked.skills.keys().map(|skill| u64::from(skills.get(skill).copied().unwrap_or_default())).sum()
}

/// Whether an agent is what is asked for, apart from whether the agent is free.
pub(crate) fn fits(agent: &Agent, rules: &QueueRules, asked: &Requirement) -> bool {
    let named = asked.agent.as_ref().is_none_or(|id| *id == agent.profile.id);
    let in_ring = || asked.ring.is_none_or(|ring| rules.ring_of(&agent.profile.id) <= ring);
    let able = |(skill, level): (_, &u8)| agent.profile.skills.get(skill).is_some_and(|has| has >= level);
    named && in_ring() && asked.skills.iter().all(able)
}

/// All classes of a queue.
#[derive(Debug, Default)]
pub(crate) struct Classes {
    places: Vec<Option<Class>>,
    by_terms: BTreeMap<(Arc<Requirement>, Channel), ClassIndex>,
    vacant: Vec<ClassIndex>,
    /// Those for which several agents may do.
    open: Vec<ClassIndex>,
    /// Those for which only one agent will do.
    by_person: BTreeMap<AgentId, Vec<ClassIndex>>,
}

impl Classes {
    pub(crate) fn get(&self, index: ClassIndex) -> Option<&Class> {
        self.places.get(index.0)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: ClassIndex) -> Option<&mut Class> {
        self.places.get_mut(index.0)?.as_mut()
    }

    pub(crate) fn find(&self, requirement: &Arc<Requirement>, channel: Channel) -> Option<ClassIndex> {
        self.by_terms.get(&(requirement.clone(), channel)).copied()
    }

    /// A new class, nobody in it.
    pub(crate) fn add(&mut self, requirement: &Arc<Requirement>, channel: Channel) -> ClassIndex {
        let class = Class {
            requirement: requirement.clone(),
            channel,
            waiting: BTreeSet::new(),
            ready: BTreeSet::new(),
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                if let Some(place) = self.places.get_mut(index.0) {
                    *place = Some(class);
                }
                index
            }
            None => {
                self.places.push(Some(class));
                ClassIndex(self.places.len() - 1)
            }
        };
        self.by_terms.insert((requirement.clone(), channel), index);
        match &requirement.agent {
            Some(agent) => self.by_person.entry(agent.clone()).or_default().push(index),
            None => self.open.push(index),
        }
        index
    }

    /// Forgets a class and says who was ready in it.
    pub(crate) fn remove(&mut self, index: ClassIndex) -> BTreeSet<Rank> {
        let Some(class) = self.places.get_mut(index.0).and_then(Option::take) else { return BTreeSet::new() };
        self.by_terms.remove(&(class.requirement.clone(), class.channel));
        match &class.requirement.agent {
            Some(agent) => {
                if let Some(classes) = self.by_person.get_mut(agent) {
                    classes.retain(|other| *other != index);
                    if classes.is_empty() {
                        self.by_person.remove(agent);
                    }
                }
            }
            None => self.open.retain(|other| *other != index),
        }
        self.vacant.push(index);
        class.ready
    }

    /// The classes that an agent may be ready in.
    pub(crate) fn for_agent(&self, agent: &AgentId) -> impl Iterator<Item = (ClassIndex, &Class)> {
        let person = self.by_person.get(agent).map(Vec::as_slice).unwrap_or_default();
        self.open.iter().chain(person).filter_map(|index| Some((*index, self.get(*index)?)))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Class> {
        self.places.iter().flatten()
    }

    /// The agents whom the turns of a queue that offers by shares have passed since they became ready.
    pub(crate) fn behind(&self, turn: u64) -> Vec<AgentIndex> {
        let behind = |class: &Class| -> Vec<AgentIndex> {
            class.ready.iter().take_while(|rank| rank.key < turn).map(|rank| rank.agent).collect()
        };
        self.places.iter().flatten().flat_map(behind).collect()
    }

    /// Classes in which nobody waits, if there are more than are kept for the next who asks the same; and one for a
    /// single agent as soon as nobody waits in it.
    pub(crate) fn superfluous(&self) -> Vec<ClassIndex> {
        if self.open.len() <= KEPT_MAX {
            return Vec::new();
        }
        let empty = |index: &ClassIndex| self.get(*index).is_some_and(|class| class.waiting.is_empty());
        self.open.iter().copied().filter(empty).collect()
    }
}

/// Classes of one queue that are kept although nobody waits in them. More are forgotten: every change of an agent looks at
/// all of them.
const KEPT_MAX: usize = 64;

/// What the turns of a queue advance with an offer to an agent of share 1.
const ROUND: u64 = 1_000_000;
