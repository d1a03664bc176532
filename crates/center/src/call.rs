//! The vocabulary of a call: the seam between the center and its doors.
//!
//! A door is a way in from the outside world: SIP Direct Routing today, a Graph bot and Azure Communication
//! Services later. To all of them the center says the same few verbs about *a call with parties*, and from all
//! of them it hears the same few events. A command returns nothing: what became of it arrives as an event.
//! Ids, result codes and addresses of a door stay behind the door; what is opaque there (a REFER, a dialog)
//! is named here by an id only.
//!
//! A call begins either when somebody arrives ([`CallEvent::Arrived`]) or when the center places it
//! ([`CallCommand::Place`]). Its first party is [`PartyId::FIRST`]. Parties added later ring, join and leave. Parties
//! that have joined hear each other, except a party to whom something is being played: it hears that, and nobody
//! hears it less; and except a party that is still apart ([`CallCommand::Admit`]).

mod digit;
mod recording;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::digit::{Digit, Digits};
pub use self::recording::{Record, RecordEnd, RecordingId};

/// One call, for its whole life. Unique over restarts: whoever begins the call draws it from its seeded generator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CallId(pub u64);

/// One party of one call. Numbered by whoever adds the party; never reused within the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyId(pub u16);

/// One act of playing something to a party, so that its end can be told from that of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayId(pub u32);

/// One act of collecting digits from a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CollectId(pub u32);

/// One wish of a party to transfer the call; what the wish says exactly stays behind the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransferId(pub u32);

impl PartyId {
    /// The party with whom the call began: the caller of a call that arrived, or who is rung by a call that is placed.
    pub const FIRST: PartyId = PartyId(0);
}

/// The name of a line: a trunk, a number range or a service of a door over which parties are reached.
pub type LineName = Arc<str>;

/// The name of something that can be played, as the configuration names it (`welcome`, `music`).
pub type PromptName = Arc<str>;

/// Where somebody can be reached, in the terms of the door that reaches them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// A telephone number: E.164 with `+`, or a short code without.
    Phone(Arc<str>),
    /// A SIP address, `sip:user@host[:port]`.
    Sip(Arc<str>),
    /// The caller withheld the number.
    Anonymous,
}

/// An address together with the line over which it is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The line, by its configured name.
    pub line: LineName,
    /// Whom to reach over it.
    pub address: Address,
}

/// What the center wants of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallCommand {
    /// Begin a call: ring somebody, who is then the call's first party. Becomes [`CallEvent::Ringing`] and
    /// [`CallEvent::Joined`] of [`PartyId::FIRST`], or its [`CallEvent::Left`] and [`CallEvent::Ended`]. There is no
    /// [`CallEvent::Answered`]. The center draws the id; one that a call has already is ignored.
    Place {
        /// The new call.
        call: CallId,
        /// Whom to ring, and over which line.
        to: Endpoint,
        /// The number that their telephone shows. `None`: the line's own, or none.
        presented: Option<Address>,
        /// The name beside it; at most 128 bytes.
        presented_name: Option<Arc<str>>,
    },
    /// Answer a call that arrived. Becomes [`CallEvent::Answered`].
    Answer {
        /// The call.
        call: CallId,
    },
    /// Refuse a call that arrived and was not answered. Becomes [`CallEvent::Ended`].
    Reject {
        /// The call.
        call: CallId,
        /// Why, as the caller is told.
        reason: Rejection,
    },
    /// Play prompts to one party, in order; replaces what is being played to that party. The end is
    /// [`CallEvent::Played`], also for the play that was replaced.
    Play {
        /// The call.
        call: CallId,
        /// Who hears it.
        party: PartyId,
        /// Names this act of playing.
        play: PlayId,
        /// What, by configured name.
        prompts: Arc<[PromptName]>,
        /// Begin again after the last prompt, until stopped or replaced: music on hold.
        repeat: bool,
    },
    /// Stop what is being played to a party. Harmless if nothing is.
    StopPlay {
        /// The call.
        call: CallId,
        /// Who hears it.
        party: PartyId,
    },
    /// Collect digits from one party; replaces an earlier collection. Becomes [`CallEvent::Collected`]. Digits
    /// pressed up to [`Collect::TYPE_AHEAD`] before the command count when `type_ahead` is set.
    Collect {
        /// The call.
        call: CallId,
        /// Who presses.
        party: PartyId,
        /// Names this act of collecting.
        collect: CollectId,
        /// How many digits, and how long to wait.
        spec: Collect,
    },
    /// Stop collecting. Harmless if nothing is collected; no event follows.
    StopCollect {
        /// The call.
        call: CallId,
        /// Who presses.
        party: PartyId,
    },
    /// Ring somebody and, when they answer, let them join. Becomes [`CallEvent::Ringing`], then
    /// [`CallEvent::Joined`] or [`CallEvent::Left`]. Several may ring at once, up to [`CallCommand::MAX_RINGING`].
    AddParty {
        /// The call.
        call: CallId,
        /// The new party's number, chosen by the center.
        party: PartyId,
        /// Whom to ring, and over which line.
        to: Endpoint,
        /// The number that their telephone shows. `None`: that of the call's first party if it arrived.
        presented: Option<Address>,
        /// The name beside it; at most 128 bytes. `None`: the name of the call's first party if the number is theirs.
        presented_name: Option<Arc<str>>,
        /// Whoever answers is alone at first, hears only what is played to it and is heard by nobody, until
        /// [`CallCommand::Admit`]. [`CallEvent::Joined`] comes at the answer all the same.
        apart: bool,
    },
    /// Let a party that is apart hear the others and be heard. Before it has answered, it is no longer apart when it
    /// does. In the turn of its [`CallEvent::Joined`] nothing of it can be heard. Harmless if it is not apart.
    Admit {
        /// The call.
        call: CallId,
        /// Who.
        party: PartyId,
    },
    /// Take a party out of the call, ringing or joined. Becomes [`CallEvent::Left`].
    RemoveParty {
        /// The call.
        call: CallId,
        /// Who.
        party: PartyId,
        /// Why, as their telephone is told.
        reason: Removal,
    },
    /// Record what one party says, not what it hears. Becomes [`CallEvent::Recorded`]. One recording at a time for a
    /// party: an earlier one is stopped. Keys are not part of it.
    Record {
        /// The call.
        call: CallId,
        /// Who speaks.
        party: PartyId,
        /// Names the recording for ever.
        recording: RecordingId,
        /// When it ends.
        spec: Record,
    },
    /// Stop recording a party. Harmless if nothing is recorded.
    StopRecord {
        /// The call.
        call: CallId,
        /// Who speaks.
        party: PartyId,
    },
    /// Decide a transfer that a party asked for. An allowed one becomes [`CallEvent::TransferEnded`].
    DecideTransfer {
        /// The call.
        call: CallId,
        /// The wish being decided.
        transfer: TransferId,
        /// Allow it (the door carries it out, the new party gets this number) or refuse it.
        decision: TransferDecision,
    },
    /// End the call for everybody. Becomes [`CallEvent::Ended`]. Harmless on a call that is ending or over.
    End {
        /// The call.
        call: CallId,
    },
}

/// How many digits to collect and how long to wait for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    /// At least 1. With this many digits the collection is complete.
    pub max_digits: u8,
    /// A digit that ends the collection early and is not part of the result, usually `#`.
    pub terminator: Option<Digit>,
    /// How long to wait for the first digit. Counted from the end of what is being played to the party, or
    /// from the command if nothing is.
    pub first_timeout: Duration,
    /// How long to wait for each further digit.
    pub next_timeout: Duration,
    /// The first digit stops what is being played to the party.
    pub barge_in: bool,
    /// Digits pressed shortly before the command count.
    pub type_ahead: bool,
}

impl Collect {
    /// How far back pressed digits are remembered for `type_ahead`.
    pub const TYPE_AHEAD: Duration = Duration::from_secs(3);
}

/// Why a call that arrived is refused, in the words of the telephone network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Nobody has this number (SIP 404, Q.850 cause 1).
    UnknownNumber,
    /// Busy (SIP 486, Q.850 cause 17).
    Busy,
    /// Refused by policy (SIP 403, Q.850 cause 21).
    Forbidden,
    /// Not now (SIP 480, Q.850 cause 31).
    Unavailable,
    /// More calls than the center may hold (SIP 503, Q.850 cause 42).
    Overloaded,
    /// Refused for good (SIP 603, Q.850 cause 21).
    Declined,
}

/// Why a party is taken out of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// The ring time is over. Their telephone shows a missed call.
    NotAnswered,
    /// Somebody else answered, or the caller is gone. Their telephone shows no missed call.
    NoLongerNeeded,
    /// The conversation is over.
    Finished,
}

/// What the center says to a transfer that a party asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferDecision {
    /// Carry it out; the target becomes this party of the call.
    Allow {
        /// The number of the new party.
        party: PartyId,
    },
    /// Refuse; the call goes on as it is.
    Refuse,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEvent {
    /// Somebody calls. The center answers with [`CallCommand::Answer`] or [`CallCommand::Reject`]. Told once for a call
    /// id, and never for one that the center placed.
    Arrived(Arrival),
    /// The answer reached the caller: both ends have media.
    Answered {
        /// The call.
        call: CallId,
    },
    /// An added party's telephone rings.
    Ringing {
        /// The call.
        call: CallId,
        /// Who.
        party: PartyId,
    },
    /// The network says that the call of a ringing party is being sent on elsewhere, such as to voicemail or to the
    /// number of somebody else. It rings on until it is taken out; who answers is perhaps not who was rung.
    Forwarded {
        /// The call.
        call: CallId,
        /// Whose call is sent on.
        party: PartyId,
    },
    /// A party that was rung answered and hears and is heard, unless it was added apart.
    Joined {
        /// The call.
        call: CallId,
        /// Who.
        party: PartyId,
    },
    /// A party is no longer in the call: it hung up, was removed, refused, did not answer, or was lost. Told once
    /// for each party that was added, placed or arrived; but for `Quality` and `Recorded` no event about that party
    /// follows.
    Left {
        /// The call.
        call: CallId,
        /// Who.
        party: PartyId,
        /// Why.
        cause: Cause,
    },
    /// A play ended.
    Played {
        /// The call.
        call: CallId,
        /// Who heard it.
        party: PartyId,
        /// Which play.
        play: PlayId,
        /// How it ended.
        outcome: PlayOutcome,
    },
    /// A collection of digits ended.
    Collected {
        /// The call.
        call: CallId,
        /// Who pressed.
        party: PartyId,
        /// Which collection.
        collect: CollectId,
        /// The digits in order, without the terminator; may be empty.
        digits: Digits,
        /// How it ended.
        end: CollectEnd,
    },
    /// A recording ended. Told once for each, before the call's `Ended`; where it was the party's leaving that ended
    /// it, after its `Left`. Unless it failed or is empty, it can be played from now on ([`RecordingId::prompt`]).
    Recorded {
        /// The call.
        call: CallId,
        /// Who spoke.
        party: PartyId,
        /// Which recording.
        recording: RecordingId,
        /// How it ended.
        end: RecordEnd,
        /// How long it is, the silence that ended it not counted; zero if nothing was said at all.
        length: Duration,
    },
    /// A party put the call on hold.
    Held {
        /// The call.
        call: CallId,
        /// Who did.
        party: PartyId,
        /// The holding side sends no music of its own: the others hear silence unless something is played to them.
        silent: bool,
    },
    /// A party took the call back from hold.
    Resumed {
        /// The call.
        call: CallId,
        /// Who did.
        party: PartyId,
    },
    /// A party asks to be replaced by somebody else. The center decides with [`CallCommand::DecideTransfer`];
    /// without a decision within 30 seconds the door refuses.
    TransferAsked {
        /// The call.
        call: CallId,
        /// Who asks.
        party: PartyId,
        /// Names the wish.
        transfer: TransferId,
        /// To whom, as far as it can be read; a target that only the door understands is `None`.
        target: Option<Address>,
    },
    /// An allowed transfer came to an end. On success the new party has [`CallEvent::Joined`] before this event
    /// and the asking party [`CallEvent::Left`] after it. On failure the new party has `Left`.
    TransferEnded {
        /// The call.
        call: CallId,
        /// Which wish.
        transfer: TransferId,
        /// Whether the new party joined.
        outcome: TransferOutcome,
    },
    /// How well a party was heard. Told once, after the party's `Left` and before the call's `Ended`: the figures
    /// come from the media side a moment later, and nothing waits for them.
    Quality {
        /// The call.
        call: CallId,
        /// Whose leg was measured.
        party: PartyId,
        /// The measurement.
        quality: Quality,
    },
    /// The call is over for everybody. The last event of the call; every party has had its `Left`. It may come up to
    /// a second after the last `Left`, and up to ten seconds where a recording is still being written.
    Ended {
        /// The call.
        call: CallId,
        /// Why.
        cause: Cause,
    },
}

impl CallEvent {
    /// The call that the event is about.
    pub fn call(&self) -> CallId {
        match self {
            CallEvent::Arrived(arrival) => arrival.call,
            CallEvent::Answered { call }
            | CallEvent::Ringing { call, .. }
            | CallEvent::Forwarded { call, .. }
            | CallEvent::Joined { call, .. }
            | CallEvent::Left { call, .. }
            | CallEvent::Played { call, .. }
            | CallEvent::Collected { call, .. }
            | CallEvent::Recorded { call, .. }
            | CallEvent::Held { call, .. }
            | CallEvent::Resumed { call, .. }
            | CallEvent::TransferAsked { call, .. }
            | CallEvent::TransferEnded { call, .. }
            | CallEvent::Quality { call, .. }
            | CallEvent::Ended { call, .. } => *call,
        }
    }
}

impl CallCommand {
    /// So many parties of one call may ring at once. One more is not rung: [`CallEvent::Left`] with
    /// [`CauseKind::Limit`].
    pub const MAX_RINGING: usize = 50;

    /// The call that the command is about.
    pub fn call(&self) -> CallId {
        match self {
            CallCommand::Place { call, .. }
            | CallCommand::Answer { call }
            | CallCommand::Reject { call, .. }
            | CallCommand::Play { call, .. }
            | CallCommand::StopPlay { call, .. }
            | CallCommand::Collect { call, .. }
            | CallCommand::StopCollect { call, .. }
            | CallCommand::AddParty { call, .. }
            | CallCommand::Admit { call, .. }
            | CallCommand::RemoveParty { call, .. }
            | CallCommand::Record { call, .. }
            | CallCommand::StopRecord { call, .. }
            | CallCommand::DecideTransfer { call, .. }
            | CallCommand::End { call } => *call,
        }
    }
}

/// Somebody calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The new call, drawn by the door.
    pub call: CallId,
    /// The line over which it came.
    pub line: LineName,
    /// Who calls.
    pub from: Address,
    /// The caller's name as their network gives it; may be empty, at most 128 bytes.
    pub from_name: Arc<str>,
    /// The number or address that was dialled.
    pub to: Address,
}

/// How a play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayOutcome {
    /// Played to the end.
    Completed,
    /// Stopped, replaced, interrupted by a digit, or the party left.
    Stopped,
    /// A prompt does not exist or could not be played; the party heard silence.
    Failed,
}

/// How a collection of digits ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectEnd {
    /// All digits came.
    Complete,
    /// The terminator came.
    Terminated,
    /// No further digit came in time; `digits` holds those that did.
    TimedOut,
}

/// How an allowed transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// The new party joined, the asking party leaves.
    Done,
    /// The new party did not join; everything is as before.
    Failed,
}

/// Why a party or a call came to an end: one word for all doors, and the door's own code for the record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// The cause in one word.
    pub kind: CauseKind,
    /// The door's own code, for the record and for support cases; for SIP the status, `0` if there was none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub code: u16,
    /// The door's own text, such as the correlation id in Microsoft's Reason header; at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Arc<str>>,
}

impl Cause {
    /// A cause of which no door has said more.
    pub fn of(kind: CauseKind) -> Cause {
        Cause { kind, code: 0, detail: None }
    }
}

impl From<CauseKind> for Cause {
    fn from(kind: CauseKind) -> Cause {
        Cause::of(kind)
    }
}

/// The causes, the same for all doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// The party hung up after it had joined.
    HungUp,
    /// The caller gave up before the answer.
    Cancelled,
    /// The center took the party out or ended the call.
    Removed,
    /// The party was transferred away.
    Transferred,
    /// The telephone rang and nobody answered.
    NotAnswered,
    /// Busy.
    Busy,
    /// The person refused.
    Declined,
    /// Nobody has that number or address.
    NotFound,
    /// The party cannot be reached now (not signed in, switched off).
    Unavailable,
    /// Our right to call there was refused.
    Forbidden,
    /// The two ends have no codec or encryption in common.
    NotAcceptable,
    /// The line is down: no connection, no answer to our request.
    Unreachable,
    /// The other network is overloaded.
    Overloaded,
    /// The other network failed in some other way.
    NetworkFailure,
    /// The connection or the media broke off in the middle of the call.
    Lost,
    /// Refused by the center.
    Rejected,
    /// A limit of this installation was reached (calls, media ports).
    Limit,
    /// The program was restarted in the middle of the call.
    Restarted,
}

/// How well one party was heard, as far as the door can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Estimated mean opinion score times 100 (100 to 500, ITU-T G.107); `None` if nothing was received.
    pub mos_x100: Option<u16>,
    /// Packets received.
    pub packets_received: u64,
    /// Packets lost on the way to us, in parts per ten thousand.
    pub lost_x10000: u16,
    /// Interarrival jitter in milliseconds (RFC 3550 section 6.4.1).
    pub jitter_ms: u16,
    /// Round trip in milliseconds, if the other end's reports allow it.
    pub round_trip_ms: Option<u16>,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallId({self})")
    }
}

impl std::str::FromStr for CallId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<CallId, NotAnId> {
        if text.len() != 16 {
            return Err(NotAnId);
        }
        u64::from_str_radix(text, 16).map(CallId).map_err(|_| NotAnId)
    }
}

impl From<CallId> for String {
    fn from(id: CallId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for CallId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<CallId, NotAnId> {
        text.parse()
    }
}

/// The text is not an id: 16 hexadecimal digits are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 16 hexadecimal digits are expected")]
pub struct NotAnId;

fn is_zero(code: &u16) -> bool {
    *code == 0
}
