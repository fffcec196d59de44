//! The rail's transfer as JSON, read into a sighting.
//!
//! Strict where money is concerned: without an amount, a currency that we know and a state there is no sighting. A state
//! that is not known is kept as it is, and never guessed at.

use quittance_core::currency::Currency;
use quittance_core::fact::{Decline, ObjectKind, ObjectStatus, Returned, Sighting};
use quittance_core::money::Money;
use serde_json::Value;

use crate::json::short_text;

/// The reasons of a refusal that pass with time; with any other the same source is refused again.
const RETRYABLE: [&str; 1] = ["insufficient_funds"];

/// Code of a refusal that gives no reason.
const UNSPECIFIED: &str = "rejected";

/// What a transfer is called: by the rail, and by us. Whatever else is wrong with it, it is known by these.
pub(super) struct Names {
    pub(super) id: String,
    pub(super) reference: String,
}

pub(super) fn names(transfer: &Value) -> Option<Names> {
    Some(Names { id: short_text(&transfer["id"])?, reference: short_text(&transfer["reference"])? })
}

/// Reads a transfer; nothing if it lacks what a decision needs.
pub(super) fn sighting(transfer: &Value) -> Option<Sighting> {
    let Names { id, reference } = names(transfer)?;
    let money = money(transfer)?;
    let state = short_text(&transfer["state"])?;
    let is_returned = state == "returned";
    let status = status(state);
    Some(Sighting {
        kind: ObjectKind::Charge,
        parent: None,
        money,
        received_amount: if status == ObjectStatus::Succeeded { money.amount } else { 0 },
        latest_charge: None,
        error_digest: None,
        decline: (status == ObjectStatus::Failed).then(|| decline(transfer)),
        status,
        payment_method: None,
        effect_id: None,
        book: None,
        reference: Some(reference),
        payment_reference: None,
        next_action: None,
        returned: returned(is_returned, &id, money.amount),
        object_id: id,
    })
}

fn status(state: String) -> ObjectStatus {
    match state.as_str() {
        "pending" => ObjectStatus::Processing,
        // What went back had come: it is booked as that, and the return after it.
        "settled" | "returned" => ObjectStatus::Succeeded,
        "rejected" => ObjectStatus::Failed,
        _ => ObjectStatus::Unrecognised(state),
    }
}

/// A return is of the whole transfer, and happens once: the transfer stands for the movement, which has no id.
fn returned(is_returned: bool, id: &str, amount: i64) -> Option<Returned> {
    (is_returned && amount > 0).then(|| Returned { movement: id.to_owned(), amount })
}

fn decline(transfer: &Value) -> Decline {
    let code = short_text(&transfer["reason"]).unwrap_or_else(|| UNSPECIFIED.to_owned());
    Decline { is_retryable: RETRYABLE.contains(&code.as_str()), code }
}

/// Amount and currency; never below zero, and the currency in capitals.
fn money(transfer: &Value) -> Option<Money> {
    let amount = transfer["amount"].as_i64().filter(|amount| *amount >= 0)?;
    let currency = Currency::from_code(transfer["currency"].as_str()?).ok()?;
    Some(Money { amount, currency })
}
