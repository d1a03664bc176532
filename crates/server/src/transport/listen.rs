//! Listening: datagrams, and connections that others open to us.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tandem_b2bua::trunk::AddressRange;
use tandem_sip::flow::{Flow, InterfaceId, PeerIdentity, Transport};
use tandem_sip::message::Message;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::Received;
use super::connections::{Connections, Ids, identity, run};
use crate::config::settings::Interface;
use crate::transport::tls::TlsContext;

/// TLS handshakes at once on one interface; further connections wait in the system's queue.
const HANDSHAKES_MAX: usize = 64;
/// Connections at once on one interface; further ones are closed at once. Teams opens two for each of its machines.
const CONNECTIONS_MAX: usize = 4096;
/// Of both, as many as this are for addresses from which no trunk takes anything: whoever comes from nowhere can hold
/// up neither Teams nor a carrier. Further ones wait, or are closed, among themselves.
const STRANGERS_MAX: usize = 16;
/// A handshake may take this long.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// Longest datagram.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Receive buffer asked of the system for datagrams, in bytes: bursts of calls while the engine is busy.
const DATAGRAM_BUFFER_BYTES: usize = 4 << 20;
/// Messages that wait to be written on one connection.
const WRITES_MAX: usize = 1024;

/// An interface could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("interfaces.{name}: {bind} cannot be opened: {error}; is another program listening there?")]
pub struct ListenFault {
    /// The interface.
    pub name: Arc<str>,
    /// Its address.
    pub bind: SocketAddr,
    /// What the system says.
    pub error: std::io::Error,
}

/// What holds for whoever comes from now on.
#[derive(Clone, Default)]
pub struct Terms {
    /// From where the interface's trunks take requests.
    pub peers: Vec<AddressRange>,
    /// With TLS.
    pub tls: Option<TlsContext>,
}

/// Opens an interface and serves it from now on, on terms that may change.
pub async fn open(
    id: InterfaceId,
    interface: &Interface,
    terms: watch::Receiver<Terms>,
    connections: &mut Connections,
    inbox: &mpsc::Sender<Received>,
) -> Result<(), ListenFault> {
    let fault = |error| ListenFault { name: interface.name.clone(), bind: interface.bind, error };
    match interface.transport {
        Transport::Udp => {
            let socket = bind_datagrams(interface.bind).map_err(fault)?;
            let socket = Arc::new(socket);
            connections.add_datagrams(id, socket.clone());
            tokio::task::spawn_local(receive(id, socket, inbox.clone()));
        }
        Transport::Tcp | Transport::Tls => {
            let listener = TcpListener::bind(interface.bind).await.map_err(fault)?;
            let accept = Accept {
                id,
                transport: interface.transport,
                terms,
                expected: Places::new(HANDSHAKES_MAX, CONNECTIONS_MAX),
                strangers: Places::new(STRANGERS_MAX, STRANGERS_MAX),
                ids: connections.ids(),
                inbox: inbox.clone(),
            };
            tokio::task::spawn_local(accept.run(listener));
        }
    }
    Ok(())
}

fn bind_datagrams(bind: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(bind)?;
    socket.set_nonblocking(true)?;
    // Best effort: the system may allow less.
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, DATAGRAM_BUFFER_BYTES);
    UdpSocket::from_std(socket)
}

async fn receive(interface: InterfaceId, socket: Arc<UdpSocket>, inbox: mpsc::Sender<Received>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let nobody = Arc::new(PeerIdentity::default());
    loop {
        let (length, remote) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                tracing::debug!(%error, "datagram not received");
                continue;
            }
        };
        let datagram = buffer.get(..length).unwrap_or_default();
        // Keep-alives of telephones behind NAT.
        if datagram.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            continue;
        }
        let flow =
            Flow { interface, transport: Transport::Udp, remote, connection: None, peer: nobody.clone() };
        let told = match Message::parse_datagram(Bytes::copy_from_slice(datagram)) {
            Ok(message) => Received::Message { flow, message: Box::new(message) },
            Err(fault) => Received::Faulty { flow, fault },
        };
        if inbox.send(told).await.is_err() {
            return;
        }
    }
}

/// Takes the connections of one interface.
#[derive(Clone)]
struct Accept {
    id: InterfaceId,
    transport: Transport,
    terms: watch::Receiver<Terms>,
    expected: Places,
    strangers: Places,
    ids: Ids,
    inbox: mpsc::Sender<Received>,
}

/// How much room there is.
#[derive(Clone)]
struct Places {
    handshakes: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Places {
    fn new(handshakes: usize, open: usize) -> Places {
        Places { handshakes: Arc::new(Semaphore::new(handshakes)), open: Arc::new(Semaphore::new(open)) }
    }
}

impl Accept {
    async fn run(self, listener: TcpListener) {
        loop {
            let (stream, remote) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: connections in progress end first.
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let expected = self.terms.borrow().peers.iter().any(|range| range.contains(remote.ip()));
            let places = if expected { &self.expected } else { &self.strangers }.clone();
            let Ok(open) = places.open.try_acquire_owned() else {
                match expected {
                    true => tracing::warn!(net.peer = %remote, "too many connections: one more is closed"),
                    false => tracing::debug!(net.peer = %remote, "too many strangers: one more is closed"),
                }
                continue;
            };
            // The handshake runs beside this loop: a silent peer blocks nobody.
            let this = self.clone();
            tokio::task::spawn_local(async move {
                this.serve(stream, remote, places.handshakes).await;
                drop(open);
            });
        }
    }

    async fn serve(self, stream: TcpStream, remote: SocketAddr, handshakes: Arc<Semaphore>) {
        let _ = stream.set_nodelay(true);
        let tls = self.terms.borrow().tls.as_ref().map(|context| TlsAcceptor::from(context.server.clone()));
        let Some(acceptor) = tls else {
            return self.hand_over(stream, remote, PeerIdentity::default()).await;
        };
        let Ok(turn) = handshakes.acquire_owned().await else { return };
        let shaken = tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await;
        drop(turn);
        match shaken {
            Ok(Ok(stream)) => {
                let peer = identity(stream.get_ref().1.peer_certificates());
                self.hand_over(stream, remote, peer).await;
            }
            Ok(Err(error)) => tracing::info!(net.peer = %remote, %error, "TLS refused"),
            Err(_) => tracing::info!(net.peer = %remote, "TLS handshake timed out"),
        }
    }

    async fn hand_over<S>(self, stream: S, remote: SocketAddr, peer: PeerIdentity)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let id = self.ids.next();
        let flow = Flow {
            interface: self.id,
            transport: self.transport,
            remote,
            connection: Some(id),
            peer: Arc::new(peer),
        };
        let (writer, parcels) = mpsc::channel(WRITES_MAX);
        if self.inbox.send(Received::Accepted { id, writer }).await.is_ok() {
            run(stream, flow, parcels, self.inbox, None).await;
        }
    }
}
