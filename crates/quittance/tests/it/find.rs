//! `quittance find` over an application's database and over exports: what is found, what is not, and what is said when it
//! cannot look.

use crate::support::{Ended, Home};
use rusqlite::Connection;
use serde_json::{Value, json};

/// An application and a folder of exports, configured.
fn home(schema: &str, files: &[(&str, &str)]) -> Home {
    let home = Home::new();
    let place = home.path("").display().to_string();
    let place = place.trim_end_matches('/');
    Connection::open(home.path("app.db")).expect("a database").execute_batch(schema).expect("a schema");
    for (name, text) in files {
        home.write(name, text);
    }
    home.write(
        "quittance.toml",
        &format!(
            "[systems.app]\nkind = \"sqlite\"\npath = \"{place}/app.db\"\n\
             [systems.export]\nkind = \"csv\"\npath = \"{place}\"\n\
             [pairs.access]\nleft = {{ system = \"app\", table = \"accounts\" }}\n\
             right = {{ system = \"export\", file = \"subscriptions\" }}\n\
             match = [ {{ left = \"subscription\", right = \"id\" }}, {{ left = \"customer\", right = \"customer\" }} ]\n\
             [pairs.odd]\nleft = {{ system = \"app\", table = \"accounts\" }}\n\
             right = {{ system = \"export\", file = \"subscriptions\" }}\n\
             match = [ {{ left = \"name\", right = \"status\" }} ]\n"
        ),
    );
    home
}

fn find(home: &Home, words: &[&str]) -> Ended {
    home.run(&[&["find"], words, &["--json"]].concat())
}

/// The records of each finding.
fn subjects(ended: &Ended) -> Value {
    let json = ended.json();
    json["findings"].as_array().expect("findings").iter().map(|finding| finding["subjects"].clone()).collect()
}

fn check_usage(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, 2, "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is not in {ended:?}");
    }
}

const CHARGES: &str = "
    CREATE TABLE charges (id TEXT PRIMARY KEY, account_id INTEGER, amount DECIMAL(10,2), currency TEXT, order_id TEXT,
        status TEXT, refunded_amount DECIMAL(10,2), created_at DATETIME);
    INSERT INTO charges VALUES
        ('a1', 1, 10, 'usd', 'o1', 'paid', 0, '2026-01-31 10:00:00'),
        ('a2', 1, 10.00, 'USD', 'o1', 'paid', NULL, '2026-01-31 10:00:07'),
        ('b1', 1, 10, 'usd', 'o2', 'paid', 0, '2026-01-31 10:00:00'),
        ('b2', 1, 10, 'usd', 'o2', 'failed', 0, '2026-01-31 10:00:07'),
        ('c1', 1, 10, 'usd', 'o3', 'paid', 10, '2026-01-31 10:00:00'),
        ('c2', 1, 10, 'usd', 'o3', 'paid', 0, '2026-01-31 10:00:07'),
        ('d1', 1, 10, 'usd', 'o4', 'paid', 9.99, '2026-01-31 10:00:00'),
        ('d2', 1, 10, 'usd', 'o4', 'paid', 0, '2026-02-01 10:00:00'),
        ('e1', 1, 10, 'usd', 'o5', 'paid', 0, 'yesterday');
";

#[test]
fn charges_that_were_taken_twice_are_found_in_a_database() {
    let home = home(CHARGES, &[]);
    let source = ["double-charges", "--system", "app", "--object", "charges"];
    let asked = [&source[..], &["--column", "customer=account_id"]].concat();
    let ended = find(&home, &asked);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(subjects(&ended), json!([["a1", "a2"]]));
    let report = ended.json();
    assert_eq!((&report["examined"], &report["found"], &report["unjudged"]), (&json!(9), &json!(1), &json!(1)));
    assert!(report["first_unjudged"].as_str().expect("a text").starts_with("e1: "), "{report}");
    assert_eq!(
        report["findings"][0]["evidence"],
        json!({
            "customer": "1", "amount": "10", "currency": "usd", "reference": "o1",
            "first_at": "2026-01-31T10:00:00Z", "last_at": "2026-01-31T10:00:07Z",
        })
    );
    let wider = find(&home, &[&asked[..], &["--window", "2d"]].concat());
    assert_eq!(subjects(&wider), json!([["a1", "a2"], ["d1", "d2"]]));
    let narrow = find(&home, &[&asked[..], &["--window", "5s"]].concat());
    assert_eq!((narrow.code, subjects(&narrow)), (0, json!([])));
    let table = home.run(&[&["find"], &asked[..]].concat());
    assert!(table.stdout.contains("a1, a2") && table.stdout.contains("1 found among 9 records"), "{table:?}");
    check_usage(&find(&home, &source), &["no column that is known to hold customer", "--column customer=COLUMN"]);
}

#[test]
fn the_same_is_found_in_an_export() {
    let lines = "id,customer,amount,currency,description,created\n\
        ch_1,cus_1,1000,usd,Plan,1769853600\nch_2,cus_1,1000,usd,Plan,1769853607\nch_3,cus_2,1000,usd,Plan,1769853607\n";
    let home = home("", &[("charges.csv", lines)]);
    let ended = find(&home, &["double-charges", "--system", "export", "--object", "charges"]);
    assert_eq!((ended.code, subjects(&ended)), (1, json!([["ch_1", "ch_2"]])), "{ended:?}");
}

#[test]
fn customers_that_are_recorded_twice_are_found() {
    let lines = "id,email,vat_id\n1,Ann@example.com,\n2, ann@example.com,DE1\n3,bob@example.com,de-1\n4,,\n5,,\n";
    let home = home("CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT)", &[("people.csv", lines)]);
    let ended = find(&home, &["duplicate-customers", "--system", "export", "--object", "people.csv"]);
    assert_eq!((ended.code, subjects(&ended)), (1, json!([["1", "2"], ["2", "3"]])), "{ended:?}");
    let without = find(&home, &["duplicate-customers", "--system", "app", "--object", "people"]);
    check_usage(&without, &["neither email nor tax_id", "--column email=COLUMN"]);
    let named = ["duplicate-customers", "--system", "app", "--object", "people", "--column", "email=mail"];
    assert_eq!(find(&home, &named).code, 0);
}

#[test]
fn subscriptions_without_an_invoice_are_found() {
    let home = home(
        "CREATE TABLE subscriptions (id TEXT PRIMARY KEY, status TEXT, started_at DATETIME);
         INSERT INTO subscriptions VALUES ('s1', 'active', '2020-01-01'), ('s2', 'active', '2020-01-01'),
            ('s3', 'trialing', '2020-01-01'), ('s4', 'active', '2200-01-01'), ('s5', 'active', NULL);
         CREATE TABLE invoices (id INTEGER PRIMARY KEY, subscription_id TEXT);
         INSERT INTO invoices (subscription_id) VALUES ('s2'), (NULL), ('s9');",
        &[],
    );
    let asked = ["never-invoiced", "--system", "app", "--object", "subscriptions"];
    let ended = find(&home, &[&asked[..], &["--invoices", "invoices"]].concat());
    assert_eq!((ended.code, subjects(&ended)), (1, json!([["s1"]])), "{ended:?}");
    assert_eq!(ended.json()["unjudged"], json!(1));
    check_usage(&find(&home, &asked), &["does not name invoices", "--invoices"]);
}

#[test]
fn use_after_the_end_is_found() {
    let subscriptions = "id,customer,status,ended_at,canceled_at\n\
        gone,c1,canceled,1769853600,1769000000\nruns,c2,active,,1769000000\nwas,c2,canceled,1769853600,\n\
        unclear,c3,canceled,,\nbare,c4,canceled,,1769853600\n";
    let home = home(
        "CREATE TABLE accounts (name TEXT PRIMARY KEY, subscription TEXT, customer TEXT, last_seen INTEGER);
         INSERT INTO accounts VALUES ('late', 'gone', NULL, 1769900000), ('in time', 'gone', NULL, 1769853700),
            ('paying', 'was', 'c2', 1769900000), ('by customer', NULL, 'c1', 1769900000), ('never', 'gone', NULL, NULL),
            ('canceled', 'bare', 'c4', 1769900000);",
        &[("subscriptions.csv", subscriptions)],
    );
    let asked = ["used-after-cancelation", "--pair", "access", "--used-at", "last_seen"];
    let ended = find(&home, &asked);
    let expected = json!([["by customer", "gone"], ["canceled", "bare"], ["late", "gone"]]);
    assert_eq!((ended.code, subjects(&ended)), (1, expected), "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["examined"], &report["unjudged"]), (&json!(11), &json!(1)));
    assert_eq!(report["findings"][2]["evidence"]["hours_after"], json!("12"));
    let odd = find(&home, &["used-after-cancelation", "--pair", "odd", "--used-at", "last_seen"]);
    check_usage(&odd, &["no rule of the pair matches by the id", "right = \"id\""]);
    let column = find(&home, &["used-after-cancelation", "--pair", "access", "--used-at", "last_sen"]);
    check_usage(&column, &["no column `last_sen`", "did you mean `last_seen`?"]);
}

#[test]
fn what_cannot_be_looked_at_is_said() {
    let home = home(CHARGES, &[("broken.csv", "id,email\n1,\"a\n")]);
    check_usage(&find(&home, &["double-charges", "--system", "ap"]), &["no system `ap`", "known are app, export"]);
    check_usage(&find(&home, &["double-charges", "--system", "app"]), &["--object NAME"]);
    check_usage(
        &find(&home, &["double-charges", "--system", "app", "--object", "charge"]),
        &["no table or view `charge`", "did you mean `charges`?"],
    );
    check_usage(
        &find(&home, &["double-charges", "--system", "app", "--object", "charges", "--column", "custmer=account_id"]),
        &["for `custmer`", "did you mean `customer`?"],
    );
    check_usage(&find(&home, &["double-charges", "--system", "app", "--window", "soon"]), &["24h"]);
    check_usage(&find(&home, &["used-after-cancelation", "--pair", "no", "--used-at", "x"]), &["no pair `no`"]);
    let broken = find(&home, &["duplicate-customers", "--system", "export", "--object", "broken"]);
    assert_eq!(broken.code, 3, "{broken:?}");
    assert!(broken.stderr.contains("line 2 of") && broken.stderr.contains("never closed"), "{broken:?}");
}

#[test]
fn the_ledger_knows_its_own_objects() {
    let home = Home::new();
    home.credential();
    home.write("quittance.toml", "[systems.ours]\nkind = \"ledger\"\n");
    let ended = find(&home, &["double-charges", "--system", "ours"]);
    assert_eq!((ended.code, ended.json()["examined"].clone()), (0, json!(0)), "{ended:?}");
    assert_eq!(find(&home, &["duplicate-customers", "--system", "ours"]).code, 0);
    check_usage(&find(&home, &["never-invoiced", "--system", "ours"]), &["--object NAME"]);
}
