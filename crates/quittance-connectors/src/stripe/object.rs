//! Stripe's objects as JSON, read into sightings: what all kinds share.
//!
//! Strict where money is concerned and forgiving elsewhere: a word that is not known is kept, an amount that cannot
//! be converted makes the whole object unreadable.

use quittance_core::currency::{Currency, from_wire, stripe_rule};
use quittance_core::fact::{ObjectKind, ObjectStatus, Returned, Sighting};
use quittance_core::id::{CustomerId, EffectId};
use quittance_core::money::Money;
use serde_json::Value;

use crate::connector::Seen;
use crate::json::short_text;

use super::request::PAYMENT_REFERENCE;

mod charge;
mod dispute;
mod intent;
mod refund;

/// Reads an object of this kind; nothing if it is of another, or lacks what a decision needs.
///
/// The object may leave unsaid what it is, but not say something else.
pub(super) fn read(kind: ObjectKind, object: &Value) -> Option<Seen> {
    match &object["object"] {
        Value::Null => {}
        word => (word == word_of(kind)).then_some(())?,
    }
    match kind {
        ObjectKind::Payment => intent::sighting(object).map(Seen::Object),
        ObjectKind::Charge => charge::sighting(object).map(Seen::Object),
        ObjectKind::Refund => refund::sighting(object).map(Seen::Object),
        ObjectKind::Dispute => dispute::sighting(object).map(Box::new).map(Seen::Dispute),
    }
}

/// What kind of object this is, by its own word.
pub(super) fn kind(object: &Value) -> Option<ObjectKind> {
    let word = object["object"].as_str()?;
    ObjectKind::ALL.into_iter().find(|kind| word_of(*kind) == word)
}

/// Reads the payment intent that an error carries.
pub(super) fn carried_intent(error: &Value) -> Option<Sighting> {
    match read(ObjectKind::Payment, &error["payment_intent"])? {
        Seen::Object(sighting) => Some(sighting),
        Seen::Dispute(_) => None,
    }
}

/// Stripe's word for a kind of object.
const fn word_of(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Payment => "payment_intent",
        ObjectKind::Charge => "charge",
        ObjectKind::Refund => "refund",
        ObjectKind::Dispute => "dispute",
    }
}

/// What every kind of object but a dispute has, in this status and with nothing received.
fn bare(kind: ObjectKind, status: ObjectStatus, object: &Value) -> Option<Sighting> {
    Some(Sighting {
        kind,
        object_id: short_text(&object["id"])?,
        parent: None,
        status,
        money: money(object)?,
        received_amount: 0,
        latest_charge: None,
        error_digest: None,
        decline: None,
        payment_method: None,
        effect_id: effect_id(object),
        book: book(object),
        reference: None,
        payment_reference: short_text(&object["metadata"][PAYMENT_REFERENCE]),
        next_action: Some(&object["next_action"]).filter(|action| !action.is_null()).map(Value::to_string),
        returned: None,
    })
}

/// Our effect id, where the object carries one of ours; anything else in its place belongs to somebody else.
pub(super) fn effect_id(object: &Value) -> Option<EffectId> {
    object["metadata"]["effect_id"].as_str()?.parse().ok()
}

/// The customer whose book that effect is of.
fn book(object: &Value) -> Option<CustomerId> {
    object["metadata"]["customer_id"].as_str()?.parse().ok()
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

/// The movement that took back what the object had moved, if there was one.
fn returned(object: &Value, amount: i64) -> Option<Option<Returned>> {
    let movement = reference(&object["failure_balance_transaction"])?;
    Some(movement.filter(|_| amount > 0).map(|movement| Returned { movement, amount }))
}

/// The object's currency; Stripe writes its code in lower case.
fn currency(object: &Value) -> Option<Currency> {
    let code = object["currency"].as_str().filter(|code| code.bytes().all(|byte| byte.is_ascii_lowercase()))?;
    Currency::from_code(&code.to_ascii_uppercase()).ok()
}

/// The object's amount and currency; never below zero.
fn money(object: &Value) -> Option<Money> {
    let currency = currency(object)?;
    Some(Money { amount: amount(&object["amount"], currency)?, currency })
}

/// A wire amount in our minor units, not below zero.
fn amount(value: &Value, currency: Currency) -> Option<i64> {
    signed_amount(value, currency).filter(|amount| *amount >= 0)
}

/// A wire amount in our minor units, of either sign.
fn signed_amount(value: &Value, currency: Currency) -> Option<i64> {
    from_wire(value.as_i64()?, currency, stripe_rule(currency)).ok()
}
