//! What an offer or answer of ours says, and what the two sides have agreed on (RFC 3264, RFC 4568).
//!
//! When an offer or answer is due is not known here. A [`LocalLeg`] keeps its address, port, key and session
//! number for the whole life of a leg: Teams goes on sending to the port and address of the first negotiation
//! whatever is offered later (Direct Routing: protocols, media).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::codec::{Codec, Law};
use crate::sdp::{Crypto, Direction, Media, Sdp};
use crate::srtp::SrtpKey;

/// Our end of one leg as descriptions show it.
///
/// Call [`LocalLeg::answer`] for each offer that comes, or [`LocalLeg::offer`] and then [`LocalLeg::accept_answer`]
/// for each answer. Several answers to one offer (forks, early media) are each accepted in turn.
#[derive(Clone, Debug)]
pub struct LocalLeg {
    settings: LegSettings,
    version: u64,
    /// The text that went out last.
    text: Option<String>,
    offered: Option<Formats>,
    offered_direction: Direction,
    agreed: Option<Codec>,
}

/// What a leg's descriptions are made of; policy comes from the trunk's profile.
#[derive(Clone, Debug)]
pub struct LegSettings {
    /// The address written into descriptions: the public one, where we are behind NAT.
    pub address: IpAddr,
    /// The RTP port written into descriptions; RTCP is on the next one unless multiplexed.
    pub rtp_port: u16,
    /// The codecs we can take, the best first; telephone events and comfort noise are not named here.
    pub codecs: Vec<Codec>,
    /// Whether packets are encrypted.
    pub srtp: SrtpPolicy,
    /// What we encrypt with. Stays for the life of the leg.
    pub key: SrtpKey,
    /// Whether we take digits, and their payload number in our own offers: 101 by custom.
    pub telephone_event: Option<u8>,
    /// Whether we take comfort noise (payload number 13).
    pub comfort_noise: bool,
    /// Whether RTCP may share the RTP port. We read it there in any case.
    pub rtcp_mux: bool,
    /// Milliseconds of sound in a packet that we ask for.
    pub ptime_ms: u8,
    /// The number of the `o=` line: random, stays for the life of the leg.
    pub session_id: u64,
}

/// Whether a leg's packets are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpPolicy {
    /// Only with SRTP: Direct Routing refuses anything else.
    Required,
    /// Offered in the clear, but encrypted where the far end offers a key.
    Accepted,
    /// Never.
    Forbidden,
}

/// What the two sides agreed on, from our view. Everything a packet path must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Where RTP goes to. Unspecified (0.0.0.0) when an old-fashioned hold hides it; `send` is false then.
    pub remote: SocketAddr,
    /// Where RTCP goes to when not multiplexed.
    pub remote_rtcp: SocketAddr,
    /// Whether RTCP goes to `remote` from our RTP port.
    pub rtcp_mux: bool,
    /// The codec; its payload number is that of `payload.send`.
    pub codec: Codec,
    /// The codec's payload numbers.
    pub payload: PayloadTypes,
    /// Other codecs the far end may send at any time, under their payload numbers on arrival.
    pub also: Vec<Codec>,
    /// Payload numbers of digits, when both sides take them.
    pub telephone_event: Option<PayloadTypes>,
    /// Payload numbers of comfort noise, when both sides take it.
    pub comfort_noise: Option<PayloadTypes>,
    /// The keys, when packets are encrypted.
    pub srtp: Option<SrtpPair>,
    /// The agreed direction, from our view.
    pub direction: Direction,
    /// Whether we send.
    pub send: bool,
    /// Whether what arrives is to be heard. True also while the far end holds: Teams sends its own music then.
    pub receive: bool,
    /// Milliseconds of sound the far end wants in a packet: 10, 20, 30, 40 or 60.
    pub ptime_ms: u8,
    /// Whether the far end holds us: it does not listen although we would speak.
    pub remote_hold: bool,
}

impl Negotiated {
    /// The law of G.711 in which a packet that arrives under this payload number is coded; `None` for anything else.
    pub(crate) fn law_of(&self, payload_type: u8) -> Option<Law> {
        if payload_type == self.payload.receive {
            return self.codec.law();
        }
        let fixed = [Codec::pcmu(), Codec::pcma()];
        let known = self.also.iter().chain(&fixed).find(|codec| codec.payload_type == payload_type)?;
        known.law()
    }
}

/// A payload number in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadTypes {
    /// In packets we send: the number the far end's description has.
    pub send: u8,
    /// In packets we receive: the number our description has.
    pub receive: u8,
}

/// The keys of both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpPair {
    /// What we encrypt with.
    pub local: SrtpKey,
    /// What the far end encrypts with.
    pub remote: SrtpKey,
    /// Octets of key identifier the far end may put into its packets; 0 is none.
    pub remote_mki_octets: u8,
}

/// Why an offer or answer cannot be agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no sound section.
    #[error("the description has no audio")]
    NoAudio,
    /// The sound section has port 0.
    #[error("the audio is refused (port 0)")]
    AudioRefused,
    /// No `c=` line.
    #[error("the description has no connection address")]
    NoAddress,
    /// The transport is not RTP over UDP.
    #[error("the transport of the audio is not RTP over UDP")]
    UnknownTransport,
    /// No codec that both sides take.
    #[error("no codec is common to both sides")]
    NoCommonCodec,
    /// In the clear, where only SRTP is allowed.
    #[error("the trunk demands SRTP and the far end has no key")]
    SrtpRequired,
    /// Encrypted, where only plain RTP is allowed.
    #[error("the far end demands SRTP and the trunk forbids it")]
    SrtpForbidden,
    /// No `a=crypto` line with our suite and a readable key.
    #[error("no usable a=crypto line with {}", Crypto::SUITE)]
    NoCommonSuite,
    /// An answer came where no offer was made.
    #[error("an answer came without an offer")]
    NothingOffered,
}

impl Refusal {
    /// The SIP status that refuses an offer for this reason.
    pub const fn status(self) -> u16 {
        488
    }

    /// A name that stays the same over releases, for records and tests.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAudio => "no_audio",
            Self::AudioRefused => "audio_refused",
            Self::NoAddress => "no_address",
            Self::UnknownTransport => "unknown_transport",
            Self::NoCommonCodec => "no_common_codec",
            Self::SrtpRequired => "srtp_required",
            Self::SrtpForbidden => "srtp_forbidden",
            Self::NoCommonSuite => "no_common_suite",
            Self::NothingOffered => "nothing_offered",
        }
    }
}

impl LocalLeg {
    /// A leg that has not spoken yet.
    pub fn new(settings: LegSettings) -> Self {
        Self {
            settings,
            version: 0,
            text: None,
            offered: None,
            offered_direction: Direction::SendRecv,
            agreed: None,
        }
    }

    /// The settings it speaks by.
    pub fn settings(&self) -> &LegSettings {
        &self.settings
    }

    /// Sets the codecs of the next offer or answer, the best first: to play to a leg whose codec only passes
    /// through, or to take over those of another leg. Until then later offers name the agreed codec only.
    pub fn set_codecs(&mut self, codecs: Vec<Codec>) {
        self.settings.codecs = codecs;
        self.agreed = None;
    }

    /// An offer. For a hold towards Teams the direction is [`Direction::Inactive`]: it understands no other.
    pub fn offer(&mut self, direction: Direction) -> String {
        let formats = self.own_formats();
        let protocol = match self.settings.srtp {
            SrtpPolicy::Required => "RTP/SAVP",
            SrtpPolicy::Accepted | SrtpPolicy::Forbidden => "RTP/AVP",
        };
        let crypto_tag = (self.settings.srtp == SrtpPolicy::Required).then_some(1);
        let section = self.section(protocol, &formats, direction, self.settings.rtcp_mux, crypto_tag);
        self.offered = Some(formats);
        self.offered_direction = direction;
        self.speak(&section)
    }

    /// The answer to an offer, and what is agreed by it. `want` is what we would do if the far end lets us.
    ///
    /// The direction is the complement that RFC 3264 section 6.1 asks for; every medium but the first sound is
    /// refused with port 0. The codec in use is kept if it is offered again; else the first of ours that is.
    pub fn answer(&mut self, offer: &Sdp, want: Direction) -> Result<(String, Negotiated), Refusal> {
        let (place, media) = offer.audio().ok_or(Refusal::NoAudio)?;
        let far = Far::read(offer, media)?;
        let line = far.crypto(self.settings.srtp, None)?;
        let theirs = media.codecs();
        let wished = self.agreed.iter().chain(&self.settings.codecs);
        let (ours, chosen) = wished
            .filter_map(|ours| Some((ours, theirs.iter().find(|t| t.same_encoding(ours))?)))
            .next()
            .ok_or(Refusal::NoCommonCodec)?;
        let codec = Codec { payload_type: chosen.payload_type, ..ours.clone() };
        let event = self.settings.telephone_event.and_then(|_| find_event(&theirs, codec.clock_hz));
        let noise = find_noise(&theirs).filter(|_| self.settings.comfort_noise);
        let formats = Formats { codecs: vec![codec.clone()], event: event.cloned(), noise };
        let remote_wish = far.direction;
        let direction = want.both(remote_wish.reversed());
        let rtcp_mux = self.settings.rtcp_mux && far.rtcp_mux;
        let section =
            self.section(&media.protocol, &formats, direction, rtcp_mux, line.as_ref().map(|l| l.tag));

        let mut body = String::new();
        for (index, other) in offer.media.iter().enumerate() {
            if index == place {
                body.push_str(&section);
            } else {
                let formats = if other.formats.is_empty() { "0".to_owned() } else { other.formats.join(" ") };
                let _ = write!(body, "m={} 0 {} {formats}\r\n", other.kind, other.protocol);
            }
        }
        let text = self.speak(&body);

        let both = |payload_type| PayloadTypes { send: payload_type, receive: payload_type };
        let negotiated = Negotiated {
            remote: far.remote,
            remote_rtcp: far.remote_rtcp,
            rtcp_mux,
            payload: both(codec.payload_type),
            codec: codec.clone(),
            also: Vec::new(),
            telephone_event: event.map(|e| both(e.payload_type)),
            comfort_noise: noise.map(both),
            srtp: line.and_then(|l| self.pair(l)),
            direction,
            send: direction.sends() && far.reachable(),
            receive: want.receives(),
            ptime_ms: far.ptime_ms,
            remote_hold: !remote_wish.receives(),
        };
        // The far end's numbers are ours from now on: a mapping never changes during a call.
        if let Some(event) = event {
            self.settings.telephone_event = Some(event.payload_type);
        }
        self.agreed = Some(codec);
        Ok((text, negotiated))
    }

    /// What is agreed by an answer to our last offer.
    pub fn accept_answer(&mut self, answer: &Sdp) -> Result<Negotiated, Refusal> {
        let formats = self.offered.clone().ok_or(Refusal::NothingOffered)?;
        // Our offers have one section: its answer is the first one.
        let media = answer.media.first().filter(|m| m.is_audio()).ok_or(Refusal::NoAudio)?;
        let far = Far::read(answer, media)?;
        let line = match self.settings.srtp {
            // We offered no key, so the far end could not read what we would encrypt.
            SrtpPolicy::Accepted => far.crypto(SrtpPolicy::Forbidden, None)?,
            policy => far.crypto(policy, Some(1))?,
        };
        let theirs = media.codecs();
        let (chosen, ours) = theirs
            .iter()
            .filter_map(|t| Some((t, formats.codecs.iter().find(|ours| ours.same_encoding(t))?)))
            .next()
            .ok_or(Refusal::NoCommonCodec)?;
        let codec = Codec { payload_type: chosen.payload_type, ..ours.clone() };
        let payload = PayloadTypes { send: chosen.payload_type, receive: ours.payload_type };
        let event = formats.event.as_ref().and_then(|ours| {
            let send = theirs.iter().find(|t| t.same_encoding(ours))?.payload_type;
            Some(PayloadTypes { send, receive: ours.payload_type })
        });
        let noise = formats.noise.and_then(|receive| {
            let send = find_noise(&theirs)?;
            Some(PayloadTypes { send, receive })
        });
        let also = formats.codecs.iter().filter(|c| !c.same_encoding(ours)).cloned().collect();
        let offered = self.offered_direction;
        let direction = offered.both(far.direction.reversed());
        let negotiated = Negotiated {
            remote: far.remote,
            remote_rtcp: far.remote_rtcp,
            rtcp_mux: self.settings.rtcp_mux && far.rtcp_mux,
            payload,
            also,
            telephone_event: event,
            comfort_noise: noise,
            srtp: line.and_then(|l| self.pair(l)),
            direction,
            send: direction.sends() && far.reachable(),
            receive: offered.receives(),
            ptime_ms: far.ptime_ms,
            remote_hold: offered.sends() && !far.direction.receives(),
            codec,
        };
        self.agreed = Some(ours.clone());
        Ok(negotiated)
    }

    /// What the next offer names: the agreed codec or all, each under a number of its own.
    fn own_formats(&self) -> Formats {
        let wanted: Vec<Codec> = match &self.agreed {
            Some(codec) => vec![codec.clone()],
            None => self.settings.codecs.clone(),
        };
        let noise = self.settings.comfort_noise.then_some(COMFORT_NOISE);
        let mut taken: Vec<u8> = noise.into_iter().chain(self.settings.telephone_event).collect();
        let mut codecs = Vec::with_capacity(wanted.len());
        for mut codec in wanted {
            // Two codecs on one number are refused by Teams with 488.
            if taken.contains(&codec.payload_type) {
                let Some(free) = (96..128).find(|n| !taken.contains(n)) else { continue };
                codec.payload_type = free;
            }
            taken.push(codec.payload_type);
            codecs.push(codec);
        }
        let event = self.settings.telephone_event.map(|n| Codec::named("telephone-event", 8000, n));
        Formats { codecs, event, noise }
    }

    fn section(
        &self,
        protocol: &str,
        formats: &Formats,
        direction: Direction,
        rtcp_mux: bool,
        crypto_tag: Option<u32>,
    ) -> String {
        let settings = &self.settings;
        let port = settings.rtp_port;
        let mut text = format!("m=audio {port} {protocol}");
        let all = formats.codecs.iter().chain(&formats.event);
        for codec in all.clone() {
            let _ = write!(text, " {}", codec.payload_type);
        }
        if let Some(noise) = formats.noise {
            let _ = write!(text, " {noise}");
        }
        text.push_str("\r\n");
        for codec in all {
            let Codec { name, clock_hz, channels, payload_type, format } = codec;
            let _ = write!(text, "a=rtpmap:{payload_type} {name}/{clock_hz}");
            if *channels != 1 {
                let _ = write!(text, "/{channels}");
            }
            text.push_str("\r\n");
            let format = if codec.is_telephone_event() { Some("0-16") } else { format.as_deref() };
            if let Some(format) = format {
                let _ = write!(text, "a=fmtp:{payload_type} {format}\r\n");
            }
        }
        if let Some(noise) = formats.noise {
            let _ = write!(text, "a=rtpmap:{noise} CN/8000\r\n");
        }
        let _ = write!(text, "a=ptime:{}\r\na={}\r\n", settings.ptime_ms, direction.name());
        if rtcp_mux {
            let _ = write!(text, "a=rtcp:{port}\r\na=rtcp-mux\r\n");
        }
        if let Some(tag) = crypto_tag {
            // The lifetime is what certified border controllers write; without it some calls were refused.
            let key = settings.key.to_inline();
            let _ = write!(text, "a=crypto:{tag} {} inline:{key}|2^31\r\n", Crypto::SUITE);
        }
        text
    }

    /// Puts the head over the sections; the version grows only if anything else changed.
    fn speak(&mut self, sections: &str) -> String {
        let same = self.text.as_deref().is_some_and(|t| t == self.with_head(sections));
        if !same && self.text.is_some() {
            self.version += 1;
        }
        let text = self.with_head(sections);
        self.text = Some(text.clone());
        text
    }

    fn with_head(&self, sections: &str) -> String {
        let LegSettings { address, session_id, .. } = self.settings;
        let kind = if address.is_ipv4() { "IP4" } else { "IP6" };
        let version = self.version;
        format!(
            "v=0\r\no=- {session_id} {version} IN {kind} {address}\r\ns=-\r\nc=IN {kind} {address}\r\nt=0 0\r\n{sections}"
        )
    }

    fn pair(&self, line: Crypto) -> Option<SrtpPair> {
        let remote_mki_octets = line.mki_octets;
        Some(SrtpPair { local: self.settings.key.clone(), remote: line.key?, remote_mki_octets })
    }
}

/// The formats of one description of ours.
#[derive(Clone, Debug)]
struct Formats {
    codecs: Vec<Codec>,
    event: Option<Codec>,
    noise: Option<u8>,
}

/// What the far end's section says of transport.
struct Far<'a> {
    media: &'a Media,
    remote: SocketAddr,
    remote_rtcp: SocketAddr,
    rtcp_mux: bool,
    secure: bool,
    /// From the far end's view, with an old-fashioned hold made into a direction.
    direction: Direction,
    ptime_ms: u8,
}

impl<'a> Far<'a> {
    fn read(sdp: &Sdp, media: &'a Media) -> Result<Self, Refusal> {
        if media.port == 0 {
            return Err(Refusal::AudioRefused);
        }
        let protocol = media.protocol.to_ascii_uppercase();
        let profile = protocol.rsplit('/').next().unwrap_or_default();
        let secure = matches!(profile, "SAVP" | "SAVPF");
        if !(secure || matches!(profile, "AVP" | "AVPF")) || protocol.starts_with("TCP") {
            return Err(Refusal::UnknownTransport);
        }
        let address = sdp.address(media).ok_or(Refusal::NoAddress)?;
        let remote = SocketAddr::new(address, media.port);
        let rtcp_mux = media.attribute("rtcp-mux").is_some();
        let remote_rtcp = media
            .attribute("rtcp")
            .and_then(|value| parse_rtcp(value, address))
            .unwrap_or_else(|| SocketAddr::new(address, media.port.saturating_add(1)));
        let mut direction = sdp.direction(media);
        if address.is_unspecified() {
            direction = Direction::of(direction.sends(), false);
        }
        let asked = media.attribute("ptime").and_then(|p| p.trim().parse().ok());
        let ptime_ms = asked.filter(|p| matches!(p, 10 | 20 | 30 | 40 | 60)).unwrap_or(20);
        Ok(Self { media, remote, remote_rtcp, rtcp_mux, secure, direction, ptime_ms })
    }

    fn reachable(&self) -> bool {
        !self.remote.ip().is_unspecified()
    }

    /// The line to take, if packets are to be encrypted: our suite by name, the expected tag first.
    fn crypto(&self, policy: SrtpPolicy, expected_tag: Option<u32>) -> Result<Option<Crypto>, Refusal> {
        let usable =
            || self.media.crypto().filter(|l| l.suite.eq_ignore_ascii_case(Crypto::SUITE) && l.key.is_some());
        let line = expected_tag.and_then(|tag| usable().find(|l| l.tag == tag)).or_else(|| usable().next());
        match (policy, self.secure, line) {
            (SrtpPolicy::Forbidden, true, _) => Err(Refusal::SrtpForbidden),
            (SrtpPolicy::Forbidden, false, _) => Ok(None),
            (SrtpPolicy::Required | SrtpPolicy::Accepted, _, Some(line)) => Ok(Some(line)),
            (SrtpPolicy::Required | SrtpPolicy::Accepted, true, None) => Err(Refusal::NoCommonSuite),
            (SrtpPolicy::Required, false, None) => Err(Refusal::SrtpRequired),
            (SrtpPolicy::Accepted, false, None) => Ok(None),
        }
    }
}

/// The fixed payload number of comfort noise at 8000 Hz (RFC 3389 section 4).
const COMFORT_NOISE: u8 = 13;

/// Digits on the codec's clock if there are such, else on the telephone's.
fn find_event(codecs: &[Codec], clock_hz: u32) -> Option<&Codec> {
    let on_clock = |hz| codecs.iter().find(move |c| c.is_telephone_event() && c.clock_hz == hz);
    on_clock(clock_hz).or_else(|| on_clock(8000))
}

fn find_noise(codecs: &[Codec]) -> Option<u8> {
    codecs.iter().find(|c| c.is_comfort_noise() && c.clock_hz == 8000).map(|c| c.payload_type)
}

/// The value of an `a=rtcp` line (RFC 3605): a port, perhaps with an address.
fn parse_rtcp(value: &str, address: IpAddr) -> Option<SocketAddr> {
    let mut words = value.split_ascii_whitespace();
    let port = words.next()?.parse().ok().filter(|p| *p != 0)?;
    let own = words.nth(2).and_then(|a| a.parse().ok());
    Some(SocketAddr::new(own.unwrap_or(address), port))
}
