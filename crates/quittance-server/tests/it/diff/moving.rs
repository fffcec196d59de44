//! Data that moves while it is read.

use super::{File, compare, pair, told};

const PAIR: &str = "[pairs.p]\nleft = { system = \"a\", table = \"t\" }\nright = { system = \"b\", table = \"t\" }\n\
    match = [ { left = \"id\", right = \"id\" } ]\nfields = [ { left = \"status\", right = \"status\" } ]\n";

fn file(rows: &str) -> File {
    let file = File::new("CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT)");
    if !rows.is_empty() {
        file.writer.execute_batch(&format!("INSERT INTO t VALUES {rows}")).expect("rows");
    }
    file
}

#[test]
fn b61_a_row_that_changes_between_the_two_reads_is_no_drift() {
    let (left, right) = (file("('x', 'new'), ('y', 'old')"), file("('x', 'old'), ('y', 'new')"));
    let outcome = compare(&pair(PAIR), &mut left.open(), &mut right.open(), || {
        right.writer.execute_batch("UPDATE t SET status = 'new' WHERE id = 'x'").expect("a row");
    });
    let outcome = outcome.expect("compared");
    assert_eq!(told(&outcome), ["different x settled", "different y"]);
    assert_eq!((outcome.counts().different, outcome.counts().suspect), (1, 1));
}

#[test]
fn b18_a_row_that_one_side_lacks_is_missing_after_a_second_look_and_one_that_comes_late_is_not() {
    let (left, right) = (file("('gone', 'a'), ('late', 'a')"), file("('surplus', 'a'), ('deleted', 'a')"));
    let outcome = compare(&pair(PAIR), &mut left.open(), &mut right.open(), || {
        right
            .writer
            .execute_batch("INSERT INTO t VALUES ('late', 'a'); DELETE FROM t WHERE id = 'deleted'")
            .expect("rows");
    });
    let outcome = outcome.expect("compared");
    assert_eq!(
        told(&outcome),
        ["right_only deleted settled", "left_only gone", "left_only late settled", "right_only surplus"]
    );
    assert!(outcome.has_drift());
}

#[test]
fn b26_a_row_that_was_stamped_early_and_committed_late_is_seen_by_the_next_run() {
    let (left, right) = (file("('x', 'a')"), file("('x', 'a')"));
    let late = rusqlite::Connection::open(left.path()).expect("another writer");
    late.execute_batch("BEGIN; INSERT INTO t VALUES ('stamped-before', 'a')").expect("not committed");
    let outcome = compare(&pair(PAIR), &mut left.open(), &mut right.open(), || {}).expect("compared");
    assert_eq!(told(&outcome), Vec::<String>::new());
    late.execute_batch("COMMIT").expect("committed");
    // There is no cursor that could have passed it: a run reads what there is.
    let outcome = compare(&pair(PAIR), &mut left.open(), &mut right.open(), || {}).expect("compared");
    assert_eq!(told(&outcome), ["left_only stamped-before"]);
}

#[test]
fn b14_what_changed_long_ago_is_compared_like_what_is_new() {
    let schema = "CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT, created TIMESTAMP)";
    let (left, right) = (File::new(schema), File::new(schema));
    for (file, status) in [(&left, "active"), (&right, "canceled")] {
        let sql = "INSERT INTO t VALUES ('year-old', ?1, '2025-01-01 00:00:00')";
        file.writer.execute(sql, [status]).expect("a row");
    }
    let outcome = compare(&pair(PAIR), &mut left.open(), &mut right.open(), || {}).expect("compared");
    assert_eq!(told(&outcome), ["different year-old"]);
}
