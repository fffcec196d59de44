//! What a client may ask of a payment under way: to take what is authorised, or to give it up.

use super::create_payment::{hold_of, payment_postings};
use super::learn::advanced;
use super::postings::close;
use crate::effect::{Asked, Class, Effect, Joined, Policy, Source, State, Subject, capture, give_up};
use crate::id::CommandId;
use crate::journal::{Advanced, Closing, Record, StepAsked};
use crate::ledger::{Balances, LedgerError};
use crate::payment::{Payment, Status};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// Commands that may wait for one payment besides its own; further ones are refused.
pub const JOINED_MAX: usize = 100;

/// What follows from asking for a capture or a cancel.
#[derive(Clone, Debug)]
pub enum StepAccepted {
    /// It is under way; the command waits with the payment.
    Begun(Vec<Record>),
    /// Nothing was ever sent, so that the payment is canceled at once.
    Ended(Vec<Record>),
    /// It is so already.
    AlreadyDone,
}

/// Asks to take `amount` of what is authorised, or all of it.
///
/// # Errors
///
/// [`Rejection::NotCapturable`] unless the payment waits for its capture; [`Rejection::CaptureTooLarge`]. Nothing is
/// changed then.
pub fn ask_capture(
    effect: &mut Effect,
    payment: &mut Payment,
    amount: Option<i64>,
    command: CommandId,
    policy: &Policy,
    now: Timestamp,
) -> Result<StepAccepted, Rejection> {
    check_subject(effect);
    let is_expired = effect.expiry.is_some_and(|expiry| expiry.at <= now);
    if payment.status != Status::RequiresCapture || effect.state != State::Pending || is_expired {
        return Err(Rejection::NotCapturable { status: payment.status });
    }
    let amount = amount.unwrap_or(payment.money.amount);
    if amount > payment.money.amount {
        return Err(Rejection::CaptureTooLarge { authorised_amount: payment.money.amount });
    }
    check_room(effect, payment)?;
    effect.joined.push(Joined { command, asked: Asked::Capture });
    capture(effect, amount, policy, now);
    payment.status = Status::of_effect(effect, None);
    let asked = StepAsked::Capture { amount };
    Ok(StepAccepted::Begun(asked_for(effect, payment, command, asked)))
}

/// Asks to give a payment up.
///
/// # Errors
///
/// [`Rejection::NotCancelable`] once money has moved, failed, or may have moved in a way that no cancel can stop.
/// Nothing is changed then.
pub fn ask_cancel(
    effect: &mut Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    (command, reason): (CommandId, Option<String>),
    policy: &Policy,
    now: Timestamp,
) -> Result<StepAccepted, Rejection> {
    check_subject(effect);
    if payment.status == Status::Canceled {
        return Ok(StepAccepted::AlreadyDone);
    }
    if effect.parked_by.is_some() {
        let asked = asked_record(effect, payment, command, StepAsked::Cancel { reason });
        let ended = give_up_parked(effect, payment, balances).map_err(|_| Rejection::BookFull)?;
        return Ok(StepAccepted::Ended(vec![asked, ended]));
    }
    if !is_cancelable(effect, payment) {
        return Err(Rejection::NotCancelable { status: payment.status });
    }
    check_room(effect, payment)?;
    let asked = StepAsked::Cancel { reason };
    if !give_up(effect, policy, now) {
        effect.joined.push(Joined { command, asked: Asked::Cancel });
        payment.status = Status::of_effect(effect, None);
        return Ok(StepAccepted::Begun(asked_for(effect, payment, command, asked)));
    }
    let mut records = vec![asked_record(effect, payment, command, asked)];
    records.push(end_unsent(effect, payment, balances).map_err(|_| Rejection::BookFull)?);
    Ok(StepAccepted::Ended(records))
}

/// Ends a payment that a brake holds back.
fn give_up_parked(effect: &mut Effect, payment: &mut Payment, balances: &mut Balances) -> Result<Record, LedgerError> {
    effect.state = State::Canceled;
    effect.parked_by = None;
    payment.parked_by = None;
    end_unsent(effect, payment, balances)
}

/// Ends a payment of which nothing was ever sent.
fn end_unsent(effect: &Effect, payment: &mut Payment, balances: &mut Balances) -> Result<Record, LedgerError> {
    payment.status = Status::Canceled;
    let held = payment_postings(&payment.gateway, payment.money);
    let postings = close(balances, Some(Closing::Voided), held, Vec::new())?;
    let closing = Some((hold_of(payment.id), Closing::Voided));
    let source = Source::Client;
    Ok(Record::EffectAdvanced(Advanced { closing, postings, ..advanced(effect, payment, source, "never_sent".into()) }))
}

fn check_subject(effect: &Effect) {
    assert!(effect.subject == Subject::Payment, "{} is not the effect of a payment", effect.id);
}

fn is_cancelable(effect: &Effect, payment: &Payment) -> bool {
    let is_over = payment.status.is_terminal() || payment.status == Status::Review;
    // A capture under way takes the money; whoever does not want it refunds it.
    let is_capturing = effect.capture_amount.is_some();
    let is_stoppable = match effect.class {
        Class::P => true,
        _ => effect.state == State::Pending && effect.expiry.is_some() || effect.last_sent_at.is_none(),
    };
    !is_over && !is_capturing && is_stoppable
}

fn check_room(effect: &Effect, payment: &Payment) -> Result<(), Rejection> {
    if effect.joined.len() >= JOINED_MAX {
        return Err(Rejection::DuplicateIntent { command: payment.command, payment: payment.id });
    }
    Ok(())
}

fn asked_record(effect: &Effect, payment: &Payment, command: CommandId, asked: StepAsked) -> Record {
    Record::StepAsked { command, effect: effect.id, payment: payment.id, asked }
}

/// What was asked, and where the effect stands because of it.
fn asked_for(effect: &Effect, payment: &Payment, command: CommandId, asked: StepAsked) -> Vec<Record> {
    let word = match asked {
        StepAsked::Capture { .. } => "asked:capture",
        StepAsked::Cancel { .. } => "asked:cancel",
    };
    let record = asked_record(effect, payment, command, asked);
    vec![record, Record::EffectAdvanced(advanced(effect, payment, Source::Client, word.into()))]
}
