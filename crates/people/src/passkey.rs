//! Passkeys: signing in without Entra and without a password.
//!
//! This is the relying party of Web Authentication Level 3 (W3C): it draws challenges, gives the browser its options, and
//! checks what comes back, by the steps of sections 7.1 and 7.2. It asks for passkeys in the full sense: discoverable,
//! so that nobody types a name, and with the user verified by the device, so that the one step is two factors.
//!
//! It does not ask who made the authenticator: attestation is `none`, and a statement that comes all the same is not
//! looked at. It does not take part in iframes of other sites: the sign-in opens in a window of its own.

mod authenticator_data;
mod cbor;
mod ceremony;
mod message;
mod public_key;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

pub use ceremony::{Authenticated, Ceremonies, ForWhom};
pub use message::{AuthenticationResponse, CreationOptions, RegistrationResponse, RequestOptions};
pub use public_key::{Algorithm, PublicKey};

use crate::id::PersonId;
use crate::moment::UnixMillis;
use crate::person::Guid;

/// A passkey of a person, as it is kept: its public half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// How its authenticator names it.
    pub id: CredentialId,
    /// Whose it is.
    pub person: PersonId,
    /// What its signatures are checked with.
    pub key: PublicKey,
    /// How often it was used, as its authenticator counts; always 0 where it is shared between devices.
    pub sign_count: u32,
    /// Whether it can live on several devices.
    pub backup_eligible: bool,
    /// Whether it does.
    pub backed_up: bool,
    /// The model of the authenticator, a UUID; all zeros where it does not tell.
    pub model: Guid,
    /// How the browser reaches it, to be told to the browser again: `internal`, `usb`, `hybrid`...
    pub transports: Vec<Arc<str>>,
    /// When it was made.
    pub created: UnixMillis,
    /// When somebody last signed in with it.
    pub used: Option<UnixMillis>,
}

/// The id of a passkey: 1 to 1023 bytes that its authenticator chose. Written as base64url without padding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialId(Arc<[u8]>);

impl CredentialId {
    /// Longest id, in bytes (section 4, credential ID).
    pub const BYTES_MAX: usize = 1023;

    /// The id with these bytes; `None` if there are none or too many.
    pub fn new(bytes: &[u8]) -> Option<CredentialId> {
        (1..=CredentialId::BYTES_MAX).contains(&bytes.len()).then(|| CredentialId(Arc::from(bytes)))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for CredentialId {
    type Error = PasskeyFault;

    fn try_from(text: String) -> Result<CredentialId, PasskeyFault> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| PasskeyFault::Malformed { part: "id" })?;
        CredentialId::new(&bytes).ok_or(PasskeyFault::Malformed { part: "id" })
    }
}

impl From<CredentialId> for String {
    fn from(id: CredentialId) -> String {
        URL_SAFE_NO_PAD.encode(&id.0)
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialId({self})")
    }
}

/// Who we are to a browser: the site for which passkeys are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: Arc<str>,
    id_hash: [u8; 32],
    name: Arc<str>,
    origins: BTreeSet<Arc<str>>,
}

impl RelyingParty {
    /// A site.
    ///
    /// `id` is its domain, or one above it: passkeys are bound to it for ever. `origins` are the addresses at which its pages
    /// are open, such as `https://contact.example.com`; each on that domain or below, over TLS but for `localhost`.
    ///
    /// # Errors
    ///
    /// Says what does not fit: a browser would refuse it too, in fewer words.
    pub fn new<'a>(
        id: &str,
        name: &str,
        origins: impl IntoIterator<Item = &'a str>,
    ) -> Result<RelyingParty, RelyingPartyFault> {
        if !is_domain(id) {
            return Err(RelyingPartyFault::Id);
        }
        let origins: BTreeSet<Arc<str>> = origins.into_iter().map(Arc::from).collect();
        if origins.is_empty() || origins.len() > RelyingParty::ORIGINS_MAX {
            return Err(RelyingPartyFault::Origins);
        }
        if let Some(origin) = origins.iter().find(|origin| !is_origin_of(origin, id)) {
            return Err(RelyingPartyFault::Origin { origin: origin.clone() });
        }
        let mut id_hash = [0; 32];
        id_hash.copy_from_slice(digest::digest(&digest::SHA256, id.as_bytes()).as_ref());
        Ok(RelyingParty { id: Arc::from(id), id_hash, name: Arc::from(name), origins })
    }

    /// The domain.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Most origins; more are refused.
    pub const ORIGINS_MAX: usize = 16;
}

/// Why a site cannot have passkeys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelyingPartyFault {
    /// The id is no domain.
    #[error(
        "passkeys need a domain in lower case, such as contact.example.com; a browser makes none for an IP address"
    )]
    Id,
    /// There is no origin, or there are too many.
    #[error("1 to {} origins are expected", RelyingParty::ORIGINS_MAX)]
    Origins,
    /// This is no origin of the domain.
    #[error(
        "{origin} is no origin on that domain: https://host or https://host:port is expected, without a path"
    )]
    Origin {
        /// Which.
        origin: Arc<str>,
    },
}

/// Why a passkey is not made, or nobody signs in with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyFault {
    /// What came is not what a browser sends.
    #[error("what came is no answer of a browser: {part} is malformed")]
    Malformed {
        /// What cannot be read.
        part: &'static str,
    },
    /// The challenge is not ours, was answered before, or is too old.
    #[error("this sign-in took too long, or was answered before; begin again")]
    Challenge,
    /// The answer is to a challenge for something else, or for somebody else.
    #[error("this answer belongs to something else that was begun")]
    Ceremony,
    /// The answer was made on another site.
    #[error("this answer was made on another site, {origin}")]
    Origin {
        /// Which, as the browser says.
        origin: Arc<str>,
    },
    /// The answer was made in a frame of another site.
    #[error("this answer was made in a frame of another site")]
    CrossOrigin,
    /// The authenticator signed for another domain.
    #[error("the authenticator answered for another domain")]
    RelyingParty,
    /// Nobody touched the authenticator, or it did not verify who did.
    #[error("the device did not verify who uses it; set up its lock, and try again")]
    NotVerified,
    /// The key is of a kind that was not asked for.
    #[error("the authenticator made a key of another kind than was asked for")]
    Algorithm,
    /// The key is none.
    #[error("the public key of the passkey is not one")]
    Key,
    /// The authenticator contradicts itself about where the passkey lives.
    #[error("the authenticator contradicts itself about backups")]
    Backup,
    /// There is no such passkey.
    #[error("this passkey is not known here; it may have been removed")]
    Unknown,
    /// The passkey belongs to somebody else than the authenticator says.
    #[error("the passkey belongs to somebody else")]
    Person,
    /// The authenticator has counted backwards: there are two of it.
    #[error("the passkey was copied: its count went from {kept} to {came}")]
    Copied {
        /// What it was.
        kept: u32,
        /// What came.
        came: u32,
    },
    /// The signature is wrong.
    #[error("the signature of the passkey is wrong")]
    Signature,
}

impl PasskeyFault {
    /// The stable word for records and programs.
    pub const fn code(&self) -> &'static str {
        match self {
            PasskeyFault::Malformed { .. } => "passkey_malformed",
            PasskeyFault::Challenge => "passkey_challenge",
            PasskeyFault::Ceremony => "passkey_ceremony",
            PasskeyFault::Origin { .. } => "passkey_origin",
            PasskeyFault::CrossOrigin => "passkey_cross_origin",
            PasskeyFault::RelyingParty => "passkey_relying_party",
            PasskeyFault::NotVerified => "passkey_not_verified",
            PasskeyFault::Algorithm => "passkey_algorithm",
            PasskeyFault::Key => "passkey_key",
            PasskeyFault::Backup => "passkey_backup",
            PasskeyFault::Unknown => "passkey_unknown",
            PasskeyFault::Person => "passkey_person",
            PasskeyFault::Copied { .. } => "passkey_copied",
            PasskeyFault::Signature => "passkey_signature",
        }
    }
}

/// Whether a browser takes it for a domain: labels of letters, digits and hyphens, the last no number.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= DOMAIN_BYTES_MAX
        && text.split('.').all(is_label)
        && text.rsplit('.').next().is_some_and(|last| !is_number(last))
}

fn is_origin_of(origin: &str, id: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port_fits = port.is_none_or(|port| {
        !port.starts_with('0')
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    });
    let is_below = host == id || host.strip_suffix(id).is_some_and(|labels| labels.ends_with('.'));
    let is_secure =
        scheme == "https" || (scheme == "http" && (host == "localhost" || host.ends_with(".localhost")));
    port_fits && is_below && is_domain(host) && is_secure
}

/// Longest domain (RFC 1035 section 2.3.4).
const DOMAIN_BYTES_MAX: usize = 253;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_site_is_a_domain_and_its_origins() {
        for (id, origin) in [
            ("contact.example.com", "https://contact.example.com"),
            ("example.com", "https://contact.example.com:8443"),
            ("localhost", "http://localhost:8080"),
        ] {
            assert_eq!(
                RelyingParty::new(id, "Tandem", [origin]).map(|site| site.id().to_owned()),
                Ok(id.to_owned())
            );
        }
    }

    #[test]
    fn what_no_browser_would_take_is_refused() {
        for id in
            ["", "127.0.0.1", "[::1]", "https://example.com", "Example.com", "a..b", "-a.com", "example.com."]
        {
            assert_eq!(RelyingParty::new(id, "Tandem", ["https://x"]), Err(RelyingPartyFault::Id), "{id}");
        }
        for origin in [
            "http://example.com",
            "https://example.org",
            "https://badexample.com",
            "https://example.com/",
            "https://example.com:0443",
            "https://example.com:99999",
            "https://user@example.com",
            "example.com",
        ] {
            let fault = RelyingPartyFault::Origin { origin: origin.into() };
            assert_eq!(RelyingParty::new("example.com", "Tandem", [origin]), Err(fault));
        }
        assert_eq!(RelyingParty::new("example.com", "Tandem", []), Err(RelyingPartyFault::Origins));
    }

    proptest! {
        #[test]
        fn an_id_reads_back(bytes in proptest::collection::vec(any::<u8>(), 1..1023)) {
            let id = CredentialId::new(&bytes).unwrap();
            prop_assert_eq!(CredentialId::try_from(id.to_string()), Ok(id));
        }

        #[test]
        fn no_text_brings_the_readers_down(id in "\\PC{0,40}", origin in "(https?://)?\\PC{0,40}") {
            let _ = CredentialId::try_from(id.clone());
            let _ = RelyingParty::new(&id, "Tandem", [origin.as_str()]);
        }
    }
}
