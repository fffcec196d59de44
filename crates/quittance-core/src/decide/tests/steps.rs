//! Captures and cancels: what is refused, what is taken, and what the journal says of it.

use super::*;
use crate::effect::{Asked, Joined};

fn capture(book: &mut Book, amount: Option<i64>, now: Timestamp) -> Result<StepAccepted, Rejection> {
    let Previous { payment, effect } = &mut book.newest;
    let asked = ask_capture(effect, payment, amount, command(7), &Policy::default(), now);
    if let Ok(StepAccepted::Begun(records)) = &asked {
        book.journal.extend(records.clone());
    }
    asked
}

fn cancel(book: &mut Book) -> Result<StepAccepted, Rejection> {
    let Previous { payment, effect } = &mut book.newest;
    let asked = (command(8), Some("changed my mind".to_owned()));
    let asked = ask_cancel(effect, payment, &mut book.balances, asked, &Policy::default(), Timestamp(3));
    if let Ok(StepAccepted::Begun(records) | StepAccepted::Ended(records)) = &asked {
        book.journal.extend(records.clone());
    }
    asked
}

fn received(amount: i64) -> Stimulus {
    Stimulus::Answered(Fact::Seen(Sighting { received_amount: amount, ..seen(ObjectStatus::Succeeded, 500) }))
}

fn refused() -> Stimulus {
    let code = "amount_too_small".into();
    Stimulus::Answered(Fact::Refused { code, is_replayed: false, sighting: None })
}

/// Asks, and checks that a refusal has changed nothing.
fn check_refused(mut book: Book, ask: impl Fn(&mut Book) -> Result<StepAccepted, Rejection>, expected: &Rejection) {
    let before = book.clone();
    let refused = ask(&mut book).expect_err("it is refused");
    assert_eq!(&refused, expected);
    assert_eq!((&book.newest.effect, &book.newest.payment), (&before.newest.effect, &before.newest.payment));
    assert_eq!((&book.balances, &book.journal), (&before.balances, &before.journal));
}

#[test]
fn a_part_is_posted_and_the_rest_let_go() {
    let mut book = authorised();
    assert!(matches!(capture(&mut book, Some(300), Timestamp(3)), Ok(StepAccepted::Begun(_))));
    let done = book.learn(received(300));
    assert_eq!((done.closing, done.is_answered, done.step_refused), (Some(Closing::Posted), true, None));
    assert_eq!((book.balance(), book.newest.payment.captured_amount), ((300, 0), 300));
    assert_eq!(book.newest.payment.refundable_amount(), 300, "what was let go cannot be given back");
    book.check();
}

#[test]
fn all_of_it_is_taken_where_no_amount_is_named() {
    let mut book = authorised();
    assert!(capture(&mut book, None, Timestamp(3)).is_ok());
    book.learn(received(500));
    assert_eq!((book.balance(), book.newest.payment.status), ((500, 0), Status::Succeeded));
    book.check();
}

#[test]
fn a_capture_that_the_gateway_refuses_is_over_and_may_be_asked_for_again() {
    let mut book = authorised();
    assert!(capture(&mut book, Some(1), Timestamp(3)).is_ok());
    book.learn(refused());
    let over = book.learn(Stimulus::Read(Fact::Seen(seen(ObjectStatus::RequiresCapture, 500))));
    assert_eq!((over.step_refused.as_deref(), over.is_answered), (Some("amount_too_small"), true));
    assert_eq!((book.newest.payment.status, book.balance()), (Status::RequiresCapture, (0, 500)));
    assert!(capture(&mut book, Some(400), Timestamp(5)).is_ok());
    book.learn(received(400));
    assert_eq!(book.balance(), (400, 0));
    book.check();
}

#[test]
fn only_what_waits_for_its_capture_is_captured() {
    let all = |book: &mut Book| capture(book, None, Timestamp(3));
    let not = |status| Rejection::NotCapturable { status };
    check_refused(book(500), all, &not(Status::Processing));
    check_refused(paid(), all, &not(Status::Succeeded));
    let asks = confirmed(CaptureMethod::Manual, ObjectStatus::RequiresAction);
    check_refused(asks, all, &not(Status::RequiresAction));
    let mut under_way = authorised();
    assert!(capture(&mut under_way, Some(1), Timestamp(3)).is_ok());
    check_refused(under_way, all, &not(Status::Processing));
    let too_late = |book: &mut Book| capture(book, None, Timestamp(2).plus_ms(Policy::default().capture_expiry_ms));
    check_refused(authorised(), too_late, &not(Status::RequiresCapture));
    let too_much = |book: &mut Book| capture(book, Some(501), Timestamp(3));
    check_refused(authorised(), too_much, &Rejection::CaptureTooLarge { authorised_amount: 500 });
}

#[test]
fn what_was_never_sent_is_given_up_at_once() {
    let mut book = book(500);
    let ended = cancel(&mut book);
    assert!(matches!(ended, Ok(StepAccepted::Ended(_))), "{ended:?}");
    assert_eq!((book.balance(), book.newest.payment.status), ((0, 0), Status::Canceled));
    book.check();
    assert!(matches!(cancel(&mut book), Ok(StepAccepted::AlreadyDone)));
}

#[test]
fn what_is_authorised_is_given_up_once_the_gateway_has_canceled_it() {
    let mut book = authorised();
    assert!(matches!(cancel(&mut book), Ok(StepAccepted::Begun(_))));
    assert_eq!((book.newest.payment.status, book.balance()), (Status::Processing, (0, 500)));
    let over = book.learn(Stimulus::Answered(Fact::Seen(seen(ObjectStatus::Canceled, 500))));
    assert_eq!((over.closing, over.is_answered), (Some(Closing::Voided), true));
    assert_eq!((book.newest.payment.status, book.balance()), (Status::Canceled, (0, 0)));
    book.check();
}

#[test]
fn a_cancel_that_comes_too_late_finds_the_money_there() {
    let mut book = book(500);
    book.learn(created(500));
    book.learn(Stimulus::Answered(Fact::Lost(Loss::Timeout)));
    assert!(matches!(cancel(&mut book), Ok(StepAccepted::Begun(_))), "the lost confirm is fenced");
    book.learn(refused());
    book.learn(Stimulus::Read(Fact::Seen(seen(ObjectStatus::Succeeded, 500))));
    assert_eq!((book.newest.payment.status, book.balance()), (Status::Succeeded, (500, 0)));
    book.check();
}

#[test]
fn what_is_over_or_being_taken_or_cannot_be_stopped_is_not_given_up() {
    let not = |status| Rejection::NotCancelable { status };
    check_refused(paid(), cancel, &not(Status::Succeeded));
    let mut failed = book(500);
    failed.learn(created(500));
    failed.learn(declined());
    check_refused(failed, cancel, &not(Status::Failed));
    let mut taking = authorised();
    assert!(capture(&mut taking, None, Timestamp(3)).is_ok());
    check_refused(taking, cancel, &not(Status::Processing));
    let mut lost = book_of(asked(500), Class::A);
    lost.learn(Stimulus::Answered(Fact::Lost(Loss::Timeout)));
    check_refused(lost, cancel, &not(Status::Unknown));
    let mut review = book(500);
    review.learn(Stimulus::Answered(Fact::KeyMismatch));
    check_refused(review, cancel, &not(Status::Review));
}

#[test]
fn whoever_finds_no_room_changes_nothing() {
    let mut full = authorised();
    full.newest.effect.joined = vec![Joined { command: command(1), asked: Asked::Existing }; JOINED_MAX];
    let payment = &full.newest.payment;
    let refused = Rejection::DuplicateIntent { command: payment.command, payment: payment.id };
    check_refused(full.clone(), cancel, &refused);
    check_refused(full, |book| capture(book, None, Timestamp(3)), &refused);
}
