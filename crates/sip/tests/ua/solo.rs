//! One user agent and a peer that a test plays by hand: whatever a foreign implementation might send.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test takes for granted ends it where it fails"
)]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_sip::build::Writer;
use tandem_sip::flow::{ConnectionId, Destination, Flow, Hop, InterfaceId, PeerIdentity, Transport};
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::status::StatusCode;
use tandem_sip::ua::{
    Credentials, Event, Identity, LegId, Load, OutgoingInvite, Output, Transmit, UserAgent,
};

use crate::harness::{identity, sdp, start};

/// A user agent alone.
pub(crate) struct Solo {
    pub(crate) now: Instant,
    pub(crate) ua: UserAgent,
    pub(crate) identity: Arc<Identity>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) sent: VecDeque<Transmit>,
    /// On which messages of the peer come.
    pub(crate) flow: Flow,
}

impl Solo {
    pub(crate) fn udp() -> Self {
        Self::new(Transport::Udp, identity("192.0.2.1"))
    }

    pub(crate) fn tls() -> Self {
        Self::new(Transport::Tls, identity("192.0.2.1"))
    }

    pub(crate) fn new(transport: Transport, identity: Identity) -> Self {
        let flow = Flow {
            interface: InterfaceId(7),
            transport,
            remote: SocketAddr::from(([198, 51, 100, 9], 5060)),
            connection: transport.is_reliable().then_some(ConnectionId(1)),
            peer: Arc::new(PeerIdentity::default()),
        };
        let (events, sent) = (VecDeque::new(), VecDeque::new());
        Self { now: start(), ua: UserAgent::new(42), identity: Arc::new(identity), events, sent, flow }
    }

    /// The peer sends this; lines end in `\n` here.
    pub(crate) fn receive(&mut self, text: &str) {
        let message = Message::parse_datagram(text.replace('\n', "\r\n").into_bytes()).expect("a message");
        self.receive_message(message);
    }

    pub(crate) fn receive_message(&mut self, message: Message) {
        self.ua.handle_message(self.now, &self.flow.clone(), message);
        self.drain();
    }

    /// The peer answers a request of ours; `headers` are whole lines.
    pub(crate) fn respond(
        &mut self,
        request: &Message,
        status: u16,
        tag: &str,
        headers: &[&str],
        body: Option<&str>,
    ) {
        let mut out = Vec::new();
        let status = StatusCode::new(status).expect("a status");
        let mut writer = Writer::response(&mut out, status, b"");
        writer.reply_to(request, status, (!tag.is_empty()).then_some(tag.as_bytes()), None);
        for line in headers {
            let (name, value) = line.split_once(": ").expect("a header line");
            writer.header(HeaderName::from_bytes(name.as_bytes()), value.as_bytes());
        }
        match body {
            Some(body) => writer.finish_with_body(b"application/sdp", body.as_bytes()),
            None => writer.finish(),
        }
        .expect("a response");
        self.receive_message(Message::parse_datagram(out).expect("a response"));
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.ua.poll_output() {
            match output {
                Output::Transmit(transmit) => self.sent.push_back(transmit),
                Output::Event(event) => self.events.push_back(event),
            }
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.drain();
        while let Some(next) = self.ua.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.ua.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn pass_s(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// The next message that we sent.
    pub(crate) fn next_sent(&mut self) -> Message {
        self.next_transmit().0
    }

    /// The next message that we sent, and where it goes.
    pub(crate) fn next_transmit(&mut self) -> (Message, Destination) {
        self.drain();
        let Some(transmit) = self.sent.pop_front() else { panic!("nothing was sent") };
        (Message::parse_datagram(transmit.bytes).expect("a message that this crate wrote"), transmit.to)
    }

    /// What we sent since, by name: `INVITE`, `200 BYE`.
    pub(crate) fn names(&mut self) -> Vec<String> {
        self.drain();
        self.sent.drain(..).map(|transmit| crate::harness::name(&transmit.bytes)).collect()
    }

    pub(crate) fn next_event(&mut self) -> Event {
        self.drain();
        let Some(event) = self.events.pop_front() else { panic!("nothing was told") };
        event
    }

    pub(crate) fn assert_quiet(&mut self) {
        assert_eq!(self.names(), [""; 0]);
        assert!(self.events.is_empty(), "{:?}", self.events);
    }

    /// Nothing is held any more once copies are no longer awaited.
    pub(crate) fn assert_all_gone(&mut self) {
        self.pass_s(64);
        assert_eq!(self.ua.load(), Load::default());
    }

    /// The host and port that a request goes to.
    pub(crate) fn hop(to: &Destination) -> String {
        match to {
            Destination::Hop(Hop { transport, host, port, .. }) => {
                let port = port.map_or(String::new(), |port| format!(":{port}"));
                format!("{} {host}{port}", transport.uri_name())
            }
            Destination::Flow(flow) => panic!("a request on a flow of the peer: {flow:?}"),
        }
    }

    pub(crate) fn outgoing(&self, offer: Option<&str>) -> OutgoingInvite {
        let transport = self.flow.transport;
        OutgoingInvite {
            identity: self.identity.clone(),
            hop: Hop {
                interface: self.identity.interface,
                transport,
                host: "proxy.example.com".into(),
                port: Some(5061),
            },
            request_uri: Arc::from(&b"sip:bob@example.com"[..]),
            from: Arc::from(&b"<sip:ada@192.0.2.1>"[..]),
            to: Arc::from(&b"<sip:bob@example.com>"[..]),
            contact: Arc::from(&b"<sip:192.0.2.1:5060>"[..]),
            headers: Vec::new(),
            offer: offer.map(sdp),
            credentials: None,
        }
    }

    /// We invite the peer; gives our leg and the INVITE.
    pub(crate) fn invite(&mut self, offer: Option<&str>) -> (LegId, Message) {
        let invite = self.outgoing(offer);
        self.invite_with(invite)
    }

    pub(crate) fn invite_with(&mut self, invite: OutgoingInvite) -> (LegId, Message) {
        let leg = self.ua.new_leg();
        self.ua.invite(self.now, leg, invite);
        (leg, self.next_sent())
    }

    /// We called the peer and were answered.
    pub(crate) fn called(&mut self, headers: &[&str]) -> (LegId, Message) {
        let (leg, invite) = self.invite(Some("offer"));
        let headers = [&["Contact: <sip:peer@198.51.100.9>"], headers].concat();
        self.respond(&invite, 200, "peer", &headers, Some("answer"));
        assert_eq!(self.names(), ["ACK"]);
        assert!(matches!(self.next_event(), Event::Accepted { .. }));
        (leg, invite)
    }

    /// The INVITE of the peer has come: our leg, with its identity set, and our 100.
    pub(crate) fn invited(&mut self, invite: &str) -> (LegId, Message) {
        self.receive(invite);
        let trying = self.next_sent();
        let Event::Invite { leg, .. } = self.next_event() else { panic!("no INVITE was told") };
        let contact = Arc::from(&b"<sip:192.0.2.1:5060>"[..]);
        self.ua.set_identity(leg, self.identity.clone(), contact);
        (leg, trying)
    }

    /// The peer called us and was answered: our leg and our tag.
    pub(crate) fn answered(&mut self) -> (LegId, String) {
        let (leg, _) = self.invited(&request("INVITE", 1, "first", "", &[OFFER], "offer"));
        self.ua.accept(self.now, leg, crate::harness::answer_with(200, "answer"));
        let success = self.next_sent();
        let tag = tag_of(&success);
        self.receive(&request("ACK", 1, "ack-first", &tag, &[], ""));
        assert!(matches!(self.next_event(), Event::Acknowledged { .. }));
        (leg, tag)
    }
}

/// The Content-Type of an offer.
pub(crate) const OFFER: &str = "Content-Type: application/sdp";

/// A request of the peer in its call `call-1`. `tag` is ours; empty outside of a dialog.
pub(crate) fn request(
    method: &str,
    cseq: u32,
    branch: &str,
    tag: &str,
    headers: &[&str],
    body: &str,
) -> String {
    let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let mut text = format!(
        "{method} sip:us@192.0.2.1:5060 SIP/2.0\n\
         Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bK{branch}\n\
         Max-Forwards: 70\n\
         From: \"Peer\" <sip:peer@example.org>;tag=peer\n\
         To: <sip:us@example.com>{tag}\n\
         Call-ID: call-1\n\
         CSeq: {cseq} {method}\n"
    );
    if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("contact:")) {
        text.push_str("Contact: <sip:peer@198.51.100.9:5060>\n");
    }
    for header in headers {
        text.push_str(header);
        text.push('\n');
    }
    text.push_str(&format!("Content-Length: {}\n\n{body}", body.len()));
    text
}

/// Our tag in a response of ours.
pub(crate) fn tag_of(response: &Message) -> String {
    String::from_utf8_lossy(response.to().tag().expect("a To tag")).into_owned()
}

pub(crate) fn credentials() -> Credentials {
    Credentials { user: "ada".into(), password: "secret".into(), realm: None }
}
