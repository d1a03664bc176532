//! What Tandem asks of others over HTTP: Microsoft, and the programs that want to be told (webhooks).
//!
//! Names are looked up at the name servers of the configuration, certificates are judged by its roots, and every
//! address is judged when a connection is opened and not when it was written down: a name that moves to an address
//! behind the firewall is refused. No redirect is followed, so no token follows one to another host.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};
use tandem_b2bua::trunk::AddressRange;
use tandem_microsoft::http::{Method, Request, Response};
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::transport::resolve::{ResolveFault, Resolver, literal};
use crate::transport::tls::{self, TlsFault};

/// An HTTP client with its own connections; clones share them.
///
/// One is made for each kind of peer, so that connections of one are never used for another.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    reach: Arc<Reach>,
    patience: Duration,
    body_octets_max: usize,
    longer: Longer,
    hosts: Arc<Hosts>,
}

/// How an [`Outbound`] treats its peers.
#[derive(Clone, Debug)]
pub struct OutboundSettings {
    /// PEM file of the roots that are believed. `None`: those of the system, [`SYSTEM_ROOTS`].
    pub trust: Option<PathBuf>,
    /// Which addresses may be asked.
    pub reach: Reach,
    /// How long one exchange may take, from waiting for a turn to the last octet.
    pub patience: Duration,
    /// Octets of an answer's body that are taken.
    pub body_octets_max: usize,
    /// What becomes of a longer answer.
    pub longer: Longer,
    /// Exchanges with one host and port at once; others wait for their turn.
    pub at_once_per_host: usize,
}

/// What becomes of an answer that is longer than is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Longer {
    /// It is given up: half of it is worth nothing.
    Refused,
    /// The rest is left: only how it begins is of interest.
    Cut,
}

/// Which addresses may be asked. In the clear (`http://`) only loopback ones among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All: the address comes from the operator's configuration.
    All,
    /// Those of the public Internet, and these ranges: the address comes from somebody who must not see what is behind
    /// the firewall.
    Public {
        /// Ranges that may be asked although they are not public.
        and: Vec<AddressRange>,
    },
}

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundFault {
    /// The address is none that can be asked.
    #[error(transparent)]
    Address(#[from] AddressFault),
    /// A header cannot be sent as it stands.
    #[error("the header {0} has an octet that a header cannot have")]
    Header(&'static str),
    /// The name has no address, or none that may be asked.
    #[error("{0}")]
    Name(String),
    /// The other side does not take the connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// TLS failed: most often a certificate that is not believed.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// It took too long.
    #[error("no answer within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The answer is longer than is accepted.
    #[error("the answer is longer than {0} octets")]
    TooLong(usize),
    /// The connection broke, or what came is not HTTP.
    #[error("the exchange broke off: {0}")]
    Broken(String),
}

/// An address cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It is not an address of the Web.
    #[error("not an address such as https://host/path")]
    NotAnAddress,
    /// A name and a password stand in it; they would stand in every log.
    #[error("the address has a user or a password in it")]
    Credentials,
    /// Neither `https` nor `http` to a loopback address.
    #[error("the address does not begin with https://")]
    InTheClear,
    /// The network is not one that may be asked.
    #[error("{0} is not an address of the public Internet, nor in a range that the configuration allows")]
    NotPublic(IpAddr),
}

/// A client cannot be set up: the operator's files.
#[derive(Debug, thiserror::Error)]
pub enum SetupFault {
    /// The roots.
    #[error(transparent)]
    Roots(#[from] TlsFault),
    /// The client itself.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

impl OutboundSettings {
    /// For Microsoft, at the addresses of the configuration.
    #[must_use]
    pub fn microsoft(trust: Option<PathBuf>) -> OutboundSettings {
        OutboundSettings {
            trust,
            reach: Reach::All,
            patience: Duration::from_secs(20),
            body_octets_max: tandem_microsoft::http::BODY_OCTETS_MAX,
            longer: Longer::Refused,
            at_once_per_host: 16,
        }
    }

    /// For webhooks, whose addresses people of the tenants choose; `networks` are those that are allowed although they
    /// are not public.
    #[must_use]
    pub fn webhooks(trust: Option<PathBuf>, networks: Vec<AddressRange>) -> OutboundSettings {
        OutboundSettings {
            trust,
            reach: Reach::Public { and: networks },
            patience: Duration::from_secs(15),
            body_octets_max: 16 * 1024,
            longer: Longer::Cut,
            at_once_per_host: 16,
        }
    }
}

impl Outbound {
    /// A client that has no connection yet.
    ///
    /// # Errors
    ///
    /// The roots cannot be read.
    pub fn new(settings: &OutboundSettings, resolver: Resolver) -> Result<Outbound, SetupFault> {
        let reach = Arc::new(settings.reach.clone());
        let client = Client::builder()
            .tls_backend_preconfigured(tls_client(roots(settings.trust.as_deref())?)?)
            .dns_resolver(Arc::new(Names { resolver, reach: reach.clone() }))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("Tandem/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_PATIENCE)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(settings.at_once_per_host)
            .build()?;
        Ok(Outbound {
            client,
            reach,
            patience: settings.patience,
            body_octets_max: settings.body_octets_max,
            longer: settings.longer,
            hosts: Arc::new(Hosts::new(settings.at_once_per_host)),
        })
    }

    /// Which addresses may be asked.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Sends a request and takes the whole answer. A dropped future gives the exchange up.
    ///
    /// # Errors
    ///
    /// No answer came; an answer that says no is an answer.
    pub async fn send(&self, request: Request) -> Result<Response, OutboundFault> {
        let url = self.reach.address(&request.url)?;
        let exchange = async {
            let _turn = self.hosts.turn(&url).await;
            self.exchange(url.clone(), request).await
        };
        match tokio::time::timeout(self.patience, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(OutboundFault::TooSlow(self.patience)),
        }
    }

    async fn exchange(&self, url: Url, request: Request) -> Result<Response, OutboundFault> {
        let mut sending = self.client.request(method(request.method), url);
        for (name, value) in request.headers {
            let value =
                reqwest::header::HeaderValue::from_str(&value).map_err(|_| OutboundFault::Header(name))?;
            sending = sending.header(name, value);
        }
        let mut answer = sending.body(request.body).send().await.map_err(fault)?;
        let status = answer.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = answer.headers().iter().map(header).collect();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(fault)? {
            if body.len() + piece.len() > self.body_octets_max {
                match self.longer {
                    Longer::Refused => return Err(OutboundFault::TooLong(self.body_octets_max)),
                    Longer::Cut => break,
                }
            }
            body.extend_from_slice(&piece);
        }
        Ok(Response { status, headers, body })
    }
}

impl Reach {
    /// Checks an address as far as it can be without asking for its name.
    ///
    /// # Errors
    ///
    /// See [`AddressFault`].
    pub fn address(&self, text: &str) -> Result<Url, AddressFault> {
        let url = Url::parse(text).map_err(|_| AddressFault::NotAnAddress)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressFault::Credentials);
        }
        let ip = match url.host() {
            None => return Err(AddressFault::NotAnAddress),
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => None,
        };
        if let Some(ip) = ip.filter(|ip| !self.admits(*ip)) {
            return Err(AddressFault::NotPublic(ip));
        }
        let loopback = ip.is_some_and(|ip| ip.to_canonical().is_loopback())
            || url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(LOCALHOST));
        match url.scheme() {
            "https" => Ok(url),
            "http" if loopback => Ok(url),
            "http" => Err(AddressFault::InTheClear),
            _ => Err(AddressFault::NotAnAddress),
        }
    }

    /// Whether a connection to this address may be opened.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        match self {
            Reach::All => true,
            Reach::Public { and } => is_public(address) || and.iter().any(|range| range.contains(address)),
        }
    }
}

/// Looks names up for the client, and hands it only addresses that may be asked.
struct Names {
    resolver: Resolver,
    reach: Arc<Reach>,
}

/// A name that leads nowhere.
#[derive(Debug, thiserror::Error)]
enum NameFault {
    #[error(transparent)]
    Resolve(#[from] ResolveFault),
    #[error("{name}: {fault}")]
    NotPublic { name: String, fault: AddressFault },
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, reach) = (self.resolver.clone(), self.reach.clone());
        Box::pin(async move {
            let found = addresses(&resolver, &reach, name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name, but for those that may not be asked.
async fn addresses(resolver: &Resolver, reach: &Reach, name: &str) -> Result<Vec<SocketAddr>, NameFault> {
    // Port 0 stands for that of the URL.
    let mut found = if let Some(address) = literal(name) {
        vec![SocketAddr::new(address, 0)]
    } else if name.eq_ignore_ascii_case(LOCALHOST) {
        // Nobody outside says where this machine is (RFC 6761 section 6.3).
        vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))]
    } else {
        resolver.by_name(name, 0).await?
    };
    let refused = found.iter().map(SocketAddr::ip).find(|address| !reach.admits(*address));
    found.retain(|address| reach.admits(address.ip()));
    match refused.filter(|_| found.is_empty()) {
        Some(address) => {
            Err(NameFault::NotPublic { name: name.to_owned(), fault: AddressFault::NotPublic(address) })
        }
        None => Ok(found),
    }
}

/// Turns for exchanges, by host and port.
struct Hosts {
    at_once: usize,
    turns: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

impl Hosts {
    fn new(at_once: usize) -> Hosts {
        Hosts { at_once, turns: Mutex::default() }
    }

    async fn turn(&self, url: &Url) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let host = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let turns = {
            let mut all = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= HOSTS_MAX && !all.contains_key(&host) {
                // Who has no exchange under way starts anew next time.
                all.retain(|_, turns| Arc::strong_count(turns) > 1);
            }
            all.entry(host).or_insert_with(|| Arc::new(Semaphore::new(self.at_once))).clone()
        };
        turns.acquire_owned().await.ok()
    }
}

/// The roots of a file, or of the system. A system without roots believes nobody; that keeps nothing else from working.
fn roots(trust: Option<&Path>) -> Result<RootCertStore, TlsFault> {
    let mut roots = RootCertStore::empty();
    let found = match (tls::certificates(trust.unwrap_or(Path::new(SYSTEM_ROOTS))), trust) {
        (Err(fault), None) => {
            tracing::warn!(%fault, "the system has no roots: nobody is believed over https; install ca-certificates, or name a file with roots");
            return Ok(roots);
        }
        (found, _) => found?,
    };
    // The file may hold roots of a form that is not understood: nobody shows those.
    roots.add_parsable_certificates(found);
    Ok(roots)
}

fn tls_client(roots: RootCertStore) -> Result<ClientConfig, TlsFault> {
    let mut config = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Patch => reqwest::Method::PATCH,
        Method::Put => reqwest::Method::PUT,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// Whose fault it is, from the innermost error that says so. The URL is left out: its query may be secret.
fn fault(error: reqwest::Error) -> OutboundFault {
    let error = error.without_url();
    let mut innermost: &(dyn Error + 'static) = &error;
    let mut next = Some(innermost);
    while let Some(error) = next {
        innermost = error;
        if let Some(fault) = error.downcast_ref::<NameFault>() {
            return OutboundFault::Name(fault.to_string());
        }
        // The error of a stream hides what it carries from `source`.
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    let told = innermost.to_string();
    if innermost.is::<rustls::Error>() {
        OutboundFault::Tls(told)
    } else if error.is_timeout() {
        OutboundFault::TooSlow(CONNECT_PATIENCE)
    } else if error.is_connect() {
        OutboundFault::Connect(told)
    } else {
        OutboundFault::Broken(told)
    }
}

/// Whether an address is reached over the public Internet (the registries of special addresses: RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224.., ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64 carries an IPv4 address at its end.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Protocol assignments and Teredo, documentation, 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Where Debian and most others keep the system's roots.
pub const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// How long a connection may take to be opened, TLS included.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A connection that nobody uses is closed after this time.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Hosts whose turns are remembered. Beyond it those are forgotten that have no exchange under way; who has one is
/// bounded by what its caller has under way.
const HOSTS_MAX: usize = 4_096;

const LOCALHOST: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    fn public() -> Reach {
        Reach::Public { and: Vec::new() }
    }

    #[test]
    fn what_is_not_public_is_not_asked() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.255.1",
            "192.168.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001:db8::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!public().admits(address.parse().unwrap()), "{address}");
        }
        for address in
            ["8.8.8.8", "52.112.0.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"]
        {
            assert!(public().admits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_is_judged_however_it_is_written() {
        let reach = public();
        for (text, fault) in [
            ("https://0x7f.1/", AddressFault::NotPublic([127, 0, 0, 1].into())),
            ("https://2130706433/", AddressFault::NotPublic([127, 0, 0, 1].into())),
            ("https://[::ffff:a9fe:a9fe]/", AddressFault::NotPublic("::ffff:a9fe:a9fe".parse().unwrap())),
            ("http://example.test/", AddressFault::InTheClear),
            ("https://me:secret@example.test/", AddressFault::Credentials),
            ("ftp://example.test/", AddressFault::NotAnAddress),
            ("file:///etc/passwd", AddressFault::NotAnAddress),
            ("example.test", AddressFault::NotAnAddress),
        ] {
            assert_eq!(reach.address(text), Err(fault), "{text}");
        }
        assert!(reach.address("https://example.test/hook?x=1").is_ok());
    }

    #[test]
    fn loopback_in_the_clear_needs_to_be_allowed() {
        let here: Vec<AddressRange> = vec!["127.0.0.0/8".parse().unwrap()];
        let reach = Reach::Public { and: here };
        assert!(reach.address("http://127.0.0.1:9000/hook").is_ok());
        assert_eq!(reach.address("http://10.0.0.1/"), Err(AddressFault::NotPublic([10, 0, 0, 1].into())));
        assert_eq!(
            public().address("http://127.0.0.1:9000/hook"),
            Err(AddressFault::NotPublic([127, 0, 0, 1].into()))
        );
        assert_eq!(Reach::All.address("http://10.0.0.1/"), Err(AddressFault::InTheClear));
    }
}
