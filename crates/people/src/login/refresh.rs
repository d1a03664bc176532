//! The refresh secret of a login: how it is written, and what is known of it.

use crate::moment::UnixMillis;
use crate::secret::{BASE62_CHARS, Secret, SecretHash};

/// What is known of the refresh secret of a login.
///
/// The secret has two halves: one that names the login and stays, and one that changes with each renewal. Whoever has the
/// first with a second that was replaced once held the login: that is how a stolen secret is told from a wrong one, however
/// long ago it was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshHashes {
    /// Of the half that stays.
    pub family: SecretHash,
    /// Of the half that is good.
    pub secret: SecretHash,
    /// Of the half that was good before.
    pub previous: Option<SecretHash>,
    /// When it was replaced.
    pub renewed: UnixMillis,
}

impl Default for RefreshHashes {
    /// Hashes of nothing: no secret fits them.
    fn default() -> RefreshHashes {
        let nothing = SecretHash::from_bytes([0; SecretHash::BYTES]);
        RefreshHashes { family: nothing, secret: nothing, previous: None, renewed: UnixMillis::default() }
    }
}

impl RefreshHashes {
    /// The bytes to be kept: one column of a table.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(REFRESH_HASHES_BYTES);
        bytes.extend_from_slice(&self.renewed.as_millis().to_be_bytes());
        bytes.extend_from_slice(self.family.as_bytes());
        bytes.extend_from_slice(self.secret.as_bytes());
        if let Some(previous) = &self.previous {
            bytes.extend_from_slice(previous.as_bytes());
        }
        bytes
    }

    /// Reads [`RefreshHashes::to_bytes`]; `None` if they are not.
    pub fn from_bytes(bytes: &[u8]) -> Option<RefreshHashes> {
        let (renewed, rest) = bytes.split_first_chunk::<8>()?;
        let (family, rest) = rest.split_first_chunk::<{ SecretHash::BYTES }>()?;
        let (secret, rest) = rest.split_first_chunk::<{ SecretHash::BYTES }>()?;
        let previous = match rest {
            [] => None,
            rest => Some(SecretHash::from_bytes(rest.try_into().ok()?)),
        };
        Some(RefreshHashes {
            family: SecretHash::from_bytes(*family),
            secret: SecretHash::from_bytes(*secret),
            previous,
            renewed: UnixMillis::from_millis(u64::from_be_bytes(*renewed)),
        })
    }
}

/// The refresh secret with these halves.
pub(super) fn refresh_text(family: &str, secret: &str) -> Secret {
    Secret::new(format!("{REFRESH_PREFIX}{family}_{secret}"))
}

/// The halves of a refresh secret.
pub(super) fn read_refresh(text: &str) -> Option<(&str, &str)> {
    let (family, secret) = text.strip_prefix(REFRESH_PREFIX)?.split_once('_')?;
    let fits =
        |part: &str| part.len() == BASE62_CHARS && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (fits(family) && fits(secret)).then_some((family, secret))
}

/// What a refresh secret begins with.
const REFRESH_PREFIX: &str = "tdr_";
/// Most bytes of [`RefreshHashes::to_bytes`].
const REFRESH_HASHES_BYTES: usize = 8 + 3 * SecretHash::BYTES;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn kept_hashes_read_back(family: [u8; 32], secret: [u8; 32], previous: Option<[u8; 32]>, renewed: u64) {
            let hashes = RefreshHashes {
                family: SecretHash::from_bytes(family),
                secret: SecretHash::from_bytes(secret),
                previous: previous.map(SecretHash::from_bytes),
                renewed: UnixMillis::from_millis(renewed),
            };
            prop_assert_eq!(RefreshHashes::from_bytes(&hashes.to_bytes()), Some(hashes));
        }

        #[test]
        fn no_bytes_bring_the_reader_down(bytes: Vec<u8>, text in "(tdr_)?\\PC{0,90}") {
            let _ = RefreshHashes::from_bytes(&bytes);
            let _ = read_refresh(&text);
        }
    }
}
