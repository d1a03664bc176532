//! Passwords: for a first start, and for sites without Entra. A passkey is better wherever there is one.
//!
//! A password is kept as Argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet names first. It
//! must be long, and not one of those that everybody tries first; beyond that nothing is demanded of it, as NIST SP 800-63B
//! (section 3.1.1.2) has it: no digits, no capitals, no change every quarter.
//!
//! One check takes some 20 ms and 19 MiB, by design. The shell makes it on a thread of its own, a few at a time, and asks
//! [`throttle`](crate::throttle) before.

mod quality;

use std::fmt;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use quality::PASSWORD_BYTES_MAX;
pub use quality::{GoodPassword, PasswordFault};

use crate::secret::Secret;

/// A password as it is kept: the PHC string of an Argon2id hash, which names its own parameters and salt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptPassword(String);

impl KeptPassword {
    /// Hashes a password that was found to be good enough. The salt must come from a good generator.
    ///
    /// # Errors
    ///
    /// [`CannotHash`] if the machine has not the memory for it.
    pub fn of(
        password: &GoodPassword,
        salt: &[u8; KeptPassword::SALT_BYTES],
    ) -> Result<KeptPassword, CannotHash> {
        let salt = SaltString::encode_b64(salt).map_err(|_| CannotHash)?;
        let hash = hasher()?.hash_password(password.expose().as_bytes(), &salt).map_err(|_| CannotHash)?;
        Ok(KeptPassword(hash.to_string()))
    }

    /// Reads what was kept.
    ///
    /// # Errors
    ///
    /// [`NotKept`] if it is not an Argon2id hash, or asks for more memory or time than
    /// [`KeptPassword::MEMORY_KIB_MAX`] and [`KeptPassword::PASSES_MAX`]: whoever can write the store does not stop the
    /// program with it.
    pub fn read(text: &str) -> Result<KeptPassword, NotKept> {
        let parameters = parameters(text).ok_or(NotKept)?;
        let bounded = parameters.m_cost() <= KeptPassword::MEMORY_KIB_MAX
            && parameters.t_cost() <= KeptPassword::PASSES_MAX
            && parameters.p_cost() <= KeptPassword::LANES_MAX;
        if bounded { Ok(KeptPassword(text.to_owned())) } else { Err(NotKept) }
    }

    /// The text to be kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the password.
    pub fn check(&self, password: &Secret) -> Verdict {
        let bytes = password.expose().as_bytes();
        if bytes.len() > PASSWORD_BYTES_MAX {
            return Verdict::Wrong;
        }
        let right = PasswordHash::new(&self.0)
            .is_ok_and(|kept| hasher().is_ok_and(|hasher| hasher.verify_password(bytes, &kept).is_ok()));
        if right { Verdict::Right { hash_again: self.is_outdated() } } else { Verdict::Wrong }
    }

    /// Whether the parameters have risen since.
    fn is_outdated(&self) -> bool {
        parameters(&self.0)
            .is_none_or(|kept| kept.m_cost() < MEMORY_KIB || kept.t_cost() < PASSES || kept.p_cost() < LANES)
    }

    /// Bytes of salt.
    pub const SALT_BYTES: usize = 16;
    /// Most memory that a kept password may ask for, in KiB.
    pub const MEMORY_KIB_MAX: u32 = 256 * 1024;
    /// Most passes that a kept password may ask for.
    pub const PASSES_MAX: u32 = 16;
    /// Most lanes that a kept password may ask for.
    pub const LANES_MAX: u32 = 4;
}

impl fmt::Debug for KeptPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptPassword(..)")
    }
}

/// Checks the password of somebody who signs in: of nobody, too.
///
/// For a name that is not known, or a person who has no password, it takes as long and says no: how long an answer takes
/// tells nobody who works here.
pub fn check(kept: Option<&KeptPassword>, password: &Secret) -> Verdict {
    match kept {
        Some(kept) => kept.check(password),
        None => {
            let nobody = KeptPassword(NOBODYS.to_owned());
            nobody.check(password);
            Verdict::Wrong
        }
    }
}

/// What came of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one.
    Right {
        /// It was hashed with less than is asked for today: now, that it is at hand, it is to be hashed again.
        hash_again: bool,
    },
    /// It is not.
    Wrong,
}

/// There is not the memory to hash a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed: {MEMORY_KIB} KiB of memory are needed for a moment")]
pub struct CannotHash;

/// What was kept is not a password of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kept password: the text of an Argon2id hash is expected")]
pub struct NotKept;

fn hasher() -> Result<Argon2<'static>, CannotHash> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| CannotHash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

fn parameters(text: &str) -> Option<Params> {
    let kept = PasswordHash::new(text).ok()?;
    let is_ours = kept.algorithm == argon2::ARGON2ID_IDENT && kept.salt.is_some() && kept.hash.is_some();
    if is_ours { Params::try_from(&kept).ok() } else { None }
}

/// OWASP Password Storage Cheat Sheet: Argon2id, 19 MiB, two passes, one lane. A password that was kept with less is
/// hashed again when it is next given.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// A hash of a password that nobody knows, with today's parameters: what is checked for those who have none.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCE$9gt5BjYZgbJioIm671Gc8DiiJqFg1whqHIItTua5Nc0";

#[cfg(test)]
mod tests {
    use super::*;

    /// What is checked for nobody costs what is checked for somebody.
    #[test]
    fn nobodys_hash_has_todays_parameters() {
        let nobody = KeptPassword::read(NOBODYS).unwrap();
        assert!(!nobody.is_outdated());
        assert_eq!(parameters(NOBODYS).unwrap().m_cost(), MEMORY_KIB);
        assert_eq!(PasswordHash::new(NOBODYS).unwrap().hash.unwrap().len(), Params::DEFAULT_OUTPUT_LEN);
    }
}
