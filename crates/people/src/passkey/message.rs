//! What goes to the browser and comes from it: the JSON forms of section 5.1.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::ceremony::Ceremonies;
use super::public_key::Algorithm;
use super::{CredentialId, Passkey, PasskeyFault, RelyingParty};
use crate::id::PersonId;

/// What the browser is asked in order to make a passkey: `PublicKeyCredentialCreationOptionsJSON`, for
/// `PublicKeyCredential.parseCreationOptionsFromJSON()` and `navigator.credentials.create()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    rp: Site,
    user: User,
    challenge: String,
    pub_key_cred_params: Vec<Parameter>,
    timeout: u64,
    exclude_credentials: Vec<Descriptor>,
    authenticator_selection: Selection,
    attestation: &'static str,
}

impl CreationOptions {
    pub(super) fn new(
        site: &RelyingParty,
        person: &PersonId,
        user_name: &str,
        name: &str,
        known: &[&Passkey],
        challenge: &[u8],
    ) -> CreationOptions {
        CreationOptions {
            rp: Site { id: site.id.clone(), name: site.name.clone() },
            user: User { id: user_handle(person), name: user_name.to_owned(), display_name: name.to_owned() },
            challenge: URL_SAFE_NO_PAD.encode(challenge),
            pub_key_cred_params: Algorithm::ALL
                .map(|algorithm| Parameter { kind: KIND, alg: algorithm.cose() })
                .to_vec(),
            timeout: timeout_ms(),
            exclude_credentials: known.iter().map(|passkey| Descriptor::of(passkey)).collect(),
            authenticator_selection: Selection {
                resident_key: "required",
                require_resident_key: true,
                user_verification: "required",
            },
            attestation: "none",
        }
    }
}

/// What the browser is asked in order to sign in: `PublicKeyCredentialRequestOptionsJSON`, for
/// `PublicKeyCredential.parseRequestOptionsFromJSON()` and `navigator.credentials.get()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    challenge: String,
    timeout: u64,
    rp_id: Arc<str>,
    allow_credentials: Vec<Descriptor>,
    user_verification: &'static str,
}

impl RequestOptions {
    pub(super) fn new(site: &RelyingParty, known: &[&Passkey], challenge: &[u8]) -> RequestOptions {
        RequestOptions {
            challenge: URL_SAFE_NO_PAD.encode(challenge),
            timeout: timeout_ms(),
            rp_id: site.id.clone(),
            allow_credentials: known.iter().map(|passkey| Descriptor::of(passkey)).collect(),
            user_verification: "required",
        }
    }
}

/// What the browser answers when a passkey was made: `RegistrationResponseJSON`. What is not looked at is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationResponse {
    pub(super) id: CredentialId,
    raw_id: CredentialId,
    #[serde(rename = "type")]
    kind: String,
    pub(super) response: Attestation,
}

/// The part of [`RegistrationResponse`] that the authenticator made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Attestation {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data: String,
    #[serde(rename = "attestationObject")]
    pub(super) attestation_object: String,
    #[serde(default)]
    pub(super) transports: Vec<Arc<str>>,
}

impl RegistrationResponse {
    /// Reads the answer of a browser.
    ///
    /// # Errors
    ///
    /// [`PasskeyFault::Malformed`] if it is none, or longer than [`RegistrationResponse::BYTES_MAX`].
    pub fn read(json: &[u8]) -> Result<RegistrationResponse, PasskeyFault> {
        let response: RegistrationResponse = read(json, RegistrationResponse::BYTES_MAX)?;
        check_ids(&response.id, &response.raw_id, &response.kind)?;
        Ok(response)
    }

    /// Longest answer, in bytes; a longer one is refused.
    pub const BYTES_MAX: usize = 65_536;
}

/// What the browser answers when somebody signs in: `AuthenticationResponseJSON`. What is not looked at is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticationResponse {
    id: CredentialId,
    raw_id: CredentialId,
    #[serde(rename = "type")]
    kind: String,
    pub(super) response: Assertion,
}

/// The part of [`AuthenticationResponse`] that the authenticator made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Assertion {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data: String,
    pub(super) authenticator_data: String,
    pub(super) signature: String,
    #[serde(default)]
    pub(super) user_handle: Option<String>,
}

impl AuthenticationResponse {
    /// Reads the answer of a browser.
    ///
    /// # Errors
    ///
    /// [`PasskeyFault::Malformed`] if it is none, or longer than [`AuthenticationResponse::BYTES_MAX`].
    pub fn read(json: &[u8]) -> Result<AuthenticationResponse, PasskeyFault> {
        let response: AuthenticationResponse = read(json, AuthenticationResponse::BYTES_MAX)?;
        check_ids(&response.id, &response.raw_id, &response.kind)?;
        Ok(response)
    }

    /// Which passkey answers: what to look up.
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    /// Longest answer, in bytes; a longer one is refused.
    pub const BYTES_MAX: usize = 32_768;
}

/// What the browser adds to the challenge, and the authenticator signs (section 5.8.1). The bytes themselves are signed, and
/// browsers may add members.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) challenge: String,
    pub(super) origin: Arc<str>,
    #[serde(default)]
    pub(super) cross_origin: bool,
    #[serde(default)]
    pub(super) top_origin: Option<String>,
}

impl ClientData {
    pub(super) fn read(bytes: &[u8]) -> Result<ClientData, PasskeyFault> {
        read(bytes, CLIENT_DATA_BYTES_MAX).map_err(|_| PasskeyFault::Malformed { part: "clientDataJSON" })
    }

    /// Checks where the answer was made.
    pub(super) fn check_site(&self, site: &RelyingParty) -> Result<(), PasskeyFault> {
        if self.cross_origin || self.top_origin.is_some() {
            Err(PasskeyFault::CrossOrigin)
        } else if site.origins.contains(&self.origin) {
            Ok(())
        } else {
            let origin = self.origin.chars().take(ORIGIN_CHARS_SHOWN).collect::<String>();
            Err(PasskeyFault::Origin { origin: Arc::from(origin) })
        }
    }
}

/// How the person is named to the authenticator: the id, which says nothing about them (section 14.6.1).
pub(super) fn user_handle(person: &PersonId) -> String {
    URL_SAFE_NO_PAD.encode(person.as_str())
}

pub(super) fn decode(text: &str, part: &'static str) -> Result<Vec<u8>, PasskeyFault> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| PasskeyFault::Malformed { part })
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8], bytes_max: usize) -> Result<T, PasskeyFault> {
    if json.len() > bytes_max {
        return Err(PasskeyFault::Malformed { part: "length" });
    }
    // What is passed over is UTF-8 too (RFC 8259 section 8.1): the parser would not look at it.
    let text = str::from_utf8(json).map_err(|_| PasskeyFault::Malformed { part: "JSON" })?;
    serde_json::from_str(text).map_err(|_| PasskeyFault::Malformed { part: "JSON" })
}

fn check_ids(id: &CredentialId, raw_id: &CredentialId, kind: &str) -> Result<(), PasskeyFault> {
    if id != raw_id {
        return Err(PasskeyFault::Malformed { part: "rawId" });
    }
    if kind == KIND { Ok(()) } else { Err(PasskeyFault::Malformed { part: "type" }) }
}

fn timeout_ms() -> u64 {
    u64::try_from(Ceremonies::ANSWER_WITHIN.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Site {
    id: Arc<str>,
    name: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    name: String,
    display_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Parameter {
    #[serde(rename = "type")]
    kind: &'static str,
    alg: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Descriptor {
    #[serde(rename = "type")]
    kind: &'static str,
    id: CredentialId,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transports: Vec<Arc<str>>,
}

impl Descriptor {
    fn of(passkey: &Passkey) -> Descriptor {
        Descriptor { kind: KIND, id: passkey.id.clone(), transports: passkey.transports.clone() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selection {
    resident_key: &'static str,
    require_resident_key: bool,
    user_verification: &'static str,
}

/// The one kind of credential there is.
const KIND: &str = "public-key";
/// Longest client data, in bytes; longer is refused.
const CLIENT_DATA_BYTES_MAX: usize = 4096;
/// Characters of a wrong origin that are repeated in the fault.
const ORIGIN_CHARS_SHOWN: usize = 128;
