//! A payment intent as JSON, read into a sighting.
//!
//! Strict where money is concerned and forgiving elsewhere: a word that is not known is kept, an amount that cannot
//! be converted makes the whole object unreadable.

use quittance_core::currency::{Currency, from_wire, stripe_rule};
use quittance_core::fact::{ObjectStatus, Sighting};
use quittance_core::id::EffectId;
use quittance_core::money::Money;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::TEXT_BYTES_MAX;
use super::decline::last_decline;

/// Reads a payment intent; nothing if it is not one, or lacks what a decision needs.
pub(super) fn sighting(object: &Value) -> Option<Sighting> {
    if !matches!(object["object"].as_str(), None | Some("payment_intent")) {
        return None;
    }
    let status = status(short_text(&object["status"])?);
    let money = money(object)?;
    let error = &object["last_payment_error"];
    Some(Sighting {
        object_id: short_text(&object["id"])?,
        received_amount: received_amount(object, &status, money)?,
        money,
        latest_charge: reference(&object["latest_charge"])?,
        error_digest: (!error.is_null()).then(|| Sha256::digest(canonical_text(error)).into()),
        decline: if is_past_decline(&status) { None } else { last_decline(error) },
        payment_method: reference(&object["payment_method"])?,
        effect_id: effect_id(object),
        next_action: Some(&object["next_action"]).filter(|action| !action.is_null()).map(Value::to_string),
        status,
    })
}

/// A string that is neither empty nor too long to be an id or a code.
pub(super) fn short_text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| (1..=TEXT_BYTES_MAX).contains(&text.len())).map(str::to_owned)
}

/// The id behind a reference, which is null, an id, or the object itself where it was expanded.
///
/// The outer option says whether it can be read, the inner one whether there is a reference.
fn reference(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::Object(object) => object.get("id").and_then(short_text).map(Some),
        other => short_text(other).map(Some),
    }
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
        | ObjectStatus::Unrecognised(_) => false,
    }
}

/// The object's amount and currency; Stripe writes currency codes in lower case.
fn money(object: &Value) -> Option<Money> {
    let code = object["currency"].as_str().filter(|code| code.bytes().all(|byte| byte.is_ascii_lowercase()))?;
    let currency = Currency::from_code(&code.to_ascii_uppercase()).ok()?;
    Some(Money { amount: amount(&object["amount"], currency)?, currency })
}

/// A wire amount in our minor units; never negative on a payment intent.
fn amount(value: &Value, currency: Currency) -> Option<i64> {
    let wire = value.as_i64().filter(|wire| *wire >= 0)?;
    from_wire(wire, currency, stripe_rule(currency)).ok()
}

/// What moved to us. A peer without `amount_received` moves all or nothing.
fn received_amount(object: &Value, status: &ObjectStatus, money: Money) -> Option<i64> {
    match &object["amount_received"] {
        Value::Null if *status == ObjectStatus::Succeeded => Some(money.amount),
        Value::Null => Some(0),
        value => amount(value, money.currency),
    }
}

/// Our effect id, where the object carries one of ours; anything else in its place belongs to somebody else.
pub(super) fn effect_id(object: &Value) -> Option<EffectId> {
    object["metadata"]["effect_id"].as_str()?.parse().ok()
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
