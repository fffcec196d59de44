//! `quittance diff` as an operator runs it: what it prints, in which form, and how it ends.

use crate::support::{Ended, Home};
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeSet;

/// An application's table and an export of the other side, as files.
fn home(rows: &str, export: &str) -> Home {
    let home = Home::new();
    let place = home.path("").display().to_string();
    let place = place.trim_end_matches('/');
    let database = Connection::open(home.path("app.db")).expect("a database");
    database
        .execute_batch(&format!(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, subscription TEXT, status TEXT, updated_at DATETIME);
             INSERT INTO accounts (subscription, status, updated_at) VALUES {rows}"
        ))
        .expect("rows");
    home.write("subscriptions.csv", export);
    home.write(
        "quittance.toml",
        &format!(
            "[systems.app]\nkind = \"sqlite\"\npath = \"{place}/app.db\"\n\
             [systems.export]\nkind = \"csv\"\npath = \"{place}\"\n\
             [pairs.subscriptions]\n\
             left = {{ system = \"app\", table = \"accounts\", updated_at = \"updated_at\" }}\n\
             right = {{ system = \"export\", file = \"subscriptions\" }}\n\
             match = [ {{ left = \"subscription\", right = \"id\" }} ]\n\
             [[pairs.subscriptions.fields]]\nleft = \"status\"\nright = \"status\"\n\
             values = [ {{ left = \"active\", right = [\"active\", \"trialing\"] }}, \
             {{ left = \"cancelled\", right = \"canceled\" }} ]\n"
        ),
    );
    home
}

fn diff(home: &Home, words: &[&str]) -> Ended {
    home.run(&[&["diff", "subscriptions", "--settle", "0s"], words].concat())
}

const ROWS: &str = "('sub_1', 'active', '2026-01-31 10:00:00'), ('sub_2', 'active', '2026-01-31 11:00:00')";

#[test]
fn two_sides_that_agree_end_with_0_and_a_proof() {
    let home = home(ROWS, "id,status\nsub_1,active\nsub_2,trialing\n");
    let ended = diff(&home, &["--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let json = ended.json();
    assert_eq!((&json["equal"], &json["differences"]), (&json!(2), &json!([])), "{json:#}");
    assert_eq!(json["proof"]["left_digest"], json["proof"]["right_digest"]);
    assert!(json["proof"]["statement"].as_str().is_some_and(|text| text.starts_with("2 records of `subscriptions`")));
}

#[test]
fn drift_ends_with_1_and_every_line_says_what_where_and_since_when() {
    let home = home(ROWS, "id,status\nsub_1,canceled\nsub_3,active\n");
    let ended = diff(&home, &["--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let json = ended.json();
    let counts =
        ["left_records", "right_records", "equal", "different", "left_only", "right_only", "ambiguous", "suspect"];
    assert_eq!(counts.map(|name| json[name].as_u64()), [2, 2, 0, 1, 1, 1, 0, 0].map(Some), "{json:#}");
    let first = &json["differences"][0];
    assert_eq!((&first["key"], &first["field"]), (&json!("sub_1"), &json!("status")));
    assert_eq!((&first["left"], &first["right"]), (&json!("active"), &json!("canceled")));
    assert_eq!((&first["left_time"], &first["right_time"]), (&json!("2026-01-31T10:00:00Z"), &json!(null)));
    let table = diff(&home, &[]);
    assert!(table.stdout.contains("sub_1") && table.stdout.contains("1 different, 1 only left"), "{table:?}");
    let csv = diff(&home, &["--format", "csv"]);
    assert!(csv.stdout.starts_with("key,kind,field,left,right"), "{csv:?}");
    assert_eq!(csv.stdout.lines().count(), 4);
}

#[test]
fn one_key_is_compared_alone() {
    let home = home(ROWS, "id,status\nsub_1,canceled\nsub_3,active\n");
    let json = diff(&home, &["--only", "sub_1", "--json"]).json();
    assert_eq!((&json["different"], &json["left_records"], &json["right_only"]), (&json!(1), &json!(1), &json!(0)));
}

#[test]
fn what_is_wrong_with_the_configuration_is_2_and_what_is_outside_is_3() {
    let check = |ended: &Ended, code: i32, words: &[&str]| {
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{ended:?}");
        words.iter().for_each(|word| assert!(ended.stderr.contains(word), "{word:?} is not in {ended:?}"));
    };
    let there = home(ROWS, "id,status\nsub_1,paused\n");
    check(&there.run(&["diff", "subscription"]), 2, &["no pair `subscription`", "known are subscriptions"]);
    check(&diff(&there, &[]), 2, &["`paused`", "right `status`", "unmapped"]);
    let ragged = home(ROWS, "id,status\nsub_1\n");
    check(&diff(&ragged, &[]), 3, &["subscriptions.csv", "2"]);
    std::fs::write(ragged.path("app.db"), "not a database at all, but long enough to be looked at").expect("written");
    check(&diff(&ragged, &[]), 3, &["app.db"]);
    std::fs::remove_file(ragged.path("app.db")).expect("removed");
    check(&diff(&ragged, &[]), 2, &["app.db"]);
}

#[test]
fn a_key_that_two_rows_claim_is_told_whole_and_ends_with_2() {
    let rows = "('sub_1', 'active', NULL), ('sub_1', 'cancelled', NULL), ('sub_2', 'active', NULL)";
    let home = home(rows, "id,status\nsub_1,active\nsub_2,active\n");
    let ended = diff(&home, &["--json"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    let json = ended.json();
    assert_eq!((&json["ambiguous"], &json["equal"]), (&json!(1), &json!(1)));
    assert!(ended.stderr.contains("`subscription` of `accounts`") && ended.stderr.contains("unique"), "{ended:?}");
}

#[test]
fn runs_that_are_kept_say_what_is_new_and_are_verified() {
    let home = home(ROWS, "id,status\nsub_1,canceled\nsub_2,active\n");
    // Every run of these tests names the data directory.
    assert_eq!(diff(&home, &["--json"]).json()["differences"][0]["is_new"], json!(true));
    let second = diff(&home, &["--json"]).json();
    assert_eq!(second["differences"][0]["is_new"], json!(false));
    let verified = home.run(&["verify", "--json"]);
    assert_eq!((verified.code, &verified.json()["proofs"]["checked"]), (0, &json!(2)), "{verified:?}");
}

#[test]
fn runs_that_end_at_once_are_all_kept() {
    let home = home(ROWS, "id,status\nsub_1,canceled\nsub_2,active\n");
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| diff(&home, &["--json"]))).collect();
        runs.into_iter().map(|run| run.join().expect("it ends")).collect()
    });
    let ids: BTreeSet<String> = ended.iter().map(|ended| ended.json()["run_id"].to_string()).collect();
    assert_eq!((ids.len(), ended.iter().all(|ended| ended.code == 1)), (4, true), "{ended:?}");
    assert_eq!(home.run(&["verify", "--json"]).json()["proofs"]["checked"], json!(4));
    let alone = diff(&home, &["--only", "sub_1", "--json"]).json();
    assert_eq!((&alone["run_id"], &alone["previous_run_id"]), (&json!(null), &json!(null)));
}
