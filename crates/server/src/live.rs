//! What people see: the fold over committed facts, and those who follow it.
//!
//! The engine hands each fact to the [`Recorder`], which gives it to the journal. Only when the journal has told that
//! a fact is committed is it folded into the [`View`] and sent to those who follow. So a screen never shows what a
//! crash could take back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tandem_center::explain::{Explanation, explain_offer};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::view::View;
use tandem_store::{Event, FactNumber, Journal, Refusal, Room, Tenant, Unwritten};
use tokio::sync::{broadcast, watch};

use crate::metrics::Tally;
use crate::record::{self, Written};
use crate::restore;

/// The committed state of the contact center, and where it is going.
///
/// Locks are taken in the order of the fields, and none is held for long: the engine touches only the first.
pub struct Live {
    tenant: Tenant,
    /// Appended and not committed, in order.
    pending: Mutex<VecDeque<Pending>>,
    shown: Mutex<Shown>,
    health: Arc<Health>,
    /// Gone when the program ends.
    journal: Mutex<Option<Journal>>,
    committed: watch::Sender<u64>,
    groups: broadcast::Sender<Arc<Group>>,
}

/// The committed states of all tenants, whose facts share one journal.
#[derive(Default)]
pub struct Books {
    lives: Mutex<BTreeMap<Tenant, Arc<Live>>>,
    health: Arc<Health>,
}

/// How writing goes, of one journal for all who write into it.
struct Health {
    trouble: Mutex<Trouble>,
    writing: watch::Sender<Writing>,
}

/// Facts that were committed together, ready to be sent.
#[derive(Debug)]
pub struct Group {
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// The facts as a JSON array.
    pub facts: String,
}

/// How writing the journal goes. Whoever takes new calls looks at it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Well.
    Well,
    /// Facts wait: the disk is slow, or fails for this reason. No new calls may be taken; those in progress go on.
    Behind {
        /// Why, with the remedy, if the disk fails.
        fault: Option<String>,
    },
    /// The program must end: what it decides can no longer be written. A restart goes on from what is written.
    Over {
        /// Why, with the remedy.
        reason: &'static str,
    },
}

/// A place from which to follow: the state at a number, and all groups after it.
pub struct Follower {
    /// The state now.
    pub view: Arc<View>,
    /// What follows. A follower that falls more than [`GROUPS_KEPT`] groups behind is told so, and starts again.
    pub groups: broadcast::Receiver<Arc<Group>>,
}

/// A fact on its way, and how it is shown.
type Pending = (Arc<Fact>, Arc<[u8]>);

/// What is committed.
#[derive(Default)]
struct Shown {
    view: Arc<View>,
    tally: Tally,
    explained: Explained,
    /// The number of the last snapshot.
    snapshot: u64,
    /// Something was erased, and the journal has dropped its snapshot with it, because that names people.
    snapshot_gone: bool,
}

/// Why the last offers were made, by the number of their fact.
#[derive(Default)]
struct Explained {
    offers: BTreeMap<u64, Arc<Explanation>>,
    /// The lines of all of them: each tells of every agent of its queue.
    lines: usize,
}

/// What is wrong with writing.
#[derive(Default)]
struct Trouble {
    /// Why the disk fails, with the remedy.
    fault: Option<String>,
    /// Of whom more facts wait than should.
    short: BTreeSet<Tenant>,
}

impl Default for Health {
    fn default() -> Health {
        Health { trouble: Mutex::default(), writing: watch::Sender::new(Writing::Well) }
    }
}

impl Health {
    fn say(&self, trouble: &Trouble) {
        let next = match (&trouble.fault, trouble.short.is_empty()) {
            (None, true) => Writing::Well,
            (fault, _) => Writing::Behind { fault: fault.clone() },
        };
        self.writing.send_if_modified(|writing| {
            let change = *writing != next && !matches!(writing, Writing::Over { .. });
            if change {
                *writing = next;
            }
            change
        });
    }

    fn end(&self, reason: &'static str) {
        self.writing.send_replace(Writing::Over { reason });
    }
}

impl Books {
    /// Opens a page for a tenant; what the journal holds of it is read by [`crate::restore`].
    pub fn open(&self, tenant: &Tenant) -> Arc<Live> {
        let live = Live::new(tenant.clone(), self.health.clone());
        lock(&self.lives).insert(tenant.clone(), live.clone());
        live
    }

    /// The state of a tenant.
    pub fn live(&self, tenant: &Tenant) -> Option<Arc<Live>> {
        lock(&self.lives).get(tenant).cloned()
    }

    /// How writing goes.
    pub fn writing(&self) -> watch::Receiver<Writing> {
        self.health.writing.subscribe()
    }

    /// Takes what the journal tells. Called on the journal's own thread.
    pub fn on_journal(&self, event: Event) {
        match event {
            Event::Committed { tenant, number } => {
                if let Some(live) = self.live(&tenant) {
                    live.on_committed(number);
                }
            }
            Event::Failing { fault, waiting } => {
                tracing::error!(fault = %fault, remedy = fault.remedy(), facts.waiting = waiting, "journal fails");
                let mut trouble = lock(&self.health.trouble);
                trouble.fault = Some(format!("{fault}; {}", fault.remedy()));
                self.health.say(&trouble);
            }
            Event::Recovered => {
                tracing::info!("journal is written again, nothing was lost");
                let mut trouble = lock(&self.health.trouble);
                trouble.fault = None;
                self.health.say(&trouble);
            }
            Event::Fenced { tenant } => {
                tracing::error!(tenant = %tenant, "another process has taken over the journal");
                self.health.end(FENCED);
            }
        }
    }

    /// Writes what waits and the states themselves, for a fast next start, and closes the journal.
    ///
    /// # Errors
    ///
    /// The disk failed, and this many facts are lost.
    pub fn close(&self, journal: Journal) -> Result<(), Unwritten> {
        let written = journal.flush(CLOSE_PATIENCE).is_ok();
        for live in lock(&self.lives).values() {
            // Nothing is put away any more by what is still told.
            let held = lock(&live.journal).take();
            if written && held.is_some() {
                restore::put_snapshot(&journal, &live.tenant, &live.view());
            }
        }
        journal.close()
    }
}

impl Live {
    /// The state of a tenant whose journal is not open yet: nothing.
    fn new(tenant: Tenant, health: Arc<Health>) -> Arc<Live> {
        Arc::new(Live {
            tenant,
            pending: Mutex::default(),
            shown: Mutex::default(),
            health,
            journal: Mutex::default(),
            committed: watch::Sender::new(0),
            groups: broadcast::Sender::new(GROUPS_KEPT),
        })
    }

    /// Whose state it is.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Takes the state that the journal holds, once, before anything is recorded.
    pub fn begin(&self, journal: Journal, view: View) {
        let mut shown = lock(&self.shown);
        self.committed.send_replace(view.live.number);
        shown.snapshot = view.live.number;
        shown.view = Arc::new(view);
        *lock(&self.journal) = Some(journal);
    }

    /// Writes what waits and the state itself, and closes the journal, where nobody else writes into it.
    ///
    /// # Errors
    ///
    /// The disk failed, and this many facts are lost.
    pub fn close(&self) -> Result<(), Unwritten> {
        let Some(journal) = lock(&self.journal).take() else { return Ok(()) };
        if journal.flush(CLOSE_PATIENCE).is_ok() {
            restore::put_snapshot(&journal, &self.tenant, &self.view());
        }
        journal.close()
    }

    /// The committed state now. Cheap: the value is shared, and changed in a copy while somebody holds it.
    pub fn view(&self) -> Arc<View> {
        lock(&self.shown).view.clone()
    }

    /// What has been counted since the program was started.
    pub fn tally(&self) -> Tally {
        lock(&self.shown).tally.clone()
    }

    /// Why an offer was made, by the number of its fact, if it was one of the last.
    pub fn explained(&self, offer: u64) -> Option<Arc<Explanation>> {
        lock(&self.shown).explained.offers.get(&offer).cloned()
    }

    /// The state now and everything after it, without a gap.
    pub fn follow(&self) -> Follower {
        let shown = lock(&self.shown);
        Follower { view: shown.view.clone(), groups: self.groups.subscribe() }
    }

    /// The number of the last committed fact, and every later one.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    /// How writing goes.
    pub fn writing(&self) -> watch::Receiver<Writing> {
        self.health.writing.subscribe()
    }

    fn on_committed(&self, number: FactNumber) {
        let facts = self.take_committed(number.0);
        let snapshot = {
            let mut shown = lock(&self.shown);
            let mut group = None;
            let calm = facts.len() <= GROUP_EXPLAINED_MAX;
            for (fact, json) in &facts {
                if calm {
                    shown.explain(fact);
                }
                Arc::make_mut(&mut shown.view).apply(fact);
                shown.tally.count(fact);
                add(&mut group, fact, json);
                if let FactKind::Erased { .. } = fact.kind {
                    shown.snapshot_gone = true;
                }
            }
            // Told under the lock, so that a follower who joins has each group either in the state or after it.
            if let Some(mut group) = group {
                group.facts.push(']');
                // Nobody may be following.
                let _ = self.groups.send(Arc::new(group));
            }
            shown.snapshot_due()
        };
        self.committed.send_replace(number.0);
        if let (Some(view), Some(journal)) = (snapshot, &*lock(&self.journal)) {
            restore::put_snapshot(journal, &self.tenant, &view);
        }
    }

    /// The facts that are committed now. When few still wait, new calls may be taken again.
    fn take_committed(&self, number: u64) -> Vec<Pending> {
        let mut pending = lock(&self.pending);
        let mut facts = Vec::new();
        while let Some(fact) = pending.pop_front_if(|(fact, _)| fact.number <= number) {
            facts.push(fact);
        }
        let mut trouble = lock(&self.health.trouble);
        if pending.len() < PENDING_CALM && trouble.short.remove(&self.tenant) {
            self.health.say(&trouble);
        }
        facts
    }

    fn push(&self, facts: impl IntoIterator<Item = Pending>) {
        lock(&self.pending).extend(facts);
    }

    /// The journal has said that too many facts wait.
    fn short(&self) {
        let pending = lock(&self.pending);
        let mut trouble = lock(&self.health.trouble);
        // They may have been committed since: then no later commit would take the word back.
        if !trouble.short.contains(&self.tenant) && pending.len() >= PENDING_CALM {
            tracing::error!(
                facts.waiting = pending.len(),
                "journal does not keep up: no new calls are taken"
            );
            trouble.short.insert(self.tenant.clone());
            self.health.say(&trouble);
        }
    }
}

impl Shown {
    /// Explains an offer from the state before it.
    fn explain(&mut self, fact: &Fact) {
        if let Some(explanation) = explain_offer(&self.view, fact) {
            self.explained.keep(fact.number, explanation);
        }
    }

    /// The state, if enough has happened since the last snapshot.
    fn snapshot_due(&mut self) -> Option<Arc<View>> {
        let number = self.view.live.number;
        if !self.snapshot_gone && number < self.snapshot.saturating_add(SNAPSHOT_EVERY) {
            return None;
        }
        self.snapshot = number;
        self.snapshot_gone = false;
        Some(self.view.clone())
    }
}

impl Explained {
    fn keep(&mut self, offer: u64, explanation: Explanation) {
        self.lines += lines(&explanation);
        self.offers.insert(offer, Arc::new(explanation));
        while self.offers.len() > EXPLAINED_MAX || (self.lines > EXPLAINED_LINES_MAX && self.offers.len() > 1)
        {
            let Some((_, oldest)) = self.offers.pop_first() else { return };
            self.lines -= lines(&oldest);
        }
    }
}

fn lines(explanation: &Explanation) -> usize {
    1 + explanation.eligible.len() + explanation.excluded.len()
}

/// Hands facts to the journal, and keeps them until they are committed.
pub struct Recorder {
    tenant: Tenant,
    journal: Journal,
    live: Arc<Live>,
}

impl Recorder {
    /// A recorder of the tenant whose state is in `live`.
    pub fn new(journal: Journal, live: Arc<Live>) -> Recorder {
        Recorder { tenant: live.tenant.clone(), journal, live }
    }

    /// Takes the facts of one turn of the engine. They are committed together. Never waits.
    ///
    /// When half of the journal's queue is taken, [`Writing::Behind`] keeps new calls out; what is left is meant for the
    /// calls in progress. If even that is used up, the program is told to end: it could not write what it decides.
    pub fn record(&mut self, facts: Vec<Fact>) {
        let mut records = Vec::with_capacity(facts.len());
        let mut pending = Vec::with_capacity(facts.len());
        for mut fact in facts {
            let Ok(Written { record, shown }) = record::write(&mut fact) else {
                tracing::error!(fact.number = fact.number, "fact cannot be encoded");
                return self.live.health.end(UNWRITABLE);
            };
            records.push(record);
            pending.push((Arc::new(fact), shown));
        }
        self.live.push(pending);
        match self.journal.append(&self.tenant, records) {
            Ok(Room::Plenty) => {}
            Ok(Room::Short) => self.live.short(),
            Err(refused) => {
                tracing::error!(reason = %refused, "facts cannot be appended");
                let fenced = matches!(refused.why, Refusal::Fenced);
                self.live.health.end(if fenced { FENCED } else { UNWRITABLE });
            }
        }
    }
}

/// A panic while a lock is held cannot leave half a change behind that matters: poison is no news.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(group: &mut Option<Group>, fact: &Fact, json: &[u8]) {
    let group =
        group.get_or_insert_with(|| Group { first: fact.number, last: fact.number, facts: String::new() });
    group.facts.push(if group.facts.is_empty() { '[' } else { ',' });
    // It was made by serde_json, which writes UTF-8.
    group.facts.push_str(&String::from_utf8_lossy(json));
    group.last = fact.number;
}

/// Waits until a fact is committed, but no longer than this.
pub async fn wait_committed(live: &Live, number: u64, patience: Duration) -> bool {
    let mut committed = live.committed();
    let reached = committed.wait_for(|committed| *committed >= number);
    matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(_)))
}

/// Groups kept for followers who are behind. At 250 groups a second, the most there are, this is one second, and
/// what the system's buffers hold comes on top.
pub const GROUPS_KEPT: usize = 256;

/// Offers of a tenant whose explanation is kept; older ones are explained from the journal when somebody asks, in some
/// 20 ms.
const EXPLAINED_MAX: usize = 100;

/// Lines of explanations that a tenant keeps, some 130 bytes each: fewer offers where queues have many agents, so that a
/// thousand tenants, or one with ten thousand agents, do not fill the memory with what nobody may ask for. The last offer
/// is kept in any case.
const EXPLAINED_LINES_MAX: usize = 2_000;

/// When more facts than this are committed at once, there is too much to do to explain offers that nobody may ask about.
const GROUP_EXPLAINED_MAX: usize = 500;

/// A snapshot is put away after this many facts: a start then folds at most that many, in some 20 ms.
const SNAPSHOT_EVERY: u64 = 5_000;

/// With fewer facts waiting than this, new calls are taken again.
const PENDING_CALM: usize = 1_000;

/// How long a program that ends waits for a slow disk.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

const FENCED: &str = "another process writes the journal of this tenant; let only one run";
const UNWRITABLE: &str = "facts can no longer be written; free the disk or repair it, then start again";

#[cfg(test)]
mod tests {
    use tandem_center::Timestamp;
    use tandem_center::channel::Channel;
    use tandem_center::config::Strategy;
    use tandem_center::explain::Excluded;
    use tandem_center::id::{AgentId, InteractionId, QueueId};
    use tandem_center::terms::Requirement;

    use super::*;

    fn of_a_queue_with(agents: usize) -> Explanation {
        let excluded = |number: usize| Excluded {
            agent: AgentId::new(format!("a{number}")),
            name: "Ada".into(),
            reasons: Vec::new(),
        };
        Explanation {
            at: Timestamp::default(),
            interaction: InteractionId(1),
            channel: Channel::default(),
            queue: QueueId::new("sales"),
            queue_name: "Sales".into(),
            strategy: Strategy::default(),
            position: 1,
            of: 1,
            waited_us: 0,
            waited_in_all_us: 0,
            priority: 3,
            vip: false,
            asked: Requirement::default(),
            next: None,
            expected_us: None,
            ringing: Vec::new(),
            held: None,
            eligible: Vec::new(),
            excluded: (0..agents).map(excluded).collect(),
        }
    }

    #[test]
    fn of_small_queues_the_last_hundred_explanations_are_kept() {
        let mut explained = Explained::default();
        (1..=150).for_each(|offer| explained.keep(offer, of_a_queue_with(3)));
        assert_eq!(explained.offers.keys().copied().collect::<Vec<_>>(), (51..=150).collect::<Vec<_>>());
        assert_eq!(explained.lines, 100 * 4);
    }

    #[test]
    fn of_large_queues_fewer_and_the_last_in_any_case() {
        let mut explained = Explained::default();
        (1..=50).for_each(|offer| explained.keep(offer, of_a_queue_with(199)));
        assert_eq!(explained.offers.keys().copied().collect::<Vec<_>>(), (41..=50).collect::<Vec<_>>());
        explained.keep(51, of_a_queue_with(10_000));
        assert_eq!(explained.offers.keys().copied().collect::<Vec<_>>(), [51]);
        assert_eq!(explained.lines, 10_001);
    }
}
