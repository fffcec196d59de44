//! Keys: joined while running, replayed byte for byte when done, refused for anything else.

use crate::world::{World, pay};
use quittance_core::idempotency::Progress;
use quittance_core::rejection::Rejection;
use quittance_engine::submission::Outcome;

#[test]
fn the_same_key_in_one_batch_is_one_command() {
    let mut world = World::new();
    let outcomes = world.submit_all(vec![pay("k", "o").into(), pay("k", "o").into(), pay("k", "o").into()]);
    let Outcome::Accepted { command: first, .. } = outcomes[0] else { panic!("{outcomes:?}") };
    for outcome in &outcomes[1..] {
        assert!(matches!(outcome, Outcome::Joined { command, .. } if *command == first), "{outcome:?}");
    }
    assert_eq!(world.payments().len(), 1);
}

#[test]
fn a_finished_command_is_replayed_byte_for_byte_also_after_a_restart() {
    let mut world = World::new();
    let Outcome::Accepted { command, .. } = world.submit(pay("k", "o").into()) else { panic!("accepted") };
    world.settle();
    let (status, text) = world.answers[&command].clone();
    world.crash();
    let Outcome::Replayed(stored) = world.submit(pay("k", "o").into()) else { panic!("replayed") };
    let Progress::Completed { status: stored_status, body, .. } = stored.progress else { panic!("completed") };
    assert_eq!((stored_status, body), (status, text.into_bytes()));
}

#[test]
fn a_key_stands_for_one_request() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    let mut other = pay("k", "o");
    other.fingerprint = 9;
    let outcome = world.submit(other.into());
    assert!(matches!(outcome, Outcome::Refused(Rejection::KeyReused)), "{outcome:?}");
}
