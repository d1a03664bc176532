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
    /// An agent was offered something, who was not free for it; or does something that nobody does with the agent.
    NotFree(AgentId),
    /// An agent was offered a caller of somebody else's queue.
    NotTheirQueue(AgentId, QueueId),
    /// An agent was offered somebody who asks for somebody else.
    NotFit(AgentId, InteractionId),
    /// An agent has been given more than the agent can do at once.
    AboveCapacity(AgentId),
    /// A call began while there were as many as may be.
    TooManyCalls(InteractionId),
    /// A caller was offered who was not the first.
    Overtaken {
        /// Who should have been offered.
        first: InteractionId,
        /// Who was.
        offered: InteractionId,
    },
    /// An agent was offered a caller while the queue's strategy puts another first.
    NotFirst {
        /// Who should have been rung.
        first: AgentId,
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
    /// A wait that was had already does not count any more.
    WaitForgotten(InteractionId),
    /// A customer was let into a queue, or not, against its rules.
    NotAdmitted(InteractionId, QueueId),
    /// A customer was taken out of a queue against its rules.
    SentOn(InteractionId, QueueId),
    /// A customer was promised to be called back twice by the same queue.
    PromisedTwice {
        /// The promise that stood.
        first: InteractionId,
        /// The one that came on top.
        second: InteractionId,
    },
    /// A customer who waits in a queue, or has talked to an agent since, is still to be called back.
    NotCancelled {
        /// The promise.
        promise: InteractionId,
        /// The call that made it void.
        call: InteractionId,
    },
    /// A customer was tried too often, too early or not again.
    WrongTry(InteractionId),
    /// A message was closed as heard that nobody heard.
    Unheard(InteractionId),
    /// A caller was told a later end of the wait than before, or a wrong place.
    ToldWrong(InteractionId),
    /// An interaction is counted otherwise than what happened.
    WrongOutcome(InteractionId),
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
