//! Sending: at least once, under one id, by whoever holds the newest lease.

use crate::world::{World, pay, tenant};
use quittance_core::event::{ATTEMPT_MS_MAX, DeliveryState, Kinds, Replayed, SCHEDULE_MS};
use quittance_core::id::{EndpointId, EventId};
use quittance_engine::submission::{Outcome, ReplayEvent, Sendable, Submission};
use quittance_store::records::EventRow;
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::{EVENTS, WEBHOOK_ENDPOINTS};
use quittance_store::value::Value;

fn replay(event: EventId, endpoint: EndpointId, world: &World) -> Submission {
    let replayed = Replayed { by: "key_1".into(), reason: "it was lost".into(), at: world.now };
    Submission::ReplayEvent(Box::new(ReplayEvent { tenant: tenant(), event, endpoint, replayed }))
}

#[test]
fn c9_an_event_that_was_sent_and_not_marked_is_sent_again_under_the_same_id() {
    let mut world = World::new();
    world.listen("e", Kinds::All);
    world.submit(pay("k", "o").into());
    let first = world.sending().dispatches;
    assert_eq!(first.len(), 1);
    assert!(world.sending().dispatches.is_empty(), "it is under way");
    // The receiver has it, and the process dies before anybody writes that down.
    world.crash();
    let again = world.sending().dispatches;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].delivery.event, first[0].delivery.event, "the receiver can tell");
    assert_eq!(again[0].body, first[0].body, "byte for byte");
    assert!(again[0].delivery.epoch > first[0].delivery.epoch);
    assert!(matches!(world.answered(&first[0], 200), Outcome::Fenced), "the dead one's word comes too late");
    assert!(matches!(world.answered(&again[0], 200), Outcome::Done));
    assert_eq!(world.deliveries()[0].state, DeliveryState::Delivered);
    world.crash();
    assert!(world.sending().dispatches.is_empty(), "once it is marked it is not sent again");
}

#[test]
fn a_lease_that_ran_out_is_taken_by_somebody_else() {
    let mut world = World::new();
    world.listen("e", Kinds::All);
    world.submit(pay("k", "o").into());
    let late = world.sending().dispatches.remove(0);
    world.now = world.now.plus_ms(31_000);
    let newer = world.sending().dispatches.remove(0);
    assert_eq!(newer.delivery.event, late.delivery.event);
    assert!(matches!(world.answered(&late, 500), Outcome::Fenced));
    assert!(matches!(world.answered(&newer, 204), Outcome::Done));
    assert!(matches!(world.answered(&newer, 204), Outcome::Fenced), "an answer counts once");
    let delivery = world.deliveries().remove(0);
    assert_eq!((delivery.state, delivery.attempts.len()), (DeliveryState::Delivered, 1));
}

#[test]
fn an_event_that_is_refused_is_sent_by_the_schedule_until_it_has_failed() {
    let mut world = World::new();
    let endpoint = world.listen("e", Kinds::All);
    world.submit(pay("k", "o").into());
    for wait_ms in SCHEDULE_MS {
        world.now = world.now.plus_ms(wait_ms * 8 / 10);
        if wait_ms > 0 {
            assert!(world.sending().dispatches.is_empty(), "not before {wait_ms} ms");
        }
        world.now = world.now.plus_ms(wait_ms * 4 / 10);
        let dispatch = world.sending().dispatches.remove(0);
        world.answered(&dispatch, 503);
    }
    let failed = world.deliveries().remove(0);
    assert_eq!((failed.state, failed.attempts.len()), (DeliveryState::Failed, SCHEDULE_MS.len()));
    world.now = world.now.plus_ms(48 * 3_600_000);
    assert!(world.sending().dispatches.is_empty());
    assert!(matches!(world.submit(replay(failed.event, endpoint, &world)), Outcome::Done));
    let dispatch = world.sending().dispatches.remove(0);
    assert_eq!(dispatch.delivery.event, failed.event);
    world.answered(&dispatch, 200);
    assert_eq!(world.deliveries()[0].state, DeliveryState::Delivered);
}

#[test]
fn an_event_from_before_an_endpoint_can_be_sent_to_it() {
    let mut world = World::new();
    let event = world.all::<EventRow>()[0].id;
    let endpoint = world.listen("e", Kinds::All);
    assert!(matches!(world.submit(replay(EventId::from_bytes([9; 16]), endpoint, &world)), Outcome::Conflict(_)));
    let nowhere = EndpointId::from_bytes([9; 16]);
    assert!(matches!(world.submit(replay(event, nowhere, &world)), Outcome::Conflict(_)));
    assert!(matches!(world.submit(replay(event, endpoint, &world)), Outcome::Done));
    let dispatches = world.sending().dispatches;
    assert_eq!(dispatches.iter().map(|one| one.delivery.event).collect::<Vec<_>>(), [event]);
}

#[test]
fn an_endpoint_that_does_not_answer_takes_its_own_places_only() {
    let mut world = World::new();
    let (slow, quick) = (world.listen("e1", Kinds::All), world.listen("e2", Kinds::All));
    for number in 0..5 {
        world.submit(pay(&format!("k{number}"), &format!("o{number}")).into());
    }
    world.read_clocks();
    let room = Sendable { left: 100, each_max: 2, tenant_max: 100, in_flight: [((tenant(), slow), 2)].into() };
    let sending = world.engine.poll_deliveries(world.now, &room).expect("the store works");
    assert!(sending.is_more);
    let to: Vec<EndpointId> = sending.dispatches.iter().map(|one| one.delivery.endpoint).collect();
    assert_eq!(to, [quick; 2]);
    let none = Sendable { left: 0, each_max: 2, ..Sendable::default() };
    let sending = world.engine.poll_deliveries(world.now, &none).expect("the store works");
    assert!(sending.is_more && sending.dispatches.is_empty());
    let rest = world.sending();
    assert_eq!(rest.dispatches.len(), 8, "all but what is under way");
    assert!(!rest.is_more);
    assert!(rest.due_since.is_some());
}

/// Endpoints that keep their places busy are older than the one that has just something to be sent.
#[test]
fn the_place_that_becomes_free_is_for_whom_the_fewest_are_under_way() {
    let mut world = World::new();
    let slow: Vec<EndpointId> = (0..4).map(|number| world.listen(&format!("slow{number}"), Kinds::All)).collect();
    let quick = world.listen("quick", Kinds::All);
    for number in 0..5 {
        world.submit(pay(&format!("k{number}"), &format!("o{number}")).into());
    }
    world.read_clocks();
    let in_flight = slow.iter().map(|endpoint| ((tenant(), *endpoint), 15)).collect();
    let room = Sendable { left: 2, each_max: 16, tenant_max: 100, in_flight };
    let sending = world.engine.poll_deliveries(world.now, &room).expect("the store works");
    let to: Vec<EndpointId> = sending.dispatches.iter().map(|one| one.delivery.endpoint).collect();
    assert_eq!((to, sending.is_more), (vec![quick; 2], true));
    let full = Sendable { tenant_max: 60, left: 40, ..room };
    let sending = world.engine.poll_deliveries(world.now, &full).expect("the store works");
    assert!(sending.dispatches.is_empty() && sending.is_more, "the rest is for other tenants");
}

#[test]
fn an_attempt_is_over_before_its_lease_however_short_leases_are() {
    let mut world = World::new();
    world.listen("e", Kinds::All);
    world.submit(pay("k", "o").into());
    world.shorten_leases(2_000);
    let dispatch = world.sending().dispatches.remove(0);
    world.now = world.now.plus_ms(ATTEMPT_MS_MAX);
    assert!(world.sending().dispatches.is_empty(), "the endpoint may still answer");
    assert!(matches!(world.answered(&dispatch, 200), Outcome::Done), "in time");
}

#[test]
fn endpoints_that_cannot_be_read_stop_nobody_and_lose_nothing() {
    let mut world = World::new();
    world.listen("e", Kinds::All);
    world.submit(pay("k", "o").into());
    let sound = world.database.reader().scan(&Scan::forward(&WEBHOOK_ENDPOINTS, Vec::new(), 1)).expect("readable");
    let mut damaged = sound[0].clone();
    damaged[WEBHOOK_ENDPOINTS.position("endpoints")] = Value::Bytes(vec![9]);
    world.overwrite(&WEBHOOK_ENDPOINTS, damaged);
    assert!(world.sending().dispatches.is_empty());
    assert!(world.deliveries().iter().all(|one| one.state == DeliveryState::Pending), "nothing is given up");
    world.overwrite(&WEBHOOK_ENDPOINTS, sound[0].clone());
    assert_eq!(world.sending().dispatches.len(), 1);
}

/// The clock of the process that a person asked is not the one by which deliveries are due.
#[test]
fn a_replay_is_sent_at_once_whatever_clock_dated_it() {
    let mut world = World::new();
    let event = world.all::<EventRow>()[0].id;
    let endpoint = world.listen("e", Kinds::All);
    let replayed = Replayed { by: "key_1".into(), reason: "again".into(), at: world.now.plus_ms(3_600_000) };
    let replay = ReplayEvent { tenant: tenant(), event, endpoint, replayed };
    assert!(matches!(world.submit(Submission::ReplayEvent(Box::new(replay))), Outcome::Done));
    assert_eq!(world.sending().dispatches.len(), 1);
}

#[test]
fn an_event_of_a_kind_that_only_a_newer_version_knows_is_left_to_that() {
    let mut world = World::new();
    world.listen("e", Kinds::All);
    world.submit(pay("k", "o").into());
    let sound = world.database.reader().scan(&Scan::forward(&EVENTS, Vec::new(), 100)).expect("readable");
    let sound = sound.last().expect("an event").clone();
    let mut strange = sound.clone();
    strange[EVENTS.position("kind")] = "payment.imagined".into();
    world.overwrite(&EVENTS, strange);
    assert!(world.sending().dispatches.is_empty());
    assert_eq!(world.deliveries()[0].state, DeliveryState::Pending, "it is not given up");
    world.overwrite(&EVENTS, sound);
    world.now = world.now.plus_ms(31_000);
    assert_eq!(world.sending().dispatches.len(), 1, "its lease has run out");
}
