//! Why a journal cannot be what happened.

use crate::effect::{State, Step};
use crate::id::{DisputeId, EffectId, HoldId, PaymentId, RefundId};
use crate::journal::{Closing, Correction};
use crate::ledger::LedgerError;
use crate::payment::Status;
use crate::refund::RefundStatus;

/// Why a journal cannot be what happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Something before the book was opened, or a second opening.
    #[error("the book is not opened exactly once, first")]
    Opening,
    /// The same payment, refund, effect or hold twice.
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
    /// What is posted is not what a client asked to capture.
    #[error("{0} is posted with another amount than was asked for")]
    OtherCapture(HoldId),
    /// The hold is not as large as its payment or refund.
    #[error("{0} does not hold the amount of what it is for")]
    OtherMoney(HoldId),
    /// A payment, refund or dispute is moved by an effect, closes a hold or has an object that belongs to another.
    #[error("{0} is given what belongs to another")]
    Foreign(String),
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
    /// The effect and its refund say different things of how it ended.
    #[error("{refund} is {status}, but its effect is {state}", status = status.name(), state = state.name())]
    RefundDisagrees {
        /// The refund.
        refund: RefundId,
        /// Its status.
        status: RefundStatus,
        /// Its effect's state.
        state: State,
    },
    /// The refund's status needs the hold closed in another way, or open.
    #[error("{refund} is {status}, but its hold is {hold}", status = status.name(),
        hold = closing.map_or("open", Closing::name))]
    RefundHoldDisagrees {
        /// The refund.
        refund: RefundId,
        /// Its status.
        status: RefundStatus,
        /// What became of its hold.
        closing: Option<Closing>,
    },
    /// Money is given back that never came.
    #[error("{payment} is refunded, but is {status}", status = status.name())]
    NotRefundable {
        /// The payment.
        payment: PaymentId,
        /// Its status.
        status: Status,
    },
    /// More is given back than is left.
    #[error("{0} gives back more than is left of its payment")]
    TooMuch(RefundId),
    /// The reference names another refund of the payment, which is not void.
    #[error("{refund} has the reference of {holder}")]
    ReferenceHeld {
        /// The refund.
        refund: RefundId,
        /// The refund that has the reference.
        holder: RefundId,
    },
    /// A capture is asked for, but nothing is authorised.
    #[error("{payment} is asked to be captured, but is {status}", status = status.name())]
    NotCapturable {
        /// The payment.
        payment: PaymentId,
        /// Its status.
        status: Status,
    },
    /// More is asked to be captured than is authorised, or nothing.
    #[error("{payment} is asked to be captured by {amount}")]
    CaptureOutOfRange {
        /// The payment.
        payment: PaymentId,
        /// What was asked for, minor units.
        amount: i64,
    },
    /// A payment is asked to be given up that is over.
    #[error("{payment} is asked to be canceled, but is {status}", status = status.name())]
    NotCancelable {
        /// The payment.
        payment: PaymentId,
        /// Its status.
        status: Status,
    },
    /// A ticket for a capture that nobody asked for.
    #[error("{0} is sent to be captured, but nobody asked for it")]
    NotAsked(EffectId),
    /// A correction of what did not happen so.
    #[error("{effect} cannot be corrected by {correction}", correction = correction.name())]
    NotCorrectable {
        /// The effect.
        effect: EffectId,
        /// The correction.
        correction: Correction,
    },
    /// A correction posts something else than what it corrects.
    #[error("the correction of {0} does not post what it says")]
    OtherCorrection(EffectId),
    /// A movement at a gateway is booked a second time.
    #[error("the movement {0:?} is booked twice")]
    BookedTwice(String),
    /// What a gateway withdrew changes without a movement there.
    #[error("{0} moves money without a movement at the gateway")]
    Unmoved(DisputeId),
    /// More is reinstated than was withdrawn, or found again than was lost.
    #[error("{0} brings back more than it took")]
    Reinstated(DisputeId),
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
    /// A ticket in a generation that was proven not to be carried out.
    #[error("{0} was sent again where a new generation was due")]
    SentAgain(EffectId),
    /// A ticket under a new key for what one request carries out, while an earlier one may have been.
    #[error("{0} was sent under a new key, and nothing proved that the last one was not carried out")]
    SentUnproven(EffectId),
    /// A ticket of a step that belongs to another kind of effect.
    #[error("{effect} has no step {step}", step = step.name())]
    NoSuchStep {
        /// The effect.
        effect: EffectId,
        /// The step.
        step: Step,
    },
    /// The postings do not add up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
