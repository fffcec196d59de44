//! A person decides what automation may not: an effect in review comes to its end, with evidence and a reason.

use super::create_payment::{hold_of, payment_postings};
use super::create_refund::refund_hold_of;
use super::learn::advanced;
use super::postings::close;
use super::refund_correction::pay;
use super::{learn_evidence, learn_refund};
use crate::effect::{Effect, PersonsWord, Source, State};
use crate::fact::Decline;
use crate::id::DisputeId;
use crate::journal::{Advanced, Closing, Corrected, Correction, Record, RefundAdvanced};
use crate::ledger::{Balances, Movement};
use crate::money::Money;
use crate::payment::{Payment, Status};
use crate::refund::{Refund, RefundStatus};
use crate::rejection::Rejection;

/// What a person says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The money moved, as much as was asked for.
    Succeeded,
    /// The money moved, as much as the person says.
    Received {
        /// How much, minor units.
        amount: i64,
    },
    /// No money moved, or it was given back at the gateway.
    Failed,
}

/// What follows from a person's word.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What the journal says of it.
    pub records: Vec<Record>,
    /// How the hold was closed, if it was now.
    pub closing: Option<Closing>,
}

/// Brings a payment's effect in review to its end. `closed` says how its hold was closed before, if it was. Money that
/// moved although the hold was let go is booked by itself.
///
/// # Errors
///
/// [`Rejection::NotInReview`] for any other effect, [`Rejection::NeverSent`] for one that a brake holds back;
/// [`Rejection::HoldIsGone`] where no money, or another amount, is said to have moved for a payment whose hold was posted;
/// [`Rejection::ReceivedAmountDiffers`] where all is said to have come and the gateway showed another amount;
/// [`Rejection::ResolvedAmount`] for more than was asked for, or nothing. Nothing is changed then.
pub fn resolve(
    effect: &mut Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    closed: Option<Closing>,
    resolution: Resolution,
    word: PersonsWord,
) -> Result<Resolved, Rejection> {
    check_in_review(effect)?;
    let came = amount_that_came(effect, payment, closed, resolution)?;
    let mut resolved = Resolved { records: Vec::new(), closing: None };
    match (came, closed) {
        (Some(_), None) => resolved.closing = Some(Closing::Posted),
        (None, None) => resolved.closing = Some(Closing::Voided),
        (Some(_), Some(Closing::Posted)) | (None, Some(Closing::Voided)) => {}
        (Some(amount), Some(Closing::Voided)) => {
            let record = receive(effect, payment, balances, amount, word.clone())?;
            resolved.records.push(Record::Corrected(record));
        }
        (None, Some(Closing::Posted)) => return Err(Rejection::HoldIsGone),
    }
    let amount = came.unwrap_or(0);
    let held = payment_postings(&payment.gateway, payment.money);
    let made = payment_postings(&payment.gateway, Money { amount, ..payment.money });
    let postings = close(balances, resolved.closing, held, made).map_err(|_| Rejection::BookFull)?;
    if came.is_some() {
        payment.captured_amount = amount;
        effect.capture_amount = Some(amount).filter(|amount| *amount != payment.money.amount);
    }
    let saw = follow(effect, payment, came.is_some());
    let closing = resolved.closing.map(|closing| (hold_of(payment.id), closing));
    let record = advanced(effect, payment, Source::Person(word), saw.to_owned());
    resolved.records.push(Record::EffectAdvanced(Advanced { closing, postings, ..record }));
    Ok(resolved)
}

/// How much of the payment's money came, by a person's word; none where none did. Where it was booked before, that much.
fn amount_that_came(
    effect: &Effect,
    payment: &Payment,
    closed: Option<Closing>,
    resolution: Resolution,
) -> Result<Option<i64>, Rejection> {
    let booked_amount = Some(payment.captured_amount).filter(|_| closed == Some(Closing::Posted));
    let asked_amount = effect.capture_amount.unwrap_or(payment.money.amount);
    match resolution {
        Resolution::Failed => Ok(None),
        Resolution::Succeeded if booked_amount.is_some() => Ok(booked_amount),
        Resolution::Succeeded => match effect.received_amount {
            Some(received_amount) if received_amount != asked_amount => {
                Err(Rejection::ReceivedAmountDiffers { received_amount })
            }
            _ => Ok(Some(asked_amount)),
        },
        Resolution::Received { amount } => {
            check_amount(amount, 1, payment.money.amount)?;
            match booked_amount {
                Some(booked) if booked != amount => Err(Rejection::HoldIsGone),
                _ => Ok(Some(amount)),
            }
        }
    }
}

fn check_amount(amount: i64, amount_min: i64, amount_max: i64) -> Result<(), Rejection> {
    match (amount_min..=amount_max).contains(&amount) {
        true => Ok(()),
        false => Err(Rejection::ResolvedAmount { amount_min, amount_max }),
    }
}

/// Nothing has happened to what a brake holds back, so there is nothing to say about it but whether it may begin.
fn check_in_review(effect: &Effect) -> Result<(), Rejection> {
    match (effect.state, effect.parked_by) {
        (State::Review, None) => Ok(()),
        (State::Review, Some(_)) => Err(Rejection::NeverSent),
        _ => Err(Rejection::NotInReview),
    }
}

/// Books money that came although its hold had been let go.
fn receive(
    effect: &Effect,
    payment: &Payment,
    balances: &mut Balances,
    amount: i64,
    word: PersonsWord,
) -> Result<Corrected, Rejection> {
    let postings = payment_postings(&payment.gateway, Money { amount, ..payment.money });
    balances.apply(Movement::Post, &postings).map_err(|_| Rejection::BookFull)?;
    Ok(Corrected {
        effect: effect.id,
        payment: payment.id,
        correction: Correction::PaymentReceived,
        // Not the object's own name: that is what a later return of the money is booked under.
        movement: format!("received:{}", effect.id),
        source: Source::Person(word),
        saw: "resolved:succeeded".into(),
        postings,
    })
}

fn follow(effect: &mut Effect, payment: &mut Payment, has_come: bool) -> &'static str {
    effect.due_at = None;
    effect.lease_owner = 0;
    match has_come {
        true => {
            (effect.state, payment.status) = (State::Succeeded, Status::Succeeded);
            payment.decline = None;
            "resolved:succeeded"
        }
        false => {
            (effect.state, payment.status) = (State::Failed, Status::Failed);
            let by_a_person = || Decline { code: "resolved_as_failed".into(), is_retryable: true };
            payment.decline.get_or_insert_with(by_a_person);
            "resolved:failed"
        }
    }
}

/// Brings a refund's effect in review to its end. `closed` says how its hold was closed before, if it was. Money that was
/// given back although the hold was let go is booked by itself.
///
/// # Errors
///
/// As [`resolve`]; [`Rejection::ResolvedAmount`] for another amount than the refund's. Nothing is changed then.
pub fn resolve_refund(
    effect: &mut Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    closed: Option<Closing>,
    (resolution, word): (Resolution, PersonsWord),
) -> Result<Resolved, Rejection> {
    check_in_review(effect)?;
    let has_gone = matches!(resolution, Resolution::Succeeded | Resolution::Received { .. });
    let (state, status, wanted, saw) = if has_gone {
        (State::Succeeded, RefundStatus::Succeeded, Closing::Posted, "resolved:succeeded")
    } else {
        (State::Failed, RefundStatus::Failed, Closing::Voided, "resolved:failed")
    };
    if let Resolution::Received { amount } = resolution {
        check_amount(amount, refund.money.amount, refund.money.amount)?;
    }
    let mut records = Vec::new();
    match (has_gone, closed) {
        (true, Some(Closing::Voided)) => {
            let learned = (Source::Person(word.clone()), saw.to_owned());
            let record = pay(effect, refund, payment, balances, learned).map_err(|_| Rejection::BookFull)?;
            effect.is_paid = true;
            records.push(record);
        }
        (false, Some(Closing::Posted)) => return Err(Rejection::HoldIsGone),
        _ => {}
    }
    let closing = closed.is_none().then_some(wanted);
    let postings = learn_refund::settle(refund, payment, balances, closing).map_err(|_| Rejection::BookFull)?;
    effect.due_at = None;
    effect.lease_owner = 0;
    (effect.state, refund.status) = (state, status);
    if resolution == Resolution::Failed {
        refund.failure_code.get_or_insert_with(|| "resolved_as_failed".into());
    }
    let record = learn_refund::advanced(effect, refund, Source::Person(word), saw.to_owned());
    let closing_of_hold = closing.map(|closing| (refund_hold_of(refund.id), closing));
    records.push(Record::RefundAdvanced(RefundAdvanced { closing: closing_of_hold, postings, ..record }));
    Ok(Resolved { records, closing })
}

/// Brings an effect in review to its end that answers a dispute. It holds no money.
///
/// # Errors
///
/// [`Rejection::NotInReview`] for any other effect; [`Rejection::ResolvedAmount`] for any amount. Nothing is changed then.
pub fn resolve_evidence(
    effect: &mut Effect,
    dispute: DisputeId,
    (resolution, word): (Resolution, PersonsWord),
) -> Result<Resolved, Rejection> {
    if effect.state != State::Review {
        return Err(Rejection::NotInReview);
    }
    if let Resolution::Received { amount } = resolution {
        check_amount(amount, 0, 0)?;
    }
    effect.due_at = None;
    effect.lease_owner = 0;
    let (state, saw) = match resolution {
        Resolution::Succeeded | Resolution::Received { .. } => (State::Succeeded, "resolved:succeeded"),
        Resolution::Failed => (State::Failed, "resolved:failed"),
    };
    effect.state = state;
    let record = learn_evidence::advanced(effect, dispute, Source::Person(word), saw.to_owned());
    Ok(Resolved { records: vec![Record::EvidenceAdvanced(record)], closing: None })
}
