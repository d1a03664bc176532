//! Whom to ask about a call: people with the skills that it asks for, and those who solved the like before; the free ones
//! first.
//!
//! Two sources are one answer: the agents of the contact center with the skills of its configuration, and everybody whom
//! the customer's directory names. Who is both is found once.

mod about;
mod solvers;

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_center::Timestamp;
use tandem_center::agent::{AgentState, Presence};
use tandem_center::config::AgentDocument;
use tandem_center::id::AgentId;
use tandem_center::view::{AgentView, View};
use tandem_microsoft::id::ObjectId;
use tandem_people::directory::{
    Directory, Entry, EntryId, Experts, Seen, Skill, SkillSource, Solved, Solver, Standing, Suggestion,
    WantedSkill,
};
use tandem_people::moment::UnixMillis;

pub use about::About;
pub use solvers::Solvers;

use crate::desk::{Desk, ReadFault};
use crate::microsoft::Microsoft;

/// Somebody who may be able to help.
#[derive(Clone, Debug)]
pub struct Expert {
    /// Who it is. Somebody who is in no directory has the name, the skills and the agent alone.
    pub entry: Entry,
    /// Whether the person is in the customer's directory.
    pub listed: bool,
    /// Why, and whether the person is free.
    pub suggestion: Suggestion,
    /// What another system says, and how old that is.
    pub presence: Option<(Presence, Duration)>,
}

/// Whom to ask about a call, the best first, at most so many. `asker` asks, unless an agent has the call: nobody is
/// suggested to himself.
///
/// # Errors
///
/// The journal cannot be read.
pub async fn suggest(
    desk: &Desk,
    microsoft: Option<&Microsoft>,
    about: About,
    asker: Option<AgentId>,
    limit: usize,
) -> Result<Vec<Expert>, ReadFault> {
    let solved = desk.solved().await?;
    let people = microsoft.and_then(|microsoft| microsoft.people(desk.tenant()));
    let view = desk.live().view();
    let now = Timestamp::from_micros(now_us()).max(view.at);
    let asker = about.agent().cloned().or(asker);
    let question = Question { view: &view, now, solved: &solved, about: &about, asker };
    let nobody = Directory::new();
    let answer = |said: &Said, limit: usize| match &people {
        Some(people) => people.with(|directory| question.answer(directory, said, limit)),
        None => question.answer(&nobody, said, limit),
    };
    let Some(of_tenant) = (match (&people, microsoft) {
        (Some(people), Some(microsoft)) => Some((people, microsoft.connections_of(desk.tenant()))),
        _ => None,
    }) else {
        return Ok(answer(&Said::new(), limit));
    };
    // Presence is asked of those who would come first if all of whom nothing is known were there, and of no others.
    let mut said = Said::new();
    let unknown: Vec<ObjectId> = answer(&said, LOOKED_AT)
        .into_iter()
        .filter(|expert| expert.listed && expert.suggestion.seen.is_none())
        .filter_map(|expert| expert.entry.id.as_str().parse().ok())
        .collect();
    let (people, connections) = of_tenant;
    for connection in connections {
        let home = |user: &ObjectId| people.home(&EntryId::new(&user.to_string())) == Some(connection.tid);
        let users: Vec<ObjectId> = unknown.iter().copied().filter(home).collect();
        if !users.is_empty() {
            for (user, (presence, age)) in people.presence(&connection.graph, &users).await {
                let told = crate::microsoft::meaning::presence(&presence);
                said.insert(EntryId::new(&user.to_string()), (told, age));
            }
        }
    }
    Ok(answer(&said, limit))
}

/// What Teams says of people, and how old that is.
type Said = BTreeMap<EntryId, (Presence, Duration)>;

struct Question<'a> {
    view: &'a View,
    now: Timestamp,
    solved: &'a Solved,
    about: &'a About,
    asker: Option<AgentId>,
}

impl Question<'_> {
    fn answer(&self, directory: &Directory, said: &Said, limit: usize) -> Vec<Expert> {
        let wanted = Experts {
            skills: self
                .about
                .skills()
                .map(|(name, least)| WantedSkill { name, least: half(least) })
                .collect(),
            topics: self.about.topics(),
            asker: self.asker.as_ref().map(|agent| entry_id(directory, agent)),
        };
        let agents = self.agents(directory, &wanted);
        let seen = |id: &EntryId| {
            let agent = agents.get(id).and_then(|entry| entry.agent.as_deref());
            let agent = agent.or_else(|| directory.get(id)?.agent.as_deref());
            match agent.and_then(|agent| self.view.live.agents.get(&AgentId::new(agent))) {
                Some(agent) => Some(Seen { standing: standing(agent, self.now), age: Duration::ZERO }),
                None => said.get(id).map(|(told, age)| Seen { standing: standing_of(*told), age: *age }),
            }
        };
        let now = UnixMillis::from_millis(self.now.as_micros() / 1_000);
        let mut all = agents.suggest(&wanted, self.solved, now, seen, limit);
        // Agents are in the first answer, with the skills of both; the others are taken from the directory.
        let others = directory.suggest(&wanted, self.solved, now, seen, Directory::SUGGESTIONS_MAX);
        all.extend(others.into_iter().filter(|other| agents.get(&other.id).is_none()));
        let name = |suggestion: &Suggestion| {
            let entry = agents.get(&suggestion.id).or_else(|| directory.get(&suggestion.id));
            entry.map(|entry| entry.name.clone()).unwrap_or_default()
        };
        all.sort_by_cached_key(|one| {
            (Seen::rank(one.seen), u32::MAX - one.strength, name(one), one.id.clone())
        });
        all.truncate(limit);
        let expert = |suggestion: Suggestion| {
            let listed = directory.get(&suggestion.id).is_some();
            let entry = agents.get(&suggestion.id).or_else(|| directory.get(&suggestion.id))?.clone();
            let presence = self.presence(&entry).or_else(|| said.get(&entry.id).copied());
            Some(Expert { entry, listed, suggestion, presence })
        };
        all.into_iter().filter_map(expert).collect()
    }

    /// The agents for whom there may be a reason, with the skills of the configuration, and those of the directory if
    /// they are there.
    fn agents(&self, directory: &Directory, wanted: &Experts) -> Directory {
        let mut agents = Directory::new();
        let Some(document) = &self.view.document else { return agents };
        let now = UnixMillis::from_millis(self.now.as_micros() / 1_000);
        let solved_it = |agent: &AgentDocument| {
            let solver = Solver::Agent(agent.id.as_str().into());
            wanted.topics.iter().any(|topic| self.solved.of(topic, now).any(|(who, _)| *who == solver))
        };
        let has_skill = |agent: &AgentDocument| {
            self.about.skills().any(|(name, _)| agent.skills.keys().any(|own| own.as_str() == name))
        };
        let asker = self.asker.as_ref();
        let fit = document
            .agents
            .iter()
            .filter(|agent| asker == Some(&agent.id) || has_skill(agent) || solved_it(agent));
        for agent in fit.take(AGENTS_MAX) {
            let mut entry = directory.agent(agent.id.as_str()).cloned().unwrap_or_else(|| Entry {
                agent: Some(agent.id.as_str().into()),
                ..Entry::new(&own_id(&agent.id), &agent.name)
            });
            entry.skills.extend(agent.skills.iter().map(|(skill, level)| Skill {
                name: skill.as_str().to_owned(),
                level: Some(half(*level)),
                source: SkillSource::Tandem,
            }));
            // It has room: AGENTS_MAX is far less than what a directory holds.
            let _ = agents.upsert(entry);
        }
        agents
    }

    /// What another system says of an agent.
    fn presence(&self, entry: &Entry) -> Option<(Presence, Duration)> {
        let agent = self.view.live.agents.get(&AgentId::new(entry.agent.as_deref()?))?;
        let told = agent.presence.as_ref()?;
        Some((told.presence, self.now.since(told.observed_at)))
    }
}

/// How an agent is found whom no directory names. No object id of Entra looks so.
fn own_id(agent: &AgentId) -> String {
    format!("agent:{agent}")
}

fn entry_id(directory: &Directory, agent: &AgentId) -> EntryId {
    directory.agent(agent.as_str()).map_or_else(|| EntryId::new(&own_id(agent)), |entry| entry.id.clone())
}

/// Levels of agents go from 1 to 10, those of the directory from 1 to 5.
fn half(level: u8) -> u8 {
    level.div_ceil(2)
}

/// Whether an agent can be asked: as the contact center knows it, and where it does not, as another system says.
fn standing(agent: &AgentView, now: Timestamp) -> Standing {
    let told = agent.presence.as_ref().filter(|told| told.until > now).map(|told| standing_of(told.presence));
    match &agent.state {
        AgentState::Available { .. } => Standing::Free,
        AgentState::Offered { .. } | AgentState::InConversation { .. } => Standing::Busy,
        AgentState::WrapUp { until, .. } => Standing::SoonFree { within: until.since(now) },
        AgentState::Break { .. } | AgentState::Resting { .. } => Standing::Away,
        AgentState::NotReachable { told, .. } => standing_of(*told),
        AgentState::Offline => told.unwrap_or(Standing::Offline),
        AgentState::Gone => Standing::Offline,
    }
}

fn standing_of(presence: Presence) -> Standing {
    match presence {
        Presence::Available => Standing::Free,
        Presence::Busy | Presence::InCall | Presence::InMeeting => Standing::Busy,
        Presence::Presenting | Presence::DoNotDisturb => Standing::DoNotDisturb,
        Presence::BeRightBack | Presence::Away => Standing::Away,
        Presence::Offline | Presence::OutOfOffice => Standing::Offline,
        Presence::Unknown => Standing::Unknown,
    }
}

fn now_us() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}

/// Of so many people Graph is asked for the presence, if it is not known: far fewer than one request may name.
const LOOKED_AT: usize = 40;

/// Agents who are weighed at most, in the order of the configuration.
const AGENTS_MAX: usize = 2_000;
