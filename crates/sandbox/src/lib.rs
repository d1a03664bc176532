//! A Microsoft 365 tenant in a box, on loopback: DNS, a certificate authority, Entra ID, Microsoft Graph, Direct Routing
//! with Teams users, and a carrier with callers.
//!
//! It behaves as Microsoft's documents and public captures say that Teams behaves, refuses what Teams refuses, and
//! keeps a list of everything that a border controller did wrong ([`violation`]). What the documents leave open
//! stands in one place, [`habits`]. Everything can be driven over HTTP ([`control`]).
//!
//! It shares no code with the engine that it tests but the protocol crates: a simulator that shares its client's
//! code shares its misreadings. It is made for demonstration, development and tests; it is no telephone system.

pub mod authority;
pub mod carrier;
pub mod chance;
pub mod config;
pub mod control;
pub mod directory;
pub mod dns;
pub mod entra;
pub mod event;
pub mod graph;
pub mod habits;
pub mod hearing;
pub mod journal;
pub mod media;
pub mod port;
pub mod shell;
pub mod sound;
pub mod teams;
pub mod timers;
pub mod tls;
pub mod trace;
pub mod user;
pub mod violation;
pub mod web;
pub mod zone;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use crate::authority::{Authority, AuthorityError, CertificateRequest};
use crate::carrier::Carrier;
use crate::chance::Chance;
use crate::config::{CarrierConfig, SandboxConfig};
use crate::directory::Directory;
use crate::dns::{DnsServer, SharedZone};
use crate::entra::{Entra, KeyRing};
use crate::graph::Graph;
use crate::graph::courier::{Courier, CourierFault};
use crate::shell::{Engine, Shell, bind_proxies};
use crate::teams::Teams;
use crate::teams::proxy::ProxyId;
use crate::tls::Tls;
use crate::web::{Cloud, WebServer};
use crate::zone::{Entry, Zone};

/// Starts the sandbox; it runs until `shutdown` is done or the returned [`Running`] is stopped.
///
/// Everything is bound when this returns: who reads an address from [`Running`] can use it at once.
pub async fn run(
    config: SandboxConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, SandboxError> {
    config.check()?;
    let now = SystemTime::now();
    let authority = Authority::open(&config.folder, config.keys, now)?;
    let proxy_identity = authority.keep(PROXY_CERTIFICATE, &proxy_certificate(), now)?;
    authority.keep(BORDER_CERTIFICATE, &border_certificate(&config), now)?;
    let web_identity = authority.keep(WEB_CERTIFICATE, &web::certificate(), now)?;
    let tls = Tls::new(&proxy_identity, authority.trust()?)?;
    let zone = SharedZone::new(first_zone(&config)?);

    let dns = DnsServer::bind(config.dns, zone.clone()).await.map_err(SandboxError::bind(config.dns))?;
    let control = TcpListener::bind(config.control).await.map_err(SandboxError::bind(config.control))?;
    let web = WebServer::bind(&config.web, &web_identity).await?;
    let proxies = bind_proxies(config.proxies.addresses, config.proxies.port);
    let proxies = proxies.await.map_err(|(address, source)| SandboxError::Bind { address, source })?;
    let proxy_port = local(&proxies[0])?.port();
    let carrier = match config.carrier.clone() {
        Some(carrier) => Some(bind_carrier(carrier).await?),
        None => None,
    };
    let (border_chain, border_key) = authority.files(BORDER_CERTIFICATE);
    let addresses = Addresses {
        dns: dns.address().map_err(SandboxError::bind(config.dns))?,
        control: local(&control)?,
        http: web.places().http,
        https: web.places().https,
        proxies: config.proxies.addresses.map(|address| SocketAddr::new(address, proxy_port)),
        carrier: carrier.as_ref().map(|(_, config)| config.address),
        root: authority.root_file(),
        border_chain,
        border_key,
    };

    let mut chance = Chance::new(config.seed.unwrap_or_else(seed_of_now));
    let (teams_chance, carrier_chance) = (chance.branch(), chance.branch());
    let courier = Courier::new(zone.clone(), authority.trust()?, config.web.record.as_deref())?;
    let keys = KeyRing::open(&config.folder)?;
    let entra = Entra::with_keys(config.web.issuer.clone(), keys, chance.branch());
    let cloud = Cloud::new(
        Directory::new(&config),
        entra,
        Graph::new(config.web.limits.clone(), chance.branch()),
        web.places(),
    );
    let now = Instant::now();
    let teams = Teams::new(&config, proxy_port, teams_chance, now);
    let persons_hz: Vec<u16> =
        config.tenants.iter().flat_map(|tenant| &tenant.users).map(|user| user.tone_hz).collect();
    let carrier =
        carrier.map(|(socket, config)| (Carrier::new(config, persons_hz, carrier_chance, now), socket));
    let shell = Shell::new(teams, carrier, zone.clone(), tls, proxies);
    let (shell, engine) = shell.map_err(SandboxError::bind(config.dns))?;
    let app = control::app(control::Shared { engine: engine.clone(), zone, addresses: addresses.clone() });
    let mut tasks = JoinSet::new();
    tasks.spawn(dns.serve());
    tasks.spawn(web.serve(web::app(cloud.clone()).layer(axum::Extension(courier.clone()))));
    tasks.spawn(courier.run(cloud.clone()));
    tasks.spawn(graph::calls::follow(engine.clone(), cloud.clone()));
    tasks.spawn(shell.run());
    tasks.spawn(async move {
        if let Err(error) = axum::serve(control, app).await {
            tracing::error!(%error, "control ended");
        }
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        tokio::select! {
            () = shutdown => {}
            _ = stopped => {}
        }
        tasks.shutdown().await;
    });
    Ok(Running { addresses, engine, cloud, task, stop })
}

/// A sandbox that runs. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    addresses: Addresses,
    engine: Engine,
    cloud: Cloud,
    task: tokio::task::JoinHandle<()>,
    stop: tokio::sync::oneshot::Sender<()>,
}

impl Running {
    /// Where everything is.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// A way to play Teams from the same process, as the control does over HTTP.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Entra and Graph from the same process.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Stops it and waits until every socket is closed.
    pub async fn stop(self) {
        let Self { task, stop, .. } = self;
        drop(stop);
        let _ = task.await;
    }

    /// Waits until the shutdown that was handed to [`run`] has come and everything is closed.
    pub async fn wait(self) {
        let Self { task, stop, .. } = self;
        let _ = task.await;
        drop(stop);
    }
}

/// Where the parts of a running sandbox are.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Addresses {
    /// DNS, UDP and TCP.
    pub dns: SocketAddr,
    /// The HTTP control.
    pub control: SocketAddr,
    /// Entra and Graph over plain HTTP, for browsers.
    pub http: SocketAddr,
    /// Entra and Graph over HTTPS, for programs that trust the root.
    pub https: SocketAddr,
    /// The three SIP proxies, TLS.
    pub proxies: [SocketAddr; 3],
    /// The carrier's SIP, UDP.
    pub carrier: Option<SocketAddr>,
    /// PEM file: the root that a border controller must trust.
    pub root: PathBuf,
    /// PEM file: a certificate chain for the border controller's names.
    pub border_chain: PathBuf,
    /// PEM file: its key.
    pub border_key: PathBuf,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS cannot be set up with them.
    #[error("TLS cannot be set up with the certificates of the folder")]
    Tls(#[from] rustls::Error),
    /// An address is taken or not ours.
    #[error("cannot listen on {address}: end what listens there, or choose another address")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The control would be open to others.
    #[error(
        "control = \"{0}\": the control of the sandbox listens on loopback only; choose an address 127.x.y.z"
    )]
    ControlNotLoopback(SocketAddr),
    /// Entra and Graph would be open to others.
    #[error(
        "web = \"{0}\": Entra and Graph of the sandbox listen on loopback only; choose an address 127.x.y.z"
    )]
    WebNotLoopback(SocketAddr),
    /// No key to sign tokens with can be made.
    #[error("no key can be made for signing tokens")]
    Key(#[from] entra::KeyFault),
    /// Notifications of Graph cannot be sent.
    #[error(transparent)]
    Courier(#[from] CourierFault),
    /// A name in the configuration is no DNS name.
    #[error("trunks.fqdn = \"{0}\": not a DNS name of at most 63 characters")]
    TrunkName(String),
    /// Two users have one id.
    #[error("tenants.users.id = \"{0}\": the id is there twice")]
    UserTwice(String),
}

impl SandboxError {
    fn bind(address: SocketAddr) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Bind { address, source }
    }
}

impl SandboxConfig {
    fn check(&self) -> Result<(), SandboxError> {
        if !self.control.ip().is_loopback() {
            return Err(SandboxError::ControlNotLoopback(self.control));
        }
        if let Some(open) = [self.web.http, self.web.https].into_iter().find(|web| !web.ip().is_loopback()) {
            return Err(SandboxError::WebNotLoopback(open));
        }
        for trunk in &self.trunks {
            if trunk.fqdn.len() > TRUNK_NAME_OCTETS_MAX || trunk.fqdn.parse::<IpAddr>().is_ok() {
                return Err(SandboxError::TrunkName(trunk.fqdn.clone()));
            }
        }
        let mut ids = std::collections::BTreeSet::new();
        for user in self.tenants.iter().flat_map(config::TenantConfig::everyone) {
            if !ids.insert(&user.id) {
                return Err(SandboxError::UserTwice(user.id.clone()));
            }
        }
        Ok(())
    }
}

/// The proxies' certificate: all three names and those of the regions, server authentication only as Microsoft's
/// since 2026, although the proxies use it as a client too.
fn proxy_certificate() -> CertificateRequest {
    let names = ProxyId::ALL.map(ProxyId::name).into_iter().chain(ProxyId::ALL.map(ProxyId::region));
    CertificateRequest::server_only(names)
}

/// One certificate for all border controllers and the customers below their names.
fn border_certificate(config: &SandboxConfig) -> CertificateRequest {
    let names = config.trunks.iter().flat_map(|trunk| [trunk.fqdn.clone(), format!("*.{}", trunk.fqdn)]);
    CertificateRequest::server_only(names)
}

fn first_zone(config: &SandboxConfig) -> Result<Zone, SandboxError> {
    let mut zone = Zone::new(Duration::from_secs(config.dns_ttl_s.into()));
    for (proxy, address) in ProxyId::ALL.into_iter().zip(config.proxies.addresses) {
        for name in [proxy.name(), proxy.region()] {
            zone.set(name, Entry::host([address])).map_err(|_| SandboxError::TrunkName(name.to_owned()))?;
        }
    }
    for name in web::MICROSOFT_NAMES {
        let entry = Entry::host([config.web.https.ip()]);
        zone.set(name, entry).map_err(|_| SandboxError::TrunkName(name.to_owned()))?;
    }
    for trunk in &config.trunks {
        let below = config.tenants.iter().flat_map(|tenant| &tenant.domains);
        let below = below.filter(|domain| domain.split_once('.').is_some_and(|(_, rest)| rest == trunk.fqdn));
        for name in std::iter::once(&trunk.fqdn).chain(below) {
            let set = zone.set(name, Entry::host([trunk.address]));
            set.map_err(|_| SandboxError::TrunkName(name.clone()))?;
        }
    }
    Ok(zone)
}

/// Takes the carrier's address; the configuration then says which port it is.
async fn bind_carrier(mut config: CarrierConfig) -> Result<(UdpSocket, CarrierConfig), SandboxError> {
    let socket = UdpSocket::bind(config.address).await.map_err(SandboxError::bind(config.address))?;
    config.address = socket.local_addr().map_err(SandboxError::bind(config.address))?;
    Ok((socket, config))
}

fn local(listener: &TcpListener) -> Result<SocketAddr, SandboxError> {
    let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
    listener.local_addr().map_err(SandboxError::bind(unknown))
}

fn seed_of_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

const PROXY_CERTIFICATE: &str = "proxy";
const BORDER_CERTIFICATE: &str = "sbc";
const WEB_CERTIFICATE: &str = "web";
/// "Connect your Session Border Controller": longer names are refused there.
const TRUNK_NAME_OCTETS_MAX: usize = 63;
