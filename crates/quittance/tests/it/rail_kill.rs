//! `kill -9` of a server that pays through a hostile rail, which knows no keys: answers are lost, requests take effect
//! late or never, and whoever sends again without proof pays twice. The rail's own books say who did.

use crate::rail::sandbox;
use crate::support::{Home, Server};
use quittance_sandbox::{Config, FaultProfile, FaultRates};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

const PAYMENTS: u64 = 150;
const CLIENTS: u64 = 12;
const CUSTOMERS: u64 = 10;
/// Orders after whose beginning the server dies.
const DEATHS: [u64; 2] = [40, 95];
const PATIENCE: Duration = Duration::from_secs(30);

struct Trade {
    http: Client,
    secret: String,
    gateway: String,
    /// Where the server listens; nothing while it is dead.
    base: watch::Sender<Option<String>>,
    /// How many orders were begun.
    begun: watch::Sender<u64>,
    next: AtomicU64,
}

impl Trade {
    /// One send; nothing where no answer came.
    async fn post(&self, path: &str, key: &str, body: &Value, patience: Duration) -> Option<(u16, Value)> {
        let base = self.base.subscribe().wait_for(Option::is_some).await.ok()?.clone()?;
        let request = self.http.post(format!("{base}{path}")).bearer_auth(&self.secret);
        let answer = request.header("Idempotency-Key", key).json(body).timeout(patience).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    async fn get(&self, url: &str) -> Value {
        let secret = if url.starts_with(&self.gateway) { "sk_test_it" } else { &self.secret };
        let answer = self.http.get(url).bearer_auth(secret).timeout(PATIENCE).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{url}");
        answer.json().await.expect("JSON")
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}/_sandbox/{path}", self.gateway)).json(body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("JSON")
    }

    /// Sends until the answer is final, each time the same bytes under the same key, and sometimes without patience.
    async fn insist(&self, path: &str, key: &str, body: &Value) -> u16 {
        for attempt in 0.. {
            let patience = if attempt % 4 == 1 { Duration::from_millis(30) } else { PATIENCE };
            match self.post(path, key, body, patience).await {
                Some((202 | 429 | 500.., _)) | None => tokio::time::sleep(Duration::from_millis(20)).await,
                Some((status, _)) => return status,
            }
        }
        unreachable!("attempts do not end")
    }

    /// Every sixth order is rejected, every tenth settles later.
    async fn buy(&self, number: u64) {
        let (source, expected) = match number {
            number if number % 6 == 5 => ("src_insufficient", 402),
            number if number % 10 == 3 => ("src_pending", 201),
            _ => ("src_ok", 201),
        };
        let body = json!({
            "customer": format!("customer-{}", number % CUSTOMERS), "amount": 100 + number, "currency": "USD",
            "gateway": "rail", "payment_method": source, "reference": format!("order-{number}"),
        });
        assert_eq!(self.insist("/v1/payments", &format!("key-{number}"), &body).await, expected, "order-{number}");
    }

    async fn work(self: Arc<Self>) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= PAYMENTS {
                return;
            }
            self.begun.send_modify(|begun| *begun += 1);
            self.buy(number).await;
        }
    }

    /// Everything on a list, page by page.
    async fn list(&self, url: &str, rows: &str, next: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{url}?limit=100{cursor}")).await;
            all.extend(page[rows].as_array().expect("a list").iter().cloned());
            match page[next].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Our payments and the rail's transfers, one to one; our ledger and its books, to the cent.
    async fn compare(&self) {
        let base = self.base.borrow().clone().expect("the server runs");
        let payments = self.list(&format!("{base}/v1/payments"), "data", "next_cursor").await;
        let transfers = self.list(&format!("{}/rail/v1/transfers", self.gateway), "transfers", "next").await;
        let status = |wanted: &str| payments.iter().filter(|payment| payment["status"] == wanted).count();
        assert_eq!(
            (payments.len(), status("succeeded"), status("failed")),
            (150, 125, 25),
            "all ended as they have to"
        );
        let paid = payments.iter().filter(|payment| payment["status"] == "succeeded");
        let ours = paid.map(|payment| (&payment["gateway_id"], &payment["captured_amount"]));
        let settled = transfers.iter().filter(|transfer| transfer["state"] != "rejected");
        let theirs = settled.map(|transfer| (&transfer["id"], &transfer["amount"]));
        let sorted = |rows: &mut dyn Iterator<Item = (&Value, &Value)>| {
            rows.map(|(id, amount)| (id.to_string(), amount.as_i64())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(sorted(&mut { ours }), sorted(&mut { theirs }));
        let books = self.get(&format!("{}/_sandbox/books?group_transfers=memo", self.gateway)).await;
        let groups = &books["group_transfers"];
        assert_eq!((&books["sound"], &groups["groups_paid_more_than_once"]), (&json!(true), &json!(0)), "{books:#}");
        assert_eq!((&groups["groups"], &groups["transfers_paid"]), (&json!(150), &json!(125)), "{books:#}");
        let ledger = self.get(&format!("{base}/v1/ledger/balances?account=gateway_clearing:rail")).await;
        assert_eq!(ledger["data"][0]["amount"], books["transfers"]["USD"]["balance"], "{ledger:#}");
        assert_eq!(ledger["data"][0]["held_debit_amount"], 0, "{ledger:#}");
    }

    /// What the rail did to us: a test without trouble would prove nothing.
    async fn check_trouble(&self) {
        let faults = self.get(&format!("{}/_sandbox/faults", self.gateway)).await;
        let met = |names: &[&str]| names.iter().any(|name| faults["faults"][name].as_u64() > Some(0));
        assert!(met(&["lost_answer", "timeout_after_effect", "error_500_charged"]), "paid, and not told: {faults:#}");
        assert!(met(&["timeout_before_effect", "error_500_not_charged", "connection_reset"]), "not paid: {faults:#}");
        assert!(met(&["bad_gateway_502"]) && met(&["late_effect"]), "{faults:#}");
    }
}

fn verify(home: &Home) {
    let ended = home.run(&["verify", "--json"]);
    let found = ended.json();
    assert_eq!((ended.code, &found["balanced"], &found["chain_ok"]), (0, &json!(true), &json!(true)), "{found:#}");
}

fn serve(home: &Home, trade: &Trade) -> Server {
    let server = home.serve();
    trade.base.send_replace(Some(server.base.clone()));
    server
}

/// A hostile rail, and a server that takes as long to believe that nothing is there as the rail says it has to.
async fn open(seed: u64) -> (Home, Arc<Trade>) {
    // Every kind so often that a run of this length meets it.
    let faults = FaultRates {
        lost_answer: 80,
        timeout_before_effect: 60,
        late_effect: 80,
        bad_gateway_502: 80,
        ..FaultProfile::Hostile.rates()
    };
    let config = Config {
        seed,
        faults: FaultProfile::Custom(faults),
        hold_ms: 800,
        slow_ms: 100,
        late_effect_ms_max: Some(1_500),
        agenda_ms: 300,
        ..Config::default()
    };
    let gateway = sandbox(config).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder().no_proxy().build().expect("a client");
    let answer = http.get(format!("{gateway}/_sandbox/capabilities")).send().await.expect("an answer");
    let capabilities: Value = answer.json().await.expect("JSON");
    let row = &capabilities["rail"]["transfers"];
    assert_eq!(row["class"], "B", "{row:#}");
    let quiescence_s = row["absence_quiescence_s"].as_u64().expect("a span");
    let home = Home::with_rail(&gateway, quiescence_s, "timeout_ms = 600\n");
    let secret = home.credential();
    let (base, begun) = (watch::channel(None).0, watch::channel(0).0);
    (home, Arc::new(Trade { http, secret, gateway, base, begun, next: AtomicU64::new(0) }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rail_without_keys_is_paid_once_through_faults_and_two_deaths() {
    let (home, trade) = open(5).await;
    let mut server = serve(&home, &trade);
    for number in 0..CUSTOMERS {
        let name = format!("customer-{number}");
        let customer = json!({"external_id": name, "name": name});
        assert_eq!(trade.insist("/v1/customers", &name, &customer).await, 201, "{name}");
    }
    let mut clients: JoinSet<()> = (0..CLIENTS).map(|_| Arc::clone(&trade).work()).collect();
    for death in DEATHS {
        tokio::select! {
            _ = async { trade.begun.subscribe().wait_for(|begun| *begun >= death).await.is_ok() } => {}
            Some(ended) = clients.join_next() => ended.expect("no client ends before its time"),
        }
        trade.base.send_replace(None);
        server.child.kill().expect("it can be killed");
        server.child.wait().expect("it is dead");
        verify(&home);
        server = serve(&home, &trade);
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client panicked");
    }
    trade.check_trouble().await;
    trade.control("faults", &json!({"profile": "none"})).await;
    // What everybody has given up happens now, if it can.
    trade.control("faults/flush", &json!({})).await;
    trade.compare().await;
    drop(server);
    verify(&home);
}
