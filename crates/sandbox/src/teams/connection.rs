//! TLS connections, which are one-way for requests: Teams sends requests only over those it opened itself, the
//! border controller only over its own ("Direct Routing - RFC standards").

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use tandem_sip::framing::Framer;

use super::proxy::ProxyId;

/// One connection, numbered in the order of its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A TLS connection between a proxy and a border controller.
#[derive(Debug)]
pub struct Connection {
    /// Our end.
    pub proxy: ProxyId,
    /// Who opened it, and to what.
    pub opened: Opened,
    /// The other end's address; none while it is being opened.
    pub remote: Option<SocketAddr>,
    /// The names in the other end's certificate.
    pub names: Vec<String>,
    /// The last transaction, or the last CRLF of the border controller.
    pub used: Instant,
    /// Cuts messages out of what comes.
    pub framer: Framer,
}

/// Who opened a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The border controller, to a proxy.
    ByBorder,
    /// Teams, to this host and port.
    ByTeams {
        /// The FQDN.
        host: String,
        /// The port.
        port: u16,
        /// What waits until the connection is up.
        waiting: Vec<Vec<u8>>,
    },
}

impl Connection {
    /// How it is called in the trace: who opened it, and its number.
    pub fn label(&self, id: ConnectionId) -> String {
        match self.opened {
            Opened::ByBorder => format!("sbc-{}", id.0),
            Opened::ByTeams { .. } => format!("teams-{}", id.0),
        }
    }

    /// Whether Teams opened it.
    pub fn is_ours(&self) -> bool {
        matches!(self.opened, Opened::ByTeams { .. })
    }

    /// The other end for people to read.
    pub fn there(&self) -> String {
        match (&self.opened, self.remote) {
            (Opened::ByTeams { host, port, .. }, _) => format!("{host}:{port}"),
            (Opened::ByBorder, Some(remote)) => remote.to_string(),
            (Opened::ByBorder, None) => String::new(),
        }
    }
}

/// All connections.
#[derive(Debug, Default)]
pub struct Connections {
    table: BTreeMap<ConnectionId, Connection>,
    count: u64,
}

impl Connections {
    /// Takes in a new one.
    pub fn insert(&mut self, connection: Connection) -> ConnectionId {
        self.count += 1;
        let id = ConnectionId(self.count);
        self.table.insert(id, connection);
        id
    }

    /// Looks one up.
    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.table.get(&id)
    }

    /// Looks one up to change it.
    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.table.get_mut(&id)
    }

    /// Takes one out.
    pub fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.table.remove(&id)
    }

    /// All, in the order of their beginning.
    pub fn iter(&self) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        self.table.iter().map(|(id, connection)| (*id, connection))
    }

    /// Teams' connections from a proxy to a host and port, the oldest first.
    pub fn ours(&self, proxy: ProxyId, to: (&str, u16)) -> impl Iterator<Item = ConnectionId> {
        self.iter().filter_map(move |(id, connection)| match &connection.opened {
            Opened::ByTeams { host, port, .. }
                if connection.proxy == proxy && (host.as_str(), *port) == to =>
            {
                Some(id)
            }
            _ => None,
        })
    }
}

/// Teams opens at most two connections per target and proxy ("Direct Routing - RFC standards").
pub const CONNECTIONS_PER_TARGET_MAX: usize = 2;
/// More connections of border controllers than this are closed at once.
pub const CONNECTIONS_MAX: usize = 1000;
