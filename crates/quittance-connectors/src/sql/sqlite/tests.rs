//! Declared types, stored values and statements, as tables.

use super::{Bound, Declared, Read, Stored, quoted, select};
use quittance_core::record::value::Value;

#[test]
fn declared_types_are_words_first_and_affinities_then() {
    for (text, expected) in [
        ("INTEGER", Declared::Number),
        ("bigint unsigned", Declared::Number),
        ("DOUBLE PRECISION", Declared::Number),
        ("DECIMAL(10,2)", Declared::Number),
        ("numeric", Declared::Number),
        ("TINYINT(1)", Declared::Number),
        ("boolean", Declared::Boolean),
        ("VARCHAR(255)", Declared::Text),
        ("uuid", Declared::Text),
        ("timestamp with time zone", Declared::Timestamp),
        ("DATETIME", Declared::Timestamp),
        ("datetime(3)", Declared::Timestamp),
        ("date", Declared::Date),
        ("JSONB", Declared::Json),
        ("BLOB", Declared::Bytes),
        ("", Declared::Dynamic),
        ("ANY", Declared::Dynamic),
        ("TIME", Declared::Dynamic),
    ] {
        assert_eq!(Declared::of(text), expected, "{text}");
    }
}

fn column(name: &str, declared: &str, pointer: Option<&str>) -> Read {
    Read { name: name.to_owned(), declared: Declared::of(declared), pointer: pointer.map(str::to_owned) }
}

fn check(declared: &str, stored: Stored<'_>, expected: &str) {
    let column = column("it", declared, None);
    let value = column.decode(stored);
    let kind = value.value_type().map_or_else(String::new, |kind| format!("{kind:?} "));
    assert_eq!(format!("{kind}{value}"), expected, "{stored:?} in {declared:?}");
}

#[test]
fn stored_values_are_what_their_columns_say() {
    let (integer, real, text) = (Stored::Integer, Stored::Real, Stored::Text);
    for (declared, stored, expected) in [
        ("INTEGER", Stored::Null, "NULL"),
        ("INTEGER", integer(i64::MIN), "Number -9223372036854775808"),
        ("REAL", real(0.1), "Number 0.1"),
        ("REAL", real(10.0), "Number 10"),
        ("REAL", real(-0.0), "Number 0"),
        ("REAL", real(f64::INFINITY), "Untyped inf"),
        ("REAL", real(5e-324), &format!("Number 0.{}5", "0".repeat(323))),
        ("DECIMAL(10,2)", text("12.50"), "Number 12.5"),
        ("DECIMAL(10,2)", text("a lot"), "Untyped a lot"),
        ("INTEGER", text("n/a"), "Untyped n/a"),
        ("BOOLEAN", integer(1), "Boolean true"),
        ("BOOLEAN", integer(0), "Boolean false"),
        ("BOOLEAN", text("f"), "Boolean false"),
        ("BOOLEAN", integer(2), "Untyped 2"),
        ("BOOLEAN", text("maybe"), "Untyped maybe"),
        ("TEXT", text("12.50"), "Text 12.50"),
        ("STRING", integer(123), "Text 123"),
        ("", text("12.50"), "Untyped 12.50"),
        ("", integer(5), "Number 5"),
        ("", real(1.5), "Number 1.5"),
        ("BLOB", Stored::Blob(&[0, 255]), "Bytes 00ff"),
        ("TEXT", Stored::Blob(&[0x61]), "Bytes 61"),
        ("BLOB", text("x"), "Untyped x"),
    ] {
        check(declared, stored, expected);
    }
}

#[test]
fn moments_are_read_in_the_forms_that_libraries_write() {
    let (integer, real, text) = (Stored::Integer, Stored::Real, Stored::Text);
    for (declared, stored, expected) in [
        ("DATETIME", text("2026-01-31 10:00:00"), "Timestamp 2026-01-31T10:00:00Z"),
        ("DATETIME", text("2026-01-31T10:00:00.123456Z"), "Timestamp 2026-01-31T10:00:00.123456Z"),
        ("DATETIME", text("2026-01-31 12:00:00+02:00"), "Timestamp 2026-01-31T10:00:00Z"),
        ("DATETIME", text("2026-01-31 10:00:00.000 +00:00"), "Timestamp 2026-01-31T10:00:00Z"),
        ("DATETIME", text("2026-01-31 10:00:00 UTC"), "Timestamp 2026-01-31T10:00:00Z"),
        ("DATETIME", text("2026-01-31"), "Timestamp 2026-01-31T00:00:00Z"),
        ("DATETIME", text("yesterday"), "Untyped yesterday"),
        ("DATE", text("2026-01-31"), "Date 2026-01-31"),
        ("DATE", text("2026-01-31 10:00:00"), "Untyped 2026-01-31 10:00:00"),
        ("DATETIME", integer(0), "Timestamp 1970-01-01T00:00:00Z"),
        ("DATETIME", integer(1_769_853_600), "Timestamp 2026-01-31T10:00:00Z"),
        ("TIMESTAMP", integer(1_769_853_600_250), "Timestamp 2026-01-31T10:00:00.25Z"),
        ("TIMESTAMP", integer(1_769_853_600_250_001), "Timestamp 2026-01-31T10:00:00.250001Z"),
        ("TIMESTAMP", integer(1_769_853_600_250_001_999), "Timestamp 2026-01-31T10:00:00.250001Z"),
        ("DATETIME", real(1_769_853_600.5), "Timestamp 2026-01-31T10:00:00.5Z"),
        ("DATETIME", integer(-1), "Timestamp 1969-12-31T23:59:59Z"),
        ("DATE", integer(1_769_853_600), "Timestamp 2026-01-31T10:00:00Z"),
        ("DATETIME", real(f64::NEG_INFINITY), "Untyped -inf"),
    ] {
        check(declared, stored, expected);
    }
}

#[test]
fn json_is_canonical_and_pointers_lead_into_it() {
    let text = Stored::Text;
    check("JSON", text("{\"b\": 1.50, \"a\": [ ]}"), "Json {\"a\":[],\"b\":1.5}");
    check("JSON", text("\"a\""), "Text a");
    check("JSON", text("null"), "NULL");
    check("JSON", text("{"), "Untyped {");
    check("TEXT", text("{}"), "Text {}");
    for (stored, expected) in [
        (text("{\"plan\": {\"id\": \"pro\"}}"), Value::text("pro")),
        (text("{\"plan\": null}"), Value::Absent),
        (text("no JSON"), Value::Absent),
        (Stored::Integer(1), Value::Absent),
        (Stored::Null, Value::Null),
    ] {
        assert_eq!(column("it", "TEXT", Some("/plan/id")).decode(stored), expected, "{stored:?}");
    }
}

#[test]
fn lookups_bind_what_sqlite_would_store() {
    let half = Value::Untyped("0.5".into()).read_as(quittance_core::record::value::Type::Number).expect("a number");
    for (declared, value, expected) in [
        ("INTEGER", Value::integer(7), Some(Bound::Integer(7))),
        ("", half, Some(Bound::Real(0.5))),
        ("TEXT", Value::text("a"), Some(Bound::Text("a".to_owned()))),
        ("BLOB", Value::Bytes([1][..].into()), Some(Bound::Blob(vec![1]))),
        ("BOOLEAN", Value::Boolean(true), None),
        ("DATE", Value::text("2026-01-31"), None),
        ("JSON", Value::text("a"), None),
    ] {
        assert_eq!(column("it", declared, None).bound(&value), expected, "{value:?} in {declared}");
    }
    assert_eq!(column("it", "TEXT", Some("/a")).bound(&Value::text("a")), None);
}

#[test]
fn statements_quote_what_they_are_given() {
    let columns = [column("id", "TEXT", None), column("a \"b\"", "INTEGER", None)];
    assert_eq!(
        select("t; DROP", &columns, &[], 0),
        "SELECT t.\"id\", t.\"a \"\"b\"\"\" FROM \"main\".\"t; DROP\" AS t"
    );
    assert!(select("t", &columns, &["id"], 2).ends_with(" WHERE t.\"id\" IN (?, ?)"));
    assert!(select("t", &columns, &["a", "b"], 2).ends_with(" WHERE (t.\"a\", t.\"b\") IN (VALUES (?, ?), (?, ?))"));
    assert_eq!(select("t", &[], &[], 0), "SELECT 1 FROM \"main\".\"t\" AS t");
    assert_eq!(quoted(""), "\"\"");
}
