//! Money that goes back, or comes back, after it counts as moved: booked by itself, and once.

use super::refunds::{Back, ask, refund, shown};
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

/// A refund of 200 that counts as failed, or was given up.
fn failed_refund(end: ObjectStatus) -> (Book, Back) {
    let mut book = paid();
    let mut given = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    let learned = book.answer_back(&mut given, end);
    assert_eq!((learned.closing, book.gone()), (Some(Closing::Voided), (0, 0)));
    (book, given)
}

#[test]
fn a_refund_that_went_through_after_it_had_failed_is_booked_once() {
    for end in [ObjectStatus::Failed, ObjectStatus::Canceled] {
        let (mut book, mut given) = failed_refund(end);
        let state = given.effect.state;
        let learned = book.observe_back(&mut given, ObjectStatus::Succeeded);
        let [Record::Corrected(corrected)] = learned.records.as_slice() else { panic!("{learned:?}") };
        assert_eq!(corrected.correction, Correction::RefundPaid);
        let held = book.journal.iter().find_map(|record| match record {
            Record::RefundAccepted(accepted) => Some(accepted.postings.clone()),
            _ => None,
        });
        assert_eq!(Some(&corrected.postings), held.as_ref(), "what its hold held");
        assert!(learned.alarm.is_some() && learned.closing.is_none() && !learned.is_answered);
        for again in [Stimulus::Observed, |seen| Stimulus::Read(Fact::Seen(seen)), |seen| Stimulus::Found(Some(seen))] {
            let again = again(shown(&given, ObjectStatus::Succeeded));
            assert_eq!(booked(&book.learn_back(&mut given, again)), [""; 0]);
        }
        assert_eq!((given.refund.status, given.refund.failure_code.as_ref()), (RefundStatus::Succeeded, None));
        assert_eq!((given.effect.state, book.gone(), unapplied(&book)), (state, (200, 0), (500, 200)));
        book.check();
    }
}

#[test]
fn what_went_through_after_all_may_come_back_and_that_is_the_end() {
    let (mut book, mut given) = failed_refund(ObjectStatus::Failed);
    book.observe_back(&mut given, ObjectStatus::Succeeded);
    let named = Sighting { returned: back(200), ..shown(&given, ObjectStatus::Failed) };
    assert_eq!(booked(&book.learn_back(&mut given, Stimulus::Observed(named))), ["txn_1"]);
    for status in [ObjectStatus::Succeeded, ObjectStatus::Failed, ObjectStatus::Succeeded] {
        assert_eq!(booked(&book.observe_back(&mut given, status)), [""; 0]);
    }
    assert_eq!((given.refund.status, given.refund.failure_code.as_deref()), (RefundStatus::Failed, Some("returned")));
    assert_eq!((book.gone(), unapplied(&book)), ((0, 0), (700, 200)));
    book.check();
}

#[test]
fn a_refund_that_came_back_is_not_booked_again_by_itself() {
    let mut book = paid();
    let mut given = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    for (status, expected) in [
        (ObjectStatus::Succeeded, RefundStatus::Succeeded),
        (ObjectStatus::Failed, RefundStatus::Failed),
        (ObjectStatus::Succeeded, RefundStatus::Failed),
    ] {
        match given.effect.state {
            State::Intended => drop(book.answer_back(&mut given, status)),
            _ => drop(book.observe_back(&mut given, status)),
        }
        assert_eq!(given.refund.status, expected);
    }
    assert_eq!((book.gone(), unapplied(&book)), ((0, 0), (700, 200)));
    book.check();
}

#[test]
fn the_books_tell_that_more_was_given_back_than_came() {
    let mut book = paid();
    let mut first = refund(&mut book, ask(Some(500), "a"), None, 20).expect("it fits");
    book.answer_back(&mut first, ObjectStatus::Failed);
    let mut second = refund(&mut book, ask(Some(500), "a"), Some(&first.refund), 21).expect("nothing was given back");
    book.answer_back(&mut second, ObjectStatus::Succeeded);
    assert!(!book.newest.payment.is_overrefunded());
    let learned = book.observe_back(&mut first, ObjectStatus::Succeeded);
    assert!(learned.alarm.is_some_and(|alarm| alarm.contains("more was given back than came")), "{learned:?}");
    let payment = &book.newest.payment;
    assert_eq!((payment.refunded_amount, payment.refundable_amount()), (1000, 0));
    assert!(payment.is_overrefunded());
    assert_eq!(unapplied(&book), (500, 1000));
    book.check();
    let duplicate = Rejection::DuplicateRefund { command: first.refund.command, refund: first.refund.id };
    assert_eq!(refund(&mut book, ask(Some(1), "a"), Some(&first.refund), 22).err(), Some(duplicate));
}

#[test]
fn the_first_that_is_seen_of_a_failed_refunds_object_is_recorded_too() {
    let mut book = paid();
    let mut given = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    let refused = Fact::Refused { code: "nope".into(), is_replayed: false, sighting: None };
    book.learn_back(&mut given, Stimulus::Answered(refused));
    assert_eq!((given.refund.status, given.effect.object_id.as_ref()), (RefundStatus::Failed, None));
    let late = Sighting { effect_id: Some(given.effect.id), ..shown(&given, ObjectStatus::Succeeded) };
    let learned = book.learn_back(&mut given, Stimulus::Observed(late.clone()));
    let [Record::RefundAdvanced(found), Record::Corrected(_)] = learned.records.as_slice() else {
        panic!("{learned:?}")
    };
    assert_eq!((found.object.as_ref(), found.status), (Some(&late.object_id), RefundStatus::Failed));
    assert_eq!(given.refund.gateway_object.as_ref(), Some(&late.object_id));
    assert_eq!((given.refund.status, book.gone()), (RefundStatus::Succeeded, (200, 0)));
    book.check();
}
