//! Teams alone in a room with a border controller that we play by hand, on virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tandem_sandbox::chance::Chance;
use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::event::What;
use tandem_sandbox::media::{PortCommand, PortEvent, PortId, Stream};
use tandem_sandbox::teams::command::Act;
use tandem_sandbox::teams::connection::ConnectionId;
use tandem_sandbox::teams::proxy::ProxyId;
use tandem_sandbox::teams::{CallId, Command, CommandRefusal, Done, Output, Teams};
use tandem_sandbox::violation::Rule;

pub(crate) struct Room {
    pub(crate) teams: Teams,
    pub(crate) now: Instant,
    /// What Teams said and we have not heard.
    said: VecDeque<Heard>,
    /// Connections that Teams opened: to where, from which proxy.
    pub(crate) opened: Vec<(ConnectionId, ProxyId, String, u16)>,
    pub(crate) closed: Vec<ConnectionId>,
    /// What ports were told last.
    pub(crate) streams: Vec<(PortId, Stream)>,
    pub(crate) open_ports: Vec<(PortId, SocketAddr)>,
    /// Connections of Teams come up at once.
    pub(crate) reachable: bool,
}

/// A message of Teams.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) on: ConnectionId,
    pub(crate) text: String,
}

pub(crate) const SBC: &str = "sbc1.contoso.example";

impl Room {
    /// Contoso, and nobody has called yet.
    pub(crate) fn new() -> Self {
        Self::with(SandboxConfig::default())
    }

    pub(crate) fn with(config: SandboxConfig) -> Self {
        let now = Instant::now();
        Self {
            teams: Teams::new(&config, 5061, Chance::new(1), now),
            now,
            said: VecDeque::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            streams: Vec::new(),
            open_ports: Vec::new(),
            reachable: true,
        }
    }

    /// Contoso with an active trunk, and a connection of ours to the first proxy.
    pub(crate) fn active() -> (Self, ConnectionId) {
        Self::active_with(SandboxConfig::default())
    }

    pub(crate) fn active_with(config: SandboxConfig) -> (Self, ConnectionId) {
        let mut room = Self::with(config);
        let ours = room.connect(0);
        room.say(ours, &options());
        room.expect(ours, "SIP/2.0 200");
        let ping = room.hear("OPTIONS ");
        room.reply(&ping, 200, &[&format!("Contact: <sip:{SBC}:5067;transport=tls>"), ALLOW], "");
        room.assert_clean();
        assert!(room.has(|what| matches!(what, What::TrunkActive { .. })));
        (room, ours)
    }

    /// A connection of ours to the proxy of that number.
    pub(crate) fn connect(&mut self, proxy: usize) -> ConnectionId {
        self.connect_as(proxy, &[SBC, "*.sbc1.contoso.example"])
    }

    pub(crate) fn connect_as(&mut self, proxy: usize, names: &[&str]) -> ConnectionId {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let remote = "127.0.0.1:40000".parse().unwrap();
        let id = self.teams.handle_accepted(self.now, ProxyId::ALL[proxy], remote, names);
        self.drain();
        id
    }

    /// Says a message; lines end in `\n` here, and Content-Length is put in.
    pub(crate) fn say(&mut self, on: ConnectionId, text: &str) {
        self.say_bytes(on, &framed(text));
    }

    pub(crate) fn say_bytes(&mut self, on: ConnectionId, bytes: &[u8]) {
        self.teams.handle_bytes(self.now, on, bytes);
        self.drain();
    }

    /// Answers a request of Teams on the connection on which it came.
    pub(crate) fn reply(&mut self, request: &Heard, status: u16, headers: &[&str], body: &str) {
        self.reply_on(request.on, request, status, headers, body);
    }

    pub(crate) fn reply_on(
        &mut self,
        on: ConnectionId,
        request: &Heard,
        status: u16,
        headers: &[&str],
        body: &str,
    ) {
        let mut text = format!("SIP/2.0 {status} Whatever\n");
        for name in ["VIA", "RECORD-ROUTE", "FROM", "TO", "CALL-ID", "CSEQ"] {
            let Some(value) = request.header(name) else { continue };
            let tag = if name == "TO" && !value.contains(";tag=") { ";tag=sbc-77" } else { "" };
            text += &format!("{name}: {value}{tag}\n");
        }
        for header in headers {
            text += &format!("{header}\n");
        }
        text += "X-MS-SBC: Example/ExampleSBC/1.0.0\n";
        self.say(on, &format!("{text}\n{body}"));
    }

    /// Lets time pass, with all that happens in it.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(due) = self.teams.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.teams.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// The next message whose first line begins so; those before it are passed over, but OPTIONS are answered. Time
    /// passes if it must.
    pub(crate) fn hear(&mut self, begin: &str) -> Heard {
        for _ in 0..2000 {
            while let Some(heard) = self.said.pop_front() {
                if heard.text.starts_with(begin) {
                    return heard;
                }
                if heard.text.starts_with("OPTIONS") {
                    let contact = format!("Contact: <sip:{SBC}:5067;transport=tls>");
                    self.reply(&heard, 200, &[&contact, ALLOW], "");
                }
            }
            let Some(due) = self.teams.poll_timeout() else { break };
            self.now = due.max(self.now);
            self.teams.handle_timeout(self.now);
            self.drain();
        }
        panic!("Teams never said {begin:?}; violations: {:#?}", self.teams.journal.violations.list());
    }

    /// The next message, which must come on that connection and begin so, now.
    pub(crate) fn expect(&mut self, on: ConnectionId, begin: &str) -> Heard {
        let heard = self.said.pop_front().unwrap_or_else(|| panic!("Teams says nothing, not {begin:?}"));
        assert!(heard.text.starts_with(begin), "expected {begin:?}, heard {}", heard.text);
        assert_eq!(heard.on, on, "on another connection");
        heard
    }

    /// Nothing was said that we have not heard.
    pub(crate) fn assert_silent(&mut self) {
        assert!(self.said.is_empty(), "{:#?}", self.said);
    }

    pub(crate) fn command(&mut self, command: Command) -> Result<Done, CommandRefusal> {
        let done = self.teams.handle_command(self.now, command);
        self.drain();
        done
    }

    pub(crate) fn act(&mut self, act: Act) {
        let call = self.call();
        self.command(Command::Act { call, act }).unwrap();
    }

    /// The latest call that lives.
    pub(crate) fn call(&self) -> CallId {
        let live = self.teams.calls().filter(|call| call.state != "ended");
        CallId(live.last().expect("a call lives").id)
    }

    pub(crate) fn has(&self, is: impl Fn(&What) -> bool) -> bool {
        self.teams.journal.events.after(0).any(|event| is(&event.what))
    }

    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.teams.journal.violations.list().iter().map(|violation| violation.rule).collect()
    }

    pub(crate) fn assert_clean(&self) {
        assert!(self.rules().is_empty(), "{:#?}", self.teams.journal.violations.list());
    }

    /// What the port of the latest call was told last.
    pub(crate) fn stream(&self) -> &Stream {
        &self.streams.last().expect("a port was told something").1
    }

    fn drain(&mut self) {
        while let Some(output) = self.teams.poll_output() {
            match output {
                Output::Send { connection, bytes } => {
                    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
                    if !text.trim().is_empty() {
                        self.said.push_back(Heard { on: connection, text });
                    }
                }
                Output::Connect { connection, proxy, host, port } => {
                    self.opened.push((connection, proxy, host.clone(), port));
                    if self.reachable {
                        let remote = SocketAddr::from(([127, 0, 0, 1], port));
                        self.teams.handle_connected(self.now, connection, remote, vec![host]);
                    } else {
                        self.teams.handle_closed(self.now, connection, Some("connection refused"));
                    }
                }
                Output::Close { connection } => self.closed.push(connection),
                Output::Listen { .. } => {}
                Output::Port(PortCommand::Open { port, address }) => {
                    let number = 50_000 + 2 * self.open_ports.len() as u16;
                    let address = SocketAddr::new(address, number);
                    self.open_ports.push((port, address));
                    self.teams.handle_port(self.now, PortEvent::Opened { port, address });
                }
                Output::Port(PortCommand::Configure { port, stream }) => self.streams.push((port, *stream)),
                Output::Port(PortCommand::Close { port }) => {
                    self.open_ports.retain(|(open, _)| *open != port);
                }
                Output::Port(PortCommand::Digits { .. }) => {}
            }
        }
    }
}

impl Heard {
    /// The value of a header by its name as it is written.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn tag(&self, name: &str) -> &str {
        let value = self.header(name).unwrap_or_default();
        let (_, tag) = value.split_once(";tag=").unwrap_or_default();
        tag.split(';').next().unwrap_or_default()
    }

    /// What stands between the brackets of Contact.
    pub(crate) fn contact(&self) -> &str {
        self.header("CONTACT")
            .and_then(|value| value.strip_prefix('<')?.strip_suffix('>'))
            .unwrap_or_default()
    }

    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\n\n").unwrap_or_default().1
    }

    /// Compares with a message in which `*` stands for anything within a line.
    pub(crate) fn assert_like(&self, expected: &str) {
        let (said, expected): (Vec<&str>, Vec<&str>) =
            (self.text.trim_end().lines().collect(), expected.trim().lines().map(str::trim).collect());
        for (at, (said, expected)) in said.iter().zip(&expected).enumerate() {
            assert!(
                like(said, expected),
                "line {}: {said:?} is not like {expected:?} in\n{}",
                at + 1,
                self.text
            );
        }
        assert_eq!(said.len(), expected.len(), "{}", self.text);
    }
}

fn like(said: &str, expected: &str) -> bool {
    let mut parts = expected.split('*');
    let Some(mut rest) = parts.next().and_then(|first| said.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

/// The bytes of a message: CRLF, and a Content-Length that is right.
pub(crate) fn framed(text: &str) -> Vec<u8> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let body = body.replace('\n', "\r\n");
    let kind =
        if body.is_empty() || head.contains("Content-Type") { "" } else { "Content-Type: application/sdp\n" };
    let head = format!("{}\n{kind}Content-Length: {}\n\n", head.trim_end(), body.len());
    (head.replace('\n', "\r\n") + &body).into_bytes()
}

pub(crate) const ALLOW: &str = "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER";

/// OPTIONS as they must be.
pub(crate) fn options() -> String {
    options_with(&format!("Contact: <sip:{SBC}:5067;transport=tls>\n"))
}

pub(crate) fn options_with(contact: &str) -> String {
    format!(
        "OPTIONS sip:sip.pstnhub.microsoft.com:5061;transport=tls SIP/2.0\n\
         Via: SIP/2.0/TLS {SBC}:5067;branch=z9hG4bKopt7f31c2\n\
         Max-Forwards: 70\n\
         From: <sip:{SBC}:5067>;tag=6b1f0e9a\n\
         To: <sip:sip.pstnhub.microsoft.com:5061>\n\
         Call-ID: opt-000184-1@{SBC}\n\
         CSeq: 184 OPTIONS\n\
         {contact}\
         {ALLOW}\n\
         Supported: timer, replaces\n\
         X-MS-SBC: Example/ExampleSBC/1.0.0\n"
    )
}

/// What is in an INVITE; each test changes what it is about.
pub(crate) struct Invite {
    pub(crate) uri: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) call_id: String,
    pub(crate) branch: String,
    pub(crate) contact: String,
    pub(crate) more: String,
    pub(crate) sdp: String,
}

impl Invite {
    /// A faultless INVITE to a number.
    pub(crate) fn to(number: &str) -> Self {
        Self {
            uri: format!("sip:{number}@sip.pstnhub.microsoft.com:5061;user=phone;transport=tls"),
            to: format!("<sip:{number}@sip.pstnhub.microsoft.com;user=phone>"),
            from: format!("\"Ada Client\" <sip:+14255550142@{SBC};user=phone>"),
            call_id: format!("3f0c6a77-8d1e@{SBC}"),
            branch: "z9hG4bKin0001".to_owned(),
            contact: format!("Contact: <sip:+14255550142@{SBC}:5067;transport=tls>\n"),
            more: String::new(),
            sdp: offer(),
        }
    }

    pub(crate) fn text(&self) -> String {
        let Self { uri, to, from, call_id, branch, contact, more, sdp } = self;
        format!(
            "INVITE {uri} SIP/2.0\n\
             Via: SIP/2.0/TLS {SBC}:5067;branch={branch}\n\
             Max-Forwards: 69\n\
             From: {from};tag=in5d2f\n\
             To: {to}\n\
             Call-ID: {call_id}\n\
             CSeq: 1 INVITE\n\
             {contact}\
             {ALLOW}\n\
             Supported: timer, replaces\n\
             Session-Expires: 3600\n\
             Min-SE: 300\n\
             X-MS-SBC: Example/ExampleSBC/1.0.0\n\
             {more}\n\
             {sdp}"
        )
        .replace("\n\n\n", "\n\n")
    }
}

/// An offer or answer of ours.
pub(crate) fn offer() -> String {
    description("1", "127.0.0.1", 20010, "9 0 8 101 13", "sendrecv")
}

pub(crate) fn description(version: &str, address: &str, port: u16, formats: &str, direction: &str) -> String {
    let map = |number: &str| match number {
        "9" => "a=rtpmap:9 G722/8000\n",
        "0" => "a=rtpmap:0 PCMU/8000\n",
        "8" => "a=rtpmap:8 PCMA/8000\n",
        "101" => "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\n",
        "13" => "a=rtpmap:13 CN/8000\n",
        _ => "",
    };
    let maps: String = formats.split(' ').map(map).collect();
    format!(
        "v=0\no=- 3920011 {version} IN IP4 {address}\ns=-\nc=IN IP4 {address}\nt=0 0\n\
         m=audio {port} RTP/SAVP {formats}\n{maps}a=ptime:20\na={direction}\na=rtcp:{port}\na=rtcp-mux\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}|2^31\n",
        "LNVzguyf80CS1oivSv3A2GQYnbG8VAuYhZ0N035L"
    )
}

/// A request of ours inside the dialog that `answer` (a 200 of Teams) set up.
pub(crate) fn within(answer: &Heard, method: &str, cseq: u32, more: &str, body: &str) -> String {
    let contact = answer.contact();
    let (from, to) = (answer.header("FROM").unwrap(), answer.header("TO").unwrap());
    request_within(
        contact,
        answer.header("RECORD-ROUTE").unwrap(),
        from,
        to,
        answer,
        method,
        cseq,
        more,
        body,
    )
}

#[expect(clippy::too_many_arguments, reason = "the parts of one request")]
pub(crate) fn request_within(
    uri: &str,
    route: &str,
    from: &str,
    to: &str,
    of: &Heard,
    method: &str,
    cseq: u32,
    more: &str,
    body: &str,
) -> String {
    let call_id = of.header("CALL-ID").unwrap();
    let more: String = more.lines().fold(String::new(), |all, line| all + line + "\n");
    format!(
        "{method} {uri} SIP/2.0\n\
         Via: SIP/2.0/TLS {SBC}:5067;branch=z9hG4bK{method}{cseq}\n\
         Route: {route}\n\
         Max-Forwards: 70\n\
         From: {from}\n\
         To: {to}\n\
         Call-ID: {call_id}\n\
         CSeq: {cseq} {method}\n\
         Contact: <sip:+14255550142@{SBC}:5067;transport=tls>\n\
         X-MS-SBC: Example/ExampleSBC/1.0.0\n\
         {more}\n\
         {body}"
    )
    .replace("\n\n\n", "\n\n")
}

/// A call to Alice that is set up; gives her 200.
pub(crate) fn connected() -> (Room, ConnectionId, Heard) {
    connected_with(SandboxConfig::default())
}

pub(crate) fn connected_with(config: SandboxConfig) -> (Room, ConnectionId, Heard) {
    let (mut room, ours) = Room::active_with(config);
    let answer = set_up(&mut room, ours, &Invite::to("+14255550101"));
    room.assert_clean();
    (room, ours, answer)
}

pub(crate) fn set_up(room: &mut Room, ours: ConnectionId, invite: &Invite) -> Heard {
    room.say(ours, &invite.text());
    let answer = room.hear("SIP/2.0 200");
    room.say(ours, &within(&answer, "ACK", 1, "", ""));
    assert!(room.has(|what| matches!(what, What::CallConnected { .. })));
    answer
}
