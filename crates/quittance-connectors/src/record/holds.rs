//! Whether what a column was found to hold is what somebody wanted it to hold.

use quittance_core::record::value::{Comparison, Value};

/// Whether a column holds a value, which may be of another type than the column: then what it says as one of that type
/// counts.
#[must_use]
pub fn holds(wanted: &Value<'_>, found: &Value<'_>) -> bool {
    if wanted.compare(found) == Comparison::Equal {
        return true;
    }
    let (Some(wanted_type), Some(found_type)) = (wanted.value_type(), found.value_type()) else { return false };
    let reads_as = |value: &Value<'_>, of, other: &Value<'_>| value.read_as(of).is_some_and(|value| value == *other);
    match (wanted, found) {
        _ if wanted_type == found_type => false,
        (Value::Json(wanted), Value::Text(found)) => wanted == found,
        _ => reads_as(wanted, found_type, found) || reads_as(found, wanted_type, wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::holds;
    use quittance_core::record::value::{Type, Value};

    fn number(text: &'static str) -> Value<'static> {
        Value::text(text).read_as(Type::Number).unwrap()
    }

    #[test]
    fn a_value_is_held_in_the_type_of_its_column() {
        for (wanted, found) in [
            (number("12.50"), number("12.5")),
            (Value::text("12.50"), number("12.5")),
            (number("7"), Value::text("7")),
            (Value::Boolean(true), number("1")),
            (Value::text("2026-01-31 10:00:00"), Value::text("2026-01-31T10:00:00Z").read_as(Type::Timestamp).unwrap()),
            (Value::Json("{}".into()), Value::text("{}")),
            (Value::Null, Value::Null),
        ] {
            assert!(holds(&wanted, &found), "{wanted:?} {found:?}");
        }
        for (wanted, found) in [
            (Value::text("A"), Value::text("a")),
            (Value::Null, Value::text("")),
            (Value::text(""), Value::Null),
            (Value::Boolean(true), number("2")),
            (Value::text("12.50"), Value::text("12.5")),
        ] {
            assert!(!holds(&wanted, &found), "{wanted:?} {found:?}");
        }
    }
}
