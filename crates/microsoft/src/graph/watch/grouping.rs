//! Who is in which group.

use std::time::{Duration, Instant};

use crate::graph::presence::IDS_MAX;
use crate::graph::watch::Watcher;
use crate::graph::watch::group::{Group, GroupId, Subscription};

impl Watcher {
    /// A group that takes one more; one without a subscription first, so that none has to be made anew.
    pub(super) fn group_with_room(&mut self, now: Instant) -> GroupId {
        let room = |(_, group): &(&GroupId, &Group)| group.members.len() < IDS_MAX;
        let best = self
            .groups
            .iter()
            .filter(room)
            .min_by_key(|(_, group)| matches!(group.subscription, Subscription::Active(_)));
        if let Some((id, _)) = best {
            return *id;
        }
        let id = GroupId(self.groups_made);
        self.groups_made = self.groups_made.wrapping_add(1);
        let phase = self.phase(id, self.settings.poll_every);
        let group = Group::new(now + phase, now + self.settings.stale_after);
        self.groups.insert(id, group);
        id
    }

    /// Where in the interval a group has its turn: spread evenly, however many there are (golden ratio).
    fn phase(&self, id: GroupId, interval: Duration) -> Duration {
        let part = (f64::from(id.0) * 0.618_033_988_749_895).fract();
        interval.mul_f64(part)
    }

    /// Drops an empty group, or puts a small one to another.
    pub(super) fn tidy(&mut self, now: Instant, id: GroupId) {
        let Some(group) = self.groups.get(&id) else { return };
        if group.members.is_empty() {
            self.give_up_subscription(now, id);
            self.groups.remove(&id);
            self.employ_accounts(now);
            return;
        }
        let free = |group: &Group| matches!(group.subscription, Subscription::Off);
        if !free(group) {
            return;
        }
        let count = group.members.len();
        let other = self
            .groups
            .iter()
            .find(|(other, group)| **other != id && free(group) && group.members.len() + count <= IDS_MAX)
            .map(|(other, _)| *other);
        let Some(other) = other else { return };
        let Some(moved) = self.groups.remove(&id) else { return };
        for person in &moved.members {
            if let Some(watched) = self.people.get_mut(person) {
                watched.group = other;
            }
        }
        if let Some(group) = self.groups.get_mut(&other) {
            group.members.extend(moved.members);
            group.stale_check = group.stale_check.min(moved.stale_check);
        }
    }
}
