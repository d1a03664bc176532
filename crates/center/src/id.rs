//! The names of things: typed, so that an agent's id is never taken for a queue's.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One matter of one customer, from its arrival to the end of the agent's wrap-up; here always one call.
///
/// It is the number of the [`Fact`](crate::fact::Fact) with which it began: unique in the tenant's journal, over
/// restarts too, and in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InteractionId(pub u64);

impl fmt::Display for InteractionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! configured_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        ///
        /// Chosen in the configuration: 1 to 64 letters, digits, `_`, `-` and `.`. Cloning is cheap: the text is shared.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id with this text; whether the text fits is checked with the configuration.
            pub fn new(text: impl Into<Arc<str>>) -> $name {
                $name(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $name::new(text)
            }
        }
    )*};
}

configured_ids! {
    /// A person who talks to customers.
    AgentId,
    /// What happens to a caller, step by step.
    FlowId,
    /// Where callers wait for an agent.
    QueueId,
    /// Something that an agent is good at: a language, a product.
    SkillId,
    /// One step of a flow.
    StepId,
    /// What a conversation was about, as the agent says in the wrap-up.
    CodeId,
}

/// The place of an agent in the center's table; valid as long as the agent is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AgentIndex(pub(crate) usize);

/// The place of a queue in the center's table; valid as long as the queue is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct QueueIndex(pub(crate) usize);
