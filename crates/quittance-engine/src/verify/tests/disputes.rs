//! Disputes: each member of their rows and effects that the journal knows.

use super::decisive::{names, whats};
use crate::verify::sample::Sample;
use crate::verify::sample::refunded::dispute;
use quittance_core::currency::Currency;
use quittance_core::dispute::{Dispute, DisputeStatus};
use quittance_core::effect::{Effect, Subject};
use quittance_core::id::{CustomerId, DisputeId, PaymentId, TenantId};
use quittance_core::idempotency::Command;
use quittance_core::payment::Payment;
use quittance_store::records::{BookedMovement, Entity};
use quittance_store::tables::{COMMANDS, DISPUTES, MOVEMENTS};

fn damaged<E: Entity>(position: usize, change: impl FnOnce(&mut E), expected: &str) {
    let mut sample = Sample::refunded();
    sample.change(position, change);
    names(sample, expected);
}

#[test]
fn a_dispute_is_what_was_seen_of_it() {
    damaged(0, |row: &mut Dispute| row.money.amount = 1, "amount is 1 in its row and 1999 by the journal");
    let euro = Currency::from_code("EUR").expect("known currency");
    damaged(0, |row: &mut Dispute| row.money.currency = euro, "currency is \"EUR\" in its row and \"USD\"");
    damaged(
        0,
        |row: &mut Dispute| row.status = DisputeStatus::Won,
        "status is \"won\" in its row and \"needs_response\"",
    );
    damaged(0, |row: &mut Dispute| row.withdrawn_amount = 0, "withdrawn amount is 0 in its row and 1999");
    damaged(0, |row: &mut Dispute| row.is_written_off = true, "write-off is true in its row and false");
    damaged(0, |row: &mut Dispute| row.payment = PaymentId::from_bytes([9; 16]), "payment is pay_");
    damaged(0, |row: &mut Dispute| row.gateway = "other".into(), "gateway is \"other\" in its row and \"stripe\"");
    damaged(0, |row: &mut Dispute| row.object_id = "dp_2".into(), "gateway object is \"dp_2\" in its row and \"dp_1\"");
    damaged(0, |row: &mut Dispute| row.tenant = TenantId::from_bytes([9; 16]), "tenant is Some(ten_");
    damaged(0, |row: &mut Payment| row.disputed_amount = 0, "disputed amount is 0 in its row and 1999");
}

#[test]
fn what_only_the_gateway_says_of_a_dispute_is_its_own_business() {
    let mut sample = Sample::refunded();
    sample.change(0, |row: &mut Dispute| {
        (row.reason, row.evidence_due_by, row.submissions) = ("general".into(), None, 1);
    });
    assert_eq!(whats(sample), [""; 0]);
}

#[test]
fn a_dispute_has_one_row_and_a_row_a_dispute() {
    let mut sample = Sample::refunded();
    sample.remove(&DISPUTES, 0);
    names(sample, &format!("dispute {}: the journal has it, but its row is missing", dispute()));
    damaged(0, |row: &mut Dispute| row.id = DisputeId::from_bytes([9; 16]), "but the journal never saw it");
    let mut sample = Sample::refunded();
    sample.remove(&MOVEMENTS, 1);
    names(sample, "movement \"txn_2\" at \"stripe\": record 14 booked it, but its row is missing");
    let elsewhere = |row: &mut BookedMovement| row.book = CustomerId::from_bytes([9; 16]);
    damaged(1, elsewhere, "not to record 14, which booked it");
}

#[test]
fn an_effect_that_answers_a_dispute_is_about_it() {
    let about_another = |row: &mut Effect| row.subject = Subject::Dispute(DisputeId::from_bytes([9; 16]));
    damaged(3, about_another, "subject is Dispute(");
    damaged(3, |row: &mut Effect| row.payment = PaymentId::from_bytes([9; 16]), "payment is pay_");
    damaged(3, |row: &mut Effect| row.gateway = "other".into(), "gateway is Some(\"other\") in its row");
    damaged(3, |row: &mut Effect| row.due_at = None, "it is intended and never due");
    damaged(3, |row: &mut Command| row.tenant = TenantId::from_bytes([9; 16]), "tenant is Some(ten_");
    let mut sample = Sample::refunded();
    sample.remove(&COMMANDS, 3);
    names(sample, "evidence: its command cmd_");
}
