//! Every request that the connectors can build, as it leaves, judged by Stripe's own OpenAPI document: stripe-mock
//! refuses parameters that are unknown, missing or of the wrong type. Its answers, examples, have to be readable.
//!
//! **A request that is added to the connectors gets a row in `rows`.** Does not own the exact bytes of requests, which
//! are tested beside the connectors, nor what a gateway with a memory makes of them: this one has none.

use quittance_connectors::message::{Delivery, Method, Request, Response};
use quittance_connectors::stripe::{IntentParameters, ListFact, ListParameters, Stripe};
use quittance_connectors::stripe::{decode_list, decode_read, decode_write};
use quittance_core::currency::Currency;
use quittance_core::fact::{Fact, Sighting};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;
use quittance_server::config::Secret;
use quittance_server::transport::Transport;
use quittance_surroundings::{Peer, Server};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A request, and what has to be readable from the answer to it.
struct Row {
    name: &'static str,
    request: Request,
    read: fn(&Delivery) -> Result<(), String>,
}

fn rows() -> Vec<Row> {
    let stripe = Stripe::default();
    let none = BTreeMap::new();
    let metadata =
        [("shop", "7"), ("note", "a&b=c +d é%")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let bare = intent(&none);
    let full = IntentParameters { customer: Some("cus_1"), description: Some("a&b=c +d"), ..intent(&metadata) };
    let yen = Money { amount: 500, currency: Currency::from_code("JPY").unwrap() };
    let filtered = ListParameters {
        customer: Some("cus_1"),
        created_gte: Some(1_700_000_000),
        created_lte: Some(1_700_000_600),
        starting_after: Some("pi_1"),
        limit: 100,
    };
    let row = |name, request, read| Row { name, request, read };
    vec![
        row("create", stripe.create_intent(&bare).unwrap(), created),
        row("create with everything", stripe.create_intent(&full).unwrap(), created),
        row("create in yen", stripe.create_intent(&IntentParameters { money: yen, ..bare }).unwrap(), written),
        row("confirm", stripe.confirm_intent("pi_1", None), written),
        row("confirm with another method", stripe.confirm_intent("pi_1", Some("pm_2")), written),
        row("cancel", stripe.cancel_intent("pi_1"), written),
        row("read", stripe.read_intent("pi_1"), found),
        row("list", stripe.list_intents(&ListParameters::default()), listed),
        row("list with every filter", stripe.list_intents(&filtered), listed),
    ]
}

fn intent(metadata: &BTreeMap<String, String>) -> IntentParameters<'_> {
    IntentParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        payment_id: PaymentId::from_bytes([2; 16]),
        money: Money { amount: 1999, currency: Currency::from_code("USD").unwrap() },
        payment_method: "pm_card_visa",
        customer: None,
        description: None,
        metadata,
    }
}

fn seen(fact: Fact) -> Result<Sighting, String> {
    match fact {
        Fact::Seen(sighting) => Ok(sighting),
        other => Err(format!("not seen: {other:?}")),
    }
}

/// A payment intent with the money and the method that were asked for; it does not repeat metadata.
fn created(delivery: &Delivery) -> Result<(), String> {
    let none = BTreeMap::new();
    let (sighting, asked) = (seen(decode_write(delivery))?, intent(&none));
    let is_asked = sighting.money == asked.money && sighting.payment_method.as_deref() == Some(asked.payment_method);
    if is_asked { Ok(()) } else { Err(format!("not what was asked for: {sighting:?}")) }
}

fn written(delivery: &Delivery) -> Result<(), String> {
    seen(decode_write(delivery)).map(drop)
}

fn found(delivery: &Delivery) -> Result<(), String> {
    let sighting = seen(decode_read(delivery))?;
    if sighting.object_id == "pi_1" { Ok(()) } else { Err(format!("another one: {sighting:?}")) }
}

fn listed(delivery: &Delivery) -> Result<(), String> {
    match decode_list(delivery) {
        ListFact::Page { sightings, unreadable, .. } if !sightings.is_empty() && unreadable.is_empty() => Ok(()),
        other => Err(format!("no page of readable objects: {other:?}")),
    }
}

/// One that runs, and the way to it that a server of ours takes.
struct Mock {
    transport: Transport,
    _server: Server,
}

impl Mock {
    fn open() -> Option<Self> {
        let program = Peer::StripeMock.find("requests against Stripe's OpenAPI document")?;
        let mut command = Command::new(program);
        // Both have to be named: what is not named binds a fixed port of every interface.
        command.args(["-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"]);
        let server = Server::start_announced(&mut command, "Listening for HTTP at address: ");
        let transport = Transport::new(&server.base, &Secret::new("sk_test_mock".to_owned()), 1).unwrap();
        Some(Self { transport, _server: server })
    }

    async fn deliver(&self, name: &str, request: &Request) -> (Delivery, Response) {
        let keyed = match request.method {
            Method::Get => request.clone(),
            Method::Post => request.clone().with_key("b1key"),
        };
        match self.transport.deliver(&keyed, PATIENCE).await {
            Delivery::Answered(response) => (Delivery::Answered(response.clone()), response),
            other => panic!("{name}: {other:?}"),
        }
    }

    /// The message with which a request is refused.
    async fn refusal(&self, name: &str, request: &Request) -> String {
        let (_, response) = self.deliver(name, request).await;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        assert_eq!(response.status, 400, "{name}: {body}");
        body
    }
}

/// The request with one more parameter.
fn with_parameter(request: &Request, parameter: &str) -> Request {
    let mut request = request.clone();
    match request.method {
        Method::Get => {
            let mark = if request.target.contains('?') { '&' } else { '?' };
            request.target = format!("{}{mark}{parameter}", request.target);
        }
        Method::Post => {
            let mark = if request.body.is_empty() { "" } else { "&" };
            request.body.extend_from_slice(format!("{mark}{parameter}").as_bytes());
        }
    }
    request
}

#[tokio::test]
async fn every_request_is_one_that_stripe_documents() {
    let Some(mock) = Mock::open() else { return };
    for Row { name, request, read } in rows() {
        let (delivery, response) = mock.deliver(name, &request).await;
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{name}: {body}");
        read(&delivery).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Else the 200 above says nothing about the parameters of this request.
        let refusal = mock.refusal(name, &with_parameter(&request, "no_such_parameter=1")).await;
        assert!(refusal.contains("additional properties are not allowed"), "{name}: {refusal}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_refused() {
    let Some(mock) = Mock::open() else { return };
    let create = Stripe::default().create_intent(&intent(&BTreeMap::new())).unwrap();
    let body = String::from_utf8(create.body.clone()).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(body.contains(from), "{from} in {body}");
        Request { body: body.replace(from, to).into_bytes(), ..create.clone() }
    };
    let list = Stripe::default().list_intents(&ListParameters::default());
    let cases = [
        ("a word for an amount", changed("amount=1999", "amount=much"), "amount"),
        ("no currency", changed("&currency=usd", ""), "currency"),
        ("an unknown way to capture", changed("capture_method=automatic", "capture_method=later"), "capture_method"),
        (
            "a text for a list",
            changed("payment_method_types[]=card", "payment_method_types=card"),
            "payment_method_types",
        ),
        ("a word for a limit", Request { target: list.target.replace("limit=1", "limit=few"), ..list }, "limit"),
    ];
    for (name, request, parameter) in cases {
        let refusal = mock.refusal(name, &request).await;
        assert!(refusal.contains(parameter), "{name}: {refusal}");
    }
}
