//! The wait that is to be expected, read from the committed state by the rule by which callers are told it.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::config::{AgentDocument, QueueDocument};
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_center::terms::Requirement;
use tandem_center::view::{AgentView, QueueStay, View};

/// A queue of the committed state, and what waits in it depend on.
pub struct Line<'a> {
    view: &'a View,
    queue: &'a QueueId,
    rules: Option<&'a QueueDocument>,
    /// In the order in which they stand.
    waiting: Vec<(InteractionId, &'a QueueStay)>,
    /// The agents of the queue, as configured, and what they do.
    members: BTreeMap<&'a AgentId, (&'a AgentDocument, &'a AgentView)>,
}

impl<'a> Line<'a> {
    /// The line of a queue.
    pub fn of(view: &'a View, queue: &'a QueueId) -> Line<'a> {
        let document = view.document.as_deref();
        let agents = document.into_iter().flat_map(|document| &document.agents);
        let member = |agent: &'a AgentDocument| Some((&agent.id, (agent, view.live.agents.get(&agent.id)?)));
        Line {
            view,
            queue,
            rules: document.and_then(|document| document.queues.iter().find(|known| known.id == *queue)),
            waiting: view.live.waiting(queue),
            members: agents.filter(|agent| agent.queues.contains(queue)).filter_map(member).collect(),
        }
    }

    /// Who waits, in the order in which they stand.
    pub fn waiting(&self) -> &[(InteractionId, &'a QueueStay)] {
        &self.waiting
    }

    /// The queue as configured.
    pub fn rules(&self) -> Option<&'a QueueDocument> {
        self.rules
    }

    /// The agents of the queue.
    pub fn members(&self) -> impl Iterator<Item = &'a AgentView> {
        self.members.values().map(|(_, agent)| *agent)
    }

    /// What the queue itself asks for somebody who comes now.
    pub fn newcomer(&self) -> Requirement {
        let Some(rules) = self.rules else { return Requirement::default() };
        let ring = (rules.rings.len() > 1).then_some(1);
        Requirement { agent: None, skills: rules.skills.clone(), ring }
    }

    /// How long somebody will still wait who stands at this place, from 1, and asks for this; none if it is not known.
    pub fn expected(&self, place: usize, asked: &Requirement) -> Option<Duration> {
        if self.members.values().any(|(agent, now)| is_free(now) && self.fits(agent, asked)) {
            return Some(Duration::ZERO);
        }
        let handling = self.view.live.queues.get(self.queue)?.pace.handling()?;
        // An agent of three queues counts a third in each.
        let share =
            |agent: &AgentDocument| 1000 / u32::try_from(agent.queues.len().max(1)).unwrap_or(u32::MAX);
        let at_work: u32 =
            self.members.values().filter(|(_, now)| is_at_work(now)).map(|(agent, _)| share(agent)).sum();
        let place = u32::try_from(place).ok().filter(|place| *place < PLACES_MAX)?;
        (at_work > 0).then(|| handling.saturating_mul(place).saturating_mul(1000) / at_work)
    }

    fn fits(&self, agent: &AgentDocument, asked: &Requirement) -> bool {
        let skilled = |(skill, least)| agent.skills.get(skill).is_some_and(|level| level >= least);
        asked.agent.as_ref().is_none_or(|only| *only == agent.id)
            && asked.skills.iter().all(skilled)
            && asked.ring.is_none_or(|last| self.ring_of(&agent.id) <= usize::from(last))
    }

    /// In which of the queue's rings an agent is, from 1; who stands in none is in the last.
    fn ring_of(&self, agent: &AgentId) -> usize {
        let rings = self.rules.map_or(&[][..], |rules| &rules.rings);
        let place = rings.iter().position(|ring| ring.agents.contains(agent));
        place.map_or(rings.len().max(1), |place| place + 1)
    }
}

fn is_free(agent: &AgentView) -> bool {
    matches!(agent.state, AgentState::Available { .. })
}

fn is_at_work(agent: &AgentView) -> bool {
    agent.chosen == ChosenState::Available
        && !matches!(agent.state, AgentState::NotReachable { .. } | AgentState::Gone)
}

/// Further back nobody is told a wait.
const PLACES_MAX: u32 = 1000;
