//! How records of a JSON API are written: the settings that begin with `write` in `[systems.NAME.objects.OBJECT]`, and those
//! that mean something beside it only.

use super::{keyed_path, pointer};
use crate::config::errors::Mistakes;
use crate::config::section::{Found, Section};
use quittance_connectors::http::Shape;
use quittance_connectors::http::update::{Precondition, Update, Verb};
use quittance_connectors::record::places;
use reqwest::header::{HeaderName, HeaderValue};

/// What is said of writing beside `write`.
pub(super) const KEYS: [&str; 6] =
    ["method", "write_record", "content_type", "precondition", "idempotency_header", "writable_fields"];

/// Headers that are not for a key: a change has them already, or they say who asks.
const TAKEN: [&str; 9] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "if-match",
    "transfer-encoding",
    "user-agent",
];

/// How records of a shape are changed; none where nobody said so, or said it wrongly.
pub(super) fn parse(section: &Section<'_>, shape: &Shape, mistakes: &mut Mistakes) -> Option<Update> {
    if !section.has("write") {
        for key in KEYS.iter().filter(|key| section.has(key)) {
            let origin = section.origin_of(key).unwrap_or_else(|| section.origin());
            let remedy = "add write = \"/accounts/{key}\", or remove it";
            mistakes.add(origin, &section.setting(key), "says how to write what nobody said may be written", remedy);
        }
        return None;
    }
    readable_back(section, shape, mistakes);
    let path = keyed_path(section, "write", mistakes);
    let verb = word(section, "method", [("PATCH", Verb::Patch), ("PUT", Verb::Put), ("POST", Verb::Post)], mistakes);
    let known = [("none", Precondition::None), ("etag", Precondition::Etag)];
    let precondition = word(section, "precondition", known, mistakes);
    let record = pointer(section, "write_record", mistakes).unwrap_or_default();
    let content_type = content_type(section, mistakes);
    let key_header = key_header(section, mistakes);
    let fields = fields(section, shape, mistakes);
    let (path, content_type) = (path?, content_type?);
    Some(Update { path, verb, record, content_type, precondition, key_header, fields })
}

/// What is written is read back, one record at a time.
fn readable_back(section: &Section<'_>, shape: &Shape, mistakes: &mut Mistakes) {
    let origin = section.origin_of("write").unwrap_or_else(|| section.origin());
    if !section.has("get") {
        let remedy = "add get = \"/accounts/{key}\"";
        mistakes.add(origin.clone(), &section.setting("write"), "what is written cannot be read back", remedy);
    }
    if shape.identity.len() > 1 {
        let remedy = "write identity = \"id\", or leave `write` out";
        mistakes.add(origin, &section.setting("write"), "an identity of several parts is in no path", remedy);
    }
}

/// One of some words, the first of which is the default.
fn word<T: Copy, const N: usize>(
    section: &Section<'_>,
    key: &str,
    known: [(&str, T); N],
    mistakes: &mut Mistakes,
) -> T {
    let Some(found) = section.text(key, mistakes) else { return known[0].1 };
    let meant = known.iter().find(|(word, _)| *word == found.value);
    if meant.is_none() {
        let words = known.map(|(word, _)| word);
        let remedy = format!("write {key} = \"{}\", or another of {}", words[0], words.join(", "));
        mistakes.add(found.origin, &section.setting(key), "not a way to write a record", remedy);
    }
    meant.map_or(known[0].1, |(_, meant)| *meant)
}

fn content_type(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let Some(found) = section.text("content_type", mistakes) else { return Some("application/json".to_owned()) };
    let is_json = found.value.contains('/') && found.value.ends_with("json");
    if !is_json || HeaderValue::from_str(&found.value).is_err() {
        let remedy = "write content_type = \"application/merge-patch+json\", or leave it out for \"application/json\"";
        mistakes.add(found.origin, &section.setting("content_type"), "not a media type of JSON", remedy);
        return None;
    }
    Some(found.value)
}

fn key_header(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let found = section.text("idempotency_header", mistakes)?;
    let name = HeaderName::from_bytes(found.value.as_bytes()).ok();
    if name.is_none_or(|name| TAKEN.contains(&name.as_str())) {
        let remedy = "write idempotency_header = \"Idempotency-Key\"";
        let what = "not the name of a header for a key";
        mistakes.add(found.origin, &section.setting("idempotency_header"), what, remedy);
        return None;
    }
    Some(found.value)
}

fn fields(section: &Section<'_>, shape: &Shape, mistakes: &mut Mistakes) -> Vec<String> {
    const REMEDY: &str =
        "write writable_fields = [\"plan\", \"/address/city\"]: what a repair may change, and nothing else";
    let found = section.texts("writable_fields", mistakes).unwrap_or_default();
    if found.is_empty() {
        let origin = section.origin_of("writable_fields").unwrap_or_else(|| section.origin());
        mistakes.add(origin, &section.setting("writable_fields"), "missing", REMEDY);
    }
    let is_identity = |name: &str| shape.identity.iter().any(|identity| places(identity) == places(name));
    let mut fields = Vec::with_capacity(found.len());
    for Found { value, origin } in found {
        if places(&value).is_none() {
            mistakes.add(origin, &section.setting("writable_fields"), format!("`{value}` is not a field"), REMEDY);
        } else if is_identity(&value) {
            let what = format!("`{value}` tells records apart, and stays");
            mistakes.add(origin, &section.setting("writable_fields"), what, "remove it");
        } else {
            fields.push(value);
        }
    }
    fields
}
