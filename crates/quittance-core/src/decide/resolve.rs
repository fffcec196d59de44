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
    /// The money moved.
    Succeeded,
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
/// [`Rejection::HoldIsGone`] where no money is said to have moved for a
/// payment whose hold was posted. Nothing is changed then.
pub fn resolve(
    effect: &mut Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    closed: Option<Closing>,
    resolution: Resolution,
    word: PersonsWord,
) -> Result<Resolved, Rejection> {
    check_in_review(effect)?;
    let mut resolved = Resolved { records: Vec::new(), closing: None };
    match (resolution, closed) {
        (Resolution::Succeeded, None) => resolved.closing = Some(Closing::Posted),
        (Resolution::Failed, None) => resolved.closing = Some(Closing::Voided),
        (Resolution::Succeeded, Some(Closing::Posted)) | (Resolution::Failed, Some(Closing::Voided)) => {}
        (Resolution::Succeeded, Some(Closing::Voided)) => {
            let record = receive(effect, payment, balances, word.clone())?;
            resolved.records.push(Record::Corrected(record));
        }
        (Resolution::Failed, Some(Closing::Posted)) => return Err(Rejection::HoldIsGone),
    }
    let was_posted = closed == Some(Closing::Posted);
    let amount = effect.capture_amount.unwrap_or(payment.money.amount);
    let held = payment_postings(&payment.gateway, payment.money);
    let made = payment_postings(&payment.gateway, Money { amount, ..payment.money });
    let postings = close(balances, resolved.closing, held, made).map_err(|_| Rejection::BookFull)?;
    if resolution == Resolution::Succeeded && !was_posted {
        payment.captured_amount = amount;
    }
    let saw = follow(effect, payment, resolution);
    let closing = resolved.closing.map(|closing| (hold_of(payment.id), closing));
    let record = advanced(effect, payment, Source::Person(word), saw.to_owned());
    resolved.records.push(Record::EffectAdvanced(Advanced { closing, postings, ..record }));
    Ok(resolved)
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
    word: PersonsWord,
) -> Result<Corrected, Rejection> {
    let amount = effect.capture_amount.unwrap_or(payment.money.amount);
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

fn follow(effect: &mut Effect, payment: &mut Payment, resolution: Resolution) -> &'static str {
    effect.due_at = None;
    effect.lease_owner = 0;
    match resolution {
        Resolution::Succeeded => {
            (effect.state, payment.status) = (State::Succeeded, Status::Succeeded);
            payment.decline = None;
            "resolved:succeeded"
        }
        Resolution::Failed => {
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
/// As [`resolve`]. Nothing is changed then.
pub fn resolve_refund(
    effect: &mut Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    closed: Option<Closing>,
    (resolution, word): (Resolution, PersonsWord),
) -> Result<Resolved, Rejection> {
    check_in_review(effect)?;
    let (state, status, wanted, saw) = match resolution {
        Resolution::Succeeded => (State::Succeeded, RefundStatus::Succeeded, Closing::Posted, "resolved:succeeded"),
        Resolution::Failed => (State::Failed, RefundStatus::Failed, Closing::Voided, "resolved:failed"),
    };
    let mut records = Vec::new();
    match (resolution, closed) {
        (Resolution::Succeeded, Some(Closing::Voided)) => {
            let learned = (Source::Person(word.clone()), saw.to_owned());
            let record = pay(effect, refund, payment, balances, learned).map_err(|_| Rejection::BookFull)?;
            effect.is_paid = true;
            records.push(record);
        }
        (Resolution::Failed, Some(Closing::Posted)) => return Err(Rejection::HoldIsGone),
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
/// [`Rejection::NotInReview`] for any other effect. Nothing is changed then.
pub fn resolve_evidence(
    effect: &mut Effect,
    dispute: DisputeId,
    (resolution, word): (Resolution, PersonsWord),
) -> Result<Resolved, Rejection> {
    if effect.state != State::Review {
        return Err(Rejection::NotInReview);
    }
    effect.due_at = None;
    effect.lease_owner = 0;
    let (state, saw) = match resolution {
        Resolution::Succeeded => (State::Succeeded, "resolved:succeeded"),
        Resolution::Failed => (State::Failed, "resolved:failed"),
    };
    effect.state = state;
    let record = learn_evidence::advanced(effect, dispute, Source::Person(word), saw.to_owned());
    Ok(Resolved { records: vec![Record::EvidenceAdvanced(record)], closing: None })
}
