//! The table of connections, and how a message finds the right one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rustls::pki_types::ServerName;
use tandem_sip::flow::{ConnectionId, Destination, Flow, Hop, InterfaceId, PeerIdentity, Transport};
use tandem_sip::framing::{self, Framer, PONG};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;

use super::resolve::{Resolver, literal};
use super::{Parcel, Received, tls};
use crate::config::settings::Interface;

/// Messages that wait to be written on one connection; one more is unsendable.
const WRITES_MAX: usize = 1024;
/// Messages that wait for a connection to be opened; one more is unsendable.
const WAITING_MAX: usize = 1024;
/// Setting up a connection, TLS included, may take this long for each address.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// A write that the peer does not take for this long ends the connection.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// Our own connections are renewed after this time ("Direct Routing: protocols": at least hourly).
const RENEWED_AFTER: Duration = Duration::from_secs(55 * 60);
/// And closed this long after they have been replaced, when the last transaction on them is over.
const CLOSED_AFTER: Duration = RENEWED_AFTER.saturating_add(Duration::from_secs(120));
/// A connection on which nothing came for this long is closed. The peers' own limit is two minutes.
const IDLE_PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// All connections of the program, owned by the engine.
pub struct Connections {
    interfaces: Vec<Interface>,
    datagrams: BTreeMap<InterfaceId, Arc<UdpSocket>>,
    streams: BTreeMap<ConnectionId, mpsc::Sender<Parcel>>,
    ours: BTreeMap<Hop, Ours>,
    resolver: Resolver,
    inbox: mpsc::Sender<Received>,
    ids: Ids,
}

/// Gives each connection its number.
#[derive(Clone, Debug, Default)]
pub struct Ids(Arc<AtomicU64>);

impl Ids {
    /// The next number.
    pub fn next(&self) -> ConnectionId {
        ConnectionId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A connection that we open or have opened to a hop.
enum Ours {
    /// Being opened, with what waits for it.
    Opening(Vec<Parcel>),
    /// Open.
    Open {
        /// Its number.
        id: ConnectionId,
        /// Since when.
        since: Instant,
    },
}

impl Connections {
    /// A table without connections.
    pub fn new(interfaces: Vec<Interface>, resolver: Resolver, inbox: mpsc::Sender<Received>) -> Connections {
        Connections {
            interfaces,
            datagrams: BTreeMap::new(),
            streams: BTreeMap::new(),
            ours: BTreeMap::new(),
            resolver,
            inbox,
            ids: Ids::default(),
        }
    }

    /// From now on connections are opened with the certificates of these, which are the same otherwise.
    pub fn set_interfaces(&mut self, interfaces: Vec<Interface>) {
        self.interfaces = interfaces;
    }

    /// Where connections get their numbers.
    pub fn ids(&self) -> Ids {
        self.ids.clone()
    }

    /// Takes the socket of a datagram interface.
    pub fn add_datagrams(&mut self, interface: InterfaceId, socket: Arc<UdpSocket>) {
        self.datagrams.insert(interface, socket);
    }

    /// A peer connected to us.
    pub fn accepted(&mut self, id: ConnectionId, writer: mpsc::Sender<Parcel>) {
        self.streams.insert(id, writer);
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Sends a message. What becomes of it is told only when it fails, as [`Received::Unsendable`].
    pub fn send(&mut self, now: Instant, to: Destination, parcel: Parcel) {
        match &to {
            Destination::Flow(flow) => match flow.transport {
                Transport::Udp => self.send_datagram(flow.interface, flow.remote, &parcel),
                Transport::Tcp | Transport::Tls => {
                    let writer = flow.connection.and_then(|id| self.streams.get(&id));
                    if let Some(parcel) = offer(writer, parcel) {
                        self.unsendable(parcel);
                    }
                }
            },
            Destination::Hop(hop) => match hop.transport {
                Transport::Udp => self.send_datagram_to(hop.clone(), parcel),
                Transport::Tcp | Transport::Tls => self.send_on_ours(now, hop.clone(), parcel),
            },
        }
    }

    fn send_datagram(&self, interface: InterfaceId, remote: SocketAddr, parcel: &Parcel) {
        if let Some(socket) = self.datagrams.get(&interface)
            && let Err(error) = socket.try_send_to(&parcel.bytes, remote)
        {
            // A full buffer or a refusal that ICMP brought: the transaction sends again, or gives up by its timer.
            tracing::debug!(net.peer = %remote, %error, "datagram not sent");
        }
    }

    fn send_datagram_to(&self, hop: Hop, parcel: Parcel) {
        if let Some(address) = literal(&hop.host) {
            let remote = SocketAddr::new(address, hop.port.unwrap_or(5060));
            self.send_datagram(hop.interface, remote, &parcel);
            return;
        }
        let Some(socket) = self.datagrams.get(&hop.interface).cloned() else {
            self.unsendable(parcel);
            return;
        };
        let (resolver, inbox) = (self.resolver.clone(), self.inbox.clone());
        tokio::task::spawn_local(async move {
            let found = resolver.addresses(&hop).await.ok().and_then(|all| all.into_iter().next());
            let sent = match found {
                Some(remote) => socket.send_to(&parcel.bytes, remote).await.is_ok(),
                None => false,
            };
            if let Some(token) = parcel.token.filter(|_| !sent) {
                let _ = inbox.send(Received::Unsendable { token }).await;
            }
        });
    }

    fn send_on_ours(&mut self, now: Instant, hop: Hop, parcel: Parcel) {
        match self.ours.get_mut(&hop) {
            Some(Ours::Opening(waiting)) if waiting.len() < WAITING_MAX => waiting.push(parcel),
            Some(Ours::Opening(_)) => self.unsendable(parcel),
            Some(Ours::Open { id, since }) if now.duration_since(*since) < RENEWED_AFTER => {
                let id = *id;
                if let Some(parcel) = offer(self.streams.get(&id), parcel) {
                    // Closed a moment ago: a new one is opened for it.
                    self.open(hop, parcel);
                }
            }
            Some(Ours::Open { .. }) | None => self.open(hop, parcel),
        }
    }

    fn open(&mut self, hop: Hop, first: Parcel) {
        let Some(interface) = self.interfaces.get(usize::from(hop.interface.0)).cloned() else {
            self.unsendable(first);
            return;
        };
        self.ours.insert(hop.clone(), Ours::Opening(vec![first]));
        let (resolver, inbox, id) = (self.resolver.clone(), self.inbox.clone(), self.ids.next());
        tokio::task::spawn_local(async move { connect(interface, hop, resolver, inbox, id).await });
    }

    /// A connection of ours is open: what waited for it is sent.
    pub fn opened(&mut self, now: Instant, hop: Hop, id: ConnectionId, writer: mpsc::Sender<Parcel>) {
        let waiting = match self.ours.insert(hop.clone(), Ours::Open { id, since: now }) {
            Some(Ours::Opening(waiting)) => waiting,
            _ => Vec::new(),
        };
        for parcel in waiting {
            if let Some(parcel) = offer(Some(&writer), parcel) {
                self.unsendable(parcel);
            }
        }
        self.streams.insert(id, writer);
    }

    /// A connection of ours could not be opened: what waited for it is unsendable.
    pub fn not_opened(&mut self, hop: Hop) {
        if let Some(Ours::Opening(waiting)) = self.ours.remove(&hop) {
            for parcel in waiting {
                self.unsendable(parcel);
            }
        }
    }

    /// A connection is gone.
    pub fn gone(&mut self, id: ConnectionId) {
        self.streams.remove(&id);
        self.ours.retain(|_, ours| !matches!(ours, Ours::Open { id: open, .. } if *open == id));
    }

    fn unsendable(&self, parcel: Parcel) {
        let Some(token) = parcel.token else { return };
        if self.inbox.try_send(Received::Unsendable { token }).is_err() {
            // The inbox is full: the transaction ends by its timer instead.
            tracing::warn!("the engine is behind; an unsendable message is not told");
        }
    }
}

/// Hands a parcel to a writer; gives it back when it cannot be taken.
fn offer(writer: Option<&mpsc::Sender<Parcel>>, parcel: Parcel) -> Option<Parcel> {
    match writer {
        None => Some(parcel),
        Some(writer) => writer.try_send(parcel).err().map(mpsc::error::TrySendError::into_inner),
    }
}

async fn connect(
    interface: Interface,
    hop: Hop,
    resolver: Resolver,
    inbox: mpsc::Sender<Received>,
    id: ConnectionId,
) {
    let addresses = match resolver.addresses(&hop).await {
        Ok(addresses) => addresses,
        Err(error) => {
            tracing::warn!(net.host = %hop.host, %error, "no address to connect to");
            let _ = inbox.send(Received::NotOpened { hop }).await;
            return;
        }
    };
    for remote in addresses {
        match tokio::time::timeout(CONNECT_PATIENCE, connect_to(&interface, &hop, remote)).await {
            Ok(Ok(Stream::Plain(stream))) => {
                return run_ours(stream, hop, remote, PeerIdentity::default(), inbox, id).await;
            }
            Ok(Ok(Stream::Tls(stream, peer))) => {
                return run_ours(*stream, hop, remote, peer, inbox, id).await;
            }
            Ok(Err(error)) => {
                tracing::warn!(net.host = %hop.host, net.peer = %remote, %error, "connection refused");
            }
            Err(_) => tracing::warn!(net.host = %hop.host, net.peer = %remote, "connection timed out"),
        }
    }
    let _ = inbox.send(Received::NotOpened { hop }).await;
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>, PeerIdentity),
}

async fn connect_to(interface: &Interface, hop: &Hop, remote: SocketAddr) -> std::io::Result<Stream> {
    let stream = dial(interface, remote).await?;
    stream.set_nodelay(true)?;
    if hop.transport != Transport::Tls {
        return Ok(Stream::Plain(stream));
    }
    let unfit = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidInput, what.to_owned());
    let context = interface.tls.as_ref().ok_or_else(|| unfit("the interface has no certificates"))?;
    let name =
        ServerName::try_from(hop.host.to_string()).map_err(|_| unfit("the host is no name for TLS"))?;
    let stream = TlsConnector::from(context.client.clone()).connect(name, stream).await?;
    let peer = identity(stream.get_ref().1.peer_certificates());
    Ok(Stream::Tls(Box::new(stream), peer))
}

/// Connects from the interface's own address, where it has a particular one: other networks know us by it.
async fn dial(interface: &Interface, remote: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let own = interface.bind.ip();
    if !own.is_unspecified() && own.is_ipv4() == remote.is_ipv4() {
        socket.bind(SocketAddr::new(own, 0))?;
    }
    socket.connect(remote).await
}

/// Opens a connection and closes it again: whether the other end is there and both believe each other.
pub async fn probe(interface: &Interface, hop: &Hop, remote: SocketAddr) -> std::io::Result<()> {
    let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    match tokio::time::timeout(CONNECT_PATIENCE, connect_to(interface, hop, remote))
        .await
        .map_err(|_| late())??
    {
        Stream::Plain(mut stream) => stream.shutdown().await,
        // With TLS 1.3 a refusal of our certificate comes only after the handshake.
        Stream::Tls(mut stream, _) => {
            stream.write_all(framing::PING).await?;
            stream.flush().await?;
            let mut answer = [0; 1];
            match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut answer)).await {
                Ok(Err(error)) => Err(error),
                Ok(Ok(0)) => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
                Ok(Ok(_)) | Err(_) => stream.shutdown().await,
            }
        }
    }
}

/// What a verified certificate says about its owner.
pub(super) fn identity(certificates: Option<&[rustls::pki_types::CertificateDer<'_>]>) -> PeerIdentity {
    let certificate_names = certificates.and_then(<[_]>::first).map(tls::names_of).unwrap_or_default();
    PeerIdentity { certificate_names }
}

async fn run_ours<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    hop: Hop,
    remote: SocketAddr,
    peer: PeerIdentity,
    inbox: mpsc::Sender<Received>,
    id: ConnectionId,
) {
    let flow = Flow {
        interface: hop.interface,
        transport: hop.transport,
        remote,
        connection: Some(id),
        peer: Arc::new(peer),
    };
    let (writer, parcels) = mpsc::channel(WRITES_MAX);
    if inbox.send(Received::Opened { hop, id, writer }).await.is_ok() {
        run(stream, flow, parcels, inbox, Some(CLOSED_AFTER)).await;
    }
}

/// Serves one connection until it ends, and tells that it did. Messages of one connection stay in order.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    flow: Flow,
    mut parcels: mpsc::Receiver<Parcel>,
    inbox: mpsc::Sender<Received>,
    closed_after: Option<Duration>,
) {
    let why = serve(&mut stream, &flow, &mut parcels, &inbox, closed_after).await;
    tracing::debug!(net.peer = %flow.remote, why, "connection closed");
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
    if let Some(id) = flow.connection {
        let _ = inbox.send(Received::Disconnected { id }).await;
    }
    // What was handed over after the end is unsendable.
    parcels.close();
    while let Ok(parcel) = parcels.try_recv() {
        if let Some(token) = parcel.token {
            let _ = inbox.send(Received::Unsendable { token }).await;
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    flow: &Flow,
    parcels: &mut mpsc::Receiver<Parcel>,
    inbox: &mpsc::Sender<Received>,
    closed_after: Option<Duration>,
) -> &'static str {
    let mut framer = Framer::default();
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    let end = closed_after.map(|after| tokio::time::Instant::now() + after);
    let mut idle = tokio::time::Instant::now() + IDLE_PATIENCE;
    loop {
        let until = end.map_or(idle, |end| end.min(idle));
        tokio::select! {
            read = stream.read_buf(&mut buffer) => {
                match read {
                    Ok(0) => return "the peer closed it",
                    Err(_) => return "it broke",
                    Ok(_) => {}
                }
                idle = tokio::time::Instant::now() + IDLE_PATIENCE;
                framer.push(&buffer);
                buffer.clear();
                while let Some(event) = framer.poll() {
                    let told = match event {
                        framing::Event::Message(message) => {
                            Received::Message { flow: flow.clone(), message: Box::new(message) }
                        }
                        framing::Event::Faulty(fault) => Received::Faulty { flow: flow.clone(), fault },
                        framing::Event::Ping => {
                            if stream.write_all(PONG).await.is_err() || stream.flush().await.is_err() {
                                return "it broke";
                            }
                            continue;
                        }
                        framing::Event::Pong => continue,
                        framing::Event::Broken(_) => return "its framing is lost",
                    };
                    if inbox.send(told).await.is_err() {
                        return "the program ends";
                    }
                }
            }
            parcel = parcels.recv() => {
                let Some(parcel) = parcel else { return "the program ends" };
                let write = async {
                    stream.write_all(&parcel.bytes).await?;
                    while let Ok(next) = parcels.try_recv() {
                        stream.write_all(&next.bytes).await?;
                    }
                    stream.flush().await
                };
                match tokio::time::timeout(WRITE_PATIENCE, write).await {
                    Ok(Ok(())) => {}
                    _ => return "the peer takes nothing",
                }
            }
            () = tokio::time::sleep_until(until) => {
                return if end.is_some_and(|end| end <= idle) { "it was renewed" } else { "it was idle" };
            }
        }
    }
}
