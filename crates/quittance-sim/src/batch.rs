//! Many worlds: threads over seeds, each world by itself. What comes out does not depend on how many threads there are.

use crate::auditor::Failure;
use crate::coverage::Coverage;
use crate::plan::Plan;
use crate::workload::plan;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Worlds that were lived.
    pub worlds: u64,
    /// Operations of all of them.
    pub operations: u64,
    /// What they reached.
    pub coverage: Coverage,
    /// Seeds that failed, in order, with what the auditor says.
    pub failures: Vec<(u64, Failure)>,
}

/// Lives the worlds of these seeds on so many threads. Stops beginning new ones once so many have failed; says now and
/// then how many have been lived.
pub fn run(seeds: Range<u64>, jobs: usize, failures_max: usize, progress: &(dyn Fn(u64) + Sync)) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new(Summary::default());
    let add = |part: Summary| {
        let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
        total.worlds += part.worlds;
        total.operations += part.operations;
        total.coverage.add(&part.coverage);
        total.failures.extend(part.failures);
        progress(total.worlds);
        total.failures.len() < failures_max
    };
    let work = || {
        loop {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            if from >= seeds.end || !add(live(from..seeds.end.min(from + CHUNK))) {
                return;
            }
        }
    };
    thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
    let mut total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    total.failures.sort_by_key(|(seed, _)| *seed);
    total
}

/// Seeds that a thread takes at once.
const CHUNK: u64 = 10;

fn live(seeds: Range<u64>) -> Summary {
    let mut summary = Summary::default();
    for seed in seeds {
        let plan: Plan = plan(seed);
        let outcome = crate::simulate(&plan, false);
        summary.worlds += 1;
        summary.operations += plan.operations.len() as u64;
        summary.coverage.add(&outcome.coverage);
        summary.failures.extend(outcome.failure.map(|failure| (seed, failure)));
    }
    summary
}
