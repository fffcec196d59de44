//! Tables of canonical forms, and laws of versions and mirrors over whatever can be generated.

mod laws;

use super::key::{decode_key, decode_value, encode_key, encode_value, key_types};
use super::number::{DIGITS_MAX, Number};
use super::value::{Comparison, Type, Value};
use crate::time::Timestamp;

fn number(text: &str) -> Value<'_> {
    Value::Number(Number::parse(text).expect("a decimal"))
}

#[test]
fn numbers_have_one_form() {
    let cases = [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("0e99", "0"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-12.340", "-12.34"),
        ("1e20", "100000000000000000000"),
        ("-1.25E-3", "-0.00125"),
        ("9223372036854775808", "9223372036854775808"),
    ];
    for (text, expected) in cases {
        assert_eq!(Number::parse(text).as_ref().map(Number::as_str), Some(expected), "{text}");
        assert_eq!(Number::parse(expected).as_ref().map(Number::as_str), Some(expected), "its own form is kept");
    }
    for text in ["", "-", ".", "1.2.3", "1e", "e5", "NaN", "Infinity", "0x10", "1_000", " 1", "1e999999999", "--1"] {
        assert_eq!(Number::parse(text), None, "{text}");
    }
    assert_eq!(Number::parse(&"9".repeat(DIGITS_MAX + 1)), None);
    assert_eq!(Number::parse("1999").and_then(|it| it.scaled_down(2)).as_ref().map(Number::as_str), Some("19.99"));
}

#[test]
fn what_differs_in_form_only_is_equal_and_what_has_no_equality_says_so() {
    let moment = Value::Timestamp(Timestamp::from_seconds(1_700_000_000));
    let untyped = |text: &'static str| Value::Untyped(text.into());
    use Comparison::{Different, Equal, Incomparable};
    let cases = [
        (number("12.50"), number("12.5"), Equal),
        (number("-0"), number("0"), Equal),
        (number("12.5"), number("12.51"), Different),
        (Value::Null, Value::Null, Equal),
        (Value::Null, Value::text(""), Different),
        (Value::Null, Value::Absent, Different),
        (Value::Null, number("0"), Different),
        (untyped("12.50"), number("12.5"), Equal),
        (untyped("twelve"), number("12"), Different),
        (untyped("12.50"), Value::text("12.5"), Different),
        (untyped("2023-11-14T22:13:20Z"), moment.clone(), Equal),
        (untyped("2023-11-14 22:13:20"), moment.clone(), Equal),
        (untyped("t"), Value::Boolean(true), Equal),
        (Value::text("12"), number("12"), Incomparable(Type::Text, Type::Number)),
        (moment, number("1700000000"), Incomparable(Type::Timestamp, Type::Number)),
        (Value::Date("2026-01-31".into()), untyped("2026-01-31"), Equal),
        (Value::Date("2026-01-31".into()), untyped("2026-01-31T00:00:00Z"), Different),
    ];
    for (left, right, expected) in cases {
        assert_eq!(left.compare(&right), expected, "{left:?} {right:?}");
        let turned = match expected {
            Incomparable(left, right) => Incomparable(right, left),
            other => other,
        };
        assert_eq!(right.compare(&left), turned, "{right:?} {left:?}");
    }
}

#[test]
fn keys_sort_as_their_values_and_end_where_they_end() {
    let key = |parts: &[Value<'_>]| {
        let mut bytes = Vec::new();
        assert!(encode_key(parts.iter(), &mut bytes));
        assert_eq!(decode_key(&bytes), parts.iter().map(|part| part.clone().into_owned()).collect::<Vec<_>>());
        bytes
    };
    let sorted = [
        vec![number("-7")],
        vec![number("0")],
        vec![number("7"), number("1")],
        vec![number("7"), Value::text("")],
        vec![number("10")],
        vec![Value::text("")],
        vec![Value::text("a"), Value::text("b")],
        vec![Value::text("a\0"), Value::text("")],
        vec![Value::text("ab"), Value::text("")],
        vec![Value::text("b")],
    ];
    let keys: Vec<_> = sorted.iter().map(|parts| key(parts)).collect();
    assert!(keys.is_sorted_by(|one, two| one < two), "{keys:?}");
    let mut none = vec![1];
    assert!(!encode_key([Value::text("a"), Value::Null].iter(), &mut none));
    assert_eq!(none, [1], "what is not whole leaves nothing behind");
}

#[test]
fn values_come_back_as_they_went_in() {
    let values = [
        Value::Absent,
        Value::Null,
        Value::Boolean(false),
        Value::Boolean(true),
        number("-12"),
        number("0.001"),
        Value::text("a\0b"),
        Value::Untyped("".into()),
        Value::Timestamp(Timestamp(i64::MIN)),
        Value::Date("2026-01-31".into()),
        Value::Bytes(vec![0, 255].into()),
        Value::Json("[1]".into()),
    ];
    let mut bytes = Vec::new();
    values.iter().for_each(|value| encode_value(value, &mut bytes));
    let mut rest = bytes.as_slice();
    for value in &values {
        assert_eq!(decode_value(&mut rest), *value);
    }
    assert!(rest.is_empty());
}

#[test]
fn the_types_of_a_key_are_known_without_its_values() {
    let parts = [
        Value::text("a\0b"),
        Value::integer(0),
        number("1.5"),
        Value::Boolean(false),
        Value::Untyped("".into()),
        Value::Timestamp(Timestamp(0)),
        Value::Date("2026-01-31".into()),
        Value::Bytes(vec![0, 0, 1].into()),
    ];
    let mut key = Vec::new();
    assert!(encode_key(parts.iter(), &mut key));
    use Type::{Boolean, Bytes, Date, Number as Decimal, Text, Timestamp as Moment};
    let expected = [Text, Decimal, Decimal, Boolean, Text, Moment, Date, Bytes];
    assert_eq!(key_types(&key).collect::<Vec<_>>(), expected, "undeclared text is matched as text");
}

#[test]
fn what_has_a_text_can_be_read_as_text_and_back() {
    let moment = Value::Timestamp(Timestamp::from_seconds(1_700_000_000));
    let day = Value::Date("2026-01-31".into());
    for (value, text) in [
        (Value::Boolean(true), "true"),
        (number("12.50"), "12.5"),
        (moment, "2023-11-14T22:13:20Z"),
        (day, "2026-01-31"),
    ] {
        assert_eq!(value.read_as(Type::Text), Some(Value::text(text)), "{value:?}");
        let kind = value.value_type().expect("it is something");
        assert_eq!(Value::text(text).read_as(kind), Some(value));
    }
    for (text, expected) in [("0", Some(false)), ("1", Some(true)), ("2", None), ("0.5", None)] {
        assert_eq!(number(text).read_as(Type::Boolean), expected.map(Value::Boolean), "{text}");
    }
    assert_eq!(Value::Json("[]".into()).read_as(Type::Text), None);
}
