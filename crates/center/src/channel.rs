//! Channels: the kinds of work that reach an agent, and where they differ.

use serde::{Deserialize, Serialize};

use crate::config::CapacityDocument;

/// How a matter of a customer reaches an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The customer is on the line and waits.
    #[default]
    Call,
    /// The customer is to be called back: the agent is rung first.
    Callback,
    /// The customer has left a message: the agent is rung and hears it.
    Voicemail,
}

impl Channel {
    /// How much of an agent it takes.
    pub(crate) fn weight(self, capacity: &CapacityDocument) -> u32 {
        match self {
            Channel::Call => capacity.call,
            Channel::Callback => capacity.callback,
            Channel::Voicemail => capacity.voicemail,
        }
    }

    /// Whether it is this channel of which nothing need be said.
    pub fn is_call(&self) -> bool {
        *self == Channel::Call
    }
}
