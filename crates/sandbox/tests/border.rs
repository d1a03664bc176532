//! A border controller of a few lines: real TLS both ways, real SRTP, messages written by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tandem_media::codec::Law;
use tandem_media::srtp::{SrtpKey, SrtpReceiver, SrtpSender, TAG_OCTETS};
use tandem_media::tone::Tone;
use tandem_media::{g711, rtp};
use tandem_sandbox::Addresses;
use tandem_sandbox::event::Sound;
use tandem_sandbox::hearing::Hearing;
use tandem_sip::framing::{Event, Framer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::common::LONG;
use crate::room::{Heard, framed};

/// One TLS connection, its messages read as text with `\n`.
pub(crate) struct Line {
    stream: Box<dyn Stream>,
    framer: Framer,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Line {
    pub(crate) async fn say(&mut self, text: &str) {
        self.stream.write_all(&framed(text)).await.unwrap();
    }

    /// The next message that begins so; others are passed over.
    pub(crate) async fn hear(&mut self, begin: &str) -> Heard {
        let reading = async {
            loop {
                while let Some(event) = self.framer.poll() {
                    let Event::Message(message) = event else { continue };
                    let text = String::from_utf8(message.as_bytes().to_vec()).unwrap().replace("\r\n", "\n");
                    if text.starts_with(begin) {
                        return text;
                    }
                }
                let mut buffer = vec![0; 16 * 1024];
                let length = self.stream.read(&mut buffer).await.unwrap();
                assert!(length > 0, "closed while waiting for {begin:?}");
                self.framer.push(&buffer[..length]);
            }
        };
        let text = tokio::time::timeout(LONG, reading).await.expect(begin);
        Heard { on: tandem_sandbox::teams::connection::ConnectionId(0), text }
    }

    /// Reads until the other end closes.
    pub(crate) async fn closed(mut self) -> bool {
        let mut buffer = vec![0; 1024];
        let reading = async { while self.stream.read(&mut buffer).await.is_ok_and(|length| length > 0) {} };
        tokio::time::timeout(LONG, reading).await.is_ok()
    }
}

pub(crate) fn roots(addresses: &Addresses) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&addresses.root).unwrap()).unwrap();
    roots
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

type Certificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The certificate that the sandbox made for us.
pub(crate) fn certificate(addresses: &Addresses) -> Certificate {
    let chain = CertificateDer::pem_file_iter(&addresses.border_chain).unwrap();
    let key = PrivateKeyDer::from_pem_file(&addresses.border_key).unwrap();
    (chain.collect::<Result<_, _>>().unwrap(), key)
}

/// Connects to a proxy; the certificate is shown if there is one.
pub(crate) async fn connect(
    addresses: &Addresses,
    proxy: usize,
    certificate: Option<Certificate>,
) -> std::io::Result<Line> {
    connect_with(addresses, proxy, certificate, rustls::DEFAULT_VERSIONS).await
}

pub(crate) async fn connect_with(
    addresses: &Addresses,
    proxy: usize,
    certificate: Option<Certificate>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<Line> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots(addresses));
    let config = match certificate {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    let name =
        ServerName::try_from(["sip", "sip2", "sip3"][proxy].to_owned() + ".pstnhub.microsoft.com").unwrap();
    let stream = TcpStream::connect(addresses.proxies[proxy]).await?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    // With TLS 1.3 a refusal comes after our end of the handshake: ask for a sign of life.
    stream.write_all(b"\r\n\r\n").await?;
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).await?;
    Ok(Line { stream: Box::new(stream), framer: Framer::default() })
}

/// Listens for Teams with our certificate, and demands one of it.
pub(crate) struct Door {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Door {
    pub(crate) fn open(listener: TcpListener, addresses: &Addresses) -> Self {
        let (chain, key) = certificate(addresses);
        let verifier = AnyOfOurs { roots: roots(addresses) };
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(chain, key)
            .unwrap();
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    pub(crate) async fn accept(&self) -> Line {
        let accepting = async {
            let (stream, _) = self.listener.accept().await.unwrap();
            self.acceptor.accept(stream).await.unwrap()
        };
        let stream = tokio::time::timeout(LONG, accepting).await.expect("Teams connects");
        Line { stream: Box::new(stream), framer: Framer::default() }
    }
}

/// What a border controller needs since 2026: Microsoft's certificate is for servers only, and it is the client.
#[derive(Debug)]
struct AnyOfOurs {
    roots: RootCertStore,
}

impl ClientCertVerifier for AnyOfOurs {
    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: rustls::pki_types::UnixTime,
    ) -> Result<rustls::server::danger::ClientCertVerified, rustls::Error> {
        let names = tandem_sandbox::authority::names_of(end_entity);
        assert!(names.contains(&"sip.pstnhub.microsoft.com".to_owned()), "{names:?}");
        let certificate = rustls::server::ParsedCertificate::try_from(end_entity)?;
        let algorithms = provider().signature_verification_algorithms.all;
        rustls::client::verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            algorithms,
        )?;
        Ok(rustls::server::danger::ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Our end of a call's media: PCMU in SRTP.
pub(crate) struct Voice {
    socket: UdpSocket,
    sender: SrtpSender,
    receiver: SrtpReceiver,
    pub(crate) teams: SocketAddr,
}

impl Voice {
    /// From the address that Teams described and its key; ours is the key of the fixtures.
    pub(crate) fn new(socket: UdpSocket, ours: &str, description: &str) -> Self {
        let field = |begin: &str, end: char| {
            let at = description.find(begin).unwrap() + begin.len();
            description[at..].split([end, '\n']).next().unwrap().to_owned()
        };
        let teams = format!("{}:{}", field("c=IN IP4 ", '\n'), field("m=audio ", ' ')).parse().unwrap();
        let theirs = SrtpKey::from_inline(&field("inline:", '|')).unwrap();
        let ours = SrtpKey::from_inline(ours).unwrap();
        Self { socket, sender: SrtpSender::new(&ours), receiver: SrtpReceiver::new(&theirs, 0), teams }
    }

    /// Sends a second of a tone, as fast as it goes.
    pub(crate) async fn speak(&mut self, hz: f32) {
        let sound = Tone::new(hz).samples(8000);
        for (frame, sequence) in sound.chunks(160).zip(0_u16..) {
            let mut packet = vec![0; rtp::HEADER_OCTETS];
            rtp::Header::plain(0, sequence, u32::from(sequence) * 160, 7).write(&mut packet);
            packet.extend(frame.iter().map(|sample| g711::encode(Law::Mu, *sample)));
            let clear = packet.len();
            packet.resize(clear + TAG_OCTETS, 0);
            self.sender.protect_rtp(&mut packet, clear).unwrap();
            self.socket.send_to(&packet, self.teams).await.unwrap();
        }
    }

    /// The first tone that is heard.
    pub(crate) async fn tone(&mut self) -> u16 {
        let hearing = async {
            let mut hearing = Hearing::new();
            let mut packet = [0; 2048];
            loop {
                let (length, from) = self.socket.recv_from(&mut packet).await.unwrap();
                assert_eq!(from, self.teams);
                if rtp::is_rtcp(&packet[..length]) {
                    self.receiver.unprotect_rtcp(&mut packet[..length]).unwrap();
                    continue;
                }
                let length = self.receiver.unprotect_rtp(&mut packet[..length]).unwrap();
                let samples: Vec<i16> = packet[rtp::HEADER_OCTETS..length]
                    .iter()
                    .map(|byte| g711::decode(Law::Mu, *byte))
                    .collect();
                if let Some(Sound::Tone(hz)) = hearing.handle(std::time::Instant::now(), &samples) {
                    return hz;
                }
            }
        };
        tokio::time::timeout(LONG, hearing).await.expect("a tone is heard")
    }
}
