//! Gateways in whose lists nothing can be found by our reference: what is known by its id is read all the same.

use crate::review::check_sound;
use crate::webhooks::event;
use crate::world::{World, engine_of, pay};
use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Response};
use quittance_connectors::rail::Rail;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::effect::{Class, Effect, Policy, Source, State, Stimulus, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::payment::Status;
use quittance_engine::submission::{Job, LearnedFact, Outcome, Plan, Submission};
use serde_json::{Value, json};
use std::sync::Arc;

const HOUR_MS: u64 = 3_600_000;

/// A world whose gateway is spoken to through this connector, relied on only as far as the class does.
pub fn limited_to<C: Connector + Copy + 'static>(connector: C, class: Class) -> World {
    let mut world = World::new();
    let payments = connector.capability(Subject::Payment).expect("it takes payments").limited_to(class);
    assert_eq!(payments.class(), class);
    let policy =
        Policy { payments, backoff_base_ms: 10, backoff_max_ms: 100, pending_poll_ms: 1_000, ..Policy::default() };
    world.engine = engine_of(&world.database, 7, Arc::new(connector), policy);
    world.start();
    world
}

pub fn answered(status: u16, body: &Value) -> Delivery {
    Delivery::Answered(Response { status, headers: Vec::new(), body: body.to_string().into_bytes() })
}

/// Submits what the oldest job teaches through that connector.
pub fn teach(world: &mut World, connector: &impl Connector, delivery: &Delivery) -> Outcome {
    let Job { effect, kind, plan, .. } = world.jobs.remove(0);
    let (source, stimulus) = match plan {
        Plan::Send(_) => (Source::Send, Stimulus::Answered(connector.decode_write(kind, delivery))),
        Plan::Read(_) => (Source::Read, Stimulus::Read(connector.decode_read(kind, delivery))),
        Plan::Find(_) => panic!("nothing is searched for"),
    };
    world.submit(Submission::Learned(Box::new(LearnedFact { effect, source, stimulus })))
}

/// What the rail makes of the transfer that the oldest job asks for.
pub fn transfer(world: &World, id: &str, state: &str) -> Value {
    let Plan::Send(request) = &world.jobs[0].plan else { panic!("a send") };
    let asked: Value = serde_json::from_slice(&request.body).expect("JSON");
    json!({
        "id": id, "reference": asked["reference"], "amount": asked["amount"], "currency": asked["currency"],
        "state": state, "memo": asked["memo"],
    })
}

/// A payment at a rail of class D that the rail works on.
fn pending() -> (World, Value) {
    let mut world = limited_to(Rail, Class::D);
    world.submit(pay("k", "o").into());
    let pending = transfer(&world, "tr_1", "pending");
    teach(&mut world, &Rail, &answered(200, &pending));
    assert_eq!(world.all::<Effect>()[0].state, State::Pending);
    (world, pending)
}

#[test]
fn a_pending_transfer_is_read_until_it_has_come_to_its_end() {
    let (mut world, mut transfer) = pending();
    check_sound(&mut world);
    for hour in 0..72 {
        world.now = world.now.plus_ms(HOUR_MS);
        if hour == 70 {
            transfer["state"] = "settled".into();
        }
        world.poll();
        while !world.jobs.is_empty() {
            teach(&mut world, &Rail, &answered(200, &transfer));
        }
        check_sound(&mut world);
    }
    assert_eq!((world.payments()[0].status, world.alarms.len()), (Status::Succeeded, 0));
}

#[test]
fn a_pending_transfer_that_can_never_be_read_is_given_to_a_person_after_days() {
    let (mut world, _) = pending();
    let absent = json!({"code": "transfer_not_found", "message": "nothing is shown here"});
    let mut reviewed_after = None;
    for hour in 0..24 * 30 {
        world.now = world.now.plus_ms(HOUR_MS);
        world.poll();
        while !world.jobs.is_empty() {
            teach(&mut world, &Rail, &answered(404, &absent));
        }
        if world.payments()[0].status == Status::Review {
            reviewed_after.get_or_insert(hour / 24);
        }
    }
    assert!(reviewed_after.is_some_and(|days| (5..15).contains(&days)), "{reviewed_after:?}");
    assert_eq!(world.alarms.len(), 1);
}

#[test]
fn an_event_of_another_version_has_the_object_read() {
    let stripe = Stripe { flow: Flow::Charges, ..Stripe::default() };
    let mut world = limited_to(stripe, Class::C);
    world.submit(pay("k", "o").into());
    let effect = world.all::<Effect>().remove(0);
    let mut charge = json!({
        "id": "ch_1", "object": "charge", "status": "pending", "captured": false, "amount": 1999, "currency": "usd",
        "amount_captured": 0, "payment_intent": null, "payment_method": null, "failure_balance_transaction": null,
        "metadata": {"effect_id": effect.id.to_string(), "customer_id": effect.book.to_string()},
    });
    teach(&mut world, &stripe, &answered(200, &charge));
    (charge["status"], charge["captured"], charge["amount_captured"]) = ("succeeded".into(), true.into(), 1999.into());
    let Submission::Webhook(mut hint) = event("evt_1", "charge.succeeded", &charge) else { panic!("an event") };
    hint.event.api_version = Some("2020-08-27".into());
    world.submit(Submission::Webhook(hint));
    assert_eq!(world.payments()[0].status, Status::Processing, "what another version shows is not compared");
    world.poll();
    assert!(matches!(world.jobs[0].plan, Plan::Read(_)), "{:?}", world.jobs);
    assert_eq!(world.jobs[0].kind, ObjectKind::Charge);
    teach(&mut world, &stripe, &answered(200, &charge));
    assert_eq!(world.payments()[0].status, Status::Succeeded);
    check_sound(&mut world);
}
