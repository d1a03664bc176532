//! How this installation shows Entra ID that it is the registered application.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::id::{ClientId, Guid};
use crate::secret::Secret;
use crate::time::UnixTime;

/// What proves that a request comes from the application.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A client secret: text that both sides know. The weakest kind, and it expires.
    Secret(Secret),
    /// A certificate whose public half is uploaded to the app registration.
    Certificate(SigningCertificate),
    /// A token of an issuer that the registration trusts (workload identity federation), as it was read from its file.
    /// The shell reads the file anew now and then, for it changes.
    Federated(Secret),
}

/// A certificate with its private key, ready to sign.
#[derive(Clone)]
pub struct SigningCertificate {
    key: Arc<RsaKeyPair>,
    thumbprint: String,
    expires: UnixTime,
}

/// Why a certificate cannot be used, all to be put right in the configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CredentialFault {
    /// There is no certificate in PEM form.
    #[error("no certificate in PEM form")]
    NoCertificate,
    /// There is no private key in PEM form (PKCS#8 or PKCS#1), or it is encrypted.
    #[error("no unencrypted private key in PEM form")]
    NoKey,
    /// The key is not RSA of 2048 to 8192 bits: Entra ID takes no other.
    #[error("the private key is not RSA of 2048 bits or more")]
    NotRsa,
    /// The key belongs to another certificate.
    #[error("the private key belongs to another certificate")]
    Mismatch,
    /// The key did not sign, for a reason that the library does not tell.
    #[error("the private key did not sign")]
    NotSigned,
}

impl SigningCertificate {
    /// From a certificate and its key, both in PEM form.
    ///
    /// # Errors
    /// See [`CredentialFault`].
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, CredentialFault> {
        let certificate =
            CertificateDer::from_pem_slice(certificate).map_err(|_| CredentialFault::NoCertificate)?;
        let (_, parsed) =
            X509Certificate::from_der(&certificate).map_err(|_| CredentialFault::NoCertificate)?;
        let key = match PrivateKeyDer::from_pem_slice(key).map_err(|_| CredentialFault::NoKey)? {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(CredentialFault::NotRsa),
        };
        let key = key.map_err(|_| CredentialFault::NotRsa)?;
        if parsed.public_key().subject_public_key.data.as_ref() != key.public_key().as_ref() {
            return Err(CredentialFault::Mismatch);
        }
        let expires = UnixTime(u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0));
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
        Ok(Self { key: Arc::new(key), thumbprint, expires })
    }

    /// When the certificate is over, and with it every request.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// SHA-256 over the certificate in base64url, by which Entra ID finds it (`x5t#S256`).
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// A token of our own that says who asks ("Microsoft identity platform application authentication certificate
    /// credentials"), good for [`ASSERTION_LIFE`] at this address.
    fn assertion(
        &self,
        client: ClientId,
        audience: &str,
        now: UnixTime,
        random: &mut dyn rand::RngCore,
    ) -> Result<Secret, CredentialFault> {
        let client = client.to_string();
        let claims = Assertion {
            aud: audience,
            iss: &client,
            sub: &client,
            jti: Guid::random(random).to_string(),
            nbf: now.before(CLOCK_LEAD).0,
            iat: now.0,
            exp: now.after(ASSERTION_LIFE).0,
        };
        let header = AssertionHeader { alg: "PS256", typ: "JWT", thumbprint: &self.thumbprint };
        let mut text = format!("{}.{}", part(&header)?, part(&claims)?);
        let mut signature = vec![0; self.key.public_modulus_len()];
        // The salt comes from the library's own generator, which cannot be handed in; nothing is decided by it.
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| CredentialFault::NotSigned)?;
        text.push('.');
        text.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(Secret::new(text))
    }
}

impl Credential {
    /// The form fields that prove who asks at this address.
    ///
    /// # Errors
    /// [`CredentialFault::NotSigned`], if the key does not do its work.
    pub(crate) fn fields(
        &self,
        client: ClientId,
        audience: &str,
        now: UnixTime,
        random: &mut dyn rand::RngCore,
    ) -> Result<Vec<(&'static str, Secret)>, CredentialFault> {
        let assertion = match self {
            Self::Secret(secret) => return Ok(vec![("client_secret", secret.clone())]),
            Self::Certificate(certificate) => certificate.assertion(client, audience, now, random)?,
            Self::Federated(token) => token.clone(),
        };
        Ok(vec![("client_assertion_type", Secret::new(ASSERTION_TYPE)), ("client_assertion", assertion)])
    }
}

impl CredentialFault {
    /// A name for logs and for the API that never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoCertificate => "credential_no_certificate",
            Self::NoKey => "credential_no_key",
            Self::NotRsa => "credential_not_rsa",
            Self::Mismatch => "credential_mismatch",
            Self::NotSigned => "credential_not_signed",
        }
    }

    /// What an administrator can do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::NoCertificate => "Give a file with the certificate in PEM form (BEGIN CERTIFICATE).",
            Self::NoKey => {
                "Give a file with the private key in PEM form, without a password (BEGIN PRIVATE KEY)."
            }
            Self::NotRsa => "Make a certificate with an RSA key of 2048 bits or more.",
            Self::Mismatch => "Give the private key that the certificate was made with.",
            Self::NotSigned => "Make a new certificate and key.",
        }
    }
}

impl fmt::Debug for SigningCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningCertificate({}, expires {})", self.thumbprint, self.expires)
    }
}

#[derive(Serialize)]
struct AssertionHeader<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256")]
    thumbprint: &'a str,
}

#[derive(Serialize)]
struct Assertion<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    iat: u64,
    exp: u64,
}

fn part(value: &impl Serialize) -> Result<String, CredentialFault> {
    let json = serde_json::to_vec(value).map_err(|_| CredentialFault::NotSigned)?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// How long an assertion is good: Microsoft recommends five to ten minutes.
pub const ASSERTION_LIFE: Duration = Duration::from_secs(5 * 60);

/// How far Entra ID's clock may be behind ours before an assertion seems to come from the future.
const CLOCK_LEAD: Duration = Duration::from_secs(60);

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
