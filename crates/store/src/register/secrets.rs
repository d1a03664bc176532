//! Secrets: what must be kept and shown to nobody.

use std::fmt;

use rusqlite::{OptionalExtension, params};
use zeroize::Zeroizing;

use super::refusal::{Abort, check_length};
use super::{Failure, Noun, Refusal, Register, Scope};
use crate::seal::{DataKey, Shut, Spot};
use crate::{Fault, Gone};

/// A secret as it was found. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// This. Wiped from memory when it is dropped.
    Known(Zeroizing<Vec<u8>>),
    /// It is there, and nobody can read it.
    Gone(Gone),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Known(_) => f.write_str("Known(*)"),
            Secret::Gone(why) => f.debug_tuple("Gone").field(why).finish(),
        }
    }
}

impl Register {
    /// Keeps a secret, such as a refresh token, under a name of lower-case letters, digits, `-`, `.` and `_`. It replaces the
    /// one before it. In the file it is sealed under a key of its own, which a master key wraps.
    ///
    /// # Errors
    ///
    /// The name is none; the secret is longer than [`SECRET_BYTES_MAX`]; there are [`SECRETS_MAX`]; the disk failed, or
    /// the system gives no randomness.
    pub fn secret_put(
        &self,
        scope: impl Into<Scope>,
        name: &str,
        secret: &[u8],
        at_ms: i64,
    ) -> Result<(), Failure> {
        let scope = scope.into();
        check_name(name)?;
        check_length(Noun::Secret, secret.len(), SECRET_BYTES_MAX)?;
        let place = place(&scope, name);
        let masters = &self.shared.masters;
        let fault = |source| Fault::Io { path: self.shared.path.clone(), source };
        let key = DataKey::draw(masters, &spot(&place)).map_err(fault)?;
        let sealed = key.seal(&spot(&place), secret).map_err(fault)?;
        self.erase(&scope, |transaction| {
            let others: u32 = transaction
                .prepare_cached("SELECT count(*) FROM secrets WHERE tenant = ?1 AND name <> ?2")?
                .query_row(params![scope, name], |row| row.get(0))?;
            if others >= SECRETS_MAX {
                return Err(Abort::from(Refusal::Full { noun: Noun::Secret, most: SECRETS_MAX }));
            }
            transaction.prepare_cached(UPSERT)?.execute(params![scope, name, key.wrapped, sealed, at_ms])?;
            Ok(())
        })
    }

    /// A secret.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn secret(&self, scope: impl Into<Scope>, name: &str) -> Result<Option<Secret>, Fault> {
        let scope = scope.into();
        let found: Option<(Vec<u8>, Vec<u8>)> = self.read(|connection| {
            connection
                .prepare_cached("SELECT wrapped, sealed FROM secrets WHERE tenant = ?1 AND name = ?2")?
                .query_row(params![scope, name], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })?;
        let Some((wrapped, sealed)) = found else { return Ok(None) };
        let place = place(&scope, name);
        let opened = DataKey::unwrap(&self.shared.masters, &spot(&place), &wrapped)
            .and_then(|key| key.open(&spot(&place), &sealed));
        Ok(Some(match opened {
            Ok(secret) => Secret::Known(secret),
            Err(Shut::MasterLost) => Secret::Gone(Gone::KeyLost),
            Err(Shut::Damaged) => Secret::Gone(Gone::Damaged),
        }))
    }

    /// Destroys a secret. `false` if there was none.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn secret_remove(&self, scope: impl Into<Scope>, name: &str) -> Result<bool, Failure> {
        let scope = scope.into();
        self.erase(&scope, |transaction| {
            let gone = transaction
                .execute("DELETE FROM secrets WHERE tenant = ?1 AND name = ?2", params![scope, name])?;
            Ok(gone > 0)
        })
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Refusal::Misnamed(Noun::Secret))
    }
}

/// Neither has a slash, so that no two secrets have one place.
fn place(scope: &Scope, name: &str) -> String {
    format!("{}/{name}", scope.as_column())
}

fn spot(place: &str) -> Spot<'_> {
    Spot { table: "secrets", tenant: place, number: 0 }
}

const UPSERT: &str = "INSERT INTO secrets (tenant, name, wrapped, sealed, changed_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant, name) DO UPDATE SET wrapped = excluded.wrapped, \
     sealed = excluded.sealed, changed_ms = excluded.changed_ms";

/// Secrets of one tenant at most; one more is refused.
pub const SECRETS_MAX: u32 = 1_000;

/// One secret at most, in bytes; a longer one is refused. A refresh token is some 2 KiB.
pub const SECRET_BYTES_MAX: u32 = 64 * 1024;

const NAME_BYTES_MAX: usize = 64;
