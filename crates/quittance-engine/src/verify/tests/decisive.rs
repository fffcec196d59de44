//! Rows that decide about money: each member of them that the journal knows is compared with it.

use super::report_of;
use crate::verify::sample::{FIRST, SECOND, Sample};
use quittance_core::currency::Currency;
use quittance_core::effect::{Effect, State, Step, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CommandId, CustomerId, EffectId, PaymentId, RefundId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::payment::{Payment, Status};
use quittance_core::time::Timestamp;
use quittance_store::records::{Entity, GatewayObject, KeyEntry, Owner};
use quittance_store::tables::{COMMANDS, GATEWAY_OBJECTS, IDEMPOTENCY};

pub(super) fn whats(sample: Sample) -> Vec<String> {
    let report = report_of(&sample.store());
    assert!(report.is_chain_whole() && report.is_balanced(), "{:?}", report.findings);
    report.findings.into_iter().map(|finding| finding.what).collect()
}

pub(super) fn names(sample: Sample, expected: &str) {
    let whats = whats(sample);
    assert!(whats.iter().any(|what| what.contains(expected)), "no {expected:?} in {whats:?}");
}

/// Damage to the first row of a table is named like this.
fn damaged<E: Entity>(change: impl FnOnce(&mut E), expected: &str) {
    let mut sample = Sample::new();
    sample.change(0, change);
    names(sample, expected);
}

/// The same for the second attempt of a payment that was declined first.
fn damaged_retry<E: Entity>(position: usize, change: impl FnOnce(&mut E), expected: &str) {
    let mut sample = Sample::retried();
    sample.change(position, change);
    names(sample, expected);
}

fn completed(status: u16) -> Progress {
    Progress::Completed { status, body: Vec::new(), at: Timestamp(0) }
}

#[test]
fn attempts_that_share_an_object_are_sound() {
    assert_eq!(whats(Sample::retried()), [""; 0]);
    assert_eq!(whats(Sample::replaced()), [""; 0]);
}

#[test]
fn an_effect_is_what_its_payment_is() {
    damaged(|row: &mut Effect| row.object_id = None, "gateway object is None in its row and Some(\"pi_1\")");
    damaged(|row: &mut Effect| row.object_id = Some("pi_2".into()), "gateway object is Some(\"pi_2\") in its row");
    damaged(|row: &mut Effect| row.money.amount = 1, "amount is 1 in its row and 1999 by the journal");
    let euro = Currency::from_code("EUR").expect("known currency");
    damaged(|row: &mut Effect| row.money.currency = euro, "currency is \"EUR\" in its row and \"USD\"");
    damaged(|row: &mut Effect| row.gateway = "other".into(), "gateway is Some(\"other\") in its row");
    damaged(|row: &mut Effect| row.payment = SECOND.payment(), "payment is pay_");
    damaged(|row: &mut Effect| row.subject = Subject::Refund(RefundId::from_bytes([9; 16])), "subject is Refund(");
    damaged(|row: &mut Effect| row.tenant = TenantId::from_bytes([9; 16]), "tenant is Some(ten_");
    damaged(|row: &mut Effect| row.step = Step::Create, "step is \"create\" in its row and \"confirm\"");
    damaged(|row: &mut Effect| row.generation = 0, "generation is 0 in its row and 1");
    damaged(|row: &mut Effect| row.sends = 0, "sends is 0 in its row and 1 by the journal");
    damaged(|row: &mut Effect| row.state = State::Failed, "state is \"failed\" in its row");
}

#[test]
fn an_effect_is_due_until_it_is_decided() {
    damaged(|row: &mut Effect| row.due_at = Some(Timestamp(0)), "it is succeeded, but still due");
    damaged_retry(1, |row: &mut Effect| row.due_at = None, "it is intended and never due");
}

#[test]
fn only_an_earlier_attempts_object_is_taken_over() {
    let expected = "no earlier attempt of its payment left it the gateway object \"pi_2\"";
    damaged_retry(1, |row: &mut Effect| row.object_id = Some("pi_2".into()), expected);
}

#[test]
fn a_payment_is_what_was_accepted() {
    damaged(|row: &mut Payment| row.gateway = "other".into(), "gateway is \"other\" in its row and \"stripe\"");
    damaged(|row: &mut Payment| row.command = SECOND.command(), "command is cmd_");
    damaged(|row: &mut Payment| row.tenant = TenantId::from_bytes([9; 16]), "tenant is Some(ten_");
    damaged(|row: &mut Payment| row.refunding_amount = 1, "refunding amount is 1 in its row and 0 by the journal");
    damaged(|row: &mut Payment| row.disputed_amount = 1, "disputed amount is 1 in its row and 0 by the journal");
    damaged(|row: &mut Payment| row.returned_amount = 1, "returned amount is 1 in its row and 0 by the journal");
    damaged(|row: &mut Payment| row.status = Status::Review, "status is \"review\" in its row and \"succeeded\"");
}

#[test]
fn a_command_is_its_payments() {
    let mut sample = Sample::new();
    sample.remove(&COMMANDS, 0);
    names(sample, &format!("payment {}: its command {} has no row", FIRST.payment(), FIRST.command()));
    damaged(|row: &mut Command| row.subject = None, "subject is None in its row and Some(\"pay_");
    let other = || Some(SECOND.payment().to_string());
    damaged(|row: &mut Command| row.subject = other(), "subject is Some(\"pay_");
    damaged(|row: &mut Command| row.tenant = TenantId::from_bytes([9; 16]), "tenant is Some(ten_");
}

#[test]
fn a_command_answers_what_the_journal_says() {
    let in_progress = |row: &mut Command| row.progress = Progress::InProgress;
    damaged(in_progress, "it is in progress, but by the journal its payment was succeeded");
    damaged_retry(0, in_progress, "it is in progress, but by the journal its payment was failed");
    let answered = |status| move |row: &mut Command| row.progress = completed(status);
    damaged(answered(402), "it was answered with 402, but by the journal its payment was succeeded");
    damaged_retry(0, answered(201), "it was answered with 201, but by the journal its payment was failed");
    damaged_retry(1, answered(201), "it is completed, but by the journal its payment never came so far");
    let dropped = |row: &mut Command| row.progress = Progress::Tombstone { at: Timestamp(0) };
    damaged_retry(1, dropped, "it is completed, but by the journal its payment never came so far");
    let mut sample = Sample::new();
    sample.change(0, dropped);
    assert_eq!(whats(sample), [""; 0], "an answer may be dropped once it was given");
}

#[test]
fn a_key_leads_to_its_command() {
    let mut sample = Sample::new();
    sample.remove(&IDEMPOTENCY, 0);
    names(sample, &format!("command {}: no row leads from its key to it", FIRST.command()));
    damaged_retry(0, |row: &mut KeyEntry| row.command = SECOND.command(), "its key leads to cmd_");
    damaged(|row: &mut KeyEntry| row.key_digest = [0; 16], "no row leads from its key to it");
    damaged(|row: &mut KeyEntry| row.tenant = TenantId::from_bytes([9; 16]), "no row leads from its key to it");
    damaged(|row: &mut Command| row.key = "another".into(), "no row leads from its key to it");
    let mut sample = Sample::new();
    let nobody = CommandId::from_bytes([9; 16]);
    sample.add(&KeyEntry { tenant: TenantId::from_bytes([1; 16]), key_digest: [0; 16], command: nobody });
    names(sample, "a key leads to command cmd_");
    let mut sample = Sample::new();
    sample.add(&KeyEntry { tenant: TenantId::from_bytes([1; 16]), key_digest: [0; 16], command: FIRST.command() });
    names(sample, "which came under another");
}

#[test]
fn an_object_leads_to_the_newest_payment_that_has_it() {
    let missing = |mut sample: Sample| {
        sample.remove(&GATEWAY_OBJECTS, 0);
        names(sample, &format!("object \"pi_1\" at \"stripe\": {} has it, but its row is missing", FIRST.effect()));
    };
    missing(Sample::new());
    missing(Sample::retried());
    let to = |payment: PaymentId, effect: EffectId| {
        move |row: &mut GatewayObject| row.owner = row.owner.map(|owner| Owner { payment, effect, ..owner })
    };
    let first = to(FIRST.payment(), FIRST.effect());
    damaged_retry(0, first, &format!("not to {}, which has it", SECOND.effect()));
    damaged(to(SECOND.payment(), SECOND.effect()), &format!("not to {}, which has it", FIRST.effect()));
    damaged(to(FIRST.payment(), SECOND.effect()), "its row leads to eff_");
    let foreign = CustomerId::from_bytes([9; 16]);
    let change = move |row: &mut GatewayObject| row.owner = row.owner.map(|owner| Owner { book: foreign, ..owner });
    damaged(change, "its row leads to eff_");
    damaged(|row: &mut GatewayObject| row.owner = None, "its row leads to nobody");
    damaged(
        |row: &mut GatewayObject| row.kind = ObjectKind::Charge,
        "its row says that it is a charge, and it is a payment",
    );
    // The second attempt is not known to have an object any more, so nothing proves that the row may lead to it.
    damaged_retry(1, |row: &mut Effect| row.object_id = None, &format!("not to {}", FIRST.effect()));
}
