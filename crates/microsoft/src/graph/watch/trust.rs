//! What is still believed: of a person of whom nothing is heard, and of a subscription that does not tell.

use std::time::{Duration, Instant};

use crate::graph::presence::IDS_MAX;
use crate::graph::watch::group::{GroupId, Subscription};
use crate::graph::watch::{Output, Watcher};

impl Watcher {
    /// Looks whether the subscription has told what polls found.
    pub(super) fn expect_told(&mut self, now: Instant, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let mut late = 0;
        while let Some((until, person)) = group.awaited.front().copied()
            && until <= now
        {
            group.awaited.pop_front();
            let found_at = until.checked_sub(LATE).unwrap_or(until);
            late +=
                u64::from(self.people.get(&person).is_some_and(|person| !person.was_told_since(found_at)));
        }
        if late > 0 {
            self.counts.subscriptions_late += late;
            self.doubt(now, id);
        }
    }

    /// Polls a group in full for a while, though its subscription stands.
    pub(super) fn doubt(&mut self, now: Instant, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if matches!(group.subscription, Subscription::Active(_)) {
            if group.is_told(now) {
                group.poll_soon(now, self.settings.poll_every, self.settings.stale_after);
            }
            group.doubted_until = Some(now + DOUBT);
        }
    }

    /// Tells of whom nothing was heard for too long, and when to look again.
    pub(super) fn tell_stale(&mut self, now: Instant, id: GroupId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if now < group.stale_check {
            return;
        }
        let limit = if group.is_told(now) {
            self.settings.check_every + self.settings.stale_after
        } else {
            self.settings.stale_after
        };
        let mut next = now + limit;
        for person in &group.members {
            let Some(watched) = self.people.get_mut(person) else { continue };
            let deadline = (watched.confirmed_at() + limit).max(group.grace_until);
            if watched.stale {
                continue;
            }
            if deadline <= now {
                watched.stale = true;
                self.outputs.push_back(Output::Stale { person: *person });
            } else {
                next = next.min(deadline);
            }
        }
        group.stale_check = next;
    }
}

/// How long a subscription may take to tell what a poll has found (Microsoft Graph: change notifications, latency of presence:
/// below 10 s on average, at most a minute). Then it is late.
pub const LATE: Duration = Duration::from_secs(20);

/// Changes of one group that are awaited at once; of more, it is not looked whether they are told.
pub(super) const AWAITED_MAX: usize = 2 * IDS_MAX;

/// How long a subscription is checked by polls in full after it was late or contradicted.
pub const DOUBT: Duration = Duration::from_secs(120);
