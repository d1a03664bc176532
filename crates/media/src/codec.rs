//! Audio codecs as SDP names them.

/// How sound is coded in RTP packets: an encoding name, its clock and its payload number.
///
/// G.711 in its two laws is understood (prompts can be played and the two laws turned into each other); every
/// other codec is only named here and passes through between two legs that both agreed on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    /// The encoding name of the `rtpmap` line, for example `PCMU`. Compared without regard to case.
    pub name: String,
    /// The RTP clock in hertz. G.722 says 8000 although it samples at 16000 (RFC 3551 section 4.5.2).
    pub clock_hz: u32,
    /// Audio channels: 1 unless the `rtpmap` line says more.
    pub channels: u8,
    /// The payload number (0 to 127) this codec has, or is to have, in RTP packets.
    pub payload_type: u8,
    /// The parameters of the `fmtp` line, if there is one, unread.
    pub format: Option<String>,
}

impl Codec {
    /// G.711 mu-law, payload number 0.
    pub fn pcmu() -> Self {
        Self::named("PCMU", 8000, 0)
    }

    /// G.711 A-law, payload number 8.
    pub fn pcma() -> Self {
        Self::named("PCMA", 8000, 8)
    }

    /// A codec with one channel and no parameters.
    pub fn named(name: &str, clock_hz: u32, payload_type: u8) -> Self {
        Self { name: name.to_owned(), clock_hz, channels: 1, payload_type, format: None }
    }

    /// The codec that a payload number means when no `rtpmap` line says otherwise (RFC 3551 section 6).
    pub fn of_static_payload(payload_type: u8) -> Option<Self> {
        let (name, clock_hz) = match payload_type {
            0 => ("PCMU", 8000),
            3 => ("GSM", 8000),
            4 => ("G723", 8000),
            8 => ("PCMA", 8000),
            9 => ("G722", 8000),
            13 => ("CN", 8000),
            15 => ("G728", 8000),
            18 => ("G729", 8000),
            _ => return None,
        };
        Some(Self::named(name, clock_hz, payload_type))
    }

    /// Which law of G.711 this is, if it is G.711.
    pub fn law(&self) -> Option<Law> {
        if self.clock_hz != 8000 || self.channels != 1 {
            None
        } else if self.name.eq_ignore_ascii_case("PCMU") {
            Some(Law::Mu)
        } else if self.name.eq_ignore_ascii_case("PCMA") {
            Some(Law::A)
        } else {
            None
        }
    }

    /// Whether both code sound in the same way, so that packets pass unchanged but for their payload number.
    ///
    /// Parameters are not compared: those of the codecs seen on telephone trunks say what the receiver prefers.
    pub fn same_encoding(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
            && self.clock_hz == other.clock_hz
            && self.channels == other.channels
    }

    /// Whether this is no sound but keys pressed (RFC 4733).
    pub fn is_telephone_event(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event")
    }

    /// Whether this is no sound but the level of silence (RFC 3389).
    pub fn is_comfort_noise(&self) -> bool {
        self.name.eq_ignore_ascii_case("CN")
    }
}

/// The two ways in which G.711 compresses a sample to a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// mu-law, `PCMU`: North America and Japan.
    Mu,
    /// A-law, `PCMA`: the rest of the world.
    A,
}
