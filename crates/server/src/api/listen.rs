//! The sockets of the HTTP side: listening, TLS, and limits for each connection.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::access::{Access, AccessFault, Peer, Token};
use super::connections::Connections;
use super::proxies::Proxies;
use crate::config::file::HttpFile;
use crate::page::Policy;

/// An open door of the HTTP API: it listens, and nobody is served yet.
pub struct Listening {
    listener: TcpListener,
    certificate: Certificate,
    address: SocketAddr,
    connections: Arc<Connections>,
}

/// The certificate that is shown to browsers and programs, if there is one; clones are the same.
#[derive(Clone)]
pub struct Certificate {
    tls: Arc<RwLock<Option<TlsAcceptor>>>,
}

/// A certificate that was read again and can be shown.
#[must_use]
pub struct Renewed {
    tls: Option<TlsAcceptor>,
}

impl Certificate {
    fn new(tls: Option<TlsAcceptor>) -> Certificate {
        Certificate { tls: Arc::new(RwLock::new(tls)) }
    }

    /// Reads the files of the configuration again: they may have been renewed. Nothing is shown otherwise yet.
    ///
    /// # Errors
    ///
    /// The files cannot be used.
    pub fn read_again(&self, http: &HttpFile) -> Result<Renewed, ListenFault> {
        Ok(Renewed { tls: certified(http)? })
    }

    /// Shows what was read from now on. Connections that are open keep what they had.
    pub fn show(&self, renewed: Renewed) {
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = renewed.tls;
    }

    fn shown(&self) -> Option<TlsAcceptor> {
        self.tls.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The HTTP API cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenFault {
    /// It would be open to others without protection.
    #[error(transparent)]
    Access(#[from] AccessFault),
    /// A file cannot be read.
    #[error("{key}: {path} cannot be read: {source}; correct the path, or its rights", path = .path.display())]
    File {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file holds no PEM of the right kind.
    #[error("{key}: {path} holds no {what} in PEM; give a file that does", path = .path.display())]
    NoPem {
        /// The key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("http.certificate and http.key cannot be used: {0}; give files that belong together")]
    Tls(#[from] rustls::Error),
    /// The address is taken, or is not of this machine.
    #[error(
        "http.listen: {address} cannot be opened: {source}; stop the other program, or choose another address"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

impl ListenFault {
    fn file(key: &'static str, path: &Path, source: io::Error) -> ListenFault {
        ListenFault::File { key, path: path.to_owned(), source }
    }
}

/// Opens the address of the configuration, and says who may ask there.
///
/// # Errors
///
/// An address that others can reach has no TLS or no token, or a file or the address cannot be used.
pub async fn open(http: &HttpFile) -> Result<(Listening, Access), ListenFault> {
    let (tls, access) = protection(http)?;
    let bind = |source| ListenFault::Bind { address: http.listen, source };
    let listener = TcpListener::bind(http.listen).await.map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let connections = Arc::clone(access.connections());
    Ok((Listening { listener, certificate: Certificate::new(tls), address, connections }, access))
}

/// How the address of the configuration is protected, without opening it.
///
/// # Errors
///
/// An address that others can reach has no TLS or no token, or a file cannot be used.
pub fn protection(http: &HttpFile) -> Result<(Option<TlsAcceptor>, Access), ListenFault> {
    let token = match &http.token_file {
        Some(path) => {
            let read = fs::read_to_string(path);
            let text = read.map_err(|source| ListenFault::file("http.token_file", path, source))?;
            Some(Token::parse(&text)?)
        }
        None => None,
    };
    let tls = certified(http)?;
    let access = Access::new(http.listen, tls.is_some(), token)?
        .reached_as(http.public_url.as_deref())
        .behind(Proxies::new(&http.trusted_proxies).map_err(AccessFault::from)?)
        .shown_under(Policy::new(&http.frame_ancestors).map_err(AccessFault::from)?);
    Ok((tls, access))
}

fn certified(http: &HttpFile) -> Result<Option<TlsAcceptor>, ListenFault> {
    match (&http.certificate, &http.key) {
        (Some(certificate), Some(key)) => Ok(Some(tls(certificate, key)?)),
        _ => Ok(None),
    }
}

impl Listening {
    /// The address, with the port that the system chose if the configuration says 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is shown to whoever comes.
    pub(super) fn certificate(&self) -> Certificate {
        self.certificate.clone()
    }

    /// `https` with TLS, else `http`.
    pub(super) fn scheme(&self) -> &'static str {
        if self.certificate.shown().is_some() { "https" } else { "http" }
    }

    /// Serves until `stop` resolves, then lets requests under way come to their end, for a few seconds.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let (stopping, stopped) = watch::channel(false);
        tokio::pin!(stop);
        loop {
            let place = tokio::select! {
                () = &mut stop => break,
                place = next(&self.listener, &places) => place,
            };
            let Some((stream, peer, place)) = place else { continue };
            // Who has its share already is closed at once.
            let Some(share) = self.connections.enter(peer.ip()) else { continue };
            let (tls, router, stopped) = (self.certificate.shown(), router.clone(), stopped.clone());
            tokio::spawn(async move {
                connection(stream, peer, tls, router, stopped).await;
                drop((share, place));
            });
        }
        stopping.send_replace(true);
        let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
        // Who is not done by then is cut off with the program.
        let _ = tokio::time::timeout(STOP_PATIENCE, places.acquire_many(all)).await;
    }
}

/// Waits for a place, then for somebody to take it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            tracing::warn!(%error, "an HTTP connection cannot be accepted");
            // Out of descriptors, most likely: give others time to return some.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    // Small answers leave at once; a system that cannot is only slower.
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(stream, peer, router, stopped).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
                requests(stream, peer, router, stopped).await;
            }
        }
    }
}

async fn requests<S>(stream: S, peer: SocketAddr, router: Router, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // A client that breaks off has told itself.
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, ListenFault> {
    let read = |name: &'static str, path: &Path| {
        fs::read(path).map_err(|source| ListenFault::file(name, path, source))
    };
    let no_pem = |name: &'static str, path: &Path, what: &'static str| ListenFault::NoPem {
        key: name,
        path: path.to_owned(),
        what,
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read("http.certificate", certificate)?)
        .collect::<Result<_, _>>()
        .ok()
        .filter(|chain: &Vec<_>| !chain.is_empty())
        .ok_or_else(|| no_pem("http.certificate", certificate, "certificate"))?;
    let secret = PrivateKeyDer::from_pem_slice(&read("http.key", key)?)
        .map_err(|_| no_pem("http.key", key, "private key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Connections at once; further ones wait in the system's queue. An address may have as many as are free besides: 4,096 if it
/// is alone, which is two for each of two thousand people in an office behind one. What it opens beyond its share is closed at
/// once, and counted (`tandem_http_connections_refused_total`). Live web sockets have a limit of their own.
pub(super) const CONNECTIONS_MAX: usize = 8_192;

/// How long a TLS handshake may take; beyond it the connection is closed.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// How long the head of a request may take; beyond it the connection is closed.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// The largest head of a request; a larger one is answered 431.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long requests under way may take when the program ends.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpSocket;

    use super::*;

    /// Connects from an address of this machine.
    async fn connect(from: &str, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        socket.connect(to).await.unwrap()
    }

    /// Asks, and keeps the connection; `None` if it is closed instead.
    async fn ask(stream: &mut TcpStream) -> Option<String> {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.ok()?;
        let mut answer = [0; 256];
        let read = stream.read(&mut answer).await.ok().filter(|read| *read > 0)?;
        Some(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    #[tokio::test]
    async fn an_address_that_connects_without_end_keeps_nobody_else_out() {
        let http = HttpFile { listen: "127.0.0.1:0".parse().unwrap(), ..HttpFile::default() };
        let (listening, _) = open(&http).await.unwrap();
        let proxies = Proxies::new(&["127.0.0.3".to_owned()]).unwrap();
        let connections = Arc::new(Connections::new(proxies, 6));
        let listening = Listening { connections: Arc::clone(&connections), ..listening };
        let address = listening.address();
        let router = Router::new().route("/", get(async || "here"));
        tokio::spawn(listening.serve(router, std::future::pending()));

        let mut flood = Vec::new();
        for _ in 0..3 {
            let mut stream = connect("127.0.0.1", address).await;
            assert!(ask(&mut stream).await.is_some());
            flood.push(stream);
        }
        assert_eq!(ask(&mut connect("127.0.0.1", address).await).await, None, "it has its share");
        let mut other = connect("127.0.0.2", address).await;
        assert!(ask(&mut other).await.unwrap().ends_with("here"));
        let (mut proxy, mut again) =
            (connect("127.0.0.3", address).await, connect("127.0.0.3", address).await);
        assert!(ask(&mut proxy).await.is_some() && ask(&mut again).await.is_some(), "it speaks for many");
        let figures = connections.figures();
        for line in ["tandem_http_connections 6", "tandem_http_connections_refused_total 1"] {
            assert!(figures.lines().any(|found| found == line), "{line} is not in\n{figures}");
        }
    }
}
