//! What has to go together in any history: money with its hold, an end with its status, a status with its hold.

use super::ReplayError;
use crate::account::Side;
use crate::effect::State;
use crate::id::HoldId;
use crate::journal::Closing;
use crate::ledger::Posting;
use crate::money::Money;
use crate::payment::Status;

/// The hold of a payment is all of its money, in its currency, and nothing else.
pub(super) fn check_money(hold: HoldId, money: Money, postings: &[Posting]) -> Result<(), ReplayError> {
    let debits = postings.iter().filter(|posting| posting.side == Side::Debit);
    let sum: i128 = debits.map(|posting| i128::from(posting.amount)).sum();
    let is_other = postings.iter().any(|posting| posting.currency != money.currency);
    if is_other || sum != i128::from(money.amount) { Err(ReplayError::OtherMoney(hold)) } else { Ok(()) }
}

/// Whether a record may take an effect from one state to the other. A contradiction asks a person, whose word may be
/// any.
pub(super) const fn may_become(from: State, to: State) -> bool {
    match (from, to) {
        (State::Intended | State::Sending | State::Unknown | State::Pending, _) | (_, State::Review) => true,
        (State::Succeeded, State::Succeeded)
        | (State::Failed, State::Failed)
        | (State::Canceled, State::Canceled)
        | (State::Review, State::Succeeded | State::Failed | State::Canceled) => true,
        (State::Succeeded | State::Failed | State::Canceled | State::Review, _) => false,
    }
}

/// The status that a payment has to have at the end of its effect; none before.
pub(super) const fn end_of(state: State) -> Option<Status> {
    match state {
        State::Intended | State::Sending | State::Unknown | State::Pending => None,
        State::Succeeded => Some(Status::Succeeded),
        State::Failed => Some(Status::Failed),
        State::Canceled => Some(Status::Canceled),
        State::Review => Some(Status::Review),
    }
}

/// Whether a payment of this status may have its hold closed like this. In review it may be either: a contradiction
/// undoes nothing.
pub(super) const fn fits(status: Status, closing: Option<Closing>) -> bool {
    match status {
        Status::Succeeded => matches!(closing, Some(Closing::Posted)),
        Status::Failed | Status::Canceled => matches!(closing, Some(Closing::Voided)),
        Status::Review => true,
        Status::Processing | Status::RequiresAction | Status::RequiresCapture | Status::Unknown => closing.is_none(),
    }
}
