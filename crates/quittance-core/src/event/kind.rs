//! Kinds of events, and which of them a change is: a function of what something was and what it is.

use crate::dispute::{Dispute, DisputeStatus};
use crate::payment::{Payment, Status};
use crate::refund::{Refund, RefundStatus};
use std::fmt;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A customer.
    Customer,
    /// A payment.
    Payment,
    /// A refund.
    Refund,
    /// A dispute.
    Dispute,
}

impl Object {
    /// Every kind of object.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Payment, Self::Refund, Self::Dispute];

    /// Stable name, as the API spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
        }
    }
}

/// Kind of an event: what it is about, and what became of it (`payment.succeeded`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(&'static str);

impl Kind {
    /// Every kind, by object.
    pub const ALL: [Self; 30] = [
        Self("customer.created"),
        Self("payment.created"),
        Self("payment.processing"),
        Self("payment.requires_action"),
        Self("payment.requires_capture"),
        Self("payment.succeeded"),
        Self("payment.failed"),
        Self("payment.canceled"),
        Self("payment.unknown"),
        Self("payment.review"),
        Self("payment.updated"),
        Self("refund.created"),
        Self("refund.pending"),
        Self("refund.requires_action"),
        Self("refund.succeeded"),
        Self("refund.failed"),
        Self("refund.canceled"),
        Self("refund.unknown"),
        Self("refund.review"),
        Self("refund.updated"),
        Self("dispute.created"),
        Self("dispute.warning_needs_response"),
        Self("dispute.warning_under_review"),
        Self("dispute.warning_closed"),
        Self("dispute.needs_response"),
        Self("dispute.under_review"),
        Self("dispute.won"),
        Self("dispute.lost"),
        Self("dispute.prevented"),
        Self("dispute.updated"),
    ];

    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.0 == name)
    }

    /// What it is about.
    ///
    /// # Panics
    ///
    /// Never: each name begins with an object's.
    #[must_use]
    pub fn object(self) -> Object {
        let object = Object::ALL.into_iter().find(|object| self.what_of(*object).is_some());
        object.expect("the name of a kind begins with what it is about")
    }

    fn what_of(self, object: Object) -> Option<&'static str> {
        self.0.strip_prefix(object.name())?.strip_prefix('.')
    }

    /// The kind that says that an object reached a status; none where no kind is named after it.
    fn reached(object: Object, status: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.what_of(object) == Some(status))
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A customer that was not there before. Customers do not change.
#[must_use]
pub fn of_customer(is_new: bool) -> Option<Kind> {
    is_new.then_some(Kind("customer.created"))
}

/// What is told of a payment that was `before`, or was not there, and is `after`.
#[must_use]
pub fn of_payment(before: Option<&Payment>, after: &Payment) -> Option<Kind> {
    match before {
        None if after.status == Status::Processing => Some(Kind("payment.created")),
        Some(before) if before.status == after.status => {
            is_payment_updated(before, after).then_some(Kind("payment.updated"))
        }
        // What comes into the world further on is told as what it is: nobody who waits for that may miss it.
        None | Some(_) => Kind::reached(Object::Payment, after.status.name()),
    }
}

/// The gateway's id of a payment is no change of its own: it comes with the next one.
fn is_payment_updated(before: &Payment, after: &Payment) -> bool {
    let amounts = |of: &Payment| {
        let gone = (of.refunded_amount, of.refunding_amount, of.disputed_amount, of.returned_amount);
        (of.captured_amount, gone)
    };
    amounts(before) != amounts(after)
        || before.parked_by != after.parked_by
        || before.decline != after.decline
        || before.next_action != after.next_action
}

/// As [`of_payment`], of a refund.
#[must_use]
pub fn of_refund(before: Option<&Refund>, after: &Refund) -> Option<Kind> {
    match before {
        None if after.status == RefundStatus::Pending => Some(Kind("refund.created")),
        Some(before) if before.status == after.status => {
            let is_updated = before.parked_by != after.parked_by || before.failure_code != after.failure_code;
            is_updated.then_some(Kind("refund.updated"))
        }
        None | Some(_) => Kind::reached(Object::Refund, after.status.name()),
    }
}

/// As [`of_payment`], of a dispute. A status that this version does not know is an update.
#[must_use]
pub fn of_dispute(before: Option<&Dispute>, after: &Dispute) -> Option<Kind> {
    let begins = matches!(after.status, DisputeStatus::WarningNeedsResponse | DisputeStatus::NeedsResponse);
    match before {
        None if begins => Some(Kind("dispute.created")),
        Some(before) if before.status == after.status => {
            is_dispute_updated(before, after).then_some(Kind("dispute.updated"))
        }
        None | Some(_) => Kind::reached(Object::Dispute, after.status.name()).or(Some(Kind("dispute.updated"))),
    }
}

fn is_dispute_updated(before: &Dispute, after: &Dispute) -> bool {
    before.money != after.money
        || before.reason != after.reason
        || before.evidence_due_by != after.evidence_due_by
        || before.submissions != after.submissions
        || before.withdrawn_amount != after.withdrawn_amount
        || before.is_written_off != after.is_written_off
}
