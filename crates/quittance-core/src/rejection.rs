//! Refusals by the rules: outcomes with a stable code, part of the API.

use crate::id::{CommandId, PaymentId};

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
    /// The decision contradicts how the payment's hold was closed.
    #[error("the payment's hold was closed the other way; record the money by itself, this payment stays in review")]
    HoldIsGone,
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
            Self::HoldIsGone => "hold-is-gone",
            Self::BookFull => "book-full",
        }
    }
}
