//! Looks at objects: whoever began later is right, events are hints, and every end has its tail.

use crate::gateway::Gateway;
use crate::webhooks::event;
use crate::world::{World, command, pay, shown};
use quittance_core::decide::AskRefund;
use quittance_core::payment::Status;
use quittance_core::refund::{Refund, RefundStatus};
use quittance_engine::submission::{Action, EffectRef, Outcome, Submission};
use quittance_engine::verify::{Aspect, verify};
use quittance_store::records::{Disposition, InboxEntry, JournalEntry, ObjectState};
use serde_json::{Value, json};

/// A payment that has succeeded, with its charge at the gateway.
pub fn paid() -> World {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.settle();
    let intent = world.gateway.intents[0].clone();
    world.gateway.others.push(json!({
        "id": intent["latest_charge"], "object": "charge", "status": "succeeded", "captured": true,
        "amount": intent["amount"], "amount_captured": intent["amount"], "currency": intent["currency"],
        "payment_intent": intent["id"], "metadata": intent["metadata"],
    }));
    world
}

/// A refund of that payment which has succeeded.
pub fn refunded() -> World {
    let mut world = paid();
    ask_refund(&mut world);
    world.work(Gateway::serve);
    assert_eq!(refund(&world).status, RefundStatus::Succeeded);
    world
}

pub fn ask_refund(world: &mut World) {
    let payment = world.payments().remove(0);
    let named = EffectRef { book: payment.book, effect: payment.effect, payment: payment.id, epoch: 0 };
    let asked = AskRefund {
        amount: Some(700),
        currency: None,
        reference: Some("r".into()),
        expected_refunded_amount: None,
        reason: None,
    };
    let outcome = world.submit(command("r", 0, "POST /v1/refunds", Action::Refund { payment: named, asked }));
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
}

pub fn refund(world: &World) -> Refund {
    world.all::<Refund>().remove(0)
}

fn other<'a>(world: &'a mut World, id: &str) -> &'a mut Value {
    world.gateway.others.iter_mut().find(|object| object["id"] == id).expect("it is there")
}

/// The bank sends the refund back.
fn fail_refund(world: &mut World) -> Value {
    let refund = other(world, "re_2");
    refund["status"] = "failed".into();
    refund["failure_reason"] = "expired_or_canceled_card".into();
    refund["failure_balance_transaction"] = "txn_back".into();
    refund.clone()
}

pub fn check_sound(world: &mut World) {
    let report = verify(&mut world.database.reader(), &mut |_| {}).expect("readable");
    assert!(report.findings.iter().all(|finding| finding.aspect != Aspect::Chain), "{report:?}");
    if world.all::<Refund>().is_empty() {
        assert!(report.findings.is_empty(), "{report:?}");
    }
}

fn disposition(world: &World, event: &str) -> Disposition {
    let entries = world.all::<InboxEntry>();
    entries.into_iter().find(|entry| entry.event == event).expect("stored").disposition
}

#[test]
fn sync_04_updated_before_created() {
    let mut world = paid();
    let intent = world.gateway.intents[0].clone();
    let mut old = intent.clone();
    old["status"] = "requires_confirmation".into();
    old["latest_charge"] = Value::Null;
    world.submit(event("evt_2", "payment_intent.succeeded", &intent));
    world.submit(event("evt_1", "payment_intent.created", &old));
    assert_eq!(
        (disposition(&world, "evt_1"), disposition(&world, "evt_2")),
        (Disposition::Applied, Disposition::Applied)
    );
    assert_eq!(world.payments()[0].status, Status::Succeeded);
    world.poll();
    assert!(world.looks.is_empty(), "what says nothing new costs no request");
    check_sound(&mut world);
}

#[test]
fn sync_05_two_handlers_of_one_object_make_one_row() {
    let mut world = refunded();
    let failed = fail_refund(&mut world);
    let events = [event("evt_1", "refund.updated", &failed), event("evt_2", "refund.failed", &failed)];
    let outcomes = world.submit_all(events.into());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done)), "{outcomes:?}");
    world.poll();
    assert_eq!(world.looks.len(), 1, "two events for one object cost one look");
    world.look(Gateway::serve);
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    assert_eq!(world.look_around(), 0);
    check_sound(&mut world);
}

#[test]
fn sync_06_slow_handler_is_refused_because_its_read_is_older() {
    let mut world = refunded();
    let fine = event("evt_1", "refund.failed", &fail_refund(&mut world));
    other(&mut world, "re_2")["status"] = "succeeded".into();
    other(&mut world, "re_2")["failure_balance_transaction"] = Value::Null;
    world.submit(fine);
    world.poll();
    let slow = world.looks.remove(0);
    let stale = shown(&mut world.gateway, slow, Gateway::serve);
    // It stalls for longer than its lease; meanwhile the refund fails, and somebody else reads that.
    fail_refund(&mut world);
    world.now = world.now.plus_ms(31_000);
    world.poll();
    world.look(Gateway::serve);
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    let before = world.object("re_2");
    let outcome = world.submit(Submission::Looked(Box::new(stale)));
    assert!(matches!(outcome, Outcome::Fenced), "{outcome:?}");
    assert_eq!(world.object("re_2"), before);
    assert_eq!(before.read_sequence, before.lease_epoch);
    check_sound(&mut world);
}

#[test]
fn an_event_during_a_look_is_followed_by_another_look() {
    let mut world = refunded();
    let failed = fail_refund(&mut world);
    other(&mut world, "re_2")["status"] = "succeeded".into();
    other(&mut world, "re_2")["failure_balance_transaction"] = Value::Null;
    world.submit(event("evt_1", "refund.updated", &failed));
    world.poll();
    let look = world.looks.remove(0);
    let read_before = shown(&mut world.gateway, look, Gateway::serve);
    fail_refund(&mut world);
    world.submit(event("evt_2", "refund.failed", &failed));
    world.poll();
    assert!(world.looks.is_empty(), "a look is under way");
    world.submit(Submission::Looked(Box::new(read_before)));
    assert_eq!(refund(&world).status, RefundStatus::Succeeded);
    assert_eq!(world.look_around(), 1);
    assert_eq!(refund(&world).status, RefundStatus::Failed);
}

#[test]
fn sync_08_an_older_event_that_comes_later_moves_nothing() {
    let mut world = refunded();
    let before = other(&mut world, "re_2").clone();
    let failed = fail_refund(&mut world);
    world.submit(event("evt_2", "refund.failed", &failed));
    world.look_around();
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    world.submit(event("evt_1", "refund.created", &before));
    world.look_around();
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    check_sound(&mut world);
}

#[test]
fn sync_09_late_failure_after_paid_is_booked_by_itself() {
    let mut world = paid();
    assert_eq!(world.pass_hours(1), 2, "the payment, and the charge behind it");
    let charge = world.gateway.others[0]["id"].as_str().expect("an id").to_owned();
    other(&mut world, &charge)["failure_balance_transaction"] = "txn_back".into();
    world.pass_hours(24);
    let payment = world.payments().remove(0);
    assert_eq!((payment.status, payment.returned_amount), (Status::Succeeded, 1_999));
    check_sound(&mut world);
    // The same at every further look, booked once; then nothing more is expected.
    world.pass_hours(24 * 4);
    assert_eq!(world.payments()[0].returned_amount, 1_999);
    assert_eq!(world.pass_hours(24 * 4), 0);
}

#[test]
fn sync_10_terminal_is_not_always_final() {
    let mut world = refunded();
    assert_eq!(world.payments()[0].refunded_amount, 700);
    world.pass_hours(24 * 20);
    let journal = world.all::<JournalEntry>().len();
    fail_refund(&mut world);
    world.pass_hours(25);
    assert_eq!(refund(&world).status, RefundStatus::Failed, "no webhook said so");
    assert_eq!(world.payments()[0].refunded_amount, 0);
    assert_eq!(world.all::<JournalEntry>().len(), journal + 1, "looks that teach nothing leave no records");
    check_sound(&mut world);
}

#[test]
fn a_refund_is_looked_at_for_35_days_and_no_longer() {
    let mut world = refunded();
    let looks = world.pass_hours(24 * 40);
    // The payment once, its charge on three further days, the refund on 35.
    assert_eq!(looks, 1 + 4 + 36, "one at first, then daily");
    assert_eq!(world.object("re_2").due_at, None);
}

#[test]
fn an_object_whose_effect_is_under_way_is_left_to_it() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    world.jobs.clear();
    assert_eq!(world.object("pi_1").state, ObjectState::Ours);
    world.now = world.now.plus_ms(15 * 60_000);
    world.permits = 1;
    world.poll();
    world.permits = 100;
    world.poll();
    assert!(world.looks.is_empty());
    world.settle();
    assert_eq!(world.payments()[0].status, Status::Succeeded);
}

#[test]
fn sync_45_webhook_beats_the_response() {
    let mut world = paid();
    ask_refund(&mut world);
    let job = world.jobs.remove(0);
    let answer = crate::world::learned(&mut world.gateway, job, Gateway::serve);
    let object = other(&mut world, "re_2").clone();
    let outcome = world.submit(event("evt_1", "refund.created", &object));
    assert!(matches!(outcome, Outcome::Applied { ref answered, .. } if answered.len() == 1), "{outcome:?}");
    assert_eq!(refund(&world).status, RefundStatus::Succeeded);
    world.submit(Submission::Learned(Box::new(answer)));
    assert_eq!(refund(&world).status, RefundStatus::Succeeded);
    assert_eq!(world.object("re_2").state, ObjectState::Ours);
    assert_eq!(world.payments()[0].refunded_amount, 700);
    check_sound(&mut world);
}

#[test]
fn sync_45_an_inert_object_is_left_to_the_create_that_is_on_its_way() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    let job = world.jobs.remove(0);
    let answer = crate::world::learned(&mut world.gateway, job, Gateway::serve);
    let object = world.gateway.intents[0].clone();
    world.submit(event("evt_1", "payment_intent.created", &object));
    world.poll();
    assert!(world.looks.is_empty());
    world.submit(Submission::Learned(Box::new(answer)));
    world.settle();
    assert_eq!((world.object("pi_1").state, world.gateway.charged().len()), (ObjectState::Ours, 1));
    world.look_around();
    assert_eq!(world.open(), []);
    check_sound(&mut world);
}

#[test]
fn billing_05_two_events_for_one_payment_move_it_once() {
    let mut world = paid();
    let (intent, charge) = (world.gateway.intents[0].clone(), world.gateway.others[0].clone());
    let moved = world.all::<quittance_store::records::ClosedHold>().len();
    world.submit_all(vec![
        event("evt_1", "payment_intent.succeeded", &intent),
        event("evt_2", "charge.succeeded", &charge),
        event("evt_3", "payment_intent.succeeded", &intent),
    ]);
    world.look_around();
    assert_eq!(world.all::<quittance_store::records::ClosedHold>().len(), moved);
    assert_eq!(world.payments()[0].captured_amount, 1_999);
    assert_eq!((world.open(), world.alarms.len()), (Vec::new(), 0));
    check_sound(&mut world);
}

#[test]
fn an_event_of_another_api_version_says_only_which_object_changed() {
    let mut world = refunded();
    let Submission::Webhook(mut hint) = event("evt_1", "refund.updated", &fail_refund(&mut world)) else {
        panic!("an event");
    };
    hint.event.api_version = Some("2019-01-01".into());
    other(&mut world, "re_2")["status"] = "succeeded".into();
    other(&mut world, "re_2")["failure_balance_transaction"] = Value::Null;
    world.submit(Submission::Webhook(hint));
    assert_eq!(disposition(&world, "evt_1"), Disposition::Fetch);
    assert_eq!(world.look_around(), 1);
    assert_eq!(refund(&world).status, RefundStatus::Succeeded, "what was read counts");
}
