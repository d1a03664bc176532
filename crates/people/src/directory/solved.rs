//! Who solved what before: counts that fade.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::EntryId;
use crate::moment::UnixMillis;

/// Who solved what before, so that they can be asked again.
///
/// Each time counts one and fades: after a half-life a half is left. It is a reading of what happened in the contact
/// center, in any order; forgetting it costs only suggestions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Rows", into = "Rows")]
pub struct Solved {
    half_life: Duration,
    topics: BTreeMap<Topic, BTreeMap<Solver, Known>>,
}

/// What something was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A queue in which somebody waited.
    Queue(Arc<str>),
    /// A skill that was asked for.
    Skill(Arc<str>),
    /// A code that was chosen in the end.
    WrapUpCode(Arc<str>),
}

/// Who solved something: an agent, or somebody else whom an agent asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// An agent, by the agent's id.
    Agent(Arc<str>),
    /// Somebody of the directory.
    Entry(EntryId),
}

/// How often, and when last, somebody solved something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// How often, ever.
    pub times: u32,
    /// When last.
    pub last: UnixMillis,
    /// What is left of it: less than the times, the longer ago the less.
    pub weight: f64,
}

impl Solved {
    /// Topics at most; the one of which nothing was told for longest is forgotten for a new one.
    pub const TOPICS_MAX: usize = 4_096;
    /// People of one topic at most; of whom least is left is forgotten for another.
    pub const SOLVERS_MAX: usize = 64;
    /// A good half-life where nobody asked for another: two months.
    pub const HALF_LIFE: Duration = Duration::from_secs(60 * 24 * 60 * 60);

    /// Nothing was solved yet. The half-life is at least a minute.
    pub fn new(half_life: Duration) -> Solved {
        Solved { half_life: half_life.max(Duration::from_secs(60)), topics: BTreeMap::new() }
    }

    /// Notes that somebody solved something.
    pub fn told(&mut self, topic: Topic, solver: Solver, at: UnixMillis) {
        if !self.topics.contains_key(&topic) && self.topics.len() >= Solved::TOPICS_MAX {
            self.forget_topic();
        }
        let height = height(at, self.half_life);
        let solvers = self.topics.entry(topic).or_default();
        if let Some(known) = solvers.get_mut(&solver) {
            known.times = known.times.saturating_add(1);
            known.last = known.last.max(at);
            known.height = add(known.height, height);
            return;
        }
        if solvers.len() >= Solved::SOLVERS_MAX {
            let weakest = solvers.iter().min_by_key(|(_, known)| known.height);
            let Some(weakest) = weakest.map(|(solver, _)| solver.clone()) else { return };
            solvers.remove(&weakest);
        }
        solvers.insert(solver, Known { times: 1, last: at, height });
    }

    /// Who solved something, and what is left of it by now; in the order of their ids.
    pub fn of(&self, topic: &Topic, now: UnixMillis) -> impl Iterator<Item = (&Solver, Memory)> {
        let now = height(now, self.half_life);
        self.topics.get(topic).into_iter().flatten().map(move |(solver, known)| {
            let weight = to_float(known.height.saturating_sub(now)).exp2().min(f64::from(known.times));
            (solver, Memory { times: known.times, last: known.last, weight })
        })
    }

    /// Forgets what somebody solved, who is not there any more.
    pub fn forget(&mut self, solver: &Solver) {
        self.topics.retain(|_, solvers| {
            solvers.remove(solver);
            !solvers.is_empty()
        });
    }

    fn forget_topic(&mut self) {
        let last = |solvers: &BTreeMap<Solver, Known>| solvers.values().map(|known| known.last).max();
        let oldest = self.topics.iter().min_by_key(|(_, solvers)| last(solvers));
        if let Some(oldest) = oldest.map(|(topic, _)| topic.clone()) {
            self.topics.remove(&oldest);
        }
    }
}

impl Default for Solved {
    fn default() -> Solved {
        Solved::new(Solved::HALF_LIFE)
    }
}

/// What is known of somebody and a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    times: u32,
    last: UnixMillis,
    /// The logarithm, to base 2, of what all times would weigh if they had all been at the beginning of time and grown
    /// instead of faded. So it needs no touching while time passes, and can be compared. In units of 2^-32.
    height: i64,
}

/// [`Solved`] as it is written down.
#[derive(Serialize, Deserialize)]
struct Rows {
    half_life_ms: u64,
    solved: Vec<(Topic, Solver, Known)>,
}

impl From<Solved> for Rows {
    fn from(solved: Solved) -> Rows {
        let rows = solved.topics.into_iter().flat_map(|(topic, solvers)| {
            solvers.into_iter().map(move |(solver, known)| (topic.clone(), solver, known))
        });
        Rows {
            half_life_ms: u64::try_from(solved.half_life.as_millis()).unwrap_or(u64::MAX),
            solved: rows.collect(),
        }
    }
}

/// More is written down than may be kept.
#[derive(Debug, thiserror::Error)]
#[error("more topics or people than may be kept")]
struct TooMany;

impl TryFrom<Rows> for Solved {
    type Error = TooMany;

    fn try_from(rows: Rows) -> Result<Solved, TooMany> {
        let mut solved = Solved::new(Duration::from_millis(rows.half_life_ms));
        for (topic, solver, known) in rows.solved {
            let solvers = solved.topics.entry(topic).or_default();
            solvers.insert(solver, known);
            if solvers.len() > Solved::SOLVERS_MAX || solved.topics.len() > Solved::TOPICS_MAX {
                return Err(TooMany);
            }
        }
        Ok(solved)
    }
}

/// The height of something that happens once at a moment.
fn height(at: UnixMillis, half_life: Duration) -> i64 {
    let half_life = u64::try_from(half_life.as_millis()).unwrap_or(u64::MAX).max(1);
    let height = (u128::from(at.as_millis()) << UNIT_BITS) / u128::from(half_life);
    i64::try_from(height).unwrap_or(i64::MAX)
}

/// The height of two things together.
fn add(a: i64, b: i64) -> i64 {
    let (high, low) = (a.max(b), a.min(b));
    let more = (1.0 + to_float(low.saturating_sub(high)).exp2()).log2();
    high.saturating_add(from_float(more))
}

#[expect(clippy::cast_precision_loss, reason = "what is lost is far below what anybody could notice")]
fn to_float(height: i64) -> f64 {
    height as f64 / (1u64 << UNIT_BITS) as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "between 0 and 1")]
fn from_float(more: f64) -> i64 {
    (more * (1u64 << UNIT_BITS) as f64).round() as i64
}

const UNIT_BITS: u32 = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: u64 = 24 * 60 * 60 * 1_000;

    fn day(number: u64) -> UnixMillis {
        UnixMillis::from_millis(20_000 * DAY + number * DAY)
    }

    fn code(name: &str) -> Topic {
        Topic::WrapUpCode(name.into())
    }

    fn agent(name: &str) -> Solver {
        Solver::Agent(name.into())
    }

    fn of(solved: &Solved, topic: &Topic, who: &Solver, now: UnixMillis) -> Option<Memory> {
        solved.of(topic, now).find(|(solver, _)| *solver == who).map(|(_, memory)| memory)
    }

    #[test]
    fn each_time_counts_one_and_half_of_it_after_a_half_life() {
        let mut solved = Solved::new(Duration::from_millis(10 * DAY));
        solved.told(code("refund"), agent("ada"), day(0));
        solved.told(code("refund"), agent("ada"), day(10));
        let memory = of(&solved, &code("refund"), &agent("ada"), day(10)).unwrap();
        assert_eq!((memory.times, memory.last), (2, day(10)));
        assert!((memory.weight - 1.5).abs() < 1e-6, "{}", memory.weight);
        let later = of(&solved, &code("refund"), &agent("ada"), day(30)).unwrap();
        assert!((later.weight - 0.375).abs() < 1e-6, "{}", later.weight);
        assert_eq!(of(&solved, &Topic::Queue("refund".into()), &agent("ada"), day(30)), None);
        assert_eq!(of(&solved, &code("refund"), &agent("bob"), day(30)), None);
    }

    #[test]
    fn of_too_many_people_the_weakest_and_of_too_many_topics_the_oldest_is_forgotten() {
        let mut solved = Solved::default();
        let most = u64::try_from(Solved::SOLVERS_MAX).unwrap();
        for number in 0..=most {
            solved.told(code("refund"), agent(&format!("{number}")), day(number));
        }
        assert_eq!(of(&solved, &code("refund"), &agent("0"), day(100)), None);
        assert_eq!(solved.of(&code("refund"), day(100)).count(), Solved::SOLVERS_MAX);
        let most = u64::try_from(Solved::TOPICS_MAX).unwrap();
        for number in 0..most {
            solved.told(code(&format!("t{number}")), agent("ada"), day(100 + number));
        }
        assert_eq!(solved.topics.len(), Solved::TOPICS_MAX);
        assert_eq!(solved.of(&code("refund"), day(100)).count(), 0);
        solved.forget(&agent("ada"));
        assert!(solved.topics.is_empty());
    }

    proptest! {
        #[test]
        fn the_order_in_which_it_is_told_does_not_matter_and_it_can_be_put_away(
            days in prop::collection::vec(0u64..400, 1..20),
        ) {
            let mut sorted = days.clone();
            sorted.sort_unstable();
            let [one, other] = [days, sorted].map(|days| {
                let mut solved = Solved::default();
                days.iter().for_each(|at| solved.told(code("refund"), agent("ada"), day(*at)));
                solved
            });
            let weight = |solved: &Solved| of(solved, &code("refund"), &agent("ada"), day(400)).unwrap();
            prop_assert!((weight(&one).weight - weight(&other).weight).abs() < 1e-5);
            prop_assert_eq!(weight(&one).last, weight(&other).last);
            let text = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(serde_json::from_str::<Solved>(&text).unwrap(), one);
        }
    }
}
