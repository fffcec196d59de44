//! Lists inside objects: which are needed, and how they grow.

use serde_json::{Value as Json, json};

use crate::stripe::listing::Page;
use crate::stripe::listing::nested::{NoProgress, Rest, extend, rest};

fn list(ids: &[&str], has_more: bool) -> Json {
    let data: Vec<Json> = ids.iter().map(|id| json!({"id": id, "amount": 1})).collect();
    json!({"object": "list", "has_more": has_more, "url": "/v1/invoices/in_1/lines", "total_count": 9, "data": data})
}

fn wants(object: &Json, place: &str, pointer: Option<&str>) -> Option<String> {
    rest(object, [(place, pointer)]).map(|rest| rest.at)
}

#[test]
fn b38_a_list_is_read_to_its_end_where_its_elements_are_needed() {
    let invoice = json!({"id": "in_1", "lines": list(&["il_1", "il_2"], true), "total": 3});
    for (place, pointer, needed) in [
        ("lines", None, true),
        ("/lines", None, true),
        ("/lines/data", None, true),
        ("/lines/data/*/amount", None, true),
        ("/lines/*/amount", None, true),
        ("lines", Some("/*/amount"), true),
        ("lines", Some("/data/*/amount"), true),
        ("/lines/total_count", None, false),
        ("/lines/has_more", None, false),
        ("total", None, false),
        ("/missing/data", None, false),
    ] {
        assert_eq!(wants(&invoice, place, pointer).is_some(), needed, "{place} {pointer:?}");
    }
    let found = rest(&invoice, [("total", None), ("lines", None)]);
    let url = "/v1/invoices/in_1/lines".to_owned();
    assert_eq!(found, Some(Rest { at: "/lines".to_owned(), url, after: Some("il_2".to_owned()) }));
}

#[test]
fn lists_inside_lists_are_found_too() {
    let inner = json!({"id": "a", "refunds": list(&["re_1"], true)});
    let outer = json!({"object": "list", "has_more": false, "url": "/v1/x", "data": [{"id": "b"}, inner]});
    let object = json!({"id": "o", "charges": outer, "a/b": list(&[], true)});
    for (place, at) in [
        ("charges", "/charges/data/1/refunds"),
        ("/charges/data/*/refunds", "/charges/data/1/refunds"),
        ("/charges/data/1/refunds/data/0/id", "/charges/data/1/refunds"),
        ("/charges/*/refunds", "/charges/data/1/refunds"),
        ("a/b", "/a~1b"),
    ] {
        assert_eq!(wants(&object, place, None).as_deref(), Some(at), "{place}");
    }
    assert_eq!(wants(&object, "/charges/data/0/refunds", None), None);
    assert_eq!(wants(&object, "/charges/data/*/id", None), None);
}

#[test]
fn a_list_grows_by_what_is_new_and_never_for_ever() {
    let page = |ids: &[&str], has_more| {
        let objects = ids.iter().map(|id| ((*id).to_owned(), json!({"id": id, "amount": 2}))).collect();
        Page { objects, has_more }
    };
    let mut invoice = json!({"id": "in_1", "lines": list(&["il_1", "il_2"], true)});
    assert_eq!(extend(&mut invoice, "/lines", page(&["il_2", "il_3"], true)), Ok(3));
    assert_eq!(extend(&mut invoice, "/lines", page(&["il_2", "il_3"], true)), Err(NoProgress));
    assert_eq!(extend(&mut invoice, "/lines", page(&["il_4"], false)), Ok(4));
    let ids: Vec<_> = invoice["lines"]["data"].as_array().unwrap().iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, ["il_1", "il_2", "il_3", "il_4"]);
    assert_eq!(wants(&invoice, "lines", None), None);
}
