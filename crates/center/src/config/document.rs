//! The configuration as people write it. Every key says its unit, its default and its danger.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agent::Presence;
use crate::call::{LineName, PromptName};
use crate::flow::document::FlowDocument;
use crate::id::{AgentId, CodeId, FlowId, QueueId, SkillId};

/// The whole configuration of one tenant's center, as TOML or JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// `[[agents]]`: who talks to customers. Default: nobody.
    #[serde(default)]
    pub agents: Vec<AgentDocument>,
    /// `[[queues]]`: where callers wait for them. Default: none.
    #[serde(default)]
    pub queues: Vec<QueueDocument>,
    /// `[[numbers]]`: which flow a dialled number leads to. Default: none, every call is refused.
    #[serde(default)]
    pub numbers: Vec<NumberDocument>,
    /// `[flows.<id>]`: what happens to a caller, step by step. Default: none.
    #[serde(default)]
    pub flows: BTreeMap<FlowId, FlowDocument>,
    /// `[offers]`: what becomes of agents who do not take an offer.
    #[serde(default)]
    pub offers: OffersDocument,
    /// `[capacity]`: how much an agent can do at once.
    #[serde(default, skip_serializing_if = "is_default")]
    pub capacity: CapacityDocument,
    /// `[presence]`: what is made of the presence of agents that another system tells.
    #[serde(default, skip_serializing_if = "is_default")]
    pub presence: PresenceDocument,
    /// `[limits]`: how much the center holds.
    #[serde(default)]
    pub limits: LimitsDocument,
}

impl Document {
    /// The flows that stand in files of their own, which the reader of this document has yet to read in.
    pub fn flow_files(&self) -> Vec<(FlowId, Arc<str>)> {
        let file = |(id, flow): (&FlowId, &FlowDocument)| Some((id.clone(), flow.file.clone()?));
        self.flows.iter().filter_map(file).collect()
    }

    /// Puts in what the file of a flow says.
    ///
    /// # Errors
    ///
    /// The text is not TOML, or not that of a flow; the error says where.
    pub fn read_flow(&mut self, id: &FlowId, text: &str) -> Result<(), toml::de::Error> {
        self.flows.insert(id.clone(), toml::from_str(text)?);
        Ok(())
    }
}

/// `[[agents]]`: one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentDocument {
    /// Names the agent for good, also in the journal: 1 to 64 letters, digits, `_`, `-`, `.`. Someone who gets the
    /// id of another inherits that one's history.
    pub id: AgentId,
    /// How screens and reports name the agent; 1 to 128 bytes.
    pub name: Arc<str>,
    /// Where the agent is rung: `{ line = "teams", phone = "+14255550101" }` or `{ line = "lab", sip = "sip:a@host" }`.
    pub ring: RingDocument,
    /// The queues whose callers the agent takes. Default: none, the agent is offered nothing.
    #[serde(default)]
    pub queues: Vec<QueueId>,
    /// The state of an agent of whom the journal knows nothing yet: `available`, `break` or `offline` (default).
    /// Later starts keep the state the agent had. `available` rings people who may not be at their desk.
    #[serde(default)]
    pub starts: Starts,
    /// What the agent is good at, and how good from 1 to 10: `{ french = 7, billing = 3 }`. Default: nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<SkillId, u8>,
    /// Whether the agent has to press 1 after answering. Default: `false`. For telephones outside of Teams, where a
    /// voicemail or somebody else may answer: without the key it does not count as the agent's answer, and the
    /// caller hears nothing of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confirm: bool,
    /// How much the agent can do at once, in the units of `[capacity]`; 1 to 1000. Default: its `total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// `ring`: the telephone of an agent. Exactly one of `phone` and `sip`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingDocument {
    /// The line (trunk) over which the telephone is reached, by its name in this file.
    pub line: LineName,
    /// A telephone number: `+` and 4 to 15 digits, or a short code of 2 to 15 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Arc<str>>,
    /// A SIP address: `sip:user@host` with an optional port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip: Option<Arc<str>>,
}

/// The state in which a new agent begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// Takes calls at once.
    Available,
    /// Signed in, takes no calls.
    Break,
    /// Not at work.
    #[default]
    Offline,
}

/// `[[queues]]`: one queue. Who waits longest is served first, if priorities do not say otherwise, by the agent whom
/// the strategy chooses among those who are free and fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueDocument {
    /// Names the queue for good, also in the journal: 1 to 64 letters, digits, `_`, `-`, `.`.
    pub id: QueueId,
    /// How screens and reports name the queue; 1 to 128 bytes.
    pub name: Arc<str>,
    /// Which of the free agents is rung: `longest_idle` (default), `round_robin`, `ring_all`, `serial`,
    /// `least_occupied`, `fewest_conversations`, `most_skilled`, `least_skilled`, `weighted`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: Strategy,
    /// With `strategy = "serial"`: the order in which agents are tried. Agents of the queue who are not named come
    /// after those, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<AgentId>,
    /// With `strategy = "weighted"`: how many callers an agent gets in proportion to the others; 1 to 100, default 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shares: BTreeMap<AgentId, u32>,
    /// Rings of agents that widen with the wait: `[{ agents = ["adele"] }, { after_s = 20, agents = ["bianca"] }]`.
    /// Agents of the queue who stand in no ring are in the last. Default: one ring, all agents at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rings: Vec<AgentRingDocument>,
    /// The skills that an agent must have for callers of this queue, with the least level. Default: none. A step that
    /// queues may ask for others instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<SkillId, u8>,
    /// What is asked for instead after a while: `[{ after_s = 30, skills = { french = 3 } }, { after_s = 60 }]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relax: Vec<RelaxDocument>,
    /// The priority of callers, 1 (first) to 5 (last); default 3. A step that queues may give another.
    #[serde(default = "QueueDocument::default_priority", skip_serializing_if = "is_normal")]
    pub priority: u8,
    /// How many seconds of waiting one step of priority is worth; 0 to 3600, default 60. A caller of priority 2 stands
    /// where one of priority 3 stands who came this much earlier: nobody waits for ever. 0: priorities count nothing.
    #[serde(default = "QueueDocument::default_priority_worth_s")]
    pub priority_worth_s: u32,
    /// How the queue's callers stand to those of other queues when an agent of both is free: their wait counts times
    /// this in percent; 1 to 10,000, default 100.
    #[serde(default = "QueueDocument::default_weight", skip_serializing_if = "is_hundred")]
    pub weight: u32,
    /// For how long callers wait for the agent whom they talked to last before anybody else may take them; seconds, 0
    /// to 3600, default 0: not at all. An agent who is not signed in, signs off meanwhile or does not serve the queue is
    /// not waited for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub last_agent_s: u32,
    /// The prompt that waiting callers hear, over and over. Default: none, they hear silence and nothing is sent to
    /// them (some carriers end calls without packets after a while).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music: Option<PromptName>,
    /// Prompts played once when a caller enters, before the music. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announce: Vec<PromptName>,
    /// What waiting callers are told now and then. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell: Option<TellDocument>,
    /// How long an agent's telephone rings before the caller is offered to the next agent; seconds, 5 to 60, default
    /// 15. It counts from the offer. Keep it below the time after which the telephone's own voicemail answers (20
    /// seconds in Teams unless the user changed it): the caller would be connected to the voicemail.
    #[serde(default = "QueueDocument::default_ring_timeout_s")]
    pub ring_timeout_s: u32,
    /// How long an agent has after a conversation before the next offer; seconds, 0 to 3600, default 30. 0: none.
    #[serde(default = "QueueDocument::default_wrap_up_s")]
    pub wrap_up_s: u32,
    /// What else there is to say about the wrap-up.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wrap_up: WrapUpDocument,
    /// How many callers may wait at once; 0 to 100,000, default 1000. What becomes of a further one says `when_full`.
    #[serde(default = "QueueDocument::default_max_waiting")]
    pub max_waiting: u32,
    /// What becomes of a caller who finds the queue full. Default: the flow goes on at `otherwise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_full: Option<ActionDocument>,
    /// How long a caller may wait in this queue; seconds, 10 to 86,400, default 3600. What then becomes of the caller
    /// says `when_waited`. An offer that rings at that moment is taken back.
    #[serde(default = "QueueDocument::default_max_wait_s")]
    pub max_wait_s: u32,
    /// What becomes of a caller who has waited `max_wait_s`. Default: the flow goes on at `otherwise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_waited: Option<ActionDocument>,
    /// What becomes of callers while no agent of the queue is signed in, new ones and those who wait. Default: they
    /// wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_no_agents: Option<ActionDocument>,
    /// Whether the queue begins closed. Default: `false`. Supervisors open and close it; what they did last holds over
    /// restarts. Who waits already goes on waiting.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closed: bool,
    /// What becomes of a caller who finds the queue closed. Default: the flow goes on at `otherwise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_closed: Option<ActionDocument>,
    /// The ladder of overflow: what becomes of callers who still wait after a time, in the order of the times, each
    /// with a condition if wanted: `[{ after_s = 60, if_waiting = 5, then = { queue = "sales" } }]`. A rung is
    /// looked at when its time comes, also while an offer rings, and then every 5 seconds until its condition holds. One
    /// that leads to a queue which lets nobody in (closed, full, no agents) does not hold: the caller keeps the place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overflow: Vec<RungDocument>,
    /// How messages are taken for this queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voicemail: Option<VoicemailDocument>,
    /// How callers of this queue are called back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackDocument>,
}

impl QueueDocument {
    /// The priority of callers about whom nothing else is said.
    pub const NORMAL_PRIORITY: u8 = 3;

    fn default_priority() -> u8 {
        QueueDocument::NORMAL_PRIORITY
    }
    fn default_priority_worth_s() -> u32 {
        60
    }
    fn default_weight() -> u32 {
        100
    }
    fn default_ring_timeout_s() -> u32 {
        15
    }
    fn default_wrap_up_s() -> u32 {
        30
    }
    fn default_max_waiting() -> u32 {
        1000
    }
    fn default_max_wait_s() -> u32 {
        3600
    }
}

/// How a queue chooses among the agents who are free and fit. Among equals the one who has been idle longest is rung.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Who has been idle longest.
    #[default]
    LongestIdle,
    /// Whose last offer is longest ago.
    RoundRobin,
    /// All at once; who answers first has the caller.
    RingAll,
    /// The first in the given order.
    Serial,
    /// Who spent the smallest part of the last hour or so in conversations and wrap-ups.
    LeastOccupied,
    /// Who has had the fewest conversations since signing in.
    FewestConversations,
    /// Who is best at what is asked for.
    MostSkilled,
    /// Who is just good enough at what is asked for, so that the best stay free.
    LeastSkilled,
    /// In proportion to the agents' shares.
    Weighted,
}

/// `rings`: agents who may be rung from a time on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRingDocument {
    /// After how many seconds of waiting in this queue; 0 to 86,400, default 0. The first ring begins at 0.
    #[serde(default)]
    pub after_s: u32,
    /// Who comes in now, with those of the rings before.
    pub agents: Vec<AgentId>,
}

/// `relax`: what is asked for from a time on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaxDocument {
    /// After how many seconds of waiting in this queue; 1 to 86,400.
    pub after_s: u32,
    /// The skills asked for from now on. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<SkillId, u8>,
}

/// `tell`: what waiting callers are told now and then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TellDocument {
    /// How often; seconds, 10 to 3600, default 60.
    #[serde(default = "TellDocument::default_every_s")]
    pub every_s: u32,
    /// Prompts played each time. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<PromptName>,
    /// Played before the caller's place in the queue. Default: nothing, and the place is not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub place: Vec<PromptName>,
    /// Played before the minutes of the expected wait. Default: nothing, and the wait is not told. It is told only if it
    /// is known, and never longer than it was told to the same caller before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wait: Vec<PromptName>,
    /// The beginning of the names of the prompts for numbers: with `number.` a place of 3 plays the prompt `number.3`.
    /// Needed with `place` or `wait`; numbers without a prompt are not told. Default: `number.`.
    #[serde(default = "TellDocument::default_numbers")]
    pub numbers: Arc<str>,
}

impl TellDocument {
    fn default_every_s() -> u32 {
        60
    }
    fn default_numbers() -> Arc<str> {
        "number.".into()
    }
}

/// `wrap_up`: more about the time after a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WrapUpDocument {
    /// `true`: it lasts until the agent ends it, or 12 hours. `wrap_up_s` then counts nothing. Default: `false`.
    pub unlimited: bool,
    /// By how much the agent may make it longer, each time; seconds, 0 to 3600, default 0: not at all.
    pub extend_s: u32,
    /// How often the agent may make it longer; 0 to 20, default 0.
    pub extensions: u32,
    /// What a conversation can have been about. Default: nothing to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<CodeDocument>,
    /// Whether the agent must choose one before ending the wrap-up. Default: `false`. A wrap-up that runs out of time
    /// ends without.
    pub code_required: bool,
}

/// `codes`: what a conversation can have been about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeDocument {
    /// Names it for good, also in the journal.
    pub id: CodeId,
    /// How screens and reports name it; 1 to 128 bytes.
    pub name: Arc<str>,
}

/// What becomes of a caller. Exactly one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionDocument {
    /// Waits in this queue instead, with the whole wait so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    /// `true`: leaves a message, which then waits in this queue for an agent. The queue needs `voicemail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voicemail: Option<bool>,
    /// `true`: may ask to be called back, and keeps the place. Who does not want that goes on waiting, or, where that
    /// cannot be, goes on at `otherwise`. The queue needs `callback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<bool>,
    /// Is handed over to this agent's telephone, whatever the agent does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<AgentId>,
    /// Is handed over to this telephone: `{ line = "carrier", phone = "+14255550177" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<RingDocument>,
    /// Hears these prompts, then the call ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Vec<PromptName>>,
    /// `true`: the call ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<bool>,
    /// `true`: the flow goes on at `otherwise` of the step that queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<bool>,
}

/// `overflow`: one rung of the ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RungDocument {
    /// After how many seconds of waiting in this queue; 0 to 86,400. 0: on entering, before anybody is rung.
    pub after_s: u32,
    /// Only if at least so many wait in the queue, the caller included; 1 to 100,000. Default: whatever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_waiting: Option<u32>,
    /// Only if the expected wait is known and at least so many seconds; 1 to 86,400. Default: whatever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_expected_s: Option<u32>,
    /// What then becomes of the caller.
    pub then: ActionDocument,
}

/// `voicemail`: how messages are taken. A message waits in its queue like a caller, with its whole wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoicemailDocument {
    /// What the caller hears before, the tone included.
    pub greeting: Vec<PromptName>,
    /// How long a message may be; seconds, 5 to 600, default 120.
    #[serde(default = "VoicemailDocument::default_max_s")]
    pub max_s: u32,
    /// After how many seconds of silence it ends; 0 to 60, default 8. 0: not by silence.
    #[serde(default = "VoicemailDocument::default_silence_s")]
    pub silence_s: u32,
    /// The queue in which the message waits. Default: the one that took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    /// What agents hear before the messages that wait in this queue, wherever they were taken. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intro: Vec<PromptName>,
}

impl VoicemailDocument {
    fn default_max_s() -> u32 {
        120
    }
    fn default_silence_s() -> u32 {
        8
    }
}

/// `callback`: how callers are called back. An agent is rung first, then the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackDocument {
    /// What the caller hears: "press 1 and we call you back at this number, you keep your place".
    pub offer: Vec<PromptName>,
    /// The key by which the caller agrees: `0` to `9`, `*`, `#`; default `1`.
    #[serde(default = "CallbackDocument::default_key")]
    pub key: Arc<str>,
    /// What the caller hears after having agreed. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirm: Vec<PromptName>,
    /// The line over which customers are called. Default: the one over which they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineName>,
    /// The number that customers see. Default: the one that they had dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Arc<str>>,
    /// How often a customer who does not answer is tried; 1 to 10, default 3.
    #[serde(default = "CallbackDocument::default_attempts")]
    pub attempts: u32,
    /// How long after a try that found nobody the next one waits; seconds, 10 to 86,400, default 300.
    #[serde(default = "CallbackDocument::default_retry_s")]
    pub retry_s: u32,
    /// How long the customer's telephone rings; seconds, 10 to 120, default 40.
    #[serde(default = "CallbackDocument::default_ring_s")]
    pub ring_s: u32,
    /// What the agent hears before the customer is called. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intro: Vec<PromptName>,
}

impl CallbackDocument {
    fn default_key() -> Arc<str> {
        "1".into()
    }
    fn default_attempts() -> u32 {
        3
    }
    fn default_retry_s() -> u32 {
        300
    }
    fn default_ring_s() -> u32 {
        40
    }
}

/// `[capacity]`: how much an agent can do at once, and how much each kind of work takes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CapacityDocument {
    /// What an agent has; 1 to 1000, default 100.
    pub total: u32,
    /// What a call takes; 1 to 1000, default 100: one call at a time.
    pub call: u32,
    /// What calling a customer back takes; 1 to 1000, default 100.
    pub callback: u32,
    /// What a message takes; 1 to 1000, default 100.
    pub voicemail: u32,
}

impl Default for CapacityDocument {
    fn default() -> CapacityDocument {
        CapacityDocument { total: 100, call: 100, callback: 100, voicemail: 100 }
    }
}

/// `[presence]`: what is made of the presence of agents that another system tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PresenceDocument {
    /// With which of them an agent is offered nothing: of `available`, `busy`, `in_call`, `in_meeting`,
    /// `presenting`, `do_not_disturb`, `be_right_back`, `away`, `offline`, `out_of_office` and `unknown` (which is also
    /// everything that Tandem does not know). Default: all but `available` and `away`. What another system says about a
    /// call of ours (`in_call` during our own conversation) changes nothing.
    pub stops: Vec<Presence>,
    /// The same for a value that the agent chose there. Default: all but `available`.
    pub stops_manual: Vec<Presence>,
    /// For how long a value is believed that was not told again; seconds, 10 to 86,400, default 900. Afterwards nothing
    /// is known, and nothing is stopped.
    pub believed_s: u32,
}

impl Default for PresenceDocument {
    fn default() -> PresenceDocument {
        use Presence::{
            Away, BeRightBack, Busy, DoNotDisturb, InCall, InMeeting, Offline, OutOfOffice, Presenting,
            Unknown,
        };
        let stops = vec![
            Busy,
            InCall,
            InMeeting,
            Presenting,
            DoNotDisturb,
            BeRightBack,
            Offline,
            OutOfOffice,
            Unknown,
        ];
        let mut stops_manual = stops.clone();
        stops_manual.push(Away);
        PresenceDocument { stops, stops_manual, believed_s: 900 }
    }
}

/// `[[numbers]]`: what a dialled number leads to. An exact number wins over `*`, and then a number with a line over
/// one without. A call to a number that no entry names is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberDocument {
    /// The number as it arrives (`+14255550199`, a short code), a SIP address (`sip:help@example.org`), or `*` for
    /// every number. `*` without a line answers whatever reaches this machine.
    pub dialled: Arc<str>,
    /// Only calls over this line. Default: any line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineName>,
    /// The flow that the caller enters.
    pub flow: FlowId,
}

/// `[offers]`: how long an agent who did not take an offer is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OffersDocument {
    /// After a missed offer (the telephone rang, nobody answered); seconds, 0 to 86,400, default 60. 0: until the
    /// agent says "available" again, which is safest where nobody watches, and empties a center whose agents do not
    /// look at a screen. An agent who says "available" ends the rest at once.
    pub missed_rest_s: u32,
    /// How many offers in a row an agent must miss to be left alone; 1 to 20, default 1. Before that the next caller
    /// is offered at once, to others first.
    pub misses: u32,
    /// With `confirm`: what the agent hears after answering, "press 1 to take the call". Default: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confirm: Vec<PromptName>,
    /// After a declined offer; seconds, 1 to 86,400, default 30.
    pub declined_rest_s: u32,
    /// After an offer that found the telephone busy, switched off or unreachable; seconds, 1 to 86,400, default 30.
    /// Short values ring a broken telephone often, and every try costs the caller a moment.
    pub unreachable_rest_s: u32,
}

impl Default for OffersDocument {
    fn default() -> OffersDocument {
        OffersDocument {
            missed_rest_s: 60,
            misses: 1,
            confirm: Vec::new(),
            declined_rest_s: 30,
            unreachable_rest_s: 30,
        }
    }
}

/// `[limits]`: how much the center holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsDocument {
    /// How many calls may be in the center at once, those that it places for callbacks and messages too; 1 to 250,000,
    /// default 5000. A further caller is refused as overloaded (SIP 503); a callback or a message waits until a call has
    /// ended.
    pub calls: u32,
    /// How long one call may last; seconds, 60 to 604,800, default 43,200 (12 hours). Then it is ended: the guard
    /// against telephones that were never put down.
    pub call_s: u32,
}

impl Default for LimitsDocument {
    fn default() -> LimitsDocument {
        LimitsDocument { calls: 5000, call_s: 43_200 }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_normal(priority: &u8) -> bool {
    *priority == QueueDocument::NORMAL_PRIORITY
}

fn is_hundred(percent: &u32) -> bool {
    *percent == 100
}
