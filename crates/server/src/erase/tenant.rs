//! `tandem remove`: destroys everything that is kept of a customer who has left.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tandem_people::audit::Entry;
use tandem_people::caller::Caller;
use tandem_people::scope::Scope;
use tandem_store::Tenant;

use crate::config::Settings;
use crate::identity::{self, Identity};
use crate::recordings::Recordings;
use crate::restore;

/// Reads the file, and destroys what is kept of a tenant who no longer stands in it.
///
/// # Errors
///
/// The tenant stands in the configuration, there is nothing of it, the program runs, or a file cannot be used; each says
/// what to do.
pub fn run(path: &Path, tenant: &Tenant) -> Result<()> {
    let settings = Settings::load(path)
        .map_err(|faults| anyhow::anyhow!("{} cannot be used:\n{faults}", path.display()))?;
    match remove(&settings, tenant)? {
        true => println!("Everything of {tenant} is destroyed. Backups still have it: remove them, too."),
        false => println!("There is nothing of {tenant}."),
    }
    Ok(())
}

/// Destroys what is kept of a tenant, in the order in which most is lost first: the keys of what is known about its callers,
/// its facts, its recordings, its people and all else of the register. `false` if there was nothing. Broken off, it can be
/// repeated. That it was done stands in the trail of the installation.
///
/// # Errors
///
/// As [`run`].
pub fn remove(settings: &Settings, tenant: &Tenant) -> Result<bool> {
    if settings.tenants.iter().any(|known| known.tenant == *tenant) {
        bail!("{tenant} stands in the configuration; take it out there, then remove it");
    }
    if !settings.data.is_dir() {
        bail!("there is no folder {}; name the configuration with --config", settings.data.display());
    }
    let keys = settings.personal_data.keys.as_deref();
    // While Tandem runs, it holds the journal.
    let library = restore::open_library(&settings.data, keys).context("end Tandem first")?;
    let identity = Identity::open(&settings.data, keys, settings.identity.clone(), identity::now())
        .context("the register of people cannot be opened")?;
    let facts = library.journal.last_number(tenant)?.0;
    library.journal.remove(tenant)?;
    library.journal.flush(PATIENCE).context("the journal is still busy; try again")?;
    let (recordings, _) = Recordings::open_folder(&settings.data)?;
    recordings.of(tenant).forget_all().context("the recordings cannot be removed")?;
    let now = identity::now();
    let at_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    let of_register = identity.register().tenant_remove(tenant, at_ms)?;
    let any = facts > 0 || of_register;
    if any {
        let object = format!("tenant/{tenant}");
        let entry = Entry::new(now, &Caller::console(), Scope::Installation, "tenant.remove", &object);
        identity.audit(entry.with("facts", &facts.to_string()));
        identity.settle();
    }
    library.books.close(library.journal).context("the journal could not be finished")?;
    Ok(any)
}

/// How long the removal of facts may take: some million a minute.
const PATIENCE: Duration = Duration::from_secs(3_600);
