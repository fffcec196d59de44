//! A dispute, read into a sighting of its own.

use quittance_core::dispute::{DisputeMovement, DisputeSighting, DisputeStatus};
use quittance_core::money::Money;
use serde_json::Value;

use super::{currency, money, reference, signed_amount};
use crate::json::short_text;

/// Reason of a dispute that says nothing about itself.
const UNSPECIFIED: &str = "unspecified";

/// Reads a dispute; nothing if it lacks what a decision needs.
pub(super) fn sighting(object: &Value) -> Option<DisputeSighting> {
    let details = &object["evidence_details"];
    Some(DisputeSighting {
        object_id: short_text(&object["id"])?,
        charge: reference(&object["charge"])??,
        payment_object: reference(&object["payment_intent"])?,
        status: DisputeStatus::from_word(&short_text(&object["status"])?),
        money: money(object)?,
        reason: short_text(&object["reason"]).unwrap_or_else(|| UNSPECIFIED.to_owned()),
        evidence_due_by: details["due_by"].as_i64(),
        submissions: u32::try_from(details["submission_count"].as_u64()?).ok()?,
        movements: movements(&object["balance_transactions"])?,
    })
}

/// What moved so far. Stripe does not say in which order it lists the two there may be.
fn movements(transactions: &Value) -> Option<Vec<DisputeMovement>> {
    let mut transactions: Vec<_> = transactions.as_array()?.iter().collect();
    transactions.sort_by_key(|transaction| transaction["created"].as_i64());
    transactions.into_iter().map(movement).collect()
}

/// One movement, in the currency of the balance, which may be another than the dispute's.
fn movement(transaction: &Value) -> Option<DisputeMovement> {
    let currency = currency(transaction)?;
    Some(DisputeMovement {
        id: short_text(&transaction["id"])?,
        money: Money { amount: signed_amount(&transaction["amount"], currency)?, currency },
        fee: signed_amount(&transaction["fee"], currency)?,
    })
}
