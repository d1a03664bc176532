//! Two far ends, two legs of ours between them, and a clock.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_media::codec::{Codec, Law};
use tandem_media::g711;
use tandem_media::leg::{LegEvent, LegId};
use tandem_media::negotiate::{Negotiated, PayloadTypes, SrtpPair};
use tandem_media::path::{Arrival, Path, PathClock, Socket, Transmit};
use tandem_media::rtcp::NtpClock;
use tandem_media::rtp::Header;
use tandem_media::sdp::Direction;
use tandem_media::srtp::SrtpKey;
use tandem_media::tone::Tone;

/// What was agreed with a far end at this address, in the clear, both ways.
pub(crate) fn agreed(remote: &str, codec: Codec) -> Negotiated {
    let remote: SocketAddr = remote.parse().unwrap();
    let both = |n| PayloadTypes { send: n, receive: n };
    Negotiated {
        remote,
        remote_rtcp: SocketAddr::new(remote.ip(), remote.port() + 1),
        rtcp_mux: false,
        payload: both(codec.payload_type),
        codec,
        also: Vec::new(),
        telephone_event: Some(both(101)),
        comfort_noise: None,
        srtp: None,
        direction: Direction::SendRecv,
        send: true,
        receive: true,
        ptime_ms: 20,
        remote_hold: false,
    }
}

/// The same with keys: ours and the far end's.
pub(crate) fn encrypted(remote: &str, codec: Codec, local: [u8; 30], far: [u8; 30]) -> Negotiated {
    let srtp = SrtpPair { local: SrtpKey::new(local), remote: SrtpKey::new(far), remote_mki_octets: 0 };
    Negotiated { srtp: Some(srtp), ..agreed(remote, codec) }
}

/// A call of two legs, and the time in it.
pub(crate) struct Wire {
    pub(crate) now: Instant,
    pub(crate) legs: [Path; 2],
    /// What left each leg, its RTP and its RTCP.
    pub(crate) rtp: [Vec<Vec<u8>>; 2],
    pub(crate) rtcp: [Vec<Vec<u8>>; 2],
    /// When the last report of each leg left.
    pub(crate) reported_at: [Option<Instant>; 2],
    /// Where the last RTP packet of each leg went to.
    pub(crate) sent_to: [Option<SocketAddr>; 2],
    pub(crate) events: VecDeque<LegEvent>,
    agreed: [Option<Arc<Negotiated>>; 2],
}

pub(crate) const A: LegId = LegId(1);
pub(crate) const B: LegId = LegId(2);
pub(crate) const FAR_A: &str = "198.51.100.1:4000";
pub(crate) const FAR_B: &str = "198.51.100.2:5000";

impl Wire {
    pub(crate) fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test needs some moment to begin at; from there on time is virtual"
        )]
        let start = Instant::now();
        let clock = PathClock { base: start, ntp: NtpClock::new(start, Duration::from_secs(1_700_000_000)) };
        let legs = [Path::new(A, 11, clock, start), Path::new(B, 22, clock, start)];
        Self {
            now: start,
            legs,
            rtp: Default::default(),
            rtcp: Default::default(),
            reported_at: [None; 2],
            sent_to: [None; 2],
            events: VecDeque::new(),
            agreed: [None, None],
        }
    }

    /// A call with both sides in the clear and this codec each, bridged.
    pub(crate) fn bridged(a: Codec, b: Codec) -> Self {
        let mut wire = Self::new();
        wire.configure(0, agreed(FAR_A, a), false);
        wire.configure(1, agreed(FAR_B, b), false);
        wire.bridge();
        wire
    }

    pub(crate) fn configure(&mut self, side: usize, negotiated: Negotiated, latch: bool) {
        let negotiated = Arc::new(negotiated);
        self.legs[side].configure(self.now, negotiated.clone(), latch);
        self.agreed[side] = Some(negotiated);
    }

    pub(crate) fn bridge(&mut self) {
        let [a, b] = &mut self.legs;
        let theirs = self.agreed.each_ref().map(|n| n.as_deref().unwrap());
        a.hear(Some((B, theirs[1])));
        b.hear(Some((A, theirs[0])));
    }

    /// A packet comes to a leg from its far end.
    pub(crate) fn arrive(&mut self, side: usize, packet: &[u8]) {
        let remote = self.agreed[side].as_ref().unwrap().remote;
        self.arrive_from(side, remote, packet);
    }

    pub(crate) fn arrive_from(&mut self, side: usize, source: SocketAddr, packet: &[u8]) {
        let mut buffer = [0; 1500];
        buffer[..packet.len()].copy_from_slice(packet);
        let [a, b] = &mut self.legs;
        let (this, other) = if side == 0 { (a, b) } else { (b, a) };
        let heard = this.handle_rtp(self.now, source, &mut buffer[..packet.len()]);
        let sent = match heard {
            Arrival::Sound(sound) => other.forward(self.now, &sound, &mut buffer),
            Arrival::Taken | Arrival::Stranger => None,
        };
        self.keep(1 - side, sent, &buffer);
        self.drain();
    }

    pub(crate) fn arrive_rtcp(&mut self, side: usize, packet: &[u8]) {
        let source = self.agreed[side].as_ref().unwrap().remote_rtcp;
        let mut packet = packet.to_vec();
        self.legs[side].handle_rtcp(self.now, source, &mut packet);
        self.drain();
    }

    /// Time passes, and what is due happens on the way.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let (side, due) = (0..2)
                .map(|side| (side, self.legs[side].poll_timeout()))
                .min_by_key(|(_, due)| *due)
                .unwrap();
            if due > end {
                break;
            }
            self.now = self.now.max(due);
            let mut buffer = [0; 1500];
            while let Some(transmit) = self.legs[side].poll_transmit(self.now, &mut buffer) {
                self.keep(side, Some(transmit), &buffer);
            }
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn drain(&mut self) {
        for leg in &mut self.legs {
            while let Some(event) = leg.poll_event() {
                self.events.push_back(event);
            }
        }
    }

    /// The events so far but for figures.
    pub(crate) fn told(&mut self) -> Vec<LegEvent> {
        self.drain();
        self.events.drain(..).filter(|e| !matches!(e, LegEvent::Quality { .. })).collect()
    }

    fn keep(&mut self, side: usize, transmit: Option<Transmit>, buffer: &[u8]) {
        let Some(Transmit { range, to, socket }) = transmit else { return };
        let packet = buffer[range].to_vec();
        match socket {
            Socket::Rtp if !tandem_media::rtp::is_rtcp(&packet) => {
                self.sent_to[side] = Some(to);
                self.rtp[side].push(packet);
            }
            Socket::Rtp | Socket::Rtcp => {
                self.reported_at[side] = Some(self.now);
                self.rtcp[side].push(packet);
            }
        }
    }
}

/// A far end that speaks: a tone in packets of 20 ms.
pub(crate) struct Speaker {
    tone: Tone,
    law: Law,
    pub(crate) header: Header,
}

impl Speaker {
    pub(crate) fn new(hz: f32, codec: &Codec, ssrc: u32) -> Self {
        let header = Header::plain(codec.payload_type, 65_530, 0xffff_ff00, ssrc);
        Self { tone: Tone::new(hz), law: codec.law().unwrap(), header }
    }

    pub(crate) fn packet(&mut self) -> Vec<u8> {
        let mut packet = vec![0; 12];
        self.header.write(&mut packet);
        packet.extend(self.tone.samples(160).into_iter().map(|s| g711::encode(self.law, s)));
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
        packet
    }

    /// Speaks for a while into a leg.
    pub(crate) fn speak(&mut self, wire: &mut Wire, side: usize, packets: usize) {
        for _ in 0..packets {
            let packet = self.packet();
            wire.arrive(side, &packet);
            wire.pass(Duration::from_millis(20));
        }
    }
}

pub(crate) fn header(packet: &[u8]) -> Header {
    Header::parse(packet).unwrap()
}

/// The sound of packets in the clear.
pub(crate) fn sound(packets: &[Vec<u8>], law: Law) -> Vec<i16> {
    packets.iter().flat_map(|p| p[12..].iter().map(|b| g711::decode(law, *b))).collect()
}

/// Whether numbers grow by one and timestamps grow, over all packets of one stream.
pub(crate) fn assert_one_stream(packets: &[Vec<u8>]) {
    for pair in packets.windows(2) {
        let (before, after) = (header(&pair[0]), header(&pair[1]));
        assert_eq!(after.ssrc, before.ssrc);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        let step = after.timestamp.wrapping_sub(before.timestamp);
        assert!((1..80_000).contains(&step), "timestamp steps by {step}");
    }
}
