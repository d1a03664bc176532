//! Room: how much of what all share one tenant may take at once, so that whoever asks without end takes no other's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use tandem_people::scope::Scope as Owner;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;

/// The room of each tenant, and of the installation.
#[derive(Default)]
pub struct Rooms {
    /// At most one for each tenant of the configuration: whoever asks is known, and belongs to one.
    of: Mutex<BTreeMap<Owner, Room>>,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Rooms {
    /// A place for a request of somebody of this scope.
    ///
    /// # Errors
    ///
    /// [`REQUESTS_MAX`] of theirs are being answered.
    pub fn request(&self, owner: &Owner) -> Result<Place, ApiError> {
        let requests = self.of(owner).requests;
        Place::take(requests).ok_or_else(|| {
            let message = format!("{REQUESTS_MAX} requests of {owner} are being answered");
            let remedy = "wait for answers before you ask for more";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_at_once", message, remedy).retry_after(1)
        })
    }

    /// A place for somebody who follows a tenant; `None` if [`FOLLOWERS_MAX`] do.
    pub fn follower(&self, owner: &Owner) -> Option<Place> {
        Place::take(self.of(owner).followers)
    }

    fn of(&self, owner: &Owner) -> Room {
        let mut rooms = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(owner.clone()).or_default().clone()
    }
}

impl Place {
    fn take(room: Arc<Semaphore>) -> Option<Place> {
        room.try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }
}

#[derive(Clone)]
struct Room {
    requests: Arc<Semaphore>,
    followers: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        }
    }
}

/// Requests of one tenant that are answered at once; one more is refused with 429. Most take under a millisecond, so that
/// those of another tenant never wait long behind them.
pub const REQUESTS_MAX: usize = 128;

/// Live web sockets of one tenant at once; one more is refused.
pub const FOLLOWERS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_that_is_full_takes_no_room_of_another() {
        let (rooms, north, south) = (Rooms::default(), Owner::tenant("north"), Owner::tenant("south"));
        let held: Vec<_> = (0..REQUESTS_MAX).map(|_| rooms.request(&north).unwrap()).collect();
        let following: Vec<_> = (0..FOLLOWERS_MAX).map(|_| rooms.follower(&north).unwrap()).collect();
        assert!(rooms.request(&north).is_err() && rooms.follower(&north).is_none());
        assert!(rooms.request(&south).is_ok() && rooms.follower(&south).is_some());
        assert!(rooms.request(&Owner::Installation).is_ok());
        drop((held, following));
        assert!(rooms.request(&north).is_ok() && rooms.follower(&north).is_some());
    }
}
