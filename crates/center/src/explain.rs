//! Explained routing: why an agent was rung, or why somebody still waits.
//!
//! It is read from the view of the facts and from nothing else, so that it can be asked of any moment of which there
//! are facts. It looks at every agent one after the other, in the plainest way: what it says does not depend on the sets
//! by which the center decides, and the simulation compares the two.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::{AgentState, ChosenState, Confidence, Presence, PresenceSeen, Rest, RestCause};
use crate::channel::Channel;
use crate::config::{AgentDocument, Document, QueueDocument, Strategy};
use crate::fact::{Fact, FactKind};
use crate::id::{AgentId, InteractionId, QueueId, SkillId};
use crate::terms::Requirement;
use crate::timer::Timestamp;
use crate::view::{AgentView, DoingView, InteractionView, Live, QueueStay, StageView, View};

/// Why somebody waits, or was offered to an agent: everything that the rules looked at, and how old it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Of what moment.
    pub at: Timestamp,
    /// The interaction.
    pub interaction: InteractionId,
    /// How it reaches an agent.
    pub channel: Channel,
    /// The queue.
    pub queue: QueueId,
    /// The queue's name.
    pub queue_name: Arc<str>,
    /// How the queue chooses.
    pub strategy: Strategy,
    /// The place in the queue, from 1.
    pub position: u32,
    /// How many are in the queue.
    pub of: u32,
    /// The wait in this queue.
    pub waited_us: u64,
    /// The wait in all queues.
    pub waited_in_all_us: u64,
    /// From 1, first, to 5.
    pub priority: u8,
    /// Before everybody who is not.
    pub vip: bool,
    /// What is asked of an agent now.
    pub asked: Requirement,
    /// What will be asked next, and after which wait.
    pub next: Option<NextStep>,
    /// How long it will still take, as far as that is known.
    pub expected_us: Option<u64>,
    /// The agents who are being rung.
    pub ringing: Vec<AgentId>,
    /// What keeps it from being offered though somebody is free and fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// The agents who are free and fit, the one first who is rung next.
    pub eligible: Vec<Eligible>,
    /// The other agents of the queue, by name.
    pub excluded: Vec<Excluded>,
}

/// What keeps something from being offered, whoever is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Held {
    /// It takes a call to offer it, and there are as many calls as there may be.
    Calls {
        /// How many calls there may be: `limits.calls`.
        most: u32,
    },
}

/// What will be asked of an agent after a longer wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextStep {
    /// After this wait in the queue.
    pub after_us: u64,
    /// What.
    pub asked: Requirement,
}

/// An agent who is free and fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eligible {
    /// The agent.
    pub agent: AgentId,
    /// The agent's name.
    pub name: Arc<str>,
    /// How long without work.
    pub idle_us: u64,
    /// What the queue's strategy looks at, if it is not that.
    pub ranked_by: Option<RankedBy>,
    /// What another system says of the agent, if it is known; its age is that of the last record of it, which the same
    /// word told again changes only now and then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<PresenceSeen>,
}

/// What a strategy looks at; less comes first, but for skills where the strategy wants the best.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankedBy {
    /// How long ago the last offer was: the number of its fact, 0 if there was none.
    LastOffer(u64),
    /// The place in the queue's order, from 1.
    Order(u32),
    /// The part of the last hour or so spent in conversations and wrap-ups; percent.
    Occupancy(u32),
    /// Conversations since signing in.
    Conversations(u32),
    /// The levels of the skills that count, in sum.
    Skill(u64),
    /// The turn that is next for the agent.
    Turn(u64),
}

/// An agent of the queue who could not be rung, and why not: each reason alone would have been enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// The agent.
    pub agent: AgentId,
    /// The agent's name.
    pub name: Arc<str>,
    /// Why not.
    pub reasons: Vec<Reason>,
}

/// Why an agent could not be rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Reason {
    /// Another agent is asked for by name.
    NotTheOne,
    /// A skill is missing, or not good enough.
    Skill {
        /// Which.
        skill: SkillId,
        /// The level asked for.
        needed: u8,
        /// The agent's level; 0: does not have it.
        has: u8,
    },
    /// The agent's ring is not rung yet.
    Ring {
        /// The agent's ring, from 1.
        ring: u8,
        /// The rings that are rung.
        rung: u8,
    },
    /// Not at work.
    Offline {
        /// For how long.
        for_us: u64,
    },
    /// On a break.
    Break {
        /// Why.
        reason: Option<Arc<str>>,
        /// For how long.
        for_us: u64,
    },
    /// Left alone after an offer not taken.
    Resting {
        /// What became of it.
        after: RestCause,
        /// How much longer; none: until the agent says "available".
        another_us: Option<u64>,
    },
    /// Another system says that calls would not reach the agent.
    NotReachable {
        /// Which system.
        source: Arc<str>,
        /// What it says.
        presence: Presence,
        /// How old that is.
        age_us: u64,
    },
    /// Is being rung for somebody else.
    Offered {
        /// For whom.
        interaction: InteractionId,
        /// For how long.
        for_us: u64,
    },
    /// Could never take anything of this kind: it takes more than the agent has.
    Capacity {
        /// What it takes.
        takes: u32,
        /// What the agent has.
        capacity: u32,
    },
    /// Has as much to do as the agent may.
    Occupied {
        /// With what: the first of all.
        interaction: InteractionId,
        /// Whether that is a wrap-up.
        wrap_up: bool,
        /// Since when the agent's state is what it is.
        for_us: u64,
    },
}

/// Explains what is known at a number of a moment: why somebody who waits does, or whom the next offer goes to. `None`
/// if the interaction is in no queue.
pub fn explain(view: &View, at: Timestamp, id: InteractionId) -> Option<Explanation> {
    let document = view.document.as_ref()?;
    let live = &view.live;
    let interaction = live.interactions.get(&id)?;
    let stay = interaction.stage.stay()?;
    let queue = document.queues.iter().find(|queue| queue.id == stay.queue)?;
    let asked = stay.terms.requirement(stay.step);
    let looked = Looked { live, document, queue, asked, channel: interaction.channel, at };
    let mut eligible: Vec<(Key, Eligible)> = Vec::new();
    let mut excluded = Vec::new();
    for (place, agent) in (0u32..).zip(&document.agents) {
        if !agent.queues.contains(&queue.id) {
            continue;
        }
        let Some(view) = live.agents.get(&agent.id) else { continue };
        let (id, name) = (agent.id.clone(), agent.name.clone());
        let ringing = interaction.stage.rings(&agent.id);
        let reasons = if ringing { Vec::new() } else { looked.reasons(agent, view) };
        if ringing {
            continue;
        } else if reasons.is_empty() {
            eligible.push(looked.rank(place, agent, view));
        } else {
            excluded.push(Excluded { agent: id, name, reasons });
        }
    }
    eligible.sort_by_key(|(key, _)| *key);
    excluded.sort_by(|one, other| one.name.cmp(&other.name));
    let waiting = live.waiting(&queue.id);
    let ahead = waiting.iter().position(|(other, _)| *other == id)?;
    let position = u32::try_from(ahead + 1).unwrap_or(u32::MAX);
    let held = looked.held(id, interaction);
    let expected = match held {
        None if !eligible.is_empty() => Some(Duration::ZERO),
        _ => looked.expected_wait(position),
    };
    Some(Explanation {
        at,
        interaction: id,
        channel: interaction.channel,
        queue: queue.id.clone(),
        queue_name: queue.name.clone(),
        strategy: queue.strategy,
        position,
        of: u32::try_from(waiting.len()).unwrap_or(u32::MAX),
        waited_us: at.micros_since(stay.entered_at),
        waited_in_all_us: at.micros_since(stay.waiting_since()),
        priority: stay.priority,
        vip: stay.vip,
        asked: Requirement::clone(asked),
        next: next_step(stay),
        expected_us: expected.map(|expected| u64::try_from(expected.as_micros()).unwrap_or(u64::MAX)),
        ringing: interaction.stage.ringing(),
        held,
        eligible: eligible.into_iter().map(|(_, eligible)| eligible).collect(),
        excluded,
    })
}

/// Explains an offer from the view before its fact. `None` if the fact is none, or of no queue of the configuration.
pub fn explain_offer(view: &View, offer: &Fact) -> Option<Explanation> {
    let FactKind::Offered { interaction, agent, presence, .. } = &offer.kind else { return None };
    let mut explanation = explain(view, offer.at, *interaction)?;
    // The offer knows how old the word was that it saw.
    if let Some(chosen) = explanation.eligible.iter_mut().find(|eligible| eligible.agent == *agent) {
        chosen.presence.clone_from(presence);
    }
    Some(explanation)
}

fn next_step(stay: &QueueStay) -> Option<NextStep> {
    let after = stay.terms.next_after(stay.step)?;
    let asked = Requirement::clone(stay.terms.requirement(stay.step.saturating_add(1)));
    Some(NextStep { after_us: u64::try_from(after.as_micros()).unwrap_or(u64::MAX), asked })
}

/// By what agents are ordered: the strategy's key, how much they have to do, how long idle, the place in the file.
type Key = (u64, u32, Timestamp, u32);

/// What is looked at.
struct Looked<'a> {
    live: &'a Live,
    document: &'a Document,
    queue: &'a QueueDocument,
    asked: &'a Requirement,
    channel: Channel,
    at: Timestamp,
}

impl Looked<'_> {
    fn reasons(&self, agent: &AgentDocument, view: &AgentView) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let for_us = self.at.micros_since(view.since);
        if self.asked.agent.as_ref().is_some_and(|asked| *asked != agent.id) {
            reasons.push(Reason::NotTheOne);
        }
        for (skill, needed) in &self.asked.skills {
            let has = agent.skills.get(skill).copied().unwrap_or_default();
            if has < *needed {
                reasons.push(Reason::Skill { skill: skill.clone(), needed: *needed, has });
            }
        }
        let ring = ring_of(self.queue, &agent.id);
        if let Some(rung) = self.asked.ring.filter(|rung| ring > *rung) {
            reasons.push(Reason::Ring { ring, rung });
        }
        match &view.chosen {
            ChosenState::Offline => reasons.push(Reason::Offline { for_us }),
            ChosenState::Break { reason } => reasons.push(Reason::Break { reason: reason.clone(), for_us }),
            ChosenState::Available => {}
        }
        if let Some(Rest { after, until }) = view.rest {
            reasons
                .push(Reason::Resting { after, another_us: until.map(|until| until.micros_since(self.at)) });
        }
        let talking = view.work.iter().any(|work| work.doing == DoingView::Talking);
        if let Some(told) = &view.presence
            && told.stops
            && !(talking && matches!(told.presence, Presence::Busy | Presence::InCall))
        {
            reasons.push(Reason::NotReachable {
                source: told.source.clone(),
                presence: told.presence,
                age_us: self.at.micros_since(told.observed_at),
            });
        }
        if let Some(work) = view.work.iter().find(|work| work.doing == DoingView::Offered) {
            reasons.push(Reason::Offered { interaction: work.interaction, for_us });
        } else if self.load(view).saturating_add(self.weight(self.channel)) > self.capacity(agent) {
            reasons.push(match view.work.first() {
                Some(work) => {
                    let wrap_up = matches!(work.doing, DoingView::WrapUp { .. });
                    Reason::Occupied { interaction: work.interaction, wrap_up, for_us }
                }
                None => Reason::Capacity { takes: self.weight(self.channel), capacity: self.capacity(agent) },
            });
        }
        reasons
    }

    /// A call that is placed to offer something counts like one that comes.
    fn held(&self, id: InteractionId, interaction: &InteractionView) -> Option<Held> {
        if interaction.channel.is_call() || interaction.in_call {
            return None;
        }
        let others = self.live.interactions.iter().filter(|(other, of)| **other != id && of.in_call);
        let most = self.document.limits.calls;
        (u32::try_from(others.count()).unwrap_or(u32::MAX) >= most).then_some(Held::Calls { most })
    }

    fn capacity(&self, agent: &AgentDocument) -> u32 {
        agent.capacity.unwrap_or(self.document.capacity.total)
    }

    fn weight(&self, channel: Channel) -> u32 {
        channel.weight(&self.document.capacity)
    }

    fn load(&self, view: &AgentView) -> u32 {
        let channel =
            |id: InteractionId| self.live.interactions.get(&id).map_or(Channel::Call, |of| of.channel);
        view.work.iter().fold(0, |sum, work| sum.saturating_add(self.weight(channel(work.interaction))))
    }

    fn rank(&self, place: u32, agent: &AgentDocument, view: &AgentView) -> (Key, Eligible) {
        let record = &view.record;
        let idle_since = match view.state {
            AgentState::Available { idle_since } => idle_since,
            _ => view.since,
        };
        let (key, ranked_by) = match self.queue.strategy {
            Strategy::LongestIdle | Strategy::RingAll => (0, None),
            Strategy::RoundRobin => (record.last_offer, Some(RankedBy::LastOffer(record.last_offer))),
            Strategy::Serial => {
                let listed = (0u32..).zip(&self.queue.order).find(|(_, id)| **id == agent.id);
                let place = listed.map_or(place.saturating_add(u32::MAX / 2), |(place, _)| place);
                (u64::from(place), Some(RankedBy::Order(place.saturating_add(1))))
            }
            Strategy::LeastOccupied => {
                let percent = record.occupancy / 10_000_000;
                (
                    record.occupancy_order(view.since, !view.work.is_empty()),
                    Some(RankedBy::Occupancy(percent)),
                )
            }
            Strategy::FewestConversations => {
                (record.conversations.into(), Some(RankedBy::Conversations(record.conversations)))
            }
            Strategy::MostSkilled => {
                let skill = self.skill(agent);
                (u64::MAX - skill, Some(RankedBy::Skill(skill)))
            }
            Strategy::LeastSkilled => (self.skill(agent), Some(RankedBy::Skill(self.skill(agent)))),
            Strategy::Weighted => {
                let own = record.turns.get(&self.queue.id).copied().unwrap_or_default();
                let turn = own.max(self.live.queues.get(&self.queue.id).map_or(0, |queue| queue.turn));
                (turn, Some(RankedBy::Turn(turn)))
            }
        };
        let eligible = Eligible {
            agent: agent.id.clone(),
            name: agent.name.clone(),
            idle_us: self.at.micros_since(idle_since),
            ranked_by,
            presence: view.presence.as_ref().map(|told| told.seen(self.at, None)),
        };
        ((key, self.load(view), idle_since, place), eligible)
    }

    fn skill(&self, agent: &AgentDocument) -> u64 {
        let counts = |skill: &SkillId| self.asked.skills.is_empty() || self.asked.skills.contains_key(skill);
        agent.skills.iter().filter(|(skill, _)| counts(skill)).map(|(_, level)| u64::from(*level)).sum()
    }

    /// As the center reckons it: as many turns as there are before, each as long as an agent needs for one, shared by
    /// the agents at work.
    fn expected_wait(&self, position: u32) -> Option<Duration> {
        let handling = self.live.queues.get(&self.queue.id)?.pace.handling()?;
        let at_work = |agent: &&AgentDocument| {
            agent.queues.contains(&self.queue.id)
                && self.live.agents.get(&agent.id).is_some_and(|view| {
                    view.chosen == ChosenState::Available
                        && !matches!(view.state, AgentState::NotReachable { .. })
                })
        };
        let share =
            |agent: &AgentDocument| 1000 / u32::try_from(agent.queues.len().max(1)).unwrap_or(u32::MAX);
        let at_work: u32 = self.document.agents.iter().filter(at_work).map(share).sum();
        (at_work > 0).then(|| handling.saturating_mul(position).saturating_mul(1000) / at_work)
    }
}

fn ring_of(queue: &QueueDocument, agent: &AgentId) -> u8 {
    let ring = (1u8..).zip(&queue.rings).find(|(_, ring)| ring.agents.contains(agent));
    ring.map_or(u8::try_from(queue.rings.len()).unwrap_or(u8::MAX).max(1), |(number, _)| number)
}

impl StageView {
    /// The agents who are being rung.
    pub fn ringing(&self) -> Vec<AgentId> {
        match self {
            StageView::Offered { offers, .. } => offers.iter().map(|offer| offer.agent.clone()).collect(),
            StageView::CallingBack { offer, .. } => vec![offer.agent.clone()],
            _ => Vec::new(),
        }
    }

    fn rings(&self, agent: &AgentId) -> bool {
        match self {
            StageView::Offered { offers, .. } => offers.iter().any(|offer| offer.agent == *agent),
            StageView::CallingBack { offer, .. } => offer.agent == *agent,
            _ => false,
        }
    }
}

impl Explanation {
    /// It all in words, as a supervisor would say it; English.
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = vec![self.wait(), self.rules()];
        sentences.extend(self.choice());
        sentences.extend(self.others());
        sentences
    }

    fn wait(&self) -> String {
        let who = match self.channel {
            Channel::Call => "The caller",
            Channel::Callback => "The customer who is to be called back",
            Channel::Voicemail => "The message",
        };
        let mut text = format!("{who} has waited {} in {}", time(self.waited_us), self.queue_name);
        if self.waited_in_all_us > self.waited_us {
            let _ = write!(text, ", {} in all", time(self.waited_in_all_us));
        }
        let important = match (self.vip, self.priority) {
            (true, _) => ", as a very important customer",
            (false, 1 | 2) => ", with a higher priority than usual",
            (false, 4 | 5) => ", with a lower priority than usual",
            (false, _) => "",
        };
        let _ = write!(text, " and is {} of {}{important}.", ordinal(self.position), self.of);
        text
    }

    fn rules(&self) -> String {
        let chooses = match self.strategy {
            Strategy::LongestIdle => "whoever has been without work longest",
            Strategy::RoundRobin => "whoever's last offer is longest ago",
            Strategy::RingAll => "everybody who is free at once",
            Strategy::Serial => "the first who is free in a fixed order",
            Strategy::LeastOccupied => "whoever was occupied least of late",
            Strategy::FewestConversations => "whoever has had the fewest conversations",
            Strategy::MostSkilled => "whoever is best at what is asked for",
            Strategy::LeastSkilled => "whoever is just good enough at what is asked for",
            Strategy::Weighted => "agents in proportion to their shares",
        };
        let mut text = format!("{} rings {chooses}", self.queue_name);
        match asked(&self.asked) {
            asked if asked.is_empty() => text.push_str("; nothing else is asked for."),
            asked => {
                let _ = write!(text, "; asked for: {asked}.");
            }
        }
        if let Some(next) = &self.next {
            let (after, next) = (time(next.after_us), asked(&next.asked));
            let next = if next.is_empty() { "anybody of the queue will do" } else { &*next };
            let _ = write!(text, " After a wait of {after}: {next}.");
        }
        text
    }

    fn choice(&self) -> Option<String> {
        if !self.ringing.is_empty() {
            let names: Vec<&str> = self.ringing.iter().map(AgentId::as_str).collect();
            return Some(format!("Being rung: {}.", names.join(", ")));
        }
        let Some((first, others)) = self.eligible.split_first() else {
            let expected = match self.expected_us {
                Some(expected) => format!(" It will take about {} more.", time(expected)),
                None => String::new(),
            };
            let held = self.held.map(|held| format!(" {}", held.words())).unwrap_or_default();
            return Some(format!("Nobody who fits is free.{expected}{held}"));
        };
        if let Some(held) = self.held {
            return Some(held.words());
        }
        let mut text = format!("{} comes first: {}", first.name, first.merit());
        match others {
            [] => text.push_str(", and the only one who is free and fits."),
            [second] => {
                let _ = write!(text, "; then {}, {}.", second.name, second.merit());
            }
            [second, rest @ ..] => {
                let more = rest.len();
                let _ = write!(text, "; then {}, {}, and {more} more.", second.name, second.merit());
            }
        }
        Some(text)
    }

    fn others(&self) -> Vec<String> {
        if self.excluded.is_empty() {
            return Vec::new();
        }
        let mut sentences = Vec::new();
        let named: Vec<String> = self
            .excluded
            .iter()
            .take(NAMED_MAX)
            .map(|excluded| {
                let reasons: Vec<String> = excluded.reasons.iter().map(Reason::words).collect();
                format!("{}: {}", excluded.name, reasons.join(", "))
            })
            .collect();
        sentences.push(format!("Not rung: {}.", named.join("; ")));
        let more = self.excluded.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            let count = |is: fn(&Reason) -> bool| {
                let first = |excluded: &&Excluded| excluded.reasons.first().is_some_and(is);
                self.excluded.iter().skip(NAMED_MAX).filter(first).count()
            };
            let kinds = [
                ("do not have the skills", count(|reason| matches!(reason, Reason::Skill { .. }))),
                (
                    "are occupied",
                    count(|reason| matches!(reason, Reason::Occupied { .. } | Reason::Offered { .. })),
                ),
                ("are not at work", count(|reason| matches!(reason, Reason::Offline { .. }))),
                ("are on a break", count(|reason| matches!(reason, Reason::Break { .. }))),
                ("are not reachable", count(|reason| matches!(reason, Reason::NotReachable { .. }))),
                ("are left alone for a while", count(|reason| matches!(reason, Reason::Resting { .. }))),
                ("are in a later ring", count(|reason| matches!(reason, Reason::Ring { .. }))),
                ("are not the one asked for", count(|reason| matches!(reason, Reason::NotTheOne))),
            ];
            let told: Vec<String> = kinds
                .iter()
                .filter(|(_, count)| *count > 0)
                .map(|(words, count)| format!("{count} {words}"))
                .collect();
            sentences.push(format!("Of {more} others, {}.", told.join(", ")));
        }
        sentences
    }
}

impl Eligible {
    fn merit(&self) -> String {
        let merit = self.rank();
        match &self.presence {
            Some(PresenceSeen { source, presence, age_us, confidence, .. }) => {
                let doubt = if *confidence == Confidence::Doubtful { ", which is doubtful" } else { "" };
                format!("{merit} ({source} said {} ago: {}{doubt})", time(*age_us), presence.words())
            }
            None => merit,
        }
    }

    fn rank(&self) -> String {
        let idle = format!("without work for {}", time(self.idle_us));
        match &self.ranked_by {
            None => idle,
            Some(RankedBy::LastOffer(0)) => "never offered anything yet".into(),
            Some(RankedBy::LastOffer(_)) => format!("last offer longer ago, {idle}"),
            Some(RankedBy::Order(place)) if *place < u32::MAX / 2 => format!("place {place} in the order"),
            Some(RankedBy::Order(_)) => "after those in the order".into(),
            Some(RankedBy::Occupancy(percent)) => format!("occupied {percent} % of late"),
            Some(RankedBy::Conversations(1)) => "1 conversation".into(),
            Some(RankedBy::Conversations(count)) => format!("{count} conversations"),
            Some(RankedBy::Skill(sum)) => format!("skills of {sum} in sum"),
            Some(RankedBy::Turn(_)) => format!("whose turn it is by the shares, {idle}"),
        }
    }
}

impl Held {
    /// In words; English.
    fn words(self) -> String {
        match self {
            Held::Calls { most } => format!(
                "It waits until a call has ended: there are {most} calls, as many as there may be, and it takes one more to offer it."
            ),
        }
    }
}

impl Reason {
    /// The reason in words that go with a name; English.
    pub fn words(&self) -> String {
        match self {
            Reason::NotTheOne => "not the one asked for".into(),
            Reason::Skill { skill, needed, has: 0 } => format!("no {skill}, {needed} needed"),
            Reason::Skill { skill, needed, has } => format!("{skill} {has}, {needed} needed"),
            Reason::Ring { ring, .. } => format!("in ring {ring}, not rung yet"),
            Reason::Offline { for_us } => format!("not at work for {}", time(*for_us)),
            Reason::Break { reason: Some(reason), for_us } => {
                format!("on a break ({reason}) for {}", time(*for_us))
            }
            Reason::Break { reason: None, for_us } => format!("on a break for {}", time(*for_us)),
            Reason::Resting { after, another_us } => {
                let what = match after {
                    RestCause::Missed => "missed an offer",
                    RestCause::Declined => "declined an offer",
                    RestCause::Busy => "telephone was busy",
                    RestCause::Unreachable => "telephone could not be reached",
                };
                match another_us {
                    Some(another) => format!("{what}, left alone for another {}", time(*another)),
                    None => format!("{what}, left alone until available again"),
                }
            }
            Reason::NotReachable { source, presence, age_us } => {
                let presence = presence.words();
                format!("{source} said {} ago: {presence}", time(*age_us))
            }
            Reason::Offered { for_us, .. } => format!("being rung for somebody else for {}", time(*for_us)),
            Reason::Capacity { takes, capacity } => format!("has a capacity of {capacity}, {takes} needed"),
            Reason::Occupied { wrap_up: true, for_us, .. } => format!("wrapping up for {}", time(*for_us)),
            Reason::Occupied { wrap_up: false, for_us, .. } => {
                format!("in a conversation for {}", time(*for_us))
            }
        }
    }
}

fn asked(asked: &Requirement) -> String {
    let mut all = Vec::new();
    all.extend(asked.agent.as_ref().map(|agent| format!("{agent} and nobody else")));
    all.extend(asked.skills.iter().map(|(skill, level)| format!("{skill} at level {level} or better")));
    all.extend(asked.ring.map(|ring| match ring {
        1 => "the first ring of agents".to_owned(),
        ring => format!("the first {ring} rings of agents"),
    }));
    all.join(", ")
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A duration as people say it: `12 s`, `2 min 05 s`, `1 h 02 min`.
fn time(micros: u64) -> String {
    let seconds = Duration::from_micros(micros).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// So many agents who were not rung are named; the others are counted.
const NAMED_MAX: usize = 12;
