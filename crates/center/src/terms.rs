//! Terms: what somebody who waits asks of an agent, and how that relaxes with the wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, SkillId};

/// What is asked of an agent at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Requirement {
    /// Only this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The skills that the agent must have, with the least level from 1 to 10.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<SkillId, u8>,
    /// The last of the queue's rings from which the agent may be, counted from 1; none: from any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<u8>,
}

/// A requirement and the time from which it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// From this wait in the queue on; microseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after_us: u64,
    /// What is asked for.
    #[serde(flatten)]
    pub requirement: Arc<Requirement>,
}

/// All steps in the order of their times; the first holds from the entry on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Terms(Arc<[Step]>);

impl Default for Terms {
    /// Anybody.
    fn default() -> Terms {
        Terms(Arc::new([Step::default()]))
    }
}

impl Terms {
    /// What is asked for at this step; after the last one, what the last asks.
    pub fn requirement(&self, step: u8) -> &Arc<Requirement> {
        static ANYBODY: std::sync::LazyLock<Arc<Requirement>> = std::sync::LazyLock::new(Arc::default);
        self.0.get(usize::from(step)).or(self.0.last()).map_or(&ANYBODY, |step| &step.requirement)
    }

    /// After which wait the step after this one begins, if there is one.
    pub fn next_after(&self, step: u8) -> Option<Duration> {
        self.0.get(usize::from(step) + 1).map(|step| Duration::from_micros(step.after_us))
    }

    /// Whether anybody will do from the beginning.
    pub fn ask_nothing(&self) -> bool {
        *self.0 == [Step::default()]
    }

    /// All steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Brings together everything that relaxes by itself: rings, skills, the agent asked for.
    pub(crate) fn merge(rings: &[Duration], skills: &SkillTerms, person: &Person) -> Terms {
        if rings.len() < 2 && skills.ask_nothing() && *person == Person::Anybody {
            static ANYBODY: std::sync::LazyLock<Terms> = std::sync::LazyLock::new(Terms::default);
            return ANYBODY.clone();
        }
        let mut times = vec![Duration::ZERO];
        times.extend(rings.iter().chain(skills.relax.iter().map(|(after, _)| after)));
        if let Person::First(_, until) = person {
            times.push(*until);
        }
        times.sort_unstable();
        times.dedup();
        let mut steps: Vec<Step> = Vec::new();
        for time in times {
            let requirement = match person {
                Person::Only(agent) => Requirement { agent: Some(agent.clone()), ..Requirement::default() },
                Person::First(agent, until) if time < *until => {
                    Requirement { agent: Some(agent.clone()), ..Requirement::default() }
                }
                Person::Anybody | Person::First(..) => {
                    let open = rings.iter().filter(|after| **after <= time).count();
                    Requirement {
                        agent: None,
                        skills: skills.at(time).clone(),
                        ring: (open < rings.len()).then(|| u8::try_from(open).unwrap_or(u8::MAX)),
                    }
                }
            };
            if steps.last().is_none_or(|last| *last.requirement != requirement) {
                let after_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                steps.push(Step { after_us, requirement: Arc::new(requirement) });
            }
        }
        Terms(steps.into())
    }
}

/// The skills asked for, and those asked for instead after a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SkillTerms {
    pub(crate) first: BTreeMap<SkillId, u8>,
    /// In the order of the times.
    pub(crate) relax: Vec<(Duration, BTreeMap<SkillId, u8>)>,
}

impl SkillTerms {
    fn ask_nothing(&self) -> bool {
        self.first.is_empty() && self.relax.is_empty()
    }

    fn at(&self, time: Duration) -> &BTreeMap<SkillId, u8> {
        self.relax.iter().rev().find(|(after, _)| *after <= time).map_or(&self.first, |(_, skills)| skills)
    }
}

/// Whether somebody is asked for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Person {
    #[default]
    Anybody,
    /// Nobody else.
    Only(AgentId),
    /// Until then nobody else.
    First(AgentId, Duration),
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
