//! What statements say, and which texts stand for values.

use super::texts::{Texts, column};
use super::{Target, TargetColumn, Update};
use crate::sql::postgres::Kind;
use crate::sql::postgres::catalog::{Table, TableColumn};
use quittance_core::pair::{Column, Side};
use quittance_core::record::value::{Type, Value};
use quittance_core::time::Timestamp;

fn table() -> (Table, Target) {
    let columns =
        [("id", Kind::Integer, "int4"), ("no\"te", Kind::Text, "varchar"), ("at", Kind::Timestamp, "timestamp")];
    let known = |(name, kind, _): (&str, Kind, &str)| TableColumn {
        name: name.to_owned(),
        kind,
        is_not_null: false,
        may_select: true,
    };
    let target = |(name, _, of): (&str, Kind, &str)| TargetColumn {
        name: name.to_owned(),
        type_name: format!("pg_catalog.{of}"),
        limited_type: (of == "varchar").then(|| "character varying(5)".to_owned()),
        is_required: false,
        is_generated: false,
        may_update: true,
        is_updatable: true,
    };
    let table = Table {
        oid: 1,
        schema: "s".to_owned(),
        name: "t\"".to_owned(),
        is_sampled: true,
        estimate: None,
        has_usage: true,
        hides_rows: false,
        columns: columns.map(known).to_vec(),
        indexes: Vec::new(),
    };
    (table, Target { columns: columns.map(target).to_vec() })
}

fn side() -> Side {
    let columns = ["id", "no\"te", "at"].map(Column::plain).to_vec();
    Side { columns, identity: vec![0], ..Side::default() }
}

fn number(text: &'static str) -> Value<'static> {
    Value::text(text).read_as(Type::Number).unwrap()
}

#[test]
fn no_name_in_a_statement_depends_on_a_search_path() {
    let (table, target) = table();
    let update = Update::new((&table, &target), &side(), &[1], &[1], Some("at")).unwrap();
    let row = Texts { keys: vec!["7".into()], expected: vec![None], set: vec![Some("it's \"x\"\\".into())] };
    let said = update.update(&[&row], true);
    let said = said.split("; ").find(|part| part.starts_with("UPDATE")).unwrap();
    assert_eq!(
        said,
        "UPDATE \"s\".\"t\"\"\" AS t SET \"no\"\"te\" = w.s0::pg_catalog.varchar, \
         \"at\" = pg_catalog.timezone('UTC'::pg_catalog.text, pg_catalog.now()) \
         FROM unnest('{\"7\"}'::pg_catalog._text, '{NULL}'::pg_catalog._text, \
         '{\"it''s \\\"x\\\"\\\\\"}'::pg_catalog._text) WITH ORDINALITY AS w(k0, e0, s0, o) \
         WHERE t.\"id\" OPERATOR(pg_catalog.=) w.k0::pg_catalog.int8 \
         AND ((t.\"no\"\"te\"::pg_catalog.text COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) w.e0 \
         OR t.\"no\"\"te\" IS NULL AND w.e0 IS NULL) RETURNING w.o"
    );
    assert!(!update.update(&[&row], false).contains("w.e0 IS NULL"), "unchecked");
    assert!(update.lock(&[&row], true).contains("FOR UPDATE OF t SKIP LOCKED;"));
    assert!(!update.lock(&[&row], false).contains("SKIP LOCKED"));
}

#[test]
fn what_is_set_is_not_touched_as_well() {
    let (table, target) = table();
    let update = Update::new((&table, &target), &side(), &[], &[2], Some("at")).unwrap();
    assert_eq!(update.update(&[], true).matches("\"at\" =").count(), 1);
    assert!(Update::new((&table, &target), &side(), &[3], &[2], None).is_none());
    assert!(Update::new((&table, &target), &side(), &[], &[2], Some("nowhere")).is_none());
}

#[test]
fn null_is_told_apart_from_the_text() {
    let texts = [None, Some("NULL".to_owned()), Some(String::new())].into_iter();
    assert_eq!(column(texts), "'{NULL,\"NULL\",\"\"}'::pg_catalog._text");
}

#[test]
fn values_become_the_text_of_their_column() {
    let at = Value::Timestamp(Timestamp(1_769_853_600_000_001));
    for (kind, value, assigned) in [
        (Kind::Numeric, number("12.50"), Some("12.5")),
        (Kind::Integer, Value::text("x"), Some("x")),
        (Kind::Boolean, Value::Boolean(true), Some("true")),
        (Kind::Timestamptz, at.clone(), Some("2026-01-31 10:00:00.000001+00")),
        (Kind::Text, at, Some("2026-01-31T10:00:00.000001Z")),
        (Kind::Bytes, Value::Bytes(vec![0, 255].into()), Some("\\x00ff")),
        (Kind::Json, Value::text("a\"b"), Some(r#""a\"b""#)),
        (Kind::Json, number("7"), Some("7")),
        (Kind::Json, Value::Json("{}".into()), Some("{}")),
        (Kind::Json, Value::Bytes(vec![0].into()), None),
        (Kind::Text, Value::text("a\0b"), None),
        (Kind::Text, Value::Absent, None),
    ] {
        let found = kind.assigned_text(&value);
        assert_eq!(found.as_ref().map(Option::as_deref), assigned.map(Some), "{kind:?} {value}");
    }
    assert_eq!(Kind::Text.assigned_text(&Value::Null), Some(None));
}

#[test]
fn what_a_column_cannot_hold_is_not_expected_of_it() {
    assert_eq!(Kind::Integer.expected_text(&number("1.5")), None);
    assert_eq!(Kind::Uuid.expected_text(&Value::text("no")), None);
    assert_eq!(Kind::Text.expected_text(&Value::Absent), None);
    assert_eq!(Kind::Text.expected_text(&Value::Null), Some(None));
    assert_eq!(Kind::Integer.expected_text(&Value::Untyped("07".into())), Some(Some("7".to_owned())));
    assert_eq!(Kind::Float8.expected_text(&Value::Untyped("NaN".into())), Some(Some("NaN".to_owned())));
}

#[test]
fn texts_are_read_as_their_column_holds_them_and_nothing_is_written() {
    let (table, target) = table();
    let asked = |name| super::Cast::new((&table, &target), name).map(|cast| cast.unfit(["a'b", "c"].into_iter()));
    let limited = asked("no\"te").expect("a column");
    let held = "((w.s::pg_catalog.varchar) OPERATOR(pg_catalog.=) (w.s::pg_catalog.varchar)::character varying(5)) IS NOT TRUE";
    assert!(limited.contains(held) && limited.contains("a''b") && !limited.contains("UPDATE"), "{limited}");
    let counted = asked("id").expect("a column");
    assert!(counted.contains("pg_catalog.count(w.s::pg_catalog.int4)"), "{counted}");
    assert_eq!(asked("nowhere"), None);
}
