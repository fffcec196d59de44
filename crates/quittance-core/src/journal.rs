//! The journal: what a book's records say, and the chain that binds them.
//!
//! Records are values here; their bytes are made by the store's codec, and the chain is taken over those bytes.

use crate::effect::{Source, State, Step};
use crate::fact::Decline;
use crate::id::{CommandId, CustomerId, DisputeId, EffectId, HoldId, PaymentId, RefundId, TenantId};
use crate::ledger::Posting;
use crate::money::Money;
use crate::payment::Status;
use crate::refund::RefundStatus;
use crate::time::Timestamp;
use sha2::{Digest, Sha256};

/// One record of a book's journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The book begins.
    BookOpened {
        /// Its tenant.
        tenant: TenantId,
    },
    /// A payment was accepted: the intent, with a hold of its postings.
    PaymentAccepted {
        /// The payment.
        payment: PaymentId,
        /// The command that asked.
        command: CommandId,
        /// The effect that will carry it out.
        effect: EffectId,
        /// The hold, closed exactly once.
        hold: HoldId,
        /// How much of what.
        money: Money,
        /// At which gateway.
        gateway: String,
        /// The client's reference.
        reference: String,
        /// What is held.
        postings: Vec<Posting>,
    },
    /// A send was committed to, before its first byte.
    TicketIssued {
        /// The effect.
        effect: EffectId,
        /// The step.
        step: Step,
        /// Which try of it.
        generation: u32,
        /// Which send of that try.
        send_no: u32,
        /// The key the gateway sees.
        gateway_key: String,
        /// SHA-256 of the exact request.
        request_digest: [u8; 32],
        /// The lease it was sent under.
        lease_epoch: i64,
    },
    /// Something was learned and moved an effect, its payment, and perhaps money.
    EffectAdvanced(Advanced),
    /// A refund was accepted, with a hold of its postings.
    RefundAccepted(RefundAccepted),
    /// Something was learned and moved a refund's effect, and perhaps money.
    RefundAdvanced(RefundAdvanced),
    /// The gateway took back what had moved: booked by itself, and what was proven stays as it is.
    Corrected(Corrected),
    /// A client asked for a step of a payment under way.
    StepAsked {
        /// The command that asked.
        command: CommandId,
        /// The payment's effect.
        effect: EffectId,
        /// The payment.
        payment: PaymentId,
        /// What it asked for.
        asked: StepAsked,
    },
    /// A dispute was seen to begin, to move on, or to move money.
    DisputeSeen(DisputeSeen),
    /// Evidence for a dispute was accepted.
    EvidenceAccepted {
        /// The command that asked.
        command: CommandId,
        /// The effect that will submit it.
        effect: EffectId,
        /// The dispute.
        dispute: DisputeId,
        /// SHA-256 of the evidence as the client sent it.
        digest: [u8; 32],
    },
    /// Something was learned about a submission of evidence.
    EvidenceAdvanced(EvidenceAdvanced),
    /// Something was learned that moved nothing: kept as evidence.
    ObservationKept {
        /// The effect it was about.
        effect: EffectId,
        /// Where from.
        source: Source,
        /// What was seen, in one word.
        saw: String,
        /// Why it moved nothing.
        because: String,
    },
}

/// What a record of kind [`Record::EffectAdvanced`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// The effect.
    pub effect: EffectId,
    /// The payment.
    pub payment: PaymentId,
    /// How it was learned.
    pub source: Source,
    /// What was seen, in one word.
    pub saw: String,
    /// The effect's state after it.
    pub state: State,
    /// The effect's step after it.
    pub step: Step,
    /// The step's generation after it.
    pub generation: u32,
    /// The gateway's object, once known.
    pub object: Option<String>,
    /// The payment's status after it.
    pub status: Status,
    /// Why it failed, where it did.
    pub decline: Option<Decline>,
    /// What became of the hold.
    pub closing: Option<(HoldId, Closing)>,
    /// Postings of the hold that was closed.
    pub postings: Vec<Posting>,
}

/// What a record of kind [`Record::RefundAccepted`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAccepted {
    /// The refund.
    pub refund: RefundId,
    /// The payment it gives back.
    pub payment: PaymentId,
    /// The command that asked.
    pub command: CommandId,
    /// The effect that will carry it out.
    pub effect: EffectId,
    /// The hold, closed exactly once.
    pub hold: HoldId,
    /// How much of what.
    pub money: Money,
    /// At which gateway.
    pub gateway: String,
    /// The client's reference.
    pub reference: Option<String>,
    /// What is held.
    pub postings: Vec<Posting>,
}

/// What a record of kind [`Record::RefundAdvanced`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAdvanced {
    /// The effect.
    pub effect: EffectId,
    /// The refund.
    pub refund: RefundId,
    /// How it was learned.
    pub source: Source,
    /// What was seen, in one word.
    pub saw: String,
    /// The effect's state after it.
    pub state: State,
    /// The step's generation after it.
    pub generation: u32,
    /// The gateway's object, once known.
    pub object: Option<String>,
    /// The refund's status after it.
    pub status: RefundStatus,
    /// Why it failed, where it did.
    pub failure_code: Option<String>,
    /// What became of the hold.
    pub closing: Option<(HoldId, Closing)>,
    /// Postings of the hold that was closed.
    pub postings: Vec<Posting>,
}

/// What became of money after an outcome was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// A payment's money went back after it had come.
    PaymentReturned,
    /// A refund's money came back after it had gone.
    RefundReturned,
    /// A payment that counted as failed did move money, a person found.
    PaymentReceived,
    /// A refund that counted as failed gave the money back after all.
    RefundPaid,
}

impl Correction {
    /// Every kind, in order.
    pub const ALL: [Self; 4] = [Self::PaymentReturned, Self::RefundReturned, Self::PaymentReceived, Self::RefundPaid];

    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentReturned => "payment_returned",
            Self::RefundReturned => "refund_returned",
            Self::PaymentReceived => "payment_received",
            Self::RefundPaid => "refund_paid",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|correction| correction.name() == name)
    }
}

/// What a record of kind [`Record::Corrected`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// The effect whose outcome stands all the same.
    pub effect: EffectId,
    /// Its payment.
    pub payment: PaymentId,
    /// What happened.
    pub correction: Correction,
    /// The gateway's id of the movement, booked once.
    pub movement: String,
    /// How it was learned.
    pub source: Source,
    /// What was seen, in one word.
    pub saw: String,
    /// What is posted.
    pub postings: Vec<Posting>,
}

/// A step that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepAsked {
    /// To take so much of what was authorised, in minor units.
    Capture {
        /// How much.
        amount: i64,
    },
    /// To give the payment up, for this reason.
    Cancel {
        /// The client's reason.
        reason: Option<String>,
    },
}

/// What a record of kind [`Record::DisputeSeen`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisputeSeen {
    /// The dispute.
    pub dispute: DisputeId,
    /// The disputed payment.
    pub payment: PaymentId,
    /// The gateway's object.
    pub object: String,
    /// The gateway's word for where it stands.
    pub status: String,
    /// What is disputed.
    pub money: Money,
    /// How it was learned.
    pub source: Source,
    /// The gateway's id of the movement that this record books; none where only the status changed.
    pub movement: Option<String>,
    /// What is posted.
    pub postings: Vec<Posting>,
}

/// What a record of kind [`Record::EvidenceAdvanced`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceAdvanced {
    /// The effect.
    pub effect: EffectId,
    /// The dispute.
    pub dispute: DisputeId,
    /// How it was learned.
    pub source: Source,
    /// What was seen, in one word.
    pub saw: String,
    /// The effect's state after it.
    pub state: State,
    /// The step's generation after it.
    pub generation: u32,
}

/// How a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Its postings are made, or a part of them; the rest is let go.
    Posted,
    /// Its postings are let go.
    Voided,
}

impl Closing {
    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Voided => "voided",
        }
    }

    /// The closing of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Posted, Self::Voided].into_iter().find(|closing| closing.name() == name)
    }
}

impl Record {
    /// Number of the record's kind, stored beside its bytes.
    #[must_use]
    pub const fn kind(&self) -> i64 {
        match self {
            Self::BookOpened { .. } => 1,
            Self::PaymentAccepted { .. } => 2,
            Self::TicketIssued { .. } => 3,
            Self::EffectAdvanced(_) => 4,
            Self::ObservationKept { .. } => 5,
            Self::RefundAccepted(_) => 6,
            Self::RefundAdvanced(_) => 7,
            Self::Corrected(_) => 8,
            Self::StepAsked { .. } => 9,
            Self::DisputeSeen(_) => 10,
            Self::EvidenceAccepted { .. } => 11,
            Self::EvidenceAdvanced(_) => 12,
        }
    }

    /// Name of a kind, as traces and exports print it.
    #[must_use]
    pub const fn kind_name(kind: i64) -> Option<&'static str> {
        match kind {
            1 => Some("book_opened"),
            2 => Some("payment_accepted"),
            3 => Some("ticket_issued"),
            4 => Some("effect_advanced"),
            5 => Some("observation_kept"),
            6 => Some("refund_accepted"),
            7 => Some("refund_advanced"),
            8 => Some("corrected"),
            9 => Some("step_asked"),
            10 => Some("dispute_seen"),
            11 => Some("evidence_accepted"),
            12 => Some("evidence_advanced"),
            _ => None,
        }
    }
}

/// The hash before a book's first record.
pub const GENESIS: [u8; 32] = [0; 32];

/// Where a record stands in its book.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The book.
    pub book: CustomerId,
    /// Its number, from 1 without gaps.
    pub seq: i64,
    /// The record's kind.
    pub kind: i64,
    /// When it was written.
    pub at: Timestamp,
}

/// The hash of a record: over its place, its bytes and the hash before it.
#[must_use]
pub fn chain(place: &Place, body: &[u8], previous: &[u8; 32]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"quittance journal 1\n");
    hasher.update(place.book.bytes());
    hasher.update(place.seq.to_be_bytes());
    hasher.update(place.kind.to_be_bytes());
    hasher.update(place.at.0.to_be_bytes());
    hasher.update(previous);
    hasher.update((body.len() as u64).to_be_bytes());
    hasher.update(body);
    hasher.finalize().into()
}
