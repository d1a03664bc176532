//! The sandbox's side of the web: Entra ID and Microsoft Graph on one HTTP and one HTTPS listener.
//!
//! Both listeners serve the same; the paths tell Entra (`/{tenant}/...`) and Graph (`/v1.0/...`) apart, whatever name
//! was dialled. Under `/sandbox` stand the commands, for who comes under a loopback name only.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::authority::{CertificateRequest, Identity};
use crate::config::WebConfig;
use crate::control::loopback_hosts_only;
use crate::directory::Directory;
use crate::entra::Entra;
use crate::graph::Graph;

/// Everything that Entra and Graph know, shared by all requests.
#[derive(Clone, Debug)]
pub struct Cloud(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<CloudState>,
    places: Places,
}

/// What is behind the lock.
#[derive(Debug)]
pub struct CloudState {
    /// Tenants, people, applications, grants.
    pub directory: Directory,
    /// Keys, codes, logins, switches of Entra ID.
    pub entra: Entra,
    /// Presence, subscriptions, switches of Graph.
    pub graph: Graph,
    /// How far the sandbox's clock is ahead of the machine's.
    pub ahead: SignedDuration,
}

/// Where the two listeners are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Plain HTTP.
    pub http: SocketAddr,
    /// HTTPS.
    pub https: SocketAddr,
}

impl Cloud {
    /// Shares a state.
    pub fn new(directory: Directory, entra: Entra, graph: Graph, places: Places) -> Self {
        let state = CloudState { directory, entra, graph, ahead: SignedDuration::ZERO };
        Self(Arc::new(Inner { state: Mutex::new(state), places }))
    }

    /// Has something done with everything, at the sandbox's present time. Nothing may wait in there.
    pub fn with<T>(&self, act: impl FnOnce(Timestamp, &mut CloudState) -> T) -> T {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let machine = SignedDuration::try_from(machine).unwrap_or(SignedDuration::MAX);
        let now = Timestamp::from_duration(machine.saturating_add(state.ahead)).unwrap_or(Timestamp::MAX);
        act(now, &mut state)
    }

    /// The sandbox's present time.
    pub fn now(&self) -> Timestamp {
        self.with(|now, _| now)
    }

    /// Where the listeners are.
    pub fn places(&self) -> Places {
        self.0.places
    }
}

/// Through which listener a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Plain HTTP.
    Plain,
    /// HTTPS.
    Secure,
}

impl Listener {
    /// The scheme of its addresses.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Secure => "https",
        }
    }
}

/// All routes of both listeners, without a socket.
pub fn app(cloud: Cloud) -> Router {
    let commands = Router::new()
        .route("/sandbox/clock", get(clock).put(set_clock))
        .merge(crate::entra::commands())
        .merge(crate::graph::commands())
        .layer(from_fn(loopback_hosts_only));
    Router::new()
        .merge(crate::entra::routes())
        .merge(crate::graph::routes())
        .merge(commands)
        .with_state(cloud)
}

/// The clock: how far it is ahead of the machine's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    ahead_s: i64,
}

/// `GET /sandbox/clock`.
async fn clock(State(cloud): State<Cloud>) -> Json<Clock> {
    Json(Clock { ahead_s: cloud.with(|_, state| state.ahead.as_secs()) })
}

/// `PUT /sandbox/clock` with `{"ahead_s": N}`: everything that time does to tokens, presence and subscriptions happens
/// earlier. It cannot be set back: nothing lives twice.
async fn set_clock(State(cloud): State<Cloud>, Json(Clock { ahead_s }): Json<Clock>) -> Response {
    let set = cloud.with(|_, state| {
        let ahead = SignedDuration::from_secs(ahead_s);
        let fits = ahead >= state.ahead && ahead <= AHEAD_MAX;
        if fits {
            state.ahead = ahead;
        }
        fits
    });
    if set {
        StatusCode::NO_CONTENT.into_response()
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, "the clock goes forward only, and ten years at most")
            .into_response()
    }
}

/// The certificate of the HTTPS listener: Microsoft's names, and those of this machine.
pub fn certificate() -> CertificateRequest {
    CertificateRequest::server_only(
        MICROSOFT_NAMES.iter().copied().chain(["localhost", "127.0.0.1"]).map(str::to_owned),
    )
}

/// The two listeners, bound, not yet serving.
#[derive(Debug)]
pub struct WebServer {
    http: TcpListener,
    https: TcpListener,
    acceptor: Arc<ServerConfig>,
    places: Places,
}

impl WebServer {
    /// Takes both addresses; the error names the one that is not to be had.
    pub async fn bind(config: &WebConfig, identity: &Identity) -> Result<Self, crate::SandboxError> {
        let bound = |address| crate::SandboxError::bind(address);
        let http = TcpListener::bind(config.http).await.map_err(bound(config.http))?;
        let https = TcpListener::bind(config.https).await.map_err(bound(config.https))?;
        let places = Places {
            http: http.local_addr().map_err(bound(config.http))?,
            https: https.local_addr().map_err(bound(config.https))?,
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut acceptor = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(identity.chain.clone(), identity.key.clone_key())?;
        acceptor.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { http, https, acceptor: Arc::new(acceptor), places })
    }

    /// Where they are.
    pub fn places(&self) -> Places {
        self.places
    }

    /// Answers until dropped.
    pub async fn serve(self, app: Router) {
        let secure = TlsConnections::new(self.https, self.places.https, TlsAcceptor::from(self.acceptor));
        let plain_app = app.clone().layer(Extension(Listener::Plain));
        let secure_app = app.layer(Extension(Listener::Secure));
        let (plain_ended, secure_ended) =
            tokio::join!(axum::serve(self.http, plain_app), axum::serve(secure, secure_app));
        for error in [plain_ended.err(), secure_ended.err()].into_iter().flatten() {
            tracing::error!(%error, "the web ended");
        }
    }
}

/// Connections whose handshake is done. Handshakes run beside each other: one that is slow keeps nobody waiting.
struct TlsConnections {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    _accepting: JoinSet<()>,
}

impl TlsConnections {
    fn new(listener: TcpListener, address: SocketAddr, acceptor: TlsAcceptor) -> Self {
        let (sender, ready) = mpsc::channel(HANDSHAKES_MAX);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, acceptor, sender));
        Self { ready, address, _accepting: accepting }
    }
}

impl axum::serve::Listener for TlsConnections {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task lives as long as this does: there is nothing to come.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, remote)) = listener.accept().await else { continue };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        handshakes.spawn(async move {
            let _ = stream.set_nodelay(true);
            // Who does not trust the sandbox's authority hangs up here: his error tells him more than ours.
            if let Ok(Ok(stream)) = timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
                let _ = ready.send((stream, remote)).await;
            }
            drop(place);
        });
    }
}

/// Names of Microsoft's that the sandbox stands in for, in DNS and in its certificate.
pub const MICROSOFT_NAMES: [&str; 2] = ["login.microsoftonline.com", "graph.microsoft.com"];

/// Handshakes at once; the next connection waits.
const HANDSHAKES_MAX: usize = 64;
/// A handshake that takes longer has failed.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How far the clock can be put ahead: ten years.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24 * 3653);
