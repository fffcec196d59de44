//! `kill -9` of a loaded server, again and again on one data directory: after each death the books prove sound as they
//! lie there, and the gateway's own list holds exactly what clients were told. Shares no code with the demo.

use crate::support::{Home, Server};
use quittance_sandbox::{Config, FaultProfile, Sandbox};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

const CLIENTS: u64 = 24;
const CUSTOMERS: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(15);
/// Looks at what is still open, each after a breath; only a broken promise takes this many.
const LOOKS_MAX: u32 = 400;
const BREATH: Duration = Duration::from_millis(100);
const GOOD_CARD: &str = "pm_card_visa";
const BAD_CARD: &str = "pm_card_chargeDeclined";

/// What everybody shares.
struct Trade {
    http: Client,
    secret: String,
    gateway: String,
    /// Where the server listens; nothing while it is dead.
    base: watch::Sender<Option<String>>,
    /// How many orders were begun.
    begun: watch::Sender<u64>,
    next: AtomicU64,
    is_over: AtomicBool,
    /// Final answers by key: status and body.
    told: Mutex<BTreeMap<String, (u16, Value)>>,
}

/// A gateway's charge that took money: order, amount, currency, payment intent.
struct Taken {
    order: String,
    amount: i64,
    currency: String,
    intent: String,
}

/// SplitMix64.
fn roll(seed: u64, number: u64, sides: u64) -> u64 {
    let mut bits = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) % sides
}

impl Trade {
    async fn post(&self, path: &str, key: &str, body: &Value, patience: Duration) -> Option<(u16, Value)> {
        let base = self.base.subscribe().wait_for(Option::is_some).await.ok()?.clone()?;
        let request = self.http.post(format!("{base}{path}")).bearer_auth(&self.secret);
        let answer = request.header("Idempotency-Key", key).json(body).timeout(patience).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    async fn get(&self, url: String) -> Value {
        let request = self.http.get(&url).timeout(PATIENCE);
        let secret = if url.starts_with(&self.gateway) { "sk_test_it" } else { &self.secret };
        let answer = request.bearer_auth(secret).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{url}");
        answer.json().await.expect("JSON")
    }

    /// Sends until the answer is final, each time the same bytes under the same key.
    async fn insist(&self, key: &str, body: &Value) -> (u16, Value) {
        for attempt in 0.. {
            let patience = if attempt % 4 == 1 { Duration::from_millis(30) } else { PATIENCE };
            match self.post("/v1/payments", key, body, patience).await {
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

    /// One order: every fifth is declined first, every seventh is asked for by two clients at once.
    async fn buy(&self, number: u64) {
        let currency = ["USD", "EUR", "JPY"][usize::try_from(number % 3).expect("small")];
        let body = |card: &str| {
            json!({
                "customer": format!("customer-{}", number % CUSTOMERS), "amount": 100 + roll(3, number, 50_000),
                "currency": currency, "gateway": "sandbox", "payment_method": card,
                "reference": format!("order-{number}"), "metadata": {"order": format!("order-{number}")},
            })
        };
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

    async fn work(self: Arc<Self>) {
        while !self.is_over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            self.begun.send_modify(|begun| *begun += 1);
            self.buy(number).await;
        }
    }

    /// The gateway's own list, page by page; only what took money.
    async fn taken(&self) -> Vec<Taken> {
        let mut taken = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(format!("{}/v1/charges?limit=100{after}", self.gateway)).await;
            let rows = page["data"].as_array().expect("a list");
            let text = |row: &Value, at: &str| row.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
            taken.extend(rows.iter().filter(|row| row["status"] == "succeeded").map(|row| Taken {
                order: text(row, "/metadata/order"),
                amount: row["amount_captured"].as_i64().expect("an amount"),
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
    async fn set_faults(&self, profile: &str) {
        let request = self.http.post(format!("{}/_sandbox/faults", self.gateway)).json(&json!({"profile": profile}));
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }

    /// Requests that everybody gave up on run now: what was decided must not change by it.
    async fn run_late_effects(&self) {
        let request = self.http.post(format!("{}/_sandbox/faults/flush", self.gateway));
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }

    /// No order is charged twice, and whatever a client was told is paid, is.
    async fn compare(&self) {
        let told = self.told.lock().expect("no client panicked").clone();
        let taken = self.taken().await;
        let mut by_order: BTreeMap<&str, &Taken> = BTreeMap::new();
        for charge in &taken {
            assert!(by_order.insert(&charge.order, charge).is_none(), "{} was charged twice", charge.order);
        }
        for (key, (status, payment)) in told.iter().filter(|(_, (status, _))| *status == 201) {
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

    /// Both lists in full: the same payments, the same amounts, nothing open.
    async fn compare_lists(&self) {
        for look in 0..=LOOKS_MAX {
            let payments = self.payments().await;
            let is_settled = |payment: &&Value| payment["status"] == "succeeded" || payment["status"] == "failed";
            if payments.iter().all(|payment| is_settled(&payment)) {
                self.run_late_effects().await;
                return self.match_lists(&payments).await;
            }
            let open: Vec<_> = payments.iter().filter(|payment| !is_settled(payment)).collect();
            assert!(look < LOOKS_MAX, "these stay open: {open:#?}");
            tokio::time::sleep(BREATH).await;
        }
    }

    async fn match_lists(&self, payments: &[Value]) {
        let line = |object: &str, amount: i64, currency: &str| format!("{object} {amount} {currency}");
        let mut ours: Vec<String> = Vec::new();
        for payment in payments.iter().filter(|payment| payment["status"] == "succeeded") {
            let amount = payment["captured_amount"].as_i64().expect("an amount");
            let text = |name: &str| payment[name].as_str().expect("a text");
            ours.push(line(text("gateway_id"), amount, text("currency")));
        }
        let taken = self.taken().await;
        let mut theirs: Vec<String> =
            taken.iter().map(|charge| line(&charge.intent, charge.amount, &charge.currency)).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }
}

/// The books, as they lie on the disk.
fn verify(home: &Home) {
    let ended = home.run(&["verify", "--json"]);
    let found = ended.json();
    assert_eq!((ended.code, &found["balanced"], &found["chain_ok"]), (0, &json!(true), &json!(true)), "{found:#}");
}

async fn serve(home: &Home, trade: &Trade) -> Server {
    let server = home.serve();
    let target = json!({"url": format!("{}/webhooks/we_it", server.base), "secrets": ["whsec_it"]});
    let request = trade.http.post(format!("{}/_sandbox/webhook_target", trade.gateway)).json(&target);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    trade.base.send_replace(Some(server.base.clone()));
    server
}

/// Kills the server this often, at moments that follow from the seed, while clients go on.
async fn check(seed: u64, kills: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gateway = format!("http://{}", listener.local_addr().expect("an address"));
    let home = Home::with_gateway(&gateway);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trade = Arc::new(Trade {
        http: Client::builder().no_proxy().build().expect("a client"),
        secret: home.credential(),
        gateway,
        base: watch::channel(None).0,
        begun: watch::channel(0).0,
        next: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        told: Mutex::default(),
    });
    let (_stop, stopped) = oneshot::channel::<()>();
    let config = Config {
        seed,
        faults: FaultProfile::Hostile,
        hold_ms: 3_000,
        slow_ms: 200,
        webhook_retry_base_ms: 100,
        webhook_late_ms: 500,
        ..Config::default()
    };
    tokio::spawn(Sandbox::new(config).serve(listener, async {
        let _ = stopped.await;
    }));
    let mut server = serve(&home, &trade).await;
    for number in 0..CUSTOMERS {
        let name = format!("customer-{number}");
        let customer = json!({"external_id": name, "name": name});
        let answer = trade.post("/v1/customers", &name, &customer, PATIENCE).await.expect("an answer");
        assert_eq!(answer.0, 201, "{answer:?}");
    }
    let mut clients: JoinSet<()> = (0..CLIENTS).map(|_| Arc::clone(&trade).work()).collect();
    let mut point = CLIENTS;
    for kill in 0..kills {
        point += 5 + roll(seed, kill, 30);
        tokio::select! {
            _ = async { trade.begun.subscribe().wait_for(|begun| *begun >= point).await.is_ok() } => {}
            Some(ended) = clients.join_next() => ended.expect("no client ends before its time"),
        }
        trade.base.send_replace(None);
        server.child.kill().expect("it can be killed");
        server.child.wait().expect("it is dead");
        verify(&home);
        trade.set_faults("none").await;
        trade.compare().await;
        trade.set_faults("hostile").await;
        server = serve(&home, &trade).await;
    }
    trade.is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client panicked");
    }
    trade.set_faults("none").await;
    trade.compare_lists().await;
    trade.compare().await;
    drop(server);
    verify(&home);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_deaths_under_load_lose_nothing_and_charge_nothing_twice() {
    check(11, 10).await;
}

/// `cargo xtask soak`: many deaths on one directory, then the next seed.
#[tokio::test(flavor = "multi_thread")]
async fn soak_deaths_under_load() {
    if soak("QUITTANCE_SOAK").is_none() {
        return;
    }
    let over = soak("QUITTANCE_SOAK_SECONDS").map(|seconds| tokio::time::sleep(Duration::from_secs(seconds)));
    let mut over = over.map(Box::pin);
    let rounds = soak("QUITTANCE_SOAK_ROUNDS").unwrap_or(if over.is_some() { u64::MAX } else { 5 });
    for seed in 0..rounds {
        println!("seed {seed}");
        check(seed, 40).await;
        if let Some(over) = &mut over
            && tokio::time::timeout(Duration::ZERO, over).await.is_ok()
        {
            return;
        }
    }
}

/// A number that `cargo xtask soak` sets.
#[expect(clippy::disallowed_methods, reason = "the tests are told what is around them by the environment alone")]
fn soak(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
