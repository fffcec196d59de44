//! Refunds: never more than is left, never twice for one reference, ended with their effects.

use super::*;
use crate::journal::{RefundAccepted, RefundAdvanced};
use crate::refund::RefundStatus;
use crate::replay::rules::turned_round;

pub(super) fn refund(number: u8) -> RefundId {
    RefundId::from_bytes([number; 16])
}

pub(super) fn refund_effect(number: u8) -> EffectId {
    EffectId::from_bytes([number; 16])
}

fn refund_hold(number: u8) -> HoldId {
    HoldId::from_bytes([number; 16])
}

pub(super) fn back(amount: i64) -> Vec<Posting> {
    turned_round(&postings(amount))
}

fn asked(number: u8, amount: i64) -> RefundAccepted {
    RefundAccepted {
        refund: refund(number),
        payment: payment(),
        command: CommandId::from_bytes([number; 16]),
        effect: refund_effect(number),
        hold: refund_hold(number),
        money: money(amount),
        gateway: "stripe".into(),
        reference: None,
        postings: back(amount),
    }
}

pub(super) fn refund_accepted(number: u8, amount: i64) -> Record {
    Record::RefundAccepted(asked(number, amount))
}

pub(super) fn moves(number: u8, state: State, status: RefundStatus) -> RefundAdvanced {
    RefundAdvanced {
        effect: refund_effect(number),
        refund: refund(number),
        source: Source::Send,
        saw: "seen".into(),
        state,
        generation: 0,
        object: Some("re_1".into()),
        status,
        failure_code: None,
        closing: None,
        postings: Vec::new(),
    }
}

fn ends(number: u8, state: State, status: RefundStatus, closing: Closing, amount: i64) -> Record {
    let closing = Some((refund_hold(number), closing));
    Record::RefundAdvanced(RefundAdvanced { closing, postings: back(amount), ..moves(number, state, status) })
}

pub(super) fn refund_succeeded(number: u8, amount: i64) -> Record {
    ends(number, State::Succeeded, RefundStatus::Succeeded, Closing::Posted, amount)
}

pub(super) fn refund_failed(number: u8, amount: i64) -> Record {
    ends(number, State::Failed, RefundStatus::Failed, Closing::Voided, amount)
}

pub(super) fn sent(number: u8) -> Record {
    match ticket(Step::Execute, 0) {
        Record::TicketIssued { step, generation, send_no, gateway_key, request_digest, lease_epoch, .. } => {
            let effect = refund_effect(number);
            Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch }
        }
        record => record,
    }
}

fn amounts(replay: &Replay) -> (i64, i64) {
    let payment = &replay.payments[&payment()];
    (payment.refunding_amount, payment.refunded_amount)
}

#[test]
fn a_refund_counts_against_its_payment_from_the_first_record_on() {
    let under_way = replay([succeeded(), refund_accepted(20, 200), sent(20)]).expect("possible");
    assert_eq!(amounts(&under_way), (200, 0));
    let done = replay([succeeded(), refund_accepted(20, 200), sent(20), refund_succeeded(20, 200)]).expect("possible");
    assert_eq!(amounts(&done), (0, 200));
    assert_eq!(done.balances.0[&(Account::Unapplied, money(0).currency)].debits, 200);
    let replayed = &done.refunds[&refund(20)];
    assert_eq!((replayed.status, replayed.answer), (RefundStatus::Succeeded, Some(RefundStatus::Succeeded)));
    assert_eq!((replayed.closing, replayed.object.as_deref()), (Some(Closing::Posted), Some("re_1")));
    assert_eq!(done.effects[&refund_effect(20)].object.as_deref(), Some("re_1"));
    let failed = replay([succeeded(), refund_accepted(20, 200), refund_failed(20, 200)]).expect("possible");
    assert_eq!(amounts(&failed), (0, 0));
}

#[test]
fn a_pending_refund_answers_once_the_gateway_has_it() {
    let waits = Record::RefundAdvanced(moves(20, State::Pending, RefundStatus::Pending));
    let unknown = Record::RefundAdvanced(moves(20, State::Unknown, RefundStatus::Unknown));
    let answer = |records: Vec<Record>| {
        let all = [succeeded(), refund_accepted(20, 200)].into_iter().chain(records);
        replay(all).expect("possible").refunds[&refund(20)].answer
    };
    assert_eq!(answer(vec![unknown.clone()]), None);
    assert_eq!(answer(vec![unknown, waits, refund_failed(20, 200)]), Some(RefundStatus::Pending));
}

#[test]
fn no_more_is_given_back_than_came() {
    assert!(replay([succeeded(), refund_accepted(20, 200), refund_accepted(21, 300)]).is_ok());
    let too_much = |records: Vec<Record>, number| {
        let error = replay([succeeded()].into_iter().chain(records)).expect_err("impossible");
        assert_eq!(error, ReplayError::TooMuch(refund(number)));
    };
    too_much(vec![refund_accepted(20, 501)], 20);
    too_much(vec![refund_accepted(20, 200), refund_accepted(21, 301)], 21);
    too_much(vec![refund_accepted(20, 200), refund_succeeded(20, 200), refund_accepted(21, 301)], 21);
    let freed = [succeeded(), refund_accepted(20, 500), refund_failed(20, 500), refund_accepted(21, 500)];
    assert!(replay(freed).is_ok());
}

#[test]
fn only_money_that_came_is_given_back() {
    assert_eq!(refused([refund_accepted(20, 200)]), named("is refunded, but is processing"));
    assert_eq!(refused([failed(), refund_accepted(20, 200)]), named("is refunded, but is failed"));
    let mut other = asked(20, 200);
    other.payment = PaymentId::from_bytes([9; 16]);
    let unheard = replay([succeeded(), Record::RefundAccepted(other)]);
    assert!(matches!(unheard, Err(ReplayError::Unheard(_))), "{unheard:?}");
}

#[test]
fn a_refund_is_in_the_currency_and_at_the_gateway_of_its_payment() {
    let refuse = |accepted| replay([succeeded(), Record::RefundAccepted(accepted)]).expect_err("impossible");
    let eur = Currency::from_code("EUR").expect("known currency");
    let mut other = asked(20, 200);
    other.money.currency = eur;
    other.postings.iter_mut().for_each(|posting| posting.currency = eur);
    assert_eq!(refuse(other), ReplayError::OtherMoney(refund_hold(20)));
    let elsewhere = RefundAccepted { gateway: "bank".into(), ..asked(20, 200) };
    assert_eq!(refuse(elsewhere), ReplayError::Foreign(refund(20).to_string()));
    let small = RefundAccepted { postings: back(199), ..asked(20, 200) };
    assert_eq!(refuse(small), ReplayError::OtherMoney(refund_hold(20)));
    let nothing = RefundAccepted { money: money(0), postings: Vec::new(), ..asked(20, 200) };
    assert_eq!(refuse(nothing), ReplayError::OtherMoney(refund_hold(20)));
}

#[test]
fn a_reference_names_one_refund_that_is_not_void() {
    let named = |number| Record::RefundAccepted(RefundAccepted { reference: Some("r".into()), ..asked(number, 100) });
    let twice = replay([succeeded(), named(20), named(21)]);
    let held = ReplayError::ReferenceHeld { refund: refund(21), holder: refund(20) };
    assert_eq!(twice.map(drop), Err(held.clone()));
    assert_eq!(replay([succeeded(), named(20), refund_succeeded(20, 100), named(21)]).map(drop), Err(held));
    assert!(replay([succeeded(), named(20), refund_failed(20, 100), named(21)]).is_ok());
    assert!(replay([succeeded(), refund_accepted(20, 100), refund_accepted(21, 100)]).is_ok(), "these name none");
}

#[test]
fn a_refund_is_accepted_once() {
    let twice = |second: RefundAccepted| {
        let twice = replay([succeeded(), refund_accepted(20, 100), Record::RefundAccepted(second)]);
        assert!(matches!(twice, Err(ReplayError::Twice(_))), "{twice:?}");
    };
    twice(asked(20, 100));
    twice(RefundAccepted { hold: refund_hold(20), ..asked(21, 100) });
    twice(RefundAccepted { effect: refund_effect(20), ..asked(21, 100) });
    twice(RefundAccepted { refund: refund(20), ..asked(21, 100) });
}

#[test]
fn a_refund_and_its_effect_end_together() {
    let check = |state, status, what: &str| {
        let moved = Record::RefundAdvanced(moves(20, state, status));
        assert_eq!(refused([succeeded(), refund_accepted(20, 200), moved]), format!("{} {what}", refund(20)));
    };
    check(State::Succeeded, RefundStatus::Pending, "is pending, but its effect is succeeded");
    check(State::Pending, RefundStatus::Succeeded, "is succeeded, but its effect is pending");
    check(State::NotExecuted, RefundStatus::Failed, "is failed, but its effect is not_executed");
    check(State::Review, RefundStatus::Unknown, "is unknown, but its effect is review");
    check(State::Succeeded, RefundStatus::Succeeded, "is succeeded, but its hold is open");
    check(State::Canceled, RefundStatus::Canceled, "is canceled, but its hold is open");
}

#[test]
fn the_hold_of_a_refund_is_closed_the_matching_way_once_and_whole() {
    let begin = [succeeded(), refund_accepted(20, 200)];
    let check = |end: Record, error: ReplayError| {
        assert_eq!(replay(begin.clone().into_iter().chain([end])).map(drop), Err(error));
    };
    let wrong =
        |status, closing| ReplayError::RefundHoldDisagrees { refund: refund(20), status, closing: Some(closing) };
    let (succeeds, fails) = (RefundStatus::Succeeded, RefundStatus::Failed);
    check(ends(20, State::Succeeded, succeeds, Closing::Voided, 200), wrong(succeeds, Closing::Voided));
    check(ends(20, State::Failed, fails, Closing::Posted, 200), wrong(fails, Closing::Posted));
    let pends = RefundStatus::Pending;
    check(ends(20, State::Pending, pends, Closing::Posted, 200), wrong(pends, Closing::Posted));
    check(refund_succeeded(20, 199), ReplayError::OtherPostings(refund_hold(20)));
    let twice = begin.clone().into_iter().chain([refund_succeeded(20, 200), refund_succeeded(20, 200)]);
    assert_eq!(replay(twice).map(drop), Err(ReplayError::NotOpen(refund_hold(20))));
}

#[test]
fn nobody_moves_a_refund_by_what_is_anothers() {
    let begin = [succeeded(), refund_accepted(20, 200), refund_accepted(21, 200)];
    let check = |record: Record, foreign: String| {
        let error = replay(begin.clone().into_iter().chain([record])).expect_err("impossible");
        assert_eq!(error, ReplayError::Foreign(foreign));
    };
    let mut by_another = moves(20, State::Pending, RefundStatus::Pending);
    by_another.effect = refund_effect(21);
    check(Record::RefundAdvanced(by_another), refund(20).to_string());
    let mut closes_another = moves(20, State::Succeeded, RefundStatus::Succeeded);
    (closes_another.closing, closes_another.postings) = (Some((refund_hold(21), Closing::Posted)), back(200));
    check(Record::RefundAdvanced(closes_another), refund(20).to_string());
    let payments = Advanced { effect: refund_effect(20), ..moved(State::Pending, Status::Processing, None) };
    check(Record::EffectAdvanced(payments), payment().to_string());
}

#[test]
fn what_was_decided_of_a_refund_stays_decided() {
    let begin = [succeeded(), refund_accepted(20, 200), refund_failed(20, 200)];
    let and = |record| replay(begin.clone().into_iter().chain([record])).map(drop);
    let again = Record::RefundAdvanced(moves(20, State::Pending, RefundStatus::Pending));
    let undecided = ReplayError::Undecided { effect: refund_effect(20), from: State::Failed, to: State::Pending };
    assert_eq!(and(again), Err(undecided));
    assert_eq!(and(sent(20)), Err(ReplayError::SentAfterwards(refund_effect(20))));
    assert_eq!(and(Record::RefundAdvanced(moves(20, State::Review, RefundStatus::Review))), Ok(()));
    let confirm = match sent(20) {
        Record::TicketIssued { effect, send_no, gateway_key, request_digest, lease_epoch, generation, .. } => {
            let step = Step::Confirm;
            Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch }
        }
        record => record,
    };
    let no_step = replay([succeeded(), refund_accepted(20, 200), confirm]).map(drop);
    assert_eq!(no_step, Err(ReplayError::NoSuchStep { effect: refund_effect(20), step: Step::Confirm }));
}
