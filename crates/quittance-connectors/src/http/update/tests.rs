//! Bodies that change a record and nothing else of it, and the requests around them.

use serde_json::{Value as Json, json};

use super::{Precondition, Read, Update, Verb, merge_patch};
use crate::http::{Failure, Paging, Shape, said};
use crate::message::Response;
use quittance_core::record::value::Value;

fn update(verb: Verb, fields: &[&str]) -> Update {
    Update {
        path: "/accounts/{key}".to_owned(),
        verb,
        record: String::new(),
        content_type: "application/json".to_owned(),
        precondition: Precondition::None,
        key_header: None,
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
    }
}

fn read(record: &Json) -> Read {
    Read { record: record.clone(), etag: None, inexact: None }
}

/// The body that sets fields of a record, which are the writable ones.
fn body(verb: Verb, record: &Json, set: &[(&str, Value<'_>)]) -> Result<Json, String> {
    let update = update(verb, &set.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let fields: Vec<_> = set.iter().map(|(name, value)| (update.field(name).unwrap(), value)).collect();
    let changes: Vec<_> = fields.iter().map(|(field, value)| (field, *value)).collect();
    let change = update.change("/api/accounts/7".to_owned(), "run-1", &read(record), &changes)?;
    Ok(serde_json::from_slice(&change.body).unwrap())
}

fn account() -> Json {
    json!({"id": 7, "plan": "basic", "seats": 3, "note": null, "address": {"city": "Bonn", "zip": "53111"}, "tags": ["a"]})
}

#[test]
fn only_what_changes_is_patched_and_a_put_is_the_whole_record() {
    let text = |text: &'static str| Value::text(text);
    for (set, patch) in [
        (vec![("plan", text("team"))], json!({"plan": "team"})),
        (vec![("seats", text("12"))], json!({"seats": 12})),
        (vec![("plan", Value::integer(5)), ("note", text("x"))], json!({"plan": "5", "note": "x"})),
        (vec![("plan", Value::Null)], json!({"plan": null})),
        (vec![("missing", Value::Null)], json!({"missing": null})),
        (vec![("/address/city", text("Berlin"))], json!({"address": {"city": "Berlin"}})),
        (vec![("/address/city", Value::Null)], json!({"address": {"city": null}})),
        (vec![("/note/deeper", text("x"))], json!({"note": {"deeper": "x"}})),
        (vec![("/note/deeper", Value::Null)], json!({})),
        (vec![("plan", Value::Absent)], json!({"plan": null})),
        (vec![("tags", Value::Json("[\"b\"]".into()))], json!({"tags": ["b"]})),
        // Merged, a member that is left out would stay.
        (vec![("address", Value::Json("{\"city\":\"Bonn\"}".into()))], json!({"address": {"zip": null}})),
    ] {
        assert_eq!(body(Verb::Patch, &account(), &set), Ok(patch.clone()), "{set:?}");
        assert_eq!(body(Verb::Post, &account(), &set), Ok(patch), "{set:?}");
    }
    let put = body(Verb::Put, &account(), &[("plan", text("team")), ("note", Value::Absent)]).unwrap();
    let whole =
        json!({"id": 7, "plan": "team", "seats": 3, "address": {"city": "Bonn", "zip": "53111"}, "tags": ["a"]});
    assert_eq!(put, whole);
}

#[test]
fn what_cannot_be_said_is_refused_and_nothing_is_sent() {
    for (verb, field, value, why) in [
        (Verb::Patch, "seats", Value::text("many"), "`seats`: it is a number there"),
        (Verb::Patch, "/tags/0", Value::text("b"), "`/tags/0` is inside of what is no object"),
        (Verb::Patch, "/plan/name", Value::text("b"), "`/plan/name` is inside of what is no object"),
        (Verb::Patch, "address", Value::Json("{\"city\":null}".into()), "which a merge patch cannot say"),
    ] {
        let error = body(verb, &account(), &[(field, value)]).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let whole = body(Verb::Put, &account(), &[("address", Value::Json("{\"city\":null}".into()))]).unwrap();
    assert_eq!(whole["address"], json!({"city": null}));
    let put = update(Verb::Put, &["plan"]);
    let (field, value) = (put.field("plan").unwrap(), Value::text("team"));
    let rounded = Read { inexact: Some("0.12345678901234567890123".to_owned()), ..read(&account()) };
    let error = put.change(String::new(), "k", &rounded, &[(&field, &value)]).unwrap_err();
    assert!(error.contains("0.12345678901234567890123"), "{error}");
}

#[test]
fn a_field_is_writable_by_its_name_or_its_pointer_and_no_other_is() {
    let update = update(Verb::Patch, &["plan", "/address/city", "a/b"]);
    for column in ["plan", "/plan", "/address/city", "a/b", "/a~1b"] {
        assert!(update.field(column).is_ok(), "{column}");
    }
    for column in ["id", "address", "/address", "/address/city/x", "/address/*", "a", "/a/b", "", "Plan"] {
        let error = update.field(column).unwrap_err();
        assert_eq!((error.field.as_str(), error.known.len()), (column, 3));
    }
}

#[test]
fn a_change_carries_its_key_and_what_the_record_is_held_against() {
    let update = Update {
        precondition: Precondition::Etag,
        key_header: Some("Idempotency-Key".to_owned()),
        record: "/data/account".to_owned(),
        content_type: "application/merge-patch+json".to_owned(),
        ..update(Verb::Patch, &["plan"])
    };
    let (field, value) = (update.field("plan").unwrap(), Value::text("team"));
    let change = |etag: Option<&str>| {
        let read = Read { etag: etag.map(str::to_owned), ..read(&account()) };
        update.change("/api/accounts/7".to_owned(), "run-1", &read, &[(&field, &value)])
    };
    let made = change(Some("W/\"v 1\"")).unwrap();
    let headers: Vec<String> = made.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let expected = [
        "accept: application/json",
        "content-type: application/merge-patch+json",
        "idempotency-key: run-1",
        "if-match: W/\"v 1\"",
    ];
    assert_eq!((headers, made.verb.as_str()), (expected.map(str::to_owned).to_vec(), "PATCH"));
    assert_eq!(String::from_utf8(made.body).unwrap(), r#"{"data":{"account":{"plan":"team"}}}"#);
    assert!(change(None).unwrap_err().contains("has no ETag"));
    assert!(change(Some("\"ü\"")).unwrap_err().contains("ETag"));
}

#[test]
fn a_post_is_sent_again_only_where_it_is_made_once() {
    let plain = |verb| update(verb, &["plan"]);
    assert_eq!([Verb::Patch, Verb::Put, Verb::Post].map(|verb| plain(verb).may_repeat()), [true, true, false]);
    assert!(Update { key_header: Some("Idempotency-Key".to_owned()), ..plain(Verb::Post) }.may_repeat());
    assert!(Update { precondition: Precondition::Etag, ..plain(Verb::Post) }.may_repeat());
}

/// The examples of RFC 7386, appendix A, of which the patch is what makes the result of the original.
#[test]
fn a_merge_patch_is_what_makes_one_document_of_another() {
    for (from, patch, to) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c", "d": 1}}), json!({"a": {"b": "d", "d": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!({"a": 1}), json!({}), json!({"a": 1})),
    ] {
        assert_eq!(merge_patch(&from, &to), patch, "{from} to {to}");
    }
}

#[test]
fn a_record_is_read_with_its_tag_and_with_what_a_put_would_change() {
    let shape = Shape {
        list: "/accounts".to_owned(),
        get: Some("/accounts/{key}".to_owned()),
        records: String::new(),
        record: String::new(),
        identity: vec!["id".to_owned()],
        paging: Paging::None,
        page_size: None,
    };
    let answer = |status| Response {
        status,
        headers: vec![("etag".to_owned(), "\"1\"".to_owned())],
        body: br#"{"id": 7, "rate": 0.12345678901234567890123}"#.to_vec(),
    };
    let read = |verb, status| update(verb, &["plan"]).decode_read(&shape, &answer(status));
    let patched = read(Verb::Patch, 200).unwrap().unwrap();
    assert_eq!((patched.etag.as_deref(), patched.inexact), (Some("\"1\""), None));
    let put = read(Verb::Put, 200).unwrap().unwrap();
    assert_eq!(put.inexact.as_deref(), Some("0.12345678901234567890123"));
    assert_eq!(read(Verb::Patch, 404), Ok(None));
    assert_eq!(read(Verb::Patch, 500), Err(Failure::Status { status: 500, location: None }));
}

#[test]
fn what_a_refusal_says_is_found_in_its_usual_places() {
    for (body, text) in [
        (r#"{"error": {"message": "no such plan"}}"#, "no such plan"),
        (r#"{"title": "Conflict", "detail": "locked\nby Ada"}"#, "lockedby Ada"),
        (r#"{"errors": [{"detail": "plan is invalid"}]}"#, "plan is invalid"),
        (r#"{"errors": ["plan is invalid"]}"#, "plan is invalid"),
        (r#"{"error": "invalid_grant", "error_description": "expired"}"#, "expired"),
        (r#"{"code": 7}"#, ""),
        ("<html>", ""),
    ] {
        let response = Response { status: 422, headers: Vec::new(), body: body.as_bytes().to_vec() };
        assert_eq!(said(&response, &[]), text, "{body}");
    }
}
