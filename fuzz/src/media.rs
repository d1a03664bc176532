//! Descriptions, packets and sound files: nothing panics, nothing is believed that does not authenticate, and what
//! we answer can be read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_media::codec::Codec;
use tandem_media::leg::LegId;
use tandem_media::negotiate::{LegSettings, LocalLeg, Negotiated, PayloadTypes, SrtpPair, SrtpPolicy};
use tandem_media::path::{Arrival, Path, PathClock};
use tandem_media::prompt::{PROMPT_MAX, Prompt};
use tandem_media::rtcp::{self, NtpClock, Packet};
use tandem_media::rtp::{self, Header};
use tandem_media::sdp::{Direction, Sdp};
use tandem_media::srtp::{SrtpKey, SrtpReceiver, SrtpSender, TAG_OCTETS};

/// A description: looked at, answered, and taken as an answer. What we say is read back, medium by medium.
pub fn sdp(data: &[u8]) {
    let Ok(sdp) = Sdp::parse(data) else { return };
    for media in &sdp.media {
        let codecs = media.codecs();
        for (place, codec) in codecs.iter().enumerate() {
            assert!(codecs.iter().skip(place + 1).all(|c| c.payload_type != codec.payload_type));
        }
        let _ = (sdp.address(media), sdp.direction(media), media.crypto().count());
    }
    for srtp in [SrtpPolicy::Required, SrtpPolicy::Accepted, SrtpPolicy::Forbidden] {
        let mut leg = LocalLeg::new(settings(srtp));
        if let Ok((text, agreed)) = leg.answer(&sdp, Direction::SendRecv) {
            let ours = Sdp::parse(text.as_bytes()).expect("our answer is a description");
            assert_eq!(ours.media.len(), sdp.media.len(), "an answer has as many media as its offer");
            assert_eq!(ours.media.iter().filter(|m| m.port != 0).count(), 1);
            assert_eq!(agreed.srtp.is_some(), text.contains("a=crypto"));
            assert!(!agreed.send || !agreed.remote.ip().is_unspecified());
        }
        let offer = leg.offer(Direction::SendRecv);
        assert!(Sdp::parse(offer.as_bytes()).is_ok());
        if let Ok(agreed) = leg.accept_answer(&sdp) {
            assert!(!agreed.send || !agreed.remote.ip().is_unspecified());
        }
    }
}

/// A packet on an RTP port: on a leg in the clear, and on one with keys, where nothing of it is heard.
pub fn rtp(data: &[u8]) {
    if let Some(header) = Header::parse(data) {
        assert!(header.octets <= data.len());
        if let Some(payload) = header.payload(data) {
            assert!(payload.start == header.octets && payload.end <= data.len());
        }
    }
    let mut world = World::new();
    for _ in 0..3 {
        world.rtp(0, data);
    }
    assert!(matches!(world.rtp(1, data), Arrival::Stranger), "made up without the key");
}

/// A packet on an RTCP port.
pub fn rtcp(data: &[u8]) {
    for packet in rtcp::packets(data) {
        if let Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } = packet {
            assert!(blocks.count() <= 31);
        }
    }
    let mut world = World::new();
    let [plain, encrypted] = &mut world.legs;
    plain.handle_rtcp(world.now, FAR, &mut data.to_vec());
    assert!(!encrypted.handle_rtcp(world.now, FAR, &mut data.to_vec()), "made up without the key");
    let _ = plain.quality();
}

/// An encrypted packet: what does not authenticate is left alone; what we encrypt comes back, once.
pub fn srtp(data: &[u8]) {
    let key = SrtpKey::new([5; SrtpKey::OCTETS]);
    for mki_octets in [0, 1, 4] {
        let mut receiver = SrtpReceiver::new(&key, mki_octets);
        let mut packet = data.to_vec();
        assert!(receiver.unprotect_rtp(&mut packet).is_err(), "made up without the key");
        assert!(receiver.unprotect_rtcp(&mut packet).is_err());
        assert_eq!(packet, data);
    }
    let mut packet = data.to_vec();
    packet.resize(data.len() + TAG_OCTETS, 0);
    if let Some(octets) = SrtpSender::new(&key).protect_rtp(&mut packet, data.len()) {
        let mut receiver = SrtpReceiver::new(&key, 0);
        let mut first = packet.get(..octets).unwrap_or_default().to_vec();
        assert_eq!(receiver.unprotect_rtp(&mut first), Ok(data.len()));
        assert_eq!(first.get(..data.len()), Some(data));
        assert!(receiver.unprotect_rtp(&mut packet).is_err());
    }
}

/// A sound file.
pub fn wav(data: &[u8]) {
    if let Ok(prompt) = Prompt::from_wav(data) {
        assert!(!prompt.duration().is_zero() && prompt.duration() <= PROMPT_MAX);
    }
}

const FAR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4000);

fn settings(srtp: SrtpPolicy) -> LegSettings {
    LegSettings {
        address: FAR.ip(),
        rtp_port: 20_000,
        codecs: vec![Codec::pcmu(), Codec::pcma(), Codec::named("SILK", 16_000, 104)],
        srtp,
        key: SrtpKey::new([5; SrtpKey::OCTETS]),
        telephone_event: Some(101),
        comfort_noise: true,
        rtcp_mux: true,
        ptime_ms: 20,
        session_id: 1,
    }
}

/// Two bridged legs: one in the clear, one with keys.
struct World {
    now: Instant,
    legs: [Path; 2],
}

impl World {
    fn new() -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "only the tests of media forbid it: some moment to begin at is needed"
        )]
        let now = Instant::now();
        let clock = PathClock { base: now, ntp: NtpClock::new(now, Duration::from_secs(1)) };
        let mut legs = [LegId(1), LegId(2)].map(|leg| Path::new(leg, leg.0, clock, now));
        let agreed = [agreed(None), agreed(Some([6; SrtpKey::OCTETS]))];
        let [a, b] = &mut legs;
        a.configure(now, Arc::new(agreed[0].clone()), false);
        b.configure(now, Arc::new(agreed[1].clone()), false);
        a.hear(Some((LegId(2), &agreed[1])));
        b.hear(Some((LegId(1), &agreed[0])));
        Self { now, legs }
    }

    fn rtp(&mut self, side: usize, data: &[u8]) -> Arrival {
        let mut buffer = [0; 2048];
        let octets = data.len().min(1500);
        let (Some(space), Some(data)) = (buffer.get_mut(..octets), data.get(..octets)) else {
            return Arrival::Stranger;
        };
        space.copy_from_slice(data);
        let [a, b] = &mut self.legs;
        let (this, other) = if side == 0 { (a, b) } else { (b, a) };
        let arrival = this.handle_rtp(self.now, FAR, space);
        if let Arrival::Sound(sound) = &arrival
            && let Some(transmit) = other.forward(self.now, sound, &mut buffer)
        {
            let sent = buffer.get(transmit.range).unwrap_or_default();
            assert!(rtp::Header::parse(sent).is_some(), "what leaves is RTP");
        }
        while this.poll_event().is_some() {}
        arrival
    }
}

fn agreed(far_key: Option<[u8; SrtpKey::OCTETS]>) -> Negotiated {
    let both = |n| PayloadTypes { send: n, receive: n };
    Negotiated {
        remote: FAR,
        remote_rtcp: FAR,
        rtcp_mux: true,
        codec: Codec::pcma(),
        payload: both(8),
        also: vec![Codec::pcmu()],
        telephone_event: Some(both(101)),
        comfort_noise: Some(both(13)),
        srtp: far_key.map(|key| SrtpPair {
            local: SrtpKey::new([7; SrtpKey::OCTETS]),
            remote: SrtpKey::new(key),
            remote_mki_octets: 0,
        }),
        direction: Direction::SendRecv,
        send: true,
        receive: true,
        ptime_ms: 20,
        remote_hold: false,
    }
}
