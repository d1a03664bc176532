//! What Graph tells us without being asked: taken at once, believed only when it is proved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use tandem_microsoft::graph::notification::{Delivery, Item};
use tandem_microsoft::id::EntraTenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::Microsoft;
use super::watch::Message;

/// A body that was delivered and is looked at later.
#[derive(Debug)]
pub struct Delivered {
    body: Bytes,
}

/// What became of deliveries since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Items that were handed to a watch.
    pub good: AtomicU64,
    /// Deliveries that could not be read.
    pub unreadable: AtomicU64,
    /// Deliveries whose tokens prove nothing, or the wrong thing.
    pub forged: AtomicU64,
    /// Items for a tenant that is not connected.
    pub strange: AtomicU64,
    /// Items that were left out because too many waited.
    pub crowded: AtomicU64,
}

impl Microsoft {
    /// Takes a delivery, to be looked at soon; `false` if too many wait.
    pub fn take_delivery(&self, body: Bytes) -> bool {
        self.shared.deliveries.try_send(Delivered { body }).is_ok()
    }

    /// What became of deliveries.
    pub fn delivery_counts(&self) -> &Counts {
        &self.shared.counts
    }

    pub(super) async fn deliver(&self, mut delivered: mpsc::Receiver<Delivered>) {
        let at_once = Arc::new(Semaphore::new(LOOKED_AT_ONCE));
        let mut looking = JoinSet::new();
        while let Some(Delivered { body }) = delivered.recv().await {
            while looking.try_join_next().is_some() {}
            let Ok(turn) = Arc::clone(&at_once).acquire_owned().await else { return };
            let microsoft = self.clone();
            looking.spawn(async move { microsoft.look_at(body, turn).await });
        }
    }

    /// Proves a delivery and hands its items to the watches. One that is not proved leaves no trace but a count.
    async fn look_at(&self, body: Bytes, _turn: OwnedSemaphorePermit) {
        let counts = &self.shared.counts;
        // A body that is as large as it may be takes milliseconds: no request waits behind it.
        let Ok(read) = tokio::task::spawn_blocking(move || Delivery::parse(&body)).await else { return };
        let delivery = match read {
            Ok(delivery) => delivery,
            Err(fault) => {
                counts.unreadable.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%fault, "a delivery cannot be read");
                return;
            }
        };
        let checked = self.shared.entra.check_notifications(&delivery.tokens).await;
        let mut checked = checked.into_iter();
        let proved = delivery.prove(|_| match checked.next() {
            Some(Ok(tenant)) => Some(tenant),
            Some(Err(fault)) => {
                tracing::info!(fault = fault.code(), "a token that came with notifications is wrong");
                None
            }
            None => None,
        });
        if let Err(distrust) = proved {
            counts.forged.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%distrust, "a delivery of notifications is not believed");
            return;
        }
        for item in delivery.items {
            self.hand_over(item);
        }
    }

    fn hand_over(&self, item: Item) {
        let counts = &self.shared.counts;
        let count = match item.tenant.and_then(|tid: EntraTenantId| self.connection(tid)) {
            None => &counts.strange,
            Some(connection) if connection.watch.try_tell(Message::Notification(Box::new(item))) => {
                &counts.good
            }
            Some(_) => &counts.crowded,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Deliveries that wait to be looked at; the next is answered 503, and Graph sends it again. Each is as large as
/// [`tandem_microsoft::graph::notification::DELIVERY_OCTETS_MAX`] at most.
pub const WAITING_MAX: usize = 32;

/// Deliveries that are looked at at once.
const LOOKED_AT_ONCE: usize = 4;
