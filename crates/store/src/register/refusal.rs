//! Why the register does not do something.

use std::fmt;
use std::path::Path;

use super::SCHEMA;
use crate::Fault;

/// Why something was not done. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file could not be read or written; that is not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It may not be; that is the caller's fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What may not be written into the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its id, or what it is known by, is somebody else's: a tenant's, a person's.
    #[error("this {0} is taken")]
    Taken(Noun),
    /// What it belongs to, or what it would change, is not there.
    #[error("there is no such {0}")]
    Unknown(Noun),
    /// There are as many as there may be.
    #[error("there are {most} of this already, no other {noun} can be added")]
    Full {
        /// Of what.
        noun: Noun,
        /// How many there may be.
        most: u32,
    },
    /// It is too long.
    #[error("this {noun} is longer than {bytes_max} bytes")]
    TooLong {
        /// What.
        noun: Noun,
        /// How long it may be.
        bytes_max: u32,
    },
    /// The name has other characters than lower-case letters, digits, `-`, `.` and `_`, or none, or over 64.
    #[error("this is no name of a {0}")]
    Misnamed(Noun),
}

/// What the register keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is documented where it is kept")]
pub enum Noun {
    AuditEntry,
    Credential,
    DeltaLink,
    DirectoryEntry,
    DirectoryNote,
    EntraTenant,
    Identity,
    Key,
    Login,
    Person,
    Secret,
    Tenant,
    Webhook,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Noun::AuditEntry => "audit entry",
            Noun::Credential => "credential",
            Noun::DeltaLink => "delta link",
            Noun::DirectoryEntry => "directory entry",
            Noun::DirectoryNote => "directory note",
            Noun::EntraTenant => "Entra tenant",
            Noun::Identity => "identity",
            Noun::Key => "key",
            Noun::Login => "login",
            Noun::Person => "person",
            Noun::Secret => "secret",
            Noun::Tenant => "tenant",
            Noun::Webhook => "webhook",
        })
    }
}

/// What ends a transaction, before it is known which file it was about.
#[derive(Debug)]
pub(super) enum Abort {
    Sqlite(rusqlite::Error),
    Refused(Refusal),
}

impl Abort {
    pub(super) fn into_failure(self, path: &Path) -> Failure {
        match self {
            Abort::Sqlite(source) => Failure::Fault(SCHEMA.fault(path, source)),
            Abort::Refused(refusal) => Failure::Refused(refusal),
        }
    }
}

impl From<rusqlite::Error> for Abort {
    fn from(source: rusqlite::Error) -> Abort {
        Abort::Sqlite(source)
    }
}

impl From<Refusal> for Abort {
    fn from(refusal: Refusal) -> Abort {
        Abort::Refused(refusal)
    }
}

/// Refuses what is too long.
pub(super) fn check_length(noun: Noun, bytes: usize, bytes_max: u32) -> Result<(), Refusal> {
    match u32::try_from(bytes) {
        Ok(bytes) if bytes <= bytes_max => Ok(()),
        _ => Err(Refusal::TooLong { noun, bytes_max }),
    }
}

/// Refuses a document that is too long.
pub(super) fn check_document(noun: Noun, document: &str) -> Result<(), Refusal> {
    check_length(noun, document.len(), DOCUMENT_BYTES_MAX)
}

/// One document at most, in bytes. It is read and sent as a whole.
pub const DOCUMENT_BYTES_MAX: u32 = 64 * 1024;
