//! A payment intent, read into a sighting.

use quittance_core::fact::{ObjectKind, ObjectStatus, Sighting};
use quittance_core::money::Money;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{amount, bare, reference};
use crate::json::short_text;
use crate::stripe::decline::last_decline;

/// Reads a payment intent; nothing if it lacks what a decision needs.
pub(super) fn sighting(object: &Value) -> Option<Sighting> {
    let seen = bare(ObjectKind::Payment, status(short_text(&object["status"])?), object)?;
    let error = &object["last_payment_error"];
    Some(Sighting {
        received_amount: received_amount(object, &seen.status, seen.money)?,
        latest_charge: reference(&object["latest_charge"])?,
        error_digest: (!error.is_null()).then(|| Sha256::digest(canonical_text(error)).into()),
        decline: if is_past_decline(&seen.status) { None } else { last_decline(error) },
        payment_method: reference(&object["payment_method"])?,
        ..seen
    })
}

fn status(word: String) -> ObjectStatus {
    match word.as_str() {
        "requires_payment_method" => ObjectStatus::RequiresPaymentMethod,
        "requires_confirmation" => ObjectStatus::RequiresConfirmation,
        "requires_action" => ObjectStatus::RequiresAction,
        "processing" => ObjectStatus::Processing,
        "requires_capture" => ObjectStatus::RequiresCapture,
        "succeeded" => ObjectStatus::Succeeded,
        "canceled" => ObjectStatus::Canceled,
        _ => ObjectStatus::Unrecognised(word),
    }
}

/// Whether an attempt after the recorded decline is under way or has succeeded.
fn is_past_decline(status: &ObjectStatus) -> bool {
    match status {
        ObjectStatus::RequiresAction
        | ObjectStatus::Processing
        | ObjectStatus::RequiresCapture
        | ObjectStatus::Succeeded => true,
        ObjectStatus::RequiresPaymentMethod
        | ObjectStatus::RequiresConfirmation
        | ObjectStatus::Canceled
        | ObjectStatus::Failed
        | ObjectStatus::Unrecognised(_) => false,
    }
}

/// What moved to us. A peer without `amount_received` moves all or nothing.
fn received_amount(object: &Value, status: &ObjectStatus, money: Money) -> Option<i64> {
    match &object["amount_received"] {
        Value::Null if *status == ObjectStatus::Succeeded => Some(money.amount),
        Value::Null => Some(0),
        value => amount(value, money.currency),
    }
}

/// JSON without spaces and with the members of every object in the order of their names.
///
/// Written here because the order in which `serde_json` keeps members depends on a feature that any crate of the
/// build may switch on, while stored digests must not.
fn canonical_text(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            let members = members.into_iter().map(|(name, member)| {
                let name = Value::from(name.as_str());
                format!("{name}:{}", canonical_text(member))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(elements) => {
            let elements = elements.iter().map(canonical_text);
            format!("[{}]", elements.collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}
