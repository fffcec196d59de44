//! Recovery after a restore, where nobody sweeps: it holds sends back, reads go on, and a person can end it.

use crate::gateway::Gateway;
use crate::placing::list;
use crate::world::{World, pay};
use quittance_core::fact::ObjectKind;
use quittance_core::payment::Status;
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

#[test]
fn an_attempt_that_a_replay_shows_as_declined_and_a_lost_one_made_good_is_given_to_a_person() {
    let accepted = || {
        let mut world = World::new();
        let mut declining = pay("k1", "order-1");
        declining.method = "pm_card_chargeDeclined".into();
        world.submit(declining.into());
        world
    };
    // What is lost: the first attempt was declined, and a second one charged the same object. Ids come out the same.
    let (mut lost, mut world) = (accepted(), accepted());
    lost.settle();
    lost.submit(pay("k2", "order-1").into());
    lost.settle();
    assert_eq!((lost.gateway.charged().len(), lost.payments()[1].status), (1, Status::Succeeded));
    world.gateway = lost.gateway;
    restore(&mut world);
    // The sweep sees how the object stands before the attempt knows that it is its own.
    list(&mut world, ObjectKind::Payment, &["pi_1"]);
    world.poll();
    world.look(Gateway::serve);
    assert_eq!(world.object("pi_1").status.as_deref(), Some("succeeded"));
    end(&mut world);
    world.poll();
    world.settle();
    assert_eq!((world.payments()[0].status, world.gateway.intents.len()), (Status::Failed, 1), "by stored answers");
    world.pass_hours(1);
    assert_eq!(world.payments()[0].status, Status::Review);
    assert_eq!(world.alarms, ["the gateway charged an attempt that had failed"]);
}
