//! The certificate authority of the sandbox: what stands in for DigiCert and Microsoft's roots.
//!
//! A root, an issuing authority below it (so that whoever forgets to send or read intermediates finds out here),
//! and the certificates of the proxies and of the border controller. Everything is kept as PEM in one folder and
//! used again on the next start while it is valid.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// A certificate authority whose certificates live in a folder.
pub struct Authority {
    folder: PathBuf,
    key_kind: KeyKind,
    root: CertificateDer<'static>,
    issuing: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the authority of a folder, or founds one there when there is none that is still valid.
    pub fn open(folder: &Path, key_kind: KeyKind, now: SystemTime) -> Result<Self, AuthorityError> {
        std::fs::create_dir_all(folder).map_err(|source| AuthorityError::file(folder, source))?;
        if let Some(found) = Self::reopen(folder, key_kind, now) {
            return Ok(found);
        }
        let root_key = key_kind.generate()?;
        let root_params = authority_params(ROOT_NAME, now)?;
        let root = root_params.self_signed(&root_key)?;
        let issuing_key = key_kind.generate()?;
        let issuing = authority_params(ISSUING_NAME, now)?
            .signed_by(&issuing_key, &Issuer::from_params(&root_params, &root_key))?;
        write_private(&folder.join(ROOT_KEY_FILE), &root_key.serialize_pem())?;
        write_public(&folder.join(ROOT_FILE), &root.pem())?;
        write_private(&folder.join(ISSUING_KEY_FILE), &issuing_key.serialize_pem())?;
        write_public(&folder.join(ISSUING_FILE), &issuing.pem())?;
        Ok(Self {
            folder: folder.to_owned(),
            key_kind,
            root: root.into(),
            issuing: issuing.into(),
            issuer: Issuer::new(authority_params(ISSUING_NAME, now)?, issuing_key),
        })
    }

    /// The file that a border controller must trust: the root in PEM.
    pub fn root_file(&self) -> PathBuf {
        self.folder.join(ROOT_FILE)
    }

    /// The root as a store of trust, for our own ends of TLS.
    pub fn trust(&self) -> Result<RootCertStore, AuthorityError> {
        let mut store = RootCertStore::empty();
        store.add(self.root.clone()).map_err(|_| AuthorityError::Unusable { file: self.root_file() })?;
        Ok(store)
    }

    /// The certificate kept under `stem`; made anew when there is none, or it no longer fits the request, or it
    /// expires within a day.
    ///
    /// The files are `<stem>.pem` (the certificate and the issuing authority's) and `<stem>.key.pem`.
    pub fn keep(
        &self,
        stem: &str,
        request: &CertificateRequest,
        now: SystemTime,
    ) -> Result<Identity, AuthorityError> {
        let (chain_file, key_file) = self.files(stem);
        if let Some(found) = self.kept(&chain_file, &key_file, request, now) {
            return Ok(found);
        }
        let identity = self.issue(request, now)?;
        write_private(&key_file, &identity.key_pem)?;
        write_public(&chain_file, &identity.chain_pem)?;
        Ok(identity)
    }

    /// The files in which [`Authority::keep`] keeps a certificate and its key.
    pub fn files(&self, stem: &str) -> (PathBuf, PathBuf) {
        (self.folder.join(format!("{stem}.pem")), self.folder.join(format!("{stem}.key.pem")))
    }

    /// A new certificate, kept nowhere.
    pub fn issue(&self, request: &CertificateRequest, now: SystemTime) -> Result<Identity, AuthorityError> {
        let key = self.key_kind.generate()?;
        let certificate = request.params(now)?.signed_by(&key, &self.issuer)?;
        let issuing_pem = pem(&self.issuing);
        let chain_pem = format!("{}{}", certificate.pem(), issuing_pem);
        Identity::of(chain_pem, key.serialize_pem())
            .ok_or(AuthorityError::Unusable { file: self.folder.clone() })
    }

    fn reopen(folder: &Path, key_kind: KeyKind, now: SystemTime) -> Option<Self> {
        let root = CertificateDer::from_pem_file(folder.join(ROOT_FILE)).ok()?;
        let issuing = CertificateDer::from_pem_file(folder.join(ISSUING_FILE)).ok()?;
        let issuing_key =
            KeyPair::from_pem(&std::fs::read_to_string(folder.join(ISSUING_KEY_FILE)).ok()?).ok()?;
        let valid = [&root, &issuing].into_iter().all(|der| {
            X509Certificate::from_der(der)
                .is_ok_and(|(_, certificate)| lasts(&certificate, now, AUTHORITY_SPARE))
        });
        let matches = X509Certificate::from_der(&issuing).is_ok_and(|(_, c)| {
            c.public_key().subject_public_key.data.as_ref() == issuing_key.public_key_raw()
        });
        let issuer = Issuer::new(authority_params(ISSUING_NAME, now).ok()?, issuing_key);
        (valid && matches).then_some(Self { folder: folder.to_owned(), key_kind, root, issuing, issuer })
    }

    fn kept(
        &self,
        chain_file: &Path,
        key_file: &Path,
        request: &CertificateRequest,
        now: SystemTime,
    ) -> Option<Identity> {
        let chain_pem = std::fs::read_to_string(chain_file).ok()?;
        let key_pem = std::fs::read_to_string(key_file).ok()?;
        let identity = Identity::of(chain_pem, key_pem)?;
        let leaf = identity.chain.first()?;
        let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
        let ours = identity.chain.get(1) == Some(&self.issuing);
        let names: BTreeSet<String> = names_of(leaf).into_iter().collect();
        let asked = request.names.iter().filter(|name| name.parse::<IpAddr>().is_err());
        let fits = names == asked.cloned().collect() && usages_of(&certificate) == request.usages;
        (ours && fits && lasts(&certificate, now, LEAF_SPARE)).then_some(identity)
    }
}

/// What a certificate shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// DNS names and IP addresses; the first is the common name too.
    pub names: Vec<String>,
    /// What it may be used for.
    pub usages: Usages,
    /// How long it is valid from now on; zero gives a certificate that has expired.
    pub lifetime: Duration,
}

impl CertificateRequest {
    /// A certificate of one year for these names with server authentication only, as public authorities issue
    /// since 2026.
    pub fn server_only(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { names, usages: Usages::ServerOnly, lifetime: LEAF_LIFETIME }
    }

    fn params(&self, now: SystemTime) -> Result<CertificateParams, AuthorityError> {
        let mut params = CertificateParams::default();
        let common_name = self.names.first().map_or("nobody", String::as_str);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        for name in &self.names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into()?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = match self.usages {
            Usages::ServerOnly => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Usages::ServerAndClient => {
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
            }
            Usages::ClientOnly => vec![ExtendedKeyUsagePurpose::ClientAuth],
        };
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial(now));
        // A certificate is valid a little before it is made: clocks differ.
        let from = now - CLOCK_SPARE;
        let until = if self.lifetime.is_zero() { now - CLOCK_SPARE / 2 } else { now + self.lifetime };
        set_validity(&mut params, from, until);
        Ok(params)
    }
}

/// The extended key usages of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usages {
    /// serverAuth: Microsoft's certificates since 2026, and what public authorities still issue.
    ServerOnly,
    /// serverAuth and clientAuth: what Direct Routing asked of border controllers from 2024 on.
    ServerAndClient,
    /// clientAuth: never enough for Direct Routing.
    ClientOnly,
}

/// How keys are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// RSA of 2048 bits: what Direct Routing's documents name (ECDHE-RSA suites).
    #[default]
    Rsa,
    /// ECDSA on P-256: three of the roots that Microsoft lists since 2026 are elliptic. Quicker to make.
    Ecdsa,
}

impl KeyKind {
    fn generate(self) -> Result<KeyPair, rcgen::Error> {
        match self {
            KeyKind::Rsa => KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256),
            KeyKind::Ecdsa => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        }
    }
}

/// A certificate chain with its key.
pub struct Identity {
    /// The certificate and, behind it, the issuing authority's.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key.
    pub key: PrivateKeyDer<'static>,
    /// The chain in PEM.
    pub chain_pem: String,
    /// The key in PEM.
    pub key_pem: String,
}

impl Identity {
    fn of(chain_pem: String, key_pem: String) -> Option<Self> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain_pem.as_bytes()).collect::<Result<_, _>>().ok()?;
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).ok()?;
        (!chain.is_empty()).then_some(Self { chain, key, chain_pem, key_pem })
    }
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
            chain_pem: self.chain_pem.clone(),
            key_pem: self.key_pem.clone(),
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("names", &self.chain.first().map(|c| names_of(c)))
            .finish_non_exhaustive()
    }
}

/// The DNS names that a certificate proves: its subject alternative names, else its common name.
pub fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names: Vec<String> = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    if !names.is_empty() {
        return names;
    }
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    common.map(str::to_ascii_lowercase).collect()
}

/// Whether one of the names of a certificate covers a host: exactly, or as a wildcard of one label (RFC 2818
/// section 3.1; "Plan Direct Routing": `*.contoso.com` fits sbc.contoso.com, not sbc.test.contoso.com).
pub fn covers(names: &[String], host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    names.iter().any(|name| match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => *name == host,
    })
}

/// Why there is no authority or certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file of the folder cannot be read or written: the installation's fault.
    #[error("cannot read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What was asked for cannot be put in a certificate, such as a name that is none: the configuration's fault.
    #[error("no certificate can be made for these names")]
    Request(#[from] rcgen::Error),
    /// A certificate just made cannot be used.
    #[error("{file}: not a usable certificate; remove the folder to have it made anew")]
    Unusable {
        /// The file or folder.
        file: PathBuf,
    },
}

impl AuthorityError {
    fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

fn authority_params(name: &str, now: SystemTime) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Tandem Sandbox");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial(now));
    set_validity(&mut params, now - CLOCK_SPARE, now + AUTHORITY_LIFETIME);
    Ok(params)
}

fn set_validity(params: &mut CertificateParams, from: SystemTime, until: SystemTime) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(unix_s(from));
    params.not_after = epoch + Duration::from_secs(unix_s(until));
}

/// Serial numbers only have to differ; nanoseconds of the moment of making do, below a random-looking first byte.
fn serial(now: SystemTime) -> SerialNumber {
    use std::sync::atomic::{AtomicU32, Ordering};
    static MADE: AtomicU32 = AtomicU32::new(0);
    let nanos = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
    let mut bytes = nanos.to_be_bytes().to_vec();
    bytes.extend(MADE.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes.extend(std::process::id().to_be_bytes());
    SerialNumber::from(bytes)
}

fn lasts(certificate: &X509Certificate<'_>, now: SystemTime, spare: Duration) -> bool {
    let validity = certificate.validity();
    let now = i64::try_from(unix_s(now)).unwrap_or(i64::MAX);
    let spare = i64::try_from(spare.as_secs()).unwrap_or(i64::MAX);
    validity.not_before.timestamp() <= now && now.saturating_add(spare) < validity.not_after.timestamp()
}

fn usages_of(certificate: &X509Certificate<'_>) -> Usages {
    let usage = certificate.extended_key_usage().ok().flatten();
    match usage.map(|extension| (extension.value.server_auth, extension.value.client_auth)) {
        Some((true, false)) => Usages::ServerOnly,
        Some((false, _)) => Usages::ClientOnly,
        Some((true, true)) | None => Usages::ServerAndClient,
    }
}

fn unix_s(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

fn write_public(path: &Path, text: &str) -> Result<(), AuthorityError> {
    std::fs::write(path, text).map_err(|source| AuthorityError::file(path, source))
}

/// Writes a file that its owner alone may read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), AuthorityError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| AuthorityError::file(path, source))
}

const ROOT_NAME: &str = "Tandem Sandbox Root CA";
const ISSUING_NAME: &str = "Tandem Sandbox Issuing CA 01";
const ROOT_FILE: &str = "root.pem";
const ROOT_KEY_FILE: &str = "root.key.pem";
const ISSUING_FILE: &str = "issuing.pem";
const ISSUING_KEY_FILE: &str = "issuing.key.pem";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// An authority that ends within a year cannot issue certificates of a year: a new one is founded.
const AUTHORITY_SPARE: Duration = Duration::from_secs(366 * 24 * 60 * 60);
const LEAF_LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// A certificate that ends within a day is made anew at start.
const LEAF_SPARE: Duration = DAY;
const CLOCK_SPARE: Duration = Duration::from_secs(60 * 60);
