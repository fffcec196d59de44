//! Objects of the books as JSON, in the dialect in which the gateway speaks. Does not own when anything is shown.

use super::books::{Charge, Dispute, Intent, Refund};
use serde_json::{Value, json};

pub(super) fn intent(intent: &Intent) -> Value {
    let error = intent.declined_at.map(|attempt| {
        json!({"type": "card_error", "code": "card_declined", "decline_code": "generic_decline",
            "charge": format!("{}_{attempt}", intent.id)})
    });
    let action = (intent.status == "requires_action").then(|| json!({"type": "redirect_to_url"}));
    json!({
        "id": intent.id, "object": "payment_intent", "status": intent.status, "amount": intent.amount,
        "amount_received": intent.received, "currency": intent.currency, "payment_method": intent.method,
        "capture_method": if intent.is_manual { "manual" } else { "automatic" }, "latest_charge": intent.charge,
        "last_payment_error": error, "next_action": action, "metadata": intent.metadata, "created": intent.created_s,
    })
}

pub(super) fn charge(charge: &Charge) -> Value {
    let released = if charge.is_released { charge.amount } else { 0 };
    json!({
        "id": charge.id, "object": "charge", "status": charge.status, "amount": charge.amount,
        "currency": charge.currency, "captured": charge.is_captured, "amount_captured": charge.captured,
        "amount_refunded": released, "refunded": charge.is_released, "payment_intent": charge.intent,
        "payment_method": charge.method, "failure_code": (charge.status == "failed").then_some("card_declined"),
        "failure_balance_transaction": charge.returned_by, "metadata": charge.metadata, "created": charge.created_s,
    })
}

pub(super) fn transfer(charge: &Charge) -> Value {
    let state = match (charge.status, charge.returned_by.is_some()) {
        (_, true) => "returned",
        ("pending", _) => "pending",
        ("succeeded", _) => "settled",
        _ => "rejected",
    };
    json!({
        "id": charge.id, "reference": charge.reference, "amount": charge.amount,
        "currency": charge.currency.to_ascii_uppercase(), "state": state,
        "reason": (state == "rejected").then_some("insufficient_funds"), "created": charge.created_s,
    })
}

pub(super) fn refund(refund: &Refund) -> Value {
    json!({
        "id": refund.id, "object": "refund", "status": refund.status, "amount": refund.amount,
        "currency": refund.currency, "payment_intent": refund.intent, "charge": refund.charge,
        "failure_reason": (refund.status == "failed").then_some("expired_or_canceled_card"),
        "failure_balance_transaction": refund.returned_by, "metadata": refund.metadata, "created": refund.created_s,
    })
}

pub(super) fn dispute(dispute: &Dispute) -> Value {
    let movements = dispute.movements.iter().map(|(id, amount, fee)| {
        json!({"id": id, "amount": amount, "currency": dispute.currency, "fee": fee, "created": dispute.created_s})
    });
    let movements: Vec<Value> = movements.collect();
    json!({
        "id": dispute.id, "object": "dispute", "status": dispute.status, "amount": dispute.amount,
        "currency": dispute.currency, "charge": dispute.charge, "payment_intent": dispute.intent,
        "reason": "fraudulent", "balance_transactions": movements, "created": dispute.created_s, "metadata": {},
        "evidence_details": {"due_by": dispute.due_by_s, "submission_count": dispute.submissions},
    })
}

/// An error in the card dialect, with the intent it is about.
pub(super) fn error(kind: &str, code: &str, about: Option<Value>) -> Value {
    json!({"error": {"type": kind, "code": code, "message": "refused", "payment_intent": about}})
}
