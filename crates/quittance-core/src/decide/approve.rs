//! A person decides about what a brake held back: it begins after all, or it never does. Nothing was sent before.

use super::create_payment::{hold_of, payment_postings};
use super::create_refund::refund_hold_of;
use super::postings::close;
use super::resolve::Resolved;
use super::{learn, learn_refund};
use crate::effect::{Effect, PersonsWord, Source, State};
use crate::journal::{Advanced, Closing, Record, RefundAdvanced};
use crate::ledger::Balances;
use crate::payment::{Payment, Status};
use crate::refund::{Refund, RefundStatus};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// What a person says to what waits for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// It may be sent.
    Approved,
    /// It is given up.
    Refused,
}

impl Approval {
    /// Stable name, as the API and the journal spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Refused => "refused",
        }
    }
}

/// Decides about a payment that a brake held back.
///
/// # Errors
///
/// [`Rejection::NotParked`] for any other; nothing is changed then.
pub fn approve(
    effect: &mut Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    (approval, word): (Approval, PersonsWord),
    now: Timestamp,
) -> Result<Resolved, Rejection> {
    let closing = closing_of(effect, approval)?;
    let held = payment_postings(&payment.gateway, payment.money);
    let postings = close(balances, closing, held, Vec::new()).map_err(|_| Rejection::BookFull)?;
    follow(effect, approval, now);
    payment.parked_by = None;
    payment.status = match approval {
        Approval::Approved => Status::of_effect(effect, None),
        Approval::Refused => Status::Canceled,
    };
    let record = learn::advanced(effect, payment, Source::Person(word), approval.name().into());
    let closing_of_hold = closing.map(|closing| (hold_of(payment.id), closing));
    let record = Record::EffectAdvanced(Advanced { closing: closing_of_hold, postings, ..record });
    Ok(Resolved { records: vec![record], closing })
}

/// Decides about a refund that a brake held back. `payment` is the one whose money it gives back.
///
/// # Errors
///
/// As [`approve`], and [`Rejection::RefundTooLarge`] when the money was withdrawn while the refund waited: it waits on, and
/// can be refused.
pub fn approve_refund(
    effect: &mut Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    (approval, word): (Approval, PersonsWord),
    now: Timestamp,
) -> Result<Resolved, Rejection> {
    let closing = closing_of(effect, approval)?;
    if approval == Approval::Approved && payment.left_amount() < 0 {
        let refundable_amount = (payment.left_amount() + refund.money.amount).max(0);
        return Err(Rejection::RefundTooLarge { refundable_amount });
    }
    let postings = learn_refund::settle(refund, payment, balances, closing).map_err(|_| Rejection::BookFull)?;
    follow(effect, approval, now);
    refund.parked_by = None;
    refund.status = match approval {
        Approval::Approved => RefundStatus::of_effect(effect, None),
        Approval::Refused => RefundStatus::Canceled,
    };
    let record = learn_refund::advanced(effect, refund, Source::Person(word), approval.name().into());
    let closing_of_hold = closing.map(|closing| (refund_hold_of(refund.id), closing));
    let record = Record::RefundAdvanced(RefundAdvanced { closing: closing_of_hold, postings, ..record });
    Ok(Resolved { records: vec![record], closing })
}

/// How the hold ends; none when it stays.
fn closing_of(effect: &Effect, approval: Approval) -> Result<Option<Closing>, Rejection> {
    if effect.parked_by.is_none() {
        return Err(Rejection::NotParked);
    }
    Ok(match approval {
        Approval::Approved => None,
        Approval::Refused => Some(Closing::Voided),
    })
}

fn follow(effect: &mut Effect, approval: Approval, now: Timestamp) {
    effect.parked_by = None;
    (effect.state, effect.due_at) = match approval {
        Approval::Approved => (State::Intended, Some(now)),
        Approval::Refused => (State::Canceled, None),
    };
}
