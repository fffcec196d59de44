//! Whose an object is: ours, a stray's, an orphan, somebody else's, or not known yet.

use crate::gateway::Gateway;
use crate::objects::{ask_refund, check_sound, paid, refunded};
use crate::webhooks::event;
use crate::world::{World, pay, shown, swept_page};
use quittance_connectors::message::Delivery;
use quittance_core::fact::ObjectKind;
use quittance_core::payment::Status;
use quittance_engine::submission::{Listed, LookPlan, Outcome, Submission};
use quittance_store::records::{Discrepancy, DiscrepancyKind, Disposition, InboxEntry, ObjectState, Owner};
use serde_json::{Value, json};

/// A sweep lists these objects.
pub fn list(world: &mut World, kind: ObjectKind, objects: &[&str]) {
    let objects = objects.iter().map(|id| (*id).to_owned()).collect();
    let listed = Listed { gateway: "stripe".into(), kind, objects, is_full: false };
    let outcome = world.submit(swept_page(listed));
    assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
}

/// Another intent that carries the same effect, as a lost create would leave it.
pub fn twin(world: &mut World, status: &str) {
    let mut twin = world.gateway.intents[0].clone();
    twin["id"] = "pi_twin".into();
    twin["status"] = status.into();
    twin["latest_charge"] = Value::Null;
    world.gateway.intents.push(twin);
    list(world, ObjectKind::Payment, &["pi_twin"]);
}

fn state(world: &World, id: &str) -> ObjectState {
    world.object(id).state
}

fn disposition(world: &World, event: &str) -> Disposition {
    let entries = world.all::<InboxEntry>();
    entries.into_iter().find(|entry| entry.event == event).expect("stored").disposition
}

#[test]
fn an_inert_stray_of_a_lost_create_is_canceled_once() {
    for status in ["requires_confirmation", "requires_payment_method"] {
        let mut world = paid();
        twin(&mut world, status);
        let writes = world.gateway.seen.len();
        assert_eq!(world.look_around(), 2, "it is read, then canceled");
        assert_eq!(world.gateway.intents[1]["status"], "canceled");
        assert_eq!((state(&world, "pi_twin"), world.gateway.seen.len()), (ObjectState::Stray, writes + 1));
        assert_eq!(world.open(), []);
        world.pass_hours(24 * 8);
        assert_eq!(world.gateway.seen.len(), writes + 1);
        assert_eq!(world.payments()[0].status, Status::Succeeded);
        check_sound(&mut world);
    }
}

#[test]
fn a_stray_is_canceled_after_a_crash_and_never_what_was_confirmed_meanwhile() {
    let mut world = paid();
    twin(&mut world, "requires_confirmation");
    world.poll();
    world.look(Gateway::serve);
    world.poll();
    assert!(matches!(world.looks[0].plan, LookPlan::Cancel(_)));
    world.crash();
    world.gateway.intents[1]["status"] = "succeeded".into();
    world.look_around();
    // The gateway refused, so it was read again, and a person has to look.
    world.pass_hours(1);
    assert_eq!(world.gateway.intents[1]["status"], "succeeded");
    assert_eq!(world.open(), [(DiscrepancyKind::DuplicateCharge, "pi_twin".to_owned())]);
    check_sound(&mut world);
}

#[test]
fn a_stray_that_moved_money_is_a_duplicate_charge_and_nothing_is_done_about_it() {
    let mut world = paid();
    let writes = world.gateway.seen.len();
    twin(&mut world, "succeeded");
    world.look_around();
    assert_eq!(world.open(), [(DiscrepancyKind::DuplicateCharge, "pi_twin".to_owned())]);
    let opened = world.all::<Discrepancy>().remove(0);
    assert_eq!(opened.payment, Some(world.payments()[0].id));
    assert_eq!(opened.tenant, Some(crate::world::tenant()));
    assert_eq!(world.alarms, ["duplicate_charge"]);
    world.pass_hours(24 * 5);
    assert_eq!((world.alarms.len(), world.gateway.seen.len()), (1, writes), "one alarm, no request that writes");
    check_sound(&mut world);
}

#[test]
fn what_is_in_review_is_left_to_a_person_with_all_its_objects() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(|gateway, request| {
        let Delivery::Answered(mut answer) = gateway.serve(request) else { panic!("the model answers") };
        // The object that comes back is for another amount, so its id is never committed.
        answer.body = String::from_utf8_lossy(&answer.body).replace("1999", "5").into_bytes();
        Delivery::Answered(answer)
    });
    assert_eq!(world.payments()[0].status, Status::Review);
    let writes = world.gateway.seen.len();
    list(&mut world, ObjectKind::Payment, &["pi_1"]);
    assert_eq!(world.look_around(), 1);
    assert_eq!((state(&world, "pi_1"), world.gateway.seen.len()), (ObjectState::Stray, writes));
    assert_eq!(world.open(), []);
}

#[test]
fn an_object_of_an_effect_that_still_looks_for_it_is_no_stray() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    let job = world.jobs.remove(0);
    crate::world::learned(&mut world.gateway, job, Gateway::serve);
    list(&mut world, ObjectKind::Payment, &["pi_1"]);
    world.permits = 1;
    world.poll();
    let look = world.looks.remove(0);
    let looked = shown(&mut world.gateway, look, Gateway::serve);
    world.submit(Submission::Looked(Box::new(looked)));
    assert_eq!(state(&world, "pi_1"), ObjectState::Unread);
    world.permits = 100;
    world.crash();
    world.settle();
    assert_eq!((world.gateway.intents.len(), world.gateway.charged().len()), (1, 1));
    world.pass_hours(1);
    assert_eq!((state(&world, "pi_1"), world.open()), (ObjectState::Ours, Vec::new()));
}

#[test]
fn an_object_of_an_effect_that_nobody_knows_is_an_orphan() {
    let mut world = paid();
    twin(&mut world, "succeeded");
    world.gateway.intents[1]["metadata"]["effect_id"] = "eff_00000000000000000000000009".into();
    world.look_around();
    assert_eq!(state(&world, "pi_twin"), ObjectState::Orphan);
    assert_eq!(world.open(), [(DiscrepancyKind::OrphanedObject, "pi_twin".to_owned())]);
    let opened = world.all::<Discrepancy>().remove(0);
    assert_eq!((opened.tenant, opened.payment), (None, None));
    // A later look contradicts it.
    let (effect, customer) = (world.payments()[0].effect, world.payments()[0].book);
    world.gateway.intents[1]["metadata"] =
        json!({"effect_id": effect.to_string(), "customer_id": customer.to_string()});
    world.pass_hours(25);
    assert_eq!(world.open(), [(DiscrepancyKind::DuplicateCharge, "pi_twin".to_owned())]);
}

#[test]
fn somebody_elses_objects_are_kept_and_cost_nothing() {
    let mut world = paid();
    let mut foreign = world.gateway.intents[0].clone();
    foreign["id"] = "pi_foreign".into();
    foreign["metadata"] = json!({});
    let mut refund = json!({"id": "re_foreign", "object": "refund", "status": "succeeded", "amount": 5,
        "currency": "usd", "payment_intent": "pi_foreign", "charge": null, "metadata": {}});
    world.gateway.intents.push(foreign.clone());
    world.gateway.others.push(refund.clone());
    world.submit(event("evt_1", "payment_intent.succeeded", &foreign));
    assert_eq!((disposition(&world, "evt_1"), world.look_around()), (Disposition::External, 0));
    world.submit(event("evt_2", "refund.created", &refund));
    assert_eq!(world.look_around(), 1);
    assert_eq!(state(&world, "re_foreign"), ObjectState::External);
    refund["charge"] = "ch_foreign".into();
    assert_eq!((world.open(), world.alarms.len()), (Vec::new(), 0));
    check_sound(&mut world);
}

#[test]
fn a_refund_of_ours_that_somebody_else_made_is_said() {
    let mut world = paid();
    let refund = json!({"id": "re_dashboard", "object": "refund", "status": "succeeded", "amount": 5,
        "currency": "usd", "payment_intent": "pi_1", "charge": null, "metadata": {}});
    world.gateway.others.push(refund.clone());
    world.submit(event("evt_1", "refund.created", &refund));
    world.look_around();
    assert_eq!(world.open(), [(DiscrepancyKind::RefundMadeElsewhere, "re_dashboard".to_owned())]);
    assert_eq!(world.all::<Discrepancy>()[0].payment, Some(world.payments()[0].id));
}

#[test]
fn sync_07_update_before_create_is_not_dropped() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.settle();
    // The charge's update comes before anybody knows its payment, as after a restored backup.
    let charge = json!({"id": "ch_late", "object": "charge", "status": "succeeded", "captured": true, "amount": 5,
        "amount_captured": 5, "currency": "usd", "payment_intent": "pi_late", "metadata": {}});
    world.gateway.others.push(charge.clone());
    world.submit(event("evt_1", "charge.updated", &charge));
    assert_eq!(world.look_around(), 1);
    let parked = world.object("ch_late");
    assert_eq!((parked.state, parked.waiting_on.as_deref()), (ObjectState::Parked, Some("pi_late")));
    world.submit(event("evt_2", "charge.updated", &charge));
    assert_eq!(disposition(&world, "evt_2"), Disposition::Parked);
    let mut payment = world.gateway.intents[0].clone();
    payment["id"] = "pi_late".into();
    payment["metadata"] = json!({});
    world.gateway.intents.push(payment.clone());
    world.submit(event("evt_3", "payment_intent.created", &payment));
    world.pass_hours(1);
    assert_eq!(state(&world, "ch_late"), ObjectState::External, "woken, read and placed");
}

#[test]
fn what_waits_has_its_parent_fetched_and_is_given_up_after_three_days() {
    let mut world = refunded();
    let refund = json!({"id": "re_x", "object": "refund", "status": "succeeded", "amount": 5,
        "currency": "usd", "payment_intent": "pi_x", "charge": null, "metadata": {}});
    world.gateway.others.push(refund.clone());
    world.submit(event("evt_1", "refund.created", &refund));
    world.look_around();
    assert_eq!(state(&world, "re_x"), ObjectState::Parked);
    let known =
        |world: &World| world.all::<quittance_store::records::GatewayObject>().iter().any(|row| row.object == "pi_x");
    assert!(!known(&world), "not at once");
    // The gateway has it, and what it answers cannot be read.
    world.gateway.others.push(json!({"id": "pi_x", "object": "payment_intent", "status": "succeeded"}));
    world.pass_hours(1);
    assert!(known(&world), "after a quarter of an hour it is fetched");
    assert_eq!(state(&world, "re_x"), ObjectState::Parked);
    world.pass_hours(73);
    assert_eq!(state(&world, "re_x"), ObjectState::Quarantined);
    assert!(world.open().contains(&(DiscrepancyKind::Quarantined, "re_x".to_owned())), "{:?}", world.open());
}

#[test]
fn a_refund_of_ours_whose_answer_was_lost_is_ours_by_its_metadata() {
    let mut world = paid();
    ask_refund(&mut world);
    world.work(Gateway::serve_and_lose);
    list(&mut world, ObjectKind::Refund, &["re_2"]);
    world.jobs.clear();
    world.permits = 1;
    world.poll();
    world.jobs.clear();
    world.permits = 100;
    world.poll();
    while !world.looks.is_empty() {
        world.look(Gateway::serve);
    }
    let owner = world.object("re_2").owner;
    assert_eq!(owner.map(|Owner { effect, .. }| effect), Some(crate::objects::refund(&world).effect));
    assert_eq!(crate::objects::refund(&world).status.name(), "succeeded");
}
