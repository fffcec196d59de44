//! What a gateway's answer says: facts, decoded by the connectors and judged by the effect machine.
//!
//! A fact says what was seen, not what follows from it: the same `429` means "not executed" on the first send of a
//! key and nothing at all on a replay, and only the machine knows which of the two it was.

use crate::dispute::DisputeSighting;
use crate::id::{CustomerId, EffectId};
use crate::money::Money;

/// What kind of object a gateway shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A two-phase payment: inert until it is confirmed (Stripe's payment intent).
    Payment,
    /// A payment that is made in one request (Stripe's charge, a rail's transfer).
    Charge,
    /// Money given back.
    Refund,
    /// A cardholder's complaint.
    Dispute,
}

impl ObjectKind {
    /// Every kind, in order.
    pub const ALL: [Self; 4] = [Self::Payment, Self::Charge, Self::Refund, Self::Dispute];

    /// Stable name, stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One authoritative sighting of a gateway's object that stands for a payment or a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// The gateway's own id of the object (`pi_…`).
    pub object_id: String,
    /// The gateway's object it belongs to: a refund's payment or charge, a charge's payment intent.
    pub parent: Option<String>,
    /// Where the object stands.
    pub status: ObjectStatus,
    /// Amount the object is for, in our minor units.
    pub money: Money,
    /// Amount that moved to us, in minor units; 0 until it succeeds.
    pub received_amount: i64,
    /// The gateway's id of the newest charge attempt on the object, if there was one.
    pub latest_charge: Option<String>,
    /// SHA-256 of the object's last payment error, if it carries one.
    pub error_digest: Option<[u8; 32]>,
    /// The decline the object reports, if its last attempt was declined.
    pub decline: Option<Decline>,
    /// The payment method attached to the object now.
    pub payment_method: Option<String>,
    /// Our effect id, as carried in the object's metadata.
    pub effect_id: Option<EffectId>,
    /// The book of that effect, as carried beside it.
    pub book: Option<CustomerId>,
    /// The key we sent as our own reference, where the gateway carries that instead of an effect id.
    pub reference: Option<String>,
    /// The client's reference of the payment, as carried in the object's metadata.
    pub payment_reference: Option<String>,
    /// What the customer has to do next, as the gateway's own JSON text; opaque here.
    pub next_action: Option<String>,
    /// Money that went back after it had moved: a late failure, in the gateway's own books.
    pub returned: Option<Returned>,
}

/// A movement at the gateway that takes back what an object had moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The gateway's id of the movement, or of the object where movements have none; booked once.
    pub movement: String,
    /// How much, in minor units of the object's currency; above zero.
    pub amount: i64,
}

/// Status of a two-phase payment object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectStatus {
    /// Nothing was tried, or the last attempt was declined.
    RequiresPaymentMethod,
    /// Inert and ready to be confirmed.
    RequiresConfirmation,
    /// The customer has to authenticate.
    RequiresAction,
    /// Money is on its way; no final word yet.
    Processing,
    /// Authorised, not captured.
    RequiresCapture,
    /// Money moved.
    Succeeded,
    /// Fenced: no operation on it can ever succeed again.
    Canceled,
    /// It failed for good. Only objects of one request end like this; one that can be confirmed again does not.
    Failed,
    /// A word this version does not know; recorded and alarmed, never guessed at.
    Unrecognised(String),
}

/// Why a payment method was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// The gateway's most specific code (`insufficient_funds`).
    pub code: String,
    /// Whether trying the same method again later may succeed.
    pub is_retryable: bool,
}

/// What one delivery of a request told us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// 2xx with a readable payment or refund.
    Seen(Sighting),
    /// 2xx with a readable dispute.
    SeenDispute(Box<DisputeSighting>),
    /// The gateway says that no such object exists (404 on a read).
    Absent,
    /// A payment method was declined (402, whatever the error's type).
    Declined {
        /// Why.
        decline: Decline,
        /// The object as the error carried it.
        sighting: Option<Sighting>,
    },
    /// 400 or 404: the request itself was refused.
    Refused {
        /// The gateway's code, or its error type where there is none.
        code: String,
        /// Whether the answer was marked as a stored one (`Idempotent-Replayed: true`).
        is_replayed: bool,
        /// The object as the error carried it.
        sighting: Option<Sighting>,
    },
    /// 401 or 403: our credentials were not accepted.
    Unauthorised,
    /// 429: refused before execution.
    Throttled {
        /// The gateway's wish, capped by the caller.
        retry_after_ms: Option<u64>,
    },
    /// 409: another request with this key is under way.
    InUse,
    /// The key was used with other parameters: our own bug.
    KeyMismatch,
    /// No byte of the request left this machine.
    NotSent,
    /// Bytes left and no answer can be trusted.
    Lost(Loss),
}

impl Fact {
    /// The fact in one word, for journals and traces: `seen:succeeded`, `declined:expired_card`, `lost:timeout`.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Seen(sighting) => sighting.word(),
            Self::SeenDispute(dispute) => dispute.word(),
            Self::Absent => "absent".into(),
            Self::Declined { decline, .. } => format!("declined:{}", decline.code),
            Self::Refused { code, .. } => format!("refused:{code}"),
            Self::Unauthorised => "unauthorised".into(),
            Self::Throttled { .. } => "throttled".into(),
            Self::InUse => "in_use".into(),
            Self::KeyMismatch => "key_mismatch".into(),
            Self::NotSent => "not_sent".into(),
            Self::Lost(loss) => format!("lost:{}", loss.name()),
        }
    }
}

impl Sighting {
    /// The sighting in one word.
    #[must_use]
    pub fn word(&self) -> String {
        format!("seen:{}", self.status.name())
    }
}

impl ObjectStatus {
    /// The gateway's own word.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Unrecognised(word) => word,
        }
    }
}

impl Loss {
    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::ServerError => "server_error",
            Self::Unavailable => "unavailable",
            Self::Unclear => "unclear",
            Self::Unreadable => "unreadable",
        }
    }
}

/// How an answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The deadline passed.
    Timeout,
    /// The connection ended before a whole answer came.
    Reset,
    /// 500, which the gateway stores under the key: replaying cannot resolve it.
    ServerError,
    /// 502, 503, 504 or another 5xx.
    Unavailable,
    /// 424, or a status with no known meaning.
    Unclear,
    /// 2xx whose body cannot be read.
    Unreadable,
}
