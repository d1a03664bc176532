//! The kinds of facts, each with all that a reader needs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agent::{AgentState, ChosenState, PresenceSeen, PresenceView, Rest, Who};
use crate::call::{
    Address, CallId, Cause, Endpoint, LineName, PartyId, Quality, RecordEnd, RecordingId, Rejection,
    TransferId, TransferOutcome,
};
use crate::channel::Channel;
use crate::condition::Attributes;
use crate::config::{Document, QueueDocument};
use crate::erase::ErasedBy;
use crate::id::{AgentId, CodeId, FlowId, InteractionId, QueueId, StepId};
use crate::personal::{Personal, present};
use crate::terms::Terms;
use crate::timer::Timestamp;

use super::{
    CallbackEnd, EndWhy, EndedBy, MenuMiss, Missing, OfferOutcome, Outcome, QueueExit, QueueRefusal, Side,
    WrapUpEnd,
};

/// The kinds of facts. In JSON the name of the kind stands in `kind`, beside its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FactKind {
    /// A configuration came into force. Its version is the number of this fact. Agents that it no longer names
    /// are gone, once they are free.
    Configured {
        /// The whole of it.
        configuration: Arc<Document>,
    },
    /// Somebody set an agent's state.
    AgentChose {
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// What was chosen. During an offer, a conversation or a wrap-up it comes into force afterwards.
        chosen: ChosenState,
        /// Who chose.
        by: Who,
        /// Why, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
        /// The agent's state now.
        then: AgentState,
    },
    /// The time in which an agent was left alone after an offer not taken is over.
    RestEnded {
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The agent's state now.
        then: AgentState,
    },
    /// Another system told the presence of an agent.
    PresenceTold {
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// What was told, and what the rules make of it.
        #[serde(flatten)]
        told: PresenceView,
        /// The agent's state now.
        then: AgentState,
    },
    /// What was told of an agent's presence is too old to be believed.
    PresenceForgotten {
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The agent's state now.
        then: AgentState,
    },
    /// Somebody closed a queue or opened it again.
    QueueSwitched {
        /// The queue.
        queue: QueueId,
        /// The queue's name.
        queue_name: Arc<str>,
        /// Whether it is closed now.
        closed: bool,
        /// Why, in the words of whoever did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
    /// A call was refused at the door; there is no interaction.
    CallRejected {
        /// The call.
        call: CallId,
        /// The line over which it came.
        line: LineName,
        /// Who called.
        from: Personal<Address>,
        /// The caller's name as the network gave it; may be empty.
        from_name: Personal<Arc<str>>,
        /// What was dialled.
        to: Address,
        /// What the caller was told.
        reason: Rejection,
    },
    /// A call came in, and an interaction began. Its id is the number of this fact.
    Arrived {
        /// The call.
        call: CallId,
        /// The line over which it came.
        line: LineName,
        /// Who calls.
        from: Personal<Address>,
        /// The caller's name as the network gives it; may be empty.
        from_name: Personal<Arc<str>>,
        /// What was dialled.
        to: Address,
        /// The flow that the caller enters.
        flow: FlowId,
    },
    /// The call was answered: the caller hears and is heard.
    Answered {
        /// The interaction.
        interaction: InteractionId,
    },
    /// A step of the flow began.
    StepBegun {
        /// The interaction.
        interaction: InteractionId,
        /// The flow.
        flow: FlowId,
        /// The step.
        step: StepId,
    },
    /// The caller chose from a menu.
    MenuChosen {
        /// The interaction.
        interaction: InteractionId,
        /// The flow.
        flow: FlowId,
        /// The menu's step.
        step: StepId,
        /// The key.
        key: char,
    },
    /// The caller did not choose from a menu. What was pressed instead is not kept.
    MenuMissed {
        /// The interaction.
        interaction: InteractionId,
        /// The flow.
        flow: FlowId,
        /// The menu's step.
        step: StepId,
        /// Why.
        reason: MenuMiss,
        /// How often the menu will still be played.
        tries_left: u32,
    },
    /// Something was found out about the interaction.
    AttributesSet {
        /// The interaction.
        interaction: InteractionId,
        /// What, by name; other names keep what they were.
        attributes: Attributes,
    },
    /// The caller entered a queue: the wait begins, or goes on.
    QueueEntered {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// The queue's name.
        queue_name: Arc<str>,
        /// How many were waiting before.
        ahead: u32,
        /// How the customer will reach an agent.
        #[serde(default, skip_serializing_if = "Channel::is_call")]
        channel: Channel,
        /// Since when the customer would have waited if all waits so far had been one; none: since now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting_since: Option<Timestamp>,
        /// The moment by which the caller stands among all others of the queue: the wait with what priority adds.
        /// None: by the wait alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stands_since: Option<Timestamp>,
        /// From 1, first, to 5.
        #[serde(default = "normal_priority", skip_serializing_if = "is_normal")]
        priority: u8,
        /// Before everybody who is not.
        #[serde(default, skip_serializing_if = "is_false")]
        vip: bool,
        /// What is asked of an agent.
        #[serde(default, skip_serializing_if = "Terms::ask_nothing")]
        terms: Terms,
    },
    /// Less is asked of an agent from now on, or more agents may be rung: the next step of the terms.
    Widened {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// Which step of the terms holds now, counted from 0.
        step: u8,
    },
    /// The caller was told something about the wait.
    Announced {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// The place in the queue, from 1; only so far as places are counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<u32>,
        /// The wait that is still to be expected; only if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected_us: Option<u64>,
    },
    /// Somebody gave a waiting caller another priority.
    Prioritised {
        /// The interaction.
        interaction: InteractionId,
        /// From 1, first, to 5.
        priority: u8,
        /// Before everybody who is not.
        vip: bool,
        /// The moment by which the caller stands now.
        stands_since: Timestamp,
        /// Why, in the words of whoever did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
    /// Somebody changed what is asked of an agent: assigned the caller to one.
    TermsChanged {
        /// The interaction.
        interaction: InteractionId,
        /// What is asked from now on; it begins with its first step.
        terms: Terms,
        /// Why, in the words of whoever did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
    /// The caller was to enter a queue and could not; the flow goes on elsewhere. This is no entry.
    QueueRefused {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// Why.
        reason: QueueRefusal,
    },
    /// The caller left a queue without having been connected.
    QueueLeft {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// The queue's name.
        queue_name: Arc<str>,
        /// Why.
        reason: QueueExit,
        /// The wait in this queue.
        waited_us: u64,
        /// Why somebody moved the caller, in their words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
    /// The center began a call of its own for the interaction.
    CallPlaced {
        /// The interaction.
        interaction: InteractionId,
        /// The call.
        call: CallId,
        /// Who is rung.
        endpoint: Endpoint,
    },
    /// The caller is being handed over to a telephone that is no agent's.
    RedirectBegun {
        /// The interaction.
        interaction: InteractionId,
        /// The party of whom is rung.
        party: PartyId,
        /// Who is rung.
        endpoint: Endpoint,
    },
    /// The telephone to which the caller was to be handed over answered, or did not.
    RedirectEnded {
        /// The interaction.
        interaction: InteractionId,
        /// Whether it answered.
        outcome: TransferOutcome,
        /// What the door said, if it said something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
    },
    /// A customer is to be called back at a time: an interaction began. Its id is the number of this fact.
    CallbackScheduled {
        /// The line over which the customer is called.
        line: LineName,
        /// Whom to call.
        to: Personal<Address>,
        /// The customer's name; may be empty.
        name: Personal<Arc<str>>,
        /// The queue whose agents call.
        queue: QueueId,
        /// When it enters the queue.
        due_at: Timestamp,
        /// From 1, first, to 5.
        priority: u8,
        /// What is asked of an agent.
        #[serde(default, skip_serializing_if = "Terms::ask_nothing")]
        terms: Terms,
        /// Why, in the words of whoever wants it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
    /// The caller was promised to be called back, and keeps the place.
    CallbackPromised {
        /// The interaction.
        interaction: InteractionId,
        /// The queue in which the place is kept.
        queue: QueueId,
        /// The queue's name.
        queue_name: Arc<str>,
        /// The line over which the customer is called.
        line: LineName,
        /// Whom to call.
        to: Personal<Address>,
        /// Since when the customer would have waited if all waits so far had been one.
        waiting_since: Timestamp,
        /// From 1, first, to 5.
        priority: u8,
        /// Before everybody who is not.
        vip: bool,
        /// What is asked of an agent.
        #[serde(default, skip_serializing_if = "Terms::ask_nothing")]
        terms: Terms,
    },
    /// An agent has taken a callback; the customer is being rung.
    CallbackDialled {
        /// The interaction.
        interaction: InteractionId,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The customer's party in the call.
        party: PartyId,
        /// Which try this is, from 1.
        attempt: u32,
    },
    /// The customer did not answer.
    CallbackMissed {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// Which try this was, from 1.
        attempt: u32,
        /// When the next try waits again; none: it was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_at: Option<Timestamp>,
    },
    /// A customer is not called back after all.
    CallbackCancelled {
        /// The interaction.
        interaction: InteractionId,
        /// Why.
        reason: CallbackEnd,
        /// In the words of whoever wanted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
    /// The caller may leave a message.
    MessageBegun {
        /// The interaction.
        interaction: InteractionId,
        /// The queue in which the message will wait.
        queue: QueueId,
        /// The recording.
        recording: RecordingId,
        /// Since when the caller would have waited if all waits so far had been one.
        waiting_since: Timestamp,
        /// From 1, first, to 5.
        priority: u8,
        /// Before everybody who is not.
        vip: bool,
    },
    /// A message was left; it waits for an agent.
    MessageLeft {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
        /// What ended it.
        end: RecordEnd,
        /// How long it is.
        length_us: u64,
    },
    /// No message was left.
    MessageMissed {
        /// The interaction.
        interaction: InteractionId,
        /// The recording that did not come about.
        recording: RecordingId,
    },
    /// An agent heard a message to its end.
    Heard {
        /// The interaction.
        interaction: InteractionId,
        /// The recording.
        recording: RecordingId,
    },
    /// The caller was offered to an agent, whose telephone is being rung.
    Offered {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// The queue's name.
        queue_name: Arc<str>,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The agent's party in the call.
        party: PartyId,
        /// Where the agent is rung.
        endpoint: Endpoint,
        /// When the offer lapses.
        rings_until: Timestamp,
        /// How long the caller had waited in this queue.
        waited_us: u64,
        /// How long the agent had been idle.
        idle_us: u64,
        /// What another system said of the agent, if it was known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        presence: Option<PresenceSeen>,
        /// Of how many agents who were free and fit the strategy chose this one, the agent included.
        #[serde(default, skip_serializing_if = "is_zero")]
        of_ready: u64,
        /// Where the agent is in the queue's turns after this, if it offers by shares.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<Turn>,
        /// The agent's state now, if it is not simply that of being offered this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        then: Option<AgentState>,
        /// The version of the configuration that decided: the number of its `configured`.
        configuration: u64,
    },
    /// The agent's telephone rings.
    Ringing {
        /// The interaction.
        interaction: InteractionId,
        /// The agent.
        agent: AgentId,
    },
    /// An offer ended without a conversation. The caller keeps the place in the queue, if still there.
    OfferEnded {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// How it ended.
        outcome: OfferOutcome,
        /// What the door said, if it said something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// How long it lasted.
        rang_us: u64,
        /// How many offers in a row the agent has missed now, since the agent was left alone for it last.
        #[serde(default, skip_serializing_if = "is_none_missed")]
        misses: u32,
        /// How the agent is left alone from now on, whatever else the agent does; none: as before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rest: Option<Rest>,
        /// The agent's state now.
        then: AgentState,
    },
    /// The agent answered: the two hear each other, the wait is over.
    Connected {
        /// The interaction.
        interaction: InteractionId,
        /// The queue.
        queue: QueueId,
        /// The queue's name.
        queue_name: Arc<str>,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The wait in this queue, ringing included.
        waited_us: u64,
        /// How long the offer lasted.
        rang_us: u64,
        /// The agent's state now, if it is not simply that of being in this conversation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        then: Option<AgentState>,
    },
    /// Somebody put the call on hold.
    Held {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        by: Side,
    },
    /// Somebody took the call back from hold.
    Resumed {
        /// The interaction.
        interaction: InteractionId,
        /// Who.
        by: Side,
        /// How long the hold lasted.
        held_us: u64,
    },
    /// The agent asked to hand the caller over to somebody else.
    TransferAsked {
        /// The interaction.
        interaction: InteractionId,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The wish.
        transfer: TransferId,
        /// To whom, as far as it can be read.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        target: Option<Personal<Address>>,
        /// Whether it was allowed.
        allowed: bool,
    },
    /// An allowed transfer came to an end.
    TransferEnded {
        /// The interaction.
        interaction: InteractionId,
        /// The agent who asked.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The wish.
        transfer: TransferId,
        /// Whether the new party joined.
        outcome: TransferOutcome,
    },
    /// The agent's part of the conversation is over.
    ConversationEnded {
        /// The interaction.
        interaction: InteractionId,
        /// The queue from which it came.
        queue: QueueId,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// Who ended it.
        by: EndedBy,
        /// What the door said.
        cause: Cause,
        /// Time in conversation, without holds by the agent.
        talked_us: u64,
        /// Time on hold by the agent.
        held_us: u64,
        /// Until when the agent's wrap-up lasts at most; none: there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wrap_up_until: Option<Timestamp>,
        /// The agent's state now.
        then: AgentState,
    },
    /// The agent took more time for the wrap-up.
    WrapUpExtended {
        /// The interaction.
        interaction: InteractionId,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// Until then at most.
        until: Timestamp,
        /// The agent's state now.
        then: AgentState,
    },
    /// The agent's wrap-up is over.
    WrapUpEnded {
        /// The interaction.
        interaction: InteractionId,
        /// The agent.
        agent: AgentId,
        /// The agent's name.
        agent_name: Arc<str>,
        /// The queue from which the conversation came.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queue: Option<QueueId>,
        /// What ended it.
        by: WrapUpEnd,
        /// How long it lasted.
        wrapped_us: u64,
        /// What the conversation was about, as the agent says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<CodeId>,
        /// What the agent says about it.
        #[serde(
            default,
            deserialize_with = "crate::personal::present",
            skip_serializing_if = "Option::is_none"
        )]
        note: Option<Personal<Arc<str>>>,
        /// The agent's state now.
        then: AgentState,
    },
    /// How well a party was heard.
    Quality {
        /// The interaction.
        interaction: InteractionId,
        /// The party.
        party: PartyId,
        /// The agent, if the party is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
        /// The measurement.
        quality: Quality,
    },
    /// The call is being ended; parts of it may still stand for a moment.
    Ending {
        /// The interaction.
        interaction: InteractionId,
        /// Why.
        why: EndWhy,
        /// What the door said, if it began there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// How the interaction will be counted.
        outcome: Outcome,
    },
    /// The call is over for everybody.
    CallEnded {
        /// The interaction.
        interaction: InteractionId,
        /// The call.
        call: CallId,
        /// What the door said.
        cause: Cause,
        /// From the arrival.
        lasted_us: u64,
    },
    /// Something that was due did not come, and the center went on without it. Each one is a fault of a door or of
    /// the center, and worth a look.
    Repaired {
        /// The interaction.
        interaction: InteractionId,
        /// What did not come.
        missing: Missing,
    },
    /// The interaction is over: nothing more will be said about it, but that it was erased.
    Closed {
        /// The interaction.
        interaction: InteractionId,
        /// How it is counted.
        outcome: Outcome,
    },
    /// What the facts of an interaction say about people is erased, in the journal too; the facts stay.
    Erased {
        /// The interaction; of a call that was refused at the door, the number of its fact.
        interaction: InteractionId,
        /// On whose behalf.
        by: ErasedBy,
        /// Why, in the words of whoever wanted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Arc<str>>,
    },
}

/// Where an agent is in the turns of a queue that offers by shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Where the queue is: the turn at which this offer was due.
    pub at: u64,
    /// When the agent's next offer is due.
    pub next: u64,
}

fn normal_priority() -> u8 {
    QueueDocument::NORMAL_PRIORITY
}

fn is_normal(priority: &u8) -> bool {
    *priority == QueueDocument::NORMAL_PRIORITY
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_none_missed(number: &u32) -> bool {
    *number == 0
}

fn is_false(value: &bool) -> bool {
    !value
}
