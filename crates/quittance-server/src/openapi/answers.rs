//! Examples of answers: what the examples of requests are answered with. Tests send those and compare the shapes.

use serde_json::{Value, json};

/// The payment that the examples are about.
const PAYMENT: &str = "pay_01h455vb4pex5vsknk084sn02q";
const CUSTOMER: &str = "cus_01h455vb4pex5vsknk084sn02q";
const COMMAND: &str = "cmd_01h455vb4pex5vsknk084sn02q";
const CORRELATION: &str = "cor_01h455vb4pex5vsknk084sn02q";
const EVENT: &str = "evt_01h455vb4pex5vsknk084sn02q";
const ENDPOINT: &str = "whe_01h455vb4pex5vsknk084sn02q";
const AT: &str = "2026-01-31T09:30:00Z";

/// An answer of this schema and status; nothing where the schema says enough.
pub(super) fn example(schema: &str, status: u16) -> Option<Value> {
    Some(match schema {
        "Customer" => customer(),
        "AnyOrCommand" if status == 200 => payment(),
        "Payment" => payment(),
        "Refund" => refund(),
        "Dispute" => dispute(),
        "Paused" => {
            json!({ "paused": [{ "gateway": "sandbox", "since": AT, "reason": "a wrong price", "by": "key_1" }] })
        }
        "Requeued" => json!({ "gateway": "sandbox", "object": "pi_123", "requeued": true }),
        "Replayed" => json!({ "event": "evt_123", "replayed": true }),
        "WebhookEndpoint" => endpoint(),
        "WebhookEndpointWithSecret" => {
            let mut endpoint = endpoint();
            endpoint["secret"] = json!("whsec_c2VjcmV0IGJ5dGVzIHRoYXQgbm9ib2R5IGd1ZXNzZXM=");
            endpoint
        }
        "EventReplayed" => json!({ "event": EVENT, "endpoint": ENDPOINT, "replayed": true }),
        "PendingCommand" => json!({
            "object": "command", "status": "processing", "command_id": COMMAND, "correlation_id": CORRELATION,
        }),
        _ => return None,
    })
}

fn customer() -> Value {
    json!({
        "id": CUSTOMER, "object": "customer", "external_id": "anna", "name": "Anna", "email": null, "currency": "USD",
        "timezone": null, "gateway_ids": {}, "metadata": {}, "created_at": AT,
    })
}

fn payment() -> Value {
    json!({
        "id": PAYMENT, "object": "payment", "status": "succeeded", "amount": 1999, "currency": "USD", "customer": CUSTOMER,
        "gateway": "sandbox", "gateway_id": "pi_123", "reference": "order-1001", "captured_amount": 1999,
        "refunded_amount": 0, "refunding_amount": 0, "disputed_amount": 0, "returned_amount": 0,
        "capture_method": "automatic", "return_url": null, "payment_method": "pm_card_visa", "next_action": null,
        "parked_by": null, "decline": null, "description": null, "metadata": {}, "command_id": COMMAND,
        "correlation_id": CORRELATION, "created_at": AT,
    })
}

fn endpoint() -> Value {
    json!({
        "id": ENDPOINT, "object": "webhook_endpoint", "url": "https://example.com/hooks", "description": null,
        "types": ["*"], "status": "enabled", "disabled": null, "failing_since": null, "old_secret_until": null,
        "created_at": AT,
    })
}

fn refund() -> Value {
    json!({
        "id": "rfd_01h455vb4pex5vsknk084sn02q", "object": "refund", "status": "succeeded", "amount": 500,
        "currency": "USD", "payment": PAYMENT, "customer": CUSTOMER, "gateway": "sandbox", "gateway_id": "re_123",
        "reference": "return-77", "reason": null, "failure_code": null, "parked_by": null, "command_id": COMMAND,
        "correlation_id": CORRELATION, "created_at": AT,
    })
}

fn dispute() -> Value {
    json!({
        "id": "dsp_01h455vb4pex5vsknk084sn02q", "object": "dispute", "status": "under_review", "amount": 1999,
        "currency": "USD", "payment": PAYMENT, "customer": CUSTOMER, "gateway": "sandbox", "gateway_id": "dp_123",
        "reason": "fraudulent", "evidence_due_by": AT, "takes_evidence": false, "submissions": 1,
        "withdrawn_amount": 1999, "written_off": false, "created_at": AT,
    })
}
