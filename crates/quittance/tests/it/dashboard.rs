//! The dashboard in a real browser: every page in light, dark and on a phone, by keyboard, live, and without scripts. The judges
//! are Chromium (its console and the policy of the pages) and axe-core (whether everybody can use them).

use crate::support::{Client, Home, sandbox};
use quittance_surroundings::Peer;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const ACCOUNTS: &str = "CREATE TABLE accounts (id TEXT PRIMARY KEY, status TEXT, plan TEXT);
    INSERT INTO accounts VALUES ('a', 'active', 'pro'), ('b', 'active', 'pro'), ('c', 'active', 'pro');";

/// A pair of two files that differ, beside the gateway.
fn add_pair(home: &Home) {
    for (name, change) in [("app", ""), ("billing", "UPDATE accounts SET plan = 'team' WHERE id <> 'c';")] {
        let file = Connection::open(home.path(&format!("{name}.db"))).expect("a file");
        file.execute_batch(&format!("{ACCOUNTS}{change}")).expect("a table");
    }
    let folder = home.path("").display().to_string();
    let folder = folder.trim_end_matches('/');
    let system =
        |name: &str| format!("[systems.{name}]\nkind = \"sqlite\"\npath = \"{folder}/{name}.db\"\nwritable = true\n");
    home.configure(&format!(
        "{}{}[pairs.accounts]\nleft = {{ system = \"app\", table = \"accounts\" }}\n\
         right = {{ system = \"billing\", table = \"accounts\" }}\nmatch = [ {{ left = \"id\", right = \"id\" }} ]\n\
         fields = [ {{ left = \"status\", right = \"status\" }}, {{ left = \"plan\", right = \"plan\" }} ]\n",
        system("app"),
        system("billing")
    ));
}

#[test]
fn every_page_is_usable_by_everybody_in_a_real_browser() {
    let Some(browser) = Peer::Browser.find("the dashboard in a real browser") else { return };
    let Some(modules) = Peer::StatefulMock.find("the dashboard in a real browser, which playwright-core drives") else {
        return;
    };
    let place = Home::new();
    let sandbox = sandbox(&place);
    let home = Home::with_gateway(&sandbox.base);
    add_pair(&home);
    let secret = home.credential();
    let compared = home.run(&["diff", "accounts"]);
    assert_eq!(compared.code, 1, "{compared:?}");
    let server = home.serve();
    let client = Client::new(&server.base, Some(&secret));
    assert_eq!(client.post("/v1/customers", "customer-1", &json!({"external_id": "anna"})).0, 201);
    let asked = json!({
        "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox", "payment_method": "pm_card_visa",
        "reference": "order-1", "description": "<script>document.title = 'taken'</script>",
    });
    let (status, payment) = client.post("/v1/payments", "payment-1", &asked);
    assert_eq!(status, 201, "{payment}");
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/dashboard_visitor.js");
    let visited = Command::new("node")
        .arg(script)
        .env("NODE_PATH", modules)
        .env("VISIT_BASE", &server.base)
        .env("VISIT_KEY", &secret)
        .env("VISIT_PAYMENT", payment["id"].as_str().expect("an id"))
        .env("VISIT_SHOTS", shots)
        .env("VISIT_BROWSER", browser)
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&visited.stdout);
    let told: Value = serde_json::from_str(said.trim()).unwrap_or_else(|error| panic!("{error}: {visited:?}"));
    assert_eq!(told["wrong"], json!([]), "{told:#}");
    let seen = told["seen"].as_array().expect("a list").len();
    assert_eq!(seen, 3 * 11 + 3, "{told:#}");
}
