//! What takes effect in the very last moment in which its gateway's contract lets it: seeds stop a minute short of that, so
//! that whoever waits a minute too little would pass them.

use crate::auditor::plan;
use quittance_sim::plan::{Blow, Fault, On, Plan, Profile, Trouble};

/// How long a request may take to leave and to arrive, in milliseconds: what is waited for is counted from its ticket.
const ON_ITS_WAY_MS: u64 = 10_000;

fn check(profile: Profile, blow: Blow) {
    let what = Trouble::Strike { gateway: 0, on: On::Charge, blow, count: 1 };
    let plan = Plan { faults: vec![Fault { at_ms: 500, what }], ..plan(profile) };
    let failure = quittance_sim::simulate(&plan, false).failure;
    assert_eq!(failure, None, "{profile:?}");
}

#[test]
fn what_arrives_at_the_end_of_ten_minutes_is_waited_for() {
    for profile in [Profile::Keyless, Profile::Rail] {
        check(profile, Blow::Late(600_000 - ON_ITS_WAY_MS));
    }
}

#[test]
fn what_is_rolled_forward_at_the_end_of_a_day_is_waited_for() {
    check(Profile::Keyless, Blow::ErrorBefore(86_400_000 - ON_ITS_WAY_MS));
}
