//! The journal as the rest of the program sees it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::keys;
use crate::lock::lock_file;
use crate::master::Masters;
use crate::queue::Queue;
use crate::read::Readers;
use crate::removal;
use crate::schema::{self, open_writer};
use crate::upgrade;
use crate::writer::Writer;
use crate::{
    Closed, FactNumber, Fault, InteractionKey, Lag, Record, Refusal, Refused, Room, Snapshot, Story, Tenant,
};

/// Everything that happened in the contact centers of an installation, as one numbered list of facts per tenant.
///
/// A handle: clones share the file, the queue and the writer. When the last one is dropped, what waits is written
/// (one try) and the file is closed; [`Journal::close`] does the same and says whether it succeeded.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

/// How a journal is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Facts that may wait to be written. More are refused as [`crate::Refusal::Full`]; from half of it on every
    /// append answers [`Room::Short`]. The default, 100,000, is half a minute of a busy center and some 30 MB.
    pub facts_waiting_max: usize,
    /// How large the file may grow, in bytes; beyond it the journal fails as if the disk were full. The default is
    /// no limit but the disk's.
    pub bytes_max: Option<u64>,
    /// The file of the master keys, which is made if it does not exist. The default is a file beside the journal, of
    /// the same name, that ends in `.key`. Without it nothing personal in the journal can be read.
    pub keys: Option<PathBuf>,
    /// How the facts of an earlier release, which say in the clear whom they are about, are taken apart when the
    /// journal is opened. The default, `None`, leaves them as they are.
    pub split: Option<Splitter>,
}

/// Takes a fact apart; `None` if it says nothing about anybody.
pub type Splitter = fn(&[u8]) -> Option<Split>;

/// A fact taken apart.
pub struct Split {
    /// The fact without what it says about people.
    pub fact: Vec<u8>,
    /// What it says about people.
    pub personal: Vec<u8>,
}

/// What became of facts that were appended. Told on the writer's thread: a listener must be quick and never wait.
#[derive(Debug)]
pub enum Event {
    /// All facts of the tenant up to this number are committed.
    Committed {
        /// Whose.
        tenant: Tenant,
        /// The last committed one.
        number: FactNumber,
    },
    /// Somebody else has appended to this tenant's journal. What this process had not committed is dropped, and it
    /// can append nothing more: its state is no longer the truth.
    Fenced {
        /// Whose.
        tenant: Tenant,
    },
    /// Nothing can be written at present. Facts wait and are tried again twice a second, until
    /// [`Event::Recovered`].
    Failing {
        /// Why.
        fault: Fault,
        /// Facts that wait.
        waiting: usize,
    },
    /// Writing works again, and nothing was lost.
    Recovered,
}

/// The journal was closed before everything could be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{facts} facts could not be written")]
pub struct Unwritten {
    /// How many facts were not.
    pub facts: usize,
}

impl Journal {
    /// Opens the journal in this file, which is created if it does not exist, and starts its writer.
    ///
    /// Beside the file stand SQLite's `-wal` and `-shm` and an empty `.lock`, which keeps a second process out: two
    /// would fence each other. Blocks for as long as the disk takes; the time does not grow with the journal, but for the
    /// first time after an upgrade from a release that did not seal.
    ///
    /// A master key that is missing keeps nobody from going on: what it opens counts as gone, see
    /// [`Journal::lost_interactions`].
    ///
    /// # Errors
    ///
    /// Every [`Fault`]; a file that is not a journal, or a newer one, is not touched.
    pub fn open(
        path: impl Into<PathBuf>,
        settings: Settings,
        on_event: impl FnMut(Event) + Send + 'static,
    ) -> Result<Journal, Fault> {
        let path = path.into();
        if path.is_dir() {
            return Err(Fault::NotAJournal { path });
        }
        let lock = lock_file(&path)?;
        let masters = Masters::open_or_create(&keys::file(&path, settings.keys.as_deref()))?;
        let mut connection = open_writer(&path, &schema::JOURNAL, settings.bytes_max)?;
        let lost = keys::note(&connection, &masters).map_err(|source| Fault::of_sqlite(&path, source))?;
        if let Some(split) = settings.split {
            upgrade::seal_plain(&mut connection, &path, &masters, split)?;
        }
        let masters = Arc::new(masters);
        let queue = Arc::new(Queue::new(settings.facts_waiting_max));
        let removing = removal::begun(&connection).map_err(|source| Fault::of_sqlite(&path, source))?;
        queue.resume_removal(&removing);
        let writer = Writer {
            connection,
            path: path.clone(),
            queue: queue.clone(),
            on_event,
            masters: masters.clone(),
            erased: BTreeMap::new(),
            removing: removing.into(),
            log_due: false,
            lock,
        };
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run())
            .map_err(|source| Fault::of_io(&path, source))?;
        let readers = Readers::new(path, masters);
        let thread = Mutex::new(Some(thread));
        Ok(Journal { shared: Arc::new(Shared { queue, readers, lost, thread }) })
    }

    /// The number of the last fact appended, committed or not; zero if there is none.
    ///
    /// Reads the file when a tenant is first asked for, and memory from then on.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn last_number(&self, tenant: &Tenant) -> Result<FactNumber, Fault> {
        match self.shared.queue.last(tenant) {
            Some(last) => Ok(last),
            None => {
                let last = self.shared.readers.last_number(tenant)?;
                Ok(self.shared.queue.register(tenant, last))
            }
        }
    }

    /// Appends facts, which are committed together and in order of the appends within some milliseconds. Does not
    /// wait (but for the first append to a tenant of which nothing was asked before, see
    /// [`Journal::last_number`]). What becomes of them is told as an [`Event`].
    ///
    /// # Errors
    ///
    /// [`Refused`] gives all facts back: the numbers do not follow, the queue is full, the tenant is fenced, or the
    /// journal is closed.
    pub fn append(&self, tenant: &Tenant, records: Vec<Record>) -> Result<Room, Refused> {
        if let Err(fault) = self.last_number(tenant) {
            return Err(Refused { why: fault.into(), records });
        }
        self.shared.queue.push(tenant, records)
    }

    /// Puts away what all facts up to a number add up to, after those facts; replaces an older one.
    ///
    /// `format` is the version of the encoding of `state`. Without snapshots a start folds the journal from its first
    /// fact. A snapshot is a copy, so it may be left out: it is when the queue is short of room.
    ///
    /// Why snapshots, and not a table of open interactions: what a start needs is more than those (who is signed in and
    /// in which state, which configuration is in force, the counts of the day), it is already one value that
    /// the facts fold to, and writing that value every few thousand facts costs less than keeping a table with each.
    ///
    /// It is sealed, and goes with the next fact that erases something, so put one away after such a fact.
    pub fn put_snapshot(&self, tenant: &Tenant, number: FactNumber, format: u32, state: Vec<u8>) {
        self.shared.queue.push_snapshot(tenant, number, format, state);
    }

    /// Removes everything of a tenant, for ever: for a customer who has left. Does not wait.
    ///
    /// Nothing more is taken for the tenant, and what waits to be written is dropped. Its keys and its snapshot are
    /// destroyed with the next commit: from then on nothing about people can be read, in no file. Its facts go piece by
    /// piece, so that others need not wait, also after a restart. When nothing is left, a tenant of the same name may
    /// begin with its first fact. [`Journal::flush`] waits for it. If the program dies before that next commit, nothing has
    /// happened: ask again.
    ///
    /// # Errors
    ///
    /// [`Refusal::Closed`]: the journal is closed.
    pub fn remove(&self, tenant: &Tenant) -> Result<(), Refusal> {
        if self.shared.queue.push_removal(tenant) { Ok(()) } else { Err(Refusal::Closed) }
    }

    /// Whether something of a tenant is still to be removed.
    pub fn is_removing(&self, tenant: &Tenant) -> bool {
        self.shared.queue.is_removing(tenant)
    }

    /// The latest snapshot in this format, if there is one.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn snapshot(&self, tenant: &Tenant, format: u32) -> Result<Option<Snapshot>, Fault> {
        self.shared.readers.snapshot(tenant, format)
    }

    /// Committed facts after a number, in order, at most [`crate::PAGE_MAX`] of them.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn facts(&self, tenant: &Tenant, after: FactNumber, limit: usize) -> Result<Vec<Record>, Fault> {
        self.shared.readers.facts(tenant, after, limit)
    }

    /// Everything that happened in one interaction, as far as it is committed.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn story(&self, tenant: &Tenant, interaction: InteractionKey) -> Result<Story, Fault> {
        self.shared.readers.story(tenant, interaction)
    }

    /// The interactions that were closed last, the latest first, at most [`crate::PAGE_MAX`] of them. `before` is the
    /// number of the last one of the page before.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn closed(
        &self,
        tenant: &Tenant,
        before: Option<FactNumber>,
        limit: usize,
    ) -> Result<Vec<Closed>, Fault> {
        self.shared.readers.closed(tenant, before, limit)
    }

    /// Committed facts after a number that say something about people, in order, at most [`crate::PAGE_MAX`] of them.
    /// Those whose interaction was erased are left out. For who looks for everything about a person.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn personal(&self, tenant: &Tenant, after: FactNumber, limit: usize) -> Result<Vec<Record>, Fault> {
        self.shared.readers.personal(tenant, after, limit)
    }

    /// The interactions of which something about people is known since before a moment, in order, at most
    /// [`crate::PAGE_MAX`] of them. `after` is the last one of the page before. A fact that belongs to no interaction
    /// stands for itself with its number.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn known_since(
        &self,
        tenant: &Tenant,
        before_ms: i64,
        after: Option<InteractionKey>,
        limit: usize,
    ) -> Result<Vec<InteractionKey>, Fault> {
        self.shared.readers.known_since(tenant, before_ms, after, limit)
    }

    /// How many interactions nobody can read the personal data of, because their master key was not in the file of
    /// keys when the journal was opened. Their facts are there all the same.
    pub fn lost_interactions(&self) -> u64 {
        self.shared.lost
    }

    /// How far writing is behind.
    pub fn lag(&self) -> Lag {
        self.shared.queue.lag()
    }

    /// Waits until all that was appended is committed and told, and all that was removed is gone, but no longer than this.
    ///
    /// # Errors
    ///
    /// Facts still wait; they stay in the queue.
    pub fn flush(&self, patience: Duration) -> Result<(), Unwritten> {
        match self.shared.queue.wait_empty(patience) {
            0 => Ok(()),
            facts => Err(Unwritten { facts }),
        }
    }

    /// Takes nothing more from any handle, writes what waits and ends the writer. Other handles can still read; the
    /// file may be opened again, by this process or another.
    ///
    /// # Errors
    ///
    /// The disk failed, and this many facts are lost.
    pub fn close(self) -> Result<(), Unwritten> {
        self.shared.end_writer();
        self.flush(Duration::ZERO)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { facts_waiting_max: 100_000, bytes_max: None, keys: None, split: None }
    }
}

struct Shared {
    queue: Arc<Queue>,
    readers: Readers,
    lost: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Shared {
    fn end_writer(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The listener may hold the last handle: then this is the writer's own thread, and it ends by itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // A panic of the listener has been reported by its own thread.
            let _ = thread.join();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.end_writer();
    }
}
