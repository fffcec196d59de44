//! Links: what an answer names, and what can be asked about it next, so that programs find their way through the API.
//!
//! They follow from the schema of an answer. Does not own operations: a link names one by its id, and a test looks for it.

use serde_json::{Map, Value, json};

/// Where a link leads: its name, the operation, the parameters that come from the answer, and the members of the body that
/// do.
type Link =
    (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

const CUSTOMER: &[Link] = &[
    ("show", "getCustomer", &[("id", "/id")], &[]),
    ("pay", "createPayment", &[], &[("customer", "/id")]),
    ("payments", "listPayments", &[("customer", "/id")], &[]),
    ("balances", "listBalances", &[("customer", "/id")], &[]),
    ("entries", "listLedgerEntries", &[("customer", "/id")], &[]),
];

const PAYMENT: &[Link] = &[
    ("show", "getPayment", &[("id", "/id")], &[]),
    ("capture", "capturePayment", &[("id", "/id")], &[]),
    ("cancel", "cancelPayment", &[("id", "/id")], &[]),
    ("refund", "createRefund", &[], &[("payment", "/id")]),
    ("refunds", "listRefunds", &[("payment", "/id")], &[]),
    ("disputes", "listDisputes", &[("payment", "/id")], &[]),
    ("resolve", "resolveEffect", &[("id", "/id")], &[]),
    ("command", "getCommand", &[("id", "/command_id")], &[]),
    ("trace", "trace", &[("id", "/id")], &[]),
    ("customer", "getCustomer", &[("id", "/customer")], &[]),
];

const REFUND: &[Link] = &[
    ("show", "getRefund", &[("id", "/id")], &[]),
    ("payment", "getPayment", &[("id", "/payment")], &[]),
    ("resolve", "resolveEffect", &[("id", "/id")], &[]),
    ("command", "getCommand", &[("id", "/command_id")], &[]),
    ("trace", "trace", &[("id", "/id")], &[]),
];

const DISPUTE: &[Link] = &[
    ("show", "getDispute", &[("id", "/id")], &[]),
    ("answer", "submitEvidence", &[("id", "/id")], &[]),
    ("payment", "getPayment", &[("id", "/payment")], &[]),
    ("trace", "trace", &[("id", "/id")], &[]),
];

const PENDING: &[Link] = &[("command", "getCommand", &[("id", "/command_id")], &[])];

const DECLINED: &[Link] = &[("payment", "getPayment", &[("id", "/payment/id")], &[])];

/// What an answer of this schema leads to; nothing where it names nothing.
pub(super) fn of_schema(schema: &str) -> Option<Value> {
    let links = match schema {
        "Customer" => CUSTOMER,
        "Payment" => PAYMENT,
        "Refund" => REFUND,
        "Dispute" => DISPUTE,
        "PendingCommand" | "PaymentOrCommand" | "RefundOrCommand" | "AnyOrCommand" => PENDING,
        _ => return None,
    };
    Some(rendered(links))
}

/// What the refusal of a declined payment leads to: it holds the payment.
pub(super) fn of_decline() -> Value {
    rendered(DECLINED)
}

fn rendered(links: &[Link]) -> Value {
    let expressions = |pairs: &[(&str, &str)]| {
        let named = |(name, pointer): &(&str, &str)| ((*name).to_owned(), json!(format!("$response.body#{pointer}")));
        pairs.iter().map(named).collect::<Map<_, _>>()
    };
    let mut all = Map::new();
    for (name, operation, parameters, body) in links {
        let mut link = json!({ "operationId": operation });
        if !parameters.is_empty() {
            link["parameters"] = expressions(parameters).into();
        }
        if !body.is_empty() {
            link["requestBody"] = expressions(body).into();
        }
        all.insert((*name).to_owned(), link);
    }
    all.into()
}
