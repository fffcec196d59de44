//! Parameters and headers, each declared once.

use crate::api::findings;
use crate::render::event_type;
use quittance_core::account::QUALIFIER_BYTES_MAX;
use quittance_core::dispute::DisputeStatus;
use quittance_core::event::{DeliveryState, Kind};
use quittance_core::payment::Status;
use quittance_core::refund::RefundStatus;
use serde_json::{Map, Value, json};

/// A parameter by its name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// A header by its name.
pub(super) fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// The names between braces in a path.
pub(super) fn of_path(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let schema = json!({ "type": "string", "minLength": 1, "maxLength": 512 });
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect()
}

/// Every parameter that is not in a path.
pub(super) fn all() -> Map<String, Value> {
    let statuses = Status::ALL.iter().map(|status| status.name()).collect::<Vec<_>>();
    let refunds = RefundStatus::ALL.iter().map(|status| status.name()).collect::<Vec<_>>();
    let disputes = DisputeStatus::KNOWN.iter().map(DisputeStatus::name).collect::<Vec<_>>();
    // What is no UTF-8 arrives as U+FFFD.
    let text = json!({ "type": "string", "minLength": 1, "maxLength": 512, "pattern": r"^[^\x00\ufffd]+$" });
    let time = json!({ "type": "string", "format": "date-time" });
    let mut all = Map::new();
    let mut query = |key: &str, name: &str, schema: Value, about: &str| {
        let parameter = json!({ "name": name, "in": "query", "schema": schema, "description": about });
        all.insert(key.to_owned(), parameter);
    };
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 });
    query("limit", "limit", limit, "Items on a page.");
    query("cursor", "cursor", text.clone(), "`next_cursor` of the page before, unchanged, with the same filters.");
    query("customer", "customer", text.clone(), "Our id of a customer, or your own.");
    query("reference", "reference", text.clone(), "Your name for what is paid.");
    query("payment", "payment", text.clone(), "Id of a payment.");
    let (any, mut account) = (text.clone(), text);
    account["pattern"] = json!(account_pattern());
    query("account", "account", account, "An account of the chart, such as `gateway_clearing:stripe`.");
    query("currency", "currency", json!({ "type": "string", "pattern": "^[A-Z]{3}$" }), "Code of ISO 4217.");
    query("created_after", "created_after", time.clone(), "Created later than this.");
    query("created_before", "created_before", time, "Created earlier than this.");
    query("payment_status", "status", json!({ "type": "string", "enum": statuses }), "Only what stands so.");
    query("refund_status", "status", json!({ "type": "string", "enum": refunds }), "Only what stands so.");
    query("dispute_status", "status", json!({ "type": "string", "enum": disputes }), "Only what stands so.");
    query(
        "event_type",
        "type",
        json!({ "type": "string", "enum": Kind::ALL.map(event_type) }),
        "Only what is of this type.",
    );
    let max_age = json!({ "type": "integer", "minimum": 0, "maximum": 604_800 });
    query(
        "max_age",
        "max_age",
        max_age,
        "How old the answer may be, in seconds; as the pair says where it is left out.",
    );
    query("subject", "subject", any.clone(), "Id of a resource: only what is told of it.");
    let deliveries = DeliveryState::ALL.map(DeliveryState::name);
    query("delivery_status", "status", json!({ "type": "string", "enum": deliveries }), "Only what stands so.");
    of_pairs(&any, &mut query);
    all.insert(
        "Idempotency-Key".to_owned(),
        json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "One for each operation that is intended, the same with every retry of it.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-\\[\\]-~]+$" },
        }),
    );
    all.insert(
        "Prefer".to_owned(),
        json!({
            "name": "Prefer", "in": "header", "required": false,
            "description": "`respond-async`: 202 at once. `wait=N`: up to so many seconds for the outcome (RFC 7240).",
            "schema": { "type": "string" },
        }),
    );
    all
}

/// Those of lists of discrepancies, of pairs and their runs.
fn of_pairs(any: &Value, query: &mut impl FnMut(&str, &str, Value, &str)) {
    let standings: Vec<&str> = findings::standings().collect();
    let about =
        "Only those. Of pairs, `open` is everything but `resolved`; what only one source knows fits none of the other.";
    query("is_open", "status", json!({ "type": "string", "enum": standings }), about);
    let standings = json!({ "type": "string", "enum": ["open", "closed"] });
    query("is_alert_open", "status", standings, "What is wrong now, or what is over; without it both.");
    let sources = json!({ "type": "string", "enum": ["gateway", "pair"], "default": "gateway" });
    query("source", "source", sources, "Those of gateways, or those of pairs, which need scope `admin`.");
    query(
        "kind",
        "kind",
        json!({ "type": "string", "enum": findings::kinds().collect::<Vec<_>>() }),
        "Only what is of this kind.",
    );
    query("pair", "pair", any.clone(), "Name of a pair.");
    let number = json!({ "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_i64 });
    query("repair", "repair", number, "With the id of a run (`run_…`): the number of one repair of it.");
    query("key", "key", any.clone(), "Key of a record, as it is shown.");
    query("recheck", "recheck", json!({ "type": "boolean" }), "Whether it is checked again now, against what is kept.");
}

/// Accounts of the chart that stand alone.
const ACCOUNTS: [&str; 13] = [
    "receivable",
    "deferred_revenue",
    "revenue",
    "tax_payable",
    "prepaid",
    "promotional_credit",
    "refunds",
    "dispute_loss",
    "bad_debt",
    "rounding",
    "fx_gain_loss",
    "unapplied",
    "suspense",
];

/// Those of which there is one for each gateway or bank.
const QUALIFIED: [&str; 4] = ["gateway_clearing", "bank", "disputed", "gateway_fees"];

fn account_pattern() -> String {
    format!("^({}|({}):.{{1,{QUALIFIER_BYTES_MAX}}})$", ACCOUNTS.join("|"), QUALIFIED.join("|"))
}

/// Headers of answers.
pub(super) fn headers() -> Map<String, Value> {
    let header = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    let mut all = Map::new();
    for (name, about) in [
        ("Request-Id", "Name of this request, for the operator."),
        ("Idempotent-Replayed", "`true` where the answer was stored before."),
        ("Idempotency-Original-Date", "When it was."),
        ("Location", "Where the resource, or the command, is."),
        ("Retry-After", "Seconds after which it is worth asking again."),
        ("Preference-Applied", "What of `Prefer` was heeded."),
    ] {
        all.insert(name.to_owned(), header(about));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNTS, QUALIFIED};
    use quittance_core::account::Account;

    #[test]
    fn the_accounts_are_those_of_the_chart() {
        for name in ACCOUNTS {
            assert!(name.parse::<Account>().is_ok(), "{name}");
        }
        for name in QUALIFIED {
            assert!(format!("{name}:x").parse::<Account>().is_ok() && name.parse::<Account>().is_err(), "{name}");
        }
    }
}
