//! Keys of several types: they match where one can be read as the other, and are refused where they never could.

use super::{File, compare, compare_only, pair, told};
use crate::systems::provider::{Canned, Provider};
use quittance_server::config::{Config, System as Configured};
use quittance_server::diff::{DiffError, Outcome};
use quittance_server::systems::csv::Csv;
use quittance_server::systems::http::Http;
use quittance_server::systems::{Patience, System};
use serde_json::json;
use std::fs;
use tempfile::TempDir;

fn matched_by(left: &str, right: &str) -> String {
    format!(
        "[pairs.p]\nleft = {{ system = \"a\", table = \"t\" }}\nright = {{ system = \"b\", table = \"t\" }}\n\
         match = [ {{ left = \"{left}\", right = \"{right}\" }} ]\n\
         fields = [ {{ left = \"name\", right = \"name\" }} ]\n"
    )
}

fn run(rule: (&str, &str), left: &mut dyn System, right: &mut dyn System) -> Result<Outcome, DiffError> {
    compare(&pair(&matched_by(rule.0, rule.1)), left, right, || {})
}

fn check_refused(rule: (&str, &str), left: &mut dyn System, right: &mut dyn System, words: &[&str]) {
    let error = run(rule, left, right).expect_err("it is refused");
    let DiffError::Pair { what, remedy, .. } = error else { panic!("{error}") };
    for word in words {
        assert!(format!("{what}; {remedy}").contains(word), "{word:?} is not in {what:?}; {remedy:?}");
    }
}

fn csv(folder: &TempDir, text: &str) -> Csv {
    fs::write(folder.path().join("t.csv"), text).expect("a file");
    Csv::open("files", folder.path(), b',', "").expect("it opens")
}

fn table(declared: &str) -> File {
    File::new(&format!(
        "CREATE TABLE t (id {declared} PRIMARY KEY, name TEXT); INSERT INTO t VALUES (7, 'a'), (8, 'b')"
    ))
}

fn api(provider: &Provider) -> Http {
    let base = &provider.base;
    let text = format!(
        "[systems.b]\nkind = \"http\"\nbase_url = \"{base}/\"\nrequests_per_second_max = 1000\n\
         [systems.b.objects.t]\nlist = \"/t\"\nidentity = \"id\"\npaging = \"none\"\n"
    );
    let config = Config::from_text(&text, &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
    let Configured::Http(api) = &config.systems["b"] else { panic!("it is another kind") };
    Http::open("b", api, None, Patience::default()).expect("it opens")
}

#[test]
fn a_cell_matches_the_number_it_reads_as_and_one_that_is_none_matches_nothing() {
    let (folder, other) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let mut files = csv(&folder, "id,name\n7,a\n08,b\nseven,c\n");
    for (declared, expected) in [
        ("INTEGER", vec!["left_only seven"]),
        ("DECIMAL", vec!["left_only seven"]),
        ("TEXT", vec!["left_only 08", "right_only 8", "left_only seven"]),
    ] {
        let file = table(declared);
        assert_eq!(told(&run(("id", "id"), &mut files, &mut file.open()).expect("compared")), expected, "{declared}");
        let swapped = run(("id", "id"), &mut file.open(), &mut csv(&other, "id,name\n7,a\n8,b\n"));
        assert_eq!(swapped.expect("compared").equal, 2, "{declared}");
    }
}

#[test]
fn an_undeclared_column_of_a_database_is_read_as_what_the_other_declares() {
    let text = table("TEXT");
    let dynamic = File::new("CREATE TABLE t (id, name TEXT); INSERT INTO t VALUES (7, 'a'), ('8', 'b')");
    for other in [&text, &table("INTEGER")] {
        assert_eq!(run(("id", "id"), &mut dynamic.open(), &mut other.open()).expect("compared").equal, 2);
    }
}

#[test]
fn declared_types_that_never_match_are_refused_with_the_transform() {
    let (number, text) = (table("INTEGER"), table("TEXT"));
    let words = ["`id` that is number", "`id` that is text", "write left = \"id | text\""];
    check_refused(("id", "id"), &mut number.open(), &mut text.open(), &words);
    check_refused(("id", "id"), &mut text.open(), &mut number.open(), &["write right = \"id | text\""]);
    let outcome = run(("id | text", "id"), &mut number.open(), &mut text.open()).expect("the remedy helps");
    assert_eq!(outcome.equal, 2);
}

#[test]
fn keys_that_turn_out_to_be_of_other_types_are_refused_before_every_record_is_called_missing() {
    let objects = [("7", "a"), ("8", "b")].map(|(id, name)| json!({"id": id, "name": name}));
    let provider = Provider::canned(move |_, _| Canned::json(&json!(objects)));
    let number = table("INTEGER");
    let words = ["of the left is number", "of the right is text", "write left = \"id | text\""];
    check_refused(("id", "id"), &mut number.open(), &mut api(&provider), &words);
    let outcome = run(("id | text", "id"), &mut number.open(), &mut api(&provider)).expect("the remedy helps");
    assert_eq!(outcome.equal, 2);
    let folder = TempDir::new().expect("a folder");
    let mut cells = csv(&folder, "id,name\n7,a\n8,b\n");
    assert_eq!(run(("id", "id"), &mut cells, &mut api(&provider)).expect("cells are text").equal, 2);
}

#[test]
fn one_key_is_what_the_transforms_make_of_it_and_nobodys_key_is_refused() {
    let (number, text) = (table("INTEGER"), table("TEXT"));
    let only = |key: &str, rule: (&str, &str)| {
        let pair = pair(&matched_by(rule.0, rule.1));
        compare_only(Some(key), &pair, &mut number.open(), &mut text.open(), || {})
    };
    assert_eq!(only("7", ("id | text", "id")).expect("compared").equal, 1);
    assert_eq!(only("7", ("id", "id | number")).expect("compared").equal, 1);
    assert_eq!(only("A", ("name | lower", "name")).expect("compared").equal, 1);
    for (key, rule) in [("9", ("id | text", "id")), ("c", ("name", "name"))] {
        let Err(DiffError::Pair { what, .. }) = only(key, rule) else { panic!("{key}") };
        assert_eq!(what, format!("no record has the key `{key}` under the first rule"));
    }
}

#[test]
fn one_key_that_no_side_declares_is_found_as_text_or_as_number() {
    let dynamic = || File::new("CREATE TABLE t (id, name TEXT); INSERT INTO t VALUES (7, 'a'), ('8', 'b'), ('c', 'c')");
    let (one, other) = (dynamic(), dynamic());
    for key in ["7", "8", "c"] {
        let pair = pair(&matched_by("id", "id"));
        let outcome = compare_only(Some(key), &pair, &mut one.open(), &mut other.open(), || {}).expect(key);
        assert_eq!((outcome.equal, outcome.left_records), (1, 1), "{key}");
    }
    let error = compare_only(Some("9"), &pair(&matched_by("id", "id")), &mut one.open(), &mut other.open(), || {});
    assert!(matches!(error, Err(DiffError::Pair { .. })));
}
