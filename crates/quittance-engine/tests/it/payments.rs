//! A payment's way, and the references that keep two from being one too many.

use crate::gateway::Gateway;
use crate::world::{World, customer, pay};
use quittance_connectors::message::Method;
use quittance_core::decide::OnDuplicate;
use quittance_core::payment::Status;
use quittance_core::tenant::Mode;
use quittance_engine::submission::{Outcome, Plan, Submission};

#[test]
fn a_payment_succeeds_in_two_phases() {
    let mut world = World::new();
    let outcome = world.submit(pay("k1", "order-1").into());
    let Outcome::Accepted { command, subject, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(world.jobs.len(), 1, "the ticket of the create is committed with the command");
    world.work(Gateway::serve);
    assert!(world.gateway.charged().is_empty(), "nothing is charged before the object's id is committed");
    world.work(Gateway::serve);
    assert_eq!(world.answers[&command], (201, format!("{subject} succeeded")));
    assert_eq!(world.gateway.charged().len(), 1);
    assert!(world.jobs.is_empty());
}

#[test]
fn a_decline_is_an_answer_and_frees_the_reference_on_the_same_object() {
    let mut world = World::new();
    let mut declining = pay("k1", "order-1");
    declining.method = "pm_card_chargeDeclined".into();
    let Outcome::Accepted { command, .. } = world.submit(declining.into()) else { panic!("accepted") };
    world.settle();
    assert_eq!(world.answers[&command].0, 402);
    let Outcome::Accepted { command, .. } = world.submit(pay("k2", "order-1").into()) else { panic!("accepted") };
    assert!(matches!(world.jobs[0].plan, Plan::Read(_)), "the object of the failed attempt is read before it is used");
    world.settle();
    assert_eq!(world.answers[&command].0, 201);
    assert_eq!(world.gateway.intents.len(), 1, "both attempts share one object, so they cannot both charge");
}

#[test]
fn another_amount_under_a_failed_reference_fences_the_old_object() {
    let mut world = World::new();
    let mut declining = pay("k1", "order-1");
    declining.method = "pm_card_chargeDeclined".into();
    world.submit(declining.into());
    world.settle();
    let mut dearer = pay("k2", "order-1");
    dearer.amount = 2_500;
    world.submit(dearer.into());
    world.settle();
    let statuses: Vec<&str> = world.gateway.intents.iter().filter_map(|intent| intent["status"].as_str()).collect();
    assert_eq!(statuses, ["canceled", "succeeded"]);
}

#[test]
fn a_reference_is_paid_once_whatever_the_key() {
    let mut world = World::new();
    let Outcome::Accepted { command: first, .. } = world.submit(pay("k1", "order-1").into()) else {
        panic!("accepted")
    };
    let refused = world.submit(pay("k2", "order-1").into());
    assert!(matches!(&refused, Outcome::Answered { status: 409, body, .. } if body == b"duplicate-intent"));
    let mut again = pay("k3", "order-1");
    again.on_duplicate = OnDuplicate::ReturnExisting;
    let Outcome::Accepted { command: joined, .. } = world.submit(again.clone().into()) else { panic!("waits") };
    world.settle();
    assert_eq!((world.answers[&first].0, world.answers[&joined].0), (201, 200), "both got the end, not a moment");
    let replayed = world.submit(again.clone().into());
    assert!(matches!(replayed, Outcome::Replayed(_)), "{replayed:?}");
    again.key = "k4".into();
    let existing = world.submit(again.into());
    assert!(matches!(existing, Outcome::Answered { status: 200, .. }), "{existing:?}");
    assert_eq!(world.payments().len(), 1);
}

#[test]
fn a_customer_and_its_payment_may_come_in_one_batch() {
    let mut world = World::new();
    let mut first = pay("k1", "order-1");
    first.customer = "bob".into();
    let mut same = first.clone();
    same.key = "k2".into();
    let outcomes = world.submit_all(vec![customer("bob"), first.into(), same.into()]);
    assert!(matches!(outcomes[0], Outcome::Answered { status: 201, .. }));
    assert!(matches!(outcomes[1], Outcome::Accepted { .. }));
    assert!(matches!(&outcomes[2], Outcome::Answered { status: 409, body, .. } if body == b"duplicate-intent"));
}

#[test]
fn nothing_is_sent_without_a_permit_and_everything_once_there_is_one() {
    let mut world = World::new();
    world.permits = 0;
    let payments: Vec<Submission> = (0..5).map(|n| pay(&format!("k{n}"), &format!("o{n}")).into()).collect();
    world.submit_all(payments);
    world.poll();
    assert!(world.jobs.is_empty());
    world.permits = 2;
    world.poll();
    assert_eq!(world.jobs.len(), 2, "no more begin than the gateway has room for");
    world.settle();
    assert_eq!(world.gateway.charged().len(), 5);
}

#[test]
fn an_amount_the_gateway_cannot_express_and_unknown_names_are_refused_and_frozen() {
    let mut world = World::new();
    let mut nobody = pay("k1", "order-1");
    nobody.customer = "nobody".into();
    let outcome = world.submit(nobody.clone().into());
    assert!(matches!(&outcome, Outcome::Answered { body, .. } if body == b"customer-not-found"), "{outcome:?}");
    let replayed = world.submit(nobody.into());
    assert!(matches!(replayed, Outcome::Replayed(_)), "one key, one decision");
    assert!(world.payments().is_empty());
}

#[test]
fn new_work_leaves_room_for_what_is_older() {
    let mut world = World::new();
    world.permits = 0;
    world.submit(pay("old", "old").into());
    world.permits = 3;
    let flood: Vec<Submission> = (0..9).map(|n| pay(&format!("k{n}"), &format!("o{n}")).into()).collect();
    world.submit_all(flood);
    world.permits -= world.jobs.len();
    world.poll();
    let old = world.payments()[0].effect;
    assert!(world.jobs.iter().any(|job| job.effect.effect == old), "the oldest begins although new work never ends");
}

#[test]
fn play_money_never_moves_real_money() {
    let mut world = World::new();
    world.set_gateway_mode(Mode::Live);
    let refused = world.submit(pay("k", "o").into());
    assert!(matches!(&refused, Outcome::Answered { body, .. } if body == b"gateway-not-found"), "{refused:?}");
}

#[test]
fn a_gateway_that_gets_credentials_of_the_other_mode_sends_nothing_of_the_first() {
    let mut world = World::new();
    world.permits = 0;
    world.submit(pay("k", "o").into());
    world.permits = 10;
    world.set_gateway_mode(Mode::Live);
    world.poll();
    assert!(world.jobs.is_empty(), "a test payment must not become a real one");
    world.set_gateway_mode(Mode::Test);
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
}

#[test]
fn looking_at_a_pending_payment_writes_no_history() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    let waiting = |world: &mut World| {
        world.work(|gateway, request| {
            gateway.intents[0]["status"] = "requires_action".into();
            gateway.intents[0]["next_action"] = serde_json::json!({"type": "redirect_to_url"});
            let mut read = request.clone();
            read.method = Method::Get;
            read.target = "/v1/payment_intents/pi_1".into();
            gateway.serve(&read)
        })
    };
    waiting(&mut world);
    let records = world.records();
    for _ in 0..5 {
        world.now = world.now.plus_ms(3_600_000);
        world.poll();
        waiting(&mut world);
    }
    assert_eq!(world.records(), records);
    let payment = &world.payments()[0];
    assert!(payment.status == Status::RequiresAction && payment.next_action.is_some(), "{payment:?}");
}

#[test]
fn a_gateway_that_is_configured_no_more_is_told_as_long_as_it_has_work() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    assert_eq!(world.engine.orphaned_gateways().expect("readable"), Vec::<String>::new());
    world.forget_gateways();
    assert_eq!(world.engine.orphaned_gateways().expect("readable"), ["stripe"]);
}
