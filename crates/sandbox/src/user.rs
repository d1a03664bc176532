//! Teams users: who they are and what they do when called.

use serde::{Deserialize, Serialize};

/// What a user does when called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// How many clients ring (desktop, mobile, ...): one 180 each, each with a To tag of its own. With 0 the call
    /// is answered or refused without any ringing.
    pub clients: u8,
    /// A 183 with SDP is sent beside the ringing, whose media is silent.
    pub early_media: bool,
    /// What follows.
    pub reaction: Reaction,
    /// What is sent as voice once connected.
    pub voice: Voice,
    /// Keys that the user presses once the call is connected.
    pub presses: Vec<Press>,
    /// The user hangs up this long after the call is connected, in milliseconds.
    pub hang_up_after_ms: Option<u32>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            clients: 1,
            early_media: false,
            reaction: Reaction::Answer { after_ms: 2000, spread_ms: 0 },
            voice: Voice::Tone,
            presses: Vec::new(),
            hang_up_after_ms: None,
        }
    }
}

impl Behaviour {
    /// Somebody with two clients who answers after `after_ms` and up to `spread_ms` more.
    pub fn answering(after_ms: u32, spread_ms: u32) -> Self {
        Self { clients: 2, reaction: Reaction::Answer { after_ms, spread_ms }, ..Self::default() }
    }
}

/// How a call to a user goes on after the first ringing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reaction {
    /// The user answers: 200 with a To tag that no 180 had.
    Answer {
        /// Milliseconds of ringing.
        after_ms: u32,
        /// Up to so many more, drawn from the seed.
        #[serde(default)]
        spread_ms: u32,
    },
    /// The user declines: 603, final for all clients.
    Decline {
        /// Milliseconds of ringing.
        after_ms: u32,
    },
    /// The user is in another call: 486.
    Busy,
    /// Nobody answers and there is no voicemail: it rings until the caller gives up, or Teams does.
    NoAnswer,
    /// Nobody answers, and voicemail does: 200 and a greeting.
    Voicemail {
        /// Milliseconds of ringing; 20,000 at Teams unless set otherwise.
        after_ms: u32,
    },
    /// Nobody answers, and the call is sent on to somebody else: 181.
    Forward {
        /// Milliseconds of ringing before it is sent on; at Teams 20,000 unless set otherwise, or at once.
        after_ms: u32,
        /// Milliseconds until somebody answers there; left out: nobody does.
        #[serde(default)]
        answered_after_ms: Option<u32>,
    },
    /// No client of the user is signed in: 480.
    SignedOut,
    /// The proxy refuses with any status, such as 503.
    Refuse {
        /// The status.
        status: u16,
    },
    /// Nothing is ever answered but 100, until the caller gives up.
    Nothing,
}

/// Keys that are pressed at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Press {
    /// The keys, `0` to `9`, `*`, `#`.
    pub digits: String,
    /// Milliseconds after the answer.
    pub at_ms: u32,
}

/// What is sent as somebody's voice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// A steady tone of the user's own pitch, found again at the other end.
    #[default]
    Tone,
    /// The tone in words and pauses, as speech comes.
    Speech,
    /// Packets of silence.
    Silence,
    /// No packets at all, not even silence.
    Nothing,
}
