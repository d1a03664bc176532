//! The certificate that Graph encrypts its notifications with: made at the first start, kept sealed, renewed in time.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tandem_microsoft::graph::certificate::{KeyPair, KeyPairs};
use tandem_microsoft::graph::sealed::{SealFault, Sealed};
use tandem_microsoft::graph::subscription::EncryptFor;
use tandem_microsoft::time::UnixTime;
use tandem_store::register::{Register, Scope, Secret};
use zeroize::Zeroizing;

use super::entra::unix_now;

/// The key pairs that open notifications.
#[derive(Debug)]
pub struct NotificationKeys {
    pairs: RwLock<KeyPairs>,
}

/// There is no certificate for notifications, so presence is polled only.
#[derive(Debug, thiserror::Error)]
pub enum KeysFault {
    /// The register.
    #[error("{0}; {remedy}", remedy = .0.remedy())]
    Register(#[from] tandem_store::Fault),
    /// The register does not take it.
    #[error(transparent)]
    Kept(#[from] tandem_store::register::Failure),
    /// The library makes none.
    #[error("a certificate cannot be made: {0}")]
    Made(#[from] rcgen::Error),
    /// What was made is not understood.
    #[error("the key is no RSA key")]
    NotRsa,
    /// It has no form that can be kept.
    #[error("the certificate cannot be written: {0}")]
    Written(#[from] serde_json::Error),
}

/// A key pair as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: String,
    certificate: String,
    key: String,
    made: u64,
}

/// The key pairs as they are kept: the one in use first.
#[derive(Default, Serialize, Deserialize)]
struct AllKept {
    pairs: Vec<Kept>,
}

impl NotificationKeys {
    /// Takes the key pairs that are kept, or makes the first one. It takes a while, and writes.
    ///
    /// # Errors
    ///
    /// See [`KeysFault`].
    pub fn open(register: &Register) -> Result<NotificationKeys, KeysFault> {
        let now = unix_now();
        let mut kept = match register.secret(Scope::Installation, NAME)? {
            Some(Secret::Known(bytes)) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Some(Secret::Gone(_)) | None => AllKept::default(),
        };
        let is_due = kept.pairs.first().is_none_or(|first| now.since(UnixTime(first.made)) > RENEWED_AFTER);
        if is_due {
            kept.pairs.insert(0, make(now)?);
            kept.pairs.truncate(KEPT_MAX);
            put(register, &kept)?;
        }
        let mut pairs: Option<KeyPairs> = None;
        for kept in kept.pairs.iter().rev() {
            let pair = kept.pair()?;
            match &mut pairs {
                None => pairs = Some(KeyPairs::new(pair)),
                Some(pairs) => pairs.rotate(now, pair),
            }
        }
        let pairs = pairs.ok_or(KeysFault::NotRsa)?;
        Ok(NotificationKeys { pairs: RwLock::new(pairs) })
    }

    /// Opens what Graph sealed.
    ///
    /// # Errors
    ///
    /// See [`SealFault`].
    pub fn unseal(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealFault> {
        self.pairs.read().unwrap_or_else(PoisonError::into_inner).open(sealed)
    }

    /// What a subscription is given to encrypt with.
    pub fn encrypt_for(&self) -> EncryptFor {
        self.pairs.read().unwrap_or_else(PoisonError::into_inner).current().encrypt_for()
    }

    /// Makes a new key pair if the one in use is old; whether it did.
    ///
    /// # Errors
    ///
    /// See [`KeysFault`].
    pub fn renew_if_due(&self, register: &Register) -> Result<bool, KeysFault> {
        let now = unix_now();
        let mut kept: AllKept = match register.secret(Scope::Installation, NAME)? {
            Some(Secret::Known(bytes)) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Some(Secret::Gone(_)) | None => AllKept::default(),
        };
        if kept.pairs.first().is_some_and(|first| now.since(UnixTime(first.made)) <= RENEWED_AFTER) {
            return Ok(false);
        }
        let made = make(now)?;
        let pair = made.pair()?;
        kept.pairs.insert(0, made);
        kept.pairs.truncate(KEPT_MAX);
        put(register, &kept)?;
        self.pairs.write().unwrap_or_else(PoisonError::into_inner).rotate(now, pair);
        Ok(true)
    }
}

impl Kept {
    fn pair(&self) -> Result<KeyPair, KeysFault> {
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| KeysFault::NotRsa);
        let key = Zeroizing::new(decode(&self.key)?);
        KeyPair::new(&self.id, decode(&self.certificate)?, &key).map_err(|_| KeysFault::NotRsa)
    }
}

fn make(now: UnixTime) -> Result<Kept, KeysFault> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)?;
    let mut wish = rcgen::CertificateParams::new(Vec::<String>::new())?;
    wish.distinguished_name = rcgen::DistinguishedName::new();
    wish.distinguished_name.push(rcgen::DnType::CommonName, "Tandem notifications");
    let certificate = wish.self_signed(&key)?;
    Ok(Kept {
        id: format!("tandem-{}", now.0),
        certificate: STANDARD.encode(certificate.der()),
        key: STANDARD.encode(key.serialize_der()),
        made: now.0,
    })
}

fn put(register: &Register, kept: &AllKept) -> Result<(), KeysFault> {
    let text = Zeroizing::new(serde_json::to_vec(kept)?);
    let at_ms = i64::try_from(unix_now().0.saturating_mul(1_000)).unwrap_or(i64::MAX);
    register.secret_put(Scope::Installation, NAME, &text, at_ms)?;
    Ok(())
}

/// The secret's name in the register.
const NAME: &str = "graph.notification-keys";
/// When a new certificate is made. What is encrypted with the old one is still opened.
const RENEWED_AFTER: Duration = Duration::from_secs(180 * 86_400);
/// Key pairs that are kept.
const KEPT_MAX: usize = 3;
