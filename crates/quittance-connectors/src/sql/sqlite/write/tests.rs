//! A value is stored so that reading it gives the same value, in the form that was there.

use super::{Put, put, touched, update};
use crate::record::holds;
use crate::sql::sqlite::{Bound, Declared, Stored, decode};
use quittance_core::record::value::{Type, Value};
use quittance_core::time::Timestamp;

fn typed(text: &'static str, of: Type) -> Value<'static> {
    Value::text(text).read_as(of).unwrap()
}

fn number(text: &'static str) -> Value<'static> {
    typed(text, Type::Number)
}

fn at(text: &'static str) -> Value<'static> {
    typed(text, Type::Timestamp)
}

#[test]
fn values_take_the_class_of_their_column_and_the_form_that_was_there() {
    let text = |it: &str| Some(Bound::Text(it.to_owned()));
    let whole = |it| Some(Bound::Integer(it));
    for (value, declared, was, wanted) in [
        (number("7"), Declared::Number, Stored::Null, whole(7)),
        (number("12.50"), Declared::Number, Stored::Null, Some(Bound::Real(12.5))),
        (number("0.07"), Declared::Text, Stored::Text("1"), text("0.07")),
        (Value::text("7"), Declared::Number, Stored::Null, whole(7)),
        (Value::Untyped("n/a".into()), Declared::Number, Stored::Null, text("n/a")),
        (Value::Boolean(true), Declared::Boolean, Stored::Integer(0), whole(1)),
        (Value::Boolean(true), Declared::Boolean, Stored::Text("f"), text("t")),
        (Value::Boolean(false), Declared::Boolean, Stored::Text("TRUE"), text("FALSE")),
        (Value::Boolean(false), Declared::Dynamic, Stored::Null, whole(0)),
        (at("2026-01-31T10:00:00Z"), Declared::Timestamp, Stored::Null, text("2026-01-31 10:00:00")),
        (
            at("2026-01-31T10:00:00Z"),
            Declared::Timestamp,
            Stored::Text("2001-01-01T00:00:00.000Z"),
            text("2026-01-31T10:00:00.000Z"),
        ),
        (
            at("2026-01-31T10:00:00.5Z"),
            Declared::Timestamp,
            Stored::Text("2001-01-01 00:00:00 +02:00"),
            text("2026-01-31 10:00:00.5 +00:00"),
        ),
        (at("2026-01-31T10:00:00Z"), Declared::Timestamp, Stored::Integer(978_307_200), whole(1_769_853_600)),
        (
            at("2026-01-31T10:00:00.001Z"),
            Declared::Timestamp,
            Stored::Integer(978_307_200_000),
            whole(1_769_853_600_001),
        ),
        (at("2026-01-31T10:00:00.5Z"), Declared::Timestamp, Stored::Integer(978_307_200), None),
        (
            at("2026-01-31T10:00:00.5Z"),
            Declared::Timestamp,
            Stored::Real(978_307_200.25),
            Some(Bound::Real(1_769_853_600.5)),
        ),
        (typed("2026-01-31", Type::Date), Declared::Date, Stored::Text("2001-01-01"), text("2026-01-31")),
        (number("0.1234567890123456789"), Declared::Number, Stored::Null, None),
        (Value::Json("{}".into()), Declared::Json, Stored::Text("[]"), text("{}")),
        (Value::text("x"), Declared::Json, Stored::Null, text("\"x\"")),
        (Value::Bytes(vec![0].into()), Declared::Bytes, Stored::Null, Some(Bound::Blob(vec![0]))),
        (Value::Absent, Declared::Text, Stored::Null, None),
    ] {
        let found = put(&value, declared, was);
        assert_eq!(found.as_ref().and_then(|put| put.bound.clone()), wanted, "{value:?} {declared:?} {was:?}");
        if let Some(put) = found {
            assert!(holds(&value, &decode(put.stored(), declared)), "{value:?}");
        }
    }
    assert_eq!(put(&Value::Null, Declared::Text, Stored::Text("x")), Some(Put { bound: None, is_jsonb: false }));
    assert!(put(&Value::Json("{}".into()), Declared::Json, Stored::Blob(&[0x0c])).unwrap().is_jsonb);
}

#[test]
fn now_is_told_as_exactly_as_the_column_tells_times() {
    let now = Timestamp(1_769_853_600_123_456);
    for (was, wanted) in [
        (Stored::Text("2001-01-01 00:00:00"), Bound::Text("2026-01-31 10:00:00".to_owned())),
        (Stored::Text("2001-01-01T00:00:00.000Z"), Bound::Text("2026-01-31T10:00:00.123Z".to_owned())),
        (Stored::Text("2001-01-01 00:00:00.1 UTC"), Bound::Text("2026-01-31 10:00:00.1 UTC".to_owned())),
        (Stored::Integer(978_307_200), Bound::Integer(1_769_853_600)),
        (Stored::Integer(978_307_200_000_000), Bound::Integer(1_769_853_600_123_456)),
        (Stored::Integer(978_307_200_000_000_000), Bound::Integer(1_769_853_600_123_456_000)),
    ] {
        assert_eq!(touched(now, was).and_then(|put| put.bound), Some(wanted));
    }
    for was in [Stored::Null, Stored::Text("yesterday"), Stored::Blob(&[0])] {
        assert_eq!(touched(now, was), None, "{was:?}");
    }
}

#[test]
fn names_are_quoted_and_binary_json_stays_binary() {
    let put = Put { bound: Some(Bound::Text("{}".to_owned())), is_jsonb: true };
    let said = update("a\"b", &[("v", &put), ("w", &Put::NULL)], &["rowid"]);
    assert_eq!(said, "UPDATE OR ABORT \"main\".\"a\"\"b\" AS t SET \"v\" = jsonb(?), \"w\" = ? WHERE t.\"rowid\" IS ?");
}
