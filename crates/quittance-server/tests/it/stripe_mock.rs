//! Every request that the connectors can build, as it leaves, judged by Stripe's own OpenAPI document: stripe-mock
//! refuses parameters that are unknown, missing or of the wrong type. Its answers, examples, have to be readable.
//!
//! **A request that is added to the connectors gets a row in `rows`.** Does not own the exact bytes of requests, which
//! are tested beside the connectors, nor what a gateway with a memory makes of them: this one has none.

use quittance_connectors::connector::{
    Ask, Connector, EndpointsFact, EventsFact, ListFact, PaymentParameters, RefundParameters, Search,
};
use quittance_connectors::message::{Delivery, Method, Request, Response};
use quittance_connectors::stripe::{API_VERSION, Flow, Stripe, listing, update};
use quittance_core::currency::Currency;
use quittance_core::fact::{Fact, ObjectKind};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;
use quittance_core::record::value::Value;
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
    kind: ObjectKind,
    reads: Reads,
}

/// What has to be readable.
#[derive(Clone, Copy)]
enum Reads {
    /// An object.
    Written,
    /// An object that repeats what was asked for.
    Created,
    /// The object of this id.
    Found(&'static str),
    /// A page of objects.
    Listed,
    /// A page of events.
    Events,
    /// A page of webhook endpoints.
    Endpoints,
    /// That it is there.
    Probed,
    /// A page of objects as they are: of this kind, or of whatever is inside of others.
    Page(Option<&'static listing::Kind>),
    /// An object of this kind as it is.
    One(&'static listing::Kind),
}

fn rows() -> Vec<Row> {
    [payment_rows(), charge_rows(), object_rows(), list_rows(), comparison_rows()].into_iter().flatten().collect()
}

fn row(name: &'static str, request: Request, kind: ObjectKind, reads: Reads) -> Row {
    Row { name, request, kind, reads }
}

fn ask(flow: Flow, ask: &Ask<'_>) -> Request {
    Stripe { flow, ..Stripe::default() }.write(ask).unwrap()
}

fn payment_rows() -> Vec<Row> {
    let (none, metadata) = (BTreeMap::new(), metadata());
    let bare = payment(&none);
    let full = PaymentParameters {
        customer: Some("cus_1"),
        description: Some("a&b=c +d"),
        capture_method: CaptureMethod::Manual,
        return_url: Some("https://shop.example/back"),
        ..payment(&metadata)
    };
    let yen = Money { amount: 500, currency: Currency::from_code("JPY").unwrap() };
    let pi = |what: Ask<'_>| ask(Flow::PaymentIntents, &what);
    let confirm = |payment_method, return_url| pi(Ask::Confirm { object_id: "pi_1", payment_method, return_url });
    let kind = ObjectKind::Payment;
    vec![
        row("create", pi(Ask::Payment(bare)), kind, Reads::Created),
        row("create with everything", pi(Ask::Payment(full)), kind, Reads::Created),
        row("create in yen", pi(Ask::Payment(PaymentParameters { money: yen, ..bare })), kind, Reads::Written),
        row("confirm", confirm(None, None), kind, Reads::Written),
        row("confirm with a method", confirm(Some("pm_2"), Some("https://shop.example/back")), kind, Reads::Written),
        row("capture", pi(capture((kind, "pi_1"), true)), kind, Reads::Written),
        row("capture a part", pi(capture((kind, "pi_1"), false)), kind, Reads::Written),
        row("cancel", pi(Ask::Cancel { object: (kind, "pi_1") }), kind, Reads::Written),
        row("refund", pi(Ask::Refund(refund((kind, "pi_1"), &none))), ObjectKind::Refund, Reads::Written),
    ]
}

fn charge_rows() -> Vec<Row> {
    let (none, metadata) = (BTreeMap::new(), metadata());
    let full = PaymentParameters {
        customer: Some("cus_1"),
        description: Some("a&b=c +d"),
        capture_method: CaptureMethod::Manual,
        ..payment(&metadata)
    };
    let kind = ObjectKind::Charge;
    let ch = |what: Ask<'_>| ask(Flow::Charges, &what);
    let given_back = ch(Ask::Refund(refund((kind, "ch_1"), &metadata)));
    vec![
        row("charge", ch(Ask::Payment(payment(&none))), kind, Reads::Written),
        row("charge with everything", ch(Ask::Payment(full)), kind, Reads::Written),
        row("capture a charge", ch(capture((kind, "ch_1"), true)), kind, Reads::Written),
        row("capture a part of a charge", ch(capture((kind, "ch_1"), false)), kind, Reads::Written),
        row("release a charge", ch(Ask::Cancel { object: (kind, "ch_1") }), ObjectKind::Refund, Reads::Written),
        row("refund a charge", given_back, ObjectKind::Refund, Reads::Written),
    ]
}

fn object_rows() -> Vec<Row> {
    let evidence = BTreeMap::from([("uncategorized_text".to_owned(), "It was delivered; see the receipt.".to_owned())]);
    let submit = Ask::Evidence { object_id: "dp_1", evidence: &evidence };
    let read = |kind, id| Stripe::default().read(kind, id);
    vec![
        row("submit evidence", ask(Flow::PaymentIntents, &submit), ObjectKind::Dispute, Reads::Written),
        row("read an intent", read(ObjectKind::Payment, "pi_1"), ObjectKind::Payment, Reads::Found("pi_1")),
        row("read a charge", read(ObjectKind::Charge, "ch_1"), ObjectKind::Charge, Reads::Found("ch_1")),
        row("read a refund", read(ObjectKind::Refund, "re_1"), ObjectKind::Refund, Reads::Found("re_1")),
        row("read a dispute", read(ObjectKind::Dispute, "dp_1"), ObjectKind::Dispute, Reads::Found("dp_1")),
    ]
}

fn list_rows() -> Vec<Row> {
    let wide = |kind| Search { kind, parent: None, customer: None, reference: None, created_from: None };
    let narrow = |kind| Search { customer: Some("cus_1"), created_from: Some(1_700_000_000), ..wide(kind) };
    let of = |kind| Search { parent: Some((ObjectKind::Payment, "pi_1")), ..wide(kind) };
    let page = |search: &Search<'_>, after| Stripe::default().page(search, after);
    let (payment, charge) = (ObjectKind::Payment, ObjectKind::Charge);
    let (refund, dispute) = (ObjectKind::Refund, ObjectKind::Dispute);
    let events = Stripe::default().events(1_700_000_000, Some("evt_1"), 100).unwrap();
    vec![
        row("list intents", page(&wide(payment), None), payment, Reads::Listed),
        row("list intents narrowly", page(&narrow(payment), Some("pi_1")), payment, Reads::Listed),
        row("list charges", page(&narrow(charge), Some("ch_1")), charge, Reads::Listed),
        row("list refunds", page(&of(refund), Some("re_1")), refund, Reads::Listed),
        row("list disputes", page(&of(dispute), None), dispute, Reads::Listed),
        row("list events", events, payment, Reads::Events),
        row("list endpoints", Stripe::default().endpoints(Some("we_1")).unwrap(), payment, Reads::Endpoints),
        row("probe", Stripe::default().probe(), payment, Reads::Probed),
    ]
}

/// What a comparison reads: pages of whole lists and of lists inside objects, by each filter, and single objects.
fn comparison_rows() -> Vec<Row> {
    let dated = listing::plan::Span { from: Some(1_700_000_000), to: Some(1_700_000_600) };
    let mut rows = Vec::new();
    // What it is of is not asked.
    let mut add = |name, request, reads| rows.push(row(name, request, ObjectKind::Payment, reads));
    for kind in &listing::KINDS {
        let span = if kind.is_dated { dated } else { listing::plan::Span::default() };
        for pass in kind.passes {
            let request = listing::page_request(kind, API_VERSION, pass, span, Some("x_1"));
            add(kind.name, request, Reads::Page(Some(kind)));
            for filter in kind.filters {
                let parameters = [*pass, &[(*filter, "x_1")]].concat();
                let request = listing::page_request(kind, API_VERSION, &parameters, Default::default(), None);
                add(kind.name, request, Reads::Page(Some(kind)));
            }
        }
        add(kind.name, listing::one_request(kind, API_VERSION, "x_1").unwrap(), Reads::One(kind));
    }
    for (kind, column, value) in update::examples() {
        let kind = listing::Kind::named(kind).unwrap();
        let parameter = update::parameter(kind, column).unwrap();
        for value in [Value::text(value), Value::Null] {
            // What cannot be unset is not asked for.
            let Ok(value) = parameter.value(&value) else { continue };
            let request = update::update_request(kind, API_VERSION, "x_1", &[(&parameter, value)]).unwrap();
            add(column, request.with_key("run-1-0"), Reads::One(kind));
        }
    }
    for url in ["/v1/invoices/in_1/lines", "/v1/subscription_items?subscription=sub_1", "/v1/charges/ch_1/refunds"] {
        let request = listing::nested_request(url, API_VERSION, Some("x_1")).unwrap();
        add("the rest of a list", request, Reads::Page(None));
    }
    rows
}

fn metadata() -> BTreeMap<String, String> {
    [("shop", "7"), ("note", "a&b=c +d é%")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn usd(amount: i64) -> Money {
    Money { amount, currency: Currency::from_code("USD").unwrap() }
}

fn payment(metadata: &BTreeMap<String, String>) -> PaymentParameters<'_> {
    PaymentParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        payment_id: PaymentId::from_bytes([2; 16]),
        money: usd(1999),
        payment_method: "pm_card_visa",
        customer: None,
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        description: None,
        metadata,
        payment_reference: "order-1",
        reference: "b1key",
    }
}

fn refund<'a>(object: (ObjectKind, &'a str), metadata: &'a BTreeMap<String, String>) -> RefundParameters<'a> {
    RefundParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        object,
        money: usd(500),
        reason: Some("requested_by_customer"),
        metadata,
        reference: "b1key",
    }
}

fn capture(object: (ObjectKind, &str), is_whole: bool) -> Ask<'_> {
    Ask::Capture { object, money: usd(1200), is_whole }
}

/// The id of what was seen.
fn seen(fact: Fact) -> Result<String, String> {
    match fact {
        Fact::Seen(sighting) => Ok(sighting.object_id),
        Fact::SeenDispute(dispute) => Ok(dispute.object_id),
        other => Err(format!("not seen: {other:?}")),
    }
}

fn answered(delivery: &Delivery) -> &Response {
    match delivery {
        Delivery::Answered(response) => response,
        other => panic!("{other:?}"),
    }
}

impl Row {
    fn read(&self, delivery: &Delivery) -> Result<(), String> {
        let (stripe, kind) = (Stripe::default(), self.kind);
        match self.reads {
            Reads::Written => seen(stripe.decode_write(kind, delivery)).map(drop),
            // It repeats what was asked for, but for the metadata.
            Reads::Created => match stripe.decode_write(kind, delivery) {
                Fact::Seen(sighting) if sighting.money == usd(1999) => Ok(()),
                other => Err(format!("not what was asked for: {other:?}")),
            },
            Reads::Found(id) => match seen(stripe.decode_read(kind, delivery))? {
                found if found == id => Ok(()),
                found => Err(format!("another one: {found}")),
            },
            Reads::Listed => match stripe.decode_page(kind, delivery) {
                ListFact::Page { sightings, disputes, unreadable, .. }
                    if sightings.len() + disputes.len() > 0 && unreadable.is_empty() =>
                {
                    Ok(())
                }
                other => Err(format!("no page of readable objects: {other:?}")),
            },
            Reads::Events => match stripe.decode_events(delivery) {
                EventsFact::Page { events, unreadable, .. } if !events.is_empty() && unreadable.is_empty() => Ok(()),
                other => Err(format!("no page of readable events: {other:?}")),
            },
            Reads::Endpoints => match stripe.decode_endpoints(delivery) {
                EndpointsFact::Page { endpoints, .. } if !endpoints.is_empty() => Ok(()),
                other => Err(format!("no page of endpoints: {other:?}")),
            },
            Reads::Probed => match stripe.decode_probe(delivery) {
                Fact::Absent => Ok(()),
                other => Err(format!("not there: {other:?}")),
            },
            Reads::Page(kind) => match listing::decode_page(kind, answered(delivery)) {
                Ok(page) if !page.objects.is_empty() => Ok(()),
                other => Err(format!("no page of objects: {other:?}")),
            },
            Reads::One(kind) => match listing::decode_one(kind, answered(delivery)) {
                Ok(listing::One::There(_)) => Ok(()),
                other => Err(format!("no object: {other:?}")),
            },
        }
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
        let secret = Secret::new("sk_test_mock".to_owned());
        let transport = Transport::new(&server.base, &secret, Stripe::default().headers(), 1).unwrap();
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
    for row in rows() {
        let Row { name, request, .. } = &row;
        let (delivery, response) = mock.deliver(name, request).await;
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, 200, "{name}: {body}");
        row.read(&delivery).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Else the 200 above says nothing about the parameters of this request.
        let refusal = mock.refusal(name, &with_parameter(request, "no_such_parameter=1")).await;
        assert!(refusal.contains("additional properties are not allowed"), "{name}: {refusal}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_refused() {
    let Some(mock) = Mock::open() else { return };
    let create = ask(Flow::PaymentIntents, &Ask::Payment(payment(&BTreeMap::new())));
    let body = String::from_utf8(create.body.clone()).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(body.contains(from), "{from} in {body}");
        Request { body: body.replace(from, to).into_bytes(), ..create.clone() }
    };
    let list = Stripe::default().probe();
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
