//! The other end of TLS connections, one connection at a time: who opened it, and what came over it.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;

use rustix::net::{AddressFamily, SocketType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SupportedCipherSuite,
    SupportedProtocolVersion,
};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::authority::Identity;
use super::{PATIENCE, until};

/// Waits for connections, as a proxy that demands a certificate.
pub(crate) struct Listener {
    listener: TcpListener,
    config: Arc<ServerConfig>,
}

/// A connection.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    unread: String,
    /// The address at the other end.
    pub(crate) remote: IpAddr,
    /// The name that was asked for, on a connection that we took.
    pub(crate) asked_for: Option<String>,
    /// The DNS names in the certificate at the other end.
    pub(crate) names: Vec<String>,
}

/// How to open a connection.
pub(crate) struct Opening<'a> {
    /// From where: an address.
    pub(crate) from: &'a str,
    /// Whom to believe: a root as PEM.
    pub(crate) root: &'a str,
    /// Who we are, if anybody.
    pub(crate) identity: Option<&'a Identity>,
    /// What TLS we speak.
    pub(crate) versions: &'a [&'static SupportedProtocolVersion],
    /// The one cipher suite we have, if not all.
    pub(crate) suite: Option<SupportedCipherSuite>,
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Listener {
    /// At an address with a port.
    pub(crate) fn at(address: &str, root: &str, identity: &Identity) -> Listener {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots(root).into(), provider(None)).build();
        let (chain, key) = certified(identity);
        let config = ServerConfig::builder_with_provider(provider(None))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        Listener { listener, config: Arc::new(config) }
    }

    /// The next connection, its handshake over.
    pub(crate) fn accept(&self) -> Connection {
        let (stream, remote) = until("a connection of the program's own", || self.listener.accept().ok());
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut tls = ServerConnection::new(self.config.clone()).unwrap();
        let mut stream = stream;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).expect("a handshake");
        }
        let asked_for = tls.server_name().map(str::to_owned);
        let names = names(tls.peer_certificates());
        let stream = Box::new(rustls::StreamOwned::new(tls, stream));
        Connection { stream, unread: String::new(), remote: remote.ip(), asked_for, names }
    }

    /// Nobody has connected.
    pub(crate) fn is_idle(&self) -> bool {
        self.listener.accept().is_err()
    }
}

impl Opening<'_> {
    /// Opens a connection to an address with a port, and lets both ends shake hands.
    pub(crate) fn open(&self, address: &str) -> std::io::Result<Connection> {
        let mut stream = connect_from(self.from, address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let config = ClientConfig::builder_with_provider(provider(self.suite))
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(roots(self.root));
        let config = match self.identity.map(certified) {
            Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
            None => config.with_no_client_auth(),
        };
        let name = ServerName::try_from("sbc1.contoso.example").unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        let (names, remote) = (names(tls.peer_certificates()), stream.peer_addr()?.ip());
        let stream = Box::new(rustls::StreamOwned::new(tls, stream));
        Ok(Connection { stream, unread: String::new(), remote, asked_for: None, names })
    }
}

impl Connection {
    /// Sends a text.
    pub(crate) fn send(&mut self, text: &str) {
        self.try_send(text).unwrap();
    }

    /// Sends a text, if the connection holds.
    pub(crate) fn try_send(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.write_all(text.as_bytes())?;
        self.stream.flush()
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> String {
        self.try_receive().expect("a message")
    }

    /// The next message, if the connection holds.
    pub(crate) fn try_receive(&mut self) -> std::io::Result<String> {
        loop {
            if let Some(length) = message_length(&self.unread) {
                let rest = self.unread.split_off(length);
                return Ok(std::mem::replace(&mut self.unread, rest));
            }
            self.read_more()?;
        }
    }

    /// The next bytes as they are, so many of them.
    pub(crate) fn receive_bytes(&mut self, count: usize) -> String {
        while self.unread.len() < count {
            self.read_more().unwrap();
        }
        let rest = self.unread.split_off(count);
        std::mem::replace(&mut self.unread, rest)
    }

    /// The next message that begins with a text; provisional responses before it are left out.
    #[track_caller]
    pub(crate) fn receive_one(&mut self, start: &str) -> String {
        loop {
            let message = self.receive();
            if !message.starts_with("SIP/2.0 1") || start.starts_with("SIP/2.0 1") {
                assert!(message.starts_with(start), "{start:?} is due, there came: {message}");
                return message;
            }
        }
    }

    fn read_more(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; 16_384];
        match self.stream.read(&mut buffer)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => {
                self.unread.push_str(&String::from_utf8_lossy(&buffer[..length]));
                Ok(())
            }
        }
    }
}

/// Connects from an address of one's own choice.
fn connect_from(from: &str, to: &str) -> std::io::Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(from.parse().unwrap(), 0))?;
    rustix::net::connect(&socket, &to.parse::<SocketAddrV4>().unwrap())?;
    Ok(TcpStream::from(socket))
}

/// The length of the whole message with which a text begins.
fn message_length(text: &str) -> Option<usize> {
    let (head, _) = text.split_once("\r\n\r\n")?;
    let body = super::wire::header(head, "Content-Length")?.parse::<usize>().ok()?;
    let length = head.len() + 4 + body;
    (text.len() >= length).then_some(length)
}

fn provider(suite: Option<SupportedCipherSuite>) -> Arc<rustls::crypto::CryptoProvider> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    if let Some(suite) = suite {
        provider.cipher_suites = vec![suite];
    }
    Arc::new(provider)
}

fn roots(pem: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    roots
}

fn certified(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    (vec![certificate], key)
}

fn names(chain: Option<&[CertificateDer<'_>]>) -> Vec<String> {
    let Some(first) = chain.and_then(<[_]>::first) else { return Vec::new() };
    let (_, certificate) = X509Certificate::from_der(first).unwrap();
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    names.collect()
}
