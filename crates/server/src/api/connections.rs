//! Who is connected: how many of the connections each address has.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem_strangers::{Room, Source};

use super::proxies::Proxies;

/// The connections that are open, by their addresses: of HTTP, or of one kind that counts apart.
///
/// An address may have as many as are free besides ([`Room`]), so that one which connects without end keeps nobody else
/// out. A proxy of ours speaks for many, and is not bounded.
#[derive(Debug)]
pub(super) struct Connections {
    proxies: Proxies,
    room: Mutex<Room>,
    refused: AtomicU64,
}

/// A place of a connection in the share of its address, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    connections: Arc<Connections>,
    source: Source,
}

impl Connections {
    /// Nobody is connected, and there is room for so many.
    pub(super) fn new(proxies: Proxies, most: usize) -> Connections {
        Connections { proxies, room: Mutex::new(Room::new(most)), refused: AtomicU64::new(0) }
    }

    /// A place for a connection of this peer; `None` if its address has its share.
    pub(super) fn enter(self: &Arc<Connections>, peer: IpAddr) -> Option<Share> {
        let source = Source::from(peer);
        if self.proxies.has(peer.to_canonical()) {
            self.room().admit(source);
        } else if self.room().enter(source).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Share { connections: Arc::clone(self), source })
    }

    /// The figures for Prometheus.
    pub(super) fn figures(&self) -> String {
        let (open, refused) = (self.room().taken(), self.refused.load(Ordering::Relaxed));
        let mut text = String::new();
        for (name, kind, help, value) in [
            (
                "tandem_http_connections",
                "gauge",
                "Open HTTP connections.",
                u64::try_from(open).unwrap_or(u64::MAX),
            ),
            (
                "tandem_http_connections_refused_total",
                "counter",
                "HTTP connections that were closed at once, because their address has its share.",
                refused,
            ),
        ] {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.connections.room().leave(self.source);
    }
}
