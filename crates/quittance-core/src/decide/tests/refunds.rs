//! Refunds: what may be given back, and what follows from what is learned about it.

use super::*;
use crate::effect::{Class, Effect};
use crate::fact::Returned;
use crate::id::RefundId;
use crate::journal::Correction;
use crate::payment::Payment;
use crate::refund::{Refund, RefundStatus};

/// A payment of 500 that succeeded.
fn paid() -> Book {
    let mut book = book(500);
    book.learn(created(500));
    book.learn(Stimulus::Answered(Fact::Seen(seen(ObjectStatus::Succeeded, 500))));
    book
}

fn ask(amount: Option<i64>, reference: &str) -> AskRefund {
    AskRefund {
        amount,
        currency: None,
        reference: Some(reference.into()),
        expected_refunded_amount: None,
        reason: None,
    }
}

fn refund_ids(number: u128) -> NewRefundIds {
    NewRefundIds {
        command: CommandId::from_uuid(Uuid::from_u128(number)),
        refund: RefundId::from_uuid(Uuid::from_u128(number + 1)),
        effect: EffectId::from_uuid(Uuid::from_u128(number + 2)),
    }
}

impl Book {
    fn refund(&mut self, asked: AskRefund, previous: Option<&Refund>, number: u128) -> Result<NewRefund, Rejection> {
        let Book { balances, newest, journal } = self;
        let ids = refund_ids(number);
        let made = create_refund(asked, &mut newest.payment, previous, balances, Class::A, ids, Timestamp(3))?;
        journal.push(made.record.clone());
        Ok(made)
    }

    fn learn_refund(&mut self, effect: &mut Effect, refund: &mut Refund, stimulus: Stimulus) -> Learned {
        let lesson = Lesson { source: Source::Send, stimulus, now: Timestamp(4), dice: 0 };
        let (payment, policy) = (&mut self.newest.payment, Policy::default());
        let learned = learn_refund(effect, refund, payment, &mut self.balances, lesson, &policy).expect("sound");
        self.journal.extend(learned.records.clone());
        learned
    }

    fn agrees_with_its_journal(&self) {
        let replay = self.replayed().expect("a possible history");
        assert_eq!(replay.balances, self.balances);
        let Payment { refunded_amount, refunding_amount, .. } = self.newest.payment;
        let replayed = &replay.payments[&self.newest.payment.id];
        assert_eq!((replayed.refunded_amount, replayed.refunding_amount), (refunded_amount, refunding_amount));
    }
}

fn shown(refund: &NewRefund, status: ObjectStatus) -> Sighting {
    Sighting {
        kind: ObjectKind::Refund,
        object_id: "re_1".into(),
        parent: Some("pi_1".into()),
        effect_id: Some(refund.effect.id),
        ..seen(status, refund.refund.money.amount)
    }
}

#[test]
fn no_more_is_given_back_than_is_left_and_only_as_expected() {
    let mut book = paid();
    let too_much = |refundable_amount| Some(Rejection::RefundTooLarge { refundable_amount });
    assert_eq!(book.refund(ask(Some(501), "a"), None, 20).err(), too_much(500));
    let first = book.refund(ask(Some(200), "a"), None, 20).expect("accepted");
    assert_eq!(book.refund(ask(Some(301), "b"), None, 30).err(), too_much(300));
    let duplicate = Rejection::DuplicateRefund { command: first.refund.command, refund: first.refund.id };
    assert_eq!(book.refund(ask(None, "a"), Some(&first.refund), 30).err(), Some(duplicate));
    let euro = Currency::from_code("EUR").ok();
    let other = AskRefund { currency: euro, ..ask(None, "b") };
    assert_eq!(book.refund(other, None, 30).err(), Some(Rejection::RefundCurrency { currency: usd(0).currency }));
    let expects = |expected| AskRefund { expected_refunded_amount: Some(expected), ..ask(None, "b") };
    let differs = Rejection::RefundedAmountDiffers { refunded_amount: 200 };
    assert_eq!(book.refund(expects(0), None, 30).err(), Some(differs));
    let rest = book.refund(expects(200), None, 30).expect("accepted");
    assert_eq!(rest.refund.money.amount, 300, "all that is left");
    assert_eq!(book.refund(ask(None, "c"), None, 40).err(), too_much(0));
    book.agrees_with_its_journal();
}

#[test]
fn only_money_that_came_is_given_back() {
    let mut book = book(500);
    let refused = book.refund(ask(None, "a"), None, 20).err();
    assert_eq!(refused, Some(Rejection::NotRefundable { status: Status::Processing }));
}

#[test]
fn a_refund_that_comes_back_is_booked_by_itself_and_frees_its_reference() {
    let mut book = paid();
    let made = book.refund(ask(Some(200), "a"), None, 20).expect("accepted");
    let NewRefund { mut refund, mut effect, .. } = made.clone();
    ticket(&mut effect, Timestamp(3));
    let answer = Stimulus::Answered(Fact::Seen(shown(&made, ObjectStatus::Succeeded)));
    let learned = book.learn_refund(&mut effect, &mut refund, answer);
    assert!(learned.is_answered);
    assert_eq!((refund.status, book.newest.payment.refunded_amount), (RefundStatus::Succeeded, 200));
    let returned = Some(Returned { movement: "txn_1".into(), amount: 200 });
    let back = Stimulus::Observed(Sighting { returned, ..shown(&made, ObjectStatus::Failed) });
    let learned = book.learn_refund(&mut effect, &mut refund, back);
    let Some(Record::Corrected(corrected)) = learned.records.first() else { panic!("{learned:?}") };
    assert_eq!((corrected.correction, corrected.movement.as_str()), (Correction::RefundReturned, "txn_1"));
    assert_eq!((refund.status, refund.failure_code.as_deref()), (RefundStatus::Failed, Some("returned")));
    assert_eq!(book.newest.payment.refundable_amount(), 500);
    book.refund(ask(Some(500), "a"), Some(&refund), 30).expect("the reference is free again");
    book.agrees_with_its_journal();
}

#[test]
fn an_object_that_an_event_tells_of_is_recorded_though_nothing_else_moves() {
    let mut book = paid();
    let made = book.refund(ask(Some(200), "a"), None, 20).expect("accepted");
    let NewRefund { mut refund, mut effect, .. } = made.clone();
    ticket(&mut effect, Timestamp(3));
    effect.lease_owner = 1;
    let pending = Stimulus::Observed(shown(&made, ObjectStatus::Processing));
    let learned = book.learn_refund(&mut effect, &mut refund, pending);
    let Some(Record::RefundAdvanced(advanced)) = learned.records.first() else { panic!("{learned:?}") };
    assert_eq!((advanced.object.as_deref(), advanced.state), (Some("re_1"), State::Sending));
    assert_eq!(refund.gateway_object.as_deref(), Some("re_1"));
    let again = book.learn_refund(&mut effect, &mut refund, Stimulus::Observed(shown(&made, ObjectStatus::Processing)));
    assert!(matches!(again.records.first(), Some(Record::ObservationKept { .. })), "{again:?}");
}
