//! What a caller does.

use serde::{Deserialize, Serialize};

pub use crate::user::Press;
use crate::user::Voice;

/// A caller's call from the first to the last act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// The number that is dialled.
    pub number: String,
    /// The caller's own number.
    pub from: String,
    /// The caller's name.
    pub name: String,
    /// Keys that are pressed.
    pub presses: Vec<Press>,
    /// What is sent as the caller's voice.
    pub voice: Voice,
    /// The pitch of that voice, in hertz.
    pub tone_hz: u16,
    /// The caller gives up when the call is not answered in this time, in milliseconds.
    pub give_up_after_ms: Option<u32>,
    /// The caller hangs up this long after the answer, in milliseconds.
    pub hang_up_after_ms: Option<u32>,
    /// The caller hangs up when no person was heard this long after the answer, in milliseconds. Persons are known
    /// by the tones of the Teams users.
    pub patience_ms: Option<u32>,
    /// The caller hangs up this long after a person was heard, in milliseconds.
    pub talk_ms: Option<u32>,
    /// When a beep of 1000 Hz is heard, the caller leaves a message of so many milliseconds. `None`: leaves none.
    pub message_ms: Option<u32>,
    /// Keys that are pressed after the message, such as `#`. `None`: the caller hangs up.
    pub message_ends: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            number: "+14255550100".to_owned(),
            from: "+12065550142".to_owned(),
            name: "Ada Client".to_owned(),
            presses: Vec::new(),
            voice: Voice::Tone,
            tone_hz: 350,
            give_up_after_ms: None,
            hang_up_after_ms: None,
            patience_ms: None,
            talk_ms: None,
            message_ms: None,
            message_ends: None,
        }
    }
}
