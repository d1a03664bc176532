//! Turns: how many deliveries go at once, of all and of each tenant, so that endpoints of one that answer slowly or never keep
//! no other's waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tandem_store::Tenant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who may send, and who waits.
pub(super) struct Turns {
    all: Arc<Semaphore>,
    /// At most one for each tenant of the configuration.
    of: Mutex<BTreeMap<Tenant, Arc<Semaphore>>>,
}

/// A turn, until it is dropped; `None` of either means that nobody counts any more.
pub(super) struct Turn {
    _own: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(super) fn new() -> Turns {
        Turns { all: Arc::new(Semaphore::new(AT_ONCE_MAX)), of: Mutex::default() }
    }

    /// Waits for a turn of the tenant's own, and only then for one of all.
    pub(super) async fn take(&self, tenant: &Tenant) -> Turn {
        let of_tenant = {
            let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Semaphore::new(OF_TENANT_MAX));
            of.entry(tenant.clone()).or_insert_with(fresh).clone()
        };
        let own = of_tenant.acquire_owned().await.ok();
        Turn { _own: own, _all: self.all.clone().acquire_owned().await.ok() }
    }
}

/// Deliveries at once, of all endpoints of all tenants; others wait for their turn.
const AT_ONCE_MAX: usize = 512;

/// Of them, those of one tenant.
const OF_TENANT_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_tenant_all_of_whose_turns_are_taken_keeps_no_other_waiting() {
        let (turns, north, south) = (Turns::new(), Tenant::only(), "south".parse().unwrap());
        let mut taken: Vec<_> =
            (0..OF_TENANT_MAX).map(|_| turns.take(&north).now_or_never().expect("there is room")).collect();
        assert!(turns.take(&north).now_or_never().is_none());
        assert!(turns.take(&south).now_or_never().is_some());
        taken.pop();
        assert!(turns.take(&north).now_or_never().is_some());
    }
}
