//! Who joined and who left which group, and when: the directory's log says only that a group has changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::directory::{Directory, ObjectId};

/// The members of all groups as they were last looked at, and how they came to be so.
#[derive(Clone, Debug, Default)]
pub struct Memberships {
    known: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
    moves: VecDeque<Move>,
}

/// Somebody joined a group or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The change of the directory.
    pub sequence: u64,
    /// The group.
    pub group: ObjectId,
    /// Who.
    pub user: ObjectId,
    /// Joined, or left.
    pub joined: bool,
}

impl Memberships {
    /// Looks at a group again after the change `sequence`.
    pub fn look(&mut self, directory: &Directory, sequence: u64, group: &ObjectId) {
        let found = directory.tenants().find_map(|tenant| tenant.groups.get(group));
        let now = found.map(|group| group.members.clone()).unwrap_or_default();
        let before = self.known.insert(group.clone(), now.clone()).unwrap_or_default();
        for user in before.symmetric_difference(&now) {
            if self.moves.len() == MOVES_MAX {
                self.moves.pop_front();
            }
            let joined = now.contains(user);
            self.moves.push_back(Move { sequence, group: group.clone(), user: user.clone(), joined });
        }
    }

    /// Takes all groups as they are, without moves.
    pub fn begin(&mut self, directory: &Directory) {
        let groups = directory.tenants().flat_map(|tenant| tenant.groups.values());
        self.known = groups.map(|group| (group.id.clone(), group.members.clone())).collect();
    }

    /// All moves, the oldest first.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.moves.iter()
    }
}

/// As many as the directory keeps changes; older ones are let go.
const MOVES_MAX: usize = 10_000;
