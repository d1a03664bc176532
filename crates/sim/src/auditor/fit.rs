//! Who may be offered to whom, and who comes first: looked up the long way, agent by agent and caller by caller.

use std::cmp::Ordering;

use tandem_center::agent::AgentState;
use tandem_center::channel::Channel;
use tandem_center::config::{AgentDocument, QueueDocument, Strategy};
use tandem_center::fact::{FactKind, Turn};
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_center::terms::Requirement;

use super::world::{Agent, Doing, Interaction, Ring, Stage, Stay, Work};
use super::{Auditor, Wrong, figure, same, seconds};

impl Auditor {
    pub(super) fn offered(&mut self, number: u64, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::Offered {
            queue,
            agent,
            rings_until,
            waited_us,
            idle_us,
            of_ready,
            turn,
            then,
            configuration,
            ..
        } = kind
        else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let rules = self.rules(queue).ok_or(Wrong::CannotBe(id))?.clone();
        let interaction = self.interaction(id)?;
        let stay = self.standing(interaction).ok_or(Wrong::CannotBe(id))?.clone();
        same(stay.queue == *queue && interaction.call.is_some(), Wrong::CannotBe(id))?;
        self.may_ring(agent, id, &stay)?;
        self.is_first(id, &stay)?;
        self.is_first_agent(agent, id, &stay, &rules)?;
        let free = self.fit_for(interaction, &stay).count();
        figure(*of_ready, u64::try_from(free).unwrap_or(u64::MAX))?;
        let view = self.agent(agent)?;
        figure(*waited_us, at.micros_since(stay.entered_at))?;
        figure(*idle_us, at.micros_since(view.idle_since))?;
        figure(*configuration, self.configuration)?;
        figure(rings_until.as_micros(), (at + seconds(rules.ring_timeout_s)).as_micros())?;
        let expected_turn = (rules.strategy == Strategy::Weighted).then(|| {
            let at = self.turn_of(view, queue);
            Turn { at, next: at + ROUND / u64::from(rules.shares.get(agent).copied().unwrap_or(1)) }
        });
        same(*turn == expected_turn, Wrong::CannotBe(id))?;
        if let Some(turn) = turn {
            self.turns.insert(queue.clone(), turn.at);
        }
        let confirms = self.employee(agent).is_some_and(|agent| agent.confirm);
        let ring = Ring { agent: agent.clone(), at, until: *rings_until, confirms };
        let channel = self.interaction(id)?.channel;
        let interaction = self.touch(id)?;
        let (mut stay, mut rings) = match std::mem::replace(&mut interaction.stage, Stage::InFlow) {
            Stage::Waiting(stay) => (stay, Vec::new()),
            Stage::Offered(stay, rings) => (stay, rings),
            _ => return Err(Wrong::CannotBe(id)),
        };
        rings.push(ring);
        stay.rules = Box::new(rules);
        interaction.stage = Stage::Offered(stay, rings);
        let view = self.agents.get_mut(agent).ok_or_else(|| Wrong::NoSuchAgent(agent.clone()))?;
        view.last_offer = number;
        if let Some(turn) = turn {
            view.turns.insert(queue.clone(), turn.next);
        }
        view.work.push(Work { interaction: id, channel, doing: Doing::Offered });
        self.becomes(agent, &then.clone().unwrap_or(AgentState::Offered { interaction: id }))
    }

    /// The agent may be rung for this: is of the queue, fit, free, and able to do it beside what goes on.
    fn may_ring(&self, agent: &AgentId, id: InteractionId, stay: &Stay) -> Result<(), Wrong> {
        let employee = self.employee(agent).filter(|employee| employee.queues.contains(&stay.queue));
        let employee = employee.ok_or_else(|| Wrong::NotTheirQueue(agent.clone(), stay.queue.clone()))?;
        let view = self.agent(agent)?;
        same(view.takes_offers(), Wrong::NotFree(agent.clone()))?;
        same(
            self.has_room(employee, view, self.interaction(id)?.channel),
            Wrong::AboveCapacity(agent.clone()),
        )?;
        same(self.is_asked_for(employee, stay), Wrong::NotFit(agent.clone(), id))
    }

    /// Of all who could be offered to anybody, this one has the first claim.
    fn is_first(&self, id: InteractionId, stay: &Stay) -> Result<(), Wrong> {
        // An agent who is rung for somebody without a call was rung in one that has just been placed.
        let placed = usize::from(self.interaction(id)?.channel != Channel::Call);
        let may_place = self.calls().saturating_sub(placed) < self.calls_max();
        for (other, interaction) in &self.interactions {
            if let Some(waits) = self.standing(interaction)
                && *other != id
                && self.comes_before((waits, *other), (stay, id))
                && (may_place || interaction.channel == Channel::Call)
                && self.fit_for(interaction, waits).next().is_some()
            {
                return Err(Wrong::Overtaken { first: *other, offered: id });
            }
        }
        Ok(())
    }

    /// How many calls there are.
    pub(super) fn calls(&self) -> usize {
        self.interactions.values().filter(|interaction| interaction.call.is_some()).count()
    }

    /// How many there may be.
    pub(super) fn calls_max(&self) -> usize {
        usize::try_from(self.document.limits.calls).unwrap_or(usize::MAX)
    }

    /// Very important ones first, then by the wait, to which priority adds and which counts more in some queues.
    fn comes_before(&self, a: (&Stay, InteractionId), b: (&Stay, InteractionId)) -> bool {
        let claim = |stay: &Stay| {
            let weight = self.rules(&stay.queue).map_or(0, |rules| rules.weight);
            u128::from(self.at.micros_since(stay.stands_since)) * u128::from(weight)
        };
        let key = |(stay, id): (&Stay, InteractionId)| {
            (!stay.vip, std::cmp::Reverse(claim(stay)), stay.stands_since, id)
        };
        key(a) < key(b)
    }

    fn is_first_agent(
        &self,
        rung: &AgentId,
        id: InteractionId,
        stay: &Stay,
        rules: &QueueDocument,
    ) -> Result<(), Wrong> {
        let asked = stay.asked();
        for other in self.fit_for(self.interaction(id)?, stay) {
            if self.goes_before(other, rung, rules, &asked)? {
                return Err(Wrong::NotFirst { first: other.clone(), rung: rung.clone() });
            }
        }
        Ok(())
    }

    /// Whether the strategy puts one agent before another.
    fn goes_before(
        &self,
        one: &AgentId,
        other: &AgentId,
        rules: &QueueDocument,
        asked: &Requirement,
    ) -> Result<bool, Wrong> {
        if one == other {
            return Ok(false);
        }
        let (a, b) = (self.agent(one)?, self.agent(other)?);
        let (Some(first), Some(second)) = (self.employee(one), self.employee(other)) else {
            return Ok(false);
        };
        let place = |id: &AgentId| self.document.agents.iter().position(|agent| agent.id == *id);
        let listed = |id: &AgentId| {
            let order = rules.order.iter().position(|listed| listed == id);
            (order.is_none(), order, place(id))
        };
        let by_strategy = match rules.strategy {
            Strategy::LongestIdle | Strategy::RingAll => Ordering::Equal,
            Strategy::RoundRobin => a.last_offer.cmp(&b.last_offer),
            Strategy::Serial => listed(one).cmp(&listed(other)),
            Strategy::LeastOccupied => {
                let works = |agent: &Agent| !agent.work.is_empty();
                let (first, second) = (a.occupied_at(self.at), b.occupied_at(self.at));
                // What the center counts in whole thousand millionths is equal to it here.
                if works(a) == works(b) && (first - second).abs() < 1e-6 * (1.0 + first.max(second)) {
                    return Ok(false);
                }
                works(a).cmp(&works(b)).then(first.total_cmp(&second))
            }
            Strategy::FewestConversations => a.conversations.cmp(&b.conversations),
            Strategy::MostSkilled => skill(second, asked).cmp(&skill(first, asked)),
            Strategy::LeastSkilled => skill(first, asked).cmp(&skill(second, asked)),
            Strategy::Weighted => self.turn_of(a, &rules.id).cmp(&self.turn_of(b, &rules.id)),
        };
        let order = by_strategy
            .then_with(|| self.load(a).cmp(&self.load(b)))
            .then_with(|| a.idle_since.cmp(&b.idle_since))
            .then_with(|| place(one).cmp(&place(other)));
        Ok(order == Ordering::Less)
    }

    fn turn_of(&self, agent: &Agent, queue: &QueueId) -> u64 {
        let queues = self.turns.get(queue).copied().unwrap_or_default();
        agent.turns.get(queue).copied().unwrap_or_default().max(queues)
    }

    /// The stay of somebody who may be offered: nobody is being rung, or all are.
    pub(super) fn standing<'a>(&self, interaction: &'a Interaction) -> Option<&'a Stay> {
        match &interaction.stage {
            Stage::Waiting(stay) => Some(stay),
            Stage::Offered(stay, rings)
                if stay.rules.strategy == Strategy::RingAll
                    && interaction.channel == Channel::Call
                    && rings.len() < RING_ALL_MAX =>
            {
                Some(stay)
            }
            _ => None,
        }
    }

    /// The agents who could be rung now for somebody who waits.
    pub(super) fn fit_for<'a>(
        &'a self,
        interaction: &'a Interaction,
        stay: &'a Stay,
    ) -> impl Iterator<Item = &'a AgentId> {
        self.document
            .agents
            .iter()
            .filter(|employee| employee.queues.contains(&stay.queue))
            .filter(move |employee| {
                self.agents.get(&employee.id).is_some_and(|agent| {
                    agent.takes_offers() && self.has_room(employee, agent, interaction.channel)
                }) && self.is_asked_for(employee, stay)
            })
            .map(|employee| &employee.id)
    }

    fn is_asked_for(&self, employee: &AgentDocument, stay: &Stay) -> bool {
        let asked = stay.asked();
        let rings = self.rules(&stay.queue).map_or(&[][..], |rules| &rules.rings);
        let ring = rings.iter().position(|ring| ring.agents.contains(&employee.id)).map(|at| at + 1);
        let ring = ring.unwrap_or(rings.len().max(1));
        asked.agent.as_ref().is_none_or(|named| *named == employee.id)
            && asked.ring.is_none_or(|last| ring <= usize::from(last))
            && asked
                .skills
                .iter()
                .all(|(skill, least)| employee.skills.get(skill).is_some_and(|level| level >= least))
    }

    fn has_room(&self, employee: &AgentDocument, agent: &Agent, channel: Channel) -> bool {
        self.load(agent) + self.weight(channel)
            <= u64::from(employee.capacity.unwrap_or(self.document.capacity.total))
    }

    fn load(&self, agent: &Agent) -> u64 {
        agent.work.iter().map(|work| self.weight(work.channel)).sum()
    }

    fn weight(&self, channel: Channel) -> u64 {
        let capacity = &self.document.capacity;
        u64::from(match channel {
            Channel::Call => capacity.call,
            Channel::Callback => capacity.callback,
            Channel::Voicemail => capacity.voicemail,
        })
    }
}

fn skill(employee: &AgentDocument, asked: &Requirement) -> u64 {
    let counts =
        |name: &tandem_center::id::SkillId| asked.skills.is_empty() || asked.skills.contains_key(name);
    employee.skills.iter().filter(|(name, _)| counts(name)).map(|(_, level)| u64::from(*level)).sum()
}

/// What the turns of a queue advance with an offer to an agent of share 1.
const ROUND: u64 = 1_000_000;
/// How many telephones ring for one caller at once.
const RING_ALL_MAX: usize = 20;
