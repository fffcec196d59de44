//! A few worlds in every test run; `cargo xtask test` lives thousands.

use quittance_sim::batch;
use quittance_sim::plan::{Fault, On, Trouble};
use quittance_sim::shrink::shrink;
use quittance_sim::workload::plan;

#[test]
fn a_few_worlds_are_right() {
    let summary = batch::run(0..16, 2, 1, &|_| {});
    assert_eq!(summary.failures, []);
    assert_eq!(summary.worlds, 16);
}

#[test]
fn plans_are_varied() {
    let plans: Vec<_> = (0..200).map(plan).collect();
    let strikes = plans.iter().flat_map(|plan| &plan.faults);
    let refunds = strikes.filter(|fault: &&Fault| matches!(fault.what, Trouble::Strike { on: On::Refund, .. }));
    assert!(refunds.count() > 10);
    assert!(plans.iter().any(|plan| plan.faults.is_empty()), "some worlds are only busy");
    assert!(plans.iter().any(|plan| plan.operations.len() > 40), "some are very busy");
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    assert!(shrink(&plan(0), 10).is_none());
}
