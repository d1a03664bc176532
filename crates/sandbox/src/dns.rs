//! The DNS server of the sandbox: UDP and TCP on one loopback port.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::zone::Zone;

/// The zone, shared between the server, who reads, and the control, who writes.
#[derive(Clone, Debug, Default)]
pub struct SharedZone(Arc<RwLock<Zone>>);

impl SharedZone {
    /// Shares a zone.
    pub fn new(zone: Zone) -> Self {
        Self(Arc::new(RwLock::new(zone)))
    }

    /// Looks something up. The zone must not be kept.
    pub fn read<T>(&self, look: impl FnOnce(&Zone) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes something.
    pub fn write<T>(&self, change: impl FnOnce(&mut Zone) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A bound DNS server that has not begun to answer.
#[derive(Debug)]
pub struct DnsServer {
    udp: UdpSocket,
    tcp: TcpListener,
    zone: SharedZone,
}

impl DnsServer {
    /// Takes the address for UDP and TCP. Port 0 takes a free one, the same for both.
    pub async fn bind(address: SocketAddr, zone: SharedZone) -> std::io::Result<Self> {
        let mut tries = 0;
        loop {
            let udp = UdpSocket::bind(address).await?;
            tries += 1;
            match TcpListener::bind(udp.local_addr()?).await {
                Ok(tcp) => return Ok(Self { udp, tcp, zone }),
                // Somebody else has that port for TCP: another free one is as good.
                Err(_) if address.port() == 0 && tries < BIND_TRIES_MAX => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it answers.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// Answers until dropped.
    pub async fn serve(self) {
        let Self { udp, tcp, zone } = self;
        tokio::join!(serve_udp(udp, zone.clone()), serve_tcp(tcp, zone));
    }
}

async fn serve_udp(socket: UdpSocket, zone: SharedZone) {
    let mut buffer = vec![0; 4096];
    loop {
        // An error here is another end's "port unreachable": nothing to do about it.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let query = buffer.get(..length).unwrap_or_default();
        if let Some(answer) = zone.read(|zone| zone.answer(query, DATAGRAM_OCTETS)) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, zone: SharedZone) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let zone = zone.clone();
        tokio::spawn(async move {
            let _ = timeout(CONNECTION_LIFETIME_MAX, serve_connection(stream, zone)).await;
            drop(place);
        });
    }
}

async fn serve_connection(mut stream: TcpStream, zone: SharedZone) -> std::io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await?;
        let Some(answer) = zone.read(|zone| zone.answer(&query, usize::from(u16::MAX))) else {
            return Ok(());
        };
        let Ok(length) = u16::try_from(answer.len()) else { return Ok(()) };
        stream.write_u16(length).await?;
        stream.write_all(&answer).await?;
    }
}

/// How often a free port is looked for.
const BIND_TRIES_MAX: u32 = 20;
/// What a datagram may hold when the asker says nothing (RFC 1035 section 2.3.4).
const DATAGRAM_OCTETS: usize = 512;
/// TCP connections at once; the next one waits.
const CONNECTIONS_MAX: usize = 64;
/// After this a TCP connection is closed, idle or not.
const CONNECTION_LIFETIME_MAX: Duration = Duration::from_secs(30);
