//! HTTP towards the endpoints of subscribers: one POST, one answer, on this machine only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::dns::SharedZone;

/// Posts to endpoints that the sandbox's own DNS or their address places on this machine. It never leaves it.
#[derive(Clone, Debug)]
pub(super) struct Poster {
    zone: SharedZone,
    tls: Arc<ClientConfig>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Posted {
    /// Its status.
    pub(super) status: u16,
    /// Its content type.
    pub(super) content_type: String,
    /// Its body.
    pub(super) body: Bytes,
}

/// Why there is no answer. The endpoint's or its subscriber's fault.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostFault {
    /// The URL has no host.
    #[error("the URL cannot be used")]
    Url,
    /// The host is nowhere on this machine.
    #[error("the host is not in the sandbox's DNS, or not on this machine")]
    Elsewhere,
    /// Nobody listens there, or the connection broke.
    #[error("there is no connection: {0}")]
    Connection(#[from] std::io::Error),
    /// What came is no HTTP.
    #[error("the answer is no HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// The answer is longer than any that is looked at.
    #[error("the answer is too long")]
    TooLong,
    /// It took too long.
    #[error("there was no answer in time")]
    Late,
}

impl Poster {
    /// Trusts these authorities, and finds hosts in this zone.
    pub(super) fn new(zone: SharedZone, roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { zone, tls: Arc::new(tls) })
    }

    /// Posts, and waits no longer than `patience` for the answer.
    pub(super) async fn post(
        &self,
        url: &str,
        content_type: &str,
        body: String,
        patience: Duration,
    ) -> Result<Posted, PostFault> {
        timeout(patience, self.talk(url, content_type, body)).await.unwrap_or(Err(PostFault::Late))
    }

    async fn talk(&self, url: &str, content_type: &str, body: String) -> Result<Posted, PostFault> {
        let uri: Uri = url.parse().map_err(|_| PostFault::Url)?;
        let authority = uri.authority().ok_or(PostFault::Url)?;
        let is_secure = uri.scheme_str() == Some("https");
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::post(path)
            .header(header::HOST, authority.as_str())
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::CONNECTION, "close")
            .body(Body::from(body))
            .map_err(|_| PostFault::Url)?;
        let stream = TcpStream::connect(SocketAddr::new(self.find(host)?, port)).await?;
        stream.set_nodelay(true)?;
        if is_secure {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| PostFault::Url)?;
            let stream = TlsConnector::from(self.tls.clone()).connect(name, stream).await?;
            exchange(stream, request).await
        } else {
            exchange(stream, request).await
        }
    }

    fn find(&self, host: &str) -> Result<IpAddr, PostFault> {
        let found = match host.parse::<IpAddr>() {
            Ok(address) => Some(address),
            Err(_) if host == "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Err(_) => self.zone.read(|zone| zone.addresses(host).first().copied()),
        };
        found.filter(IpAddr::is_loopback).ok_or(PostFault::Elsewhere)
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<Posted, PostFault> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let talk = async {
        let answer = sender.send_request(request).await?;
        let kind = answer.headers().get(header::CONTENT_TYPE);
        let content_type = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        let body = to_bytes(Body::new(answer.into_body()), ANSWER_OCTETS_MAX).await;
        Ok(Posted { status, content_type, body: body.map_err(|_| PostFault::TooLong)? })
    };
    let mut connection = std::pin::pin!(connection);
    let mut talk = std::pin::pin!(talk);
    tokio::select! {
        answer = &mut talk => answer,
        ended = &mut connection => match ended {
            Ok(()) => talk.await,
            Err(error) => Err(error.into()),
        },
    }
}

/// The answer to a notification has no body that anybody reads, and that to a handshake a short one.
const ANSWER_OCTETS_MAX: usize = 64 * 1024;
