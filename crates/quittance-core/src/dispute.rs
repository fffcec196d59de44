//! Disputes: what a gateway shows of a cardholder's complaint, and what we keep of it.
//!
//! Money moves when the gateway withdraws or reinstates it, never because of a status.

use crate::id::{CommandId, CustomerId, DisputeId, EffectId, PaymentId, TenantId};
use crate::money::Money;
use crate::time::Timestamp;
use std::collections::BTreeMap;

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

/// A part of a dispute's life that is answered by itself: evidence is needed again after an inquiry has escalated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A question first; no money moves.
    Inquiry,
    /// The money is asked back.
    Chargeback,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 2] = [Self::Inquiry, Self::Chargeback];

    /// Stable name, part of the billing intent of an answer.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::Chargeback => "chargeback",
        }
    }

    /// The stage of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// What a status that was seen is to the one that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The same.
    Same,
    /// Further along the machine: the newer of the two.
    Onward,
    /// Less far along the machine, which never goes back: the older of the two.
    Backward,
    /// The machine has no way from one to the other.
    Unlisted,
}

impl DisputeStatus {
    /// Every status that this version knows, in the order of the machine.
    pub const KNOWN: [Self; 8] = [
        Self::WarningNeedsResponse,
        Self::WarningUnderReview,
        Self::WarningClosed,
        Self::NeedsResponse,
        Self::UnderReview,
        Self::Lost,
        Self::Won,
        Self::Prevented,
    ];

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

    /// Which part of the dispute's life it belongs to; none where the word is not known.
    #[must_use]
    pub const fn stage(&self) -> Option<Stage> {
        match self {
            Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed => Some(Stage::Inquiry),
            Self::NeedsResponse | Self::UnderReview | Self::Won | Self::Lost | Self::Prevented => {
                Some(Stage::Chargeback)
            }
            Self::Unrecognised(_) => None,
        }
    }

    /// What this status, now seen, is to the known one. A word that is not known may come from and lead anywhere.
    #[must_use]
    pub fn turn_from(&self, known: &Self) -> Turn {
        if self == known {
            return Turn::Same;
        }
        match (self.rank(), known.rank()) {
            _ if matches!(self, Self::Prevented) || matches!(known, Self::Prevented) => Turn::Unlisted,
            (Some(seen), Some(known)) if seen < known => Turn::Backward,
            _ => Turn::Onward,
        }
    }

    /// How far along the machine: every transition rises.
    const fn rank(&self) -> Option<u8> {
        match self {
            Self::WarningNeedsResponse => Some(0),
            Self::WarningUnderReview => Some(1),
            // An inquiry that was closed may escalate late.
            Self::WarningClosed => Some(2),
            Self::NeedsResponse => Some(3),
            Self::UnderReview => Some(4),
            // What was lost may be won late.
            Self::Lost => Some(5),
            Self::Won => Some(6),
            Self::Prevented | Self::Unrecognised(_) => None,
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

impl Dispute {
    /// Until when evidence is waited for: none where none is taken, or no deadline is known.
    #[must_use]
    pub const fn answerable_until(&self) -> Option<Timestamp> {
        if self.status.takes_evidence() { self.evidence_due_by } else { None }
    }
}

/// What a client hands in as the answer to one stage of a dispute. Its texts are kept out of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The book of the dispute.
    pub book: CustomerId,
    /// The effect that submits it.
    pub effect: EffectId,
    /// The tenant.
    pub tenant: TenantId,
    /// The dispute.
    pub dispute: DisputeId,
    /// The stage it answers.
    pub stage: Stage,
    /// The command that asked for it.
    pub command: CommandId,
    /// The gateway's names of its members, with their texts.
    pub texts: BTreeMap<String, String>,
    /// When it was accepted.
    pub created_at: Timestamp,
}
