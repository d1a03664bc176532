//! What has been going on with an agent or in a queue, as far as the rules of offering look at it: counted by the
//! center, and by whoever folds its facts, in the same way.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::AgentState;
use crate::id::QueueId;
use crate::timer::Timestamp;

/// What the rules look at of an agent's past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRecord {
    /// The number of the fact of the last offer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub last_offer: u64,
    /// Conversations since signing in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conversations: u32,
    /// Offers missed one after the other.
    #[serde(default, skip_serializing_if = "is_default")]
    pub misses: u32,
    /// The part of the time spent in conversations and wrap-ups, of 1,000,000,000; what was long ago counts less.
    #[serde(default, skip_serializing_if = "is_default")]
    pub occupancy: u32,
    /// How far the agent is in the turns of each queue that offers by shares.
    #[serde(default, skip_serializing_if = "is_default")]
    pub turns: BTreeMap<QueueId, u64>,
}

impl AgentRecord {
    /// Nothing is behind the agent.
    pub fn is_empty(&self) -> bool {
        *self == AgentRecord::default()
    }

    /// The agent signs in.
    pub fn signed_in(&mut self) {
        self.conversations = 0;
        self.misses = 0;
    }

    /// A conversation began.
    pub fn connected(&mut self) {
        self.conversations = self.conversations.saturating_add(1);
        self.misses = 0;
    }

    /// The agent was in this state from one moment to another.
    pub fn spent(&mut self, state: &AgentState, from: Timestamp, to: Timestamp) {
        let towards = match state {
            AgentState::InConversation { .. } | AgentState::WrapUp { .. } => WHOLE,
            AgentState::Available { .. }
            | AgentState::Offered { .. }
            | AgentState::Resting { .. }
            | AgentState::NotReachable { .. } => 0.0,
            AgentState::Break { .. } | AgentState::Offline | AgentState::Gone => return,
        };
        let kept = (-to.since(from).as_secs_f64() / MEMORY.as_secs_f64()).exp();
        let occupancy = towards + (f64::from(self.occupancy) - towards) * kept;
        self.occupancy = whole(occupancy);
    }

    /// A number that orders agents by their occupancy at any time after a moment since which they have been available,
    /// or occupied: it decays alike for all, or grows alike for all, so that the order does not change meanwhile. Who is
    /// occupied comes after who is not.
    pub fn occupancy_order(&self, since: Timestamp, occupied: bool) -> u64 {
        // The moment at which it, or what is left to the whole, will have decayed to one in a thousand millions.
        let part = if occupied { WHOLE - f64::from(self.occupancy) } else { f64::from(self.occupancy) };
        let decay = part.max(1.0).ln() * MEMORY.as_secs_f64();
        let decayed_at = (since + Duration::try_from_secs_f64(decay).unwrap_or_default()).as_micros();
        if occupied { u64::MAX - decayed_at } else { decayed_at }
    }
}

/// How long conversations and wrap-ups of a queue take: averages in which every new one counts a sixteenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Conversations, holds included; 0: none was yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub talk_us: u64,
    /// Wrap-ups.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wrap_up_us: u64,
}

impl Pace {
    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Pace::default()
    }

    /// A conversation is over.
    pub fn talked(&mut self, us: u64) {
        self.talk_us = average(self.talk_us, us);
    }

    /// A wrap-up is over.
    pub fn wrapped_up(&mut self, us: u64) {
        self.wrap_up_us = average(self.wrap_up_us, us);
    }

    /// How long an agent is occupied with one caller; `None` if nothing is known yet.
    pub fn handling(&self) -> Option<Duration> {
        (self.talk_us > 0).then(|| Duration::from_micros(self.talk_us.saturating_add(self.wrap_up_us)))
    }
}

fn average(before: u64, new: u64) -> u64 {
    if before == 0 { new.max(1) } else { (before - before / 16).saturating_add(new / 16).max(1) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is between 0 and the whole, which fits"
)]
fn whole(part: f64) -> u32 {
    part.clamp(0.0, WHOLE).round() as u32
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// All of the time.
const WHOLE: f64 = 1_000_000_000.0;

/// After this time what was counts about a third.
const MEMORY: Duration = Duration::from_secs(3600);
