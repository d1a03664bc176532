//! Rich notifications: what changed, encrypted for the one who subscribed ("Set up change notifications that include
//! resource data").

use std::sync::Arc;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::chance::Chance;

/// The certificate that came with a subscription.
#[derive(Clone, Debug)]
pub struct Recipient {
    key: Arc<OaepPublicEncryptingKey>,
    id: String,
    thumbprint: String,
}

/// Why a certificate is not taken. The subscriber's fault, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not base64 of DER of a certificate; PEM armour is none of it.
    #[error(
        "Certificate validation error: The certificate must be base64 encoded DER of an X.509 certificate."
    )]
    Malformed,
    /// Not RSA of 2048 to 4096 bits.
    #[error("Certificate validation error: The key must be RSA of 2048 to 4096 bits.")]
    Key,
    /// No id, or a long one.
    #[error("The encryptionCertificateId must have 1 to 128 characters.")]
    Id,
}

impl Recipient {
    /// Reads the certificate of a request.
    pub fn read(certificate: &str, id: &str) -> Result<Self, CertificateFault> {
        if id.is_empty() || id.chars().count() > ID_LETTERS_MAX {
            return Err(CertificateFault::Id);
        }
        let der = STANDARD.decode(certificate).map_err(|_| CertificateFault::Malformed)?;
        let (rest, parsed) = X509Certificate::from_der(&der).map_err(|_| CertificateFault::Malformed)?;
        if !rest.is_empty() {
            return Err(CertificateFault::Malformed);
        }
        let key =
            PublicEncryptingKey::from_der(parsed.public_key().raw).map_err(|_| CertificateFault::Key)?;
        if !(2048..=4096).contains(&key.key_size_bits()) {
            return Err(CertificateFault::Key);
        }
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| CertificateFault::Key)?;
        let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
        let thumbprint = thumbprint.as_ref().iter().map(|octet| format!("{octet:02X}")).collect();
        Ok(Self { key: Arc::new(key), id: id.to_owned(), thumbprint })
    }

    /// The id that the subscriber gave the certificate.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts: a key of its own for each item, RSA-OAEP with SHA-1 over it; AES-256-CBC with PKCS #7, the first
    /// sixteen octets of the key as its vector; HMAC-SHA-256 over the ciphertext. `None` if the library refuses.
    pub fn seal(&self, plain: &[u8], chance: &mut Chance) -> Option<Value> {
        let mut key = [0; 32];
        for part in key.chunks_mut(8) {
            part.copy_from_slice(&chance.word().to_be_bytes());
        }
        let vector: [u8; 16] = key.first_chunk().copied()?;
        let cipher = UnboundCipherKey::new(&AES_256, &key).ok()?;
        let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).ok()?;
        let mut data = plain.to_vec();
        cipher.less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(vector))).ok()?;
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
        let mut data_key = vec![0; self.key.ciphertext_size()];
        let data_key = self.key.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut data_key, None).ok()?;
        Some(json!({
            "data": STANDARD.encode(&data),
            "dataSignature": STANDARD.encode(signature.as_ref()),
            "dataKey": STANDARD.encode(data_key),
            "encryptionCertificateId": self.id,
            "encryptionCertificateThumbprint": self.thumbprint,
        }))
    }
}

const ID_LETTERS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use aws_lc_rs::cipher::{DecryptionContext, PaddedBlockDecryptingKey};
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};

    use super::*;

    /// A key pair of these bits and a certificate for it.
    fn pair(size: KeySize) -> (Vec<u8>, String) {
        let key = KeyPair::generate(size).unwrap();
        let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap().as_ref().to_vec();
        let der = rustls_pki_types::PrivatePkcs8KeyDer::from(pkcs8.clone());
        let signer = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["tandem.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&signer).unwrap();
        (pkcs8, STANDARD.encode(certificate.der()))
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_documented_steps() {
        let (pkcs8, certificate) = pair(KeySize::Rsa2048);
        let recipient = Recipient::read(&certificate, "first").unwrap();
        let mut chance = Chance::new(3);
        for plain in ["{}", "0123456789abcdef", "{\"availability\":\"Busy\"}"] {
            let sealed = recipient.seal(plain.as_bytes(), &mut chance).unwrap();
            let part = |name: &str| STANDARD.decode(sealed[name].as_str().unwrap()).unwrap();
            let opener = PrivateDecryptingKey::from_pkcs8(&pkcs8).unwrap();
            let opener = OaepPrivateDecryptingKey::new(opener).unwrap();
            let mut key = vec![0; opener.min_output_size()];
            let key = opener.decrypt(&OAEP_SHA1_MGF1SHA1, &part("dataKey"), &mut key, None).unwrap();
            assert_eq!(key.len(), 32);
            let mac = hmac::Key::new(hmac::HMAC_SHA256, key);
            hmac::verify(&mac, &part("data"), &part("dataSignature")).unwrap();
            let cipher = UnboundCipherKey::new(&AES_256, key).unwrap();
            let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).unwrap();
            let vector: [u8; 16] = key[..16].try_into().unwrap();
            let mut data = part("data");
            let opened =
                cipher.decrypt(&mut data, DecryptionContext::Iv128(FixedLength::from(vector))).unwrap();
            assert_eq!(opened, plain.as_bytes());
        }
    }

    #[test]
    fn certificates_that_graph_refuses_are_refused() {
        let fault = |text: &str, id: &str| Recipient::read(text, id).unwrap_err();
        assert_eq!(fault("-----BEGIN CERTIFICATE-----", "a"), CertificateFault::Malformed);
        assert_eq!(fault("AAAA", "a"), CertificateFault::Malformed);
        assert_eq!(fault("AAAA", ""), CertificateFault::Id);
        let curve = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        assert_eq!(fault(&STANDARD.encode(curve.cert.der()), "a"), CertificateFault::Key);
    }
}
