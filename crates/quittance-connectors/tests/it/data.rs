//! Third-party data and small builders that several modules use.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use quittance_connectors::message::{Delivery, Response};
use serde_json::{Value, json};

/// Reads a file of the test data as JSON, or records by name that the test is skipped.
pub fn test_data(path: &str) -> Option<Value> {
    let file = folder().map(|folder| folder.join(path)).filter(|file| file.is_file());
    let Some(file) = file else {
        record_skip(&format!("quittance-connectors: {path} (set QUITTANCE_TEST_DATA)"));
        return None;
    };
    let text = std::fs::read_to_string(&file).expect("test data is readable");
    Some(serde_json::from_str(&text).expect("test data is JSON"))
}

#[expect(clippy::disallowed_methods, reason = "only the environment can tell a test where the data is")]
fn folder() -> Option<PathBuf> {
    match std::env::var_os("QUITTANCE_TEST_DATA") {
        Some(folder) => Some(folder.into()),
        None => Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data")).filter(|path| path.is_dir()),
    }
}

#[expect(clippy::disallowed_methods, reason = "only the environment can tell a test where skips are listed")]
fn record_skip(what: &str) {
    println!("skipped: {what}");
    if let Some(list) = std::env::var_os("QUITTANCE_SKIPS") {
        let mut list = std::fs::OpenOptions::new().append(true).create(true).open(list).expect("skip list opens");
        writeln!(list, "{what}").expect("skip list takes a line");
    }
}

/// A whole answer with these headers and this body.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Delivery {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Delivery::Answered(Response { status, headers, body: body.as_ref().to_vec() })
}

/// A whole answer with a JSON body.
pub fn json_answer(status: u16, body: &Value) -> Delivery {
    answer(status, &[("content-type", "application/json")], body.to_string())
}

/// A payment intent as Stripe renders it, as far as we read it.
pub fn intent() -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": 1999, "amount_received": 0, "currency": "usd",
        "status": "requires_confirmation", "latest_charge": null, "last_payment_error": null, "next_action": null,
        "payment_method": "pm_1", "metadata": {"effect_id": "eff_00000000000000000000000001", "shop": "7"},
    })
}

/// The intent with some members replaced.
pub fn intent_with(changes: Value) -> Value {
    let mut intent = intent();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        intent[name] = value;
    }
    intent
}
