//! Money that came or went back after its story was over.

use super::refunds::{
    back, moves as refund_moves, refund, refund_accepted, refund_effect, refund_failed, refund_succeeded,
};
use super::*;
use crate::journal::{Corrected, Correction, RefundAccepted, RefundAdvanced};
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

fn refund_paid(source: Source, postings: Vec<Posting>) -> Record {
    let corrected = correction(Correction::RefundPaid, postings);
    Record::Corrected(Corrected { effect: refund_effect(20), movement: "paid:20".into(), source, ..corrected })
}

fn refund_review() -> Record {
    Record::RefundAdvanced(refund_moves(20, State::Review, RefundStatus::Review))
}

fn refund_by_person(state: State, status: RefundStatus) -> Record {
    Record::RefundAdvanced(RefundAdvanced { source: person(), ..refund_moves(20, state, status) })
}

#[test]
fn a_refund_that_went_through_after_it_had_failed_counts_again() {
    let paid =
        || [succeeded(), refund_accepted(20, 500), refund_failed(20, 500), refund_paid(Source::Sweep, back(500))];
    let replayed = replay(paid()).expect("possible");
    let late = &replayed.refunds[&refund(20)];
    assert_eq!((late.status, late.closing, late.is_paid), (RefundStatus::Succeeded, Some(Closing::Voided), true));
    assert_eq!(late.answer, Some(RefundStatus::Failed), "the answer was given before");
    assert_eq!(replayed.effects[&refund_effect(20)].state, State::Failed);
    assert_eq!((replayed.payments[&payment()].refunded_amount, unapplied(&replayed)), (500, (500, 500)));
    assert_eq!(
        replay(paid().into_iter().chain([refund_accepted(21, 1)])).map(drop),
        Err(ReplayError::TooMuch(refund(21)))
    );
    let returned = replay(paid().into_iter().chain([refund_returned(postings(500))])).expect("possible");
    assert_eq!(returned.refunds[&refund(20)].status, RefundStatus::Failed);
    assert_eq!((returned.payments[&payment()].refunded_amount, unapplied(&returned)), (0, (500, 1000)));
}

#[test]
fn others_made_meanwhile_stand_and_the_sum_may_be_more_than_came() {
    let all = [
        succeeded(),
        refund_accepted(20, 500),
        refund_failed(20, 500),
        refund_accepted(21, 500),
        refund_succeeded(21, 500),
        refund_paid(Source::Sweep, back(500)),
    ];
    let replayed = replay(all).expect("possible");
    assert_eq!((replayed.payments[&payment()].refunded_amount, unapplied(&replayed)), (1000, (1000, 500)));
}

#[test]
fn its_reference_is_taken_again() {
    let named = |number| match refund_accepted(number, 100) {
        Record::RefundAccepted(accepted) => {
            Record::RefundAccepted(RefundAccepted { reference: Some("r".into()), ..accepted })
        }
        other => panic!("a refund, not {other:?}"),
    };
    let failed = |number| [named(number), refund_failed(number, 100)].into_iter();
    let twice = || [succeeded()].into_iter().chain(failed(20)).chain(failed(21));
    assert!(replay(twice().chain([named(22)])).is_ok());
    let paid = twice().chain([refund_paid(Source::Sweep, back(100)), named(22)]);
    let held = ReplayError::ReferenceHeld { refund: refund(22), holder: refund(20) };
    assert_eq!(replay(paid).map(drop), Err(held));
}

#[test]
fn only_a_refund_that_failed_is_paid_after_all_once_and_whole() {
    let out_of_place = not_correctable(refund_effect(20), Correction::RefundPaid);
    let begin = || [succeeded(), refund_accepted(20, 500)].into_iter();
    let swept = || refund_paid(Source::Sweep, back(500));
    let failed = || begin().chain([refund_failed(20, 500)]);
    assert_eq!(replay(begin().chain([swept()])).map(drop), out_of_place, "its hold is open");
    let done = begin().chain([refund_succeeded(20, 500), swept()]);
    assert_eq!(replay(done).map(drop), out_of_place, "its hold was posted");
    let came_back = begin().chain([refund_succeeded(20, 500), refund_returned(postings(500)), swept()]);
    assert_eq!(replay(came_back).map(drop), out_of_place, "it came back");
    assert_eq!(replay(failed().chain([swept(), swept()])).map(drop), out_of_place);
    let again = failed().chain([swept(), refund_returned(postings(500)), swept()]);
    assert_eq!(replay(again).map(drop), out_of_place);
    for other in [back(499), back(501), postings(500)] {
        let part = replay(failed().chain([refund_paid(Source::Sweep, other)]));
        assert_eq!(part.map(drop), Err(ReplayError::OtherCorrection(refund_effect(20))));
    }
    let of_a_payment = Record::Corrected(correction(Correction::RefundPaid, back(500)));
    let out_of_place = not_correctable(effect(), Correction::RefundPaid);
    assert_eq!(replay(failed().chain([of_a_payment])).map(drop), out_of_place);
}

#[test]
fn in_review_only_a_person_says_that_a_refund_was_paid() {
    let out_of_place = not_correctable(refund_effect(20), Correction::RefundPaid);
    let failed = || [succeeded(), refund_accepted(20, 500), refund_failed(20, 500)].into_iter();
    let review = || failed().chain([refund_review()]);
    let found = |source| refund_paid(source, back(500));
    assert_eq!(replay(review().chain([found(Source::Sweep)])).map(drop), out_of_place);
    assert_eq!(replay(failed().chain([found(person())])).map(drop), out_of_place);
    let says = |status, state| refund_by_person(state, status);
    let decided = review().chain([found(person()), says(RefundStatus::Succeeded, State::Succeeded)]);
    assert_eq!(replay(decided).expect("possible").refunds[&refund(20)].status, RefundStatus::Succeeded);
    let unbooked = review().chain([says(RefundStatus::Succeeded, State::Succeeded)]);
    assert!(matches!(replay(unbooked), Err(ReplayError::RefundHoldDisagrees { .. })));
    let unsaid = review().chain([found(person()), says(RefundStatus::Failed, State::Failed)]);
    assert!(matches!(replay(unsaid), Err(ReplayError::RefundHoldDisagrees { .. })));
    assert!(replay(review().chain([says(RefundStatus::Failed, State::Failed)])).is_ok());
}
