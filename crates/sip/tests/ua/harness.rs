//! Two user agents, a clock that the test moves, and a network that may lose and delay; and one user agent alone,
//! played with by hand.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test takes for granted ends it where it fails"
)]

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_sip::flow::{ConnectionId, Destination, Flow, Hop, InterfaceId, PeerIdentity, Transport};
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::ua::{
    Answer, Body, Event, Identity, LegId, Load, OutgoingInvite, Output, SessionTimer, Transmit, UserAgent,
};

/// The moment at which every test begins.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's clock starts somewhere; from there on it is moved by hand"
)]
pub(crate) fn start() -> Instant {
    Instant::now()
}

pub(crate) fn sdp(text: &str) -> Body {
    Body { content_type: "application/sdp".into(), bytes: text.as_bytes().into() }
}

pub(crate) fn answer(status: u16) -> Answer {
    Answer { status, ..Answer::default() }
}

pub(crate) fn answer_with(status: u16, body: &str) -> Answer {
    Answer { status, body: Some(sdp(body)), ..Answer::default() }
}

pub(crate) fn text(body: &Option<Body>) -> Option<&str> {
    body.as_ref().map(|body| std::str::from_utf8(&body.bytes).expect("text"))
}

/// An identity without session timer and reliable responses.
pub(crate) fn identity(host: &str) -> Identity {
    Identity {
        interface: InterfaceId(7),
        sent_by: format!("{host}:5060").into(),
        allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, UPDATE, PRACK, INFO".into(),
        supported: "timer, replaces".into(),
        product: "Tandem/test".into(),
        headers: Arc::new([("X-MS-SBC".into(), "Tandem/Test/1".into())]),
        session_timer: None,
        reliable_provisional: false,
    }
}

pub(crate) fn with_timer(identity: Identity, expires_s: u64, min_s: u64) -> Identity {
    let timer = SessionTimer { expires: Duration::from_secs(expires_s), min: Duration::from_secs(min_s) };
    Identity { session_timer: Some(timer), ..identity }
}

/// One of two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    A,
    B,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

pub(crate) struct End {
    pub(crate) ua: UserAgent,
    pub(crate) identity: Arc<Identity>,
    pub(crate) events: VecDeque<Event>,
    host: Ipv4Addr,
}

impl End {
    fn new(host: Ipv4Addr, identity: Identity) -> Self {
        let ua = UserAgent::new(u64::from(u32::from(host)));
        Self { ua, identity: Arc::new(identity), events: VecDeque::new(), host }
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.host), 5060)
    }

    pub(crate) fn contact(&self, transport: Transport) -> Arc<[u8]> {
        format!("<sip:{}:5060;transport={}>", self.host, transport.uri_name()).into_bytes().into()
    }
}

/// A message on its way.
struct Packet {
    at: Instant,
    to: Side,
    connection: Option<ConnectionId>,
    bytes: Vec<u8>,
}

type Loss = Box<dyn FnMut(usize, &str) -> bool>;

/// Two ends and what lies between.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) a: End,
    pub(crate) b: End,
    pub(crate) transport: Transport,
    /// `A INVITE`, `B 200 INVITE`: who sent what, lost messages included.
    pub(crate) log: Vec<String>,
    /// What a message takes from end to end.
    pub(crate) delay: Duration,
    /// Which messages are lost, by their number in `log` and their entry there.
    pub(crate) lost: Loss,
    /// What a message takes longer, at most, and the state of the chance that says how much.
    jitter: (Duration, u64),
    packets: Vec<Packet>,
}

impl Pair {
    pub(crate) fn udp() -> Self {
        Self::new(Transport::Udp, identity("192.0.2.1"), identity("192.0.2.2"))
    }

    pub(crate) fn tls() -> Self {
        Self::new(Transport::Tls, identity("192.0.2.1"), identity("192.0.2.2"))
    }

    pub(crate) fn new(transport: Transport, a: Identity, b: Identity) -> Self {
        Self {
            now: start(),
            a: End::new(Ipv4Addr::new(192, 0, 2, 1), a),
            b: End::new(Ipv4Addr::new(192, 0, 2, 2), b),
            transport,
            log: Vec::new(),
            delay: Duration::from_millis(20),
            lost: Box::new(|_, _| false),
            jitter: (Duration::ZERO, 0),
            packets: Vec::new(),
        }
    }

    /// Messages take up to `more` longer, by chance, and overtake each other.
    pub(crate) fn jitter(&mut self, seed: u64, more: Duration) {
        self.jitter = (more, seed);
    }

    pub(crate) fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// An INVITE from A to B.
    pub(crate) fn outgoing(&self, offer: Option<&str>) -> OutgoingInvite {
        OutgoingInvite {
            identity: self.a.identity.clone(),
            hop: Hop {
                interface: self.a.identity.interface,
                transport: self.transport,
                host: self.b.host.to_string().into(),
                port: Some(5060),
            },
            request_uri: Arc::from(&b"sip:bob@192.0.2.2:5060"[..]),
            from: Arc::from(&b"\"Ada\" <sip:ada@192.0.2.1>"[..]),
            to: Arc::from(&b"<sip:bob@192.0.2.2>"[..]),
            contact: self.a.contact(self.transport),
            headers: Vec::new(),
            offer: offer.map(sdp),
            credentials: None,
        }
    }

    /// A invites B with an offer; gives A's leg. The network is not driven yet.
    pub(crate) fn invite(&mut self, offer: Option<&str>) -> LegId {
        let invite = self.outgoing(offer);
        let leg = self.a.ua.new_leg();
        self.a.ua.invite(self.now, leg, invite);
        leg
    }

    /// B's leg of the INVITE that has come, with its identity set.
    pub(crate) fn take_invite(&mut self) -> LegId {
        let Some(Event::Invite { leg, .. }) = self.b.events.pop_front() else { panic!("no INVITE came") };
        let contact = self.b.contact(self.transport);
        self.b.ua.set_identity(leg, self.b.identity.clone(), contact);
        leg
    }

    /// A call from A to B that B has answered; both legs, with all events of it taken.
    pub(crate) fn connected(&mut self) -> (LegId, LegId) {
        let a = self.invite(Some("offer"));
        self.drive();
        let b = self.take_invite();
        self.b.ua.accept(self.now, b, answer_with(200, "answer"));
        self.drive();
        assert!(matches!(self.a.events.pop_front(), Some(Event::Accepted { .. })));
        assert!(matches!(self.b.events.pop_front(), Some(Event::Acknowledged { .. })));
        self.log.clear();
        (a, b)
    }

    /// Delivers what is on its way, without letting any timer fire.
    pub(crate) fn drive(&mut self) {
        self.collect();
        while let Some(next) = self.packets.iter().map(|packet| packet.at).min() {
            self.now = self.now.max(next);
            self.deliver();
        }
    }

    /// Lets time pass, with everything that happens in it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.collect();
        loop {
            let packet = self.packets.iter().map(|packet| packet.at).min();
            let times = [packet, self.a.ua.poll_timeout(), self.b.ua.poll_timeout()];
            let Some(next) = times.into_iter().flatten().min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.deliver();
            self.a.ua.handle_timeout(self.now);
            self.b.ua.handle_timeout(self.now);
            self.collect();
        }
        self.now = end;
    }

    pub(crate) fn pass_s(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// Both ends hold nothing any more once copies are no longer awaited.
    pub(crate) fn assert_all_gone(&mut self) {
        self.pass_s(64);
        assert_eq!(self.a.ua.load(), Load::default(), "left over at A");
        assert_eq!(self.b.ua.load(), Load::default(), "left over at B");
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.packets).into_iter().partition(|packet| packet.at <= now);
        self.packets = later;
        for Packet { to, connection, bytes, .. } in due {
            let from = self.end(to.other()).address();
            let flow = Flow {
                interface: InterfaceId(7),
                transport: self.transport,
                remote: from,
                connection,
                peer: Arc::new(PeerIdentity::default()),
            };
            let message = Message::parse_datagram(bytes).expect("a message that this crate wrote");
            self.end(to).ua.handle_message(now, &flow, message);
        }
        self.collect();
    }

    /// Takes what both ends put out.
    fn collect(&mut self) {
        for side in [Side::A, Side::B] {
            while let Some(output) = self.end(side).ua.poll_output() {
                match output {
                    Output::Event(event) => self.end(side).events.push_back(event),
                    Output::Transmit(transmit) => self.send(side, transmit),
                }
            }
        }
    }

    fn send(&mut self, from: Side, transmit: Transmit) {
        let entry = format!("{from:?} {}", name(&transmit.bytes));
        let number = self.log.len();
        self.log.push(entry.clone());
        if (self.lost)(number, &entry) {
            return;
        }
        let connection = match (&transmit.to, self.transport.is_reliable()) {
            (_, false) => None,
            (Destination::Flow(flow), true) => flow.connection,
            // Each end opens its own connection for requests.
            (Destination::Hop(_), true) => Some(ConnectionId(from as u64)),
        };
        let (more, state) = &mut self.jitter;
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = self.now + self.delay + more.mul_f64((*state >> 33) as f64 / f64::from(1_u32 << 31));
        self.packets.push(Packet { at, to: from.other(), connection, bytes: transmit.bytes.to_vec() });
    }
}

/// `INVITE` or `200 INVITE`.
pub(crate) fn name(bytes: &[u8]) -> String {
    let message = Message::parse_datagram(bytes.to_vec()).expect("a message that this crate wrote");
    match message.status() {
        Some(status) => format!("{status} {}", message.method()),
        None => message.method().to_string(),
    }
}

/// The first header of that name as text.
pub(crate) fn header(message: &Message, name: HeaderName<'static>) -> String {
    String::from_utf8_lossy(message.header(name).unwrap_or_default()).into_owned()
}
