//! Owns: the members of the rail's transfer and its JSON. Does not own: its transitions (`execution::transfers`).

use serde::Serialize;

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TransferState {
    Pending,
    /// The money is here.
    Settled,
    /// It never came.
    Rejected,
    /// It came and went back.
    Returned,
}

impl TransferState {
    /// The money is here, or is to come.
    pub(crate) fn holds_money(self) -> bool {
        matches!(self, Self::Pending | Self::Settled)
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Transfer {
    pub(crate) id: String,
    pub(crate) state: TransferState,
    /// Minor units.
    pub(crate) amount: i64,
    /// Upper case, unlike Stripe's.
    pub(crate) currency: String,
    pub(crate) reference: String,
    /// Why it was rejected or returned.
    pub(crate) reason: Option<&'static str>,
    pub(crate) created: i64,
    /// For the payer's statement of account; nobody can ask the rail for it.
    #[serde(skip)]
    pub(crate) memo: Option<String>,
}

/// One movement in the rail's books.
#[derive(Debug, Clone)]
pub(crate) struct TransferEntry {
    pub(crate) transfer: String,
    /// Minor units of the transfer's currency; negative goes out.
    pub(crate) amount: i64,
}
