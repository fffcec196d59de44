//! Merging as tables and laws.

use super::{MergeAs, Merged, merge};
use crate::record::number::Number;
use crate::record::value::Value;
use proptest::prelude::*;

fn number(text: &str) -> Value<'static> {
    Value::Number(Number::parse(text).expect("a decimal").into_owned())
}

fn json(text: &'static str) -> Value<'static> {
    Value::Json(text.into())
}

#[test]
fn who_changed_alone_is_believed_however_it_is_merged() {
    let (old, new) = (Value::text("a"), Value::text("b"));
    for how in [MergeAs::Value, MergeAs::Set, MergeAs::Counter] {
        assert_eq!(merge(how, &old, &new, &old), Merged::Left);
        assert_eq!(merge(how, &old, &old, &Value::Null), Merged::Right);
    }
    assert_eq!(merge(MergeAs::Value, &old, &new, &Value::text("c")), Merged::Conflict);
    assert_eq!(merge(MergeAs::Value, &number("1"), &Value::Untyped("1.0".into()), &number("2")), Merged::Right);
}

#[test]
fn both_additions_count() {
    for (base, left, right, sum) in [
        ("10", "12", "9", "11"),
        ("0.1", "0.3", "0.10000000000000000001", "0.30000000000000000001"),
        ("-5", "-7.5", "5", "2.5"),
        ("1", "0.5", "0.5", "0"),
        ("5", "7", "7.0", "9"),
        (
            "100000000000000000000000",
            "100000000000000000000001",
            "100000000000000000000002",
            "100000000000000000000003",
        ),
    ] {
        let merged = merge(MergeAs::Counter, &number(base), &number(left), &number(right));
        assert_eq!(merged, Merged::Both(number(sum)), "{base} {left} {right}");
    }
    let text = Value::text("7");
    assert_eq!(merge(MergeAs::Counter, &text, &number("8"), &number("9")), Merged::Conflict);
    assert_eq!(merge(MergeAs::Counter, &number("7"), &Value::Null, &number("9")), Merged::Conflict);
    let long = number(&"9".repeat(60));
    assert_eq!(merge(MergeAs::Counter, &number("7"), &long, &number("9")), Merged::Conflict, "it is never rounded");
}

#[test]
fn what_somebody_added_is_in_and_what_somebody_removed_is_not() {
    for (base, left, right, merged) in [
        (json("[1,2]"), json("[1,2,3]"), json("[2]"), json("[2,3]")),
        (json("[]"), json(r#"["a,b"]"#), json(r#"["a\"]"]"#), json(r#"["a,b","a\"]"]"#)),
        (json(r#"[{"x":[1,2]}]"#), json("[]"), json(r#"[{"x":[1,2]},{"x":[2,1]}]"#), json(r#"[{"x":[2,1]}]"#)),
        (Value::Null, json("[2]"), json("[1]"), json("[1,2]")),
        (Value::text("b, a"), Value::text("a,b,c"), Value::text("b"), Value::text("b,c")),
        (Value::text("a"), Value::text("b"), Value::Null, Value::text("b")),
        (Value::text("a"), Value::text(""), Value::Null, Value::text("")),
    ] {
        assert_eq!(merge(MergeAs::Set, &base, &left, &right), Merged::Both(merged), "{base} {left} {right}");
    }
    for (left, right) in [(json("{}"), json("[1]")), (Value::text("a"), json("[1]")), (number("1"), number("2"))] {
        assert_eq!(merge(MergeAs::Set, &Value::Null, &left, &right), Merged::Conflict, "{left} {right}");
    }
}

fn turned(merged: Merged) -> Merged {
    match merged {
        Merged::Left => Merged::Right,
        Merged::Right => Merged::Left,
        other => other,
    }
}

fn counters() -> impl Strategy<Value = Value<'static>> {
    (-1_000_000_i64..1_000_000, 0_u8..4).prop_map(|(digits, scale)| number(&format!("{digits}e-{scale}")))
}

fn sets() -> impl Strategy<Value = Value<'static>> {
    let element = prop::sample::select(vec!["\"a\"", "\"b,\\\"\"", "1", "[1,2]", "{\"k\":\"]\"}"]);
    prop::collection::vec(element, 0..4).prop_map(|all| Value::Json(format!("[{}]", all.join(",")).into()))
}

proptest! {
    /// Whichever side is called the left; and once both say what was merged, that is what they agree on.
    #[test]
    fn merging_is_the_same_from_both_sides_and_comes_to_rest(
        how in prop::sample::select(vec![MergeAs::Value, MergeAs::Set, MergeAs::Counter]),
        (base, left, right) in prop_oneof![(counters(), counters(), counters()), (sets(), sets(), sets())],
    ) {
        prop_assume!(left.compare(&right) != crate::record::value::Comparison::Equal);
        let merged = merge(how, &base, &left, &right);
        prop_assert_eq!(&turned(merge(how, &base, &right, &left)), &merged);
        if let Merged::Both(value) = merged {
            // One side was written, the other one not yet: whoever changed alone is believed, and it is what was merged.
            prop_assume!(value.compare(&left) != crate::record::value::Comparison::Equal);
            prop_assert_eq!(merge(how, &left, &left, &value), Merged::Right);
            // A set comes to the same when half of it was written and nobody knows.
            if how == MergeAs::Set {
                let again = merge(how, &base, &left, &value);
                prop_assert!(
                    matches!(&again, Merged::Both(again) if *again == value) || again == Merged::Left || again == Merged::Right,
                    "{:?}", again
                );
            }
        }
    }
}
