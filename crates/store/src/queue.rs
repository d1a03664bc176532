//! What has been appended and is not committed yet: the bounded queue between deciding and writing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{FactNumber, Record, Tenant};

/// How much room the queue still has after an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Go on.
    Plenty,
    /// More than half of the queue is taken: the disk does not keep up, or fails. Take no new calls until it is
    /// [`Room::Plenty`] again, so that the calls in progress can be written to their end.
    Short,
}

/// Facts that were not taken, given back with the reason.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// Why.
    pub why: Refusal,
    /// The facts, all of them: an append is taken whole or not at all.
    pub records: Vec<Record>,
}

/// Why facts were not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The queue is full. The facts may be appended again later, before any others.
    #[error("the journal does not keep up: {waiting} facts wait to be written")]
    Full {
        /// How many facts wait.
        waiting: usize,
    },
    /// A number is not the one that follows; nothing may be appended out of order.
    #[error("fact {expected} is expected next, not {given}")]
    OutOfOrder {
        /// The number that follows the last appended fact.
        expected: FactNumber,
        /// The number that was given.
        given: FactNumber,
    },
    /// Somebody else has appended to this tenant's journal; this process may never write to it again.
    #[error("another writer has taken over the journal of this tenant")]
    Fenced,
    /// The tenant is being removed, see [`crate::Journal::remove`].
    #[error("the journal of this tenant is being removed")]
    Removing,
    /// A fact is larger than the journal takes.
    #[error("fact {number} has {bytes} bytes, more than the {FACT_BYTES_MAX} allowed")]
    TooLarge {
        /// Which fact.
        number: FactNumber,
        /// Its size.
        bytes: usize,
    },
    /// The journal is closed.
    #[error("the journal is closed")]
    Closed,
    /// The last number of the tenant could not be read.
    #[error(transparent)]
    Unreadable(#[from] crate::Fault),
}

/// How far writing is behind appending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Facts that are appended and not committed.
    pub facts_waiting: usize,
    /// How long the oldest of them has waited; zero if none waits.
    pub oldest: Duration,
}

/// The queue, shared by those who append and the writer.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Something was put in, or the queue is closing.
    filled: Condvar,
    /// A group left the queue for good, or the queue is closed.
    emptied: Condvar,
    facts_max: usize,
}

/// What the writer finds in the queue.
pub(crate) enum Taken {
    /// Something to write.
    Group(Group),
    /// Nothing, for as long as it was willing to wait.
    Nothing,
    /// The queue is closing and empty.
    End,
}

/// What the writer takes out at once, and how much it counted for in the queue.
pub(crate) struct Group {
    pub(crate) entries: Vec<Entry>,
    facts: usize,
    bytes: usize,
}

/// What was put in at once.
pub(crate) enum Entry {
    /// Facts of one append, to be committed together.
    Facts { tenant: Tenant, records: Vec<Record>, since: Instant },
    /// What all facts up to a number add up to.
    Snapshot { tenant: Tenant, number: FactNumber, format: u32, state: Vec<u8> },
    /// Everything of a tenant is to be removed.
    Removal { tenant: Tenant },
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Entry>,
    /// Counted until committed, so the group that is being written counts.
    facts: usize,
    bytes: usize,
    /// A group is taken and not done.
    writing: bool,
    writing_since: Option<Instant>,
    last: BTreeMap<Tenant, FactNumber>,
    fenced: BTreeSet<Tenant>,
    /// Tenants of which something is still to be removed.
    removing: BTreeSet<Tenant>,
    phase: Phase,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Nothing more is taken; what waits is written.
    Closing,
    /// The writer has ended.
    Closed,
}

impl Queue {
    pub(crate) fn new(facts_max: usize) -> Queue {
        let state = Mutex::new(State::default());
        Queue { state, filled: Condvar::new(), emptied: Condvar::new(), facts_max }
    }

    /// The last number appended, if the tenant is known here.
    pub(crate) fn last(&self, tenant: &Tenant) -> Option<FactNumber> {
        self.lock().last.get(tenant).copied()
    }

    /// Makes a tenant known with the last number that stands in the file.
    pub(crate) fn register(&self, tenant: &Tenant, last: FactNumber) -> FactNumber {
        let mut state = self.lock();
        if state.removing.contains(tenant) {
            // What is there now will not be.
            return last;
        }
        *state.last.entry(tenant.clone()).or_insert(last)
    }

    /// From now on nothing of this tenant is taken, until it is removed. `false` if the journal is closed.
    pub(crate) fn push_removal(&self, tenant: &Tenant) -> bool {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return false;
        }
        state.waiting.push_back(Entry::Removal { tenant: tenant.clone() });
        state.remove(tenant);
        drop(state);
        self.filled.notify_one();
        true
    }

    /// Tenants whose removal had begun before the journal was opened.
    pub(crate) fn resume_removal(&self, tenants: &[Tenant]) {
        let mut state = self.lock();
        tenants.iter().for_each(|tenant| state.remove(tenant));
    }

    /// Nothing is left of a tenant: one of this name may begin anew.
    pub(crate) fn removed(&self, tenant: &Tenant) {
        let mut state = self.lock();
        state.removing.remove(tenant);
        state.last.remove(tenant);
        drop(state);
        self.emptied.notify_all();
    }

    pub(crate) fn is_removing(&self, tenant: &Tenant) -> bool {
        self.lock().removing.contains(tenant)
    }

    pub(crate) fn push(&self, tenant: &Tenant, records: Vec<Record>) -> Result<Room, Refused> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let bytes: usize = records.iter().map(Record::bytes).sum();
        let last = match state.admit(tenant, &records, bytes, self.facts_max) {
            Ok(last) => last,
            Err(why) => return Err(Refused { why, records }),
        };
        state.last.insert(tenant.clone(), last);
        state.facts += records.len();
        state.bytes += bytes;
        if !records.is_empty() {
            state.waiting.push_back(Entry::Facts { tenant: tenant.clone(), records, since: Instant::now() });
        }
        let short = state.facts > self.facts_max / 2 || state.bytes > BYTES_WAITING_MAX / 2;
        let wake = state.waiting.len() == 1 || state.facts >= GROUP_FACTS_MAX;
        drop(guard);
        if wake {
            self.filled.notify_one();
        }
        Ok(if short { Room::Short } else { Room::Plenty })
    }

    /// Puts a snapshot in, unless the queue is short of room: a snapshot may be left out at any time.
    pub(crate) fn push_snapshot(&self, tenant: &Tenant, number: FactNumber, format: u32, state: Vec<u8>) {
        let mut guard = self.lock();
        if guard.phase != Phase::Open || guard.bytes.saturating_add(state.len()) > BYTES_WAITING_MAX / 2 {
            return;
        }
        guard.bytes += state.len();
        guard.waiting.push_back(Entry::Snapshot { tenant: tenant.clone(), number, format, state });
        let wake = guard.waiting.len() == 1;
        drop(guard);
        if wake {
            self.filled.notify_one();
        }
    }

    /// The next group: waits for the first entry, for ever or as long as this, then a little longer for company.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Taken {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.phase != Phase::Open {
                return Taken::End;
            }
            state = match patience {
                None => self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (state, waited) =
                        self.filled.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                    if waited.timed_out() && state.waiting.is_empty() {
                        return Taken::Nothing;
                    }
                    state
                }
            };
        }
        let full = |state: &mut State| state.phase == Phase::Open && state.facts < GROUP_FACTS_MAX;
        let (mut state, _) =
            self.filled.wait_timeout_while(state, GROUP_WAIT, full).unwrap_or_else(PoisonError::into_inner);
        let mut group = Group { entries: Vec::new(), facts: 0, bytes: 0 };
        while group.facts < GROUP_FACTS_MAX
            && let Some(entry) = state.waiting.pop_front()
        {
            group.facts += entry.facts();
            group.bytes += entry.bytes();
            group.entries.push(entry);
        }
        state.writing = true;
        state.writing_since = group.entries.iter().find_map(Entry::since);
        Taken::Group(group)
    }

    /// The group that was taken is committed, or dropped because its tenant is fenced.
    pub(crate) fn done(&self, group: &Group) {
        let mut state = self.lock();
        state.facts = state.facts.saturating_sub(group.facts);
        state.bytes = state.bytes.saturating_sub(group.bytes);
        state.writing = false;
        state.writing_since = None;
        drop(state);
        self.emptied.notify_all();
    }

    /// From now on nothing of this tenant is taken.
    pub(crate) fn fence(&self, tenant: &Tenant) {
        self.lock().fenced.insert(tenant.clone());
    }

    /// Whether an entry is to be left out: its tenant is fenced, or will not be there any more.
    pub(crate) fn is_void(&self, entry: &Entry) -> bool {
        let state = self.lock();
        match entry {
            Entry::Removal { .. } => false,
            Entry::Facts { tenant, .. } | Entry::Snapshot { tenant, .. } => {
                state.fenced.contains(tenant) || state.removing.contains(tenant)
            }
        }
    }

    /// Waits before the next try. `false` if the queue is closing: then there is no next try.
    pub(crate) fn wait_open(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if state.phase != Phase::Open || left.is_zero() {
                return state.phase == Phase::Open;
            }
            // Appends wake this, too: they change nothing here.
            let woken = self.filled.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until nothing waits and nothing is being removed. Answers with the number of facts that still do.
    pub(crate) fn wait_empty(&self, patience: Duration) -> usize {
        let busy = |state: &mut State| {
            let idle = state.waiting.is_empty() && !state.writing && state.removing.is_empty();
            state.phase != Phase::Closed && !idle
        };
        let state = self.lock();
        let (state, _) =
            self.emptied.wait_timeout_while(state, patience, busy).unwrap_or_else(PoisonError::into_inner);
        state.facts
    }

    pub(crate) fn close(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.filled.notify_all();
    }

    pub(crate) fn writer_ended(&self) {
        self.lock().phase = Phase::Closed;
        self.emptied.notify_all();
    }

    pub(crate) fn lag(&self) -> Lag {
        let state = self.lock();
        let oldest = state.writing_since.or_else(|| state.waiting.iter().find_map(Entry::since));
        Lag { facts_waiting: state.facts, oldest: oldest.map(|since| since.elapsed()).unwrap_or_default() }
    }

    /// A panic while the lock is held cannot leave half a change behind, so poison is no news.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, tenant: &Tenant) {
        self.removing.insert(tenant.clone());
        self.last.remove(tenant);
    }

    /// The number of the last record if all may be taken.
    fn admit(
        &self,
        tenant: &Tenant,
        records: &[Record],
        bytes: usize,
        facts_max: usize,
    ) -> Result<FactNumber, Refusal> {
        if self.phase != Phase::Open {
            return Err(Refusal::Closed);
        }
        if self.removing.contains(tenant) {
            return Err(Refusal::Removing);
        }
        if self.fenced.contains(tenant) {
            return Err(Refusal::Fenced);
        }
        if self.facts + records.len() > facts_max || self.bytes.saturating_add(bytes) > BYTES_WAITING_MAX {
            return Err(Refusal::Full { waiting: self.facts });
        }
        let mut last = self.last.get(tenant).copied().unwrap_or_default();
        for record in records {
            if record.number != last.next() {
                return Err(Refusal::OutOfOrder { expected: last.next(), given: record.number });
            }
            if record.bytes() > FACT_BYTES_MAX {
                return Err(Refusal::TooLarge { number: record.number, bytes: record.bytes() });
            }
            last = record.number;
        }
        Ok(last)
    }
}

impl Entry {
    pub(crate) fn tenant(&self) -> &Tenant {
        match self {
            Entry::Facts { tenant, .. } | Entry::Snapshot { tenant, .. } | Entry::Removal { tenant } => {
                tenant
            }
        }
    }

    fn facts(&self) -> usize {
        match self {
            Entry::Facts { records, .. } => records.len(),
            Entry::Snapshot { .. } | Entry::Removal { .. } => 0,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Entry::Facts { records, .. } => records.iter().map(Record::bytes).sum(),
            Entry::Snapshot { state, .. } => state.len(),
            Entry::Removal { .. } => 0,
        }
    }

    fn since(&self) -> Option<Instant> {
        match self {
            Entry::Facts { since, .. } => Some(*since),
            Entry::Snapshot { .. } | Entry::Removal { .. } => None,
        }
    }
}

/// How long the first fact of a group waits for others. Facts are to be committed within 10 ms; the commit itself
/// takes well under one. Longer groups save little processor, shorter ones wake the writer more often.
const GROUP_WAIT: Duration = Duration::from_millis(4);

/// A group is committed early with this many facts, so that one transaction stays short.
const GROUP_FACTS_MAX: usize = 2_000;

/// Bytes that may wait, whatever the number of facts. At the limit an append is refused as [`Refusal::Full`].
const BYTES_WAITING_MAX: usize = 256 * 1024 * 1024;

/// The largest fact: the configuration of a tenant of tens of thousands has several MB. A larger one is refused as
/// [`Refusal::TooLarge`]: what is large belongs beside the journal.
const FACT_BYTES_MAX: usize = 40 * 1024 * 1024;
