//! Owns: the sandbox gateway beside the demo, and the reading of its side over HTTP, as a stranger would. Does not own:
//! what our side says.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use quittance_sandbox::{Config, FaultProfile, Sandbox};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::evidence::Charge;

/// A running sandbox; it ends when this is dropped.
pub(crate) struct Gateway {
    /// Where it listens, without a trailing slash.
    pub(crate) base: String,
    client: Client,
    _stop: oneshot::Sender<()>,
}

/// The credential that the sandbox accepts.
pub(crate) const API_KEY: &str = "sk_test_demo";
/// What signs its webhooks.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_demo";
/// The path of our endpoint for them.
pub(crate) const WEBHOOK_PATH: &str = "/webhooks/we_demo";

/// Longer than our patience with the gateway, so that a held answer is a lost one.
const HOLD_MS: u64 = 2_000;
const ANSWER_MAX: Duration = Duration::from_secs(30);
const PAGES_MAX: usize = 10_000;
/// A read that fails this often is a failure of the demo.
const READS_MAX: u32 = 20;

/// How many of the gateway's units make one of ours: it counts these in other units than ISO 4217
/// (<https://docs.stripe.com/currencies>, "Special cases").
const COARSER: [(&str, i128); 2] = [("isk", 100), ("ugx", 100)];

impl Gateway {
    /// Starts a gateway that behaves for now.
    pub(crate) async fn start(client: Client, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port for the sandbox")?;
        let base = format!("http://{}", listener.local_addr().context("the sandbox has no address")?);
        let (stop, stopped) = oneshot::channel::<()>();
        let config = Config {
            seed,
            hold_ms: HOLD_MS,
            slow_ms: 400,
            webhook_retry_base_ms: 100,
            webhook_late_ms: 1_000,
            ..Config::default()
        };
        tokio::spawn(Sandbox::new(config).serve(listener, async {
            // Ends in any case when the sender is gone.
            let _ = stopped.await;
        }));
        Ok(Self { base, client, _stop: stop })
    }

    /// Makes a customer at the gateway and returns its id.
    pub(crate) async fn create_customer(&self, name: &str) -> Result<String> {
        let request = self.client.post(format!("{}/v1/customers", self.base)).bearer_auth(API_KEY);
        let form = format!("name={name}");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let customer = read(request).await?;
        Ok(customer["id"].as_str().context("the gateway's customer has no id")?.to_owned())
    }

    /// From now on it behaves like this.
    pub(crate) async fn set_faults(&self, profile: FaultProfile) -> Result<()> {
        self.control("faults", json!({"profile": profile.to_string()})).await.map(drop)
    }

    /// Webhooks go there from now on, those that wait included.
    pub(crate) async fn send_webhooks_to(&self, server: &str) -> Result<()> {
        let url = format!("{server}{WEBHOOK_PATH}");
        self.control("webhook_target", json!({"url": url, "secrets": [WEBHOOK_SECRET]})).await.map(drop)
    }

    /// Makes every waiting webhook due and says how many are still on their way.
    pub(crate) async fn flush_webhooks(&self) -> Result<u64> {
        self.control("webhooks/flush", json!({})).await?;
        Ok(self.get("/_sandbox/webhooks").await?["queued"].as_u64().unwrap_or(0))
    }

    /// Carries out what clients gave up waiting for, however late.
    pub(crate) async fn flush_late_effects(&self) -> Result<()> {
        self.control("faults/flush", json!({})).await.map(drop)
    }

    /// The customer of a payment intent authenticates.
    pub(crate) async fn authenticate(&self, intent: &str) -> Result<()> {
        self.control(&format!("authenticate/{intent}"), json!({"outcome": "succeed"})).await.map(drop)
    }

    /// The issuer decides a dispute.
    pub(crate) async fn decide_dispute(&self, dispute: &str, outcome: &str) -> Result<()> {
        self.control(&format!("disputes/{dispute}/close"), json!({"outcome": outcome})).await.map(drop)
    }

    /// Refunds that wait for their bank are settled, one way or the other.
    pub(crate) async fn flush_agenda(&self) -> Result<()> {
        self.control("agenda/flush", json!({})).await.map(drop)
    }

    /// How often each fault happened.
    pub(crate) async fn faults(&self) -> Result<BTreeMap<String, u64>> {
        let counts = self.get("/_sandbox/faults").await?["faults"].take();
        serde_json::from_value(counts).context("the sandbox counts its faults in another form")
    }

    /// What it holds for us in total, by currency, in our minor units: captured, less what went back and what disputes
    /// took, their fees included; and what is wrong with its own books. Its fees for charges are another matter: they
    /// are settled with its payouts.
    pub(crate) async fn totals(&self) -> Result<(BTreeMap<String, i128>, Vec<String>)> {
        let books = self.get("/_sandbox/books").await?;
        let mut totals = BTreeMap::new();
        for (currency, total) in books["currencies"].as_object().into_iter().flatten() {
            let amount = |name: &str| total[name].as_i64().context("the gateway's total is no number");
            let kept = amount("amount_captured")? - amount("amount_refunded")? - amount("amount_disputed")?;
            totals.insert(currency.to_uppercase(), our_units(currency, kept));
        }
        for dispute in self.disputes().await? {
            *totals.entry(dispute.currency).or_default() -= dispute.fee_amount;
        }
        let violations = books["violations"].as_array().into_iter().flatten();
        Ok((totals, violations.map(|violation| format!("the gateway's own books: {violation}")).collect()))
    }

    /// Every dispute in its list, page by page.
    pub(crate) async fn disputes(&self) -> Result<Vec<Dispute>> {
        self.list("/v1/disputes", dispute).await
    }

    /// Every charge in its list, less what disputes took of it.
    pub(crate) async fn charges(&self) -> Result<Vec<Charge>> {
        let mut charges = self.list("/v1/charges", charge).await?;
        for dispute in self.disputes().await? {
            for charge in charges.iter_mut().filter(|charge| charge.id == dispute.charge) {
                charge.kept_amount -= dispute.taken_amount;
            }
        }
        Ok(charges)
    }

    /// Everything in one of its lists, page by page.
    async fn list<T>(&self, path: &str, read: fn(&Value) -> Result<T>) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let page = self.get(&format!("{path}?limit=100{after}")).await?;
            let data = page["data"].as_array().context("the gateway's list is none")?;
            for row in data {
                rows.push(read(row)?);
            }
            let last = data.last().and_then(|row| row["id"].as_str()).filter(|_| page["has_more"] == true);
            let Some(last) = last else { return Ok(rows) };
            after = format!("&starting_after={last}");
        }
        bail!("the gateway's list {path} does not end")
    }

    /// Reads, again and again where it misbehaves: that is what it is for.
    async fn get(&self, path: &str) -> Result<Value> {
        let mut tries = 0;
        loop {
            tries += 1;
            let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(API_KEY);
            match read(request).await {
                Err(_) if tries < READS_MAX => {}
                other => return other.with_context(|| format!("cannot read {path} of the sandbox")),
            }
        }
    }

    /// Does to the account what is not in the gateway's API: what its other customers, its banks and its clock do.
    pub(crate) async fn hand(&self, path: &str, body: &Value) -> Result<()> {
        let request = self.client.post(format!("{}/_sandbox/{path}", self.base)).bearer_auth(API_KEY).json(body);
        let answer = request.send().await.with_context(|| format!("the gateway does not answer about {path}"))?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        ensure!(status.is_success(), "the gateway refuses {path}: {status} {text}");
        Ok(())
    }

    async fn control(&self, path: &str, body: Value) -> Result<Value> {
        let request = self.client.post(format!("{}/_sandbox/{path}", self.base)).json(&body);
        read(request).await.with_context(|| format!("cannot set {path} of the sandbox"))
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Value> {
    let response = request.timeout(ANSWER_MAX).send().await.context("the sandbox does not answer")?;
    let status = response.status();
    let body = response.text().await.context("the sandbox's answer breaks off")?;
    if !status.is_success() {
        bail!("the sandbox answers {status}: {body}");
    }
    serde_json::from_str(&body).context("the sandbox's answer is not JSON")
}

/// Reads a charge of Stripe's dialect.
fn charge(row: &Value) -> Result<Charge> {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let currency = text("currency").context("a charge without a currency")?;
    let amount = |name: &str| row[name].as_i64().with_context(|| format!("a charge without {name}"));
    let (captured, refunded) = (amount("amount_captured")?, amount("amount_refunded")?);
    // What was authorised and not captured is shown as refunded.
    let released = if captured > 0 { amount("amount")? - captured } else { refunded };
    let kept = captured - (refunded - released).max(0);
    let succeeded = |amount| if row["status"] == "succeeded" { our_units(&currency, amount) } else { 0 };
    Ok(Charge {
        id: text("id").context("a charge without an id")?,
        intent: text("payment_intent").unwrap_or_default(),
        order: row.pointer("/metadata/order").and_then(Value::as_str).map(str::to_owned),
        taken_amount: succeeded(captured),
        kept_amount: succeeded(kept),
        currency: currency.to_uppercase(),
    })
}

/// What a dispute took.
pub(crate) struct Dispute {
    charge: String,
    currency: String,
    taken_amount: i128,
    fee_amount: i128,
}

/// Reads a dispute of Stripe's dialect.
fn dispute(row: &Value) -> Result<Dispute> {
    let currency = row["currency"].as_str().context("a dispute without a currency")?.to_owned();
    let movements = row["balance_transactions"].as_array().context("a dispute without movements")?;
    let sum = |name: &str| movements.iter().filter_map(|movement| movement[name].as_i64()).sum();
    Ok(Dispute {
        charge: row["charge"].as_str().context("a dispute of no charge")?.to_owned(),
        taken_amount: -our_units(&currency, sum("amount")),
        fee_amount: our_units(&currency, sum("fee")),
        currency: currency.to_uppercase(),
    })
}

/// Exact for everything that the demo charges; a remainder would show as a difference.
fn our_units(currency: &str, amount: i64) -> i128 {
    let factor = COARSER.iter().find(|(code, _)| *code == currency).map_or(1, |(_, factor)| *factor);
    i128::from(amount) / factor
}

#[cfg(test)]
mod tests {
    use super::charge;
    use serde_json::json;

    #[test]
    fn a_charge_is_read_in_our_units() {
        let row = |currency: &str, status: &str| {
            json!({
                "id": "ch_1", "payment_intent": "pi_1", "status": status, "currency": currency, "amount": 1_500,
                "amount_captured": 1_500, "amount_refunded": 500, "metadata": {"order": "order-1"},
            })
        };
        let read = |currency, status| charge(&row(currency, status)).expect("a complete charge");
        let usd = read("usd", "succeeded");
        assert_eq!((usd.taken_amount, usd.kept_amount, usd.currency.as_str()), (1_500, 1_000, "USD"));
        assert_eq!(read("isk", "succeeded").kept_amount, 10);
        assert_eq!(read("usd", "failed").taken_amount, 0);
        assert_eq!(read("jpy", "succeeded").order.as_deref(), Some("order-1"));
        assert!(charge(&json!({"id": "ch_1"})).is_err());
    }
}
