//! What has to go together in any history: money with its hold, an end with its status, a status with its hold.

use super::ReplayError;
use crate::account::Side;
use crate::brake::Limit;
use crate::effect::{Source, State, Step, Subject};
use crate::id::HoldId;
use crate::journal::Closing;
use crate::ledger::Posting;
use crate::money::Money;
use crate::payment::Status;
use crate::refund::RefundStatus;

/// The hold of a payment or a refund is all of its money, in its currency, and nothing else.
pub(super) fn check_money(hold: HoldId, money: Money, postings: &[Posting]) -> Result<(), ReplayError> {
    let is_other = postings.iter().any(|posting| posting.currency != money.currency);
    let is_nothing = money.amount <= 0;
    if is_other || is_nothing || debits(postings) != i128::from(money.amount) {
        return Err(ReplayError::OtherMoney(hold));
    }
    Ok(())
}

/// What stands on the left of postings in one currency, minor units.
pub(super) fn debits(postings: &[Posting]) -> i128 {
    let debits = postings.iter().filter(|posting| posting.side == Side::Debit);
    debits.map(|posting| i128::from(posting.amount)).sum()
}

/// Whether postings are on the same accounts, sides and currencies as others.
pub(super) fn has_shape(postings: &[Posting], others: &[Posting]) -> bool {
    let is_like = |(one, other): (&Posting, &Posting)| {
        (&one.account, one.side, one.currency) == (&other.account, other.side, other.currency)
    };
    postings.len() == others.len() && postings.iter().zip(others).all(is_like)
}

/// Whether postings are others, or a part of them.
pub(super) fn is_part(postings: &[Posting], others: &[Posting]) -> bool {
    has_shape(postings, others) && postings.iter().zip(others).all(|(part, whole)| part.amount <= whole.amount)
}

/// Postings that undo others.
pub(super) fn turned_round(postings: &[Posting]) -> Vec<Posting> {
    let turn = |side| match side {
        Side::Debit => Side::Credit,
        Side::Credit => Side::Debit,
    };
    postings.iter().map(|posting| Posting { side: turn(posting.side), ..posting.clone() }).collect()
}

/// Which requests an effect can consist of.
pub(super) const fn has_step(subject: Subject, step: Step) -> bool {
    match subject {
        Subject::Payment => !matches!(step, Step::Submit),
        Subject::Refund(_) => matches!(step, Step::Execute),
        Subject::Dispute(_) => matches!(step, Step::Submit),
    }
}

/// Whether a record may take an effect from one state to the other. A contradiction asks a person, and nobody else has
/// the next word then. What a brake held back may begin after all, or be given up by its client, if nothing of it was ever
/// sent; a brake holds back only what was not.
pub(super) const fn may_become(from: State, to: State, source: &Source, was_sent: bool) -> bool {
    let is_persons = matches!(source, Source::Person(_));
    match (from, to) {
        _ if matches!(source, Source::Brake(_)) => matches!((from, to), (State::Intended, State::Review)) && !was_sent,
        (State::Review, State::Canceled) if matches!(source, Source::Client) => !was_sent,
        (State::Intended | State::Sending | State::Unknown | State::Pending | State::NotExecuted, _)
        | (_, State::Review)
        | (State::Succeeded, State::Succeeded)
        | (State::Failed, State::Failed)
        | (State::Canceled, State::Canceled) => true,
        (State::Review, State::Succeeded | State::Failed | State::Canceled) => is_persons,
        (State::Review, State::Intended) => is_persons && !was_sent,
        (State::Succeeded | State::Failed | State::Canceled | State::Review, _) => false,
    }
}

/// The brake that holds back what a record moved; none after any other record.
pub(super) const fn parked_by(source: &Source) -> Option<Limit> {
    match source {
        Source::Brake(limit) => Some(*limit),
        _ => None,
    }
}

/// The status that a payment has to have at the end of its effect; none before.
pub(super) const fn end_of(state: State) -> Option<Status> {
    match state {
        State::Intended | State::Sending | State::Unknown | State::Pending | State::NotExecuted => None,
        State::Succeeded => Some(Status::Succeeded),
        State::Failed => Some(Status::Failed),
        State::Canceled => Some(Status::Canceled),
        State::Review => Some(Status::Review),
    }
}

/// The status that a refund has to have at the end of its effect; none before.
pub(super) const fn end_of_refund(state: State) -> Option<RefundStatus> {
    match state {
        State::Intended | State::Sending | State::Unknown | State::Pending | State::NotExecuted => None,
        State::Succeeded => Some(RefundStatus::Succeeded),
        State::Failed => Some(RefundStatus::Failed),
        State::Canceled => Some(RefundStatus::Canceled),
        State::Review => Some(RefundStatus::Review),
    }
}

/// Whether a payment of this status may have its hold closed like this. In review it may be either: a contradiction
/// undoes nothing. Money that came after the hold was let go is booked without it.
pub(super) const fn fits(status: Status, closing: Option<Closing>, is_received: bool) -> bool {
    match status {
        Status::Succeeded => match closing {
            Some(Closing::Posted) => true,
            Some(Closing::Voided) => is_received,
            None => false,
        },
        Status::Failed | Status::Canceled => matches!(closing, Some(Closing::Voided)) && !is_received,
        Status::Review => true,
        Status::Processing | Status::RequiresAction | Status::RequiresCapture | Status::Unknown => closing.is_none(),
    }
}

/// The same for a refund.
pub(super) const fn fits_refund(status: RefundStatus, closing: Option<Closing>, is_paid: bool) -> bool {
    match status {
        RefundStatus::Succeeded => match closing {
            Some(Closing::Posted) => true,
            Some(Closing::Voided) => is_paid,
            None => false,
        },
        RefundStatus::Failed | RefundStatus::Canceled => matches!(closing, Some(Closing::Voided)) && !is_paid,
        RefundStatus::Review => true,
        RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Unknown => closing.is_none(),
    }
}
