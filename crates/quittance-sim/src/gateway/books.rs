//! A gateway's own books: its objects as plain values, and what they come to. Knows nothing of requests.

use std::collections::BTreeMap;

/// A two-phase payment.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Its id.
    pub id: String,
    /// Amount, minor units.
    pub amount: i64,
    /// Lower-case code of the currency.
    pub currency: String,
    /// The gateway's word.
    pub status: &'static str,
    /// Amount that came, minor units.
    pub received: i64,
    /// The attached method.
    pub method: Option<String>,
    /// Whether what is authorised is taken later.
    pub is_manual: bool,
    /// The newest charge.
    pub charge: Option<String>,
    /// Number of the attempt that was declined last; it makes one error differ from the next.
    pub declined_at: Option<u32>,
    /// Attempts so far.
    pub attempts: u32,
    /// The metadata.
    pub metadata: BTreeMap<String, String>,
    /// When it was made, by the gateway's clock.
    pub created_s: i64,
}

/// A charge, or a transfer of the rail.
#[derive(Clone, Debug)]
pub struct Charge {
    /// Its id.
    pub id: String,
    /// The intent it belongs to.
    pub intent: Option<String>,
    /// Amount, minor units.
    pub amount: i64,
    /// Lower-case code of the currency.
    pub currency: String,
    /// `pending`, `succeeded` or `failed`.
    pub status: &'static str,
    /// Whether the money was taken.
    pub is_captured: bool,
    /// How much of it, minor units.
    pub captured: i64,
    /// Whether the authorisation was given up.
    pub is_released: bool,
    /// The movement that took back what had come.
    pub returned_by: Option<String>,
    /// How it was paid.
    pub method: String,
    /// The metadata.
    pub metadata: BTreeMap<String, String>,
    /// Our own reference, where that is all it carries.
    pub reference: Option<String>,
    /// When it was made, by the gateway's clock.
    pub created_s: i64,
}

/// Money given back.
#[derive(Clone, Debug)]
pub struct Refund {
    /// Its id.
    pub id: String,
    /// The intent it belongs to.
    pub intent: Option<String>,
    /// The charge it belongs to.
    pub charge: String,
    /// Amount, minor units.
    pub amount: i64,
    /// Lower-case code of the currency.
    pub currency: String,
    /// The gateway's word.
    pub status: &'static str,
    /// The movement that brought back what had gone.
    pub returned_by: Option<String>,
    /// Whether it gives an authorisation up, and no money back.
    pub is_release: bool,
    /// The metadata.
    pub metadata: BTreeMap<String, String>,
    /// When it was made, by the gateway's clock.
    pub created_s: i64,
}

/// A dispute.
#[derive(Clone, Debug)]
pub struct Dispute {
    /// Its id.
    pub id: String,
    /// The disputed charge.
    pub charge: String,
    /// Its intent.
    pub intent: Option<String>,
    /// Amount, minor units.
    pub amount: i64,
    /// Lower-case code of the currency.
    pub currency: String,
    /// The gateway's word.
    pub status: &'static str,
    /// How often evidence was submitted.
    pub submissions: u32,
    /// Id, amount and fee of each movement; below zero it was withdrawn.
    pub movements: Vec<(String, i64, i64)>,
    /// Until when evidence is taken, by the gateway's clock.
    pub due_by_s: i64,
    /// When it was made, by the gateway's clock.
    pub created_s: i64,
}

/// All objects of a gateway, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Intents.
    pub intents: Vec<Intent>,
    /// Charges and transfers.
    pub charges: Vec<Charge>,
    /// Refunds.
    pub refunds: Vec<Refund>,
    /// Disputes.
    pub disputes: Vec<Dispute>,
}

impl Charge {
    /// What it brought and did not lose again by itself, minor units.
    #[must_use]
    pub const fn kept(&self) -> i64 {
        if self.is_captured && self.returned_by.is_none() { self.captured } else { 0 }
    }

    /// Whether money came by it, whatever became of that.
    #[must_use]
    pub const fn has_come(&self) -> bool {
        self.is_captured && self.captured > 0
    }
}

impl Refund {
    /// Whether the money has gone and has not come back.
    #[must_use]
    pub fn has_gone(&self) -> bool {
        self.status == "succeeded" && !self.is_release
    }

    /// Whether the money may still go, or has gone.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.is_release && !matches!(self.status, "failed" | "canceled")
    }
}

impl Books {
    /// What the gateway holds for the customer of this id in a currency, minor units.
    #[must_use]
    pub fn held_for(&self, customer: &str, currency: &str) -> i64 {
        let is_theirs = |metadata: &BTreeMap<String, String>, other: &str| {
            other == currency && metadata.get("customer_id").is_some_and(|id| id == customer)
        };
        let charges = self.charges.iter().filter(|charge| is_theirs(&charge.metadata, &charge.currency));
        let mut sum = 0;
        for charge in charges {
            sum += charge.kept();
            let refunds = self.refunds.iter().filter(|refund| refund.charge == charge.id && refund.has_gone());
            sum -= refunds.map(|refund| refund.amount).sum::<i64>();
            let disputes = self.disputes.iter().filter(|dispute| dispute.charge == charge.id);
            sum += disputes.flat_map(|dispute| &dispute.movements).map(|(_, amount, fee)| amount - fee).sum::<i64>();
        }
        sum
    }

    /// The charges that an effect has made.
    pub fn charges_of<'a>(&'a self, effect: &'a str) -> impl Iterator<Item = &'a Charge> {
        self.charges.iter().filter(move |charge| charge.metadata.get("effect_id").is_some_and(|id| id == effect))
    }

    /// The refunds that an effect has made.
    pub fn refunds_of<'a>(&'a self, effect: &'a str) -> impl Iterator<Item = &'a Refund> {
        self.refunds.iter().filter(move |refund| refund.metadata.get("effect_id").is_some_and(|id| id == effect))
    }

    /// How much of a charge is given back or on its way, minor units.
    #[must_use]
    pub fn given_back(&self, charge: &str) -> i64 {
        let of_it = self.refunds.iter().filter(|refund| refund.charge == charge && refund.counts());
        of_it.map(|refund| refund.amount).sum()
    }
}
