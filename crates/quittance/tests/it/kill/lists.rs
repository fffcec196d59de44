//! What clients were told, compared with the gateway's own lists; and our list with theirs, line by line.

use super::trade::Trade;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Looks at what is still open, each after a breath; only a broken promise takes this many.
const LOOKS_MAX: u32 = 400;
const BREATH: Duration = Duration::from_millis(100);

/// A gateway's charge that took money: order, what was authorised and what is left, currency, payment intent.
struct Taken {
    id: String,
    order: String,
    amount: i64,
    kept: i64,
    currency: String,
    intent: String,
}

impl Trade {
    /// The gateway's own list, page by page; only what took money.
    async fn taken(&self) -> Vec<Taken> {
        let mut taken = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(format!("{}/v1/charges?limit=100{after}", self.gateway)).await;
            let rows = page["data"].as_array().expect("a list");
            let text = |row: &Value, at: &str| row.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
            taken.extend(rows.iter().filter(|row| row["status"] == "succeeded").map(|row| Taken {
                id: text(row, "/id"),
                order: text(row, "/metadata/order"),
                amount: number(row, "amount"),
                kept: kept(row),
                currency: text(row, "/currency").to_uppercase(),
                intent: text(row, "/payment_intent"),
            }));
            match rows.last().filter(|_| page["has_more"] == true) {
                Some(last) => after = format!("&starting_after={}", text(last, "/id")),
                None => return taken,
            }
        }
    }

    /// How the gateway behaves from now on. While its list is read it behaves well: that it can be hostile to reads as
    /// well is a matter of the engine's, not of the comparison's.
    pub(super) async fn set_faults(&self, profile: &str) {
        let request = self.http.post(format!("{}/_sandbox/faults", self.gateway)).json(&json!({"profile": profile}));
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }

    /// Requests that everybody gave up on run now: what was decided must not change by it.
    async fn run_late_effects(&self) {
        for what in ["faults/flush", "agenda/flush", "webhooks/flush"] {
            let request = self.http.post(format!("{}/_sandbox/{what}", self.gateway));
            assert_eq!(request.send().await.expect("an answer").status(), 200);
        }
    }

    /// No order is charged twice, and whatever a client was told is paid, is.
    pub(super) async fn compare(&self) {
        let told = self.told.lock().expect("no client panicked").clone();
        let taken = self.taken().await;
        let mut by_order: BTreeMap<&str, &Taken> = BTreeMap::new();
        for charge in &taken {
            assert!(by_order.insert(&charge.order, charge).is_none(), "{} was charged twice", charge.order);
        }
        let is_payment = |(_, (status, told)): &(&String, &(u16, Value))| *status == 201 && told["object"] == "payment";
        for (key, (status, payment)) in told.iter().filter(is_payment) {
            let charge = by_order.get(payment["reference"].as_str().expect("a reference"));
            let charge = charge.unwrap_or_else(|| panic!("{key} was told {status}, and nothing was charged"));
            let (amount, currency) = (json!(charge.amount), json!(charge.currency));
            assert_eq!((&payment["amount"], &payment["currency"]), (&amount, &currency), "{key}");
        }
    }

    /// Our list, page by page.
    async fn payments(&self) -> Vec<Value> {
        let base = self.base.borrow().clone().expect("the server runs");
        let (mut payments, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(format!("{base}/v1/payments?limit=100{cursor}")).await;
            payments.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return payments,
            }
        }
    }

    /// Both lists in full: the same payments, the same amounts, nothing open. What no webhook told is learned by asking,
    /// so both are looked at until they agree.
    pub(super) async fn compare_lists(&self) {
        self.run_late_effects().await;
        for look in 0..=LOOKS_MAX {
            let payments = self.payments().await;
            let open: Vec<_> = payments.iter().filter(|payment| !is_settled(payment)).collect();
            let (ours, theirs) = (our_lines(&payments), self.their_lines().await);
            if open.is_empty() && ours == theirs {
                return;
            }
            assert!(look < LOOKS_MAX, "these stay open: {open:#?}; ours {ours:#?} theirs {theirs:#?}");
            tokio::time::sleep(BREATH).await;
        }
    }

    async fn their_lines(&self) -> Vec<String> {
        let mut taken = self.taken().await;
        let disputes = self.get(format!("{}/v1/disputes?limit=100", self.gateway)).await;
        assert_eq!(disputes["has_more"], false, "more disputes than one page");
        for dispute in disputes["data"].as_array().expect("a list") {
            let moved: i64 = dispute["balance_transactions"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|row| number(row, "amount"))
                .sum();
            for charge in taken.iter_mut().filter(|charge| dispute["charge"] == charge.id.as_str()) {
                charge.kept += moved;
            }
        }
        let mut lines: Vec<String> = taken
            .iter()
            .filter(|charge| charge.kept != 0)
            .map(|charge| line(&charge.intent, charge.kept, &charge.currency))
            .collect();
        lines.sort_unstable();
        lines
    }
}

fn is_settled(payment: &Value) -> bool {
    ["succeeded", "failed", "canceled"].iter().any(|status| payment["status"] == *status)
}

fn our_lines(payments: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for payment in payments.iter().filter(|payment| payment["status"] == "succeeded") {
        let gone = ["refunded_amount", "disputed_amount", "returned_amount"].map(|name| number(payment, name));
        let kept = number(payment, "captured_amount") - gone.iter().sum::<i64>();
        let text = |name: &str| payment[name].as_str().expect("a text");
        if kept != 0 {
            lines.push(line(text("gateway_id"), kept, text("currency")));
        }
    }
    lines.sort_unstable();
    lines
}

fn line(object: &str, amount: i64, currency: &str) -> String {
    format!("{object} {amount} {currency}")
}

fn number(row: &Value, name: &str) -> i64 {
    row[name].as_i64().unwrap_or_else(|| panic!("no {name} in {row:#}"))
}

/// What is left of a charge: what was authorised and not captured is shown as refunded.
fn kept(row: &Value) -> i64 {
    let (captured, refunded) = (number(row, "amount_captured"), number(row, "amount_refunded"));
    if captured == 0 { 0 } else { captured - (refunded - (number(row, "amount") - captured)) }
}
