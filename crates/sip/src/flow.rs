//! Where messages come from and go to, in values: the shell owns the sockets, this crate only names them.

use std::net::SocketAddr;
use std::sync::Arc;

/// One configured interface: a bind address, a transport and an advertised address. Numbered by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceId(pub u16);

/// One TCP or TLS connection, in either direction. Numbered by the shell, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// How SIP travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream in the clear.
    Tcp,
    /// A stream under TLS 1.2 or 1.3.
    Tls,
}

impl Transport {
    /// Whether the transport itself delivers or tells; on an unreliable one messages are sent again.
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// The name in a Via header.
    pub fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// The value of a `transport` URI parameter.
    pub fn uri_name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }
}

/// The path on which a message came, and back on which its responses go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Our end.
    pub interface: InterfaceId,
    /// How it came.
    pub transport: Transport,
    /// The other end's address as seen on the packet or connection.
    pub remote: SocketAddr,
    /// The connection, on TCP and TLS.
    pub connection: Option<ConnectionId>,
    /// What the other end proved about itself.
    pub peer: Arc<PeerIdentity>,
}

/// What the other end of a connection proved about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The DNS names in the certificate that the peer presented and that was verified; empty without one.
    pub certificate_names: Vec<String>,
}

/// The next hop of a request: a name or an address that the shell resolves and connects to.
///
/// On TCP and TLS the shell uses only connections that it opened itself to this very hop (never one that the
/// other end opened: RFC 5923 reuse does not apply with Teams) and checks the certificate for `host`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// Our end.
    pub interface: InterfaceId,
    /// How to go there.
    pub transport: Transport,
    /// A DNS name or an address in text (IPv6 without brackets).
    pub host: Arc<str>,
    /// The port; `None` means: by SRV, else the default (5060, 5061 with TLS).
    pub port: Option<u16>,
}

/// Where an outgoing message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back where a message came from: responses.
    Flow(Flow),
    /// To a next hop: requests.
    Hop(Hop),
}
