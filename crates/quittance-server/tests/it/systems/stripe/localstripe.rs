//! localstripe, by other hands: it lists oldest first and refuses to select by time.

use super::{ids, open_with};
use crate::systems::{find, read};
use quittance_core::record::value::Value;
use quittance_server::systems::Wanted;
use quittance_server::systems::stripe::Stripe;
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
