//! Refunds: each member of their rows, effects, holds, references, objects, movements and answers that the journal knows.

use super::decisive::{names, whats};
use super::report_of;
use crate::verify::sample::refunded::{PENDING, RETURNED};
use crate::verify::sample::{FIRST, Sample, customer};
use quittance_core::currency::Currency;
use quittance_core::effect::{Effect, State, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CustomerId, PaymentId, RefundId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::{Closing, Corrected, Correction, Record, RefundAdvanced};
use quittance_core::payment::Payment;
use quittance_core::refund::{Refund, RefundStatus};
use quittance_core::time::Timestamp;
use quittance_store::records::{BookedMovement, ClosedHold, Entity, GatewayObject, Holder, IntentEntry, Owner, Ticket};
use quittance_store::tables::{CLOSED_HOLDS, COMMANDS, EFFECTS, GATEWAY_OBJECTS, INTENTS, MOVEMENTS, REFUNDS, TICKETS};

/// Damage to one row of a table is named like this. Row 0 of most is the payment's.
fn damaged<E: Entity>(position: usize, change: impl FnOnce(&mut E), expected: &str) {
    let mut sample = Sample::refunded();
    sample.change(position, change);
    names(sample, expected);
}

fn stranger() -> TenantId {
    TenantId::from_bytes([9; 16])
}

fn euro() -> Currency {
    Currency::from_code("EUR").expect("known currency")
}

#[test]
fn a_payment_with_all_that_followed_is_sound() {
    assert_eq!(whats(Sample::refunded()), [""; 0]);
}

#[test]
fn a_refund_is_what_was_accepted_and_came_of_it() {
    damaged(0, |row: &mut Refund| row.money.amount = 501, "amount is 501 in its row and 500 by the journal");
    damaged(0, |row: &mut Refund| row.money.currency = euro(), "currency is \"EUR\" in its row and \"USD\"");
    damaged(
        0,
        |row: &mut Refund| row.status = RefundStatus::Succeeded,
        "status is \"succeeded\" in its row and \"failed\"",
    );
    damaged(1, |row: &mut Refund| row.status = RefundStatus::Failed, "status is \"failed\" in its row and \"pending\"");
    damaged(0, |row: &mut Refund| row.gateway_object = None, "gateway object is None in its row and Some(\"re_1\")");
    damaged(0, |row: &mut Refund| row.failure_code = None, "failure code is None in its row and Some(\"returned\")");
    damaged(0, |row: &mut Refund| row.reference = None, "reference is None in its row and Some(\"refund-1\")");
    damaged(0, |row: &mut Refund| row.payment = PaymentId::from_bytes([9; 16]), "payment is pay_");
    damaged(0, |row: &mut Refund| row.effect = PENDING.effect(), "effect is eff_");
    damaged(0, |row: &mut Refund| row.command = PENDING.command(), "command is cmd_");
    damaged(0, |row: &mut Refund| row.gateway = "other".into(), "gateway is \"other\" in its row and \"stripe\"");
    damaged(0, |row: &mut Refund| row.tenant = stranger(), "tenant is Some(ten_");
}

#[test]
fn a_payment_counts_what_is_given_back() {
    damaged(0, |row: &mut Payment| row.refunded_amount = 500, "refunded amount is 500 in its row and 0 by the journal");
    damaged(0, |row: &mut Payment| row.refunding_amount = 0, "refunding amount is 0 in its row and 300");
}

#[test]
fn an_effect_is_what_its_refund_is() {
    damaged(1, |row: &mut Effect| row.money.amount = 1999, "amount is 1999 in its row and 500 by the journal");
    damaged(1, |row: &mut Effect| row.money.currency = euro(), "currency is \"EUR\" in its row and \"USD\"");
    damaged(1, |row: &mut Effect| row.object_id = None, "gateway object is None in its row and Some(\"re_1\")");
    damaged(2, |row: &mut Effect| row.object_id = Some("re_1".into()), "gateway object is Some(\"re_1\") in its row");
    damaged(1, |row: &mut Effect| row.subject = Subject::Payment, "subject is Payment in its row and Refund(");
    damaged(1, |row: &mut Effect| row.subject = Subject::Refund(PENDING.refund()), "subject is Refund(");
    damaged(1, |row: &mut Effect| row.gateway = "other".into(), "gateway is Some(\"other\") in its row");
    damaged(1, |row: &mut Effect| row.payment = PaymentId::from_bytes([9; 16]), "payment is pay_");
    damaged(1, |row: &mut Effect| row.state = State::Failed, "state is \"failed\" in its row and \"succeeded\"");
    damaged(1, |row: &mut Effect| row.is_paid = true, "late payment is true in its row and false by the journal");
    damaged(1, |row: &mut Effect| row.sends = 2, "sends is 2 in its row and 1 by the journal");
    damaged(2, |row: &mut Effect| row.generation = 1, "generation is 1 in its row and 0");
    damaged(2, |row: &mut Effect| row.due_at = None, "it is pending and never due");
    damaged(1, |row: &mut Effect| row.due_at = Some(Timestamp(0)), "it is succeeded, but still due");
}

#[test]
fn what_a_refund_left_behind_is_compared() {
    damaged(1, |row: &mut ClosedHold| row.closing = Closing::Voided, "closing is \"voided\" in its row and \"posted\"");
    damaged(1, |row: &mut ClosedHold| row.seq = 10, "closing record is 10 in its row and 9 by the journal");
    let to_another = |row: &mut IntentEntry| row.holder = Holder::Refund(PENDING.refund());
    damaged(1, to_another, "holder is Refund(");
    damaged(2, |row: &mut Ticket| row.gateway_key = "other".into(), "gateway key is \"other\" in its row");
    damaged(2, |row: &mut Ticket| row.lease_epoch = 2, "lease is 2 in its row and 1");
    damaged(2, |row: &mut Ticket| row.request = b"x".to_vec(), "its request is not the one the journal names");
}

#[test]
fn what_a_refund_should_have_left_behind_is_missed() {
    let missing = "the journal has it, but its row is missing";
    for (table, position, expected) in [
        (&REFUNDS, 0, format!("refund {}: {missing}", RETURNED.refund())),
        (&EFFECTS, 1, format!("effect {}: {missing}", RETURNED.effect())),
        (&CLOSED_HOLDS, 1, missing.to_owned()),
        (&INTENTS, 1, missing.to_owned()),
        (&TICKETS, 2, missing.to_owned()),
        (&GATEWAY_OBJECTS, 1, format!("object \"re_1\" at \"stripe\": {} has it", RETURNED.effect())),
        (&MOVEMENTS, 0, "movement \"txn_1\" at \"stripe\": record 10 booked it, but its row is missing".to_owned()),
        (&COMMANDS, 1, format!("refund {}: its command {} has no row", RETURNED.refund(), RETURNED.command())),
    ] {
        let mut sample = Sample::refunded();
        sample.remove(table, position);
        names(sample, &expected);
    }
    let mut sample = Sample::refunded();
    sample.change(1, |row: &mut Refund| row.id = RefundId::from_bytes([9; 16]));
    names(sample, "it has a row, but the journal never accepted it");
}

#[test]
fn the_object_of_a_refund_leads_to_its_effect() {
    let to = |change: fn(&mut Owner)| {
        move |row: &mut GatewayObject| {
            row.owner = row.owner.map(|mut owner| {
                change(&mut owner);
                owner
            });
        }
    };
    let to_payment = to(|owner| owner.effect = FIRST.effect());
    damaged(1, to_payment, &format!("its row leads to {}, not to {}", FIRST.effect(), RETURNED.effect()));
    let to_another = to(|owner| owner.effect = PENDING.effect());
    damaged(1, to_another, &format!("its row leads to {}, not to {}", PENDING.effect(), RETURNED.effect()));
    damaged(1, to(|owner| owner.payment = PaymentId::from_bytes([9; 16])), "its row leads to eff_");
    damaged(1, to(|owner| owner.book = CustomerId::from_bytes([9; 16])), "its row leads to eff_");
    let charge = |row: &mut GatewayObject| row.kind = ObjectKind::Charge;
    damaged(1, charge, "object \"re_1\" at \"stripe\": its row says that it is a charge, and it is a refund");
}

#[test]
fn a_movement_leads_to_the_record_that_booked_it() {
    damaged(0, |row: &mut BookedMovement| row.seq = 9, "its row leads to record 9 of cus_");
    let elsewhere = |row: &mut BookedMovement| row.book = CustomerId::from_bytes([9; 16]);
    damaged(0, elsewhere, "not to record 10, which booked it");
    let unbooked = |row: BookedMovement| {
        let mut sample = Sample::refunded();
        sample.add(&row);
        let expected =
            format!("movement {:?} at {:?}: it has a row, but the journal never booked it", row.movement, row.gateway);
        names(sample, &expected);
    };
    let row = |gateway: &str, movement: &str, seq| BookedMovement {
        gateway: gateway.into(),
        movement: movement.into(),
        book: customer(),
        seq,
    };
    unbooked(row("stripe", "txn_9", 10));
    unbooked(row("stripe", "txn_9", 9));
    unbooked(row("stripe", "txn_9", 99));
    unbooked(row("other", "txn_1", 10));
}

#[test]
fn a_command_of_a_refund_answers_what_the_journal_says() {
    let completed = |status| {
        move |row: &mut Command| {
            row.progress = Progress::Completed { status, body: Vec::new(), at: Timestamp(0) };
        }
    };
    damaged(1, completed(402), "it was answered with 402, but by the journal its refund was succeeded");
    damaged(2, completed(200), "it was answered with 200, but by the journal its refund was pending");
    let in_progress = |row: &mut Command| row.progress = Progress::InProgress;
    damaged(1, in_progress, "it is in progress, but by the journal its refund was succeeded");
    damaged(1, |row: &mut Command| row.subject = None, "subject is None in its row and Some(\"rfd_");
    damaged(1, |row: &mut Command| row.subject = Some(FIRST.payment().to_string()), "subject is Some(\"pay_");
    damaged(1, |row: &mut Command| row.tenant = stranger(), "tenant is Some(ten_");
    let mut sample = Sample::refunded();
    sample.change(1, |row: &mut Command| row.progress = Progress::Tombstone { at: Timestamp(0) });
    assert_eq!(whats(sample), [""; 0], "an answer may be dropped once it was given");
    // A refund that never left is not answered yet.
    let early = Sample::refunded_beside(|records| drop(records.remove(12)));
    let report = report_of(&early.store());
    let expected = "it is completed, but by the journal its refund never came so far";
    assert!(report.findings.iter().any(|found| found.what.contains(expected)), "{:?}", report.findings);
}

/// A history that cannot have happened is refused at this record.
fn forged(change: impl FnOnce(&mut Vec<Record>), seq: i64, expected: &str) {
    let report = report_of(&Sample::refunded_beside(change).store());
    assert!(report.is_chain_whole() && !report.is_balanced(), "{:?}", report.findings);
    let found = &report.findings[0];
    assert_eq!(found.seq, Some(seq), "{found:?}");
    assert!(found.what.contains(expected), "{found:?}");
}

fn advance(record: &mut Record) -> &mut RefundAdvanced {
    match record {
        Record::RefundAdvanced(advanced) => advanced,
        other => panic!("a refund's advance, not {other:?}"),
    }
}

#[test]
fn a_forged_history_of_refunds_is_refused() {
    let as_if_nothing_moved = |records: &mut Vec<Record>| {
        let end = advance(&mut records[8]);
        (end.closing, end.postings) = (None, Vec::new());
    };
    forged(as_if_nothing_moved, 9, "is succeeded, but its hold is open");
    let let_go = |records: &mut Vec<Record>| {
        let end = advance(&mut records[8]);
        end.closing = end.closing.map(|(hold, _)| (hold, Closing::Voided));
    };
    forged(let_go, 9, "is succeeded, but its hold is voided");
    let too_much = |records: &mut Vec<Record>| match &mut records[10] {
        Record::RefundAccepted(accepted) => {
            accepted.money.amount = 2000;
            accepted.postings.iter_mut().for_each(|posting| posting.amount = 2000);
        }
        other => panic!("the pending refund, not {other:?}"),
    };
    forged(too_much, 11, "gives back more than is left of its payment");
    let same_reference = |records: &mut Vec<Record>| {
        records.remove(9);
        match &mut records[9] {
            Record::RefundAccepted(accepted) => accepted.reference = Some("refund-1".into()),
            other => panic!("the pending refund, not {other:?}"),
        }
    };
    forged(same_reference, 10, "has the reference of");
    let by_another = |records: &mut Vec<Record>| advance(&mut records[12]).effect = RETURNED.effect();
    forged(by_another, 13, "is given what belongs to another");
}

#[test]
fn a_forged_correction_is_refused() {
    let again = |records: &mut Vec<Record>| records.insert(10, records[9].clone());
    forged(again, 11, "cannot be corrected by refund_returned");
    let paid_after_all = |records: &mut Vec<Record>| match records[9].clone() {
        Record::Corrected(corrected) => {
            let (correction, movement) = (Correction::RefundPaid, "paid".into());
            records.insert(10, Record::Corrected(Corrected { correction, movement, ..corrected }));
        }
        other => panic!("the correction, not {other:?}"),
    };
    forged(paid_after_all, 11, "cannot be corrected by refund_paid");
    let of_payment = |records: &mut Vec<Record>| match &mut records[9] {
        Record::Corrected(corrected) => corrected.correction = Correction::PaymentReturned,
        other => panic!("the correction, not {other:?}"),
    };
    forged(of_payment, 10, "cannot be corrected by payment_returned");
    let less = |records: &mut Vec<Record>| match &mut records[9] {
        Record::Corrected(corrected) => corrected.postings.iter_mut().for_each(|posting| posting.amount = 499),
        other => panic!("the correction, not {other:?}"),
    };
    forged(less, 10, "does not post what it says");
    let same_movement = |records: &mut Vec<Record>| match &mut records[13] {
        Record::DisputeSeen(seen) => seen.movement = Some("txn_1".into()),
        other => panic!("the dispute, not {other:?}"),
    };
    forged(same_movement, 14, "the movement \"txn_1\" is booked twice");
}
