//! How an application proves to the token endpoint who it is: a secret, or an assertion signed with the key of a
//! registered certificate ("Microsoft identity platform application authentication certificate credentials").

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::AppConfig;
use crate::directory::AppId;
use crate::entra::fault::Fault;
use crate::entra::jwt::Parts;
use crate::entra::params::Params;

/// How a client has proved who it is: what stands in `azpacr` of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Not at all: a public client.
    Public,
    /// With a secret.
    Secret,
    /// With a certificate.
    Certificate,
}

impl Proof {
    /// The value of `azpacr` or `appidacr`.
    pub fn acr(self) -> &'static str {
        match self {
            Self::Public => "0",
            Self::Secret => "1",
            Self::Certificate => "2",
        }
    }
}

/// What of a request names the client and proves it.
#[derive(Debug)]
pub struct Credentials<'a> {
    /// The client id as it came.
    pub id: String,
    secret: Option<String>,
    assertion: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// Reads them from the form, or from an `Authorization: Basic` header.
    pub fn read(params: &'a Params, authorization: Option<&str>) -> Result<Self, Fault> {
        let basic = authorization.and_then(|value| value.strip_prefix("Basic "));
        let basic = match basic {
            Some(encoded) => Some(basic_pair(encoded).ok_or(Fault::Malformed)?),
            None => None,
        };
        let (basic_id, basic_secret) = basic.unzip();
        let id = params.get("client_id").map(str::to_owned).or(basic_id);
        let assertion = params.get("client_assertion");
        if assertion.is_some() && params.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(Fault::AssertionRefused);
        }
        Ok(Self {
            id: id.ok_or(Fault::Missing("client_id"))?,
            secret: params.get("client_secret").map(str::to_owned).or(basic_secret),
            assertion,
        })
    }

    /// Checks them. `audiences` are the addresses that an assertion may be for; `seen` remembers which were used.
    pub fn prove(
        &self,
        app: &AppConfig,
        now: Timestamp,
        audiences: &[String],
        seen: &mut SeenAssertions,
    ) -> Result<Proof, Fault> {
        let id = AppId::new(&app.id);
        match (&self.secret, self.assertion) {
            (None, None) => Ok(Proof::Public),
            (_, Some(assertion)) => check_assertion(assertion, app, now, audiences, seen),
            (Some(_), None) if app.is_public() => Err(Fault::PublicClient(id)),
            (Some(secret), None) => match app.secrets.iter().find(|known| known.value == *secret) {
                Some(known) if known.expired => Err(Fault::ExpiredSecret(id)),
                Some(_) => Ok(Proof::Secret),
                None => Err(Fault::WrongSecret(id)),
            },
        }
    }
}

/// The assertions that were used and could still be used again.
#[derive(Debug, Default)]
pub struct SeenAssertions(BTreeMap<(AppId, String), i64>);

impl SeenAssertions {
    /// Remembers one; `false`: it was here before.
    fn add(&mut self, now: Timestamp, app: AppId, jti: &str, expires_s: i64) -> bool {
        if self.0.len() >= ASSERTIONS_MAX {
            self.0.retain(|_, expires| *expires > now.as_second());
        }
        self.0.len() < ASSERTIONS_MAX && self.0.insert((app, jti.to_owned()), expires_s).is_none()
    }
}

impl AppConfig {
    /// Whether it has nothing to prove who it is with.
    pub fn is_public(&self) -> bool {
        self.secrets.is_empty() && self.certificates.is_empty()
    }
}

fn check_assertion(
    assertion: &str,
    app: &AppConfig,
    now: Timestamp,
    audiences: &[String],
    seen: &mut SeenAssertions,
) -> Result<Proof, Fault> {
    let id = AppId::new(&app.id);
    let parts = Parts::read(assertion).ok_or(Fault::AssertionRefused)?;
    let algorithm: &RsaParameters = match parts.header_text("alg") {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("PS256") => &RSA_PSS_2048_8192_SHA256,
        _ => return Err(Fault::AssertionSignature(id)),
    };
    let named = |der: &[u8]| {
        let is = |field: &str, hash: Digest| {
            parts.header_text(field).map(|given| same_thumbprint(given, hash.as_ref()))
        };
        is("x5t#S256", digest(&SHA256, der))
            .or_else(|| is("x5t", digest(&SHA1_FOR_LEGACY_USE_ONLY, der)))
            .unwrap_or(false)
    };
    let certificates =
        app.certificates.iter().filter_map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).ok());
    let certificate = certificates.into_iter().find(|der| named(der));
    let verified = certificate.is_some_and(|der| {
        X509Certificate::from_der(&der).is_ok_and(|(_, certificate)| {
            let key = &certificate.public_key().subject_public_key.data;
            UnparsedPublicKey::new(algorithm, key.as_ref())
                .verify(parts.signed.as_bytes(), &parts.signature)
                .is_ok()
        })
    });
    if !verified {
        return Err(Fault::AssertionSignature(id));
    }
    let expires = parts.seconds("exp").ok_or(Fault::AssertionRefused)?;
    let from = parts.seconds("nbf").unwrap_or(i64::MIN);
    if expires <= now.as_second().saturating_sub(SKEW_S)
        || from > now.as_second().saturating_add(SKEW_S)
        || expires > now.as_second().saturating_add(LIFETIME_MAX_S)
    {
        return Err(Fault::AssertionTime);
    }
    if !parts.text("aud").is_some_and(|aud| audiences.iter().any(|known| known.eq_ignore_ascii_case(aud))) {
        return Err(Fault::AssertionAudience);
    }
    let is_me = |claim| parts.text(claim).is_some_and(|name| AppId::new(name) == id);
    let jti = parts.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= JTI_OCTETS_MAX);
    match jti {
        Some(jti) if is_me("iss") && is_me("sub") && seen.add(now, id, jti, expires) => {
            Ok(Proof::Certificate)
        }
        _ => Err(Fault::AssertionRefused),
    }
}

/// Thumbprints come in base64url; some libraries write plain base64, and Entra takes both.
fn same_thumbprint(given: &str, hash: &[u8]) -> bool {
    given == URL_SAFE_NO_PAD.encode(hash) || given == STANDARD.encode(hash)
}

fn basic_pair(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Both are encoded as in a form first (RFC 6749 section 2.3.1).
    let decode = |text: &str| {
        let line = format!("v={text}");
        Params::read(line.as_bytes()).ok().and_then(|params| params.get("v").map(str::to_owned))
    };
    Some((decode(id)?, decode(secret).unwrap_or_default()))
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far clocks may differ.
const SKEW_S: i64 = 300;
/// An assertion that is good for longer is refused: a day, as at Microsoft.
const LIFETIME_MAX_S: i64 = 24 * 3600 + SKEW_S;
/// Assertions that are remembered until they expire; beyond that none is taken.
const ASSERTIONS_MAX: usize = 100_000;
/// A longer `jti` is refused.
const JTI_OCTETS_MAX: usize = 512;
