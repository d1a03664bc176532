//! Reports, folded from the journal when somebody asks for them, and kept to go on from.
//!
//! Nothing here is on the path of calls: whoever asks first after a start waits for the fold, and who asks again for the
//! same intervals and thresholds only for what has happened since.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tandem_center::Timestamp;
use tandem_metrics::report::{Report, Settings};
use tandem_store::{FactNumber, Journal, PAGE_MAX, Tenant};

use crate::desk::ReadFault;
use crate::record;

/// The reports that were asked for last; at most [`KEPT_MAX`], the latest last.
#[derive(Debug, Default)]
pub struct Reports {
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    report: Report,
    /// The last fact that was folded.
    number: u64,
}

impl Reports {
    /// Reads a report with these settings that has everything in it that is committed. May take seconds.
    ///
    /// # Errors
    ///
    /// See [`ReadFault`].
    pub fn read<T>(
        &self,
        journal: &Journal,
        tenant: &Tenant,
        settings: Settings,
        read: impl FnOnce(&Report, Timestamp) -> T,
    ) -> Result<T, ReadFault> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|kept| *kept.report.settings() == settings);
        let mut kept = match place {
            Some(place) => all.remove(place),
            None => {
                let last = journal.last_number(tenant)?;
                Kept { report: Report::new(settings), number: last.0.saturating_sub(FACTS_MAX) }
            }
        };
        kept.go_on(journal, tenant)?;
        let answer = read(&kept.report, now());
        all.push(kept);
        if all.len() > KEPT_MAX {
            all.remove(0);
        }
        Ok(answer)
    }
}

impl Kept {
    fn go_on(&mut self, journal: &Journal, tenant: &Tenant) -> Result<(), ReadFault> {
        loop {
            let page = journal.facts(tenant, FactNumber(self.number), PAGE_MAX)?;
            if page.is_empty() {
                return Ok(());
            }
            for record in page {
                let fact = record::read(&record)
                    .map_err(|source| ReadFault::Fact { number: record.number.0, source })?;
                self.report.apply(&fact);
                self.number = record.number.0;
            }
        }
    }
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX))
}

/// Facts that a report looks back: some 40,000 calls. What came before is not in it.
const FACTS_MAX: u64 = 1_000_000;

/// Reports kept; with one more, the one that was not asked for longest is folded anew when it is.
const KEPT_MAX: usize = 6;
