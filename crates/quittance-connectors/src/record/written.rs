//! Values in the form in which a document of JSON has them already: a number stays a number, a text a text. The other
//! direction of [`value_of`].

use quittance_core::record::value::{Type, Value};
use serde_json::Value as Json;

use super::value_of;

/// A value as the type of JSON that is `there`; as its own where there is null. What is nothing is null.
///
/// # Errors
///
/// Why what is there cannot hold it, for people: it says nothing of that type, or a number that no double holds exactly.
pub fn json_as(value: &Value<'_>, there: &Json) -> Result<Json, String> {
    let written = match (value, there) {
        (Value::Absent | Value::Null, _) => return Ok(Json::Null),
        (Value::Bytes(_), _) => return Err("bytes have no form in JSON".to_owned()),
        (Value::Json(text), Json::Null) => document(text),
        (Value::Json(text) | Value::Text(text) | Value::Untyped(text), Json::Array(_) | Json::Object(_)) => {
            document(text).filter(|document| document.is_array() == there.is_array())
        }
        (Value::Boolean(it), Json::Null) => Some(Json::Bool(*it)),
        (Value::Number(_), Json::Null) | (_, Json::Number(_)) => number(value),
        (_, Json::Bool(_)) => match value.read_as(Type::Boolean) {
            Some(Value::Boolean(it)) => Some(Json::Bool(it)),
            _ => None,
        },
        (Value::Json(_), Json::String(_)) | (_, Json::Array(_) | Json::Object(_)) => None,
        (value, Json::String(_) | Json::Null) => Some(Json::String(value.to_string())),
    };
    written.ok_or_else(|| match (value, there) {
        (Value::Number(_), Json::Null | Json::Number(_)) => format!("no double holds {value} as it is"),
        _ => format!("it is {} there, as which {value} cannot be written", type_of(there)),
    })
}

/// An array or an object.
fn document(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok().filter(|json: &Json| json.is_array() || json.is_object())
}

fn number(value: &Value<'_>) -> Option<Json> {
    let Some(Value::Number(number)) = value.read_as(Type::Number) else { return None };
    let json: Json = serde_json::from_str(number.as_str()).ok()?;
    (value_of(&json) == Value::Number(number)).then_some(json)
}

const fn type_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::json_as;
    use quittance_core::record::value::{Type, Value};
    use serde_json::{Value as Json, json};

    fn read(text: &'static str, of: Type) -> Value<'static> {
        Value::text(text).read_as(of).unwrap()
    }

    #[test]
    fn a_value_takes_the_type_that_is_there() {
        for (value, there, written) in [
            (Value::Null, json!("x"), Json::Null),
            (Value::text("7"), json!(3), json!(7)),
            (Value::integer(7), json!("3"), json!("7")),
            (read("12.50", Type::Number), json!(1), json!(12.5)),
            (Value::integer(1), json!(false), json!(true)),
            (Value::text("no"), json!(true), json!(false)),
            (Value::Boolean(true), json!("x"), json!("true")),
            (Value::Boolean(true), Json::Null, json!(true)),
            (Value::integer(7), Json::Null, json!(7)),
            (Value::Untyped("7".into()), Json::Null, json!("7")),
            (read("2026-01-31T10:00:00Z", Type::Timestamp), json!("x"), json!("2026-01-31T10:00:00Z")),
            (Value::Json("[1,2]".into()), json!(["a"]), json!([1, 2])),
            (Value::text("{\"a\":1}"), json!({}), json!({"a": 1})),
            (Value::Json("[1]".into()), Json::Null, json!([1])),
            (Value::integer(i64::MAX), json!(1), json!(i64::MAX)),
        ] {
            assert_eq!(json_as(&value, &there), Ok(written), "{value:?} where there is {there}");
        }
    }

    #[test]
    fn what_cannot_be_said_in_the_type_that_is_there_is_refused() {
        for (value, there, why) in [
            (Value::text("many"), json!(3), "a number"),
            (Value::text("perhaps"), json!(true), "true or false"),
            (Value::Json("[1]".into()), json!("x"), "a text"),
            (Value::Json("[1]".into()), json!({}), "an object"),
            (Value::text("x"), json!([]), "an array"),
            (Value::Bytes(vec![1].into()), Json::Null, "bytes"),
            (read("0.12345678901234567890123", Type::Number), json!(1), "no double holds"),
            (read("123456789012345678901234567890", Type::Number), Json::Null, "no double holds"),
        ] {
            let error = json_as(&value, &there).unwrap_err();
            assert!(error.contains(why), "{value:?} where there is {there}: {error}");
        }
    }
}
