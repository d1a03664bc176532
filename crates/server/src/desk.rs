//! What the API may see and do: the one place where it touches the rest of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tandem_center::call::{LineName, RecordingId};
use tandem_center::explain::{Explanation, explain_offer};
use tandem_center::fact::Fact;
use tandem_center::id::InteractionId;
use tandem_center::supervise::Refusal;
use tandem_center::{Input, Timestamp};
use tandem_metrics::report::{Report, Settings};
use tandem_people::directory::Solved;
use tandem_store::{Closed, FactNumber, InteractionKey, Journal, Lag, Record, Tenant};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::engine::{Carried, Order, Status, TOLD_MAX};
use crate::experts::Solvers;
use crate::live::{Live, Writing, wait_committed};
use crate::record;
use crate::recordings::Recordings;
use crate::reports::Reports;
use crate::restore::{self, Before, RestoreFault};

/// A handle for everybody who serves people; clones are the same desk.
#[derive(Clone)]
pub struct Desk {
    tenant: Tenant,
    terms: Arc<RwLock<Terms>>,
    journal: Journal,
    live: Arc<Live>,
    orders: mpsc::Sender<Order>,
    recordings: Recordings,
    reports: Arc<Reports>,
    solvers: Arc<Solvers>,
    /// One past offer is explained at a time: each takes a processor for a while.
    explaining: Arc<Semaphore>,
    /// Reads of the journal and the disk that go on, also for those who wait for them no longer.
    reading: Arc<Semaphore>,
}

/// What the configuration says of a tenant, beside its contact center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What people call the tenant; empty for one who is alone.
    pub name: Arc<str>,
    /// The lines over which its calls come and go.
    pub lines: Arc<BTreeSet<LineName>>,
    /// For how many days it is kept of whom was talked to; 0 is for ever.
    pub keep_days: u32,
}

/// The desks of all tenants; clones are the same.
#[derive(Clone)]
pub struct Desks {
    all: Arc<RwLock<Arc<BTreeMap<Tenant, Desk>>>>,
}

/// The story of one interaction, read from the journal.
#[derive(Debug)]
pub struct Story {
    /// Its facts in order; never empty.
    pub facts: Vec<Arc<Fact>>,
    /// There are more, which are left out.
    pub cut: bool,
}

/// An order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderFault {
    /// The center refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// As many orders wait as may; nothing changed.
    #[error("the engine is overloaded")]
    Overloaded,
    /// The program is ending, or the engine did not answer in time.
    #[error("the engine does not answer")]
    Silent,
    /// It was carried out, and the journal has not written it in time.
    #[error("the order holds, but is not written yet")]
    Unwritten,
}

/// Something cannot be read from the journal.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The file.
    #[error(transparent)]
    Journal(#[from] tandem_store::Fault),
    /// A fact that this release does not understand.
    #[error("fact {number} of the journal cannot be read: {source}")]
    Fact {
        /// Its number.
        number: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The program is ending.
    #[error("the program is ending")]
    Ending,
}

/// Why an offer was made cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ExplainFault {
    /// The journal.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// The state before the offer.
    #[error(transparent)]
    Restore(#[from] RestoreFault),
    /// More would have to be folded than is done while calls go on.
    #[error("the offer is too far back to be explained while the program runs")]
    TooFarBack,
    /// Another past offer is being explained.
    #[error("another past offer is being explained")]
    Busy,
}

impl Desks {
    /// The desks of these tenants.
    pub fn new(desks: impl IntoIterator<Item = Desk>) -> Desks {
        let all = desks.into_iter().map(|desk| (desk.tenant.clone(), desk)).collect();
        Desks { all: Arc::new(RwLock::new(Arc::new(all))) }
    }

    /// The desk of a tenant.
    pub fn desk(&self, tenant: &Tenant) -> Option<Desk> {
        self.all().get(tenant).cloned()
    }

    /// All desks that there are at this moment, by tenant.
    pub fn all(&self) -> Arc<BTreeMap<Tenant, Desk>> {
        Arc::clone(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds the desk of a further tenant.
    pub fn add(&self, desk: Desk) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut all).insert(desk.tenant.clone(), desk);
    }

    /// What the door sees of the other networks.
    ///
    /// # Errors
    ///
    /// See [`OrderFault`].
    pub async fn status(&self) -> Result<Status, OrderFault> {
        // The door is one for all.
        let any = self.all().values().next().cloned();
        any.ok_or(OrderFault::Silent)?.status().await
    }

    /// How writing goes, and how far it is behind; one journal is for all.
    pub fn writing(&self) -> (Writing, Lag) {
        match self.all().values().next() {
            Some(desk) => (desk.live.writing().borrow().clone(), desk.lag()),
            None => (Writing::Well, Lag::default()),
        }
    }

    /// The desk of a tenant who is alone.
    pub fn only(&self) -> Option<Desk> {
        let all = self.all();
        all.values().next().filter(|_| all.len() == 1).cloned()
    }
}

impl Desk {
    /// A desk for the tenant of this state, of whom the configuration says so.
    pub fn new(
        live: Arc<Live>,
        terms: Terms,
        journal: Journal,
        orders: mpsc::Sender<Order>,
        recordings: Recordings,
    ) -> Desk {
        Desk {
            tenant: live.tenant().clone(),
            terms: Arc::new(RwLock::new(terms)),
            journal,
            live,
            orders,
            recordings,
            reports: Arc::default(),
            solvers: Arc::default(),
            explaining: Arc::new(Semaphore::new(1)),
            reading: Arc::new(Semaphore::new(READS_MAX)),
        }
    }

    /// What the configuration says of the tenant.
    pub fn terms(&self) -> Terms {
        self.terms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on the configuration says this.
    pub fn set_terms(&self, terms: Terms) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = terms;
    }

    /// For how many days it is kept of whom was talked to; 0 is for ever.
    pub fn keep_days(&self) -> u32 {
        self.terms.read().unwrap_or_else(PoisonError::into_inner).keep_days
    }

    /// Whose desk it is.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// What people call the tenant; empty for one who is alone.
    pub fn name(&self) -> Arc<str> {
        self.terms().name
    }

    /// Where recordings are.
    pub fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    /// The lines over which calls come and go.
    pub fn lines(&self) -> Arc<BTreeSet<LineName>> {
        self.terms().lines
    }

    /// The whole sound of a finished recording, as a WAV file; `None` if there is none of this name.
    ///
    /// # Errors
    ///
    /// The system refuses to read it.
    pub async fn recording(&self, id: RecordingId) -> io::Result<Option<Vec<u8>>> {
        self.at_disk(move |desk| {
            let Some(mut kept) = desk.recordings.open(id)? else { return Ok(None) };
            let mut sound = Vec::with_capacity(usize::try_from(kept.octets).unwrap_or_default());
            io::Read::read_to_end(&mut kept.file, &mut sound)?;
            Ok(Some(sound))
        })
        .await
    }

    /// Removes a finished recording for ever; `false` if there is none of this name.
    ///
    /// # Errors
    ///
    /// The system refuses to remove it.
    pub async fn forget_recording(&self, id: RecordingId) -> io::Result<bool> {
        self.at_disk(move |desk| desk.recordings.forget(id)).await
    }

    /// The committed state.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// How far writing is behind.
    pub fn lag(&self) -> Lag {
        self.journal.lag()
    }

    /// Has a command carried out, and waits until what came of it is committed.
    ///
    /// # Errors
    ///
    /// See [`OrderFault`].
    pub async fn command(&self, command: Input) -> Result<Carried, OrderFault> {
        let tenant = self.tenant.clone();
        let carried = self.ask(|reply| Order::Center { tenant, command, reply }).await??;
        match wait_committed(&self.live, carried.last, COMMIT_PATIENCE).await {
            true => Ok(carried),
            false => Err(OrderFault::Unwritten),
        }
    }

    /// Tells the center what happened elsewhere, and waits only until the engine has room: half of it is left to people.
    ///
    /// # Errors
    ///
    /// [`OrderFault::Silent`]: the program is ending.
    pub async fn tell(&self, inputs: Vec<Input>) -> Result<(), OrderFault> {
        let mut rest = inputs;
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(TOLD_MAX));
            let mut order = Order::Told { tenant: self.tenant.clone(), inputs: rest };
            loop {
                let crowded = self.orders.capacity() <= self.orders.max_capacity() / 2;
                order = match (crowded, order) {
                    (true, order) => order,
                    (false, order) => match self.orders.try_send(order) {
                        Ok(()) => break,
                        Err(mpsc::error::TrySendError::Full(order)) => order,
                        Err(mpsc::error::TrySendError::Closed(_)) => return Err(OrderFault::Silent),
                    },
                };
                if self.orders.is_closed() {
                    return Err(OrderFault::Silent);
                }
                tokio::time::sleep(CROWDED_PAUSE).await;
            }
            rest = later;
        }
        Ok(())
    }

    /// What the door sees of the other networks.
    ///
    /// # Errors
    ///
    /// See [`OrderFault`].
    pub async fn status(&self) -> Result<Status, OrderFault> {
        self.ask(|reply| Order::Status { reply }).await
    }

    /// Everything that happened in one interaction; `None` if there is none of this number.
    ///
    /// # Errors
    ///
    /// See [`ReadFault`].
    pub async fn story(&self, interaction: InteractionId) -> Result<Option<Story>, ReadFault> {
        self.read(move |desk| desk.read_story(InteractionKey(interaction.0))).await
    }

    /// Why an offer was made, by the number of its fact. Recent ones are remembered, others are explained from the
    /// journal; `None` if there is no such offer in this interaction.
    ///
    /// # Errors
    ///
    /// See [`ExplainFault`].
    pub async fn explained(
        &self,
        interaction: InteractionId,
        offer: u64,
    ) -> Result<Option<Arc<Explanation>>, ExplainFault> {
        if let Some(explanation) = self.live.explained(offer) {
            return Ok((explanation.interaction == interaction).then_some(explanation));
        }
        let turn = self.explaining.clone().try_acquire_owned();
        let Ok(turn) = turn else { return Err(ExplainFault::Busy) };
        let desk = self.clone();
        let explain = move || {
            let explained = desk.explain_from_journal(interaction, offer);
            drop(turn);
            explained
        };
        let explained = tokio::task::spawn_blocking(explain).await;
        explained.map_err(|_| ReadFault::Ending)?
    }

    /// Reads something from a report with these settings that has everything in it that is committed.
    ///
    /// # Errors
    ///
    /// See [`ReadFault`].
    pub async fn report<T: Send + 'static>(
        &self,
        settings: Settings,
        read: impl FnOnce(&Report, Timestamp) -> T + Send + 'static,
    ) -> Result<T, ReadFault> {
        self.read(move |desk| desk.reports.read(&desk.journal, &desk.tenant, settings, read)).await
    }

    /// Who solved what before, with everything that is committed.
    ///
    /// # Errors
    ///
    /// See [`ReadFault`].
    pub async fn solved(&self) -> Result<Arc<Solved>, ReadFault> {
        self.read(|desk| desk.solvers.read(&desk.journal, &desk.tenant)).await
    }

    /// The stories of the interactions that were closed last, the latest first, each with the number of the fact that
    /// closed it. `before` is such a number: of the last one of the page before.
    ///
    /// # Errors
    ///
    /// See [`ReadFault`].
    pub async fn closed(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Story)>, ReadFault> {
        self.read(move |desk| {
            let page = desk.journal.closed(&desk.tenant, before.map(FactNumber), limit)?;
            let story = |closed: Closed| {
                let story = desk.read_story(closed.interaction).transpose()?;
                Some(story.map(|story| (closed.number.0, story)))
            };
            page.into_iter().filter_map(story).collect()
        })
        .await
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, OrderFault> {
        let (reply, answer) = oneshot::channel();
        self.orders.try_send(order(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => OrderFault::Overloaded,
            mpsc::error::TrySendError::Closed(_) => OrderFault::Silent,
        })?;
        match tokio::time::timeout(ANSWER_PATIENCE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(OrderFault::Silent),
        }
    }

    fn explain_from_journal(
        &self,
        interaction: InteractionId,
        offer: u64,
    ) -> Result<Option<Arc<Explanation>>, ExplainFault> {
        if offer == 0 || offer > self.live.view().live.number {
            return Ok(None);
        }
        let found = restore::before(&self.journal, &self.tenant, offer, FOLDED_MAX)?;
        let Before { view, fact } = found.ok_or(ExplainFault::TooFarBack)?;
        let offer = fact.filter(|fact| fact.interaction() == Some(interaction));
        Ok(offer.and_then(|offer| explain_offer(&view, &offer)).map(Arc::new))
    }

    async fn at_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let turn = self.reading.clone().acquire_owned().await.map_err(io::Error::other)?;
        let desk = self.clone();
        let work = move || {
            let done = work(&desk);
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }

    /// The disk may take its time: reads run where waiting harms nobody.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Desk) -> Result<T, ReadFault> + Send + 'static,
    ) -> Result<T, ReadFault> {
        let turn = self.reading.clone().acquire_owned().await.map_err(|_| ReadFault::Ending)?;
        let desk = self.clone();
        let read = move || {
            let done = read(&desk);
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(read).await.map_err(|_| ReadFault::Ending)?
    }

    /// Committed facts after a number, as lines of the journal.
    pub(crate) fn records(&self, after: FactNumber, limit: usize) -> Result<Vec<Record>, ReadFault> {
        Ok(self.journal.facts(&self.tenant, after, limit)?)
    }

    /// The same of one interaction.
    pub(crate) fn story_records(&self, interaction: InteractionKey) -> Result<Vec<Record>, ReadFault> {
        Ok(self.journal.story(&self.tenant, interaction)?.records)
    }

    /// The same of those that say something about people and are not erased.
    pub(crate) fn personal(&self, after: FactNumber, limit: usize) -> Result<Vec<Record>, ReadFault> {
        Ok(self.journal.personal(&self.tenant, after, limit)?)
    }

    /// The interactions of which something about people is known since before a moment.
    pub(crate) fn keys_known_since(
        &self,
        before_ms: i64,
        after: Option<InteractionKey>,
        limit: usize,
    ) -> Result<Vec<InteractionKey>, ReadFault> {
        Ok(self.journal.known_since(&self.tenant, before_ms, after, limit)?)
    }

    fn read_story(&self, interaction: InteractionKey) -> Result<Option<Story>, ReadFault> {
        let story = self.journal.story(&self.tenant, interaction)?;
        if story.records.is_empty() {
            return Ok(None);
        }
        let mut facts = Vec::with_capacity(story.records.len());
        for record in story.records {
            let fact = record::read(&record)
                .map_err(|source| ReadFault::Fact { number: record.number.0, source })?;
            facts.push(Arc::new(fact));
        }
        Ok(Some(Story { facts, cut: story.cut }))
    }
}

/// Facts that are folded for the explanation of a past offer: some seconds.
const FOLDED_MAX: u64 = 500_000;

/// Reads of one tenant that go on at once; further ones wait, for as long as a request may take. A long report that
/// nobody waits for any more still holds its place, so that however often it is asked for, other tenants find threads to read.
const READS_MAX: usize = 8;

/// How long an order waits for the engine; beyond it the engine counts as silent.
const ANSWER_PATIENCE: Duration = Duration::from_secs(3);

/// How long whoever tells something waits before looking again whether the engine has room.
const CROWDED_PAUSE: Duration = Duration::from_millis(2);

/// How long a command waits until it is written. Commits take milliseconds; a failing disk is the exception.
pub const COMMIT_PATIENCE: Duration = Duration::from_secs(3);
