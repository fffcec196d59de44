//! Records by their keys: of several columns, of NULL, and through indexes.

use super::{Database, Row, integer, read, side, text};
use quittance_connectors::sql::postgres::catalog;
use quittance_connectors::sql::postgres::lookup;
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_server::systems::{System, Wanted};

const ROWS: &str = "CREATE EXTENSION IF NOT EXISTS citext;
    CREATE TABLE a (tenant text, id bigint, email varchar, folded citext, seen timestamp, day date, key uuid, amount numeric,
        PRIMARY KEY (tenant, id));
    INSERT INTO a SELECT (array['t1','t2'])[1 + n % 2], n, CASE WHEN n % 10 > 0 THEN n || '@x' END, 'Ab' || n % 100,
        timestamp '2026-01-01' + n * interval '1 s', date '2026-01-01' + n % 100, md5(n::text)::uuid, n / 10.0
        FROM generate_series(1, 20000) AS n;
    CREATE INDEX ON a (email); CREATE INDEX ON a USING hash (seen); CREATE INDEX ON a (key, amount); CREATE INDEX ON a (folded);
    ANALYZE a;";

fn all() -> Side {
    side(2, &["tenant", "id", "email", "folded", "seen", "day", "key", "amount"])
}

fn found(columns: &[usize], values: &[&[Value<'static>]]) -> Wanted {
    Wanted::Where { columns: columns.to_vec(), values: values.iter().map(|values| values.to_vec()).collect() }
}

#[test]
fn records_are_found_by_keys_of_any_columns() {
    let Some(database) = Database::with("lookups in PostgreSQL", ROWS) else { return };
    let mut system = database.system();
    let ids = |rows: Vec<Row>| -> Vec<String> { rows.iter().map(|row| row[1].to_string()).collect() };
    let mut find = |wanted: Wanted| ids(read(&mut system, "a", &all(), &wanted));
    let two = |tenant, id| [text(tenant), integer(id)];
    assert_eq!(find(found(&[0, 1], &[&two("t2", 1), &two("t1", 1), &two("t1", 2), &two("t1", 99_999)])), ["2", "1"]);
    assert_eq!(find(found(&[1, 0], &[&[integer(7), text("t2")]])), ["7"]);
    assert_eq!(find(found(&[2], &[&[text("7@x")], &[text("'; DROP TABLE a; --")], &[text("a\"b\\c{,}")]])), ["7"]);
    assert_eq!(find(found(&[2], &[&[Value::Untyped("7@x".into())], &[integer(8)]])), ["7"]);
    assert_eq!(find(found(&[1], &[&[Value::Untyped("0007".into())], &[Value::Untyped("x".into())]])), ["7"]);
    assert_eq!(find(found(&[1], &[&[text("7")], &[Value::Boolean(true)]])), Vec::<String>::new());
    assert_eq!(find(found(&[2], &[&[text("a\0b")]])), Vec::<String>::new());
    // What is equal for citext only is not equal.
    assert_eq!(find(found(&[3, 1], &[&[text("ab7"), integer(7)], &[text("Ab8"), integer(8)]])), ["8"]);
    let number =
        |text: &str| Value::Untyped(text.to_owned().into()).read_as(quittance_core::record::value::Type::Number);
    assert_eq!(find(found(&[7], &[&[number("0.70").unwrap()], &[number("1e300").unwrap()]])), ["7"]);
    let md5_of_7 = "8f14e45f-ceea-167a-5a36-dedd4bea2543";
    assert_eq!(find(found(&[6], &[&[text(md5_of_7)], &[text(&md5_of_7.to_uppercase())], &[text("x")]])), ["7"]);
    assert_eq!(find(found(&[0, 1], &[])), Vec::<String>::new());
}

#[test]
fn lookups_use_indexes_where_they_say_that_they_can() {
    let Some(database) = Database::with("indexes of PostgreSQL", ROWS) else { return };
    let mut system = database.system();
    system.describe("a").unwrap();
    let described = |sql: String| -> Vec<Vec<Option<String>>> {
        let rows = database.sql(&sql);
        let field = |field: &str| Some(field.to_owned());
        rows.lines().map(|line| line.split('|').map(field).collect()).collect()
    };
    let mut table = catalog::table(&described(catalog::tables("a"))[0]).unwrap();
    table.columns = described(catalog::columns(table.oid)).iter().map(|row| catalog::column(row).unwrap()).collect();
    let day = |day: &str| Value::Date(day.to_owned().into());
    let md5_of_7 = text("8f14e45f-ceea-167a-5a36-dedd4bea2543");
    let at = Value::Timestamp(quittance_core::time::Timestamp(1_767_225_607_000_000));
    for (columns, value, expected) in [
        (vec![0, 1], vec![text("t2"), integer(7)], true),
        (vec![1, 0], vec![integer(7), text("t2")], true),
        (vec![2], vec![text("7@x")], true),
        (vec![4], vec![at], true),
        (vec![6], vec![md5_of_7.clone()], true),
        (vec![0, 1, 2], vec![text("t2"), integer(7), text("7@x")], true),
        (vec![1], vec![integer(7)], false),
        (vec![5], vec![day("2026-01-08")], false),
        (vec![3], vec![text("Ab7")], false),
    ] {
        assert_eq!(system.can_find("a", &all(), &columns), expected, "{columns:?}");
        let condition = lookup(&table, &all(), &columns, &vec![value; 50]).unwrap();
        let plan = database.sql(&format!("EXPLAIN SELECT * FROM a WHERE {condition}"));
        if expected {
            assert!(plan.contains("Index") && !plan.contains("Seq Scan on a"), "{plan}");
        }
    }
    assert!(!system.can_find("a", &all(), &[]) && !system.can_find("b", &all(), &[0]));
}

#[test]
fn keys_of_null_are_read_and_never_found() {
    let Some(database) = Database::with(
        "NULL in keys of PostgreSQL",
        "CREATE TABLE a (x text, y int, z text); INSERT INTO a VALUES ('a', 1, 'whole'), ('a', NULL, 'half'), (NULL, NULL, 'none'), \
         ('', 0, 'empty'); CREATE VIEW b AS SELECT * FROM a WHERE z <> 'half'",
    ) else {
        return;
    };
    let mut system = database.system();
    let side = side(2, &["x", "y", "z"]);
    let rows = read(&mut system, "a", &side, &Wanted::All);
    assert_eq!(rows.iter().filter(|row| row[..2].contains(&Value::Null)).count(), 2);
    let wanted = found(&[0, 1], &[&[text("a"), integer(1)], &[text(""), integer(0)]]);
    let names = |rows: Vec<Row>| -> Vec<String> { rows.iter().map(|row| row[2].to_string()).collect() };
    assert_eq!(names(read(&mut system, "a", &side, &wanted)), ["empty", "whole"]);
    assert_eq!(names(read(&mut system, "b", &side, &wanted)), ["empty", "whole"]);
    assert_eq!(read(&mut system, "b", &side, &Wanted::All).len(), 3);
    use quittance_server::systems::Checksums;
    assert_eq!(system.keyless("a", &side, 0).unwrap(), 2);
}
