//! A flow as people write it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::PromptName;
use crate::id::{QueueId, StepId};

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

/// `[flows.<id>.steps.<id>]`: one step. Exactly one of `play`, `menu`, `enqueue` and `hang_up`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDocument {
    /// Play these prompts in order, then go to `then`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub play: Option<Vec<PromptName>>,
    /// With `play`: the next step. Default: hang up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<StepId>,
    /// Let the caller choose with a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub menu: Option<MenuDocument>,
    /// Let the caller wait in this queue for an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enqueue: Option<QueueId>,
    /// With `enqueue`: the next step if the queue is full, gone, or the caller waited too long. Default: hang up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<StepId>,
    /// `true`: end the call; a call that was not answered is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<bool>,
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
