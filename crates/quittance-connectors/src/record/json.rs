//! Values of JSON as canonical values, found by pointers. Does not own where the JSON comes from.

use quittance_core::record::number::Number;
use quittance_core::record::value::Value;
use serde_json::Value as Json;

/// What a value of JSON is.
///
/// A number is the decimal it is written as, where 64 bits hold it; arrays and objects are text in canonical form
/// (RFC 8785), in which each number is a double.
#[must_use]
pub fn value_of(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(it) => Value::Boolean(*it),
        Json::Number(number) => {
            let text = number.to_string();
            let number =
                Number::parse(&text).expect("a number of JSON is a decimal, and a double has at most 324 digits");
            Value::Number(number.into_owned())
        }
        Json::String(text) => Value::Text(text.clone().into()),
        Json::Array(_) | Json::Object(_) => Value::Json(canonical(json).into()),
    }
}

/// What a pointer (RFC 6901) finds; what it does not find is absent.
///
/// Where it meets an array, `*` stands for every element. It then finds an array of what is found in each, in their
/// order, without those that have nothing there, and without arrays in arrays: `/items/*/taxes/*` is one array of all
/// taxes. Where there is no array at the first `*`, it finds nothing. A member named `*` is found in an object.
///
/// ```
/// use quittance_connectors::record::value_at;
/// use quittance_core::record::value::Value;
/// let subscription = serde_json::json!({ "items": { "data": [{ "price": "a" }, { "price": "b" }, {}] } });
/// assert_eq!(value_at(&subscription, "/items/data/1/price"), Value::text("b"));
/// assert_eq!(value_at(&subscription, "/items/data/*/price"), Value::Json(r#"["a","b"]"#.into()));
/// assert_eq!(value_at(&subscription, "/items/data/7/price"), Value::Absent);
/// ```
#[must_use]
pub fn value_at(json: &Json, pointer: &str) -> Value<'static> {
    let Some(steps) = steps(pointer) else { return Value::Absent };
    let Some((at, rest)) = walk(json, &steps) else { return Value::Absent };
    if rest.is_empty() {
        return value_of(at);
    }
    let mut found = Vec::new();
    gather(at, rest, &mut found);
    Value::Json(canonical(&found).into())
}

/// The steps of a pointer, without their escapes. None for what is no pointer.
fn steps(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let steps = pointer.strip_prefix('/')?.split('/');
    Some(steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// Goes as far as there is one way: to what the pointer means, or to an array of whose elements the rest is meant.
fn walk<'j, 's>(json: &'j Json, steps: &'s [String]) -> Option<(&'j Json, &'s [String])> {
    let mut at = json;
    for (index, step) in steps.iter().enumerate() {
        at = match at {
            Json::Array(_) if step == "*" => return Some((at, &steps[index..])),
            Json::Array(elements) => elements.get(position(step)?)?,
            Json::Object(members) => members.get(step)?,
            _ => return None,
        };
    }
    Some((at, &[]))
}

/// Collects what every element of an array has at the rest of a pointer, which begins with `*`.
fn gather<'j>(array: &'j Json, steps: &[String], found: &mut Vec<&'j Json>) {
    for element in array.as_array().into_iter().flatten() {
        match walk(element, &steps[1..]) {
            None => {}
            Some((at, [])) => found.push(at),
            Some((at, rest)) => gather(at, rest, found),
        }
    }
}

/// An index as RFC 6901 writes it: digits without a leading zero.
fn position(step: &str) -> Option<usize> {
    let is_index = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    step.parse().ok().filter(|_| is_index)
}

fn canonical(json: &impl serde::Serialize) -> String {
    serde_json_canonicalizer::to_string(json).expect("JSON that was read has a canonical form")
}
