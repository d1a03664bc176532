//! The keys with which Entra signs tokens: several are published at once, one signs, and they roll without notice.

use std::path::Path;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::authority::{AuthorityError, write_private};

/// All keys that there are.
#[derive(Debug)]
pub struct KeyRing {
    signing: SigningKey,
    /// Published beside it: those of before, the oldest first, and last the next one.
    others: Vec<SigningKey>,
    /// A key that is published nowhere, made when the first forgery needs it.
    foreign: Option<SigningKey>,
}

impl KeyRing {
    /// Two published keys, the first of which signs.
    ///
    /// Keys are made by the cryptographic library from the machine's randomness, not from the seed.
    pub fn new() -> Result<Self, KeyFault> {
        Ok(Self { signing: SigningKey::generate()?, others: vec![SigningKey::generate()?], foreign: None })
    }

    /// The two keys of a folder, made there when it has none: who has kept the documents of a sandbox finds them true
    /// after its restart. Keys that have rolled since are not kept.
    pub fn open(folder: &Path) -> Result<Self, KeyFault> {
        let [first, second] = KEY_FILES.map(|name| SigningKey::open(&folder.join(name)));
        Ok(Self { signing: first?, others: vec![second?], foreign: None })
    }

    /// The key that signs.
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// A key that nobody should trust: for forgeries.
    pub fn foreign(&mut self) -> Result<&SigningKey, KeyFault> {
        match self.foreign.take() {
            Some(key) => Ok(self.foreign.insert(key)),
            None => Ok(self.foreign.insert(SigningKey::generate()?)),
        }
    }

    /// A published key by its id.
    pub fn get(&self, kid: &str) -> Option<&SigningKey> {
        self.published().find(|key| key.kid == kid)
    }

    /// The published keys, the one that signs first.
    pub fn published(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.signing).chain(&self.others)
    }

    /// The next key signs from now on, and a further one is published. The old one stays published until withdrawn.
    pub fn roll(&mut self) -> Result<(), KeyFault> {
        let further = SigningKey::generate()?;
        let next = match self.others.pop() {
            Some(next) => next,
            None => SigningKey::generate()?,
        };
        let old = std::mem::replace(&mut self.signing, next);
        self.others.push(old);
        if self.others.len() >= KEYS_MAX - 1 {
            self.others.remove(0);
        }
        self.others.push(further);
        Ok(())
    }

    /// A key that was never published before signs at once, and all others are gone: what an outside sees when keys
    /// roll between two of its looks.
    pub fn replace(&mut self) -> Result<(), KeyFault> {
        self.signing = SigningKey::generate()?;
        self.others = vec![SigningKey::generate()?];
        Ok(())
    }

    /// Publishes a key no longer. Says no to the one that signs, and to ids that are not there.
    pub fn withdraw(&mut self, kid: &str) -> bool {
        let before = self.others.len();
        self.others.retain(|key| key.kid != kid);
        self.others.len() < before
    }

    /// The document at `jwks_uri`. `issuer` stands on each key, and may hold `{tenantid}`.
    pub fn document(&self, issuer: &str) -> Value {
        let keys: Vec<Value> = self.published().map(|key| key.public(issuer)).collect();
        json!({ "keys": keys })
    }
}

/// One RSA key with its certificate.
pub struct SigningKey {
    /// Its id: the SHA-1 of its certificate.
    pub kid: String,
    pair: RsaKeyPair,
    certificate: Vec<u8>,
}

impl SigningKey {
    /// A new key of 2048 bits.
    pub fn generate() -> Result<Self, KeyFault> {
        Self::of(&KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)?)
    }

    /// The key in a file, made when there is none.
    fn open(file: &Path) -> Result<Self, KeyFault> {
        if let Ok(text) = std::fs::read_to_string(file)
            && let Ok(key) = KeyPair::from_pem(&text)
        {
            return Self::of(&key);
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)?;
        write_private(file, &key.serialize_pem())?;
        Self::of(&key)
    }

    /// The same key gives the same certificate, and so the same id.
    fn of(key: &KeyPair) -> Result<Self, KeyFault> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "accounts.accesscontrol.windows.net");
        let certificate = params.self_signed(key)?.der().to_vec();
        let pair = RsaKeyPair::from_pkcs8(&key.serialize_der()).map_err(|_| KeyFault::Unusable)?;
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate));
        Ok(Self { kid, pair, certificate })
    }

    /// An RS256 signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        match self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => signature,
            // Cannot be with a buffer of this length; an empty signature is refused by everybody.
            Err(_) => Vec::new(),
        }
    }

    /// Whether an RS256 signature is this key's.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref());
        public.verify(message, signature).is_ok()
    }

    /// The certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    fn public(&self, issuer: &str) -> Value {
        // The DER of the public key has a sign octet before the modulus; a JWK has none (RFC 7518 section 6.3.1).
        let certificate = X509Certificate::from_der(&self.certificate).ok();
        let public =
            certificate.as_ref().and_then(|(_, certificate)| match certificate.public_key().parsed() {
                Ok(PublicKey::RSA(public)) => Some((public.modulus.to_vec(), public.exponent.to_vec())),
                _ => None,
            });
        let (modulus, exponent) = public.unwrap_or_default();
        let number = |octets: Vec<u8>| {
            let from = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len());
            URL_SAFE_NO_PAD.encode(octets.get(from..).unwrap_or_default())
        };
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": number(modulus),
            "e": number(exponent),
            "x5c": [STANDARD.encode(&self.certificate)],
            "cloud_instance_name": "microsoftonline.com",
            "issuer": issuer,
        })
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// It cannot be made.
    #[error("no key or certificate can be made")]
    Generate(#[from] rcgen::Error),
    /// It cannot be written.
    #[error(transparent)]
    File(#[from] AuthorityError),
    /// It was made, and cannot be read again.
    #[error("a key just made cannot be used")]
    Unusable,
}

/// The files of the keys that are there at the start.
pub const KEY_FILES: [&str; 2] = ["entra-1.key.pem", "entra-2.key.pem"];
/// Keys that are published at once; rolling lets go of the oldest beyond.
const KEYS_MAX: usize = 6;
