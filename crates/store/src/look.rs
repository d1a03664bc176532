//! Looking into a journal without writing: while a program writes it, or none runs.

use std::path::Path;
use std::sync::Arc;

use crate::keys;
use crate::master::Masters;
use crate::read::Readers;
use crate::schema::open_reader;
use crate::{FactNumber, Fault, InteractionKey, Record, Snapshot, Story, Tenant};

/// A journal that is only read. What somebody else commits meanwhile is seen.
pub struct Look {
    readers: Readers,
}

impl Look {
    /// Looks into the journal in this file, with its file of keys if that does not lie beside it. Nothing is made or
    /// changed; without its keys, personal data counts as gone.
    ///
    /// # Errors
    ///
    /// There is no such file, or it cannot be read.
    pub fn open(path: &Path, keys: Option<&Path>) -> Result<Look, Fault> {
        open_reader(path)?;
        let masters = Masters::open(&keys::file(path, keys))?.unwrap_or_else(Masters::none);
        Ok(Look { readers: Readers::new(path.to_path_buf(), Arc::new(masters)) })
    }

    /// Facts after a number, in order; at most [`PAGE_MAX`](crate::PAGE_MAX).
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn facts(&self, tenant: &Tenant, after: FactNumber, limit: usize) -> Result<Vec<Record>, Fault> {
        self.readers.facts(tenant, after, limit)
    }

    /// The story of an interaction.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn story(&self, tenant: &Tenant, interaction: InteractionKey) -> Result<Story, Fault> {
        self.readers.story(tenant, interaction)
    }

    /// The last snapshot in a format, if there is one.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn snapshot(&self, tenant: &Tenant, format: u32) -> Result<Option<Snapshot>, Fault> {
        self.readers.snapshot(tenant, format)
    }
}
