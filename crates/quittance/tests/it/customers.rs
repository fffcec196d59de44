//! `quittance customers import`, from outside: customers of a gateway become ours, each once, and can be charged by what is
//! saved there.

use crate::support::{Client, Ended, Home, Server, sandbox};
use serde_json::{Value, json};

/// A gateway with customers, and a server that has none.
struct Place {
    home: Home,
    server: Server,
    gateway: Client,
    secret: String,
    _sandbox: Server,
}

impl Place {
    fn open() -> Self {
        let base = Home::new();
        let sandbox = sandbox(&base);
        let home = Home::with_gateway(&sandbox.base);
        let secret = home.credential();
        home.write("credential", &secret);
        let (server, gateway) = (home.serve(), Client::new(&sandbox.base, Some("sk_test_it")));
        Self { home, server, gateway, secret, _sandbox: sandbox }
    }

    fn customer(&self, key: &str, form: &str) -> String {
        let made = self.gateway.post_form("/v1/customers", key, form);
        assert_eq!(made.status, 200, "{made:?}");
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    fn import(&self, words: &[&str]) -> Ended {
        let key = format!("file:{}", self.home.path("credential").display());
        let always =
            ["customers", "import", "--gateway", "sandbox", "--url", &self.server.base, "--key", &key, "--json"];
        self.home.run(&[&always, words].concat())
    }
}

fn totals(ended: &Ended) -> [u64; 4] {
    ["known", "new", "made", "refused"].map(|what| ended.json()["totals"][what].as_u64().expect("a number"))
}

fn row(ended: &Ended, theirs: &str) -> Value {
    let json = ended.json();
    let rows = json["customers"].as_array().expect("a list");
    rows.iter().find(|row| row["gateway_id"] == theirs).unwrap_or_else(|| panic!("no {theirs} in {json}")).clone()
}

#[test]
fn customers_of_a_gateway_become_ours_once() {
    let place = Place::open();
    let anna = place.customer("a", "name=Anna&email=anna%40example.com&metadata[user_id]=42&metadata[plan]=gold");
    let bert = place.customer("b", "email=nobody");
    for number in 0..120 {
        place.customer(&format!("c{number}"), &format!("name=Customer+{number}&metadata[user_id]=u{number}"));
    }
    let attached = place.gateway.post_form("/v1/payment_methods/pm_card_visa/attach", "m", &format!("customer={anna}"));
    assert_eq!(attached.status, 200, "{attached:?}");
    let method = attached.json()["id"].clone();
    let dry = place.import(&["--external-id", "user_id"]);
    assert_eq!((dry.code, totals(&dry)), (0, [0, 122, 0, 0]), "{}", dry.stderr);
    let ours = Client::new(&place.server.base, Some(&place.secret));
    assert_eq!(ours.get("/v1/customers").1["data"], json!([]), "a dry run makes nothing");
    let made = place.import(&["--external-id", "user_id", "--payment-methods", "--apply"]);
    assert_eq!((made.code, totals(&made)), (0, [0, 0, 122, 0]), "{made:?}");
    assert_eq!(row(&made, &bert)["detail"], "left out: email");
    assert_eq!(row(&made, &anna)["payment_methods"], json!([{ "id": method, "type": "card" }]));
    let (status, shown) = ours.get("/v1/customers/42");
    assert_eq!(status, 200, "{shown}");
    assert_eq!((&shown["id"], &shown["gateway_ids"]), (&row(&made, &anna)["customer"], &json!({ "sandbox": anna })));
    assert_eq!((&shown["email"], &shown["metadata"]["plan"]), (&json!("anna@example.com"), &json!("gold")));
    let again = place.import(&["--external-id", "user_id", "--apply"]);
    assert_eq!((again.code, totals(&again)), (0, [122, 0, 0, 0]), "{again:?}");
    // What is saved at the gateway for the customer is charged.
    let asked = json!({
        "customer": "42", "amount": 500, "currency": "USD", "gateway": "sandbox", "payment_method": method, "reference": "o",
    });
    let (status, payment) = ours.post("/v1/payments", "o", &asked);
    assert_eq!((status, &payment["status"]), (201, &json!("succeeded")), "{payment}");
}

#[test]
fn what_cannot_become_one_of_ours_is_a_finding_and_the_others_are_made() {
    let place = Place::open();
    let first = place.customer("a", "metadata[user_id]=42");
    let second = place.customer("b", "metadata[user_id]=42");
    let ended = place.import(&["--external-id", "user_id", "--apply"]);
    assert_eq!((ended.code, totals(&ended)), (1, [0, 0, 1, 1]), "{ended:?}");
    let refused = [first, second].map(|id| row(&ended, &id)["detail"].as_str().unwrap_or_default().to_owned());
    assert_eq!(refused.iter().filter(|detail| detail.starts_with("409 customer-exists: ")).count(), 1, "{refused:?}");
    for (words, code, said) in [
        (&["--gateway", "none"][..], 2, "there is no gateway `none` of kind stripe"),
        (&["--key", "file:nowhere"], 2, "--key"),
        (&["--key", "qk_test_wrong"], 2, "the server answers 401"),
    ] {
        let always = ["customers", "import", "--url", &place.server.base];
        let credential = format!("file:{}", place.home.path("credential").display());
        let rest: &[&str] = if words[0] == "--key" { &["--gateway", "sandbox"] } else { &["--key", &credential] };
        let ended = place.home.run(&[&always, rest, words].concat());
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}
