//! Changing records of a JSON API that keeps them: what came of each, each once, and nothing else of any of them.

mod crm;
mod hostile;
mod stopping;

use super::{IMPATIENT, configured};
use crate::systems::provider::Provider;
use crate::systems::{check_error, side};
use crm::{Crm, Then, header};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_server::config::{Secret, System as Configured};
use quittance_server::systems::http::HttpWriter;
use quittance_server::systems::write::{Stand, Write, Writer, Written};
use quittance_server::systems::{Blame, Patience, SystemError};
use serde_json::json;

/// A writer of accounts, of which these settings say how.
fn writer(provider: &Provider, settings: &str) -> HttpWriter {
    writer_with(provider, settings, IMPATIENT)
}

fn writer_with(provider: &Provider, settings: &str, patience: Patience) -> HttpWriter {
    writer_as(provider, settings, patience, "writing-token")
}

fn writer_as(provider: &Provider, settings: &str, patience: Patience, token: &str) -> HttpWriter {
    let base = &provider.base;
    let text = format!(
        "[systems.crm]\nkind = \"http\"\nbase_url = \"{base}/api\"\nrequests_per_second_max = 1000\n\
         token = \"env:T\"\nwrite_token = \"env:W\"\n[systems.crm.objects.account]\nlist = \"/accounts\"\n\
         get = \"/accounts/{{key}}\"\nrecord = \"/account\"\npaging = \"none\"\nabsent = \"null\"\n\
         write = \"/accounts/{{key}}\"\nwrite_record = \"/account\"\n\
         writable_fields = [\"plan\", \"seats\", \"note\", \"/address/city\"]\n{settings}\n"
    );
    let Configured::Http(api) = configured(&text).unwrap() else { panic!("{text}") };
    HttpWriter::open("crm", &api, Some(&Secret::new(token.to_owned())), patience).unwrap()
}

/// A side of accounts with these columns beside their id.
fn of(columns: &[&str]) -> Side {
    Side { identity: vec![0], ..side(&[&["id"], columns].concat()) }
}

fn text(text: &'static str) -> Value<'static> {
    Value::text(text)
}

/// An account's first column, from one value to another.
fn change(id: i64, from: Value<'static>, to: Value<'static>) -> Write {
    let identity = vec![Value::integer(id)];
    Write { id: format!("quittance-run-1-{id}"), identity, expected: vec![(1, from)], set: vec![(1, to)] }
}

fn to_team(id: i64) -> Write {
    change(id, text("basic"), text("team"))
}

fn try_write(provider: &Provider, settings: &str, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
    writer(provider, settings).write("account", &of(&["plan"]), writes)
}

const ETAG: &str = "precondition = \"etag\"";
const KEYED: &str = "idempotency_header = \"Idempotency-Key\"";

#[test]
fn each_record_is_done_moved_or_gone_however_it_is_sent() {
    for method in ["PATCH", "PUT", "POST"] {
        let (crm, provider) = Crm::serve(|_| Then::Apply);
        crm.set("8", "plan", json!("other"));
        crm.set("9", "plan", json!("team"));
        let settings = format!("method = \"{method}\"\n{ETAG}\n{KEYED}");
        let writes = [to_team(7), to_team(8), to_team(9), to_team(10)];
        let moved = vec![text("other")];
        let stands = writer(&provider, &settings).stand("account", &of(&["plan"]), &writes).unwrap();
        assert_eq!(stands, [Stand::AsExpected, Stand::Moved { now: moved.clone() }, Stand::Already, Stand::Gone]);
        assert!(crm.calls().is_empty(), "a look changes nothing");
        let written = try_write(&provider, &settings, &writes).unwrap();
        assert_eq!(written, [Written::Done, Written::Moved { now: moved.clone() }, Written::Already, Written::Gone]);
        let again = try_write(&provider, &settings, &writes).unwrap();
        assert_eq!(again, [Written::Already, Written::Moved { now: moved }, Written::Already, Written::Gone]);
        let calls = crm.calls();
        let [call] = calls.as_slice() else { panic!("{method}: {} writes", calls.len()) };
        assert_eq!((call.method.as_str(), call.target.as_str()), (method, "/api/accounts/7"));
        let headers = ["if-match", "idempotency-key", "content-type"].map(|name| header(call, name));
        assert_eq!(headers, [Some("\"v1\""), Some("quittance-run-1-7"), Some("application/json")], "{method}");
        let whole = json!({
            "id": 7, "plan": "team", "seats": 3, "note": null, "name": "Ada", "address": {"city": "Bonn", "zip": "53111"},
        });
        assert_eq!(crm.account("7"), whole, "{method}");
        let sent: serde_json::Value = serde_json::from_str(&call.body).unwrap();
        let body = if method == "PUT" { json!({"account": whole}) } else { json!({"account": {"plan": "team"}}) };
        assert_eq!(sent, body, "{method}");
    }
}

#[test]
fn fields_keep_the_type_that_they_have_and_null_is_null() {
    for method in ["PATCH", "PUT", "POST"] {
        let (crm, provider) = Crm::serve(|_| Then::Apply);
        let settings = format!("method = \"{method}\"");
        let columns = of(&["plan", "seats", "note", "/address/city"]);
        let set = Write {
            expected: vec![(1, text("basic")), (2, Value::integer(3)), (3, Value::Null), (4, text("Bonn"))],
            set: vec![(1, Value::integer(5)), (2, text("12")), (3, text("vip")), (4, text("Berlin"))],
            ..to_team(7)
        };
        let back = Write {
            id: "quittance-run-2-7".to_owned(),
            expected: set.set.clone(),
            set: set.expected.clone(),
            ..set.clone()
        };
        let mut writer = writer(&provider, &settings);
        assert_eq!(writer.write("account", &columns, &[set]).unwrap(), [Written::Done], "{method}");
        let shown = crm.account("7");
        assert_eq!(shown["plan"], "5", "a text stays a text");
        assert_eq!(shown["seats"], 12, "a number stays a number");
        assert_eq!((&shown["note"], &shown["address"]), (&json!("vip"), &json!({"city": "Berlin", "zip": "53111"})));
        assert_eq!(writer.write("account", &columns, &[back]).unwrap(), [Written::Done], "{method}");
        let shown = crm.account("7");
        assert_eq!((&shown["plan"], &shown["seats"], &shown["note"]), (&json!("basic"), &json!(3), &json!(null)));
        assert_eq!((&shown["name"], &shown["address"]), (&json!("Ada"), &json!({"city": "Bonn", "zip": "53111"})));
        assert_eq!(crm.applied(), 2);
        let many = Write { expected: vec![(2, Value::integer(3))], set: vec![(2, text("many"))], ..to_team(7) };
        let [Written::Refused { why }] = &writer.write("account", &columns, &[many]).unwrap()[..] else { panic!() };
        assert!(why.contains("`seats`: it is a number there"), "{why}");
        assert_eq!(crm.applied(), 2);
    }
}

/// Somebody else changes the record between the reading and the writing.
#[test]
fn with_a_tag_nobody_is_overwritten_and_without_one_only_the_same_field_is() {
    for (method, settings, written, plan, name) in [
        ("PATCH", ETAG, Written::Moved { now: vec![text("basic")] }, "basic", "Bob"),
        ("PUT", ETAG, Written::Moved { now: vec![text("basic")] }, "basic", "Bob"),
        ("PATCH", "", Written::Done, "team", "Bob"),
        // All of the record is sent: that is why it should be held against its tag.
        ("PUT", "", Written::Done, "team", "Ada"),
    ] {
        let (crm, provider) = Crm::serve(|_| Then::After("name", json!("Bob")));
        let settings = format!("method = \"{method}\"\n{settings}");
        assert_eq!(try_write(&provider, &settings, &[to_team(7)]).unwrap(), [written], "{settings}");
        let shown = crm.account("7");
        assert_eq!((&shown["plan"], &shown["name"]), (&json!(plan), &json!(name)), "{settings}");
        assert_eq!(crm.calls().len(), 1, "{settings}");
    }
    for (settings, written, plan) in
        [(ETAG, Written::Moved { now: vec![text("third")] }, "third"), ("", Written::Done, "team")]
    {
        let (crm, provider) = Crm::serve(|_| Then::After("plan", json!("third")));
        assert_eq!(try_write(&provider, settings, &[to_team(7)]).unwrap(), [written], "{settings}");
        assert_eq!(crm.account("7")["plan"], plan, "{settings}");
    }
    // Somebody else does the same: nothing was written here.
    let (_, provider) = Crm::serve(|_| Then::After("plan", json!("team")));
    assert_eq!(try_write(&provider, ETAG, &[to_team(7)]).unwrap(), [Written::Already]);
}

#[test]
fn an_api_without_tags_is_not_held_against_them() {
    let (crm, provider) = Crm::serve_with(|_| Then::Apply, false);
    let [Written::Refused { why }] = &try_write(&provider, ETAG, &[to_team(7)]).unwrap()[..] else { panic!() };
    assert!(why.contains("no ETag") && why.contains("precondition = \"none\""), "{why}");
    assert!(crm.calls().is_empty());
    assert_eq!(try_write(&provider, "", &[to_team(7)]).unwrap(), [Written::Done]);
}

#[test]
fn what_is_not_on_the_list_is_refused_by_name() {
    let (crm, provider) = Crm::serve(|_| Then::Apply);
    for (object, column, words) in [
        (
            "account",
            "name",
            &["`account` of the system `crm`", "`name` is not among", "plan, seats, note, /address/city"][..],
        ),
        ("account", "/address/zip", &["`/address/zip` is not among"]),
        ("account", "address", &["`address` is not among"]),
        ("account", "id", &["`id` tells the records of `account`"]),
        ("accounts", "plan", &["no object `accounts`", "did you mean `account`"]),
    ] {
        let mut writer = writer(&provider, "");
        let write = [change(7, Value::Null, text("x"))];
        check_error(writer.stand(object, &of(&[column]), &write), Blame::Configuration, words);
        check_error(writer.write(object, &of(&[column]), &write), Blame::Configuration, words);
    }
    let other = Side { identity: vec![1], ..side(&["name", "plan"]) };
    let write = Write { expected: vec![(0, text("Ada"))], set: vec![(0, text("Bob"))], ..to_team(7) };
    let words = ["told apart by `id` alone"];
    check_error(writer(&provider, "").stand("account", &other, &[write]), Blame::Configuration, &words);
    assert!(crm.calls().is_empty());
}

#[test]
fn how_records_are_written_is_configured_and_mistakes_are_told() {
    let head = "[systems.crm]\nkind = \"http\"\nbase_url = \"https://crm.example\"\n";
    let object = |settings: &str| {
        format!("{head}[systems.crm.objects.a]\nlist = \"/a\"\npaging = \"none\"\nget = \"/a/{{key}}\"\n{settings}\n")
    };
    let write = "write = \"/a/{key}\"\nwritable_fields = [\"plan\"]\n";
    assert!(configured(&object(write)).is_ok());
    for (text, words) in [
        (
            format!("{head}write_token = \"env:W\"\n"),
            &["write_token: a secret that is told to nobody", "add token"][..],
        ),
        (format!("{head}token = \"env:T\"\nwrite_token = \"W\"\n"), &["not a reference to a secret"]),
        (object("write = \"/a\"\nwritable_fields = [\"plan\"]"), &["a.write: does not say where the key goes"]),
        (object("write = \"/a/{key}\""), &["a.writable_fields: missing", "[\"plan\", \"/address/city\"]"]),
        (object("writable_fields = [\"plan\"]"), &["nobody said may be written", "add write ="]),
        (object("precondition = \"etag\""), &["nobody said may be written"]),
        (
            format!("{head}[systems.crm.objects.a]\nlist = \"/a\"\npaging = \"none\"\n{write}"),
            &["a.write: what is written cannot be read back", "add get = \"/accounts/{key}\""],
        ),
        (object(&format!("{write}identity = [\"a\", \"b\"]")), &["identity of several parts"]),
        (
            object(&format!("{write}method = \"patch\"")),
            &["not a way to write a record", "write method = \"PATCH\", or another of PATCH, PUT, POST"],
        ),
        (object(&format!("{write}precondition = \"etags\"")), &["or another of none, etag"]),
        (object(&format!("{write}idempotency_header = \"a b\"")), &["not the name of a header for a key"]),
        (object(&format!("{write}idempotency_header = \"Authorization\"")), &["not the name of a header for a key"]),
        (
            object(&format!("{write}idempotency_header = \"X-Key\""))
                .replace("base_url", "auth = \"header\"\nheader = \"x-key\"\ntoken = \"env:T\"\nbase_url"),
            &["crm.header: says who asks, and is to carry a key as well"],
        ),
        (object(&format!("{write}content_type = \"text/xml\"")), &["not a media type of JSON", "merge-patch+json"]),
        (object(&format!("{write}write_record = \"account\"")), &["not a JSON pointer"]),
        (object("write = \"/a/{key}\"\nwritable_fields = [\"/x/*\"]"), &["`/x/*` is not a field"]),
        (object("write = \"/a/{key}\"\nwritable_fields = [\"/id\"]"), &["`/id` tells records apart"]),
    ] {
        let errors = configured(&text).unwrap_err();
        for word in words {
            assert!(errors.contains(word), "{word:?} is not in {errors}\nof {text}");
        }
    }
}
