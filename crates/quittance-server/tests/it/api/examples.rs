//! Every example of the description is sent to a server, and answered as the description says: with the status that comes
//! first, in the shape of the answer's own example. What an example names is made before: its payment, its gateway.

use super::app::{ADMIN, bearer, payment, post};
use super::call::{Answer, Call};
use super::disputes::dispute;
use super::shop::{PAYMENTS, Shop};
use quittance_server::openapi;
use serde_json::{Value, json};

/// What the examples name, and nobody has.
const NAMED_PAYMENT: &str = "pay_01h455vb4pex5vsknk084sn02q";
const NAMED_ENDPOINT: &str = "whe_01h455vb4pex5vsknk084sn02q";
const NAMED_OBJECT: &str = "pi_123";
const NAMED_GATEWAY: &str = "\"gateway\":\"sandbox\"";

/// One example of a request, and what the description says about it.
struct Example {
    operation: String,
    /// The operation and the example.
    name: String,
    path: String,
    body: String,
    /// The status of the first good answer, and its example.
    status: u16,
    answer: Value,
}

/// All of them. What people do comes last, for whatever is paused stops what comes after it.
fn examples() -> Vec<Example> {
    let contract = openapi::document();
    let mut all = Vec::new();
    for (path, methods) in contract["paths"].as_object().expect("paths") {
        // Those need a pair, and are sent in `decisions`.
        if path.starts_with("/v1/discrepancies/") {
            continue;
        }
        for operation in methods.as_object().expect("methods").values() {
            let bodies = &operation["requestBody"]["content"]["application/json"]["examples"];
            for (name, body) in bodies.as_object().into_iter().flatten() {
                let is_last = operation["tags"][0] == "operations";
                all.push((is_last, described(path, operation, name, &body["value"])));
            }
        }
    }
    all.sort_by_key(|(is_last, _)| *is_last);
    all.into_iter().map(|(_, example)| example).collect()
}

fn described(path: &str, operation: &Value, name: &str, body: &Value) -> Example {
    let id = operation["operationId"].as_str().expect("an id");
    let answers = operation["responses"].as_object().expect("answers");
    // One that is made is said to be made; 200 is then for what was there before.
    let status = if matches!(id, "createPayment" | "createRefund" | "submitEvidence") { "201" } else { "200" };
    let status = if answers.contains_key(status) { status } else { "201" };
    Example {
        operation: id.to_owned(),
        name: format!("{id}-{name}"),
        path: path.to_owned(),
        body: body.to_string(),
        status: status.parse().expect("a status"),
        answer: answers[status]["content"]["application/json"]["example"].clone(),
    }
}

/// A server on which there is what the examples name, and what it is called here.
struct Stage {
    shop: Shop,
    payment: Answer,
    /// Where events are sent.
    endpoint: String,
}

impl Stage {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let payment = shop.pay("paid").await;
        let endpoint = endpoint(&shop, "stage").await;
        Self { shop, payment, endpoint }
    }

    /// What is in the place of the path's parameter.
    async fn subject(&self, example: &Example) -> String {
        let name = &example.name;
        match example.operation.as_str() {
            "capturePayment" | "cancelPayment" => self.shop.authorise(name).await.text("/id"),
            "submitEvidence" => {
                let paid = self.shop.pay(name).await;
                dispute(&self.shop, &paid, "fraudulent").await.0
            }
            "resolveEffect" => self.in_review(name).await,
            "updateWebhookEndpoint" | "rotateWebhookSecret" | "enableWebhookEndpoint" | "disableWebhookEndpoint" => {
                endpoint(&self.shop, name).await
            }
            "sendEventAgain" => self.shop.app.get("/v1/events?limit=1").await.text("/data/0/id"),
            "replayEvent" => {
                self.shop.tell("customer.created", &json!({"id": "cus_1", "object": "customer"})).await;
                "evt_0".to_owned()
            }
            _ => String::new(),
        }
    }

    /// A payment of which the gateway says that another amount came.
    async fn in_review(&self, reference: &str) -> String {
        let body = payment(reference, "pm_card_authenticationRequired");
        let made = self.shop.app.post(PAYMENTS, reference, &body).await.expect(201, "");
        let object = json!({
            "id": made.text("/gateway_id"), "object": "payment_intent", "status": "succeeded", "amount": 1999,
            "amount_received": 1, "currency": "usd", "metadata": {},
        });
        self.shop.tell("payment_intent.succeeded", &object).await;
        assert_eq!(self.shop.now(&made).await.text("/status"), "review");
        made.text("/id")
    }

    async fn send(&self, example: &Example) -> Answer {
        let subject = self.subject(example).await;
        let path: Vec<&str> =
            example.path.split('/').map(|part| if part.starts_with('{') { subject.as_str() } else { part }).collect();
        let body = example.body.replace(NAMED_PAYMENT, &self.payment.text("/id"));
        let body = body.replace(NAMED_ENDPOINT, &self.endpoint);
        let body = body.replace(NAMED_OBJECT, &self.payment.text("/gateway_id"));
        let body = body.replace(NAMED_GATEWAY, "\"gateway\":\"stripe\"");
        let call: Call = post(&path.join("/"), &format!("example-{}", example.name), &body);
        self.shop.app.send(call.without("authorization").header("authorization", &bearer(ADMIN))).await
    }
}

/// A new endpoint; nothing is sent there, for nobody looks for its address here.
async fn endpoint(shop: &Shop, key: &str) -> String {
    let call = post("/v1/webhook_endpoints", &format!("endpoint-{key}"), r#"{"url": "https://example.invalid/hooks"}"#);
    let call = call.without("authorization").header("authorization", &bearer(ADMIN));
    shop.app.send(call).await.expect(201, "").text("/id")
}

/// Where two values differ in more than what they say: in members, or in the type of one.
fn differences(place: &str, example: &Value, answer: &Value) -> Vec<String> {
    match (example, answer) {
        // A map of the client's own, or something that is not always there.
        (Value::Object(example), Value::Object(_)) if example.is_empty() => Vec::new(),
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        (Value::Object(example), Value::Object(answer)) => {
            let mut all: Vec<String> = example
                .keys()
                .filter(|name| !answer.contains_key(*name))
                .map(|name| format!("{place}/{name} is not answered"))
                .collect();
            for (name, value) in answer {
                match example.get(name) {
                    Some(example) => all.extend(differences(&format!("{place}/{name}"), example, value)),
                    None => all.push(format!("{place}/{name} is not in the example")),
                }
            }
            all
        }
        (Value::Array(example), Value::Array(answer)) => {
            let both = example.first().zip(answer.first());
            both.map(|(example, answer)| differences(&format!("{place}/0"), example, answer)).unwrap_or_default()
        }
        (example, answer) if std::mem::discriminant(example) == std::mem::discriminant(answer) => Vec::new(),
        (example, answer) => vec![format!("{place} is {answer}, as the example says {example}")],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_answered_as_its_description_says() {
    let stage = Stage::open().await;
    let examples = examples();
    assert!(examples.len() > 14, "{}", examples.len());
    for example in &examples {
        let answer = stage.send(example).await.expect(example.status, "");
        assert!(example.answer.is_object(), "{} has no example of its answer", example.name);
        let found = differences("", &example.answer, &answer.json());
        assert_eq!(found, Vec::<String>::new(), "{}", example.name);
    }
}

#[test]
fn another_shape_is_noticed() {
    let example = json!({"id": "x", "amount": 1, "metadata": {}, "data": [{"a": 1}], "email": null});
    let same = json!({"id": "y", "amount": 2, "metadata": {"a": "b"}, "data": [], "email": "a@b"});
    assert_eq!(differences("", &example, &same), Vec::<String>::new());
    for (pointer, value) in [("/id", json!(1)), ("/data", json!([{"b": 1}])), ("/amount", json!("1"))] {
        let mut other = same.clone();
        *other.pointer_mut(pointer).expect("a place") = value;
        assert!(!differences("", &example, &other).is_empty(), "{pointer}");
    }
    let mut more = same.clone();
    more["more"] = json!(1);
    assert_eq!(differences("", &example, &more), ["/more is not in the example"]);
}
