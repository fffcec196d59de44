//! A plan: what clients and operators do and what goes wrong, as data. A seed makes one; shrinking takes elements away.
//!
//! Does not own what follows from any of it: a plan never says what an answer is to be.

mod faults;

pub use faults::{Blow, Fault, On, Point, StoreFailure, Trouble, WebhookBlow};

use serde::{Deserialize, Serialize};

/// One world, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Decides what the plan leaves open: latencies, ids, what gateways make of refunds.
    pub seed: u64,
    /// The gateways, in the order in which operations name them.
    pub gateways: Vec<Profile>,
    /// Payments above this amount are held back until an operator approves, where there is such a limit; minor units.
    #[serde(default)]
    pub parked_above: Option<i64>,
    /// What clients and operators do.
    pub operations: Vec<Operation>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// What kind of gateway it is: one for each class of the contract, and two of class B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Profile {
    /// Two phases, keys, lists.
    Intents,
    /// One request, keys, lists.
    Charges,
    /// One request, lists, and keys that are not looked at.
    Keyless,
    /// One request, keys, and lists that are a day behind.
    Unlisted,
    /// One request, no keys, and lists that are a day behind.
    Bare,
    /// Transfers that are found by our reference; nothing is given back.
    Rail,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 6] = [Self::Intents, Self::Charges, Self::Keyless, Self::Unlisted, Self::Bare, Self::Rail];

    /// The name of the gateway in a world: there is one of each at most.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intents => "intents",
            Self::Charges => "charges",
            Self::Keyless => "keyless",
            Self::Unlisted => "unlisted",
            Self::Bare => "bare",
            Self::Rail => "rail",
        }
    }

    /// Whether it looks at keys.
    #[must_use]
    pub const fn has_keys(self) -> bool {
        matches!(self, Self::Intents | Self::Charges | Self::Unlisted)
    }

    /// Whether its lists are a day behind.
    #[must_use]
    pub const fn has_late_lists(self) -> bool {
        matches!(self, Self::Unlisted | Self::Bare)
    }
}

/// Something that a client or an operator does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// When, in milliseconds since the world began.
    pub at_ms: u64,
    /// What.
    pub what: What,
    /// Whether it is sent twice at once.
    pub is_double: bool,
    /// How long the client waits for an answer before it asks again, in milliseconds.
    pub patience_ms: u64,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A payment.
    Pay(Pay),
    /// Money of an order's payment is given back.
    Refund {
        /// Number of the idempotency key.
        key: u32,
        /// Which order.
        order: u32,
        /// How much; all that is left where it is not said.
        amount: Option<i64>,
        /// The client's name for the refund.
        reference: u32,
    },
    /// What an order's payment has authorised is taken.
    Capture {
        /// Number of the idempotency key.
        key: u32,
        /// Which order.
        order: u32,
        /// How much; all where it is not said.
        amount: Option<i64>,
    },
    /// An order's payment is given up.
    Cancel {
        /// Number of the idempotency key.
        key: u32,
        /// Which order.
        order: u32,
    },
    /// Every dispute of an order's payment is answered.
    Evidence {
        /// Number of the idempotency key.
        key: u32,
        /// Which order.
        order: u32,
    },
    /// An operator pauses a gateway, or resumes it.
    Pause {
        /// Which gateway.
        gateway: u32,
        /// Whether it is paused.
        is_paused: bool,
    },
    /// An operator gives a gateway a new webhook secret, and retires the one before the last.
    RotateSecret {
        /// Which gateway.
        gateway: u32,
    },
    /// An operator has every object of an order looked at again.
    Requeue {
        /// Which order.
        order: u32,
    },
    /// An operator has the newest stored event applied again.
    Replay {
        /// Which gateway.
        gateway: u32,
    },
    /// A person makes a refund at the gateway itself, past the engine.
    RefundElsewhere {
        /// Which gateway.
        gateway: u32,
    },
}

/// A payment as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pay {
    /// Number of the idempotency key.
    pub key: u32,
    /// Which customer pays.
    pub customer: u32,
    /// Which order: the payment's reference.
    pub order: u32,
    /// How much, minor units.
    pub amount: i64,
    /// Of what.
    pub currency: String,
    /// At which gateway.
    pub gateway: u32,
    /// How the method behaves; also its token at the gateway.
    pub method: String,
    /// Whether what is authorised is taken later.
    pub is_manual: bool,
    /// Whether an existing payment of the order is an answer.
    pub takes_existing: bool,
}
