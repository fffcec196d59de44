//! What is kept, and what a person is told of.

use super::refunds::{ask, refund, shown};
use super::*;
use crate::refund::RefundStatus;

#[test]
fn a_word_that_is_not_known_is_told_even_where_it_moves_nothing() {
    let new = || ObjectStatus::Unrecognised("new".into());
    let mut over = paid();
    let learned = over.learn(Stimulus::Observed(seen(new(), 500)));
    assert!(matches!(learned.records.as_slice(), [Record::ObservationKept { saw, .. }] if saw == "seen:new"));
    assert!(learned.alarm.is_some());
    let mut given = refund(&mut over, ask(Some(200), "a"), None, 20).expect("it fits");
    over.answer_back(&mut given, ObjectStatus::Succeeded);
    let learned = over.observe_back(&mut given, new());
    assert!(learned.alarm.is_some());
    over.check();
}

#[test]
fn a_failed_payment_that_was_charged_is_for_a_person_and_undoes_nothing() {
    let mut book = book(500);
    book.learn(created(500));
    book.learn(declined());
    let learned = book.learn(Stimulus::Observed(seen(ObjectStatus::Succeeded, 500)));
    assert_eq!((learned.closing, book.newest.payment.status), (None, Status::Review));
    assert!(learned.alarm.is_some());
    assert!(book.learn(Stimulus::Observed(seen(ObjectStatus::Succeeded, 500))).alarm.is_some(), "each time");
    assert_eq!(book.balance(), (0, 0));
    book.check();
}

#[test]
fn a_success_that_is_contradicted_stands_and_is_told() {
    let mut book = paid();
    let learned = book.learn(Stimulus::Observed(seen(ObjectStatus::Canceled, 500)));
    assert!(learned.alarm.is_some());
    assert_eq!((book.newest.payment.status, book.balance()), (Status::Succeeded, (500, 0)));
    book.check();
}

#[test]
fn a_failed_refund_that_gave_back_another_amount_is_for_a_person() {
    let mut book = paid();
    let mut given = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    book.answer_back(&mut given, ObjectStatus::Failed);
    let other = Sighting { money: usd(199), received_amount: 199, ..shown(&given, ObjectStatus::Succeeded) };
    let learned = book.learn_back(&mut given, Stimulus::Observed(other));
    assert!(learned.alarm.is_some());
    assert_eq!((given.refund.status, book.gone()), (RefundStatus::Review, (0, 0)));
    book.check();
}

#[test]
fn a_pending_object_that_did_not_change_leaves_no_record() {
    let mut book = confirmed(CaptureMethod::Automatic, ObjectStatus::Processing);
    let again = book.learn(Stimulus::Read(Fact::Seen(seen(ObjectStatus::Processing, 500))));
    assert!(again.records.is_empty());
    let asks = book.learn(Stimulus::Read(Fact::Seen(seen(ObjectStatus::RequiresAction, 500))));
    assert_eq!((asks.records.len(), asks.is_answered), (1, true));
    book.check();
}
