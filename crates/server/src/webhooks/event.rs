//! Events: what happened, in the form in which programs outside are told.
//!
//! A fact is the contact center's own memory and changes with it. An event is a promise: a type never changes its
//! meaning, members are only added, and everything about a customer is left out unless it was asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that happened, as programs are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Unique in the installation, and the same however often the event is sent: `evt_acme_4711`.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The version of the form of this type: [`Event::VERSION`]. Members may be added without a new one.
    pub version: u16,
    /// The tenant in whose contact center it happened.
    pub tenant: String,
    /// Its place among all that happened there: higher is later. Not every number is an event. 0 for a test.
    pub number: u64,
    /// When it happened, in microseconds since 1970 UTC.
    pub at: u64,
    /// The rest, as far as it applies to the type.
    pub data: EventData,
}

impl Event {
    /// The version of all types today.
    pub const VERSION: u16 = 1;

    /// The id of the event that a fact becomes.
    #[must_use]
    pub fn id_of(tenant: &str, number: u64) -> String {
        format!("evt_{tenant}_{number}")
    }

    /// An event that says nothing, to see whether a program listens.
    #[must_use]
    pub fn test(tenant: &str, token: u64, at_us: u64) -> Event {
        Event {
            id: format!("evt_{tenant}_test_{token:016x}"),
            kind: EventType::WebhookTest,
            version: Event::VERSION,
            tenant: tenant.to_owned(),
            number: 0,
            at: at_us,
            data: EventData::default(),
        }
    }
}

macro_rules! event_types {
    ($($(#[doc = $doc:tt])* $name:ident = $word:tt),* $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        pub enum EventType {
            $($(#[doc = $doc])* #[serde(rename = $word)] $name,)*
        }

        impl EventType {
            /// All types.
            pub const ALL: &[EventType] = &[$(EventType::$name),*];

            /// The word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(EventType::$name => $word,)*
                }
            }

            /// What it means, for a person.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(EventType::$name => concat!($($doc),*).trim_ascii(),)*
                }
            }
        }
    };
}

event_types! {
    /// Somebody's state as an agent changed by a choice, or by a rest that is over.
    AgentStateChanged = "agent.state_changed",
    /// Another system told an agent's presence, or what it told is too old to be believed.
    AgentPresenceChanged = "agent.presence_changed",
    /// The call was answered: the caller hears and is heard.
    CallAnswered = "call.answered",
    /// A call came in, and an interaction began.
    CallArrived = "call.arrived",
    /// Somebody assigned a waiting customer to an agent, or to all again.
    CallAssigned = "call.assigned",
    /// Something was found out about the interaction.
    CallAttributesSet = "call.attributes_set",
    /// An agent answered: the two hear each other, the wait is over.
    CallConnected = "call.connected",
    /// The agent's part of the conversation is over.
    CallConversationEnded = "call.conversation_ended",
    /// The call is over for everybody.
    CallEnded = "call.ended",
    /// Somebody put the call on hold.
    CallHeld = "call.held",
    /// The caller chose from a menu.
    CallMenuChosen = "call.menu_chosen",
    /// The center began a call of its own for the interaction.
    CallPlaced = "call.placed",
    /// Somebody gave a waiting customer another priority.
    CallPrioritised = "call.prioritised",
    /// How well a party was heard.
    CallQuality = "call.quality",
    /// The customer entered a queue: the wait begins, or goes on.
    CallQueued = "call.queued",
    /// The customer left a queue without having been connected.
    CallQueueLeft = "call.queue_left",
    /// The customer was to enter a queue and could not.
    CallQueueRefused = "call.queue_refused",
    /// The telephone to which the caller was to be handed over answered, or did not.
    CallRedirected = "call.redirected",
    /// The caller is being handed over to a telephone that is no agent's.
    CallRedirecting = "call.redirecting",
    /// A call was refused at the door; there is no interaction.
    CallRejected = "call.rejected",
    /// Somebody took the call back from hold.
    CallResumed = "call.resumed",
    /// An agent asked to hand the caller over to somebody else.
    CallTransferAsked = "call.transfer_asked",
    /// An allowed transfer came to an end.
    CallTransferEnded = "call.transfer_ended",
    /// A customer is not called back after all.
    CallbackCancelled = "callback.cancelled",
    /// An agent has taken a callback; the customer is being rung.
    CallbackDialled = "callback.dialled",
    /// The customer did not answer.
    CallbackMissed = "callback.missed",
    /// The caller was promised to be called back, and keeps the place.
    CallbackPromised = "callback.promised",
    /// A customer is to be called back at a time: an interaction began.
    CallbackScheduled = "callback.scheduled",
    /// A configuration came into force.
    ConfigurationPublished = "configuration.published",
    /// The interaction is over: nothing more will be said about it, but that it was erased.
    InteractionClosed = "interaction.closed",
    /// Something that was due did not come, and the center went on without it.
    InteractionRepaired = "interaction.repaired",
    /// The caller may leave a message.
    MessageBegun = "message.begun",
    /// An agent heard a message to its end.
    MessageHeard = "message.heard",
    /// A message was left; it waits for an agent.
    MessageLeft = "message.left",
    /// No message was left.
    MessageMissed = "message.missed",
    /// An offer ended without a conversation.
    OfferEnded = "offer.ended",
    /// The customer was offered to an agent, whose telephone is being rung.
    OfferMade = "offer.made",
    /// The agent's telephone rings.
    OfferRinging = "offer.ringing",
    /// What is known about the people of an interaction is erased: erase it where you keep it, too.
    PersonalDataErased = "personal_data.erased",
    /// Somebody closed a queue or opened it again.
    QueueSwitched = "queue.switched",
    /// Nothing happened: somebody looks whether the program listens. It is sent when asked for, and only then.
    WebhookTest = "webhook.test",
    /// The agent's wrap-up is over.
    WrapUpEnded = "wrap_up.ended",
    /// The agent took more time for the wrap-up.
    WrapUpExtended = "wrap_up.extended",
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for EventType {
    type Err = NotAType;

    fn from_str(text: &str) -> Result<EventType, NotAType> {
        EventType::ALL.iter().copied().find(|kind| kind.word() == text).ok_or(NotAType)
    }
}

/// There is no type of events of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such type of events")]
pub struct NotAType;

macro_rules! event_data {
    ($($(#[$doc:meta])* $name:ident: $kind:ty),* $(,)?) => {
        /// What an event says. A member means the same in every type; docs/events.md says which types have which. Words
        /// are those of the API.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub struct EventData {
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $name: Option<$kind>,
            )*
        }
    };
}

event_data! {
    /// The agent's id in the configuration.
    agent: String,
    /// The agent's name.
    agent_name: String,
    /// What the agent is now.
    agent_state: EventAgentState,
    /// When the next try to call back begins to wait, in microseconds since 1970 UTC. Missing: there is none.
    again_at: u64,
    /// How many agents the configuration has.
    agents: u64,
    /// How many waited before.
    ahead: u32,
    /// Whether a transfer was allowed.
    allowed: bool,
    /// Which try it is, from 1.
    attempt: u32,
    /// What was found out, by name. Only if `include_personal` is set: a flow may have asked for anything.
    attributes: BTreeMap<String, String>,
    /// Who or what it was that did it, as a word.
    by: String,
    /// The call on the line, as the log has it: 16 hexadecimal digits.
    call: String,
    /// What the other network said.
    cause: EventCause,
    /// How the customer will reach an agent: `call`, `callback` or `voicemail`.
    channel: String,
    /// Whether a queue is closed now.
    closed: bool,
    /// What the conversation was about, as the agent says: a code of the queue.
    code: String,
    /// The customer's number or SIP address. Only if `include_personal` is set, and until it is erased.
    customer: String,
    /// The customer's name as the network gives it. Only if `include_personal` is set, and until it is erased.
    customer_name: String,
    /// What the caller dialled.
    dialled: String,
    /// When a callback enters its queue, in microseconds since 1970 UTC.
    due_at: u64,
    /// The flow.
    flow: String,
    /// How long the call was on hold, in microseconds.
    held_us: u64,
    /// The interaction: one matter of one customer. The number of the event with which it began.
    interaction: u64,
    /// The key that was pressed.
    key: String,
    /// From the arrival of the call to its end, in microseconds.
    lasted_us: u64,
    /// How long a message is, in microseconds.
    length_us: u64,
    /// The line over which the call came or goes.
    line: String,
    /// What the agent wrote. Only if `include_personal` is set, and until it is erased.
    note: String,
    /// How many numbers the configuration has.
    numbers: u64,
    /// When a presence was observed, in microseconds since 1970 UTC.
    observed_at: u64,
    /// How it ended, as a word.
    outcome: String,
    /// The presence that was told. Missing: none is known any more.
    presence: String,
    /// Whether the agent chose the presence, rather than the other system having found it out.
    presence_manual: bool,
    /// Which system told the presence.
    presence_source: String,
    /// From 1, first, to 5.
    priority: u8,
    /// How well a party was heard.
    quality: EventQuality,
    /// The queue's id in the configuration.
    queue: String,
    /// The queue's name.
    queue_name: String,
    /// How many queues the configuration has.
    queues: u64,
    /// How long the telephone was rung, in microseconds.
    rang_us: u64,
    /// Why, as a word.
    reason: String,
    /// The recording: `/api/v1/recordings/{id}` has the sound.
    recording: String,
    /// When the offer lapses, in microseconds since 1970 UTC.
    rings_until: u64,
    /// The step of the flow.
    step: String,
    /// Whether an agent of whom this presence is told is offered nothing.
    stops_offers: bool,
    /// Time in conversation, in microseconds, without holds by the agent.
    talked_us: u64,
    /// To whom the agent wants to hand over. Only if `include_personal` is set, and until it is erased.
    transfer_to: String,
    /// Until when it lasts at most, or is believed, in microseconds since 1970 UTC.
    until: u64,
    /// Before everybody who is not.
    vip: bool,
    /// The wait in this queue, in microseconds.
    waited_us: u64,
    /// Since when the customer would have waited if all waits so far had been one, in microseconds since 1970 UTC.
    waiting_since: u64,
    /// Why, in the words of whoever did it.
    why: String,
    /// How long the wrap-up lasted, in microseconds.
    wrapped_us: u64,
}

/// What an agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventAgentState {
    /// As the API has it: `offline`, `break`, `available`, `offered`, `in_conversation`, `wrap_up`, `resting`,
    /// `not_reachable` or `gone`.
    pub state: String,
    /// Until when it lasts at most, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// The kind of break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What another network said when something ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventCause {
    /// In one word, the same for all networks.
    pub kind: String,
    /// The network's own code: with SIP the status. 0: there was none.
    pub code: u16,
}

/// How well a party was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventQuality {
    /// Estimated mean opinion score times 100, 100 to 500. Missing: nothing was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mos_x100: Option<u16>,
    /// Packets received.
    pub packets: u64,
    /// Packets lost on the way to Tandem, in parts per ten thousand.
    pub lost_x10000: u16,
    /// Jitter in milliseconds.
    pub jitter_ms: u16,
    /// Round trip in milliseconds, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<u16>,
}
