//! Where in an object of an API a column is: under a name, at a pointer, and perhaps at a pointer into what is there.
//! Does not own what a value of JSON is, nor how a pointer is followed.

use quittance_core::record::value::Value;
use serde_json::Value as Json;

use super::{value_at, value_of};

/// The value of a column of an object.
///
/// A name that begins with `/` is a pointer, as in [`value_at`]; any other is that of a member at the top. `pointer` goes
/// on in what is there. A list of Stripe's (`{"object": "list", "data": […]}`) that is reached by its name is its
/// elements, so that `items` with `/*/id` is what `/items/data/*/id` is. What is inside of null is null: the object says
/// that there is nothing. What it does not mention is absent.
///
/// ```
/// use quittance_connectors::record::value_in;
/// use quittance_core::record::value::Value;
/// let object = serde_json::json!({
///     "status": "active", "discount": null, "items": {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
/// });
/// assert_eq!(value_in(&object, "status", None), Value::text("active"));
/// assert_eq!(value_in(&object, "items", Some("/*/id")), Value::Json(r#"["a","b"]"#.into()));
/// assert_eq!(value_in(&object, "/discount/coupon/id", None), Value::Null);
/// assert_eq!(value_in(&object, "trial_end", None), Value::Absent);
/// ```
#[must_use]
pub fn value_in(object: &Json, name: &str, pointer: Option<&str>) -> Value<'static> {
    let tail = pointer.unwrap_or_default();
    let Some(pointed) = name.strip_prefix('/') else {
        let Some(member) = object.get(name) else { return Value::Absent };
        return if tail.is_empty() { value_of(elements(member).unwrap_or(member)) } else { inside(member, tail) };
    };
    let (token, rest) = pointed.split_at(pointed.find('/').unwrap_or(pointed.len()));
    match object.get(unescaped(token)) {
        Some(member) => inside(member, &format!("{rest}{tail}")),
        // An array of its own, perhaps.
        None => at(object, &format!("{name}{tail}")),
    }
}

fn inside(member: &Json, pointer: &str) -> Value<'static> {
    match elements(member) {
        Some(elements) if names_element(pointer) => at(elements, pointer),
        _ => at(member, pointer),
    }
}

/// The name under which a column begins: of `/items/data/*/id` it is `items`. None for a pointer to all of the object.
#[must_use]
pub fn member_of(name: &str) -> Option<String> {
    match name.strip_prefix('/') {
        Some(pointer) => pointer.split('/').next().map(unescaped),
        None => Some(name).filter(|name| !name.is_empty()).map(str::to_owned),
    }
}

/// The members on the way to a column that is at the top of an object or inside of members alone: of `/metadata/plan` they are
/// `metadata` and `plan`. None for a pointer that goes on into elements (`*`) or names nothing.
#[must_use]
pub fn places(name: &str) -> Option<Vec<String>> {
    let steps = match name.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(unescaped).collect(),
        None => vec![name.to_owned()],
    };
    (!name.is_empty() && steps.iter().all(|step| step != "*")).then_some(steps)
}

/// The elements of a list of Stripe's.
pub(crate) fn elements(document: &Json) -> Option<&Json> {
    (document.get("object")? == "list").then(|| document.get("data").filter(|data| data.is_array()))?
}

fn at(document: &Json, pointer: &str) -> Value<'static> {
    match value_at(document, pointer) {
        Value::Absent if is_inside_null(document, pointer) => Value::Null,
        value => value,
    }
}

fn is_inside_null(document: &Json, pointer: &str) -> bool {
    // The first prefix is the empty one, the document itself.
    let ends = pointer.match_indices('/').map(|(end, _)| &pointer[..end]);
    ends.map_while(|begin| document.pointer(begin)).any(Json::is_null)
}

/// Whether what a pointer begins with is an element of an array, and not a member.
fn names_element(pointer: &str) -> bool {
    let token = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
    token == "*" || !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit())
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn b39_absent_is_not_null() {
        let object = json!({"null": null, "empty": {}, "inner": {"null": null}});
        for (name, value) in [
            ("null", Value::Null),
            ("/null", Value::Null),
            ("/null/deeper/*/still", Value::Null),
            ("/inner/null/deeper", Value::Null),
            ("missing", Value::Absent),
            ("/missing", Value::Absent),
            ("/missing/deeper", Value::Absent),
            ("/empty/missing", Value::Absent),
        ] {
            assert_eq!(value_in(&object, name, None), value, "{name}");
        }
        assert_eq!(value_in(&object, "null", Some("/deeper")), Value::Null);
        assert_eq!(value_in(&object, "missing", Some("/deeper")), Value::Absent);
    }

    #[test]
    fn a_name_is_a_member_whatever_it_looks_like() {
        let object = json!({"a.b": 1, "a": {"b": 2}, "a/b": 3, "*": 5});
        for (name, value) in [("a.b", 1), ("/a/b", 2), ("a/b", 3), ("/a~1b", 3), ("*", 5)] {
            assert_eq!(value_in(&object, name, None), Value::integer(value), "{name}");
        }
    }

    #[test]
    fn a_list_by_its_name_is_its_elements() {
        let object = json!({"items": {"object": "list", "url": "/v1/x", "data": [{"id": 1}]}, "rows": [{"id": 2}]});
        for (name, pointer, text) in [
            ("items", None, r#"[{"id":1}]"#),
            ("/items/data", None, r#"[{"id":1}]"#),
            ("/items/url", None, "/v1/x"),
            ("items", Some("/url"), "/v1/x"),
            ("items", Some("/*/id"), "[1]"),
            ("items", Some("/0/id"), "1"),
            ("/items/*/id", None, "[1]"),
            ("/items/0/id", None, "1"),
            ("/items", Some("/0/id"), "1"),
            ("items", Some("/data/*/id"), "[1]"),
            ("/items/data", Some("/*/id"), "[1]"),
            ("rows", Some("/*/id"), "[2]"),
        ] {
            assert_eq!(value_in(&object, name, pointer).to_string(), text, "{name} {pointer:?}");
        }
    }

    #[test]
    fn places_begin_with_a_member() {
        let members = ["status", "/items/data/*/id", "/a~1b/c", "/", ""].map(member_of);
        let expected = [Some("status"), Some("items"), Some("a/b"), Some(""), None];
        assert_eq!(members.each_ref().map(Option::as_deref), expected);
    }
}
