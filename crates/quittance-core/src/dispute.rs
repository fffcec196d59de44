//! Disputes: what a gateway shows of a cardholder's complaint, and what we keep of it.
//!
//! Money moves when the gateway withdraws or reinstates it, never because of a status.

use crate::id::{CustomerId, DisputeId, PaymentId, TenantId};
use crate::money::Money;
use crate::time::Timestamp;

/// Where a dispute stands, in the gateway's own machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DisputeStatus {
    /// An inquiry; evidence may be submitted. No money has moved.
    WarningNeedsResponse,
    /// An inquiry with evidence.
    WarningUnderReview,
    /// An inquiry that came to nothing.
    WarningClosed,
    /// A chargeback; evidence may be submitted until its deadline.
    NeedsResponse,
    /// A chargeback with evidence.
    UnderReview,
    /// Decided for us.
    Won,
    /// Decided against us; a late win is still possible.
    Lost,
    /// Averted before it became one.
    Prevented,
    /// A word this version does not know; recorded and alarmed.
    Unrecognised(String),
}

impl DisputeStatus {
    /// The status of the gateway's word.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "warning_needs_response" => Self::WarningNeedsResponse,
            "warning_under_review" => Self::WarningUnderReview,
            "warning_closed" => Self::WarningClosed,
            "needs_response" => Self::NeedsResponse,
            "under_review" => Self::UnderReview,
            "won" => Self::Won,
            "lost" => Self::Lost,
            "prevented" => Self::Prevented,
            other => Self::Unrecognised(other.to_owned()),
        }
    }

    /// The gateway's own word.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Prevented => "prevented",
            Self::Unrecognised(word) => word,
        }
    }

    /// Whether evidence may be submitted.
    #[must_use]
    pub const fn takes_evidence(&self) -> bool {
        match self {
            Self::WarningNeedsResponse | Self::NeedsResponse => true,
            Self::WarningUnderReview
            | Self::WarningClosed
            | Self::UnderReview
            | Self::Won
            | Self::Lost
            | Self::Prevented
            | Self::Unrecognised(_) => false,
        }
    }

    /// Whether nothing more is expected, late turns aside.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        match self {
            Self::WarningClosed | Self::Won | Self::Lost | Self::Prevented => true,
            Self::WarningNeedsResponse
            | Self::WarningUnderReview
            | Self::NeedsResponse
            | Self::UnderReview
            | Self::Unrecognised(_) => false,
        }
    }
}

/// One movement of a dispute's money in the gateway's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeMovement {
    /// The gateway's id of it (`txn_…`); booked once.
    pub id: String,
    /// What it changes at the gateway, in minor units: below zero when withdrawn, above when reinstated.
    pub money: Money,
    /// What the gateway charges for it, in minor units of the same currency; below zero when it gives a fee back.
    pub fee: i64,
}

/// One authoritative sighting of a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeSighting {
    /// The gateway's own id (`dp_…`).
    pub object_id: String,
    /// The disputed charge.
    pub charge: String,
    /// The charge's two-phase payment, if it has one.
    pub payment_object: Option<String>,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What is disputed; may differ from what was charged.
    pub money: Money,
    /// Why, in the gateway's word.
    pub reason: String,
    /// Until when evidence may be submitted, in seconds since the epoch.
    pub evidence_due_by: Option<i64>,
    /// How often evidence was submitted.
    pub submissions: u32,
    /// What moved so far, oldest first.
    pub movements: Vec<DisputeMovement>,
}

impl DisputeSighting {
    /// The sighting in one word.
    #[must_use]
    pub fn word(&self) -> String {
        format!("seen:{}", self.status.name())
    }
}

/// A dispute of one of our payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// The book of the payment.
    pub book: CustomerId,
    /// The tenant.
    pub tenant: TenantId,
    /// The disputed payment.
    pub payment: PaymentId,
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's object.
    pub object_id: String,
    /// Where it stands.
    pub status: DisputeStatus,
    /// What is disputed.
    pub money: Money,
    /// Why, in the gateway's word.
    pub reason: String,
    /// Until when evidence may be submitted.
    pub evidence_due_by: Option<Timestamp>,
    /// How often evidence was submitted.
    pub submissions: u32,
    /// What the gateway has withdrawn and not reinstated, minor units.
    pub withdrawn_amount: i64,
    /// Whether what was withdrawn is booked as lost.
    pub is_written_off: bool,
    /// When we first saw it.
    pub created_at: Timestamp,
}
