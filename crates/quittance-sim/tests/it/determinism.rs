//! One seed is one world.

use quittance_sim::batch;
use quittance_sim::workload::plan;

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in 0..6 {
        let [first, second] = [false, true].map(|is_told| quittance_sim::simulate(&plan(seed), is_told));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_eq!(first.coverage, second.coverage, "seed {seed}");
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
