//! Who is matched with whom: rows without an identity, rules that fall through, crowds, and what a second look makes of
//! them.

use super::{File, compare, pair, told};
use quittance_server::diff::{Outcome, Settings, Source, diff};
use quittance_server::systems::csv::Csv;

const ONE_RULE: &str = "[pairs.p]\nleft = { system = \"a\", table = \"t\" }\nright = { system = \"b\", table = \"t\" }\n\
    match = [ { left = \"id\", right = \"id\" } ]\nfields = [ { left = \"status\", right = \"status\" } ]\n";

const TWO_RULES: &str = "[pairs.p]\nleft = { system = \"a\", table = \"t\" }\nright = { system = \"b\", table = \"t\" }\n\
    match = [ { left = \"sub\", right = \"id\" }, { left = \"customer\", right = \"customer\" } ]\n";

fn file(schema: &str, rows: &str) -> File {
    File::new(&format!("{schema}; INSERT INTO t VALUES {rows};"))
}

fn compared(text: &str, left: &File, right: &File) -> Outcome {
    compare(&pair(text), &mut left.open(), &mut right.open(), || {}).expect("compared")
}

#[test]
fn equal_rows_of_a_file_without_a_key_are_records_of_their_own() {
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("t.csv"), "id,status\nA,active\nA,cancelled\nB,active\nB,active\nC,active\n")
        .expect("written");
    let right = file(
        "CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT)",
        "('A', 'cancelled'), ('B', 'active'), ('C', 'active')",
    );
    let mut left = Csv::open("a", folder.path(), b',', "").expect("opened");
    let outcome = compare(&pair(ONE_RULE), &mut left, &mut right.open(), || {}).expect("compared");
    assert_eq!(told(&outcome), ["ambiguous A", "ambiguous B"]);
    assert_eq!((outcome.left_records, outcome.right_records, outcome.equal), (5, 3, 1));
    assert_eq!(outcome.counts().ambiguous, 2, "they are there again at the second look");
}

#[test]
fn rows_without_key_and_identity_are_confirmed_one_by_one() {
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("t.csv"), "id,status\n,x\n,y\n,z\n").expect("written");
    let right = File::new("CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT)");
    let mut left = Csv::open("a", folder.path(), b',', "").expect("opened");
    let outcome = compare(&pair(ONE_RULE), &mut left, &mut right.open(), || {}).expect("compared");
    assert_eq!((outcome.counts().left_only, outcome.counts().suspect), (3, 0));
}

#[test]
fn a_surplus_record_beside_others_of_its_customer_is_missed() {
    let left = file(
        "CREATE TABLE t (n INTEGER PRIMARY KEY, sub TEXT, customer TEXT)",
        "(1, 'sub_a', 'cus_9'), (2, 'sub_10', NULL), (3, NULL, 'cus_1')",
    );
    let right = file(
        "CREATE TABLE t (id TEXT PRIMARY KEY, customer TEXT)",
        "('sub_a', 'cus_9'), ('sub_10', 'cus_9'), ('sub_new', 'cus_9'), ('sub_1', 'cus_1')",
    );
    // Alone, and among many others.
    for more in [0, 3_000] {
        if more > 0 {
            let rows = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})");
            let sql = format!("INSERT INTO t {rows} SELECT i + 100, 'same_' || i, NULL FROM n");
            left.writer.execute_batch(&sql).expect("rows");
            let sql = format!("INSERT INTO t {rows} SELECT 'same_' || i, 'cus_same_' || i FROM n");
            right.writer.execute_batch(&sql).expect("rows");
        }
        let outcome = compared(TWO_RULES, &left, &right);
        assert_eq!((outcome.counts().right_only, outcome.counts().suspect), (1, 0), "{:?}", told(&outcome));
        assert_eq!(outcome.equal, 3 + more);
    }
}

#[test]
fn a_crowd_of_any_size_is_there_again() {
    let rows: Vec<String> = (0..15).map(|n| format!("({n}, 'K', 'x')")).collect();
    let left = file("CREATE TABLE t (n INTEGER PRIMARY KEY, id TEXT, status TEXT)", &rows.join(","));
    let right = File::new("CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT)");
    let outcome = compared(ONE_RULE, &left, &right);
    assert_eq!((told(&outcome), outcome.counts().ambiguous), (vec!["ambiguous K".to_owned()], 1));
    assert_eq!(outcome.left_records, 15);
}

#[test]
fn one_key_is_compared_without_its_neighbours() {
    let left = file(
        "CREATE TABLE t (n INTEGER PRIMARY KEY, sub TEXT, customer TEXT)",
        "(1, 'sub_a', 'cus_9'), (2, 'sub_10', NULL)",
    );
    let right = file(
        "CREATE TABLE t (id TEXT PRIMARY KEY, customer TEXT)",
        "('sub_a', 'cus_9'), ('sub_10', 'cus_9'), ('sub_new', 'cus_9')",
    );
    let pair = pair(TWO_RULES);
    let (mut one, mut other) = (left.open(), right.open());
    let mut one = Source { name: "a", system: &mut one, object: "t", which: quittance_core::pair::Which::Left };
    let mut other = Source { name: "b", system: &mut other, object: "t", which: quittance_core::pair::Which::Right };
    let settings = Settings { hash_key: [1; 32], only: Some("sub_a".to_owned()), wait: &mut || {} };
    let outcome = diff("p", &pair, &mut one, &mut other, settings).expect("compared");
    assert_eq!((outcome.left_records, outcome.right_records, outcome.equal), (1, 1, 1));
}

#[test]
fn text_without_a_type_is_digested_as_what_it_was_compared_as() {
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("t.csv"), "id,status\na,12.50\n").expect("written");
    let right = file("CREATE TABLE t (id TEXT PRIMARY KEY, status DECIMAL)", "('a', 12.5)");
    let mut left = Csv::open("a", folder.path(), b',', "").expect("opened");
    let outcome = compare(&pair(ONE_RULE), &mut left, &mut right.open(), || {}).expect("compared");
    assert_eq!((outcome.equal, outcome.proof.left), (1, outcome.proof.right));
}
