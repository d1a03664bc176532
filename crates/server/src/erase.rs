//! Erasing personal data: of one interaction, of everything with one person, of what was kept as long as it may be; and of a
//! customer who has left, everything.
//!
//! The center decides and the journal destroys the key; here it is found out what is to be erased, and recordings of
//! the interaction are removed first. If the program ends in between, the wish can be repeated: nothing is ever said to
//! be erased that is not.

pub mod tenant;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tandem_center::Input;
use tandem_center::call::{Address, RecordingId};
use tandem_center::erase::{ErasedBy, Erasure};
use tandem_center::fact::{Fact, FactKind, PersonalMut};
use tandem_center::id::InteractionId;
use tandem_center::supervise::{Refusal, RefusalReason, Subject};
use tandem_store::{FactNumber, Gone, InteractionKey, Personal, Record};
use tokio::task::JoinSet;

use crate::desk::{Desk, Desks, OrderFault, ReadFault};
use crate::record;

/// What became of a search for everything with a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Erased.
    pub erased: Vec<InteractionId>,
    /// Not erased, because they are not over yet.
    pub open: Vec<InteractionId>,
    /// There is more to look through, after this fact.
    pub next: Option<u64>,
}

/// Personal data was not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseFault {
    /// The center refused, or did not answer.
    #[error(transparent)]
    Order(#[from] OrderFault),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// A recording cannot be removed.
    #[error("recording {recording} cannot be removed: {source}")]
    Recording {
        /// The recording.
        recording: RecordingId,
        /// What the system says.
        source: io::Error,
    },
}

impl EraseFault {
    fn is_still_open(&self) -> bool {
        matches!(self, EraseFault::Order(OrderFault::Refused(refusal)) if refusal.reason == RefusalReason::StillOpen)
    }
}

/// What the journal has of an interaction.
struct Found {
    /// Something about people that is not erased.
    personal: bool,
    recordings: Vec<RecordingId>,
}

impl Desk {
    /// Erases what is known about the people of one interaction that is over, and removes its recordings. Answers with
    /// the number of the fact that says so, or of the last fact if it was erased before.
    ///
    /// # Errors
    ///
    /// See [`EraseFault`]; there is no such interaction, or it is not over, among them.
    pub async fn erase(
        &self,
        interaction: InteractionId,
        by: ErasedBy,
        why: Option<Arc<str>>,
    ) -> Result<u64, EraseFault> {
        let refused =
            |reason| OrderFault::Refused(Refusal { subject: Subject::Interaction(interaction), reason });
        if self.live().view().live.interactions.contains_key(&interaction) {
            return Err(refused(RefusalReason::StillOpen).into());
        }
        let found = self.read(move |desk| desk.find(interaction)).await?;
        let Some(Found { personal, recordings }) = found else {
            return Err(refused(RefusalReason::UnknownInteraction).into());
        };
        self.forget(recordings).await?;
        if !personal {
            return Ok(self.live().view().live.number);
        }
        let erasure = Erasure { interaction, by, why };
        Ok(self.command(Input::Erase(erasure)).await?.last)
    }

    /// Erases every interaction in which this is the address of the customer, looking through a part of the journal
    /// that begins after a fact. Interactions in which somebody else was handed over to the address are not meant.
    ///
    /// # Errors
    ///
    /// See [`EraseFault`]; what was erased before it stays so.
    pub async fn erase_person(
        &self,
        who: Address,
        after: u64,
        why: Option<Arc<str>>,
    ) -> Result<Search, EraseFault> {
        let (found, next) = self.read(move |desk| desk.search(&who, FactNumber(after))).await?;
        let (erased, open) = self.erase_all(found, ErasedBy::Request, why).await?;
        Ok(Search { erased, open, next: next.map(|number| number.0) })
    }

    /// Erases what is known of interactions that began before a moment, in milliseconds since 1970 UTC, oldest first, at
    /// most [`RETENTION_RUN_MAX`]. Answers with how many, and whether there may be more.
    ///
    /// # Errors
    ///
    /// See [`EraseFault`]; what was erased before it stays so.
    pub async fn erase_expired(&self, before_ms: i64) -> Result<(usize, bool), EraseFault> {
        let (mut erased, mut after) = (0, None);
        while erased < RETENTION_RUN_MAX {
            let page = self.read(move |desk| desk.known_since(before_ms, after)).await?;
            let Some(last) = page.last() else { return Ok((erased, false)) };
            after = Some(InteractionKey(last.0));
            erased += self.erase_all(page, ErasedBy::Retention, None).await?.0.len();
        }
        Ok((erased, true))
    }

    /// Erases those that are over; the others are handed back.
    async fn erase_all(
        &self,
        all: impl IntoIterator<Item = InteractionId>,
        by: ErasedBy,
        why: Option<Arc<str>>,
    ) -> Result<(Vec<InteractionId>, Vec<InteractionId>), EraseFault> {
        let (mut erased, mut open) = (Vec::new(), Vec::new());
        let all: Vec<_> = all.into_iter().collect();
        for some in all.chunks(AT_ONCE) {
            // Together, so that they are committed together.
            let mut under_way = JoinSet::new();
            for id in some.iter().copied() {
                let (desk, why) = (self.clone(), why.clone());
                under_way.spawn(async move { (id, desk.erase(id, by, why).await) });
            }
            while let Some(done) = under_way.join_next().await {
                match done.map_err(|_| ReadFault::Ending)? {
                    (id, Ok(_)) => erased.push(id),
                    (id, Err(fault)) if fault.is_still_open() => open.push(id),
                    (_, Err(fault)) => return Err(fault),
                }
            }
        }
        erased.sort_unstable();
        open.sort_unstable();
        Ok((erased, open))
    }

    async fn forget(&self, recordings: Vec<RecordingId>) -> Result<(), EraseFault> {
        if recordings.is_empty() {
            return Ok(());
        }
        let folder = self.recordings().clone();
        let forget = move || {
            recordings.into_iter().try_for_each(|recording| {
                let forgotten = folder.forget(recording);
                forgotten.map(drop).map_err(|source| EraseFault::Recording { recording, source })
            })
        };
        tokio::task::spawn_blocking(forget).await.map_err(|_| ReadFault::Ending)?
    }

    /// `None` if nothing began with the fact of this number.
    fn find(&self, interaction: InteractionId) -> Result<Option<Found>, ReadFault> {
        let Some(before) = interaction.0.checked_sub(1) else { return Ok(None) };
        let first =
            self.records(FactNumber(before), 1)?.into_iter().find(|first| first.number.0 == interaction.0);
        let Some(first) = first else { return Ok(None) };
        match read(&first)?.kind {
            FactKind::Arrived { .. } | FactKind::CallbackScheduled { .. } => {}
            FactKind::CallRejected { .. } => {
                return Ok(Some(Found { personal: is_there(&first), recordings: Vec::new() }));
            }
            _ => return Ok(None),
        }
        let mut found = Found { personal: false, recordings: Vec::new() };
        for record in self.story_records(InteractionKey(interaction.0))? {
            found.personal |= is_there(&record);
            if let FactKind::MessageBegun { recording, .. } = read(&record)?.kind {
                found.recordings.push(recording);
            }
        }
        Ok(Some(found))
    }

    /// The interactions with a customer of this address, and where to go on if not everything was looked through.
    fn search(
        &self,
        who: &Address,
        mut after: FactNumber,
    ) -> Result<(BTreeSet<InteractionId>, Option<FactNumber>), ReadFault> {
        let (mut found, mut seen) = (BTreeSet::new(), 0);
        while seen < SEARCH_FACTS_MAX && found.len() < SEARCH_FOUND_MAX {
            let page = self.personal(after, SEARCH_PAGE)?;
            let Some(last) = page.last() else { return Ok((found, None)) };
            after = last.number;
            seen += page.len();
            for record in page {
                let mut fact = read(&record)?;
                if is_with(&mut fact, who) {
                    found.insert(fact.interaction().unwrap_or(InteractionId(fact.number)));
                }
            }
        }
        Ok((found, Some(after)))
    }

    fn known_since(
        &self,
        before_ms: i64,
        after: Option<InteractionKey>,
    ) -> Result<Vec<InteractionId>, ReadFault> {
        let keys = self.keys_known_since(before_ms, after, AT_ONCE)?;
        Ok(keys.into_iter().map(|key| InteractionId(key.0)).collect())
    }
}

/// Erases what each tenant has kept for as long as it wants ([`Desk::keep_days`]), in a minute and then every hour, for ever.
pub async fn retain(desks: Desks) {
    let mut wait = RETENTION_AGAIN;
    loop {
        // Not at the very start, when calls and agents come back.
        tokio::time::sleep(wait).await;
        wait = retain_now(&desks, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()).await;
    }
}

/// Erases what each tenant has kept for long enough at a moment, since 1970 UTC, and says when to come again.
pub async fn retain_now(desks: &Desks, now: Duration) -> Duration {
    let mut wait = RETENTION_EVERY;
    for desk in desks.all().values() {
        wait = wait.min(retain_of(desk, now).await);
    }
    wait
}

/// The same of one tenant.
async fn retain_of(desk: &Desk, now: Duration) -> Duration {
    let Some(before_ms) = kept_since(desk, now) else { return RETENTION_EVERY };
    match desk.erase_expired(before_ms).await {
        Ok((0, _)) => RETENTION_EVERY,
        Ok((erased, more)) => {
            tracing::info!(
                tenant = %desk.tenant(),
                interactions = erased,
                "personal data was kept as long as it may be, and is erased"
            );
            if more { RETENTION_AGAIN } else { RETENTION_EVERY }
        }
        Err(fault) => {
            tracing::error!(tenant = %desk.tenant(), %fault, "personal data that was kept as long as it may be is not erased yet");
            RETENTION_AGAIN
        }
    }
}

/// What began before this moment, in milliseconds since 1970 UTC, is kept no longer; `None` where it is kept for ever.
fn kept_since(desk: &Desk, now: Duration) -> Option<i64> {
    let kept = Duration::from_secs(u64::from(desk.keep_days()) * SECONDS_A_DAY);
    let before = now.saturating_sub(kept).as_millis();
    (desk.keep_days() > 0).then(|| i64::try_from(before).unwrap_or(i64::MAX))
}

fn read(record: &Record) -> Result<Fact, ReadFault> {
    record::read(record).map_err(|source| ReadFault::Fact { number: record.number.0, source })
}

/// Something about people that is not erased, even if it cannot be read.
fn is_there(record: &Record) -> bool {
    !matches!(record.personal, Personal::Nothing | Personal::Gone(Gone::Erased))
}

/// Whether somebody of this address is the customer.
fn is_with(fact: &mut Fact, who: &Address) -> bool {
    let mut found = false;
    fact.kind.visit_personal(|name, place| {
        if let PersonalMut::Address(address) = place {
            found |= name != "target" && address.reveal() == Some(who);
        }
    });
    found
}

/// Erasures that are handed to the engine at once.
const AT_ONCE: usize = 100;

/// Facts that one search looks through at most, and interactions that it erases; then it says where to go on. Some
/// seconds of work.
const SEARCH_FACTS_MAX: usize = 50_000;
const SEARCH_FOUND_MAX: usize = 500;
const SEARCH_PAGE: usize = 1_000;

/// Interactions that are erased in one run; the rest in the next, which follows soon.
pub const RETENTION_RUN_MAX: usize = 10_000;

const RETENTION_EVERY: Duration = Duration::from_secs(3_600);
const RETENTION_AGAIN: Duration = Duration::from_secs(60);
const SECONDS_A_DAY: u64 = 86_400;
