//! The content of a notification as Graph encrypts it for us.
//!
//! A data key, encrypted with our certificate's RSA key; a signature over the encrypted content with that data key; the
//! content itself (Microsoft Graph: change notifications that include resource data, decrypting).

use std::fmt;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Content that only the holder of a private key can read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// Our name of the certificate it is encrypted for.
    pub certificate_id: Box<str>,
    /// The SHA-1 of that certificate in hexadecimal digits, as Graph states it.
    pub thumbprint: Box<str>,
    /// The data key, encrypted with RSA.
    pub data_key: Vec<u8>,
    /// The content, encrypted with the data key.
    pub data: Vec<u8>,
    /// HMAC-SHA-256 over the encrypted content with the data key.
    pub signature: Vec<u8>,
}

/// Why content stays closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealFault {
    /// We have no key of this name: it was replaced long ago, or never was ours.
    #[error("encrypted for a certificate that we do not have")]
    UnknownCertificate,
    /// The name is ours, the certificate another.
    #[error("encrypted for another certificate of the same name")]
    WrongThumbprint,
    /// The data key was not encrypted with our public key.
    #[error("the data key cannot be decrypted")]
    DataKey,
    /// The content was changed on its way.
    #[error("the signature does not fit the content")]
    Signature,
    /// The signature fits, and yet it does not decrypt: the sender is at fault.
    #[error("the content cannot be decrypted")]
    Content,
}

/// The private half of an RSA key, to open what is sealed with the other half. It is never printed.
pub struct PrivateKey(OaepPrivateDecryptingKey);

/// A private key cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an RSA private key of 2048 to 8192 bits in PKCS#8")]
pub struct NotAKey;

impl PrivateKey {
    /// Reads a private key (PKCS#8, DER).
    ///
    /// # Errors
    /// It is no RSA key of 2048 to 8192 bits.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, NotAKey> {
        let key = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| NotAKey)?;
        OaepPrivateDecryptingKey::new(key).map(Self).map_err(|_| NotAKey)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl Sealed {
    /// Opens it with this key. The signature is checked before anything is decrypted with the data key.
    ///
    /// # Errors
    /// It was sealed for another key, or changed on its way.
    pub fn open(&self, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, SealFault> {
        let data_key = self.data_key(key)?;
        let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, &*data_key);
        hmac::verify(&hmac_key, &self.data, &self.signature).map_err(|_| SealFault::Signature)?;
        self.decrypt(&data_key).ok_or(SealFault::Content)
    }

    /// RSA-OAEP with SHA-1 and MGF1-SHA-1; always 32 octets.
    fn data_key(&self, key: &PrivateKey) -> Result<Zeroizing<[u8; DATA_KEY_OCTETS]>, SealFault> {
        let mut output = Zeroizing::new(vec![0; key.0.min_output_size()]);
        let plain = key
            .0
            .decrypt(&OAEP_SHA1_MGF1SHA1, &self.data_key, &mut output, None)
            .map_err(|_| SealFault::DataKey)?;
        <[u8; DATA_KEY_OCTETS]>::try_from(&*plain).map(Zeroizing::new).map_err(|_| SealFault::DataKey)
    }

    /// AES-256-CBC with PKCS#7; the first half of the key is the initialisation vector too.
    fn decrypt(&self, data_key: &[u8; DATA_KEY_OCTETS]) -> Option<Zeroizing<Vec<u8>>> {
        let vector = FixedLength::<16>::try_from(data_key.get(..16)?).ok()?;
        let key = UnboundCipherKey::new(&AES_256, data_key).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let mut content = Zeroizing::new(self.data.clone());
        let length = key.decrypt(&mut content, DecryptionContext::Iv128(vector)).ok()?.len();
        content.truncate(length);
        Some(content)
    }
}

/// Octets of the key that the content is encrypted and signed with.
const DATA_KEY_OCTETS: usize = 32;

/// Octets of a certificate's name.
const CERTIFICATE_ID_OCTETS_MAX: usize = 128;

/// As Graph writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wire {
    data: String,
    data_signature: String,
    data_key: String,
    encryption_certificate_id: String,
    #[serde(default)]
    encryption_certificate_thumbprint: String,
}

impl Wire {
    /// The octets; none if one part is no base64 or a name too long.
    pub(crate) fn sealed(self) -> Option<Sealed> {
        let names = [&self.encryption_certificate_id, &self.encryption_certificate_thumbprint];
        if names.iter().any(|name| name.len() > CERTIFICATE_ID_OCTETS_MAX) {
            return None;
        }
        Some(Sealed {
            data_key: STANDARD.decode(self.data_key).ok()?,
            data: STANDARD.decode(self.data).ok()?,
            signature: STANDARD.decode(self.data_signature).ok()?,
            certificate_id: self.encryption_certificate_id.into(),
            thumbprint: self.encryption_certificate_thumbprint.into(),
        })
    }
}
