//! Names to addresses, and for how long they may be believed.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use tandem_sip::flow::{Hop, Transport};

/// Addresses are asked for again after this time at the latest: Microsoft drains endpoints by moving names
/// ("SIP 503 and Microsoft response codes").
const BELIEVED_AT_MOST: Duration = Duration::from_secs(15 * 60);
/// And not more often than this, so that a short TTL does not mean a look-up in the path of each call.
const BELIEVED_AT_LEAST: Duration = Duration::from_secs(10);
/// A name that does not exist is asked for again after this time at the latest.
const DENIAL_BELIEVED_AT_MOST: Duration = Duration::from_secs(10);
/// One question to one server waits this long.
const PATIENCE: Duration = Duration::from_secs(2);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Looks names up; remembers answers as long as they may be believed.
#[derive(Clone)]
pub struct Resolver(TokioResolver);

/// No address could be had.
#[derive(Debug, thiserror::Error)]
pub enum ResolveFault {
    /// The name servers gave none.
    #[error("{host} has no address: {error}")]
    NoAddress {
        /// The name.
        host: String,
        /// What the resolver says.
        error: NetError,
    },
    /// The resolver could not be set up.
    #[error("the name servers cannot be used: {0}; set dns.servers")]
    Setup(#[from] NetError),
}

impl Resolver {
    /// A resolver that asks these servers, or the system's.
    pub fn new(servers: &[SocketAddr]) -> Result<Resolver, ResolveFault> {
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = servers.iter().map(|server| name_server(*server)).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.positive_max_ttl = Some(BELIEVED_AT_MOST);
        options.positive_min_ttl = Some(BELIEVED_AT_LEAST);
        options.negative_max_ttl = Some(DENIAL_BELIEVED_AT_MOST);
        options.timeout = PATIENCE;
        Ok(Resolver(builder.build()?))
    }

    /// The addresses of a hop, the best first: an address as it is; a name without a port by SRV, if it has such
    /// records (RFC 3263), else by A and AAAA with the transport's port.
    pub async fn addresses(&self, hop: &Hop) -> Result<Vec<SocketAddr>, ResolveFault> {
        let default = if hop.transport == Transport::Tls { 5061 } else { 5060 };
        let port = hop.port.unwrap_or(default);
        if let Some(address) = literal(&hop.host) {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if hop.port.is_none() {
            let found = self.by_service(hop).await;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        self.by_name(&hop.host, port).await
    }

    /// The addresses of a name by A and AAAA, each with this port.
    ///
    /// # Errors
    ///
    /// The name has none, or the name servers do not answer.
    pub async fn by_name(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveFault> {
        // A final dot: the name is whole, search domains are not tried.
        let whole = format!("{}.", host.trim_end_matches('.'));
        let found = self
            .0
            .lookup_ip(whole)
            .await
            .map_err(|error| ResolveFault::NoAddress { host: host.to_owned(), error })?;
        Ok(found.iter().take(ADDRESSES_MAX).map(|address| SocketAddr::new(address, port)).collect())
    }

    async fn by_service(&self, hop: &Hop) -> Vec<SocketAddr> {
        let service = match hop.transport {
            Transport::Udp => "_sip._udp",
            Transport::Tcp => "_sip._tcp",
            Transport::Tls => "_sips._tcp",
        };
        let name = format!("{service}.{}.", hop.host.trim_end_matches('.'));
        let Ok(found) = self.0.srv_lookup(name).await else { return Vec::new() };
        let mut targets: Vec<(u16, u16, String, u16)> = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => {
                    Some((srv.priority, u16::MAX - srv.weight, srv.target.to_string(), srv.port))
                }
                _ => None,
            })
            .collect();
        targets.sort();
        let mut addresses = Vec::new();
        for (_, _, target, port) in targets.into_iter().take(ADDRESSES_MAX) {
            if let Ok(found) = self.by_name(&target, port).await {
                addresses.extend(found);
            }
        }
        addresses.truncate(ADDRESSES_MAX);
        addresses
    }
}

/// The address, if the host is one.
pub fn literal(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        let ConnectionConfig { port, .. } = connection;
        *port = server.port();
    }
    config
}
