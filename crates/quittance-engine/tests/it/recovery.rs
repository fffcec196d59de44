//! Recovery after a restore, where nobody sweeps: it holds sends back, reads go on, and a person can end it.

use crate::gateway::Gateway;
use crate::world::{World, pay};
use quittance_engine::recovery::begin_recovery;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::records::Switch;

/// Far longer than any wait.
const HOUR_MS: u64 = 3_600_000;

fn restore(world: &mut World) {
    begin_recovery(&mut world.database.writer(), world.now).expect("a database in memory can be written to");
    world.crash();
}

pub fn end(world: &mut World) {
    let (name, by) = (Switch::recovery_of("stripe"), "operator".to_owned());
    let switch = Switch { name, is_paused: false, reason: Some("looked".into()), by, changed_at: world.now };
    let outcome = world.submit(Submission::SetSwitch(Box::new(switch)));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
}

#[test]
fn nothing_is_sent_until_somebody_says_so_and_then_for_good() {
    let mut world = World::new();
    restore(&mut world);
    assert!(world.engine.paused().is_recovering("stripe"));
    let outcome = world.submit(pay("k", "o").into());
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    world.poll();
    world.now = world.now.plus_ms(HOUR_MS);
    world.poll();
    assert!(world.jobs.is_empty(), "{:?}", world.jobs);
    end(&mut world);
    world.poll();
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
    world.crash();
    assert!(!world.engine.paused().is_recovering("stripe"), "a later start does not begin it anew");
}

#[test]
fn what_is_unknown_is_read_meanwhile() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    restore(&mut world);
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
    assert_eq!(world.payments()[0].status.name(), "succeeded", "by a read");
}
