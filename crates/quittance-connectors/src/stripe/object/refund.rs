//! A refund, read into a sighting.
//!
//! Stripe documents `status` as nullable without saying what null means, so a refund without one is not readable.

use quittance_core::fact::{Decline, ObjectKind, ObjectStatus, Sighting};
use serde_json::Value;

use super::{bare, reference, returned};
use crate::json::short_text;

/// Code of a failure that says nothing about itself: Stripe's own word among the failure reasons.
const UNKNOWN: &str = "unknown";

/// Reads a refund; nothing if it lacks what a decision needs.
pub(super) fn sighting(object: &Value) -> Option<Sighting> {
    let seen = bare(ObjectKind::Refund, status(short_text(&object["status"])?), object)?;
    let amount = seen.money.amount;
    let (intent, charge) = (reference(&object["payment_intent"])?, reference(&object["charge"])?);
    Some(Sighting {
        parent: intent.or(charge),
        received_amount: if seen.status == ObjectStatus::Succeeded { amount } else { 0 },
        decline: (seen.status == ObjectStatus::Failed).then(|| failure(object)),
        returned: returned(object, amount)?,
        ..seen
    })
}

fn status(word: String) -> ObjectStatus {
    match word.as_str() {
        "pending" => ObjectStatus::Processing,
        "requires_action" => ObjectStatus::RequiresAction,
        "succeeded" => ObjectStatus::Succeeded,
        "failed" => ObjectStatus::Failed,
        "canceled" => ObjectStatus::Canceled,
        _ => ObjectStatus::Unrecognised(word),
    }
}

fn failure(object: &Value) -> Decline {
    let code = short_text(&object["failure_reason"]).unwrap_or_else(|| UNKNOWN.to_owned());
    Decline { code, is_retryable: false }
}
