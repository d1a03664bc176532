//! The reasons and outcomes that facts tell.

use serde::{Deserialize, Serialize};

use crate::agent::RestCause;

/// Why a caller did not choose from a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MenuMiss {
    /// No key was pressed in time.
    NoKey,
    /// A key was pressed that the menu does not have.
    WrongKey,
}

/// Why a caller could not enter a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueRefusal {
    /// As many wait as may.
    Full,
    /// The configuration no longer has it.
    Gone,
    /// It is closed.
    Closed,
    /// No agent of the queue is signed in.
    NoAgents,
}

/// Why a caller left a queue without having been connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueExit {
    /// The caller hung up.
    Abandoned,
    /// The call broke off.
    Lost,
    /// The caller had waited as long as callers may; the flow goes on.
    WaitedTooLong,
    /// The call had lasted as long as calls may.
    CallLimit,
    /// A new configuration no longer has the queue; the flow goes on.
    QueueGone,
    /// A rung of the ladder of overflow.
    Overflowed,
    /// No agent of the queue is signed in any more.
    NoAgents,
    /// Was promised to be called back.
    CallbackPromised,
    /// The customer who was called back did not answer.
    CustomerNotReached,
    /// Is not to be called back after all.
    Cancelled,
    /// Somebody moved the caller elsewhere.
    Moved,
}

/// How an offer ended without a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    /// The telephone rang and nobody answered.
    Missed,
    /// The agent refused.
    Declined,
    /// The telephone was busy.
    Busy,
    /// The telephone could not be reached.
    Unreachable,
    /// The agent went on a break or signed off while it rang.
    AgentLeft,
    /// The caller was gone before the agent answered.
    CallerGone,
    /// The call broke off, or the program was restarted.
    Lost,
    /// Another agent, who was rung at the same time, answered.
    AnsweredElsewhere,
    /// The telephone answered, but nobody pressed the key: a voicemail perhaps.
    NotConfirmed,
    /// The network sent the call on to somewhere else.
    Forwarded,
    /// A rule or a supervisor took the caller out of the queue.
    CallerMoved,
    /// The agent took the callback, and the customer did not answer.
    CustomerNotReached,
}

impl OfferOutcome {
    /// For how long an agent is left alone after this; `None` if not at all.
    pub(crate) fn rest(self) -> Option<RestCause> {
        match self {
            OfferOutcome::Missed | OfferOutcome::NotConfirmed | OfferOutcome::Forwarded => {
                Some(RestCause::Missed)
            }
            OfferOutcome::Declined => Some(RestCause::Declined),
            OfferOutcome::Busy => Some(RestCause::Busy),
            OfferOutcome::Unreachable => Some(RestCause::Unreachable),
            OfferOutcome::AgentLeft
            | OfferOutcome::CallerGone
            | OfferOutcome::Lost
            | OfferOutcome::AnsweredElsewhere
            | OfferOutcome::CallerMoved
            | OfferOutcome::CustomerNotReached => None,
        }
    }
}

/// A side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
}

/// Who ended the agent's part of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The caller hung up.
    Caller,
    /// The agent hung up.
    Agent,
    /// The agent handed the caller over.
    Transfer,
    /// The center: the call had lasted as long as calls may.
    Limit,
    /// The center: there was nothing more to hear.
    Finished,
    /// The call broke off, or the program was restarted.
    Lost,
}

/// What ended a wrap-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpEnd {
    /// The agent, or somebody for the agent.
    Command,
    /// The time was over.
    Timer,
    /// The agent is no longer in the configuration.
    AgentGone,
    /// The queue is no longer in the configuration, and the program was started again.
    QueueGone,
    /// The agent is about to be rung for the same customer again.
    TakenUp,
}

/// What began the end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndWhy {
    /// The caller left.
    CallerLeft,
    /// The agent left the conversation.
    AgentLeft,
    /// The one to whom the caller was transferred left, or never came.
    TargetLeft,
    /// The flow came to its end.
    FlowEnded,
    /// The call had lasted as long as calls may.
    CallLimit,
    /// The caller was promised to be called back.
    Promised,
    /// A message was left, or was not.
    MessageTaken,
    /// The agent has heard the message.
    MessageHeard,
    /// The telephone to which the caller was to be handed over did not answer, and nothing else was to be done.
    NotRedirected,
    /// The call broke off, never came about, or the program was restarted.
    Lost,
}

/// How an interaction is counted in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The caller talked to an agent.
    Handled,
    /// The caller talked to an agent and was handed over to somebody else.
    Transferred,
    /// The caller hung up while waiting in a queue.
    AbandonedInQueue,
    /// The caller hung up in the flow, before a queue.
    AbandonedInFlow,
    /// The flow ended the call.
    FlowEnded,
    /// The call broke off before an agent answered, or by a restart.
    Lost,
    /// The customer was to be called back and was never reached.
    NotReached,
    /// The customer was to be called back, and it was no longer needed.
    Cancelled,
    /// A message or a callback waited longer than may be.
    Expired,
}

/// Why a customer is not called back after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackEnd {
    /// The customer has called again and waits in the queue, with the place that was kept.
    CalledAgain,
    /// The customer has talked to an agent.
    Served,
    /// Somebody wanted it so.
    Command,
}

/// What was due and did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// A call that was being answered was neither answered nor ended.
    Answer,
    /// A prompt did not end.
    PlayEnd,
    /// A collection of digits did not end.
    CollectEnd,
    /// A recording did not end.
    RecordEnd,
    /// A transfer did not end.
    TransferEnd,
    /// A party that was to leave did not.
    PartyLeft,
    /// A call that was being ended did not.
    CallEnd,
    /// A flow did not come to a queue or its end within the steps that it may take.
    FlowEnd,
}
