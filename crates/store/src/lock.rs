//! Keeping a second process out of a file.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Fault;

/// Locks an empty file that stands beside this one and ends in `.lock`.
///
/// The operating system gives the lock up when the process ends, in whatever way.
pub(crate) fn lock_file(path: &Path) -> Result<File, Fault> {
    let mut name = OsString::from(path);
    name.push(".lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(name)
        .map_err(|source| Fault::of_io(path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Fault::InUse { path: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(Fault::of_io(path, source)),
    }
}
