//! The brake under load, from outside: a hostile gateway, a server, many clients, and `quittance pause` in the middle.
//! The gateway counts what reaches it, and its own books say at the end that everything was charged once.

use crate::support::{Ended, Home, Server};
use quittance_sandbox::{Config, FaultProfile, Sandbox};
use reqwest::Client;
use serde_json::{Value, json};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Orders that are begun before the pause, while it lasts, and after a restart that it outlives.
const ORDERS: [std::ops::Range<u64>; 3] = [0..150, 150..200, 200..220];
const CUSTOMERS: u64 = 10;
/// Requests at one gateway at once, by default.
const IN_FLIGHT_MAX: u64 = 32;
const PATIENCE: Duration = Duration::from_secs(15);
/// Looks at something that has to become so, each after a breath; only a broken promise takes this many.
const LOOKS_MAX: u32 = 3_000;
const BREATH: Duration = Duration::from_millis(20);

struct Trade {
    http: Client,
    home: Home,
    secret: String,
    gateway: String,
    /// Where the server listens.
    base: watch::Sender<String>,
}

impl Trade {
    /// What the server says to a request; nothing where it is away.
    async fn ask(&self, request: impl Fn(&Client, &str) -> reqwest::RequestBuilder) -> Option<(u16, String)> {
        let base = self.base.borrow().clone();
        let answer = request(&self.http, &base).bearer_auth(&self.secret).timeout(PATIENCE).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    async fn post(&self, path: &str, key: &str, body: &Value, wait: &str) -> Option<u16> {
        let request = |http: &Client, base: &str| {
            let request = http.post(format!("{base}{path}")).header("Idempotency-Key", key);
            request.header("Prefer", wait).json(body)
        };
        self.ask(request).await.map(|(status, _)| status)
    }

    async fn pay(&self, number: u64, wait: &str) -> Option<u16> {
        let order = format!("order-{number}");
        let body = json!({
            "customer": format!("customer-{}", number % CUSTOMERS), "amount": 100 + number, "currency": "USD",
            "gateway": "sandbox", "payment_method": "pm_card_visa", "reference": order, "metadata": {"order": order},
        });
        self.post("/v1/payments", &order, &body, wait).await
    }

    /// Asks again and again, under the same key, until it is paid.
    async fn buy(self: Arc<Self>, number: u64) {
        while self.pay(number, "wait=5").await != Some(201) {
            tokio::time::sleep(BREATH).await;
        }
    }

    async fn look<T>(&self, path: &str, read: impl Fn(&Value) -> Option<T>) -> T {
        let answer = self.http.get(format!("{}{path}", self.gateway)).send().await.expect("an answer");
        let json: Value = answer.json().await.expect("JSON");
        read(&json).unwrap_or_else(|| panic!("{path} says {json}"))
    }

    /// Requests that have reached the gateway: writes, reads and searches.
    async fn requests(&self) -> u64 {
        self.look("/_sandbox/faults", |faults| faults["requests"].as_u64()).await
    }

    /// Requests that the server has under way at the gateway.
    async fn in_flight(&self) -> Option<f64> {
        let (_, metrics) = self.ask(|http, base| http.get(format!("{base}/metrics"))).await?;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("quittance_gateway_in_flight_requests{gateway=\"sandbox\"} "));
        line?.parse().ok()
    }

    /// Runs the binary beside the server, while everybody goes on.
    fn run(&self, words: &[&str]) -> Ended {
        let ended = tokio::task::block_in_place(|| self.home.run(words));
        assert_eq!(ended.code, 0, "{ended:?}");
        ended
    }

    fn serve(&self) -> Server {
        let server = tokio::task::block_in_place(|| self.home.serve());
        self.base.send_replace(server.base.clone());
        server
    }
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if is_so().await {
            return;
        }
        tokio::time::sleep(BREATH).await;
    }
    panic!("{what}: it does not become so");
}

async fn open() -> (Arc<Trade>, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gateway = format!("http://{}", listener.local_addr().expect("an address"));
    let faults = FaultProfile::Hostile;
    let config = Config { seed: 23, faults, hold_ms: 1_000, slow_ms: 100, ..Config::default() };
    tokio::spawn(Sandbox::new(config).serve(listener, pending()));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = Home::with_gateway(&gateway);
    let (secret, http) = (home.credential(), Client::builder().no_proxy().build().expect("a client"));
    let trade = Arc::new(Trade { http, home, secret, gateway, base: watch::channel(String::new()).0 });
    let server = trade.serve();
    for number in 0..CUSTOMERS {
        let name = format!("customer-{number}");
        let made = trade.post("/v1/customers", &name, &json!({"external_id": name}), "wait=5").await;
        assert_eq!(made, Some(201));
    }
    (trade, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_reaches_a_paused_gateway_and_after_the_resume_everything_is_charged_once() {
    let (trade, mut server) = open().await;
    let [before, meanwhile, after] = ORDERS;
    let mut clients: JoinSet<()> = before.map(|number| Arc::clone(&trade).buy(number)).collect();
    until("work is under way", async || trade.requests().await >= 60).await;
    let paused = trade.run(&["pause", "--gateway", "sandbox", "--reason", "rehearsal", "--json"]);
    let at_answer = trade.requests().await;
    assert_eq!(paused.json()["paused"][0]["gateway"], "sandbox");
    until("what was under way ends", async || trade.in_flight().await == Some(0.0)).await;
    let stopped = trade.requests().await;
    assert!(stopped - at_answer <= IN_FLIGHT_MAX, "{at_answer} when it was paused, {stopped} when it stood still");
    // Payments are accepted, effects fall due, the server is started anew: nothing leaves.
    for number in meanwhile.clone() {
        assert_eq!(trade.pay(number, "respond-async").await, Some(202), "order {number}");
    }
    assert_eq!(trade.requests().await, stopped);
    assert_eq!(tokio::task::block_in_place(|| server.terminate()), 0);
    let mut server = trade.serve();
    for number in after.clone() {
        assert_eq!(trade.pay(number, "respond-async").await, Some(202), "order {number}");
    }
    let (_, ready) = trade.ask(|http, base| http.get(format!("{base}/readyz"))).await.expect("it runs");
    assert!(ready.contains("it is paused"), "{ready}");
    assert_eq!(trade.requests().await, stopped);
    let resumed = trade.run(&["resume", "--gateway", "sandbox", "--json"]);
    assert_eq!(resumed.json()["paused"], json!([]));
    for number in meanwhile.chain(after) {
        clients.spawn(Arc::clone(&trade).buy(number));
    }
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client panicked");
    }
    assert!(trade.requests().await > stopped);
    let late = trade.http.post(format!("{}/_sandbox/faults/flush", trade.gateway)).json(&json!({})).send().await;
    assert_eq!(late.expect("an answer").status(), 200);
    let group = trade.look("/_sandbox/books?group=order", |books| Some(books["group"].clone())).await;
    let count = |name: &str| group[name].as_u64();
    let charged = ["groups", "charges_succeeded", "groups_charged_more_than_once"].map(count);
    assert_eq!(charged, [Some(220), Some(220), Some(0)], "{group}");
    let sound = trade.look("/_sandbox/books", |books| books["sound"].as_bool()).await;
    assert!(sound);
    assert_eq!(tokio::task::block_in_place(|| server.terminate()), 0);
    let verified = trade.run(&["verify", "--json"]).json();
    assert_eq!((&verified["balanced"], &verified["chain_ok"]), (&json!(true), &json!(true)), "{verified:#}");
}
