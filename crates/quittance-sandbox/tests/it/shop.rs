//! Owns: a running sandbox and a client for it. Does not own: what is tested.

use std::time::Duration;

use quittance_sandbox::{Config, FaultProfile, FaultRates, Sandbox};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A sandbox on a free port, and somebody who buys there. Ends when dropped.
pub(crate) struct Shop {
    pub(crate) base: String,
    pub(crate) client: Client,
    _stop: oneshot::Sender<()>,
}

/// An answer read to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) is_replayed: bool,
    pub(crate) retry_after: Option<String>,
    pub(crate) request_id: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, pointer: &str) -> String {
        let value = self.body.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} in {self:#?}")).to_owned()
    }

    pub(crate) fn id(&self) -> String {
        self.text("/id")
    }
}

/// A limit that only a hanging test reaches.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

impl Shop {
    pub(crate) async fn open(config: Config) -> Self {
        let client = Self::client();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(Sandbox::new(config).serve(listener, async {
            let _ = stopped.await;
        }));
        Self { base, client, _stop: stop }
    }

    /// Nothing happens by itself within the time of a test.
    pub(crate) async fn patient() -> Self {
        Self::open(Config { agenda_ms: u64::MAX, ..Config::default() }).await
    }

    /// Without a pool a reset meets exactly the request it was meant for.
    pub(crate) fn client() -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(PATIENCE).build();
        client.expect("a client without TLS settings")
    }

    /// A sandbox in which every write meets one fault, `times` times for each key.
    pub(crate) async fn open_with(times: u32, rates: FaultRates) -> Self {
        Self::open(Config {
            faults: FaultProfile::Custom(rates),
            faults_per_key_max: times,
            hold_ms: 20,
            slow_ms: 20,
            ..Config::default()
        })
        .await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth("sk_test_shop")
    }

    pub(crate) fn keyed(&self, path: &str, key: &str, form: &str) -> RequestBuilder {
        self.request(Method::POST, path)
            .header("idempotency-key", key)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path).send().await.expect("an answer")).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        let request = self.request(Method::POST, path).body(form.to_owned());
        read(request.send().await.expect("an answer")).await
    }

    pub(crate) async fn post_keyed(&self, path: &str, key: &str, form: &str) -> Answer {
        read(self.keyed(path, key, form).send().await.expect("an answer")).await
    }

    pub(crate) async fn control(&self, path: &str, json: Value) -> Answer {
        let request = self.client.post(format!("{}/_sandbox/{path}", self.base)).json(&json);
        read(request.send().await.expect("an answer")).await
    }

    /// A payment of 1,099 with this method, captured at once.
    pub(crate) async fn charge_with(&self, method: &str) -> Answer {
        self.post("/v1/payment_intents", &CHARGE.replace("pm_card_visa", method)).await
    }

    /// The types of all events, oldest first, without those of payment intents.
    pub(crate) async fn events(&self) -> Vec<String> {
        let events = self.get("/v1/events?limit=100").await.body;
        let kinds = events["data"].as_array().into_iter().flatten().rev().filter_map(|event| event["type"].as_str());
        kinds.filter(|kind| !kind.starts_with("payment_intent.")).map(str::to_owned).collect()
    }

    /// Lets everything happen that the gateway does later by itself, and says how much it was.
    pub(crate) async fn flush_agenda(&self) -> u64 {
        self.control("agenda/flush", Value::Null).await.body["flushed"].as_u64().expect("a count")
    }

    /// The ids of a list.
    pub(crate) async fn ids(&self, path: &str) -> Vec<String> {
        let list = self.get(path).await;
        assert_eq!(list.status, 200, "{path}: {list:#?}");
        let data = list.body["data"].as_array().into_iter().flatten();
        data.filter_map(|object| object["id"].as_str()).map(str::to_owned).collect()
    }

    /// The audit in US dollars, after checking that the books are sound.
    pub(crate) async fn dollars(&self) -> Value {
        let mut books = self.get("/_sandbox/books").await.body;
        assert_eq!(books["sound"], true, "{books:#}");
        books["currencies"]["usd"].take()
    }

    /// How often a fault happened.
    pub(crate) async fn fault(&self, kind: &str) -> u64 {
        self.get("/_sandbox/faults").await.body["faults"][kind].as_u64().unwrap_or(0)
    }

    /// How many requests are received and not carried out yet.
    pub(crate) async fn late_pending(&self) -> u64 {
        self.get("/_sandbox/faults").await.body["late_pending"].as_u64().expect("a count")
    }

    /// Carries them out and says how many there were.
    pub(crate) async fn flush_late_effects(&self) -> u64 {
        self.control("faults/flush", Value::Null).await.body["flushed"].as_u64().expect("a count")
    }

    /// Successful charges in US dollars, after checking that the gateway's books are sound.
    pub(crate) async fn charges_succeeded(&self) -> u64 {
        let books = self.get("/_sandbox/books").await.body;
        assert_eq!(books["sound"], true, "{books:#}");
        books["currencies"]["usd"]["charges_succeeded"].as_u64().unwrap_or(0)
    }
}

pub(crate) async fn read(response: Response) -> Answer {
    try_read(response).await.expect("a JSON body")
}

/// `None` when the body is no JSON: an answer that says nothing.
pub(crate) async fn try_read(response: Response) -> Option<Answer> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (is_replayed, retry_after) = (header("idempotent-replayed").is_some(), header("retry-after"));
    let request_id = header("request-id").unwrap_or_default();
    let status = response.status().as_u16();
    let body = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
    Some(Answer { status, is_replayed, retry_after, request_id, body })
}

/// A payment that is charged at once.
pub(crate) const CHARGE: &str =
    "amount=1099&currency=usd&payment_method=pm_card_visa&payment_method_types[]=card&confirm=true";
