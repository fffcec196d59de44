//! A person's word on them: booked once, told where it cannot be all, and never overruled by what was known to it.

use super::{decide, failed, gone, movements, object, paid_once, refund, send_back, show};
use crate::gateway::Gateway;
use crate::objects::paid;
use crate::review::check_sound;
use crate::webhooks::event;
use crate::world::{World, refund as ask};
use quittance_connectors::message::{Delivery, Response};
use quittance_core::decide::Resolution;
use quittance_core::effect::{Effect, State};
use quittance_core::refund::RefundStatus;
use quittance_engine::submission::Outcome;
use quittance_store::records::{DiscrepancyKind, ObjectState};
use serde_json::json;

/// Its object shows that another amount was given back: for a person.
fn contradict(world: &mut World) {
    let before = gone(world);
    object(world)["amount"] = 699.into();
    let shown = show(world, "succeeded");
    world.submit(event("evt_1", "refund.updated", &shown));
    world.look_around();
    assert_eq!((refund(world).status, gone(world)), (RefundStatus::Review, before));
    assert_eq!(movements(world), [""; 0]);
}

fn in_review() -> World {
    let mut world = failed(700);
    contradict(&mut world);
    world
}

#[test]
fn a_person_books_it_once_and_what_the_gateway_shows_then_adds_nothing() {
    let mut world = in_review();
    let decision = decide(&world, "d1", Resolution::Succeeded);
    let outcome = world.submit(decision.clone());
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    assert!(matches!(world.submit(decision), Outcome::Replayed(_)));
    assert_eq!((refund(&world).status, gone(&world)), (RefundStatus::Succeeded, (700, 0)));
    check_sound(&mut world);
    object(&mut world)["amount"] = 700.into();
    let shown = show(&mut world, "succeeded");
    world.submit(event("evt_2", "refund.updated", &shown));
    world.pass_hours(30);
    assert_eq!((movements(&world), gone(&world), world.open()), (paid_once(&world), (700, 0), vec![]));
    let back = send_back(&mut world);
    world.submit(event("evt_3", "refund.failed", &back));
    world.look_around();
    assert_eq!((refund(&world).status, gone(&world)), (RefundStatus::Failed, (0, 0)), "it may come back");
    check_sound(&mut world);
}

#[test]
fn a_person_who_books_too_much_is_told_at_once() {
    let mut world = failed(700);
    let second = ask(&world, "r2", "other", 1_900);
    world.submit(second);
    world.work(Gateway::serve);
    contradict(&mut world);
    let decision = decide(&world, "d1", Resolution::Succeeded);
    world.submit(decision);
    world.look_around();
    assert_eq!(gone(&world), (2_600, 0));
    assert_eq!(world.open(), [(DiscrepancyKind::RefundedTooMuch, "re_2".to_owned())]);
    check_sound(&mut world);
}

#[test]
fn a_person_who_says_that_it_failed_is_not_overruled_by_what_was_shown_before() {
    let mut world = in_review();
    object(&mut world)["amount"] = 700.into();
    let decision = decide(&world, "d1", Resolution::Failed);
    world.submit(decision);
    let shown = show(&mut world, "succeeded");
    world.submit(event("evt_2", "refund.updated", &shown));
    world.pass_hours(30);
    assert_eq!((refund(&world).status, gone(&world), movements(&world).len()), (RefundStatus::Failed, (0, 0), 0));
    assert_eq!(world.open(), [(DiscrepancyKind::RefundNotBooked, "re_2".to_owned())], "and it is told");
    assert_eq!(world.all::<Effect>().iter().filter(|effect| effect.state == State::Review).count(), 0);
    check_sound(&mut world);
}

#[test]
fn an_object_that_was_seen_while_a_person_decided_is_theirs() {
    let mut world = paid();
    let asked = ask(&world, "r1", "back", 700);
    world.submit(asked);
    world.work(|gateway, request| {
        gateway.serve(request);
        let error = json!({"error": {"type": "idempotency_error", "message": "Keys for idempotent requests"}});
        Delivery::Answered(Response { status: 400, headers: Vec::new(), body: error.to_string().into_bytes() })
    });
    assert_eq!((refund(&world).status, gone(&world)), (RefundStatus::Review, (0, 700)));
    let shown = object(&mut world).clone();
    world.submit(event("evt_1", "refund.created", &shown));
    world.look_around();
    let decision = decide(&world, "d1", Resolution::Failed);
    world.submit(decision);
    world.pass_hours(30);
    assert_eq!((refund(&world).status, gone(&world), movements(&world).len()), (RefundStatus::Failed, (0, 0), 0));
    assert_eq!(world.object("re_2").state, ObjectState::Stray);
    assert_eq!(world.open(), [(DiscrepancyKind::DuplicateCharge, "re_2".to_owned())]);
    check_sound(&mut world);
}
