//! TLS for SIP: who we are by the name asked for, and whom we believe in both roles.
//!
//! Microsoft's certificates carry Server Authentication only, and Microsoft is the TLS *client* when it calls us. The
//! usual verifier of client certificates refuses that. Ours checks chain, validity and possession of the key, and
//! accepts either usage in either role. Which names a trunk's network must prove is judged per trunk, when a message
//! arrives.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage};

/// What an interface needs for TLS, read once and shared by all its connections.
#[derive(Clone)]
pub struct TlsContext {
    /// For connections that others open to us.
    pub server: Arc<ServerConfig>,
    /// For connections that we open. One for the interface, never one per connection.
    pub client: Arc<ClientConfig>,
}

/// Where an interface's certificates lie, and whom it believes.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Our certificates with their keys. The first is shown when no name fits.
    pub identities: Vec<IdentityFiles>,
    /// A PEM file with the roots we believe.
    pub trust: PathBuf,
    /// Whether a peer that connects must show a certificate.
    pub client_certificate: ClientCertificate,
    /// Names that a server's certificate may carry in place of the host we connected to. In-dialog requests go to the
    /// host in Microsoft's Record-Route, whose name need not be in the certificate.
    pub accepted_names: Vec<Box<str>>,
}

/// One certificate chain with its key.
#[derive(Clone, Debug)]
pub struct IdentityFiles {
    /// PEM: our certificate first, then the intermediates. Without them Microsoft resets the connection.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// Whether a peer that connects must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It must: trunks.
    Required,
    /// It may: telephones.
    Optional,
}

/// Why TLS could not be set up: the operator's files.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The file could not be read as PEM.
    #[error("{path}: no readable PEM: {error}", path = path.display())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        error: rustls::pki_types::pem::Error,
    },
    /// The file holds no certificate.
    #[error("{path}: holds no certificate", path = path.display())]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// The key does not fit the certificate, or is of a kind that TLS cannot use.
    #[error("{path}: the key does not fit its certificate or is of an unknown kind: {error}", path = path.display())]
    Key {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        error: rustls::Error,
    },
    /// TLS refused the parameters.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl TlsFault {
    /// The file that is at fault, if it is one.
    pub fn path(&self) -> Option<&PathBuf> {
        match self {
            TlsFault::Pem { path, .. } | TlsFault::NoCertificate { path } | TlsFault::Key { path, .. } => {
                Some(path)
            }
            TlsFault::Setup(_) => None,
        }
    }
}

/// The one crypto provider of the program, with the suites that SIP peers are offered: TLS 1.3, and TLS 1.2 with
/// ECDHE and GCM.
pub fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| {
        let name = format!("{:?}", suite.suite());
        suite.tls13().is_some() || name.contains("GCM")
    });
    Arc::new(provider)
}

impl TlsContext {
    /// Reads the files.
    pub fn load(files: &TlsFiles) -> Result<TlsContext, TlsFault> {
        let provider = provider();
        let roots = Roots::load(&files.trust, &provider)?;
        let identities = Arc::new(Identities::load(&files.identities, &provider)?);
        let clients = Arc::new(Clients { roots: roots.clone(), required: files.client_certificate });
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(identities.clone());
        let servers = Arc::new(Servers { roots, accepted_names: files.accepted_names.clone() });
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(servers)
            .with_client_cert_resolver(identities);
        Ok(TlsContext { server: Arc::new(server), client: Arc::new(client) })
    }
}

/// The DNS names in a certificate that has been verified.
pub fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    EndEntityCert::try_from(certificate)
        .map(|end_entity| end_entity.valid_dns_names().map(str::to_owned).collect())
        .unwrap_or_default()
}

/// Reads all certificates of a PEM file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let pem = |error| TlsFault::Pem { path: path.to_owned(), error };
    let all: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(pem)?.collect::<Result<_, _>>().map_err(pem)?;
    if all.is_empty() {
        return Err(TlsFault::NoCertificate { path: path.to_owned() });
    }
    Ok(all)
}

/// Our certificates: shown by the name that the peer asks for, and in the client's role the first.
#[derive(Debug)]
struct Identities {
    keys: Vec<(Vec<String>, Arc<CertifiedKey>)>,
}

impl Identities {
    fn load(files: &[IdentityFiles], provider: &CryptoProvider) -> Result<Identities, TlsFault> {
        let mut keys = Vec::with_capacity(files.len());
        for file in files {
            let chain = certificates(&file.certificate)?;
            let names = chain.first().map(names_of).unwrap_or_default();
            let key = PrivateKeyDer::from_pem_file(&file.key)
                .map_err(|error| TlsFault::Pem { path: file.key.clone(), error })?;
            let certified = CertifiedKey::from_der(chain, key, provider)
                .map_err(|error| TlsFault::Key { path: file.key.clone(), error })?;
            keys.push((names, Arc::new(certified)));
        }
        Ok(Identities { keys })
    }

    fn by_name(&self, wanted: Option<&str>) -> Option<Arc<CertifiedKey>> {
        wanted
            .and_then(|name| {
                self.keys.iter().find(|(names, _)| names.iter().any(|pattern| covers(pattern, name)))
            })
            .or_else(|| self.keys.first())
            .map(|(_, key)| key.clone())
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.by_name(hello.server_name())
    }
}

impl rustls::client::ResolvesClientCert for Identities {
    fn resolve(&self, _roots: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.by_name(None)
    }

    fn has_certs(&self) -> bool {
        !self.keys.is_empty()
    }
}

/// Whether a name in a certificate covers a host: equal, or a wildcard for exactly one label (RFC 2818).
pub fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(label, domain)| !label.is_empty() && domain.eq_ignore_ascii_case(rest)),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// The roots we believe, and the algorithms in which a chain may be signed.
#[derive(Clone, Debug)]
struct Roots {
    anchors: Arc<[TrustAnchor<'static>]>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Roots {
    fn load(trust: &Path, provider: &CryptoProvider) -> Result<Roots, TlsFault> {
        let certificates = certificates(trust)?;
        // A system's bundle may hold roots that this library cannot read; the rest is believed all the same.
        let anchors: Arc<[_]> = certificates
            .iter()
            .filter_map(|certificate| {
                webpki::anchor_from_trusted_cert(certificate).ok().map(|anchor| anchor.to_owned())
            })
            .collect();
        if anchors.is_empty() {
            return Err(TlsFault::NoCertificate { path: trust.to_owned() });
        }
        Ok(Roots { anchors, algorithms: provider.signature_verification_algorithms })
    }

    /// Chain and validity, with Server or Client Authentication as usage.
    fn verify(
        &self,
        end_entity: &EndEntityCert<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let verify = |usage| {
            end_entity
                .verify_for_usage(self.algorithms.all, &self.anchors, intermediates, now, usage, None, None)
                .map(|_| ())
        };
        match verify(KeyUsage::server_auth()) {
            Ok(()) => Ok(()),
            Err(webpki::Error::RequiredEkuNotFoundContext(_)) => verify(KeyUsage::client_auth()),
            Err(error) => Err(error),
        }
        .map_err(|error| match error {
            webpki::Error::CertExpired { .. } => CertificateError::Expired.into(),
            webpki::Error::CertNotValidYet { .. } => CertificateError::NotValidYet.into(),
            webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer.into(),
            other => CertificateError::Other(rustls::OtherError(Arc::new(other))).into(),
        })
    }
}

/// Judges certificates of peers that connect to us.
#[derive(Debug)]
struct Clients {
    roots: Roots,
    required: ClientCertificate,
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.required == ClientCertificate::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let end_entity = EndEntityCert::try_from(end_entity)
            .map_err(|_| rustls::Error::from(CertificateError::BadEncoding))?;
        self.roots.verify(&end_entity, intermediates, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.roots.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.roots.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.algorithms.supported_schemes()
    }
}

/// Judges certificates of servers that we connect to.
#[derive(Debug)]
struct Servers {
    roots: Roots,
    accepted_names: Vec<Box<str>>,
}

impl ServerCertVerifier for Servers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = EndEntityCert::try_from(end_entity)
            .map_err(|_| rustls::Error::from(CertificateError::BadEncoding))?;
        self.roots.verify(&parsed, intermediates, now)?;
        let named = parsed.verify_is_valid_for_subject_name(server_name).is_ok()
            || parsed
                .valid_dns_names()
                .any(|name| self.accepted_names.iter().any(|accepted| accepted.eq_ignore_ascii_case(name)));
        if !named {
            return Err(CertificateError::NotValidForName.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.roots.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.roots.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_exactly_one_label() {
        assert!(covers("*.contoso.com", "sbc.contoso.com"));
        assert!(!covers("*.contoso.com", "sbc.test.contoso.com"));
        assert!(!covers("*.contoso.com", "contoso.com"));
        assert!(covers("SIP.pstnhub.microsoft.com", "sip.pstnhub.microsoft.com"));
    }

    #[test]
    fn only_ciphers_with_forward_secrecy_and_gcm_or_tls13_are_offered() {
        for suite in &provider().cipher_suites {
            let name = format!("{:?}", suite.suite());
            assert!(suite.tls13().is_some() || (name.contains("ECDHE") && name.contains("GCM")), "{name}");
        }
    }
}
