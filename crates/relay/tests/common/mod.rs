//! Far ends with real sockets on the loopback, and a relay between them.
#![allow(dead_code, reason = "each test file uses its own part of this module")]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tandem_media::codec::{Codec, Law};
use tandem_media::g711;
use tandem_media::leg::{InterfaceId, LegCommand, LegEvent, LegId, MediaPort, PlayId, Ports as _};
use tandem_media::negotiate::{Negotiated, PayloadTypes, SrtpPair};
use tandem_media::rtp::{self, Header};
use tandem_media::sdp::Direction;
use tandem_media::srtp::{SrtpKey, SrtpReceiver, SrtpSender, TAG_OCTETS};
use tandem_media::tone::Tone;
use tandem_relay::{Interface, PortPool, Relay, RelayConfig};

/// How long a test waits for what must come. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A relay, its ports and what it tells.
pub(crate) struct Bench {
    pub(crate) relay: Relay,
    pub(crate) ports: PortPool,
    pub(crate) events: Receiver<LegEvent>,
    address: IpAddr,
}

impl Bench {
    /// A relay on a loopback address that no other test uses.
    pub(crate) fn new(address: &str, workers: usize) -> Self {
        let address: IpAddr = address.parse().unwrap();
        let (sink, events) = channel();
        let interfaces = vec![Interface { bind: address, ports: 40_000..=40_999 }];
        let config = RelayConfig {
            workers: Some(workers),
            legs_before_next_worker: 1,
            ..RelayConfig::new(interfaces)
        };
        let relay = Relay::start(&config, Arc::new(move |event| drop(sink.send(event)))).unwrap();
        let ports = relay.ports();
        Self { relay, ports, events, address }
    }

    pub(crate) fn reserve(&mut self) -> MediaPort {
        self.ports.reserve(InterfaceId(0)).unwrap()
    }

    /// Opens a leg towards a far end and answers the address the far end must send to.
    pub(crate) fn open(&mut self, leg: u64, affinity: u64, far: &FarEnd) -> SocketAddr {
        let port = self.reserve();
        self.relay.command(LegCommand::Open { leg: LegId(leg), port, affinity, seed: leg });
        self.configure(leg, far.agreed());
        self.settle(leg);
        SocketAddr::new(self.address, port.rtp)
    }

    /// Waits until the leg has done what it was told so far.
    pub(crate) fn settle(&mut self, leg: u64) {
        let (leg, play) = (LegId(leg), PlayId(u64::MAX));
        self.relay.command(LegCommand::Play { leg, play, prompts: Vec::new(), repeat: false });
        self.wait_for(|e| matches!(e, LegEvent::Played { leg: l, .. } if *l == leg).then_some(()));
    }

    pub(crate) fn configure(&mut self, leg: u64, negotiated: Negotiated) {
        let negotiated = Arc::new(negotiated);
        self.relay.command(LegCommand::Configure { leg: LegId(leg), negotiated, latch: false });
    }

    pub(crate) fn bridge(&mut self, a: u64, b: u64) {
        self.relay.command(LegCommand::Bridge { a: LegId(a), b: LegId(b) });
        self.settle(a);
    }

    pub(crate) fn close(&mut self, leg: u64) {
        self.relay.command(LegCommand::Close { leg: LegId(leg) });
    }

    /// The next event that the closure wants.
    pub(crate) fn wait_for<T>(&self, wanted: impl Fn(&LegEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(patience).expect("the event never came");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    }
}

/// A phone: a socket, a codec, a tone, and keys if it encrypts.
pub(crate) struct FarEnd {
    socket: UdpSocket,
    codec: Codec,
    law: Law,
    header: Header,
    tone: Tone,
    srtp: Option<(SrtpSender, SrtpReceiver)>,
}

const OURS: [u8; 30] = [3; 30];
const THEIRS: [u8; 30] = [4; 30];

impl FarEnd {
    pub(crate) fn new(address: &str, codec: Codec, hz: f32) -> Self {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let header = Header::plain(codec.payload_type, 100, 0, hz as u32);
        let law = codec.law().unwrap();
        Self { socket, law, codec, header, tone: Tone::new(hz), srtp: None }
    }

    pub(crate) fn encrypted(mut self) -> Self {
        self.srtp = Some((SrtpSender::new(&SrtpKey::new(THEIRS)), SrtpReceiver::new(&SrtpKey::new(OURS), 0)));
        self
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// What a negotiation with it would agree on.
    pub(crate) fn agreed(&self) -> Negotiated {
        let remote = self.address();
        let both = |n| PayloadTypes { send: n, receive: n };
        let keys =
            || SrtpPair { local: SrtpKey::new(OURS), remote: SrtpKey::new(THEIRS), remote_mki_octets: 0 };
        Negotiated {
            remote,
            remote_rtcp: remote,
            rtcp_mux: true,
            codec: self.codec.clone(),
            payload: both(self.codec.payload_type),
            also: Vec::new(),
            telephone_event: Some(both(101)),
            comfort_noise: None,
            srtp: self.srtp.is_some().then(keys),
            direction: Direction::SendRecv,
            send: true,
            receive: true,
            ptime_ms: 20,
            remote_hold: false,
        }
    }

    /// 20 ms of its tone.
    pub(crate) fn speak(&mut self, to: SocketAddr) {
        let sound: Vec<u8> = self.tone.samples(160).into_iter().map(|s| g711::encode(self.law, s)).collect();
        self.send(to, &sound);
        self.header.timestamp += 160;
    }

    pub(crate) fn press(&mut self, to: SocketAddr, event: u8) {
        let number = std::mem::replace(&mut self.header.payload_type, 101);
        for (end, duration) in [(0, 160_u16), (0, 320), (0x80, 480), (0x80, 480), (0x80, 480)] {
            let [d0, d1] = duration.to_be_bytes();
            self.send(to, &[event, end, d0, d1]);
        }
        self.header.payload_type = number;
        self.header.timestamp += 480;
    }

    /// Goes on speaking from another port, without having said so.
    pub(crate) fn move_away(&mut self) {
        let address = self.address().ip();
        self.move_to(SocketAddr::new(address, 0));
    }

    /// Goes on from this address.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        self.socket = UdpSocket::bind(address).unwrap();
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Whether sound comes before nothing came for a moment; reports are passed over.
    pub(crate) fn hears_within(&mut self, moment: Duration) -> bool {
        self.socket.set_read_timeout(Some(moment)).unwrap();
        let mut buffer = [0; 1500];
        let heard = loop {
            match self.socket.recv_from(&mut buffer) {
                Ok((octets, _)) if rtp::is_rtcp(&buffer[..octets]) => {}
                outcome => break outcome.is_ok(),
            }
        };
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        heard
    }

    fn send(&mut self, to: SocketAddr, payload: &[u8]) {
        let mut packet = vec![0; 12];
        self.header.write(&mut packet);
        packet.extend(payload);
        self.header.sequence += 1;
        if let Some((sender, _)) = &mut self.srtp {
            let octets = packet.len();
            packet.resize(octets + TAG_OCTETS, 0);
            assert!(sender.protect_rtp(&mut packet, octets).is_some());
        }
        self.socket.send_to(&packet, to).unwrap();
    }

    /// The sound of the next RTP packet; reports are passed over.
    pub(crate) fn listen(&mut self) -> Vec<i16> {
        loop {
            let (mut packet, _) = self.receive();
            if rtp::is_rtcp(&packet) {
                continue;
            }
            if let Some((_, receiver)) = &mut self.srtp {
                let octets = receiver.unprotect_rtp(&mut packet).unwrap();
                packet.truncate(octets);
            }
            return packet[12..].iter().map(|b| g711::decode(self.law, *b)).collect();
        }
    }

    /// The next packet of any kind, and whence it came.
    pub(crate) fn receive(&mut self) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 1500];
        let (octets, source) = self.socket.recv_from(&mut buffer).expect("the packet never came");
        (buffer[..octets].to_vec(), source)
    }
}
