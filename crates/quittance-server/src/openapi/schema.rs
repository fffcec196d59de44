//! Schemas in few words (JSON Schema 2020-12, as OpenAPI 3.1 has it).

use serde_json::{Map, Value, json};

/// One line: no control characters, no white space at its ends, and nothing that cannot be kept.
const LINE: &str = concat!(
    r"^[^\s\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]",
    r"([^\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]*[^\s\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff])?$",
);

/// Anything that can be kept: neither U+0000 nor a noncharacter.
const KEPT: &str = r"^[^\x00\ufdd0-\ufdef\ufffe\uffff]*$";

/// A schema by its name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A text.
pub(super) fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

/// A text of a request, of so many bytes.
pub(super) fn bounded(bytes_max: usize, about: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": bytes_max, "pattern": KEPT, "description": about })
}

/// A text of a request on one line, of so many bytes: no control characters, no white space at its ends.
pub(super) fn line(bytes_max: usize, about: &str) -> Value {
    with_pattern(bounded(bytes_max, about), LINE)
}

/// A text of a request in visible ASCII without spaces, of so many bytes: a name in a configuration, a token of a gateway.
pub(super) fn token(bytes_max: usize, about: &str) -> Value {
    with_pattern(bounded(bytes_max, about), "^[!-~]+$")
}

/// A text that also has to match an expression.
pub(super) fn with_pattern(text: Value, pattern: &str) -> Value {
    let mut text = text;
    text["pattern"] = json!(pattern);
    text
}

/// One of a closed set of words.
pub(super) fn word<'a>(words: impl IntoIterator<Item = &'a str>, about: &str) -> Value {
    json!({ "type": "string", "enum": words.into_iter().collect::<Vec<_>>(), "description": about })
}

/// The id of something of ours.
pub(super) fn id(prefix: &str, about: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"), "description": about })
}

/// Always the same word, which says what kind of resource it is.
pub(super) fn object_word(word: &str) -> Value {
    json!({ "type": "string", "const": word })
}

/// A time.
pub(super) fn time(about: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": about })
}

/// An integer, such as an amount in minor units.
pub(super) fn integer(about: &str) -> Value {
    json!({ "type": "integer", "description": about })
}

/// An amount of a request.
pub(super) fn amount(least: i64, about: &str) -> Value {
    let most = quittance_core::money::AMOUNT_MAX;
    json!({ "type": "integer", "minimum": least, "maximum": most, "description": about })
}

/// A code of ISO 4217.
pub(super) fn currency() -> Value {
    json!({ "type": "string", "pattern": "^[A-Z]{3}$", "description": "Code of ISO 4217." })
}

/// Yes or no.
pub(super) fn flag(about: &str) -> Value {
    json!({ "type": "boolean", "description": about })
}

/// Texts under names.
pub(super) fn texts(about: &str) -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" }, "description": about })
}

/// A list.
pub(super) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// The same, or null.
pub(super) fn or_null(schema: Value) -> Value {
    let mut schema = schema;
    match schema.get("type").cloned() {
        Some(Value::String(kind)) => {
            schema["type"] = json!([kind, "null"]);
            if let Some(Value::Array(words)) = schema.get_mut("enum") {
                words.push(Value::Null);
            }
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// What is answered: every member is always there, and others may be added one day.
pub(super) fn answered<const N: usize>(about: &str, members: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "description": about, "required": required, "properties": properties(members) })
}

/// What is answered, with members that are left out where they do not apply.
pub(super) fn answered_with<const N: usize, const M: usize>(
    about: &str,
    members: [(&str, Value); N],
    optional: [(&str, Value); M],
) -> Value {
    let mut object = answered(about, members);
    for (name, schema) in optional {
        object["properties"][name] = schema;
    }
    object
}

/// What is asked: nothing but these members; of each that is optional, null is as good as nothing.
pub(super) fn asked<const N: usize, const M: usize>(
    about: &str,
    required: [(&str, Value); N],
    optional: [(&str, Value); M],
) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let mut all = properties(required);
    all.extend(optional.into_iter().map(|(name, schema)| (name.to_owned(), or_null(schema))));
    json!({
        "type": "object", "description": about, "required": names, "properties": all, "additionalProperties": false,
    })
}

/// One page of a list.
pub(super) fn page(items: &str) -> Value {
    page_of(reference(items))
}

/// One page of a list of what these are.
pub(super) fn page_of(items: Value) -> Value {
    answered(
        "One page; it may be short, even empty, while `has_more` is true.",
        [
            ("data", list(items)),
            ("has_more", flag("Whether there may be more.")),
            ("next_cursor", or_null(text("Where the next page begins; pass it as `cursor`, with the same filters."))),
        ],
    )
}

fn properties<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}
