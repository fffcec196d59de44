//! The contract as a document: every answer that these tests get is held against it, and what it promised stays promised.

mod promises;

use super::call::Answer;
use super::snapshot;
use jsonschema::Validator;
use quittance_server::openapi;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

/// Where the contract is kept.
const PLACE: &str = "openapi/v1.json";

static CONTRACT: LazyLock<Value> = LazyLock::new(openapi::document);

/// Schemas that were used before, by where they stand.
static VALIDATORS: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Whether a request of these tests is described, and its answer among those that are.
pub fn hold(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    // Pages for people promise nothing to programs.
    if path == "/dashboard" || path.starts_with("/dashboard/") {
        return;
    }
    let Some(template) = template(path) else {
        assert!(matches!(answer.status, 404 | 405), "{method} {path} is not described and answers {}", answer.status);
        return;
    };
    let described = &CONTRACT["paths"][template][method];
    // A head is what a get would be, without a body.
    if described.is_null() {
        let is_get = method == "head" && !CONTRACT["paths"][template]["get"].is_null();
        assert!(is_get || answer.status == 405, "{method} {template} is not described and answers {}", answer.status);
        return;
    }
    let text = String::from_utf8_lossy(&answer.body);
    let response = &described["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{method} {template} does not say that it answers {}: {text}", answer.status);
    if response["content"].is_null() {
        assert!(answer.body.is_empty(), "{method} {template} {} is not said to have a body: {text}", answer.status);
        return;
    }
    let media_type = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let schema = &response["content"][media_type]["schema"];
    assert!(schema.is_object(), "{method} {template} {} is not said to be {media_type}", answer.status);
    if media_type.ends_with("json") {
        check(&format!("{method} {template} {}", answer.status), schema, &answer.json());
    }
}

/// The described path that a request's path is of.
fn template(path: &str) -> Option<&'static str> {
    let fits = |template: &str| {
        let (mut given, mut described) = (path.split('/'), template.split('/'));
        loop {
            match (given.next(), described.next()) {
                (None, None) => return true,
                (Some(given), Some(described)) if given == described => {}
                (Some(given), Some(described)) if described.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    };
    CONTRACT["paths"].as_object().expect("paths").keys().map(String::as_str).find(|template| fits(template))
}

fn check(place: &str, schema: &Value, value: &Value) {
    let known = VALIDATORS.lock().expect("no test fails while it holds this").get(place).cloned();
    let validator = known.unwrap_or_else(|| {
        let whole = json!({ "components": CONTRACT["components"], "allOf": [schema] });
        let options = jsonschema::options().should_validate_formats(true);
        let validator = Arc::new(options.build(&whole).unwrap_or_else(|error| panic!("{place}: {error}")));
        VALIDATORS.lock().expect("as above").insert(place.to_owned(), Arc::clone(&validator));
        validator
    });
    let wrongs: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrongs.is_empty(), "{place} is not what the contract says: {wrongs:#?} in {value}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the switch that rewrites snapshots is a variable of the environment")]
fn the_contract_is_kept_and_breaks_no_promise() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/v1.json");
    if let Ok(kept) = std::fs::read_to_string(file) {
        let kept: Value = serde_json::from_str(&kept).expect("JSON");
        let broken = promises::broken(&kept, &CONTRACT);
        let is_meant = std::env::var_os("UPDATE").is_some_and(|word| word == "breaking");
        assert!(is_meant || broken.is_empty(), "clients would break (UPDATE=breaking, if that is meant): {broken:#?}");
    }
    snapshot::check(PLACE, &openapi::text());
}

#[test]
fn an_answer_that_is_not_described_is_noticed() {
    let answer = |status, media_type: &'static str, body: &str| {
        let headers = [(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media_type))];
        Answer { status, headers: headers.into_iter().collect(), body: body.into() }
    };
    let alive = r#"{"status":"ok"}"#;
    hold("get", "/healthz?x=1", &answer(200, "application/json", alive));
    for (method, path, status, media_type, body) in [
        ("get", "/healthz", 418, "application/json", alive),
        ("get", "/healthz", 200, "text/plain", alive),
        ("get", "/healthz", 200, "application/json", r#"{"status":"fine"}"#),
        ("post", "/healthz", 200, "application/json", alive),
        ("get", "/v1/nowhere", 200, "application/json", alive),
        ("get", "/v1/payments/1", 404, "application/problem+json", r#"{"code":"brake"}"#),
    ] {
        let held = std::panic::catch_unwind(|| hold(method, path, &answer(status, media_type, body)));
        assert!(held.is_err(), "{method} {path} {status} {media_type} {body}");
    }
}

#[test]
fn links_lead_to_operations_and_name_parameters_that_they_take() {
    let mut operations = BTreeMap::new();
    let mut links = Vec::new();
    for (path, methods) in CONTRACT["paths"].as_object().expect("paths") {
        for operation in methods.as_object().expect("methods").values() {
            operations.insert(operation["operationId"].as_str().expect("an id"), (path, operation));
            for response in operation["responses"].as_object().expect("answers").values() {
                links.extend(response["links"].as_object().into_iter().flatten());
            }
        }
    }
    assert!(links.len() > 50, "{}", links.len());
    for (name, link) in links {
        let target = link["operationId"].as_str().and_then(|id| operations.get(id));
        let (path, operation) = target.unwrap_or_else(|| panic!("{name} leads nowhere: {link}"));
        for parameter in link["parameters"].as_object().into_iter().flat_map(|all| all.keys()) {
            let reference = json!({ "$ref": format!("#/components/parameters/{parameter}") });
            let is_taken = operation["parameters"].as_array().is_some_and(|all| all.contains(&reference));
            assert!(is_taken || path.contains(&format!("{{{parameter}}}")), "{name}: {path} takes no {parameter}");
        }
    }
}

#[test]
fn what_is_routed_is_described() {
    let source = include_str!("../../../src/api/mod.rs");
    let mut routed = BTreeSet::new();
    for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
        let (path, methods) = line.split_once("\", ").expect("a path and its methods");
        for method in ["get", "post", "put", "patch", "delete"] {
            if methods.starts_with(&format!("{method}(")) || methods.contains(&format!(").{method}(")) {
                routed.insert((method.to_owned(), path.to_owned()));
            }
        }
    }
    assert!(routed.len() > 25, "{routed:?}");
    let described: BTreeSet<_> = openapi::routes().map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(routed, described);
}

#[test]
fn examples_are_what_the_schemas_ask_for() {
    let mut examples = 0;
    for (path, methods) in CONTRACT["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let content = &operation["requestBody"]["content"]["application/json"];
            for (name, example) in content["examples"].as_object().into_iter().flatten() {
                check(&format!("{method} {path} body"), &content["schema"], &example["value"]);
                examples += 1;
                assert!(!name.is_empty());
            }
            for (status, response) in operation["responses"].as_object().expect("answers") {
                for content in response["content"].as_object().into_iter().flat_map(|all| all.values()) {
                    if !content["example"].is_null() {
                        check(&format!("{method} {path} {status}"), &content["schema"], &content["example"]);
                    }
                }
            }
            let has_body = !operation["requestBody"].is_null();
            assert_eq!(has_body, content["examples"].as_object().is_some_and(|all| !all.is_empty()), "{method} {path}");
        }
    }
    assert!(examples > 10, "{examples}");
}
