//! Refunds: what is refused, and what becomes of those that are accepted.

use super::*;
use crate::refund::{Refund, RefundStatus};

/// A refund that is under way.
#[derive(Clone)]
pub(super) struct Back {
    pub(super) refund: Refund,
    pub(super) effect: Effect,
}

pub(super) fn ask(amount: Option<i64>, reference: &str) -> AskRefund {
    let reference = Some(reference.to_owned());
    AskRefund { amount, currency: None, reference, expected_refunded_amount: None, reason: None }
}

pub(super) fn refund(
    book: &mut Book,
    asked: AskRefund,
    previous: Option<&Refund>,
    number: u8,
) -> Result<Back, Rejection> {
    let ids = NewRefundIds {
        command: command(number),
        refund: RefundId::from_bytes([number; 16]),
        effect: EffectId::from_bytes([number; 16]),
    };
    let (payment, balances) = (&mut book.newest.payment, &mut book.balances);
    let made = create_refund(asked, payment, previous, balances, Class::A, ids, Timestamp(5))?;
    book.journal.push(made.record);
    Ok(Back { refund: made.refund, effect: made.effect })
}

/// The refund's object in this status.
pub(super) fn shown(back: &Back, status: ObjectStatus) -> Sighting {
    let object_id = format!("re_{}", back.refund.id);
    Sighting { kind: ObjectKind::Refund, object_id, ..seen(status, back.refund.money.amount) }
}

impl Book {
    /// Its send is answered with the object in this status.
    pub(super) fn answer_back(&mut self, back: &mut Back, status: ObjectStatus) -> Learned {
        let seen = shown(back, status);
        self.learn_back(back, Stimulus::Answered(Fact::Seen(seen)))
    }

    /// An event shows its object in this status.
    pub(super) fn observe_back(&mut self, back: &mut Back, status: ObjectStatus) -> Learned {
        let seen = shown(back, status);
        self.learn_back(back, Stimulus::Observed(seen))
    }

    pub(super) fn learn_back(&mut self, back: &mut Back, stimulus: Stimulus) -> Learned {
        if matches!(stimulus, Stimulus::Answered(_)) {
            ticket(&mut back.effect, Timestamp(6));
            self.journal.push(ticket_of(&back.effect));
        }
        let lesson = Lesson { source: Source::Send, stimulus, now: Timestamp(7), dice: 0 };
        let (payment, balances) = (&mut self.newest.payment, &mut self.balances);
        let learned = learn_refund(&mut back.effect, &mut back.refund, payment, balances, lesson, &Policy::default())
            .expect("a sound book");
        self.journal.extend(learned.records.clone());
        learned
    }

    /// Refunded, and being refunded.
    pub(super) fn gone(&self) -> (i64, i64) {
        (self.newest.payment.refunded_amount, self.newest.payment.refunding_amount)
    }
}

fn check_refused(mut book: Book, asked: AskRefund, previous: Option<&Refund>, expected: &Rejection) {
    let before = book.clone();
    let refused = refund(&mut book, asked, previous, 40).err();
    assert_eq!(refused.as_ref(), Some(expected));
    assert_eq!((&book.newest.payment, &book.balances), (&before.newest.payment, &before.balances));
}

/// Two refunds at once, of 60 each of 100: the first reserves, so that the second does not fit.
#[test]
fn sync_43_concurrent_partial_refunds() {
    let mut book = book(100);
    book.learn(created(100));
    book.learn(Stimulus::Answered(Fact::Seen(seen(ObjectStatus::Succeeded, 100))));
    let mut first = refund(&mut book, ask(Some(60), "a"), None, 20).expect("it fits");
    check_refused(book.clone(), ask(Some(60), "b"), None, &Rejection::RefundTooLarge { refundable_amount: 40 });
    book.learn_back(&mut first, Stimulus::Answered(Fact::Lost(Loss::Timeout)));
    check_refused(book.clone(), ask(Some(60), "b"), None, &Rejection::RefundTooLarge { refundable_amount: 40 });
    let mut done = (book.clone(), first.clone());
    done.0.answer_back(&mut done.1, ObjectStatus::Succeeded);
    check_refused(done.0.clone(), ask(Some(60), "b"), None, &Rejection::RefundTooLarge { refundable_amount: 40 });
    assert!(refund(&mut done.0, ask(None, "b"), None, 21).is_ok_and(|rest| rest.refund.money.amount == 40));
    done.0.check();
    book.answer_back(&mut first, ObjectStatus::Failed);
    check_refused(book.clone(), ask(Some(60), "b"), None, &Rejection::RefundTooLarge { refundable_amount: 40 });
    let read = shown(&first, ObjectStatus::Failed);
    book.learn_back(&mut first, Stimulus::Read(Fact::Seen(read)));
    assert!(refund(&mut book, ask(Some(60), "b"), None, 21).is_ok(), "what failed is free again");
    book.check();
}

#[test]
fn only_money_that_came_is_given_back() {
    let not = |status| Rejection::NotRefundable { status };
    check_refused(book(500), ask(None, "a"), None, &not(Status::Processing));
    check_refused(authorised(), ask(None, "a"), None, &not(Status::RequiresCapture));
    let mut failed = book(500);
    failed.learn(created(500));
    failed.learn(declined());
    check_refused(failed, ask(None, "a"), None, &not(Status::Failed));
    let mut nameless = paid();
    nameless.newest.payment.gateway_object = None;
    check_refused(nameless, ask(None, "a"), None, &not(Status::Succeeded));
}

#[test]
fn a_refund_fits_its_payment() {
    let currency = usd(0).currency;
    let eur = Currency::from_code("EUR").ok();
    check_refused(paid(), AskRefund { currency: eur, ..ask(None, "a") }, None, &Rejection::RefundCurrency { currency });
    check_refused(paid(), ask(Some(501), "a"), None, &Rejection::RefundTooLarge { refundable_amount: 500 });
    let mut empty = paid();
    refund(&mut empty, AskRefund { currency: Some(currency), ..ask(None, "a") }, None, 20).expect("all of it");
    check_refused(empty, ask(None, "b"), None, &Rejection::RefundTooLarge { refundable_amount: 0 });
    for amount in [0, -1] {
        check_refused(paid(), ask(Some(amount), "a"), None, &Rejection::BookFull);
    }
    let mut full = paid();
    let place = (Account::Unapplied, currency);
    full.balances.0.entry(place).or_default().debits = i64::MAX;
    check_refused(full, ask(None, "a"), None, &Rejection::BookFull);
}

#[test]
fn what_the_client_expects_has_to_be_so() {
    let mut book = paid();
    let expects = |amount| AskRefund { expected_refunded_amount: Some(amount), reference: None, ..ask(Some(100), "") };
    check_refused(book.clone(), expects(100), None, &Rejection::RefundedAmountDiffers { refunded_amount: 0 });
    let mut first = refund(&mut book, expects(0), None, 20).expect("nothing was refunded");
    check_refused(book.clone(), expects(0), None, &Rejection::RefundedAmountDiffers { refunded_amount: 100 });
    book.answer_back(&mut first, ObjectStatus::Succeeded);
    check_refused(book.clone(), expects(0), None, &Rejection::RefundedAmountDiffers { refunded_amount: 100 });
    assert!(refund(&mut book, expects(100), None, 21).is_ok());
    book.check();
}

#[test]
fn a_reference_is_free_again_only_once_its_refund_is_void() {
    let mut book = paid();
    let first = refund(&mut book, ask(Some(100), "a"), None, 20).expect("it fits");
    let holds = |status: RefundStatus| {
        let mut holder = first.refund.clone();
        holder.status = status;
        let duplicate = Rejection::DuplicateRefund { command: holder.command, refund: holder.id };
        check_refused(book.clone(), ask(Some(100), "a"), Some(&holder), &duplicate);
    };
    for status in RefundStatus::ALL.into_iter().filter(|status| !status.is_void()) {
        holds(status);
    }
    for end in [ObjectStatus::Failed, ObjectStatus::Canceled] {
        let (mut book, mut first) = (book.clone(), first.clone());
        book.answer_back(&mut first, end);
        assert!(refund(&mut book, ask(Some(100), "a"), Some(&first.refund), 21).is_ok());
        book.check();
    }
}

#[test]
fn a_refund_ends_with_its_object_and_its_hold() {
    let ends = |status: ObjectStatus| {
        let mut book = paid();
        let mut back = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
        assert_eq!(book.gone(), (0, 200));
        let learned = book.answer_back(&mut back, status);
        book.check();
        (back.refund.status, learned.closing, learned.is_answered, book.gone(), back.refund.failure_code)
    };
    let (posted, voided) = (Some(Closing::Posted), Some(Closing::Voided));
    assert_eq!(ends(ObjectStatus::Succeeded), (RefundStatus::Succeeded, posted, true, (200, 0), None));
    let failed = Some("payment_failed".to_owned());
    assert_eq!(ends(ObjectStatus::Failed), (RefundStatus::Failed, voided, true, (0, 0), failed));
    assert_eq!(ends(ObjectStatus::Canceled), (RefundStatus::Canceled, voided, true, (0, 0), None));
    assert_eq!(ends(ObjectStatus::Processing), (RefundStatus::Pending, None, true, (0, 200), None));
    assert_eq!(ends(ObjectStatus::RequiresAction), (RefundStatus::RequiresAction, None, true, (0, 200), None));
    let unknown = ObjectStatus::Unrecognised("new".into());
    assert_eq!(ends(unknown), (RefundStatus::Unknown, None, false, (0, 200), None));
}

#[test]
fn a_lost_refund_is_unknown_and_a_lost_lease_too() {
    let mut book = paid();
    let mut back = refund(&mut book, ask(Some(200), "a"), None, 20).expect("it fits");
    let learned = book.learn_back(&mut back, Stimulus::Answered(Fact::Lost(Loss::Timeout)));
    assert_eq!((back.refund.status, learned.is_answered), (RefundStatus::Unknown, false));
    ticket(&mut back.effect, Timestamp(8));
    book.journal.push(ticket_of(&back.effect));
    book.journal.push(learn_of_lost_refund(&mut back.effect, &mut back.refund, Timestamp(9)));
    assert_eq!((back.effect.state, back.refund.status), (State::Unknown, RefundStatus::Unknown));
    let found = shown(&back, ObjectStatus::Succeeded);
    book.learn_back(&mut back, Stimulus::Found(Some(found)));
    assert_eq!((back.refund.status, book.gone()), (RefundStatus::Succeeded, (200, 0)));
    book.check();
}

#[test]
fn an_object_that_an_event_tells_of_is_recorded_though_nothing_else_moves() {
    let mut book = paid();
    let mut made = refund(&mut book, ask(Some(200), "a"), None, 20).expect("accepted");
    ticket(&mut made.effect, Timestamp(3));
    book.journal.push(ticket_of(&made.effect));
    made.effect.lease_owner = 1;
    let told = Sighting { effect_id: Some(made.effect.id), ..shown(&made, ObjectStatus::Processing) };
    let learned = book.learn_back(&mut made, Stimulus::Observed(told.clone()));
    let Some(Record::RefundAdvanced(advanced)) = learned.records.first() else { panic!("{learned:?}") };
    assert_eq!((advanced.object.as_deref(), advanced.state), (Some(told.object_id.as_str()), State::Sending));
    assert_eq!(made.refund.gateway_object.as_ref(), Some(&told.object_id));
    let again = book.learn_back(&mut made, Stimulus::Observed(told));
    assert!(matches!(again.records.first(), Some(Record::ObservationKept { .. })), "{again:?}");
    book.check();
}
