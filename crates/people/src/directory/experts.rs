//! Suggesting whom to ask: by skill, and by who solved it before.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, EntryId};
use super::solved::{Solved, Solver, Topic};
use super::{Directory, Stored};
use crate::moment::UnixMillis;

/// What somebody needs help with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Experts {
    /// Skills, of which an expert has one at least.
    pub skills: Vec<WantedSkill>,
    /// What it is about, so that who solved it before can be asked.
    pub topics: Vec<Topic>,
    /// Who asks: is not suggested, and who is of the same department comes before others.
    pub asker: Option<EntryId>,
}

/// A skill that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSkill {
    /// What, however it is written.
    pub name: String,
    /// The least level. Who has it without a level may have it.
    pub least: u8,
}

/// Somebody who may be able to help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// Who.
    pub id: EntryId,
    /// Why, the best reason first; at least one.
    pub reasons: Vec<Reason>,
    /// Whether that person is free, as far as anybody knows.
    pub seen: Option<Seen>,
    /// How good the reasons are together, in thousandths; a skill alone is at most 1,000.
    pub strength: u32,
}

/// Why somebody is suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// Has a skill that is wanted.
    Skill {
        /// The skill, as the entry writes it.
        name: String,
        /// How well, if anybody said.
        level: Option<u8>,
    },
    /// Solved it before.
    SolvedBefore {
        /// What.
        topic: Topic,
        /// How often.
        times: u32,
        /// When last.
        last: UnixMillis,
    },
    /// Is of the department of who asks. Never the only reason.
    SameDepartment {
        /// Which.
        department: String,
    },
}

/// Whether somebody is free, and since when that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What was seen.
    #[serde(flatten)]
    pub standing: Standing,
    /// How long ago. Seen longer than [`Seen::STALE_AFTER`] ago it counts as unknown.
    pub age: Duration,
}

/// Whether somebody can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// Free.
    Free,
    /// Not free, but presumably soon.
    SoonFree {
        /// In how long.
        within: Duration,
    },
    /// Not free.
    Busy,
    /// Not there for the moment.
    Away,
    /// Wants not to be disturbed.
    DoNotDisturb,
    /// Not signed in.
    Offline,
    /// Nobody knows.
    Unknown,
}

impl Seen {
    /// What was seen longer ago says nothing about now: three readings in a row were missed.
    pub const STALE_AFTER: Duration = Duration::from_secs(5 * 60);

    /// Who comes first: free people, then those who soon are.
    fn rank(seen: Option<Seen>) -> (u8, Duration) {
        match seen.filter(|seen| seen.age <= Seen::STALE_AFTER).map(|seen| seen.standing) {
            Some(Standing::Free) => (0, Duration::ZERO),
            Some(Standing::SoonFree { within }) => (1, within),
            None | Some(Standing::Unknown) => (2, Duration::ZERO),
            Some(Standing::Busy) => (3, Duration::ZERO),
            Some(Standing::Away) => (4, Duration::ZERO),
            Some(Standing::DoNotDisturb) => (5, Duration::ZERO),
            Some(Standing::Offline) => (6, Duration::ZERO),
        }
    }
}

impl Directory {
    /// People suggested at most; a larger wish is cut to this.
    pub const SUGGESTIONS_MAX: usize = 50;

    /// Whom to ask: free people first, then those who soon are, then the others; among those by how good the reasons are,
    /// then by name.
    ///
    /// `presence` is asked once for each person for whom there is a reason.
    pub fn suggest(
        &self,
        wanted: &Experts,
        solved: &Solved,
        now: UnixMillis,
        presence: impl Fn(&EntryId) -> Option<Seen>,
        limit: usize,
    ) -> Vec<Suggestion> {
        let mut reasons = self.by_skill(wanted);
        self.add_solvers(wanted, solved, now, &mut reasons);
        if let Some(asker) = &wanted.asker {
            reasons.remove(asker);
        }
        let home = wanted
            .asker
            .as_ref()
            .and_then(|asker| self.get(asker))
            .and_then(|asker| asker.department.as_deref());
        let home = home.and_then(|home| self.departments.find(home));
        let mut found: Vec<(Suggestion, &Stored)> = reasons
            .into_iter()
            .filter_map(|(id, mut good)| {
                let stored = self.by_id.get(&id).and_then(|slot| self.stored(*slot))?;
                if home.is_some() && stored.department == home {
                    let department = stored.entry.department.clone().unwrap_or_default();
                    good.push((SAME_DEPARTMENT, Reason::SameDepartment { department }));
                }
                good.sort_by_key(|(strength, _)| Reverse(*strength));
                let strength = good.iter().map(|(strength, _)| strength).sum();
                let reasons = good.into_iter().map(|(_, reason)| reason).collect();
                let seen = presence(&id);
                Some((Suggestion { id, reasons, seen, strength }, stored))
            })
            .collect();
        found.sort_by(|(a, left), (b, right)| {
            let rank = |one: &Suggestion| (Seen::rank(one.seen), Reverse(one.strength));
            rank(a).cmp(&rank(b)).then_with(|| left.order.cmp(&right.order)).then_with(|| a.id.cmp(&b.id))
        });
        found.truncate(limit.min(Directory::SUGGESTIONS_MAX));
        found.into_iter().map(|(suggestion, _)| suggestion).collect()
    }

    fn by_skill(&self, wanted: &Experts) -> BTreeMap<EntryId, Vec<(u32, Reason)>> {
        let mut reasons: BTreeMap<EntryId, Vec<(u32, Reason)>> = BTreeMap::new();
        for wanted in &wanted.skills {
            let Some(group) = self.skills.find(&wanted.name) else { continue };
            for stored in self.people.iter().flatten().filter(|stored| stored.skills.contains(&group)) {
                if let Some(best) = self.best_skill(&stored.entry, group, wanted.least) {
                    reasons.entry(stored.entry.id.clone()).or_default().push(best);
                }
            }
        }
        reasons
    }

    /// The best of the skills of one name, if it is good enough.
    fn best_skill(&self, entry: &Entry, group: super::GroupId, least: u8) -> Option<(u32, Reason)> {
        let named = entry.skills.iter().filter(|skill| self.skills.find(&skill.name) == Some(group));
        let good = named.filter(|skill| skill.level.is_none_or(|level| level >= least));
        good.map(|skill| {
            let strength = match skill.level {
                Some(level) => SKILL_LEAST + u32::from(level.min(LEVEL_BEST)) * SKILL_STEP,
                None => SKILL_UNKNOWN,
            };
            (strength, Reason::Skill { name: skill.name.clone(), level: skill.level })
        })
        .max_by_key(|(strength, _)| *strength)
    }

    fn add_solvers(
        &self,
        wanted: &Experts,
        solved: &Solved,
        now: UnixMillis,
        reasons: &mut BTreeMap<EntryId, Vec<(u32, Reason)>>,
    ) {
        for topic in &wanted.topics {
            for (solver, memory) in solved.of(topic, now).filter(|(_, memory)| memory.weight >= WEIGHT_LEAST)
            {
                let entry = match solver {
                    Solver::Agent(agent) => self.agent(agent),
                    Solver::Entry(id) => self.get(id),
                };
                let Some(entry) = entry else { continue };
                let reason =
                    Reason::SolvedBefore { topic: topic.clone(), times: memory.times, last: memory.last };
                reasons.entry(entry.id.clone()).or_default().push((strength_of(memory.weight), reason));
            }
        }
    }
}

/// Once counts 300, three times 600, seven times 900: the first times say most.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the most")]
fn strength_of(weight: f64) -> u32 {
    (300.0 * (1.0 + weight).log2()).clamp(0.0, SOLVED_MOST).round() as u32
}

/// A skill of level 0; each level adds a step, up to 1,000.
const SKILL_LEAST: u32 = 500;
const SKILL_STEP: u32 = 100;
const LEVEL_BEST: u8 = 5;

/// A skill of which nobody said how well: a little less than the middle.
const SKILL_UNKNOWN: u32 = 700;

/// However often somebody solved something.
const SOLVED_MOST: f64 = 1_500.0;

/// What is left of a time so long ago that it says nothing: a twentieth, after more than four half-lives.
const WEIGHT_LEAST: f64 = 0.05;

const SAME_DEPARTMENT: u32 = 50;
