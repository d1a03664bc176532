//! What can be wrong with the files of this crate, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a journal or a register cannot be opened, written or read. [`Fault::remedy`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The directory that should hold the file does not exist.
    #[error("the directory of {} does not exist", .path.display())]
    NoDirectory {
        /// The file that was to be opened.
        path: PathBuf,
    },
    /// Another process has the file open.
    #[error("{} is in use by another process", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a database, or is a database of something else. It was not touched.
    #[error("{} is not a journal of Tandem", .path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a database, or is a database of something else. It was not touched.
    #[error("{} is not a register of people of Tandem", .path.display())]
    NotARegister {
        /// The file.
        path: PathBuf,
    },
    /// A newer release wrote the file. It was not touched.
    #[error("{} has schema version {found}, this program knows versions up to {known}", .path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version this program knows.
        known: u32,
    },
    /// The file or its directory may not be written.
    #[error("{} cannot be written: read-only or permission denied", .path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// No space is left on the disk, or the file has reached its configured limit.
    #[error("no space for {}: the disk is full, or the file has reached its size limit", .path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot hold a write-ahead log.
    #[error("the file system of {} does not support write-ahead logging", .path.display())]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("{} is damaged", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Something else, such as a backup tool, keeps the file locked.
    #[error("{} is locked by another program", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file of the master keys cannot be read or made.
    #[error("the key file {} cannot be used: {source}", .path.display())]
    KeyUnusable {
        /// The file of the keys.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Others than its owner may read or write the file of the master keys.
    #[error("the key file {} is open to others than its owner: its mode is {mode:03o}", .path.display())]
    KeyOpenToOthers {
        /// The file of the keys.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// The file holds something else than master keys, or is cut. It was not touched.
    #[error("{} is not a key file of Tandem", .path.display())]
    NotAKey {
        /// The file of the keys.
        path: PathBuf,
    },
    /// The operating system refused a file operation.
    #[error("{} cannot be used: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// SQLite failed in another way.
    #[error("{} failed: {source}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl Fault {
    /// What the person who runs the program can do, as one sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Fault::NoDirectory { .. } => "create the directory, or correct the path of the file",
            Fault::InUse { .. } => {
                "stop the other process (is Tandem already running?), or give this one files of its own"
            }
            Fault::NotAJournal { .. } => "correct the path of the journal, or move that file away",
            Fault::NotARegister { .. } => {
                "correct the path of the register of people, or move that file away"
            }
            Fault::NewerSchema { .. } => {
                "start the release that wrote the file, or restore a backup made before the upgrade"
            }
            Fault::ReadOnly { .. } => {
                "give the user who runs Tandem the right to write the file and its directory"
            }
            Fault::DiskFull { .. } => {
                "free space on the disk or raise the size limit; waiting facts are written as soon as there is room"
            }
            Fault::NoWriteAheadLog { .. } => "put the file on a local disk; network shares do not work",
            Fault::Damaged { .. } => {
                "restore a backup; keep the damaged file, because `.recover` of the program sqlite3 may save more of it"
            }
            Fault::Locked { .. } => {
                "end the program that has the file open (a backup or a database browser?)"
            }
            Fault::KeyUnusable { .. } => {
                "give the user who runs Tandem the right to read the key file, and to make it in its directory"
            }
            Fault::KeyOpenToOthers { .. } => {
                "`chmod 600` the key file; if others can have read it, think of its keys as known"
            }
            Fault::NotAKey { .. } => {
                "correct the path of the key file, or put back a copy of it; without it nothing personal can be read"
            }
            Fault::Io { .. } | Fault::Database { .. } => {
                "check the disk and the permissions of the file and its directory"
            }
        }
    }

    pub(crate) fn of_sqlite(path: &Path, source: rusqlite::Error) -> Fault {
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Fault::NotAJournal { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Fault::ReadOnly { path }
            }
            Some(ErrorCode::DiskFull) => Fault::DiskFull { path },
            Some(ErrorCode::DatabaseCorrupt) => Fault::Damaged { path, source },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Locked { path },
            _ => Fault::Database { path, source },
        }
    }

    pub(crate) fn of_io(path: &Path, source: io::Error) -> Fault {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Fault::NoDirectory { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::DiskFull { path },
            io::ErrorKind::WouldBlock => Fault::InUse { path },
            _ => Fault::Io { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn fault(code: i32) -> Fault {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        Fault::of_sqlite(Path::new("journal.db"), error)
    }

    #[test]
    fn what_sqlite_says_becomes_what_the_operator_understands() {
        assert!(matches!(fault(ffi::SQLITE_READONLY), Fault::ReadOnly { .. }));
        assert!(matches!(fault(ffi::SQLITE_CANTOPEN), Fault::ReadOnly { .. }));
        assert!(matches!(fault(ffi::SQLITE_FULL), Fault::DiskFull { .. }));
        assert!(matches!(fault(ffi::SQLITE_CORRUPT), Fault::Damaged { .. }));
        assert!(matches!(fault(ffi::SQLITE_BUSY), Fault::Locked { .. }));
        assert!(matches!(fault(ffi::SQLITE_NOTADB), Fault::NotAJournal { .. }));
        assert!(matches!(fault(ffi::SQLITE_IOERR_FSYNC), Fault::Database { .. }));
    }

    #[test]
    fn what_the_operating_system_says_becomes_what_the_operator_understands() {
        let of = |kind: io::ErrorKind| Fault::of_io(Path::new("journal.db"), kind.into());
        assert!(matches!(of(io::ErrorKind::NotFound), Fault::NoDirectory { .. }));
        assert!(matches!(of(io::ErrorKind::ReadOnlyFilesystem), Fault::ReadOnly { .. }));
        assert!(matches!(of(io::ErrorKind::StorageFull), Fault::DiskFull { .. }));
        assert!(matches!(of(io::ErrorKind::WouldBlock), Fault::InUse { .. }));
    }
}
