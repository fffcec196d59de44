//! The hunt for seeded bugs: each is switched on, and worlds are lived until the auditor finds it. One that survives is a hole
//! in the auditor, or in what is simulated.

use crate::auditor::Failure;
use crate::workload::plan;
use quittance_core::mutation::{Mutation, set};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What came of one hunt.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// The bug.
    pub mutation: Mutation,
    /// The least seed that found it, and what the auditor said.
    pub found: Option<(u64, Failure)>,
    /// How many seeds were lived at most.
    pub seeds: u64,
}

impl fmt::Display for Hunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.mutation);
        match &self.found {
            Some((seed, Failure { rule, what })) => {
                let what: String = what.chars().take(110).collect();
                write!(f, "{name:<24} found by seed {seed:<6} {rule}: {}", what.replace('\n', " "))
            }
            None => write!(f, "{name:<24} SURVIVED {} seeds", self.seeds),
        }
    }
}

/// Hunts every mutation, or those of these names, with so many seeds each; tells of each when it is over.
pub fn hunt(named: &[String], seeds_max: u64, jobs: usize, tell: &dyn Fn(&Hunt)) -> Vec<Hunt> {
    let is_wanted = |mutation: &Mutation| named.is_empty() || named.contains(&format!("{mutation:?}"));
    let wanted = Mutation::ALL.into_iter().filter(is_wanted);
    let hunts = wanted.map(|mutation| {
        let found = seek(mutation, seeds_max, jobs);
        let hunt = Hunt { mutation, found, seeds: seeds_max };
        tell(&hunt);
        hunt
    });
    hunts.collect()
}

/// The least seed that finds a mutation. Threads take seeds in turn, and go on until none of them can be less.
fn seek(mutation: Mutation, seeds_max: u64, jobs: usize) -> Option<(u64, Failure)> {
    let next = AtomicU64::new(0);
    let best: Mutex<Option<(u64, Failure)>> = Mutex::new(None);
    let best_seed = || best.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(seeds_max, |found| found.0);
    let work = || {
        set(Some(mutation));
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= best_seed() {
                return;
            }
            if let Some(failure) = crate::simulate(&plan(seed), false).failure {
                // What fails without the bug, too, says nothing about it.
                set(None);
                let is_other = crate::simulate(&plan(seed), false).failure.is_some();
                set(Some(mutation));
                if is_other {
                    continue;
                }
                let mut best = best.lock().unwrap_or_else(PoisonError::into_inner);
                if best.as_ref().is_none_or(|found| seed < found.0) {
                    *best = Some((seed, failure));
                }
                return;
            }
        }
    };
    thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
    best.into_inner().unwrap_or_else(PoisonError::into_inner)
}
