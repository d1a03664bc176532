//! Recordings of what a party says: their names, their limits and their ends.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CallId, Digit, NotAnId, PromptName};

/// One recording of what a party said. Unique over restarts: the center draws it from its seeded generator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RecordingId(pub u64);

impl RecordingId {
    /// The name by which [`CallCommand::Play`] plays the recording back: `recording:` and the id.
    pub fn prompt(self) -> PromptName {
        format!("{RECORDING_PREFIX}{self}").into()
    }

    /// The recording that a prompt's name means; `None` if it is the name of an ordinary prompt.
    pub fn of_prompt(name: &str) -> Option<RecordingId> {
        name.strip_prefix(RECORDING_PREFIX)?.parse().ok()
    }
}

/// How long to record and what ends it earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The recording ends at this length; a door may have a lower limit of its own, [`Record::MAX`] at most.
    pub max: Duration,
    /// So much silence in one piece ends it; at the beginning it may be silent as long. `None`: silence does not end it.
    pub silence: Option<Duration>,
    /// A key that ends it. Any other key is collected as ever.
    pub terminator: Option<Digit>,
}

impl Record {
    /// No recording is longer, whatever is asked.
    pub const MAX: Duration = Duration::from_secs(10 * 60);
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordEnd {
    /// The terminator came.
    Complete,
    /// The party was silent for so long.
    Silence,
    /// It is as long as it may be.
    Limit,
    /// The center stopped it, or began another one.
    Stopped,
    /// The party left.
    PartyLeft,
    /// It could not be written, or more are being made than may be at once. There is nothing to play.
    Failed,
}

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordingId({self})")
    }
}

impl std::str::FromStr for RecordingId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<RecordingId, NotAnId> {
        text.parse::<CallId>().map(|id| RecordingId(id.0))
    }
}

impl From<RecordingId> for String {
    fn from(id: RecordingId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for RecordingId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<RecordingId, NotAnId> {
        text.parse()
    }
}

/// What the name of a recording begins with; a configured prompt cannot have a colon in its name.
const RECORDING_PREFIX: &str = "recording:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_played_by_a_name_that_leads_back_to_it() {
        let recording = RecordingId(0x2a);
        assert_eq!(&*recording.prompt(), "recording:000000000000002a");
        assert_eq!(RecordingId::of_prompt(&recording.prompt()), Some(recording));
        for name in
            ["welcome", "recording:", "recording:2a", "recording:000000000000002a.wav", "000000000000002a"]
        {
            assert_eq!(RecordingId::of_prompt(name), None, "{name}");
        }
    }
}
