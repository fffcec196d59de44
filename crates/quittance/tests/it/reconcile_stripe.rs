//! `quittance reconcile` where the application is believed and Stripe is written, here played by the sandbox.

use crate::support::{Client, Ended, Home, Server, sandbox};
use rusqlite::Connection;
use serde_json::{Value, json};

/// An application whose customers have other addresses and plans than Stripe knows.
struct Shop {
    home: Home,
    stripe: Client,
    _server: Server,
}

impl Shop {
    fn open(fields: &str) -> Self {
        let home = Home::new();
        let server = sandbox(&home);
        let base = server.base.clone();
        let stripe = Client::new(&base, Some("sk_test_it"));
        let customer = |id: &str, email: &str| json!({"id": id, "created": 1_700_000_000, "email": email});
        let customers =
            [customer("cus_1", "old@x.example"), customer("cus_2", "b@x.example"), customer("cus_3", "c@x.example")];
        let subscription = json!({"id": "sub_1", "customer": "cus_1", "price": "price_1", "created": 1_700_000_000});
        let seed = json!({
            "products": [{"id": "prod_1"}],
            "prices": [{"id": "price_1", "product": "prod_1", "currency": "usd", "unit_amount": 999}],
            "customers": customers,
            "subscriptions": [subscription],
        });
        assert_eq!(stripe.post("/_sandbox/seed", "seed", &seed).0, 200);
        let shop = Self { home, stripe, _server: server };
        shop.application()
            .execute_batch(
                "CREATE TABLE customers (id TEXT PRIMARY KEY, email TEXT, plan TEXT);
                 INSERT INTO customers VALUES ('cus_1', 'new@x.example', 'team'), ('cus_2', 'b@x.example', NULL),
                 ('cus_3', NULL, NULL);
                 CREATE TABLE subscriptions (id TEXT PRIMARY KEY, status TEXT, ends BOOLEAN);
                 INSERT INTO subscriptions VALUES ('sub_1', 'past_due', 1)",
            )
            .expect("rows");
        shop.home.write("key", "sk_test_it");
        let place = shop.home.path("").display().to_string();
        let place = place.trim_end_matches('/');
        shop.home.write(
            "quittance.toml",
            &format!(
                "[systems.app]\nkind = \"sqlite\"\npath = \"{place}/app.db\"\n\
                 [systems.stripe]\nkind = \"stripe\"\napi_base = \"{base}\"\napi_key = \"file:{place}/key\"\n\
                 write_api_key = \"file:{place}/key\"\n\
                 [pairs.customers]\nleft = {{ system = \"app\", table = \"customers\" }}\n\
                 right = {{ system = \"stripe\", object = \"customer\" }}\n\
                 match = [ {{ left = \"id\", right = \"id\" }} ]\nrepairs_share_max = 1\n\
                 [[pairs.customers.fields]]\nleft = \"email\"\nright = \"email\"\nauthority = \"left\"\n\
                 [[pairs.customers.fields]]\nleft = \"plan\"\nright = \"/metadata/plan\"\nauthority = \"left\"\n\
                 [pairs.subscriptions]\nleft = {{ system = \"app\", table = \"subscriptions\" }}\n\
                 right = {{ system = \"stripe\", object = \"subscription\" }}\n\
                 match = [ {{ left = \"id\", right = \"id\" }} ]\nrepairs_share_max = 1\n{fields}"
            ),
        );
        shop
    }

    fn application(&self) -> Connection {
        Connection::open(self.home.path("app.db")).expect("a database")
    }

    fn run(&self, words: &[&str]) -> Ended {
        self.home.run(&[words, &["--json"]].concat())
    }

    fn reconcile(&self, pair: &str, code: i32) -> Value {
        let ended = self.run(&["reconcile", pair, "--apply", "--settle", "0s"]);
        assert_eq!(ended.code, code, "{ended:?}");
        ended.json()
    }

    fn customer(&self, id: &str) -> (Value, Value) {
        let shown = self.stripe.get(&format!("/v1/customers/{id}")).1;
        (shown["email"].clone(), shown["metadata"].clone())
    }

    /// How often customers were changed.
    fn updates(&self) -> usize {
        let events = self.stripe.get("/v1/events?type=customer.updated&limit=100").1;
        events["data"].as_array().expect("a list").len()
    }
}

#[test]
fn what_the_application_says_is_written_to_stripe_and_taken_back() {
    let shop = Shop::open("");
    // What becomes of the address of the third takes something away.
    let json = shop.reconcile("customers", 4);
    assert_eq!((&json["repaired"], &json["awaiting_approval"]), (&json!(1), &json!(1)), "{json:#}");
    assert_eq!(shop.customer("cus_1"), (json!("new@x.example"), json!({"plan": "team"})));
    assert_eq!((shop.customer("cus_3").0, shop.updates()), (json!("c@x.example"), 1));
    let run = json["run_id"].as_str().expect("an id").to_owned();
    let approved = shop.run(&["approve", &run, "--apply", "--settle", "0s"]);
    assert_eq!((approved.code, &approved.json()["repaired"]), (0, &json!(1)), "{approved:?}");
    assert_eq!(shop.customer("cus_3").0, Value::Null);
    assert_eq!(shop.run(&["diff", "customers", "--settle", "0s"]).code, 0);
    let undone = shop.run(&["undo", &run, "--apply"]);
    assert_eq!((undone.code, &undone.json()["repaired"]), (0, &json!(2)), "{undone:?}");
    assert_eq!(shop.customer("cus_1"), (json!("old@x.example"), json!({})));
    assert_eq!((shop.customer("cus_3").0, shop.updates()), (json!("c@x.example"), 4));
    let verified = shop.run(&["verify"]);
    assert_eq!((verified.code, &verified.json()["repairs"]["checked"]), (0, &json!(4)), "{verified:?}");
}

#[test]
fn an_undo_leaves_what_somebody_changed_at_stripe() {
    let shop = Shop::open("");
    let run = shop.reconcile("customers", 4)["run_id"].as_str().expect("an id").to_owned();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.post(format!("{}/v1/customers/cus_1", shop._server.base)).bearer_auth("sk_test_it");
    let sent =
        tokio::runtime::Runtime::new().expect("a runtime").block_on(request.body("email=third%40x.example").send());
    assert!(sent.expect("an answer").status().is_success());
    let undone = shop.run(&["undo", &run, "--apply"]);
    assert_eq!((undone.code, &undone.json()["failed"]), (1, &json!(1)), "{undone:?}");
    assert_eq!(shop.customer("cus_1").0, "third@x.example");
}

/// Stripe computes a status: whoever would write it is told before anything is kept.
#[test]
fn what_stripe_computes_is_refused_before_anything_is_kept() {
    let field = |name: &str, right: &str| {
        format!("[[pairs.subscriptions.fields]]\nleft = \"{name}\"\nright = \"{right}\"\nauthority = \"left\"\n")
    };
    let shop = Shop::open(&field("status", "status"));
    let ended = shop.run(&["reconcile", "subscriptions", "--apply", "--settle", "0s"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    for words in ["`status` of a `subscription`", "Stripe computes it", "cancel_at_period_end, description"] {
        assert!(ended.stderr.contains(words), "{words}: {ended:?}");
    }
    assert_eq!(shop.run(&["runs"]).json()["data"], json!([]));
    // What ends a subscription takes something away, without anybody naming its words.
    let shop = Shop::open(&field("ends", "cancel_at_period_end"));
    let json = shop.reconcile("subscriptions", 4);
    assert_eq!((&json["repaired"], &json["awaiting_approval"]), (&json!(0), &json!(1)), "{json:#}");
    let run = json["run_id"].as_str().expect("an id").to_owned();
    assert_eq!(shop.run(&["approve", &run, "--apply", "--settle", "0s"]).code, 0);
    assert_eq!(shop.stripe.get("/v1/subscriptions/sub_1").1["cancel_at_period_end"], true);
    // And what takes that back has the customer charged again.
    shop.application().execute_batch("UPDATE subscriptions SET ends = 0").expect("written");
    let json = shop.reconcile("subscriptions", 4);
    assert_eq!((&json["repaired"], &json["awaiting_approval"]), (&json!(0), &json!(1)), "{json:#}");
    assert_eq!(shop.stripe.get("/v1/subscriptions/sub_1").1["cancel_at_period_end"], true);
    let run = json["run_id"].as_str().expect("an id").to_owned();
    assert_eq!(shop.run(&["approve", &run, "--apply", "--settle", "0s"]).code, 0);
    assert_eq!(shop.stripe.get("/v1/subscriptions/sub_1").1["cancel_at_period_end"], false);
}

#[test]
fn without_a_key_that_may_write_nothing_is_planned() {
    let shop = Shop::open("");
    let text = std::fs::read_to_string(shop.home.path("quittance.toml")).expect("readable");
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("write_api_key")).collect();
    shop.home.write("quittance.toml", &without.join("\n"));
    let ended = shop.run(&["reconcile", "customers", "--apply", "--settle", "0s"]);
    assert!(ended.code == 2 && ended.stderr.contains("add write_api_key ="), "{ended:?}");
    assert_eq!((shop.run(&["runs"]).json()["data"].clone(), shop.updates()), (json!([]), 0));
}
