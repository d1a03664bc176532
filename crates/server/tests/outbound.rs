//! What Tandem asks of others: whom it believes, how long it waits, and what it never follows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;
use tandem::outbound::{AddressFault, Outbound, OutboundFault, OutboundSettings, Reach};
use tandem::transport::resolve::Resolver;
use tandem::transport::tls;
use tandem_microsoft::http::{Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a peer does with every request.
#[derive(Clone, Copy)]
enum Peer {
    Answers(&'static str),
    SaysNothing,
}

#[tokio::test]
async fn a_peer_whose_certificate_is_believed_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let address =
        peer_with_certificate(folder.path(), "HTTP/1.1 200 OK\r\nX-Seen: yes\r\nContent-Length: 2\r\n\r\nhi")
            .await;
    let mut settings = OutboundSettings::microsoft(Some(folder.path().join("root.pem")));
    settings.reach = Reach::All;
    let outbound = client(&settings);
    let request = Request::new(Method::Post, format!("https://localhost:{}/a?b=c", address.port()))
        .header("X-Asked", "please");
    let answer = outbound.send(request).await.unwrap();
    assert_eq!((answer.status, answer.header("x-seen"), &*answer.body), (200, Some("yes"), &b"hi"[..]));
}

#[tokio::test]
async fn a_peer_whose_certificate_is_not_believed_is_told_nothing() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let address = peer_with_certificate(folder.path(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    peer_with_certificate(other.path(), "").await;
    let outbound = client(&OutboundSettings::microsoft(Some(other.path().join("root.pem"))));
    let url = format!("https://localhost:{}/", address.port());
    let fault = outbound.send(Request::get(url)).await.unwrap_err();
    assert!(matches!(fault, OutboundFault::Tls(_)), "{fault:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (address, seen) = peer(Peer::Answers(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n",
    ))
    .await;
    let answer = plain().send(Request::get(format!("http://{address}/"))).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_given_up() {
    let (address, _) = peer(Peer::Answers("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890")).await;
    let mut settings = OutboundSettings::microsoft(Some(any_roots()));
    settings.body_octets_max = 10;
    let fault = client(&settings).send(Request::get(format!("http://{address}/"))).await;
    assert_eq!(fault.unwrap_err(), OutboundFault::TooLong(10));
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_not_waited_for_for_ever() {
    let (address, _) = peer(Peer::SaysNothing).await;
    let mut settings = OutboundSettings::microsoft(Some(any_roots()));
    settings.patience = Duration::from_millis(100);
    let fault = client(&settings).send(Request::get(format!("http://{address}/"))).await.unwrap_err();
    assert_eq!(fault, OutboundFault::TooSlow(settings.patience));
}

#[tokio::test]
async fn nobody_there_is_told_as_such() {
    let fault = plain().send(Request::get("http://127.0.0.1:1/")).await.unwrap_err();
    assert!(matches!(fault, OutboundFault::Connect(_)), "{fault:?}");
}

#[tokio::test]
async fn a_name_that_leads_behind_the_firewall_is_not_asked() {
    let (address, seen) = peer(Peer::Answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let mut settings = OutboundSettings::microsoft(Some(any_roots()));
    settings.reach = Reach::Public { and: Vec::new() };
    let outbound = client(&settings);
    // A name tells nothing before it is looked up, at the moment of the connection.
    let url = format!("https://localhost:{}/", address.port());
    let fault = outbound.send(Request::get(url)).await.unwrap_err();
    assert!(matches!(&fault, OutboundFault::Name(told) if told.contains("127.0.0.1")), "{fault:?}");
    let fault = outbound.send(Request::get(format!("http://{address}/"))).await.unwrap_err();
    assert_eq!(fault, OutboundFault::Address(AddressFault::NotPublic(Ipv4Addr::LOCALHOST.into())));
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_header_that_would_be_two_is_not_sent() {
    let request = Request::get("http://127.0.0.1:1/").header("X-Name", "one\r\nX-Other: two");
    assert_eq!(plain().send(request).await.unwrap_err(), OutboundFault::Header("X-Name"));
}

fn plain() -> Outbound {
    client(&OutboundSettings::microsoft(Some(any_roots())))
}

fn client(settings: &OutboundSettings) -> Outbound {
    // Nobody is asked: all names here are this machine.
    let resolver = Resolver::new(&[SocketAddr::from(([127, 0, 0, 1], 1))]).unwrap();
    Outbound::new(settings, resolver).unwrap()
}

/// A root that signs nobody.
fn any_roots() -> std::path::PathBuf {
    let file = tempfile::NamedTempFile::new().unwrap();
    let root = rcgen::generate_simple_self_signed(vec!["root.test".into()]).unwrap();
    std::fs::write(file.path(), root.cert.pem()).unwrap();
    file.into_temp_path().keep().unwrap()
}

/// A peer in the clear, and how many connections it has seen.
async fn peer(peer: Peer) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = seen.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            if let Peer::Answers(answer) = peer {
                let mut head = [0; 2048];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            open.push(stream);
        }
    });
    (address, seen)
}

/// A peer over TLS whose certificate for `localhost` is signed by `root.pem` in the folder.
async fn peer_with_certificate(folder: &Path, answer: &'static str) -> SocketAddr {
    let root_key = rcgen::KeyPair::generate().unwrap();
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    std::fs::write(folder.join("root.pem"), root_certificate.pem()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let issuer = rcgen::Issuer::from_params(&root, &root_key);
    let certificate =
        rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 2048];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.flush().await;
            // Stays open until the peer has read it all.
            let _ = stream.read(&mut head).await;
        }
    });
    address
}
