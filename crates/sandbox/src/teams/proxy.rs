//! The three SIP proxies of Direct Routing and the names under which they are known.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// One of the three: 0 is sip, 1 is sip2, 2 is sip3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProxyId(u8);

impl ProxyId {
    /// All three, in the order in which a border controller must try them.
    pub const ALL: [ProxyId; 3] = [ProxyId(0), ProxyId(1), ProxyId(2)];

    /// The proxy of a name such as `sip2`, or of its number counted from 1.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proxy| proxy.short_name() == name || proxy.number() == name)
    }

    /// The place in [`ProxyId::ALL`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The next in turn.
    pub fn next(self) -> Self {
        Self((self.0 + 1) % 3)
    }

    /// `sip`, `sip2` or `sip3`.
    pub fn short_name(self) -> &'static str {
        self.of(["sip", "sip2", "sip3"])
    }

    /// The name that a border controller connects to ("Plan Direct Routing", connection points).
    pub fn name(self) -> &'static str {
        self.of(["sip.pstnhub.microsoft.com", "sip2.pstnhub.microsoft.com", "sip3.pstnhub.microsoft.com"])
    }

    /// The name of its region, which stands in Record-Route.
    pub fn region(self) -> &'static str {
        self.of([
            "sip-du-a-us.pstnhub.microsoft.com",
            "sip-du-a-eu.pstnhub.microsoft.com",
            "sip-du-a-as.pstnhub.microsoft.com",
        ])
    }

    /// The name in Contact. Nothing listens there: its port 443 is not a SIP port.
    pub fn contact_host(self) -> &'static str {
        self.of([
            "api-du-a-usea.pstnhub.microsoft.com",
            "api-du-a-euwe.pstnhub.microsoft.com",
            "api-du-a-asse.pstnhub.microsoft.com",
        ])
    }

    fn number(self) -> &'static str {
        self.of(["1", "2", "3"])
    }

    fn of(self, names: [&'static str; 3]) -> &'static str {
        names.get(self.index()).copied().unwrap_or_default()
    }
}

/// Whether a host is one of Microsoft's names.
pub fn is_microsoft(host: &str) -> bool {
    ProxyId::ALL.iter().any(|proxy| {
        [proxy.name(), proxy.region(), proxy.contact_host()].contains(&host.to_ascii_lowercase().as_str())
    })
}

/// A proxy: where it lives and whether it works.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Its address.
    pub address: IpAddr,
    /// Whether it works.
    pub state: ProxyState,
}

/// Whether a proxy works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProxyState {
    /// It takes calls.
    #[default]
    Up,
    /// It answers new calls and OPTIONS with 503 and Retry-After; calls in progress go on.
    Draining,
    /// It has closed its port and all connections. What belongs to calls that it set up finds nobody there, until
    /// it is up again or DNS moves the name in its Record-Route.
    Down,
}
