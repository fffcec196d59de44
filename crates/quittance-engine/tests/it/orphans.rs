//! Payments whose records a restore lost, and which their client asks for again: nothing is charged a second time.

use crate::gateway::Gateway;
use crate::objects::check_sound;
use crate::recovery::end;
use crate::world::{Pay, World, customer, decide, pay, swept_page};
use quittance_core::decide::Resolution;
use quittance_core::fact::ObjectKind;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_engine::recovery::begin_recovery;
use quittance_engine::submission::{Listed, Outcome, Submission};
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{DiscrepancyKind, OrphanEntry};

/// Lets everything go on, honestly, for a while.
fn go_on(world: &mut World) {
    for _ in 0..20 {
        world.poll();
        world.work_all();
        while !world.looks.is_empty() {
            world.look(Gateway::serve);
        }
        world.now = world.now.plus_ms(1_000);
    }
}

/// Everything since the backup is forgotten.
fn restore(world: &mut World, backup: MemoryDatabase) {
    let taken_at = world.now;
    world.now = world.now.plus_ms(60_000);
    world.database = backup;
    begin_recovery(&mut world.database.writer(), taken_at).expect("a database in memory can be written to");
    world.crash();
}

/// The sweep lists what the gateway has, each of it is looked at, and sends go on.
fn sweep(world: &mut World) {
    look_at_all(world);
    end(world);
}

fn look_at_all(world: &mut World) {
    let objects = world.gateway.intents.iter().map(|intent| intent["id"].as_str().expect("an id").to_owned()).collect();
    let listed = Listed { gateway: "stripe".into(), kind: ObjectKind::Payment, objects, is_full: true };
    world.submit(swept_page(listed));
    go_on(world);
}

/// A world whose data was restored from before anything was asked, after `asked` was and `live` has happened to it.
fn forgotten(asked: Pay, live: impl Fn(&mut World)) -> World {
    let mut world = World::new();
    let backup = world.database.backup();
    world.submit(asked.into());
    live(&mut world);
    restore(&mut world, backup);
    world
}

fn newest(world: &World) -> Payment {
    world.payments().pop().expect("there is one")
}

/// The statuses of the gateway's objects.
fn statuses(world: &World) -> Vec<&str> {
    world.gateway.intents.iter().map(|intent| intent["status"].as_str().expect("a status")).collect()
}

#[test]
fn the_retry_is_answered_with_the_charge_that_happened() {
    let mut world = forgotten(pay("k", "o"), World::settle);
    sweep(&mut world);
    assert_eq!(world.open(), [(DiscrepancyKind::OrphanedObject, "pi_1".to_owned())]);
    let outcome = world.submit(pay("k", "o").into());
    let Outcome::Accepted { command, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(world.open(), [], "the object is somebody's");
    world.work_all();
    let paid = newest(&world);
    assert_eq!((paid.status, paid.gateway_object.as_deref()), (Status::Succeeded, Some("pi_1")));
    assert_eq!(world.answers[&command], (201, format!("{} succeeded", paid.id)));
    assert_eq!(statuses(&world), ["succeeded"]);
    assert!(world.all::<OrphanEntry>()[0].found.is_empty());
    check_sound(&mut world);
    // Another payment under another reference is one.
    world.submit(pay("k2", "o2").into());
    world.settle();
    assert_eq!(statuses(&world), ["succeeded", "succeeded"]);
}

#[test]
fn what_is_asked_for_while_the_gateway_recovers_waits_and_is_answered_with_it_too() {
    let mut world = forgotten(pay("k", "o"), World::settle);
    world.submit(pay("k", "o").into());
    go_on(&mut world);
    assert_eq!((newest(&world).status, world.gateway.intents.len()), (Status::Processing, 1));
    sweep(&mut world);
    go_on(&mut world);
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Succeeded, vec!["succeeded"]));
    assert_eq!(world.open(), []);
    check_sound(&mut world);
}

#[test]
fn an_object_that_nobody_confirmed_is_confirmed_and_no_other_made() {
    let mut world = forgotten(pay("k", "o"), |world| drop(world.work(Gateway::serve)));
    world.gateway.intents[0]["status"] = "requires_confirmation".into();
    sweep(&mut world);
    world.submit(pay("k", "o").into());
    world.settle();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Succeeded, vec!["succeeded"]));
    check_sound(&mut world);
}

#[test]
fn an_attempt_that_was_declined_is_made_again_on_its_own_object() {
    let declined = Pay { method: "pm_card_chargeDeclined".into(), ..pay("k", "o") };
    let mut world = forgotten(declined.clone(), World::settle);
    sweep(&mut world);
    // Declined once more: whatever else was sent of it is fenced before the client hears of it.
    world.submit(declined.into());
    world.settle();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Failed, vec!["canceled"]));
    world.submit(pay("k2", "o").into());
    world.settle();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Succeeded, vec!["canceled", "succeeded"]));
    check_sound(&mut world);
}

#[test]
fn what_was_authorised_is_captured_after_all() {
    let asked = Pay { capture_method: CaptureMethod::Manual, ..pay("k", "o") };
    let mut world = forgotten(asked.clone(), World::settle);
    sweep(&mut world);
    world.submit(asked.into());
    world.work_all();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::RequiresCapture, vec!["requires_capture"]));
    world.submit(crate::world::capture(&world, "c", None));
    world.settle();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Succeeded, vec!["succeeded"]));
    check_sound(&mut world);
}

#[test]
fn an_object_that_has_ended_without_money_holds_nothing_back() {
    let mut world = forgotten(pay("k", "o"), World::settle);
    world.gateway.intents[0]["status"] = "canceled".into();
    sweep(&mut world);
    world.submit(pay("k", "o").into());
    world.settle();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Succeeded, vec!["canceled", "succeeded"]));
    // So does one that is seen to end later.
    let mut world = forgotten(pay("k", "o"), |world| drop(world.work(Gateway::serve)));
    sweep(&mut world);
    world.gateway.intents[0]["status"] = "canceled".into();
    look_at_all(&mut world);
    world.submit(pay("k", "o").into());
    world.settle();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Succeeded, vec!["canceled", "succeeded"]));
}

#[test]
fn another_amount_is_for_a_person_and_stays_one() {
    let mut world = forgotten(pay("k", "o"), World::settle);
    sweep(&mut world);
    let dearer = Pay { amount: 2_500, ..pay("k", "o") };
    world.submit(dearer.clone().into());
    world.work_all();
    let held = newest(&world);
    assert_eq!((held.status, held.gateway_object.as_deref()), (Status::Review, Some("pi_1")));
    assert_eq!(world.alarms.last(), Some(&"the gateway's object is for another amount or currency"));
    let outcome = world.submit(decide(&world, "d", Resolution::Failed));
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    // Whoever asks for it once more is held back, too: the object is what the failed attempt had.
    world.submit(Pay { key: "k2".into(), ..dearer }.into());
    go_on(&mut world);
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Review, vec!["succeeded"]));
    let outcome = world.submit(decide(&world, "d2", Resolution::Received { amount: 1_999 }));
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    assert_eq!((newest(&world).status, newest(&world).captured_amount), (Status::Succeeded, 1_999));
    go_on(&mut world);
    assert_eq!(statuses(&world), ["succeeded"]);
    check_sound(&mut world);
}

#[test]
fn several_objects_are_for_a_person() {
    let mut world = forgotten(pay("k", "o"), World::settle);
    let mut second = world.gateway.intents[0].clone();
    second["id"] = "pi_2".into();
    second["metadata"]["effect_id"] = "eff_00000000000000000000000009".into();
    world.gateway.intents.push(second);
    sweep(&mut world);
    let writes = world.gateway.seen.len();
    world.submit(pay("k", "o").into());
    go_on(&mut world);
    assert_eq!((newest(&world).status, newest(&world).gateway_object), (Status::Review, None));
    for (key, resolution, status) in
        [("d1", Resolution::Failed, Status::Failed), ("d2", Resolution::Succeeded, Status::Succeeded)]
    {
        let outcome = world.submit(decide(&world, key, resolution));
        assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
        assert_eq!(newest(&world).status, status);
        // What a person called failed is asked for again, and is held back again.
        world.submit(pay(&format!("k-{key}"), "o").into());
        go_on(&mut world);
    }
    assert_eq!((newest(&world).status, world.gateway.seen.len()), (Status::Succeeded, writes), "nothing was sent");
    check_sound(&mut world);
}

#[test]
fn a_payment_that_has_an_object_already_does_not_take_another() {
    let mut world = World::new();
    let declined = Pay { method: "pm_card_chargeDeclined".into(), ..pay("k", "o") };
    world.submit(declined.into());
    world.settle();
    let backup = world.database.backup();
    // The next attempt, which is lost, made an object of its own: that of the first was canceled meanwhile.
    world.gateway.intents[0]["status"] = "canceled".into();
    world.submit(pay("k2", "o").into());
    world.settle();
    assert_eq!(statuses(&world), ["canceled", "succeeded"]);
    restore(&mut world, backup);
    sweep(&mut world);
    let writes = world.gateway.seen.len();
    world.submit(pay("k2", "o").into());
    go_on(&mut world);
    // The known object is read first, found to be canceled and let go; then there is but one.
    assert_eq!((newest(&world).status, world.gateway.seen.len()), (Status::Succeeded, writes));
    assert_eq!(newest(&world).gateway_object.as_deref(), Some("pi_2"));
    check_sound(&mut world);
}

#[test]
fn other_references_and_other_customers_are_not_held_back() {
    let mut world = World::new();
    world.submit(customer("bob"));
    let backup = world.database.backup();
    world.submit(pay("k", "o").into());
    world.settle();
    restore(&mut world, backup);
    sweep(&mut world);
    world.submit(Pay { customer: "bob".into(), ..pay("k2", "o") }.into());
    world.submit(customer("carol"));
    world.submit(Pay { customer: "carol".into(), ..pay("k3", "o") }.into());
    world.submit(pay("k4", "other").into());
    world.settle();
    assert_eq!(statuses(&world).len(), 4, "{:?}", world.payments());
}

#[test]
fn a_customer_who_was_lost_too_and_made_anew_is_for_a_person() {
    let mut world = World::new();
    world.submit(customer("bob"));
    let backup = world.database.backup();
    world.now = world.now.plus_ms(60_000);
    world.submit(customer("carol"));
    world.submit(Pay { customer: "carol".into(), ..pay("k", "o") }.into());
    world.settle();
    restore(&mut world, backup);
    sweep(&mut world);
    world.submit(customer("carol"));
    let writes = world.gateway.seen.len();
    world.submit(Pay { customer: "carol".into(), ..pay("k", "o") }.into());
    go_on(&mut world);
    assert_eq!((newest(&world).status, world.gateway.seen.len()), (Status::Review, writes));
    let outcome = world.submit(decide(&world, "d", Resolution::Succeeded));
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    // Whoever was there before the backup is another one, and other references are other payments.
    world.submit(Pay { customer: "bob".into(), ..pay("k2", "o") }.into());
    world.submit(Pay { customer: "carol".into(), ..pay("k3", "p") }.into());
    world.settle();
    assert_eq!(statuses(&world).len(), 3);
    check_sound(&mut world);
}

#[test]
fn an_orphan_and_a_payment_of_one_batch_are_in_one_order() {
    let mut world = forgotten(pay("k", "o"), World::settle);
    let listed =
        Listed { gateway: "stripe".into(), kind: ObjectKind::Payment, objects: vec!["pi_1".into()], is_full: true };
    world.submit(swept_page(listed));
    world.poll();
    let look = world.looks.remove(0);
    let looked = crate::world::shown(&mut world.gateway, look, Gateway::serve);
    end(&mut world);
    world.submit_all(vec![Submission::Looked(Box::new(looked)), pay("k", "o").into()]);
    world.work_all();
    assert_eq!((newest(&world).status, statuses(&world)), (Status::Succeeded, vec!["succeeded"]));
    check_sound(&mut world);
}
