//! From a seed that fails to its shortest story.

use crate::auditor::Complaint;
use crate::plan::{Chaos, Plan};
use crate::run::{run, tell};

/// A plan that fails, made as short as it can be while it still fails, and its story.
#[derive(Debug)]
pub struct Shortest {
    /// What the auditor says of it.
    pub complaint: Complaint,
    /// Everything that happens, line by line.
    pub story: String,
}

/// Leaves out of a failing plan whatever need not be there; `None` if it does not fail.
pub fn shortest(plan: &Plan) -> Option<Shortest> {
    run(plan).err()?;
    let mut plan = plan.clone();
    let calm = Chaos { ends_by_itself: plan.chaos.ends_by_itself, ..Chaos::default() };
    keep_if_failing(&mut plan, |plan| plan.chaos = calm);
    // Ever smaller pieces of what happens, until no single one can be left out.
    let mut piece = plan.happenings.len();
    while piece > 0 {
        let mut from = 0;
        while from < plan.happenings.len() {
            let until = (from + piece).min(plan.happenings.len());
            if !keep_if_failing(&mut plan, |plan| drop(plan.happenings.drain(from..until))) {
                from = until;
            }
        }
        piece /= 2;
    }
    let (outcome, story) = tell(&plan);
    Some(Shortest { complaint: outcome.err()?, story })
}

fn keep_if_failing(plan: &mut Plan, change: impl FnOnce(&mut Plan)) -> bool {
    let mut changed = plan.clone();
    change(&mut changed);
    let fails = run(&changed).is_err();
    if fails {
        *plan = changed;
    }
    fails
}
