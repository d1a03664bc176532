//! Who solved what before: a reading of the journal that is made when somebody asks first, and kept to go on from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tandem_center::fact::{Fact, FactKind, Outcome};
use tandem_center::id::InteractionId;
use tandem_people::directory::{Solved, Solver};
use tandem_people::moment::UnixMillis;
use tandem_store::{FactNumber, Journal, PAGE_MAX, Tenant};

use super::About;
use crate::desk::ReadFault;
use crate::record;

/// Who solved what of one tenant. It costs nothing until somebody asks.
#[derive(Debug, Default)]
pub struct Solvers {
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    solved: Arc<Solved>,
    /// What the interactions are about that are not closed.
    open: BTreeMap<InteractionId, About>,
    /// The last fact that was folded.
    number: u64,
}

impl Solvers {
    /// Who solved what, with everything in it that is committed. The first time may take a second.
    ///
    /// # Errors
    ///
    /// See [`ReadFault`].
    pub fn read(&self, journal: &Journal, tenant: &Tenant) -> Result<Arc<Solved>, ReadFault> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match &mut *kept {
            Some(kept) => kept,
            none => {
                let last = journal.last_number(tenant)?;
                let number = last.0.saturating_sub(FACTS_MAX);
                none.insert(Kept { solved: Arc::default(), open: BTreeMap::new(), number })
            }
        };
        kept.go_on(journal, tenant)?;
        Ok(kept.solved.clone())
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
                self.apply(&fact);
                self.number = record.number.0;
            }
        }
    }

    fn apply(&mut self, fact: &Fact) {
        // What is erased is over: it is about nothing that could still be solved.
        let (Some(interaction), false) = (fact.interaction(), matches!(fact.kind, FactKind::Erased { .. }))
        else {
            return;
        };
        if let FactKind::Closed { outcome, .. } = &fact.kind {
            let about = self.open.remove(&interaction).filter(|_| *outcome == Outcome::Handled);
            if let Some(about) = about
                && let Some(agent) = about.solver()
            {
                let at = UnixMillis::from_millis(fact.at.as_micros() / 1_000);
                let solved = Arc::make_mut(&mut self.solved);
                for topic in about.topics() {
                    solved.told(topic, Solver::Agent(agent.as_str().into()), at);
                }
            }
            return;
        }
        self.open.entry(interaction).or_default().apply(fact);
        if self.open.len() > OPEN_MAX {
            self.open.pop_first();
        }
    }
}

/// Facts that are looked back at: some 10,000 calls. Who solved something before that is not remembered.
const FACTS_MAX: u64 = 250_000;

/// Interactions that may be open at once; with one more, what the oldest is about is forgotten.
const OPEN_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use tandem_center::Timestamp;
    use tandem_center::erase::ErasedBy;

    use super::*;

    #[test]
    fn what_is_erased_is_not_open_again() {
        let mut kept = Kept { solved: Arc::default(), open: BTreeMap::new(), number: 0 };
        let tell = |kept: &mut Kept, kind: FactKind| {
            kept.apply(&Fact { number: 9, at: Timestamp::default(), version: Fact::VERSION, kind });
        };
        let interaction = InteractionId(4);
        tell(&mut kept, FactKind::Answered { interaction });
        assert_eq!(kept.open.len(), 1);
        tell(&mut kept, FactKind::Closed { interaction, outcome: Outcome::Handled });
        tell(&mut kept, FactKind::Erased { interaction, by: ErasedBy::Request, why: None });
        assert!(kept.open.is_empty());
    }
}
