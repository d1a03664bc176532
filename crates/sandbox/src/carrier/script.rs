//! What a caller does.

use serde::{Deserialize, Serialize};

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
        }
    }
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
