//! Opening the journal at start, and reading from it what the contact center was.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::acquaintance::Acquaintances;
use tandem_center::config::Document;
use tandem_center::fact::Fact;
use tandem_center::id::{InteractionId, QueueId};
use tandem_center::view::{ClosedInteraction, Live as LiveState, QueueTotals, Story, View};
use tandem_store::{
    FactNumber, Fault, Gone, Journal, Look, PAGE_MAX, Personal, Record, Settings, Snapshot, Tenant,
};

use crate::live::{Books, Live, Recorder};
use crate::record;

/// A journal that is open, and the state it holds of a tenant who is alone in it.
pub struct Restored {
    /// The journal.
    pub journal: Journal,
    /// The committed state; [`Live::view`] is what the center goes on from.
    pub live: Arc<Live>,
    /// Where the center's facts go.
    pub recorder: Recorder,
}

/// A journal that is open, and the states that it holds of its tenants.
pub struct Library {
    /// The journal.
    pub journal: Journal,
    /// The committed states, and how writing goes.
    pub books: Arc<Books>,
}

/// The journal cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum RestoreFault {
    /// The file.
    #[error("{fault}; {}", .fault.remedy())]
    Journal {
        /// What is wrong with it.
        #[from]
        fault: tandem_store::Fault,
    },
    /// The folder cannot be made.
    #[error(
        "the folder {folder} cannot be made: {source}; correct `data` or the rights of the folder above it"
    )]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A fact that this release does not understand.
    #[error("fact {number} of the journal cannot be read: {source}; start the release that wrote it")]
    Fact {
        /// Its number.
        number: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Opens the journal in a folder, with its file of keys if that does not lie beside it. It is made if it does not exist.
///
/// # Errors
///
/// See [`RestoreFault`]; each says what to do.
pub fn open_library(folder: &Path, keys: Option<&Path>) -> Result<Library, RestoreFault> {
    std::fs::create_dir_all(folder)
        .map_err(|source| RestoreFault::Folder { folder: folder.display().to_string(), source })?;
    let books = Arc::new(Books::default());
    let listener = books.clone();
    let settings =
        Settings { keys: keys.map(Path::to_path_buf), split: Some(record::split), ..Settings::default() };
    let journal = Journal::open(journal_file(folder), settings, move |event| listener.on_journal(event))?;
    if journal.lost_interactions() > 0 {
        tracing::error!(interactions = journal.lost_interactions(), "{}", keys_lost(folder, keys));
    }
    Ok(Library { journal, books })
}

impl Library {
    /// Reads the state of a tenant, and opens a recorder for its facts.
    ///
    /// # Errors
    ///
    /// See [`RestoreFault`]; each says what to do.
    pub fn restore(&self, tenant: &Tenant) -> Result<(Arc<Live>, Recorder), RestoreFault> {
        let view = read(&self.journal, tenant)?;
        let live = self.books.open(tenant);
        live.begin(self.journal.clone(), view);
        let recorder = Recorder::new(self.journal.clone(), live.clone());
        Ok((live, recorder))
    }
}

/// Opens the journal in a folder for one tenant.
///
/// # Errors
///
/// See [`RestoreFault`]; each says what to do.
pub fn open(folder: &Path, keys: Option<&Path>, tenant: Tenant) -> Result<Restored, RestoreFault> {
    let library = open_library(folder, keys)?;
    let (live, recorder) = library.restore(&tenant)?;
    Ok(Restored { journal: library.journal, live, recorder })
}

/// Folds the last snapshot and the facts after it.
fn read(journal: &Journal, tenant: &Tenant) -> Result<View, RestoreFault> {
    // A snapshot that cannot be read is none: it only saves time.
    let snapshot = journal.snapshot(tenant, FORMAT)?;
    let mut view = snapshot.and_then(|snapshot| decode(&snapshot.state)).unwrap_or_default();
    let (mut damaged, mut first) = (0_u64, None);
    loop {
        let page = journal.facts(tenant, FactNumber(view.live.number), PAGE_MAX)?;
        if page.is_empty() {
            break;
        }
        for record in page {
            if record.personal == Personal::Gone(Gone::Damaged) {
                damaged += 1;
                first.get_or_insert(record.number.0);
            }
            let fact = record::read(&record)
                .map_err(|source| RestoreFault::Fact { number: record.number.0, source })?;
            view.apply(&Arc::new(fact));
        }
    }
    if let Some(first) = first {
        tracing::error!(
            facts = damaged,
            fact.first = first,
            "personal data in the journal was changed by somebody else, or the disk is failing: it counts as erased; \
             a backup may have it"
        );
    }
    Ok(view)
}

/// The state before a fact.
pub struct Before {
    /// The state.
    pub view: View,
    /// The fact; none if the journal does not reach so far.
    pub fact: Option<Arc<Fact>>,
}

/// Where facts are read: a journal that is open, or one that is only looked into.
pub trait Source {
    /// Facts after a number, in order; a page of them.
    fn page(&self, tenant: &Tenant, after: FactNumber) -> Result<Vec<Record>, Fault>;

    /// The last snapshot.
    fn last_snapshot(&self, tenant: &Tenant) -> Result<Option<Snapshot>, Fault>;
}

impl Source for Journal {
    fn page(&self, tenant: &Tenant, after: FactNumber) -> Result<Vec<Record>, Fault> {
        self.facts(tenant, after, PAGE_MAX)
    }

    fn last_snapshot(&self, tenant: &Tenant) -> Result<Option<Snapshot>, Fault> {
        self.snapshot(tenant, FORMAT)
    }
}

impl Source for Look {
    fn page(&self, tenant: &Tenant, after: FactNumber) -> Result<Vec<Record>, Fault> {
        self.facts(tenant, after, PAGE_MAX)
    }

    fn last_snapshot(&self, tenant: &Tenant) -> Result<Option<Snapshot>, Fault> {
        self.snapshot(tenant, FORMAT)
    }
}

/// The state before a fact, and the fact, folded from the last snapshot before it or from the beginning; `None` if that
/// would be more than `most` facts.
///
/// # Errors
///
/// See [`RestoreFault`].
pub fn before(
    journal: &Journal,
    tenant: &Tenant,
    number: u64,
    most: u64,
) -> Result<Option<Before>, RestoreFault> {
    let view = begin(journal, tenant, number)?;
    if number.saturating_sub(view.live.number) > most {
        return Ok(None);
    }
    go_on(journal, tenant, number, view).map(Some)
}

/// The state before a fact, and the fact if there is one of this number, however long it takes.
///
/// # Errors
///
/// See [`RestoreFault`].
pub fn fold(source: &impl Source, tenant: &Tenant, before: u64) -> Result<Before, RestoreFault> {
    go_on(source, tenant, before, begin(source, tenant, before)?)
}

/// The last snapshot, if it is of a time before this fact.
fn begin(source: &impl Source, tenant: &Tenant, number: u64) -> Result<View, RestoreFault> {
    let snapshot = source.last_snapshot(tenant)?.filter(|snapshot| snapshot.number.0 < number);
    Ok(snapshot.and_then(|snapshot| decode(&snapshot.state)).unwrap_or_default())
}

fn go_on(source: &impl Source, tenant: &Tenant, number: u64, mut view: View) -> Result<Before, RestoreFault> {
    loop {
        let page = source.page(tenant, FactNumber(view.live.number))?;
        if page.is_empty() {
            return Ok(Before { view, fact: None });
        }
        for record in page {
            let fact = record::read(&record)
                .map_err(|source| RestoreFault::Fact { number: record.number.0, source })?;
            let fact = Arc::new(fact);
            if fact.number >= number {
                return Ok(Before { view, fact: Some(fact) });
            }
            view.apply(&fact);
        }
    }
}

/// Puts the state away, for the next start.
pub fn put_snapshot(journal: &Journal, tenant: &Tenant, view: &View) {
    match encode(view) {
        Ok(state) => journal.put_snapshot(tenant, FactNumber(view.live.number), FORMAT, state),
        Err(error) => tracing::warn!(%error, "snapshot cannot be encoded; the next start folds more facts"),
    }
}

fn encode(view: &View) -> serde_json::Result<Vec<u8>> {
    let View { at, live, totals, stories, recent, document, acquaintances } = view;
    serde_json::to_vec(&Saving { at, live, totals, stories, recent, document, acquaintances })
}

fn decode(state: &[u8]) -> Option<View> {
    let saved: serde_json::Result<Saved> = serde_json::from_slice(state);
    let Saved { at, live, totals, stories, recent, document, acquaintances } = saved
        .inspect_err(|error| tracing::warn!(%error, "snapshot cannot be read; all facts are folded"))
        .ok()?;
    Some(View { at, live, totals, stories, recent, document, acquaintances })
}

/// The parts of a view, as they are written.
#[derive(Serialize)]
struct Saving<'a> {
    at: &'a Timestamp,
    live: &'a LiveState,
    totals: &'a BTreeMap<QueueId, QueueTotals>,
    stories: &'a BTreeMap<InteractionId, Story>,
    recent: &'a VecDeque<ClosedInteraction>,
    document: &'a Option<Arc<Document>>,
    acquaintances: &'a Acquaintances,
}

/// The parts of a view, as they are read.
#[derive(Deserialize)]
struct Saved {
    at: Timestamp,
    live: LiveState,
    totals: BTreeMap<QueueId, QueueTotals>,
    stories: BTreeMap<InteractionId, Story>,
    recent: VecDeque<ClosedInteraction>,
    document: Option<Arc<Document>>,
    acquaintances: Acquaintances,
}

/// Where the journal is in its folder.
pub fn journal_file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// What to do when keys are missing.
pub fn keys_lost(folder: &Path, keys: Option<&Path>) -> String {
    let file = keys.map_or_else(|| journal_file(folder).with_extension("key"), Path::to_path_buf);
    format!(
        "the master key of personal data in the journal is missing: it counts as erased until the lines of the old key \
         file are put in front of those in {}",
        file.display()
    )
}

/// The name of the journal in its folder.
const FILE: &str = "journal.db";

/// The version of [`Saved`]: to be raised with every change of the view, so that an older snapshot is not read.
const FORMAT: u32 = 3;
