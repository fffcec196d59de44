//! Captures and cancels: what was taken, and what their commands were answered.

use super::decisive::{names, whats};
use super::report_of;
use crate::verify::sample::captured::{COMMANDS, PART};
use crate::verify::sample::{FIRST, Sample};
use quittance_core::effect::{Effect, Step};
use quittance_core::id::{EffectId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::{Record, StepAsked};
use quittance_core::payment::Payment;
use quittance_core::time::Timestamp;
use quittance_store::records::{ClosedHold, Entity};
use quittance_store::tables;

fn damaged<E: Entity>(position: usize, change: impl FnOnce(&mut E), expected: &str) {
    let mut sample = Sample::captured();
    sample.change(position, change);
    names(sample, expected);
}

fn completed(status: u16) -> impl FnOnce(&mut Command) {
    move |row| row.progress = Progress::Completed { status, body: Vec::new(), at: Timestamp(0) }
}

#[test]
fn captured_and_canceled_payments_are_sound() {
    assert_eq!(whats(Sample::captured()), [""; 0]);
    assert_eq!(whats(Sample::canceled()), [""; 0]);
}

#[test]
fn what_was_captured_is_what_the_journal_posted() {
    damaged(0, |row: &mut Payment| row.captured_amount = 1999, "captured amount is 1999 in its row and 1500");
    damaged(0, |row: &mut Effect| row.step = Step::Confirm, "step is \"confirm\" in its row and \"capture\"");
    damaged(0, |row: &mut ClosedHold| row.seq = 10, "closing record is 10 in its row and 14 by the journal");
}

#[test]
fn a_command_of_a_step_answers_what_the_journal_says() {
    damaged(1, completed(200), "it was answered with 200, but by the journal its payment was requires_capture");
    damaged(2, completed(409), "it was answered with 409, but by the journal its payment was succeeded");
    damaged(2, |row: &mut Command| row.progress = Progress::InProgress, "it is in progress, but by the journal");
    damaged(2, |row: &mut Command| row.subject = None, "subject is None in its row and Some(\"pay_");
    damaged(2, |row: &mut Command| row.tenant = TenantId::from_bytes([9; 16]), "tenant is Some(ten_");
    let mut sample = Sample::captured();
    sample.change(1, completed(409));
    assert_eq!(whats(sample), [""; 0], "what expired meanwhile is refused by us");
    for status in [201, 409] {
        let mut sample = Sample::canceled();
        sample.change(1, completed(status));
        names(sample, &format!("it was answered with {status}, but by the journal its payment was canceled"));
    }
    let mut sample = Sample::captured();
    sample.remove(&tables::COMMANDS, 2);
    names(sample, &format!("payment {}: its command {} has no row", FIRST.payment(), COMMANDS[1]));
}

#[test]
fn a_step_that_waits_is_not_answered() {
    let sample = Sample::captured_beside(|records| records.truncate(12));
    let report = report_of(&sample.store());
    let expected =
        format!("command {}: it is completed, but by the journal its payment never came so far", COMMANDS[1]);
    assert!(report.findings.iter().any(|found| found.what == expected), "{:?}", report.findings);
}

/// A history that cannot have happened is refused at this record.
fn forged(change: impl FnOnce(&mut Vec<Record>), seq: i64, expected: &str) {
    let report = report_of(&Sample::captured_beside(change).store());
    assert!(report.is_chain_whole() && !report.is_balanced(), "{:?}", report.findings);
    let found = &report.findings[0];
    assert_eq!(found.seq, Some(seq), "{found:?}");
    assert!(found.what.contains(expected), "{found:?}");
}

#[test]
fn a_forged_capture_is_refused() {
    forged(|records| drop(records.drain(10..12)), 11, "is sent to be captured, but nobody asked for it");
    let ask = |change: fn(&mut EffectId, &mut StepAsked)| {
        move |records: &mut Vec<Record>| match &mut records[10] {
            Record::StepAsked { effect, asked, .. } => change(effect, asked),
            other => panic!("the second capture, not {other:?}"),
        }
    };
    forged(ask(|_, asked| *asked = StepAsked::Capture { amount: 2000 }), 11, "is asked to be captured by 2000");
    forged(ask(|_, asked| *asked = StepAsked::Capture { amount: PART - 1 }), 14, "another amount than was asked for");
    forged(ask(|effect, _| *effect = EffectId::from_bytes([9; 16])), 11, "is given what belongs to another");
    forged(|records| drop(records.remove(9)), 10, "is asked to be captured, but is processing");
}
