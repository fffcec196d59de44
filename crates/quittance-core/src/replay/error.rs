//! Why a journal cannot be what happened.

use crate::effect::State;
use crate::id::{EffectId, HoldId, PaymentId};
use crate::journal::Closing;
use crate::ledger::LedgerError;
use crate::payment::Status;

/// Why a journal cannot be what happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Something before the book was opened, or a second opening.
    #[error("the book is not opened exactly once, first")]
    Opening,
    /// The same payment, effect or hold twice.
    #[error("{0} is accepted twice")]
    Twice(String),
    /// A record about something that was never accepted.
    #[error("{0} was never accepted")]
    Unheard(String),
    /// A hold that is not open is closed.
    #[error("{0} is closed, but is not open")]
    NotOpen(HoldId),
    /// What is posted is not what was held.
    #[error("{0} is closed with other postings than it held")]
    OtherPostings(HoldId),
    /// The hold is not as large as its payment.
    #[error("{0} does not hold the amount of its payment")]
    OtherMoney(HoldId),
    /// A payment is moved by an effect, or closes a hold, that belongs to another.
    #[error("{0} is given what belongs to another payment")]
    Foreign(PaymentId),
    /// The effect and its payment say different things of how it ended.
    #[error("{payment} is {status}, but its effect is {state}", status = status.name(), state = state.name())]
    Disagreement {
        /// The payment.
        payment: PaymentId,
        /// Its status.
        status: Status,
        /// Its effect's state.
        state: State,
    },
    /// The status needs the hold closed in another way, or open.
    #[error("{payment} is {status}, but its hold is {hold}", status = status.name(),
        hold = closing.map_or("open", Closing::name))]
    HoldDisagrees {
        /// The payment.
        payment: PaymentId,
        /// Its status.
        status: Status,
        /// What became of its hold.
        closing: Option<Closing>,
    },
    /// What was decided is decided; only a person may be asked about it again.
    #[error("{effect} was {from} and becomes {to}", from = from.name(), to = to.name())]
    Undecided {
        /// The effect.
        effect: EffectId,
        /// Its state before.
        from: State,
        /// Its state after.
        to: State,
    },
    /// A ticket for an effect that was already decided.
    #[error("{0} was sent after it was decided")]
    SentAfterwards(EffectId),
    /// The postings do not add up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
