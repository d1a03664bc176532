//! Agents: the people who talk to customers, what they chose and what they are doing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::class::{ClassIndex, Rank};
use crate::config::AgentProfile;
use crate::id::{AgentId, AgentIndex, CodeId, InteractionId, QueueIndex};
use crate::personal::Personal;
use crate::record::AgentRecord;
use crate::timer::Timestamp;

/// What an agent, or somebody for the agent, chooses to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ChosenState {
    /// Takes calls.
    Available,
    /// At work, takes no calls.
    Break {
        /// Why, in the agent's words; at most [`ChosenState::REASON_BYTES_MAX`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// Not at work.
    Offline,
}

impl ChosenState {
    /// A longer reason is refused.
    pub const REASON_BYTES_MAX: usize = 128;
}

/// Who set an agent's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The agent.
    Agent,
    /// The agent, by calling a number for that.
    Telephone,
    /// Somebody else: a supervisor, a program.
    Supervisor,
    /// The configuration, for an agent it names for the first time.
    Configuration,
}

/// What another system says about an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Free.
    Available,
    /// At work on something else.
    Busy,
    /// In a call, perhaps one of ours.
    InCall,
    /// In a meeting.
    InMeeting,
    /// Shows something to others.
    Presenting,
    /// Wants no calls.
    DoNotDisturb,
    /// Gone for a moment.
    BeRightBack,
    /// Not at the desk.
    Away,
    /// Not signed in there.
    Offline,
    /// Away for longer, and says so.
    OutOfOffice,
    /// The other system does not know, or says something that we do not.
    Unknown,
}

impl Presence {
    /// The presence in words; English.
    pub const fn words(self) -> &'static str {
        match self {
            Presence::Available => "available",
            Presence::Busy => "busy",
            Presence::InCall => "in a call",
            Presence::InMeeting => "in a meeting",
            Presence::Presenting => "presenting",
            Presence::DoNotDisturb => "do not disturb",
            Presence::BeRightBack => "be right back",
            Presence::Away => "away",
            Presence::Offline => "offline",
            Presence::OutOfOffice => "out of office",
            Presence::Unknown => "unknown",
        }
    }
}

/// How far a presence that was told can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The other system has contradicted itself, or its word came late.
    Doubtful,
    /// It was told once.
    #[default]
    Told,
    /// It was told in two ways, which agree.
    Confirmed,
}

impl Confidence {
    fn is_told(&self) -> bool {
        *self == Confidence::Told
    }
}

/// Another system tells the presence of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceReport {
    /// The agent.
    pub agent: AgentId,
    /// Which system.
    pub source: Arc<str>,
    /// What it says.
    pub presence: Presence,
    /// Whether the agent chose that there, rather than the system having found it out.
    pub manual: bool,
    /// How old the value was when it came.
    pub age: Duration,
    /// How far it can be relied on.
    #[serde(default)]
    pub confidence: Confidence,
}

/// What is made of presence.
#[derive(Clone, Debug)]
pub(crate) struct PresenceRules {
    /// With which values an agent is offered nothing.
    pub(crate) stops: BTreeSet<Presence>,
    /// The same for values that the agent chose.
    pub(crate) stops_manual: BTreeSet<Presence>,
    /// For how long a value is believed.
    pub(crate) believed: Duration,
}

/// What is known of an agent's presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceView {
    /// Which system said it.
    pub source: Arc<str>,
    /// What it says.
    pub presence: Presence,
    /// Whether the agent chose that there.
    pub manual: bool,
    /// Whether an agent of whom this is said is offered nothing.
    pub stops: bool,
    /// When it was so.
    pub observed_at: Timestamp,
    /// Until when it is believed.
    pub until: Timestamp,
    /// How far it can be relied on.
    #[serde(default, skip_serializing_if = "Confidence::is_told")]
    pub confidence: Confidence,
}

/// The presence of an agent as it was when something was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceSeen {
    /// Which system said it.
    pub source: Arc<str>,
    /// What it said.
    pub presence: Presence,
    /// Whether the agent chose that there.
    pub manual: bool,
    /// How old that was.
    pub age_us: u64,
    /// How far it could be relied on.
    #[serde(default, skip_serializing_if = "Confidence::is_told")]
    pub confidence: Confidence,
}

/// What an agent is to everybody who looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AgentState {
    /// Not at work.
    Offline,
    /// At work, takes no calls.
    Break {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Arc<str>>,
    },
    /// Free for the next caller.
    Available {
        /// Since when without work; the longest idle agent is offered the next caller. An offer that ended because
        /// the caller left does not begin it anew.
        idle_since: Timestamp,
    },
    /// The telephone is being rung.
    Offered {
        /// For this interaction.
        interaction: InteractionId,
    },
    /// Talks to a caller.
    InConversation {
        /// In this interaction.
        interaction: InteractionId,
    },
    /// Finishes the work after a conversation.
    WrapUp {
        /// Of this interaction.
        interaction: InteractionId,
        /// Until then at most.
        until: Timestamp,
    },
    /// Chose to be available and did not take an offer: left alone for a while.
    Resting {
        /// What became of the offer.
        after: RestCause,
        /// Until then; `None`: until the agent says "available" again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Chose to be available, but another system says that calls would not reach the agent.
    NotReachable {
        /// What it says.
        told: Presence,
        /// Until when that is believed if it is not said again.
        until: Timestamp,
    },
    /// No longer in the configuration, and gone.
    Gone,
}

/// Why an agent is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestCause {
    /// The telephone rang and nobody answered.
    Missed,
    /// The agent refused.
    Declined,
    /// The telephone was busy.
    Busy,
    /// The telephone could not be reached.
    Unreachable,
}

/// Something that is wanted of an agent, or done for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCommand {
    /// The agent.
    pub agent: AgentId,
    /// What.
    pub act: AgentAct,
    /// Who wants it.
    pub by: Who,
    /// Why, in the words of whoever wants it; at most [`ChosenState::REASON_BYTES_MAX`].
    pub why: Option<Arc<str>>,
}

/// What can be wanted of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum AgentAct {
    /// To be in this state: now, or after the conversation or wrap-up that goes on. "Available" also ends a
    /// wrap-up and the rest after an offer not taken; anything else takes back an offer that rings.
    Choose(ChosenState),
    /// To end the wrap-up and be what was chosen.
    EndWrapUp {
        /// What the conversation was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<CodeId>,
        /// What there is to say about it; at most [`AgentAct::NOTE_BYTES_MAX`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Arc<str>>>,
    },
    /// To have more time for the wrap-up, as much as the queue gives.
    ExtendWrapUp,
}

impl AgentAct {
    /// A longer note is refused.
    pub const NOTE_BYTES_MAX: usize = 4096;

    /// Ends the wrap-up with nothing to say.
    pub const END_WRAP_UP: AgentAct = AgentAct::EndWrapUp { code: None, note: None };
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) profile: Arc<AgentProfile>,
    pub(crate) queues: Vec<QueueIndex>,
    pub(crate) chosen: ChosenState,
    /// Since when without work, as far as the order of agents is concerned.
    pub(crate) idle_since: Timestamp,
    /// Left alone after an offer not taken.
    pub(crate) rest: Option<Rest>,
    pub(crate) presence: Option<PresenceView>,
    /// When the same was told again last. It is no fact each time, and decides nothing: only how old a presence is said
    /// to be.
    pub(crate) presence_confirmed_at: Option<Timestamp>,
    /// What the agent is doing, oldest first.
    pub(crate) work: Vec<Work>,
    /// Since when the state is what it is.
    pub(crate) since: Timestamp,
    pub(crate) record: AgentRecord,
    /// No longer in the configuration: goes when free.
    pub(crate) leaving: bool,
    /// Where the agent stands among those who are ready, to be taken out there.
    pub(crate) ready_in: Vec<(QueueIndex, ClassIndex, Rank)>,
    /// The deadline as the table of timers has it.
    pub(crate) timer: Option<Timestamp>,
}

/// An agent is left alone after an offer not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// What became of the offer.
    pub after: RestCause,
    /// Until then; `None`: until the agent says "available" again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// One thing that an agent is doing.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) interaction: InteractionId,
    pub(crate) channel: Channel,
    pub(crate) doing: Doing,
}

/// How far it is.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    Offered,
    Talking,
    WrapUp(WrapUp),
}

/// A wrap-up.
#[derive(Clone, Debug)]
pub(crate) struct WrapUp {
    pub(crate) rules: Arc<crate::config::QueueRules>,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) extensions: u32,
}

impl Work {
    pub(crate) fn is_offered(&self) -> bool {
        matches!(self.doing, Doing::Offered)
    }

    pub(crate) fn is_talking(&self) -> bool {
        matches!(self.doing, Doing::Talking)
    }
}

impl Agent {
    /// What everybody sees: of several things the one that asks most of the agent.
    pub(crate) fn state(&self) -> AgentState {
        let first = |is: fn(&Doing) -> bool| self.work.iter().find(|work| is(&work.doing));
        if let Some(work) = first(|doing| matches!(doing, Doing::Talking)) {
            return AgentState::InConversation { interaction: work.interaction };
        }
        if let Some(work) = first(|doing| matches!(doing, Doing::Offered)) {
            return AgentState::Offered { interaction: work.interaction };
        }
        if let Some(Work { interaction, doing: Doing::WrapUp(wrap_up), .. }) = self.work.first() {
            return AgentState::WrapUp { interaction: *interaction, until: wrap_up.until };
        }
        if self.leaving {
            return AgentState::Gone;
        }
        if let Some(Rest { after, until }) = self.rest {
            return AgentState::Resting { after, until };
        }
        self.chosen.when_idle(self.idle_since, self.presence.as_ref())
    }

    /// Whether the agent could be offered something that takes so much of an agent.
    pub(crate) fn can_take(&self, weight: u32, weight_of: impl Fn(Channel) -> u32) -> bool {
        self.is_open() && self.load(weight_of).saturating_add(weight) <= self.profile.capacity
    }

    /// Whether the agent takes offers at all now.
    pub(crate) fn is_open(&self) -> bool {
        let talking = || self.work.iter().any(|work| work.is_talking());
        self.chosen == ChosenState::Available
            && !self.leaving
            && self.rest.is_none()
            // One telephone rings for one caller at a time.
            && !self.work.iter().any(|work| work.is_offered())
            && !self.presence.as_ref().is_some_and(|told| told.stops_now(talking()))
    }

    /// How much of the agent is taken.
    pub(crate) fn load(&self, weight_of: impl Fn(Channel) -> u32) -> u32 {
        self.work.iter().fold(0, |sum, work| sum.saturating_add(weight_of(work.channel)))
    }

    /// Signed in: at work, or on a break.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.chosen != ChosenState::Offline && !self.leaving
    }

    /// What the agent does in this interaction.
    pub(crate) fn work_mut(&mut self, interaction: InteractionId) -> Option<&mut Work> {
        self.work.iter_mut().find(|work| work.interaction == interaction)
    }

    /// When something about the agent expires by itself.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let rest = self.rest.and_then(|rest| rest.until);
        let presence = self.presence.as_ref().map(|told| told.until);
        let wrap_up = |work: &Work| match &work.doing {
            Doing::WrapUp(wrap_up) => Some(wrap_up.until),
            Doing::Offered | Doing::Talking => None,
        };
        self.work.iter().filter_map(wrap_up).chain(rest).chain(presence).min()
    }
}

impl AgentState {
    /// How the agent is left alone, as far as the state says.
    pub(crate) fn rest(&self) -> Option<Rest> {
        match self {
            AgentState::Resting { after, until } => Some(Rest { after: *after, until: *until }),
            _ => None,
        }
    }
}

impl PresenceView {
    /// What is seen of it at a moment; `confirmed_at` is when the same was told again.
    pub(crate) fn seen(&self, now: Timestamp, confirmed_at: Option<Timestamp>) -> PresenceSeen {
        let observed_at = confirmed_at.map_or(self.observed_at, |at| at.max(self.observed_at));
        PresenceSeen {
            source: self.source.clone(),
            presence: self.presence,
            manual: self.manual,
            age_us: now.micros_since(observed_at),
            confidence: self.confidence,
        }
    }

    /// Whether another report says the same of the agent.
    fn is_same(&self, other: &PresenceView) -> bool {
        self.source == other.source
            && self.presence == other.presence
            && self.manual == other.manual
            && self.stops == other.stops
            && self.confidence == other.confidence
    }

    /// Whether a report that says the same need not be told again: so much is written only now and then.
    pub(crate) fn covers(&self, other: &PresenceView, believed: Duration) -> bool {
        self.is_same(other) && other.observed_at < self.observed_at + believed / CONFIRMATIONS
    }

    /// Whether it keeps offers from the agent. What another system says about a call of ours keeps nothing.
    fn stops_now(&self, talking: bool) -> bool {
        self.stops && !(talking && matches!(self.presence, Presence::Busy | Presence::InCall))
    }
}

impl ChosenState {
    /// The state of somebody who chose this and has nothing to do.
    pub(crate) fn when_idle(&self, idle_since: Timestamp, presence: Option<&PresenceView>) -> AgentState {
        match self {
            ChosenState::Available => match presence {
                Some(told) if told.stops => {
                    AgentState::NotReachable { told: told.presence, until: told.until }
                }
                _ => AgentState::Available { idle_since },
            },
            ChosenState::Break { reason } => AgentState::Break { reason: reason.clone() },
            ChosenState::Offline => AgentState::Offline,
        }
    }
}

/// How often a presence that stays the same is written while it is believed: its age is known that well after a restart.
const CONFIRMATIONS: u32 = 3;

/// All agents. A place is used again only after its agent is gone, and agents go only when nothing refers to them.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    places: Vec<Option<Agent>>,
    by_id: BTreeMap<AgentId, AgentIndex>,
    vacant: Vec<AgentIndex>,
}

impl Agents {
    pub(crate) fn get(&self, index: AgentIndex) -> Option<&Agent> {
        self.places.get(index.0)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: AgentIndex) -> Option<&mut Agent> {
        self.places.get_mut(index.0)?.as_mut()
    }

    pub(crate) fn index(&self, id: &AgentId) -> Option<AgentIndex> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn insert(&mut self, agent: Agent) -> AgentIndex {
        let id = agent.profile.id.clone();
        let index = match self.vacant.pop() {
            Some(index) => {
                if let Some(place) = self.places.get_mut(index.0) {
                    *place = Some(agent);
                }
                index
            }
            None => {
                self.places.push(Some(agent));
                AgentIndex(self.places.len() - 1)
            }
        };
        self.by_id.insert(id, index);
        index
    }

    pub(crate) fn remove(&mut self, index: AgentIndex) {
        if let Some(agent) = self.places.get_mut(index.0).and_then(Option::take) {
            self.by_id.remove(&agent.profile.id);
            self.vacant.push(index);
        }
    }

    /// All agents by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AgentIndex, &Agent)> {
        self.by_id.values().filter_map(|index| self.get(*index).map(|agent| (*index, agent)))
    }
}
