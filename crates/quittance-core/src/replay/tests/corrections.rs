//! Money that came or went back after its story was over.

use super::refunds::{back, refund, refund_accepted, refund_effect, refund_succeeded};
use super::*;
use crate::journal::{Corrected, Correction};
use crate::refund::RefundStatus;

fn correction(correction: Correction, postings: Vec<Posting>) -> Corrected {
    Corrected {
        effect: effect(),
        payment: payment(),
        correction,
        movement: "txn_1".into(),
        source: Source::Sweep,
        saw: "seen:failed".into(),
        postings,
    }
}

fn payment_returned(postings: Vec<Posting>) -> Record {
    Record::Corrected(correction(Correction::PaymentReturned, postings))
}

fn refund_returned(postings: Vec<Posting>) -> Record {
    let corrected = correction(Correction::RefundReturned, postings);
    Record::Corrected(Corrected { effect: refund_effect(20), ..corrected })
}

fn payment_received(source: Source, postings: Vec<Posting>) -> Record {
    Record::Corrected(Corrected { source, ..correction(Correction::PaymentReceived, postings) })
}

fn not_correctable(effect: EffectId, correction: Correction) -> Result<(), ReplayError> {
    Err(ReplayError::NotCorrectable { effect, correction })
}

fn unapplied(replay: &Replay) -> (i64, i64) {
    let balance = replay.balances.0[&(Account::Unapplied, money(0).currency)];
    (balance.debits, balance.credits)
}

#[test]
fn a_payment_that_went_back_stays_proven() {
    let replay = replay([succeeded(), payment_returned(back(500))]).expect("possible");
    let replayed = &replay.payments[&payment()];
    assert_eq!((replayed.status, replayed.returned_amount), (Status::Succeeded, 500));
    assert_eq!(unapplied(&replay), (500, 500));
    assert!(replay.movements.contains(&("stripe".to_owned(), "txn_1".to_owned())));
    let refunded = super::replay([succeeded(), payment_returned(back(300)), refund_accepted(20, 201)]);
    assert_eq!(refunded.map(drop), Err(ReplayError::TooMuch(refund(20))), "what went back is not there");
}

#[test]
fn only_what_came_goes_back() {
    let out_of_place = not_correctable(effect(), Correction::PaymentReturned);
    assert_eq!(replay([payment_returned(back(500))]).map(drop), out_of_place);
    assert_eq!(replay([failed(), payment_returned(back(500))]).map(drop), out_of_place);
    let other = Err(ReplayError::OtherCorrection(effect()));
    assert_eq!(replay([succeeded(), payment_returned(postings(500))]).map(drop), other);
    assert_eq!(replay([succeeded(), payment_returned(Vec::new())]).map(drop), other);
    let mut unbalanced = back(500);
    unbalanced[0].amount = 499;
    let error = replay([succeeded(), payment_returned(unbalanced)]).expect_err("impossible");
    assert!(matches!(error, ReplayError::Ledger(_)), "{error:?}");
}

#[test]
fn a_movement_is_booked_once() {
    let twice = replay([succeeded(), payment_returned(back(100)), payment_returned(back(100))]);
    assert_eq!(twice.map(drop), Err(ReplayError::BookedTwice("txn_1".into())));
    let other = Corrected { movement: "txn_2".into(), ..correction(Correction::PaymentReturned, back(100)) };
    let replay = replay([succeeded(), payment_returned(back(100)), Record::Corrected(other)]).expect("possible");
    assert_eq!(replay.payments[&payment()].returned_amount, 200);
}

#[test]
fn a_correction_is_about_its_own_effect_and_payment() {
    let foreign =
        Corrected { payment: PaymentId::from_bytes([9; 16]), ..correction(Correction::PaymentReturned, back(500)) };
    let error = replay([succeeded(), Record::Corrected(foreign)]).expect_err("impossible");
    assert!(matches!(error, ReplayError::Foreign(_)), "{error:?}");
    let of_a_refund = Record::Corrected(correction(Correction::RefundReturned, postings(500)));
    let out_of_place = not_correctable(effect(), Correction::RefundReturned);
    assert_eq!(replay([succeeded(), of_a_refund]).map(drop), out_of_place);
}

#[test]
fn a_refund_that_came_back_has_failed_and_frees_its_amount() {
    let begin = [succeeded(), refund_accepted(20, 500), refund_succeeded(20, 500), refund_returned(postings(500))];
    let replayed = replay(begin.clone()).expect("possible");
    let returned = &replayed.refunds[&refund(20)];
    assert_eq!((returned.status, returned.is_returned), (RefundStatus::Failed, true));
    assert_eq!(returned.failure_code.as_deref(), Some("returned"));
    assert_eq!(returned.answer, Some(RefundStatus::Succeeded), "the answer was given before");
    assert_eq!(replayed.payments[&payment()].refunded_amount, 0);
    assert_eq!(replayed.effects[&refund_effect(20)].state, State::Succeeded);
    assert_eq!(unapplied(&replayed), (500, 1000));
    assert!(replay(begin.into_iter().chain([refund_accepted(21, 500)])).is_ok());
}

#[test]
fn only_a_refund_that_succeeded_comes_back_once_and_whole() {
    let out_of_place = not_correctable(refund_effect(20), Correction::RefundReturned);
    let begin = || [succeeded(), refund_accepted(20, 500)].into_iter();
    assert_eq!(replay(begin().chain([refund_returned(postings(500))])).map(drop), out_of_place);
    let done = || begin().chain([refund_succeeded(20, 500)]);
    let twice = done().chain([refund_returned(postings(500)), refund_returned(postings(500))]);
    assert_eq!(replay(twice).map(drop), out_of_place);
    for other in [postings(499), back(500)] {
        let part = replay(done().chain([refund_returned(other)]));
        assert_eq!(part.map(drop), Err(ReplayError::OtherCorrection(refund_effect(20))));
    }
    let again = done().chain([refund_returned(postings(500)), refund_succeeded(20, 500)]);
    assert!(matches!(replay(again), Err(ReplayError::RefundDisagrees { .. })));
}

fn review() -> Record {
    advanced(State::Review, Status::Review, None)
}

fn by_person() -> Record {
    Record::EffectAdvanced(Advanced { source: person(), ..moved(State::Succeeded, Status::Succeeded, None) })
}

#[test]
fn money_that_came_although_its_hold_was_let_go_is_booked_by_a_persons_word() {
    let found = || payment_received(person(), postings(500));
    let replay = replay([failed(), review(), found(), by_person()]).expect("possible");
    let replayed = &replay.payments[&payment()];
    assert_eq!((replayed.status, replayed.captured_amount), (Status::Succeeded, 500));
    assert_eq!(replayed.closing, Some(Closing::Voided));
    assert_eq!(unapplied(&replay), (0, 500));
    let refunded = super::replay([failed(), review(), found(), by_person(), refund_accepted(20, 500)]);
    assert!(refunded.is_ok(), "{refunded:?}");
}

#[test]
fn such_money_comes_once_after_a_hold_was_let_go_by_nobody_elses_word() {
    let out_of_place = not_correctable(effect(), Correction::PaymentReceived);
    let found = |source| payment_received(source, postings(500));
    assert_eq!(replay([failed(), review(), found(Source::Sweep)]).map(drop), out_of_place);
    assert_eq!(replay([failed(), found(person())]).map(drop), out_of_place);
    assert_eq!(replay([review(), found(person())]).map(drop), out_of_place, "its hold is open");
    assert_eq!(replay([succeeded(), review(), found(person())]).map(drop), out_of_place, "its hold was posted");
    assert_eq!(replay([failed(), review(), found(person()), found(person())]).map(drop), out_of_place);
    let more = payment_received(person(), postings(501));
    assert_eq!(replay([failed(), review(), more]).map(drop), Err(ReplayError::OtherCorrection(effect())));
    assert_eq!(refused([failed(), review(), by_person()]), named("is succeeded, but its hold is voided"));
    let fails = Record::EffectAdvanced(Advanced { source: person(), ..moved(State::Failed, Status::Failed, None) });
    assert_eq!(refused([failed(), review(), found(person()), fails]), named("is failed, but its hold is voided"));
}
