//! What is said between those who decide about calls and the threads that move packets.
//!
//! A leg is our end of one party's media: one RTP port for its whole life. Commands return nothing; what became
//! of them comes back as a [`LegEvent`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::dtmf::Digit;
use crate::negotiate::Negotiated;
use crate::prompt::Prompt;
use crate::quality::QualityReport;

/// One leg, for its whole life. Numbers are given out by the caller and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

/// One playing of prompts to one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// One recording of what a leg's far end says. Numbers are given out by the caller and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingId(pub u64);

/// One of our media addresses, by its place in the list the relay was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u16);

/// A pair of sockets that are bound and ours: RTP on `rtp`, RTCP on `rtp + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaPort {
    /// The address it is bound on.
    pub interface: InterfaceId,
    /// The RTP port, always even.
    pub rtp: u16,
}

/// Where media ports come from: handed to those who write descriptions, as time and randomness are.
pub trait Ports {
    /// A port that is bound before this returns, so that it can be written into a description at once.
    ///
    /// It stays reserved until a leg opened on it closes, or until [`Ports::release`].
    fn reserve(&mut self, interface: InterfaceId) -> Result<MediaPort, PortsExhausted>;

    /// Gives back a port on which no leg was opened. Anything else is ignored.
    fn release(&mut self, port: MediaPort);
}

/// No port could be had: all are in use, or the system refused to bind any.
///
/// The call it was for cannot have media: refuse it with 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no media port is free on interface {}", interface.0)]
pub struct PortsExhausted {
    /// The interface that has none left.
    pub interface: InterfaceId,
}

/// What a leg is told.
#[derive(Clone, Debug)]
pub enum LegCommand {
    /// Takes the sockets of a reserved port into service. Packets are thrown away until `Configure`.
    Open {
        /// The new leg.
        leg: LegId,
        /// Its port, reserved before.
        port: MediaPort,
        /// Legs with the same number are served by the same thread: use one number for the legs of a call.
        affinity: u64,
        /// Randomness for stream numbers and the like; must differ from leg to leg.
        seed: u64,
    },
    /// Sets what was negotiated; again at each renegotiation. Cheap when nothing changed.
    ///
    /// Streams continue over it. A changed key starts a new cipher context; the old one serves until the first
    /// packet under the new key.
    Configure {
        /// The leg.
        leg: LegId,
        /// The outcome of the offer and answer.
        negotiated: Arc<Negotiated>,
        /// Whether packets that come from another address than the signalled one are answered there: a phone
        /// behind NAT, a media server that moved. Without it plain packets from elsewhere are thrown away, and
        /// encrypted ones that authenticate are heard while answers go on to the signalled address.
        latch: bool,
    },
    /// Lets two legs hear each other. Either may be bridged elsewhere before; that bridge ends.
    Bridge {
        /// One.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// Ends the leg's bridge; both legs of it hear nothing then.
    Unbridge {
        /// Either leg of the bridge.
        leg: LegId,
    },
    /// Plays prompts one after the other. It takes the place of what plays before, and while it plays the leg
    /// does not hear its bridge.
    Play {
        /// Who hears it.
        leg: LegId,
        /// The name under which its end is reported.
        play: PlayId,
        /// What is played, in order; at most [`PROMPTS_MAX`], the rest is left out.
        prompts: Vec<Arc<Prompt>>,
        /// Whether it begins again at the end, until stopped.
        repeat: bool,
    },
    /// Stops what plays.
    StopPlay {
        /// The leg.
        leg: LegId,
    },
    /// Records what the far end says, and not what it hears: in the place of what is recorded before. Sound comes
    /// as [`LegEvent::Recorded`] in pieces, the end as [`LegEvent::RecordingEnded`].
    Record {
        /// Whose far end.
        leg: LegId,
        /// The recording.
        recording: RecordingId,
        /// It ends when it is so long.
        max: Duration,
        /// It ends when nothing was heard for so long.
        silence: Option<Duration>,
    },
    /// Ends what is recorded.
    StopRecord {
        /// The leg.
        leg: LegId,
    },
    /// Sends digits as telephone events, 100 ms each with pauses of 100 ms. What plays or is heard meanwhile is
    /// left out. More than [`DIGITS_MAX`] waiting digits are dropped. Without telephone events agreed: nothing.
    SendDigits {
        /// The leg whose far end gets them.
        leg: LegId,
        /// The digits.
        digits: Vec<Digit>,
    },
    /// Closes sockets and forgets the leg. `Closed` is its last event.
    Close {
        /// The leg.
        leg: LegId,
    },
}

/// What became of a leg.
#[derive(Clone, Debug, PartialEq)]
pub enum LegEvent {
    /// A command could not be followed.
    Refused {
        /// The leg it named.
        leg: LegId,
        /// Why.
        reason: LegRefusal,
    },
    /// The first packet that is believed has arrived; once in a leg's life.
    FirstPacket {
        /// The leg.
        leg: LegId,
        /// Where it came from.
        source: SocketAddr,
    },
    /// The far end sends from another address than signalled, is believed, and is answered there from now on.
    Latched {
        /// The leg.
        leg: LegId,
        /// The address in use.
        source: SocketAddr,
    },
    /// A key was pressed and let go, told once.
    Digit {
        /// Whose key.
        leg: LegId,
        /// Which key.
        digit: Digit,
        /// How long, as the far end says, in milliseconds.
        duration_ms: u32,
    },
    /// A playing ended.
    Played {
        /// The leg.
        leg: LegId,
        /// Which playing.
        play: PlayId,
        /// How it ended.
        outcome: PlayOutcome,
    },
    /// A piece of a recording, in order; half a second as a rule.
    Recorded {
        /// Which recording.
        recording: RecordingId,
        /// Samples of 16 bits, 8,000 a second.
        samples: Box<[i16]>,
    },
    /// A recording ended. All its pieces were told before.
    RecordingEnded {
        /// The leg.
        leg: LegId,
        /// Which recording.
        recording: RecordingId,
        /// How it ended.
        end: RecordingEnd,
        /// So many samples from the beginning are the recording, none if nothing but silence came. Pieces may hold
        /// more: the silence that ended it.
        samples: u64,
    },
    /// No packet came for a while although the far end may send; told once per silence.
    Silent {
        /// The leg.
        leg: LegId,
        /// How long there was none, in milliseconds.
        for_ms: u32,
    },
    /// Packets come again after `Silent`.
    Heard {
        /// The leg.
        leg: LegId,
    },
    /// How well packets travel; while the leg lives.
    Quality {
        /// The leg.
        leg: LegId,
        /// The figures since the leg opened.
        report: Box<QualityReport>,
    },
    /// The sockets are closed, the port is free; the last event of a leg.
    Closed {
        /// The leg.
        leg: LegId,
        /// The figures of its whole life.
        report: Box<QualityReport>,
    },
}

/// Why a command was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LegRefusal {
    /// No such leg: never opened or already closed.
    #[error("no such leg")]
    UnknownLeg,
    /// The leg is open already.
    #[error("the leg is open already")]
    AlreadyOpen,
    /// The port was not reserved.
    #[error("the port was not reserved")]
    PortNotReserved,
    /// The system refused to watch the socket; the port is free again.
    #[error("the system refused to watch the socket")]
    SocketRefused,
    /// A leg cannot be bridged to itself.
    #[error("a leg cannot be bridged to itself")]
    BridgeToSelf,
}

/// How a playing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayOutcome {
    /// All of it was sent.
    Finished,
    /// `StopPlay`, `Close` or another `Play` ended it.
    Stopped,
    /// The leg's codec is not G.711: nothing can be played to it.
    Unplayable,
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingEnd {
    /// Nothing was heard for as long as was said.
    Silence,
    /// It is as long as it may be.
    Limit,
    /// `StopRecord`, `Close` or another `Record` ended it.
    Stopped,
    /// The leg's codec is not G.711, or the recording could not be kept: there is none.
    Failed,
}

/// Prompts of one `Play`; a number read out digit by digit needs about twenty.
pub const PROMPTS_MAX: usize = 64;
/// Digits that wait to be sent; more are dropped.
pub const DIGITS_MAX: usize = 64;
/// How often `Quality` is told while a leg lives.
pub const QUALITY_INTERVAL: Duration = Duration::from_secs(10);
/// How long no packet comes until `Silent` is told.
pub const SILENCE: Duration = Duration::from_secs(5);
