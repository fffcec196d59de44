//! What automation may not decide: a person does, once, with evidence, and the books follow.

use crate::gateway::Gateway;
use crate::webhooks::event;
use crate::world::{Pay, World, decide, pay};
use quittance_core::decide::Resolution;
use quittance_core::payment::{CaptureMethod, Status};
use quittance_engine::submission::Outcome;
use quittance_engine::verify::verify;

/// A payment whose object came back for another amount.
fn in_review() -> World {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(|gateway, request| {
        let answer = gateway.serve(request);
        gateway.intents[0]["amount"] = 1.into();
        answer
    });
    world.work(Gateway::serve);
    assert_eq!(world.payments()[0].status, Status::Review);
    world
}

#[test]
fn an_object_of_another_amount_goes_to_a_person_with_an_alarm() {
    assert_eq!(in_review().alarms.len(), 1);
}

pub fn check_sound(world: &mut World) {
    let report = verify(&mut world.database.reader(), &mut |_| {}).expect("readable");
    assert!(report.findings.is_empty(), "{report:?}");
}

#[test]
fn a_person_ends_a_review_once_and_everybody_gets_the_answer() {
    for (resolution, status, code) in
        [(Resolution::Received { amount: 1 }, Status::Succeeded, 201), (Resolution::Failed, Status::Failed, 402)]
    {
        let mut world = in_review();
        let decision = decide(&world, "d1", resolution);
        let outcome = world.submit(decision.clone());
        assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
        assert_eq!(world.payments()[0].status, status);
        assert!(matches!(world.submit(decision), Outcome::Replayed(_)));
        let Outcome::Replayed(first) = world.submit(pay("k", "o").into()) else { panic!("the payment is answered") };
        let quittance_core::idempotency::Progress::Completed { status, .. } = first.progress else {
            panic!("{first:?}")
        };
        assert_eq!(status, code);
        let again = decide(&world, "d2", resolution);
        let refused = world.submit(again);
        assert!(matches!(&refused, Outcome::Answered { body, .. } if body == b"not-in-review"), "{refused:?}");
        check_sound(&mut world);
    }
}

#[test]
fn a_failure_that_a_person_declares_frees_the_reference() {
    let mut world = in_review();
    let decision = decide(&world, "d", Resolution::Failed);
    world.submit(decision);
    assert!(matches!(world.submit(pay("k2", "o").into()), Outcome::Accepted { .. }));
}

#[test]
fn money_that_came_after_a_failure_is_booked_by_itself() {
    let mut world = World::new();
    let mut declining = pay("k", "o");
    declining.method = "pm_card_chargeDeclined".into();
    world.submit(declining.into());
    world.settle();
    let impossible = &mut world.gateway.intents[0];
    impossible["status"] = "succeeded".into();
    impossible["amount_received"] = impossible["amount"].clone();
    let impossible = impossible.clone();
    world.submit(event("evt_1", "payment_intent.succeeded", &impossible));
    world.poll();
    world.look(Gateway::serve);
    assert_eq!(world.payments()[0].status, Status::Review);
    let decision = decide(&world, "d1", Resolution::Succeeded);
    let decided = world.submit(decision);
    assert!(matches!(&decided, Outcome::Answered { status: 200, .. }), "{decided:?}");
    let payment = world.payments().remove(0);
    assert_eq!((payment.status, payment.captured_amount), (Status::Succeeded, 1_999));
    check_sound(&mut world);
}

#[test]
fn what_somebody_captured_in_part_elsewhere_is_booked_as_it_came() {
    let mut world = World::new();
    world.submit(Pay { capture_method: CaptureMethod::Manual, ..pay("k", "o") }.into());
    world.settle();
    let intent = &mut world.gateway.intents[0];
    (intent["status"], intent["amount_received"]) = ("succeeded".into(), 500.into());
    let object = intent.clone();
    world.submit(event("evt_1", "payment_intent.succeeded", &object));
    assert_eq!(world.payments()[0].status, Status::Review);
    let all = decide(&world, "d1", Resolution::Succeeded);
    let refused = world.submit(all);
    assert!(matches!(&refused, Outcome::Answered { body, .. } if body == b"received-amount-differs"), "{refused:?}");
    let part = decide(&world, "d2", Resolution::Received { amount: 500 });
    let decided = world.submit(part);
    assert!(matches!(&decided, Outcome::Answered { status: 200, .. }), "{decided:?}");
    let payment = world.payments().remove(0);
    assert_eq!((payment.captured_amount, payment.refundable_amount()), (500, 500));
    check_sound(&mut world);
}
