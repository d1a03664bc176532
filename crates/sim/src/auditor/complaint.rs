//! What an auditor can complain about.

use std::fmt;

use tandem_center::agent::AgentState;
use tandem_center::id::{AgentId, InteractionId, QueueId};

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The number of the last fact that the auditor knew.
    pub fact: u64,
    /// What is wrong.
    pub wrong: Wrong,
}

/// The ways in which facts can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Numbers have a gap, or time runs backwards.
    OutOfSequence,
    /// A fact about an interaction that has not begun, or is over.
    NoSuchInteraction(InteractionId),
    /// A fact about an agent whom the facts do not know.
    NoSuchAgent(AgentId),
    /// A fact that cannot follow what went before.
    CannotBe(InteractionId),
    /// An agent was offered something, who was not free for it.
    NotFree(AgentId),
    /// An agent was offered a caller of somebody else's queue.
    NotTheirQueue(AgentId, QueueId),
    /// A caller was offered who was not the first.
    Overtaken {
        /// Who should have been offered.
        first: InteractionId,
        /// Who was.
        offered: InteractionId,
    },
    /// An agent was offered a caller while another had been idle longer.
    IdleLonger {
        /// Who should have been rung.
        longest: AgentId,
        /// Who was.
        rung: AgentId,
    },
    /// A caller waits while somebody fit is free.
    LeftWaiting {
        /// The caller.
        interaction: InteractionId,
        /// The agent.
        agent: AgentId,
    },
    /// A state lasts longer than it may.
    Outlived(Owner),
    /// What is said of an agent is not what follows.
    WrongState {
        /// The agent.
        agent: AgentId,
        /// What follows.
        expected: AgentState,
        /// What was said.
        said: AgentState,
    },
    /// A figure of a fact is not what follows from the facts before.
    WrongFigure {
        /// What was said.
        said: u64,
        /// What follows.
        expected: u64,
    },
    /// A queue has more or fewer entries than exits and waiting callers.
    NotConserved(QueueId),
    /// The center's state is not what its facts say.
    StateDiffers,
    /// Something is left when everybody has returned and nobody calls any more.
    NotDrained,
}

/// Whose state it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An agent's.
    Agent(AgentId),
    /// An interaction's.
    Interaction(InteractionId),
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after fact {}: {:?}", self.fact, self.wrong)
    }
}
