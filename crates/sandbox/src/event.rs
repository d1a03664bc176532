//! What happened in the sandbox, numbered: tests and people wait for these instead of guessing how long things take.

use std::collections::VecDeque;

use serde::Serialize;

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Counts from 1.
    pub number: u64,
    /// Milliseconds since the sandbox started.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened. `call` is a call of a Teams user, `caller` one of the carrier's.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields have the names of the nouns they hold")]
pub enum What {
    /// OPTIONS of a trunk came to a proxy and were answered 200.
    Pinged { trunk: String, proxy: String },
    /// A trunk answered a proxy's OPTIONS.
    PingAnswered { trunk: String, proxy: String, status: u16 },
    /// A trunk did not answer a proxy's OPTIONS.
    PingFailed { trunk: String, proxy: String, why: String },
    /// OPTIONS got 200 both ways: calls are taken.
    TrunkActive { trunk: String },
    /// A TLS connection is up.
    Connected { connection: String, proxy: String, names: Vec<String> },
    /// A TLS connection is gone.
    Disconnected { connection: String, proxy: String },
    /// A call came for a user.
    CallArrived { call: u64, user: String, from: String },
    /// A user calls somebody.
    CallPlaced { call: u64, user: String, to: String },
    /// A provisional answer was sent or came.
    CallProgress { call: u64, status: u16 },
    /// 200 was sent or came.
    CallAnswered { call: u64 },
    /// The call is set up: ACK came or was sent.
    CallConnected { call: u64 },
    /// The border controller holds the user, or the user the border controller.
    CallHeld { call: u64, by: By },
    /// That hold is over.
    CallResumed { call: u64, by: By },
    /// A re-INVITE was answered.
    MediaChanged { call: u64, by: By },
    /// A re-INVITE of the user was refused.
    ReofferRefused { call: u64, status: u16 },
    /// The border controller accepted or refused REFER.
    TransferAnswered { call: u64, status: u16 },
    /// A NOTIFY told how a transfer stands.
    TransferProgress { call: u64, status: u16 },
    /// The INVITE of a transfer came.
    TransferArrived { call: u64, transferred: u64 },
    /// The transfer is over.
    TransferEnded { call: u64, status: u16 },
    /// The call is over.
    CallEnded { call: u64, by: By, status: Option<u16>, sub_code: Option<u32>, reason: Option<String> },
    /// A user hears something else than before.
    CallHears { call: u64, user: String, sound: Sound },
    /// A user got a digit.
    CallDigit { call: u64, user: String, digit: char },
    /// A caller called.
    CallerPlaced { caller: u64, to: String },
    /// A caller got a provisional answer.
    CallerProgress { caller: u64, status: u16 },
    /// A caller was answered.
    CallerAnswered { caller: u64 },
    /// A caller hears something else than before.
    CallerHears { caller: u64, sound: Sound },
    /// A caller got a digit.
    CallerDigit { caller: u64, digit: char },
    /// A caller has left a message.
    CallerSpoke { caller: u64 },
    /// A caller's next step is done.
    CallerPressed { caller: u64, digits: String },
    /// A caller's call is over.
    CallerEnded { caller: u64, by: By, status: Option<u16> },
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Teams, or the user.
    Teams,
    /// The border controller.
    Border,
    /// The caller.
    Caller,
}

/// What somebody hears.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// No packets.
    Nothing,
    /// Packets of silence.
    Silence,
    /// One pure tone of so many hertz.
    Tone(u16),
    /// Anything else.
    Other,
}

/// The last events.
#[derive(Debug, Default)]
pub struct Events {
    list: VecDeque<Event>,
    count: u64,
}

impl Events {
    /// Adds one, and lets go of the oldest beyond `EVENTS_MAX`.
    pub fn add(&mut self, at_ms: u64, what: What) {
        if self.list.len() == EVENTS_MAX {
            self.list.pop_front();
        }
        self.count += 1;
        tracing::debug!(?what, "event");
        self.list.push_back(Event { number: self.count, at_ms, what });
    }

    /// The number of the last one.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those after `number`, the oldest first.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Event> {
        self.list.iter().filter(move |event| event.number > number)
    }
}

/// Older events are let go.
const EVENTS_MAX: usize = 10_000;
