//! What is said between those who play Teams or a caller and the ports that move sound. Ports are sockets in
//! [`crate::port`]; here are only words.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;
use tandem_media::codec::Law;
use tandem_media::dtmf::Digit;
use tandem_media::srtp::SrtpKey;

use crate::event::Sound;

/// One media port. Teams and carrier number theirs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortId {
    /// A media processor's, for a call of a Teams user.
    Teams(u64),
    /// A caller's.
    Carrier(u64),
}

/// What a port shall do. What became of it comes back as a [`PortEvent`].
#[derive(Clone, Debug, PartialEq)]
pub enum PortCommand {
    /// Open a port on this address: [`PortEvent::Opened`] or [`PortEvent::Failed`] follows.
    Open {
        /// Its name from now on.
        port: PortId,
        /// The address, without a port number.
        address: IpAddr,
    },
    /// Begin, or change what is sent and expected.
    Configure {
        /// The port.
        port: PortId,
        /// What is sent and expected.
        stream: Box<Stream>,
    },
    /// Send these digits as telephone events.
    Digits {
        /// The port.
        port: PortId,
        /// The digits.
        digits: Vec<Digit>,
    },
    /// Close the port: [`PortEvent::Closed`] follows.
    Close {
        /// The port.
        port: PortId,
    },
}

/// What a port sends and expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Where packets go.
    pub target: SocketAddr,
    /// Where reports go.
    pub reports: SocketAddr,
    /// Where packets are expected from.
    pub expected: SocketAddr,
    /// Payload number and law of sound.
    pub sound: (u8, Law),
    /// The payload number of digits.
    pub telephone_event: Option<u8>,
    /// The keys, ours and theirs; none for plain RTP.
    pub keys: Option<(SrtpKey, SrtpKey)>,
    /// Octets of the key identifier in their packets.
    pub mki_octets: u8,
    /// What is sent.
    pub sending: Sending,
}

/// What a port sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sending {
    /// No packets of sound; reports are sent.
    Nothing,
    /// Packets of silence.
    Silence,
    /// A steady tone of so many hertz.
    Tone(u16),
    /// That tone in words and pauses.
    Speech(u16),
    /// Music for somebody on hold.
    Music,
    /// The greeting of a voicemail, then silence.
    Greeting,
}

/// What a port tells.
#[derive(Clone, Debug, PartialEq)]
pub enum PortEvent {
    /// It is open at this address.
    Opened {
        /// The port.
        port: PortId,
        /// Its address.
        address: SocketAddr,
    },
    /// It could not be opened.
    Failed {
        /// The port.
        port: PortId,
        /// What the system said.
        error: String,
    },
    /// A digit came.
    Digit {
        /// The port.
        port: PortId,
        /// The digit.
        digit: Digit,
    },
    /// What comes sounds different from before.
    Hears {
        /// The port.
        port: PortId,
        /// What it is now.
        sound: Sound,
    },
    /// It is closed.
    Closed {
        /// The port.
        port: PortId,
        /// All that was counted.
        counts: Box<Counts>,
    },
}

/// What a port counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    /// RTP packets that came and were taken.
    pub received: u64,
    /// RTP packets that were sent.
    pub sent: u64,
    /// Packets missing in the numbers of what came.
    pub lost: u64,
    /// RTCP packets that came and were taken.
    pub reports: u64,
    /// SRTP packets that did not authenticate.
    pub not_authentic: u64,
    /// Packets from another address or port than expected.
    pub from_elsewhere: u64,
    /// Packets that are no RTP, or of a payload number that was not agreed.
    pub strange: u64,
    /// How often the number of the stream changed.
    pub streams: u64,
    /// The digits that came.
    pub digits: String,
    /// What is heard now.
    pub hears: Option<Sound>,
    /// The tones that were heard so far, in order; one that is interrupted and goes on counts once.
    pub tones: Vec<u16>,
    /// How loud it is now, in dB below full scale.
    pub level_db: Option<i16>,
    /// From the first to the last packet that came, in milliseconds.
    pub heard_ms: u64,
}
