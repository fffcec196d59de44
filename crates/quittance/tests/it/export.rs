//! `quittance export`: books of real payments and refunds, read beside the server and judged by Beancount and hledger.

use crate::support::{Client, Ended, Shop};
use quittance_surroundings::Peer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A shop whose books hold payments in three currencies, one declined, and refunds, in whole and in part.
fn busy_shop() -> (Shop, Client) {
    let shop = Shop::open();
    let client = Client::new(&shop.server.base, Some(&shop.home.credential()));
    let paid = |key: &str, amount: i64, currency: &str, method: &str| {
        let asked = json!({
            "customer": "anna", "amount": amount, "currency": currency, "gateway": "sandbox",
            "payment_method": method, "reference": key,
        });
        client.post("/v1/payments", key, &asked)
    };
    let (status, dinar) = paid("order-kwd", 12_340, "KWD", "pm_card_visa");
    assert_eq!(status, 201, "{dinar}");
    assert_eq!(paid("order-jpy", 500, "JPY", "pm_card_visa").0, 201);
    assert_eq!(paid("order-no", 700, "USD", "pm_card_visa_chargeDeclined").0, 402);
    let refunded = |payment: &Value, key: &str, amount: i64| {
        let asked = json!({"payment": payment["id"], "amount": amount, "reference": key});
        let (status, refund) = client.post("/v1/refunds", key, &asked);
        assert_eq!((status, refund["status"].as_str()), (201, Some("succeeded")), "{refund}");
    };
    refunded(&dinar, "refund-kwd", 12_340);
    refunded(&shop.payment, "refund-part", 5);
    (shop, client)
}

fn export(shop: &Shop, words: &[&str]) -> Ended {
    shop.home.run(&[&["export", "--to"], words].concat())
}

fn written(shop: &Shop, name: &str, words: &[&str]) -> PathBuf {
    let ended = export(shop, words);
    assert_eq!(ended.code, 0, "{ended:?}");
    shop.home.write(name, &ended.stdout);
    shop.home.path(name)
}

/// What the API says is posted on each account, in minor units, debits above zero.
fn balances(client: &Client) -> BTreeMap<(String, String), i64> {
    let (status, list) = client.get("/v1/ledger/balances?limit=100");
    assert_eq!((status, &list["has_more"]), (200, &json!(false)));
    let number = |view: &Value, member: &str| view[member].as_i64().expect("an integer");
    let text = |view: &Value, member: &str| view[member].as_str().expect("a text").to_owned();
    let sum = |view| {
        ((text(view, "account"), text(view, "currency")), number(view, "debit_amount") - number(view, "credit_amount"))
    };
    list["data"].as_array().expect("a list").iter().map(sum).collect()
}

/// Whether a program takes a file, and what it says.
fn judged(program: &Path, words: &[&str], file: &Path) -> (bool, String) {
    let output = Command::new(program).args(words).arg(file).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

/// The same books with one minor unit more on one posting: no program may take them.
fn forged(file: &Path) -> PathBuf {
    let text = std::fs::read_to_string(file).expect("an export");
    let forged = text.replacen("  19.99 USD", "  20.00 USD", 1);
    assert_ne!(forged, text, "there is a posting of the first payment");
    let path = file.with_extension("forged");
    std::fs::write(&path, forged).expect("written");
    path
}

#[test]
fn beancount_comes_to_our_balances() {
    let Some(python) = Peer::Python.find("books exported to Beancount") else { return };
    let (shop, _) = busy_shop();
    let file = written(&shop, "books.beancount", &["beancount"]);
    let check = ["-m", "beancount.scripts.check"];
    assert_eq!(judged(&python, &check, &file), (true, String::new()));
    assert!(!judged(&python, &check, &forged(&file)).0);
    let text = std::fs::read_to_string(&file).expect("an export");
    for line in ["balance Assets:Gateway:Sandbox  19.94 USD", "balance Assets:Gateway:Sandbox  500 JPY", " 12.340 KWD"]
    {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[test]
fn hledger_comes_to_our_balances() {
    let Some(hledger) = Peer::Hledger.find("books exported to hledger") else { return };
    let (shop, _) = busy_shop();
    let map = "unapplied = \"Liabilities:Customers\"\ngateway_clearing = \"Assets:Cards:{name}\"";
    shop.home.write("accounts.toml", map);
    let map = shop.home.path("accounts.toml");
    let file = written(&shop, "books.journal", &["hledger", "--accounts", map.to_str().expect("UTF-8")]);
    let check = ["check", "--strict", "-f"];
    assert_eq!(judged(&hledger, &check, &file), (true, String::new()));
    assert!(!judged(&hledger, &check, &forged(&file)).0);
    let balance = ["balance", "Assets:Cards", "cur:USD", "--no-total", "--format", "%(total)", "-f"];
    let (is_good, told) = judged(&hledger, &balance, &file);
    assert!(is_good && told.trim() == "19.94 USD", "{told}");
}

#[test]
fn lines_for_programs_come_to_our_balances() {
    let (shop, client) = busy_shop();
    let lines = export(&shop, &["jsonl"]).stdout;
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(entries.len(), 5, "three payments and two refunds were posted: {lines}");
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    for posting in entries.iter().flat_map(|entry| entry["postings"].as_array().expect("postings")) {
        let text = |member: &str| posting[member].as_str().expect("a text").to_owned();
        let amount = posting["amount"].as_i64().expect("an integer");
        let signed = if posting["side"] == "debit" { amount } else { -amount };
        *sums.entry((text("account"), text("currency"))).or_default() += signed;
    }
    let expected = balances(&client);
    assert_eq!(sums, expected);
    let csv = export(&shop, &["csv", "--with-holds"]).stdout;
    assert!(csv.starts_with("at,customer,record,movement,"), "{csv}");
    // Each of four payments and two refunds was held, and then posted or let go; each on two accounts.
    assert_eq!(csv.lines().count(), 1 + 2 * 2 * 6, "{csv}");
    let (_, listed) = client.get("/v1/ledger/entries?limit=100");
    let posted = |entry: &&Value| entry["movement"] == "posted";
    let listed: Vec<&Value> = listed["data"].as_array().expect("a list").iter().filter(posted).collect();
    assert_eq!(entries.iter().collect::<Vec<_>>(), listed, "a line is what the API shows");
}

#[test]
fn a_file_is_whole_or_not_there() {
    let shop = Shop::open();
    let path = shop.home.path("books.csv");
    let out = path.to_str().expect("UTF-8");
    let ended = export(&shop, &["csv", "--out", out]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
    assert_eq!(ended.stderr, "1 movements of 1 books, which add up to their balances\n");
    let before = std::fs::read_to_string(&path).expect("an export");
    let again = export(&shop, &["csv", "--out", out]);
    assert_eq!((again.code, std::fs::read_to_string(&path).expect("an export")), (2, before));
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
}

#[test]
fn what_cannot_be_exported_is_refused_with_a_remedy() {
    let shop = Shop::open();
    shop.home.write("alike.toml", "unapplied = \"Assets:Gateway:Sandbox\"");
    shop.home.write("wrong.toml", "cash = \"Assets:Cash\"");
    let path = |name: &str| shop.home.path(name).to_str().expect("UTF-8").to_owned();
    let (alike, wrong) = (path("alike.toml"), path("wrong.toml"));
    for (words, expected) in [
        (vec!["beancount", "--accounts", &alike], "would both be called"),
        (vec!["beancount", "--accounts", &wrong], "no account is called \"cash\""),
        (vec!["beancount", "--accounts", "nowhere"], "cannot read nowhere"),
        (vec!["csv", "--accounts", &alike], "is for beancount and hledger"),
        (vec!["hledger", "--with-holds"], "only held"),
        (vec!["csv", "--json"], "--to says the form"),
        (vec!["csv", "--tenant", "nobody"], "there is no tenant \"nobody\""),
    ] {
        let ended = export(&shop, &words);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{words:?}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{words:?}: {}", ended.stderr);
    }
    let made = shop.home.run(&["tenant", "create", "--name", "second", "--mode", "test"]);
    assert_eq!(made.code, 0, "{made:?}");
    let ended = export(&shop, &["csv"]);
    assert!(ended.code == 2 && ended.stderr.contains("write --tenant with one of: "), "{ended:?}");
}
