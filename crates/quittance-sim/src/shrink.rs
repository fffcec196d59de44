//! Shrinking: elements of a failing plan are taken away as long as it fails by the same rule.

use crate::auditor::Failure;
use crate::plan::Plan;

/// The least plan that was found, what fails in it, and how many worlds were lived for it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// What fails.
    pub failure: Failure,
    /// Worlds that were lived.
    pub runs: usize,
}

/// Shrinks a plan that fails, with at most so many runs; nothing where it does not fail.
#[must_use]
pub fn shrink(plan: &Plan, runs_max: usize) -> Option<Shrunk> {
    let failure = crate::simulate(plan, false).failure?;
    let mut best = Shrunk { plan: plan.clone(), failure, runs: 1 };
    loop {
        let before = size(&best.plan);
        let mut chunk = before.div_ceil(2).max(1);
        while best.runs < runs_max {
            let mut at = 0;
            while at < size(&best.plan) && best.runs < runs_max {
                if !try_without(&mut best, at, chunk) {
                    at += chunk;
                }
            }
            if chunk == 1 {
                break;
            }
            chunk = chunk.div_ceil(2);
        }
        if size(&best.plan) == before || best.runs >= runs_max {
            return Some(best);
        }
    }
}

fn size(plan: &Plan) -> usize {
    plan.operations.len() + plan.faults.len()
}

/// Takes so many elements away from a place on, if what is left still fails by the same rule.
fn try_without(best: &mut Shrunk, at: usize, count: usize) -> bool {
    let operations = best.plan.operations.len();
    let keeps = |index: usize| index < at || index >= at + count;
    let mut plan = best.plan.clone();
    let mut index = 0;
    plan.operations.retain(|_| {
        index += 1;
        keeps(index - 1)
    });
    let mut index = operations;
    plan.faults.retain(|_| {
        index += 1;
        keeps(index - 1)
    });
    best.runs += 1;
    match crate::simulate(&plan, false).failure {
        Some(failure) if failure.rule == best.failure.rule => {
            (best.plan, best.failure) = (plan, failure);
            true
        }
        _ => false,
    }
}
