//! Departments and skills: names that many people share, however each of them writes it.

use std::collections::BTreeMap;

use super::fold;

/// One name, of those in [`Groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupId(u32);

/// Names with how often each is used.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    by_key: BTreeMap<Box<str>, GroupId>,
    groups: Vec<Group>,
    free: Vec<GroupId>,
}

#[derive(Clone, Debug)]
struct Group {
    key: Box<str>,
    shown: Box<str>,
    members: usize,
}

impl Groups {
    /// The group of a name with one member more. `None` if the name has no letter.
    pub(super) fn enter(&mut self, name: &str) -> Option<GroupId> {
        let key = fold::key(name);
        if key.is_empty() {
            return None;
        }
        if let Some(id) = self.by_key.get(key.as_str()) {
            if let Some(group) = self.groups.get_mut(id.place()) {
                group.members += 1;
            }
            return Some(*id);
        }
        let group = Group { key: key.into(), shown: name.trim().into(), members: 1 };
        let id = match self.free.pop() {
            Some(id) => id,
            None => GroupId(u32::try_from(self.groups.len()).ok()?),
        };
        self.by_key.insert(group.key.clone(), id);
        match self.groups.get_mut(id.place()) {
            Some(place) => *place = group,
            None => self.groups.push(group),
        }
        Some(id)
    }

    /// A member less; the last one takes the group along.
    pub(super) fn leave(&mut self, id: GroupId) {
        let Some(group) = self.groups.get_mut(id.place()) else { return };
        group.members = group.members.saturating_sub(1);
        if group.members == 0 && self.by_key.remove(&group.key).is_some() {
            self.free.push(id);
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<GroupId> {
        self.by_key.get(fold::key(name).as_str()).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        let groups = self.by_key.values().filter_map(|id| self.groups.get(id.place()));
        groups.map(|group| (&*group.shown, group.members))
    }
}

impl GroupId {
    fn place(self) -> usize {
        self.0 as usize
    }
}
