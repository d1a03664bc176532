//! Session descriptions: Teams' own in their known form, and what is read in those of the border controller.

use std::fmt;
use std::net::SocketAddr;

use tandem_media::codec::{Codec, Law};
use tandem_media::sdp::{Crypto, Direction, Media, Sdp};
use tandem_media::srtp::SrtpKey;

/// A description that Teams sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// The second number of `o=`: stays for the life of a call.
    pub session: u32,
    /// The third number of `o=`.
    pub version: u32,
    /// Where Teams listens.
    pub address: SocketAddr,
    /// Payload numbers in their order.
    pub formats: Vec<Format>,
    /// The tag of the crypto line.
    pub crypto_tag: u32,
    /// The key with which Teams encrypts.
    pub key: SrtpKey,
    /// Who may speak.
    pub direction: Direction,
    /// RTP and RTCP share one port.
    pub rtcp_mux: bool,
    /// Media of the offer that are refused, each as its `m=` line with port 0, behind the audio.
    pub refused: Vec<String>,
}

impl fmt::Display for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ip, port) = (self.address.ip(), self.address.port());
        let kind = if ip.is_ipv4() { "IP4" } else { "IP6" };
        write!(f, "v=0\r\no=- {} {} IN IP4 127.0.0.1\r\n", self.session, self.version)?;
        write!(f, "s=session\r\nc=IN {kind} {ip}\r\nb=CT:10000000\r\nt=0 0\r\nm=audio {port} RTP/SAVP")?;
        for format in &self.formats {
            write!(f, " {}", format.payload_type)?;
        }
        write!(f, "\r\nc=IN {kind} {ip}\r\na=rtcp:{port}\r\n")?;
        if self.rtcp_mux {
            f.write_str("a=rtcp-mux\r\n")?;
        }
        let key = self.key.to_inline();
        write!(
            f,
            "a=label:main-audio\r\na=crypto:{} {} inline:{key}|2^31\r\n",
            self.crypto_tag,
            Crypto::SUITE
        )?;
        write!(f, "a={}\r\n", self.direction.name())?;
        for format in &self.formats {
            write!(f, "a=rtpmap:{} {}\r\n", format.payload_type, format.encoding)?;
            if let Some(parameters) = format.parameters {
                write!(f, "a=fmtp:{} {parameters}\r\n", format.payload_type)?;
            }
        }
        f.write_str("a=ptime:20\r\n")?;
        self.refused.iter().try_for_each(|line| write!(f, "{line}\r\n"))
    }
}

/// One payload number and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The number.
    pub payload_type: u8,
    /// Name and clock, as in `rtpmap`.
    pub encoding: &'static str,
    /// The text of `fmtp`.
    pub parameters: Option<&'static str>,
}

/// What Teams offers, in its order. Numbers and order are inferred: no complete offer is published.
pub fn offered_formats() -> Vec<Format> {
    FORMATS
        .iter()
        .map(|(payload_type, encoding, parameters)| Format {
            payload_type: *payload_type,
            encoding,
            parameters: *parameters,
        })
        .collect()
}

/// What Teams takes of an offer: the codecs it has, in the offer's order and under the offer's numbers.
pub fn answered_formats(offered: &[Codec]) -> Vec<Format> {
    let taken = offered.iter().filter_map(|codec| {
        let encoding = format!("{}/{}", codec.name, codec.clock_hz);
        let (_, encoding, parameters) =
            FORMATS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(&encoding))?;
        Some(Format { payload_type: codec.payload_type, encoding, parameters: *parameters })
    });
    taken.collect()
}

const FORMATS: &[(u8, &str, Option<&str>)] = &[
    (104, "SILK/16000", None),
    (9, "G722/8000", None),
    (103, "SILK/8000", None),
    (18, "G729/8000", Some("annexb=no")),
    (0, "PCMU/8000", None),
    (8, "PCMA/8000", None),
    (101, "telephone-event/8000", Some("0-16")),
    (13, "CN/8000", None),
    (118, "CN/16000", None),
];

/// What matters in a description of the border controller.
#[derive(Clone, Debug)]
pub struct Theirs {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its codecs, in its order.
    pub codecs: Vec<Codec>,
    /// The crypto line with the suite of Direct Routing.
    pub crypto: Crypto,
    /// Who may speak, as it says.
    pub direction: Direction,
    /// RTP and RTCP share one port.
    pub rtcp_mux: bool,
    /// The second and third number of `o=`.
    pub origin: (String, String),
    /// Everything but `o=`, to see whether the content changed.
    pub content: String,
    /// The `m=` lines behind the audio, refused.
    pub others: Vec<String>,
}

impl Theirs {
    /// Reads an offer or an answer.
    pub fn read(body: &[u8]) -> Result<Self, Unusable> {
        let sdp = Sdp::parse(body).map_err(|error| Unusable::Unreadable(error.to_string()))?;
        let (_, audio) = sdp.audio().filter(|(_, audio)| audio.port != 0).ok_or(Unusable::NoAudio)?;
        let address = sdp.address(audio).ok_or_else(|| Unusable::Unreadable("no c= line".to_owned()))?;
        if address.is_unspecified() {
            return Err(Unusable::AddressZero);
        }
        let codecs = audio.codecs();
        if let Some(number) = number_twice(audio) {
            return Err(Unusable::PayloadNumberTwice(number));
        }
        let usable = |crypto: &Crypto| crypto.suite == Crypto::SUITE && crypto.key.is_some();
        let crypto = audio.crypto().find(usable);
        let protocol = audio.protocol.to_ascii_uppercase();
        let crypto = crypto.filter(|_| protocol.ends_with("RTP/SAVP")).ok_or(Unusable::NoSrtp)?;
        let sound = |codec: &&Codec| !codec.is_telephone_event() && !codec.is_comfort_noise();
        let common = answered_formats(&codecs.iter().filter(sound).cloned().collect::<Vec<_>>());
        if common.is_empty() {
            return Err(Unusable::NoCommonCodec);
        }
        let text = String::from_utf8_lossy(body);
        let content = text.lines().filter(|line| !line.starts_with("o=")).collect::<Vec<_>>().join("\n");
        let others = sdp.media.iter().filter(|media| !std::ptr::eq(*media, audio));
        Ok(Self {
            address: SocketAddr::new(address, audio.port),
            codecs,
            crypto,
            direction: sdp.direction(audio),
            rtcp_mux: audio.attribute("rtcp-mux").is_some(),
            origin: (sdp.origin.session_id.clone(), sdp.origin.session_version.clone()),
            content,
            others: others
                .map(|media| format!("m={} 0 {} {}", media.kind, media.protocol, media.formats.join(" ")))
                .collect(),
        })
    }

    /// The first G.711 in the list: the only codecs in which the sandbox speaks and hears.
    pub fn law(&self) -> Option<(u8, Law)> {
        self.codecs.iter().find_map(|codec| Some((codec.payload_type, codec.law()?)))
    }

    /// The payload number of digits.
    pub fn telephone_event(&self) -> Option<u8> {
        self.codecs.iter().find(|codec| codec.is_telephone_event()).map(|codec| codec.payload_type)
    }
}

/// Why Teams does not take a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is no description.
    Unreadable(String),
    /// There is no audio in it, or its port is 0.
    NoAudio,
    /// `c=` is 0.0.0.0.
    AddressZero,
    /// No RTP/SAVP with the suite of Direct Routing.
    NoSrtp,
    /// No codec that Teams has.
    NoCommonCodec,
    /// One payload number for two codecs.
    PayloadNumberTwice(u8),
}

fn number_twice(audio: &Media) -> Option<u8> {
    let mut maps: Vec<(u8, String)> = Vec::new();
    for attribute in audio.attributes.iter().filter(|a| a.name.eq_ignore_ascii_case("rtpmap")) {
        let (number, encoding) = attribute.value.as_deref()?.trim().split_once(' ')?;
        let (number, encoding) = (number.parse().ok()?, encoding.trim().to_ascii_lowercase());
        if maps.iter().any(|(known, other)| *known == number && *other != encoding) {
            return Some(number);
        }
        maps.push((number, encoding));
    }
    None
}
