//! Brakes: what is paused begins nothing, keeps everything, and completes once when it is resumed.

use crate::gateway::Gateway;
use crate::world::{World, pay};
use quittance_core::payment::Status;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::records::{Entity, Switch};
use quittance_store::store::Reader;

/// Far longer than any wait.
const HOUR_MS: u64 = 3_600_000;

fn switch(name: &str, is_paused: bool, world: &World) -> Submission {
    let (name, by) = (name.to_owned(), "operator".to_owned());
    Submission::SetSwitch(Box::new(Switch { name, is_paused, reason: None, by, changed_at: world.now }))
}

fn set(world: &mut World, name: &str, is_paused: bool) {
    let outcome = world.submit(switch(name, is_paused, world));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
}

/// Looks for due work, also much later: there is none.
fn check_rest(world: &mut World) {
    world.poll();
    world.now = world.now.plus_ms(HOUR_MS);
    world.poll();
    assert!(world.jobs.is_empty(), "{:?}", world.jobs);
}

#[test]
fn what_is_paused_accepts_and_begins_nothing_until_it_is_resumed() {
    for name in ["stripe", Switch::EVERYTHING] {
        let mut world = World::new();
        set(&mut world, name, true);
        for number in 0..20 {
            let outcome = world.submit(pay(&format!("k{number}"), &format!("o{number}")).into());
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        }
        check_rest(&mut world);
        assert!(world.payments().iter().all(|payment| payment.status == Status::Processing));
        set(&mut world, name, false);
        world.poll();
        world.settle();
        assert_eq!((world.gateway.charged().len(), world.gateway.intents.len()), (20, 20), "{name}");
    }
}

#[test]
fn another_gateways_pause_holds_nothing_back() {
    let mut world = World::new();
    set(&mut world, "adyen", true);
    world.submit(pay("k", "o").into());
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
}

#[test]
fn a_pause_between_two_steps_holds_the_second() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    set(&mut world, "stripe", true);
    world.work(Gateway::serve);
    check_rest(&mut world);
    assert_eq!((world.gateway.intents.len(), world.gateway.charged().len()), (1, 0));
    set(&mut world, "stripe", false);
    world.settle();
    assert_eq!((world.gateway.intents.len(), world.gateway.charged().len()), (1, 1));
}

#[test]
fn what_is_unknown_is_not_read_back_while_it_is_paused() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    set(&mut world, "stripe", true);
    world.work(Gateway::serve_and_lose);
    check_rest(&mut world);
    assert_eq!(world.payments()[0].status, Status::Unknown);
    set(&mut world, "stripe", false);
    world.settle();
    assert_eq!((world.gateway.charged().len(), world.payments()[0].status), (1, Status::Succeeded));
}

#[test]
fn a_pause_outlives_the_process() {
    let mut world = World::new();
    world.submit(pay("k1", "o1").into());
    set(&mut world, Switch::EVERYTHING, true);
    world.crash();
    world.submit(pay("k2", "o2").into());
    check_rest(&mut world);
    set(&mut world, Switch::EVERYTHING, false);
    world.crash();
    world.settle();
    assert_eq!(world.gateway.charged().len(), 2);
}

#[test]
fn each_pause_is_taken_back_under_its_own_name() {
    let mut world = World::new();
    set(&mut world, Switch::EVERYTHING, true);
    set(&mut world, "stripe", true);
    world.submit(pay("k", "o").into());
    set(&mut world, "stripe", false);
    check_rest(&mut world);
    set(&mut world, Switch::EVERYTHING, false);
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
}

#[test]
fn pausing_again_keeps_since_when() {
    let mut world = World::new();
    let since = world.now;
    set(&mut world, "stripe", true);
    world.now = world.now.plus_ms(HOUR_MS);
    set(&mut world, "stripe", true);
    // A switch that was never set is released.
    set(&mut world, "adyen", false);
    let rows = world.database.reader().get_many(Switch::table(), &[vec!["stripe".into()], vec!["adyen".into()]]);
    let mut rows = rows.expect("readable").into_iter();
    let stored = Switch::from_row(&rows.next().flatten().expect("a row")).expect("sound");
    assert_eq!((stored.is_paused, stored.changed_at), (true, since));
    assert_eq!(rows.next(), Some(None));
}
