//! A server with a customer, beside a gateway whose insides the test can reach: customers, banks and time act there.

use super::app::{App, Place, payment, sandbox};
use super::call::Answer;
use super::webhooks::{deliver, sign};
use crate::api::app::WEBHOOK_SECRETS;
use quittance_engine::verify::verify;
use quittance_store::memory::MemoryDatabase;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

pub const PAYMENTS: &str = "/v1/payments";
pub const REFUNDS: &str = "/v1/refunds";

pub struct Shop {
    pub app: App,
    gateway: SocketAddr,
    client: Client,
    events: AtomicU32,
}

impl Shop {
    pub async fn open() -> Self {
        let gateway = sandbox().await;
        let app = App::start_at(Place::Memory(MemoryDatabase::new()), gateway).await.with_alice().await;
        Self { app, gateway, client: Client::new(), events: AtomicU32::new(0) }
    }

    /// A payment of 19.99 that succeeded.
    pub async fn pay(&self, reference: &str) -> Answer {
        self.pay_with(reference, "pm_card_visa").await
    }

    pub async fn pay_with(&self, reference: &str, method: &str) -> Answer {
        let made = self.app.post(PAYMENTS, &format!("pay-{reference}"), &payment(reference, method)).await;
        let made = made.expect(201, "");
        assert_eq!(made.text("/status"), "succeeded");
        made
    }

    /// A payment of 19.99 that is authorised.
    pub async fn authorise(&self, reference: &str) -> Answer {
        let body = with(&payment(reference, "pm_card_visa"), r#""capture_method": "manual""#);
        let made = self.app.post(PAYMENTS, &format!("pay-{reference}"), &body).await.expect(201, "");
        assert_eq!((made.text("/status"), made.text("/captured_amount")), ("requires_capture".into(), "0".into()));
        made
    }

    /// Asks for a step of a payment.
    pub async fn step(&self, payment: &Answer, step: &str, key: &str, body: &str) -> Answer {
        self.app.post(&format!("{PAYMENTS}/{}/{step}", payment.text("/id")), key, body).await
    }

    /// Asks for a refund of a payment, with these members besides.
    pub async fn refund(&self, payment: &Answer, key: &str, members: &str) -> Answer {
        let body = format!(r#"{{"payment": "{}", {members}}}"#, payment.text("/id"));
        self.app.post(REFUNDS, key, &body).await
    }

    /// The payment as it is now.
    pub async fn now(&self, payment: &Answer) -> Answer {
        self.app.get(&format!("{PAYMENTS}/{}", payment.text("/id"))).await.expect(200, "")
    }

    /// Somebody acts at the gateway.
    pub async fn act(&self, path: &str, body: &str) -> Value {
        self.ask(Method::POST, &format!("/_sandbox/{path}"), body).await
    }

    /// An object at the gateway.
    pub async fn object(&self, path: &str) -> Value {
        self.ask(Method::GET, &format!("/v1/{path}"), "").await
    }

    async fn ask(&self, method: Method, path: &str, body: &str) -> Value {
        let request = self.client.request(method, format!("http://{}{path}", self.gateway));
        let answer = request.bearer_auth("sk_test_1").body(body.to_owned()).send().await.expect("the sandbox answers");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The gateway tells of an object.
    pub async fn tell(&self, kind: &str, object: &Value) {
        let number = self.events.fetch_add(1, Ordering::Relaxed);
        let event = json!({
            "id": format!("evt_{number}"), "type": kind, "created": 1_700_000_000, "livemode": false,
            "data": {"object": object},
        });
        let body = event.to_string();
        let signature = sign(WEBHOOK_SECRETS[0], self.app.handle.now().seconds(), body.as_bytes());
        deliver(&self.app, &signature, body.as_bytes()).await.expect(200, "");
    }

    /// Checks every projection against the journals.
    pub async fn check_books(&self) {
        let report = self.app.handle.read(|reader| verify(reader, &mut |_| {})).await.expect("readable");
        assert!(report.is_sound() && report.unsettled == 0, "{report:?}");
    }
}

/// A body with one member more.
pub fn with(body: &str, member: &str) -> String {
    body.replacen('{', &format!("{{{member}, "), 1)
}
