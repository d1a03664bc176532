//! The sockets, tasks and clock of the sandbox. What to do is decided in [`crate::teams`] and [`crate::carrier`].

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, UdpSocket};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::authority::names_of;
use crate::carrier::{Carrier, Output as CarrierOutput};
use crate::dns::SharedZone;
use crate::media::{PortEvent, PortId};
use crate::port::Ports;
use crate::teams::connection::ConnectionId;
use crate::teams::proxy::ProxyId;
use crate::teams::{Output, Teams};
use crate::tls::Tls;
use crate::trace::Direction;

/// A way to the engine: questions and commands of the control.
#[derive(Clone, Debug)]
pub struct Engine {
    inbox: mpsc::Sender<Input>,
    events: watch::Receiver<u64>,
}

impl Engine {
    /// Has something done where everything is at hand; `None` when the sandbox has ended.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut World, Instant) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |world: &mut World, now: Instant| {
            // Who asked may have left.
            let _ = answer.send(question(world, now));
        });
        self.inbox.send(Input::Ask(question)).await.ok()?;
        answered.await.ok()
    }

    /// Waits until there are events after `number`, or the time is over.
    pub async fn wait_beyond(&self, number: u64, patience: Duration) {
        let mut events = self.events.clone();
        let beyond = events.wait_for(|last| *last > number);
        // Too late or ended: whoever waits looks again and finds nothing new.
        let _ = timeout(patience, beyond).await;
    }
}

/// Everything that decides.
#[derive(Debug)]
pub struct World {
    /// Teams, with the journal of all.
    pub teams: Teams,
    /// The carrier, if there is one.
    pub carrier: Option<Carrier>,
    /// The media ports of all.
    pub ports: Ports,
}

/// What comes in.
enum Input {
    Accepted { proxy: ProxyId, remote: SocketAddr, names: Vec<String>, stream: Box<dyn Stream> },
    HandshakeFailed { proxy: ProxyId, remote: SocketAddr, error: String },
    Connected { connection: ConnectionId, remote: SocketAddr, names: Vec<String>, stream: Box<dyn Stream> },
    Bytes { connection: ConnectionId, bytes: Vec<u8> },
    Closed { connection: ConnectionId, error: Option<String> },
    Ask(Question),
}

/// Something that the control wants to know or have done.
type Question = Box<dyn FnOnce(&mut World, Instant) + Send>;

/// Either end of a TLS connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The task that owns everything.
pub struct Shell {
    world: World,
    /// The carrier's socket.
    datagrams: Option<UdpSocket>,
    zone: SharedZone,
    tls: Tls,
    listeners: [Listener; 3],
    connections: BTreeMap<ConnectionId, mpsc::Sender<Vec<u8>>>,
    sender: mpsc::Sender<Input>,
    inbox: mpsc::Receiver<Input>,
    port_events: mpsc::Receiver<PortEvent>,
    events: watch::Sender<u64>,
    tasks: JoinSet<()>,
}

/// A proxy's port.
struct Listener {
    address: SocketAddr,
    accepting: Option<AbortHandle>,
}

impl Shell {
    /// Everything at rest; the ports of the proxies are open already.
    pub fn new(
        teams: Teams,
        carrier: Option<(Carrier, UdpSocket)>,
        zone: SharedZone,
        tls: Tls,
        listeners: [TcpListener; 3],
    ) -> std::io::Result<(Self, Engine)> {
        let (sender, inbox) = mpsc::channel(INPUTS_MAX);
        let (port_sender, port_events) = mpsc::channel(INPUTS_MAX);
        let (events, events_seen) = watch::channel(0);
        let engine = Engine { inbox: sender.clone(), events: events_seen };
        let addresses = [listeners[0].local_addr()?, listeners[1].local_addr()?, listeners[2].local_addr()?];
        let (carrier, datagrams) = carrier.unzip();
        let mut shell = Self {
            world: World { teams, carrier, ports: Ports::new(port_sender) },
            datagrams,
            zone,
            tls,
            listeners: addresses.map(|address| Listener { address, accepting: None }),
            connections: BTreeMap::new(),
            sender,
            inbox,
            port_events,
            events,
            tasks: JoinSet::new(),
        };
        for (proxy, listener) in ProxyId::ALL.into_iter().zip(listeners) {
            shell.accept_at(proxy, listener);
        }
        Ok((shell, engine))
    }

    /// Turns the crank until dropped.
    pub async fn run(mut self) {
        let mut datagram = vec![0; DATAGRAM_OCTETS_MAX];
        loop {
            let carrier = self.world.carrier.as_ref();
            let due = [self.world.teams.poll_timeout(), carrier.and_then(Carrier::poll_timeout)];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                input = self.inbox.recv() => match input {
                    Some(input) => self.handle(input),
                    None => return,
                },
                Some(event) = self.port_events.recv() => self.handle_port(event),
                (length, from) = receive(self.datagrams.as_ref(), &mut datagram) => {
                    self.handle_datagram(from, datagram.get(..length).unwrap_or_default());
                }
                () = until(due) => {
                    let now = Instant::now();
                    self.world.teams.handle_timeout(now);
                    if let Some(carrier) = &mut self.world.carrier {
                        carrier.handle_timeout(now);
                    }
                }
                // Tasks that have ended are forgotten.
                Some(_) = self.tasks.join_next() => {}
            }
            self.drain();
        }
    }

    fn handle(&mut self, input: Input) {
        let now = Instant::now();
        match input {
            Input::Accepted { proxy, remote, names, stream } => {
                let id = self.world.teams.handle_accepted(now, proxy, remote, names);
                self.carry(id, stream);
            }
            Input::HandshakeFailed { proxy, remote, error } => {
                self.world.teams.handle_handshake_failed(now, proxy, remote, &error);
            }
            Input::Connected { connection, remote, names, stream } => {
                self.carry(connection, stream);
                self.world.teams.handle_connected(now, connection, remote, names);
            }
            Input::Bytes { connection, bytes } => self.world.teams.handle_bytes(now, connection, &bytes),
            Input::Closed { connection, error } => {
                self.connections.remove(&connection);
                self.world.teams.handle_closed(now, connection, error.as_deref());
            }
            Input::Ask(question) => question(&mut self.world, now),
        }
    }

    fn handle_port(&mut self, event: PortEvent) {
        let now = Instant::now();
        let port = match &event {
            PortEvent::Opened { port, .. }
            | PortEvent::Failed { port, .. }
            | PortEvent::Digit { port, .. }
            | PortEvent::Hears { port, .. }
            | PortEvent::Closed { port, .. } => *port,
        };
        match port {
            PortId::Teams(_) => self.world.teams.handle_port(now, event),
            PortId::Carrier(_) => {
                if let Some(carrier) = &mut self.world.carrier {
                    carrier.handle_port(now, event);
                }
            }
        }
    }

    fn handle_datagram(&mut self, from: SocketAddr, datagram: &[u8]) {
        let now = Instant::now();
        let Some(carrier) = &mut self.world.carrier else { return };
        let journal = &mut self.world.teams.journal;
        journal.said(now, Direction::In, "carrier", from.to_string(), "udp".to_owned(), datagram);
        carrier.handle_datagram(now, from, datagram);
    }

    fn drain(&mut self) {
        while let Some(output) = self.world.teams.poll_output() {
            match output {
                Output::Connect { connection, proxy, host, port } => {
                    self.connect(connection, proxy, host, port);
                }
                Output::Send { connection, bytes } => self.send(connection, bytes),
                Output::Close { connection } => {
                    self.connections.remove(&connection);
                }
                Output::Listen { proxy, open } => self.listen(proxy, open),
                Output::Port(command) => self.world.ports.handle(command),
            }
        }
        self.drain_carrier();
        let count = self.world.teams.journal.events.count();
        self.events.send_if_modified(|last| std::mem::replace(last, count) != count);
    }

    fn drain_carrier(&mut self) {
        let World { teams, carrier: Some(carrier), ports } = &mut self.world else { return };
        let now = Instant::now();
        while let Some(output) = carrier.poll_output() {
            match output {
                CarrierOutput::Send { to, bytes } => {
                    let there = to.to_string();
                    teams.journal.said(now, Direction::Out, "carrier", there, "udp".to_owned(), &bytes);
                    // What the system does not take at once is lost, as datagrams are; SIP sends it again.
                    let _ = self.datagrams.as_ref().map(|socket| socket.try_send_to(&bytes, to));
                }
                CarrierOutput::Port(command) => ports.handle(command),
                CarrierOutput::Happened(what) => teams.journal.happened(now, what),
            }
        }
    }

    fn send(&mut self, connection: ConnectionId, bytes: Vec<u8>) {
        let Some(writer) = self.connections.get(&connection) else { return };
        if writer.try_send(bytes).is_err() {
            // The other end takes nothing any more: the connection is of no use.
            self.connections.remove(&connection);
            self.world.teams.handle_closed(Instant::now(), connection, Some("the other end does not read"));
        }
    }

    /// Begins or ceases to accept connections at a proxy.
    fn listen(&mut self, proxy: ProxyId, open: bool) {
        let Some(listener) = self.listeners.get_mut(proxy.index()) else { return };
        if let Some(accepting) = listener.accepting.take() {
            accepting.abort();
        }
        if !open {
            return;
        }
        match bind_again(listener.address) {
            Ok(listener) => self.accept_at(proxy, listener),
            Err(error) => tracing::error!(%error, proxy = proxy.short_name(), "cannot listen again"),
        }
    }

    fn accept_at(&mut self, proxy: ProxyId, listener: TcpListener) {
        let (acceptor, sender) = (TlsAcceptor::from(self.tls.server.clone()), self.sender.clone());
        let accepting = self.tasks.spawn(accept(proxy, listener, acceptor, sender));
        if let Some(listener) = self.listeners.get_mut(proxy.index()) {
            listener.accepting = Some(accepting);
        }
    }

    fn connect(&mut self, connection: ConnectionId, proxy: ProxyId, host: String, port: u16) {
        let addresses = self.zone.read(|zone| zone.addresses(&host).to_vec());
        let from = self.listeners.get(proxy.index()).map(|listener| listener.address.ip());
        let (connector, sender) = (TlsConnector::from(self.tls.client.clone()), self.sender.clone());
        self.tasks.spawn(async move {
            let opened = timeout(HANDSHAKE_MAX, open(connector, from, &addresses, &host, port)).await;
            let input = match opened {
                Ok(Ok((remote, names, stream))) => Input::Connected { connection, remote, names, stream },
                Ok(Err(error)) => Input::Closed { connection, error: Some(error.to_string()) },
                Err(_) => Input::Closed { connection, error: Some("no TLS connection in time".to_owned()) },
            };
            let _ = sender.send(input).await;
        });
    }

    /// Moves bytes between a connection and the engine until either ends.
    fn carry(&mut self, connection: ConnectionId, stream: Box<dyn Stream>) {
        let (writer, outbox) = mpsc::channel(WRITES_MAX);
        self.connections.insert(connection, writer);
        self.tasks.spawn(carry(connection, stream, outbox, self.sender.clone()));
    }
}

async fn accept(proxy: ProxyId, listener: TcpListener, acceptor: TlsAcceptor, sender: mpsc::Sender<Input>) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, remote)) = listener.accept().await else { continue };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        handshakes.spawn(async move {
            let _ = stream.set_nodelay(true);
            let input = match timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let names = proven(stream.get_ref().1.peer_certificates());
                    Input::Accepted { proxy, remote, names, stream: Box::new(stream) }
                }
                Ok(Err(error)) => Input::HandshakeFailed { proxy, remote, error: error.to_string() },
                Err(_) => Input::HandshakeFailed { proxy, remote, error: "no handshake in time".to_owned() },
            };
            let _ = sender.send(input).await;
            drop(place);
        });
    }
}

async fn open(
    connector: TlsConnector,
    from: Option<IpAddr>,
    addresses: &[IpAddr],
    host: &str,
    port: u16,
) -> std::io::Result<(SocketAddr, Vec<String>, Box<dyn Stream>)> {
    let unknown =
        || std::io::Error::new(std::io::ErrorKind::NotFound, format!("{host} has no address in DNS"));
    let address = addresses.first().ok_or_else(unknown)?;
    let remote = SocketAddr::new(*address, port);
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(from) = from.filter(|from| from.is_ipv4() == remote.is_ipv4()) {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = socket.connect(remote).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| unknown())?;
    let stream = connector.connect(name, stream).await?;
    let names = proven(stream.get_ref().1.peer_certificates());
    Ok((remote, names, Box::new(stream)))
}

async fn carry(
    connection: ConnectionId,
    stream: Box<dyn Stream>,
    mut outbox: mpsc::Receiver<Vec<u8>>,
    sender: mpsc::Sender<Input>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; 16 * 1024];
    let error = loop {
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(0) => break None,
                Ok(length) => {
                    let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                    if sender.send(Input::Bytes { connection, bytes }).await.is_err() {
                        break None;
                    }
                }
                Err(error) => break Some(error.to_string()),
            },
            bytes = outbox.recv() => match bytes {
                Some(bytes) => match timeout(WRITE_MAX, writer.write_all(&bytes)).await {
                    Ok(Ok(())) if outbox.is_empty() => {
                        let _ = writer.flush().await;
                    }
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => break Some(error.to_string()),
                    Err(_) => break Some("the other end does not read".to_owned()),
                },
                // The engine has closed it.
                None => {
                    let _ = timeout(WRITE_MAX, writer.shutdown()).await;
                    return;
                }
            },
        }
    };
    let _ = sender.send(Input::Closed { connection, error }).await;
}

fn proven(certificates: Option<&[CertificateDer<'_>]>) -> Vec<String> {
    certificates.and_then(<[_]>::first).map(names_of).unwrap_or_default()
}

/// Takes a port that we had a moment ago.
fn bind_again(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes the same port on three addresses; port 0 takes one that is free on all.
pub async fn bind_proxies(
    addresses: [IpAddr; 3],
    port: u16,
) -> Result<[TcpListener; 3], (SocketAddr, std::io::Error)> {
    let [first, second, third] = addresses;
    let bind = |address: IpAddr, port: u16| async move {
        let address = SocketAddr::new(address, port);
        TcpListener::bind(address).await.map_err(|error| (address, error))
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let one = bind(first, port).await?;
        let free = one.local_addr().map_err(|error| (SocketAddr::new(first, port), error))?.port();
        let others = async { Ok((bind(second, free).await?, bind(third, free).await?)) };
        match others.await {
            Ok((two, three)) => return Ok([one, two, three]),
            // Somebody has that port on one of them: another free one is as good.
            Err(_) if port == 0 && tries < BIND_TRIES_MAX => {}
            Err(error) => return Err(error),
        }
    }
}

/// The next datagram; none ever without a socket.
async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> (usize, SocketAddr) {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        // An error here is another end's "port unreachable": the user agent will find out.
        if let Ok(received) = socket.recv_from(buffer).await {
            return received;
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Inputs that wait for the engine; further ones wait with their sender.
const INPUTS_MAX: usize = 4096;
/// Messages that wait to be written on one connection; at the limit it is given up.
const WRITES_MAX: usize = 1000;
/// TLS handshakes at once per proxy; further connections wait.
const HANDSHAKES_MAX: usize = 64;
/// How long a TLS handshake may take, and a connection with it.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long one write may take.
const WRITE_MAX: Duration = Duration::from_secs(10);
const DATAGRAM_OCTETS_MAX: usize = 65_536;
const BIND_TRIES_MAX: u32 = 50;
const BACKLOG: u32 = 1024;
