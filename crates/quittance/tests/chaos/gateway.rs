//! A gateway as a process, and the reading of its side over HTTP, as a stranger would. Does not own what our side says.

use crate::demo::evidence::Charge;
use crate::process::{Process, bound};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The credential that it accepts.
pub(crate) const API_KEY: &str = "sk_test_chaos";
/// What signs its webhooks.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_chaos";

/// A gateway always answers here, so only a broken promise takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Faults of the gateways while the processes have theirs, per mille: answers that are lost, or come late. What is carried
/// out much later than asked is the demonstration's matter.
fn rates() -> Value {
    json!({
        "lost_answer": 40, "connection_reset": 30, "error_500_charged": 10, "error_500_not_charged": 10,
        "rate_limited_429": 20, "unavailable_503": 10, "slow_answer": 30, "reads": 200,
        "webhook_dropped": 100, "webhook_duplicate": 100, "webhook_shuffled": 200,
    })
}

/// A gateway that runs.
pub(crate) struct Gateway {
    pub(crate) name: &'static str,
    process: Process,
    http: Client,
}

impl Gateway {
    pub(crate) fn start(name: &'static str, folder: &Path, seed: u64) -> Self {
        let mut command = bound(env!("CARGO_BIN_EXE_quittance"));
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--seed", &seed.to_string()]).current_dir(folder);
        let process = Process::start(&mut command, &folder.join(format!("{name}.log"))).expect("a gateway starts");
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { name, process, http: Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client") }
    }

    pub(crate) fn base(&self) -> &str {
        &self.process.base
    }

    pub(crate) fn socket(&self) -> SocketAddr {
        let address = self.process.base.strip_prefix("http://").and_then(|address| address.parse().ok());
        address.expect("an address")
    }

    pub(crate) async fn misbehave(&self) {
        self.control("faults", json!({"rates": rates()})).await;
    }

    pub(crate) async fn behave(&self) {
        self.control("faults", json!({"profile": "none"})).await;
    }

    /// Webhooks go there from now on, those that wait included.
    pub(crate) async fn send_webhooks_to(&self, server: &str) {
        let url = format!("{server}/webhooks/we_{}", self.name);
        self.control("webhook_target", json!({"url": url, "secrets": [WEBHOOK_SECRET]})).await;
    }

    /// All that waits is done now; returns how many webhooks are still under way.
    pub(crate) async fn flush(&self) -> u64 {
        for what in ["faults/flush", "agenda/flush", "webhooks/flush"] {
            self.control(what, json!({})).await;
        }
        self.get("/_sandbox/webhooks").await["queued"].as_u64().unwrap_or(0)
    }

    /// What it holds for us by its own total, by currency, in minor units; and what is wrong with its books.
    pub(crate) async fn totals(&self) -> (BTreeMap<String, i128>, Vec<String>) {
        let books = self.get("/_sandbox/books").await;
        let mut totals = BTreeMap::new();
        for (currency, total) in books["currencies"].as_object().into_iter().flatten() {
            let amount = |name: &str| i128::from(total[name].as_i64().expect("a number"));
            let kept = amount("amount_captured") - amount("amount_refunded") - amount("amount_disputed");
            totals.insert(currency.to_uppercase(), kept);
        }
        let violations = books["violations"].as_array().into_iter().flatten();
        (totals, violations.map(|violation| format!("the books of {}: {violation}", self.name)).collect())
    }

    /// Every charge in its list.
    pub(crate) async fn charges(&self) -> Vec<Charge> {
        let (mut charges, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/v1/charges?limit=100{after}")).await;
            let rows = page["data"].as_array().expect("a list");
            charges.extend(rows.iter().map(charge));
            match rows.last().filter(|_| page["has_more"] == true) {
                Some(last) => after = format!("&starting_after={}", last["id"].as_str().expect("an id")),
                None => return charges,
            }
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.process.base)).bearer_auth(API_KEY);
        let answer = request.send().await.expect("the gateway answers");
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("JSON")
    }

    async fn control(&self, path: &str, body: Value) {
        let request = self.http.post(format!("{}/_sandbox/{path}", self.process.base)).json(&body);
        let answer = request.send().await.expect("the gateway answers");
        assert_eq!(answer.status(), 200, "{path}");
    }
}

fn charge(row: &Value) -> Charge {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let amount = |name: &str| if row["status"] == "succeeded" { row[name].as_i64().unwrap_or(0) } else { 0 };
    let taken = amount("amount_captured");
    Charge {
        id: text("id"),
        intent: text("payment_intent"),
        order: row.pointer("/metadata/order").and_then(Value::as_str).map(str::to_owned),
        taken_amount: taken.into(),
        kept_amount: (taken - amount("amount_refunded")).into(),
        currency: text("currency").to_uppercase(),
    }
}
