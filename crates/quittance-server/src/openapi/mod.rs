//! The contract of the API as a document: OpenAPI 3.1, made from declarations beside the code and kept as `openapi/v1.json`.
//!
//! `operations` has what can be asked, `bodies` what is sent, `resources` what is answered, `links` what can be asked next;
//! problems come from the catalogue of errors. Words that are closed sets are taken from the types that own them. Tests
//! hold every answer that the server gives against it, and send every example. Does not own what handlers do.

mod alerts;
mod answers;
mod bodies;
mod events;
mod findings;
mod links;
mod operational;
mod operations;
mod pairs;
mod parameters;
mod resources;
mod schema;

use crate::problem::catalogue::Kind;
use crate::problem::{MEDIA_TYPE, catalogue};
use operations::{Answer, Needs, Operation};
use quittance_core::event::Object;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations::all() {
        paths.entry(operation.path).or_default().insert(operation.method.to_owned(), described(&operation));
    }
    let mut schemas = resources::all();
    schemas.extend(bodies::all());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Quittance",
            "version": "v1",
            "summary": "Every charge exactly once.",
            "description": "Amounts are integers in minor units beside their currency. Times are RFC 3339 in UTC. Send \
                            `Idempotency-Key` with every request that makes something, and keep it when you retry. New \
                            members and new values of `status`, `kind`, `code` and `event` may appear in answers.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "api_key": [] }],
        "tags": operations::TAGS.map(|(name, description)| json!({"name": name, "description": description})),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "api_key": {
                    "type": "http", "scheme": "bearer",
                    "description": "A secret of `quittance key create`: `qk_live_…` or `qk_test_…`.",
                },
            },
            "parameters": parameters::all(),
            "headers": parameters::headers(),
            "schemas": schemas,
        },
    })
}

/// The envelope of an event.
pub(crate) fn event() -> Value {
    events::event()
}

/// What an event carries about an object: the resource, as it is answered.
pub(crate) fn carried(object: Object) -> Value {
    resources::carried(object)
}

/// The document as it is kept and served.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// The methods and paths that are described, for whoever routes them.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    operations::all().into_iter().map(|operation| (operation.method, operation.path))
}

fn described(operation: &Operation) -> Value {
    let mut object = Map::new();
    object.insert("operationId".to_owned(), json!(operation.id));
    object.insert("tags".to_owned(), json!([operation.tag]));
    object.insert("summary".to_owned(), json!(operation.summary));
    let mut parameters: Vec<Value> = parameters::of_path(operation.path);
    parameters.extend(operation.query.iter().map(|name| parameters::reference(name)));
    if operation.needs.is_keyed() {
        parameters.extend(["Idempotency-Key", "Prefer"].map(parameters::reference));
    }
    if !parameters.is_empty() {
        object.insert("parameters".to_owned(), json!(parameters));
    }
    if operation.needs == Needs::Nothing {
        object.insert("security".to_owned(), json!([]));
    } else {
        object.insert("x-scope".to_owned(), json!(operation.needs.scope_name()));
    }
    if let Some(body) = operation.body {
        object.insert("requestBody".to_owned(), request_body(operation, body));
    }
    object.insert("responses".to_owned(), json!(responses(operation)));
    Value::Object(object)
}

fn request_body(operation: &Operation, body: &str) -> Value {
    let content = json!({ "schema": schema::reference(body), "examples": bodies::examples(body) });
    // Where no key is needed, an empty body counts as one without members.
    let has_required = bodies::all()[body]["required"].as_array().is_some_and(|names| !names.is_empty());
    json!({ "required": operation.needs.is_keyed() || has_required, "content": { "application/json": content } })
}

fn responses(operation: &Operation) -> BTreeMap<String, Value> {
    let mut responses = BTreeMap::new();
    for answer in &operation.answers {
        responses.insert(answer.status.to_string(), good(operation, answer));
    }
    let mut by_status: BTreeMap<u16, Vec<&'static Kind>> = BTreeMap::new();
    for kind in [operation.needs.problems(), operation.usual_problems(), operation.problems.clone()].concat() {
        let kinds = by_status.entry(kind.status).or_default();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for (status, kinds) in by_status {
        responses.entry(status.to_string()).or_insert_with(|| problem(&kinds));
    }
    responses
}

fn good(operation: &Operation, answer: &Answer) -> Value {
    let mut headers = json!({ "Request-Id": parameters::header("Request-Id") });
    if operation.needs.is_keyed() {
        headers["Idempotent-Replayed"] = parameters::header("Idempotent-Replayed");
        headers["Idempotency-Original-Date"] = parameters::header("Idempotency-Original-Date");
        headers["Location"] = parameters::header("Location");
    }
    if answer.status == 202 {
        headers["Retry-After"] = parameters::header("Retry-After");
        headers["Preference-Applied"] = parameters::header("Preference-Applied");
    }
    let mut response = json!({ "description": answer.description, "headers": headers });
    if !answer.media_type.is_empty() {
        response["content"] = json!({ answer.media_type: { "schema": answer.described_schema() } });
    }
    if let Some(example) = answers::example(answer.schema, answer.status) {
        response["content"][answer.media_type]["example"] = example;
    }
    if let Some(links) = links::of_schema(answer.schema) {
        response["links"] = links;
    }
    response
}

/// A refusal: which codes it may carry.
fn problem(kinds: &[&'static Kind]) -> Value {
    let mut codes: Vec<&str> = kinds.iter().map(|kind| kind.code).collect();
    codes.sort_unstable();
    let mut headers = json!({ "Request-Id": parameters::header("Request-Id") });
    if kinds.iter().any(|kind| kind.is_retryable) {
        headers["Retry-After"] = parameters::header("Retry-After");
    }
    let about: Vec<String> = kinds.iter().map(|kind| format!("`{}`: {}", kind.code, kind.title)).collect();
    let narrowed = json!({ "properties": { "code": { "enum": codes } } });
    let mut response = json!({
        "description": about.join(" "),
        "headers": headers,
        "content": { MEDIA_TYPE: { "schema": { "allOf": [schema::reference("Problem"), narrowed] } } },
    });
    if kinds.contains(&&catalogue::PAYMENT_DECLINED) {
        response["links"] = links::of_decline();
    }
    response
}

/// Every code that a problem may carry.
fn codes() -> Vec<&'static str> {
    catalogue::ALL.iter().map(|kind| kind.code).collect()
}
