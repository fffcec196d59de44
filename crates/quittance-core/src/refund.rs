//! A refund, and how its status follows from its effect.

use crate::brake::Limit;
use crate::effect::{Effect, State};
use crate::fact::ObjectStatus;
use crate::id::{CommandId, CustomerId, EffectId, PaymentId, RefundId, TenantId};
use crate::money::Money;
use crate::time::Timestamp;

/// What a client sees of a refund's progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefundStatus {
    /// Under way.
    Pending,
    /// The customer has to act, say to name a bank account.
    RequiresAction,
    /// The money went back.
    Succeeded,
    /// It did not, or it was returned by the bank.
    Failed,
    /// Given up before any money moved.
    Canceled,
    /// It may have been refunded; being found out.
    Unknown,
    /// A person has to decide.
    Review,
}

impl RefundStatus {
    /// Every status, in order.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::RequiresAction,
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
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
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

    /// Whether the client's question is answered: final, or waiting for somebody else for days.
    #[must_use]
    pub const fn is_answerable(self, state: State) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Canceled | Self::RequiresAction => true,
            // The gateway has it and says "pending": that takes days, and is an answer.
            Self::Pending => matches!(state, State::Pending),
            Self::Unknown | Self::Review => false,
        }
    }

    /// Whether it gives back nothing, so that its amount and its reference are free again.
    #[must_use]
    pub const fn is_void(self) -> bool {
        match self {
            Self::Failed | Self::Canceled => true,
            Self::Pending | Self::RequiresAction | Self::Succeeded | Self::Unknown | Self::Review => false,
        }
    }

    /// The status that an effect gives its refund; `pending` is the object's own word.
    #[must_use]
    pub const fn of_effect(effect: &Effect, pending: Option<&ObjectStatus>) -> Self {
        match effect.state {
            State::Intended | State::Sending | State::NotExecuted => Self::Pending,
            State::Unknown => Self::Unknown,
            State::Pending => match pending {
                Some(ObjectStatus::RequiresAction) => Self::RequiresAction,
                _ => Self::Pending,
            },
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Canceled => Self::Canceled,
            State::Review => Self::Review,
        }
    }
}

/// A refund: one attempt to give money of a payment back, under a reference of the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The book of its payment.
    pub book: CustomerId,
    /// The tenant.
    pub tenant: TenantId,
    /// The payment it gives back.
    pub payment: PaymentId,
    /// The command that asked for it.
    pub command: CommandId,
    /// The effect that carries it out.
    pub effect: EffectId,
    /// How much of what.
    pub money: Money,
    /// The configured gateway.
    pub gateway: String,
    /// The client's own name for it, unique among the payment's refunds that are not void; none where the client
    /// named what it expected to be refunded before.
    pub reference: Option<String>,
    /// Why, in the gateway's words (`duplicate`, `fraudulent`, `requested_by_customer`).
    pub reason: Option<String>,
    /// Where it stands.
    pub status: RefundStatus,
    /// The brake that holds it back until a person approves.
    pub parked_by: Option<Limit>,
    /// The gateway's object.
    pub gateway_object: Option<String>,
    /// Why it failed, in the gateway's word.
    pub failure_code: Option<String>,
    /// When it was accepted.
    pub created_at: Timestamp,
}
