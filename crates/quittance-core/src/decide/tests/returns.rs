//! Money that goes back, or comes back, after it counts as moved: booked by itself, and once.

use super::refunds::{ask, refund, shown};
use super::*;
use crate::fact::Returned;
use crate::journal::{Corrected, Correction};
use crate::refund::RefundStatus;

fn charged(status: ObjectStatus, returned: Option<Returned>) -> Sighting {
    Sighting { kind: ObjectKind::Charge, object_id: "ch_1".into(), returned, ..seen(status, 500) }
}

fn back(amount: i64) -> Option<Returned> {
    Some(Returned { movement: "txn_1".into(), amount })
}

/// The movements that were booked, each by a record of its own.
fn booked(learned: &Learned) -> Vec<&str> {
    let records = learned.records.iter();
    let movements = records.filter_map(|record| match record {
        Record::Corrected(corrected) => Some(corrected.movement.as_str()),
        _ => None,
    });
    movements.collect()
}

fn unapplied(book: &Book) -> (i64, i64) {
    let balance = book.balances.0[&(Account::Unapplied, usd(0).currency)];
    (balance.credits, balance.debits)
}

#[test]
fn a_payment_that_fails_late_is_booked_once_and_stays_proven() {
    let mut book = book_of(asked(500), Class::A);
    book.learn(Stimulus::Answered(Fact::Seen(charged(ObjectStatus::Succeeded, None))));
    let late = || Stimulus::Observed(charged(ObjectStatus::Failed, back(500)));
    let learned = book.learn(late());
    assert_eq!((booked(&learned), learned.closing), (vec!["txn_1"], None));
    assert!(learned.alarm.is_some());
    let again = [late(), Stimulus::Observed(charged(ObjectStatus::Failed, None)), late()];
    for stimulus in again {
        assert_eq!(booked(&book.learn(stimulus)), [""; 0]);
    }
    let payment = &book.newest.payment;
    assert_eq!((payment.status, payment.returned_amount, payment.refundable_amount()), (Status::Succeeded, 500, 0));
    assert_eq!(unapplied(&book), (500, 500));
    book.check();
}

#[test]
fn the_charge_behind_an_intent_may_go_back_too() {
    let mut book = paid();
    let charge = Sighting { parent: Some("pi_1".into()), ..charged(ObjectStatus::Failed, back(120)) };
    assert_eq!(booked(&book.learn(Stimulus::Observed(charge))), ["txn_1"]);
    assert_eq!((book.newest.payment.returned_amount, unapplied(&book)), (120, (500, 120)));
    let foreign = Sighting { parent: Some("pi_2".into()), ..charged(ObjectStatus::Failed, back(120)) };
    assert_eq!(booked(&book.learn(Stimulus::Observed(foreign))), [""; 0]);
    book.check();
}

#[test]
fn a_first_look_may_show_that_it_came_and_went() {
    let mut book = book_of(asked(500), Class::A);
    let learned = book.learn(Stimulus::Answered(Fact::Seen(charged(ObjectStatus::Succeeded, back(500)))));
    assert_eq!((learned.closing, booked(&learned).len(), learned.records.len()), (Some(Closing::Posted), 1, 2));
    assert_eq!(unapplied(&book), (500, 500));
    book.check();
}

#[test]
fn a_refund_that_comes_back_counts_as_failed_and_is_booked_once() {
    let mut book = paid();
    let mut given = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    book.answer_back(&mut given, ObjectStatus::Succeeded);
    let failed = |returned| Stimulus::Observed(Sighting { returned, ..shown(&given, ObjectStatus::Failed) });
    let (unnamed, named) = (failed(None), failed(back(200)));
    let mut given = given.clone();
    let learned = book.learn_back(&mut given, unnamed.clone());
    assert!(matches!(
        learned.records.as_slice(),
        [Record::Corrected(Corrected { correction: Correction::RefundReturned, .. })]
    ));
    for stimulus in [named, unnamed] {
        assert_eq!(booked(&book.learn_back(&mut given, stimulus)), [""; 0], "it came back once");
    }
    assert_eq!((given.refund.status, given.effect.state), (RefundStatus::Failed, State::Succeeded));
    assert_eq!((book.gone(), unapplied(&book)), ((0, 0), (700, 200)));
    assert!(refund(&mut book, ask(Some(500), "a"), Some(&given.refund), 21).is_ok(), "it is owed again");
    book.check();
}
