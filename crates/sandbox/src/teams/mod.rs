//! Teams behind Direct Routing, as a value: messages, port events, commands and the time go in; messages to send,
//! connections to open and port commands come out. There is no socket and no clock here.

pub mod call;
pub mod connection;
pub mod description;
pub mod proxy;
pub mod refusal;
pub mod transfer;
pub mod trunk;
pub mod wire;

mod arrival;
pub mod command;
mod dial;
mod hang_up;
mod options;
mod reoffer;
mod request;
mod within;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tandem_sip::fault::ParseError;
use tandem_sip::framing::{Event as Framed, Framer, PONG};
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::method::Method;

use self::call::Call;
pub use self::call::{CallId, CallView};
pub use self::command::{Command, CommandRefusal, Done};
use self::connection::{CONNECTIONS_MAX, Connection, ConnectionId, Connections, Opened};
use self::proxy::{Proxy, ProxyId, ProxyState};
use self::refusal::Refusal;
use self::request::Pending;
use self::trunk::Trunk;
use crate::chance::Chance;
use crate::config::{SandboxConfig, TenantConfig, UserConfig};
use crate::event::What;
use crate::habits::Habits;
use crate::journal::Journal;
use crate::media::{PortCommand, PortEvent, PortId};
use crate::timers::Timers;
use crate::trace::Direction as Way;
use crate::violation::Rule;

/// Teams: proxies, trunks, users and their calls.
#[derive(Debug)]
pub struct Teams {
    habits: Habits,
    tenants: Vec<TenantConfig>,
    users: BTreeMap<String, UserConfig>,
    trunks: BTreeMap<String, Trunk>,
    proxies: [Proxy; 3],
    /// The port of all three proxies.
    port: u16,
    chance: Chance,
    connections: Connections,
    calls: BTreeMap<CallId, Call>,
    calls_begun: u64,
    ports_opened: u64,
    /// Calls that are over, the oldest first.
    past: VecDeque<CallView>,
    /// Requests of ours without a final answer, by branch.
    pending: BTreeMap<String, Pending>,
    /// The last final refusals of calls, to see whether they are tried again.
    refused: VecDeque<Refused>,
    timers: Timers<Timer>,
    outputs: VecDeque<Output>,
    /// What those who watch can read.
    pub journal: Journal,
}

/// What Teams wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open a TLS connection; [`Teams::handle_connected`] or [`Teams::handle_closed`] follows.
    Connect {
        /// Its name from now on.
        connection: ConnectionId,
        /// From this proxy's address, with its certificate.
        proxy: ProxyId,
        /// To this name, which the other end's certificate must cover.
        host: String,
        /// To this port.
        port: u16,
    },
    /// Send bytes on a connection that is up.
    Send {
        /// The connection.
        connection: ConnectionId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Close a connection; nothing follows.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Begin or cease to accept connections at a proxy.
    Listen {
        /// The proxy.
        proxy: ProxyId,
        /// Begin, or cease.
        open: bool,
    },
    /// For a media port.
    Port(PortCommand),
}

/// What time can do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A connection may have been idle for too long, or wants a CRLF.
    Connection(ConnectionId),
    /// The next OPTIONS of a proxy to a trunk.
    Ping { trunk: String, proxy: ProxyId },
    /// A request of ours has had no final answer (Timer F).
    Request(String),
    /// The first ringing.
    Ring(CallId),
    /// The user does what the user does.
    React(CallId),
    /// A call has rung for too long.
    GiveUp(CallId),
    /// 200 is sent again, or ACK has been waited for too long.
    Resend(CallId),
    /// The trunk has not answered a user's call in time.
    Failover(CallId),
    /// The user's network sends the call on.
    SendOn(CallId),
    /// The user presses the next keys.
    Press(CallId, usize),
    /// The user hangs up.
    HangUp(CallId),
    /// The session timer: refresh, or the end.
    Session(CallId),
    /// A re-INVITE that met another is tried again.
    Reoffer(CallId),
    /// The transfer has not been reported as done or failed.
    Transfer(CallId),
    /// A media port that a call has left is closed.
    Port(PortId),
}

/// A call that was refused.
#[derive(Debug)]
struct Refused {
    at: Instant,
    proxy: ProxyId,
    from: Vec<u8>,
    uri: Vec<u8>,
    status: u16,
}

impl Teams {
    /// Teams as configured. `port` is the TLS port of all proxies.
    pub fn new(config: &SandboxConfig, port: u16, chance: Chance, now: Instant) -> Self {
        let users = config.tenants.iter().flat_map(|tenant| &tenant.users);
        let trunks = config.trunks.iter().map(|trunk| {
            let name = trunk.fqdn.to_ascii_lowercase();
            (name.clone(), Trunk::new(crate::config::TrunkConfig { fqdn: name, ..trunk.clone() }))
        });
        Self {
            habits: config.habits.clone(),
            tenants: config.tenants.clone(),
            users: users.map(|user| (user.id.clone(), user.clone())).collect(),
            trunks: trunks.collect(),
            proxies: config.proxies.addresses.map(|address| Proxy { address, state: ProxyState::Up }),
            port,
            chance,
            connections: Connections::default(),
            calls: BTreeMap::new(),
            calls_begun: 0,
            ports_opened: 0,
            past: VecDeque::new(),
            pending: BTreeMap::new(),
            refused: VecDeque::new(),
            timers: Timers::new(),
            outputs: VecDeque::new(),
            journal: Journal::new(now),
        }
    }

    /// A border controller has opened a connection to a proxy, with these names in its certificate.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        proxy: ProxyId,
        remote: SocketAddr,
        names: Vec<String>,
    ) -> ConnectionId {
        let connection = Connection {
            proxy,
            opened: Opened::ByBorder,
            remote: Some(remote),
            names: names.clone(),
            used: now,
            framer: Framer::default(),
        };
        let label_of = connection.label(ConnectionId(0));
        let id = self.connections.insert(connection);
        let label = self.connections.get(id).map_or(label_of, |c| c.label(id));
        let what = What::Connected { connection: label, proxy: proxy.short_name().to_owned(), names };
        self.journal.happened(now, what);
        if self.connections.iter().count() > CONNECTIONS_MAX || self.proxy(proxy).state == ProxyState::Down {
            self.close(now, id);
        } else {
            self.watch(now, id);
        }
        id
    }

    /// A TLS handshake with a border controller failed.
    pub fn handle_handshake_failed(&mut self, now: Instant, proxy: ProxyId, remote: SocketAddr, error: &str) {
        let seen = format!("{remote} at {}: {error}", proxy.short_name());
        self.journal.wrong(now, Rule::TlsRefused, seen, None);
    }

    /// A connection that Teams wanted is up.
    pub fn handle_connected(
        &mut self,
        now: Instant,
        id: ConnectionId,
        remote: SocketAddr,
        names: Vec<String>,
    ) {
        let Some(connection) = self.connections.get_mut(id) else {
            self.outputs.push_back(Output::Close { connection: id });
            return;
        };
        connection.remote = Some(remote);
        connection.names = names.clone();
        connection.used = now;
        let waiting = match &mut connection.opened {
            Opened::ByTeams { waiting, .. } => std::mem::take(waiting),
            Opened::ByBorder => Vec::new(),
        };
        let what = What::Connected {
            connection: connection.label(id),
            proxy: connection.proxy.short_name().to_owned(),
            names,
        };
        self.journal.happened(now, what);
        self.watch(now, id);
        for bytes in waiting {
            self.send(now, id, bytes);
        }
    }

    /// A connection is gone, or could not be opened; then `error` says why.
    pub fn handle_closed(&mut self, now: Instant, id: ConnectionId, error: Option<&str>) {
        let Some(connection) = self.connections.remove(id) else { return };
        self.timers.stop(&Timer::Connection(id));
        let what = What::Disconnected {
            connection: connection.label(id),
            proxy: connection.proxy.short_name().to_owned(),
        };
        self.journal.happened(now, what);
        let error = error.unwrap_or("the connection was closed");
        if let Opened::ByTeams { host, port, .. } = &connection.opened {
            let never_up = connection.remote.is_none();
            if never_up && (error.contains("ertificate") || error.contains("alert")) {
                let seen = format!("{host}:{port}: {error}");
                self.journal.wrong(now, Rule::TlsRefused, seen, None);
            }
            self.requests_unsent(now, id, error);
        }
    }

    /// Bytes came on a connection.
    pub fn handle_bytes(&mut self, now: Instant, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.framer.push(bytes);
        while let Some(event) = self.connections.get_mut(id).and_then(|connection| connection.framer.poll()) {
            match event {
                Framed::Message(message) => self.handle_message(now, id, message),
                Framed::Faulty(error) => self.handle_faulty(now, id, &error),
                Framed::Ping => {
                    self.touch(now, id);
                    self.outputs.push_back(Output::Send { connection: id, bytes: PONG.to_vec() });
                }
                Framed::Pong => self.touch(now, id),
                Framed::Broken(error) => {
                    self.journal.wrong(now, Rule::Malformed, error.to_string(), None);
                    self.close(now, id);
                }
            }
        }
    }

    /// A media port told something.
    pub fn handle_port(&mut self, now: Instant, event: PortEvent) {
        match event {
            PortEvent::Opened { port, address } => self.port_opened(now, port, address),
            PortEvent::Failed { port, error } => {
                tracing::error!(%error, "no media port");
                if let Some(call) = self.call_of_port(port) {
                    self.abandon(now, call, Refusal::new(500, 41, "No media port."));
                }
            }
            PortEvent::Digit { port, digit } => {
                if let Some((id, user)) =
                    self.call_of_port(port).and_then(|id| Some((id, &self.calls.get(&id)?.user)))
                {
                    let what = What::CallDigit { call: id.0, user: user.clone(), digit: digit.as_char() };
                    self.journal.happened(now, what);
                }
            }
            PortEvent::Hears { port, sound } => {
                if let Some((id, user)) =
                    self.call_of_port(port).and_then(|id| Some((id, &self.calls.get(&id)?.user)))
                {
                    let what = What::CallHears { call: id.0, user: user.clone(), sound };
                    self.journal.happened(now, what);
                }
            }
            PortEvent::Closed { port, counts } => self.port_closed(now, port, &counts),
        }
    }

    /// The time that [`Teams::poll_timeout`] named has come. Early and repeated calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Connection(id) => self.look_after(now, id),
                Timer::Ping { trunk, proxy } => self.ping(now, &trunk, proxy),
                Timer::Request(branch) => self.request_timed_out(now, &branch),
                Timer::Ring(call) => self.ring(now, call),
                Timer::React(call) => self.react(now, call),
                Timer::GiveUp(call) => self.abandon(now, call, Refusal::new(480, 19, "No answer.")),
                Timer::Resend(call) => self.resend(now, call),
                Timer::Failover(call) => self.answer_too_late(now, call),
                Timer::SendOn(call) => self.send_on(now, call),
                Timer::Press(call, place) => self.press_next(call, place),
                Timer::HangUp(call) => self.hang_up(now, call),
                Timer::Session(call) => self.session_timer(now, call),
                Timer::Reoffer(call) => self.send_reoffer(now, call),
                Timer::Transfer(call) => self.transfer_timed_out(now, call),
                Timer::Port(port) => self.outputs.push_back(Output::Port(PortCommand::Close { port })),
            }
        }
    }

    /// When [`Teams::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next thing to do; drain until `None` after every call of a `handle_` function.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// All calls, those that are over first.
    pub fn calls(&self) -> impl Iterator<Item = CallView> {
        self.past.iter().cloned().chain(self.calls.iter().map(|(id, call)| self.view(*id, call)))
    }

    /// All users with what they do.
    pub fn users(&self) -> impl Iterator<Item = &UserConfig> {
        self.users.values()
    }

    /// The calls of a user that live, the latest last.
    pub fn calls_of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = CallId> + 'a {
        self.calls.iter().filter(move |(_, call)| call.user == user).map(|(id, _)| *id)
    }

    /// All trunks as they stand.
    pub fn trunks(&self, now: Instant) -> impl Iterator<Item = trunk::TrunkView> {
        self.trunks.values().map(move |trunk| trunk.view(now, self.health()))
    }

    /// The proxies with their states.
    pub fn proxies(&self) -> impl Iterator<Item = (ProxyId, &Proxy)> {
        ProxyId::ALL.into_iter().zip(&self.proxies)
    }

    fn handle_message(&mut self, now: Instant, id: ConnectionId, message: Message) {
        self.touch(now, id);
        let Some(connection) = self.connections.get(id) else { return };
        let (here, there, label) = (connection.proxy.short_name(), connection.there(), connection.label(id));
        self.journal.said(now, Way::In, here, there, label, message.as_bytes());
        let ours = connection.is_ours();
        self.inspect(now, &message);
        if !message.is_request() {
            self.handle_response(now, id, &message);
            return;
        }
        if ours {
            let seen = trunk::first_line(&message);
            self.journal.wrong(now, Rule::RequestOnTeamsConnection, seen, Some(message.call_id()));
            if message.method() != Method::Ack {
                self.refuse(now, id, &message, &Refusal::forbidden("Request on a connection of the proxy."));
                return;
            }
        }
        let in_dialog = message.to().tag().is_some();
        match message.method() {
            Method::Ack => self.handle_ack(now, &message),
            Method::Cancel => self.handle_cancel(now, id, &message),
            Method::Options if !in_dialog => self.handle_options(now, id, &message),
            Method::Invite if !in_dialog => self.handle_invite(now, id, message),
            Method::Invite | Method::Bye | Method::Notify | Method::Options if in_dialog => {
                self.handle_within(now, id, message);
            }
            Method::Bye | Method::Notify => {
                self.journal.wrong(
                    now,
                    Rule::DialogUnknown,
                    trunk::first_line(&message),
                    Some(message.call_id()),
                );
                self.refuse(now, id, &message, &Refusal::new(481, 127, "Call does not exist."));
            }
            _ => {
                let seen = trunk::first_line(&message);
                self.journal.wrong(now, Rule::MethodNotAllowed, seen, Some(message.call_id()));
                self.refuse(now, id, &message, &Refusal::new(405, 79, "Method not allowed."));
            }
        }
    }

    fn handle_faulty(&mut self, now: Instant, id: ConnectionId, error: &ParseError) {
        self.journal.wrong(now, Rule::Malformed, error.to_string(), None);
        if let ParseError::Fault(fault) = error {
            let refusal = Refusal::new(fault.status.code(), 111, "Invalid Request/Response line.");
            let bytes = refusal.to_bytes(&fault.message, &mut self.chance, &self.habits.product);
            self.send(now, id, bytes);
        }
    }

    fn refuse(&mut self, now: Instant, id: ConnectionId, request: &Message, refusal: &Refusal) {
        let bytes = refusal.to_bytes(request, &mut self.chance, &self.habits.product);
        self.send(now, id, bytes);
    }

    /// Answers with nothing but a status.
    fn answer(
        &mut self,
        now: Instant,
        id: ConnectionId,
        request: &Message,
        status: u16,
        to_tag: Option<&str>,
    ) {
        let response = wire::Response { status, to_tag, product: &self.habits.product, ..Default::default() };
        let bytes = response.to_bytes(request);
        self.send(now, id, bytes);
    }

    /// Sends on a connection that is up, or keeps it until it is.
    fn send(&mut self, now: Instant, id: ConnectionId, bytes: Vec<u8>) {
        let Some(connection) = self.connections.get_mut(id).filter(|_| !bytes.is_empty()) else { return };
        if connection.remote.is_none() {
            if let Opened::ByTeams { waiting, .. } = &mut connection.opened {
                waiting.push(bytes);
            }
            return;
        }
        connection.used = now;
        let (here, there, label) = (connection.proxy.short_name(), connection.there(), connection.label(id));
        self.journal.said(now, Way::Out, here, there, label, &bytes);
        self.outputs.push_back(Output::Send { connection: id, bytes });
    }

    fn touch(&mut self, now: Instant, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.used = now;
        }
    }

    fn close(&mut self, now: Instant, id: ConnectionId) {
        self.outputs.push_back(Output::Close { connection: id });
        self.handle_closed(now, id, None);
    }

    fn watch(&mut self, now: Instant, id: ConnectionId) {
        let idle = Duration::from_millis(self.habits.connection_idle_ms.into());
        let keep_alive = Duration::from_millis(self.habits.keep_alive_ms.into());
        self.timers.set(Timer::Connection(id), now + idle.min(keep_alive));
    }

    /// Closes a connection that was idle too long; on others of ours sends CRLF, which does not count as use.
    fn look_after(&mut self, now: Instant, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        let idle = Duration::from_millis(self.habits.connection_idle_ms.into());
        if now.saturating_duration_since(connection.used) >= idle {
            self.close(now, id);
            return;
        }
        if connection.is_ours() {
            let bytes = tandem_sip::framing::PING.to_vec();
            self.outputs.push_back(Output::Send { connection: id, bytes });
        }
        self.watch(now, id);
    }

    fn proxy(&self, id: ProxyId) -> &Proxy {
        let [first, second, third] = &self.proxies;
        match id.index() {
            0 => first,
            1 => second,
            _ => third,
        }
    }

    fn health(&self) -> Duration {
        Duration::from_millis(self.habits.health_ms.into())
    }

    fn next_port(&mut self) -> PortId {
        self.ports_opened += 1;
        PortId::Teams(self.ports_opened)
    }

    fn call_of_port(&self, port: PortId) -> Option<CallId> {
        let holds =
            |call: &Call| call.media.port == port || call.media.moving.is_some_and(|(p, _)| p == port);
        self.calls.iter().find(|(_, call)| holds(call)).map(|(id, _)| *id)
    }

    fn call_by_id(&self, call_id: &[u8]) -> Option<CallId> {
        self.calls.iter().find(|(_, call)| call.dialog.call_id == call_id).map(|(id, _)| *id)
    }

    /// Where a call's signalling was seen with an extension that Teams does not take part in.
    fn requires(message: &Message, option: &[u8]) -> bool {
        message.list(HeaderName::Require).any(|tag| tag.eq_ignore_ascii_case(option))
    }
}
