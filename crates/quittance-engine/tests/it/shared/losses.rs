//! Who hears when that the database lost commits: nobody begins anything who should have heard, whoever did first.

use super::{HOUR_MS, MINUTE_MS, Machine, Pair};
use crate::world::{engine, pay};
use quittance_core::effect::Effect;
use quittance_core::time::Timestamp;
use quittance_engine::brakes::Brakes;
use quittance_engine::clocks::Reading;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::records::Switch;
use std::sync::Arc;

/// A payment that is accepted while its gateway recovers: nothing of it is sent.
fn check_held_back(pair: &mut Pair, key: &str) {
    assert!(matches!(pair.submit(pay(key, key).into()), Outcome::Accepted { .. }));
    assert!(pair.world.engine.paused().is_recovering("stripe"), "{key}");
    assert!(pair.world.jobs.is_empty(), "{key}: {:?}", pair.world.jobs);
}

#[test]
fn a_lane_that_heard_of_a_loss_is_not_misled_by_the_first_that_did_not() {
    let mut pair = Pair::new();
    let since = pair.world.now;
    // What the first lane of the other process knows; it has much to do and does not look for a while.
    let before = pair.other.outlook();
    pair.pass(MINUTE_MS);
    pair.world.engine.recover_from_loss(since).expect("the store works");
    pair.swap();
    for key in ["first", "second", "third"] {
        pair.world.engine.follow(before.clone()).expect("the store works");
        check_held_back(&mut pair, key);
    }
    // Once the first has looked, its word counts again.
    let knows = pair.world.engine.outlook();
    pair.world.engine.follow(knows).expect("the store works");
    check_held_back(&mut pair, "fourth");
}

#[test]
fn whoever_ends_an_era_hears_what_ended_the_one_before() {
    let mut pair = Pair::new();
    let since = pair.world.now;
    pair.pass(MINUTE_MS);
    pair.world.engine.recover_from_loss(since).expect("the store works");
    // The replica's clock is another: the other process sees it jump before it has decided anything.
    pair.swap();
    pair.set_clock(HOUR_MS);
    pair.pass(2_000);
    pair.look();
    check_held_back(&mut pair, "o");
}

#[test]
fn a_recovery_that_is_over_is_none_from_what_is_lost_after_it() {
    let mut pair = Pair::new();
    let since = pair.world.now;
    pair.pass(MINUTE_MS);
    pair.world.engine.recover_from_loss(since).expect("the store works");
    pair.swap();
    check_held_back(&mut pair, "o");
    let switches = pair.world.all::<Switch>();
    let recovery = switches.into_iter().find(|switch| switch.recovers().is_some()).expect("it recovers");
    assert!(recovery.changed_at > since);
    pair.submit(Submission::SetSwitch(Box::new(Switch { is_paused: false, ..recovery })));
    pair.world.settle();
    assert_eq!(pair.world.gateway.charged().len(), 1);
    // Another process had not committed anything since before that recovery began. Then it did, and that is lost again.
    pair.pass(1_000);
    pair.world.engine.recover_from_loss(since).expect("the store works");
    pair.swap();
    check_held_back(&mut pair, "o2");
}

#[test]
fn a_machine_whose_own_clock_is_wrong_takes_no_lease_away() {
    let mut pair = Pair::new();
    pair.submit(pay("k", "o").into());
    let held = pair.effect();
    assert!(held.lease_owner > 0 && pair.world.jobs.len() == 1);
    let store = Box::new(pair.world.database.shared_writer(&pair.time));
    let clock = Machine { name: "there", steady_ms: Arc::clone(&pair.steady_ms), followed: (Timestamp(0), 0) };
    let mut joins = engine(store, 103, None, &Brakes::default()).with_clock(Box::new(clock));
    // It was switched on a moment ago, and nobody has told it what time it is.
    let unset = Reading { wall: Timestamp(0), boot: "there".into(), steady_ms: 5_000 };
    assert_eq!(joins.start(&unset).expect("the store works").taken_over, 0);
    let due = |effect: &Effect| (effect.lease_owner, effect.due_at);
    assert_eq!(due(&pair.effect()), due(&held));
}
