//! Session descriptions of a plain carrier: G.711 and digits, no encryption.

use std::fmt;
use std::net::SocketAddr;

use tandem_media::codec::{Codec, Law};
use tandem_media::sdp::{Direction, Sdp};

/// A description of the carrier's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ours {
    pub(super) session: u64,
    pub(super) version: u32,
    pub(super) address: SocketAddr,
    /// Payload numbers: those of an offer, or what is left of them in an answer.
    pub(super) formats: Vec<Codec>,
    pub(super) direction: Direction,
}

impl fmt::Display for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, version, address, formats, direction } = self;
        let (ip, port) = (address.ip(), address.port());
        let kind = if ip.is_ipv4() { "IP4" } else { "IP6" };
        write!(
            f,
            "v=0\r\no=carrier {session} {version} IN {kind} {ip}\r\ns=call\r\nc=IN {kind} {ip}\r\nt=0 0\r\n"
        )?;
        write!(f, "m=audio {port} RTP/AVP")?;
        formats.iter().try_for_each(|codec| write!(f, " {}", codec.payload_type))?;
        f.write_str("\r\n")?;
        for codec in formats {
            write!(f, "a=rtpmap:{} {}/{}\r\n", codec.payload_type, codec.name, codec.clock_hz)?;
            if codec.is_telephone_event() {
                write!(f, "a=fmtp:{} 0-15\r\n", codec.payload_type)?;
            }
        }
        write!(f, "a=ptime:20\r\na={}\r\n", direction.name())
    }
}

/// What the carrier offers.
pub(super) fn offered() -> Vec<Codec> {
    vec![Codec::pcma(), Codec::pcmu(), Codec::named("telephone-event", 8000, 96)]
}

/// What matters in a description of the border controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Theirs {
    pub(super) address: SocketAddr,
    pub(super) reports: SocketAddr,
    pub(super) sound: (u8, Law),
    pub(super) telephone_event: Option<u8>,
    pub(super) direction: Direction,
    /// The codecs that the carrier takes of it.
    pub(super) common: Vec<Codec>,
}

impl Theirs {
    /// Reads an offer or an answer; `None`: nothing that a carrier can use.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let sdp = Sdp::parse(body).ok()?;
        let (_, audio) = sdp.audio().filter(|(_, audio)| audio.port != 0 && audio.protocol == "RTP/AVP")?;
        let ip = sdp.address(audio)?;
        let takes = |codec: &Codec| codec.law().is_some() || codec.is_telephone_event();
        let common: Vec<Codec> = audio.codecs().into_iter().filter(takes).collect();
        let sound = common.iter().find_map(|codec| Some((codec.payload_type, codec.law()?)))?;
        let telephone_event = common.iter().find(|codec| codec.is_telephone_event());
        let report_port = audio.attribute("rtcp").and_then(|value| value.split(' ').next()?.parse().ok());
        // A hold of old fashion hides the address: nothing is sent then.
        let hidden = ip.is_unspecified();
        let direction = if hidden { Direction::Inactive } else { sdp.direction(audio) };
        Some(Self {
            address: SocketAddr::new(ip, audio.port),
            reports: SocketAddr::new(ip, report_port.unwrap_or_else(|| audio.port.saturating_add(1))),
            sound,
            telephone_event: telephone_event.map(|codec| codec.payload_type),
            direction,
            common,
        })
    }
}
