//! Refusals by the rules: outcomes with a stable code, part of the API.

use crate::brake::Over;
use crate::currency::Currency;
use crate::dispute::DisputeStatus;
use crate::id::{CommandId, DisputeId, PaymentId, RefundId};
use crate::payment::Status;

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The key was used for something else.
    #[error("this idempotency key was already used for a different request")]
    KeyReused,
    /// The key's answer is gone; what it began is still there.
    #[error("this idempotency key has expired; look at what it created instead of sending it again")]
    KeyExpired {
        /// What it began.
        command: CommandId,
        /// The resource it made, if any.
        subject: Option<String>,
    },
    /// The same payment is asked for again under another key.
    #[error("a payment with this reference exists and has not failed")]
    DuplicateIntent {
        /// The command that asked first.
        command: CommandId,
        /// The payment it made.
        payment: PaymentId,
    },
    /// No such customer.
    #[error("no customer is known by this id")]
    CustomerNotFound,
    /// The customer's id or external id is taken.
    #[error("a customer with this {field} exists")]
    CustomerExists {
        /// Which of the two.
        field: &'static str,
    },
    /// No gateway of that name is configured.
    #[error("no gateway is configured under this name")]
    GatewayNotFound,
    /// The gateway cannot express the amount.
    #[error("the gateway cannot take this amount: {reason}")]
    AmountNotRepresentable {
        /// Why.
        reason: String,
    },
    /// Only what is in review can be resolved by a person.
    #[error("this effect is not in review; its outcome is known or being found out")]
    NotInReview,
    /// A brake holds it back: nothing was sent, so nothing can have happened.
    #[error("nothing of this was ever sent; it waits to be approved or refused")]
    NeverSent,
    /// No brake holds it back, so there is nothing to approve.
    #[error("no brake holds this back; there is nothing to approve or to refuse")]
    NotParked,
    /// Whoever asked for something does not approve it.
    #[error("this was asked for with the same credential; somebody else has to approve it")]
    OwnRequest,
    /// A brake stopped it.
    #[error("{0}")]
    OverLimit(Box<Over>),
    /// A person says that what was asked for came, and the gateway said another amount.
    #[error("the gateway says that {received_amount} minor units came; say in `amount` how much did")]
    ReceivedAmountDiffers {
        /// What the gateway last said, minor units.
        received_amount: i64,
    },
    /// A person says that an amount came which cannot have.
    #[error("between {amount_min} and {amount_max} minor units can have moved here")]
    ResolvedAmount {
        /// The least, minor units.
        amount_min: i64,
        /// The most, minor units.
        amount_max: i64,
    },
    /// No money is said to have moved where it was booked when the hold was closed.
    #[error("the money was booked when the hold was closed; resolve it as succeeded")]
    HoldIsGone,
    /// No such payment.
    #[error("no payment is known by this id")]
    PaymentNotFound,
    /// The gateway offers nothing of the kind.
    #[error("this gateway does not offer {operation}")]
    NotOffered {
        /// What was asked for.
        operation: &'static str,
    },
    /// The payment does not wait for its capture.
    #[error("only a payment that requires capture can be captured; this one is {status}", status = status.name())]
    NotCapturable {
        /// Where it stands.
        status: Status,
    },
    /// More is to be captured than was authorised.
    #[error("at most the authorised {authorised_amount} minor units can be captured")]
    CaptureTooLarge {
        /// What was authorised, minor units.
        authorised_amount: i64,
    },
    /// The payment cannot be given up.
    #[error("this payment can no longer be canceled; it is {status}", status = status.name())]
    NotCancelable {
        /// Where it stands.
        status: Status,
    },
    /// The payment has no money that could be given back.
    #[error("only a payment that succeeded can be refunded; this one is {status}", status = status.name())]
    NotRefundable {
        /// Where it stands.
        status: Status,
    },
    /// The refund is in another currency than its payment.
    #[error("the payment is in {currency}; a refund is in the currency of its payment")]
    RefundCurrency {
        /// The payment's currency.
        currency: Currency,
    },
    /// More is to be given back than is left.
    #[error("at most {refundable_amount} minor units of this payment can still be refunded")]
    RefundTooLarge {
        /// What is left, minor units.
        refundable_amount: i64,
    },
    /// The client expected another amount to have been refunded.
    #[error("{refunded_amount} minor units of this payment are refunded or being refunded, not what was expected")]
    RefundedAmountDiffers {
        /// What is refunded or being refunded, minor units.
        refunded_amount: i64,
    },
    /// The same refund is asked for again under another key.
    #[error("a refund of this payment with this reference exists and has not failed")]
    DuplicateRefund {
        /// The command that asked first.
        command: CommandId,
        /// The refund it made.
        refund: RefundId,
    },
    /// The same stage of a dispute is answered again under another key.
    #[error("evidence for this stage of the dispute was accepted before and has not failed")]
    DuplicateEvidence {
        /// The command that asked first.
        command: CommandId,
        /// The dispute.
        dispute: DisputeId,
    },
    /// The dispute takes no evidence as it stands.
    #[error("a dispute takes evidence while it needs a response; this one is {status}", status = status.name())]
    EvidenceNotTaken {
        /// Where it stands.
        status: DisputeStatus,
    },
    /// The deadline for evidence has passed.
    #[error("the deadline for evidence has passed")]
    EvidenceTooLate,
    /// The gateway refused the step.
    #[error("the gateway refused: {gateway_code}")]
    RefusedByGateway {
        /// The gateway's code.
        gateway_code: String,
    },
    /// No such endpoint of outgoing events.
    #[error("no webhook endpoint is known by this id")]
    EndpointNotFound,
    /// The tenant has as many endpoints as it may.
    #[error("a tenant has {endpoints_max} webhook endpoints at most")]
    TooManyEndpoints {
        /// How many.
        endpoints_max: usize,
    },
    /// The book's balances would overflow.
    #[error("the book cannot hold a further amount of this size")]
    BookFull,
}

impl Rejection {
    /// Stable code, as the API's problem documents carry it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyReused => "idempotency-key-reused",
            Self::KeyExpired { .. } => "idempotency-key-expired",
            Self::DuplicateIntent { .. } => "duplicate-intent",
            Self::CustomerNotFound => "customer-not-found",
            Self::CustomerExists { .. } => "customer-exists",
            Self::GatewayNotFound => "gateway-not-found",
            Self::AmountNotRepresentable { .. } => "amount-not-representable",
            Self::NotInReview => "not-in-review",
            Self::NeverSent => "never-sent",
            Self::NotParked => "not-parked",
            Self::OwnRequest => "own-request",
            Self::OverLimit(_) => "brake",
            Self::ReceivedAmountDiffers { .. } => "received-amount-differs",
            Self::ResolvedAmount { .. } => "resolved-amount",
            Self::HoldIsGone => "hold-is-gone",
            Self::PaymentNotFound => "payment-not-found",
            Self::NotOffered { .. } => "not-offered",
            Self::NotCapturable { .. } => "not-capturable",
            Self::CaptureTooLarge { .. } => "capture-too-large",
            Self::NotCancelable { .. } => "not-cancelable",
            Self::NotRefundable { .. } => "not-refundable",
            Self::RefundCurrency { .. } => "refund-currency",
            Self::RefundTooLarge { .. } => "refund-too-large",
            Self::RefundedAmountDiffers { .. } => "refunded-amount-differs",
            Self::DuplicateRefund { .. } => "duplicate-refund",
            Self::DuplicateEvidence { .. } => "duplicate-evidence",
            Self::EvidenceNotTaken { .. } => "evidence-not-taken",
            Self::EvidenceTooLate => "evidence-too-late",
            Self::RefusedByGateway { .. } => "refused-by-gateway",
            Self::EndpointNotFound => "endpoint-not-found",
            Self::TooManyEndpoints { .. } => "too-many-endpoints",
            Self::BookFull => "book-full",
        }
    }
}
