//! A journal whose chain is whole can still say what cannot have happened.

use super::report_of;
use crate::verify::sample::Sample;
use quittance_core::effect::State;
use quittance_core::journal::{Advanced, Closing, Record};
use quittance_core::payment::Status;

fn check(change: impl FnOnce(&mut Vec<Record>), seq: i64, expected: &str) {
    let report = report_of(&Sample::forged(change).store());
    assert!(report.is_chain_whole() && !report.is_balanced(), "{:?}", report.findings);
    let found = &report.findings[0];
    assert_eq!(found.seq, Some(seq), "{found:?}");
    assert!(found.what.contains(expected), "{found:?}");
}

fn end(records: &mut [Record]) -> &mut Advanced {
    match records.last_mut() {
        Some(Record::EffectAdvanced(advanced)) => advanced,
        other => panic!("the journal ends with an advance, not with {other:?}"),
    }
}

#[test]
fn a_journal_that_is_sound_is_not_forged() {
    assert!(report_of(&Sample::forged(|_| ()).store()).is_sound());
}

#[test]
fn money_and_status_go_together() {
    let unpaid = |records: &mut Vec<Record>| {
        let end = end(records);
        (end.closing, end.postings) = (None, Vec::new());
    };
    check(unpaid, 6, "is succeeded, but its hold is open");
    let voided = |records: &mut Vec<Record>| {
        let end = end(records);
        end.closing = end.closing.map(|(hold, _)| (hold, Closing::Voided));
    };
    check(voided, 6, "is succeeded, but its hold is voided");
    let charged = |records: &mut Vec<Record>| {
        let end = end(records);
        (end.state, end.status) = (State::Failed, Status::Failed);
    };
    check(charged, 6, "is failed, but its hold is posted");
}

#[test]
fn a_hold_is_as_large_as_its_payment() {
    let smaller = |records: &mut Vec<Record>| match &mut records[1] {
        Record::PaymentAccepted { money, .. } => money.amount = 2000,
        other => panic!("the second record accepts the payment, not {other:?}"),
    };
    check(smaller, 2, "does not hold the amount of what it is for");
}

#[test]
fn what_was_decided_is_not_sent_again() {
    let reopened = |records: &mut Vec<Record>| {
        let mut again = end(records).clone();
        (again.state, again.status) = (State::Unknown, Status::Unknown);
        (again.closing, again.postings) = (None, Vec::new());
        records.push(Record::EffectAdvanced(again));
    };
    check(reopened, 7, "was succeeded and becomes unknown");
}
