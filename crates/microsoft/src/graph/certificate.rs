//! Our certificates that Graph encrypts notifications for, and the private keys that open them.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::graph::sealed::{NotAKey, PrivateKey, SealFault, Sealed};
use crate::graph::subscription::EncryptFor;
use crate::time::UnixTime;

/// A certificate and its private key, under a name of ours.
#[derive(Debug)]
pub struct KeyPair {
    id: Box<str>,
    certificate: Vec<u8>,
    thumbprint: Box<str>,
    key: PrivateKey,
}

impl KeyPair {
    /// From our name for it (at most 128 octets), the certificate (X.509, DER) and the private key (PKCS#8, DER).
    ///
    /// Any self-signed RSA certificate of 2048 to 4096 bits does: Graph only encrypts with it.
    ///
    /// # Errors
    /// The key is no RSA key of 2048 to 8192 bits. Whether both belong together is seen at the first notification.
    pub fn new(id: &str, certificate: Vec<u8>, key_pkcs8: &[u8]) -> Result<Self, NotAKey> {
        let key = PrivateKey::from_pkcs8(key_pkcs8)?;
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate);
        let thumbprint = sha1.as_ref().iter().map(|octet| format!("{octet:02X}")).collect::<String>();
        Ok(Self { id: id.into(), certificate, thumbprint: thumbprint.into(), key })
    }

    /// What a subscription is given to encrypt with.
    #[must_use]
    pub fn encrypt_for(&self) -> EncryptFor {
        EncryptFor { certificate_id: self.id.clone(), certificate: STANDARD.encode(&self.certificate).into() }
    }
}

/// The key pair in use, and those before it that notifications on their way may still name.
#[derive(Debug)]
pub struct KeyPairs {
    current: KeyPair,
    old: BTreeMap<Box<str>, (KeyPair, UnixTime)>,
}

impl KeyPairs {
    /// One key pair, no older ones.
    #[must_use]
    pub fn new(current: KeyPair) -> Self {
        Self { current, old: BTreeMap::new() }
    }

    /// The key pair that new and renewed subscriptions name.
    #[must_use]
    pub fn current(&self) -> &KeyPair {
        &self.current
    }

    /// Takes a new key pair into use. The one before opens what names it for [`OLD_KEPT`] more.
    pub fn rotate(&mut self, now: UnixTime, new: KeyPair) {
        let before = std::mem::replace(&mut self.current, new);
        self.old.insert(before.id.clone(), (before, now));
        self.old.remove(&self.current.id);
        self.old.retain(|_, (_, since)| now.since(*since) < OLD_KEPT);
        while self.old.len() > OLD_MAX {
            let oldest = self.old.iter().min_by_key(|(_, (_, since))| *since).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.old.remove(&id));
        }
    }

    /// Opens the content of a notification with the key pair that it names.
    ///
    /// # Errors
    /// It names none of ours, or was changed on its way.
    pub fn open(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealFault> {
        let pair = if sealed.certificate_id == self.current.id {
            &self.current
        } else {
            &self.old.get(&sealed.certificate_id).ok_or(SealFault::UnknownCertificate)?.0
        };
        if !sealed.thumbprint.eq_ignore_ascii_case(&pair.thumbprint) {
            return Err(SealFault::WrongThumbprint);
        }
        sealed.open(&pair.key)
    }
}

/// How long a replaced key pair is kept: longer than a presence subscription lives (1 h) and Graph repeats a
/// notification (4 h).
pub const OLD_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Replaced key pairs that are kept; beyond, the oldest is dropped, and what names it is polled instead.
pub const OLD_MAX: usize = 8;
