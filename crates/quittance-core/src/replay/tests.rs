//! A possible history is folded; each way to make it impossible is refused, and named.

mod captures;
mod corrections;
mod disputes;
mod effects;
mod refunds;

use super::*;
use crate::account::Account;
use crate::currency::Currency;
use crate::effect::{PersonsWord, Source, State, Step};
use crate::id::{CommandId, TenantId};
use crate::journal::Advanced;
use crate::ledger::transfer;
use crate::money::Money;
use crate::payment::Status;

fn payment() -> PaymentId {
    PaymentId::from_bytes([1; 16])
}

fn effect() -> EffectId {
    EffectId::from_bytes([2; 16])
}

fn hold() -> HoldId {
    HoldId::from_bytes([1; 16])
}

fn money(amount: i64) -> Money {
    Money::new(amount, Currency::from_code("USD").expect("known currency"))
}

fn postings(amount: i64) -> Vec<Posting> {
    transfer(Account::GatewayClearing("stripe".into()), Account::Unapplied, amount, money(0).currency)
}

fn person() -> Source {
    Source::Person(PersonsWord { by: "key_1".into(), evidence: "statement 7".into(), reason: "seen".into() })
}

fn accepted(postings: Vec<Posting>) -> Record {
    Record::PaymentAccepted {
        payment: payment(),
        command: CommandId::from_bytes([3; 16]),
        effect: effect(),
        hold: hold(),
        money: money(500),
        gateway: "stripe".into(),
        reference: "order-1".into(),
        postings,
    }
}

fn ticket(step: Step, generation: u32) -> Record {
    Record::TicketIssued {
        effect: effect(),
        step,
        generation,
        send_no: 1,
        gateway_key: String::new(),
        request_digest: [0; 32],
        lease_epoch: 1,
    }
}

fn moved(state: State, status: Status, closing: Option<Closing>) -> Advanced {
    Advanced {
        effect: effect(),
        payment: payment(),
        source: Source::Send,
        saw: "seen".into(),
        state,
        step: Step::Confirm,
        generation: 1,
        object: Some("pi_1".into()),
        status,
        decline: None,
        closing: closing.map(|closing| (hold(), closing)),
        postings: if closing.is_some() { postings(500) } else { Vec::new() },
    }
}

fn advanced(state: State, status: Status, closing: Option<Closing>) -> Record {
    Record::EffectAdvanced(moved(state, status, closing))
}

fn replay(records: impl IntoIterator<Item = Record>) -> Result<Replay, ReplayError> {
    let mut replay = Replay::default();
    let opened = Record::BookOpened { tenant: TenantId::from_bytes([4; 16]) };
    let begin = [opened, accepted(postings(500)), ticket(Step::Create, 0)];
    begin.into_iter().chain(records).try_for_each(|record| replay.apply(&record))?;
    Ok(replay)
}

fn refused(records: impl IntoIterator<Item = Record>) -> String {
    replay(records).expect_err("an impossible history").to_string()
}

fn named(text: &str) -> String {
    format!("{} {text}", payment())
}

fn succeeded() -> Record {
    advanced(State::Succeeded, Status::Succeeded, Some(Closing::Posted))
}

fn failed() -> Record {
    advanced(State::Failed, Status::Failed, Some(Closing::Voided))
}

#[test]
fn the_first_answer_stands_whatever_comes_after() {
    let asks = advanced(State::Pending, Status::RequiresAction, None);
    let replay = replay([asks, failed(), advanced(State::Review, Status::Review, None)]).expect("possible");
    let replayed = &replay.payments[&payment()];
    assert_eq!((replayed.status, replayed.answer), (Status::Review, Some(Status::RequiresAction)));
    assert_eq!((replayed.closing, replayed.captured_amount), (Some(Closing::Voided), 0));
}

#[test]
fn an_effect_that_began_with_its_own_create_took_over_no_object() {
    let is_fresh = |records: Vec<Record>| {
        let mut replay = Replay::default();
        let opened = Record::BookOpened { tenant: TenantId::from_bytes([4; 16]) };
        let all = [opened, accepted(postings(500))].into_iter().chain(records);
        all.into_iter().try_for_each(|record| replay.apply(&record)).expect("possible");
        replay.effects[&effect()].is_fresh
    };
    let moved = || advanced(State::Intended, Status::Processing, None);
    assert!(!is_fresh(Vec::new()));
    assert!(is_fresh(vec![ticket(Step::Create, 0), moved()]));
    assert!(!is_fresh(vec![moved(), ticket(Step::Create, 1)]));
    assert!(!is_fresh(vec![ticket(Step::Cancel, 0), moved(), ticket(Step::Create, 1)]));
}

#[test]
fn a_status_needs_its_hold_closed_the_matching_way() {
    let check = |state, status, closing, what: &str| {
        assert_eq!(refused([advanced(state, status, closing)]), named(what));
    };
    check(State::Succeeded, Status::Succeeded, None, "is succeeded, but its hold is open");
    check(State::Succeeded, Status::Succeeded, Some(Closing::Voided), "is succeeded, but its hold is voided");
    check(State::Failed, Status::Failed, None, "is failed, but its hold is open");
    check(State::Failed, Status::Failed, Some(Closing::Posted), "is failed, but its hold is posted");
    check(State::Canceled, Status::Canceled, None, "is canceled, but its hold is open");
    check(State::Pending, Status::Processing, Some(Closing::Posted), "is processing, but its hold is posted");
    for closing in [None, Some(Closing::Posted), Some(Closing::Voided)] {
        assert!(replay([advanced(State::Review, Status::Review, closing)]).is_ok());
    }
}

#[test]
fn what_was_decided_stays_decided() {
    let check = |first: Record, state, status, what: &str| {
        assert_eq!(refused([first, advanced(state, status, None)]), format!("{} {what}", effect()));
    };
    check(failed(), State::Intended, Status::Processing, "was failed and becomes intended");
    check(succeeded(), State::Unknown, Status::Unknown, "was succeeded and becomes unknown");
    check(succeeded(), State::Failed, Status::Failed, "was succeeded and becomes failed");
    let review = || advanced(State::Review, Status::Review, None);
    check(review(), State::Pending, Status::Processing, "was review and becomes pending");
    assert!(replay([failed(), review()]).is_ok());
    assert_eq!(refused([failed(), ticket(Step::Confirm, 2)]), format!("{} was sent after it was decided", effect()));
}

#[test]
fn an_effect_and_its_payment_end_together() {
    let check = |state, status, what: &str| assert_eq!(refused([advanced(state, status, None)]), named(what));
    check(State::Succeeded, Status::Processing, "is processing, but its effect is succeeded");
    check(State::Pending, Status::Succeeded, "is succeeded, but its effect is pending");
    check(State::Intended, Status::Review, "is review, but its effect is intended");
}

#[test]
fn a_hold_is_all_of_its_payments_money() {
    let check = |postings: Vec<Posting>| {
        let mut replay = Replay::default();
        replay.apply(&Record::BookOpened { tenant: TenantId::from_bytes([4; 16]) }).expect("opened");
        let error = replay.apply(&accepted(postings)).expect_err("impossible");
        assert_eq!(error, ReplayError::OtherMoney(hold()));
    };
    check(postings(499));
    check(Vec::new());
    check([postings(500), postings(1)].concat());
    let mut other = postings(500);
    other.iter_mut().for_each(|posting| posting.currency = Currency::from_code("EUR").expect("known currency"));
    check(other);
}

#[test]
fn nobody_moves_or_closes_what_is_anothers() {
    let other = PaymentId::from_bytes([9; 16]);
    let second = || match accepted(postings(500)) {
        Record::PaymentAccepted { command, money, gateway, postings, .. } => Record::PaymentAccepted {
            payment: other,
            command,
            effect: EffectId::from_bytes([8; 16]),
            hold: HoldId::from_bytes([9; 16]),
            money,
            gateway,
            reference: "order-2".into(),
            postings,
        },
        record => record,
    };
    let mut foreign = moved(State::Pending, Status::Processing, None);
    foreign.payment = other;
    assert_eq!(
        replay([second(), Record::EffectAdvanced(foreign)]).err(),
        Some(ReplayError::Foreign(other.to_string()))
    );
    let mut closes = moved(State::Succeeded, Status::Succeeded, Some(Closing::Posted));
    closes.closing = Some((HoldId::from_bytes([9; 16]), Closing::Posted));
    assert_eq!(
        replay([second(), Record::EffectAdvanced(closes)]).err(),
        Some(ReplayError::Foreign(payment().to_string()))
    );
}
