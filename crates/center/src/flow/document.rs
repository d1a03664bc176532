//! A flow as people write it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::PromptName;
use crate::condition::ConditionDocument;
use crate::config::document::RelaxDocument;
use crate::id::{AgentId, QueueId, SkillId, StepId};

/// `[flows.<id>]`: what happens to a caller, step by step. Either `file`, or `start` and `steps`.
///
/// ```toml
/// start = "welcome"
/// [steps.welcome]
/// play = ["welcome"]
/// then = "menu"
/// [steps.menu]
/// menu = { prompts = ["menu"], digits = { "1" = "support" }, otherwise = "support" }
/// [steps.support]
/// enqueue = "support"
/// otherwise = "bye"
/// [steps.bye]
/// hang_up = true
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowDocument {
    /// A file that holds `start` and `steps`, beside the configuration file. Default: they stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<str>>,
    /// The step with which the flow begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StepId>,
    /// The steps. The call is answered before the first step that needs the caller to hear or press something, or
    /// that queues; a flow that only hangs up never answers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<StepId, StepDocument>,
}

/// `[flows.<id>.steps.<id>]`: one step. Exactly one of `play`, `menu`, `set`, `enqueue`, `agent_state` and `hang_up`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDocument {
    /// Play these prompts in order, then go to `then`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub play: Option<Vec<PromptName>>,
    /// Keep what is known of the caller, for conditions and for agents to see: `set = { language = "fr" }`. Then go to
    /// `then`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<Arc<str>, Arc<str>>,
    /// With `play`, `set` and `agent_state`: the next step. Default: hang up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<StepId>,
    /// Let the caller choose with a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub menu: Option<MenuDocument>,
    /// Let the caller wait in this queue for an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enqueue: Option<QueueId>,
    /// With `enqueue`: what the caller asks for. Default: what the queue says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<AsksDocument>,
    /// With `enqueue`: what callers ask for of whom a condition holds: `[{ when = { field = "from", starts_with =
    /// "+33" }, asks = { skills = { french = 5 } } }]`. All that hold count, later ones before earlier ones and
    /// before `asks`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<CaseDocument>,
    /// Let an agent who calls sign in and out: `available`, `break`, `offline` or `toggle` (available, or offline if
    /// available). It is the agent whose telephone is calling, over the line over which it is rung; then the flow goes on
    /// at `then`, for anybody else at `otherwise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_state: Option<AgentStateStep>,
    /// With `enqueue`: the next step if the queue is full, gone, or the caller waited too long, unless the queue says
    /// otherwise. With `agent_state`: the next step for somebody who is no agent. Default: hang up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<StepId>,
    /// `true`: end the call; a call that was not answered is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<bool>,
}

/// What a caller asks for in a queue. What is not said is as the queue says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsksDocument {
    /// The skills that an agent must have, with the least level, 1 to 10. With `relax` they are asked for in place of
    /// those of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skills: Option<BTreeMap<SkillId, u8>>,
    /// What is asked for instead after a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relax: Vec<RelaxDocument>,
    /// The priority, 1 (first) to 5 (last).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// `true`: before everybody who is not, whatever the wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vip: Option<bool>,
    /// Only this agent may take the caller, until the caller leaves the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// For how long the caller waits for the agent talked to last; seconds, 0 to 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_agent_s: Option<u32>,
}

/// `cases`: what callers ask for of whom a condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseDocument {
    /// The condition.
    pub when: ConditionDocument,
    /// What they ask for.
    pub asks: AsksDocument,
}

/// What an agent who calls becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStateStep {
    /// Available.
    Available,
    /// On a break.
    Break,
    /// Offline.
    Offline,
    /// Available, or offline if available.
    Toggle,
}

/// `menu`: the caller chooses with one key. A key may be pressed while the prompts still play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MenuDocument {
    /// What the caller hears, in order. Default: nothing, the caller must know the keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<PromptName>,
    /// Which key (`0` to `9`, `*`, `#`) leads to which step.
    pub digits: BTreeMap<Arc<str>, StepId>,
    /// How long to wait for a key after the prompts; seconds, 1 to 60, default 5.
    #[serde(default = "MenuDocument::default_timeout_s")]
    pub timeout_s: u32,
    /// How often the menu is played again after no key or a wrong one; 0 to 10, default 2.
    #[serde(default = "MenuDocument::default_retries")]
    pub retries: u32,
    /// Played before the prompts of each repetition. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<PromptName>,
    /// The next step when all tries are used up. Default: hang up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<StepId>,
}

impl MenuDocument {
    fn default_timeout_s() -> u32 {
        5
    }
    fn default_retries() -> u32 {
        2
    }
}
