//! A payment, and how its status follows from its effect.

use crate::brake::Limit;
use crate::effect::{Effect, State, Step};
use crate::fact::{Decline, ObjectKind, ObjectStatus};
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
            (State::Intended | State::Sending | State::NotExecuted, _) | (State::Unknown, Step::Create) => {
                Self::Processing
            }
            (State::Unknown, Step::Confirm | Step::Cancel | Step::Capture | Step::Execute | Step::Submit) => {
                Self::Unknown
            }
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

/// When what is authorised is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptureMethod {
    /// At once.
    #[default]
    Automatic,
    /// When the client asks for it.
    Manual,
}

impl CaptureMethod {
    /// Stable name, as the API spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }

    /// The method of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Automatic, Self::Manual].into_iter().find(|method| method.name() == name)
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
    /// When what is authorised is taken.
    pub capture_method: CaptureMethod,
    /// Where the customer comes back to after authenticating.
    pub return_url: Option<String>,
    /// The client's own name for what is being paid.
    pub reference: String,
    /// Where it stands.
    pub status: Status,
    /// Amount that moved to us, minor units.
    pub captured_amount: i64,
    /// Amount given back, minor units.
    pub refunded_amount: i64,
    /// Amount of refunds under way: neither proven nor void, minor units.
    pub refunding_amount: i64,
    /// Amount that the gateway has withdrawn because of disputes, minor units.
    pub disputed_amount: i64,
    /// Amount that went back after it had moved, other than by refunds and disputes, minor units.
    pub returned_amount: i64,
    /// The brake that holds it back until a person approves.
    pub parked_by: Option<Limit>,
    /// The gateway's object.
    pub gateway_object: Option<String>,
    /// What kind of object that is.
    pub object_kind: ObjectKind,
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

impl Payment {
    /// What can still be given back: what we have, less what is on its way back or withdrawn already. Never below zero.
    #[must_use]
    pub const fn refundable_amount(&self) -> i64 {
        let left = self.left_amount();
        if left > 0 { left } else { 0 }
    }

    /// Whether more is given back, or on its way back, than came: possible only where a refund went through after it had
    /// failed, and others were made in its place.
    #[must_use]
    pub const fn is_overrefunded(&self) -> bool {
        self.refunded_amount + self.refunding_amount > self.captured_amount
    }

    /// What is left once every refund under way has gone, minor units: below zero where the gateway withdrew meanwhile what
    /// was still to be given back.
    #[must_use]
    pub const fn left_amount(&self) -> i64 {
        let gone = self.refunded_amount + self.refunding_amount + self.disputed_amount + self.returned_amount;
        self.captured_amount - gone
    }
}
