//! Suggesting whom to ask: by skill, and by who solved it before.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{EntryId, Skill};
use super::groups::GroupId;
use super::index::Slot;
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

    /// Who comes first, as what sorts so: free people, then those who soon are.
    pub fn rank(seen: Option<Seen>) -> (u8, Duration) {
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
        let mut grounds = self.by_skill(wanted);
        self.add_solvers(wanted, solved, now, &mut grounds);
        let asker = wanted.asker.as_ref().and_then(|asker| self.by_id.get(asker));
        let home = asker.and_then(|asker| {
            grounds.remove(asker);
            self.stored(*asker)?.department
        });
        let mut found: Vec<Candidate<'_>> = grounds
            .into_iter()
            .filter_map(|(slot, mut grounds)| {
                let stored = self.stored(slot)?;
                if home.is_some() && stored.department == home {
                    grounds.push((SAME_DEPARTMENT, Ground::Department));
                }
                let strength = grounds.iter().map(|(strength, _)| strength).sum();
                Some(Candidate { stored, seen: presence(&stored.entry.id), strength, grounds })
            })
            .collect();
        let limit = limit.min(Directory::SUGGESTIONS_MAX);
        if limit > 0 && found.len() > limit {
            found.select_nth_unstable_by(limit - 1, Candidate::compare);
        }
        found.truncate(limit);
        found.sort_unstable_by(Candidate::compare);
        found.into_iter().map(Candidate::explain).collect()
    }

    fn by_skill<'a>(&'a self, wanted: &'a Experts) -> BTreeMap<Slot, Vec<(u32, Ground<'a>)>> {
        let mut grounds: BTreeMap<Slot, Vec<(u32, Ground<'a>)>> = BTreeMap::new();
        for wanted in &wanted.skills {
            let Some(group) = self.skills.find(&wanted.name) else { continue };
            for (place, stored) in (0usize..).zip(&self.people) {
                let (Some(slot), Some(stored)) = (Slot::nth(place), stored) else { continue };
                if let Some((strength, skill)) = best_skill(stored, group, wanted.least) {
                    grounds.entry(slot).or_default().push((strength, Ground::Skill(skill)));
                }
            }
        }
        grounds
    }

    fn add_solvers<'a>(
        &self,
        wanted: &'a Experts,
        solved: &Solved,
        now: UnixMillis,
        grounds: &mut BTreeMap<Slot, Vec<(u32, Ground<'a>)>>,
    ) {
        for topic in &wanted.topics {
            for (solver, memory) in solved.of(topic, now).filter(|(_, memory)| memory.weight >= WEIGHT_LEAST)
            {
                let slot = match solver {
                    Solver::Agent(agent) => self.by_agent.get(agent),
                    Solver::Entry(id) => self.by_id.get(id),
                };
                if let Some(slot) = slot {
                    let ground = Ground::Solved { topic, times: memory.times, last: memory.last };
                    grounds.entry(*slot).or_default().push((strength_of(memory.weight), ground));
                }
            }
        }
    }
}

/// Somebody for whom there is a reason.
struct Candidate<'a> {
    stored: &'a Stored,
    seen: Option<Seen>,
    strength: u32,
    grounds: Vec<(u32, Ground<'a>)>,
}

/// A reason, not yet put into words: there may be very many people with one.
#[derive(Clone, Copy)]
enum Ground<'a> {
    Skill(&'a Skill),
    Solved { topic: &'a Topic, times: u32, last: UnixMillis },
    Department,
}

impl Candidate<'_> {
    fn compare(&self, other: &Candidate<'_>) -> Ordering {
        Seen::rank(self.seen)
            .cmp(&Seen::rank(other.seen))
            .then_with(|| other.strength.cmp(&self.strength))
            .then_with(|| self.stored.order.cmp(&other.stored.order))
            .then_with(|| self.stored.entry.id.cmp(&other.stored.entry.id))
    }

    fn explain(mut self) -> Suggestion {
        self.grounds.sort_by_key(|(strength, _)| Reverse(*strength));
        let entry = &self.stored.entry;
        let reason = |(_, ground)| match ground {
            Ground::Skill(skill) => Reason::Skill { name: skill.name.clone(), level: skill.level },
            Ground::Solved { topic, times, last } => {
                Reason::SolvedBefore { topic: topic.clone(), times, last }
            }
            Ground::Department => {
                Reason::SameDepartment { department: entry.department.clone().unwrap_or_default() }
            }
        };
        Suggestion {
            id: entry.id.clone(),
            reasons: self.grounds.into_iter().map(reason).collect(),
            seen: self.seen,
            strength: self.strength,
        }
    }
}

/// The best of somebody's skills of one name, if it is good enough.
fn best_skill(stored: &Stored, group: GroupId, least: u8) -> Option<(u32, &Skill)> {
    let named = stored.skills.iter().zip(&stored.entry.skills).filter(|(of, _)| **of == Some(group));
    let good = named.map(|(_, skill)| skill).filter(|skill| skill.level.is_none_or(|level| level >= least));
    good.map(|skill| {
        let strength = match skill.level {
            Some(level) => SKILL_LEAST + u32::from(level.min(LEVEL_BEST)) * SKILL_STEP,
            None => SKILL_UNKNOWN,
        };
        (strength, skill)
    })
    .max_by_key(|(strength, _)| *strength)
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
