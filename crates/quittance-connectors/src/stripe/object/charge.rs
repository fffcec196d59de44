//! A charge, read into a sighting.
//!
//! A charge is "succeeded" from its authorisation on; whether money moved is said by `captured` and `amount_captured`.
//! What a partial capture releases is shown in `amount_refunded`, and so is an authorisation that was given up: on a
//! captured charge that member means nothing here, since refunds are objects of their own.

use quittance_core::fact::{Decline, ObjectKind, ObjectStatus, Sighting};
use quittance_core::money::Money;
use serde_json::{Value, json};

use super::{amount, bare, reference, returned};
use crate::json::short_text;
use crate::stripe::decline::decline;

/// Reads a charge; nothing if it lacks what a decision needs.
pub(super) fn sighting(object: &Value) -> Option<Sighting> {
    let is_captured = object["captured"].as_bool()?;
    let status = status(short_text(&object["status"])?, is_captured, object);
    let seen = bare(ObjectKind::Charge, status, object)?;
    let captured = captured_amount(object, is_captured, seen.money)?;
    let moved = if captured > 0 { captured } else { seen.money.amount };
    let payment_method = reference(&object["payment_method"])?;
    Some(Sighting {
        parent: reference(&object["payment_intent"])?,
        received_amount: if seen.status == ObjectStatus::Succeeded { captured } else { 0 },
        decline: (seen.status == ObjectStatus::Failed).then(|| failure(object)),
        payment_method: payment_method.or_else(|| reference(&object["source"]).flatten()),
        returned: returned(object, moved)?,
        ..seen
    })
}

fn status(word: String, is_captured: bool, object: &Value) -> ObjectStatus {
    match word.as_str() {
        "pending" => ObjectStatus::Processing,
        "failed" => ObjectStatus::Failed,
        "succeeded" if is_captured => ObjectStatus::Succeeded,
        "succeeded" if is_released(object) => ObjectStatus::Canceled,
        "succeeded" => ObjectStatus::RequiresCapture,
        _ => ObjectStatus::Unrecognised(word),
    }
}

/// Whether an authorisation was given up: by us, or because nobody captured it in time.
fn is_released(object: &Value) -> bool {
    let [amount, refunded] = ["amount", "amount_refunded"].map(|name| object[name].as_i64().unwrap_or(0));
    object["refunded"] == true || amount > 0 && refunded >= amount
}

/// What was taken of what was authorised. A peer without `amount_captured` takes all or nothing.
fn captured_amount(object: &Value, is_captured: bool, money: Money) -> Option<i64> {
    match &object["amount_captured"] {
        Value::Null if is_captured => Some(money.amount),
        Value::Null => Some(0),
        value => amount(value, money.currency),
    }
}

/// Why it failed, as the error of the 402 would have said it.
///
/// That an issuer's decline code is the outcome's `reason` is from memory; elsewhere `reason` is a rule's or Radar's.
fn failure(object: &Value) -> Decline {
    let outcome = &object["outcome"];
    let reason = if outcome["type"] == "issuer_declined" { &outcome["reason"] } else { &Value::Null };
    decline(&json!({
        "code": object["failure_code"],
        "decline_code": reason,
        "advice_code": outcome["advice_code"],
    }))
}
