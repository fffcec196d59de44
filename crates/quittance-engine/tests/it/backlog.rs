//! How far behind a gateway is, and that it is given no more when that is too far.

use crate::gateway::Gateway;
use crate::world::{Pay, World, pay};
use quittance_core::decide::OnDuplicate;
use quittance_core::time::Timestamp;
use quittance_engine::backlog::Backlog;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::records::Switch;
use quittance_store::store::{Reader, Scan};
use quittance_store::tables;

/// The limit of the world's gateway.
const AGE_MAX_MS: u64 = 600_000;

fn survey(world: &mut World) -> Backlog {
    world.engine.survey(world.now).expect("the store works")["stripe"]
}

/// Everything that is stored, but for what time alone changes.
fn rows(world: &World) -> usize {
    let count =
        |table| world.database.reader().scan(&Scan::forward(table, Vec::new(), 10_000)).expect("readable").len();
    tables::ALL.into_iter().map(count).sum()
}

/// A world whose gateway took nothing for so long.
fn behind(age_ms: u64) -> World {
    let mut world = World::new();
    world.permits = 0;
    world.submit(pay("k1", "o1").into());
    world.now = world.now.plus_ms(age_ms);
    survey(&mut world);
    world
}

fn pause(world: &mut World, is_paused: bool) {
    let switch =
        Switch { name: "stripe".into(), is_paused, reason: None, by: "operator".into(), changed_at: world.now };
    world.submit(Submission::SetSwitch(Box::new(switch)));
}

#[test]
fn the_age_is_that_of_the_oldest() {
    let mut world = World::new();
    let ms = |world: &World, ms| world.now.plus_ms(ms);
    assert_eq!(survey(&mut world), Backlog::default());
    world.permits = 0;
    let accepted_at = world.now;
    world.submit(pay("k1", "o1").into());
    world.now = ms(&world, 1_000);
    world.submit(pay("k2", "o2").into());
    let waiting = Backlog { due_since: Some(accepted_at), unsent_since: Some(accepted_at), unknown_since: None };
    assert_eq!(survey(&mut world), waiting);
    world.permits = 1;
    world.poll();
    let waiting = Backlog { due_since: Some(world.now), unsent_since: Some(world.now), ..waiting };
    assert_eq!(survey(&mut world), waiting, "what has begun is due no more");
    // Created; the confirm is lost, and not read back.
    world.work(Gateway::serve);
    let sent_at = world.now;
    world.now = ms(&world, 2_000);
    world.permits = 0;
    world.work(Gateway::serve_and_lose);
    world.now = ms(&world, 5_000);
    let lost = survey(&mut world);
    assert_eq!((lost.unknown_since, lost.unsent_since), (Some(sent_at), Some(accepted_at.plus_ms(1_000))));
    world.permits = 10;
    world.settle();
    assert_eq!(survey(&mut world), Backlog::default());
}

#[test]
fn a_gateway_too_far_behind_is_given_no_more_and_nothing_is_stored() {
    let mut world = behind(AGE_MAX_MS + 1);
    let before = rows(&world);
    let refused = world.submit(pay("k2", "o2").into());
    assert!(matches!(&refused, Outcome::Backlogged { gateway, age_ms: 600_001 } if gateway == "stripe"), "{refused:?}");
    assert_eq!(rows(&world), before);
    // Whoever asks again for what was accepted is told what became of it.
    let known = world.submit(pay("k1", "o1").into());
    assert!(matches!(known, Outcome::Joined { .. }), "{known:?}");
    let same = Pay { on_duplicate: OnDuplicate::ReturnExisting, ..pay("k3", "o1") };
    let joined = world.submit(same.into());
    assert!(matches!(joined, Outcome::Accepted { .. }), "a payment that there is: {joined:?}");
    let duplicate = world.submit(pay("k4", "o1").into());
    assert!(matches!(duplicate, Outcome::Answered { status: 409, .. }), "{duplicate:?}");
    let reused = world.submit(Pay { fingerprint: 9, ..pay("k1", "o1") }.into());
    assert!(matches!(reused, Outcome::Refused(_)), "{reused:?}");
    world.permits = 10;
    world.poll();
    world.settle();
    let replayed = world.submit(pay("k1", "o1").into());
    assert!(matches!(replayed, Outcome::Replayed(_)), "{replayed:?}");
    survey(&mut world);
    let accepted = world.submit(pay("k2", "o2").into());
    assert!(matches!(accepted, Outcome::Accepted { .. }), "the key was free: {accepted:?}");
}

#[test]
fn up_to_the_limit_everything_is_accepted() {
    let accepted = behind(AGE_MAX_MS).submit(pay("k2", "o2").into());
    assert!(matches!(accepted, Outcome::Accepted { .. }), "{accepted:?}");
}

#[test]
fn a_gateway_that_is_held_back_on_purpose_is_not_behind() {
    let mut world = behind(10 * AGE_MAX_MS);
    pause(&mut world, true);
    let accepted = world.submit(pay("k2", "o2").into());
    assert!(matches!(accepted, Outcome::Accepted { .. }), "{accepted:?}");
    pause(&mut world, false);
    let refused = world.submit(pay("k3", "o3").into());
    assert!(matches!(refused, Outcome::Backlogged { .. }), "{refused:?}");
}

#[test]
fn payments_that_wait_to_be_tried_again_make_nobody_wait() {
    let mut world = World::new();
    world.submit(pay("k1", "o1").into());
    world.work(|_, _| quittance_connectors::message::Delivery::NotSent { reason: "model".into() });
    world.now = world.now.plus_ms(10 * AGE_MAX_MS);
    let backlog = survey(&mut world);
    assert_eq!(backlog.unsent_since, None);
    assert!(backlog.due_since.is_some_and(|since| since > Timestamp::default()), "it is due all the same");
    let accepted = world.submit(pay("k2", "o2").into());
    assert!(matches!(accepted, Outcome::Accepted { .. }), "{accepted:?}");
}
