//! What cannot be compared is refused, with what was wrong, where, and what would be right; never half compared.

use super::{File, compare, pair, told};
use quittance_server::diff::DiffError;

fn sides() -> (File, File) {
    let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT, status TEXT, amount DECIMAL, at TIMESTAMP);
        INSERT INTO t VALUES (1, 'a', 'active', 1.5, '2026-01-01 00:00:00'), (2, 'b', 'paused', NULL, NULL);";
    (File::new(schema), File::new(schema))
}

/// Refuses a pair of this body; the text holds every word.
fn check(body: &str, words: &[&str]) {
    let (left, right) = sides();
    let text = format!(
        "[pairs.p]\nleft = {{ system = \"a\", table = \"t\" }}\nright = {{ system = \"b\", table = \"t\" }}\n{body}"
    );
    let error = compare(&pair(&text), &mut left.open(), &mut right.open(), || {}).expect_err("it is refused");
    let told = match error {
        DiffError::Pair { pair, what, remedy } => format!("{pair}: {what}; {remedy}"),
        DiffError::System { system, source } => format!("{system}: {source}; {}", source.remedy),
        DiffError::Spool(error) => error.to_string(),
    };
    for word in words {
        assert!(told.contains(word), "{word:?} is not in {told:?}");
    }
}

#[test]
fn columns_that_do_not_exist_are_named_with_what_exists() {
    check("match = [ { left = \"idd\", right = \"id\" } ]\n", &["`idd`", "`t`", "did you mean `id`?"]);
    let fields =
        "match = [ { left = \"id\", right = \"id\" } ]\nfields = [ { left = \"status\", right = \"state\" } ]\n";
    check(fields, &["`state`", "system `b`", "did you mean `status`?"]);
}

#[test]
fn types_without_an_equality_are_refused_with_the_transform() {
    let fields = "match = [ { left = \"id\", right = \"id\" } ]\nfields = [ { left = \"at\", right = \"amount\" } ]\n";
    check(fields, &["`at` is timestamp", "`amount` is number", "epoch_to_timestamp"]);
}

#[test]
fn a_value_that_the_map_does_not_know_stops_the_run_and_names_its_records() {
    let fields = "match = [ { left = \"id\", right = \"id\" } ]\n[[pairs.p.fields]]\nleft = \"status\"\nright = \"status\"\n\
        values = [ { left = \"active\", right = [\"active\"] } ]\n";
    check(fields, &["`paused`", "left `status`", "right `status`", "first is 2", "unmapped"]);
}

#[test]
fn a_transform_that_does_not_fit_names_the_record() {
    let fields = "match = [ { left = \"id\", right = \"id\" } ]\n\
        fields = [ { left = \"code\", right = \"amount\", left_transform = \"number\" } ]\n";
    check(fields, &["`code`", "record 1", "read as a number"]);
}

#[test]
fn more_differences_than_are_allowed_are_no_result() {
    let fields = "differences_max = 1\nmatch = [ { left = \"code\", right = \"status\" } ]\n";
    check(fields, &["differences_max", "left_only", "match"]);
}

#[test]
fn a_key_that_several_records_have_is_ambiguous_and_never_guessed() {
    let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, stripe TEXT);
        INSERT INTO t VALUES (1, 'sub_1'), (2, 'sub_1'), (3, 'sub_2'), (4, NULL);";
    let (left, right) = (
        File::new(schema),
        File::new("CREATE TABLE t (id TEXT PRIMARY KEY); INSERT INTO t VALUES ('sub_1'), ('sub_2')"),
    );
    let text = "[pairs.p]\nleft = { system = \"a\", table = \"t\" }\nright = { system = \"b\", table = \"t\" }\n\
        match = [ { left = \"stripe\", right = \"id\" } ]\n";
    let outcome = compare(&pair(text), &mut left.open(), &mut right.open(), || {}).expect("compared");
    assert_eq!(told(&outcome), ["ambiguous sub_1", "left_only 4"]);
    assert_eq!((outcome.left_records, outcome.right_records, outcome.equal), (4, 2, 1));
}

#[test]
fn a_type_mistake_does_not_hide_behind_an_earlier_difference() {
    let (left, right) = (
        File::new(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b JSON); INSERT INTO t VALUES (1, 'x', '{\"n\": 1}')",
        ),
        File::new("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO t VALUES (1, 'y', '1')"),
    );
    let text = "[pairs.p]\nleft = { system = \"a\", table = \"t\" }\nright = { system = \"b\", table = \"t\" }\n\
        match = [ { left = \"id\", right = \"id\" } ]\nfields = [ { left = \"a\", right = \"a\" }, \
        { left = \"b\", right = \"b\", left_transform = \"json_pointer:/n\" } ]\n";
    let error = compare(&pair(text), &mut left.open(), &mut right.open(), || {}).expect_err("it is refused");
    assert!(error.to_string().contains("`b`: the left is number and the right is text"), "{error}");
}

#[test]
fn checksums_that_would_count_a_part_are_refused() {
    let body = "strategy = \"checksums\"\nmatch = [ { left = \"id\", right = \"id\" } ]\n\
        counts = [ { left = \"status\", right = \"status\" } ]\n";
    check(body, &["`counts`", "every record", "strategy = \"keys\""]);
}

#[test]
fn a_time_of_change_that_is_no_time_is_refused_with_the_transform() {
    let (left, right) = sides();
    for (column, words) in [("amount", "amount | epoch_to_timestamp"), ("code", "code | timestamp")] {
        let text = format!(
            "[pairs.p]\nleft = {{ system = \"a\", table = \"t\", updated_at = \"{column}\" }}\n\
             right = {{ system = \"b\", table = \"t\" }}\nmatch = [ {{ left = \"id\", right = \"id\" }} ]\n"
        );
        let error = compare(&pair(&text), &mut left.open(), &mut right.open(), || {}).expect_err("it is refused");
        let DiffError::Pair { what, remedy, .. } = error else { panic!("{error}") };
        assert!(what.contains("updated_at") && remedy.contains(words), "{what}; {remedy}");
    }
}

#[test]
fn more_rules_than_anybody_means_are_refused_with_their_line() {
    let rules = vec!["{ left = \"id\", right = \"id\" }"; 256].join(", ");
    let text = format!(
        "[systems.a]\nkind = \"sqlite\"\npath = \"a\"\n[pairs.p]\nleft = {{ system = \"a\", table = \"t\" }}\n\
         right = {{ system = \"a\", table = \"t\" }}\nmatch = [ {rules} ]\n"
    );
    let errors = quittance_server::config::Config::from_text(&text, &|_| None).expect_err("refused").to_string();
    assert!(errors.contains("256 entries, and 16 is the most"), "{errors}");
}
