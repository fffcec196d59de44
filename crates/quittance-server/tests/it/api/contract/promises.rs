//! What a contract promised and another one takes back: what clients were written for must go on working.

use serde_json::{Map, Value, json};

/// Everything that clients of the first contract would find missing or narrower in the second.
pub(super) fn broken(before: &Value, after: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, methods) in members(&before["paths"]) {
        for (method, operation) in members(methods) {
            let place = format!("{method} {path}");
            let now = &after["paths"][path][method];
            if now.is_null() {
                broken.push(format!("{place} is gone"));
                continue;
            }
            operations(&place, operation, now, &mut broken);
        }
    }
    let schemas = |contract: &Value| contract["components"]["schemas"].clone();
    let (kept, now) = (schemas(before), schemas(after));
    for (name, schema) in members(&kept) {
        match now.get(name) {
            None => broken.push(format!("schema {name} is gone")),
            Some(now) => narrowed(name, schema, now, is_asked(schema), &mut broken),
        }
    }
    for (name, parameter) in members(&before["components"]["parameters"]) {
        let now = &after["components"]["parameters"][name];
        narrowed(&format!("parameter {name}"), &parameter["schema"], &now["schema"], true, &mut broken);
    }
    broken
}

/// Bodies of requests take nothing beside what they list.
fn is_asked(schema: &Value) -> bool {
    schema["additionalProperties"] == json!(false)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn operations(place: &str, before: &Value, after: &Value, broken: &mut Vec<String>) {
    for parameter in items(&before["parameters"]) {
        if !items(&after["parameters"]).contains(parameter) {
            broken.push(format!("{place} no longer takes {parameter}"));
        }
    }
    for (status, response) in members(&before["responses"]) {
        let now = &after["responses"][status];
        for (media_type, _) in members(&response["content"]) {
            if status.starts_with('2') && now["content"][media_type].is_null() {
                broken.push(format!("{place} no longer answers {status} as {media_type}"));
            }
        }
    }
    if before["x-scope"] != after["x-scope"] || before["security"] != after["security"] {
        broken.push(format!("{place} needs another scope"));
    }
}

/// Compares two schemas of one name.
fn narrowed(place: &str, before: &Value, after: &Value, is_asked: bool, broken: &mut Vec<String>) {
    if before["type"] != after["type"] {
        broken.push(format!("{place} was {} and is {}", before["type"], after["type"]));
    }
    for word in items(&before["enum"]).iter().filter(|word| !items(&after["enum"]).contains(word)) {
        // An answer that never comes is no loss; a question that is no longer taken is.
        if is_asked {
            broken.push(format!("{place} no longer takes {word}"));
        }
    }
    for limit in ["maxLength", "maximum", "maxItems"] {
        if is_asked && after[limit].as_i64().is_some_and(|now| before[limit].as_i64().is_none_or(|kept| now < kept)) {
            broken.push(format!("{place} takes less: {limit}"));
        }
    }
    let (kept, now) = (items(&before["required"]), items(&after["required"]));
    match is_asked {
        true => {
            broken.extend(now.iter().filter(|name| !kept.contains(name)).map(|name| format!("{place} requires {name}")))
        }
        false => {
            broken.extend(kept.iter().filter(|name| !now.contains(name)).map(|name| format!("{place} may lack {name}")))
        }
    }
    for (name, schema) in members(&before["properties"]) {
        match after["properties"].get(name) {
            None => broken.push(format!("{place} has no {name} any more")),
            Some(now) => narrowed(&format!("{place}.{name}"), schema, now, is_asked, broken),
        }
    }
    if !before["items"].is_null() {
        narrowed(&format!("{place}[]"), &before["items"], &after["items"], is_asked, broken);
    }
}

#[test]
fn what_is_taken_back_is_named() {
    let before = json!({
        "paths": { "/a": { "get": { "parameters": [{ "name": "x" }], "responses": { "200": { "content": { "j": {} } } } } } },
        "components": { "parameters": {}, "schemas": {
            "In": { "type": "object", "additionalProperties": false, "required": ["a"],
                    "properties": { "a": { "type": "string", "enum": ["x", "y"], "maxLength": 9 } } },
            "Out": { "type": "object", "required": ["a", "b"],
                     "properties": { "a": { "type": "string" }, "b": { "type": "integer" } } },
        } },
    });
    assert_eq!(broken(&before, &before), Vec::<String>::new());
    let changes: [(&str, Value, &str); 9] = [
        ("/paths/~1a/get", Value::Null, "get /a is gone"),
        ("/paths/~1a/get/parameters", json!([]), "no longer takes"),
        ("/paths/~1a/get/responses", json!({}), "no longer answers 200"),
        ("/components/schemas/In/required", json!(["a", "b"]), "In requires \"b\""),
        ("/components/schemas/In/properties/a/enum", json!(["x"]), "In.a no longer takes \"y\""),
        ("/components/schemas/In/properties/a/maxLength", json!(8), "In.a takes less"),
        ("/components/schemas/Out/required", json!(["a"]), "Out may lack \"b\""),
        ("/components/schemas/Out/properties", json!({ "a": { "type": "string" } }), "Out has no b"),
        ("/components/schemas/Out/properties/b/type", json!("string"), "Out.b was \"integer\""),
    ];
    for (pointer, value, expected) in changes {
        let mut after = before.clone();
        *after.pointer_mut(pointer).expect("a place") = value;
        let broken = broken(&before, &after);
        assert!(broken.iter().any(|line| line.contains(expected)), "{pointer}: {broken:?}");
    }
}
