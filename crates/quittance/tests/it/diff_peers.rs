//! `quittance diff` between programs that nobody here wrote: PostgreSQL with a hundred thousand rows, and localstripe with
//! its customers and subscriptions.

use crate::support::{Client, Home, Server};
use quittance_surroundings::{Peer, Postgres};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A configuration of these systems and one pair, and the database's address where it is read from a file.
pub(crate) fn home(url: &str, systems: &str, pair: &str) -> Home {
    let home = Home::new();
    home.write("url", url);
    let place = home.path("").display().to_string();
    let place = place.trim_end_matches('/');
    let app = format!("[systems.app]\nkind = \"postgres\"\nurl = \"file:{place}/url\"\n");
    home.write("key", "sk_test_localstripe");
    let systems = systems.replace("KEY", &format!("file:{place}/key"));
    home.write("quittance.toml", &format!("{app}{systems}[pairs.p]\n{pair}"));
    home
}

pub(crate) fn diff(home: &Home) -> Value {
    home.run(&["diff", "p", "--settle", "0s", "--json"]).json()
}

pub(crate) fn keys(json: &Value) -> Vec<(String, String)> {
    let lines = json["differences"].as_array().expect("lines").iter();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut keys: Vec<_> = lines.map(|line| (text(&line["kind"]), text(&line["key"]))).collect();
    keys.sort();
    keys
}

#[test]
fn a_hundred_thousand_rows_of_two_tables_are_compared_by_checksums_and_by_keys_alike() {
    let Some(postgres) = Postgres::shared("quittance diff of two tables") else { return };
    let database = postgres.fresh_database();
    postgres.sql(
        &database,
        "CREATE TABLE ours AS SELECT i::bigint AS id, 'active' AS status, (i % 900)::numeric(12,2) AS amount
             FROM generate_series(1, 100000) AS i;
         ALTER TABLE ours ADD PRIMARY KEY (id);
         CREATE TABLE theirs AS SELECT id, status, amount::numeric(20,6) AS amount FROM ours WHERE id <> 77777;
         ALTER TABLE theirs ADD PRIMARY KEY (id);
         UPDATE theirs SET status = 'past_due' WHERE id IN (1, 50000, 100000);
         INSERT INTO theirs VALUES (100001, 'active', NULL);
         ANALYZE;",
    );
    let pair = |strategy: &str| {
        format!(
            "left = {{ system = \"app\", table = \"ours\" }}\nright = {{ system = \"app\", table = \"theirs\" }}\n\
             match = [ {{ left = \"id\", right = \"id\" }} ]\nstrategy = \"{strategy}\"\n\
             fields = [ {{ left = \"status\", right = \"status\" }}, {{ left = \"amount\", right = \"amount\" }} ]\n"
        )
    };
    let url = postgres.url(&database);
    let [sums, rows] = ["checksums", "keys"].map(|strategy| diff(&home(&url, "", &pair(strategy))));
    let expected = [
        ("different", "1"),
        ("different", "100000"),
        ("different", "50000"),
        ("left_only", "77777"),
        ("right_only", "100001"),
    ];
    let expected = expected.map(|(kind, key)| (kind.to_owned(), key.to_owned()));
    assert_eq!((keys(&sums), keys(&rows)), (expected.to_vec(), expected.to_vec()));
    assert_eq!((&sums["equal"], &rows["equal"]), (&json!(99_996), &json!(99_996)));
    assert!(sums["proof"]["method"].as_str().is_some_and(|method| method.contains("pg-hash")), "{:#}", sums["proof"]);
}

#[test]
fn what_is_no_number_differs_from_every_number() {
    let Some(postgres) = Postgres::shared("quittance diff of what is no number") else { return };
    let database = postgres.fresh_database();
    postgres.sql(
        &database,
        "CREATE TABLE ours (id int PRIMARY KEY, rate float8);
         CREATE TABLE theirs (id int PRIMARY KEY, rate numeric);
         INSERT INTO ours VALUES (1, 'NaN'), (2, 'NaN'), (3, 'Infinity'), (4, 5);
         INSERT INTO theirs VALUES (1, 'NaN'), (2, 5), (3, '-Infinity'), (4, 5);",
    );
    let pair = "left = { system = \"app\", table = \"ours\" }\nright = { system = \"app\", table = \"theirs\" }\n\
        match = [ { left = \"id\", right = \"id\" } ]\nstrategy = \"keys\"\n\
        fields = [ { left = \"rate\", right = \"rate\" } ]\n";
    let found = diff(&home(&postgres.url(&database), "", pair));
    let expected = [("different", "2"), ("different", "3")].map(|(kind, key)| (kind.to_owned(), key.to_owned()));
    assert_eq!((keys(&found), &found["equal"]), (expected.to_vec(), &json!(2)), "{found:#}");
}

#[test]
fn a_table_is_compared_with_the_customers_and_subscriptions_of_localstripe() {
    let Some(postgres) = Postgres::shared("quittance diff with localstripe") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/localstripe_server.py");
    let Some(python) = Peer::Python.find("quittance diff with localstripe") else { return };
    let peer = Server::start(Command::new(python).arg(script));
    let client = Client::new(&peer.base, Some("sk_test_localstripe"));
    let plan = json!({"id": "plan_basic", "amount": 1000, "currency": "usd", "interval": "month", "product": {"name": "Basic"}});
    assert_eq!(client.post("/v1/plans", "-", &plan).0, 200);
    let mut rows = Vec::new();
    for number in 0..120 {
        let customer = json!({
            "email": format!("Customer{number}@example.org"), "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        });
        let customer = client.post("/v1/customers", "-", &customer).1["id"].as_str().expect("an id").to_owned();
        let body = json!({"customer": customer, "items": [{"plan": "plan_basic"}]});
        let subscription = client.post("/v1/subscriptions", "-", &body).1["id"].as_str().expect("an id").to_owned();
        rows.push(format!("({number}, '{customer}', '{subscription}', 'active', ' customer{number}@example.org')"));
        // Two are canceled there, and the application was never told.
        if number % 60 == 7 {
            assert_eq!(client.delete(&format!("/v1/subscriptions/{subscription}")).0, 200);
        }
    }
    let database = postgres.fresh_database();
    let create =
        "CREATE TABLE accounts (id int PRIMARY KEY, customer text, subscription text, status text, email varchar(80))";
    postgres.sql(&database, &format!("{create}; INSERT INTO accounts VALUES {}", rows.join(",")));
    let systems = format!(
        "[systems.stripe]\nkind = \"stripe\"\napi_key = \"KEY\"\napi_base = \"{}\"\nrequests_per_second_max = 1000\n",
        peer.base
    );
    let url = postgres.url(&database);
    let subscriptions = "left = { system = \"app\", table = \"accounts\" }\nright = { system = \"stripe\", object = \"subscription\" }\n\
        match = [ { left = \"subscription\", right = \"id\" }, { left = \"customer\", right = \"customer\" } ]\n\
        fields = [ { left = \"status\", right = \"status\" }, { left = \"customer\", right = \"customer\" } ]\n";
    let found = diff(&home(&url, &systems, subscriptions));
    assert_eq!(
        (&found["equal"], &found["different"], &found["right_records"]),
        (&json!(118), &json!(2), &json!(120)),
        "{found:#}"
    );
    let customers = "left = { system = \"app\", table = \"accounts\" }\nright = { system = \"stripe\", object = \"customer\" }\n\
        match = [ { left = \"customer\", right = \"id\" } ]\n\
        fields = [ { left = \"email\", right = \"email\", left_transform = \"trim\", right_transform = \"lower\" } ]\n";
    let found = diff(&home(&url, &systems, customers));
    assert_eq!(
        (&found["equal"], &found["left_only"], &found["right_only"]),
        (&json!(120), &json!(0), &json!(0)),
        "{found:#}"
    );
}
