//! Payments through the sandbox's rail by a real server: what is paid, refused, not offered and taken back.
//!
//! Follow-up, late returns: a transfer that goes back after it was seen settled is booked once objects that succeeded are
//! looked at again. Here the first look after the settlement shows both.

use crate::support::{Client, Home, Server};
use quittance_sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Each look is an answered request; only a broken promise takes this many.
const LOOKS_MAX: u32 = 600;
const LOOK: Duration = Duration::from_millis(50);

/// Starts a sandbox on the runtime that asks, and returns its address; it ends with the runtime.
pub(crate) async fn sandbox(config: Config) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Sandbox::new(config).serve(listener, std::future::pending()));
    format!("http://{address}")
}

/// A server that pays through a rail which does by itself nothing of what comes later.
struct Place {
    home: Home,
    client: Client,
    gateway: Client,
    server: Server,
    _runtime: Runtime,
}

impl Place {
    fn open() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let gateway = runtime.block_on(sandbox(Config { agenda_ms: 600_000, ..Config::default() }));
        let home = Home::with_rail(&gateway, 1, "");
        let secret = home.credential();
        let server = home.serve();
        let client = Client::new(&server.base, Some(&secret));
        let customer = json!({"name": "Anna", "external_id": "anna"});
        assert_eq!(client.post("/v1/customers", "customer", &customer).0, 201);
        Self { home, client, gateway: Client::new(&gateway, Some("sk_test_it")), server, _runtime: runtime }
    }

    fn pay_with(&self, key: &str, source: &str, changes: &Value) -> (u16, Value) {
        let mut body = json!({
            "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "rail", "payment_method": source,
            "reference": "order-1",
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.client.post("/v1/payments", key, &body)
    }

    fn pay(&self, key: &str, source: &str) -> (u16, Value) {
        self.pay_with(key, source, &json!({}))
    }

    /// The rail's totals in US dollars.
    fn dollars(&self) -> Value {
        let (_, mut books) = self.gateway.get("/_sandbox/books");
        assert_eq!(books["sound"], true, "{books:#}");
        books["transfers"]["USD"].take()
    }

    /// What the rail holds for us by our own books.
    fn clearing(&self) -> Value {
        let (_, mut balances) = self.client.get("/v1/ledger/balances?account=gateway_clearing:rail");
        balances["data"][0].take()
    }

    fn until(&self, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..LOOKS_MAX {
            last = self.client.get(path).1;
            if is_wanted(&last) {
                return last;
            }
            // A server that ends is heard at once.
            let ended = self.server.later.recv_timeout(LOOK);
            assert_eq!(ended, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "the server ended");
        }
        panic!("{path} stays {last:#}");
    }

    fn check_verified(&self) {
        let ended = self.home.run(&["verify", "--json"]);
        let found = ended.json();
        assert_eq!((ended.code, &found["balanced"], &found["chain_ok"]), (0, &json!(true), &json!(true)), "{found:#}");
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} in {value:#}"))
}

#[test]
fn a_payment_is_paid_under_our_reference_and_booked() {
    let place = Place::open();
    let (status, payment) = place.pay("key-1", "src_ok");
    assert_eq!((status, text(&payment, "/status")), (201, "succeeded"), "{payment:#}");
    assert_eq!(place.pay("key-1", "src_ok"), (201, payment.clone()));
    let (_, transfers) = place.gateway.get("/rail/v1/transfers");
    let reference = text(&transfers, "/transfers/0/reference");
    assert!(reference.len() == 28 && reference.starts_with("b1"), "{reference}");
    assert_eq!(text(&transfers, "/transfers/0/id"), text(&payment, "/gateway_id"));
    assert_eq!((&transfers["transfers"][1], &place.dollars()["balance"]), (&Value::Null, &json!(1999)));
    let (_, books) = place.gateway.get("/_sandbox/books?group_transfers=memo");
    assert_eq!(books["group_transfers"]["groups"], 1, "the memo is the payment's id: {books:#}");
    assert_eq!(place.clearing()["amount"], 1999);
    place.check_verified();
}

#[test]
fn what_the_rail_rejects_is_a_decline_and_the_reference_is_free() {
    let place = Place::open();
    for (source, code, is_retryable) in [
        ("src_insufficient", "insufficient_funds", true),
        ("src_closed", "account_closed", false),
        ("src_nobodys", "unknown_source", false),
    ] {
        let (status, problem) = place.pay(source, source);
        assert_eq!((status, text(&problem, "/code")), (402, "payment-declined"), "{problem:#}");
        let decline = json!({"code": code, "retryable": is_retryable});
        assert_eq!(problem["payment"]["decline"], decline);
    }
    assert_eq!(place.pay("key-4", "src_ok").0, 201);
    let dollars = place.dollars();
    assert_eq!((&dollars["rejected"], &dollars["settled"]), (&json!(2), &json!(1)), "{dollars:#}");
    assert_eq!(place.clearing()["amount"], 1999);
    place.check_verified();
}

#[test]
fn what_the_rail_does_not_offer_is_said_before_anything_is_sent() {
    let place = Place::open();
    let (_, payment) = place.pay("key-1", "src_ok");
    let refused = |(status, problem): (u16, Value)| (status, text(&problem, "/code").to_owned());
    let not_offered = (422, "not-offered".to_owned());
    let refund = json!({"payment": payment["id"], "amount": 100, "reference": "back-1"});
    assert_eq!(refused(place.client.post("/v1/refunds", "key-2", &refund)), not_offered);
    let other = |changes: Value| {
        let mut changes = changes;
        changes["reference"] = json!("order-2");
        refused(place.pay_with(&changes.to_string().replace('"', "'"), "src_ok", &changes))
    };
    assert_eq!(other(json!({"capture_method": "manual"})), not_offered);
    let too_much = other(json!({"amount": 100_000_000_000_i64}));
    assert_eq!(too_much, (400, "amount-not-representable".to_owned()));
    assert_eq!((&place.dollars()["settled"], &place.clearing()["amount"]), (&json!(1), &json!(1999)));
    place.check_verified();
}

/// Nothing leaves while the payment's money comes and goes: the next look shows at once what was never seen apart.
#[test]
fn money_that_came_and_went_back_between_two_looks_is_booked_both_ways() {
    let place = Place::open();
    let (customer, amount) = (json!("anna"), 1999);
    let body = json!({
        "customer": customer, "amount": amount, "currency": "USD", "gateway": "rail", "payment_method": "src_pending",
        "reference": "order-1",
    });
    let (status, begun) = place.client.post_async("/v1/payments", "key-1", &body);
    assert_eq!(status, 202, "{begun:#}");
    let is_pending = |page: &Value| page["data"][0]["gateway_id"].is_string();
    let page = place.until("/v1/payments?limit=1", is_pending);
    let (path, transfer) = (format!("/v1/payments/{}", text(&page, "/data/0/id")), text(&page, "/data/0/gateway_id"));
    assert_eq!(text(&page, "/data/0/status"), "processing");
    let refused = place.client.post(&format!("{path}/cancel"), "key-2", &json!({}));
    assert_eq!((refused.0, text(&refused.1, "/code")), (409, "not-cancelable"), "{refused:?}");
    assert_eq!(place.client.post("/v1/pause", "-", &json!({"gateway": "rail", "reason": "a test"})).0, 200);
    for outcome in ["succeed", "fail"] {
        let path = format!("/_sandbox/transfers/{transfer}/settle");
        assert_eq!(place.gateway.post(&path, "-", &json!({"outcome": outcome})).0, 200, "{outcome}");
    }
    assert_eq!(place.client.post("/v1/resume", "-", &json!({"gateway": "rail", "reason": "a test"})).0, 200);
    let payment = place.until(&path, |payment| payment["status"] != "processing");
    assert_eq!((text(&payment, "/status"), &payment["captured_amount"]), ("succeeded", &json!(amount)), "{payment:#}");
    assert_eq!(payment["returned_amount"], amount, "{payment:#}");
    let clearing = place.clearing();
    let sums = ["debit_amount", "credit_amount", "amount"].map(|name| clearing[name].clone());
    assert_eq!(sums, [json!(amount), json!(amount), json!(0)], "{clearing:#}");
    let dollars = place.dollars();
    assert_eq!((&dollars["returned"], &dollars["balance"]), (&json!(1), &json!(0)), "{dollars:#}");
    place.check_verified();
}
