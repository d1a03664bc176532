//! The configuration as people write it. Every key says its unit, its default and its danger.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::{LineName, PromptName};
use crate::flow::document::FlowDocument;
use crate::id::{AgentId, FlowId, QueueId};

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

/// `[[queues]]`: one queue. Callers are served in the order in which they came, by the agent who has been idle longest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueDocument {
    /// Names the queue for good, also in the journal: 1 to 64 letters, digits, `_`, `-`, `.`.
    pub id: QueueId,
    /// How screens and reports name the queue; 1 to 128 bytes.
    pub name: Arc<str>,
    /// The prompt that waiting callers hear, over and over. Default: none, they hear silence and nothing is sent to
    /// them (some carriers end calls without packets after a while).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music: Option<PromptName>,
    /// Prompts played once when a caller enters, before the music. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub announce: Vec<PromptName>,
    /// How long an agent's telephone rings before the caller is offered to the next agent; seconds, 5 to 60, default
    /// 15. It counts from the offer. Keep it below the time after which the telephone's own voicemail answers (20
    /// seconds in Teams unless the user changed it): the caller would be connected to the voicemail.
    #[serde(default = "QueueDocument::default_ring_timeout_s")]
    pub ring_timeout_s: u32,
    /// How long an agent has after a conversation before the next offer; seconds, 0 to 3600, default 30. 0: none.
    #[serde(default = "QueueDocument::default_wrap_up_s")]
    pub wrap_up_s: u32,
    /// How many callers may wait at once; 1 to 100,000, default 1000. A further caller goes to `otherwise` of the
    /// step that would have entered the queue, or is hung up on.
    #[serde(default = "QueueDocument::default_max_waiting")]
    pub max_waiting: u32,
    /// How long a caller may wait; seconds, 10 to 86,400, default 3600. Then the caller goes to `otherwise` of the
    /// step that entered the queue, or is hung up on. An offer that rings at that moment rings on.
    #[serde(default = "QueueDocument::default_max_wait_s")]
    pub max_wait_s: u32,
}

impl QueueDocument {
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
    /// After a declined offer; seconds, 1 to 86,400, default 30.
    pub declined_rest_s: u32,
    /// After an offer that found the telephone busy, switched off or unreachable; seconds, 1 to 86,400, default 30.
    /// Short values ring a broken telephone often, and every try costs the caller a moment.
    pub unreachable_rest_s: u32,
}

impl Default for OffersDocument {
    fn default() -> OffersDocument {
        OffersDocument { missed_rest_s: 60, declined_rest_s: 30, unreachable_rest_s: 30 }
    }
}

/// `[limits]`: how much the center holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsDocument {
    /// How many calls may be in the center at once; 1 to 100,000, default 5000. A further call is refused as
    /// overloaded (SIP 503).
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
