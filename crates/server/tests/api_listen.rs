//! The sockets of the API: plain on loopback, TLS, limits, an orderly end, and no opening without protection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::Shop;
use rustls::pki_types::{CertificateDer, ServerName};
use tandem::api::Server;
use tandem::api::access::AccessFault;
use tandem::api::listen::{Certificate, ListenFault};
use tandem::config::file::HttpFile;
use tandem::desk::Desks;
use tandem::reload::Reloads;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(60);

/// The API on a port of its own.
struct Running {
    address: SocketAddr,
    certificate: Certificate,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

async fn run(http: &HttpFile, shop: &Shop) -> Running {
    let server = Server::bind(
        http,
        Desks::new([shop.desk.clone()]),
        shop.identity.clone(),
        shop.webhooks.clone(),
        Reloads::new().0,
        |_| Ok(None),
    )
    .await
    .unwrap();
    let (address, certificate) = (server.address(), server.certificate());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(server.serve_until(async {
        let _ = stopped.await;
    }));
    Running { address, certificate, stop, served }
}

fn loopback() -> HttpFile {
    HttpFile { listen: "127.0.0.1:0".parse().unwrap(), ..HttpFile::default() }
}

/// A certificate for `localhost`, its key and a token, as files.
struct Files {
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("cert.pem"), issued.cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), issued.signing_key.serialize_pem()).unwrap();
        fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();
        Files { folder, certificate: issued.cert.der().clone() }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.path().join(name))
    }

    fn http(&self, listen: &str) -> HttpFile {
        HttpFile {
            public_url: None,
            listen: listen.parse().unwrap(),
            certificate: self.path("cert.pem"),
            key: self.path("key.pem"),
            token_file: self.path("token"),
            ..HttpFile::default()
        }
    }
}

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n")
}

async fn exchange(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A peer that closes without TLS's farewell has said all the same.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn on_loopback_it_answers_in_the_clear_and_ends_in_order() {
    let shop = Shop::open().await;
    let running = run(&loopback(), &shop).await;
    let answer = exchange(TcpStream::connect(running.address).await.unwrap(), &get("/healthz", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
    // A client that keeps its connection open does not keep the program from ending.
    let idle = TcpStream::connect(running.address).await.unwrap();
    running.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, running.served).await.unwrap().unwrap();
    drop(idle);
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn elsewhere_it_answers_over_tls_to_those_who_are_known() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (shop, files) = (Shop::open().await, Files::new());
    let running = run(&files.http("0.0.0.0:0"), &shop).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(files.certificate.clone()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let ask = async |request: String| {
        let stream = TcpStream::connect(("127.0.0.1", running.address.port())).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        exchange(connector.connect(name, stream).await.unwrap(), &request).await
    };
    assert!(ask(get("/api/v1/queues", "")).await.starts_with("HTTP/1.1 401"));
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    assert!(ask(get("/api/v1/queues", &bearer)).await.starts_with("HTTP/1.1 200"));
    assert!(ask(get("/healthz", "")).await.starts_with("HTTP/1.1 200"));
    let in_the_clear = TcpStream::connect(("127.0.0.1", running.address.port())).await.unwrap();
    let answer = exchange(in_the_clear, &get("/api/v1/queues", &bearer)).await;
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_whoever_comes_next() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (shop, files) = (Shop::open().await, Files::new());
    let http = files.http("0.0.0.0:0");
    let running = run(&http, &shop).await;
    let shown = async |believed: &Files| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(believed.certificate.clone()).unwrap();
        let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", running.address.port())).await.unwrap();
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    };
    let before = shown(&files).await.unwrap();
    let renewed = Files::new();
    fs::copy(renewed.folder.path().join("cert.pem"), files.folder.path().join("cert.pem")).unwrap();
    assert!(matches!(running.certificate.read_again(&http), Err(ListenFault::Tls(_))), "half of it is there");
    assert!(shown(&files).await.is_ok(), "what was good is shown on");
    fs::copy(renewed.folder.path().join("key.pem"), files.folder.path().join("key.pem")).unwrap();
    let read = running.certificate.read_again(&http).unwrap();
    assert!(shown(&files).await.is_ok(), "what else came with it may have to wait, or not come into force");
    running.certificate.show(read);
    assert!(shown(&renewed).await.is_ok() && shown(&files).await.is_err());
    let answer = exchange(before, &get("/healthz", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "a connection that is open goes on: {answer}");
}

#[tokio::test]
async fn it_does_not_open_without_protection_or_with_faulty_files() {
    let (shop, files) = (Shop::open().await, Files::new());
    fs::write(files.folder.path().join("short"), "short").unwrap();
    let outside = files.http("0.0.0.0:0");
    let fault = async |http: HttpFile| {
        Server::bind(
            &http,
            Desks::new([shop.desk.clone()]),
            shop.identity.clone(),
            shop.webhooks.clone(),
            Reloads::new().0,
            |_| Ok(None),
        )
        .await
        .err()
        .expect("refused")
        .downcast::<ListenFault>()
        .expect("a fault of listening")
    };

    let no_tls = HttpFile { certificate: None, key: None, ..outside.clone() };
    assert!(matches!(fault(no_tls).await, ListenFault::Access(AccessFault::NoTls(_))));
    let short = HttpFile { token_file: files.path("short"), ..outside.clone() };
    assert!(matches!(fault(short).await, ListenFault::Access(AccessFault::BadToken)));
    let missing = HttpFile { certificate: files.path("missing.pem"), ..outside.clone() };
    assert!(matches!(fault(missing).await, ListenFault::File { key: "http.certificate", .. }));
    let no_key = HttpFile { key: files.path("cert.pem"), ..outside.clone() };
    assert!(matches!(fault(no_key).await, ListenFault::NoPem { key: "http.key", .. }));
    let other = Files::new();
    let not_together = HttpFile { key: other.path("key.pem"), ..outside };
    assert!(matches!(fault(not_together).await, ListenFault::Tls(_)));

    let running = run(&loopback(), &shop).await;
    let taken = HttpFile { listen: running.address, ..HttpFile::default() };
    let fault = fault(taken).await;
    assert!(matches!(fault, ListenFault::Bind { .. }));
    assert!(fault.to_string().contains("choose another address"), "{fault}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let shop = Shop::open().await;
    let running = run(&loopback(), &shop).await;
    let large = format!("X-Large: {}\r\n", "x".repeat(60_000));
    let answer = exchange(TcpStream::connect(running.address).await.unwrap(), &get("/healthz", &large)).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}
