//! A person's word: on whatever is in review, once, and booked as what it says.

use super::refunds::{Back, ask, refund};
use super::*;
use crate::refund::RefundStatus;

fn decide(book: &mut Book, resolution: Resolution) -> Result<Resolved, Rejection> {
    let Previous { payment, effect } = &mut book.newest;
    let resolved = resolve(effect, payment, &mut book.balances, book.closed, resolution, word())?;
    book.journal.extend(resolved.records.clone());
    Ok(resolved)
}

fn decide_back(
    book: &mut Book,
    back: &mut Back,
    closed: Option<Closing>,
    resolution: Resolution,
) -> Result<Resolved, Rejection> {
    let (payment, balances) = (&mut book.newest.payment, &mut book.balances);
    let said = (resolution, word());
    let resolved = resolve_refund(&mut back.effect, &mut back.refund, payment, balances, closed, said)?;
    book.journal.extend(resolved.records.clone());
    Ok(resolved)
}

/// In review with its hold still open.
fn puzzling() -> Book {
    let mut book = book(500);
    book.learn(created(500));
    book.learn(Stimulus::Answered(Fact::KeyMismatch));
    assert_eq!(book.newest.payment.status, Status::Review);
    book
}

/// In review because what had failed was charged: its hold is gone.
fn contradicted() -> Book {
    let mut book = book(500);
    book.learn(created(500));
    book.learn(declined());
    book.learn(Stimulus::Observed(seen(ObjectStatus::Succeeded, 500)));
    book
}

#[test]
fn a_payment_in_review_ends_as_the_person_says() {
    let mut came = puzzling();
    let resolved = decide(&mut came, Resolution::Succeeded).expect("it is in review");
    assert_eq!((resolved.closing, resolved.records.len()), (Some(Closing::Posted), 1));
    assert_eq!((came.balance(), came.newest.payment.captured_amount), ((500, 0), 500));
    came.check();
    let mut did_not = puzzling();
    let resolved = decide(&mut did_not, Resolution::Failed).expect("it is in review");
    assert_eq!((resolved.closing, did_not.balance()), (Some(Closing::Voided), (0, 0)));
    assert_eq!(did_not.newest.payment.status, Status::Failed);
    did_not.check();
}

#[test]
fn money_that_came_after_the_hold_was_let_go_is_booked_by_itself() {
    let mut book = contradicted();
    let resolved = decide(&mut book, Resolution::Succeeded).expect("it is in review");
    assert_eq!((resolved.closing, resolved.records.len()), (None, 2));
    assert_eq!((book.balance(), book.newest.payment.status), ((500, 0), Status::Succeeded));
    assert_eq!(book.newest.payment.decline, None);
    book.check();
    let mut given_back = contradicted();
    let resolved = decide(&mut given_back, Resolution::Failed).expect("it is in review");
    assert_eq!((resolved.closing, resolved.records.len(), given_back.balance()), (None, 1, (0, 0)));
    given_back.check();
}

#[test]
fn a_part_that_was_being_captured_is_what_a_person_confirms() {
    let mut book = authorised();
    let Previous { payment, effect } = &mut book.newest;
    let begun = ask_capture(effect, payment, Some(300), command(7), &Policy::default(), Timestamp(3));
    let Ok(StepAccepted::Begun(records)) = begun else { panic!("{begun:?}") };
    book.journal.extend(records);
    book.learn(Stimulus::Answered(Fact::KeyMismatch));
    decide(&mut book, Resolution::Succeeded).expect("it is in review");
    assert_eq!((book.balance(), book.newest.payment.captured_amount), ((300, 0), 300));
    book.check();
}

#[test]
fn only_what_is_in_review_is_decided_and_once() {
    for resolution in [Resolution::Succeeded, Resolution::Failed] {
        let mut over = paid();
        let before = over.clone();
        assert_eq!(decide(&mut over, resolution).err(), Some(Rejection::NotInReview));
        assert_eq!((over.balances, over.newest.payment), (before.balances, before.newest.payment));
        let mut twice = puzzling();
        decide(&mut twice, resolution).expect("it is in review");
        assert_eq!(decide(&mut twice, Resolution::Failed).err(), Some(Rejection::NotInReview));
        twice.check();
    }
    let mut posted = puzzling();
    posted.closed = Some(Closing::Posted);
    assert_eq!(decide(&mut posted, Resolution::Failed).err(), Some(Rejection::HoldIsGone));
    assert_eq!(posted.newest.payment.status, Status::Review);
}

#[test]
fn a_refund_in_review_ends_as_the_person_says() {
    let review = || {
        let mut book = paid();
        let mut back = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
        book.learn_back(&mut back, Stimulus::Answered(Fact::KeyMismatch));
        assert_eq!((back.refund.status, book.gone()), (RefundStatus::Review, (0, 200)));
        (book, back)
    };
    let (mut book, mut back) = review();
    decide_back(&mut book, &mut back, None, Resolution::Succeeded).expect("it is in review");
    assert_eq!((back.refund.status, book.gone()), (RefundStatus::Succeeded, (200, 0)));
    book.check();
    let (mut book, mut back) = review();
    decide_back(&mut book, &mut back, None, Resolution::Failed).expect("it is in review");
    assert_eq!((back.refund.status, book.gone()), (RefundStatus::Failed, (0, 0)));
    assert_eq!(back.refund.failure_code.as_deref(), Some("resolved_as_failed"));
    let again = decide_back(&mut book, &mut back, Some(Closing::Voided), Resolution::Failed);
    assert_eq!(again.err(), Some(Rejection::NotInReview));
    book.check();
}

/// A refund of 200 in review because what had failed was shown as carried out, of another amount: its hold is gone.
fn contradicted_refund() -> (Book, Back) {
    let mut book = paid();
    let mut back = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    book.answer_back(&mut back, ObjectStatus::Failed);
    let other = Sighting { money: usd(199), ..super::refunds::shown(&back, ObjectStatus::Succeeded) };
    book.learn_back(&mut back, Stimulus::Observed(other));
    assert_eq!((back.refund.status, book.gone()), (RefundStatus::Review, (0, 0)));
    (book, back)
}

#[test]
fn a_refund_that_went_although_its_hold_was_let_go_is_booked_by_itself() {
    let closed = Some(Closing::Voided);
    let (mut book, mut back) = contradicted_refund();
    let resolved = decide_back(&mut book, &mut back, closed, Resolution::Succeeded).expect("it is in review");
    assert_eq!((resolved.closing, resolved.records.len()), (None, 2));
    assert_eq!((back.refund.status, back.refund.failure_code.clone()), (RefundStatus::Succeeded, None));
    assert_eq!((back.effect.state, back.effect.is_paid, book.gone()), (State::Succeeded, true, (200, 0)));
    book.check();
    assert!(book.observe_back(&mut back, ObjectStatus::Succeeded).closing.is_none());
    assert_eq!(book.gone(), (200, 0), "what the gateway says later is the same");
    book.observe_back(&mut back, ObjectStatus::Failed);
    assert_eq!((back.refund.status, book.gone()), (RefundStatus::Failed, (0, 0)), "and it may come back");
    book.check();
}

#[test]
fn the_word_on_a_refund_fits_how_its_hold_was_closed() {
    let (mut book, mut back) = contradicted_refund();
    let before = book.clone();
    let refused = decide_back(&mut book, &mut back, Some(Closing::Posted), Resolution::Failed);
    assert_eq!(refused.err(), Some(Rejection::HoldIsGone));
    assert_eq!((&book.balances, &book.newest.payment), (&before.balances, &before.newest.payment));
    decide_back(&mut book, &mut back, Some(Closing::Voided), Resolution::Failed).expect("it came back");
    assert_eq!((back.refund.status, book.gone()), (RefundStatus::Failed, (0, 0)));
    book.check();
}

/// Authorised for 500, of which somebody took this much in the gateway's own pages: in review with its hold still open.
fn partly_captured(amount: i64) -> Book {
    let mut book = authorised();
    book.learn(Stimulus::Observed(Sighting { received_amount: amount, ..seen(ObjectStatus::Succeeded, 500) }));
    assert_eq!(book.newest.payment.status, Status::Review);
    book
}

#[test]
fn what_came_is_booked_and_not_what_was_asked_for() {
    let mut book = partly_captured(200);
    let before = book.clone();
    let refused = decide(&mut book, Resolution::Succeeded);
    assert_eq!(refused.err(), Some(Rejection::ReceivedAmountDiffers { received_amount: 200 }));
    assert_eq!((&book.balances, &book.newest.payment), (&before.balances, &before.newest.payment));
    let resolved = decide(&mut book, Resolution::Received { amount: 200 }).expect("it is in review");
    assert_eq!(resolved.closing, Some(Closing::Posted));
    assert_eq!((book.balance(), book.newest.payment.captured_amount), ((200, 0), 200));
    assert_eq!(book.newest.payment.refundable_amount(), 200);
    book.check();
    // A person knows better than the last look.
    let mut all = partly_captured(200);
    decide(&mut all, Resolution::Received { amount: 500 }).expect("it is in review");
    assert_eq!(all.balance(), (500, 0));
    all.check();
}

#[test]
fn no_more_can_have_come_than_was_asked_for_and_no_less_than_something() {
    for amount in [i64::MIN, 0, 501] {
        let mut book = partly_captured(200);
        let refused = decide(&mut book, Resolution::Received { amount });
        assert_eq!(refused.err(), Some(Rejection::ResolvedAmount { amount_min: 1, amount_max: 500 }), "{amount}");
        assert_eq!(book.newest.payment.status, Status::Review);
    }
}

#[test]
fn a_part_that_came_after_the_hold_was_let_go_is_booked_by_itself() {
    let mut book = book(500);
    book.learn(created(500));
    book.learn(declined());
    book.learn(Stimulus::Observed(Sighting { received_amount: 200, ..seen(ObjectStatus::Succeeded, 500) }));
    assert_eq!(
        decide(&mut book, Resolution::Succeeded).err(),
        Some(Rejection::ReceivedAmountDiffers { received_amount: 200 })
    );
    let resolved = decide(&mut book, Resolution::Received { amount: 200 }).expect("it is in review");
    assert!(matches!(resolved.records.as_slice(), [Record::Corrected(_), ..]));
    assert_eq!((book.balance(), book.newest.payment.captured_amount), ((200, 0), 200));
    book.check();
}

#[test]
fn the_newest_look_at_what_is_in_review_says_how_much_came() {
    let mut book = puzzling();
    book.learn(Stimulus::Observed(Sighting { received_amount: 200, ..seen(ObjectStatus::Succeeded, 500) }));
    let refused = decide(&mut book, Resolution::Succeeded);
    assert_eq!(refused.err(), Some(Rejection::ReceivedAmountDiffers { received_amount: 200 }));
    book.learn(Stimulus::Observed(seen(ObjectStatus::Succeeded, 500)));
    decide(&mut book, Resolution::Succeeded).expect("all of it came");
    book.check();
}

#[test]
fn a_refund_is_resolved_as_a_whole() {
    let mut book = paid();
    let mut back = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    book.learn_back(&mut back, Stimulus::Answered(Fact::KeyMismatch));
    for amount in [199, 201] {
        let refused = decide_back(&mut book, &mut back, None, Resolution::Received { amount });
        assert_eq!(refused.err(), Some(Rejection::ResolvedAmount { amount_min: 200, amount_max: 200 }));
    }
    decide_back(&mut book, &mut back, None, Resolution::Received { amount: 200 }).expect("it is in review");
    assert_eq!((back.refund.status, book.gone()), (RefundStatus::Succeeded, (200, 0)));
    book.check();
}
