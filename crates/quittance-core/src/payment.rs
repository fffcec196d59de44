//! A payment, and how its status follows from its effect.

use crate::effect::{Effect, State, Step};
use crate::fact::{Decline, ObjectStatus};
use crate::id::{CommandId, CustomerId, EffectId, PaymentId, TenantId};
use crate::money::Money;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What a client sees of a payment's progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Under way; no money can be in doubt yet, or the gateway itself is working on it.
    Processing,
    /// The customer has to authenticate.
    RequiresAction,
    /// Authorised, not captured.
    RequiresCapture,
    /// Money moved.
    Succeeded,
    /// No money moved, and none can.
    Failed,
    /// Given up before any money moved.
    Canceled,
    /// It may have been charged; being found out.
    Unknown,
    /// A person has to decide.
    Review,
}

impl Status {
    /// Every status, in order.
    pub const ALL: [Self; 8] = [
        Self::Processing,
        Self::RequiresAction,
        Self::RequiresCapture,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Unknown,
        Self::Review,
    ];

    /// Stable name, as the API spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::RequiresAction => "requires_action",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
            Self::Review => "review",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nothing more is going to happen by itself.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Canceled => true,
            Self::Processing | Self::RequiresAction | Self::RequiresCapture | Self::Unknown | Self::Review => false,
        }
    }

    /// Whether the client's question is answered: final, or the next word is the client's.
    #[must_use]
    pub const fn is_answerable(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Canceled | Self::RequiresAction | Self::RequiresCapture => true,
            Self::Processing | Self::Unknown | Self::Review => false,
        }
    }

    /// Whether the payment's reference may be used for another attempt.
    #[must_use]
    pub const fn frees_reference(self) -> bool {
        match self {
            Self::Failed | Self::Canceled => true,
            Self::Processing
            | Self::RequiresAction
            | Self::RequiresCapture
            | Self::Succeeded
            | Self::Unknown
            | Self::Review => false,
        }
    }

    /// The status that an effect under way gives its payment; `pending` is the object's own word.
    #[must_use]
    pub const fn of_effect(effect: &Effect, pending: Option<&ObjectStatus>) -> Self {
        match (effect.state, effect.step) {
            (State::Intended | State::Sending, _) | (State::Unknown, Step::Create) => Self::Processing,
            (State::Unknown, Step::Confirm | Step::Cancel) => Self::Unknown,
            (State::Pending, _) => match pending {
                Some(ObjectStatus::RequiresAction) => Self::RequiresAction,
                Some(ObjectStatus::RequiresCapture) => Self::RequiresCapture,
                _ => Self::Processing,
            },
            (State::Succeeded, _) => Self::Succeeded,
            (State::Failed, _) => Self::Failed,
            (State::Canceled, _) => Self::Canceled,
            (State::Review, _) => Self::Review,
        }
    }
}

/// A payment: one attempt to collect an amount from a customer under a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The customer, whose id names the book.
    pub book: CustomerId,
    /// The tenant.
    pub tenant: TenantId,
    /// The command that asked for it.
    pub command: CommandId,
    /// The effect that carries it out.
    pub effect: EffectId,
    /// How much of what.
    pub money: Money,
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's token for how it is paid.
    pub payment_method: String,
    /// The client's own name for what is being paid.
    pub reference: String,
    /// Where it stands.
    pub status: Status,
    /// Amount that moved to us, minor units.
    pub captured_amount: i64,
    /// Amount given back, minor units.
    pub refunded_amount: i64,
    /// The gateway's object.
    pub gateway_object: Option<String>,
    /// Why it failed.
    pub decline: Option<Decline>,
    /// What the customer has to do next, as the gateway's JSON text.
    pub next_action: Option<String>,
    /// The client's description.
    pub description: Option<String>,
    /// The client's own fields.
    pub metadata: BTreeMap<String, String>,
    /// When it was accepted.
    pub created_at: Timestamp,
}
