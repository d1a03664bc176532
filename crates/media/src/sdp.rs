//! Session descriptions (RFC 8866) as they come from the wire: read leniently, kept in order.
//!
//! What matters to a call is offered by methods of [`Media`]; every attribute is kept, understood or not. What
//! the two sides make of a description is the matter of [`crate::negotiate`].

use std::net::IpAddr;

use crate::codec::Codec;
use crate::srtp::SrtpKey;

/// A session description: who speaks, from which address, and the media it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdp {
    /// The `o=` line. Its address is often 127.0.0.1 and is never used.
    pub origin: Origin,
    /// The `c=` line above the first medium.
    pub connection: Option<IpAddr>,
    /// The `a=` lines above the first medium.
    pub attributes: Vec<Attribute>,
    /// The media in their order: an answer must have as many.
    pub media: Vec<Media>,
}

impl Sdp {
    /// Reads a description.
    ///
    /// Line ends may be CRLF or LF, unknown lines are passed over, and the order of lines inside a section does
    /// not matter. Errors name the line: see [`SdpError`].
    pub fn parse(body: &[u8]) -> Result<Self, SdpError> {
        if body.len() > BODY_OCTETS_MAX {
            return Err(SdpError::TooLarge);
        }
        let text = std::str::from_utf8(body).map_err(|_| SdpError::NotText)?;
        let mut version_seen = false;
        let mut origin = None;
        let mut connection = None;
        let mut attributes = Vec::new();
        let mut media: Vec<Media> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                continue;
            }
            let Some((kind, value)) = line.split_once('=') else {
                return Err(SdpError::NoEquals { line: number });
            };
            let value = value.trim_end();
            match kind {
                "v" if value.trim() != "0" => return Err(SdpError::Version { line: number }),
                "v" => version_seen = true,
                "o" => origin = Some(Origin::parse(value).ok_or(SdpError::Origin { line: number })?),
                "c" => {
                    let address = parse_connection(value).ok_or(SdpError::Connection { line: number })?;
                    match media.last_mut() {
                        Some(section) => section.connection = Some(address),
                        None => connection = Some(address),
                    }
                }
                "m" if media.len() == MEDIA_MAX => return Err(SdpError::TooMany { line: number }),
                "m" => media.push(Media::parse(value).ok_or(SdpError::Media { line: number })?),
                "a" => {
                    let list = match media.last_mut() {
                        Some(section) => &mut section.attributes,
                        None => &mut attributes,
                    };
                    if list.len() == ATTRIBUTES_MAX {
                        return Err(SdpError::TooMany { line: number });
                    }
                    list.push(Attribute::parse(value));
                }
                _ => {}
            }
        }
        if !version_seen {
            return Err(SdpError::MissingVersion);
        }
        let origin = origin.ok_or(SdpError::MissingOrigin)?;
        Ok(Self { origin, connection, attributes, media })
    }

    /// The first sound section with its place among the media, refused or not.
    pub fn audio(&self) -> Option<(usize, &Media)> {
        let open = |m: &&Media| m.is_audio() && m.port != 0;
        let place = self
            .media
            .iter()
            .position(|m| open(&m))
            .or_else(|| self.media.iter().position(Media::is_audio))?;
        Some((place, self.media.get(place)?))
    }

    /// Where a section's packets are to be sent: its own `c=` line, or the one above all sections.
    pub fn address(&self, media: &Media) -> Option<IpAddr> {
        media.connection.or(self.connection)
    }

    /// The direction of a section, from the speaker's view: its own line, the one above, or both ways.
    pub fn direction(&self, media: &Media) -> Direction {
        Direction::among(&media.attributes)
            .or_else(|| Direction::among(&self.attributes))
            .unwrap_or(Direction::SendRecv)
    }
}

/// The `o=` line: which description this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name of the user, `-` mostly.
    pub username: String,
    /// The number that stays for the life of a call. Kept as text: some senders exceed 64 bits.
    pub session_id: String,
    /// The number that grows when the description changes.
    pub session_version: String,
    /// The address as written; not to be used.
    pub address: String,
}

impl Origin {
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let mut next = || words.next().map(str::to_owned);
        let (username, session_id, session_version) = (next()?, next()?, next()?);
        let (_net, _kind) = (next()?, next()?);
        Some(Self { username, session_id, session_version, address: next()? })
    }
}

/// One medium of a description: an `m=` line and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, ...
    pub kind: String,
    /// The RTP port. 0 means refused or withdrawn.
    pub port: u16,
    /// The transport as written, for example `RTP/SAVP`.
    pub protocol: String,
    /// Everything behind the transport, in order: payload numbers and, at times, stray words.
    pub formats: Vec<String>,
    /// The section's own `c=` line.
    pub connection: Option<IpAddr>,
    /// The section's `a=` lines in order.
    pub attributes: Vec<Attribute>,
}

impl Media {
    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace().map(str::to_owned).peekable();
        let kind = words.next()?;
        let port = words.next()?;
        let port = port.split('/').next()?.parse().ok()?;
        let mut rest: Vec<String> = words.collect();
        // Microsoft's samples hold a stray word in this line: the transport is the first word that looks like one.
        let place = rest.iter().position(|w| w.contains('/')).unwrap_or(0);
        if rest.is_empty() || rest.len() > FORMATS_MAX {
            return None;
        }
        let protocol = rest.remove(place);
        Some(Self { kind, port, protocol, formats: rest, connection: None, attributes: Vec::new() })
    }

    /// Whether this section is sound.
    pub fn is_audio(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio")
    }

    /// The payload numbers of the `m=` line in the order of preference; stray words are passed over.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + '_ {
        self.formats.iter().filter_map(|f| f.parse().ok()).filter(|n| *n < 128)
    }

    /// The codecs of this section in the order of preference, telephone events and comfort noise among them.
    ///
    /// A number without `rtpmap` has its fixed meaning or is passed over. Where one number is mapped twice the
    /// first mapping counts, so that a number never means two things.
    pub fn codecs(&self) -> Vec<Codec> {
        let mut codecs: Vec<Codec> = Vec::new();
        for payload_type in self.payload_types() {
            if codecs.iter().any(|c| c.payload_type == payload_type) {
                continue;
            }
            let Some(mut codec) =
                self.mapped(payload_type).or_else(|| Codec::of_static_payload(payload_type))
            else {
                continue;
            };
            codec.format = self.format(payload_type).map(str::to_owned);
            codecs.push(codec);
        }
        codecs
    }

    /// The first value of an attribute, `Some("")` for one without a value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|a| a.name.eq_ignore_ascii_case(name))
            .map(|a| a.value.as_deref().unwrap_or(""))
    }

    /// The `a=crypto` lines that can be read (RFC 4568), in order.
    pub fn crypto(&self) -> impl Iterator<Item = Crypto> + '_ {
        let values = self.attributes.iter().filter(|a| a.name.eq_ignore_ascii_case("crypto"));
        values.filter_map(|a| Crypto::parse(a.value.as_deref()?))
    }

    fn mapped(&self, payload_type: u8) -> Option<Codec> {
        let maps = self.attributes.iter().filter(|a| a.name.eq_ignore_ascii_case("rtpmap"));
        maps.filter_map(|a| parse_rtpmap(a.value.as_deref()?)).find(|c| c.payload_type == payload_type)
    }

    fn format(&self, payload_type: u8) -> Option<&str> {
        let formats = self.attributes.iter().filter(|a| a.name.eq_ignore_ascii_case("fmtp"));
        let mut pairs = formats.filter_map(|a| a.value.as_deref()?.trim_start().split_once(' '));
        pairs.find(|(number, _)| number.parse() == Ok(payload_type)).map(|(_, format)| format.trim())
    }
}

/// An `a=` line: a name and perhaps a value.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    /// What stands before the colon.
    pub name: String,
    /// What stands behind the colon, if there is one.
    pub value: Option<String>,
}

impl Attribute {
    fn parse(value: &str) -> Self {
        match value.split_once(':') {
            Some((name, value)) => Self { name: name.trim().to_owned(), value: Some(value.to_owned()) },
            None => Self { name: value.trim().to_owned(), value: None },
        }
    }
}

impl std::fmt::Debug for Attribute {
    /// Keys and passwords of a description never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secret = ["crypto", "ice-pwd", "key-mgmt"].iter().any(|s| self.name.eq_ignore_ascii_case(s));
        let value = if secret { Some("(secret)") } else { self.value.as_deref() };
        f.debug_struct("Attribute").field("name", &self.name).field("value", &value).finish()
    }
}

/// An `a=crypto` line: a cipher suite and the key the speaker encrypts with (RFC 4568).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// The number by which an answer names the line it takes. Microsoft's samples use 0 as well.
    pub tag: u32,
    /// The suite by name.
    pub suite: String,
    /// The key, when the suite's key has 30 octets and the line asks for nothing we lack.
    pub key: Option<SrtpKey>,
    /// Octets of the key identifier that the speaker may put into each packet: 0 is none.
    pub mki_octets: u8,
}

impl Crypto {
    /// The one suite that Direct Routing demands and that we use.
    pub const SUITE: &'static str = "AES_CM_128_HMAC_SHA1_80";

    fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let suite = words.next()?.to_owned();
        let parameters = words.next()?;
        // Several keys may stand in one line; the first is the one in use.
        let first = parameters.split(';').next()?;
        let (method, rest) = first.split_once(':')?;
        if !method.eq_ignore_ascii_case("inline") {
            return None;
        }
        let mut parts = rest.split('|');
        let key = parts.next()?;
        let mut mki_octets = 0;
        for part in parts {
            if let Some((_, octets)) = part.split_once(':') {
                mki_octets = octets.parse().ok().filter(|n| *n <= MKI_OCTETS_MAX)?;
            }
        }
        // Session parameters that change what is on the wire are not ours; a window size hint is harmless.
        let usable = words.all(|w| w.get(..4).is_some_and(|p| p.eq_ignore_ascii_case("WSH=")));
        let key = if usable { SrtpKey::from_inline(key) } else { None };
        Some(Self { tag, suite, key, mki_octets })
    }
}

/// Who may speak, from the view of the one who says it (RFC 3264 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The speaker only sends: the usual hold with music.
    SendOnly,
    /// The speaker only listens.
    RecvOnly,
    /// Nobody sends: the only hold that Direct Routing understands.
    Inactive,
}

impl Direction {
    /// The direction with these two freedoms.
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the one who says it sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the one who says it listens.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same from the view of the other side.
    pub const fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }

    /// What both allow.
    pub const fn both(self, other: Self) -> Self {
        Self::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn among(attributes: &[Attribute]) -> Option<Self> {
        let all = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];
        attributes.iter().find_map(|a| all.into_iter().find(|d| a.name.eq_ignore_ascii_case(d.name())))
    }
}

/// What is wrong with a description, and in which line (counted from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// The body is larger than any description we have use for.
    #[error("the description is larger than {BODY_OCTETS_MAX} octets")]
    TooLarge,
    /// The body is not UTF-8.
    #[error("the description is not text")]
    NotText,
    /// A line is not of the form `letter=value`.
    #[error("line {line}: not of the form letter=value")]
    NoEquals {
        /// The line.
        line: usize,
    },
    /// The `v=` line names another version than 0.
    #[error("line {line}: not version 0")]
    Version {
        /// The line.
        line: usize,
    },
    /// The `o=` line lacks fields.
    #[error("line {line}: the origin needs six fields")]
    Origin {
        /// The line.
        line: usize,
    },
    /// The `c=` line holds no address that can be sent to; names are not looked up.
    #[error("line {line}: the connection needs an IPv4 or IPv6 address")]
    Connection {
        /// The line.
        line: usize,
    },
    /// The `m=` line lacks a port or a transport.
    #[error("line {line}: the medium needs a kind, a port (0 to 65535), a transport and formats")]
    Media {
        /// The line.
        line: usize,
    },
    /// More media or attributes than we keep.
    #[error("line {line}: too many lines of this kind")]
    TooMany {
        /// The line.
        line: usize,
    },
    /// There is no `v=` line.
    #[error("no v= line")]
    MissingVersion,
    /// There is no `o=` line.
    #[error("no o= line")]
    MissingOrigin,
}

/// Octets of a description. Teams sends about 2,000; a longer one is refused.
const BODY_OCTETS_MAX: usize = 32 * 1024;
/// Media of a description; one with more is refused.
const MEDIA_MAX: usize = 16;
/// Attributes of one section (candidates are the many); a section with more is refused.
const ATTRIBUTES_MAX: usize = 256;
/// Formats of one medium; one with more is refused.
const FORMATS_MAX: usize = 128;
/// Octets of a key identifier (RFC 4568 section 6.1 allows 128; more than 4 are not in use). A longer one makes
/// the line unusable.
const MKI_OCTETS_MAX: u8 = 4;

fn parse_connection(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("IN") {
        return None;
    }
    let kind = words.next()?;
    let address: IpAddr = words.next()?.split('/').next()?.parse().ok()?;
    let fits = if address.is_ipv4() { "IP4" } else { "IP6" };
    kind.eq_ignore_ascii_case(fits).then_some(address)
}

fn parse_rtpmap(value: &str) -> Option<Codec> {
    let (number, rest) = value.trim().split_once(' ')?;
    let payload_type = number.parse().ok().filter(|n| *n < 128)?;
    let mut parts = rest.trim().split('/');
    let name = parts.next().filter(|n| !n.is_empty())?;
    let clock_hz = parts.next()?.trim().parse().ok().filter(|hz| *hz > 0)?;
    let channels = match parts.next() {
        Some(channels) => channels.trim().parse().ok()?,
        None => 1,
    };
    Some(Codec { channels, ..Codec::named(name, clock_hz, payload_type) })
}
