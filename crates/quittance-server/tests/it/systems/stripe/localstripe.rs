//! localstripe, by other hands: it lists oldest first and refuses to select by time.

use super::writing::writer_at;
use super::{ids, open_with};
use crate::systems::{find, read, side};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_server::systems::Wanted;
use quittance_server::systems::stripe::Stripe;
use quittance_server::systems::write::{Write, Writer, Written};
use quittance_surroundings::{Peer, Server};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use tokio::runtime::Runtime;

/// It serves, and is filled by requests like any other client's.
struct Place {
    server: Server,
    http: reqwest::Client,
    runtime: Runtime,
}

impl Place {
    fn open() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quittance/tests/peers/localstripe_server.py");
        let server = Server::start(Command::new(Peer::Python.find("localstripe as a system")?).arg(script));
        quittance_server::transport::ensure_cryptography();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Some(Self { server, http, runtime: Runtime::new().unwrap() })
    }

    fn system(&self) -> Stripe {
        open_with(&self.server.base, "sk_test_localstripe", 1_000)
    }

    fn send(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Json {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.server.base));
        let body = form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let request = request.bearer_auth("sk_test_localstripe");
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success(), "{method} {path}: {status} {text}");
            serde_json::from_str(&text).unwrap()
        })
    }

    /// Creates one; its id.
    fn create(&self, path: &str, form: &[(&str, &str)]) -> String {
        self.send("POST", path, form)["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn localstripe_is_read_page_by_page_with_what_was_canceled() {
    let Some(place) = Place::open() else { return };
    let plan = [("id", "pro"), ("amount", "999"), ("currency", "usd"), ("interval", "month"), ("product[name]", "Pro")];
    place.create("/v1/plans", &plan);
    let (mut customers, mut subscriptions) = (BTreeSet::new(), Vec::new());
    for _ in 0..130 {
        customers.insert(place.create("/v1/customers", &[("name", "Anna")]));
    }
    for customer in customers.iter().take(3) {
        let form = [("customer", customer.as_str()), ("items[0][plan]", "pro"), ("trial_period_days", "30")];
        subscriptions.push((place.create("/v1/subscriptions", &form), customer.clone()));
    }
    place.send("DELETE", &format!("/v1/subscriptions/{}", subscriptions[1].0), &[]);
    let mut system = place.system();
    let (found, reading) = ids(&mut system, "customer").unwrap();
    assert_eq!(found, customers);
    assert!(reading.requests <= 4, "{}", reading.requests);
    let columns = ["id", "customer", "status", "items|/*/plan/id"];
    let rows: BTreeSet<String> =
        read(&mut system, "subscription", &columns, &Wanted::All).unwrap().into_iter().collect();
    let row = |at: usize| {
        let (id, customer) = &subscriptions[at];
        let shown = place.send("GET", &format!("/v1/subscriptions/{id}"), &[]);
        format!("Text {id} | Text {customer} | Text {} | Json [\"pro\"]", shown["status"].as_str().unwrap())
    };
    assert_eq!(rows, [row(0), row(1), row(2)].into());
    assert!(row(1).contains("Text canceled"), "{}", row(1));
    let (id, customer) = &subscriptions[2];
    for (searched, value) in [(0, id), (1, customer)] {
        let rows = find(&mut system, "subscription", &columns, &[searched], &[&[Value::Text(value.clone().into())]]);
        assert_eq!(rows, [row(2)]);
    }
    let nobody = find(&mut system, "customer", &["id"], &[0], &[&[Value::text("cus_none")]]);
    assert!(nobody.is_empty());
}

#[test]
fn customers_and_metadata_are_changed_at_localstripe() {
    let Some(place) = Place::open() else { return };
    let plan = [("id", "pro"), ("amount", "999"), ("currency", "usd"), ("interval", "month"), ("product[name]", "Pro")];
    place.create("/v1/plans", &plan);
    let customer = place.create("/v1/customers", &[("email", "old@shop.example")]);
    let form = [("customer", customer.as_str()), ("items[0][plan]", "pro"), ("trial_period_days", "30")];
    let subscription = place.create("/v1/subscriptions", &form);
    let mut writer = writer_at(&place.server.base, "sk_test_localstripe");
    let text = |text: &str| Value::Text(text.to_owned().into());
    let mut write = |object: &str, id: &str, expected: [(&str, Value<'static>); 2], set: &[Value<'static>]| {
        let side = Side { identity: vec![0], ..side(&["id", expected[0].0, expected[1].0]) };
        let write = Write {
            id: format!("run-1-{object}-{}", expected[0].0),
            identity: vec![text(id)],
            expected: (1..).zip(expected.map(|(_, value)| value)).collect(),
            set: (1..).zip(set.iter().cloned()).collect(),
        };
        writer.write(object, &side, &[write]).unwrap().remove(0)
    };
    let address = [("email", text("old@shop.example")), ("/metadata/plan", Value::Null)];
    let set = [text("new@shop.example"), text("team")];
    assert_eq!(write("customer", &customer, address.clone(), &set), Written::Done);
    assert_eq!(write("customer", &customer, address, &set), Written::Already);
    let shown = place.send("GET", &format!("/v1/customers/{customer}"), &[]);
    assert_eq!((&shown["email"], &shown["metadata"]["plan"]), (&"new@shop.example".into(), &"team".into()));
    let end = [("cancel_at_period_end", Value::Boolean(false)), ("customer", text(&customer))];
    let ends = [Value::Boolean(true)];
    assert_eq!(write("subscription", &subscription, end, &ends), Written::Done);
    let shown = place.send("GET", &format!("/v1/subscriptions/{subscription}"), &[]);
    assert_eq!(shown["cancel_at_period_end"], true);
    // It says yes to metadata of a subscription, and keeps none: what is read counts.
    let notes = [("/metadata/a", Value::Null), ("/metadata/b", Value::Null)];
    let ignored = write("subscription", &subscription, notes, &[text("1"), text("x&y")]);
    assert_eq!(ignored, Written::Altered { now: vec![Value::Null, Value::Null] });
}
