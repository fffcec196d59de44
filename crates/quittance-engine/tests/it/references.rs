//! Objects that carry nothing of ours but the reference of the request that made them.

use crate::review::check_sound;
use crate::unlisted::{answered, limited_to, teach, transfer};
use crate::world::{World, decide, pay, swept_page};
use quittance_connectors::connector::Connector;
use quittance_connectors::message::Delivery;
use quittance_connectors::rail::Rail;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::decide::Resolution;
use quittance_core::effect::Class;
use quittance_core::fact::{Loss, ObjectKind};
use quittance_core::payment::Status;
use quittance_engine::submission::{Listed, Looked, Outcome, Submission};
use quittance_store::records::{Discrepancy, DiscrepancyKind, ObjectState};
use serde_json::{Value, json};

/// A sweep lists this transfer, and it is looked at.
fn look_at(world: &mut World, shown: &Value) -> Outcome {
    look_through(world, &Rail, shown)
}

/// The same, where the gateway speaks so.
fn look_through(world: &mut World, connector: &dyn Connector, shown: &Value) -> Outcome {
    let objects = vec![shown["id"].as_str().expect("an id").to_owned()];
    let listed = Listed { gateway: "stripe".into(), kind: ObjectKind::Charge, objects, is_full: false };
    world.submit(swept_page(listed));
    world.poll();
    let look = world.looks.remove(0);
    let fact = connector.decode_read(ObjectKind::Charge, &answered(200, shown));
    world.submit(Submission::Looked(Box::new(Looked { object: look.object, is_cancel: false, fact })))
}

/// A payment through the rail that is paid, and its transfer.
fn paid() -> (World, Value) {
    let mut world = limited_to(Rail, Class::B);
    world.submit(pay("k", "o").into());
    let settled = transfer(&world, "tr_1", "settled");
    teach(&mut world, &Rail, &answered(200, &settled));
    assert_eq!(world.payments()[0].status, Status::Succeeded);
    (world, settled)
}

fn with(transfer: &Value, name: &str, value: &str) -> Value {
    let mut changed = transfer.clone();
    changed[name] = value.into();
    changed
}

#[test]
fn a_second_transfer_under_a_reference_of_ours_is_a_duplicate_charge() {
    let (mut world, first) = paid();
    look_at(&mut world, &with(&first, "id", "tr_2"));
    assert_eq!(world.object("tr_2").state, ObjectState::Stray);
    assert_eq!(world.open(), [(DiscrepancyKind::DuplicateCharge, "tr_2".to_owned())]);
    assert_eq!(world.all::<Discrepancy>()[0].payment, Some(world.payments()[0].id));
    assert_eq!(world.alarms, ["duplicate_charge"]);
    check_sound(&mut world);
}

#[test]
fn a_second_transfer_that_was_rejected_is_kept_without_an_alarm() {
    let (mut world, first) = paid();
    look_at(&mut world, &with(&with(&first, "id", "tr_2"), "state", "rejected"));
    assert_eq!((world.object("tr_2").state, world.open()), (ObjectState::Stray, Vec::new()));
}

#[test]
fn a_transfer_under_a_reference_that_looks_like_ours_and_nobody_knows_is_an_orphan() {
    let (mut world, first) = paid();
    let unknown = with(&first, "reference", "b1abcdefghijklmnopqrstuvwxyz");
    look_at(&mut world, &with(&unknown, "id", "tr_2"));
    assert_eq!(world.object("tr_2").state, ObjectState::Orphan);
    assert_eq!(world.open(), [(DiscrepancyKind::OrphanedObject, "tr_2".to_owned())]);
    assert!(world.all::<Discrepancy>()[0].detail.contains("b1abcdefghijklmnopqrstuvwxyz"));
}

#[test]
fn a_transfer_under_any_other_reference_is_somebody_elses() {
    let (mut world, first) = paid();
    for (id, reference) in
        [("tr_2", "invoice 7"), ("tr_3", "b1abcdefghijklmnopqrstuvwxy"), ("tr_4", "B1ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
    {
        look_at(&mut world, &with(&with(&first, "id", id), "reference", reference));
        assert_eq!(world.object(id).state, ObjectState::External, "{reference}");
    }
    assert_eq!((world.open(), world.alarms.len()), (Vec::new(), 0));
}

#[test]
fn the_transfer_of_an_effect_that_still_looks_for_it_is_adopted() {
    let mut world = limited_to(Rail, Class::B);
    world.submit(pay("k", "o").into());
    let settled = transfer(&world, "tr_1", "settled");
    teach(&mut world, &Rail, &Delivery::Lost { loss: Loss::Timeout, reason: "test".into() });
    assert_eq!(world.payments()[0].status, Status::Unknown);
    // It would be searched for; a sweep is faster.
    world.jobs.clear();
    let outcome = look_at(&mut world, &settled);
    assert!(matches!(outcome, Outcome::Applied { ref answered, .. } if answered.len() == 1), "{outcome:?}");
    assert_eq!((world.payments()[0].status, world.object("tr_1").state), (Status::Succeeded, ObjectState::Ours));
    assert_eq!(world.payments()[0].gateway_object.as_deref(), Some("tr_1"));
    check_sound(&mut world);
}

#[test]
fn the_transfer_of_a_payment_in_review_is_left_to_the_person() {
    let mut world = limited_to(Rail, Class::D);
    world.submit(pay("k", "o").into());
    let settled = transfer(&world, "tr_1", "settled");
    teach(&mut world, &Rail, &Delivery::Lost { loss: Loss::Timeout, reason: "test".into() });
    assert_eq!(world.payments()[0].status, Status::Review, "nothing can tell");
    look_at(&mut world, &settled);
    assert_eq!(world.open(), [(DiscrepancyKind::DuplicateCharge, "tr_1".to_owned())], "and now something does");
    assert_eq!(world.all::<Discrepancy>()[0].payment, Some(world.payments()[0].id));
}

#[test]
fn what_a_person_said_had_come_and_went_back_is_told_to_people() {
    let stripe = Stripe { flow: Flow::Charges, ..Stripe::default() };
    let mut world = limited_to(stripe, Class::D);
    world.submit(pay("k", "o").into());
    teach(&mut world, &stripe, &Delivery::Lost { loss: Loss::Timeout, reason: "test".into() });
    world.submit(decide(&world, "d", Resolution::Succeeded));
    assert_eq!(world.payments()[0].status, Status::Succeeded);
    let payment = &world.payments()[0];
    let mut charge = json!({
        "id": "ch_1", "object": "charge", "status": "succeeded", "amount": 1_999, "currency": "usd", "captured": true,
        "metadata": {"effect_id": payment.effect.to_string(), "customer_id": payment.book.to_string()},
    });
    look_through(&mut world, &stripe, &charge);
    let told = [(DiscrepancyKind::DuplicateCharge, "ch_1".to_owned())];
    assert_eq!(world.open(), told, "nobody has seen what the person meant");
    charge["status"] = "failed".into();
    charge["failure_balance_transaction"] = "txn_1".into();
    world.now = world.now.plus_ms(86_400_000);
    look_through(&mut world, &stripe, &charge);
    assert_eq!(world.open(), told, "the books still say that the money is there");
}
