//! Disputes: booked once however they are heard of, answered once however the answer is lost, and provable afterwards.

use crate::gateway::Gateway;
use crate::webhooks::event;
use crate::world::{World, command, pay};
use quittance_core::decide::{AskRefund, Resolution};
use quittance_core::dispute::Dispute;
use quittance_core::effect::{Effect, PersonsWord, State};
use quittance_core::ledger::Balance;
use quittance_engine::submission::{Action, DisputeRef, EffectRef, Outcome, Submission};
use quittance_engine::verify::verify;
use quittance_store::records::{Book, BookedMovement, Entity};
use quittance_store::schema::Table;
use quittance_store::store::{Reader, Scan};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn all<E: Entity>(world: &World) -> Vec<E> {
    let table: &'static Table = E::table();
    let rows = world.database.reader().scan(&Scan::forward(table, Vec::new(), 1_000)).expect("readable");
    rows.iter().map(|row| E::from_row(row).expect("sound")).collect()
}

fn dispute(world: &World) -> Dispute {
    all::<Dispute>(world).pop().expect("there is one")
}

/// A payment that is paid and disputed, and the gateway's event about that.
fn disputed(status: &str) -> World {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.settle();
    world.gateway.dispute(status);
    hear(&mut world, "evt_opened", "created");
    world
}

/// The gateway tells how its newest dispute stands, and is asked.
fn hear(world: &mut World, id: &str, kind: &str) -> Outcome {
    let object = world.gateway.disputes.last().expect("one is open").clone();
    let outcome = world.submit(event(id, &format!("charge.dispute.{kind}"), &object));
    world.look_around();
    outcome
}

fn set(world: &mut World, status: &str) {
    world.gateway.disputes.last_mut().expect("one is open")["status"] = status.into();
}

fn answer(world: &World, key: &str) -> Submission {
    let Dispute { book, id, .. } = dispute(world);
    let texts = BTreeMap::from([("uncategorized_text".to_owned(), "delivered".to_owned())]);
    let action = Action::SubmitEvidence { dispute: DisputeRef { book, dispute: id }, texts };
    command(key, 7, "POST /v1/disputes/{id}/evidence", action)
}

fn effect(world: &World) -> Effect {
    all::<Effect>(world).into_iter().max_by_key(|effect| effect.id).expect("there is one")
}

/// Works honestly until nothing is left to do at the gateway.
fn work_off(world: &mut World) {
    for _ in 0..1_000 {
        while !world.jobs.is_empty() {
            world.work(Gateway::serve);
        }
        if effect(world).state.is_terminal() {
            return;
        }
        world.now = world.now.plus_ms(1_000);
        world.poll();
    }
    panic!("it stays open: {:?}", effect(world));
}

fn balance(world: &World, account: &str) -> i64 {
    let balances = all::<Book>(world).pop().expect("there is one").balances.0;
    let of_account = balances.iter().filter(|((named, _), _)| named.to_string() == account);
    of_account.map(|(_, Balance { debits, credits, .. })| debits - credits).sum()
}

fn books(world: &World) -> [i64; 4] {
    ["disputed:stripe", "dispute_loss", "gateway_fees:stripe", "gateway_clearing:stripe"]
        .map(|account| balance(world, account))
}

fn check(world: &World) {
    let report = verify(&mut world.database.reader(), &mut |_| {}).expect("readable");
    assert!(report.is_sound(), "{report:#?}");
}

/// How many submissions the gateway counts, and how many requests asked for one.
fn submitted(world: &World) -> (Value, usize) {
    let count = world.gateway.disputes[0]["evidence_details"]["submission_count"].clone();
    let asked = world.gateway.seen.iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains("/v1/disputes/"));
    (count, asked.count())
}

#[test]
fn a_dispute_is_booked_once_however_often_and_in_whatever_order_it_is_heard_of() {
    let mut world = disputed("needs_response");
    assert_eq!(books(&world), [0, 0, 0, 1_999]);
    let opened = world.gateway.disputes[0].clone();
    world.gateway.move_disputed("txn_1", -1_999, 1_500);
    let withdrawn = world.gateway.disputes[0].clone();
    set(&mut world, "lost");
    let lost = world.gateway.disputes[0].clone();
    for (number, object) in [&lost, &opened, &withdrawn, &lost, &withdrawn].into_iter().enumerate() {
        world.submit(event(&format!("evt_{number}"), "charge.dispute.updated", object));
        world.look_around();
        assert_eq!(books(&world), [0, 1_999, 1_500, -1_500]);
    }
    let known = dispute(&world);
    assert_eq!((known.status.name(), known.withdrawn_amount, known.is_written_off), ("lost", 1_999, true));
    assert_eq!(world.payments()[0].disputed_amount, 1_999);
    set(&mut world, "won");
    world.gateway.move_disputed("txn_2", 1_999, 0);
    hear(&mut world, "evt_won", "funds_reinstated");
    assert_eq!((books(&world), world.payments()[0].disputed_amount), ([0, 0, 1_500, 499], 0));
    assert_eq!(all::<BookedMovement>(&world).len(), 2);
    check(&world);
}

#[test]
fn disputes_of_others_and_several_of_one_payment_are_told_apart() {
    let mut world = disputed("warning_needs_response");
    world.gateway.dispute("needs_response");
    world.gateway.move_disputed("txn_1", -500, 15);
    hear(&mut world, "evt_second", "created");
    assert_eq!((all::<Dispute>(&world).len(), world.payments()[0].disputed_amount), (2, 500));
    let mut foreign = world.gateway.disputes[0].clone();
    (foreign["id"], foreign["charge"], foreign["payment_intent"]) = ("dp_9".into(), "ch_9".into(), "pi_9".into());
    let outcome = world.submit(event("evt_foreign", "charge.dispute.created", &foreign));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    world.look_around();
    assert_eq!(all::<Dispute>(&world).len(), 2);
    check(&world);
}

#[test]
fn evidence_is_submitted_once_and_the_answer_shows_it() {
    let mut world = disputed("needs_response");
    let accepted = world.submit(answer(&world, "e1"));
    let Outcome::Accepted { command, .. } = accepted else { panic!("{accepted:?}") };
    let again = world.submit(answer(&world, "e2"));
    assert!(matches!(again, Outcome::Answered { ref body, .. } if body == b"duplicate-evidence"), "{again:?}");
    work_off(&mut world);
    assert_eq!(world.answers[&command], (201, format!("{} under_review", dispute(&world).id)));
    assert_eq!((submitted(&world), dispute(&world).submissions), ((json!(1), 1), 1));
    let again = world.submit(answer(&world, "e3"));
    assert!(matches!(again, Outcome::Answered { ref body, .. } if body == b"duplicate-evidence"), "{again:?}");
    check(&world);
}

#[test]
fn a_deadline_counts_while_evidence_is_waited_for() {
    let mut world = disputed("needs_response");
    let waiting = |world: &mut World, now| world.engine.deadlines(now, 10).expect("readable").len();
    let (now, due_by) = (world.now, dispute(&world).evidence_due_by.expect("it has one"));
    assert_eq!((waiting(&mut world, now), waiting(&mut world, due_by)), (1, 0));
    set(&mut world, "under_review");
    hear(&mut world, "evt_answered", "updated");
    assert_eq!(waiting(&mut world, now), 0);
}

#[test]
fn evidence_whose_answer_is_lost_is_found_by_reading_the_dispute() {
    let mut world = disputed("needs_response");
    world.submit(answer(&world, "e"));
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    assert_eq!(effect(&world).state, State::Unknown);
    work_off(&mut world);
    assert_eq!((effect(&world).state, submitted(&world)), (State::Succeeded, (json!(1), 1)));
    check(&world);
}

#[test]
fn evidence_that_never_arrived_is_sent_again_under_a_new_key() {
    let mut world = disputed("needs_response");
    world.submit(answer(&world, "e"));
    world.work(Gateway::serve);
    world.work(Gateway::lose);
    work_off(&mut world);
    assert_eq!((effect(&world).state, submitted(&world)), (State::Succeeded, (json!(1), 1)));
    assert_eq!(effect(&world).generation, 1);
    check(&world);
}

#[test]
fn evidence_survives_a_crash_while_it_is_sent() {
    let mut world = disputed("needs_response");
    world.submit(answer(&world, "e"));
    world.work(Gateway::serve);
    let job = world.jobs.remove(0);
    let quittance_engine::Plan::Send(request) = &job.plan else { panic!("{job:?}") };
    world.gateway.serve(request);
    world.crash();
    world.now = world.now.plus_ms(60_000);
    world.poll();
    work_off(&mut world);
    assert_eq!((effect(&world).state, submitted(&world)), (State::Succeeded, (json!(1), 1)));
    check(&world);
}

#[test]
fn an_event_has_a_lost_submission_read_again_at_once() {
    let mut world = disputed("needs_response");
    world.submit(answer(&world, "e"));
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    world.work(Gateway::lose);
    let waits_until = effect(&world).due_at.expect("it waits");
    assert!(waits_until > world.now);
    let object = world.gateway.disputes[0].clone();
    world.submit(event("evt_submitted", "charge.dispute.updated", &object));
    world.poll();
    world.look(Gateway::serve);
    assert_eq!((effect(&world).due_at, dispute(&world).status.name()), (Some(world.now), "under_review"));
    work_off(&mut world);
    check(&world);
}

#[test]
fn each_stage_is_answered_by_itself() {
    let mut world = disputed("warning_needs_response");
    world.submit(answer(&world, "e1"));
    work_off(&mut world);
    set(&mut world, "needs_response");
    hear(&mut world, "evt_escalated", "updated");
    let accepted = world.submit(answer(&world, "e2"));
    assert!(matches!(accepted, Outcome::Accepted { .. }), "{accepted:?}");
    work_off(&mut world);
    assert_eq!((submitted(&world), dispute(&world).submissions), ((json!(2), 2), 2));
    check(&world);
}

#[test]
fn what_takes_no_evidence_or_takes_it_no_more_is_refused() {
    let mut world = disputed("needs_response");
    world.now = world.now.plus_ms(700_000_000);
    let late = world.submit(answer(&world, "e1"));
    assert!(matches!(late, Outcome::Answered { ref body, .. } if body == b"evidence-too-late"), "{late:?}");
    set(&mut world, "lost");
    hear(&mut world, "evt_lost", "closed");
    let closed = world.submit(answer(&world, "e2"));
    assert!(matches!(closed, Outcome::Answered { ref body, .. } if body == b"evidence-not-taken"), "{closed:?}");
    // Closed at the gateway, and not heard of here: nothing is sent.
    let mut world = disputed("needs_response");
    set(&mut world, "lost");
    let accepted = world.submit(answer(&world, "e"));
    let Outcome::Accepted { command, .. } = accepted else { panic!("{accepted:?}") };
    work_off(&mut world);
    assert_eq!(world.answers[&command], (409, "refused-by-gateway".to_owned()));
    assert_eq!((submitted(&world).1, dispute(&world).status.name()), (0, "lost"));
    check(&world);
}

#[test]
fn a_person_ends_a_submission_that_nobody_can_tell() {
    let mut world = disputed("needs_response");
    let accepted = world.submit(answer(&world, "e"));
    let Outcome::Accepted { command: asked, .. } = accepted else { panic!("{accepted:?}") };
    world.work(Gateway::serve);
    world.work(|_, _| {
        let body = json!({"error": {"type": "idempotency_error", "message": "no"}}).to_string().into_bytes();
        let response = quittance_connectors::message::Response { status: 400, headers: Vec::new(), body };
        quittance_connectors::message::Delivery::Answered(response)
    });
    let waits = effect(&world);
    assert_eq!(waits.state, State::Review);
    let effect_ref = EffectRef { book: waits.book, effect: waits.id, payment: waits.payment, epoch: 0 };
    let word = PersonsWord { by: "key_1".into(), evidence: "dashboard".into(), reason: "not there".into() };
    let resolve = Action::Resolve { effect: effect_ref, resolution: Resolution::Failed, word };
    let outcome = world.submit(command("r", 8, "POST /v1/effects/{id}/resolve", resolve));
    let shown = format!("{} needs_response", dispute(&world).id);
    assert!(matches!(outcome, Outcome::Answered { status: 200, ref body, .. } if body == shown.as_bytes()));
    let replayed = world.submit(answer(&world, "e"));
    assert!(matches!(replayed, Outcome::Replayed(ref command) if command.id == asked), "{replayed:?}");
    check(&world);
    // Nothing was handed in, so that the stage can be answered.
    assert!(matches!(world.submit(answer(&world, "e2")), Outcome::Accepted { .. }));
    work_off(&mut world);
    assert_eq!(submitted(&world).0, json!(1));
    check(&world);
}

#[test]
fn what_is_withdrawn_is_not_refunded_too() {
    let mut world = disputed("needs_response");
    world.gateway.move_disputed("txn_1", -1_500, 15);
    hear(&mut world, "evt_withdrawn", "funds_withdrawn");
    let payment = world.payments().remove(0);
    let refund = |key: &str, amount| {
        let payment = EffectRef { book: payment.book, effect: payment.effect, payment: payment.id, epoch: 0 };
        let asked = AskRefund {
            amount: Some(amount),
            currency: None,
            reference: Some(key.to_owned()),
            expected_refunded_amount: None,
            reason: None,
        };
        command(key, 9, "POST /v1/refunds", Action::Refund { payment, asked })
    };
    let refused = world.submit(refund("r1", 500));
    assert!(matches!(refused, Outcome::Answered { ref body, .. } if body == b"refund-too-large"), "{refused:?}");
    assert!(matches!(world.submit(refund("r2", 499)), Outcome::Accepted { .. }));
}
