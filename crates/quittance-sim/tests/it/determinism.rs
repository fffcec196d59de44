//! One seed is one world.

use quittance_sim::batch;
use quittance_sim::story::story;
use quittance_sim::workload::plan;
use std::process::Command;

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in 0..6 {
        let [first, second] = [false, true].map(|is_told| quittance_sim::simulate(&plan(seed), is_told));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_eq!(first.coverage, second.coverage, "seed {seed}");
    }
}

/// Nothing in a world depends on addresses, on the environment or on what a process was seeded with.
#[test]
fn the_same_seed_is_the_same_history_in_another_process() {
    for seed in 6..10 {
        let (here, has_failed) = story(&plan(seed));
        let told = Command::new(env!("CARGO_BIN_EXE_quittance-sim")).args(["--seed", &seed.to_string()]).output();
        let told = told.expect("the program is built with its tests");
        assert!(here == String::from_utf8_lossy(&told.stdout), "seed {seed} is another story in another process");
        assert_eq!(told.status.success(), !has_failed, "seed {seed}");
    }
}

#[test]
fn other_seeds_are_other_histories() {
    let hashes: std::collections::BTreeSet<u64> =
        (0..6).map(|seed| quittance_sim::simulate(&plan(seed), false).hash).collect();
    assert_eq!(hashes.len(), 6);
}

#[test]
fn threads_change_nothing() {
    let [one, two] = [1, 2].map(|jobs| batch::run(500..512, jobs, 10, &|_| {}));
    assert_eq!((one.worlds, one.failures, one.coverage), (two.worlds, two.failures, two.coverage));
}

#[test]
fn a_plan_that_was_kept_is_the_plan() {
    let plan = plan(7);
    let text = serde_json::to_string(&plan).expect("a plan is JSON");
    assert_eq!(serde_json::from_str::<quittance_sim::plan::Plan>(&text).expect("a plan"), plan);
}
