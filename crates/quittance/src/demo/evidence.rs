//! Owns: what the demo was told, by us, by the gateway and by the clients, as plain values. Does not own: asking for it
//! (`audit`) or judging it (`verdict`).

use std::collections::BTreeMap;

/// Everything that a verdict rests on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// Our payments, from our list.
    pub(crate) payments: Vec<Payment>,
    /// The gateway's charges, from its list.
    pub(crate) charges: Vec<Charge>,
    /// What the gateway says it captured in total, by currency; in our minor units.
    pub(crate) gateway_totals: BTreeMap<String, i128>,
    /// What our ledger says lies at the gateway, by currency.
    pub(crate) ledger_totals: BTreeMap<String, i128>,
    /// What clients were told and what they hear when they ask again.
    pub(crate) promises: Vec<Promise>,
    /// What the gateway finds wrong with its own books.
    pub(crate) gateway_violations: Vec<String>,
    /// What clients heard and should never have heard.
    pub(crate) surprises: Vec<String>,
    /// What the proof of our books says.
    pub(crate) proof: Proof,
}

/// One of our payments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Payment {
    /// Our id.
    pub(crate) id: String,
    /// Its status by name.
    pub(crate) status: String,
    /// What is left of what was captured, after refunds, disputes and returns; in minor units.
    pub(crate) kept_amount: i128,
    /// ISO 4217.
    pub(crate) currency: String,
    /// The gateway's object, once there is one.
    pub(crate) gateway_id: Option<String>,
}

/// One charge in the gateway's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Charge {
    /// The gateway's id.
    pub(crate) id: String,
    /// The payment intent it belongs to.
    pub(crate) intent: String,
    /// The client's order, from the metadata that the client sent along.
    pub(crate) order: Option<String>,
    /// What was captured, in our minor units; 0 when it failed.
    pub(crate) taken_amount: i128,
    /// What is left of it after refunds and disputes.
    pub(crate) kept_amount: i128,
    /// ISO 4217.
    pub(crate) currency: String,
}

/// An answer that a client relies on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Promise {
    /// The idempotency key.
    pub(crate) key: String,
    /// What was said first.
    pub(crate) told: Answer,
    /// What is said to the same key in the end; nothing when no answer came.
    pub(crate) repeated: Option<Answer>,
    /// Whether the payment named in the answer can be read.
    pub(crate) presence: Presence,
}

/// Whether a resource that was promised is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is.
    #[default]
    Found,
    /// It is not.
    Missing,
    /// The answer named none.
    NotNamed,
}

/// An answer as a client got it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Every byte of the body.
    pub(crate) body: Vec<u8>,
}

/// What `quittance verify` said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Proof {
    /// Whether every record, chain and balance holds.
    pub(crate) is_sound: bool,
    /// Journal records that were looked at.
    pub(crate) records: u64,
    /// What it printed.
    pub(crate) text: String,
}
