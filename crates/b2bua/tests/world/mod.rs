//! A door without sockets: a clock, two networks that speak raw SIP text, and everything that comes out.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of the world")]
#![allow(clippy::disallowed_methods, reason = "a story needs some instant to begin with")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_b2bua::trunk::{Profile, Proxy, Trunk};
use tandem_b2bua::{B2bua, Limits, Output, ProxyHealth, Setup, UnknownPeers};
use tandem_center::call::{Address, CallCommand, CallEvent, CallId, Endpoint, PartyId, RecordingId};
use tandem_media::leg::{self, LegCommand, LegEvent, MediaPort, Ports, PortsExhausted};
use tandem_media::prompt::Prompt;
use tandem_sip::flow::{ConnectionId, Destination, Flow, InterfaceId, PeerIdentity, Transport};
use tandem_sip::message::Message;

/// The border controller's name.
pub const FQDN: &str = "sbc1.contoso.example";
/// A second customer's name on the same border controller.
pub const SECOND_FQDN: &str = "fabrikam.sbc1.contoso.example";
/// Where a Teams proxy's requests come from.
pub const TEAMS: &str = "52.114.148.10:41000";
/// The carrier's address.
pub const CARRIER: &str = "198.51.100.7:5060";
/// The key that Teams offers and answers with in these stories.
pub const TEAMS_KEY: &str = "VQC/YO40xh4TE2sfDQOucc1PvUXuF0wELGkpqhhs";

/// A message that the door sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// To where.
    pub to: Destination,
    /// What, as text.
    pub text: String,
}

impl Sent {
    /// The value of a header; panics if it is not there.
    pub fn header(&self, name: &str) -> String {
        self.try_header(name).unwrap_or_else(|| panic!("no {name} in\n{}", self.text))
    }

    /// The value of a header.
    pub fn try_header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\r\n\r\n").next()?;
        head.split("\r\n").skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// All values of a header.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        head.split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(found, _)| found.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }

    /// The first line.
    pub fn first_line(&self) -> &str {
        self.text.split("\r\n").next().unwrap_or_default()
    }

    /// The body.
    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// Whether it is a request with this method.
    pub fn is(&self, method: &str) -> bool {
        self.text.starts_with(&format!("{method} "))
    }

    /// Whether it is a response with this status.
    pub fn answers(&self, status: u16) -> bool {
        self.text.starts_with(&format!("SIP/2.0 {status} "))
    }

    /// The host that it goes to, if it goes to a hop.
    pub fn hop_host(&self) -> Option<String> {
        match &self.to {
            Destination::Hop(hop) => Some(hop.host.to_string()),
            Destination::Flow(_) => None,
        }
    }
}

/// The door and its surroundings.
pub struct World {
    /// The time.
    pub now: Instant,
    /// The door.
    pub door: B2bua,
    /// Its ports.
    pub ports: FakePorts,
    /// Messages sent, in order, until taken.
    pub sent: Vec<Sent>,
    /// Commands to the relay, in order.
    pub media: Vec<LegCommand>,
    /// Recordings asked for, in order.
    pub fetched: Vec<RecordingId>,
    /// Events for the center, in order, until taken.
    pub events: Vec<CallEvent>,
    /// Health of proxies, as told.
    pub health: Vec<ProxyHealth>,
    /// Our side's To in the carrier's dialog, once the caller was answered.
    pub carrier_to: String,
}

/// Ports that are always free, until there are no more.
pub struct FakePorts {
    next: u16,
    /// How many may be reserved at once.
    pub left: usize,
}

impl Ports for FakePorts {
    fn reserve(&mut self, interface: leg::InterfaceId) -> Result<MediaPort, PortsExhausted> {
        if self.left == 0 {
            return Err(PortsExhausted { interface });
        }
        self.left -= 1;
        self.next += 2;
        Ok(MediaPort { interface, rtp: self.next })
    }

    fn release(&mut self, _port: MediaPort) {
        self.left += 1;
    }
}

/// The Teams trunk of the stories.
pub fn teams_trunk(name: &str, fqdn: &str) -> Trunk {
    Trunk {
        name: name.into(),
        profile: Profile::direct_routing(),
        interface: InterfaceId(0),
        transport: Transport::Tls,
        host: fqdn.into(),
        port: 5061,
        media: leg::InterfaceId(0),
        media_address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10)),
        proxies: ["sip", "sip2", "sip3"]
            .map(|n| Proxy { host: format!("{n}.pstnhub.microsoft.com").into(), port: Some(5061) })
            .to_vec(),
        peers: vec!["52.112.0.0/14".parse().unwrap(), "52.120.0.0/14".parse().unwrap()],
        peer_names: vec!["sip.pstnhub.microsoft.com".into()],
        credentials: None,
    }
}

/// The carrier trunk of the stories.
pub fn carrier_trunk() -> Trunk {
    Trunk {
        name: "carrier".into(),
        profile: Profile::carrier(),
        interface: InterfaceId(1),
        transport: Transport::Udp,
        host: "203.0.113.10".into(),
        port: 5060,
        media: leg::InterfaceId(0),
        media_address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10)),
        proxies: vec![Proxy { host: "198.51.100.7".into(), port: Some(5060) }],
        peers: vec!["198.51.100.7".parse().unwrap()],
        peer_names: Vec::new(),
        credentials: None,
    }
}

impl World {
    /// A door with a Teams trunk of two customers and a carrier trunk.
    pub fn new() -> World {
        World::with(vec![teams_trunk("teams", FQDN), teams_trunk("fabrikam", SECOND_FQDN), carrier_trunk()])
    }

    /// A door with these trunks.
    pub fn with(trunks: Vec<Trunk>) -> World {
        World::with_setup(trunks, UnknownPeers::Refuse)
    }

    /// A door with these trunks and this answer to strangers.
    pub fn with_setup(trunks: Vec<Trunk>, unknown_peers: UnknownPeers) -> World {
        let now = Instant::now();
        let prompts =
            BTreeMap::from([(Arc::<str>::from("welcome"), Arc::new(Prompt::from_samples(&[1000; 8000])))]);
        let setup = Setup {
            trunks,
            prompts,
            product: "Tandem/0.1.0".into(),
            unknown_peers,
            limits: Limits { calls: 10, recordings: 2 },
        };
        let mut world = World {
            now,
            door: B2bua::new(now, setup, [7; 32]),
            ports: FakePorts { next: 20_000, left: 1000 },
            sent: Vec::new(),
            media: Vec::new(),
            fetched: Vec::new(),
            events: Vec::new(),
            health: Vec::new(),
            carrier_to: String::new(),
        };
        world.drain();
        world
    }

    /// A message arrives.
    pub fn receive(&mut self, flow: &Flow, text: &str) {
        let message =
            Message::parse_datagram(text.as_bytes().to_vec()).unwrap_or_else(|e| panic!("{e}\n{text}"));
        self.door.handle_message(self.now, flow, message, &mut self.ports);
        self.drain();
    }

    /// The center says something.
    pub fn say(&mut self, command: CallCommand) {
        self.door.handle_command(self.now, command, &mut self.ports);
        self.drain();
    }

    /// The relay says something.
    pub fn hear(&mut self, event: LegEvent) {
        self.door.handle_media(self.now, event, &mut self.ports);
        self.drain();
    }

    /// Time passes, event by event.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.door.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.door.handle_timeout(self.now, &mut self.ports);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.door.poll_output() {
            match output {
                Output::Transmit(transmit) => self.sent.push(Sent {
                    to: transmit.to,
                    text: String::from_utf8_lossy(&transmit.bytes).into_owned(),
                }),
                Output::Media(command) => self.media.push(command),
                Output::Fetch(recording) => self.fetched.push(recording),
                Output::ReleasePort(port) => self.ports.release(port),
                Output::Event(event) => self.events.push(event),
                Output::Proxy(health) => self.health.push(health),
            }
        }
    }

    /// Takes the first sent message that fits; panics if there is none.
    pub fn take(&mut self, what: &str, fits: impl Fn(&Sent) -> bool) -> Sent {
        match self.sent.iter().position(fits) {
            Some(place) => self.sent.remove(place),
            None => {
                let all: Vec<&str> = self.sent.iter().map(Sent::first_line).collect();
                panic!("{what} was not sent; sent were {all:#?}")
            }
        }
    }

    /// Takes the first request with this method.
    pub fn take_request(&mut self, method: &str) -> Sent {
        self.take(method, |sent| sent.is(method))
    }

    /// Takes the first response with this status to a request with this method.
    pub fn take_response(&mut self, status: u16, method: &str) -> Sent {
        let what = format!("{status} to {method}");
        self.take(&what, |sent| sent.answers(status) && sent.header("CSeq").ends_with(&format!(" {method}")))
    }

    /// Takes the first event that fits.
    pub fn take_event<T>(&mut self, what: &str, fits: impl Fn(&CallEvent) -> Option<T>) -> T {
        match self.events.iter().position(|event| fits(event).is_some()) {
            Some(place) => fits(&self.events.remove(place)).unwrap(),
            None => panic!("{what} was not told; told were {:#?}", self.events),
        }
    }

    /// The relay's leg that was opened at this place in the order of all.
    pub fn media_leg(&self, place: usize) -> leg::LegId {
        let opened = self.media.iter().filter_map(|command| match command {
            LegCommand::Open { leg, .. } => Some(*leg),
            _ => None,
        });
        opened.clone().nth(place).unwrap_or_else(|| panic!("only {} legs are open", opened.count()))
    }

    /// The pairs of legs that were bridged so far, each as places in the order in which they were opened.
    pub fn bridges(&self) -> Vec<(usize, usize)> {
        let mut opened = Vec::new();
        let mut bridges = Vec::new();
        for command in &self.media {
            match command {
                LegCommand::Open { leg, .. } => opened.push(*leg),
                LegCommand::Bridge { a, b } => {
                    let place = |leg| opened.iter().position(|opened| opened == leg).unwrap();
                    bridges.push((place(a), place(b)));
                }
                _ => {}
            }
        }
        bridges
    }

    /// A party presses a key.
    pub fn press(&mut self, leg: leg::LegId, key: char) {
        let digit = tandem_media::dtmf::Digit::from_char(key).unwrap();
        self.hear(LegEvent::Digit { leg, digit, duration_ms: 100 });
    }

    /// All legs that were closed and have not reported yet do so now.
    pub fn report_closed(&mut self) {
        let mut closed = Vec::new();
        self.media.retain(|command| match command {
            LegCommand::Close { leg } => {
                closed.push(*leg);
                false
            }
            _ => true,
        });
        for leg in closed {
            self.hear(LegEvent::Closed { leg, report: Box::default() });
        }
    }

    /// The shell has fetched a recording, or has not found it.
    pub fn bring(&mut self, recording: RecordingId, prompt: Option<&Arc<Prompt>>) {
        self.door.handle_recording(self.now, recording, prompt, &mut self.ports);
        self.drain();
    }

    // --- stories that many tests begin with

    /// The center calls a customer over the carrier and shows the company's number; returns our INVITE.
    pub fn call_ada(&mut self, call: CallId) -> Sent {
        self.say(CallCommand::Place {
            call,
            to: Endpoint { line: "carrier".into(), address: Address::Phone("+14255550142".into()) },
            presented: Some(Address::Phone("+14255550199".into())),
            presented_name: Some("Contoso".into()),
        });
        self.take_request("INVITE")
    }

    /// The center calls a customer, who answers.
    pub fn ada_is_called_back(&mut self, call: CallId) -> Sent {
        let invite = self.call_ada(call);
        self.receive(&carrier_flow(), &carrier_answer(&invite, 180, ""));
        self.receive(&carrier_flow(), &carrier_answer(&invite, 200, &carrier_sdp("sendrecv")));
        self.take_request("ACK");
        self.take_event("the answer", |event| {
            matches!(event, CallEvent::Joined { party: PartyId::FIRST, .. }).then_some(())
        });
        invite
    }

    /// Somebody in Teams is rung for a call, apart from it; returns our INVITE.
    pub fn ring_apart(&mut self, call: CallId, party: u16) -> Sent {
        self.say(CallCommand::AddParty {
            call,
            party: PartyId(party),
            to: Endpoint {
                line: "teams".into(),
                address: Address::Phone(format!("+142555501{party:02}").into()),
            },
            presented: None,
            presented_name: None,
            apart: true,
        });
        self.take_request("INVITE")
    }

    /// Who was rung in Teams answers.
    pub fn teams_answers(&mut self, invite: &Sent, tag: &str) {
        self.receive(&own_teams_flow(), &teams_answer(invite, 200, tag, &teams_sdp("sendrecv")));
        self.take_request("ACK");
    }

    /// A caller comes over the carrier and is answered.
    pub fn caller_is_answered(&mut self) -> CallId {
        let call = self.caller_arrives("sendrecv");
        self.say(CallCommand::Answer { call });
        let ok = self.take_response(200, "INVITE");
        self.carrier_to = to_of(&ok);
        self.receive(&carrier_flow(), &carrier_request("ACK", 1, &self.carrier_to.clone(), ""));
        self.take_event("the answer", |event| matches!(event, CallEvent::Answered { .. }).then_some(()));
        call
    }

    /// A caller comes over the carrier.
    pub fn caller_arrives(&mut self, direction: &str) -> CallId {
        self.receive(&carrier_flow(), &carrier_invite(direction));
        self.take_event("an arrival", |event| match event {
            CallEvent::Arrived(arrival) => Some(arrival.call),
            _ => None,
        })
    }

    /// An agent in Teams is added to the call; returns our INVITE.
    pub fn ring_adele(&mut self, call: CallId) -> Sent {
        self.say(CallCommand::AddParty {
            call,
            party: PartyId(1),
            to: Endpoint { line: "teams".into(), address: Address::Phone("+14255550101".into()) },
            presented: None,
            presented_name: None,
            apart: false,
        });
        self.take_request("INVITE")
    }

    /// An agent in Teams is added to the call and answers; returns our INVITE and our ACK.
    pub fn adele_joins(&mut self, call: CallId) -> (Sent, Sent) {
        let invite = self.ring_adele(call);
        self.receive(&own_teams_flow(), &teams_answer(&invite, 180, "t180", ""));
        self.receive(&own_teams_flow(), &teams_answer(&invite, 200, "t200", &teams_sdp("sendrecv")));
        let ack = self.take_request("ACK");
        self.take_event("the joining", |event| matches!(event, CallEvent::Joined { .. }).then_some(()));
        (invite, ack)
    }
}

/// A flow on which Teams sends its requests.
pub fn teams_flow() -> Flow {
    flow(0, Transport::Tls, TEAMS, Some(7), &["sip.pstnhub.microsoft.com"])
}

/// The flow of the connection that we opened to Teams.
pub fn own_teams_flow() -> Flow {
    flow(0, Transport::Tls, "52.114.148.10:5061", Some(1), &["sip.pstnhub.microsoft.com"])
}

/// The flow of the carrier.
pub fn carrier_flow() -> Flow {
    flow(1, Transport::Udp, CARRIER, None, &[])
}

/// A flow.
pub fn flow(
    interface: u16,
    transport: Transport,
    remote: &str,
    connection: Option<u64>,
    names: &[&str],
) -> Flow {
    Flow {
        interface: InterfaceId(interface),
        transport,
        remote: remote.parse::<SocketAddr>().unwrap(),
        connection: connection.map(ConnectionId),
        peer: Arc::new(PeerIdentity { certificate_names: names.iter().map(|&n| n.to_owned()).collect() }),
    }
}

/// The carrier's INVITE.
pub fn carrier_invite(direction: &str) -> String {
    let sdp = carrier_sdp(direction);
    format!(
        "INVITE sip:+14255550199@203.0.113.10 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKcar1\r\n\
         Max-Forwards: 70\r\n\
         From: \"Ada Client\" <sip:+14255550142@198.51.100.7>;tag=car\r\n\
         To: <sip:+14255550199@203.0.113.10>\r\n\
         Call-ID: carrier-call-1\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:+14255550142@198.51.100.7:5060>\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

/// A further request of the carrier in the dialog.
pub fn carrier_request(method: &str, cseq: u32, to: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:+14255550199@203.0.113.10:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKcar{method}{cseq}\r\n\
         Max-Forwards: 70\r\n\
         From: \"Ada Client\" <sip:+14255550142@198.51.100.7>;tag=car\r\n\
         To: {to}\r\n\
         Call-ID: carrier-call-1\r\n\
         CSeq: {cseq} {method}\r\n\
         Contact: <sip:+14255550142@198.51.100.7:5060>\r\n\
         {kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The To of a response of ours, with its tag.
pub fn to_of(response: &Sent) -> String {
    response.header("To")
}

/// The carrier's SDP.
pub fn carrier_sdp(direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
         m=audio 30000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
    )
}

/// Teams' SDP, in the form of Microsoft's proxies.
pub fn teams_sdp(direction: &str) -> String {
    format!(
        "v=0\r\no=- 114820 1 IN IP4 127.0.0.1\r\ns=session\r\nc=IN IP4 52.114.60.21\r\nb=CT:10000000\r\nt=0 0\r\n\
         m=audio 50042 RTP/SAVP 8 0 101 13\r\nc=IN IP4 52.114.60.21\r\na=rtcp:50042\r\na=rtcp-mux\r\n\
         a=label:main-audio\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31\r\na={direction}\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
         a=rtpmap:13 CN/8000\r\na=ptime:20\r\n"
    )
}

/// The carrier's response to a request of ours.
pub fn carrier_answer(request: &Sent, status: u16, body: &str) -> String {
    carrier_answer_with(request, status, "", body)
}

/// The carrier's response to a request of ours, with further headers.
pub fn carrier_answer_with(request: &Sent, status: u16, headers: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let to = request.header("To");
    let to = if to.contains("tag=") { to } else { format!("{to};tag=ada") };
    format!(
        "SIP/2.0 {status} X\r\nVia: {}\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:+14255550142@198.51.100.7:5060>\r\n{headers}{kind}Content-Length: {}\r\n\r\n{body}",
        request.header("Via"),
        request.header("From"),
        request.header("Call-ID"),
        request.header("CSeq"),
        body.len()
    )
}

/// Teams' response to a request of ours, in the form of Microsoft's proxies: capitals, a Contact with port 443 that is
/// not to be connected to, and a Record-Route that is.
pub fn teams_answer(request: &Sent, status: u16, tag: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "CONTENT-TYPE: application/sdp\r\n" };
    let to = request.header("To");
    let to = if to.contains("tag=") { to } else { format!("{to};tag={tag}") };
    format!(
        "SIP/2.0 {status} X\r\nFROM: {}\r\nTO: {to}\r\nCSEQ: {}\r\nCALL-ID: {}\r\nVIA: {}\r\n\
         RECORD-ROUTE: <sip:sip-du-a-us.pstnhub.microsoft.com:5061;transport=tls;lr>\r\n\
         CONTACT: <{TEAMS_CONTACT}>\r\nALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY\r\n\
         SERVER: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3\r\n{kind}CONTENT-LENGTH: {}\r\n\r\n{body}",
        request.header("From"),
        request.header("CSeq"),
        request.header("Call-ID"),
        request.header("Via"),
        body.len()
    )
}

/// The Contact of Teams: its port is no SIP port, its parameters are opaque.
pub const TEAMS_CONTACT: &str = "sip:api-du-a-usea.pstnhub.microsoft.com:443;\
    x-i=b712d12c-77e8-4017-b50d-6d321507aa28;x-c=c01e7f0a4d7c4f0e8a7a11d0a1b2c3d4/d/8/4b30e7706660465fbbd332a888abd49a";

/// A request of Teams inside the dialog that our INVITE began and this tag confirmed.
pub fn teams_request(invite: &Sent, tag: &str, method: &str, cseq: u32, headers: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "CONTENT-TYPE: application/sdp\r\n" };
    format!(
        "{method} sip:+14255550142@{FQDN}:5061;transport=tls SIP/2.0\r\n\
         FROM: {};tag={tag}\r\nTO: {}\r\nCSEQ: {cseq} {method}\r\nCALL-ID: {}\r\nMAX-FORWARDS: 70\r\n\
         VIA: SIP/2.0/TLS 52.114.148.10:5061;branch=z9hG4bKteams{method}{cseq}\r\n\
         CONTACT: <{TEAMS_CONTACT}>\r\n{headers}{kind}CONTENT-LENGTH: {}\r\n\r\n{body}",
        invite.header("To"),
        invite.header("From"),
        invite.header("Call-ID"),
        body.len()
    )
}
