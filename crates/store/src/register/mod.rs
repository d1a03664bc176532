//! The register: who people are, what they may do, and what else an installation must know that is no fact of its
//! contact centers.
//!
//! One SQLite file beside the journal. Whoever reads or writes something of a tenant says first whose; only what finds
//! the tenant (an identity, a key, the id of a login) is looked up without, and those look-ups stand together in
//! [`entrance`](self#entrance).
//!
//! Rows are texts, and JSON documents that the register does not look into: what a role or a state means is the business
//! of its callers. Times are milliseconds since 1970 UTC and handed in.
//!
//! # Entrance
//!
//! [`Register::person_by_identity`], [`Register::credential_by_id`], [`Register::login_by_id`],
//! [`Register::key_by_id`] and [`Register::tenant_by_entra`] answer with the tenant they found.

mod audit;
mod credentials;
mod directory;
mod entra;
mod entrance;
mod keys;
mod logins;
mod look;
mod people;
mod refusal;
mod scope;
mod secrets;
mod tenants;
mod webhooks;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::Fault;
use crate::lock::lock_file;
use crate::master::Masters;
use crate::pool::Pool;
use crate::schema::{BUSY_TIMEOUT, Schema, open_writer};
use refusal::Abort;

pub use audit::{AUDIT_ENTRIES_MAX, AuditEntry, AuditFilter, AuditRow};
pub use credentials::{CREDENTIALS_MAX, CredentialRow};
pub use directory::{DirectoryChange, DirectoryNote, DirectoryRow};
pub use entra::{ENTRA_TENANTS_MAX, EntraTenantRow};
pub use keys::{KEYS_MAX, KeyRow};
pub use logins::{LOGINS_MAX, LoginRow};
pub use look::RegisterLook;
pub use people::{IDENTITIES_MAX, IdentityRow, PEOPLE_MAX, PersonRow};
pub use refusal::{DOCUMENT_BYTES_MAX, Failure, Noun, Refusal};
pub use scope::Scope;
pub use secrets::{SECRET_BYTES_MAX, SECRETS_MAX, Secret};
pub use tenants::{TENANTS_MAX, TenantRow};
pub use webhooks::{DELIVERIES_KEPT, DeliveryRow, WEBHOOKS_MAX, WebhookRow};

/// Who people are and what they may do, kept in one file.
///
/// A handle: clones share the file. Calls block for as long as the disk takes: well under a millisecond to read, some
/// milliseconds to write, for every write is on the disk when the call returns (a login that was revoked stays revoked
/// after a power failure). Writes wait for each other; reads wait for no write.
#[derive(Clone)]
pub struct Register {
    shared: Arc<Shared>,
}

impl Register {
    /// Opens the register in this file, which is created if it does not exist. `keys` is the file of the master keys, which
    /// is made if it does not exist; it is that of the journal.
    ///
    /// Beside the file stand SQLite's `-wal` and `-shm` and an empty `.lock`, which keeps a second process out. The file
    /// is for its owner alone, and made so if it was not.
    ///
    /// # Errors
    ///
    /// Every [`Fault`]; a file that is not a register, or a newer one, is not touched.
    pub fn open(path: impl Into<PathBuf>, keys: &Path) -> Result<Register, Fault> {
        let path = path.into();
        if path.is_dir() {
            return Err(Fault::NotARegister { path });
        }
        let lock = lock_file(&path)?;
        let masters = Masters::open_or_create(keys)?;
        create_for_owner(&path)?;
        let connection = open_writer(&path, &SCHEMA, None)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        keep_to_owner(&path)?;
        let writer = Mutex::new(Writer { connection, log_due: false });
        let readers = Pool::new(path.clone());
        Ok(Register { shared: Arc::new(Shared { path, writer, readers, masters, _lock: lock }) })
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        self.shared.readers.read(query)
    }

    /// Does what is to be done in one transaction, or nothing of it. Refused for a tenant that was removed.
    fn write<T>(
        &self,
        scope: &Scope,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Abort>,
    ) -> Result<T, Failure> {
        self.transact(|transaction| {
            if let Some(tenant) = scope.tenant()
                && tenants::is_removed(transaction, tenant)?
            {
                return Err(Refusal::Unknown(Noun::Tenant).into());
            }
            act(transaction)
        })
    }

    fn transact<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, Abort>) -> Result<T, Failure> {
        let mut writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let done = writer.transact(act).map_err(|abort| abort.into_failure(&self.shared.path))?;
        writer.empty_log();
        Ok(done)
    }

    /// As [`Register::write`], for what removes something personal: it is in no file any more afterwards.
    fn erase<T>(
        &self,
        scope: &Scope,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Abort>,
    ) -> Result<T, Failure> {
        let done = self.write(scope, act)?;
        self.forget_log();
        Ok(done)
    }

    fn forget_log(&self) {
        let mut writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.log_due = true;
        writer.empty_log();
    }
}

struct Shared {
    path: PathBuf,
    writer: Mutex<Writer>,
    readers: Pool,
    masters: Masters,
    /// Keeps other processes out for as long as this one may write.
    _lock: File,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The log is folded into the file, so that the file alone is a backup. A failure costs only that.
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = writer.checkpoint();
    }
}

struct Writer {
    connection: Connection,
    /// Something was erased, and the write-ahead log may still hold it.
    log_due: bool,
}

impl Writer {
    fn transact<T>(&mut self, act: impl FnOnce(&Transaction<'_>) -> Result<T, Abort>) -> Result<T, Abort> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = act(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Empties the write-ahead log after something was erased: it holds pages as they were. A reader may be looking at
    /// them; then it is tried again with the next write.
    fn empty_log(&mut self) {
        if !self.log_due {
            return;
        }
        // A failure costs only the next try.
        let _ = self.connection.busy_timeout(LOG_PATIENCE);
        let busy = self.checkpoint();
        let _ = self.connection.busy_timeout(BUSY_TIMEOUT);
        self.log_due = !matches!(busy, Ok(false));
    }

    fn checkpoint(&self) -> rusqlite::Result<bool> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    }
}

/// Makes the file if it does not exist. SQLite gives its other files the same rights.
fn create_for_owner(path: &Path) -> Result<(), Fault> {
    let made = OpenOptions::new().create(true).truncate(false).write(true).mode(OWNER_ONLY).open(path);
    made.map(drop).map_err(|source| Fault::of_io(path, source))
}

/// Takes the rights of others away.
fn keep_to_owner(path: &Path) -> Result<(), Fault> {
    let fault = |source| Fault::of_io(path, source);
    if fs::metadata(path).map_err(fault)?.mode() & OTHERS != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(OWNER_ONLY)).map_err(fault)?;
    }
    Ok(())
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit.min(crate::PAGE_MAX)).unwrap_or(i64::MAX)
}

/// The register of people.
pub(crate) const SCHEMA: Schema = Schema {
    application_id: 0x544e_4452, // the letters `TNDR`
    migrations: &[
        (1, include_str!("../../migrations/register/0001_people.sql")),
        (2, include_str!("../../migrations/register/0002_by_id.sql")),
    ],
    // Each commit is on the disk: a power failure brings no revoked login back.
    synchronous: "FULL",
    not_ours: |path| Fault::NotARegister { path },
};

/// Prepared statements that the writer keeps; one more takes the place of the one not used for longest.
const STATEMENTS_KEPT: usize = 64;

const OWNER_ONLY: u32 = 0o600;

/// Rights of the group and of everybody: none may be there.
const OTHERS: u32 = 0o077;

/// How long emptying the log waits for readers; nothing is written meanwhile.
const LOG_PATIENCE: Duration = Duration::from_millis(20);
