//! Order that a time in whole seconds cannot tell, clocks that disagree, and pages that were read before what is known
//! now: an event is a hint, and what is read afterwards counts.

use crate::gateway::Gateway;
use crate::objects::{check_sound, refund, refunded};
use crate::webhooks::event_made;
use crate::world::{World, pay, swept_page};
use quittance_core::fact::ObjectKind;
use quittance_core::payment::Status;
use quittance_core::refund::RefundStatus;
use quittance_engine::submission::{Listed, Outcome};
use quittance_store::records::ClosedHold;
use serde_json::Value;

/// The second in which worlds begin.
const NOW: i64 = 1_800_000_000;

/// The refund as it was, and as it is since the bank sent it back.
fn sent_back(world: &mut World) -> (Value, Value) {
    let object = world.gateway.others.iter_mut().find(|object| object["id"] == "re_2").expect("it is there");
    let before = object.clone();
    object["status"] = "failed".into();
    object["failure_reason"] = "expired_or_canceled_card".into();
    object["failure_balance_transaction"] = "txn_back".into();
    (before, object.clone())
}

/// What becomes of the refund when two events of one second come in this order.
fn after_a_tie(is_newer_first: bool) -> World {
    let mut world = refunded();
    let (before, after) = sent_back(&mut world);
    let mut events =
        [event_made("evt_1", "refund.created", &before, NOW), event_made("evt_2", "refund.failed", &after, NOW)];
    if is_newer_first {
        events.reverse();
    }
    for event in events {
        world.submit(event);
        world.look_around();
    }
    world
}

#[test]
fn sync_01_a_tie_of_one_second_with_the_newer_last() {
    let mut world = after_a_tie(false);
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    check_sound(&mut world);
}

#[test]
fn sync_02_a_tie_of_one_second_with_the_older_last() {
    let mut world = after_a_tie(true);
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    check_sound(&mut world);
}

#[test]
fn sync_03_one_payment_says_three_things_in_one_second_in_any_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut world = World::new();
        world.submit(pay("k", "o").into());
        world.work(Gateway::serve);
        let inert = world.gateway.intents[0].clone();
        world.work(Gateway::serve_and_lose);
        assert_eq!(world.payments()[0].status, Status::Unknown);
        let paid = world.gateway.intents[0].clone();
        let mut between = paid.clone();
        (between["status"], between["latest_charge"]) = ("processing".into(), Value::Null);
        let told = [
            ("evt_1", "payment_intent.created", inert),
            ("evt_2", "payment_intent.processing", between),
            ("evt_3", "payment_intent.succeeded", paid),
        ];
        let events = order.map(|at| event_made(told[at].0, told[at].1, &told[at].2, NOW));
        world.submit_all(events.into());
        world.settle();
        world.look_around();
        assert_eq!(world.payments()[0].status, Status::Succeeded, "{order:?}");
        assert_eq!((world.gateway.charged().len(), world.all::<ClosedHold>().len()), (1, 1), "{order:?}");
        check_sound(&mut world);
    }
}

#[test]
fn sync_11_a_page_that_was_read_before_an_event_overwrites_nothing() {
    let mut world = refunded();
    // The page is read now, and comes to be stored when the event has long been taken.
    let objects = vec!["re_2".to_owned()];
    let page = Listed { gateway: "stripe".into(), kind: ObjectKind::Refund, objects, is_full: false };
    let (_, after) = sent_back(&mut world);
    world.submit(event_made("evt_1", "refund.failed", &after, NOW + 5));
    world.look_around();
    let known = world.object("re_2");
    let outcome = world.submit(swept_page(page));
    assert!(!matches!(outcome, Outcome::Fenced), "{outcome:?}");
    world.look_around();
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    assert!(world.object("re_2").read_sequence >= known.read_sequence, "what was read later is never set back");
    check_sound(&mut world);
}

#[test]
fn sync_12_a_clock_of_ours_that_is_ahead_drops_no_event() {
    let mut world = refunded();
    world.set_clock(30_000);
    // What is known was read by the clock that is ahead; the change is stamped by the one that is right.
    world.look_around();
    let (_, after) = sent_back(&mut world);
    world.submit(event_made("evt_1", "refund.failed", &after, NOW + 10));
    world.look_around();
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    check_sound(&mut world);
}

#[test]
fn sync_13_an_older_state_that_comes_after_a_fresh_reading_does_not_win() {
    let mut world = refunded();
    let (before, after) = sent_back(&mut world);
    // Made early and handled late: what was read then is of then, whatever the event says.
    world.now = world.now.plus_ms(60_000);
    world.submit(event_made("evt_1", "refund.failed", &after, NOW));
    world.look_around();
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    world.submit(event_made("evt_2", "refund.updated", &before, NOW + 20));
    world.look_around();
    assert_eq!(refund(&world).status, RefundStatus::Failed);
    check_sound(&mut world);
}
