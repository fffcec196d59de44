//! What a brake holds back: accepted with its hold, never sent before somebody else approves.

use crate::brakes::{check_sound, limited, refund, usd};
use crate::webhooks::event;
use crate::world::{Pay, World, command, decide, pay};
use quittance_core::brake::{Limit, Limits, OverLimit};
use quittance_core::decide::{Approval, Resolution};
use quittance_core::effect::PersonsWord;
use quittance_core::id::ApiKeyId;
use quittance_core::payment::{Payment, Status};
use quittance_core::refund::{Refund, RefundStatus};
use quittance_core::rejection::Rejection;
use quittance_engine::submission::{Action, EffectRef, Outcome, Submission};
use quittance_store::records::Entity;
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::REFUNDS;

pub const CLIENT: u8 = 1;
pub const CONTROLLER: u8 = 2;

pub fn parking() -> World {
    limited(Limits {
        payment_amount_max: usd(2_000),
        refunded_amount_per_day_max: usd(500),
        over_limit: OverLimit::Park,
        ..Limits::default()
    })
}

/// The same, sent with this credential.
pub fn by(credential: u8, submission: Submission) -> Submission {
    match submission {
        Submission::Client(mut command) => {
            command.credential = Some(ApiKeyId::from_bytes([credential; 16]));
            Submission::Client(command)
        }
        other => other,
    }
}

pub fn large(key: &str, reference: &str) -> Submission {
    by(CLIENT, Pay { amount: 5_000, ..pay(key, reference) }.into())
}

pub fn approve_effect(effect: EffectRef, key: &str, credential: u8, approval: Approval) -> Submission {
    let word = PersonsWord { by: "key_2".into(), evidence: "ticket 9".into(), reason: "the customer called".into() };
    let action = Action::Approve { effect, approval, word };
    by(credential, command(key, 0, "POST /v1/effects/{id}/resolve", action))
}

fn effect_of(payment: &Payment) -> EffectRef {
    EffectRef { book: payment.book, effect: payment.effect, payment: payment.id, epoch: 0 }
}

pub fn say(world: &World, key: &str, credential: u8, approval: Approval) -> Submission {
    approve_effect(effect_of(&newest(world)), key, credential, approval)
}

fn newest(world: &World) -> Payment {
    world.payments().pop().expect("there is one")
}

fn check_parked(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::OverLimit { parked: Some(_), .. }), "{outcome:?}");
}

/// A payment that waits for approval, after everything was polled for a long time and through a crash.
fn parked() -> World {
    let mut world = parking();
    check_parked(&world.submit(large("k", "o")));
    for _ in 0..5 {
        world.now = world.now.plus_ms(3_600_000);
        world.poll();
        world.crash();
    }
    assert!(world.jobs.is_empty() && world.gateway.seen.is_empty(), "nothing leaves");
    assert_eq!((newest(&world).status, newest(&world).parked_by), (Status::Review, Some(Limit::PaymentAmount)));
    check_sound(&world);
    world
}

fn check_answer(outcome: &Outcome, expected: &str) {
    match outcome {
        Outcome::Answered { body, .. } => assert_eq!(String::from_utf8_lossy(body), expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_else_approves_and_it_is_charged_once() {
    let mut world = parked();
    let approval = say(&world, "a", CONTROLLER, Approval::Approved);
    let answer = format!("{} processing", newest(&world).id);
    check_answer(&world.submit(approval.clone()), &answer);
    assert!(matches!(world.submit(approval), Outcome::Replayed(_)));
    assert_eq!(newest(&world).parked_by, None);
    world.poll();
    world.settle();
    assert_eq!((newest(&world).status, world.gateway.charged().len()), (Status::Succeeded, 1));
    assert!(matches!(world.submit(large("k", "o")), Outcome::Replayed(_)), "the client is answered");
    let again = say(&world, "b", CONTROLLER, Approval::Approved);
    check_answer(&world.submit(again), "not-parked");
    check_sound(&world);
}

#[test]
fn whoever_asked_does_not_approve_and_the_attempt_leaves_the_key_free() {
    let mut world = parked();
    let own = say(&world, "a", CLIENT, Approval::Approved);
    let outcome = world.submit(own);
    assert!(matches!(outcome, Outcome::Refused(Rejection::OwnRequest)), "{outcome:?}");
    assert_eq!(newest(&world).status, Status::Review);
    let other = say(&world, "a", CONTROLLER, Approval::Approved);
    assert!(matches!(world.submit(other), Outcome::Answered { status: 200, .. }));
    check_sound(&world);
}

#[test]
fn what_is_refused_or_canceled_lets_its_hold_and_its_reference_go() {
    let mut world = parked();
    let refusal = say(&world, "a", CLIENT, Approval::Refused);
    let answer = format!("{} canceled", newest(&world).id);
    check_answer(&world.submit(refusal), &answer);
    check_parked(&world.submit(large("k2", "o")));
    let payment = effect_of(&newest(&world));
    let cancel = command("c", 0, "POST /v1/payments/{id}/cancel", Action::Cancel { payment, reason: None });
    let answer = format!("{} canceled", newest(&world).id);
    check_answer(&world.submit(cancel), &answer);
    assert!(world.payments().iter().all(|payment| payment.parked_by.is_none()));
    assert!(matches!(world.submit(pay("k3", "o").into()), Outcome::Accepted { .. }));
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
    check_sound(&world);
}

#[test]
fn nothing_is_said_to_have_happened_to_what_was_never_sent_nor_approved_what_no_brake_holds() {
    let mut world = parked();
    for (key, resolution) in [("s", Resolution::Succeeded), ("f", Resolution::Failed)] {
        let decision = decide(&world, key, resolution);
        check_answer(&world.submit(by(CONTROLLER, decision)), "never-sent");
    }
    assert_eq!(newest(&world).status, Status::Review);
    world.submit(pay("k2", "o2").into());
    let approval = say(&world, "a", CONTROLLER, Approval::Approved);
    check_answer(&world.submit(approval), "not-parked");
    check_sound(&world);
}

#[test]
fn a_parked_attempt_over_the_object_of_a_failed_one_confirms_it_once_approved() {
    let mut world = limited(Limits {
        retry_share_max: Some(0),
        payments_per_hour_max: Some(1),
        over_limit: OverLimit::Park,
        ..Limits::default()
    });
    let first = Pay { method: "pm_card_chargeDeclined".into(), ..pay("k", "o") };
    world.submit(by(CLIENT, first.into()));
    world.settle();
    let object = world.gateway.intents[0].clone();
    check_parked(&world.submit(by(CLIENT, pay("k2", "o").into())));
    check_sound(&world);
    world.submit(event("evt_1", "payment_intent.payment_failed", &object));
    assert_eq!(newest(&world).status, Status::Review, "events about the object move nothing");
    let approval = say(&world, "a", CONTROLLER, Approval::Approved);
    world.submit(approval);
    world.poll();
    world.settle();
    assert_eq!((world.gateway.intents.len(), world.gateway.charged().len()), (1, 1));
    check_sound(&world);
    check_parked(&world.submit(by(CLIENT, pay("k3", "o3").into())));
}

#[test]
fn what_is_approved_counts_for_no_limit() {
    let mut world =
        limited(Limits { payments_per_hour_max: Some(2), over_limit: OverLimit::Park, ..Limits::default() });
    let outcomes =
        world.submit_all((0..4).map(|n| by(CLIENT, pay(&format!("k{n}"), &format!("o{n}")).into())).collect());
    outcomes[2..].iter().for_each(check_parked);
    for payment in world.payments().iter().filter(|payment| payment.parked_by.is_some()) {
        let key = payment.id.to_string();
        world.submit(approve_effect(effect_of(payment), &key, CONTROLLER, Approval::Approved));
    }
    world.poll();
    world.settle();
    assert_eq!(world.gateway.charged().len(), 4);
    world.now = world.now.plus_ms(3_900_000);
    assert!(matches!(world.submit(pay("k9", "o9").into()), Outcome::Accepted { .. }));
    check_sound(&world);
}

fn refunds(world: &World) -> Vec<Refund> {
    let rows = world.database.reader().scan(&Scan::forward(&REFUNDS, Vec::new(), 1_000)).expect("readable");
    rows.iter().map(|row| Refund::from_row(row).expect("sound")).collect()
}

#[test]
fn a_refund_waits_for_approval_alike() {
    let mut world = parking();
    world.submit(pay("k", "o").into());
    world.settle();
    let writes = world.gateway.seen.len();
    for (key, approval, status) in
        [("r1", Approval::Refused, RefundStatus::Canceled), ("r2", Approval::Approved, RefundStatus::Pending)]
    {
        let asked = refund(&world, key, 700);
        check_parked(&world.submit(by(CLIENT, asked)));
        world.poll();
        let held = refunds(&world).pop().expect("accepted");
        assert_eq!((held.status, held.parked_by), (RefundStatus::Review, Some(Limit::RefundedAmountPerDay)));
        assert_eq!(world.payments()[0].refunding_amount, 700, "its money is reserved meanwhile");
        let effect = EffectRef { book: held.book, effect: held.effect, payment: held.payment, epoch: 0 };
        let own = world.submit(approve_effect(effect, &format!("{key}-own"), CLIENT, Approval::Approved));
        assert!(matches!(own, Outcome::Refused(Rejection::OwnRequest)), "{own:?}");
        let said = world.submit(approve_effect(effect, &format!("{key}-a"), CONTROLLER, approval));
        assert!(matches!(said, Outcome::Answered { status: 200, .. }), "{said:?}");
        assert_eq!(refunds(&world).pop().map(|refund| refund.status), Some(status));
    }
    assert_eq!((world.gateway.seen.len(), world.jobs.len()), (writes, 0));
    world.poll();
    assert_eq!(world.jobs.len(), 1, "what was approved is sent");
    assert_eq!(world.payments()[0].refunding_amount, 700);
}
