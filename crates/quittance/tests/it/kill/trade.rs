//! Clients that go on while the server is killed: each sends the same bytes under the same key until the answer is
//! final. Does not own what their answers are compared with (`lists`).

use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

pub(super) const CUSTOMERS: u64 = 20;
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
const GOOD_CARD: &str = "pm_card_visa";
const BAD_CARD: &str = "pm_card_chargeDeclined";

/// What everybody shares.
pub(super) struct Trade {
    pub(super) http: Client,
    pub(super) secret: String,
    pub(super) gateway: String,
    /// Where the server listens; nothing while it is dead.
    pub(super) base: watch::Sender<Option<String>>,
    /// Whether orders have an aftermath.
    pub(super) is_mixed: bool,
    /// How many orders were begun.
    pub(super) begun: watch::Sender<u64>,
    pub(super) next: AtomicU64,
    pub(super) is_over: AtomicBool,
    /// Final answers by key: status and body.
    pub(super) told: Mutex<BTreeMap<String, (u16, Value)>>,
}

impl Trade {
    pub(super) async fn post(&self, path: &str, key: &str, body: &Value, patience: Duration) -> Option<(u16, Value)> {
        let base = self.base.subscribe().wait_for(Option::is_some).await.ok()?.clone()?;
        let request = self.http.post(format!("{base}{path}")).bearer_auth(&self.secret);
        let answer = request.header("Idempotency-Key", key).json(body).timeout(patience).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    pub(super) async fn get(&self, url: String) -> Value {
        let request = self.http.get(&url).timeout(PATIENCE);
        let secret = if url.starts_with(&self.gateway) { "sk_test_it" } else { &self.secret };
        let answer = request.bearer_auth(secret).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{url}");
        answer.json().await.expect("JSON")
    }

    /// Sends until the answer is final, each time the same bytes under the same key.
    async fn insist(&self, key: &str, body: &Value) -> (u16, Value) {
        self.insist_at("/v1/payments", key, body).await
    }

    async fn insist_at(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        for attempt in 0.. {
            let patience = if attempt % 4 == 1 { Duration::from_millis(30) } else { PATIENCE };
            match self.post(path, key, body, patience).await {
                Some((202 | 429 | 500.., _)) | None => tokio::time::sleep(Duration::from_millis(20)).await,
                Some(answer) => {
                    let mut told = self.told.lock().expect("no client panicked");
                    let first = told.entry(key.to_owned()).or_insert_with(|| answer.clone());
                    assert_eq!(*first, answer, "{key} is answered in two ways");
                    return answer;
                }
            }
        }
        unreachable!("attempts do not end")
    }

    /// One order: every fifth is declined first, every seventh is asked for by two clients at once. In a mixed trade,
    /// four in ten have an aftermath: they are captured later, given up, given back, or their bank objects.
    async fn buy(&self, number: u64) {
        if self.is_mixed && number % 10 < 4 {
            return self.buy_and_more(number).await;
        }
        self.buy_plainly(number).await;
    }

    async fn buy_plainly(&self, number: u64) {
        let body = |card: &str| order(number, card, "automatic");
        let (first, second) = (format!("{number}-a"), format!("{number}-b"));
        if number.is_multiple_of(5) {
            assert_eq!(self.insist(&first, &body(BAD_CARD)).await.0, 402, "{first}");
            assert_eq!(self.insist(&second, &body(GOOD_CARD)).await.0, 201, "{second}");
        } else if number.is_multiple_of(7) {
            let good = body(GOOD_CARD);
            let (one, other) = tokio::join!(self.insist(&first, &good), self.insist(&second, &good));
            let mut statuses = [one.0, other.0];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409], "{one:?} {other:?}");
        } else {
            assert_eq!(self.insist(&first, &body(GOOD_CARD)).await.0, 201, "{first}");
        }
    }

    async fn buy_and_more(&self, number: u64) {
        let (card, capture) = match number % 10 {
            0 | 1 => (GOOD_CARD, "manual"),
            2 => (
                ["pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail"][(number / 10 % 3) as usize],
                "automatic",
            ),
            _ => ("pm_card_createDispute", "automatic"),
        };
        let key = format!("{number}-a");
        let (status, payment) = self.insist(&key, &order(number, card, capture)).await;
        assert_eq!(status, 201, "{key}: {payment}");
        let id = payment["id"].as_str().expect("an id");
        let amount = payment["amount"].as_i64().expect("an amount");
        let step = |name: &str| (format!("/v1/payments/{id}/{name}"), format!("{number}-{name}"));
        match number % 10 {
            0 => {
                let (path, key) = step("capture");
                let (status, captured) = self.insist_at(&path, &key, &json!({"amount": amount / 2})).await;
                assert_eq!((status, &captured["captured_amount"]), (200, &json!(amount / 2)), "{key}: {captured}");
            }
            1 => {
                let (path, key) = step("cancel");
                let (status, canceled) = self.insist_at(&path, &key, &json!({})).await;
                assert_eq!((status, &canceled["status"]), (200, &json!("canceled")), "{key}: {canceled}");
            }
            2 => self.give_back(number, id, amount).await,
            _ => {}
        }
    }

    /// Six tenths of it, twice at once: one of them is too much.
    async fn give_back(&self, number: u64, payment: &str, amount: i64) {
        let body = |name: &str| json!({"payment": payment, "amount": amount * 6 / 10, "reference": name});
        let (one, other) = (format!("{number}-r"), format!("{number}-s"));
        let (first, second) = (body(&one), body(&other));
        let (first, second) =
            tokio::join!(self.insist_at("/v1/refunds", &one, &first), self.insist_at("/v1/refunds", &other, &second));
        let mut statuses = [first.0, second.0];
        statuses.sort_unstable();
        // A refund that failed at the bank before the other was asked for leaves room for it.
        let failed = first.1["status"] == "failed" || second.1["status"] == "failed";
        assert!(statuses == [201, 422] || failed, "{first:?} {second:?}");
    }

    pub(super) async fn work(self: Arc<Self>) {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            self.begun.send_modify(|begun| *begun += 1);
            self.buy(number).await;
        }
    }
}

fn order(number: u64, card: &str, capture_method: &str) -> Value {
    let currency = ["USD", "EUR", "JPY"][usize::try_from(number % 3).expect("small")];
    json!({
        "customer": format!("customer-{}", number % CUSTOMERS), "amount": 100 + roll(3, number, 50_000),
        "currency": currency, "gateway": "sandbox", "payment_method": card, "capture_method": capture_method,
        "reference": format!("order-{number}"), "metadata": {"order": format!("order-{number}")},
    })
}

/// SplitMix64.
pub(super) fn roll(seed: u64, number: u64, sides: u64) -> u64 {
    let mut bits = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) % sides
}
